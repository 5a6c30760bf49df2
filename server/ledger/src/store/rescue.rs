//! Bringing what can be read of a damaged ledger into a sound one.
//!
//! A row of money is kept if its seal is whole. A settlement that is not leaves its reservation open, so that it counts
//! in full. The damaged file is moved aside, never changed.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{
    Connection, OptionalExtension, Row, ToSql, Transaction, params_from_iter, types::Value,
};
use serde::Serialize;

use super::{
    Ledger, LedgerError,
    error::{explain, marker},
    open, owner,
    row::{ReservationRow, SettlementRow},
};
use crate::private;

/// What became of a damaged ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rescue {
    /// Reservations that are in the ledger again.
    pub kept: u64,
    /// Reservations that could not be read, as far as their numbers tell. What they cost no longer counts.
    pub lost: u64,
    /// Reservations that are kept but whose settlement could not be read. They count in full.
    pub reopened: u64,
    /// Where the damaged file is.
    pub damaged: PathBuf,
}

impl Ledger {
    /// Puts a sound ledger in the place of the damaged one at `path`, with every row that can be read, and moves the
    /// damaged file aside.
    ///
    /// The user's decision, because what cannot be read no longer counts against a limit. A sound ledger is left alone,
    /// and so is one that a living process uses.
    pub fn rescue(path: &Path, now: Timestamp) -> Result<Rescue, LedgerError> {
        let unavailable = |error: io::Error| LedgerError::unavailable(path, error);
        match open::open(path) {
            Err(LedgerError::Damaged { .. }) => {}
            Err(error) => return Err(error),
            Ok(_) => {
                return Err(LedgerError::Misuse(format!(
                    "the ledger {} is sound",
                    path.display()
                )));
            }
        }
        let lock = private::open_or_create(&marker(path)).map_err(unavailable)?;
        lock.lock().map_err(unavailable)?;
        if owner::anyone_alive(&path.with_extension("owners")) {
            let message = "another Farthing server is running; stop every one of them before the ledger is rescued";
            return Err(LedgerError::Misuse(message.to_owned()));
        }
        let sql = |error: rusqlite::Error| explain(path, &error);
        let found = {
            let damaged = open::open_untouched(path).map_err(sql)?;
            Found::read(&damaged)
        };
        if found.reservations.is_empty() && found.runs.is_empty() {
            return Err(LedgerError::damaged(path, "nothing in it can be read"));
        }
        let draft = open::draft(path)?;
        let mut connection = Connection::open(&draft).map_err(sql)?;
        let transaction = connection.transaction().map_err(sql)?;
        let reopened = found
            .write(&transaction)
            .and_then(|reopened| transaction.commit().map(|()| reopened))
            .map_err(sql)?;
        connection.close().map_err(|(_, error)| sql(error))?;
        let damaged = set_aside(path, now).map_err(unavailable)?;
        fs::rename(&draft, path).map_err(unavailable)?;
        if let Some(directory) = path.parent() {
            private::sync_dir(directory).map_err(unavailable)?;
        }
        let kept = found.reservations.len() as u64;
        let last = found.reservations.keys().next_back().copied().unwrap_or(0);
        Ok(Rescue {
            kept,
            lost: u64::try_from(last).unwrap_or(0).saturating_sub(kept),
            reopened,
            damaged,
        })
    }
}

/// Moves the damaged file with its log, which may hold the newest rows, to a name of its own.
fn set_aside(path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let damaged = private::sibling(
        path,
        &format!(".damaged-{}", now.strftime("%Y%m%dT%H%M%SZ")),
    );
    if damaged.exists() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is in the way", damaged.display()),
        ));
    }
    let log = private::sibling(path, "-wal");
    if log.exists() {
        fs::rename(&log, private::sibling(&damaged, "-wal"))?;
    }
    let shared = private::sibling(path, "-shm");
    if shared.exists() {
        fs::remove_file(shared)?;
    }
    fs::rename(path, &damaged)?;
    Ok(damaged)
}

/// Everything in a damaged file that can be read.
#[derive(Default)]
struct Found {
    owners: BTreeMap<String, Raw>,
    owner_ends: BTreeMap<String, Raw>,
    runs: BTreeMap<i64, Raw>,
    run_ends: BTreeMap<String, Raw>,
    reservations: BTreeMap<i64, ReservationRow>,
    settlements: BTreeMap<(i64, i64), SettlementRow>,
    acknowledgements: BTreeMap<(i64, i64), i64>,
}

/// A row as it is, by column.
struct Raw(Vec<Value>);

