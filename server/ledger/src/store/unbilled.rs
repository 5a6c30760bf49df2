//! What models that nobody bills have done: tokens and time, because an amount of $0.00 says nothing.

use std::fmt;
use std::ops::AddAssign;

use jiff::Zoned;
use rusqlite::{Connection, Params, Row};
use serde::Serialize;

use super::{Ledger, LedgerError};
use crate::short_count;

/// What models that nobody bills have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unbilled {
    /// Tokens of all classes.
    pub tokens: u64,
    /// How long their requests took together, in milliseconds.
    pub time_ms: u64,
}

impl Unbilled {
    /// Whether there was no such request.
    pub fn is_nothing(self) -> bool {
        self == Unbilled::default()
    }
}

impl AddAssign for Unbilled {
    fn add_assign(&mut self, other: Unbilled) {
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.time_ms = self.time_ms.saturating_add(other.time_ms);
    }
}

impl fmt::Display for Unbilled {
    /// `9.1k tok in 12 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = match self.time_ms {
            0..9_950 => format!("{:.1} s", self.time_ms as f64 / 1_000.0),
            9_950..119_500 => format!("{:.0} s", self.time_ms as f64 / 1_000.0),
            time => format!("{:.0} min", time as f64 / 60_000.0),
        };
        write!(f, "{} tok in {time}", short_count(self.tokens))
    }
}

impl Ledger {
    /// What such models have done today and this month, in the user's calendar.
    pub fn unbilled(&self, now: &Zoned) -> Result<(Unbilled, Unbilled), LedgerError> {
        self.read(|connection| {
            let (day, month) = (
                now.date().to_string(),
                now.date().strftime("%Y-%m").to_string(),
            );
            Ok((
                unbilled_if(connection, "attempts.day = ?1", [day])?,
                unbilled_if(connection, "attempts.month = ?1", [month])?,
            ))
        })
    }

    /// What such models have ever done for a symbol, by all runs that were started there.
    pub fn unbilled_on(
        &self,
        workspace: &str,
        file: &str,
        symbol: &str,
    ) -> Result<Unbilled, LedgerError> {
        let there = "attempts.run IN (SELECT id FROM runs WHERE workspace = ?1 AND file = ?2 AND symbol = ?3)";
        self.read(|connection| unbilled_if(connection, there, (workspace, file, symbol)))
    }
}

fn unbilled_if(
    connection: &Connection,
    condition: &str,
    key: impl Params,
) -> rusqlite::Result<Unbilled> {
    let columns = unbilled_columns();
    let query = format!("SELECT {columns} FROM attempts WHERE {condition}");
    connection
        .prepare_cached(&query)?
        .query_row(key, read_unbilled)
}

/// The columns `unbilled_tokens` and `unbilled_time`, the time in microseconds, over rows of `attempts`.
///
/// An attempt that was booked when its process was found dead has no time that means anything.
pub(super) fn unbilled_columns() -> &'static str {
    "COALESCE(SUM(COALESCE(attempts.input, 0) + COALESCE(attempts.cache_write_5m, 0)
        + COALESCE(attempts.cache_write_1h, 0) + COALESCE(attempts.cache_read, 0) + COALESCE(attempts.output, 0))
        FILTER (WHERE attempts.price LIKE 'local/%'), 0) AS unbilled_tokens,
     COALESCE(SUM((
        SELECT first.at - attempts.at FROM settlements AS first
        WHERE first.reservation = attempts.seq AND first.revision = 1 AND first.state <> 'recovered'))
        FILTER (WHERE attempts.price LIKE 'local/%'), 0) AS unbilled_time"
}

pub(super) fn read_unbilled(row: &Row<'_>) -> rusqlite::Result<Unbilled> {
    let (tokens, time): (i64, i64) = (row.get("unbilled_tokens")?, row.get("unbilled_time")?);
    Ok(Unbilled {
        tokens: u64::try_from(tokens).unwrap_or(0),
        time_ms: u64::try_from(time / 1_000).unwrap_or(0),
    })
}
