//! Follows the disk: the first pass, and what changes afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use text::FilePath;
use workspace::{Change, Coverage, Focus, Step, Store, Watcher};

use crate::history::Following;
use crate::{Engine, Event, Level};

/// The pass over the disk that is under way, and what changes beside it and after it.
#[derive(Default)]
pub(crate) struct Indexing {
    pub(crate) cancel: Arc<AtomicBool>,
    watcher: Option<Watcher>,
    pub(crate) following: Following,
    /// Whether the server notices changes by itself.
    watch: bool,
    /// What changed and was not looked at yet.
    due: Change,
    /// Whether somebody is looking.
    busy: bool,
}

/// More files at once than this are a pass over the disk: on all cores, and kept for the next start.
const MANY: usize = 200;

impl Indexing {
    pub(crate) fn stop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        self.watcher = None;
        self.following.watchers.clear();
        self.due = Change::default();
    }
}

/// What a client that watches files has to watch, as patterns.
pub fn watched_patterns() -> Vec<String> {
    let endings = grammars::all()
        .iter()
        .flat_map(|grammar| grammar.extensions)
        .map(|ending| format!("**/*.{ending}"));
    let names = grammars::all()
        .iter()
        .flat_map(|grammar| grammar.file_names)
        .chain(&workspace::IGNORE_FILES)
        .chain(&review::MANIFESTS)
        .map(|name| format!("**/{name}"));
    let patterns: BTreeSet<String> = endings.chain(names).collect();
    patterns.into_iter().collect()
}

impl Engine {
    /// Makes `roots` the workspace folders and indexes them in the background.
    ///
    /// With `watch`, the server notices changes on disk by itself; without, the client reports them.
    pub fn set_roots(&self, roots: Vec<FilePath>, watch: bool) {
        let roots: Vec<FilePath> = roots
            .into_iter()
            .filter(|root| {
                let exists = root.as_path().is_dir();
                if !exists {
                    self.notify(
                        Level::Warning,
                        format!(
                            "the workspace folder {root} does not exist; nothing in it is indexed"
                        ),
                    );
                }
                exists
            })
            .collect();
        self.recall_opinions(&roots);
        self.with(|state| {
            state.workspace.set_roots(roots);
            state.indexing.watch = watch;
        });
        self.configure();
        self.look_at_everything();
    }

    /// Starts a pass over the disk, in place of the one that is under way.
    fn look_at_everything(&self) {
        let (roots, watch, cancel) = self.with(|state| {
            let indexing = &mut state.indexing;
            indexing.stop();
            indexing.cancel = Arc::default();
            let roots = state.workspace.snapshot().roots;
            (roots, indexing.watch, indexing.cancel.clone())
        });
        let engine = self.clone();
        self.spawn(async move {
            let work =
                tokio::task::spawn_blocking(move || engine.index_all(&roots, watch, &cancel));
            if work.await.is_err() {
                tracing::error!("indexing panicked; answers about other files will be incomplete");
            }
        });
    }

    fn index_all(&self, roots: &[FilePath], watch: bool, cancel: &Arc<AtomicBool>) {
        self.with(|state| {
            // A later pass has taken over.
            if !cancel.load(Ordering::Relaxed) {
                state.workspace.begin_scan();
            }
        });
        self.show_coverage(Coverage::default());
        let store = self.shared.cache.as_deref();
        let store = store.map(|cache| Store::of(cache, roots));
        let watcher = watch.then(|| self.watcher(roots, cancel)).flatten();
        let focus = || Focus::of(&self.snapshot());
        let scan = workspace::scan(roots, store.as_ref(), Some(&focus), cancel, &|step| {
            if let Step::Folder(folder) = &step {
                if let Some(watcher) = &watcher {
                    watcher.watch(folder);
                }
                return;
            }
            let moves = matches!(step, Step::Progress(..));
            let coverage = self.with(|state| {
                if !cancel.load(Ordering::Relaxed) {
                    state.workspace.take_in(step);
                }
                state.workspace.snapshot().coverage
            });
            if moves {
                self.show_coverage(coverage);
            }
        });
        if scan.cancelled {
            return;
        }
        tracing::info!(files = scan.files, read = scan.read, "indexed");
        for (file, reason) in &scan.left_out {
            tracing::debug!(%file, ?reason, "left out of the index");
        }
        self.set_coverage(Coverage {
            done: scan.files,
            found: scan.files,
            complete: true,
        });
        if let Some(watcher) = watcher {
            let unwatched = watcher.unwatched();
            if unwatched > 0 {
                tracing::warn!(
                    unwatched,
                    "folders cannot be watched; changes in them are seen at the next start"
                );
            }
            self.with(|state| {
                if !cancel.load(Ordering::Relaxed) {
                    state.indexing.watcher = Some(watcher);
                }
            });
        }
        self.review_all(&scan.others);
        let open: Vec<FilePath> = self
            .snapshot()
            .open_documents()
            .map(|document| document.file().clone())
            .collect();
        self.mark_stale(open);
        self.follow_history();
    }

