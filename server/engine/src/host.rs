//! What a run may ask of the engine.

use std::sync::{Arc, Mutex, PoisonError};

use agent::{Ask, Attempt, Host, JournalEvent, Model, NoBudget, Outcome, Progress, Settlement};
use async_trait::async_trait;
use gate::{ApprovedEdit, Proposal, Refusal, Region, Rule, Scope, Verdict, View, decide};
use ledger::{Journal, Usage};
use text::Range;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use workspace::{Document, Snapshot};

use crate::charge::{Charge, tokens};
use crate::config::Config;
use crate::hunks::{Hunk, HunkState};
use crate::landing::Landing;
use crate::runs::RunSummary;
use crate::{Engine, Event};

/// The engine as one run sees it: its scope, its purse, its journal.
pub(crate) struct RunHost {
    engine: Engine,
    run: RunSummary,
    scope: Mutex<Held>,
    model: Model,
    /// The configuration that the run began with.
    config: Arc<Config>,
    cancel: CancellationToken,
    journal: Option<Mutex<Journal>>,
    /// Shown while the model works.
    doing: Mutex<String>,
}

/// A scope, and the text of its file that its regions are for.
struct Held {
    scope: Scope,
    serial: u64,
}

impl Held {
    /// The scope for a later text of the file. A document that has forgotten what was typed since leaves no region.
    fn at(&mut self, document: &Document, own: Option<&str>) -> Scope {
        if !self.scope.regions.is_empty() && document.file() == &self.scope.file {
            let after = document.text().len();
            match document.changes_since(self.serial) {
                Some(changes) => {
                    for change in changes {
                        self.scope = self.scope.moved(change, after, own);
                    }
                    self.serial = document.serial();
                }
                None if document.serial() < self.serial => {}
                None => self.scope.regions.clear(),
            }
        }
        self.scope.clone()
    }
}

impl RunHost {
    pub(crate) fn new(
        engine: Engine,
        run: RunSummary,
        (scope, serial): (Scope, u64),
        model: Model,
        cancel: CancellationToken,
    ) -> RunHost {
        let folder = &engine.shared.journals;
        let journal = Journal::create(folder, &run.id)
            .inspect_err(|error| tracing::warn!(%error, folder = %folder.display(), "this run has no journal"))
            .ok()
            .map(Mutex::new);
        let config = engine.config();
        RunHost {
            engine,
            run,
            scope: Mutex::new(Held { scope, serial }),
            model,
            config,
            cancel,
            journal,
            doing: Mutex::default(),
        }
    }

    /// The scope as it is in `document`. With `own`, what led there is this run's change of what has that name.
    fn scope(&self, document: &Document, own: Option<&str>) -> Scope {
        let mut held = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        held.at(document, own)
    }

    fn widen(&self, widen: impl FnOnce(Scope) -> Scope) {
        let mut held = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        held.scope = widen(held.scope.clone());
    }

    /// Adds symbols and lines to the scope, the lines as they are in the newest text.
    fn widen_by(&self, names: &[String]) {
        let snapshot = self.engine.snapshot();
        let mut held = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(document) = snapshot.open_document(&held.scope.file) else {
            return;
        };
        let mut scope = held.at(document, None);
        for name in names {
            if !Region::is_name(name) {
                scope = scope.granted(name);
            } else if let Some(region) = Region::named(name, document.text()) {
                scope = scope.granted_region(region);
            }
        }
        *held = Held {
            scope,
            serial: document.serial(),
        };
    }