impl Found {
    fn read(connection: &Connection) -> Self {
        Self {
            owners: salvage(connection, "owners", "rowid", raw),
            owner_ends: salvage(connection, "owner_ends", "rowid", raw),
            runs: salvage(connection, "runs", "rowid", raw),
            run_ends: salvage(connection, "run_ends", "rowid", raw),
            reservations: salvage(connection, "reservations", "rowid", |row| {
                let reservation = ReservationRow::read(row)?;
                let whole = reservation.seal() == row.get::<_, i64>("seal")?;
                Ok(whole.then_some((row.get("seq")?, reservation)))
            }),
            settlements: salvage(connection, "settlements", "reservation, revision", |row| {
                let settlement = SettlementRow::read(row)?;
                let whole = settlement.seal() == row.get::<_, i64>("seal")?;
                Ok(whole.then_some(((settlement.reservation, settlement.revision), settlement)))
            }),
            acknowledgements: salvage(
                connection,
                "acknowledgements",
                "reservation, revision",
                |row| Ok(Some(((row.get(0)?, row.get(1)?), row.get(2)?))),
            ),
        }
    }

    /// Writes everything into an empty ledger, reservations numbered anew without gaps. Answers with the number of
    /// reservations that have lost their settlement.
    fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
        for row in self.owners.values() {
            insert(transaction, "owners", row)?;
        }
        for (owner, row) in &self.owner_ends {
            if self.owners.contains_key(owner) {
                insert(transaction, "owner_ends", row)?;
            }
        }
        for row in self.runs.values() {
            // One whose parent or owner is lost is left out here, and restored from its reservations.
            let _ = insert(transaction, "runs", row);
        }
        for row in self.run_ends.values() {
            let _ = insert(transaction, "run_ends", row);
        }
        let mut numbers = BTreeMap::new();
        for (seq, row) in &self.reservations {
            restore_run(transaction, row)?;
            row.insert(transaction)?;
            numbers.insert(*seq, transaction.last_insert_rowid());
        }
        for (old, settlement) in &self.settlements {
            if let Some(number) = numbers.get(&old.0) {
                settlement.renumbered(*number).insert(transaction)?;
            }
        }
        for ((seq, revision), at) in &self.acknowledgements {
            let known = self.settlements.contains_key(&(*seq, *revision));
            if let Some(number) = numbers.get(seq).filter(|_| known) {
                let statement =
                    "INSERT INTO acknowledgements (reservation, revision, at) VALUES (?1, ?2, ?3)";
                transaction.execute(statement, (number, revision, at))?;
            }
        }
        let settled = |seq: &i64| {
            self.settlements
                .range((*seq, i64::MIN)..=(*seq, i64::MAX))
                .next()
                .is_some()
        };
        let open = numbers.keys().filter(|seq| !settled(seq)).count();
        Ok(open as u64)
    }
}

/// A run and an owner for a reservation whose own could not be read.
fn restore_run(transaction: &Transaction<'_>, row: &ReservationRow) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT OR IGNORE INTO owners (id, pid, at) VALUES (?1, 0, ?2)",
        (&row.owner, row.at),
    )?;
    let known: Option<i64> = transaction
        .prepare_cached("SELECT seq FROM runs WHERE id = ?1")?
        .query_row([&row.run], |found| found.get(0))
        .optional()?;
    if known.is_some() {
        return Ok(());
    }
    transaction
        .prepare_cached(
            "INSERT INTO runs (id, root, session, workspace, action, agent, variant, model, owner, at, zone, day, month)
             VALUES (?1, ?2, ?3, ?4, 'unknown', 'unknown', '', ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            &row.run,
            &row.root,
            &row.session,
            &row.workspace,
            &row.model,
            &row.owner,
            row.at,
            &row.zone,
            &row.day,
            &row.month,
        ))?;
    Ok(())
}

/// The rows of `table` that can be read: from its beginning to the damage, and from its end back to it.
fn salvage<K: Ord, T>(
    connection: &Connection,
    table: &str,
    order: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<Option<(K, T)>>,
) -> BTreeMap<K, T> {
    let mut found = BTreeMap::new();
    for direction in ["ASC", "DESC"] {
        let order: Vec<_> = order
            .split(", ")
            .map(|column| format!("{column} {direction}"))
            .collect();
        let query = format!(
            "SELECT * FROM {table} NOT INDEXED ORDER BY {}",
            order.join(", ")
        );
        let Ok(mut statement) = connection.prepare(&query) else {
            return found;
        };
        let Ok(mut rows) = statement.query([]) else {
            return found;
        };
        loop {
            match rows.next() {
                Ok(Some(row)) => found.extend(read(row).ok().flatten()),
                Ok(None) => return found,
                Err(_) => break,
            }
        }
    }
    found
}

fn raw<K: rusqlite::types::FromSql>(row: &Row<'_>) -> rusqlite::Result<Option<(K, Raw)>> {
    let columns = row.as_ref().column_count();
    let values = (0..columns)
        .map(|column| row.get(column))
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some((row.get(0)?, Raw(values))))
}

fn insert(transaction: &Transaction<'_>, table: &str, row: &Raw) -> rusqlite::Result<()> {
    let places: Vec<_> = (1..=row.0.len()).map(|place| format!("?{place}")).collect();
    let statement = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
    let values = row.0.iter().map(|value| value as &dyn ToSql);
    transaction
        .prepare_cached(&statement)?
        .execute(params_from_iter(values))?;
    Ok(())
}
