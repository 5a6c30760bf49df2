//! Files and types that hold several things which have nothing to do with each other, and are changed all the time.

use std::collections::BTreeMap;

use index::{Facts, Role, Symbol, SymbolId};
use text::{FilePath, Range};

use crate::check::{Finding, Related, Severity, is_of_others, stands_alone};
use crate::judge::Bar;
use crate::rule::RuleId;
use crate::unreferenced::extends;

/// A part counts as a thing of its own from so many symbols on,
const LEAST_PART: usize = 5;
/// and so large a share, in percent, of all of them.
const LEAST_SHARE: usize = 15;

/// Findings of one file, silenced or not: one for the file, or one for each type.
///
/// Only a file that changes often is looked at. O(references of the file).
pub(crate) fn check(bar: &Bar<'_>, file: &FilePath, path: &str, facts: &Facts) -> Vec<Finding> {
    let limit = bar.thresholds.get(RuleId::God);
    let Some((limit, commits)) = limit.zip(bar.history.heat(file)) else {
        return Vec::new();
    };
    if facts.error_count > 0 || is_of_others(path) || stands_alone(path) {
        return Vec::new();
    }
    let types = facts.enumerate();
    // What a type extends asks it for members, whatever they have to do with each other.
    let types = types
        .filter(|(id, symbol)| symbol.kind.has_members() && !symbol.test && !extends(facts, *id));
    let holders = types.map(|(id, symbol)| (Some(id), Some(symbol)));
    let mut found = Vec::new();
    for (holder, symbol) in [(None, None)].into_iter().chain(holders) {
        let members = members(facts, holder);
        if members.len() <= limit as usize {
            continue;
        }
        let parts = parts(facts, &members);
        if parts.len() < 2 {
            continue;
        }
        found.push(finding(file, symbol, &members, &parts, limit, commits));
    }
    found
}

fn finding(
    file: &FilePath,
    holder: Option<&Symbol>,
    members: &[(SymbolId, &Symbol)],
    parts: &[Vec<&Symbol>],
    limit: u32,
    commits: u32,
) -> Finding {
    let name = holder.map_or_else(
        || "the file".to_owned(),
        |symbol| format!("`{}`", symbol.name),
    );
    let names = |part: &Vec<&Symbol>| -> String {
        let first: Vec<&str> = part.iter().take(3).map(|symbol| &*symbol.name).collect();
        first.join(", ")
    };
    let related = parts.iter().filter_map(|part| {
        let first = part.first()?;
        Some(Related {
            file: file.clone(),
            range: first.name_range,
            message: format!("{} that belong together: {}, …", part.len(), names(part)),
        })
    });
    Finding {
        rule: RuleId::God,
        severity: Severity::Information,
        file: file.clone(),
        symbol: holder.map_or_else(|| "".into(), |symbol| symbol.path.clone()),
        range: holder.map_or(Range::new(0, 0), |symbol| symbol.name_range),
        message: format!(
            "{name} holds {} functions and types (limit {limit}) in {} parts that do not mention each other, and changed \
             in {commits} commits",
            members.len(),
            parts.len()
        ),
        key: "".into(),
        related: related.collect(),
    }
}

/// What is directly in a file, or a type, and says something: functions and types.
fn members(facts: &Facts, holder: Option<SymbolId>) -> Vec<(SymbolId, &Symbol)> {
    let of_holder = |symbol: &Symbol| match (holder, symbol.parent) {
        (None, None) => true,
        (Some(holder), Some(parent)) => parent == holder,
        _ => false,
    };
    let counts = |symbol: &Symbol| {
        let says = symbol.kind.is_callable() || (holder.is_none() && symbol.kind.has_members());
        says && symbol.body.is_some() && !symbol.test
    };
    let all = facts.enumerate();
    all.filter(|(_, symbol)| of_holder(symbol) && counts(symbol))
        .collect()
}

/// The members, by which of them mention each other, or something else here, in any number of steps; the largest parts
/// first. Those that belong to nothing are left out, and so is what only one small part is.
fn parts<'f>(facts: &'f Facts, members: &[(SymbolId, &'f Symbol)]) -> Vec<Vec<&'f Symbol>> {
    // What a member mentions by a name that only this file, or only this type, gives a meaning joins it to all others
    // that do.
    let mut joined = Joined::new(members.len());
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, (_, symbol)) in members.iter().enumerate() {
        match by_name.get(&*symbol.name) {
            Some(other) => joined.join(at, *other),
            None => {
                by_name.insert(&symbol.name, at);
            }
        }
    }
    let mut through: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, (_, symbol)) in members.iter().enumerate() {
        for reference in facts.references_in(symbol.range) {
            if reference.role == Role::Import {
                continue;
            }
            if let Some(other) = by_name.get(reference.name) {
                joined.join(at, *other);
            } else if is_own(facts, reference.name) {
                match through.get(reference.name) {
                    Some(other) => joined.join(at, *other),
                    None => {
                        through.insert(reference.name, at);
                    }
                }
            }
        }
    }
    let mut parts: BTreeMap<usize, Vec<&Symbol>> = BTreeMap::new();
    for (at, (_, symbol)) in members.iter().enumerate() {
        parts.entry(joined.root(at)).or_default().push(symbol);
    }
    let mut parts: Vec<Vec<&Symbol>> = parts.into_values().collect();
    parts
        .retain(|part| part.len() >= LEAST_PART && part.len() * 100 >= members.len() * LEAST_SHARE);
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
}

/// Whether a name is that of a symbol of the file, such as a field.
fn is_own(facts: &Facts, name: &str) -> bool {
    !facts.by_name(name).is_empty()
}

/// Numbers in groups.
struct Joined(Vec<usize>);

impl Joined {
    fn new(count: usize) -> Joined {
        Joined((0..count).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while let Some(above) = self.0.get(at).copied().filter(|above| *above != at) {
            let next = self.0.get(above).copied().unwrap_or(above);
            if let Some(slot) = self.0.get_mut(at) {
                *slot = next;
            }
            at = next;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(slot) = self.0.get_mut(one) {
            *slot = other;
        }
    }
}
