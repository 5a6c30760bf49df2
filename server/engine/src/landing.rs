//! How an edit gets into a text that somebody is typing in: exactly once, or not at all.
//!
//! An editor's word is no proof that it made an edit: several answer yes to edits they dropped.
//! Only a later text that contains the change is proof, so landing sends, waits for that text, and tries again on the
//! newest one.

use std::sync::Arc;

use gate::{ApprovedEdit, Landed};
use text::{Bias, Conflict, EditSet, FilePath, Range, Text, merge3};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use workspace::Document;

use crate::{Engine, Reply};

/// How often an edit is sent before it is left to the user.
const TRIES: usize = 3;

/// How an attempt to land ended.
#[derive(Debug)]
pub(crate) enum Landing {
    /// The text shows the edit; where it is in the document at change count `serial`.
    Landed { landed: Landed, serial: u64 },
    /// It is not in the text. Somebody may apply it by hand.
    NotLanded { why: String },
    /// It is not in the text, whose place for it changed before it was sent.
    Overtaken { why: String },
    /// Nobody wants it any more.
    Cancelled,
}

impl Engine {
    /// Lands an edit that was approved for the document at change count `serial`.
    pub(crate) async fn land(
        &self,
        edit: &ApprovedEdit,
        serial: u64,
        label: &str,
        cancel: &CancellationToken,
    ) -> Landing {
        let permit = tokio::select! {
            () = cancel.cancelled() => return Landing::Cancelled,
            permit = self.shared.landing.acquire() => permit,
        };
        let Ok(_permit) = permit else {
            return Landing::Cancelled;
        };
        let mut why = String::new();
        let mut tries = 0;
        let overtaken_until = Instant::now() + self.shared.timing.overtaken;
        while tries < TRIES {
            tokio::select! {
                () = cancel.cancelled() => return Landing::Cancelled,
                () = self.quiet(edit.file()) => {}
            }
            let (document, rebased) = match self.rebased(edit, serial) {
                Ok(found) => found,
                Err(landing) => return landing,
            };
            let want = match rebased.want() {
                Ok(want) => want,
                Err(error) => {
                    return Landing::NotLanded {
                        why: error.to_string(),
                    };
                }
            };
            self.with(|state| state.expected = Some((edit.file().clone(), want.clone())));
            let reply = self.shared.editor.apply(&rebased, label).await;
            let proof = self.proof(&rebased, &document, &want, &reply).await;
            self.with(|state| state.expected = None);
            if let Some((landed, serial)) = proof {
                return Landing::Landed { landed, serial };
            }
            let refused = matches!(reply, Reply::Refused(_));
            why = match reply {
                Reply::Applied => {
                    "the editor said it made the change, but its text does not show it".to_owned()
                }
                Reply::Refused(reason) if reason.is_empty() => {
                    "the editor refused the change".to_owned()
                }
                Reply::Refused(reason) => format!("the editor refused the change: {reason}"),
            };
            if cancel.is_cancelled() {
                return Landing::Cancelled;
            }
            // An editor that refuses an old version of a text says nothing about the edit: somebody who types steadily
            // would use up every try.
            let overtaken = refused && self.serial(edit.file()) != Some(document.serial());
            if !overtaken || Instant::now() > overtaken_until {
                tries += 1;
            }
        }
        Landing::NotLanded { why }
    }

    /// Waits until nobody has typed in the document for a moment, but not for ever.
    async fn quiet(&self, file: &FilePath) {
        let deadline = Instant::now() + self.shared.timing.patience;
        loop {
            let typed = self.with(|state| state.typed.get(file).copied());
            let ready = typed
                .map_or_else(Instant::now, |typed| typed + self.shared.timing.quiet)
                .min(deadline);
            if ready <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(ready).await;
        }
    }

    /// The change count of an open document.
    fn serial(&self, file: &FilePath) -> Option<u64> {
        self.snapshot().open_document(file).map(Document::serial)
    }

