//! Questions about what was spent.

use std::collections::HashMap;

use jiff::{Timestamp, Zoned, civil::Date};
use rusqlite::{Connection, OptionalExtension, Params, Row, named_params};
use serde::Serialize;

use super::{
    Ledger, LedgerError, RunEnd, open,
    row::{self, sum_columns, wide_sum},
    runs::Lesson,
};
use crate::{History, Money, Outcome, RunId, Tokenizer, Usage, history::NEWEST, prices::undated};

/// What counts against a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// The cost of ended attempts, known or booked.
    pub settled: Money,
    /// What is held for attempts in flight.
    pub reserved: Money,
}

impl Spent {
    /// Both together.
    pub fn total(&self) -> Money {
        self.settled.saturating_add(self.reserved)
    }
}

/// Which attempts to add up.
#[derive(Clone, Copy, Debug)]
pub enum Window<'a> {
    /// Every attempt there is.
    All,
    /// A run and every run under it.
    Run(&'a RunId),
    /// A server process.
    Session(&'a str),
    /// A workspace, ever.
    Workspace(&'a str),
    /// A day of the user's calendar.
    Day(Date),
    /// The month in which the day lies.
    Month(Date),
    /// A model on a day, with or without a date in its name.
    ModelDay(&'a str, Date),
    /// A model in the month in which the day lies.
    ModelMonth(&'a str, Date),
}

/// Today and this month, in the user's calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Since midnight.
    pub today: Spent,
    /// Since the first.
    pub month: Spent,
}

/// What a run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunCost {
    /// Its own requests.
    pub own: Spent,
    /// Its own and those of every run under it.
    pub inclusive: Spent,
}

/// A run and its cost, for a tree of runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunRow {
    /// The run.
    pub run: String,
    /// The run that started it.
    pub parent: Option<String>,
    /// The kind of action.
    pub action: String,
    /// The agent.
    pub agent: String,
    /// How it ended; `None` while it runs.
    pub end: Option<RunEnd>,
    /// What it cost.
    pub cost: RunCost,
}

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptState {
    /// In flight, or its process is gone and has not been recovered.
    Open,
    /// Its usage is known.
    Settled,
    /// Counted at its reservation, because its usage is not known.
    Booked,
    /// Counted at its reservation, because its process died.
    Recovered,
    /// Not billed.
    Released,
}

/// An attempt as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttemptRow {
    /// The attempt.
    pub attempt: String,
    /// Its run.
    pub run: String,
    /// The turn of the run.
    pub turn: u32,
    /// The model that answered, or else that was asked.
    pub model: String,
    /// The price row.
    pub price: String,
    /// How it stands.
    pub state: AttemptState,
    /// What was reserved for it.
    pub reserved: Money,
    /// What counts against the limits.
    pub charge: Money,
    /// Its tokens, where known.
    pub usage: Option<Usage>,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// Why it was booked or released.
    pub reason: Option<String>,
    /// When it was reserved.
    pub at: Timestamp,
}

/// The last time an action ran somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastActual {
    /// The run.
    pub run: String,
    /// How it ended.
    pub end: RunEnd,
    /// What it and the runs under it cost.
    pub cost: Money,
    /// What it was expected to cost.
    pub expected: Option<Money>,
    /// When it started.
    pub at: Timestamp,
}

impl Ledger {
    /// What was spent and what is reserved in `window`.
    pub fn spent(&self, window: Window<'_>) -> Result<Spent, LedgerError> {
        self.read(|connection| match window {
            Window::All => spent_if(connection, "TRUE", []),
            Window::Run(run) => spent_under(connection, run.as_str()),
            Window::Session(session) => spent_where(connection, "session", session),
            Window::Workspace(workspace) => spent_where(connection, "workspace", workspace),
            Window::Day(day) => spent_where(connection, "day", &day.to_string()),
            Window::Month(day) => {
                spent_where(connection, "month", &day.strftime("%Y-%m").to_string())
            }
            Window::ModelDay(model, day) => {
                spent_on_model(connection, "day", &day.to_string(), model)
            }
            Window::ModelMonth(model, day) => {
                let month = day.strftime("%Y-%m").to_string();
                spent_on_model(connection, "month", &month, model)
            }
        })
    }

