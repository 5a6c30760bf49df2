//! What a repository tells of a folder: the revision that new code is told by, and what has changed since.
//!
//! Git is asked, and asked only such things as it answers without running anything else: no hook, no filter, no
//! converter, no pager, no network. Texts are compared here, because git would have filters look at them first.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use text::{FilePath, Range};

/// Where a branch may have come from, the likeliest first.
const TRUNKS: [&str; 5] = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];

/// A folder as it was at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    folder: FilePath,
    /// The full name of the commit.
    revision: String,
}

/// What of a text has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// All of it: the file was not there.
    All,
    /// These parts, in bytes of the text as it is now, ascending. Where something is gone, the part is empty.
    Parts(Vec<Range>),
}

impl Changed {
    /// What has changed from one text to the next; all of it if there was none.
    pub fn between(before: Option<&str>, now: &str) -> Changed {
        let Some(before) = before else {
            return Changed::All;
        };
        // Most of a text is as it was, and need not be looked at line by line.
        let whole = |text: &str, at: usize| text.get(..at).and_then(|text| text.rfind('\n'));
        let same = |(a, b): &(u8, u8)| a == b;
        let start = before.bytes().zip(now.bytes()).take_while(same).count();
        let start = whole(now, now.floor_char_boundary(start)).map_or(0, |at| at + 1);
        let (old, new) = (
            before.get(start..).unwrap_or(""),
            now.get(start..).unwrap_or(""),
        );
        let end = old.bytes().rev().zip(new.bytes().rev());
        let end = end.take_while(same).count();
        let cut = |text: &str| {
            let at = text.ceil_char_boundary(text.len() - end);
            text.get(at..)
                .and_then(|rest| rest.find('\n'))
                .map_or(text.len(), |line| at + line + 1)
        };
        let (old_end, new_end) = (cut(old), cut(new));
        // The same lines are left off on both sides.
        let kept = (old.len() - old_end).min(new.len() - new_end);
        let old = old.get(..old.len() - kept).unwrap_or(old);
        let new = new.get(..new.len() - kept).unwrap_or(new);
        let mut delta = 0_isize;
        let edits = text::diff(old, new);
        let parts = edits.edits().iter().map(|edit| {
            let at = edit.range.start.saturating_add_signed(delta) + start;
            delta += edit.insert.len() as isize - edit.range.len() as isize;
            Range::new(at, at + edit.insert.len())
        });
        Changed::Parts(parts.collect())
    }

    /// Whether a place has changed, or something in it is gone. An empty place stands for the whole file.
    pub fn touches(&self, place: Range) -> bool {
        match self {
            Changed::All => true,
            Changed::Parts(parts) if place.is_empty() => !parts.is_empty(),
            Changed::Parts(parts) => parts
                .iter()
                .any(|part| part.start < place.end && place.start < part.end.max(part.start + 1)),
        }
    }
}

impl Past {
    /// The folder where the work of now began: where the branch left the trunk, or the last commit of the trunk itself.
    /// None outside of a repository, without commits, and without git.
    pub fn of(folder: &FilePath) -> Option<Past> {
        let refs = git(
            folder,
            &[
                "for-each-ref",
                "--format=%(refname)",
                "refs/remotes/origin",
                "refs/heads",
            ],
            "",
        );
        let refs = refs.ok()?;
        let trunk = TRUNKS
            .iter()
            .find(|trunk| refs.lines().any(|name| name == **trunk));
        let fork = trunk.and_then(|trunk| git(folder, &["merge-base", "HEAD", trunk], "").ok());
        let fork = fork
            .map(|fork| fork.trim().to_owned())
            .filter(|fork| !fork.is_empty());
        let past = Past::at(folder, fork.as_deref().unwrap_or("HEAD")).ok()?;
        // A folder that the repository around it leaves out has no past in it.
        let known = git(
            folder,
            &["ls-tree", "--name-only", &past.revision, "./"],
            "",
        );
        known.is_ok_and(|known| !known.is_empty()).then_some(past)
    }

    /// The folder at a revision, as git names it.
    ///
    /// # Errors
    ///
    /// If there is no such revision, no repository or no git.
    pub fn at(folder: &FilePath, revision: &str) -> anyhow::Result<Past> {
        let commit = format!("{revision}^{{commit}}");
        let arguments = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        let commit = git(folder, &arguments, "");
        let commit = commit.with_context(|| format!("{revision} is no revision"))?;
        Ok(Past {
            folder: folder.clone(),
            revision: commit.trim().to_owned(),
        })
    }

