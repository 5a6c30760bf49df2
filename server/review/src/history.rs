//! What the history of a repository tells: what changes often, and what changes together.

mod read;

use std::collections::BTreeMap;

use index::Facts;
use serde::{Deserialize, Serialize};
use text::{FilePath, Range};

pub use self::read::LogReader;
use crate::check::{Finding, Related, Severity};
use crate::graph::{Graph, Project, is_test_file, name_of};
use crate::rule::{RuleId, Thresholds};

/// So many commits must have changed both files,
const LEAST_COMMITS: u32 = 10;
/// and so large a part, in percent, of those that changed either.
const LEAST_SHARE: u64 = 30;
/// Whoever changes a file changes the other as well in so many of a hundred commits, or nothing is amiss.
const LEAST_MIRRORED: u64 = 60;
/// A file is hot if it changes more often than this part, in percent, of all files that change,
const HOT_ABOVE: usize = 90;
/// and at least so often.
const HOT_LEAST: u32 = 10;

/// What is read of a history. Nothing by default, and then no rule about it finds anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    commits: u32,
    /// How many commits changed each file.
    files: BTreeMap<FilePath, u32>,
    /// With which others a file changed, by path, and how often. Both files of a pair have it.
    pairs: BTreeMap<FilePath, Vec<(FilePath, u32)>>,
    /// From so many commits on a file is hot.
    hot: u32,
}

/// A history as it is written down, to be read again where its folder is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenHistory {
    commits: u32,
    /// Paths from the folder, and how many commits changed each.
    files: Vec<(String, u32)>,
    /// Places of two files in the list above, and how many commits changed both.
    pairs: Vec<(usize, usize, u32)>,
}

impl History {
    fn of(commits: u32, files: BTreeMap<FilePath, u32>, together: Vec<Together>) -> History {
        let mut pairs: BTreeMap<FilePath, Vec<(FilePath, u32)>> = BTreeMap::new();
        for (one, other, count) in together {
            let to_other = (other.clone(), count);
            pairs.entry(one.clone()).or_default().push(to_other);
            pairs.entry(other).or_default().push((one, count));
        }
        for others in pairs.values_mut() {
            others.sort_unstable();
        }
        let mut counts: Vec<u32> = files.values().copied().collect();
        counts.sort_unstable();
        let above = counts.get(counts.len() * HOT_ABOVE / 100);
        History {
            commits,
            hot: above.copied().unwrap_or(u32::MAX).max(HOT_LEAST),
            files,
            pairs,
        }
    }

    /// How many commits were read.
    pub fn commits(&self) -> u32 {
        self.commits
    }

    /// In how many commits a file changed; none if it did not.
    pub fn churn(&self, file: &FilePath) -> Option<u32> {
        self.files.get(file).copied()
    }

    /// In how many commits a file changed, if it is one of those that change most.
    pub fn heat(&self, file: &FilePath) -> Option<u32> {
        self.churn(file).filter(|commits| *commits >= self.hot)
    }

    /// Files that change together with others, by path.
    pub fn paired(&self) -> impl Iterator<Item = &FilePath> {
        self.pairs.keys()
    }

    /// The files that a file changes together with, by path.
    pub fn partners(&self, file: &FilePath) -> impl Iterator<Item = &FilePath> {
        let partners = self.pairs.get(file).into_iter().flatten();
        partners.map(|(partner, _)| partner)
    }

    /// What a file has to do with those that it changes together with, as findings, silenced or not: files that do not
    /// import each other, at the first of each pair; and that it has just been changed without the other.
    ///
    /// `is_new` says whether anything in a file has changed since the revision that new code is told by. Files that import
    /// each other are left out, because it is no secret that they belong together; and so are tests. O(pairs of the file).
    pub fn about(
        &self,
        file: &FilePath,
        graph: &Graph,
        project: &Project<'_>,
        thresholds: &Thresholds,
        is_new: &dyn Fn(&FilePath) -> bool,
    ) -> Vec<Finding> {
        let on = |rule: RuleId| thresholds.get(rule).is_some();
        let mut found = Vec::new();
        let pairs = self.pairs.get(file).into_iter().flatten();
        for (other, together) in pairs {
            let pair = Pair {
                file,
                other,
                together: u64::from(*together),
                commits: self.churn(file).unwrap_or(0).into(),
                others: self.churn(other).unwrap_or(0).into(),
            };
            // What is in the two files comes last, because it may have to be read.
            let coupled = on(RuleId::ChangeCoupling) && file < other && pair.is_coupled();
            let mirror =
                on(RuleId::MirrorEdit) && pair.is_mirrored() && is_new(file) && !is_new(other);
            if (!coupled && !mirror) || !pair.is_apart(graph, project) {
                continue;
            }
            if coupled {
                found.push(pair.coupling(project));
            }
            if mirror {
                found.push(pair.mirror_edit(project));
            }
        }
        found
    }

