//! The money of one server: prices, the ledger behind a blocking task, and what is shown of both.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agent::{Action, Ask, Attempt, End, Model, Models, NoBudget, Settlement, Sizes};
use jiff::Zoned;
use ledger::{
    Basis, By, Cache, Estimate, Ledger, Limits, Money, PriceRow, Prices, ReportRow, Reserve,
    ReserveError, RunEnd, RunId, RunStart, Unbilled, Usage, Window,
};
use text::FilePath;

use crate::charge::tokens;
use crate::config::Config;
use crate::runs::RunSummary;
use crate::{LaunchError, Spending};

/// A provider keeps a prefix for five minutes; a little less is safe to count on.
const CACHE_LIFE: Duration = Duration::from_mins(4);

/// What a run may not answer with fewer tokens than.
const FEWEST_OUTPUT_TOKENS: u32 = 1024;

/// Prices, ledger and limits. Without a sound ledger nothing can be spent, and everything else goes on.
pub struct Purse {
    ledger: Result<Arc<Ledger>, String>,
    prices: Result<Prices, String>,
    /// Whether nobody bills what the models do.
    free: bool,
    /// This process, for the limit of a session.
    session: String,
    /// Requests under way, by attempt: the price they were reserved at.
    open: Mutex<HashMap<Attempt, Open>>,
    /// When a request last put a shared prefix into the provider's cache.
    warmed: Mutex<HashMap<Prefix, Instant>>,
}

/// A request under way.
struct Open {
    /// The price that it was reserved at.
    row: PriceRow,
    /// What the provider's cache has now.
    prefix: Prefix,
}

/// What a provider caches: the model, and whether the request was one of a review, whose prefix is its own.
type Prefix = (String, bool);

/// What an attempt came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    pub(crate) cost: Money,
    pub(crate) tokens: u64,
}

impl Purse {
    /// Opens the ledger and reads the prices; what fails is told when somebody wants to spend.
    ///
    /// Reservations that a crashed server left behind are booked.
    pub fn open(ledger: &Path, price_overrides: Option<&Path>) -> Purse {
        let opened = Ledger::open(ledger).map_err(|error| error.to_string());
        if let Ok(ledger) = &opened {
            match ledger.recover(jiff::Timestamp::now()) {
                Ok(recovered) if recovered.is_empty() => {}
                Ok(recovered) => tracing::warn!(
                    count = recovered.len(),
                    "requests of a server that died are booked at their reservation"
                ),
                Err(error) => {
                    tracing::error!(%error, "cannot look for requests of a server that died");
                }
            }
        }
        Purse::new(opened.map(Arc::new), prices(price_overrides))
    }

    /// A purse whose ledger is forgotten with the process.
    pub fn in_memory() -> Purse {
        let ledger = Ledger::in_memory()
            .map(Arc::new)
            .map_err(|error| error.to_string());
        Purse::new(ledger, Ok(Prices::shipped()))
    }

    fn new(ledger: Result<Arc<Ledger>, String>, prices: Result<Prices, String>) -> Purse {
        let session = RunId::new(jiff::Timestamp::now()).to_string();
        Purse {
            ledger,
            prices,
            free: false,
            session,
            open: Mutex::default(),
            warmed: Mutex::default(),
        }
    }

    /// This purse for a provider whose models cost nothing, if `free` says so: tokens are counted and no money.
    #[must_use]
    pub fn free(self, free: bool) -> Purse {
        Purse { free, ..self }
    }

    /// The ledger, or why there is none.
    pub fn ledger(&self) -> Result<&Arc<Ledger>, String> {
        self.ledger.as_ref().map_err(Clone::clone)
    }

    /// The price table, or why there is none.
    pub fn prices(&self) -> Result<&Prices, String> {
        self.prices.as_ref().map_err(Clone::clone)
    }

    fn price(&self, model: &str) -> Result<PriceRow, String> {
        if self.free {
            return Ok(PriceRow::local(model));
        }
        let prices = self.prices.as_ref().map_err(Clone::clone)?;
        let now = jiff::Timestamp::now();
        prices.lookup(model, now).cloned().ok_or_else(|| {
            format!(
                "no price is known for the model {model}, so no budget could hold; add one to the file that `[prices] file` names, \
                 or choose one of: {}",
                prices.models(now).join(", ")
            )
        })
    }

    /// What an action will probably cost. Microseconds; neither disk nor network.
    ///
    /// Where a larger model may have to begin anew, one run in ten is taken to cost both until there is history.
    pub(crate) fn estimate(
        &self,
        action: Action,
        models: &Models,
        sizes: Sizes,
        turns: u32,
    ) -> Result<Estimate, LaunchError> {
        let of = |model: &Model| self.estimate_for(action, model, &variant(models), sizes, turns);
        let mut first = of(&models.first)?;
        if let Some(larger) = &models.larger
            && !matches!(first.basis, Basis::History(_))
        {
            first.high = first.high.saturating_add(of(larger)?.expected);
        }
        Ok(first)
    }

