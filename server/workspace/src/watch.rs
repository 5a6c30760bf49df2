use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use text::FilePath;

use crate::is_ignored;

/// Files that changed on disk, gathered until the disk was quiet for a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Files with a grammar that were written, created, renamed or removed.
    pub files: Vec<FilePath>,
    /// The system lost count: look at everything again.
    pub rescan: bool,
}

/// Watches folders for clients that cannot.
///
/// Each folder is watched by itself, so that what is ignored costs nothing.
/// Dropping the watcher ends its thread.
pub struct Watcher {
    _inner: RecommendedWatcher,
}

/// After this long without an event, what has gathered is reported.
const QUIET: Duration = Duration::from_millis(50);
/// Under a steady stream of events, a report is due at least this often.
const PATIENCE: Duration = Duration::from_secs(1);

impl Watcher {
    /// Starts to watch `folders`; `report` is called on a thread of its own.
    ///
    /// Folders that cannot be watched, for example because the system has run out of watches, are counted in the result.
    pub fn start(
        roots: Vec<FilePath>,
        folders: &[FilePath],
        report: impl Fn(Change) + Send + 'static,
    ) -> Result<(Watcher, usize), notify::Error> {
        let (sender, receiver) = channel();
        let mut watcher = notify::recommended_watcher(move |event| _ = sender.send(event))?;
        let unwatched = folders
            .iter()
            .filter(|folder| {
                watcher
                    .watch(folder.as_path(), RecursiveMode::NonRecursive)
                    .is_err()
            })
            .count();
        std::thread::Builder::new()
            .name("farthing-watch".to_owned())
            .spawn(move || gather(&roots, &receiver, &report))
            .map_err(notify::Error::io)?;
        Ok((Watcher { _inner: watcher }, unwatched))
    }
}

fn gather(
    roots: &[FilePath],
    events: &Receiver<notify::Result<notify::Event>>,
    report: &dyn Fn(Change),
) {
    while let Ok(first) = events.recv() {
        let mut paths = BTreeSet::new();
        let mut rescan = false;
        let deadline = Instant::now() + PATIENCE;
        let mut next = Some(first);
        let mut ended = false;
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
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => ended = true,
            }
        }
        let mut files = Vec::new();
        for path in paths {
            // A folder that came or went holds files that no event names.
            if path.is_dir() || looks_like_folder(&path) {
                rescan = true;
            } else if let Ok(file) = FilePath::new(&path)
                && grammars::for_path(file.file_name()).is_some()
                && (!path.exists() || !is_ignored(roots, &file))
            {
                files.push(file);
            }
        }
        if rescan || !files.is_empty() {
            report(Change { files, rescan });
        }
        if ended {
            return;
        }
    }
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Any | EventKind::Create(_) | EventKind::Remove(_) | EventKind::Other => true,
        EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
        EventKind::Access(_) => false,
    }
}

fn looks_like_folder(path: &Path) -> bool {
    !path.exists() && path.extension().is_none()
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that they read"
)]
mod tests {
    use super::*;

    #[test]
    fn a_written_and_a_removed_file_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let root = FilePath::new(folder.path()).unwrap();
        let file = root.join("a.rs").unwrap();
        let (sender, receiver) = channel();
        let (watcher, unwatched) = Watcher::start(vec![root.clone()], &[root], move |change| {
            _ = sender.send(change);
        })
        .unwrap();
        assert_eq!(unwatched, 0);
        std::fs::write(file.as_path(), "fn a() {}").unwrap();
        let wait = || receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(
            wait(),
            Change {
                files: vec![file.clone()],
                rescan: false
            }
        );
        std::fs::remove_file(file.as_path()).unwrap();
        assert_eq!(
            wait(),
            Change {
                files: vec![file],
                rescan: false
            }
        );
        drop(watcher);
        assert!(receiver.recv_timeout(Duration::from_secs(10)).is_err());
    }
}
