//! Which files there are, and what the ignore files say.

use std::sync::atomic::{AtomicBool, Ordering};

use grammars::Grammar;
use ignore::{WalkBuilder, WalkState};
use rayon::slice::ParallelSliceMut;
use text::FilePath;

/// A file that a walk found, and how it was then.
pub(crate) struct Found {
    pub(crate) file: FilePath,
    pub(crate) grammar: &'static Grammar,
    pub(crate) stat: Stat,
}

/// What the system says about a file without opening it. As long as it says the same, the file is the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stat {
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: u64,
    /// The number of the file, where the system has one.
    pub(crate) inode: u64,
}

impl Stat {
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Stat {
        let modified = metadata.modified().ok();
        Stat {
            bytes: metadata.len(),
            modified: modified.map_or(0, nanoseconds),
            inode: inode(metadata),
        }
    }
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}

pub(crate) fn nanoseconds(time: std::time::SystemTime) -> u64 {
    let since = time.duration_since(std::time::UNIX_EPOCH).ok();
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// What is on the disk, apart from what ignore files leave out; each by path.
#[derive(Default)]
pub(crate) struct Walked {
    /// With a grammar.
    pub(crate) files: Vec<Found>,
    /// Without a grammar.
    pub(crate) others: Vec<FilePath>,
}

enum Entry {
    File(Found),
    Other(FilePath),
}

/// Looks at everything below the folders, on all cores. `enter` is told of each folder before it is looked into.
pub(crate) fn walk(
    roots: &[FilePath],
    cancel: &AtomicBool,
    enter: &(dyn Fn(&FilePath) + Sync),
) -> Walked {
    let Some((first, rest)) = roots.split_first() else {
        return Walked::default();
    };
    let mut builder = WalkBuilder::new(first.as_path());
    for root in rest {
        builder.add(root.as_path());
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    builder
        .hidden(false)
        .require_git(false)
        .threads(rayon::current_num_threads())
        .filter_entry(|entry| !is_internal(entry.file_name()))
        .build_parallel()
        .run(|| {
            let sender = sender.clone();
            Box::new(move |entry| {
                if cancel.load(Ordering::Relaxed) {
                    return WalkState::Quit;
                }
                // A folder that may not be read is no reason to leave the others out.
                let Ok(entry) = entry else {
                    return WalkState::Continue;
                };
                let Some(kind) = entry.file_type() else {
                    return WalkState::Continue;
                };
                let Ok(path) = FilePath::new(entry.path()) else {
                    return WalkState::Continue;
                };
                let found = if kind.is_dir() {
                    enter(&path);
                    return WalkState::Continue;
                } else if !kind.is_file() {
                    return WalkState::Continue;
                } else if let Some(grammar) = grammars::for_path(path.file_name()) {
                    let stat = entry.metadata().map(|metadata| Stat::of(&metadata));
                    Entry::File(Found {
                        file: path,
                        grammar,
                        stat: stat.unwrap_or_default(),
                    })
                } else {
                    Entry::Other(path)
                };
                // The receiver outlives the walk.
                _ = sender.send(found);
                WalkState::Continue
            })
        });
    drop(sender);
    let mut walked = Walked::default();
    for entry in receiver {
        match entry {
            Entry::File(found) => walked.files.push(found),
            Entry::Other(file) => walked.others.push(file),
        }
    }
    walked
        .files
        .par_sort_unstable_by(|a, b| a.file.cmp(&b.file));
    walked.files.dedup_by(|a, b| a.file == b.file);
    walked.others.sort_unstable();
    walked.others.dedup();
    walked
}

/// What version control keeps for itself; never walked, ignore file or not.
pub(crate) fn is_internal(name: &std::ffi::OsStr) -> bool {
    [".git", ".hg", ".svn", ".jj"]
        .iter()
        .any(|internal| name == *internal)
}

/// Whether the ignore files of the workspace leave `file` out.
///
/// Costs one walk down from the root to the file.
pub fn is_ignored(roots: &[FilePath], file: &FilePath) -> bool {
    let Some(root) = root_of(roots, file) else {
        return true;
    };
    let wanted = file.as_path().to_owned();
    // A folder that is asked for need not be read.
    let depth = file.relative_to(root).map_or(0, |inside| {
        inside.split('/').filter(|part| !part.is_empty()).count()
    });
    let found = WalkBuilder::new(root.as_path())
        .hidden(false)
        .require_git(false)
        .max_depth(Some(depth))
        .filter_entry(move |entry| {
            !is_internal(entry.file_name()) && wanted.starts_with(entry.path())
        })
        .build()
        .flatten()
        .any(|entry| entry.path() == file.as_path());
    !found
}

/// The innermost of the folders that a file is in.
pub(crate) fn root_of<'r>(roots: &'r [FilePath], file: &FilePath) -> Option<&'r FilePath> {
    roots
        .iter()
        .filter(|root| file.is_inside(root))
        .max_by_key(|root| root.as_str().len())
}
