use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use gate::Policy;
use index::Facts;
use provider::Provider;
use serde_json::Value;
use text::{EditSet, FilePath, Text};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use workspace::{Coverage, Snapshot, Workspace};

use crate::config::{Config, Problem};
use crate::hunks::Hunks;
use crate::opinions::{Memory, Opinions};
use crate::runs::Runs;
use crate::shelf::Shelf;
use crate::{Editor, Event, Level, Purse};

/// One server's state and everything that can be done to it. Cloning is cheap and gives the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

/// What an engine is made from.
pub struct Setup {
    /// Makes the configuration anew, from the editor's settings and the workspace folders.
    pub resolve: Resolve,
    /// The model API, or the sentence that says how to set one up.
    pub provider: Result<Arc<dyn Provider>, String>,
    /// Prices, ledger and limits.
    pub purse: Purse,
    /// The editor.
    pub editor: Arc<dyn Editor>,
    /// How long to wait for what.
    pub timing: Timing,
    /// Where journals of runs go.
    pub journals: std::path::PathBuf,
    /// Where hunks that wait for a decision are kept for the next start; nowhere if none.
    pub hunks: Option<std::path::PathBuf>,
    /// Where what reviews by a model have come to is kept for the next start; nowhere if none.
    pub reviews: Option<std::path::PathBuf>,
    /// Where what can be made again is kept for the next start; nowhere if none.
    pub cache: Option<std::path::PathBuf>,
}

/// Makes a configuration from an editor's settings and the workspace folders, and says what is wrong with it.
pub type Resolve = Arc<dyn Fn(Option<&Value>, &[FilePath]) -> (Config, Vec<Problem>) + Send + Sync>;

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// An edit is sent after this long without typing in its document.
    pub quiet: Duration,
    /// Quiet is waited for no longer than this.
    pub patience: Duration,
    /// An edit that typing overtakes is sent again for this long before it counts as refused.
    pub overtaken: Duration,
    /// An edit that no document change shows after this long has not landed.
    pub proof: Duration,
}

/// Editors kill servers that take longer to go than a few seconds.
const GRACE: Duration = Duration::from_secs(3);

impl Default for Timing {
    /// The figures cover what editors were measured to do: Neovim holds changes back for 150 ms, Eglot for 500 ms.
    fn default() -> Timing {
        Timing {
            quiet: Duration::from_millis(300),
            patience: Duration::from_secs(5),
            overtaken: Duration::from_mins(1),
            proof: Duration::from_secs(2),
        }
    }
}

pub(crate) struct Shared {
    state: Mutex<State>,
    /// Bumped after every document change, so that whoever waits for one can look again.
    pub(crate) changed: watch::Sender<u64>,
    /// Files whose parse and markers are due.
    pub(crate) stale: watch::Sender<BTreeSet<FilePath>>,
    /// Whether nobody is at work on them.
    quiet: watch::Sender<bool>,
    pub(crate) config: ArcSwap<Config>,
    resolve: Resolve,
    /// Problems that the user has been told.
    told: Mutex<BTreeSet<String>>,
    /// Apart from the rest, because a review of a large workspace takes longer than a keystroke may.
    pub(crate) reviewed: Mutex<crate::findings::Reviewed>,
    /// How often the whole workspace has been reviewed.
    pub(crate) reviews: watch::Sender<u64>,
    /// How many runs have ended, for those that wait for one.
    pub(crate) ended: watch::Sender<u64>,
    /// What a review by a model would ask.
    pub(crate) asked: Mutex<crate::reviewer::Asked>,
    /// What reviews by a model have come to.
    pub(crate) opinions: Mutex<Opinions>,
    pub(crate) memory: Option<Memory>,
    pub(crate) provider: Result<Arc<dyn Provider>, String>,
    pub(crate) purse: Purse,
    pub(crate) editor: Arc<dyn Editor>,
    pub(crate) timing: Timing,
    pub(crate) journals: std::path::PathBuf,
    pub(crate) shelf: Option<Arc<Shelf>>,
    pub(crate) cache: Option<std::path::PathBuf>,
    /// Told when hunks have come, gone or changed since they were written down.
    pub(crate) unkept: Notify,
    /// One edit is on its way to the editor at a time.
    pub(crate) landing: Semaphore,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

/// Everything that changes.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) workspace: Workspace,
    pub(crate) hunks: Hunks,
    pub(crate) runs: Runs,
    pub(crate) indexing: crate::indexer::Indexing,
    /// What the editor sent.
    settings: Option<Value>,
    /// Whether the user has said that the workspace is not to be trusted.
    pub(crate) distrusted: bool,
    /// The text that an edit on its way would make, so that its change is not taken for typing.
    pub(crate) expected: Option<(FilePath, Text)>,
    /// When a person last typed in a document.
    pub(crate) typed: BTreeMap<FilePath, Instant>,
}

