//! Follows the disk: the first pass, and what changes afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use text::FilePath;
use workspace::{Change, Coverage, Focus, Step, Store, Watcher};

use crate::{Engine, Event, Level};

/// The pass over the disk that is under way, and the watcher that takes over from it.
#[derive(Default)]
pub(crate) struct Indexing {
    cancel: Arc<AtomicBool>,
    watcher: Option<Watcher>,
}

impl Indexing {
    pub(crate) fn stop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        self.watcher = None;
    }
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
        let cancel = self.with(|state| {
            state.workspace.set_roots(roots.clone());
            state.indexing.stop();
            let cancel = Arc::new(AtomicBool::new(false));
            state.indexing.cancel = cancel.clone();
            cancel
        });
        self.configure();
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
        self.with(|state| state.workspace.begin_scan());
        self.show_coverage(Coverage::default());
        let store = self.shared.cache.as_deref();
        let store = store.map(|cache| Store::of(cache, roots));
        let focus = || Focus::of(&self.snapshot());
        let scan = workspace::scan(roots, store.as_ref(), Some(&focus), cancel, &|step| {
            let moves = matches!(step, Step::Progress(..));
            let coverage = self.with(|state| {
                // A later pass has taken over.
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
        self.review_all(&scan.others);
        let open: Vec<FilePath> = self
            .snapshot()
            .open_documents()
            .map(|document| document.file().clone())
            .collect();
        self.mark_stale(open);
        if watch {
            self.watch(roots, &scan.folders, cancel);
        }
    }

    fn watch(&self, roots: &[FilePath], folders: &[FilePath], cancel: &Arc<AtomicBool>) {
        let engine = self.clone();
        let again = roots.to_vec();
        let stopped = cancel.clone();
        let started = Watcher::start(roots.to_vec(), folders, move |Change { files, rescan }| {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            if rescan {
                engine.set_roots(again.clone(), true);
            } else {
                engine.read_again(&files);
            }
        });
        match started {
            Ok((watcher, unwatched)) => {
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
            Err(error) => {
                tracing::warn!(%error, "the disk cannot be watched; changes by other programs are seen at the next start");
            }
        }
    }

    /// The client, or whoever wrote to disk, says that these files have changed.
    pub fn refresh_from_disk(&self, files: Vec<FilePath>) {
        let engine = self.clone();
        self.spawn(async move {
            let work = tokio::task::spawn_blocking(move || engine.read_again(&files));
            if work.await.is_err() {
                tracing::error!("reading changed files panicked; they keep their last facts");
            }
        });
    }

    fn read_again(&self, files: &[FilePath]) {
        let snapshot = self.snapshot();
        for file in files {
            let facts = workspace::facts_on_disk(&snapshot.roots, file);
            self.with(|state| match facts {
                Some(facts) => _ = state.workspace.index_file(file, facts, None),
                None => _ = state.workspace.forget(file),
            });
        }
        self.review_changed(&files.iter().cloned().collect());
        for document in snapshot.open_documents() {
            self.show(Event::Markers(document.file().clone()));
        }
    }
}
