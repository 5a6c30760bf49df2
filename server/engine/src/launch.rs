//! From a picked entry to a run that has ended.

use std::sync::Arc;
use std::time::Duration;

use agent::{Action, End, Model, Models, Note, PackError, RunLimits, Task};
use gate::{Region, Scope};
use jiff::Timestamp;
use ledger::RunId;
use serde::{Deserialize, Serialize};
use text::{FilePath, Range};
use tokio_util::sync::CancellationToken;
use workspace::{Document, ReadError};

use crate::config::{self, Config};
use crate::host::RunHost;
use crate::hunks;
use crate::lease::Lease;
use crate::queue::{Place, Waiting};
use crate::repair::Repair;
use crate::review::ReviewError;
use crate::runs::RunSummary;
use crate::{Engine, Event, LastRun, Level};

/// What to launch: an action bound to a symbol. What clients hold and send back, so everything in it is checked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The action.
    pub action: Action,
    /// Name path of the target; found again in whatever the text is by then.
    pub symbol: String,
    /// What was selected inside the target, in the text that the menu was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Range>,
    /// The diagnostic, finding or comment to act on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// Diagnostics inside the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Note>,
    /// The code of the rule whose finding at the target is to be gone afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

/// Why nothing was launched. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// There is no model to ask.
    #[error("{0}")]
    NotConfigured(String),
    /// The target is gone.
    #[error("there is no `{symbol}` in {file} any more; ask for the menu again")]
    SymbolGone {
        /// The name path that was asked for.
        symbol: String,
        /// The file.
        file: FilePath,
    },
    /// The file has no grammar.
    #[error("there is no grammar for {0}; see `farthing index` for the languages there are")]
    NoGrammar(FilePath),
    /// The user has not said that the workspace can be trusted.
    #[error("no run starts in a workspace that you do not trust; grant trust in your editor first")]
    Distrusted,
    /// The workspace or the editor closes the file to runs.
    #[error("{0} is closed to runs by `[scope] deny`")]
    Denied(FilePath),
    /// There is nothing of it in the index that a model may see.
    #[error("the index has no file of {0} that a model may see")]
    NothingToReview(String),
    /// The imports are not known yet.
    #[error("the workspace is still being indexed; try again in a moment")]
    NotIndexed,
    /// Another run works there.
    #[error("“{run}” is working on `{symbol}`; wait for it or cancel it first")]
    Busy {
        /// Its action, in the words of the menu.
        run: String,
        /// What both would work on.
        symbol: String,
    },
    /// The model has no price, and money cannot be promised without one.
    #[error("{0}")]
    NoPrice(String),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the model would need does not fit.
    #[error(transparent)]
    Pack(#[from] PackError),
}

impl Launch {
    /// An action on a symbol, with nothing to add.
    pub fn new(action: Action, symbol: &str) -> Launch {
        Launch {
            action,
            symbol: symbol.to_owned(),
            selection: None,
            instruction: None,
            diagnostics: Vec::new(),
            finding: None,
        }
    }

    /// The words of the menu, without the price.
    pub fn title(&self) -> String {
        self.action.title(&self.symbol, self.instruction.as_deref())
    }

    pub(crate) fn task(&self, file: &FilePath, config: &Config) -> Task {
        Task {
            action: self.action,
            file: file.clone(),
            symbol: self.symbol.clone(),
            selection: self.selection,
            instruction: self.instruction.clone(),
            diagnostics: self.diagnostics.clone(),
            conventions: config.context.iter().cloned().collect(),
        }
    }
}

/// Everything that a run is started with.
pub(crate) struct Plan {
    pub(crate) summary: RunSummary,
    task: Task,
    pub(crate) scope: Scope,
    /// The document that the scope is in.
    pub(crate) document: Document,
    models: Models,
    limits: RunLimits,
    seconds: Duration,
}

