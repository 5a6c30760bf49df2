//! The journal of a run: what happened, one JSON line for each event, in a file that only grows.
//!
//! It is the trace that people read and the script that a replay follows. One writer at a time; whole lines, handed to
//! the system at once, so a killed process loses at most the line it was writing. It does not know what an event means.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{RunId, private};

/// The journal of one run, open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// Locked, so that there is no second writer.
    file: File,
    next: u64,
    /// The file may end within a line, after a write that failed.
    broken_line: bool,
}

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry<E = Value> {
    /// Counted from 1 without gaps.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: E,
}

/// What a journal says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// The events, in order.
    pub entries: Vec<Entry>,
    /// The last line was not finished: the process was killed while it wrote, or writes at this moment.
    pub torn: bool,
    /// Lines that cannot be read, or that are missing before another.
    pub problems: Vec<String>,
}

/// The journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("the journal {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process writes it, or this one does already.
    #[error("the journal {} has another writer", .0.display())]
    InUse(PathBuf),
    /// The event cannot be written as JSON.
    #[error("the event cannot be written as JSON: {0}")]
    Event(#[from] serde_json::Error),
}

impl Journal {
    /// Begins the journal of `run` in `directory`, which is created. There must not be one yet.
    pub fn create(directory: &Path, run: &RunId) -> Result<Self, JournalError> {
        let path = Self::path_of(directory, run);
        let open = || {
            private::create_dir(directory)?;
            private::create_new(&path)
        };
        let file = open().map_err(|source| failure(&path, source))?;
        Self::with_file(path, file, 1)
    }

    /// Opens the journal at `path` to go on with it. An unfinished last line is cut off.
    pub fn resume(path: &Path) -> Result<Self, JournalError> {
        let io = |source| failure(path, source);
        let file = private::open_existing(path).map_err(io)?;
        let mut journal = Self::with_file(path.to_owned(), file, 1)?;
        let mut bytes = Vec::new();
        journal.file.read_to_end(&mut bytes).map_err(io)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        journal.file.set_len(whole as u64).map_err(io)?;
        journal.file.seek(SeekFrom::End(0)).map_err(io)?;
        journal.next = recording(&bytes)
            .entries
            .last()
            .map_or(1, |entry| entry.seq + 1);
        Ok(journal)
    }

