//! Files that a run makes, and that go again when that is undone. The editor makes and removes them; only the file, or
//! that it is gone, is proof.

use gate::{Landed, NewFile, take_away};
use text::{FilePath, Text};
use tokio::time::{Instant, timeout_at};
use workspace::Document;

use crate::hunks::{Hunk, HunkState};
use crate::{Engine, Event, Reply, ReviewError};

/// What there is under a name.
enum There {
    /// A text, and the change count of the document if it is open.
    Text(Text, Option<u64>),
    /// Something else.
    Other,
    Nothing,
}

impl Engine {
    /// Has the editor make a file. Answers with the change count of its document, or why it is not there.
    pub(crate) async fn make_file(&self, new: &NewFile, label: &str) -> Result<u64, String> {
        let Ok(_permit) = self.shared.landing.acquire().await else {
            return Err("the server ends".to_owned());
        };
        // The user may have taken a while to allow it.
        if !matches!(self.there(new.file()).await, There::Nothing) {
            return Err("something of that name is there by now".to_owned());
        }
        let reply = self.shared.editor.create(new, label).await;
        let made = |there: &There| match there {
            There::Text(text, serial) if text == new.text() => Some(serial.unwrap_or(0)),
            _ => None,
        };
        let serial = self.comes_to(new.file(), &reply, made).await;
        serial.ok_or(match reply {
            Reply::Applied => {
                "the editor said it made the file, but it is not there as it should be".to_owned()
            }
            Reply::Refused(why) if why.is_empty() => "the editor did not make it".to_owned(),
            Reply::Refused(why) => format!("the editor did not make it: {why}"),
        })
    }

    /// Takes a file away that a run has made, unless anybody has changed it since.
    pub(crate) async fn remove_made_file(
        &self,
        hunk: &Hunk,
        made: &Landed,
    ) -> Result<(), ReviewError> {
        let file = &hunk.file;
        let now = match self.there(file).await {
            There::Nothing => return Ok(()),
            There::Other => return Err(ReviewError::FileChanged(file.clone())),
            There::Text(now, _) => now,
        };
        let removal = take_away(file, &now, made);
        let removal = removal.map_err(|_| ReviewError::FileChanged(file.clone()))?;
        let Ok(_permit) = self.shared.landing.acquire().await else {
            return Err(ReviewError::Gone);
        };
        // A file that goes is closed, and a closed file's hunks are kept.
        self.with(|state| state.hunks.remove(hunk.id));
        let label = format!("Undo: {}", hunk.title);
        let reply = self.shared.editor.remove(&removal, &label).await;
        let gone = |there: &There| matches!(there, There::Nothing).then_some(());
        if self.comes_to(file, &reply, gone).await.is_some() {
            return Ok(());
        }
        self.with(|state| state.hunks.add(hunk.clone()));
        self.show(Event::Markers(file.clone()));
        Err(ReviewError::NotLanded(match reply {
            Reply::Refused(why) if !why.is_empty() => {
                format!("the editor did not remove the file: {why}")
            }
            _ => "the editor did not remove the file".to_owned(),
        }))
    }

    /// Waits until a file is as wanted, as far as the editor's reply gives hope.
    async fn comes_to<T>(
        &self,
        file: &FilePath,
        reply: &Reply,
        wanted: impl Fn(&There) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + self.shared.timing.proof;
        let mut changed = self.shared.changed.subscribe();
        let mut is_late = matches!(reply, Reply::Refused(_));
        loop {
            changed.mark_unchanged();
            let found = wanted(&self.there(file).await);
            if found.is_some() || is_late {
                return found;
            }
            is_late = timeout_at(deadline, changed.changed()).await.is_err();
        }
    }

    /// What the editor has open under a name, as long as the disk has something; else what the disk has.
    async fn there(&self, file: &FilePath) -> There {
        let open = self.snapshot().open_document(file).cloned();
        let file = file.clone();
        let looked = tokio::task::spawn_blocking(move || {
            if std::fs::symlink_metadata(file.as_path()).is_err() {
                return There::Nothing;
            }
            let open =
                open.map(|open: Document| There::Text(open.text().clone(), Some(open.serial())));
            open.unwrap_or_else(|| match workspace::read(&file) {
                Ok(text) => There::Text(text, None),
                Err(_) => There::Other,
            })
        });
        looked.await.unwrap_or(There::Other)
    }
}

impl Hunk {
    /// What a run has put in where it has made the whole file.
    pub(crate) fn made(&self) -> Option<&Landed> {
        match &self.state {
            HunkState::Landed(landed) if self.made_file => Some(landed),
            _ => None,
        }
    }
}