impl Engine {
    /// Starts a run, and answers with its identity as soon as everything that can be checked at once has been. One that
    /// another run is in the way of waits for it to end.
    pub fn launch(&self, file: &FilePath, launch: Launch) -> Result<RunId, LaunchError> {
        if launch.action == Action::Review {
            return self.launch_review(file, &launch);
        }
        let provider = self.may_launch()?;
        let id = RunId::new(Timestamp::now());
        let cancel = self.shared.shutdown.child_token();
        let plan = self.plan(file, &launch, &id)?;
        let place = self.take_place(&plan, &cancel)?;
        let guard = Guard::new(self.clone(), id.clone());
        let engine = self.clone();
        match place {
            Place::Free(lease) => self.spawn(async move {
                engine.begin(&plan.summary);
                let end = engine.conduct(plan, lease, provider, cancel).await;
                guard.finish(end).await;
            }),
            Place::Taken(why) => {
                let waiting = Waiting::new(self, plan, launch, why);
                self.spawn(async move {
                    let end = match engine.turn_of(waiting, &cancel).await {
                        Ok((plan, lease)) => engine.conduct(plan, lease, provider, cancel).await,
                        Err(end) => end,
                    };
                    guard.finish(end).await;
                });
            }
        }
        Ok(id)
    }

    /// Checks all that can be checked at once.
    pub(crate) fn plan(
        &self,
        file: &FilePath,
        launch: &Launch,
        id: &RunId,
    ) -> Result<Plan, LaunchError> {
        let snapshot = self.snapshot_for_runs();
        let config = self.config();
        if config.deny.denies(snapshot.display(file)) {
            return Err(LaunchError::Denied(file.clone()));
        }
        let document = snapshot.document(file)?;
        let parsed = document
            .parsed()
            .ok_or_else(|| LaunchError::NoGrammar(file.clone()))?;
        let there = parsed.facts().by_path(&launch.symbol).is_some()
            || Region::named(&launch.symbol, document.text()).is_some();
        if !there {
            return Err(LaunchError::SymbolGone {
                symbol: launch.symbol.clone(),
                file: file.clone(),
            });
        }
        let estimate = self.estimate(&snapshot, file, launch)?;
        let task = launch.task(file, &config);
        let scope = agent::scope_in(&snapshot, &task)?;
        // Tests may go elsewhere.
        let document = (snapshot.open_document(&scope.file).cloned()).unwrap_or(document);
        let repair = (launch.finding.as_deref())
            .and_then(|code| Repair::begin(self, &snapshot, &document, code));
        let summary = RunSummary {
            repair,
            ..RunSummary::new(id.clone(), file, launch, estimate, config.is_free())
        };
        Ok(Plan {
            summary,
            task,
            scope,
            document,
            models: self.models(launch.action),
            limits: RunLimits {
                turns: config.limits.turns,
                tool_calls: config.limits.tool_calls,
                ..RunLimits::default()
            },
            seconds: Duration::from_secs(config.limits.seconds.into()),
        })
    }

    /// The model to ask, unless no run may start.
    pub(crate) fn may_launch(&self) -> Result<Arc<dyn provider::Provider>, LaunchError> {
        if let Some(problem) = &self.config().stopped {
            return Err(LaunchError::NotConfigured(format!(
                "no run may start until the configuration is mended: {problem}"
            )));
        }
        let Ok(provider) = self.shared.provider.clone() else {
            return Err(LaunchError::NotConfigured(self.how_to_configure()));
        };
        if self.with(|state| state.distrusted) {
            return Err(LaunchError::Distrusted);
        }
        Ok(provider)
    }

    /// Says that a run begins.
    pub(crate) fn begin(&self, summary: &RunSummary) {
        self.show(Event::RunBegan {
            run: summary.id.clone(),
            title: summary.title.clone(),
            message: if self.config().surfaces.progress_cost {
                format!("{} of {}", summary.charge(), summary.estimate.title())
            } else {
                String::new()
            },
        });
    }

    async fn conduct(
        &self,
        plan: Plan,
        lease: Lease,
        provider: Arc<dyn provider::Provider>,
        cancel: CancellationToken,
    ) -> End {
        let Plan {
            summary,
            task,
            scope,
            models,
            limits,
            seconds,
            ..
        } = plan;
        let work = async {
            if let Err(reason) = self.begin_in_ledger(&summary, &models).await {
                return End::OutOfBudget { reason };
            }
            let host = RunHost::new(self.clone(), summary, lease, cancel.clone());
            agent::run(
                &task,
                &scope,
                &models,
                &limits,
                &host,
                provider.as_ref(),
                cancel.clone(),
            )
            .await
        };
        within(seconds, work, &cancel).await
    }

    pub(crate) async fn begin_in_ledger(
        &self,
        summary: &RunSummary,
        models: &Models,
    ) -> Result<(), String> {
        let snapshot = self.snapshot();
        let workspace = snapshot
            .root_of(&summary.file)
            .cloned()
            .unwrap_or_else(|| summary.file.clone());
        self.shared
            .purse
            .begin_run(summary, models, &workspace, snapshot.display(&summary.file))
            .await
    }

