//! Mentions of names, and which of them matter outside a function.

use std::cmp::Reverse;

use grammars::{Grammar, Role};
use rustc_hash::FxHashMap;
use text::Range;

use crate::facts::{PackedReference, Symbol};
use crate::names::{Interner, NameId, Names};
use crate::symbols::{self, MAX_NAME};

/// Collects mentions during the walk.
///
/// A name is mentioned once as what it is by itself and again by the pattern that sees what is done with it; the
/// strongest mention of a place counts.
pub(crate) struct References<'s> {
    grammar: &'static Grammar,
    names: Interner<'s>,
    builtins: u32,
    mentions: Vec<Mention>,
    locals: Vec<Local>,
    local_types: Vec<(usize, u32)>,
}

struct Mention {
    start: u32,
    strength: Strength,
    member: bool,
    name: u32,
    qualifier: Option<u32>,
}

/// What a mention is, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Strength {
    /// A reference.
    As(Role),
    /// The name of a definition, or a word that only looks like a name.
    None,
}

/// A name that is bound inside a function.
struct Local {
    /// Where the statement starts that binds it.
    start: usize,
    /// Where the statement ends that binds it.
    until: usize,
    name: u32,
}

impl<'s> References<'s> {
    pub(crate) fn new(grammar: &'static Grammar) -> References<'s> {
        let mut names = Interner::default();
        for builtin in grammar.builtins {
            names.number(builtin);
        }
        References {
            grammar,
            names,
            builtins: grammar.builtins.len() as u32,
            mentions: Vec::new(),
            locals: Vec::new(),
            local_types: Vec::new(),
        }
    }

    pub(crate) fn mention(
        &mut self,
        name: &'s str,
        start: usize,
        strength: Strength,
        member: bool,
        qualifier: Option<&'s str>,
    ) {
        if name.is_empty() || name == "_" || name.len() > MAX_NAME {
            return;
        }
        let name = self.names.number(name);
        if name < self.builtins && qualifier.is_none() && !member {
            return;
        }
        let qualifier = qualifier.filter(|qualifier| qualifier.len() <= MAX_NAME);
        self.mentions.push(Mention {
            start: start as u32,
            strength,
            member,
            name,
            qualifier: qualifier.map(|qualifier| self.names.number(qualifier)),
        });
    }

    /// Takes in a name that a function binds; `statement` is what binds it.
    pub(crate) fn local(&mut self, name: &'s str, statement: Range) {
        let is_constant = name.starts_with(char::is_uppercase);
        if self.grammar.lower_case_locals && is_constant {
            return;
        }
        let name = self.names.number(name);
        self.locals.push(Local {
            start: statement.start,
            until: statement.end,
            name,
        });
    }

    /// Takes in a name that the innermost definition binds, such as that of a type parameter.
    pub(crate) fn local_type(&mut self, name: &'s str, start: usize) {
        let name = self.names.number(name);
        self.local_types.push((start, name));
    }

    /// Sorts the mentions, drops those of local names, and says what all of them mention.
    pub(crate) fn finish(mut self, symbols: &[Symbol]) -> (Names, Box<[PackedReference]>) {
        self.mentions.sort_unstable_by_key(|mention| {
            let weaker = Reverse(mention.strength);
            (
                mention.start,
                weaker,
                mention.qualifier.is_none(),
                !mention.member,
            )
        });
        self.mentions.dedup_by_key(|mention| mention.start);
        self.drop_locals(symbols);
        let mut keep = vec![false; self.names.len()];
        for mention in &self.mentions {
            for name in [Some(mention.name), mention.qualifier]
                .into_iter()
                .flatten()
            {
                if let Some(keep) = keep.get_mut(name as usize) {
                    *keep = true;
                }
            }
        }
        let (names, places) = self.names.finish(&keep);
        let place = |name: u32| -> Option<NameId> { places.get(name as usize).copied().flatten() };
        let references = self.mentions.iter().filter_map(|mention| {
            let Strength::As(role) = mention.strength else {
                return None;
            };
            Some(PackedReference {
                start: mention.start,
                name: place(mention.name)?,
                qualifier: mention.qualifier.and_then(place),
                role,
                member: mention.member,
            })
        });
        let references = references.collect();
        (names, references)
    }

    fn drop_locals(&mut self, symbols: &[Symbol]) {
        // By function and name: from where the name is known, and the end of the statement that makes it so.
        let mut known: FxHashMap<(usize, u32), (usize, usize)> = FxHashMap::default();
        let mut is_local = vec![false; self.names.len()];
        for local in &self.locals {
            let Some(function) = function_of(symbols, local.start) else {
                continue;
            };
            let place = known
                .entry((function, local.name))
                .or_insert((local.start, local.until));
            *place = (*place).min((local.start, local.until));
            if let Some(is_local) = is_local.get_mut(local.name as usize) {
                *is_local = true;
            }
        }
        for (start, name) in &self.local_types {
            let (Some(symbol), Some(is_local)) = (
                symbols::around(symbols, *start),
                is_local.get_mut(*name as usize),
            ) else {
                continue;
            };
            known.insert((symbol, *name), (0, 0));
            *is_local = true;
        }
        self.mentions.retain(|mention| {
            let strength = mention.strength;
            let called = strength == Strength::As(Role::Call);
            let outward = match strength {
                Strength::As(Role::Read | Role::Call | Role::Type) => false,
                Strength::As(Role::Member | Role::Implement | Role::Import) | Strength::None => {
                    true
                }
            };
            if outward || mention.member || mention.qualifier.is_some() {
                return strength != Strength::None;
            }
            if !is_local
                .get(mention.name as usize)
                .is_some_and(|local| *local)
            {
                return true;
            }
            let start = mention.start as usize;
            let mut around = symbols::around(symbols, start);
            while let Some(index) = around {
                if let Some((from, until)) = known.get(&(index, mention.name))
                    && *from <= start
                    // `let price = price(item)` calls what is outside.
                    && !(called && start < *until)
                {
                    return false;
                }
                around = symbols
                    .get(index)
                    .and_then(|symbol| symbol.parent)
                    .map(crate::SymbolId::index);
            }
            true
        });
    }
}

/// The function that a name bound at `offset` belongs to; none in the body of a type.
fn function_of(symbols: &[Symbol], offset: usize) -> Option<usize> {
    let mut around = symbols::around(symbols, offset);
    loop {
        let index = around?;
        let symbol = symbols.get(index)?;
        if symbol.kind.is_callable() {
            return Some(index);
        }
        if symbol.kind.has_members() {
            return None;
        }
        around = symbol.parent.map(crate::SymbolId::index);
    }
}