    /// What was spent and is reserved today and this month.
    pub fn totals(&self, now: &Zoned) -> Result<Totals, LedgerError> {
        self.read(|connection| {
            let day = now.date();
            Ok(Totals {
                today: spent_where(connection, "day", &day.to_string())?,
                month: spent_where(connection, "month", &day.strftime("%Y-%m").to_string())?,
            })
        })
    }

    /// What a run costs so far.
    pub fn run_cost(&self, run: &RunId) -> Result<RunCost, LedgerError> {
        self.read(|connection| run_cost(connection, run))
    }

    /// What was ever spent on a file, or on one symbol in it, by all runs that were started there.
    pub fn spent_on(
        &self,
        workspace: &str,
        file: &str,
        symbol: Option<&str>,
    ) -> Result<Spent, LedgerError> {
        let started_there = "reservations.run IN (
            SELECT id FROM runs WHERE workspace = ?1 AND file = ?2 AND (?3 IS NULL OR symbol = ?3))";
        self.read(|connection| spent_if(connection, started_there, (workspace, file, symbol)))
    }

    /// The last run of an action at a symbol, or at a file as a whole, that has ended.
    pub fn last_actual(
        &self,
        action: &str,
        workspace: &str,
        file: &str,
        symbol: Option<&str>,
    ) -> Result<Option<LastActual>, LedgerError> {
        self.read(|connection| {
            let found: Option<(String, String, Option<i64>, i64)> = connection
                .prepare_cached(
                    "SELECT runs.id, run_ends.state, runs.expected, runs.at
                     FROM runs JOIN run_ends ON run_ends.run = runs.id
                     WHERE workspace = ?1 AND file = ?2 AND symbol IS ?3 AND action = ?4
                     ORDER BY runs.seq DESC LIMIT 1",
                )?
                .query_row((workspace, file, symbol, action), |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()?;
            let Some((run, end, expected, at)) = found else {
                return Ok(None);
            };
            Ok(Some(LastActual {
                cost: spent_under(connection, &run)?.total(),
                end: run_end_named(&end)?,
                expected: expected.map(Money::from_picodollars),
                at: timestamp(at)?,
                run,
            }))
        })
    }

    /// The attempts of a run alone, in the order in which they were reserved.
    pub fn attempts(&self, run: &RunId) -> Result<Vec<AttemptRow>, LedgerError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM attempts WHERE run = ?1 ORDER BY seq")?
                .query_map([run.as_str()], read_attempt)?
                .collect()
        })
    }

    /// The runs under one root, the root first, each with its own cost and the cost of everything under it.
    pub fn run_tree(&self, root: &RunId) -> Result<Vec<RunRow>, LedgerError> {
        self.read(|connection| {
            let mut rows = connection
                .prepare_cached(
                    "SELECT runs.id, parent, action, agent, run_ends.state
                     FROM runs LEFT JOIN run_ends ON run_ends.run = runs.id
                     WHERE root = ?1 ORDER BY seq",
                )?
                .query_map([root.as_str()], read_run)?
                .collect::<rusqlite::Result<Vec<RunRow>>>()?;
            for row in &mut rows {
                row.cost = RunCost {
                    own: spent_where(connection, "run", &row.run)?,
                    inclusive: spent_under(connection, &row.run)?,
                };
            }
            Ok(rows)
        })
    }
}

/// A run, its cost not yet filled in.
fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let end: Option<String> = row.get(4)?;
    Ok(RunRow {
        run: row.get(0)?,
        parent: row.get(1)?,
        action: row.get(2)?,
        agent: row.get(3)?,
        end: end.as_deref().map(run_end_named).transpose()?,
        cost: RunCost::default(),
    })
}

/// The sum over the attempts whose `column` is `key`. `column` is never a user's text.
pub(super) fn spent_where(
    connection: &Connection,
    column: &'static str,
    key: &str,
) -> rusqlite::Result<Spent> {
    spent_if(connection, &format!("reservations.{column} = ?1"), [key])
}