    /// The full name of the revision.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The files that may have changed since. A file that was moved is new.
    ///
    /// # Errors
    ///
    /// If git cannot tell.
    pub fn candidates(&self) -> anyhow::Result<Vec<FilePath>> {
        // Of a file that was written just now git wants to know whether it has changed, and would filter it for that.
        let mut since = without_filters(&self.folder);
        let asked = [
            "diff-index",
            "-z",
            "--name-only",
            "--no-renames",
            "--relative",
        ];
        since.extend(asked.map(str::to_owned));
        since.extend([self.revision.clone(), "--".to_owned()]);
        let since: Vec<&str> = since.iter().map(String::as_str).collect();
        let known = git(&self.folder, &since, "")?;
        let others = ["ls-files", "--others", "--exclude-standard", "-z"];
        let others = git(&self.folder, &others, "")?;
        let names = known.split('\0').chain(others.split('\0'));
        let names = names.filter(|name| !name.is_empty());
        Ok(names
            .filter_map(|name| self.folder.join(name).ok())
            .collect())
    }

    /// The texts that files had; none for those that were not there, or were no text.
    ///
    /// # Errors
    ///
    /// If git cannot tell.
    pub fn texts(&self, files: &[FilePath]) -> anyhow::Result<BTreeMap<FilePath, String>> {
        let mut asked = String::new();
        let mut wanted = Vec::new();
        for file in files {
            let Some(name) = file.relative_to(&self.folder) else {
                continue;
            };
            // A name of several lines would be several questions.
            if !name.is_empty() && !name.contains('\n') {
                asked.extend([&self.revision, ":./", name, "\n"]);
                wanted.push(file);
            }
        }
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let answer = git_bytes(&self.folder, &["cat-file", "--batch"], &asked)?;
        let mut rest = answer.as_slice();
        let mut texts = BTreeMap::new();
        for file in wanted {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            let (head, after) = rest.split_at(end);
            let after = after.get(1..).unwrap_or(&[]);
            let head = String::from_utf8_lossy(head);
            let mut words = head.rsplit(' ');
            let size = words.next().and_then(|size| size.parse::<usize>().ok());
            let (Some(size), Some("blob")) = (size, words.next()) else {
                rest = after;
                continue;
            };
            let text = after
                .get(..size)
                .and_then(|text| std::str::from_utf8(text).ok());
            if let Some(text) = text {
                texts.insert(file.clone(), text.to_owned());
            }
            rest = after.get(size + 1..).unwrap_or(&[]);
        }
        Ok(texts)
    }
}

/// Options that leave git without the filters that somebody has configured.
fn without_filters(folder: &FilePath) -> Vec<String> {
    let asked = [
        "config",
        "-z",
        "--name-only",
        "--get-regexp",
        r"^filter\..*\.(clean|smudge|process)$",
    ];
    // It fails if there are none.
    let keys = git(folder, &asked, "").unwrap_or_default();
    let keys = keys.split('\0').filter(|key| !key.is_empty());
    let off = keys.flat_map(|key| {
        let name = key.rsplit_once('.').map_or(key, |(name, _)| name);
        [format!("{key}="), format!("{name}.required=false")]
    });
    off.flat_map(|set| ["-c".to_owned(), set]).collect()
}

