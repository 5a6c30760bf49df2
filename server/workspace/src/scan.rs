//! One pass over the disk: what is there, what is known of it already, and the rest read on all cores.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use grammars::Grammar;
use index::{Base, Facts, Packed};
use rustc_hash::FxHashSet;
use serde::Serialize;
use text::FilePath;

use crate::store::{Store, Stored};
use crate::walk::{Found, Stat, Walked, walk};
use crate::words::{self, Words};
use crate::{ReadError, Snapshot, disk};

/// What one pass over the disk found.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Files indexed.
    pub files: usize,
    /// How many of them had to be read; the others were known from the last time.
    pub read: usize,
    /// Files with a grammar that were left out, and why.
    pub left_out: BTreeMap<FilePath, SkipReason>,
    /// Files that have no grammar and are not ignored, such as manifests.
    pub others: Vec<FilePath>,
    /// Whether it was stopped before its end.
    pub cancelled: bool,
    /// What the store takes on disk, if it was written.
    pub stored: Option<u64>,
}

/// Why a file with a grammar is not in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Over [`index::MAX_BYTES`], or over what people write in its language.
    TooLarge,
    /// Not UTF-8 text.
    NotText,
    /// The system would not let it be read.
    Unreadable,
    /// It holds a NUL byte.
    Binary,
    /// Its lines are too long for people: it was made by a program, to be read by one.
    Minified,
    /// Its name says that a program keeps it for itself, as lock files.
    Kept,
}

impl SkipReason {
    pub(crate) const ALL: [SkipReason; 6] = [
        SkipReason::TooLarge,
        SkipReason::NotText,
        SkipReason::Unreadable,
        SkipReason::Binary,
        SkipReason::Minified,
        SkipReason::Kept,
    ];
}

impl std::fmt::Display for SkipReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SkipReason::TooLarge => {
                "it is larger than what people write in its language, so it is data or made by a program"
            },
            SkipReason::NotText => "it is not UTF-8 text",
            SkipReason::Unreadable => "the system does not let it be read",
            SkipReason::Binary => "it is binary",
            SkipReason::Minified => "its lines are too long for people; it is minified or data",
            SkipReason::Kept => "a program keeps it for itself, as lock files",
        })
    }
}

/// What a scan finds out, as soon as it does.
pub enum Step {
    /// A folder that is not ignored, right before it is looked into: who watches it from now on misses nothing.
    Folder(FilePath),
    /// What was known from the last time, or is known by now; all but `stale`, which are gone or have to be read again.
    Known {
        /// The files.
        base: Arc<Base>,
        /// Those that are not like this any more.
        stale: Vec<FilePath>,
    },
    /// Which files have which words; until their facts come.
    Words(Arc<Words>),
    /// A file that somebody is likely to look at.
    Facts(FilePath, Arc<Facts>),
    /// Files done and files found.
    Progress(usize, usize),
}

/// What somebody looks at: what is near is read first.
#[derive(Clone, Default, Debug)]
pub struct Focus {
    /// The open files.
    pub open: BTreeSet<FilePath>,
    /// The names by which they import others.
    pub imports: FxHashSet<String>,
    /// The names by which others import them.
    pub modules: Vec<String>,
}

impl Focus {
    /// What is open in an editor. Parses the open files that nobody has parsed yet.
    pub fn of(snapshot: &Snapshot) -> Focus {
        let mut focus = Focus::default();
        for document in snapshot.open_documents() {
            let file = document.file();
            if let Some(parsed) = document.parsed() {
                let imported = parsed.facts().imported().map(str::to_owned);
                focus.imports.extend(imported);
                let module = parsed.grammar().module_name(file.as_str());
                focus.modules.push(module.to_owned());
            }
            focus.open.insert(file.clone());
        }
        focus
    }
}