/// The sum over the attempts whose `column` is `key` and that asked for `model`, with or without a date in its name.
/// `column` is never a user's text.
pub(super) fn spent_on_model(
    connection: &Connection,
    column: &'static str,
    key: &str,
    model: &str,
) -> rusqlite::Result<Spent> {
    let names: Vec<String> = connection
        .prepare_cached(&format!(
            "SELECT DISTINCT model FROM reservations WHERE {column} = ?1"
        ))?
        .query_map([key], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let condition = format!("reservations.{column} = ?1 AND reservations.model = ?2");
    let mut sum = Spent::default();
    for name in names.iter().filter(|name| undated(name) == undated(model)) {
        let spent = spent_if(connection, &condition, (key, name))?;
        sum.settled = sum.settled.saturating_add(spent.settled);
        sum.reserved = sum.reserved.saturating_add(spent.reserved);
    }
    Ok(sum)
}

/// The sum over `run` and every run under it.
pub(super) fn spent_under(connection: &Connection, run: &str) -> rusqlite::Result<Spent> {
    let under = "reservations.run IN (
        WITH RECURSIVE under (id) AS (
            SELECT ?1 UNION ALL SELECT runs.id FROM runs JOIN under ON runs.parent = under.id
        )
        SELECT id FROM under)";
    spent_if(connection, under, [run])
}

fn spent_if(connection: &Connection, condition: &str, key: impl Params) -> rusqlite::Result<Spent> {
    let columns = spent_columns();
    let query = format!(
        "SELECT {columns} FROM reservations
         LEFT JOIN settlements ON settlements.reservation = reservations.seq WHERE {condition}"
    );
    connection
        .prepare_cached(&query)?
        .query_row(key, read_spent)
}

/// What counts, over reservations with all revisions of their settlements: the first revision's cost, and what each
/// later one changed. It is what `charge` in `attempts` adds up to, without looking for the latest revision.
fn spent_columns() -> String {
    let costs = sum_columns("settlements.cost", "TRUE");
    let replaced = sum_columns("settlements.held", "settlements.revision > 1");
    let open = sum_columns("reservations.amount", "settlements.revision IS NULL");
    format!("{costs}, {replaced}, {open}")
}

/// The columns of [`spent_columns`], which come first.
fn read_spent(row: &Row<'_>) -> rusqlite::Result<Spent> {
    let settled = wide_sum(row, 0)? - wide_sum(row, 2)?;
    Ok(Spent {
        settled: Money::saturating_from(settled),
        reserved: Money::saturating_from(wide_sum(row, 4)?),
    })
}

pub(super) fn run_cost(connection: &Connection, run: &RunId) -> rusqlite::Result<RunCost> {
    Ok(RunCost {
        own: spent_where(connection, "run", run.as_str())?,
        inclusive: spent_under(connection, run.as_str())?,
    })
}

pub(super) fn run_end(connection: &Connection, run: &RunId) -> rusqlite::Result<Option<RunEnd>> {
    let state: Option<String> = connection
        .prepare_cached("SELECT state FROM run_ends WHERE run = ?1")?
        .query_row([run.as_str()], |row| row.get(0))
        .optional()?;
    state.as_deref().map(run_end_named).transpose()
}

pub(super) fn run_end_named(name: &str) -> rusqlite::Result<RunEnd> {
    RunEnd::ALL
        .into_iter()
        .find(|end| end.name() == name)
        .ok_or_else(|| open::misread("state", name))
}

pub(super) fn timestamp(microseconds: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|_| open::misread("at", &microseconds.to_string()))
}

pub(super) fn attempt_state(name: &str) -> rusqlite::Result<AttemptState> {
    match name {
        "open" => Ok(AttemptState::Open),
        "settled" => Ok(AttemptState::Settled),
        "booked" => Ok(AttemptState::Booked),
        "recovered" => Ok(AttemptState::Recovered),
        "released" => Ok(AttemptState::Released),
        other => Err(open::misread("state", other)),
    }
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    let state: String = row.get("state")?;
    Ok(AttemptRow {
        attempt: row.get("attempt")?,
        run: row.get("run")?,
        turn: row.get("turn")?,
        model: row.get("model")?,
        price: row.get("price")?,
        state: attempt_state(&state)?,
        reserved: Money::from_picodollars(row.get("reserved")?),
        charge: Money::from_picodollars(row.get("charge")?),
        usage: row::usage(row)?,
        request_id: row.get("request")?,
        reason: row.get("reason")?,
        at: timestamp(row.get("at")?)?,
    })
}

/// Whether `run` ever started.
pub(super) fn has_started(connection: &Connection, run: &RunId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM runs WHERE id = ?1)")?
        .query_row([run.as_str()], |row| row.get(0))
}

