//! Functions that say the same as others, whatever their own names are.

use std::collections::BTreeMap;

use index::{Facts, Place, Symbol, SymbolKind};
use text::FilePath;

use crate::check::{
    Finding, MOST_RELATED, Related, Severity, is_of_others, runs_once, stands_alone,
};
use crate::judge::Bar;
use crate::rule::RuleId;

/// Shorter functions are alike without anybody having copied them, however much is on a line.
const LEAST_LINES: u32 = 6;

/// A method that another type has under the same name must be so many times as large: some interface asks both for it.
const OF_ONE_NAME: u32 = 2;

/// Findings of one file, silenced or not; `path` is the file's from the root of the workspace.
///
/// Of functions that say the same all but the first are reported; one that is new only if another is not, as a copy of
/// that one. O(log n) for each function, n being all names, and what the files with its copies cost.
pub(crate) fn check(bar: &Bar<'_>, file: &FilePath, path: &str, facts: &Facts) -> Vec<Finding> {
    let limits = [RuleId::Duplicate, RuleId::DuplicateOfExisting];
    let least = limits
        .into_iter()
        .filter_map(|rule| bar.thresholds.get(rule));
    let Some(least) = least.min() else {
        return Vec::new();
    };
    let root = file.as_str().strip_suffix(path).unwrap_or("");
    if !counts(facts, path) {
        return Vec::new();
    }
    let mut own: BTreeMap<&str, u32> = BTreeMap::new();
    for shape in facts
        .symbols
        .iter()
        .filter_map(|symbol| symbol.shape.as_ref())
    {
        *own.entry(&*shape.code).or_default() += 1;
    }
    let mut found = Vec::new();
    for (id, symbol) in facts.enumerate() {
        let Some(shape) = symbol.shape.as_ref().filter(|_| is_large(symbol, least)) else {
            continue;
        };
        let here = own.get(&*shape.code).copied().unwrap_or(0);
        if here < 2 && bar.index.files_of_shape(shape) < 2 {
            continue;
        }
        let mine = Place {
            file: file.clone(),
            symbol: id,
        };
        let mut copies = bar.index.of_shape(shape);
        // The facts at hand may be newer than those in the index.
        copies.retain(|place| place.file != *file);
        let alike = facts.enumerate();
        let alike = alike.filter(|(_, symbol)| symbol.shape.as_ref() == Some(shape));
        copies.extend(alike.map(|(symbol, _)| Place {
            file: file.clone(),
            symbol,
        }));
        copies.sort_unstable();
        let copies: Vec<Copy> = copies
            .into_iter()
            .filter_map(|place| Copy::at(bar, root, place, file, facts))
            .collect();
        found.extend(judge(bar, &mine, symbol, shape.tokens, &copies));
    }
    found
}

/// A function of the same shape.
struct Copy {
    place: Place,
    symbol: Symbol,
    /// The path of its file from the root of the workspace.
    path: String,
    fresh: bool,
}

impl Copy {
    fn at(bar: &Bar<'_>, root: &str, place: Place, own: &FilePath, facts: &Facts) -> Option<Copy> {
        let path = place.file.as_str();
        let path = path.strip_prefix(root).unwrap_or(path).to_owned();
        let symbol = if place.file == *own {
            facts.symbol(place.symbol)?.clone()
        } else {
            let facts = bar.index.file(&place.file)?;
            if !counts(&facts, &path) {
                return None;
            }
            facts.symbol(place.symbol)?.clone()
        };
        let fresh = bar
            .fresh
            .is_some_and(|fresh| fresh(&place.file, &symbol.path, symbol.range));
        (!symbol.test).then_some(Copy {
            place,
            symbol,
            path,
            fresh,
        })
    }
}

fn judge(
    bar: &Bar<'_>,
    mine: &Place,
    symbol: &Symbol,
    tokens: u32,
    copies: &[Copy],
) -> Option<Finding> {
    let own = copies.iter().position(|copy| copy.place == *mine)?;
    let on = |rule: RuleId, other: &Copy| {
        let asked_for = symbol.kind == SymbolKind::Method && other.symbol.name == symbol.name;
        let times = if asked_for { OF_ONE_NAME } else { 1 };
        let limit = bar.thresholds.get(rule);
        limit.is_some_and(|limit| tokens > limit.saturating_mul(times))
    };
    let old = copies.iter().find(|copy| !copy.fresh);
    let lines = symbol.metrics.map_or(0, |metrics| metrics.lines);
    let (rule, other, message) = match old {
        Some(old) if copies.get(own)?.fresh && on(RuleId::DuplicateOfExisting, old) => (
            RuleId::DuplicateOfExisting,
            old,
            format!(
                "`{}` is new and says in {lines} lines what `{}` in `{}` says already; use that one",
                symbol.name, old.symbol.name, old.path
            ),
        ),
        _ => {
            let first = old.unwrap_or(copies.first()?);
            if first.place == *mine || !on(RuleId::Duplicate, first) {
                return None;
            }
            let message = format!(
                "`{}` says in {lines} lines what `{}` in `{}` says",
                symbol.name, first.symbol.name, first.path
            );
            (RuleId::Duplicate, first, message)
        }
    };
    let rest = copies
        .iter()
        .filter(|copy| copy.place != *mine && copy.place != other.place);
    let related = [other].into_iter().chain(rest).map(|copy| Related {
        file: copy.place.file.clone(),
        range: copy.symbol.name_range,
        message: format!("`{}` says the same", copy.symbol.name),
    });
    Some(Finding {
        rule,
        severity: Severity::Information,
        file: mine.file.clone(),
        symbol: symbol.path.clone(),
        range: symbol.name_range,
        message,
        key: "".into(),
        related: related.take(MOST_RELATED).collect(),
    })
}

fn is_large(symbol: &Symbol, least: u32) -> bool {
    let tokens = symbol.shape.as_ref().map_or(0, |shape| shape.tokens);
    let lines = symbol.metrics.map_or(0, |metrics| metrics.lines);
    !symbol.test && tokens > least && lines >= LEAST_LINES
}

/// Whether copies in a file count: tests repeat themselves, and what others wrote is theirs to mend.
fn counts(facts: &Facts, path: &str) -> bool {
    !facts.generated
        && !facts.grammar.is_test_path(path)
        && !is_of_others(path)
        && !runs_once(path)
        && !stands_alone(path)
}
