//! Hunks that outlive their server, so that one that is started again still knows what waits for a decision.
//!
//! Hunks are taken up for the text that the editor opens. Where that is another one, they move as over typing. A hunk that
//! is in the text and whose place was changed is given up, with a sentence; one that is not in it was paid for and stays,
//! to be read and discarded.

use gate::{ApprovedEdit, Landed, Noted, View, take_up};
use ledger::RunId;
use serde::{Deserialize, Serialize};
use text::{Edit, EditSet, FilePath, Range, Text};
use workspace::Document;

use crate::charge::Charge;
use crate::files::Whole;
use crate::hunks::{Hunk, HunkState, Waits};
use crate::shelf::{Found, Kept};
use crate::{Engine, Level};

/// Hunks of a longer text are not kept: nobody reviews them after a restart, and writing it would take too long.
const MAX_TEXT: usize = 4 << 20;

/// Why a hunk that fits no text any more is shown.
const PLACE_CHANGED: &str =
    "the text there was changed; make it by hand, or run the action again and discard this";

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptHunk {
    run: RunId,
    title: String,
    symbol: String,
    reason: String,
    charge: Charge,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<Whole>,
    state: KeptState,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptState {
    Landed(Landed),
    Pending {
        edit: Noted,
        why: Waits,
    },
    /// It fits no text but one of [`Kept::bases`].
    Stuck {
        edit: Noted,
        why: Waits,
        base: usize,
        /// Where it is shown.
        at: Range,
    },
}

impl Engine {
    /// Takes up the hunks of a file that has just been opened.
    pub(crate) fn restore_hunks(&self, file: &FilePath) {
        let Some(shelf) = &self.shared.shelf else {
            return;
        };
        let snapshot = self.snapshot();
        let Some(document) = snapshot.open_document(file) else {
            return;
        };
        let found = {
            let _writing = shelf.writing();
            shelf.take(file)
        };
        if found.is_empty() {
            return;
        }
        let name = file.file_name();
        let mut lost = 0;
        for found in found {
            match found {
                Found::Damaged => self.notify(
                    Level::Warning,
                    format!("what was kept of the hunks in {name} is damaged; they are the text's own now, and nothing else is lost"),
                ),
                Found::Kept(kept) => lost += self.take_up(kept, document),
            }
        }
        if lost > 0 {
            let count = plural(lost);
            self.notify(
                Level::Warning,
                format!("{count} in {name} can no longer be kept or undone: the text there was changed while Farthing was not running"),
            );
        }
        // Also where none came of it: what was found is this server's to remove.
        self.with(|state| state.hunks.mark(file));
    }

    /// Takes up what was found of a file. Answers how many hunks can neither be kept nor undone any more.
    fn take_up(&self, kept: Kept, document: &Document) -> usize {
        let before = Text::from(kept.text.as_str());
        let since = text::diff(&kept.text, &document.text().to_string());
        let bases: Vec<Text> = (kept.bases.iter().map(String::as_str).map(Text::from)).collect();
        let mut lost = 0;
        for hunk in kept.hunks {
            match self.taken_up(&hunk, document, (&before, &since), &bases) {
                Ok(state) => self.with(|state_of_all| {
                    let hunks = &mut state_of_all.hunks;
                    let hunk = Hunk {
                        id: hunks.next_id(),
                        run: hunk.run,
                        title: hunk.title,
                        file: document.file().clone(),
                        symbol: hunk.symbol,
                        reason: hunk.reason,
                        charge: hunk.charge,
                        before: 0,
                        weight: 0,
                        whole: hunk.whole,
                        state,
                    };
                    // A server that died at the wrong moment leaves what it had taken over twice.
                    if !hunks
                        .of(document.file())
                        .iter()
                        .any(|other| other.is_same(&hunk))
                    {
                        hunks.add(hunk);
                    }
                }),
                Err(Gone::Undone) => {}
                Err(Gone::Changed) => lost += 1,
            }
        }
        lost
    }

    /// The state of a hunk in today's text, which was another one and has changed since.
    fn taken_up(
        &self,
        hunk: &KeptHunk,
        document: &Document,
        (before, since): (&Text, &EditSet),
        bases: &[Text],
    ) -> Result<HunkState, Gone> {
        match &hunk.state {
            // It only stands there; what it is about is elsewhere.
            KeptState::Landed(landed) if matches!(&hunk.whole, Some(whole) if *whole != Whole::Made) => {
                Ok(HunkState::Landed(Landed {
                    range: since.map_range(landed.range),
                    ..landed.clone()
                }))
            }
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
                match self.approved_before(document, document.text(), (before, edit, since)) {
                    Ok(edit) => Ok(HunkState::Pending {
                        at: edit.edits().span().ok_or(Gone::Changed)?,
                        edit: edit.into(),
                        serial: document.serial(),
                        why: why.clone(),
                    }),
                    Err(at) => {
                        let why = Waits::Trouble(PLACE_CHANGED.to_owned());
                        self.stuck(document, (before, edit), why, since.map_range(at))
                    }
                }
            }
            KeptState::Stuck {
                edit,
                why,
                base,
                at,
            } => {
                let base = bases.get(*base).ok_or(Gone::Changed)?;
                self.stuck(document, (base, edit), why.clone(), since.map_range(*at))
            }
        }
    }

    /// An edit that was approved for the text `before`, as it reads in `text`. Else where it was.
    fn approved_before(
        &self,
        document: &Document,
        text: &Text,
        (before, edit, since): (&Text, &Noted, &EditSet),
    ) -> Result<ApprovedEdit, Range> {
        let parsed = document.parsed().ok_or(Range::at(0))?;
        let view = View {
            file: document.file(),
            text,
            version: document.version(),
            parsed,
        };
        let policy = self.policy(&self.snapshot());
        take_up(&view, &policy, before, edit, since).map_err(|conflict| conflict.0)
    }

    /// A hunk that fits no text any more but the one it was made for: there to be read.
    fn stuck(
        &self,
        document: &Document,
        (base, edit): (&Text, &Noted),
        why: Waits,
        at: Range,
    ) -> Result<HunkState, Gone> {
        let nothing = EditSet::default();
        let edit = self.approved_before(document, base, (base, edit, &nothing));
        let end = document.text().len();
        Ok(HunkState::Pending {
            edit: edit.map_err(|_| Gone::Changed)?.into(),
            serial: Hunk::STUCK,
            why,
            at: Range::new(at.start.min(end), at.end.min(end)),
        })
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
        let _writing = shelf.writing();
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
    let mut bases = Vec::new();
    let kept = hunks.into_iter().map(|hunk| KeptHunk {
        run: hunk.run.clone(),
        title: hunk.title.clone(),
        symbol: hunk.symbol.clone(),
        reason: hunk.reason.clone(),
        charge: hunk.charge,
        whole: hunk.whole.clone(),
        state: written_state(document, &hunk.state, &mut bases),
    });
    Some(Kept {
        file: document.file().to_string(),
        text: document.text().to_string(),
        hunks: kept.collect(),
        bases,
    })
}

fn written_state(document: &Document, state: &HunkState, bases: &mut Vec<String>) -> KeptState {
    let (edit, serial, why, at) = match state {
        HunkState::Landed(landed) => return KeptState::Landed(landed.clone()),
        HunkState::Pending {
            edit,
            serial,
            why,
            at,
        } => (edit, *serial, why.clone(), *at),
    };
    let rebased = document.changes_since(serial).and_then(|changes| {
        let changes = changes.iter().map(AsRef::as_ref);
        let edit = edit.rebase(changes, document.text(), document.version());
        edit.ok()
    });
    if let Some(edit) = rebased {
        let edit = edit.noted();
        return KeptState::Pending { edit, why };
    }
    let base = edit.base().to_string();
    let known = bases.iter().position(|known| *known == base);
    KeptState::Stuck {
        edit: edit.noted(),
        why,
        base: known.unwrap_or_else(|| {
            bases.push(base);
            bases.len() - 1
        }),
        at,
    }
}

fn plural(count: usize) -> String {
    match count {
        1 => "1 hunk".to_owned(),
        _ => format!("{count} hunks"),
    }
}