impl Engine {
    /// Starts an engine; its background work ends with [`Engine::shutdown`]. Needs a tokio runtime.
    pub fn new(setup: Setup) -> Engine {
        let Setup {
            resolve,
            provider,
            purse,
            editor,
            timing,
            journals,
            hunks,
            reviews,
            cache,
        } = setup;
        let (config, _) = resolve(None, &[]);
        let engine = Engine {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changed: watch::Sender::new(0),
                stale: watch::Sender::new(BTreeSet::new()),
                quiet: watch::Sender::new(true),
                config: ArcSwap::from_pointee(config),
                resolve,
                told: Mutex::default(),
                reviewed: Mutex::default(),
                provider,
                purse,
                editor,
                timing,
                journals,
                reviews: watch::Sender::new(0),
                ended: watch::Sender::new(0),
                asked: Mutex::default(),
                opinions: Mutex::default(),
                memory: reviews.map(Memory::new),
                shelf: hunks.map(Shelf::new).map(Arc::new),
                cache,
                unkept: Notify::new(),
                landing: Semaphore::new(1),
                tasks: TaskTracker::new(),
                shutdown: CancellationToken::new(),
            }),
        };
        engine.spawn(engine.clone().keep_fresh());
        if let Some(shelf) = engine.shared.shelf.clone() {
            engine.spawn(engine.clone().keep_hunks());
            engine.spawn(async move {
                // What it does not remove today it removes another day.
                _ = tokio::task::spawn_blocking(move || shelf.clean_up()).await;
            });
        }
        engine
    }

    /// The workspace and its documents as they are now. O(1).
    pub fn snapshot(&self) -> Snapshot {
        self.with(|state| state.workspace.snapshot())
    }

    /// The workspace as it is, for what leaves the machine: without the files that `[scope] deny` keeps runs out of.
    pub(crate) fn snapshot_for_runs(&self) -> Snapshot {
        self.closing(self.snapshot())
    }

    pub(crate) fn closing(&self, snapshot: Snapshot) -> Snapshot {
        let config = self.config();
        snapshot.closing(move |file| config.deny.denies(file))
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        self.shared.config.load_full()
    }

    /// Takes over the editor's settings; runs that are under way keep the limits they began with.
    pub fn set_settings(&self, settings: Value) {
        self.with(|state| {
            // Said once at the start, and again only when it changes.
            if let Some(trusted) = settings.get("trusted").and_then(Value::as_bool) {
                state.distrusted = !trusted;
            }
            state.settings = Some(settings);
        });
        self.configure();
    }

    /// Makes the configuration anew and says, once each, what is wrong with it.
    pub(crate) fn configure(&self) {
        let (settings, roots) =
            self.with(|state| (state.settings.clone(), state.workspace.snapshot().roots));
        let (config, problems) = (self.shared.resolve)(settings.as_ref(), &roots);
        self.shared.config.store(Arc::new(config));
        for problem in problems {
            self.tell_once(Level::Warning, problem.to_string());
        }
        let open: Vec<FilePath> = self
            .snapshot()
            .open_documents()
            .map(|document| document.file().clone())
            .collect();
        self.mark_stale(open);
        // Other rules may be on; before the first review its own end looks.
        if *self.shared.reviews.borrow() > 0 {
            self.follow_history();
        }
    }

    /// The money.
    pub fn purse(&self) -> &Purse {
        &self.shared.purse
    }

    /// The editor opened a document.
    pub fn open(&self, file: &FilePath, language: &str, version: i32, text: Text) {
        self.with(|state| state.workspace.open(file, language, version, text));
        self.restore_hunks(file);
        self.bump(file);
    }

    /// The editor changed a document by `edits`, one after the other, the last of which leads to `text`.
    pub fn change(&self, file: &FilePath, version: i32, edits: Vec<EditSet>, text: Text) {
        self.with(|state| {
            let expected = state.expected.as_ref();
            let typed = !expected.is_some_and(|(of, expected)| of == file && *expected == text);
            if typed {
                state.typed.insert(file.clone(), Instant::now());
            }
            for edit in &edits {
                state.hunks.shift(file, edit);
            }
            state.workspace.change(file, version, edits, text);
            // What the engine itself puts in is no typing; whatever comes next catches up on both.
            if typed && let Some(document) = state.workspace.snapshot().open_document(file) {
                state.hunks.catch_up(document);
            }
        });
        self.bump(file);
    }

    /// The editor saved a document, so that the disk has its text now.
    pub fn saved(&self, file: &FilePath) {
        if file.file_name() == "farthing.toml" {
            self.configure();
        }
    }

    /// The editor closed a document. Its hunks are put away until it is opened again: what was saved can still be kept or
    /// undone then, and what was not is gone with the buffer.
    pub fn close(&self, file: &FilePath) {
        if !self.hunks(file).is_empty() {
            self.with(|state| state.hunks.mark(file));
            self.write_hunks();
        }
        self.with(|state| {
            state.workspace.close(file);
            state.hunks.put_away(file);
            state.typed.remove(file);
        });
        if let Some(shelf) = &self.shared.shelf {
            let _writing = shelf.writing();
            shelf.release(file);
        }
        self.refresh_from_disk(vec![file.clone()]);
        self.bump(file);
        self.show(Event::Markers(file.clone()));
    }

    /// Ends all runs and background work, and waits until they have written down what they owe.
    pub async fn shutdown(&self) {
        self.shared.shutdown.cancel();
        self.with(|state| state.indexing.stop());
        self.shared.tasks.close();
        if tokio::time::timeout(GRACE, self.shared.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "some work did not end in time; what it owes is booked at the next start"
            );
        }
        // In the text as it is by now, so that nothing has to be guessed at the next start.
        let engine = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            engine.with(|state| state.hunks.mark_all());
            engine.write_hunks();
        });
        if work.await.is_err() {
            tracing::error!("writing hunks down panicked");
        }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Every method that runs under this lock leaves the state whole at each step, so that a panic in one of them
        // costs its request and no more.
        let mut state: MutexGuard<'_, State> = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut state);
        if state.hunks.has_changed() {
            self.shared.unkept.notify_one();
        }
        done
    }

    /// The one place where tasks start; they end before [`Engine::shutdown`] returns.
    #[expect(
        clippy::disallowed_methods,
        reason = "tracked: shutdown cancels and awaits every task"
    )]
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.shared.tasks.track_future(task));
    }

    pub(crate) fn show(&self, event: Event) {
        self.shared.editor.show(event);
    }

    /// Says something to the user.
    pub fn notify(&self, level: Level, text: impl Into<String>) {
        self.show(Event::Notice(level, text.into()));
    }

    /// Says something to the user that was not said before.
    pub(crate) fn tell_once(&self, level: Level, text: String) {
        let told = &self.shared.told;
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = told.insert(text.clone());
        drop(told);
        if is_new {
            self.notify(level, text);
        }
    }

    pub(crate) fn policy(&self, snapshot: &Snapshot) -> Policy {
        let mut policy = Policy::new(snapshot.roots.to_vec());
        policy.protected.clone_from(&self.config().protected);
        policy
    }

    fn bump(&self, file: &FilePath) {
        self.shared.changed.send_modify(|revision| *revision += 1);
        self.mark_stale([file.clone()]);
    }

    pub(crate) fn mark_stale(&self, files: impl IntoIterator<Item = FilePath>) {
        self.shared.stale.send_modify(|stale| stale.extend(files));
    }

    /// Waits until all that was opened or typed so far has been looked at.
    pub async fn until_quiet(&self) {
        let mut quiet = self.shared.quiet.subscribe();
        // The sender lives as long as the engine.
        while !self.shared.stale.borrow().is_empty() {
            _ = quiet.changed().await;
        }
        _ = quiet.wait_for(|quiet| *quiet).await;
    }

    /// Parses what has changed, off the path of the keystroke, and has its markers shown.
    async fn keep_fresh(self) {
        let mut stale = self.shared.stale.subscribe();
        // What may say something else once nobody types, and when that is.
        let (mut unsettled, mut rest) = (BTreeSet::new(), None);
        // Where the first menu is still to be made ready.
        let mut unforeseen = BTreeSet::new();
        loop {
            self.shared
                .quiet
                .send_replace(self.shared.stale.borrow().is_empty());
            tokio::select! {
                () = self.shared.shutdown.cancelled() => return,
                changed = stale.changed() => if changed.is_err() { return },
                () = until(rest) => {
                    rest = None;
                    self.spawn(self.clone().settle(std::mem::take(&mut unsettled)));
                    continue;
                }
            }
            self.shared.quiet.send_replace(false);
            let mut files = BTreeSet::new();
            // Taking them is no news: told of it, this loop would go round for ever.
            self.shared.stale.send_if_modified(|stale| {
                files = std::mem::take(stale);
                false
            });
            let engine = self.clone();
            let mut next: BTreeSet<FilePath> = std::mem::take(&mut unforeseen);
            let work = tokio::task::spawn_blocking(move || {
                let provisional = files.iter().filter(|file| engine.freshen(file));
                let provisional: Vec<FilePath> = provisional.cloned().collect();
                engine.review_changed(&files);
                for file in &files {
                    engine.show(Event::Markers(file.clone()));
                }
                next.extend(files);
                engine.foresee_menus(&mut next);
                (provisional, next)
            });
            if let Ok((provisional, next)) = work.await {
                unsettled.extend(provisional);
                unforeseen = next;
            } else {
                tracing::error!(
                    "parsing in the background panicked; the file keeps its last facts"
                );
            }
            rest = (!unsettled.is_empty()).then(|| Instant::now() + self.shared.timing.quiet);
        }
    }

    /// Puts the facts of a document into the index. Says whether they may be others once it is read from nothing.
    fn freshen(&self, file: &FilePath) -> bool {
        let snapshot = self.snapshot();
        let document = snapshot.open_document(file);
        let parsed = document.and_then(|document| Some((document, document.parsed()?)));
        if let Some((document, parsed)) = parsed {
            self.take_in(document, parsed);
        }
        self.drop_hunks_undone_in_the_editor(file);
        parsed.is_some_and(|(_, parsed)| parsed.is_provisional())
    }

    /// Reads documents with syntax errors from nothing, until somebody types.
    async fn settle(self, files: BTreeSet<FilePath>) {
        let typed = self.shared.changed.subscribe();
        let before = *typed.borrow();
        let engine = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            let stop = || *typed.borrow() != before || engine.shared.shutdown.is_cancelled();
            let snapshot = engine.snapshot();
            for file in files {
                let Some(document) = snapshot.open_document(&file) else {
                    continue;
                };
                match document.settle(&stop) {
                    Some(parsed) => {
                        engine.take_in(document, parsed);
                        engine.review_changed(&BTreeSet::from([file.clone()]));
                        engine.show(Event::Markers(file));
                    }
                    // Its turn comes again.
                    None => engine.mark_stale([file]),
                }
            }
        });
        if work.await.is_err() {
            tracing::error!("parsing in the background panicked; the file keeps its last facts");
        }
    }

    fn take_in(&self, document: &workspace::Document, parsed: &index::Parsed) {
        let facts: Arc<Facts> = parsed.facts().clone();
        let (file, serial) = (document.file(), document.serial());
        self.with(|state| state.workspace.index_file(file, facts, Some(serial)));
    }

    pub(crate) fn set_coverage(&self, coverage: Coverage) {
        self.with(|state| state.workspace.set_coverage(coverage));
        self.show_coverage(coverage);
    }

    pub(crate) fn show_coverage(&self, coverage: Coverage) {
        self.show(Event::Indexing {
            done: coverage.done,
            found: coverage.found,
            complete: coverage.complete,
        });
    }
}

/// Waits for a moment, or for ever.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
