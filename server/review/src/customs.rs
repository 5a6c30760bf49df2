//! What a repository does in one way nearly everywhere, and the places that do it otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use index::{Facts, Reference, Role, SymbolKind};
use text::{FilePath, Range};

use crate::check::{
    Finding, MOST_RELATED, Related, Severity, is_of_others, is_program, runs_once, stands_alone,
};
use crate::graph::{Project, folder_of, is_test_file, name_of};
use crate::judge::Bar;
use crate::rule::{RuleId, Thresholds};

/// A custom is one from so many places on,
const LEAST_SITES: usize = 20;
/// of which so many of a hundred are alike.
const LEAST_SHARE: usize = 85;

/// How often things are done in which way. Nothing by default, and then no rule about it finds anything.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Customs {
    /// By ecosystem: for each habit, how often it is kept and how often not.
    habits: BTreeMap<(&'static str, Habit), [usize; 2]>,
    /// How functions are written, by ecosystem.
    functions: BTreeMap<&'static str, Styles>,
    /// How files are named, by their folder and what their names end in.
    files: BTreeMap<(FilePath, String), Styles>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Habit {
    /// To log, and not to print.
    Log,
    /// To make errors that can be told from others.
    Error,
}

impl Habit {
    const ALL: [Habit; 2] = [Habit::Log, Habit::Error];

    fn rule(self) -> RuleId {
        match self {
            Habit::Log => RuleId::Logging,
            Habit::Error => RuleId::ErrorHandling,
        }
    }

    /// Whether a call keeps the habit, or goes against it; none if it has nothing to do with it.
    fn kept(self, facts: &Facts, reference: &Reference<'_>) -> Option<bool> {
        let customs = &facts.grammar.customs;
        let (kept, against) = match self {
            Habit::Log => (customs.logs, customs.prints),
            Habit::Error => (customs.errors, customs.bare_errors),
        };
        if reference.role != Role::Call {
            return None;
        }
        if against.iter().any(|pattern| fits(pattern, reference)) {
            return Some(false);
        }
        let kept = kept.iter().any(|pattern| fits(pattern, reference));
        kept.then_some(true)
    }
}

/// Whether a call is one that a pattern describes.
fn fits(pattern: &str, reference: &Reference<'_>) -> bool {
    match pattern.rsplit_once('.') {
        None => {
            reference.qualifier.is_none() && !reference.member && is_like(pattern, reference.name)
        }
        Some(("*", name)) => {
            (reference.member || reference.qualifier.is_some()) && is_like(name, reference.name)
        }
        Some((qualifier, name)) => {
            reference.qualifier == Some(qualifier) && is_like(name, reference.name)
        }
    }
}

/// Whether a word fits a pattern with a `*` at its start or its end.
fn is_like(pattern: &str, word: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => word.ends_with(end),
        (None, Some(start)) => word.starts_with(start),
        (None, None) => word == pattern,
    }
}

/// The ways to write a name of several words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Style {
    Snake,
    Kebab,
    Camel,
    Pascal,
}

impl Style {
    /// The style of a name; none if it has one word only, or is of no style.
    fn of(name: &str) -> Option<Style> {
        let name = name.trim_matches(['_', '$', '-']);
        let first = name.chars().next()?;
        let upper = name.chars().any(char::is_uppercase);
        let lower = name.chars().any(char::is_lowercase);
        let plain = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        match (name.contains('_'), name.contains('-')) {
            _ if !plain || !lower => None,
            (true, false) if !upper => Some(Style::Snake),
            (false, true) if !upper => Some(Style::Kebab),
            (false, false) if upper && first.is_uppercase() => Some(Style::Pascal),
            (false, false) if upper => Some(Style::Camel),
            _ => None,
        }
    }

    fn example(self) -> &'static str {
        match self {
            Style::Snake => "like_this",
            Style::Kebab => "like-this",
            Style::Camel => "likeThis",
            Style::Pascal => "LikeThis",
        }
    }
}

type Styles = BTreeMap<Style, usize>;

/// The style of nearly all, with how many have it; none if there is no such style.
fn custom_of(styles: &Styles) -> Option<(Style, usize)> {
    let all: usize = styles.values().sum();
    let (style, count) = styles.iter().max_by_key(|(_, count)| **count)?;
    (all >= LEAST_SITES && *count < all && count * 100 >= all * LEAST_SHARE)
        .then_some((*style, *count))
}

