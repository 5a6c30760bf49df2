//! What a run may ask of the engine.

mod files;
mod lander;

use std::sync::{Arc, Mutex, PoisonError};

use agent::{
    Ask, Attempt, FileChange, Grant, Host, JournalEvent, NoBudget, Outcome, Progress, Settlement,
};
use async_trait::async_trait;
use gate::{ApprovedEdit, Proposal, Refusal, Region, Rule, Scope, Verdict, View, decide};
use ledger::{Journal, Usage};
use text::FilePath;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use workspace::{Document, Snapshot};

use self::lander::{Landed, Lander};
use crate::charge::tokens;
use crate::config::{Config, Mode};
use crate::hunks::{Hunk, Waits};
use crate::lease::{Lease, with_names};
use crate::runs::RunSummary;
use crate::state::State;
use crate::{Engine, Event};

/// The engine as one run sees it: its scope, its purse, its journal.
pub(crate) struct RunHost {
    engine: Engine,
    run: RunSummary,
    lease: Lease,
    /// The configuration that the run began with.
    config: Arc<Config>,
    cancel: CancellationToken,
    journal: Option<Mutex<Journal>>,
    /// Shown while the model works.
    doing: Mutex<String>,
}

impl RunHost {
    pub(crate) fn new(
        engine: Engine,
        run: RunSummary,
        lease: Lease,
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
            lease,
            config,
            cancel,
            journal,
            doing: Mutex::default(),
        }
    }

    /// Adds symbols and lines to the scope, the lines as they are in the newest text, unless another run has them.
    fn widen_by(&self, names: &[String]) -> Grant {
        let Some(document) = self.document() else {
            return Grant::Refused;
        };
        // One lock for the question and its answer, so that two runs cannot both get the same.
        self.engine.with(|state| {
            if let Some(busy) = self.held_elsewhere(state, names, &document) {
                return busy;
            }
            self.lease.add(names, &document);
            Grant::Given
        })
    }

    /// Which of `names` another run works on, if any.
    fn held_elsewhere(
        &self,
        state: &State,
        names: &[String],
        document: &Document,
    ) -> Option<Grant> {
        let nothing = Scope {
            file: document.file().clone(),
            targets: Vec::new(),
            imports: false,
            siblings: 0,
            regions: Vec::new(),
        };
        let wanted = with_names(nothing, names, document);
        let (run, symbol) = (state.runs).working_on(&wanted, document, &self.run.id)?;
        Some(Grant::Busy {
            symbol,
            run: run.title.clone(),
        })
    }

    /// The open document of the scope's file, parsed.
    fn document(&self) -> Option<Document> {
        let file = self.lease.file();
        let document = self.engine.snapshot().open_document(&file).cloned()?;
        document.parsed()?;
        Some(document)
    }

    /// Has the gate judge a proposal against the newest text. `allowed` says, and comes to say, whether the user has been
    /// asked about it.
    async fn judge(
        &self,
        proposal: Proposal,
        allowed: &mut bool,
    ) -> Result<(ApprovedEdit, Vec<String>, u64), Outcome> {
        let snapshot = self.engine.snapshot();
        let Some(document) = snapshot.open_document(&proposal.file).cloned() else {
            return Err(Outcome::Pending {
                why: format!("{} was closed", snapshot.display(&proposal.file)),
            });
        };
        let (scope, policy) = (
            self.lease.at(&document, None),
            self.engine.policy(&snapshot),
        );
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
                if !*allowed {
                    *allowed = tokio::select! {
                        () = self.cancel.cancelled() => return Err(Outcome::Cancelled),
                        yes = self.engine.shared.editor.ask(&question.text) => yes,
                    };
                }
                if *allowed {
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
    async fn land(&self, edit: ApprovedEdit, serial: u64) -> Landed {
        let (engine, lander) = (&self.engine, self.lander());
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
        outcome.await.unwrap_or(Landed::Done(Outcome::Cancelled))
    }

    fn lander(&self) -> Lander {
        Lander {
            engine: self.engine.clone(),
            run: self.run.clone(),
            cancel: self.cancel.clone(),
            home: self.lease.file(),
        }
    }

    /// Has the scope follow an edit of this run that has landed.
    fn take_in(&self, file: &FilePath, edit: &ApprovedEdit, added: Vec<String>, outcome: &Outcome) {
        if let Outcome::Landed { .. } = outcome {
            if let Some(document) = self.engine.snapshot().open_document(file) {
                self.lease.at(document, Some(edit.symbol()));
            }
            self.lease.change(|scope| scope.with_added(added));
        }
    }

    /// Leaves all pieces of an edit to the user.
    fn keep_back(&self, edit: &ApprovedEdit, serial: u64, why: Waits) -> Outcome {
        let lander = self.lander();
        for piece in edit.hunks() {
            lander.keep_back(&piece, serial, why.clone());
        }
        Outcome::Pending {
            why: why.to_string(),
        }
    }

    /// Keeps an edit for the user to decide on, as all edits of a run whose changes are staged.
    fn stage(&self, edit: &ApprovedEdit, serial: u64, added: usize) -> Outcome {
        let here = self.engine.hunks(edit.file());
        let mut own = here.iter().filter(|hunk| hunk.run == self.run.id);
        let touched =
            |hunk: &&Hunk| (edit.edits().edits().iter()).any(|edit| hunk.range().meets(edit.range));
        if own.any(|hunk| touched(&hunk)) {
            return Outcome::Refused(Refusal {
                rule: Rule::Overlap,
                message: "you have proposed a change of this place already, and the user has not decided on it yet; leave it, and say in the end what else should be done"
                    .to_owned(),
            });
        }
        self.lease.change(|scope| scope.with_room_used(added));
        self.keep_back(edit, serial, Waits::Staged)
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
        let message = if !self.engine.config().surfaces.progress_cost {
            doing
        } else if summary.free {
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

/// How often a proposal is judged anew because the text changed before it could land.
const JUDGED: usize = 3;

#[async_trait]
impl Host for RunHost {
    fn snapshot(&self) -> Snapshot {
        self.engine.snapshot_for_runs()
    }

    fn regions(&self, snapshot: &Snapshot) -> Vec<Region> {
        match snapshot.open_document(&self.lease.file()) {
            Some(document) => self.lease.at(document, None).regions,
            None => Vec::new(),
        }
    }

    async fn propose(&self, proposal: Proposal) -> Outcome {
        let mut allowed = false;
        let mut overtaken: Option<(ApprovedEdit, u64, String)> = None;
        for tries in 1.. {
            let judged = self.judge(proposal.clone(), &mut allowed).await;
            let (edit, added, serial) = match (judged, overtaken.take()) {
                (Ok(judged), _) => judged,
                // What was approved and no longer fits is the user's to decide on, unless it is there already, as an
                // import is that two runs add.
                (Err(Outcome::Refused(refusal)), Some((edit, serial, why)))
                    if refusal.rule != Rule::Size =>
                {
                    return self.keep_back(&edit, serial, Waits::Trouble(why));
                }
                (Err(outcome), _) => return outcome,
            };
            if self.cancel.is_cancelled() {
                return Outcome::Cancelled;
            }
            if self.config.mode == Mode::Staged {
                return self.stage(&edit, serial, added.len());
            }
            match self.land(edit.clone(), serial).await {
                Landed::Done(outcome) => {
                    self.take_in(&proposal.file, &edit, added, &outcome);
                    return outcome;
                }
                Landed::Overtaken { why } if tries == JUDGED => {
                    return self.keep_back(&edit, serial, Waits::Trouble(why));
                }
                Landed::Overtaken { why } => overtaken = Some((edit, serial, why)),
            }
        }
        Outcome::Cancelled
    }

    async fn change_file(&self, change: FileChange) -> Outcome {
        self.change_whole_file(change).await
    }

    async fn reserve(&self, ask: Ask) -> Result<Attempt, NoBudget> {
        self.engine
            .shared
            .purse
            .reserve(&self.run.id, self.run.action, &self.config, ask)
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

    async fn grant(&self, symbols: &[String], reason: &str) -> Grant {
        let busy = self.document().and_then(|document| {
            (self.engine).with(|state| self.held_elsewhere(state, symbols, &document))
        });
        if let Some(busy) = busy {
            return busy;
        }
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
            self.widen_by(symbols)
        } else {
            Grant::Refused
        }
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