    /// The history as it is written down, with paths from `folder`.
    pub fn written(&self, folder: &FilePath) -> WrittenHistory {
        let places: BTreeMap<&FilePath, usize> = self.files.keys().zip(0..).collect();
        let name = |file: &FilePath| file.relative_to(folder).unwrap_or_default().to_owned();
        let files = self.files.iter();
        let pairs = self.pairs.iter().flat_map(|(file, others)| {
            let later = others.iter().filter(move |(other, _)| file < other);
            later.map(move |(other, count)| (file, other, *count))
        });
        let place = |file: &FilePath| places.get(file).copied();
        WrittenHistory {
            commits: self.commits,
            files: files.map(|(file, count)| (name(file), *count)).collect(),
            pairs: pairs
                .filter_map(|(one, other, count)| Some((place(one)?, place(other)?, count)))
                .collect(),
        }
    }

    /// Takes up what was written down. What does not fit together is left out.
    pub fn from_written(folder: &FilePath, written: &WrittenHistory) -> History {
        let named = written.files.iter();
        let files: Vec<Option<FilePath>> = named
            .map(|(name, _)| folder.join(name).ok().filter(|file| file.is_inside(folder)))
            .collect();
        let counts = written.files.iter().map(|(_, count)| *count);
        let counted = files.iter().cloned().zip(counts);
        let counted = counted.filter_map(|(file, count)| Some((file?, count)));
        let file = |place: usize| files.get(place)?.clone();
        let pairs = written.pairs.iter();
        let together = pairs.filter_map(|(one, other, count)| {
            Some((file(*one)?, file(*other)?, *count)).filter(|(one, other, _)| one != other)
        });
        History::of(written.commits, counted.collect(), together.collect())
    }
}

/// Two files, and how many commits changed both.
type Together = (FilePath, FilePath, u32);

/// A file, and one that it changes together with.
struct Pair<'h> {
    file: &'h FilePath,
    other: &'h FilePath,
    /// In so many commits,
    together: u64,
    /// of so many that changed the first,
    commits: u64,
    /// and so many that changed the other.
    others: u64,
}

