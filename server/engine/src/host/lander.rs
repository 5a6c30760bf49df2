use agent::Outcome;
use gate::{ApprovedEdit, NewFile, Rule};
use text::{FilePath, Range};
use tokio_util::sync::CancellationToken;
use workspace::Document;

use super::files::{Allowed, no_file};
use crate::charge::Charge;
use crate::files::Whole;
use crate::hunks::{Hunk, HunkState, Waits};
use crate::landing::Landing;
use crate::runs::RunSummary;
use crate::{Engine, Event};

/// What became of an approved edit.
pub(super) enum Landed {
    Done(Outcome),
    /// Nothing of it landed, because its place changed first.
    Overtaken {
        why: String,
    },
}

/// What lands the edits of one run.
pub(super) struct Lander {
    pub(super) engine: Engine,
    pub(super) run: RunSummary,
    pub(super) cancel: CancellationToken,
    /// The file that the run works in.
    pub(super) home: FilePath,
}

impl Lander {
    /// Lands the pieces of an approved edit one after the other; what does not land waits for the user.
    ///
    /// An edit of which nothing has landed when typing, or another run, comes in its way is given back instead.
    pub(super) async fn land_all(&self, edit: &ApprovedEdit, serial: u64) -> Landed {
        let mut landed = 0;
        let mut trouble: Option<String> = None;
        for piece in edit.hunks() {
            let landing = match &trouble {
                Some(why) => Landing::NotLanded { why: why.clone() },
                None => {
                    self.engine
                        .land(&piece, serial, &self.run.title, &self.cancel)
                        .await
                }
            };
            match landing {
                Landing::Landed {
                    landed: hunk,
                    serial,
                } => {
                    landed += 1;
                    self.record(&piece, HunkState::Landed(hunk), serial);
                }
                Landing::Overtaken { why } if landed == 0 => return Landed::Overtaken { why },
                Landing::NotLanded { why } | Landing::Overtaken { why } => {
                    self.keep_back(&piece, serial, Waits::Trouble(why.clone()));
                    trouble = Some(why);
                }
                Landing::Cancelled => return Landed::Done(Outcome::Cancelled),
            }
        }
        Landed::Done(match trouble {
            None => Outcome::Landed { hunks: landed },
            Some(why) => Outcome::Pending { why },
        })
    }

    /// Leaves an edit to the user.
    pub(super) fn keep_back(&self, edit: &ApprovedEdit, serial: u64, why: Waits) {
        let at = edit.edits().span().unwrap_or(Range::at(0));
        let state = HunkState::Pending {
            edit: edit.clone().into(),
            serial,
            why,
            at,
        };
        self.record(edit, state, serial);
    }

    fn record(&self, edit: &ApprovedEdit, state: HunkState, serial: u64) {
        let piece = Piece {
            file: edit.file(),
            symbol: edit.symbol(),
            reason: edit.reason(),
            weight: weight(edit),
            whole: None,
        };
        self.note(&piece, state, serial);
    }

    fn note(&self, piece: &Piece<'_>, state: HunkState, serial: u64) {
        let Piece { file, weight, .. } = *piece;
        self.engine.with(|all| {
            let summary = all.runs.update(&self.run.id, |run| {
                run.hunks += usize::from(matches!(state, HunkState::Landed(_)));
                run.changed += weight;
                run.clone()
            });
            let id = all.hunks.next_id();
            let mut hunk = Hunk {
                id,
                run: self.run.id.clone(),
                title: self.run.title.clone(),
                file: file.clone(),
                symbol: piece.symbol.to_owned(),
                reason: piece.reason.to_owned(),
                charge: Charge::default(),
                before: (summary.as_ref()).map_or(0, |run| run.changed.saturating_sub(weight)),
                weight,
                whole: piece.whole.clone(),
                state,
            };
            // What was typed between the proof and this moment has moved the text already.
            let snapshot = all.workspace.snapshot();
            let since = snapshot
                .open_document(file)
                .and_then(|document| document.changes_since(serial));
            for change in since.unwrap_or_default() {
                hunk.shift(change);
            }
            all.hunks.add(hunk);
            if let Some(summary) = summary {
                all.hunks.share(&summary);
            }
        });
        self.engine.show(Event::Markers(file.clone()));
    }

    /// Has the editor make, rename or delete a file, and notes that as one hunk.
    pub(super) async fn change_file(&self, change: Allowed) -> Outcome {
        let (engine, label) = (&self.engine, &self.run.title);
        let done = match &change {
            Allowed::Create(new) => match engine.make_file(new, label).await {
                Ok(serial) => {
                    self.note_made(new, serial);
                    Ok(())
                }
                Err(why) => Err(why),
            },
            Allowed::Rename(wanted) => engine.move_file(wanted, label).await.map(|()| {
                let (from, to) = (wanted.from().to_string(), wanted.to().to_string());
                self.note_whole(Whole::Renamed { from, to }, wanted.reason());
            }),
            Allowed::Delete(gone) => engine
                .delete_file(gone, label)
                .await
                .map(|whole| self.note_whole(whole, gone.reason())),
        };
        match done {
            Ok(()) => Outcome::Landed { hunks: 1 },
            Err(why) => no_file(Rule::Path, why),
        }
    }

    fn note_made(&self, new: &NewFile, serial: u64) {
        let text = new.text().to_string();
        let piece = Piece {
            file: new.file(),
            symbol: "",
            reason: new.reason(),
            weight: ledger::tokens(&text).max(1),
            whole: Some(Whole::Made),
        };
        let landed = gate::Landed {
            range: Range::new(0, text.len()),
            old: String::new(),
            new: text,
        };
        self.note(&piece, HunkState::Landed(landed), serial);
    }

    /// Notes what was done to another file where the run works: there the user looks, and that file may be gone.
    fn note_whole(&self, whole: Whole, reason: &str) {
        let snapshot = self.engine.snapshot();
        let document = snapshot.open_document(&self.home);
        let symbol = &self.run.symbol;
        let at = document.and_then(|document| {
            let facts = document.parsed()?.facts();
            Some(facts.symbol(facts.by_path(symbol)?)?.name_range.start)
        });
        let piece = Piece {
            file: &self.home,
            symbol,
            reason,
            weight: 1,
            whole: Some(whole),
        };
        let landed = gate::Landed {
            range: Range::at(at.unwrap_or(0)),
            old: String::new(),
            new: String::new(),
        };
        let serial = document.map_or(0, Document::serial);
        self.note(&piece, HunkState::Landed(landed), serial);
    }
}

/// A piece of a run's work, as it is shown.
struct Piece<'p> {
    file: &'p FilePath,
    symbol: &'p str,
    reason: &'p str,
    /// In tokens.
    weight: u64,
    whole: Option<Whole>,
}

/// How much an edit changes, in tokens of what goes and of what comes: at least one.
fn weight(edit: &ApprovedEdit) -> u64 {
    let changes = edit.edits().edits().iter().map(|change| {
        let gone = edit.base().slice(change.range);
        ledger::tokens(&gone).saturating_add(ledger::tokens(&change.insert))
    });
    changes.sum::<u64>().max(1)
}
