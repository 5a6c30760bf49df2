//! From the log of a repository to a history.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use text::FilePath;

use super::{History, LEAST_COMMITS, Together};

/// A commit of more files than this says nothing about which of them belong together,
const MOST_FILES: usize = 30;
/// and one of more than this nothing about any of them: something was done to all files.
const MOST_CHANGED: usize = 1_000;
/// Whatever is longer is no line about a file: systems allow paths of 4,096 bytes, and there may be two.
const MOST_BYTES: usize = 10_000;

/// Reads the output of `git log --name-status -M --format=%x00`, the newest commit first, piece by piece.
///
/// Takes memory for the files that the log names, and for the commits of few files, however long the log is.
pub struct LogReader {
    folder: FilePath,
    /// What has come of a line that has not ended.
    line: Vec<u8>,
    /// Whether a commit has begun.
    began: bool,
    commits: u32,
    names: Vec<FilePath>,
    numbers: FxHashMap<FilePath, u32>,
    /// What was moved, and where to.
    moved: FxHashMap<u32, u32>,
    /// How many commits changed each of the names.
    counts: Vec<u32>,
    /// The files of the commit that is being read, and of how many files it says something.
    touched: BTreeSet<u32>,
    changed: usize,
    /// The files of each commit of few files, one commit behind the other, and where each ends.
    few: Vec<u32>,
    ends: Vec<usize>,
}

impl LogReader {
    /// Paths will be read from `folder`.
    pub fn new(folder: FilePath) -> LogReader {
        LogReader {
            folder,
            line: Vec::new(),
            began: false,
            commits: 0,
            names: Vec::new(),
            numbers: FxHashMap::default(),
            moved: FxHashMap::default(),
            counts: Vec::new(),
            touched: BTreeSet::new(),
            changed: 0,
            few: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Takes in the next piece. Where it is cut does not matter.
    pub fn feed(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|byte| matches!(byte, b'\n' | 0)) {
            let (part, end) = match part.split_last() {
                Some((end @ (b'\n' | 0), part)) => (part, Some(*end)),
                _ => (part, None),
            };
            if self.line.len() <= MOST_BYTES {
                self.line.extend_from_slice(part);
            }
            if let Some(end) = end {
                self.end_line();
                if end == 0 {
                    self.end_commit();
                    self.began = true;
                }
            }
        }
    }

    /// What all of it says. A commit that has not been read to its end counts as far as it was.
    pub fn finish(mut self) -> History {
        self.end_line();
        self.end_commit();
        let together = self.together();
        let names = self.names.into_iter().zip(self.counts);
        let files: BTreeMap<FilePath, u32> = names.filter(|(_, count)| *count > 0).collect();
        History::of(self.commits, files, together)
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.began
            && line.len() <= MOST_BYTES
            && let Ok(line) = std::str::from_utf8(&line)
        {
            self.take(line);
        }
        // Its memory is of use for the next one.
        self.line = line;
        self.line.clear();
    }

    fn take(&mut self, line: &str) {
        let mut parts = line.split('\t');
        let (Some(status), Some(first)) = (parts.next(), parts.next()) else {
            return;
        };
        if status.is_empty() || first.is_empty() {
            return;
        }
        self.changed += 1;
        let after = parts.next();
        let moved = status.starts_with('R') && after.is_some();
        if self.changed > MOST_CHANGED && !moved {
            return;
        }
        let Some(now) = self.number(after.unwrap_or(first)) else {
            return;
        };
        let now = self.moved.get(&now).copied().unwrap_or(now);
        if moved && let Some(before) = self.number(first) {
            self.moved.insert(before, now);
        }
        if self.changed <= MOST_CHANGED {
            self.touched.insert(now);
        }
    }

    fn number(&mut self, name: &str) -> Option<u32> {
        let file = self.folder.join(name).ok()?;
        if !file.is_inside(&self.folder) {
            return None;
        }
        if let Some(number) = self.numbers.get(&file) {
            return Some(*number);
        }
        let number = u32::try_from(self.names.len()).ok()?;
        self.names.push(file.clone());
        self.counts.push(0);
        self.numbers.insert(file, number);
        Some(number)
    }

    fn end_commit(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        let changed = std::mem::take(&mut self.changed);
        if !std::mem::take(&mut self.began) {
            return;
        }
        self.commits += 1;
        if changed > MOST_CHANGED {
            return;
        }
        for number in &touched {
            if let Some(count) = self.counts.get_mut(*number as usize) {
                *count += 1;
            }
        }
        if (2..=MOST_FILES).contains(&touched.len()) {
            self.few.extend(touched);
            self.ends.push(self.few.len());
        }
    }

    /// The pairs of files that changed together often enough.
    ///
    /// A file of fewer commits is in no such pair, and hardly any file has more, so that little is left to be counted.
    fn together(&self) -> Vec<Together> {
        let often = |number: &&u32| {
            let count = self.counts.get(**number as usize);
            count.is_some_and(|count| *count >= LEAST_COMMITS)
        };
        let mut pairs: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut start = 0;
        for end in &self.ends {
            let commit = self.few.get(start..*end).unwrap_or(&[]);
            start = *end;
            let files: Vec<u32> = commit.iter().filter(often).copied().collect();
            for (at, file) in files.iter().enumerate() {
                for other in files.get(at + 1..).unwrap_or(&[]) {
                    *pairs.entry((*file, *other)).or_default() += 1;
                }
            }
        }
        let name = |number: u32| self.names.get(number as usize).cloned();
        let enough = pairs
            .into_iter()
            .filter(|(_, count)| *count >= LEAST_COMMITS);
        enough
            .filter_map(|((one, other), count)| Some((name(one)?, name(other)?, count)))
            .collect()
    }
}