impl Pair<'_> {
    fn either(&self) -> u64 {
        (self.commits + self.others).saturating_sub(self.together)
    }

    fn is_coupled(&self) -> bool {
        self.together * 100 >= self.either() * LEAST_SHARE
    }

    fn is_mirrored(&self) -> bool {
        self.together * 100 >= self.commits * LEAST_MIRRORED
    }

    /// Whether both are code, and neither imports the other.
    fn is_apart(&self, graph: &Graph, project: &Project<'_>) -> bool {
        let code = |file: &FilePath| {
            let facts = project.index.file(file);
            facts.is_some_and(|facts: std::sync::Arc<Facts>| {
                !facts.generated && !is_test_file(project, file, &facts)
            })
        };
        !graph.imports(self.file, self.other)
            && !graph.imports(self.other, self.file)
            && code(self.file)
            && code(self.other)
    }

    fn coupling(&self, project: &Project<'_>) -> Finding {
        let name = name_of(project, self.other);
        let message = format!(
            "changed together with `{name}` in {} of {} commits, and neither imports the other",
            self.together,
            self.either()
        );
        self.finding(RuleId::ChangeCoupling, &name, message, "the other file")
    }

    fn mirror_edit(&self, project: &Project<'_>) -> Finding {
        let name = name_of(project, self.other);
        let message = format!(
            "has changed, and `{name}` has not; of the last {} commits that changed it, {} changed both",
            self.commits, self.together
        );
        self.finding(RuleId::MirrorEdit, &name, message, "what is as it was")
    }

    fn finding(&self, rule: RuleId, name: &str, message: String, other: &str) -> Finding {
        Finding {
            rule,
            severity: Severity::Information,
            file: self.file.clone(),
            symbol: "".into(),
            range: Range::new(0, 0),
            message,
            key: name.into(),
            related: vec![Related {
                file: self.other.clone(),
                range: Range::new(0, 0),
                message: other.to_owned(),
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn file(name: &str) -> FilePath {
        FilePath::new("/w").unwrap().join(name).unwrap()
    }

    fn read(log: &str) -> History {
        let mut reader = LogReader::new(file(""));
        reader.feed(log.as_bytes());
        reader.finish()
    }

    #[test]
    fn a_file_that_was_moved_keeps_its_history() {
        let history = read("\0\n\nM\tb.py\n\0\n\nR090\ta.py\tb.py\nM\tc.py\n\0\n\nM\ta.py\n");
        assert_eq!(history.commits(), 3);
        assert_eq!(history.churn(&file("b.py")), Some(3));
        assert_eq!(history.churn(&file("a.py")), None);
    }

    #[test]
    fn what_changes_most_is_hot() {
        let mut log = String::new();
        for number in 0..20 {
            write!(log, "\0\n\nM\tx{number}.py\nM\thot.py\n").unwrap();
        }
        let history = read(&log);
        assert_eq!(history.heat(&file("hot.py")), Some(20));
        assert_eq!(history.heat(&file("x1.py")), None);
        assert_eq!(History::default().heat(&file("hot.py")), None);
    }

    #[test]
    fn files_that_change_together_are_partners_of_each_other() {
        let log = "\0\n\nM\ta.py\nM\tb.py\n".repeat(9) + "\0\n\nM\ta.py\nM\tc.py\n";
        assert_eq!(read(&log).paired().count(), 0);
        let log = log + "\0\n\nA\ta.py\nA\tb.py\n";
        let history = read(&log);
        let of = |name: &str| history.partners(&file(name)).cloned().collect::<Vec<_>>();
        assert_eq!(of("a.py"), [file("b.py")]);
        assert_eq!(of("b.py"), [file("a.py")]);
        assert!(of("c.py").is_empty());
    }

    #[test]
    fn a_commit_of_nearly_everything_says_nothing_about_its_files() {
        let many = |count: usize| -> String {
            let lines = (0..count).map(|number| format!("M\tx{number}.py\n"));
            format!("\0\n\n{}", lines.collect::<String>())
        };
        let history = read(&many(31).repeat(10));
        assert_eq!(history.churn(&file("x1.py")), Some(10));
        assert_eq!(history.paired().count(), 0);
        let moved = "\0\n\nM\tb.py\n".to_owned() + &many(1_000) + "R100\ta.py\tb.py\n";
        let history = read(&(moved + "\0\n\nM\ta.py\n"));
        assert_eq!(history.commits(), 3);
        assert_eq!(history.churn(&file("x1.py")), None);
        // But what it moved has moved.
        assert_eq!(history.churn(&file("b.py")), Some(2));
    }

    #[test]
    fn what_is_no_history_says_nothing() {
        for log in ["", "fatal: not a git repository", "\0", "\0a\nM\n\t\t\n"] {
            let history = read(log);
            assert!(history.files.is_empty(), "{log:?}");
        }
    }

    #[test]
    fn what_was_written_down_wrongly_is_left_out() {
        let written = WrittenHistory {
            commits: 3,
            files: vec![("../x.py".to_owned(), 9), ("a.py".to_owned(), 2)],
            pairs: vec![(0, 1, 9), (1, 1, 9), (1, 7, 9)],
        };
        let history = History::from_written(&file(""), &written);
        assert_eq!(history.files, BTreeMap::from([(file("a.py"), 2)]));
        assert_eq!(history.paired().count(), 0);
    }

    fn logs() -> impl Strategy<Value = String> {
        let name = || prop::sample::select(vec!["a.py", "b.py", "d/a.py", "ü.py", "x y.py"]);
        let line = prop_oneof![
            4 => name().prop_map(|name| format!("M\t{name}\n")),
            1 => (name(), name()).prop_map(|(a, b)| format!("R100\t{a}\t{b}\n")),
            1 => "[\\x00-\\x7f]{0,8}",
        ];
        let commit = prop::collection::vec(line, 0..6);
        let commit = commit.prop_map(|lines| format!("\0\n\n{}", lines.concat()));
        let commits = prop::collection::vec(commit, 0..8);
        // Often enough for some to be pairs.
        commits.prop_map(|commits| commits.concat().repeat(10))
    }

    proptest! {
        #[test]
        fn however_a_log_comes_it_says_the_same(log in logs(), cuts in prop::collection::vec(0_usize..64, 0..40)) {
            let whole = read(&log);
            let mut reader = LogReader::new(file(""));
            let mut rest = log.as_bytes();
            for cut in cuts {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                reader.feed(part);
                rest = after;
            }
            reader.feed(rest);
            prop_assert_eq!(reader.finish(), whole);
        }

        #[test]
        fn what_is_written_down_is_read_again(log in logs()) {
            let history = read(&log);
            let written = serde_json::to_string(&history.written(&file(""))).unwrap();
            let written = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(History::from_written(&file(""), &written), history);
        }
    }
}
