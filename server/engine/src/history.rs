//! What repositories tell of the past of the workspace: read in the background, and kept for the next start.
//!
//! A history is a matter of the commit that is checked out. So it is kept under the commit's name, and read again only
//! when another one is checked out.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use review::{History, LogReader, RuleId, WrittenHistory};
use text::{FilePath, Hash};
use workspace::{Extent, Head, HeadWatcher};

use crate::{Engine, Level};

/// Git gets no more time than this; what it has told by then is the newest part.
const MOST_TIME: Duration = Duration::from_mins(1);
/// Of so many commits the histories are kept, whatever the folders.
const KEPT: usize = 32;
const ENDING: &str = "history";
/// The rules that need a history.
const RULES: [RuleId; 4] = [
    RuleId::Hotspot,
    RuleId::God,
    RuleId::ChangeCoupling,
    RuleId::MirrorEdit,
];

/// The history of a folder as it could be read.
pub struct Told {
    /// What it says.
    pub history: History,
    /// Why it says less than it could; a sentence for the user, without a final dot.
    pub lacks: Option<String>,
}

/// Reads what the repository around a folder tells of the last two years, or takes what was kept of that in `cache`.
/// Nothing outside of a repository, and before its first commit.
///
/// # Errors
///
/// If there is a repository that git cannot read.
pub fn history_of(
    folder: &FilePath,
    cache: Option<&Path>,
    stop: &dyn Fn() -> bool,
) -> anyhow::Result<Option<Told>> {
    let head = Head::of(folder)?;
    head.map(|head| read(folder, &head, cache, stop))
        .transpose()
}

fn read(
    folder: &FilePath,
    head: &Head,
    cache: Option<&Path>,
    stop: &dyn Fn() -> bool,
) -> anyhow::Result<Told> {
    let began = Instant::now();
    let shallow = head.is_shallow().then(|| {
        format!("the clone of {folder} is shallow, so that only the commits in it count for rules about the history")
    });
    let shelf = cache.map(|cache| Shelf::new(cache, folder, head));
    if let Some(history) = shelf.as_ref().and_then(|shelf| shelf.load(folder)) {
        return Ok(Told {
            history,
            lacks: shallow,
        });
    }
    let stop = || stop() || began.elapsed() > MOST_TIME;
    let mut reader = LogReader::new(folder.clone());
    let mut extent = head.log(&stop, &mut |piece| reader.feed(piece));
    if let Err(error) = &extent {
        tracing::debug!(%error, "older texts are missing; what was moved is told by its text being the same");
        reader = LogReader::new(folder.clone());
        extent = head.log_without_texts(&stop, &mut |piece| reader.feed(piece));
    }
    let whole = extent? == Extent::Whole;
    let history = reader.finish();
    tracing::info!(%folder, commits = history.commits(), whole, took = ?began.elapsed(), "read the history");
    let cut = (!whole).then(|| {
        format!(
            "git takes long to tell the history of {folder}, so that only the last {} commits count",
            history.commits()
        )
    });
    if let Some(shelf) = shelf.filter(|_| whole)
        && let Err(error) = shelf.save(&history.written(folder))
    {
        tracing::warn!(%error, "the history will be read again at the next start");
    }
    Ok(Told {
        history,
        lacks: cut.or(shallow),
    })
}

/// Where the history of a folder at one commit is kept.
struct Shelf {
    folder: PathBuf,
    path: PathBuf,
}

impl Shelf {
    fn new(cache: &Path, root: &FilePath, head: &Head) -> Shelf {
        // A program that was built anew may read a history otherwise.
        let program = std::env::current_exe().and_then(std::fs::metadata);
        let program = program.ok().map(|file| (file.len(), file.modified().ok()));
        let key = Hash::of(&format!("{root}\n{program:?}"));
        let folder = cache.join("history");
        let path = folder.join(format!("{key}-{}.{ENDING}", head.commit()));
        Shelf { folder, path }
    }

    /// What is there, if anything is.
    fn load(&self, root: &FilePath) -> Option<History> {
        let written = std::fs::read(&self.path).ok()?;
        let written: WrittenHistory = serde_json::from_slice(&written).ok()?;
        // Says that it is in use, so that it is not the first to go.
        if let Ok(file) = std::fs::File::options().append(true).open(&self.path) {
            _ = file.set_modified(SystemTime::now());
        }
        Some(History::from_written(root, &written))
    }

