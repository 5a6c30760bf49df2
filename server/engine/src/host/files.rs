//! What a run wants with whole files: judged, asked of the user, and judged again, because the user takes time.

use agent::{FileChange, Outcome};
use gate::{Move, Named, NewFile, Refusal, Removal, Rule};
use text::FilePath;
use tokio::sync::oneshot;
use workspace::{MAX_FILE_BYTES, Snapshot};

use super::RunHost;
use crate::{Engine, RunId};

/// A change of a whole file that the gate has let through and the user allows.
pub(super) enum Allowed {
    Create(NewFile),
    Rename(Move),
    Delete(Removal),
}

/// What the user is to be asked, and what follows from a yes.
struct Question {
    text: String,
    reason: String,
    warning: String,
    allowed: Allowed,
}

impl RunHost {
    pub(super) async fn change_whole_file(&self, change: FileChange) -> Outcome {
        let allowed = match self.allowed(&change).await {
            Ok(allowed) => allowed,
            Err(outcome) => return outcome,
        };
        if self.cancel.is_cancelled() {
            return Outcome::Cancelled;
        }
        // What is in the editor's hands cannot be called back, as with an edit.
        let lander = self.lander();
        let (told, outcome) = oneshot::channel();
        let shutdown = self.engine.shared.shutdown.clone();
        self.engine.spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                outcome = lander.change_file(allowed) => {
                    let _unheard = told.send(outcome);
                }
            }
        });
        outcome.await.unwrap_or(Outcome::Cancelled)
    }

    async fn allowed(&self, change: &FileChange) -> Result<Allowed, Outcome> {
        let question = self.question(change).await?;
        let mut asked = format!("“{}” asks to {}", self.run.title, question.text);
        for (before, part) in [(": ", &question.reason), (". ", &question.warning)] {
            if !part.is_empty() {
                asked.push_str(before);
                asked.push_str(part);
            }
        }
        let yes = tokio::select! {
            () = self.cancel.cancelled() => return Err(Outcome::Cancelled),
            yes = self.engine.shared.editor.ask(&asked) => yes,
        };
        if yes {
            return Ok(self.question(change).await?.allowed);
        }
        let message = format!(
            "the user did not allow {}; do the task without it, or say why that cannot be done",
            match change {
                FileChange::Create { file, .. } => file.clone(),
                FileChange::Rename { file, to, .. } => format!("that {file} becomes {to}"),
                FileChange::Delete { file, .. } => format!("that {file} goes"),
            }
        );
        Err(no_file(Rule::Protected, message))
    }

    /// Judges a change of a whole file as things are now.
    async fn question(&self, change: &FileChange) -> Result<Question, Outcome> {
        let snapshot = self.engine.snapshot_for_runs();
        let own = self.lease.file();
        let named = |name: &str| -> Result<FilePath, Outcome> {
            let root = snapshot.root_of(&own);
            let file = root.and_then(|root| root.join(name).ok());
            let Some(file) = file else {
                let message = format!("{name} is outside the workspace; runs stay in its folders");
                return Err(no_file(Rule::Path, message));
            };
            if snapshot.is_closed(&file) {
                let shown = snapshot.display(&file);
                let message = format!("{shown} is closed to runs by `[scope] deny`");
                return Err(no_file(Rule::Protected, message));
            }
            Ok(file)
        };
        let file = named(change.file())?;
        let to = match change {
            FileChange::Rename { to, .. } => Some(named(to)?),
            FileChange::Create { .. } | FileChange::Delete { .. } => None,
        };
        let root = snapshot.root_of(&own).cloned().unwrap_or(own);
        let judge = Judge {
            engine: self.engine.clone(),
            run: self.run.id.clone(),
            snapshot,
            root,
        };
        let change = change.clone();
        let judging =
            tokio::task::spawn_blocking(move || judge.question(&change, &file, to.as_ref()));
        let judged = judging.await.unwrap_or_else(|_| {
            let message = "the file cannot be looked at".to_owned();
            Err(Refusal {
                rule: Rule::Path,
                message,
            })
        });
        judged.map_err(Outcome::Refused)
    }
}

/// What it takes to judge. Looks at the disk.
struct Judge {
    engine: Engine,
    run: RunId,
    snapshot: Snapshot,
    root: FilePath,
}

impl Judge {
    fn question(
        &self,
        change: &FileChange,
        file: &FilePath,
        to: Option<&FilePath>,
    ) -> Result<Question, Refusal> {
        let policy = self.engine.policy(&self.snapshot);
        let standing = self.engine.standing(&self.root, file, &self.run);
        let shown = self.snapshot.display(file);
        match change {
            FileChange::Create {
                file: name,
                text,
                reason,
            } => {
                let grammar = grammars::for_path(file.as_str());
                let at = (file.clone(), self.is_taken(file, None));
                let question = gate::create(&policy, grammar, at, name, text, reason)?;
                self.within(file)?;
                Ok(Question {
                    text: format!("make the file {shown}, of {} lines", text.lines().count()),
                    reason: reason.clone(),
                    warning: question.warning.clone(),
                    allowed: Allowed::Create(question.approve()),
                })
            }
            FileChange::Rename {
                file: name,
                to: new_name,
                reason,
            } => {
                let to = to.unwrap_or(file);
                let new = Named {
                    file: to,
                    name: new_name,
                };
                let new = (new, self.is_taken(to, Some(file)));
                let old = (Named { file, name }, &standing);
                let question = gate::rename(&policy, old, new, reason)?;
                self.within(to)?;
                Ok(Question {
                    text: format!("rename {shown} to {}", self.snapshot.display(to)),
                    reason: reason.clone(),
                    warning: question.warning.clone(),
                    allowed: Allowed::Rename(question.approve()),
                })
            }
            FileChange::Delete { file: name, reason } => {
                let old = (Named { file, name }, &standing);
                let question = gate::delete(&policy, old, MAX_FILE_BYTES, reason)?;
                Ok(Question {
                    text: format!("delete {shown}, of {} bytes", standing.size),
                    reason: reason.clone(),
                    warning: question.warning.clone(),
                    allowed: Allowed::Delete(question.approve()),
                })
            }
        }
    }

    /// Whether the editor or the disk has something under a name that is not `but`.
    fn is_taken(&self, file: &FilePath, but: Option<&FilePath>) -> bool {
        self.snapshot.open_document(file).is_some() || self.engine.is_taken_now(file, but)
    }

    /// Refuses a new name that a link leads out of the workspace.
    fn within(&self, file: &FilePath) -> Result<(), Refusal> {
        if workspace::is_within(&self.root, file) {
            return Ok(());
        }
        let shown = self.snapshot.display(file);
        let message = format!("{shown} leads out of the workspace by a link");
        Err(Refusal {
            rule: Rule::Path,
            message,
        })
    }
}

pub(super) fn no_file(rule: Rule, message: String) -> Outcome {
    Outcome::Refused(Refusal { rule, message })
}
