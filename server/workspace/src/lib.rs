//! Open documents, disk, ignore rules, watch events; and a snapshot of them all.
//!
//! [`Workspace`] has one writer, the engine; everyone else holds a [`Snapshot`], which never changes.
//! Knows files and editors' versions; does not know the protocol that brings them, or what a run is.

mod disk;
mod document;
mod explain;
mod head;
mod lately;
mod past;
#[cfg(test)]
mod repository;
mod scan;
mod store;
mod walk;
mod watch;
mod words;

pub use disk::{MAX_FILE_BYTES, ReadError, is_within, read};
pub use document::Document;
pub use explain::{Explanation, explain, is_left_out};
pub use head::{Extent, Head, HeadWatcher};
pub use past::{Changed, Past};
pub use scan::{Focus, Scan, SkipReason, Step, facts_on_disk, scan};
pub use store::Store;
pub use walk::is_ignored;
pub use watch::{Change, IGNORE_FILES, Watcher};
pub use words::Words;

use index::{Base, Facts, Index};
use rpds::HashTrieMapSync;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use text::{EditSet, FilePath, Text};

/// The files of all workspace folders and the documents open in the editor. One writer.
#[derive(Default)]
pub struct Workspace {
    revision: u64,
    roots: Arc<[FilePath]>,
    open: HashTrieMapSync<FilePath, Document>,
    /// How many documents were opened so far.
    opened: u64,
    index: Index,
    words: Option<Arc<Words>>,
    lately: Arc<lately::Lately>,
    /// Files that changed since the pass over the disk began that is under way; it may have seen them before.
    touched: FxHashSet<FilePath>,
    coverage: Coverage,
}

/// An immutable view of the workspace at one revision. Cloning is O(1).
#[derive(Clone, Default)]
pub struct Snapshot {
    /// Counts every change of anything; later snapshots have higher ones.
    pub revision: u64,
    /// The workspace folders.
    pub roots: Arc<[FilePath]>,
    /// How much of the disk the index has seen.
    pub coverage: Coverage,
    open: HashTrieMapSync<FilePath, Document>,
    index: Index,
    closed: Option<Arc<Closed>>,
    words: Option<Arc<Words>>,
    lately: Arc<lately::Lately>,
}

/// Which files mention a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentioning {
    /// By path.
    pub files: Vec<FilePath>,
    /// Whether every file of the workspace was looked at.
    pub complete: bool,
}

/// What [`Snapshot::reading`] answers.
#[derive(Clone)]
pub struct Reading {
    /// The snapshot that knows more.
    pub snapshot: Snapshot,
    /// How many files mention the name that were not read; none if that cannot be said yet.
    pub left: Option<usize>,
}

/// Tells of a path, as a person would name it, whether runs are kept out of that file.
type Closed = dyn Fn(&str) -> bool + Send + Sync;

/// How complete the index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files indexed.
    pub done: usize,
    /// Files found so far.
    pub found: usize,
    /// Whether the first pass over the disk has ended.
    pub complete: bool,
}

/// No document is changed so often between being opened and being closed.
const LIFE: u64 = 1 << 32;

impl Workspace {
    /// The workspace as it is, for readers. O(1).
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            revision: self.revision,
            roots: self.roots.clone(),
            coverage: self.coverage,
            open: self.open.clone(),
            index: self.index.clone(),
            closed: None,
            words: self.words.clone(),
            lately: self.lately.clone(),
        }
    }

    /// Replaces the workspace folders.
    pub fn set_roots(&mut self, roots: Vec<FilePath>) {
        self.roots = roots.into();
        self.revision += 1;
    }

    /// The editor opened a document: from here on its text, not the disk's, is the truth.
    pub fn open(&mut self, file: &FilePath, language: &str, version: i32, text: Text) {
        self.opened += 1;
        let serial = self.opened * LIFE;
        let document = Document::open(file.clone(), language, version, text, serial);
        self.open.insert_mut(file.clone(), document);
        self.revision += 1;
    }

    /// The editor changed an open document by `edits`, one after the other. O(log n) plus the size of the edits.
    ///
    /// Answers whether the document is open.
    pub fn change(
        &mut self,
        file: &FilePath,
        version: i32,
        edits: Vec<EditSet>,
        text: Text,
    ) -> bool {
        let Some(document) = self.open.get(file) else {
            return false;
        };
        let document = document.changed(version, edits, text);
        self.open.insert_mut(file.clone(), document);
        self.revision += 1;
        true
    }

    /// The editor closed a document: the disk is the truth again.
    pub fn close(&mut self, file: &FilePath) -> bool {
        self.revision += 1;
        self.open.remove_mut(file)
    }

    /// Takes in the facts of a file, unless they are of an older text than that of the open document.
    ///
    /// `serial` is that of the document the facts were made from; `None` for facts from disk.
    pub fn index_file(&mut self, file: &FilePath, facts: Arc<Facts>, serial: Option<u64>) -> bool {
        if self.open.get(file).map(Document::serial) != serial {
            return false;
        }
        self.touched.insert(file.clone());
        self.index.insert(file.clone(), facts);
        self.revision += 1;
        true
    }

    /// Forgets a file that is gone from disk, unless it is open.
    pub fn forget(&mut self, file: &FilePath) -> bool {
        if self.open.contains_key(file) {
            return false;
        }
        self.touched.insert(file.clone());
        self.index.remove(file);
        self.revision += 1;
        true
    }

    /// Forgets a file that is gone from disk, or what was in a folder that is. O(log n + what was in it).
    pub fn forget_all(&mut self, gone: &FilePath) {
        for file in self.index.inside(gone) {
            self.forget(&file);
        }
    }

    /// A pass over the disk begins: what it finds holds, except for what changes from now on.
    pub fn begin_scan(&mut self) {
        self.touched.clear();
        self.set_coverage(Coverage::default());
    }

    /// Takes in what a pass over the disk finds out.
    pub fn take_in(&mut self, step: Step) {
        let is_newer =
            |file: &FilePath| self.open.contains_key(file) || self.touched.contains(file);
        match step {
            Step::Folder(_) => return,
            Step::Known { base, stale } => self.know(base, &stale),
            Step::Words(words) => self.words = Some(words),
            Step::Facts(file, facts) => {
                if !is_newer(&file) {
                    self.index.insert(file, facts);
                }
            }
            Step::Progress(done, found) => {
                self.coverage = Coverage {
                    done,
                    found,
                    complete: false,
                };
            }
        }
        self.revision += 1;
    }

    fn know(&mut self, base: Arc<Base>, stale: &[FilePath]) {
        let is_newer =
            |file: &FilePath| self.open.contains_key(file) || self.touched.contains(file);
        let mut index = self.index.on(base, is_newer);
        for file in stale {
            if !is_newer(file) {
                index.remove(file);
            }
        }
        for file in &self.touched {
            if !self.index.contains(file) {
                index.remove(file);
            }
        }
        self.index = index;
    }

    /// Notes how far the index has come.
    pub fn set_coverage(&mut self, coverage: Coverage) {
        self.coverage = coverage;
        if coverage.complete {
            self.words = None;
        }
        self.revision += 1;
    }
}