    fn watcher(&self, roots: &[FilePath], cancel: &Arc<AtomicBool>) -> Option<Watcher> {
        let (engine, stopped) = (self.clone(), cancel.clone());
        // The watcher's thread knows no tasks.
        let runtime = tokio::runtime::Handle::current();
        let started = Watcher::start(roots.to_vec(), move |change| {
            if !stopped.load(Ordering::Relaxed) {
                let _runtime = runtime.enter();
                engine.changed_on_disk(change);
            }
        });
        if let Err(error) = &started {
            tracing::warn!(%error, "the disk cannot be watched; changes by other programs are seen at the next start");
        }
        started.ok()
    }

    /// The client, or whoever wrote to disk, says that these files have changed.
    pub fn refresh_from_disk(&self, files: Vec<FilePath>) {
        self.changed_on_disk(Change::of(files));
    }

    /// Has what changed looked at, after what is being looked at now, together with all that changes until then.
    fn changed_on_disk(&self, change: Change) {
        let starts = self.with(|state| {
            state.indexing.due.join(change);
            !std::mem::replace(&mut state.indexing.busy, true)
        });
        if !starts {
            return;
        }
        let engine = self.clone();
        self.spawn(async move {
            let worker = engine.clone();
            let work = tokio::task::spawn_blocking(move || worker.catch_up());
            if work.await.is_err() {
                tracing::error!("reading changed files panicked; they keep their last facts");
                engine.with(|state| state.indexing.busy = false);
            }
        });
    }

    /// Looks at what changed until there is no more of it.
    fn catch_up(&self) {
        loop {
            let change = self.with(|state| {
                let change = std::mem::take(&mut state.indexing.due);
                state.indexing.busy = !change.is_empty();
                change
            });
            if change.is_empty() {
                return;
            }
            if change.rescan || change.files.len() > MANY {
                self.look_at_everything();
            } else {
                self.read_again(&change);
            }
        }
    }

    fn read_again(&self, change: &Change) {
        let snapshot = self.snapshot();
        let mut files: BTreeSet<FilePath> = BTreeSet::new();
        for path in &change.gone {
            files.extend(snapshot.index().inside(path));
            self.with(|state| state.workspace.forget_all(path));
        }
        for file in &change.files {
            if self.shared.shutdown.is_cancelled() {
                return;
            }
            if grammars::for_path(file.file_name()).is_some() {
                let facts = workspace::facts_on_disk(&snapshot.roots, file);
                self.with(|state| match facts {
                    Some(facts) => _ = state.workspace.index_file(file, facts, None),
                    None => _ = state.workspace.forget(file),
                });
                files.insert(file.clone());
            }
        }
        let manifests = change.files.iter().chain(&change.gone);
        self.manifests_changed(manifests.filter(|file| review::is_manifest(file)));
        let moved = self.remember_past();
        if moved {
            let open = snapshot.open_documents();
            files.extend(open.map(|document| document.file().clone()));
        }
        self.review_changed(&files);
        self.follow_history();
        for document in snapshot.open_documents() {
            self.show(Event::Markers(document.file().clone()));
        }
    }
}