    fn estimate_for(
        &self,
        action: Action,
        model: &Model,
        variant: &str,
        sizes: Sizes,
        turns: u32,
    ) -> Result<Estimate, LaunchError> {
        let price = self.price(&model.id).map_err(LaunchError::NoPrice)?;
        let history = self
            .ledger
            .as_ref()
            .map(|ledger| ledger.history())
            .unwrap_or_default();
        let warm = self
            .warmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&(model.id.clone(), action == Action::Review))
            .is_some_and(|at| at.elapsed() < CACHE_LIFE);
        let task = ledger::Task {
            kind: action.id(),
            variant,
            prefix_tokens: sizes.prefix_tokens,
            pack_tokens: sizes.pack_tokens,
            target_tokens: sizes.target_tokens,
            max_turns: turns,
            cache: if warm { Cache::Warm } else { Cache::Cold },
        };
        Ok(ledger::estimate(&task, &price, &history))
    }

    /// The tokens that the model would count in `text`, about.
    pub(crate) fn tokens(&self, text: &str, model: &str) -> u64 {
        let count = ledger::tokens(text);
        match (self.price(model), &self.ledger) {
            (Ok(price), Ok(ledger)) => ledger.history().scale(price.tokenizer(), count),
            (Ok(price), Err(_)) => price.tokenizer().scale(count),
            (Err(_), _) => count,
        }
    }

    /// Writes down that a run starts. An error is a sentence for the user: without a ledger nothing can be spent.
    pub(crate) async fn begin_run(
        &self,
        run: &RunSummary,
        models: &Models,
        workspace: &FilePath,
        file: &str,
    ) -> Result<(), String> {
        let (run, models, workspace, file) = (
            run.clone(),
            models.clone(),
            workspace.to_string(),
            file.to_owned(),
        );
        let session = self.session.clone();
        self.with_ledger(move |ledger| {
            ledger.start_run(&RunStart {
                run: &run.id,
                parent: None,
                session: &session,
                workspace: &workspace,
                action: run.action.id(),
                agent: run.action.id(),
                variant: &variant(&models),
                file: Some(&file),
                symbol: Some(&run.symbol),
                model: &models.first.id,
                budget: None,
                estimate: Some(&run.estimate),
                at: &Zoned::now(),
            })
        })
        .await
    }

    /// Writes down how a run ended.
    pub(crate) async fn end_run(&self, run: &RunId, end: &End) -> Result<(), String> {
        let (run, end) = (run.clone(), run_end(end));
        self.with_ledger(move |ledger| {
            ledger
                .end_run(&run, end, jiff::Timestamp::now())
                .map(|_| ())
        })
        .await
    }

    /// Holds the worst case of one attempt, or says which limit forbids it and what would fit.
    pub(crate) async fn reserve(
        &self,
        run: &RunId,
        action: Action,
        config: &Config,
        ask: Ask,
    ) -> Result<Attempt, NoBudget> {
        let budget = config.budget.of(&ask.model);
        let refuse = |message: String| NoBudget {
            message,
            can_afford_max_tokens: None,
        };
        let price = self.price(&ask.model).map_err(refuse)?;
        let amount = price.worst(ask.input_upper, u64::from(ask.max_tokens));
        let now = Zoned::now();
        let attempt = Attempt::new(now.timestamp());
        let ledger = self
            .ledger
            .as_ref()
            .map_err(|error| refuse(error.clone()))?
            .clone();
        let (run, row, asked) = (run.clone(), price.clone(), ask.clone());
        let reserved = tokio::task::spawn_blocking(move || {
            let reserve = Reserve {
                attempt,
                run: &run,
                turn: asked.turn,
                model: &asked.model,
                price: &row,
                amount,
                predicted_input: Some(asked.input_tokens),
                limits: &budget,
                at: &now,
            };
            ledger.reserve(&reserve).map(|_| ())
        });
        match reserved.await {
            Ok(Ok(())) => {
                self.open
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(
                        attempt,
                        Open {
                            row: price,
                            prefix: (ask.model, action == Action::Review),
                        },
                    );
                Ok(attempt)
            }
            Ok(Err(error)) => Err(NoBudget {
                can_afford_max_tokens: affordable(&error, &price, &ask),
                message: match &error {
                    ReserveError::OverLimit(over) => config.explain(over),
                    other => other.to_string(),
                },
            }),
            Err(_) => Err(refuse("the ledger failed; nothing was sent".to_owned())),
        }
    }

    /// Replaces a reservation by what the attempt did cost.
    pub(crate) async fn settle(
        &self,
        attempt: Attempt,
        how: Settlement,
    ) -> Result<Settled, String> {
        let Some(price) = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&attempt)
        else {
            return Ok(Settled {
                cost: Money::ZERO,
                tokens: 0,
            });
        };
        // The prompt was read, whatever became of the answer.
        if !matches!(how, Settlement::Unbilled) {
            self.warmed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(price.prefix, Instant::now());
        }
        let price = price.row;
        let served = match &how {
            Settlement::Used { model, .. } => self.price(model).unwrap_or_else(|_| price.clone()),
            Settlement::Unknown { .. } | Settlement::Unbilled => price,
        };
        self.with_ledger(move |ledger| book(ledger, attempt, &served, how))
            .await
    }

    /// Books an attempt that nobody waits for any more at its reservation.
    pub(crate) fn abandon(&self, attempt: Attempt, known: Option<Usage>) {
        let Some(price) = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&attempt)
        else {
            return;
        };
        if let Ok(ledger) = &self.ledger
            && let Err(error) = book(ledger, attempt, &price.row, Settlement::Unknown { known })
        {
            tracing::error!(%error, "an abandoned request stays reserved until the next start");
        }
    }

    /// What was spent today and this month, reservations included.
    pub(crate) async fn spending(&self, budget: Limits) -> Result<Spending, String> {
        let free = self.free;
        self.with_ledger(move |ledger| {
            let now = Zoned::now();
            let totals = ledger.totals(&now)?;
            let (today, month) = ledger.unbilled(&now)?;
            Ok(Spending {
                today: shown(totals.today.total(), today, free),
                month: shown(totals.month.total(), month, free),
                today_picodollars: totals.today.total().picodollars(),
                limit_day: budget.day.map(|limit| limit.to_string()),
                limit_month: budget.month.map(|limit| limit.to_string()),
                exhausted: budget
                    .day
                    .is_some_and(|limit| totals.today.total() >= limit)
                    || budget
                        .month
                        .is_some_and(|limit| totals.month.total() >= limit),
                last_run: None,
            })
        })
        .await
    }

    /// What was spent on a symbol so far, and how much of the day's limits is left, as Markdown. Reads the ledger, so it
    /// must not be called where waiting for the disk matters.
    pub(crate) fn money_at(
        &self,
        workspace: &str,
        file: &str,
        symbol: &str,
        limits: &Limits,
        model: &str,
    ) -> Result<String, String> {
        let ledger = self.ledger.as_ref().map_err(Clone::clone)?;
        if self.free {
            let done = ledger.unbilled_on(workspace, file, symbol);
            let done = done.map_err(|error| error.to_string())?;
            return Ok(if done.is_nothing() {
                "Nobody bills this model; prices are in tokens.".to_owned()
            } else {
                format!("Spent here so far: {done} · nobody bills this model")
            });
        }
        let told = || -> Result<String, ledger::LedgerError> {
            let here = ledger.spent_on(workspace, file, Some(symbol))?.total();
            let now = Zoned::now();
            let left = [
                (limits.day, Window::Day(now.date())),
                (limits.month, Window::Month(now.date())),
                (limits.model_day, Window::ModelDay(model, now.date())),
                (limits.model_month, Window::ModelMonth(model, now.date())),
                (limits.session, Window::Session(&self.session)),
                (limits.workspace, Window::Workspace(workspace)),
            ];
            let mut least: Option<Money> = None;
            for (limit, window) in left {
                if let Some(limit) = limit {
                    let spent = ledger.spent(window)?.total();
                    let left = limit.saturating_sub(spent).max(Money::ZERO);
                    least = Some(least.map_or(left, |least| least.min(left)));
                }
            }
            let here = if here.is_zero() {
                "Nothing spent here so far".to_owned()
            } else {
                format!("Spent here so far: {here}")
            };
            Ok(match least {
                Some(left) => format!("{here} · {left} left today"),
                None => here,
            })
        };
        told().map_err(|error| error.to_string())
    }

    /// What was spent, as a page of Markdown.
    pub async fn report(&self) -> String {
        let free = self.free;
        let report = self
            .with_ledger(move |ledger| {
                let now = Zoned::now();
                let totals = ledger.totals(&now)?;
                let (today, month) = ledger.unbilled(&now)?;
                let mut text = format!(
                    "# What was spent\n\nToday {}, this month {}.\n",
                    shown(totals.today.total(), today, free),
                    shown(totals.month.total(), month, free)
                );
                for (by, title) in [
                    (By::Action, "action"),
                    (By::Symbol, "symbol"),
                    (By::Model, "model"),
                    (By::Day, "day"),
                ] {
                    let _ = write!(
                        text,
                        "\n| {title} | runs | estimated | cost |\n|:--|--:|--:|--:|\n"
                    );
                    for row in ledger.report(by, None, None)? {
                        let ReportRow {
                            key,
                            runs,
                            estimated_expected,
                            cost,
                            unbilled,
                            unbilled_expected,
                            ..
                        } = row;
                        let unbilled_only = cost.is_zero() && !unbilled.is_nothing();
                        let (expected, cost) = if unbilled_only {
                            (tokens(unbilled_expected), unbilled.to_string())
                        } else {
                            (estimated_expected.to_string(), cost.to_string())
                        };
                        let _ = writeln!(
                            text,
                            "| {} | {runs} | {expected} | {cost} |",
                            key.replace('|', "\\|")
                        );
                    }
                }
                Ok(text)
            })
            .await;
        report.unwrap_or_else(|error| error)
    }

    /// What was spent, in a sentence.
    pub async fn summary(&self) -> String {
        match self.spending(Limits::default()).await {
            Ok(Spending { today, month, .. }) => {
                format!("Farthing: {today} today, {month} this month; `farthing cost` shows more")
            }
            Err(error) => error,
        }
    }

    async fn with_ledger<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Ledger) -> Result<T, ledger::LedgerError> + Send + 'static,
    ) -> Result<T, String> {
        let ledger = self.ledger.as_ref().map_err(Clone::clone)?.clone();
        match tokio::task::spawn_blocking(move || work(&ledger)).await {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(_) => Err("the ledger failed; see the log".to_owned()),
        }
    }
}

