//! Mentions of names, and which of them matter outside a function.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::LazyLock;

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
pub(crate) struct References {
    grammar: &'static Grammar,
    pub(crate) names: Interner,
    builtins: u32,
    /// By where they are, up to where the walk is.
    pub(crate) mentions: Vec<Mention>,
    /// What is known about places that the walk has not come to.
    ahead: BinaryHeap<Reverse<Mention>>,
    pub(crate) locals: Vec<Local>,
    pub(crate) local_types: Vec<LocalType>,
}

/// Of two at one place, the stronger counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Mention {
    pub(crate) start: u32,
    pub(crate) strength: Strength,
    pub(crate) member: bool,
    pub(crate) qualifier: Option<u32>,
    pub(crate) name: u32,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    /// The statement that binds it.
    pub(crate) statement: Range,
    pub(crate) name: u32,
}

/// A name that is bound inside a definition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalType {
    pub(crate) start: usize,
    pub(crate) name: u32,
}

impl References {
    /// Goes on with the numbers of names that another walk has given.
    pub(crate) fn new(grammar: &'static Grammar, names: Option<Interner>) -> References {
        References {
            grammar,
            names: names.unwrap_or_else(|| builtins(grammar)),
            builtins: grammar.builtins.len() as u32,
            mentions: Vec::new(),
            ahead: BinaryHeap::new(),
            locals: Vec::new(),
            local_types: Vec::new(),
        }
    }

    /// Takes in a name that the walk has come to.
    pub(crate) fn here(&mut self, name: &str, start: usize, strength: Strength) {
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
        name: &str,
        start: usize,
        strength: Strength,
        member: bool,
        qualifier: Option<&str>,
    ) {
        let mention = self.mention(name, start, strength, member, qualifier);
        self.ahead.extend(mention.map(Reverse));
    }

    /// Takes in what is known about all places before `offset`. Whether nothing is known about those behind it.
    pub(crate) fn flush(&mut self, offset: usize) -> bool {
        while let Some(Reverse(ahead)) = self.ahead.peek().copied() {
            if ahead.start as usize >= offset {
                return false;
            }
            self.ahead.pop();
            self.push(ahead);
        }
        let last = self.mentions.last();
        last.is_none_or(|last| (last.start as usize) < offset)
    }

    fn push(&mut self, mention: Mention) {
        let names = &self.names;
        // By what is written, because numbers depend on what was read before.
        let weight = |mention: &Mention| {
            let qualifier = mention.qualifier.map(|number| names.get(number));
            let name = names.get(mention.name);
            (mention.strength, mention.member, qualifier, name)
        };
        match self.mentions.last_mut() {
            Some(last) if last.start == mention.start => {
                if weight(&mention) > weight(last) {
                    *last = mention;
                }
            }
            _ => self.mentions.push(mention),
        }
    }

