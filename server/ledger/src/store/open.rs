//! Creating, opening, checking and migrating the file.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig, types::Type};

use super::{
    check,
    error::{LedgerError, explain, marker},
};
use crate::private;

/// Each step takes the schema from one version to the next; the version of the file is the number of steps taken.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];
/// `FRTH`, set by the schema.
const APPLICATION_ID: i32 = 0x4652_5448;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Up to this size, some 25,000 attempts, the whole file is checked when it is opened, in half a second. Of a larger one
/// only the newest rows are; older damage is found when it is touched.
const CHECKED_BYTES: u64 = 16 << 20;

/// The connection to the ledger at `path`.
pub(super) fn open(path: &Path) -> Result<Connection, LedgerError> {
    let unavailable = |error: io::Error| LedgerError::unavailable(path, error);
    if let Some(directory) = path.parent() {
        private::create_dir(directory).map_err(unavailable)?;
    }
    match fs::symlink_metadata(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path)?,
        Err(error) => return Err(unavailable(error)),
    }
    let metadata = fs::metadata(path).map_err(unavailable)?;
    if !metadata.is_file() {
        return Err(LedgerError::unavailable(path, "it is not a file"));
    }
    if private::links(&metadata) > 1 {
        let detail = "it has another name (a hard link), under which a second log could be written";
        return Err(LedgerError::unavailable(path, detail));
    }
    if metadata.len() == 0 {
        return Err(LedgerError::damaged(path, "it is empty"));
    }
    private::restrict(path).map_err(unavailable)?;
    let sql = |error: rusqlite::Error| explain(path, &error);
    // A file that turns out to be damaged is closed without moving its log into it.
    let mut connection = open_untouched(path).map_err(sql)?;
    let found = application_id(&connection).map_err(sql)?;
    if found != APPLICATION_ID {
        return Err(LedgerError::damaged(path, "it is not a ledger of Farthing"));
    }
    let mode = connection
        .pragma_update(None, "query_only", false)
        .and_then(|()| configure(&connection))
        .map_err(sql)?;
    if mode != "wal" {
        return Err(LedgerError::unavailable(
            path,
            "its file system cannot share a log between processes",
        ));
    }
    let page: u64 = connection
        .pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0).map(u64::from))
        .map_err(sql)?;
    // With a log, a checkpoint may have been interrupted within a page, which the log still holds.
    let log = fs::metadata(private::sibling(path, "-wal")).map_or(0, |log| log.len());
    if log == 0 && !metadata.len().is_multiple_of(page.max(1)) {
        return Err(LedgerError::damaged(path, "it ends within a page"));
    }
    if metadata.len() <= CHECKED_BYTES {
        let verdict: String = connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(sql)?;
        if verdict != "ok" {
            // The first line only names the database.
            let detail = verdict
                .lines()
                .next_back()
                .unwrap_or("its structure is broken");
            return Err(LedgerError::damaged(path, detail));
        }
    }
    migrate(&mut connection, MIGRATIONS, path)?;
    let problem = schema_problem(&connection).map_err(sql)?;
    let problem = match problem {
        None => check::problem(&connection).map_err(sql)?,
        found => found,
    };
    if let Some(problem) = problem {
        return Err(LedgerError::damaged(path, problem));
    }
    keep_log_on_close(&connection, false).map_err(sql)?;
    Ok(connection)
}

/// An empty ledger without a file.
pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    configure(&connection)?;
    for step in MIGRATIONS {
        connection.execute_batch(step)?;
    }
    Ok(connection)
}

/// Creates the ledger whole: under another name, then renamed. So an empty or half-written file is always damage.
fn create(path: &Path) -> Result<(), LedgerError> {
    let unavailable = |error: io::Error| LedgerError::unavailable(path, error);
    let marker = marker(path);
    let mut lock = private::open_or_create(&marker).map_err(unavailable)?;
    lock.lock().map_err(unavailable)?;
    if path.exists() {
        return Ok(());
    }
    let log = private::sibling(path, "-wal");
    let was_created = lock.metadata().map_err(unavailable)?.len() > 0;
    if was_created || fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(LedgerError::damaged(
            path,
            "the file is gone, although there was one before",
        ));
    }
    let draft = draft(path)?;
    fs::rename(&draft, path).map_err(unavailable)?;
    if let Some(directory) = path.parent() {
        private::sync_dir(directory).map_err(unavailable)?;
    }
    lock.write_all(
        b"A ledger was created here. Without this file a missing ledger would be begun anew.\n",
    )
    .and_then(|()| lock.sync_all())
    .map_err(unavailable)
}

/// An empty ledger beside `path`, closed. The caller holds the lock on the marker.
pub(super) fn draft(path: &Path) -> Result<PathBuf, LedgerError> {
    let unavailable = |error: io::Error| LedgerError::unavailable(path, error);
    let draft = private::sibling(path, ".new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unavailable(error)),
        Ok(()) | Err(_) => {}
    }
    private::create_new(&draft).map_err(unavailable)?;
    let sql = |error: rusqlite::Error| explain(path, &error);
    let mut connection = Connection::open(&draft).map_err(sql)?;
    configure(&connection).map_err(sql)?;
    migrate_from_nothing(&mut connection).map_err(sql)?;
    connection.close().map_err(|(_, error)| sql(error))?;
    Ok(draft)
}

/// A connection for looking at a damaged file: it writes nothing, not even when it is closed.
pub(super) fn open_untouched(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    keep_log_on_close(&connection, true)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Answers with the journal mode that came about.
fn configure(connection: &Connection) -> rusqlite::Result<String> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    // A commit has reached the disk when it returns; on macOS only this makes the drive write its cache.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(mode)
}

fn keep_log_on_close(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)?;
    Ok(())
}

fn application_id(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migrate_from_nothing(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in MIGRATIONS {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", steps_known(MIGRATIONS))?;
    transaction.commit()
}

fn steps_known(steps: &[&str]) -> u32 {
    u32::try_from(steps.len()).unwrap_or(u32::MAX)
}

/// Takes the steps that the file has not taken, all or none.
fn migrate(connection: &mut Connection, steps: &[&str], path: &Path) -> Result<(), LedgerError> {
    let sql = |error: rusqlite::Error| explain(path, &error);
    let known = steps_known(steps);
    let judge = |found: u32| match found {
        0 => Err(LedgerError::damaged(path, "it has no version")),
        _ if found > known => Err(LedgerError::Newer {
            path: path.to_owned(),
            found,
            known,
        }),
        _ => Ok(found),
    };
    if judge(version(connection).map_err(sql)?)? == known {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sql)?;
    // Another process may have migrated while this one waited.
    let found = judge(version(&transaction).map_err(sql)?)?;
    for step in steps.iter().skip(found as usize) {
        transaction.execute_batch(step).map_err(sql)?;
    }
    transaction
        .pragma_update(None, "user_version", known)
        .and_then(|()| transaction.commit())
        .map_err(sql)
}

/// A table, index, view or trigger that is missing or not as this version makes it.
fn schema_problem(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let objects = |connection: &Connection| -> rusqlite::Result<Vec<(String, String)>> {
        connection
            .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    let found = objects(connection)?;
    let expected = objects(&in_memory()?)?;
    let missing = expected.into_iter().find(|object| !found.contains(object));
    Ok(missing.map(|(name, _)| format!("its schema lacks `{name}`, or has another one")))
}

/// An error of the type of a stored value; reported as damage.
pub(super) fn misread(column: &str, found: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        0,
        Type::Text,
        format!("{column} cannot be {found:?}").into(),
    )
}

#[cfg(test)]
mod tests;