/// What the end of `run` teaches; nothing, if it had no estimate.
pub(super) fn lesson(
    connection: &Connection,
    run: &RunId,
    end: RunEnd,
) -> rusqlite::Result<Option<Lesson>> {
    let actual = spent_under(connection, run.as_str())?.total();
    connection
        .prepare_cached(
            "SELECT action, model, variant, point, low, expected, high FROM runs WHERE id = ?1",
        )?
        .query_row([run.as_str()], |row| read_lesson(row, actual, end))
}

fn read_lesson(row: &Row<'_>, actual: Money, end: RunEnd) -> rusqlite::Result<Option<Lesson>> {
    let amount = |column: &str| -> rusqlite::Result<Option<Money>> {
        let picodollars: Option<i64> = row.get(column)?;
        Ok(picodollars.map(Money::from_picodollars))
    };
    let (Some(point), Some(low), Some(expected), Some(high)) = (
        amount("point")?,
        amount("low")?,
        amount("expected")?,
        amount("high")?,
    ) else {
        return Ok(None);
    };
    let outcome = Outcome {
        kind: row.get("action")?,
        model: row.get("model")?,
        variant: row.get("variant")?,
        point,
        low,
        high,
        actual,
        complete: end == RunEnd::Completed,
    };
    Ok(Some((outcome, expected)))
}

/// Runs that are read when the ledger is opened: enough for [`NEWEST`] in each of many groups.
const RUNS_READ: i64 = 20 * NEWEST as i64;
/// Requests that are read: the weight of the next older one would be below a thousandth.
const REQUESTS_READ: i64 = 500;

/// What the newest runs and requests teach, oldest first.
pub(super) fn history(connection: &Connection) -> rusqlite::Result<History> {
    let mut history = History::default();
    for outcome in outcomes(connection)? {
        history.observe_run(&outcome);
    }
    let mut requests: Vec<(String, i64, Option<Usage>)> = connection
        .prepare(
            "SELECT reservations.tokenizer, reservations.predicted, input, cache_write_5m, cache_write_1h, cache_read,
                output
             FROM reservations JOIN settlements ON settlements.reservation = reservations.seq
             WHERE reservations.predicted > 0 AND settlements.state = 'settled'
             ORDER BY reservations.seq DESC LIMIT ?1",
        )?
        .query_map([REQUESTS_READ], |row| Ok((row.get(0)?, row.get(1)?, row::usage(row)?)))?
        .collect::<rusqlite::Result<_>>()?;
    requests.reverse();
    for (tokenizer, predicted, usage) in requests {
        if let (Some(tokenizer), Ok(predicted), Some(usage)) = (
            Tokenizer::from_name(&tokenizer),
            u64::try_from(predicted),
            usage,
        ) {
            history.observe_request(tokenizer, predicted, &usage);
        }
    }
    Ok(history)
}

fn outcomes(connection: &Connection) -> rusqlite::Result<Vec<Outcome>> {
    let own = spent_columns();
    let query = format!(
        "SELECT {own}, runs.id, runs.parent, run_ends.state, runs.action, runs.model, runs.variant,
            runs.point, runs.low, runs.expected, runs.high
         FROM runs
         LEFT JOIN run_ends ON run_ends.run = runs.id
         LEFT JOIN reservations ON reservations.run = runs.id
         LEFT JOIN settlements ON settlements.reservation = reservations.seq
         WHERE runs.seq > (SELECT COALESCE(MAX(seq), 0) FROM runs) - :limit
         GROUP BY runs.seq ORDER BY runs.seq DESC"
    );
    let mut statement = connection.prepare(&query)?;
    let mut rows = statement.query(named_params! { ":limit": RUNS_READ })?;
    // A run is older than those under it, so going back in time each cost is complete when it is handed on.
    let mut under: HashMap<String, Money> = HashMap::new();
    let mut outcomes = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get("id")?;
        let inclusive = read_spent(row)?
            .total()
            .saturating_add(under.remove(&id).unwrap_or_default());
        if let Some(parent) = row.get::<_, Option<String>>("parent")? {
            let sum = under.entry(parent).or_default();
            *sum = sum.saturating_add(inclusive);
        }
        let Some(state) = row.get::<_, Option<String>>("state")? else {
            continue;
        };
        let lesson = read_lesson(row, inclusive, run_end_named(&state)?)?;
        outcomes.extend(lesson.map(|(outcome, _)| outcome));
    }
    outcomes.reverse();
    Ok(outcomes)
}