/// What was spent, for people: money, or tokens where nobody bills them.
fn shown(cost: Money, unbilled: Unbilled, free: bool) -> String {
    if cost.is_zero() && (free || !unbilled.is_nothing()) {
        tokens(unbilled.tokens)
    } else {
        cost.to_string()
    }
}

fn book(
    ledger: &Ledger,
    attempt: Attempt,
    price: &PriceRow,
    how: Settlement,
) -> Result<Settled, ledger::LedgerError> {
    let at = jiff::Timestamp::now();
    match how {
        Settlement::Used {
            usage,
            model,
            request_id,
        } => {
            let settled = ledger.settle(
                attempt,
                &ledger::Settlement {
                    usage,
                    cost: price.cost(&usage),
                    model: Some(&model),
                    price: Some(price.id()),
                    request_id: request_id.as_deref(),
                    at,
                },
            )?;
            Ok(Settled {
                cost: settled.cost,
                tokens: usage.total(),
            })
        }
        Settlement::Unknown { known } => {
            let cost = ledger.book_unknown(attempt, "the answer broke off", known, at)?;
            Ok(Settled {
                cost,
                tokens: known.map_or(0, |usage| usage.total()),
            })
        }
        Settlement::Unbilled => {
            ledger.release(attempt, "not billed", at)?;
            Ok(Settled {
                cost: Money::ZERO,
                tokens: 0,
            })
        }
    }
}

