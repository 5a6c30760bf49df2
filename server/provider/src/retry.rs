use std::time::Duration;

use crate::error::ProviderError;

/// When to send a request again. Pure: it neither sleeps nor draws random numbers.
///
/// The values are those of the vendors' own SDKs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many attempts may follow the first.
    pub max_retries: u32,
    /// The wait before the first retry; it doubles each time.
    pub first_wait: Duration,
    /// The longest wait of our own choice.
    pub longest_wait: Duration,
    /// The longest wait a provider may ask for. If it asks for more, there is no retry: a person who waits for an
    /// action is better told so.
    pub longest_asked: Duration,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
            max_retries: 2,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(8),
            longest_asked: Duration::from_mins(1),
        }
    }
}

impl RetryPolicy {
    /// How long to wait before the next attempt, or `None` to give up.
    ///
    /// `failed` counts the attempts so far, so it is 1 after the first. `random` is between 0 and 1 and takes up to a
    /// quarter off a wait of our own choice, so that clients do not return in step.
    pub fn wait(&self, failed: u32, error: &ProviderError, random: f64) -> Option<Duration> {
        if !error.is_retryable() || failed > self.max_retries {
            return None;
        }
        if let Some(asked) = error.retry_after() {
            return (asked <= self.longest_asked).then_some(asked);
        }
        let doublings = failed.saturating_sub(1).min(16);
        let wait = self
            .first_wait
            .saturating_mul(1 << doublings)
            .min(self.longest_wait);
        let random = if random.is_finite() {
            random.clamp(0.0, 1.0)
        } else {
            0.0
        };
        Some(wait.mul_f64(1.0 - 0.25 * random))
    }
}