impl Customs {
    /// Counts how things are done in a workspace. O(references).
    pub(crate) fn of(project: &Project<'_>, thresholds: &Thresholds) -> Customs {
        let mut customs = Customs::default();
        let on = |rule| thresholds.get(rule).is_some();
        let habits = Habit::ALL.into_iter().filter(|habit| on(habit.rule()));
        let habits: Vec<Habit> = habits.collect();
        let naming = on(RuleId::Naming);
        if habits.is_empty() && !naming {
            return customs;
        }
        for (file, facts) in project.index.files() {
            let known = &facts.grammar.customs;
            let says = !known.prints.is_empty() || !known.bare_errors.is_empty();
            if !says && !naming {
                continue;
            }
            let path = name_of(project, file);
            if !counts(&facts, &path) || is_test_file(project, file, &facts) {
                continue;
            }
            let ecosystem = facts.grammar.ecosystem;
            for (habit, kept, _) in sites(&habits, &facts, &path) {
                let counted = customs.habits.entry((ecosystem, habit)).or_default();
                counted[usize::from(!kept)] += 1;
            }
            if naming {
                let styles = customs.functions.entry(ecosystem).or_default();
                for symbol in functions(&facts) {
                    if let Some(style) = Style::of(&symbol.name) {
                        *styles.entry(style).or_default() += 1;
                    }
                }
                if let Some((ending, style)) = style_of_file(file) {
                    let folder = customs.files.entry((folder_of(file), ending)).or_default();
                    *folder.entry(style).or_default() += 1;
                }
            }
        }
        customs
    }

    /// Findings of one file, silenced or not. O(references of the file).
    pub(crate) fn check(
        &self,
        bar: &Bar<'_>,
        file: &FilePath,
        path: &str,
        facts: &Facts,
    ) -> Vec<Finding> {
        if *self == Customs::default() || !counts(facts, path) || facts.grammar.is_test_path(path) {
            return Vec::new();
        }
        let on = |rule| bar.thresholds.get(rule).is_some();
        let mut found = Vec::new();
        let ecosystem = facts.grammar.ecosystem;
        for habit in Habit::ALL {
            let counted = self.habits.get(&(ecosystem, habit));
            let [kept, against] = counted.copied().unwrap_or_default();
            let all = kept + against;
            if on(habit.rule()) && all >= LEAST_SITES && kept * 100 >= all * LEAST_SHARE {
                found.extend(departures(habit, [kept, all], file, facts, path));
            }
        }
        if on(RuleId::Naming) {
            let custom = self.functions.get(ecosystem).and_then(custom_of);
            for symbol in functions(facts) {
                let style = Style::of(&symbol.name);
                let Some(((usual, count), style)) = custom.zip(style) else {
                    continue;
                };
                // Names that start with a capital letter mean something of their own in too many places.
                if style != usual && style != Style::Pascal {
                    found.push(Finding {
                        rule: RuleId::Naming,
                        severity: Severity::Information,
                        file: file.clone(),
                        symbol: symbol.path.clone(),
                        range: symbol.name_range,
                        message: format!(
                            "`{}` is written {}, and {count} functions here are written {}",
                            symbol.name,
                            style.example(),
                            usual.example()
                        ),
                        key: "".into(),
                        related: Vec::new(),
                    });
                }
            }
            found.extend(self.misnamed(file));
        }
        found
    }

    /// A file whose name is written otherwise than those of nearly all files beside it.
    fn misnamed(&self, file: &FilePath) -> Option<Finding> {
        let (ending, style) = style_of_file(file)?;
        let styles = self.files.get(&(folder_of(file), ending))?;
        let (usual, count) = custom_of(styles).filter(|(usual, _)| *usual != style)?;
        Some(Finding {
            rule: RuleId::Naming,
            severity: Severity::Information,
            file: file.clone(),
            symbol: "".into(),
            range: Range::new(0, 0),
            message: format!(
                "`{}` is written {}, and {count} files beside it are written {}",
                file.file_name(),
                style.example(),
                usual.example()
            ),
            key: "file".into(),
            related: Vec::new(),
        })
    }
}