    async fn judge(&self, proposal: Proposal) -> Result<(ApprovedEdit, Vec<String>, u64), Outcome> {
        let snapshot = self.engine.snapshot();
        let Some(document) = snapshot.open_document(&proposal.file).cloned() else {
            return Err(Outcome::Pending {
                why: format!("{} was closed", snapshot.display(&proposal.file)),
            });
        };
        let (scope, policy) = (self.scope(&document, None), self.engine.policy(&snapshot));
        let serial = document.serial();
        let judged = tokio::task::spawn_blocking(move || {
            let parsed = document.parsed()?;
            let view = View {
                file: document.file(),
                text: document.text(),
                version: document.version(),
                parsed,
            };
            Some(decide(&view, &scope, &policy, &proposal))
        });
        match judged.await {
            Ok(Some(Verdict::Approved { edit, added })) => Ok((edit, added, serial)),
            Ok(Some(Verdict::NeedsApproval(question))) => {
                let yes = tokio::select! {
                    () = self.cancel.cancelled() => return Err(Outcome::Cancelled),
                    yes = self.engine.shared.editor.ask(&question.text) => yes,
                };
                if yes {
                    let (edit, added) = question.approve();
                    return Ok((edit, added, serial));
                }
                let message = "the user did not allow this change".to_owned();
                Err(Outcome::Refused(Refusal {
                    rule: Rule::Protected,
                    message,
                }))
            }
            Ok(Some(Verdict::Refused(refusal))) => Err(Outcome::Refused(refusal)),
            Ok(None) | Err(_) => {
                let message =
                    "the file cannot be parsed, so that nothing in it can be addressed".to_owned();
                Err(Outcome::Refused(Refusal {
                    rule: Rule::Parse,
                    message,
                }))
            }
        }
    }

    /// Lands an approved edit in a task of its own: an edit in the editor's hands cannot be called back, so what becomes
    /// of it must be noted even if the run is cancelled meanwhile.
    async fn land(&self, edit: ApprovedEdit, serial: u64) -> Outcome {
        let RunHost {
            engine,
            run,
            cancel,
            ..
        } = self;
        let lander = Lander {
            engine: engine.clone(),
            run: run.clone(),
            cancel: cancel.clone(),
        };
        let (told, outcome) = oneshot::channel();
        let shutdown = engine.shared.shutdown.clone();
        engine.spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                outcome = lander.land_all(&edit, serial) => {
                    // A run that was cancelled does not listen.
                    let _unheard = told.send(outcome);
                }
            }
        });
        outcome.await.unwrap_or(Outcome::Cancelled)
    }

    fn show_progress(&self) {
        let Some(summary) = self.engine.run(&self.run.id) else {
            return;
        };
        let doing = self
            .doing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let message = if summary.free {
            format!(
                "{doing} · {} of {}",
                summary.spent(),
                summary.estimate.title()
            )
        } else {
            format!(
                "{doing} · {} of {} · {}",
                summary.cost,
                summary.estimate.title(),
                tokens(summary.tokens)
            )
        };
        self.engine.show(Event::RunProgress {
            run: self.run.id.clone(),
            message,
        });
    }
}

/// What lands the edits of one run.
struct Lander {
    engine: Engine,
    run: RunSummary,
    cancel: CancellationToken,
}

impl Lander {
    /// Lands the pieces of an approved edit one after the other; what does not land waits for the user.
    async fn land_all(&self, edit: &ApprovedEdit, serial: u64) -> Outcome {
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
                Landing::NotLanded { why } => {
                    let at = piece.edits().span().unwrap_or(Range::at(0));
                    let state = HunkState::Pending {
                        edit: piece.clone().into(),
                        serial,
                        why: why.clone(),
                        at,
                    };
                    self.record(&piece, state, serial);
                    trouble = Some(why);
                }
                Landing::Cancelled => return Outcome::Cancelled,
            }
        }
        match trouble {
            None => Outcome::Landed { hunks: landed },
            Some(why) => Outcome::Pending { why },
        }
    }

    fn record(&self, edit: &ApprovedEdit, state: HunkState, serial: u64) {
        self.engine.with(|all| {
            let weight = weight(edit);
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
                file: edit.file().clone(),
                symbol: edit.symbol().to_owned(),
                reason: edit.reason().to_owned(),
                charge: Charge::default(),
                before: (summary.as_ref()).map_or(0, |run| run.changed.saturating_sub(weight)),
                weight,
                state,
            };
            // What was typed between the proof and this moment has moved the text already.
            let snapshot = all.workspace.snapshot();
            let since = snapshot
                .open_document(edit.file())
                .and_then(|document| document.changes_since(serial));
            for change in since.unwrap_or_default() {
                hunk.shift(change);
            }
            all.hunks.add(hunk);
            if let Some(summary) = summary {
                all.hunks.share(&summary);
            }
        });
        self.engine.show(Event::Markers(edit.file().clone()));
    }
}

