//! What the history of a repository tells: what changes often, and what changes together.

use std::collections::{BTreeMap, BTreeSet};

use index::Facts;
use rustc_hash::FxHashMap;
use text::{FilePath, Range};

use crate::check::{Finding, Related, Severity};
use crate::graph::{Graph, Project, is_test_file, name_of};
use crate::rule::{RuleId, Thresholds};

/// A commit of more files than this says nothing about which of them belong together.
const MOST_FILES: usize = 30;
/// So many commits must have changed both files,
const LEAST_COMMITS: u32 = 10;
/// and so large a part, in percent, of those that changed either.
const LEAST_SHARE: u32 = 30;
/// Whoever changes a file changes the other as well in so many of a hundred commits, or nothing is amiss.
const LEAST_MIRRORED: u32 = 60;
/// A file is hot if it changes more often than this part, in percent, of all files that change,
const HOT_ABOVE: usize = 90;
/// and at least so often.
const HOT_LEAST: u32 = 10;

/// What is read of a history. Nothing by default, and then no rule about it finds anything.
#[derive(Clone, Debug, Default)]
pub struct History {
    commits: u32,
    files: BTreeMap<FilePath, Churn>,
    pairs: BTreeMap<(FilePath, FilePath), u32>,
    /// From so many commits on a file is hot.
    hot: u32,
}

/// How a file changed.
#[derive(Clone, Debug, Default)]
pub struct Churn {
    /// The commits that changed it.
    pub commits: u32,
    /// Who made them.
    pub authors: BTreeSet<String>,
}

impl History {
    /// Reads the output of `git log --name-status -M --format=%x00%ae`, the newest commit first, with paths relative to
    /// `root`. A file that was moved keeps its history.
    pub fn read(root: &FilePath, log: &str) -> History {
        let mut history = History::default();
        let mut moved: FxHashMap<FilePath, FilePath> = FxHashMap::default();
        for commit in log.split('\0').skip(1) {
            let mut lines = commit.lines();
            let author = lines.next().unwrap_or("");
            history.commits += 1;
            let mut touched: BTreeSet<FilePath> = BTreeSet::new();
            for line in lines {
                let mut parts = line.split('\t');
                let (Some(status), Some(first)) = (parts.next(), parts.next()) else {
                    continue;
                };
                let named = !status.is_empty() && !first.is_empty();
                let Some(before) = root.join(first).ok().filter(|_| named) else {
                    continue;
                };
                let after = parts.next().and_then(|name| root.join(name).ok());
                let now = after.as_ref().unwrap_or(&before);
                let now = moved.get(now).unwrap_or(now).clone();
                if status.starts_with('R') {
                    moved.insert(before, now.clone());
                }
                touched.insert(now);
            }
            for file in &touched {
                let churn = history.files.entry(file.clone()).or_default();
                churn.commits += 1;
                if !churn.authors.contains(author) {
                    churn.authors.insert(author.to_owned());
                }
            }
            if touched.len() <= MOST_FILES {
                let touched: Vec<FilePath> = touched.into_iter().collect();
                for (at, file) in touched.iter().enumerate() {
                    for other in &touched[at + 1..] {
                        let pair = (file.clone(), other.clone());
                        *history.pairs.entry(pair).or_default() += 1;
                    }
                }
            }
        }
        history.pairs.retain(|_, count| *count >= LEAST_COMMITS);
        let mut counts: Vec<u32> = history.files.values().map(|churn| churn.commits).collect();
        counts.sort_unstable();
        let above = counts.get(counts.len() * HOT_ABOVE / 100);
        history.hot = above.copied().unwrap_or(u32::MAX).max(HOT_LEAST);
        history
    }

    /// How many commits were read.
    pub fn commits(&self) -> u32 {
        self.commits
    }

    /// How a file changed; none if it did not.
    pub fn churn(&self, file: &FilePath) -> Option<&Churn> {
        self.files.get(file)
    }

    /// In how many commits a file changed, if it is one of those that change most.
    pub fn heat(&self, file: &FilePath) -> Option<u32> {
        let commits = self.files.get(file)?.commits;
        (commits >= self.hot).then_some(commits)
    }

    /// Pairs of files that change together, as findings at the first of each pair, silenced or not.
    ///
    /// Files that import each other are left out, because it is no secret that they belong together; and so are tests.
    pub fn coupled(
        &self,
        graph: &Graph,
        project: &Project<'_>,
        thresholds: &Thresholds,
    ) -> Vec<Finding> {
        if thresholds.get(RuleId::ChangeCoupling).is_none() {
            return Vec::new();
        }
        let pairs = self.pairs_apart(graph, project);
        let coupled = pairs.filter(|pair| pair.together * 100 >= pair.either * LEAST_SHARE);
        let found = coupled.map(|pair| {
            let name = name_of(project, pair.other);
            Finding {
                rule: RuleId::ChangeCoupling,
                severity: Severity::Information,
                file: pair.file.clone(),
                symbol: "".into(),
                range: Range::new(0, 0),
                message: format!(
                    "changed together with `{name}` in {} of {} commits, and neither imports the other",
                    pair.together, pair.either
                ),
                key: name.as_str().into(),
                related: vec![whole(pair.other, "the other file")],
            }
        });
        found.collect()
    }

