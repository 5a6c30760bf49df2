//! Hunks on disk, so that a server that is started again still knows what waits for a decision.
//!
//! One file for each source file that has hunks: its text, and the hunks in it. It is written beside its place and then
//! renamed, so that it is whole or not there; a digest at its top tells damage. Nothing in it is needed for anything
//! else, so that damage costs these hunks and a sentence about it.
//!
//! Hunks are taken up for the text that the editor opens. Where that is another one, they move as over typing, and one
//! whose place was changed is given up, with a sentence.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use gate::{Landed, Noted, View, take_up};
use ledger::RunId;
use serde::{Deserialize, Serialize};
use text::{Edit, EditSet, FilePath, Hash, Text};
use workspace::Document;

use crate::charge::Charge;
use crate::hunks::{Hunk, HunkState, Waits};
use crate::{Engine, Level};

/// Hunks of a longer text are not kept: nobody reviews them after a restart, and writing it would take too long.
const MAX_TEXT: usize = 4 << 20;

/// What nobody has opened for so long is removed.
const MAX_AGE: Duration = Duration::from_hours(24 * 30);

/// The hunks of one file, as they are written down.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    file: String,
    /// The text that all ranges are in.
    text: String,
    hunks: Vec<KeptHunk>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptHunk {
    run: RunId,
    title: String,
    symbol: String,
    reason: String,
    charge: Charge,
    state: KeptState,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptState {
    Landed(Landed),
    Pending { edit: Noted, why: Waits },
}

/// Where hunks are kept.
#[derive(Clone, Debug)]
pub(crate) struct Shelf(PathBuf);

/// What was found for a file.
enum Found {
    Nothing,
    Damaged,
    Kept(Kept),
}

impl Shelf {
    pub(crate) fn new(folder: PathBuf) -> Shelf {
        Shelf(folder)
    }

    fn place(&self, file: &FilePath) -> PathBuf {
        self.0.join(format!("{}.json", Hash::of(file.as_str())))
    }

    fn find(&self, file: &FilePath) -> Found {
        let Ok(bytes) = std::fs::read(self.place(file)) else {
            return Found::Nothing;
        };
        let kept = std::str::from_utf8(&bytes).ok().and_then(|text| {
            let (digest, body) = text.split_once('\n')?;
            let whole = digest.parse() == Ok(Hash::of(body));
            whole.then(|| serde_json::from_str::<Kept>(body).ok())?
        });
        match kept {
            // Two paths can have one name here; this one then has nothing.
            Some(kept) if kept.file != file.as_str() => Found::Nothing,
            Some(kept) => Found::Kept(kept),
            None => Found::Damaged,
        }
    }

    /// Writes the hunks of a file down, or that there are none.
    fn put(&self, file: &FilePath, kept: Option<&Kept>) -> std::io::Result<()> {
        let place = self.place(file);
        let Some(kept) = kept else {
            return match std::fs::remove_file(place) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        };
        std::fs::create_dir_all(&self.0)?;
        let body = serde_json::to_string(kept)?;
        let mut draft = tempfile::NamedTempFile::new_in(&self.0)?;
        writeln!(draft, "{}", Hash::of(&body))?;
        draft.write_all(body.as_bytes())?;
        draft.persist(place)?;
        Ok(())
    }

    fn forget(&self, file: &FilePath) {
        if let Err(error) = self.put(file, None) {
            tracing::warn!(%error, %file, "what was kept of its hunks cannot be removed");
        }
    }

    /// Removes what nobody has opened for a long time.
    pub(crate) fn clean_up(&self) {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        for entry in entries {
            let age = entry.metadata().and_then(|metadata| metadata.modified());
            if age.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > MAX_AGE)) {
                _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

impl Engine {
    /// Takes up the hunks of a file that has just been opened.
    pub(crate) fn restore_hunks(&self, file: &FilePath) {
        let Some(shelf) = &self.shared.shelf else {
            return;
        };
        let kept = match shelf.find(file) {
            Found::Nothing => return,
            Found::Kept(kept) => kept,
            Found::Damaged => {
                shelf.forget(file);
                let name = file.file_name();
                self.notify(
                    Level::Warning,
                    format!("what was kept of the hunks in {name} is damaged; they are the text's own now, and nothing else is lost"),
                );
                return;
            }
        };
        let snapshot = self.snapshot();
        let Some(document) = snapshot.open_document(file) else {
            return;
        };
        let before = Text::from(kept.text.as_str());
        let since = text::diff(&kept.text, &document.text().to_string());
        let mut lost = 0;
        for hunk in kept.hunks {
            match self.taken_up(&hunk, document, &before, &since) {
                Ok(state) => self.with(|state_of_all| {
                    let id = state_of_all.hunks.next_id();
                    state_of_all.hunks.add(Hunk {
                        id,
                        run: hunk.run,
                        title: hunk.title,
                        file: file.clone(),
                        symbol: hunk.symbol,
                        reason: hunk.reason,
                        charge: hunk.charge,
                        before: 0,
                        weight: 0,
                        state,
                    });
                }),
                Err(Gone::Undone) => {}
                Err(Gone::Changed) => lost += 1,
            }
        }
        if lost > 0 {
            let (name, count) = (file.file_name(), plural(lost));
            self.notify(
                Level::Warning,
                format!("{count} in {name} can no longer be kept or undone: the text there was changed while Farthing was not running"),
            );
        }
        if self.hunks(file).is_empty() {
            shelf.forget(file);
        }
    }

    /// The state of a hunk in today's text, which `since` leads to.
    fn taken_up(
        &self,
        hunk: &KeptHunk,
        document: &Document,
        before: &Text,
        since: &EditSet,
    ) -> Result<HunkState, Gone> {
        match &hunk.state {
            KeptState::Landed(landed) => {
                // Its place moves as the edit that would take it back.
                let back = EditSet::one(Edit::new(landed.range, landed.old.clone()));
                let moved = back.rebase(since).ok().and_then(|moved| moved.span());
                match moved {
                    Some(range) => Ok(HunkState::Landed(Landed {
                        range,
                        ..landed.clone()
                    })),
                    None if is_undone(landed, before, document.text()) => Err(Gone::Undone),
                    None => Err(Gone::Changed),
                }
            }
            KeptState::Pending { edit, why } => {
                let snapshot = self.snapshot();
                let view = View {
                    file: document.file(),
                    text: document.text(),
                    version: document.version(),
                    parsed: document.parsed().ok_or(Gone::Changed)?,
                };
                let policy = self.policy(&snapshot);
                let edit = take_up(&view, &policy, before, edit, since);
                let edit = edit.map_err(|_| Gone::Changed)?;
                Ok(HunkState::Pending {
                    at: edit.edits().span().ok_or(Gone::Changed)?,
                    edit: edit.into(),
                    serial: document.serial(),
                    why: why.clone(),
                })
            }
        }
    }

    /// Writes hunks down whenever some have come, gone or changed.
    pub(crate) async fn keep_hunks(self) {
        loop {
            tokio::select! {
                () = self.shared.shutdown.cancelled() => return,
                () = self.shared.unkept.notified() => {}
            }
            let engine = self.clone();
            let work = tokio::task::spawn_blocking(move || engine.write_hunks());
            if work.await.is_err() {
                tracing::error!("writing hunks down panicked");
            }
        }
    }

    /// Writes down the hunks of all files where some have come, gone or changed.
    pub(crate) fn write_hunks(&self) {
        let Some(shelf) = &self.shared.shelf else {
            return;
        };
        let due = self.with(|state| {
            let snapshot = state.workspace.snapshot();
            let due = state.hunks.take_changed().into_iter();
            let due = due.map(|file| {
                let document = snapshot.open_document(&file).cloned();
                (document, state.hunks.of(&file), file)
            });
            due.collect::<Vec<_>>()
        });
        for (document, hunks, file) in due {
            // A closed file keeps what was written of it, for the next time it is opened.
            let Some(document) = document else { continue };
            let kept = written(&document, &hunks);
            if let Err(error) = shelf.put(&file, kept.as_ref()) {
                tracing::warn!(%error, %file, "its hunks would not survive a restart");
            }
        }
    }
}

/// Why a hunk is not taken up.
enum Gone {
    /// The text is as before it.
    Undone,
    /// Its place was changed.
    Changed,
}

/// Whether the text without the hunk is the text there is, as when a file was closed and not saved.
fn is_undone(landed: &Landed, before: &Text, now: &Text) -> bool {
    let back = EditSet::one(Edit::new(landed.range, landed.old.clone()));
    let without = back.apply(before);
    without.is_ok_and(|without| {
        let change = text::diff(&without.to_string(), &now.to_string());
        let there = landed.range.start..landed.range.start + landed.old.len();
        let there = text::Range::new(there.start, there.end);
        !(change.edits().iter()).any(|edit| edit.range.meets(there))
    })
}

fn written(document: &Document, hunks: &[Hunk]) -> Option<Kept> {
    if hunks.is_empty() || document.text().len() > MAX_TEXT {
        return None;
    }
    let mut hunks: Vec<&Hunk> = hunks.iter().collect();
    hunks.sort_by_key(|hunk| hunk.id);
    let kept = hunks.into_iter().filter_map(|hunk| {
        let state = match &hunk.state {
            HunkState::Landed(landed) => KeptState::Landed(landed.clone()),
            HunkState::Pending {
                edit, serial, why, ..
            } => {
                let changes = document.changes_since(*serial)?.iter().map(AsRef::as_ref);
                let edit = edit.rebase(changes, document.text(), document.version());
                KeptState::Pending {
                    edit: edit.ok()?.noted(),
                    why: why.clone(),
                }
            }
        };
        Some(KeptHunk {
            run: hunk.run.clone(),
            title: hunk.title.clone(),
            symbol: hunk.symbol.clone(),
            reason: hunk.reason.clone(),
            charge: hunk.charge,
            state,
        })
    });
    Some(Kept {
        file: document.file().to_string(),
        text: document.text().to_string(),
        hunks: kept.collect(),
    })
}

fn plural(count: usize) -> String {
    match count {
        1 => "1 hunk".to_owned(),
        _ => format!("{count} hunks"),
    }
}
