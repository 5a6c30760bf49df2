//! Whether a predicate is so.

use std::collections::BTreeSet;

use index::{Place, Role, SymbolKind};
use text::FilePath;

use super::alike::{Likeness, likeness};
use super::evidence::{Evidence, Found};
use super::{At, Metric, Predicate};
use crate::graph::folder_of;
use crate::team::is_of;

/// The most files whose text is searched for one predicate.
const MOST_SEARCHED: usize = 200;
/// The fewest characters of a text whose absence means something.
const LEAST_TEXT: usize = 3;
/// The most files of a circle that are checked.
const MOST_FILES: usize = 8;

/// What the index says of a predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is so; what shows it, as a part of a sentence.
    Proved(String),
    /// Nothing speaks against it; what would have to be judged.
    Open(String),
    /// It is not so, or it is about what is not there.
    False,
}

fn proved_if(so: bool, says: impl FnOnce() -> String) -> Verdict {
    if so {
        Verdict::Proved(says())
    } else {
        Verdict::False
    }
}

impl Evidence<'_> {
    pub(super) fn verdict(&self, predicate: &Predicate) -> Verdict {
        let found = match predicate {
            Predicate::Imports { file, target } => return self.imports(file, target),
            Predicate::Cycle { files } => return self.cycle(files),
            Predicate::SameJob { one, other } => return self.same_job(one, other),
            Predicate::Violates { key } => {
                return if self.project.team.keys().contains(key) {
                    Verdict::Open(format!("it goes against {key}"))
                } else {
                    Verdict::False
                };
            }
            Predicate::Missing { file, text } => return self.missing(file, text),
            Predicate::Judgement {} => return Verdict::Open("it is a problem".to_owned()),
            Predicate::Exceeds { metric, at, least } => self.exceeds(*metric, at, *least),
            Predicate::Calls { at, callee } => self.calls(at, callee, false),
            Predicate::CallsInLoop { at, callee } => self.calls(at, callee, true),
            Predicate::NoCaller { at } => self.symbol(at).map(|found| self.no_caller(&found)),
            Predicate::OnlyCaller { at, caller } => self.only_caller(at, caller),
            Predicate::SingleImpl { at } => self.symbol(at).map(|found| self.single_impl(&found)),
            Predicate::Duplicates { at, twin } => self.duplicates(at, twin),
            Predicate::NoTest { at } => self.symbol(at).map(|found| self.no_test(&found)),
        };
        found.unwrap_or(Verdict::False)
    }

    fn imports(&self, path: &str, target: &str) -> Verdict {
        let importers = self.files(path);
        let targets: BTreeSet<FilePath> = self.files(target).into_iter().collect();
        let folders: BTreeSet<FilePath> = targets.iter().map(folder_of).collect();
        let inside = importers
            .iter()
            .flat_map(|file| self.edges(file).map(move |edge| (file, edge)))
            .any(|(file, edge)| {
                let leads = targets.contains(&edge.to) || folders.contains(&edge.to);
                leads && !(importers.contains(&edge.to) && edge.to == *file)
            });
        let outside = targets.is_empty()
            && importers.iter().any(|file| {
                let links = self.graph.links(file);
                let mut externals = links.into_iter().flat_map(|links| &links.externals);
                externals.any(|one| &*one.package == target || is_of(&one.path, target))
            });
        proved_if(inside || outside, || format!("`{path}` imports `{target}`"))
    }

    fn cycle(&self, paths: &[String]) -> Verdict {
        if !(2..=MOST_FILES).contains(&paths.len()) {
            return Verdict::False;
        }
        let files: Option<Vec<FilePath>> = paths.iter().map(|path| self.file(path)).collect();
        let Some(files) = files else {
            return Verdict::False;
        };
        let next = files.iter().cycle().skip(1);
        let distinct = files.iter().collect::<BTreeSet<_>>().len() == files.len();
        let closed = distinct && files.iter().zip(next).all(|(a, b)| self.leads(a, b));
        proved_if(closed, || {
            let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
            format!("{} import each other in a circle", names.join(", "))
        })
    }

    /// Whether imports lead from one file to another.
    fn leads(&self, from: &FilePath, to: &FilePath) -> bool {
        let folder = folder_of(to);
        let mut seen: BTreeSet<FilePath> = BTreeSet::new();
        let mut due = vec![from.clone()];
        while let Some(file) = due.pop() {
            for edge in self.edges(&file) {
                if edge.to == *to || edge.to == folder {
                    return true;
                }
                if seen.insert(edge.to.clone()) {
                    if self.graph.is_file(&edge.to) {
                        due.push(edge.to.clone());
                    } else {
                        let inside = self.project.index.inside(&edge.to).into_iter();
                        due.extend(inside.filter(|file| folder_of(file) == edge.to));
                    }
                }
            }
        }
        false
    }

    /// Who calls it, tests apart.
    fn callers(&self, found: &Found) -> Vec<Place> {
        let callers = self.project.index.callers(&found.place).into_iter();
        let callers = callers.map(|(place, _)| place);
        let own = |place: &Place| {
            let symbol = self.project.index.symbol(place);
            symbol.is_some_and(|symbol| !symbol.test)
        };
        callers.filter(own).collect()
    }

    fn calls(&self, at: &At, callee: &At, in_loop: bool) -> Option<Verdict> {
        let (from, to) = (self.symbol(at)?, self.symbol(callee)?);
        let calls = self.project.index.callers(&to.place);
        if !calls.iter().any(|(place, _)| *place == from.place) {
            return Some(Verdict::False);
        }
        let (caller, called) = (&from.symbol.name, &to.symbol.name);
        if !in_loop {
            return Some(Verdict::Proved(format!("`{caller}` calls `{called}`")));
        }
        // Without any control flow there is no loop.
        let nested = from
            .symbol
            .metrics
            .is_some_and(|metrics| metrics.nesting > 0);
        Some(if nested {
            Verdict::Open(format!("`{caller}` calls `{called}` in a loop"))
        } else {
            Verdict::False
        })
    }

    fn no_caller(&self, found: &Found) -> Verdict {
        let name = &found.symbol.name;
        let own = found.symbol.range;
        let uses = self.project.index.uses(&found.place);
        let elsewhere =
            |used: &&index::Use| used.file != found.place.file || !own.contains(used.range.start);
        let mut others = uses.iter().filter(elsewhere).peekable();
        if others.peek().is_none() {
            return Verdict::Proved(format!("nothing in the workspace mentions `{name}`"));
        }
        if others.any(|used| used.confidence.is_likely() && used.role != Role::Import) {
            return Verdict::False;
        }
        Verdict::Open(format!("nobody uses `{name}`"))
    }

    fn only_caller(&self, at: &At, caller: &At) -> Option<Verdict> {
        let (found, caller) = (self.symbol(at)?, self.symbol(caller)?);
        let callers = self.callers(&found);
        let only = callers.iter().all(|place| *place == caller.place);
        Some(proved_if(only && !callers.is_empty(), || {
            let (name, by) = (&found.symbol.name, &caller.symbol.name);
            format!("only `{by}` calls `{name}`")
        }))
    }

    fn single_impl(&self, found: &Found) -> Verdict {
        let open = found.symbol.kind == SymbolKind::Interface;
        let implementors = self.project.index.implementors(&found.place);
        proved_if(open && implementors.len() == 1, || {
            format!("`{}` has one implementation", found.symbol.name)
        })
    }

    fn duplicates(&self, at: &At, twin: &At) -> Option<Verdict> {
        let (one, other) = (self.symbol(at)?, self.symbol(twin)?);
        if one.place == other.place {
            return Some(Verdict::False);
        }
        let (text, twin_text) = (self.text_of(&one)?, self.text_of(&other)?);
        let names = || format!("`{}` and `{}`", one.symbol.path, other.symbol.path);
        Some(match likeness(&text, &twin_text) {
            Likeness::Same => Verdict::Proved(format!("{} say nearly the same", names())),
            Likeness::Perhaps => Verdict::Open(format!("{} do the same", names())),
            Likeness::Different => Verdict::False,
        })
    }

    fn same_job(&self, one: &str, other: &str) -> Verdict {
        let used = |package: &str| {
            let mut links = self.graph.files().map(|(_, links)| links);
            links.any(|links| {
                let mut externals = links.externals.iter();
                externals.any(|external| !external.test && is_of(&external.package, package))
            })
        };
        if is_of(one, other) || !used(one) || !used(other) {
            return Verdict::False;
        }
        let of_job = |job: &crate::Job, package: &str| {
            is_of(package, &job.library) || job.instead_of.iter().any(|name| is_of(package, name))
        };
        let jobs = &self.project.team.jobs;
        match jobs
            .iter()
            .find(|job| of_job(job, one) && of_job(job, other))
        {
            Some(job) => Verdict::Proved(format!("`{one}` and `{other}` both do {}", job.job)),
            None => Verdict::Open(format!("`{one}` and `{other}` do the same job")),
        }
    }

    fn missing(&self, path: &str, text: &str) -> Verdict {
        let files = self.files(path);
        if files.is_empty() || text.trim().chars().count() < LEAST_TEXT {
            return Verdict::False;
        }
        if files.len() > MOST_SEARCHED {
            return Verdict::Open(format!("`{text}` stands nowhere in `{path}`"));
        }
        let stands = |file: &FilePath| {
            let read = (self.text)(file);
            // What cannot be read may have it.
            read.is_none_or(|read| read.to_string().contains(text))
        };
        proved_if(!files.iter().any(stands), || {
            format!("`{text}` stands nowhere in `{path}`")
        })
    }

    fn no_test(&self, found: &Found) -> Verdict {
        let tests = self.project.index.nearest_tests(&found.place);
        proved_if(tests.is_empty() && !found.symbol.test, || {
            format!("no test mentions `{}`", found.symbol.name)
        })
    }

    fn exceeds(&self, metric: Metric, at: &At, least: u32) -> Option<Verdict> {
        let figure = self.figure(metric, at)?;
        let of = if at.symbol.is_empty() {
            &at.file
        } else {
            &at.symbol
        };
        let (worth, what) = match (metric, at.symbol.is_empty()) {
            (Metric::Lines, false) => (40, "lines"),
            (Metric::Lines, true) => (300, "lines"),
            (Metric::Nesting, _) => (3, "levels of control flow"),
            (Metric::Complexity, _) => (10, "points of cognitive complexity"),
            (Metric::Parameters, _) => (5, "parameters"),
            (Metric::Symbols, _) => (20, "symbols"),
            (Metric::FanIn, _) => (8, "files that import it"),
            (Metric::FanOut, _) => (8, "files that it imports"),
        };
        // That a function has more than three lines says nothing.
        Some(proved_if(least >= worth && figure >= least, || {
            format!("`{of}` has {figure} {what}")
        }))
    }

    fn figure(&self, metric: Metric, at: &At) -> Option<u32> {
        let count = |count: usize| u32::try_from(count).ok();
        if at.symbol.is_empty() {
            let file = self.file(&at.file)?;
            let facts = self.project.index.file(&file)?;
            return match metric {
                Metric::Lines => count(facts.lines),
                Metric::Symbols => count(facts.symbols.len()),
                Metric::FanIn => count(self.importers(&file).len()),
                Metric::FanOut => count(self.imported(&file).len()),
                Metric::Nesting | Metric::Complexity | Metric::Parameters => None,
            };
        }
        let metrics = self.symbol(at)?.symbol.metrics?;
        match metric {
            Metric::Lines => Some(metrics.lines),
            Metric::Nesting => Some(metrics.nesting),
            Metric::Complexity => Some(metrics.cognitive),
            Metric::Parameters => Some(metrics.parameters),
            Metric::Symbols | Metric::FanIn | Metric::FanOut => None,
        }
    }
}