    /// The model of ordinary actions.
    pub(crate) fn model(&self) -> Model {
        self.model_of(self.config().models.default.clone(), None)
    }

    fn model_of(&self, id: String, action: Option<Action>) -> Model {
        let config = self.config();
        Model {
            id,
            max_tokens: config.limits.output_tokens,
            effort: config.models.effort,
            patches: config.models.patches,
            creates: action.is_some_and(Action::may_create) && self.shared.editor.makes_files(),
            moves: action.is_some_and(Action::may_move) && self.shared.editor.makes_files(),
        }
    }

    /// The models of a run of `action`, as far as the user allows others than the ordinary one.
    pub(crate) fn models(&self, action: Action) -> Models {
        let config = self.config();
        let config::Models {
            default,
            small,
            small_first,
            small_when_short,
            ..
        } = &config.models;
        let ordinary = self.model_of(default.clone(), Some(action));
        let small = (small != default).then(|| self.model_of(small.clone(), Some(action)));
        match small {
            Some(small) if small_first.contains(&action) => Models {
                first: small,
                cheaper: None,
                larger: Some(ordinary),
            },
            small => Models {
                first: ordinary,
                cheaper: small.filter(|_| *small_when_short),
                larger: None,
            },
        }
    }

    /// Whether there is a model to ask.
    pub fn is_configured(&self) -> bool {
        self.shared.provider.is_ok() && self.config().stopped.is_none()
    }

    /// Stops a run. What it has landed stays until it is undone. Answers whether it was running.
    pub fn cancel(&self, run: &RunId) -> bool {
        self.with(|state| state.runs.cancel(run))
    }

    /// The runs that have not ended.
    pub fn running(&self) -> Vec<RunSummary> {
        self.with(|state| state.runs.running())
    }

    /// A run, ended or not.
    pub fn run(&self, run: &RunId) -> Option<RunSummary> {
        self.with(|state| state.runs.get(run))
    }

    /// What to do when there is no model to ask.
    pub fn how_to_configure(&self) -> String {
        match (&self.shared.provider, &self.config().stopped) {
            (_, Some(problem)) => {
                format!("no run may start until the configuration is mended: {problem}")
            }
            (Err(sentence), None) => sentence.clone(),
            (Ok(provider), None) => {
                format!(
                    "Farthing asks {} of {}; `farthing doctor` shows the whole configuration",
                    self.model().id,
                    provider.name()
                )
            }
        }
    }

    async fn finish(&self, run: &RunId, end: End) {
        let Some((summary, waits, had_begun)) = self.with(|state| {
            let had_begun = !state.runs.is_waiting(run);
            if !state.runs.end(run, end.clone()) {
                return None;
            }
            let summary = state.runs.get(run)?;
            state.hunks.share(&summary);
            Some((summary, state.hunks.waiting(run), had_begun))
        }) else {
            return;
        };
        if had_begun && let Err(error) = self.shared.purse.end_run(run, &end).await {
            self.notify(Level::Error, error);
        }
        let unrepaired = match (&end, &summary.repair) {
            (End::Completed { .. }, Some(repair)) => repair.problem(self, &summary, waits),
            _ => None,
        };
        let (level, message) = match unrepaired {
            Some(problem) => {
                let (_, failed) = self.undo_run(run).await;
                unaccepted(&summary, &problem, failed.as_ref())
            }
            None => told(&summary, waits, &end),
        };
        // Whoever waits begins with what is left of its work.
        self.shared.ended.send_modify(|count| *count += 1);
        // Before the end is told, so that whoever hears of it sees the final costs.
        self.show(Event::Markers(summary.file.clone()));
        self.show(Event::RunEnded {
            run: run.clone(),
            message,
            level,
        });
        let last = LastRun {
            title: summary.title.clone(),
            cost: summary.charge().to_string(),
            state: state_name(&end).to_owned(),
        };
        self.show_spending(Some(last)).await;
    }

    /// Tells the editor what has been spent.
    pub async fn show_spending(&self, last_run: Option<LastRun>) {
        match self
            .shared
            .purse
            .spending(self.config().budget.overall())
            .await
        {
            Ok(mut spending) => {
                spending.last_run = last_run;
                self.show(Event::Spending(spending));
            }
            Err(error) => self.notify(Level::Error, error),
        }
    }
}

