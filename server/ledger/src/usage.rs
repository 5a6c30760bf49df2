//! What a request consumed, in token classes that do not overlap.

use std::iter;

use serde::{Deserialize, Serialize};

/// Tokens of one or more requests, in disjoint classes: each token is counted once.
///
/// The edge that talks to a provider normalises to this: cached tokens are never also in `input`, and thinking is
/// part of `output`. A class that the provider did not report is not zero; then there is no `Usage` at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens that neither came from a cache nor went into one.
    pub input: u64,
    /// Prompt tokens written to the short-lived cache (5 minutes; 30 at OpenAI).
    pub cache_write_5m: u64,
    /// Prompt tokens written to the long-lived cache (1 hour; 12 at OpenAI).
    pub cache_write_1h: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Tokens produced, thinking included.
    pub output: u64,
}

impl Usage {
    /// The whole prompt: every class but the output.
    pub fn prompt(&self) -> u64 {
        self.input
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
            .saturating_add(self.cache_read)
    }

    /// Every token.
    pub fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }

    /// The sum, class by class.
    pub fn saturating_add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            output: self.output.saturating_add(other.output),
        }
    }
}

impl iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        usages.fold(Self::default(), Self::saturating_add)
    }
}
