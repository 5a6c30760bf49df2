//! Abstractions that only one thing stands behind, and functions that only pass on what they get.

use index::{Facts, Index, Mention, Role, Smell, Symbol, SymbolId, SymbolKind, Whiff};
use text::{FilePath, Range};

use crate::check::{Finding, Related, Severity, is_of_others, stands_alone};
use crate::graph::folder_of;
use crate::judge::Bar;
use crate::rule::RuleId;

/// Interfaces with one implementation, silenced or not. O(mentions of the interfaces).
///
/// An interface that is mentioned outside of the folder of its file may be there for whoever mentions it, and one that
/// is implemented for a type from elsewhere gives that type something it has not; neither is reported.
pub(crate) fn single(bar: &Bar<'_>, file: &FilePath, path: &str, facts: &Facts) -> Vec<Finding> {
    let off = bar.thresholds.get(RuleId::SingleImpl).is_none();
    if off || facts.error_count > 0 || is_of_others(path) || stands_alone(path) {
        return Vec::new();
    }
    let interfaces = facts.enumerate().filter(|(id, symbol)| {
        symbol.kind == SymbolKind::Interface
            && !symbol.test
            // Whoever can see it may implement it.
            && !symbol.public
            && is_plain(symbol)
            && has_methods(facts, *id)
            && bar.index.definitions(&symbol.name).len() == 1
    });
    let found = interfaces.filter_map(|(_, symbol)| {
        let one = only_implementation(bar.index, file, facts, symbol)?;
        Some(Finding {
            rule: RuleId::SingleImpl,
            severity: Severity::Information,
            file: file.clone(),
            symbol: symbol.path.clone(),
            range: symbol.name_range,
            message: format!(
                "only `{}` implements `{}`, and nobody outside of this folder mentions it",
                one.name, symbol.name
            ),
            key: "".into(),
            related: vec![Related {
                file: one.file,
                range: one.range,
                message: "the only implementation".to_owned(),
            }],
        })
    });
    found.collect()
}

struct Implementation {
    name: String,
    file: FilePath,
    range: Range,
}

fn only_implementation(
    index: &Index,
    file: &FilePath,
    facts: &Facts,
    interface: &Symbol,
) -> Option<Implementation> {
    let folder = folder_of(file);
    let mut mentions = index.references(&interface.name);
    // The facts at hand may be newer than those in the index.
    mentions.retain(|mention| mention.file != *file);
    if !mentions
        .iter()
        .all(|mention| mention.file.is_inside(&folder))
    {
        return None;
    }
    let own = facts.references_to(&interface.name);
    mentions.extend(own.map(|reference| Mention {
        file: file.clone(),
        range: reference.range,
        role: reference.role,
        within: reference.within,
    }));
    let mut implementing = mentions.iter().filter(|one| one.role == Role::Implement);
    let one = implementing
        .next()
        .filter(|_| implementing.next().is_none())?;
    let other = (one.file != *file).then(|| index.file(&one.file)).flatten();
    let there = other.as_deref().unwrap_or(facts);
    let by = there.symbol(one.within?)?;
    // One that extends another interface hands its promises on.
    if by.kind == SymbolKind::Interface || by.test {
        return None;
    }
    let name = by.name.split(" as ").next()?.to_owned();
    let is_type = |id: &SymbolId, facts: &Facts| {
        let symbol = facts.symbol(*id);
        symbol.is_some_and(|symbol| symbol.kind.is_type())
    };
    // A type from elsewhere gets from the interface what it has not, and a name that stands for any type is none.
    let definitions = index.definitions(&name);
    let mut near = definitions
        .iter()
        .filter(|place| place.file.is_inside(&folder));
    let defined = near.any(|place| {
        let facts = index.file(&place.file);
        facts.is_some_and(|facts| is_type(&place.symbol, &facts))
    });
    let here = facts.by_name(&name).iter().any(|id| is_type(id, facts));
    (defined || here).then(|| Implementation {
        name,
        file: one.file.clone(),
        range: one.range,
    })
}

fn has_methods(facts: &Facts, id: SymbolId) -> bool {
    let mut children = facts.children(id).filter_map(|id| facts.symbol(id));
    children.any(|child| child.kind.is_callable())
}

/// Whether nothing stands above it that may give it a meaning of its own.
fn is_plain(symbol: &Symbol) -> bool {
    symbol.range.start == symbol.item.start || symbol.doc.is_some()
}

/// Functions that only call another with what they were given, and that one place calls, silenced or not.
pub(crate) fn pass_through(
    bar: &Bar<'_>,
    file: &FilePath,
    path: &str,
    facts: &Facts,
    smells: &[Whiff],
) -> Vec<Finding> {
    let off = bar.thresholds.get(RuleId::PassThrough).is_none();
    if off || is_of_others(path) || stands_alone(path) || facts.grammar.is_test_path(path) {
        return Vec::new();
    }
    let whiffs = smells
        .iter()
        .filter(|whiff| whiff.smell == Smell::PassThrough);
    let found = whiffs.filter_map(|whiff| {
        let symbol = facts.symbol(facts.by_path(&whiff.symbol)?)?;
        let top = symbol.parent.is_none_or(|id| {
            let around = facts.symbol(id);
            around.is_some_and(|around| around.kind == SymbolKind::Module)
        });
        let unique = facts.by_name(&symbol.name).len() == 1
            && bar
                .index
                .definitions(&symbol.name)
                .iter()
                .all(|place| place.file == *file);
        // Documentation says what the call does not, and whatever else stands above may give it a meaning.
        let bare = symbol.range.start == symbol.item.start;
        if !top || !unique || symbol.public || symbol.test || !bare {
            return None;
        }
        let mut own = facts.references_to(&symbol.name);
        let one = own.next().filter(|_| own.next().is_none())?;
        let elsewhere = bar.index.references(&symbol.name);
        let only = elsewhere.iter().all(|mention| mention.file == *file);
        let outside = !(symbol.range.start <= one.range.start && one.range.end <= symbol.range.end);
        (only && outside && one.role == Role::Call).then(|| Finding {
            rule: RuleId::PassThrough,
            severity: Severity::Information,
            file: file.clone(),
            symbol: symbol.path.clone(),
            range: symbol.name_range,
            message: format!(
                "`{}` only passes on what it gets, and one place calls it",
                symbol.name
            ),
            key: "".into(),
            related: vec![Related {
                file: file.clone(),
                range: one.range,
                message: "the only call".to_owned(),
            }],
        })
    });
    found.collect()
}