    /// Files that have just been changed without the one that they mostly change with, as findings at what has changed,
    /// silenced or not.
    ///
    /// `is_new` says whether anything in a file has changed since the revision that new code is told by.
    pub fn one_sided(
        &self,
        graph: &Graph,
        project: &Project<'_>,
        thresholds: &Thresholds,
        is_new: &dyn Fn(&FilePath) -> bool,
    ) -> Vec<Finding> {
        if thresholds.get(RuleId::MirrorEdit).is_none() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for pair in self.pairs_apart(graph, project) {
            let (changed, left) = match (is_new(pair.file), is_new(pair.other)) {
                (true, false) => (pair.file, pair.other),
                (false, true) => (pair.other, pair.file),
                _ => continue,
            };
            let commits = self.churn(changed).map_or(0, |churn| churn.commits);
            if pair.together * 100 < commits * LEAST_MIRRORED {
                continue;
            }
            let name = name_of(project, left);
            found.push(Finding {
                rule: RuleId::MirrorEdit,
                severity: Severity::Information,
                file: changed.clone(),
                symbol: "".into(),
                range: Range::new(0, 0),
                message: format!(
                    "has changed, and `{name}` has not; of the last {commits} commits that changed it, {} changed both",
                    pair.together
                ),
                key: name.as_str().into(),
                related: vec![whole(left, "what is as it was")],
            });
        }
        found
    }

    /// Pairs of files of code that changed together and do not import each other.
    fn pairs_apart<'a>(
        &'a self,
        graph: &'a Graph,
        project: &'a Project<'a>,
    ) -> impl Iterator<Item = Pair<'a>> {
        let code = |file: &FilePath| {
            let facts = project.index.file(file);
            facts.is_some_and(|facts: std::sync::Arc<Facts>| {
                !facts.generated && !is_test_file(project, file, &facts)
            })
        };
        let commits = |file| self.files.get(file).map_or(0, |churn| churn.commits);
        let pairs = self
            .pairs
            .iter()
            .map(move |((file, other), together)| Pair {
                file,
                other,
                together: *together,
                either: commits(file) + commits(other) - together,
            });
        pairs.filter(move |pair| {
            !graph.imports(pair.file, pair.other)
                && !graph.imports(pair.other, pair.file)
                && code(pair.file)
                && code(pair.other)
        })
    }
}

/// Two files that changed together.
struct Pair<'h> {
    file: &'h FilePath,
    other: &'h FilePath,
    /// In so many commits,
    together: u32,
    /// of so many that changed either.
    either: u32,
}

/// A file as a place that belongs to a finding.
fn whole(file: &FilePath, message: &str) -> Related {
    Related {
        file: file.clone(),
        range: Range::new(0, 0),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Write as _;

    use super::*;

    fn file(name: &str) -> FilePath {
        FilePath::new("/w").unwrap().join(name).unwrap()
    }

    #[test]
    fn a_file_that_was_moved_keeps_its_history() {
        let log = "\0ana\n\nM\tb.py\n\0ben\n\nR090\ta.py\tb.py\nM\tc.py\n\0ana\n\nM\ta.py\n";
        let history = History::read(&file(""), log);
        assert_eq!(history.commits(), 3);
        let churn = history.churn(&file("b.py")).unwrap();
        assert_eq!(churn.commits, 3);
        assert_eq!(churn.authors.iter().collect::<Vec<_>>(), ["ana", "ben"]);
        assert!(history.churn(&file("a.py")).is_none());
    }

    #[test]
    fn what_changes_most_is_hot() {
        let mut log = String::new();
        for number in 0..20 {
            write!(log, "\0ana\n\nM\tx{number}.py\nM\thot.py\n").unwrap();
        }
        let history = History::read(&file(""), &log);
        assert_eq!(history.heat(&file("hot.py")), Some(20));
        assert_eq!(history.heat(&file("x1.py")), None);
        assert_eq!(History::default().heat(&file("hot.py")), None);
    }

    #[test]
    fn what_is_no_history_says_nothing() {
        for log in ["", "fatal: not a git repository", "\0", "\0a\nM\n\t\t\n"] {
            let history = History::read(&file(""), log);
            assert!(history.files.is_empty(), "{log:?}");
        }
    }
}
