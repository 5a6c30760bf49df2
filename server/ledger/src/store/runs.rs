//! Runs: when they start, what they were expected to cost, how they end.

use jiff::{Timestamp, Zoned};
use rusqlite::{OptionalExtension, Transaction, named_params};
use serde::Serialize;

use super::{Failure, Ledger, LedgerError, RunCost, query, row::stored_tokens};
use crate::{Estimate, History, Money, Outcome, RunId};

/// A run that is about to start.
#[derive(Clone, Copy, Debug)]
pub struct RunStart<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The run that started it.
    pub parent: Option<&'a RunId>,
    /// The server process or window, for the session limit.
    pub session: &'a str,
    /// The root of the workspace, for the workspace limit.
    pub workspace: &'a str,
    /// The kind of action, such as `fix`.
    pub action: &'a str,
    /// The agent's name.
    pub agent: &'a str,
    /// Effort and prompt version: what else changes the cost of the kind.
    pub variant: &'a str,
    /// The file it works on, relative to the workspace.
    pub file: Option<&'a str>,
    /// The name path of the symbol it works on.
    pub symbol: Option<&'a str>,
    /// The model that it asks for and that the estimate was made for.
    pub model: &'a str,
    /// What it and every run under it may cost together: its share of its parent's budget. It holds in addition to
    /// the limits given with each reservation.
    pub budget: Option<Money>,
    /// The estimate that the user was shown.
    pub estimate: Option<&'a Estimate>,
    /// Now, in the user's zone.
    pub at: &'a Zoned,
}

/// How a run ended. Each run ends once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// It came to its own end.
    Completed,
    /// Something broke.
    Failed,
    /// The user or a parent stopped it.
    Cancelled,
    /// A limit stopped it.
    OutOfBudget,
}

impl RunEnd {
    pub(super) const ALL: [Self; 4] = [
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::OutOfBudget,
    ];

    /// The name in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::OutOfBudget => "out-of-budget",
        }
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// What it cost.
    pub cost: RunCost,
    /// What it was expected to cost, and between what.
    pub estimate: Option<(Money, Money, Money)>,
}

impl Ledger {
    /// Records that a run starts. Every reservation needs its run.
    pub fn start_run(&self, start: &RunStart<'_>) -> Result<(), LedgerError> {
        if start.budget.is_some_and(|budget| budget < Money::ZERO) {
            return Err(LedgerError::Misuse(format!(
                "the budget of run {} is negative",
                start.run
            )));
        }
        let owner = self.owner(start.at.timestamp())?;
        self.write(|transaction| insert_start(transaction, start, &owner))
    }

    /// Records that a run has ended, and learns from what it cost. A repetition changes nothing; another end for the
    /// same run is refused.
    pub fn end_run(&self, run: &RunId, end: RunEnd, at: Timestamp) -> Result<Ended, LedgerError> {
        let (ended, lesson) = self.write(|transaction| {
            let misuse = |message| Err(Failure::Refused(LedgerError::Misuse(message)));
            if !query::has_started(transaction, run)? {
                return misuse(format!("run {run} never started"));
            }
            let recorded = query::run_end(transaction, run)?;
            if let Some(recorded) = recorded.filter(|recorded| *recorded != end) {
                return misuse(format!("run {run} has already ended: {}", recorded.name()));
            }
            let lesson = query::lesson(transaction, run, end)?;
            let ended = Ended {
                cost: query::run_cost(transaction, run)?,
                estimate: lesson
                    .as_ref()
                    .map(|(outcome, expected)| (outcome.low, *expected, outcome.high)),
            };
            if recorded.is_some() {
                return Ok((ended, None));
            }
            insert_end(transaction, run, end, at)?;
            Ok((ended, lesson))
        })?;
        if let Some((outcome, _)) = lesson {
            self.learn(|history: &mut History| history.observe_run(&outcome));
        }
        Ok(ended)
    }
}

fn insert_start(
    transaction: &Transaction<'_>,
    start: &RunStart<'_>,
    owner: &str,
) -> Result<(), Failure<LedgerError>> {
    let refuse = |message: String| Err(Failure::Refused(LedgerError::Misuse(message)));
    let root = match start.parent {
        None => start.run.as_str().to_owned(),
        Some(parent) => {
            let root: Option<String> = transaction
                .prepare_cached("SELECT root FROM runs WHERE id = ?1")?
                .query_row([parent.as_str()], |row| row.get(0))
                .optional()?;
            match root {
                Some(root) => root,
                None => {
                    return refuse(format!(
                        "run {parent} never started, so it cannot start {}",
                        start.run
                    ));
                }
            }
        }
    };
    if query::has_started(transaction, start.run)? {
        return refuse(format!("run {} has already started", start.run));
    }
    let estimate = start.estimate;
    let pico =
        |amount: fn(&Estimate) -> Money| estimate.map(|estimate| amount(estimate).picodollars());
    let tokens =
        |count: fn(&Estimate) -> u64| estimate.map(|estimate| stored_tokens(count(estimate)));
    let calendar = Calendar::of(start.at);
    let mut statement = transaction.prepare_cached(
        "INSERT INTO runs (id, parent, root, session, workspace, action, agent, variant, file, symbol, model, budget,
            point, low, expected, high, input_tokens, output_tokens, turns, owner, at, zone, day, month)
         VALUES (:id, :parent, :root, :session, :workspace, :action, :agent, :variant, :file, :symbol, :model, :budget,
            :point, :low, :expected, :high, :input_tokens, :output_tokens, :turns, :owner, :at, :zone, :day, :month)",
    )?;
    statement.execute(named_params! {
        ":id": start.run.as_str(),
        ":parent": start.parent.map(RunId::as_str),
        ":root": root,
        ":session": start.session,
        ":workspace": start.workspace,
        ":action": start.action,
        ":agent": start.agent,
        ":variant": start.variant,
        ":file": start.file,
        ":symbol": start.symbol,
        ":model": start.model,
        ":budget": start.budget.map(Money::picodollars),
        ":point": pico(|estimate| estimate.point),
        ":low": pico(|estimate| estimate.low),
        ":expected": pico(|estimate| estimate.expected),
        ":high": pico(|estimate| estimate.high),
        ":input_tokens": tokens(|estimate| estimate.input_tokens),
        ":output_tokens": tokens(|estimate| estimate.output_tokens),
        ":turns": estimate.map(|estimate| estimate.turns),
        ":owner": owner,
        ":at": calendar.at,
        ":zone": calendar.zone,
        ":day": calendar.day,
        ":month": calendar.month,
    })?;
    Ok(())
}

pub(super) fn insert_end(
    transaction: &Transaction<'_>,
    run: &RunId,
    end: RunEnd,
    at: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO run_ends (run, state, at) VALUES (?1, ?2, ?3)")?
        .execute((run.as_str(), end.name(), at.as_microsecond()))?;
    Ok(())
}

/// A moment as it is stored: in UTC, and as the user's own day and month, which later changes of zone leave alone.
pub(super) struct Calendar {
    pub(super) at: i64,
    pub(super) zone: String,
    pub(super) day: String,
    pub(super) month: String,
}

impl Calendar {
    pub(super) fn of(at: &Zoned) -> Self {
        let zone = at.time_zone().iana_name();
        Self {
            at: at.timestamp().as_microsecond(),
            zone: zone.map_or_else(|| at.offset().to_string(), str::to_owned),
            day: at.date().to_string(),
            month: at.date().strftime("%Y-%m").to_string(),
        }
    }
}

/// What a stored outcome teaches, and the expected cost that was shown.
pub(super) type Lesson = (Outcome, Money);
