//! The editor's own preview of a refactoring, where the user picks among all staged hunks of a run at once.

use gate::ApprovedEdit;
use text::FilePath;
use tokio::time::{Instant, timeout_at};

use crate::hunks::{Hunk, HunkState};
use crate::landing::shows;
use crate::{Engine, Reply, ReviewError, RunId};

/// Staged hunks with their edits for one text.
struct Offer {
    file: FilePath,
    /// The text's change count.
    serial: u64,
    hunks: Vec<(Hunk, ApprovedEdit)>,
}

impl Engine {
    /// Has the editor show all staged hunks of a run for the user to pick from, and takes those for made that its text
    /// then shows. Answers how many; the others stay staged.
    ///
    /// Takes as long as the user does, and no other edit is made meanwhile: editors show one preview at a time.
    pub async fn preview(&self, run: &RunId) -> Result<usize, ReviewError> {
        let Ok(_permit) = self.shared.landing.acquire().await else {
            return Err(ReviewError::Gone);
        };
        let Offer {
            file,
            serial,
            hunks: offered,
        } = self.offered(run).ok_or(ReviewError::Gone)?;
        let edits: Vec<ApprovedEdit> = offered.iter().map(|(_, edit)| edit.clone()).collect();
        let title = offered.first().map_or("", |(hunk, _)| hunk.title.as_str());
        let reply = tokio::select! {
            () = self.shared.shutdown.cancelled() => return Err(ReviewError::Gone),
            reply = self.shared.editor.preview(&edits, title) => reply,
        };
        let made = self.made(&file, serial, &edits, &reply).await;
        let made = offered.iter().zip(made).filter(|(_, made)| *made);
        let mut count = 0;
        for ((hunk, _), _) in made {
            self.settle_hunk(hunk);
            count += 1;
        }
        match reply {
            Reply::Refused(why) if count == 0 && !why.is_empty() => {
                Err(ReviewError::NotLanded(why))
            }
            _ => Ok(count),
        }
    }

    /// What there is to pick from.
    fn offered(&self, run: &RunId) -> Option<Offer> {
        self.with(|state| {
            let mut hunks = state.hunks.of_run(run);
            hunks.retain(Hunk::is_staged);
            hunks.reverse();
            let file = hunks.first()?.file.clone();
            let snapshot = state.workspace.snapshot();
            let document = snapshot.open_document(&file)?;
            let offered = hunks.into_iter().filter(|hunk| hunk.file == file);
            let offered = offered.filter_map(|hunk| {
                let HunkState::Pending { edit, serial, .. } = &hunk.state else {
                    return None;
                };
                let changes = document.changes_since(*serial)?.iter().map(AsRef::as_ref);
                let edit = edit.rebase(changes, document.text(), document.version());
                let edit = edit.ok()?;
                Some((hunk, edit))
            });
            Some(Offer {
                hunks: offered.collect(),
                serial: document.serial(),
                file: file.clone(),
            })
        })
    }

    /// Which of the edits, all of one text, are in the text by now. Waits for the change that the editor tells of.
    async fn made(
        &self,
        file: &FilePath,
        serial: u64,
        edits: &[ApprovedEdit],
        reply: &Reply,
    ) -> Vec<bool> {
        let timing = self.shared.timing;
        let none = vec![false; edits.len()];
        let deadline = Instant::now() + timing.proof;
        let mut changed = self.shared.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let Some(document) = self.snapshot().open_document(file).cloned() else {
                return none;
            };
            let told = document.serial() > serial;
            let made: Vec<bool> = edits
                .iter()
                .map(|edit| {
                    let want = edit.want().ok();
                    told && want.is_some_and(|want| shows(edit, &want, document.text()).is_some())
                })
                .collect();
            let all = made.iter().all(|made| *made);
            // One answer may come as several changes.
            let until = match (told, reply) {
                (false, Reply::Refused(_)) => return none,
                (true, _) => deadline.min(Instant::now() + timing.quiet),
                (false, Reply::Applied) => deadline,
            };
            if all || timeout_at(until, changed.changed()).await.is_err() {
                return made;
            }
        }
    }
}
