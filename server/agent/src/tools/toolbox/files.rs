use super::{Done, Toolbox, cancelled, refused};
use crate::journal::Verdict;
use crate::{FileChange, Outcome};

impl Toolbox<'_> {
    /// Makes, renames or deletes a file, if the user allows it.
    pub(super) async fn change_file(&self, change: FileChange) -> Done {
        let done = match &change {
            FileChange::Create { file, .. } => format!("made {file}"),
            FileChange::Rename { file, to, .. } => {
                format!("renamed {file} to {to}; whatever names it is as before")
            }
            FileChange::Delete { file, .. } => {
                format!("deleted {file}; whatever names it is as before")
            }
        };
        let outcome = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return cancelled(),
            outcome = self.host.change_file(change) => outcome,
        };
        match outcome {
            Outcome::Landed { hunks } => Done {
                text: done,
                verdict: Verdict::Landed { hunks },
            },
            Outcome::Pending { why } => Done {
                text: format!("not done yet ({why}); do not build on it"),
                verdict: Verdict::Pending { why },
            },
            Outcome::Refused(refusal) => refused(Some(refusal.rule), refusal.message),
            Outcome::Cancelled => cancelled(),
        }
    }
}