    fn mention(
        &mut self,
        name: &str,
        start: usize,
        strength: Strength,
        member: bool,
        qualifier: Option<&str>,
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
    pub(crate) fn local(&mut self, name: &str, statement: Range) {
        let is_constant = name.starts_with(char::is_uppercase);
        if self.grammar.lower_case_locals && is_constant {
            return;
        }
        let name = self.names.number(name);
        self.locals.push(Local { statement, name });
    }

    /// Takes in a name that the innermost definition binds, such as that of a type parameter.
    pub(crate) fn local_type(&mut self, name: &str, start: usize) {
        let name = self.names.number(name);
        self.local_types.push(LocalType { start, name });
    }

    /// Ends the walk: nothing lies ahead any more.
    pub(crate) fn end(&mut self) {
        while let Some(Reverse(ahead)) = self.ahead.pop() {
            self.push(ahead);
        }
    }

    /// Which mentions are of names that are known inside a function only, or of nothing.
    pub(crate) fn judge(&self, symbols: &[Symbol]) -> Vec<bool> {
        let known = self.known(symbols, |_| true);
        let keeps = |mention: &Mention| self.keeps(mention, &known, symbols);
        self.mentions.iter().map(keeps).collect()
    }

    /// The same if the verdicts of another walk hold, except where `fresh` says that there is none, and for the names
    /// that are `unsure`.
    pub(crate) fn judge_again(
        &self,
        symbols: &[Symbol],
        before: Vec<Option<bool>>,
        unsure: &[bool],
    ) -> Vec<bool> {
        let is = |names: &[bool], name: u32| names.get(name as usize).copied().unwrap_or(false);
        let mut asked = unsure.to_vec();
        asked.resize(self.names.len(), false);
        for (mention, verdict) in self.mentions.iter().zip(&before) {
            if verdict.is_none() {
                asked[mention.name as usize] = true;
            }
        }
        let known = self.known(symbols, |name| is(&asked, name));
        let verdicts = self.mentions.iter().zip(before);
        verdicts
            .map(|(mention, verdict)| match verdict {
                Some(verdict) if !is(unsure, mention.name) => verdict,
                _ => self.keeps(mention, &known, symbols),
            })
            .collect()
    }

    /// The mentions that matter outside, as references.
    pub(crate) fn finish(
        &mut self,
        kept: &[bool],
        goes_on: bool,
    ) -> (Names, Box<[PackedReference]>) {
        let mut keep = vec![false; self.names.len()];
        for (mention, _) in self.mentions.iter().zip(kept).filter(|(_, kept)| **kept) {
            keep[mention.name as usize] = true;
            if let Some(qualifier) = mention.qualifier {
                keep[qualifier as usize] = true;
            }
        }
        let (names, places) = self.names.finish(&keep, goes_on);
        let place = |name: u32| -> Option<NameId> { places.get(name as usize).copied().flatten() };
        let kept = self.mentions.iter().zip(kept).filter(|(_, kept)| **kept);
        let references = kept.filter_map(|(mention, _)| {
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
        (names, references.collect())
    }

    fn known(&self, symbols: &[Symbol], asks: impl Fn(u32) -> bool) -> Known {
        let mut known = Known {
            places: FxHashMap::default(),
            is_local: vec![false; self.names.len()],
        };
        for local in self.locals.iter().filter(|local| asks(local.name)) {
            let Range { start, end } = local.statement;
            let Some(function) = function_of(symbols, start) else {
                continue;
            };
            let place = known
                .places
                .entry((function, local.name))
                .or_insert((start, end));
            *place = (*place).min((start, end));
            known.is_local[local.name as usize] = true;
        }
        for local in self.local_types.iter().filter(|local| asks(local.name)) {
            let Some(symbol) = symbols::around(symbols, local.start) else {
                continue;
            };
            known.places.insert((symbol, local.name), (0, 0));
            known.is_local[local.name as usize] = true;
        }
        known
    }

    fn keeps(&self, mention: &Mention, known: &Known, symbols: &[Symbol]) -> bool {
        let strength = mention.strength;
        let alone = !mention.member && mention.qualifier.is_none();
        if alone && mention.name < self.builtins {
            return false;
        }
        let called = strength == Strength::As(Role::Call);
        let outward = match strength {
            Strength::As(Role::Read | Role::Call | Role::Type) => false,
            Strength::As(Role::Member | Role::Implement | Role::Import) | Strength::None => true,
        };
        if outward || !alone {
            return strength != Strength::None;
        }
        if !known.is_local[mention.name as usize] {
            return true;
        }
        let start = mention.start as usize;
        let mut around = symbols::around(symbols, start);
        while let Some(index) = around {
            if let Some((from, until)) = known.places.get(&(index, mention.name))
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
    }
}

/// Numbers for the names that every file knows.
fn builtins(grammar: &'static Grammar) -> Interner {
    static NUMBERED: LazyLock<Vec<Interner>> = LazyLock::new(|| {
        let numbered = grammars::all().iter().map(|grammar| {
            let mut names = Interner::default();
            for builtin in grammar.builtins {
                names.number(builtin);
            }
            names
        });
        numbered.collect()
    });
    let place = grammars::all()
        .iter()
        .position(|other| std::ptr::eq(other, grammar));
    place
        .and_then(|place| NUMBERED.get(place).cloned())
        .unwrap_or_default()
}

/// What is known inside functions only.
struct Known {
    /// By function and name: from where the name is known, and the end of the statement that makes it so.
    places: FxHashMap<(usize, u32), (usize, usize)>,
    is_local: Vec<bool>,
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