impl Snapshot {
    /// The same without the text of the files for whose [`Snapshot::display`] `closed` is true: what a run may see.
    #[must_use]
    pub fn closing(self, closed: impl Fn(&str) -> bool + Send + Sync + 'static) -> Snapshot {
        Snapshot {
            closed: Some(Arc::new(closed)),
            ..self
        }
    }

    /// Whether the file's text is kept back from whoever has this snapshot.
    pub fn is_closed(&self, file: &FilePath) -> bool {
        self.closed
            .as_ref()
            .is_some_and(|closed| closed(self.display(file)))
    }

    /// The open document, if the editor has the file open.
    pub fn open_document(&self, file: &FilePath) -> Option<&Document> {
        self.open.get(file)
    }

    /// All open documents, by no particular order.
    pub fn open_documents(&self) -> impl Iterator<Item = &Document> {
        self.open.values()
    }

    /// The document: the editor's where it is open, else the disk's. Reads the disk in the latter case.
    pub fn document(&self, file: &FilePath) -> Result<Document, ReadError> {
        if self.is_closed(file) {
            return Err(ReadError::Closed { file: file.clone() });
        }
        match self.open.get(file) {
            Some(document) => Ok(document.clone()),
            None => Ok(Document::on_disk(file.clone(), read(file)?)),
        }
    }

    /// The text of [`Snapshot::document`], to be shown and not to be edited: what was read from disk lately is not read
    /// again while the system says that the file is the same.
    pub fn text(&self, file: &FilePath) -> Result<Text, ReadError> {
        if self.is_closed(file) {
            return Err(ReadError::Closed { file: file.clone() });
        }
        match self.open.get(file) {
            Some(document) => Ok(document.text().clone()),
            None => self.lately.read(file),
        }
    }

    /// The joined facts. An open document's may lag behind its text by the last keystroke; its own
    /// [`Document::parsed`] never does.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The files that mention a name. O(result), and while the first pass over the disk is under way O(files).
    ///
    /// Until their facts are there, files count that have the words of the name, in comments and texts as well.
    pub fn mentioning(&self, name: &str) -> Mentioning {
        let mut files = self.index.files_with(name);
        if let Some(words) = self.words.as_ref().filter(|_| !self.coverage.complete) {
            let with = words.files_with(name);
            files.extend(with.filter(|file| !self.index.contains(file)).cloned());
            files.sort_unstable();
        }
        Mentioning {
            files,
            complete: self.coverage.complete || self.words.is_some(),
        }
    }

    /// The same with the facts of files that mention a name and have not been read yet, at most `most` of them.
    ///
    /// Reads those. Once the first pass over the disk has ended, there are none.
    pub fn reading(&self, name: &str, most: usize) -> Reading {
        let mentioning = self.mentioning(name);
        let due = mentioning.files.iter();
        let due: Vec<&FilePath> = due.filter(|file| !self.index.contains(file)).collect();
        let mut snapshot = self.clone();
        let (now, later) = due.split_at(due.len().min(most));
        for file in now {
            // What is gone by now mentions nothing.
            if let Some(facts) = scan::facts_of(file) {
                snapshot.index.insert((*file).clone(), Arc::new(facts));
            }
        }
        Reading {
            snapshot,
            left: mentioning.complete.then_some(later.len()),
        }
    }

    /// The workspace folder that `file` is in; the innermost one.
    pub fn root_of(&self, file: &FilePath) -> Option<&FilePath> {
        walk::root_of(&self.roots, file)
    }

    /// `file` as a person would name it: from its workspace folder.
    pub fn display<'a>(&self, file: &'a FilePath) -> &'a str {
        self.root_of(file)
            .and_then(|root| file.relative_to(root))
            .unwrap_or(file.as_str())
    }
}