    /// The open document, and the edit as it reads there.
    fn rebased(
        &self,
        edit: &ApprovedEdit,
        serial: u64,
    ) -> Result<(Document, ApprovedEdit), Landing> {
        let snapshot = self.snapshot();
        let Some(document) = snapshot.open_document(edit.file()) else {
            let why = "the file was closed meanwhile".to_owned();
            return Err(Landing::NotLanded { why });
        };
        let Some(changes) = document.changes_since(serial) else {
            let why = "the file has changed too often since; run the action again".to_owned();
            return Err(Landing::Overtaken { why });
        };
        match edit.rebase(
            changes.iter().map(Arc::as_ref),
            document.text(),
            document.version(),
        ) {
            Ok(rebased) => Ok((document.clone(), rebased)),
            Err(conflict) => Err(Landing::Overtaken {
                why: changed_meanwhile(conflict),
            }),
        }
    }

    /// Waits for a text that shows the edit. A refusal is checked only against what is there already.
    async fn proof(
        &self,
        edit: &ApprovedEdit,
        before: &Document,
        want: &Text,
        reply: &Reply,
    ) -> Option<(Landed, u64)> {
        let deadline = Instant::now() + self.shared.timing.proof;
        let mut changed = self.shared.changed.subscribe();
        let mut passed = Passed {
            serial: before.serial(),
            text: before.text().clone(),
        };
        loop {
            changed.mark_unchanged();
            let document = self.snapshot().open_document(edit.file()).cloned()?;
            if document.serial() > before.serial()
                && let Some(landed) = shows(edit, want, document.text())
            {
                return Some((landed, document.serial()));
            }
            // Somebody may have taken it back at once, which is no reason to make it again.
            if let Some(landed) = passed.showed(edit, want, &document) {
                return Some((landed, passed.serial));
            }
            if matches!(reply, Reply::Refused(_))
                || timeout_at(deadline, changed.changed()).await.is_err()
            {
                return None;
            }
        }
    }
}

/// A text on the way from the one that an edit was sent for to the newest.
struct Passed {
    serial: u64,
    text: Text,
}

impl Passed {
    /// Goes on to the first text before that of `document` that shows the edit, or else to that.
    fn showed(&mut self, edit: &ApprovedEdit, want: &Text, document: &Document) -> Option<Landed> {
        for change in document.changes_since(self.serial)? {
            self.text = change.apply(&self.text).ok()?;
            self.serial += 1;
            let is_newest = self.serial == document.serial();
            if !is_newest && let Some(landed) = shows(edit, want, &self.text) {
                return Some(landed);
            }
        }
        None
    }
}

/// Why an edit cannot be made where it was to be.
pub(crate) fn changed_meanwhile(conflict: Conflict) -> String {
    format!(
        "the text there was changed meanwhile ({conflict}); apply it by hand or run the action again"
    )
}

/// Where the edit is in `text`, if `text` has it: alone, or together with what was typed meanwhile.
pub(crate) fn shows(edit: &ApprovedEdit, want: &Text, text: &Text) -> Option<Landed> {
    let span = edit.edits().span()?;
    let there = Range::new(
        edit.edits().map_offset(span.start, Bias::Before),
        edit.edits().map_offset(span.end, Bias::After),
    );
    let (old, new) = (edit.base().slice(span), want.slice(there));
    if text == want {
        return Some(Landed {
            range: there,
            old,
            new,
        });
    }
    let (base, want, text) = (edit.base().to_string(), want.to_string(), text.to_string());
    if merge3(&base, &want, &text).as_deref() != Some(&text) {
        return None;
    }
    let typed: EditSet = text::diff(&want, &text);
    let range = if there.is_empty() {
        Range::at(typed.map_offset(there.start, Bias::Before))
    } else {
        typed.map_range(there)
    };
    Some(Landed { range, old, new })
}
