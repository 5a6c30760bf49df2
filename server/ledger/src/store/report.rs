//! Where the money went.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};
use serde::Serialize;

use super::{
    Ledger, LedgerError,
    row::{sum_columns, wide_sum},
    unbilled::{Unbilled, read_unbilled, unbilled_columns},
};
use crate::{Money, Usage};

/// What to group by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The kind of action.
    Action,
    /// The symbol that the run was started at.
    Symbol,
    /// The file that the run was started at.
    File,
    /// The model that answered.
    Model,
    /// The day of the user's calendar.
    Day,
    /// The root run, with every run under it.
    Run,
    /// The workspace.
    Workspace,
}

impl By {
    /// Every way of grouping, for a command line.
    pub const ALL: [Self; 7] = [
        Self::Action,
        Self::Symbol,
        Self::File,
        Self::Model,
        Self::Day,
        Self::Run,
        Self::Workspace,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Symbol => "symbol",
            Self::File => "file",
            Self::Model => "model",
            Self::Day => "day",
            Self::Run => "run",
            Self::Workspace => "workspace",
        }
    }

    /// Whether rows of different workspaces must not fall together.
    fn within_workspace(self) -> bool {
        match self {
            Self::Symbol | Self::File => true,
            Self::Action | Self::Model | Self::Day | Self::Run | Self::Workspace => false,
        }
    }

    /// The key in `attempts` joined with `runs`.
    fn of_attempt(self) -> &'static str {
        match self {
            Self::Model => "attempts.model",
            Self::Day => "attempts.day",
            Self::Run => "attempts.root",
            Self::Action | Self::Symbol | Self::File | Self::Workspace => self.of_run(),
        }
    }

    /// The key in `runs` alone: for the model and the day, those of the estimate.
    fn of_run(self) -> &'static str {
        match self {
            Self::Action => "runs.action",
            Self::Symbol => "COALESCE(runs.file, '') || COALESCE('#' || runs.symbol, '')",
            Self::File => "COALESCE(runs.file, '')",
            Self::Model => "runs.model",
            Self::Day => "runs.day",
            Self::Run => "runs.root",
            Self::Workspace => "runs.workspace",
        }
    }
}

/// One group. Serialised amounts are picodollars.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReportRow {
    /// The group: an action, `file#symbol`, a file, a model, a day, a run, a workspace. Empty where there is none.
    pub key: String,
    /// The workspace, where files are grouped.
    pub workspace: Option<String>,
    /// Runs that sent something.
    pub runs: u64,
    /// Requests, retries included.
    pub attempts: u64,
    /// Tokens, as far as they are known.
    pub usage: Usage,
    /// What it did cost: settled and booked.
    pub cost: Money,
    /// What is held for requests in flight.
    pub reserved: Money,
    /// The part of `cost` that is booked at its reservation because the usage is not known.
    pub unknown: Money,
    /// What was done by models that nobody bills.
    pub unbilled: Unbilled,
    /// The tokens that ended actions with such models were expected to take.
    pub unbilled_expected: u64,
    /// Actions that had an estimate in money and have ended.
    pub estimated_runs: u64,
    /// What those were expected to cost.
    pub estimated_expected: Money,
    /// What those did cost.
    pub estimated_actual: Money,
    /// Those that cost no less and no more than their interval said.
    pub within_estimate: u64,
}

impl Ledger {
    /// What was reserved between `since` and `until` (exclusive), in groups, the dearest first; days in their order.
    ///
    /// Each attempt is in exactly one group. Estimates are those of actions: of runs that no other run started.
    pub fn report(
        &self,
        by: By,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<ReportRow>, LedgerError> {
        let since = since.map_or(i64::MIN, Timestamp::as_microsecond);
        let until = until.map_or(i64::MAX, Timestamp::as_microsecond);
        self.read(|connection| {
            let mut rows = costs(connection, by, since, until)?;
            for estimate in estimates(connection, by, since, until)? {
                match rows
                    .iter_mut()
                    .find(|row| row.key == estimate.key && row.workspace == estimate.workspace)
                {
                    Some(row) => {
                        row.unbilled_expected = estimate.unbilled_expected;
                        row.estimated_runs = estimate.estimated_runs;
                        row.estimated_expected = estimate.estimated_expected;
                        row.estimated_actual = estimate.estimated_actual;
                        row.within_estimate = estimate.within_estimate;
                    }
                    None => rows.push(estimate),
                }
            }
            match by {
                By::Day => rows.sort_by(|a, b| a.key.cmp(&b.key)),
                By::Action | By::Symbol | By::File | By::Model | By::Run | By::Workspace => {
                    rows.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.key.cmp(&b.key)));
                }
            }
            Ok(rows)
        })
    }
}