/// Runs `work`, which is told to stop when its time is up.
pub(crate) async fn within(
    time: Duration,
    work: impl Future<Output = End>,
    cancel: &CancellationToken,
) -> End {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        end = &mut work => end,
        () = tokio::time::sleep(time) => {
            cancel.cancel();
            match work.await {
                End::Cancelled => End::Failed { reason: format!("it took longer than {} s, the limit of `[limits] seconds`", time.as_secs()) },
                end => end,
            }
        }
    }
}

/// How a run ended, in a word of the ledger.
pub(crate) fn state_name(end: &End) -> &'static str {
    match end {
        End::Completed { .. } => "completed",
        End::Failed { .. } => "failed",
        End::Cancelled => "cancelled",
        End::OutOfBudget { .. } => "out of budget",
    }
}

/// What is said of a repair that did not repair.
fn unaccepted(
    summary: &RunSummary,
    problem: &str,
    failed: Option<&ReviewError>,
) -> (Level, String) {
    let (title, cost) = (&summary.title, summary.spent());
    let undone = match failed {
        None => "so its changes are undone".to_owned(),
        Some(why) => format!("and its changes could not all be undone: {why}"),
    };
    let message = format!("{title}: not repaired, {cost}: {problem}, {undone}");
    (Level::Warning, message)
}

fn told(run: &RunSummary, waits: hunks::Waiting, end: &End) -> (Level, String) {
    let RunSummary {
        title,
        estimate,
        hunks,
        ..
    } = run;
    let cost = run.spent();
    let count = |n: usize| match n {
        0 => "no hunks".to_owned(),
        1 => "1 hunk".to_owned(),
        n => format!("{n} hunks"),
    };
    let hunks::Waiting { staged, stuck } = waits;
    let nothing = *hunks == 0 && staged == 0 && stuck == 0;
    let made = if staged > 0 {
        format!("{} proposed", count(staged))
    } else {
        count(*hunks)
    };
    let hunks = match (*hunks + staged, stuck) {
        (_, 0) => made,
        (0, stuck) => format!("{} to apply by hand", count(stuck)),
        (_, stuck) => format!("{made}, {stuck} more to apply by hand"),
    };
    if run.action == Action::Review {
        return (review_level(end), told_of_review(title, &cost, end));
    }
    match end {
        End::Completed { summary, .. } if nothing => (
            Level::Info,
            format!("{title}: nothing changed, {cost}. {summary}"),
        ),
        End::Completed { .. } => (
            Level::Log,
            format!("{title}: {hunks}, {cost} ({})", estimate.title()),
        ),
        End::Failed { reason } => (Level::Error, format!("{title} failed, {cost}: {reason}")),
        End::Cancelled => (
            Level::Log,
            format!("{title}: cancelled after {hunks}, {cost}"),
        ),
        End::OutOfBudget { reason } => (
            Level::Warning,
            format!("{title} stopped after {hunks}, {cost}: {reason}"),
        ),
    }
}

fn review_level(end: &End) -> Level {
    match end {
        End::Completed { .. } => Level::Info,
        End::Failed { .. } => Level::Error,
        End::Cancelled => Level::Log,
        End::OutOfBudget { .. } => Level::Warning,
    }
}

/// What is said at the end of a review, which changes nothing.
fn told_of_review(title: &str, cost: &str, end: &End) -> String {
    match end {
        End::Completed { summary, .. } => format!("{title}: {summary}, {cost}"),
        End::Failed { reason } => format!("{title} failed, {cost}: {reason}"),
        End::Cancelled => format!("{title}: cancelled, {cost}"),
        End::OutOfBudget { reason } => format!("{title} stopped, {cost}: {reason}"),
    }
}

/// Sees to it that a run ends, whatever happens to its task.
pub(crate) struct Guard {
    engine: Engine,
    run: RunId,
    armed: bool,
}

impl Guard {
    pub(crate) fn new(engine: Engine, run: RunId) -> Guard {
        Guard {
            engine,
            run,
            armed: true,
        }
    }

    pub(crate) async fn finish(mut self, end: End) {
        self.engine.finish(&self.run, end).await;
        self.armed = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.armed {
            let (engine, run) = (self.engine.clone(), self.run.clone());
            self.engine.spawn(async move {
                let reason =
                    "an internal error; the log has the details, please report it".to_owned();
                engine.finish(&run, End::Failed { reason }).await;
            });
        }
    }
}
