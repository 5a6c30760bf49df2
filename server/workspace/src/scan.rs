use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ignore::{WalkBuilder, WalkState};
use index::{Facts, Parsed};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use text::FilePath;

use crate::ReadError;

/// What one pass over the disk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Files indexed.
    pub files: usize,
    /// Files with a grammar that were left out, by reason.
    pub skipped: BTreeMap<SkipReason, usize>,
    /// Folders that hold anything that is not ignored; what a watcher must watch.
    pub folders: Vec<FilePath>,
    /// Files that have no grammar and are not ignored, such as manifests.
    pub others: Vec<FilePath>,
    /// Whether it was stopped before its end.
    pub cancelled: bool,
}

/// Why a file with a grammar is not in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// Over the size limit.
    TooLarge,
    /// Not UTF-8 text.
    NotText,
    /// The system would not let it be read.
    Unreadable,
}

/// One file of a scan.
pub struct Scanned {
    /// The file.
    pub file: FilePath,
    /// Its facts.
    pub facts: Arc<Facts>,
    /// Files done and files found, this one included.
    pub progress: (usize, usize),
}

/// Walks the folders, honouring ignore files, and parses what has a grammar on all cores.
///
/// `sink` is called from several threads at once, in no particular order.
pub fn scan(roots: &[FilePath], cancel: &AtomicBool, sink: &(dyn Fn(Scanned) + Sync)) -> Scan {
    let Walked {
        mut files,
        folders,
        others,
    } = walk(roots, cancel);
    files.sort_unstable();
    files.dedup();
    let done = AtomicUsize::new(0);
    let results: Vec<Option<SkipReason>> = files
        .par_iter()
        .filter(|_| !cancel.load(Ordering::Relaxed))
        .map(|file| {
            let facts = facts_of(file);
            let progress = (done.fetch_add(1, Ordering::Relaxed) + 1, files.len());
            match facts {
                Ok(facts) => {
                    sink(Scanned {
                        file: file.clone(),
                        facts,
                        progress,
                    });
                    None
                }
                Err(reason) => Some(reason),
            }
        })
        .collect();
    let mut scan = Scan {
        folders,
        others,
        cancelled: cancel.load(Ordering::Relaxed),
        ..Scan::default()
    };
    for result in results {
        match result {
            None => scan.files += 1,
            Some(reason) => *scan.skipped.entry(reason).or_default() += 1,
        }
    }
    scan
}

fn facts_of(file: &FilePath) -> Result<Arc<Facts>, SkipReason> {
    let Some(grammar) = grammars::for_path(file.file_name()) else {
        return Err(SkipReason::NotText);
    };
    match crate::read(file) {
        Ok(text) => Ok(Parsed::parse(grammar, &text).facts().clone()),
        Err(ReadError::TooLarge { .. }) => Err(SkipReason::TooLarge),
        Err(ReadError::NotUtf8 { .. } | ReadError::Binary { .. }) => Err(SkipReason::NotText),
        Err(ReadError::NotAFile { .. } | ReadError::Io { .. } | ReadError::Closed { .. }) => {
            Err(SkipReason::Unreadable)
        }
    }
}

/// What is on the disk, apart from what ignore files leave out.
#[derive(Default)]
struct Walked {
    files: Vec<FilePath>,
    folders: Vec<FilePath>,
    others: Vec<FilePath>,
}

fn walk(roots: &[FilePath], cancel: &AtomicBool) -> Walked {
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
                if let Ok(path) = FilePath::new(entry.path())
                    && (kind.is_dir() || kind.is_file())
                {
                    // The receiver outlives the walk.
                    _ = sender.send((kind.is_dir(), path));
                }
                WalkState::Continue
            })
        });
    drop(sender);
    let mut walked = Walked::default();
    for (is_folder, path) in receiver {
        if is_folder {
            walked.folders.push(path);
        } else if grammars::for_path(path.file_name()).is_some() {
            walked.files.push(path);
        } else {
            walked.others.push(path);
        }
    }
    walked.folders.sort_unstable();
    walked.others.sort_unstable();
    walked
}

/// What version control keeps for itself; never walked, ignore file or not.
fn is_internal(name: &std::ffi::OsStr) -> bool {
    [".git", ".hg", ".svn", ".jj"]
        .iter()
        .any(|internal| name == *internal)
}

/// Whether the ignore files of the workspace leave `file` out.
///
/// Costs one walk down from the root to the file.
pub fn is_ignored(roots: &[FilePath], file: &FilePath) -> bool {
    let Some(root) = roots
        .iter()
        .filter(|root| file.is_inside(root))
        .max_by_key(|root| root.as_str().len())
    else {
        return true;
    };
    let wanted = file.as_path().to_owned();
    let found = WalkBuilder::new(root.as_path())
        .hidden(false)
        .require_git(false)
        .filter_entry(move |entry| {
            !is_internal(entry.file_name()) && wanted.starts_with(entry.path())
        })
        .build()
        .flatten()
        .any(|entry| entry.path() == file.as_path());
    !found
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that they read"
)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn ignore_files_are_honoured_with_or_without_git() {
        let folder = tempfile::tempdir().unwrap();
        let root = FilePath::new(folder.path()).unwrap();
        for (path, text) in [
            (".gitignore", "/out\n"),
            ("src/a.rs", "fn a() {}"),
            ("out/b.rs", "fn b() {}"),
            (".git/c.rs", "fn c() {}"),
            ("notes.xyz", "no grammar"),
            ("src/latin.rs", "fn d() {}"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::write(folder.path().join("src/latin.rs"), b"\xe4").unwrap();
        let found = Mutex::new(Vec::new());
        let scan = scan(
            std::slice::from_ref(&root),
            &AtomicBool::new(false),
            &|scanned| {
                found
                    .lock()
                    .unwrap()
                    .push(scanned.file.relative_to(&root).unwrap().to_owned());
            },
        );
        assert_eq!(found.into_inner().unwrap(), ["src/a.rs"]);
        assert_eq!(scan.skipped, BTreeMap::from([(SkipReason::NotText, 1)]));
        let folders: Vec<_> = scan
            .folders
            .iter()
            .map(|folder| folder.relative_to(&root).unwrap())
            .collect();
        assert_eq!(folders, ["", "src"]);
        let others: Vec<_> = scan.others.iter().map(FilePath::file_name).collect();
        assert_eq!(others, [".gitignore", "notes.xyz"]);
        assert!(is_ignored(
            std::slice::from_ref(&root),
            &root.join("out/b.rs").unwrap()
        ));
        assert!(!is_ignored(
            std::slice::from_ref(&root),
            &root.join("src/a.rs").unwrap()
        ));
    }

    #[test]
    fn a_cancelled_scan_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let root = FilePath::new(folder.path()).unwrap();
        assert!(scan(&[root], &AtomicBool::new(true), &|_| {}).cancelled);
    }
}