    fn save(&self, written: &WrittenHistory) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let mut draft = tempfile::NamedTempFile::new_in(&self.folder)?;
        draft.write_all(&serde_json::to_vec(written)?)?;
        draft.persist(&self.path)?;
        self.clean_up();
        Ok(())
    }

    /// Removes what was not used for the longest time.
    fn clean_up(&self) {
        let entries = std::fs::read_dir(&self.folder);
        let paths = entries.into_iter().flatten().flatten();
        let paths = paths.map(|entry| entry.path());
        let mut kept: Vec<(SystemTime, PathBuf)> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == ENDING))
            .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
            .collect();
        kept.sort_unstable_by(|a, b| b.cmp(a));
        for (_, path) in kept.iter().skip(KEPT) {
            _ = std::fs::remove_file(path);
        }
    }
}

/// The histories of the workspace folders that have one.
#[derive(Default)]
pub(crate) struct Histories(Vec<(FilePath, Head, Arc<History>)>);

impl Histories {
    /// The history that a file is part of.
    pub(crate) fn of(&self, file: &FilePath) -> Arc<History> {
        let around = self.0.iter().filter(|(root, ..)| file.is_inside(root));
        let nearest = around.max_by_key(|(root, ..)| root.as_str().len());
        nearest.map_or_else(Arc::default, |(.., history)| Arc::clone(history))
    }

    fn at(&self, head: &Head) -> Option<Arc<History>> {
        let same = self.0.iter().find(|(_, other, _)| other == head);
        same.map(|(.., history)| Arc::clone(history))
    }

    fn heads(&self) -> impl Iterator<Item = &Head> {
        self.0.iter().map(|(_, head, _)| head)
    }
}

/// The reading that is under way, and what says that another is due.
#[derive(Default)]
pub(crate) struct Following {
    busy: bool,
    due: bool,
    pub(crate) watchers: Vec<HeadWatcher>,
}

impl Engine {
    /// Reads the histories of the workspace folders again that may be others than before, once it is done with what it is
    /// reading. Nobody waits for it.
    pub(crate) fn follow_history(&self) {
        let starts = self.with(|state| {
            let following = &mut state.indexing.following;
            following.due = true;
            !std::mem::replace(&mut following.busy, true)
        });
        if !starts {
            return;
        }
        let engine = self.clone();
        self.spawn(async move {
            let worker = engine.clone();
            let work = tokio::task::spawn_blocking(move || worker.read_histories());
            if work.await.is_err() {
                tracing::error!("reading the history panicked; rules about it say what they said");
                engine.with(|state| state.indexing.following.busy = false);
            }
        });
    }

    /// Reads until nothing is due.
    fn read_histories(&self) {
        loop {
            let next = self.with(|state| {
                let indexing = &mut state.indexing;
                let due = std::mem::take(&mut indexing.following.due);
                indexing.following.busy = due;
                due.then(|| (state.workspace.snapshot().roots, indexing.cancel.clone()))
            });
            let Some((roots, cancel)) = next else {
                return;
            };
            self.read_histories_of(&roots, &cancel);
        }
    }

    fn read_histories_of(&self, roots: &[FilePath], cancel: &AtomicBool) {
        let stop = || cancel.load(Ordering::Relaxed) || self.shared.shutdown.is_cancelled();
        let config = self.config();
        let wanted = RULES.iter().any(|rule| config.rules.get(*rule).is_some());
        let before = self.histories();
        let mut known = Histories::default();
        for root in roots.iter().filter(|_| wanted) {
            match self.read_one(root, &before, &stop) {
                Ok(None) => {}
                Ok(Some((head, history))) => known.0.push((root.clone(), head, history)),
                Err(error) => self.tell_once(
                    Level::Log,
                    format!("the history of {root} cannot be read, so that rules about it find nothing: {error}"),
                ),
            }
            if stop() {
                return;
            }
        }
        let began_elsewhere = self.remember_past();
        let moved = !known.heads().eq(before.heads());
        if moved {
            let known = Arc::new(known);
            self.reviewed(|reviewed| reviewed.histories = known);
        }
        if moved || began_elsewhere {
            let open = self.snapshot();
            let open = open
                .open_documents()
                .map(|document| document.file().clone());
            self.mark_stale(open);
        }
    }

    fn read_one(
        &self,
        root: &FilePath,
        before: &Histories,
        stop: &dyn Fn() -> bool,
    ) -> anyhow::Result<Option<(Head, Arc<History>)>> {
        let Some(head) = Head::of(root)? else {
            return Ok(None);
        };
        self.watch_head(&head);
        if let Some(history) = before.at(&head) {
            return Ok(Some((head, history)));
        }
        let Told { history, lacks } = read(root, &head, self.shared.cache.as_deref(), stop)?;
        if let Some(lacks) = lacks.filter(|_| !stop()) {
            self.tell_once(Level::Log, lacks);
        }
        Ok(Some((head, Arc::new(history))))
    }

