//! Where a repository stands, what the latest commits changed, and when it stands elsewhere.
//!
//! A history is a matter of the commit that is checked out and of nothing else: not of the day, and not of the configuration.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use text::FilePath;

use crate::past::{NO_GIT, git, question};
use crate::watch::is_change;

/// So many commits are read at most,
const MOST_COMMITS: &str = "5000";
/// and only those of so many seconds before the last one: two years.
const MOST_AGE: u64 = 731 * 24 * 3_600;
/// Whether somebody wants it to stop is asked this often while git thinks.
const PATIENCE: Duration = Duration::from_millis(50);

/// What is checked out around a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    folder: FilePath,
    /// The full name of the commit.
    commit: String,
    /// When it was made, in seconds since 1970.
    time: u64,
    shallow: bool,
    /// Where git keeps what is checked out here.
    place: PathBuf,
}

/// How much of a log was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it was read.
    Whole,
    /// It was stopped before.
    Stopped,
}

impl Head {
    /// What is checked out around a folder; none outside of a repository, and before the first commit.
    ///
    /// # Errors
    ///
    /// If there is a repository that cannot be read, or one and no git; the error says why.
    pub fn of(folder: &FilePath) -> anyhow::Result<Option<Head>> {
        let asked = ["rev-parse", "--is-shallow-repository", "--absolute-git-dir"];
        let said = match git(folder, &asked, "") {
            Ok(said) => said,
            // Where there is none, git complains as well.
            Err(error) if folder.as_path().join(".git").exists() => return Err(error),
            Err(_) => return Ok(None),
        };
        let (shallow, place) = said.trim_end().split_once('\n').unwrap_or_default();
        let commit = match git(folder, &["rev-list", "-1", "--timestamp", "HEAD"], "") {
            Ok(commit) => commit,
            Err(error) => {
                let begun = git(folder, &["rev-parse", "--verify", "--quiet", "HEAD"], "");
                return begun.map_or(Ok(None), |_| Err(error));
            }
        };
        let (time, commit) = commit.trim().split_once(' ').unwrap_or_default();
        Ok(Some(Head {
            folder: folder.clone(),
            commit: commit.to_owned(),
            time: time.parse().context("git names no time of the commit")?,
            shallow: shallow == "true",
            place: PathBuf::from(place),
        }))
    }

    /// The full name of the commit.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Whether the clone was made without the older commits.
    pub fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// Has `take` read the log of the two years before the last commit, the newest commit first, at most 5,000 of them:
    /// a zero byte, then a line for each file of the folder with what became of it. `stop` is asked all the time.
    ///
    /// # Errors
    ///
    /// If git cannot tell; what was taken until then is not all of it.
    pub fn log(
        &self,
        stop: &dyn Fn() -> bool,
        take: &mut dyn FnMut(&[u8]),
    ) -> anyhow::Result<Extent> {
        self.stream("-M", stop, take)
    }

    /// The same where git lacks older texts, because only some were fetched or some are damaged: a file that was moved
    /// and changed at once is a new one.
    ///
    /// # Errors
    ///
    /// If git cannot tell.
    pub fn log_without_texts(
        &self,
        stop: &dyn Fn() -> bool,
        take: &mut dyn FnMut(&[u8]),
    ) -> anyhow::Result<Extent> {
        self.stream("-M100%", stop, take)
    }

    fn stream(
        &self,
        moves: &str,
        stop: &dyn Fn() -> bool,
        take: &mut dyn FnMut(&[u8]),
    ) -> anyhow::Result<Extent> {
        let age = format!("--max-age={}", self.time.saturating_sub(MOST_AGE));
        let arguments = [
            "log",
            "-n",
            MOST_COMMITS,
            &age,
            "--no-merges",
            "--no-show-signature",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--relative",
            moves,
            // More files at once are compared by name and content, and not each with each.
            "-l400",
            "--name-status",
            "--format=%x00",
            &self.commit,
            "--",
            ".",
        ];
        let mut child = question(&self.folder, &arguments).spawn().context(NO_GIT)?;
        drop(child.stdin.take());
        let (said, complaint) = std::thread::scope(|scope| {
            let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
            let complaint = scope.spawn(move || {
                let mut said = String::new();
                // A complaint that cannot be read is none.
                _ = stderr.map(|stderr| stderr.take(4_096).read_to_string(&mut said));
                said
            });
            let (sender, receiver) = sync_channel(4);
            if let Some(stdout) = stdout {
                scope.spawn(move || pass_on(stdout, &sender));
            }
            let said = listen(&receiver, stop, take);
            // Whoever waits for a taker ends with it, and whoever reads ends with the program.
            drop(receiver);
            if said == Extent::Stopped {
                _ = child.kill();
            }
            (said, complaint.join().unwrap_or_default())
        });
        let ended = wait(&mut child)?;
        anyhow::ensure!(
            said == Extent::Stopped || ended,
            "git: {}",
            complaint.trim()
        );
        Ok(said)
    }