/// Walks the folders, honouring ignore files, and takes in what has a grammar.
///
/// What the store knows is not read again as long as the system says that it is the same file; without one, everything
/// is read. With `focus`, somebody waits: words come first, then what is near. `sink` is called from several threads at
/// once. The last thing it is told before the scan ends is the whole.
pub fn scan(
    roots: &[FilePath],
    store: Option<&Store>,
    focus: Option<&dyn Fn() -> Focus>,
    cancel: &AtomicBool,
    sink: &(dyn Fn(Step) + Sync),
) -> Scan {
    let began = SystemTime::now();
    let Walked {
        files: found,
        others,
    } = walk(roots, cancel, &|folder| sink(Step::Folder(folder.clone())));
    let known = store.and_then(Store::load);
    let mut plan = Plan::new(&found, known);
    sink(Step::Progress(plan.unchanged.len(), found.len()));
    if let Some(base) = &plan.base {
        sink(Step::Known {
            base: base.clone(),
            stale: plan.stale.clone(),
        });
    }
    let (mut words, mut nearest) = (Arc::default(), Focus::default());
    if let Some(focus) = focus {
        words = read_words(&plan.due, cancel, sink);
        // Asked for as late as possible: editors open files while the disk is looked at.
        nearest = focus();
    }
    let focus = nearest;
    plan.sort(&focus, &words);
    drop(words);
    let read = read_all(&plan, &focus, found.len(), cancel, sink);
    let mut scan = Scan {
        files: plan.unchanged.len() + read.done.len(),
        read: read.done.len(),
        others,
        cancelled: cancel.load(Ordering::Relaxed),
        ..Scan::default()
    };
    let mut left_out = std::mem::take(&mut plan.left_out);
    left_out.extend(read.left_out);
    scan.left_out = left_out
        .iter()
        .map(|(file, (_, reason))| (file.clone(), *reason))
        .collect();
    if scan.cancelled {
        return scan;
    }
    if plan.base.is_some() && plan.is_small_change() {
        for (file, packed) in read.done {
            if let Some(facts) = packed.unpack() {
                sink(Step::Facts(file, Arc::new(facts)));
            }
        }
        sink(Step::Progress(found.len(), found.len()));
        return scan;
    }
    let mut files = read.done;
    if let Some(base) = &plan.base {
        let unchanged = plan.unchanged.iter();
        files.extend(
            unchanged.filter_map(|(place, file)| Some(((*file).clone(), base.packed(*place)?))),
        );
    }
    let mut base = Base::of(files);
    if let Some(store) = store {
        let stats = stats_of(&base, &found);
        match store.save(&base, &stats, &left_out, began) {
            Ok(Some(put_away)) => {
                base = put_away;
                scan.stored = std::fs::metadata(store.path())
                    .ok()
                    .map(|store| store.len());
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "facts cannot be kept for the next start"),
        }
    }
    sink(Step::Known {
        base: Arc::new(base),
        stale: Vec::new(),
    });
    sink(Step::Progress(found.len(), found.len()));
    scan
}

/// What is to be done with the files that are there.
struct Plan<'f> {
    base: Option<Arc<Base>>,
    /// By their place in the base.
    unchanged: Vec<(usize, &'f FilePath)>,
    stale: Vec<FilePath>,
    due: Vec<&'f Found>,
    left_out: BTreeMap<FilePath, (Stat, SkipReason)>,
}