#[async_trait]
impl Host for RunHost {
    fn snapshot(&self) -> Snapshot {
        self.engine.snapshot_for_runs()
    }

    fn regions(&self, snapshot: &Snapshot) -> Vec<Region> {
        let mut held = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        match snapshot.open_document(&held.scope.file) {
            Some(document) => held.at(document, None).regions,
            None => Vec::new(),
        }
    }

    async fn propose(&self, proposal: Proposal) -> Outcome {
        let file = proposal.file.clone();
        let (edit, added, serial) = match self.judge(proposal).await {
            Ok(judged) => judged,
            Err(outcome) => return outcome,
        };
        if self.cancel.is_cancelled() {
            return Outcome::Cancelled;
        }
        let address = edit.symbol().to_owned();
        let outcome = self.land(edit, serial).await;
        if let Outcome::Landed { .. } = outcome {
            let snapshot = self.engine.snapshot();
            if let Some(document) = snapshot.open_document(&file) {
                self.scope(document, Some(&address));
            }
            self.widen(|scope| scope.with_added(added));
        }
        outcome
    }

    async fn reserve(&self, ask: Ask) -> Result<Attempt, NoBudget> {
        self.engine
            .shared
            .purse
            .reserve(&self.run.id, &self.model, &self.config, ask)
            .await
    }

    async fn settle(&self, attempt: Attempt, how: Settlement) {
        let settled = self.engine.shared.purse.settle(attempt, how).await;
        match settled {
            Ok(settled) => {
                self.engine.with(|state| {
                    let summary = state.runs.update(&self.run.id, |run| {
                        run.cost = run.cost.saturating_add(settled.cost);
                        run.tokens += settled.tokens;
                        run.clone()
                    });
                    if let Some(summary) = summary {
                        state.hunks.share(&summary);
                    }
                });
            }
            Err(error) => self.engine.notify(crate::Level::Error, error),
        }
        self.show_progress();
        self.engine.show_spending(None).await;
    }

    fn abandon(&self, attempt: Attempt, known: Option<Usage>) {
        self.engine.shared.purse.abandon(attempt, known);
    }

    async fn grant(&self, symbols: &[String], reason: &str) -> bool {
        let names: Vec<String> = symbols.iter().map(|symbol| format!("`{symbol}`")).collect();
        let question = format!(
            "“{}” asks to change {} too: {reason}",
            self.run.title,
            names.join(", ")
        );
        let yes = tokio::select! {
            () = self.cancel.cancelled() => false,
            yes = self.engine.shared.editor.ask(&question) => yes,
        };
        if yes {
            self.widen_by(symbols);
        }
        yes
    }

    fn report(&self, progress: Progress) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = progress.to_string();
        self.show_progress();
    }

    fn journal(&self, event: JournalEvent) {
        if let Some(journal) = &self.journal
            && let Err(error) = journal
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(jiff::Timestamp::now(), &event)
        {
            tracing::warn!(%error, "an event is missing from the journal");
        }
    }
}

/// How much an edit changes, in tokens of what goes and of what comes: at least one.
fn weight(edit: &ApprovedEdit) -> u64 {
    let changes = edit.edits().edits().iter().map(|change| {
        let gone = edit.base().slice(change.range);
        ledger::tokens(&gone).saturating_add(ledger::tokens(&change.insert))
    });
    changes.sum::<u64>().max(1)
}
