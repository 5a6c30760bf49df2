//! Where hunks are kept on disk, by several servers that may have the same file open.
//!
//! One file for each source file that has hunks and each server that keeps some of it: a text, and the hunks in it. It
//! is written beside its place and then renamed, so that it is whole or not there; a digest at its top tells damage.
//! Nothing in it is needed for anything else, so that damage costs these hunks and a sentence about it.
//!
//! Each server holds a lock on a file of its own for as long as it lives; the system lets go of it however the server
//! dies. What a server has kept is its own until it closes the source file or is gone; then whoever opens that file
//! takes it over, by renaming it, which only one can do.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use text::{FilePath, Hash};
use uuid::Uuid;

use crate::kept::KeptHunk;

/// What nobody has opened for so long is removed.
const MAX_AGE: Duration = Duration::from_hours(24 * 30);

/// The file of a lock is not taken for that of a dead server before this: it may not be locked yet.
const MIN_AGE: Duration = Duration::from_hours(1);

/// How the names of files with hunks end, and those of locks.
const KEPT: &str = ".json";
const LOCK: &str = ".lock";

/// The folder of the bytes of deleted files, each under an identity that holds its time.
const DELETED: &str = "deleted";

/// The hunks of one file, as they are written down.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) file: String,
    /// The text that all ranges are in, but for those of hunks with a base.
    pub(crate) text: String,
    /// The texts that hunks are for which fit no later one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bases: Vec<String>,
    pub(crate) hunks: Vec<KeptHunk>,
}

/// Where hunks are kept.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    /// Made when the first hunk is kept.
    owner: OnceLock<Owner>,
    /// What was taken over and is not part of what this server has written yet, by source file.
    taken_over: Mutex<BTreeMap<FilePath, Vec<PathBuf>>>,
    writing: Mutex<()>,
}

/// One server among those that keep hunks in a folder.
#[derive(Debug)]
struct Owner {
    id: String,
    /// Locked, and removed in the end. None where files cannot be locked: then others take over what is still in use, as
    /// if this server were gone.
    _lock: Option<NamedTempFile>,
}

/// What was found of a file.
#[derive(Debug)]
pub(crate) enum Found {
    Damaged,
    Kept(Kept),
}

impl Shelf {
    pub(crate) fn new(folder: PathBuf) -> Shelf {
        Shelf {
            folder,
            owner: OnceLock::new(),
            taken_over: Mutex::default(),
            writing: Mutex::default(),
        }
    }

    /// Keeps others of this server from writing meanwhile.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what servers that are gone, or have closed the file, have kept of it.
    pub(crate) fn take(&self, file: &FilePath) -> Vec<Found> {
        let prefix = format!("{}.", Hash::of(file.as_str()));
        let mut entries: Vec<PathBuf> = self.entries(KEPT).collect();
        entries.retain(|path| name(path).starts_with(&prefix));
        entries.sort();
        let mut found = Vec::new();
        for path in entries {
            let owner = name(&path).split('.').nth(1);
            let owner = owner.filter(|owner| Uuid::try_parse(owner).is_ok());
            if owner.is_some_and(|owner| self.is_elsewhere(owner)) {
                continue;
            }
            let Ok(bytes) = fs::read(&path) else {
                continue;
            };
            let kept = read(&bytes);
            // Two paths can have one name here; the other's hunks are not this file's.
            if kept.as_ref().is_some_and(|kept| kept.file != file.as_str()) {
                continue;
            }
            let own = self.place(file, &format!(".{}", Uuid::now_v7()));
            if fs::rename(&path, &own).is_err() {
                // Another server was faster.
                continue;
            }
            self.taken_over().entry(file.clone()).or_default().push(own);
            found.push(kept.map_or(Found::Damaged, Found::Kept));
        }
        found
    }

    /// Writes the hunks of a file down, or that there are none. What was taken over of it is part of that by now.
    pub(crate) fn put(&self, file: &FilePath, kept: Option<&Kept>) -> io::Result<()> {
        match kept {
            None if self.owner.get().is_none() => {}
            None => remove(&self.place(file, ""))?,
            Some(kept) => {
                let place = self.place(file, "");
                fs::create_dir_all(&self.folder)?;
                let body = serde_json::to_string(kept)?;
                let mut draft = NamedTempFile::new_in(&self.folder)?;
                writeln!(draft, "{}", Hash::of(&body))?;
                draft.write_all(body.as_bytes())?;
                draft.persist(place)?;
            }
        }
        let taken_over = self.taken_over().remove(file);
        for path in taken_over.unwrap_or_default() {
            remove(&path)?;
        }
        Ok(())
    }

