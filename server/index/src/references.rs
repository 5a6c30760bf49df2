//! Mentions of names, and which of them matter outside a function.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use grammars::{Grammar, Role};
use rustc_hash::FxHashMap;
use text::Range;

use crate::facts::{PackedReference, Symbol};
use crate::names::{Interner, NameId, Names};
use crate::symbols::{self, MAX_NAME};

/// Collects mentions during the walk.
///
/// A name is mentioned once as what it is by itself and again by the pattern that sees what is done with it, before the
/// walk comes to the name. The strongest mention of a place counts.
pub(crate) struct References<'s> {
    grammar: &'static Grammar,
    names: Interner<'s>,
    builtins: u32,
    /// By where they are, up to where the walk is.
    mentions: Vec<Mention>,
    /// What is known about places that the walk has not come to.
    ahead: BinaryHeap<Reverse<Mention>>,
    locals: Vec<Local>,
    local_types: Vec<(usize, u32)>,
}

/// Of two at one place, the greater counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mention {
    start: u32,
    strength: Strength,
    member: bool,
    qualifier: Option<u32>,
    name: u32,
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
            ahead: BinaryHeap::new(),
            locals: Vec::new(),
            local_types: Vec::new(),
        }
    }

    /// Takes in a name that the walk has come to.
    pub(crate) fn here(&mut self, name: &'s str, start: usize, strength: Strength) {
        let member = strength == Strength::As(Role::Member);
        let Some(mention) = self.mention(name, start, strength, member, None) else {
            return;
        };
        while let Some(Reverse(ahead)) = self.ahead.peek().copied() {
            if ahead.start > mention.start {
                break;
            }
            self.ahead.pop();
            self.push(ahead);
        }
        self.push(mention);
    }

    /// Takes in a name that lies ahead.
    pub(crate) fn ahead(
        &mut self,
        name: &'s str,
        start: usize,
        strength: Strength,
        member: bool,
        qualifier: Option<&'s str>,
    ) {
        let mention = self.mention(name, start, strength, member, qualifier);
        self.ahead.extend(mention.map(Reverse));
    }

    fn push(&mut self, mention: Mention) {
        match self.mentions.last_mut() {
            Some(last) if last.start == mention.start => *last = mention.max(*last),
            _ => self.mentions.push(mention),
        }
    }

    fn mention(
        &mut self,
        name: &'s str,
        start: usize,
        strength: Strength,
        member: bool,
        qualifier: Option<&'s str>,
    ) -> Option<Mention> {
        if name.is_empty() || name == "_" || name.len() > MAX_NAME {
            return None;
        }
        let qualifier = qualifier.filter(|qualifier| qualifier.len() <= MAX_NAME);
        Some(Mention {
            start: start as u32,
            strength,
            member,
            qualifier: qualifier.map(|qualifier| self.names.number(qualifier)),
            name: self.names.number(name),
        })
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

    /// Drops mentions of local names, and says what all others mention.
    pub(crate) fn finish(mut self, symbols: &[Symbol]) -> (Names, Box<[PackedReference]>) {
        while let Some(Reverse(ahead)) = self.ahead.pop() {
            self.push(ahead);
        }
        self.drop_others(symbols);
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

    fn drop_others(&mut self, symbols: &[Symbol]) {
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
        let builtins = self.builtins;
        self.mentions.retain(|mention| {
            let strength = mention.strength;
            let alone = !mention.member && mention.qualifier.is_none();
            if alone && mention.name < builtins {
                return false;
            }
            let called = strength == Strength::As(Role::Call);
            let outward = match strength {
                Strength::As(Role::Read | Role::Call | Role::Type) => false,
                Strength::As(Role::Member | Role::Implement | Role::Import) | Strength::None => {
                    true
                }
            };
            if outward || !alone {
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