    /// The file of a run's journal.
    pub fn path_of(directory: &Path, run: &RunId) -> PathBuf {
        directory.join(format!("{run}.jsonl"))
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an event that happened at `at`, and answers with its number. The line is with the system when it returns.
    pub fn append(&mut self, at: Timestamp, event: &impl Serialize) -> Result<u64, JournalError> {
        let seq = self.next;
        let mut line = Vec::new();
        if self.broken_line {
            line.push(b'\n');
        }
        serde_json::to_writer(&mut line, &Entry { seq, at, event })?;
        line.push(b'\n');
        self.broken_line = true;
        self.file
            .write_all(&line)
            .and_then(|()| self.file.flush())
            .map_err(|source| failure(&self.path, source))?;
        self.broken_line = false;
        self.next += 1;
        Ok(seq)
    }

    /// Closes the journal; it is on the disk when this returns.
    pub fn finish(self) -> Result<(), JournalError> {
        self.file
            .sync_all()
            .map_err(|source| failure(&self.path, source))
    }

    /// Reads the journal at `path`, also while it is written.
    pub fn read(path: &Path) -> Result<Recording, JournalError> {
        let bytes = std::fs::read(path).map_err(|source| failure(path, source))?;
        Ok(recording(&bytes))
    }

    fn with_file(path: PathBuf, file: File, next: u64) -> Result<Self, JournalError> {
        match file.try_lock() {
            Ok(()) => Ok(Self {
                path,
                file,
                next,
                broken_line: false,
            }),
            Err(std::fs::TryLockError::WouldBlock) => Err(JournalError::InUse(path)),
            Err(std::fs::TryLockError::Error(source)) => Err(failure(&path, source)),
        }
    }
}

fn recording(bytes: &[u8]) -> Recording {
    let mut recording = Recording::default();
    let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').enumerate().collect();
    // What follows the last line break is nothing, or a line that was not finished.
    recording.torn = lines.pop().is_some_and(|(_, rest)| !rest.is_empty());
    let mut expected = 1;
    for (index, line) in lines {
        if line.is_empty() {
            continue;
        }
        let number = index + 1;
        match serde_json::from_slice::<Entry>(line) {
            Ok(entry) => {
                if entry.seq != expected {
                    let problem = format!(
                        "line {number}: event {} where {expected} was expected",
                        entry.seq
                    );
                    recording.problems.push(problem);
                }
                expected = entry.seq.saturating_add(1);
                recording.entries.push(entry);
            }
            Err(error) => recording.problems.push(format!("line {number}: {error}")),
        }
    }
    recording
}

fn failure(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    // The files written here are journals of these tests.
    #![allow(
        clippy::unwrap_used,
        clippy::disallowed_methods,
        clippy::naive_bytecount
    )]

    use std::fs;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn run(name: &str) -> RunId {
        name.parse().unwrap()
    }

    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Event<'a> {
        Turn { number: u32 },
        Text { text: &'a str },
    }

    #[test]
    fn events_are_lines_with_a_number_and_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(&directory.path().join("journals"), &run("r1")).unwrap();
        assert_eq!(
            journal.append(at(0), &Event::Turn { number: 1 }).unwrap(),
            1
        );
        assert_eq!(
            journal
                .append(at(1), &Event::Text { text: "two\nlines" })
                .unwrap(),
            2
        );
        let path = journal.path().to_owned();
        journal.finish().unwrap();
        expect_test::expect![[r#"
            {"seq":1,"at":"2026-11-18T11:06:40Z","event":{"kind":"Turn","number":1}}
            {"seq":2,"at":"2026-11-18T11:06:41Z","event":{"kind":"Text","text":"two\nlines"}}
        "#]]
        .assert_eq(&fs::read_to_string(&path).unwrap());
        let recording = Journal::read(&path).unwrap();
        assert_eq!(
            recording.entries[1].event,
            json!({"kind": "Text", "text": "two\nlines"})
        );
        assert!(!recording.torn && recording.problems.is_empty());
    }

    #[test]
    fn there_is_one_writer_and_a_run_has_one_journal() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::create(directory.path(), &run("r1")).unwrap();
        assert!(matches!(
            Journal::resume(journal.path()),
            Err(JournalError::InUse(_))
        ));
        let path = journal.path().to_owned();
        drop(journal);
        assert!(matches!(
            Journal::create(directory.path(), &run("r1")),
            Err(JournalError::Io { .. })
        ));
        assert!(Journal::resume(&path).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::create(directory.path(), &run("r1")).unwrap();
        let mode = fs::metadata(journal.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn damage_in_the_middle_is_reported_and_the_rest_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(directory.path(), &run("r1")).unwrap();
        for second in 0..4 {
            journal
                .append(at(second), &json!({ "second": second }))
                .unwrap();
        }
        let path = journal.path().to_owned();
        drop(journal);
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        fs::write(
            &path,
            format!("{}\n{}\n{}\n", lines[0], &lines[1][..20], lines[3]),
        )
        .unwrap();
        let recording = Journal::read(&path).unwrap();
        assert_eq!(recording.entries.len(), 2);
        assert_eq!(recording.problems.len(), 2, "{:?}", recording.problems);
        assert!(recording.problems[1].starts_with("line 3: event 4 where 2 was expected"));
    }

    proptest! {
        /// Cut anywhere, a journal keeps every whole line, and goes on from there.
        #[test]
        fn a_torn_line_is_lost_alone(events in proptest::collection::vec("\\PC{0,20}", 1..8), cut in 0..4_000_usize) {
            let directory = tempfile::tempdir().unwrap();
            let mut journal = Journal::create(directory.path(), &run("r1")).unwrap();
            for event in &events {
                journal.append(at(0), event).unwrap();
            }
            let path = journal.path().to_owned();
            drop(journal);
            let bytes = fs::read(&path).unwrap();
            let kept = &bytes[..cut % (bytes.len() + 1)];
            fs::write(&path, kept).unwrap();
            let whole = kept.iter().filter(|byte| **byte == b'\n').count();
            let recording = Journal::read(&path).unwrap();
            prop_assert_eq!(recording.entries.len(), whole);
            prop_assert!(recording.problems.is_empty());
            prop_assert_eq!(recording.torn, kept.last().is_some_and(|last| *last != b'\n'));

            let mut journal = Journal::resume(&path).unwrap();
            prop_assert_eq!(journal.append(at(1), &"more").unwrap(), whole as u64 + 1);
            let recording = Journal::read(&path).unwrap();
            prop_assert_eq!(recording.entries.len(), whole + 1);
            prop_assert!(!recording.torn && recording.problems.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = recording(&bytes);
        }
    }
}