    /// Leaves what was written of a file to whoever opens it next.
    pub(crate) fn release(&self, file: &FilePath) {
        if self.owner.get().is_some() {
            let free = format!("{}.{}{KEPT}", Hash::of(file.as_str()), Uuid::now_v7());
            // Mostly there is nothing.
            _ = fs::rename(self.place(file, ""), self.folder.join(free));
        }
    }

    /// Keeps the bytes of a file that is about to be deleted. Answers where.
    pub(crate) fn keep_bytes(&self, file: &FilePath) -> io::Result<FilePath> {
        let folder = self.folder.join(DELETED);
        fs::create_dir_all(&folder)?;
        let place = folder.join(Uuid::now_v7().to_string());
        // The file itself under a second name, where that is possible: then what is written to it meanwhile is kept too.
        if fs::hard_link(file.as_path(), &place).is_err() {
            fs::copy(file.as_path(), &place)?;
        }
        FilePath::new(place).map_err(io::Error::other)
    }

    /// Forgets the bytes of a deleted file.
    pub(crate) fn forget_bytes(&self, kept: &str) {
        let place = Path::new(kept);
        if place.parent() == Some(&self.folder.join(DELETED)) {
            // They may have been fetched from there.
            _ = fs::remove_file(place);
        }
    }

    /// Removes what nobody has opened for a long time, and the locks of servers that are gone.
    pub(crate) fn clean_up(&self) {
        let is_older = |path: &Path, than| {
            let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
            modified.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > than))
        };
        for path in self.entries(LOCK) {
            if is_older(&path, MIN_AGE) && !is_locked(&path) {
                _ = fs::remove_file(path);
            }
        }
        for path in self.entries(KEPT).filter(|path| is_older(path, MAX_AGE)) {
            _ = fs::remove_file(path);
        }
        let deleted = fs::read_dir(self.folder.join(DELETED));
        for entry in deleted.into_iter().flatten().flatten() {
            if deleted_for(&entry.file_name()).is_some_and(|age| age > MAX_AGE) {
                _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Where this server keeps the hunks of a file.
    fn place(&self, file: &FilePath, part: &str) -> PathBuf {
        let owner = self.owner.get_or_init(|| Owner::register(&self.folder));
        let file = Hash::of(file.as_str());
        self.folder.join(format!("{file}.{}{part}{KEPT}", owner.id))
    }

    /// Whether that is another server, which still lives.
    fn is_elsewhere(&self, owner: &str) -> bool {
        self.owner.get().is_none_or(|own| own.id != owner)
            && is_locked(&self.folder.join(format!("{owner}{LOCK}")))
    }

    fn entries(&self, ending: &'static str) -> impl Iterator<Item = PathBuf> + use<> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(move |path| name(path).ends_with(ending))
    }

    fn taken_over(&self) -> MutexGuard<'_, BTreeMap<FilePath, Vec<PathBuf>>> {
        self.taken_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Owner {
    fn register(folder: &Path) -> Owner {
        let id = Uuid::now_v7().to_string();
        let lock = || {
            fs::create_dir_all(folder)?;
            let file = tempfile::Builder::new()
                .prefix(&id)
                .suffix(LOCK)
                .rand_bytes(0)
                .tempfile_in(folder)?;
            file.as_file().try_lock().map_err(|error| match error {
                TryLockError::Error(error) => error,
                TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            })?;
            Ok(file)
        };
        let lock: io::Result<NamedTempFile> = lock();
        let lock = lock.inspect_err(|error| tracing::warn!(%error, "kept hunks have no lock"));
        Owner {
            id,
            _lock: lock.ok(),
        }
    }
}

/// Whether a server holds the lock. In doubt it does: then its hunks stay its own.
fn is_locked(path: &Path) -> bool {
    match File::open(path) {
        // Shared, so that two who ask at once do not take each other for it.
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn read(bytes: &[u8]) -> Option<Kept> {
    let (digest, body) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    let whole = digest.parse() == Ok(Hash::of(body));
    whole.then(|| serde_json::from_str(body).ok())?
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How long ago the bytes under such a name were put there.
fn deleted_for(name: &OsStr) -> Option<Duration> {
    let since = Uuid::try_parse(name.to_str()?).ok()?.get_timestamp()?;
    let (seconds, nanos) = since.to_unix();
    let then = UNIX_EPOCH + Duration::new(seconds, nanos);
    then.elapsed().ok()
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn file() -> FilePath {
        FilePath::new("/w/a.rs").unwrap()
    }

    fn kept(text: &str) -> Kept {
        Kept {
            file: file().to_string(),
            text: text.to_owned(),
            bases: Vec::new(),
            hunks: Vec::new(),
        }
    }

    /// The texts that a server takes over.
    fn taken(shelf: &Shelf) -> Vec<String> {
        let found = shelf.take(&file()).into_iter().map(|found| match found {
            Found::Kept(kept) => kept.text,
            Found::Damaged => "damaged".to_owned(),
        });
        let mut found: Vec<String> = found.collect();
        found.sort();
        found
    }

    #[test]
    fn servers_with_one_file_do_not_touch_each_others_hunks() {
        let folder = tempfile::tempdir().unwrap();
        let server = || Shelf::new(folder.path().to_owned());
        let (one, other) = (server(), server());
        one.put(&file(), Some(&kept("one"))).unwrap();
        other.put(&file(), Some(&kept("other"))).unwrap();
        assert_eq!(taken(&one), ["one"]);
        assert_eq!(taken(&server()), [""; 0]);
        // What one decides is no business of the other's.
        other.put(&file(), None).unwrap();
        drop(one);
        let next = server();
        assert_eq!(taken(&next), ["one"]);
        assert_eq!(taken(&other), [""; 0]);
        next.put(&file(), Some(&kept("next"))).unwrap();
        drop((next, other));
        assert_eq!(taken(&server()), ["next"]);
    }

    #[test]
    fn what_several_dead_have_left_is_taken_over_once() {
        let folder = tempfile::tempdir().unwrap();
        let server = || Shelf::new(folder.path().to_owned());
        for text in ["one", "two"] {
            server().put(&file(), Some(&kept(text))).unwrap();
        }
        let servers = [server(), server()];
        let found = std::thread::scope(|scope| {
            let each = servers
                .each_ref()
                .map(|server| scope.spawn(|| taken(server)));
            each.map(|thread| thread.join().unwrap())
        });
        let mut found = found.concat();
        found.sort();
        assert_eq!(found, ["one", "two"]);
        // A server that dies before it has written what it took over leaves that to the next.
        drop(servers);
        assert_eq!(taken(&server()), ["one", "two"]);
    }

    #[test]
    fn a_closed_file_is_free_while_its_server_lives() {
        let folder = tempfile::tempdir().unwrap();
        let server = || Shelf::new(folder.path().to_owned());
        let (one, other) = (server(), server());
        one.put(&file(), Some(&kept("one"))).unwrap();
        one.release(&file());
        assert_eq!(taken(&other), ["one"]);
        assert_eq!(taken(&one), [""; 0]);
    }

    #[test]
    fn damage_is_told_and_what_older_versions_kept_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().to_owned());
        shelf.put(&file(), Some(&kept("one"))).unwrap();
        let (at, old) = (
            shelf.place(&file(), ""),
            format!("{}.json", Hash::of("/w/a.rs")),
        );
        fs::rename(at, folder.path().join(&old)).unwrap();
        assert_eq!(taken(&shelf), ["one"]);
        fs::rename(
            shelf.taken_over()[&file()][0].clone(),
            folder.path().join(&old),
        )
        .unwrap();
        File::options()
            .append(true)
            .open(folder.path().join(&old))
            .unwrap()
            .write_all(b" ")
            .unwrap();
        assert_eq!(taken(&shelf), ["damaged"]);
        shelf.put(&file(), None).unwrap();
        assert_eq!(shelf.entries(KEPT).count(), 0);
    }
}