impl<'f> Plan<'f> {
    fn new(found: &'f [Found], known: Option<Stored>) -> Plan<'f> {
        let mut plan = Plan {
            base: None,
            unchanged: Vec::new(),
            stale: Vec::new(),
            due: Vec::new(),
            left_out: BTreeMap::new(),
        };
        let Some(known) = known else {
            plan.due = found.iter().collect();
            return plan;
        };
        let mut before = known
            .base
            .files()
            .map(|(file, _)| file)
            .enumerate()
            .peekable();
        for now in found {
            while let Some((_, gone)) = before.next_if(|(_, file)| **file < now.file) {
                plan.stale.push(gone.clone());
            }
            let then = before.next_if(|(_, file)| **file == now.file);
            let stat = then.and_then(|(place, _)| known.stats.get(place));
            let skipped = known.left_out.get(&now.file);
            match (then, stat) {
                (Some((place, _)), Some(stat)) if known.is_same(*stat, now.stat) => {
                    plan.unchanged.push((place, &now.file));
                    continue;
                }
                (Some(_), _) => plan.stale.push(now.file.clone()),
                (None, _) => {}
            }
            match skipped {
                Some((stat, reason)) if known.is_same(*stat, now.stat) => {
                    plan.left_out.insert(now.file.clone(), (*stat, *reason));
                }
                _ => plan.due.push(now),
            }
        }
        plan.stale.extend(before.map(|(_, gone)| gone.clone()));
        plan.base = Some(Arc::new(known.base));
        plan
    }

    /// Whether it is not worth writing the store anew.
    fn is_small_change(&self) -> bool {
        self.due.len() + self.stale.len() <= 32
    }

    /// What somebody looks at first, then what it imports, what imports it, what was edited lately; the rest by size,
    /// so that no large file is left for the end when one core is enough for it.
    fn sort(&mut self, focus: &Focus, words: &Words) {
        const LATELY: u64 = 24 * 3600 * 1_000_000_000;
        let since = crate::walk::nanoseconds(SystemTime::now()).saturating_sub(LATELY);
        let importers: FxHashSet<&FilePath> = focus
            .modules
            .iter()
            .flat_map(|module| words.files_with(module))
            .collect();
        let rank = |found: &Found| {
            let module = found.grammar.module_name(found.file.as_str());
            if focus.open.contains(&found.file) {
                0
            } else if focus.imports.contains(module) {
                1
            } else if importers.contains(&found.file) {
                2
            } else if found.stat.modified > since {
                3
            } else {
                4
            }
        };
        self.due
            .sort_by_cached_key(|found| (rank(found), Reverse(found.stat.bytes)));
    }
}

/// How the files of a base were when they were found.
fn stats_of(base: &Base, found: &[Found]) -> Vec<Stat> {
    let stat = |file: &FilePath| {
        let place = found.binary_search_by(|found| found.file.cmp(file));
        place.ok().and_then(|place| found.get(place))
    };
    base.files()
        .map(|(file, _)| stat(file).map(|found| found.stat).unwrap_or_default())
        .collect()
}

/// Fewer files than these are read as fast as their words are.
const WORTH_WORDS: usize = 200;

/// Looks at the words of the files that are to be read.
fn read_words(due: &[&Found], cancel: &AtomicBool, sink: &(dyn Fn(Step) + Sync)) -> Arc<Words> {
    if due.len() < WORTH_WORDS {
        return Arc::default();
    }
    let read = Mutex::new(Vec::with_capacity(due.len()));
    on_all_cores(due, cancel, |found| {
        if let Ok(text) = text_of(found) {
            let words = words::of_text(&text);
            lock(&read).push((found.file.clone(), words));
        }
    });
    let words = Words::of(read.into_inner().unwrap_or_else(PoisonError::into_inner));
    let words = Arc::new(words);
    sink(Step::Words(words.clone()));
    words
}

struct Read {
    done: Vec<(FilePath, Packed)>,
    left_out: Vec<(FilePath, (Stat, SkipReason))>,
}

/// What has been read is handed on when it has doubled, but not more often than this.
const BREATH: Duration = Duration::from_secs(1);
/// So many of the files that somebody looks at are handed on one by one.
const NEAR: usize = 100;

fn read_all(
    plan: &Plan<'_>,
    focus: &Focus,
    found: usize,
    cancel: &AtomicBool,
    sink: &(dyn Fn(Step) + Sync),
) -> Read {
    let read = Mutex::new(Read {
        done: Vec::with_capacity(plan.due.len()),
        left_out: Vec::new(),
    });
    let handed_on = Mutex::new((0, Instant::now()));
    let count = AtomicUsize::new(0);
    on_all_cores(&plan.due, cancel, |due| {
        let facts = text_of(due).map(|text| Facts::of(due.grammar, &text));
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        match facts {
            Ok(facts) => {
                let packed = facts.pack();
                lock(&read).done.push((due.file.clone(), packed));
                if !focus.open.is_empty() && number <= NEAR {
                    sink(Step::Facts(due.file.clone(), Arc::new(facts)));
                }
            }
            Err(reason) => {
                let left_out = (due.file.clone(), (due.stat, reason));
                lock(&read).left_out.push(left_out);
            }
        }
        if number.is_multiple_of(256) {
            sink(Step::Progress(plan.unchanged.len() + number, found));
        }
        // Beside what is known from the last time the rest is little, and comes at the end.
        if plan.base.is_none()
            && let Ok(mut last) = handed_on.try_lock()
            && number >= last.0 * 2
            && last.1.elapsed() > BREATH
        {
            let so_far = lock(&read).done.clone();
            sink(Step::Known {
                base: Arc::new(Base::of(so_far)),
                stale: Vec::new(),
            });
            *last = (number, Instant::now());
        }
    });
    read.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The text of a file that is worth reading, or why it is not.
fn text_of(found: &Found) -> Result<String, SkipReason> {
    let reading = &found.grammar.reading;
    if reading.is_never(found.file.file_name()) {
        return Err(SkipReason::Kept);
    }
    if found.stat.bytes > index::MAX_BYTES.min(reading.max_bytes) as u64 {
        return Err(SkipReason::TooLarge);
    }
    let text = disk::read_text(&found.file).map_err(|error| match error {
        ReadError::TooLarge { .. } => SkipReason::TooLarge,
        ReadError::NotUtf8 { .. } => SkipReason::NotText,
        ReadError::Binary { .. } => SkipReason::Binary,
        ReadError::NotAFile { .. } | ReadError::Io { .. } | ReadError::Closed { .. } => {
            SkipReason::Unreadable
        }
    })?;
    if !reading.long_lines && is_minified(&text) {
        return Err(SkipReason::Minified);
    }
    Ok(text)
}

/// The text of a file on disk if it is worth reading, and why not otherwise.
pub(crate) fn worth_reading(
    file: &FilePath,
    grammar: &'static Grammar,
) -> Result<String, SkipReason> {
    let metadata = std::fs::symlink_metadata(file.as_path());
    let metadata = metadata.ok().filter(std::fs::Metadata::is_file);
    text_of(&Found {
        file: file.clone(),
        grammar,
        stat: Stat::of(&metadata.ok_or(SkipReason::Unreadable)?),
    })
}

/// The facts of a file as it is on disk now. None if it is not to be indexed: it is gone, ignored, or not worth it.
pub fn facts_on_disk(roots: &[FilePath], file: &FilePath) -> Option<Arc<Facts>> {
    // Most files that come and go have no grammar, and to ask the ignore files takes a walk.
    grammars::for_path(file.file_name())?;
    if crate::is_ignored(roots, file) {
        return None;
    }
    facts_of(file).map(Arc::new)
}

/// The facts of a file as it is on disk now. None if it is gone or not worth it.
pub(crate) fn facts_of(file: &FilePath) -> Option<Facts> {
    let grammar = grammars::for_path(file.file_name())?;
    let text = worth_reading(file, grammar).ok()?;
    Some(Facts::of(grammar, &text))
}

/// Whether lines are so long that nobody wrote them.
pub(crate) fn is_minified(text: &str) -> bool {
    const LONG: usize = 16 * 1024;
    const LINE: usize = 300;
    text.len() > LONG && text.bytes().filter(|byte| *byte == b'\n').count() * LINE < text.len()
}

/// Does something with every item, in order, on all cores, until it is told to stop.
fn on_all_cores<T: Sync>(items: &[T], cancel: &AtomicBool, work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = rayon::current_num_threads().min(items.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !cancel.load(Ordering::Relaxed) {
                    let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        return;
                    };
                    work(item);
                }
            });
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
