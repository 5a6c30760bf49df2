use agent::Outcome;
use gate::{ApprovedEdit, NewFile, Rule};
use text::{FilePath, Range};
use tokio_util::sync::CancellationToken;

use super::files::no_file;
use crate::charge::Charge;
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
            made_file: false,
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
                made_file: piece.made_file,
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

    /// Has the editor make a file, and notes it as one hunk.
    pub(super) async fn make_file(&self, new: &NewFile) -> Outcome {
        match self.engine.make_file(new, &self.run.title).await {
            Ok(serial) => {
                let text = new.text().to_string();
                let piece = Piece {
                    file: new.file(),
                    symbol: "",
                    reason: new.reason(),
                    weight: ledger::tokens(&text).max(1),
                    made_file: true,
                };
                let landed = gate::Landed {
                    range: Range::new(0, text.len()),
                    old: String::new(),
                    new: text,
                };
                self.note(&piece, HunkState::Landed(landed), serial);
                Outcome::Landed { hunks: 1 }
            }
            Err(why) => no_file(Rule::Path, why),
        }
    }
}

/// A piece of a run's work, as it is shown.
struct Piece<'p> {
    file: &'p FilePath,
    symbol: &'p str,
    reason: &'p str,
    /// In tokens.
    weight: u64,
    made_file: bool,
}

/// How much an edit changes, in tokens of what goes and of what comes: at least one.
fn weight(edit: &ApprovedEdit) -> u64 {
    let changes = edit.edits().edits().iter().map(|change| {
        let gone = edit.base().slice(change.range);
        ledger::tokens(&gone).saturating_add(ledger::tokens(&change.insert))
    });
    changes.sum::<u64>().max(1)
}
