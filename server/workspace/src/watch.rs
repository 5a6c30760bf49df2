//! Notices what other programs do to the files, for clients that do not say so.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use text::FilePath;

use crate::is_ignored;
use crate::walk::{is_internal, root_of, walk};

/// What changed on disk, gathered until the disk was quiet for a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Files that were written, created, renamed or removed, and files of folders that came; not those that are
    /// ignored.
    pub files: BTreeSet<FilePath>,
    /// What is not there any more: files, or folders with all that was in them.
    pub gone: BTreeSet<FilePath>,
    /// The system lost count, or other files count from now on: look at everything again.
    pub rescan: bool,
}

impl Change {
    /// Sorts files into those that are there and those that are gone, and notices files that say which others count.
    pub fn of(files: impl IntoIterator<Item = FilePath>) -> Change {
        let mut change = Change::default();
        for file in files {
            change.rescan |= is_ignore_file(&file);
            match std::fs::symlink_metadata(file.as_path()) {
                Ok(_) => change.files.insert(file),
                Err(_) => change.gone.insert(file),
            };
        }
        change
    }

    /// Takes in what changed later.
    pub fn join(&mut self, later: Change) {
        self.gone.retain(|path| !later.files.contains(path));
        self.files.retain(|path| !later.gone.contains(path));
        self.files.extend(later.files);
        self.gone.extend(later.gone);
        self.rescan |= later.rescan;
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.gone.is_empty() && !self.rescan
    }
}

/// Files that say which other files count.
pub const IGNORE_FILES: [&str; 2] = [".gitignore", ".ignore"];

fn is_ignore_file(file: &FilePath) -> bool {
    IGNORE_FILES.contains(&file.file_name())
}

/// Watches folders for clients that cannot.
///
/// Each folder is watched by itself, so that what is ignored costs nothing; folders that come are watched as well.
/// Dropping the watcher ends its thread.
pub struct Watcher {
    inner: Arc<Inner>,
}

struct Inner {
    system: Mutex<RecommendedWatcher>,
    unwatched: AtomicUsize,
}

/// After this long without an event, what has gathered is reported.
const QUIET: Duration = Duration::from_millis(50);
/// Under a steady stream of events, a report is due at least this often.
const PATIENCE: Duration = Duration::from_secs(1);

impl Watcher {
    /// Watches nothing yet. `report` will be called on a thread of its own.
    pub fn start(
        roots: Vec<FilePath>,
        report: impl Fn(Change) + Send + 'static,
    ) -> Result<Watcher, notify::Error> {
        let (sender, receiver) = channel();
        let system = notify::recommended_watcher(move |event| _ = sender.send(event))?;
        let inner = Arc::new(Inner {
            system: Mutex::new(system),
            unwatched: AtomicUsize::new(0),
        });
        let weak = Arc::downgrade(&inner);
        std::thread::Builder::new()
            .name("farthing-watch".to_owned())
            .spawn(move || gather(&roots, &weak, &receiver, &report))
            .map_err(notify::Error::io)?;
        Ok(Watcher { inner })
    }

    /// Watches a folder, not those in it. What happens after this will be reported.
    pub fn watch(&self, folder: &FilePath) {
        self.inner.watch(folder);
    }

    /// How many folders could not be watched, for example because the system has run out of watches.
    pub fn unwatched(&self) -> usize {
        self.inner.unwatched.load(Ordering::Relaxed)
    }
}