    /// Calls `report` when something else may be checked out than before, from a thread of its own, until the watcher is
    /// dropped.
    ///
    /// # Errors
    ///
    /// If the system cannot watch.
    pub fn watch(&self, report: impl Fn() + Send + 'static) -> Result<HeadWatcher, notify::Error> {
        let (sender, receiver) = channel();
        let mut system = notify::recommended_watcher(move |event| _ = sender.send(event))?;
        // Each move is noted down at the end of a file; where that is turned off, a switch of branches is seen.
        system.watch(&self.place, RecursiveMode::NonRecursive)?;
        _ = system.watch(&self.place.join("logs"), RecursiveMode::NonRecursive);
        std::thread::Builder::new()
            .name("farthing-head".to_owned())
            .spawn(move || gather(&receiver, &report))
            .map_err(notify::Error::io)?;
        Ok(HeadWatcher {
            place: self.place.clone(),
            _system: system,
        })
    }
}

/// Watches what is checked out. Dropping it ends its thread.
pub struct HeadWatcher {
    place: PathBuf,
    _system: RecommendedWatcher,
}

impl HeadWatcher {
    /// Whether it watches the place where this is kept.
    pub fn watches(&self, head: &Head) -> bool {
        self.place == head.place
    }
}

/// After this long without an event, a move is over.
const QUIET: Duration = Duration::from_millis(100);
/// Of a long row of moves, such as a rebase, some are reported on the way.
const MOST_QUIET: Duration = Duration::from_secs(5);

fn gather(events: &Receiver<notify::Result<notify::Event>>, report: &dyn Fn()) {
    let is_head = |path: &PathBuf| path.file_name() == Some("HEAD".as_ref());
    let moves = |event: notify::Result<notify::Event>| match event {
        Ok(event) => {
            event.need_rescan() || (is_change(event.kind) && event.paths.iter().any(is_head))
        }
        Err(_) => true,
    };
    while let Ok(event) = events.recv() {
        if !moves(event) {
            continue;
        }
        let began = Instant::now();
        while began.elapsed() < MOST_QUIET {
            match events.recv_timeout(QUIET) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => break,
                // Nobody wants to know any more.
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        report();
    }
}

fn pass_on(mut from: impl std::io::Read, to: &SyncSender<Vec<u8>>) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let read = piece.get(..length).unwrap_or(&[]).to_vec();
        if to.send(read).is_err() {
            return;
        }
    }
}

fn listen(
    from: &Receiver<Vec<u8>>,
    stop: &dyn Fn() -> bool,
    take: &mut dyn FnMut(&[u8]),
) -> Extent {
    loop {
        match from.recv_timeout(PATIENCE) {
            Ok(piece) => take(&piece),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Extent::Whole,
        }
        if stop() {
            return Extent::Stopped;
        }
    }
}

