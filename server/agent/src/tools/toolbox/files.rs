use super::{Done, Toolbox, cancelled, refused};
use crate::Outcome;
use crate::journal::Verdict;

impl Toolbox<'_> {
    /// Makes a new file, if the user allows it.
    pub(super) async fn create(&self, file: &str, text: &str, reason: &str) -> Done {
        let outcome = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return cancelled(),
            outcome = self.host.create(file, text, reason) => outcome,
        };
        match outcome {
            Outcome::Landed { hunks } => Done {
                text: format!("made {file}"),
                verdict: Verdict::Landed { hunks },
            },
            Outcome::Pending { why } => Done {
                text: format!("not made yet ({why}); do not build on it"),
                verdict: Verdict::Pending { why },
            },
            Outcome::Refused(refusal) => refused(Some(refusal.rule), refusal.message),
            Outcome::Cancelled => cancelled(),
        }
    }
}