    /// Has the history looked at again when something else is checked out.
    fn watch_head(&self, head: &Head) {
        let watched = self.with(|state| {
            let mut watchers = state.indexing.following.watchers.iter();
            watchers.any(|watcher| watcher.watches(head))
        });
        if watched {
            return;
        }
        let engine = self.clone();
        // The watcher's thread knows no tasks.
        let runtime = tokio::runtime::Handle::current();
        let watcher = head.watch(move || {
            let _runtime = runtime.enter();
            engine.follow_history();
        });
        match watcher {
            // A server that is about to end would wait for nothing any more.
            Ok(watcher) => self.with(|state| {
                if !self.shared.shutdown.is_cancelled() {
                    state.indexing.following.watchers.push(watcher);
                }
            }),
            Err(error) => {
                tracing::warn!(%error, "commits are noticed when a file changes");
            }
        }
    }

    pub(crate) fn histories(&self) -> Arc<Histories> {
        self.reviewed(|reviewed| Arc::clone(&reviewed.histories))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use std::process::Command;

    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
        command.args(["-c", "commit.gpgsign=false"]).args(arguments);
        let output = command.current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// A repository of one commit, and a place for what is kept of it.
    fn repository() -> (tempfile::TempDir, FilePath, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (root, cache) = (folder.path().join("root"), folder.path().join("cache"));
        std::fs::create_dir(&root).unwrap();
        let root = root.canonicalize().unwrap();
        git(&root, &["init", "-q", "-b", "main"]);
        std::fs::write(root.join("a.py"), "x = 1\n").unwrap();
        git(&root, &["add", "."]);
        git(&root, &["commit", "-q", "-m", "x"]);
        (folder, FilePath::new(root).unwrap(), cache)
    }

    const AT_ONCE: &dyn Fn() -> bool = &|| true;

    fn commits(root: &FilePath, cache: &Path, stop: &dyn Fn() -> bool) -> (u32, bool) {
        let told = history_of(root, Some(cache), stop).unwrap().unwrap();
        (told.history.commits(), told.lacks.is_none())
    }

    #[test]
    fn what_was_read_once_is_taken_again() {
        let (_folder, root, cache) = repository();
        // What was not read to its end is said to be so, and not kept.
        assert!(!commits(&root, &cache, AT_ONCE).1);
        assert_eq!(commits(&root, &cache, &|| false), (1, true));
        assert_eq!(commits(&root, &cache, AT_ONCE), (1, true));
        std::fs::write(root.join("a.py").unwrap().as_path(), "x = 2\n").unwrap();
        git(root.as_path(), &["commit", "-q", "-a", "-m", "x"]);
        assert!(!commits(&root, &cache, AT_ONCE).1);
        assert_eq!(commits(&root, &cache, &|| false), (2, true));
        git(root.as_path(), &["checkout", "-q", "HEAD~1"]);
        assert_eq!(commits(&root, &cache, AT_ONCE), (1, true));
    }

    #[test]
    fn damage_costs_a_reading_and_the_oldest_go_first() {
        let (_folder, root, cache) = repository();
        let kept = cache.join("history");
        std::fs::create_dir_all(&kept).unwrap();
        for number in 0..KEPT {
            std::fs::write(kept.join(format!("{number}.{ENDING}")), "{}").unwrap();
        }
        let old = std::fs::File::options()
            .append(true)
            .open(kept.join("7.history"));
        old.unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        commits(&root, &cache, &|| false);
        assert!(!kept.join("7.history").exists());
        assert_eq!(kept.read_dir().unwrap().count(), KEPT);
        for entry in kept.read_dir().unwrap() {
            std::fs::write(entry.unwrap().path(), b"\xff{\"commits\": 7").unwrap();
        }
        assert_eq!(commits(&root, &cache, &|| false), (1, true));
    }

    #[test]
    fn a_shallow_clone_says_so() {
        let (folder, root, cache) = repository();
        git(
            root.as_path(),
            &["commit", "-q", "--allow-empty", "-m", "x"],
        );
        let from = format!("file://{root}");
        git(
            folder.path(),
            &["clone", "-q", "--depth", "1", &from, "shallow"],
        );
        let clone = folder.path().canonicalize().unwrap().join("shallow");
        let told = history_of(&FilePath::new(clone).unwrap(), Some(&cache), &|| false);
        let told = told.unwrap().unwrap();
        assert_eq!(told.history.commits(), 1);
        assert!(told.lacks.unwrap().contains("is shallow"));
    }
}