/// What else changes the cost of a kind of action: the effort, and the version of the prompts.
fn variant(models: &Models) -> String {
    let effort = models.first.effort.map_or_else(
        || "default".to_owned(),
        |effort| format!("{effort:?}").to_lowercase(),
    );
    let variant = format!("{effort}/{}", agent::PROMPT_VERSION);
    match &models.larger {
        Some(larger) => format!("{variant} then {}", larger.id),
        None => variant,
    }
}

fn prices(overrides: Option<&Path>) -> Result<Prices, String> {
    let shipped = Prices::shipped();
    let Some(path) = overrides else {
        return Ok(shipped);
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the prices in {}: {error}", path.display()))?;
    shipped
        .with_overrides(&text)
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// The largest answer whose worst case still fits what is left.
fn affordable(error: &ReserveError, price: &PriceRow, ask: &Ask) -> Option<u32> {
    let ReserveError::OverLimit(over) = error else {
        return None;
    };
    let fits = |max_tokens: u32| price.worst(ask.input_upper, u64::from(max_tokens)) <= over.left();
    if !fits(FEWEST_OUTPUT_TOKENS) {
        return None;
    }
    // The cost grows with the answer, so the edge can be searched for by halves.
    let (mut low, mut high) = (FEWEST_OUTPUT_TOKENS, ask.max_tokens);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Some(low)
}

fn run_end(end: &End) -> RunEnd {
    match end {
        End::Completed { .. } => RunEnd::Completed,
        End::Failed { .. } => RunEnd::Failed,
        End::Cancelled => RunEnd::Cancelled,
        End::OutOfBudget { .. } => RunEnd::OutOfBudget,
    }
}
