//! The ledger: the append-only record of reservations and usage, in one SQLite file for the user, shared by all windows.
//!
//! A request is paid for in two steps. [`Ledger::reserve`] holds the most that it can cost, durably, in one transaction
//! that compares every limit; then it is sent; then [`Ledger::settle`] replaces what was held by what it did cost. A
//! crash in between leaves the reservation, and [`Ledger::recover`] books it. So settled and reserved money together
//! never exceed a limit, and no request that was ever sent is missing.
//!
//! When anything is wrong with the file, nothing may be spent: the file is kept as it is and never begun again.
//!
//! The calls block; an asynchronous caller uses a blocking task. [`Ledger::history`] does not touch the file.

mod check;
mod close;
mod error;
mod list;
mod open;
mod owner;
mod query;
mod report;
mod rescue;
mod reserve;
mod row;
mod runs;
mod seal;
mod unbilled;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::History;
use owner::Owner;

pub use close::{Overrun, Recovered, Settled, Settlement};
pub use error::{LedgerError, OverLimit, ReserveError};
pub use list::{ActionRow, Place, RequestRow};
pub use query::{AttemptRow, AttemptState, LastActual, RunCost, RunRow, Spent, Totals, Window};
pub use report::{By, ReportRow};
pub use rescue::Rescue;
pub use reserve::{Headroom, LimitKind, Limits, Reservation, Reserve};
pub use runs::{Ended, RunEnd, RunStart};
pub use unbilled::Unbilled;

/// The ledger of one user. Shared between threads by reference; shared between processes by its file.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    store: Mutex<Store>,
    /// What was found to be wrong with the file. From then on every call fails.
    damage: OnceLock<String>,
    history: Mutex<Arc<History>>,
}

#[derive(Debug)]
struct Store {
    connection: Connection,
    /// This process, as soon as it has reserved something.
    owner: Option<Owner>,
}

impl Ledger {
    /// Opens the ledger at `path`, creating it and its directory if there has never been one.
    ///
    /// The file is checked: its header, its structure, its schema, and the newest rows against their seals. A file that
    /// fails is left alone and reported as [`LedgerError::Damaged`]; so is a file that is gone or empty although a
    /// ledger was there before. The file is readable by the user only.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let connection = open::open(path)?;
        Self::with_connection(path, connection)
    }

    /// A ledger that is forgotten with the process: for a dry run and for tests.
    pub fn in_memory() -> Result<Self, LedgerError> {
        let path = Path::new(":memory:");
        let connection = open::in_memory().map_err(|error| error::explain(path, &error))?;
        Self::with_connection(path, connection)
    }

    fn with_connection(path: &Path, connection: Connection) -> Result<Self, LedgerError> {
        let ledger = Self {
            path: path.to_owned(),
            store: Mutex::new(Store {
                connection,
                owner: None,
            }),
            damage: OnceLock::new(),
            history: Mutex::default(),
        };
        ledger.reload_history()?;
        Ok(ledger)
    }

    /// Where the ledger is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What earlier runs teach, as of now. Cheap, and never waits for the disk: for the path that prices actions.
    ///
    /// It follows the runs and requests of this process; [`Ledger::reload_history`] takes in those of other windows.
    pub fn history(&self) -> Arc<History> {
        Arc::clone(&self.history_guard())
    }

    /// Reads what earlier runs teach from the file again.
    pub fn reload_history(&self) -> Result<(), LedgerError> {
        let history = self.read(query::history)?;
        *self.history_guard() = Arc::new(history);
        Ok(())
    }

    fn learn(&self, lesson: impl FnOnce(&mut History)) {
        lesson(Arc::make_mut(&mut self.history_guard()));
    }

    fn history_guard(&self) -> MutexGuard<'_, Arc<History>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One read transaction, so that several queries see one state.
    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        self.usable()?;
        let mut store = self.store_guard();
        let result = store
            .connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .and_then(|transaction| query(&transaction));
        result.map_err(|error| self.explain(&error))
    }

    /// One immediate transaction: nothing is written by anyone else from the first query to the commit.
    fn write<T, E: From<LedgerError>>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Failure<E>>,
    ) -> Result<T, E> {
        self.usable()?;
        let mut store = self.store_guard();
        let transaction = store
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| self.explain(&error))?;
        let result = change(&transaction).and_then(|value| {
            transaction.commit()?;
            Ok(value)
        });
        result.map_err(|failure| match failure {
            Failure::Sql(error) => self.explain(&error).into(),
            Failure::Refused(refusal) => refusal,
        })
    }

    /// The id of this process in the ledger, registered before the first row that names it.
    fn owner(&self, at: Timestamp) -> Result<String, LedgerError> {
        if let Some(owner) = &self.store_guard().owner {
            return Ok(owner.id().to_owned());
        }
        let locks = self.locks();
        let owner = self.write(|transaction| {
            let owner = Owner::register(locks.as_deref(), at).map_err(|error| {
                Failure::Refused(LedgerError::unavailable(
                    &self.path,
                    format!("cannot lock: {error}"),
                ))
            })?;
            owner::insert(transaction, &owner, at)?;
            Ok(owner)
        })?;
        // Another thread may have been first; its owner stays, and this one is dropped without a trace but its row.
        Ok(self
            .store_guard()
            .owner
            .get_or_insert(owner)
            .id()
            .to_owned())
    }

    /// The directory of the owners' lock files; none for a ledger in memory.
    fn locks(&self) -> Option<PathBuf> {
        (self.path != Path::new(":memory:")).then(|| self.path.with_extension("owners"))
    }

    fn usable(&self) -> Result<(), LedgerError> {
        match self.damage.get() {
            Some(detail) => Err(LedgerError::damaged(&self.path, detail.clone())),
            None => Ok(()),
        }
    }

    fn explain(&self, error: &rusqlite::Error) -> LedgerError {
        let explained = error::explain(&self.path, error);
        if let LedgerError::Damaged { detail, .. } = &explained {
            tracing::error!(path = %self.path.display(), detail, "the ledger is damaged");
            let _ = self.damage.set(detail.clone());
        }
        explained
    }

    fn store_guard(&self) -> MutexGuard<'_, Store> {
        // A panic in another thread has rolled its transaction back, so the connection is in order.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a transaction was rolled back.
enum Failure<E> {
    Sql(rusqlite::Error),
    Refused(E),
}

impl<E> From<rusqlite::Error> for Failure<E> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

#[cfg(test)]
mod tests;
