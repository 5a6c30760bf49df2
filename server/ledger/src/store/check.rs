//! Whether the rows of the file are the rows that were written. Pages have no checksums in SQLite, and an index that
//! has lost an entry would hide spending from a limit.

use std::collections::HashMap;

use rusqlite::Connection;

use super::row::{ReservationRow, SettlementRow};

/// How many of the newest rows are checked when the ledger is opened: more than a month of heavy use.
const CHECKED_ROWS: i64 = 10_000;

/// The columns by which limits add up.
const SCOPES: [&str; 6] = ["run", "root", "session", "workspace", "day", "month"];

/// What is wrong with the newest rows: a broken seal, a gap, or an index that does not know them.
pub(super) fn problem(connection: &Connection) -> rusqlite::Result<Option<String>> {
    // One state for all questions, while other processes write.
    let connection = &*connection.unchecked_transaction()?;
    let newest: i64 = connection.query_row(
        "SELECT COALESCE(MAX(seq), 0) FROM reservations",
        [],
        |row| row.get(0),
    )?;
    let since = (newest - CHECKED_ROWS).max(0);
    let mut found = Scopes::default();
    if let Some(problem) = reservation_problem(connection, since, &mut found)? {
        return Ok(Some(problem));
    }
    if let Some(problem) = settlement_problem(connection, since)? {
        return Ok(Some(problem));
    }
    index_problem(connection, since, &found)
}

/// How many of the checked rows there are for each scope and key.
type Scopes = [HashMap<String, i64>; SCOPES.len()];

fn reservation_problem(
    connection: &Connection,
    since: i64,
    found: &mut Scopes,
) -> rusqlite::Result<Option<String>> {
    let mut statement =
        connection.prepare("SELECT * FROM reservations WHERE seq > ?1 ORDER BY seq")?;
    let mut rows = statement.query([since])?;
    let mut expected = since;
    while let Some(row) = rows.next()? {
        expected += 1;
        let seq: i64 = row.get("seq")?;
        if seq != expected {
            return Ok(Some(format!("reservation {expected} is missing")));
        }
        let reservation = ReservationRow::read(row)?;
        if reservation.seal() != row.get::<_, i64>("seal")? {
            return Ok(Some(format!("reservation {seq} does not match its seal")));
        }
        let keys = [
            reservation.run,
            reservation.root,
            reservation.session,
            reservation.workspace,
            reservation.day,
            reservation.month,
        ];
        for (counts, key) in found.iter_mut().zip(keys) {
            *counts.entry(key).or_default() += 1;
        }
    }
    Ok(None)
}

fn settlement_problem(connection: &Connection, since: i64) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare("SELECT * FROM settlements WHERE reservation > ?1")?;
    let mut rows = statement.query([since])?;
    while let Some(row) = rows.next()? {
        let settlement = SettlementRow::read(row)?;
        if settlement.seal() != row.get::<_, i64>("seal")? {
            let seq = settlement.reservation;
            return Ok(Some(format!(
                "the settlement of reservation {seq} does not match its seal"
            )));
        }
    }
    Ok(None)
}

fn index_problem(
    connection: &Connection,
    since: i64,
    found: &Scopes,
) -> rusqlite::Result<Option<String>> {
    for (scope, counts) in SCOPES.into_iter().zip(found) {
        let index = format!("reservations_by_{scope}");
        let mut statement = connection.prepare(&format!(
            "SELECT COUNT(*) FROM reservations INDEXED BY {index} WHERE {scope} = ?1 AND seq > ?2"
        ))?;
        for (key, expected) in counts {
            let count: i64 = statement.query_row((key, since), |row| row.get(0))?;
            if count != *expected {
                return Ok(Some(format!("the index {index} does not match its table")));
            }
        }
    }
    Ok(None)
}