pub(crate) fn git(folder: &FilePath, arguments: &[&str], input: &str) -> anyhow::Result<String> {
    let output = git_bytes(folder, arguments, input)?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// A question to git. Neither the user's nor the repository's configuration can have it start a program for what is asked
/// here.
#[expect(
    clippy::disallowed_methods,
    reason = "only git can read a repository; it is told to start nothing and to write nothing"
)]
pub(crate) fn question(folder: &FilePath, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.quotePath=false",
            "-c",
            "log.follow=false",
            "--no-optional-locks",
            "--no-pager",
        ])
        .args(arguments)
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .current_dir(folder.as_path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Why git cannot be asked at all.
pub(crate) const NO_GIT: &str = "the history needs the program git";

fn git_bytes(folder: &FilePath, arguments: &[&str], input: &str) -> anyhow::Result<Vec<u8>> {
    let mut child = question(folder, arguments).spawn().context(NO_GIT)?;
    // It answers while it is asked, so the questions come from another thread.
    let questions = child.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // If it does not listen, its answer says why.
            _ = questions.map(|mut stdin| stdin.write_all(input.as_bytes()));
        });
        child.wait_with_output()
    })?;
    anyhow::ensure!(
        output.status.success(),
        "git: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]

    use super::*;
    use crate::repository::Repository;

    fn parts(before: &str, now: &str) -> Vec<String> {
        match Changed::between(Some(before), now) {
            Changed::All => vec!["all".to_owned()],
            Changed::Parts(parts) => parts
                .iter()
                .map(|part| format!("{}:{}", part.start, &now[part.start..part.end]))
                .collect(),
        }
    }

    #[test]
    fn only_what_differs_has_changed() {
        assert_eq!(parts("a\nb\nc\n", "a\nb\nc\n"), [""; 0]);
        assert_eq!(parts("a\nb\nc\n", "a\nx\nc\n"), ["2:x"]);
        assert_eq!(parts("a\nb\nc\nd\n", "z\na\nb\nd\n"), ["0:z\n", "6:"]);
        assert_eq!(parts("a\na\n", "a\na\na\n").len(), 1);
        assert_eq!(parts("é\n", "è\n"), ["0:è"]);
        assert_eq!(parts("", "a\n"), ["0:a\n"]);
        assert_eq!(Changed::between(None, "a\n"), Changed::All);
    }

    #[test]
    fn what_changes_are_in_is_touched() {
        let changed = Changed::between(Some("a\nb\nc\nd\n"), "z\na\nb\nd\n");
        assert!(changed.touches(Range::new(0, 1)));
        assert!(!changed.touches(Range::new(2, 5)));
        assert!(changed.touches(Range::new(2, 7)));
        assert!(changed.touches(Range::at(0)));
        assert!(!Changed::Parts(Vec::new()).touches(Range::at(0)));
        assert!(Changed::All.touches(Range::new(2, 3)));
    }

    #[test]
    fn a_branch_began_where_it_left_the_trunk() {
        let repository = Repository::new();
        assert_eq!(Past::of(&repository.root), None);
        let a = repository.write("a.py", "x = 1\n");
        repository.write("b.py", "y = 1\n");
        repository.commit();
        let start = Past::of(&repository.root).unwrap();
        assert_eq!(start.candidates().unwrap(), []);
        repository.git(&["checkout", "-q", "-b", "work"]);
        repository.write("a.py", "x = 2\n");
        repository.commit();
        let c = repository.write("c d.py", "z = 1\n");
        let past = Past::of(&repository.root).unwrap();
        assert_eq!(past, start);
        assert_eq!(past.candidates().unwrap(), [a.clone(), c.clone()]);
        let texts = past.texts(&[c, a.clone()]).unwrap();
        assert_eq!(texts, BTreeMap::from([(a, "x = 1\n".to_owned())]));
        assert!(Past::at(&repository.root, "--all").is_err());
        assert!(Past::at(&repository.root, "nowhere").is_err());
        assert_ne!(Past::at(&repository.root, "HEAD").unwrap(), start);
    }

    #[test]
    fn a_repository_cannot_have_anything_run() {
        let repository = Repository::new();
        let a = repository.write("a.py", "x = 1\n");
        repository.write(
            ".gitattributes",
            "a.py filter=bad diff=bad\nb.py filter=worse.still\n",
        );
        let b = repository.write("b.py", "x = 1\n");
        repository.commit();
        let proof = repository.root.join("proof").unwrap();
        let bad = format!("touch {}", proof.as_str());
        for key in [
            "filter.bad.clean",
            "filter.worse.still.process",
            "diff.bad.textconv",
            "diff.external",
            "core.fsmonitor",
            "core.pager",
        ] {
            repository.git(&["config", key, &bad]);
        }
        repository.git(&["config", "filter.worse.still.required", "true"]);
        repository.write("a.py", "x = 2\n");
        repository.write("b.py", "x = 2\n");
        let past = Past::of(&repository.root).unwrap();
        let candidates = past.candidates().unwrap();
        assert!(candidates.contains(&a) && candidates.contains(&b));
        assert_eq!(past.texts(std::slice::from_ref(&a)).unwrap()[&a], "x = 1\n");
        let head = crate::Head::of(&repository.root).unwrap().unwrap();
        head.log(&|| false, &mut |_| {}).unwrap();
        assert!(!proof.as_path().exists());
    }
}