/// Waits for the end of a program that has said all it had to say. Answers whether it was content.
fn wait(child: &mut Child) -> std::io::Result<bool> {
    Ok(child.wait()?.success())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use super::*;
    use crate::repository::Repository;

    fn log(head: &Head) -> String {
        let mut said = Vec::new();
        let reading = head.log(&|| false, &mut |piece| said.extend_from_slice(piece));
        assert_eq!(reading.unwrap(), Extent::Whole);
        String::from_utf8(said).unwrap().replace('\0', "commit")
    }

    #[test]
    fn the_log_names_what_each_commit_changed() {
        let repository = Repository::new();
        assert_eq!(Head::of(&repository.root).unwrap(), None);
        repository.write("a.py", "x = 1\n");
        repository.commit();
        repository.git(&["mv", "a.py", "b.py"]);
        repository.write("c d.py", "x = 2\n");
        repository.commit();
        // Whatever the user has set for the eyes.
        for (key, value) in [
            ("log.follow", "true"),
            ("log.showSignature", "true"),
            ("color.ui", "always"),
            ("diff.renames", "false"),
            ("format.pretty", "fuller"),
        ] {
            repository.git(&["config", key, value]);
        }
        let head = Head::of(&repository.root).unwrap().unwrap();
        assert!(!head.is_shallow());
        let said = log(&head);
        assert_eq!(
            said,
            "commit\n\nR100\ta.py\tb.py\nA\tc d.py\ncommit\n\nA\ta.py\n"
        );
        // Whatever happens later.
        repository.write("e.py", "x = 3\n");
        repository.commit();
        assert_eq!(log(&head), said);
    }

    #[test]
    fn what_is_old_by_the_last_commit_is_left_out() {
        let repository = Repository::new();
        for (file, day) in [
            ("a.py", "2001-01-01"),
            ("b.py", "2003-06-01"),
            ("c.py", "2005-01-01"),
        ] {
            repository.write(file, "x = 1\n");
            repository.commit_on(day);
        }
        let head = Head::of(&repository.root).unwrap().unwrap();
        assert_eq!(log(&head), "commit\n\nA\tc.py\ncommit\n\nA\tb.py\n");
    }

    #[test]
    fn no_repository_is_no_trouble_and_a_broken_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let root = FilePath::new(folder.path()).unwrap();
        assert_eq!(Head::of(&root).unwrap(), None);
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let trouble = Head::of(&root).unwrap_err().to_string();
        assert!(trouble.contains("not a git repository"), "{trouble}");
        let repository = Repository::new();
        repository.write("a.py", "x = 1\n");
        repository.commit();
        let head = Head::of(&repository.root).unwrap().unwrap();
        let objects = repository.root.as_path().join(".git/objects");
        std::fs::remove_dir_all(&objects).unwrap();
        std::fs::create_dir(&objects).unwrap();
        assert!(Head::of(&repository.root).is_err());
        assert!(head.log(&|| false, &mut |_| {}).is_err());
    }

    #[test]
    fn a_lack_of_older_texts_costs_the_moves_of_what_was_changed() {
        let repository = Repository::new();
        let text: Vec<String> = (0..40).map(|line| format!("x{line} = {line}\n")).collect();
        let text = text.concat();
        let a = repository.write("a.py", &text);
        repository.commit();
        let old = repository.git(&["rev-parse", "HEAD:a.py"]);
        std::fs::remove_file(a.as_path()).unwrap();
        repository.write("b.py", &(text + "y = 1\n"));
        repository.commit();
        let head = Head::of(&repository.root).unwrap().unwrap();
        assert!(log(&head).contains("R09"), "{}", log(&head));
        let (folder, name) = old.trim().split_at(2);
        let object = format!(".git/objects/{folder}/{name}");
        std::fs::remove_file(repository.root.as_path().join(object)).unwrap();
        assert!(head.log(&|| false, &mut |_| {}).is_err());
        let mut said = Vec::new();
        head.log_without_texts(&|| false, &mut |piece| said.extend_from_slice(piece))
            .unwrap();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("D\ta.py\nA\tb.py"), "{said}");
    }

    #[test]
    fn a_reading_can_be_stopped() {
        let repository = Repository::new();
        repository.write("a.py", "x = 1\n");
        repository.commit();
        let head = Head::of(&repository.root).unwrap().unwrap();
        let reading = head.log(&|| true, &mut |_| {}).unwrap();
        assert_eq!(reading, Extent::Stopped);
    }

    #[test]
    fn a_commit_and_a_switch_are_reported() {
        let repository = Repository::new();
        repository.write("a.py", "x = 1\n");
        repository.commit();
        let head = Head::of(&repository.root).unwrap().unwrap();
        let (sender, receiver) = channel();
        let watcher = head.watch(move || _ = sender.send(())).unwrap();
        assert!(watcher.watches(&head));
        let moved = || receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        repository.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
        moved();
        repository.git(&["checkout", "-q", "-b", "other"]);
        moved();
        drop(watcher);
        while receiver.recv_timeout(Duration::from_secs(10)).is_ok() {}
        assert_eq!(
            receiver.try_recv(),
            Err(std::sync::mpsc::TryRecvError::Disconnected)
        );
    }
}