impl Inner {
    fn watch(&self, folder: &FilePath) {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if system
            .watch(folder.as_path(), RecursiveMode::NonRecursive)
            .is_err()
        {
            self.unwatched.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn gather(
    roots: &[FilePath],
    watcher: &Weak<Inner>,
    events: &Receiver<notify::Result<notify::Event>>,
    report: &dyn Fn(Change),
) {
    while let Ok(first) = events.recv() {
        let mut paths = BTreeSet::new();
        let mut rescan = false;
        let deadline = Instant::now() + PATIENCE;
        let mut next = Some(first);
        while let Some(event) = next.take() {
            match event {
                Ok(event) => {
                    rescan |= event.need_rescan();
                    if is_change(event.kind) {
                        paths.extend(event.paths);
                    }
                }
                Err(_) => rescan = true,
            }
            if Instant::now() >= deadline {
                break;
            }
            match events.recv_timeout(QUIET) {
                Ok(event) => next = Some(event),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        // Without the watcher, nobody wants to know any more.
        let Some(watcher) = watcher.upgrade() else {
            return;
        };
        let change = Change {
            rescan,
            ..Change::default()
        };
        let change = sort_out(change, paths, roots, &watcher);
        drop(watcher);
        if !change.is_empty() {
            report(change);
        }
    }
}

/// Finds out what became of the paths that the system named.
fn sort_out(
    mut change: Change,
    paths: BTreeSet<PathBuf>,
    roots: &[FilePath],
    watcher: &Inner,
) -> Change {
    for path in paths {
        let Ok(path) = FilePath::new(&path) else {
            continue;
        };
        let inside = root_of(roots, &path).and_then(|root| path.relative_to(root));
        let internal = |inside: &str| inside.split('/').any(|part| is_internal(part.as_ref()));
        if inside.is_none_or(internal) {
            continue;
        }
        change.rescan |= is_ignore_file(&path);
        let kind = std::fs::symlink_metadata(path.as_path()).map(|metadata| metadata.file_type());
        match kind {
            Err(_) => _ = change.gone.insert(path),
            Ok(kind) if kind.is_dir() => {
                if !is_ignored(roots, &path) {
                    let never = AtomicBool::new(false);
                    let came = walk(&[path], &never, &|folder| watcher.watch(folder));
                    let files = came.files.into_iter().map(|found| found.file);
                    change.files.extend(files.chain(came.others));
                }
            }
            Ok(_) if !is_ignored(roots, &path) => _ = change.files.insert(path),
            Ok(_) => {}
        }
    }
    change
}

pub(crate) fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Any | EventKind::Create(_) | EventKind::Remove(_) | EventKind::Other => true,
        EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
        EventKind::Access(_) => false,
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that they read"
)]
mod tests {
    use super::*;

    fn watched(folder: &tempfile::TempDir) -> (Watcher, Receiver<Change>, FilePath) {
        let root = FilePath::new(folder.path()).unwrap();
        let (sender, receiver) = channel();
        let watcher = Watcher::start(vec![root.clone()], move |change| {
            _ = sender.send(change);
        })
        .unwrap();
        walk(
            std::slice::from_ref(&root),
            &AtomicBool::new(false),
            &|folder| watcher.watch(folder),
        );
        assert_eq!(watcher.unwatched(), 0);
        (watcher, receiver, root)
    }

    /// Joins what is reported until it is what it should be.
    fn wait(receiver: &Receiver<Change>, root: &FilePath, files: &[&str], gone: &[&str]) {
        let all = |paths: &[&str]| paths.iter().map(|path| root.join(path).unwrap()).collect();
        let (files, gone) = (all(files), all(gone));
        let mut change = Change::default();
        while (&change.files, &change.gone) != (&files, &gone) {
            let later = receiver.recv_timeout(Duration::from_secs(10));
            change.join(later.unwrap_or_else(|error| panic!("{error} after {change:?}")));
        }
    }

    #[test]
    fn a_written_and_a_removed_file_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let (watcher, receiver, root) = watched(&folder);
        let file = root.join("a.rs").unwrap();
        std::fs::write(file.as_path(), "fn a() {}").unwrap();
        wait(&receiver, &root, &["a.rs"], &[]);
        std::fs::remove_file(file.as_path()).unwrap();
        wait(&receiver, &root, &[], &["a.rs"]);
        drop(watcher);
        assert!(receiver.recv_timeout(Duration::from_secs(10)).is_err());
    }

    #[test]
    fn a_folder_that_comes_is_watched_and_one_that_goes_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let (_watcher, receiver, root) = watched(&folder);
        let made = folder.path().join("made");
        std::fs::create_dir_all(made.join("inner")).unwrap();
        std::fs::write(made.join("inner/a.rs"), "fn a() {}").unwrap();
        wait(&receiver, &root, &["made/inner/a.rs"], &[]);
        std::fs::write(made.join("inner/b.rs"), "fn b() {}").unwrap();
        wait(&receiver, &root, &["made/inner/b.rs"], &[]);
        std::fs::rename(&made, folder.path().join("kept")).unwrap();
        wait(
            &receiver,
            &root,
            &["kept/inner/a.rs", "kept/inner/b.rs"],
            &["made"],
        );
    }

    #[test]
    fn what_is_ignored_is_not_reported_and_an_ignore_file_changes_everything() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".gitignore"), "out\n*.min.js\n").unwrap();
        let (_watcher, receiver, root) = watched(&folder);
        std::fs::create_dir_all(folder.path().join("out")).unwrap();
        std::fs::write(folder.path().join("out/a.rs"), "fn a() {}").unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join("b.min.js"), "b()").unwrap();
        std::fs::write(folder.path().join("c.rs"), "fn c() {}").unwrap();
        wait(&receiver, &root, &["c.rs"], &[]);
        std::fs::write(folder.path().join(".gitignore"), "").unwrap();
        let change = receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(change.rescan);
    }
}