fn costs(
    connection: &Connection,
    by: By,
    since: i64,
    until: i64,
) -> rusqlite::Result<Vec<ReportRow>> {
    let key = by.of_attempt();
    let workspace = workspace_column(by);
    let cost = sum_columns("charge", "state <> 'open'");
    let reserved = sum_columns("charge", "state = 'open'");
    let unknown = sum_columns("charge", "state IN ('booked', 'recovered')");
    let unbilled = unbilled_columns();
    let query = format!(
        "SELECT {cost}, {reserved}, {unknown},
            {key} AS key, {workspace} AS place, COUNT(DISTINCT attempts.run) AS runs, COUNT(*) AS attempts,
            COALESCE(SUM(input), 0) AS input, COALESCE(SUM(cache_write_5m), 0) AS cache_write_5m,
            COALESCE(SUM(cache_write_1h), 0) AS cache_write_1h, COALESCE(SUM(cache_read), 0) AS cache_read,
            COALESCE(SUM(output), 0) AS output, {unbilled}
         FROM attempts JOIN runs ON runs.id = attempts.run
         WHERE attempts.at >= :since AND attempts.at < :until
         GROUP BY key, place"
    );
    connection
        .prepare_cached(&query)?
        .query_map(named_params! { ":since": since, ":until": until }, |row| {
            let count = |name: &str| count(row, name);
            Ok(ReportRow {
                key: row.get("key")?,
                workspace: row.get("place")?,
                runs: count("runs")?,
                attempts: count("attempts")?,
                usage: Usage {
                    input: count("input")?,
                    cache_write_5m: count("cache_write_5m")?,
                    cache_write_1h: count("cache_write_1h")?,
                    cache_read: count("cache_read")?,
                    output: count("output")?,
                },
                cost: Money::saturating_from(wide_sum(row, 0)?),
                reserved: Money::saturating_from(wide_sum(row, 2)?),
                unknown: Money::saturating_from(wide_sum(row, 4)?),
                unbilled: read_unbilled(row)?,
                ..ReportRow::default()
            })
        })?
        .collect()
}

/// The estimates of the actions in each group, without their costs by group.
fn estimates(
    connection: &Connection,
    by: By,
    since: i64,
    until: i64,
) -> rusqlite::Result<Vec<ReportRow>> {
    let key = by.of_run();
    let workspace = workspace_column(by);
    let actual = sum_columns("attempts.charge", "attempts.charge IS NOT NULL");
    let query = format!(
        "SELECT {actual}, {key} AS key, {workspace} AS place, runs.low, runs.expected, runs.high,
            COALESCE(runs.input_tokens, 0) + COALESCE(runs.output_tokens, 0) AS tokens
         FROM runs JOIN run_ends ON run_ends.run = runs.id LEFT JOIN attempts ON attempts.root = runs.id
         WHERE runs.parent IS NULL AND runs.expected IS NOT NULL AND runs.at >= :since AND runs.at < :until
         GROUP BY runs.seq"
    );
    let mut groups: BTreeMap<(String, Option<String>), ReportRow> = BTreeMap::new();
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query(named_params! { ":since": since, ":until": until })?;
    while let Some(row) = rows.next()? {
        let amount = |name: &str| row.get(name).map(Money::from_picodollars);
        let (key, workspace): (String, Option<String>) = (row.get("key")?, row.get("place")?);
        let actual = Money::saturating_from(wide_sum(row, 0)?);
        let group = groups.entry((key.clone(), workspace.clone())).or_default();
        group.key = key;
        group.workspace = workspace;
        // An amount of nothing is no estimate of money, and no cost can miss it.
        if amount("high")?.is_zero() {
            group.unbilled_expected += count(row, "tokens")?;
            continue;
        }
        group.estimated_runs += 1;
        group.estimated_expected = group.estimated_expected.saturating_add(amount("expected")?);
        group.estimated_actual = group.estimated_actual.saturating_add(actual);
        group.within_estimate += u64::from(actual >= amount("low")? && actual <= amount("high")?);
    }
    Ok(groups.into_values().collect())
}

fn workspace_column(by: By) -> &'static str {
    if by.within_workspace() {
        "runs.workspace"
    } else {
        "NULL"
    }
}

fn count(row: &Row<'_>, name: &str) -> rusqlite::Result<u64> {
    let count: i64 = row.get(name)?;
    Ok(u64::try_from(count).unwrap_or(0))
}