/// One finding for each function, or for what is outside of all, that goes against a habit.
fn departures(
    habit: Habit,
    [kept, all]: [usize; 2],
    file: &FilePath,
    facts: &Facts,
    path: &str,
) -> Vec<Finding> {
    let mut places: BTreeMap<Arc<str>, Vec<Reference<'_>>> = BTreeMap::new();
    let habits = [habit];
    for (_, _, reference) in sites(&habits, facts, path).filter(|(_, kept, _)| !kept) {
        let around = reference.within.and_then(|id| facts.callable(id));
        let symbol = around.and_then(|id| facts.symbol(id));
        let symbol = symbol.map_or_else(|| "".into(), |symbol| symbol.path.clone());
        places.entry(symbol).or_default().push(reference);
    }
    let findings = places.into_iter().filter_map(|(symbol, references)| {
        let first = references.first()?;
        let name = match first.qualifier {
            Some(qualifier) => format!("{qualifier}.{}", first.name),
            None => first.name.to_owned(),
        };
        let says = match habit {
            Habit::Log => format!("prints, and {kept} of {all} such places here log"),
            Habit::Error => {
                format!("is of no kind that callers could tell, and {kept} of {all} such places here are")
            }
        };
        let rest = references.iter().skip(1).map(|reference| Related {
            file: file.clone(),
            range: reference.range,
            message: format!("`{}` as well", reference.name),
        });
        Some(Finding {
            rule: habit.rule(),
            severity: Severity::Information,
            file: file.clone(),
            symbol,
            range: first.range,
            message: format!("`{name}` {says}"),
            key: name.as_str().into(),
            related: rest.take(MOST_RELATED).collect(),
        })
    });
    findings.collect()
}

/// The calls that keep habits or go against them.
fn sites<'f>(
    habits: &'f [Habit],
    facts: &'f Facts,
    path: &'f str,
) -> impl Iterator<Item = (Habit, bool, Reference<'f>)> {
    let program = is_program(path);
    let shows_file = path.rsplit('/').take(2).any(is_to_show);
    let all = facts.references().flat_map(move |reference| {
        let habits = habits.iter();
        habits.filter_map(move |habit| Some((*habit, habit.kept(facts, &reference)?, reference)))
    });
    all.filter(move |(habit, _, reference)| {
        let around = reference.within.and_then(|id| facts.symbol(id));
        let of_test = around.is_some_and(|symbol| symbol.test);
        let callable = reference.within.and_then(|id| facts.callable(id));
        let path_of = callable
            .and_then(|id| facts.symbol(id))
            .map(|symbol| &*symbol.path);
        let shows = shows_file || path_of.is_some_and(is_to_show);
        let may = of_test || program || (*habit == Habit::Log && shows);
        !may
    })
}

/// Whether a name says that what is done there is to show something, or is where logging ends.
fn is_to_show(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = [
        "log", "print", "console", "cmd", "command", "report", "help", "usage", "test", "debug",
        "main", "dump", "display",
    ];
    words.iter().any(|word| name.contains(word))
}

/// The functions whose names are their author's own: a method may have to be called as it is.
fn functions(facts: &Facts) -> impl Iterator<Item = &index::Symbol> {
    facts.enumerate().filter_map(|(id, symbol)| {
        let plain = symbol.range.start == symbol.item.start || symbol.doc.is_some();
        let inside = facts
            .ancestors(id)
            .skip(1)
            .any(|(_, around)| around.kind.is_callable() || around.kind.has_members());
        let counts = symbol.kind == SymbolKind::Function && symbol.body.is_some() && !symbol.test;
        (counts && plain && !inside).then_some(symbol)
    })
}

/// What the name of a file ends in, and how it is written.
fn style_of_file(file: &FilePath) -> Option<(String, Style)> {
    let (stem, ending) = file.file_name().split_once('.')?;
    Some((ending.to_owned(), Style::of(stem)?))
}

fn counts(facts: &Facts, path: &str) -> bool {
    !facts.generated && !is_of_others(path) && !stands_alone(path) && !runs_once(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_style_if_they_have_words() {
        for (name, style) in [
            ("one", None),
            ("CAPITALS", None),
            ("_like_this", Some(Style::Snake)),
            ("like-this", Some(Style::Kebab)),
            ("likeThis2", Some(Style::Camel)),
            ("LikeThis", Some(Style::Pascal)),
            ("like_This", None),
            ("naïve_name", None),
        ] {
            assert_eq!(Style::of(name), style, "{name}");
        }
    }
}
