//! The ledger row by row, for whoever wants to add it up in another way or draw it.

use jiff::Timestamp;
use rusqlite::{Row, named_params};
use serde::Serialize;

use super::{
    Ledger, LedgerError, RunEnd,
    query::{attempt_state, run_end_named, timestamp},
    row::{self, sum_columns, wide_sum},
    unbilled::{Unbilled, read_unbilled, unbilled_columns},
};
use crate::{AttemptState, By, Money, Usage};

/// Where something was spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The kind of action.
    pub action: String,
    /// The workspace.
    pub workspace: String,
    /// The file that the run was started at.
    pub file: Option<String>,
    /// The name path of the symbol that the run was started at.
    pub symbol: Option<String>,
}

/// What the user started, with everything that was run for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionRow {
    /// The root run.
    pub run: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The model that the estimate was made for.
    pub model: String,
    /// When it started.
    pub at: Timestamp,
    /// That day in the user's calendar.
    pub day: String,
    /// How it ended; `None` while it runs.
    pub end: Option<RunEnd>,
    /// The estimate that was shown: low, expected, high.
    pub estimate: Option<(Money, Money, Money)>,
    /// What it did cost, with all runs under it; whole reservations where the usage is not known.
    pub cost: Money,
    /// What was done for it by models that nobody bills.
    pub unbilled: Unbilled,
    /// The tokens that it was expected to take, all classes.
    pub expected_tokens: Option<u64>,
    /// Requests, retries included.
    pub requests: u64,
}

impl ActionRow {
    /// Whether the cost was inside the interval that was shown; `None` without one in money, or before the end.
    pub fn held(&self) -> Option<bool> {
        let (low, _, high) = self.estimate.filter(|_| self.end.is_some())?;
        if high.is_zero() {
            return None;
        }
        Some(low <= self.cost && self.cost <= high)
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestRow {
    /// The attempt.
    pub attempt: String,
    /// The provider's id of the request, as far as it was told.
    pub request_id: Option<String>,
    /// The root run.
    pub run: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The model that answered, or else that was asked.
    pub model: String,
    /// The price row.
    pub price: String,
    /// When it was reserved.
    pub at: Timestamp,
    /// That day in the user's calendar.
    pub day: String,
    /// How it stands.
    pub state: AttemptState,
    /// Its tokens, where known.
    pub usage: Option<Usage>,
    /// What counts against the limits.
    pub charge: Money,
}

impl RequestRow {
    /// Whether it counts at what was held for it, because nobody has said what it did cost.
    pub fn is_unknown(&self) -> bool {
        matches!(self.state, AttemptState::Booked | AttemptState::Recovered)
    }

    /// The group that [`Ledger::report`] counts it in, and the workspace where that belongs to the group.
    pub fn group(&self, by: By) -> (String, Option<String>) {
        let Place {
            action,
            workspace,
            file,
            symbol,
        } = &self.place;
        let file = file.as_deref().unwrap_or_default();
        let within = Some(workspace.clone());
        match by {
            By::Action => (action.clone(), None),
            By::Symbol => match symbol {
                Some(symbol) => (format!("{file}#{symbol}"), within),
                None => (file.to_owned(), within),
            },
            By::File => (file.to_owned(), within),
            By::Model => (self.model.clone(), None),
            By::Day => (self.day.clone(), None),
            By::Run => (self.run.clone(), None),
            By::Workspace => (workspace.clone(), None),
        }
    }
}

impl Ledger {
    /// The actions that were started between `since` and `until` (exclusive), the oldest first.
    pub fn actions(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<ActionRow>, LedgerError> {
        let cost = sum_columns("attempts.charge", "attempts.charge IS NOT NULL");
        let unbilled = unbilled_columns();
        let query = format!(
            "SELECT {cost}, COUNT(attempts.seq) AS requests, {unbilled}, runs.*, run_ends.state
             FROM runs
             LEFT JOIN run_ends ON run_ends.run = runs.id
             LEFT JOIN attempts ON attempts.root = runs.id
             WHERE runs.parent IS NULL AND runs.at >= :since AND runs.at < :until
             GROUP BY runs.seq ORDER BY runs.seq"
        );
        self.read(|connection| {
            connection
                .prepare_cached(&query)?
                .query_map(
                    named_params! { ":since": from(since), ":until": to(until) },
                    action,
                )?
                .collect()
        })
    }

    /// The requests that were reserved between `since` and `until` (exclusive), the oldest first.
    pub fn requests(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<RequestRow>, LedgerError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT attempts.*, runs.action, runs.file, runs.symbol
                     FROM attempts JOIN runs ON runs.id = attempts.run
                     WHERE attempts.at >= :since AND attempts.at < :until ORDER BY attempts.seq",
                )?
                .query_map(
                    named_params! { ":since": from(since), ":until": to(until) },
                    request,
                )?
                .collect()
        })
    }
}

fn from(since: Option<Timestamp>) -> i64 {
    since.map_or(i64::MIN, Timestamp::as_microsecond)
}

fn to(until: Option<Timestamp>) -> i64 {
    until.map_or(i64::MAX, Timestamp::as_microsecond)
}

fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place {
        action: row.get("action")?,
        workspace: row.get("workspace")?,
        file: row.get("file")?,
        symbol: row.get("symbol")?,
    })
}

fn action(row: &Row<'_>) -> rusqlite::Result<ActionRow> {
    let amount = |column: &str| -> rusqlite::Result<Option<Money>> {
        let picodollars: Option<i64> = row.get(column)?;
        Ok(picodollars.map(Money::from_picodollars))
    };
    let state: Option<String> = row.get("state")?;
    let requests: i64 = row.get("requests")?;
    let estimate = match (amount("low")?, amount("expected")?, amount("high")?) {
        (Some(low), Some(expected), Some(high)) => Some((low, expected, high)),
        _ => None,
    };
    Ok(ActionRow {
        run: row.get("id")?,
        place: place(row)?,
        model: row.get("model")?,
        at: timestamp(row.get("at")?)?,
        day: row.get("day")?,
        end: state.as_deref().map(run_end_named).transpose()?,
        estimate,
        cost: Money::saturating_from(wide_sum(row, 0)?),
        unbilled: read_unbilled(row)?,
        expected_tokens: tokens(row)?,
        requests: u64::try_from(requests).unwrap_or(0),
    })
}

/// The tokens of the estimate.
fn tokens(row: &Row<'_>) -> rusqlite::Result<Option<u64>> {
    let (input, output): (Option<i64>, Option<i64>) =
        (row.get("input_tokens")?, row.get("output_tokens")?);
    let sum = input
        .zip(output)
        .map(|(input, output)| input.saturating_add(output));
    Ok(sum.and_then(|sum| u64::try_from(sum).ok()))
}

fn request(row: &Row<'_>) -> rusqlite::Result<RequestRow> {
    let state: String = row.get("state")?;
    Ok(RequestRow {
        attempt: row.get("attempt")?,
        request_id: row.get("request")?,
        run: row.get("root")?,
        place: place(row)?,
        model: row.get("model")?,
        price: row.get("price")?,
        at: timestamp(row.get("at")?)?,
        day: row.get("day")?,
        state: attempt_state(&state)?,
        usage: row::usage(row)?,
        charge: Money::from_picodollars(row.get("charge")?),
    })
}
