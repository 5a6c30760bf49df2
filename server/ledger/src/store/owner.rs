//! Which process holds a reservation, and whether it still lives.
//!
//! A process id says little: it may have been given to another process, or belong to another container. So each process
//! holds an exclusive lock on a file of its own for as long as it lives; the system lets go of it however it dies, also
//! by a power cut. Who can take the lock knows that the owner is gone. The process id is kept for people to read.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

use jiff::Timestamp;
use rusqlite::Transaction;
use uuid::Uuid;

use crate::private;

/// This process. Its lock is released when it is dropped.
#[derive(Debug)]
pub(super) struct Owner {
    id: String,
    lock: Option<(PathBuf, File)>,
}

impl Owner {
    /// Takes the lock of a new owner in `locks`; without a directory, the owner lives with the process.
    ///
    /// The caller holds the ledger's write transaction, and so does [`is_alive`]'s: no owner is judged between the
    /// creation of its file and the lock on it.
    pub(super) fn register(locks: Option<&Path>, at: Timestamp) -> io::Result<Self> {
        let id = crate::AttemptId::new(at).to_string();
        let Some(locks) = locks else {
            return Ok(Self { id, lock: None });
        };
        private::create_dir(locks)?;
        let path = lock_path(locks, &id);
        let mut file = private::create_new(&path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        })?;
        writeln!(file, "{}", process::id())?;
        Ok(Self {
            id,
            lock: Some((path, file)),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some((path, _lock)) = &self.lock {
            // A file that stays is removed by the next recovery.
            let _ = fs::remove_file(path);
        }
    }
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    owner: &Owner,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO owners (id, pid, at) VALUES (?1, ?2, ?3)";
    transaction.execute(statement, (&owner.id, process::id(), at.as_microsecond()))?;
    Ok(())
}

/// Whether the process that registered as `id` still lives. In doubt it does: then its reservations go on counting.
pub(super) fn is_alive(locks: &Path, id: &str) -> bool {
    match File::open(lock_path(locks, id)) {
        Ok(file) => file.try_lock().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Whether any process that has registered still lives.
pub(super) fn anyone_alive(locks: &Path) -> bool {
    ids(locks).any(|id| is_alive(locks, &id))
}

/// Removes the lock files of processes that are gone. The caller holds the write transaction.
pub(super) fn sweep(locks: &Path) {
    for id in ids(locks) {
        if !is_alive(locks, &id) {
            let _ = fs::remove_file(lock_path(locks, &id));
        }
    }
}

/// The owners that have a lock file.
fn ids(locks: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(locks).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let path = entry.path();
        let id = path.file_stem()?.to_str()?;
        Uuid::try_parse(id).is_ok().then(|| id.to_owned())
    })
}

fn lock_path(locks: &Path, id: &str) -> PathBuf {
    locks.join(format!("{id}.lock"))
}
