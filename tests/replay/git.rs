//! Commits of a local clone, read with `git`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One commit, as far as it changes files of a language.
pub(crate) struct Commit {
    pub(crate) id: String,
    /// Path, and the objects before and after.
    pub(crate) changed: Vec<(String, String, String)>,
    /// Files of the language that it creates, deletes or renames.
    pub(crate) moved: usize,
}

/// All commits that change files for which `wanted` holds, the newest first; merges are left out.
pub(crate) fn commits(repo: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<Commit>, String> {
    let output = git(repo)
        .args([
            "-c",
            "core.quotePath=false",
            "log",
            "--no-merges",
            "--raw",
            "--no-abbrev",
            "-M",
            "--format=commit %H",
        ])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut commits: Vec<Commit> = Vec::new();
    for line in text.lines() {
        if let Some(id) = line.strip_prefix("commit ") {
            commits.push(Commit {
                id: id.to_owned(),
                changed: Vec::new(),
                moved: 0,
            });
            continue;
        }
        let Some((meta, paths)) = line.split_once('\t') else {
            continue;
        };
        let fields: Vec<&str> = meta.split(' ').collect();
        let (Some(commit), [_, mode, before, after, status]) =
            (commits.last_mut(), fields.as_slice())
        else {
            continue;
        };
        if !paths.split('\t').any(&wanted) {
            continue;
        }
        let ordinary = mode.starts_with("100");
        match (status.chars().next(), ordinary) {
            (Some('M'), true) if before != after => {
                commit
                    .changed
                    .push((paths.to_owned(), (*before).to_owned(), (*after).to_owned()));
            }
            (Some('M'), _) => {}
            _ => commit.moved += 1,
        }
    }
    commits.retain(|commit| !commit.changed.is_empty());
    Ok(commits)
}

/// A process that hands out objects.
pub(crate) struct Objects {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Objects {
    pub(crate) fn open(repo: &Path) -> Result<Objects, String> {
        let mut child = git(repo)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let answers = child.stdout.take().ok_or("git has no output")?;
        Ok(Objects {
            child,
            answers: BufReader::new(answers),
        })
    }

    /// The bytes of an object; none if the clone does not have it.
    pub(crate) fn get(&mut self, id: &str) -> Result<Option<Vec<u8>>, String> {
        let input = self.child.stdin.as_mut().ok_or("git has no input")?;
        writeln!(input, "{id}").map_err(|error| error.to_string())?;
        input.flush().map_err(|error| error.to_string())?;
        let mut head = String::new();
        self.answers
            .read_line(&mut head)
            .map_err(|error| error.to_string())?;
        let Some(size) = head
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse::<usize>().ok())
        else {
            return Ok(None);
        };
        let mut bytes = vec![0; size + 1];
        self.answers
            .read_exact(&mut bytes)
            .map_err(|error| error.to_string())?;
        bytes.pop();
        Ok(Some(bytes))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

/// Counts by name.
pub(crate) type Tally = BTreeMap<String, usize>;

fn git(repo: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(PathBuf::from(repo))
        .env("GIT_NO_LAZY_FETCH", "1");
    command
}
