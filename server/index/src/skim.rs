//! The symbols of one name, without the rest of what is known about their file.
//!
//! For a common name, that is asked of hundreds of files at once.

use grammars::{Grammar, Resolution, SymbolKind};

use crate::facts::{Facts, SymbolId, owner_in};
use crate::pack::{Packed, Unpacking};

/// The symbols of one name in a file.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Skimmed {
    pub(crate) grammar: &'static Grammar,
    /// By place.
    pub(crate) named: Vec<Named>,
    /// The packages that the file declares at its top, in languages where that makes modules.
    pub(crate) packages: Vec<Box<str>>,
}

#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Named {
    pub(crate) id: SymbolId,
    pub(crate) kind: SymbolKind,
    /// What it lies in.
    pub(crate) parent: Option<SymbolKind>,
    /// The name of the type that it belongs to, or of the symbol that it lies in.
    pub(crate) owner: Option<Box<str>>,
}

impl Named {
    /// Whether it is part of a type, wherever it is written.
    pub(crate) fn is_member(&self) -> bool {
        match self.parent {
            Some(parent) => parent.has_members(),
            None => self.owner.is_some(),
        }
    }
}

impl Skimmed {
    /// O(log n + result).
    pub(crate) fn of(facts: &Facts, name: &str) -> Skimmed {
        let named = facts.by_name(name).iter().filter_map(|id| {
            let symbol = facts.symbol(*id)?;
            let parent = symbol.parent.and_then(|parent| facts.symbol(parent));
            Some(Named {
                id: *id,
                kind: symbol.kind,
                parent: parent.map(|parent| parent.kind),
                owner: facts.owner_name(*id).map(Box::from),
            })
        });
        Skimmed {
            grammar: facts.grammar,
            named: named.collect(),
            packages: packages(facts).map(Box::from).collect(),
        }
    }
}

/// The packages that a file declares at its top, in languages where that makes modules.
pub(crate) fn packages(facts: &Facts) -> impl Iterator<Item = &str> {
    let symbols = if has_packages(facts.grammar) {
        &facts.symbols[..]
    } else {
        &[]
    };
    let modules = symbols
        .iter()
        .filter(|symbol| symbol.parent.is_none() && symbol.kind == SymbolKind::Module);
    modules.map(|symbol| &*symbol.name)
}

fn has_packages(grammar: &Grammar) -> bool {
    matches!(
        grammar.modules.resolution,
        Resolution::DeclaredPackage | Resolution::TypePath
    )
}

/// What is known of a symbol on the way past it.
struct Passed<'b> {
    kind: SymbolKind,
    name: usize,
    parent: Option<usize>,
    /// Unless it is that of its parent and its name.
    path: Option<&'b str>,
}

impl Packed {
    /// The same as of the facts, for a fraction of what unpacking them takes. None if these are not packed facts.
    pub(crate) fn skim(&self, name: &str) -> Option<Skimmed> {
        let mut unpacking = Unpacking::start(self.as_bytes())?;
        let names = unpacking.all_names()?;
        let mut passed: Vec<Passed<'_>> = Vec::with_capacity(unpacking.symbols());
        for number in 0..unpacking.symbols() {
            let (kind, place, path, parent) = unpacking.pass_symbol(number)?;
            passed.push(Passed {
                kind,
                name: place,
                parent,
                path,
            });
        }
        let is_named = |symbol: &Passed<'_>| {
            symbol.kind.is_mentioned() && names.get(symbol.name) == Some(name)
        };
        let named = passed.iter().enumerate();
        let named = named.filter(|(_, symbol)| is_named(symbol));
        let named = named.map(|(number, symbol)| Named {
            id: SymbolId(number as u32),
            kind: symbol.kind,
            parent: (symbol.parent)
                .and_then(|parent| passed.get(parent))
                .map(|parent| parent.kind),
            owner: owner_in(&path_of(&passed, &names, number)).map(Box::from),
        });
        let has_packages = has_packages(unpacking.grammar());
        let packages = passed.iter().filter(|symbol| {
            has_packages && symbol.parent.is_none() && symbol.kind == SymbolKind::Module
        });
        let packages = packages.filter_map(|symbol| names.get(symbol.name));
        Some(Skimmed {
            grammar: unpacking.grammar(),
            named: named.collect(),
            packages: packages.map(Box::from).collect(),
        })
    }
}

fn path_of(passed: &[Passed<'_>], names: &AllNames, number: usize) -> String {
    let mut parts = Vec::new();
    let mut at = Some(number);
    while let Some(symbol) = at.and_then(|number| passed.get(number)) {
        if let Some(path) = symbol.path {
            parts.push(path);
            break;
        }
        parts.extend(names.get(symbol.name));
        at = symbol.parent;
    }
    parts.reverse();
    parts.join("/")
}

/// The names of a file, end to end.
#[derive(Default)]
pub(crate) struct AllNames {
    text: String,
    ends: Vec<usize>,
}

impl AllNames {
    pub(crate) fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
    }

    fn get(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)?;
        let before = place
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        self.text.get(before.copied().unwrap_or(0)..end)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(grammar: &'static Grammar, source: &str) -> usize {
        let facts = Facts::of(grammar, source);
        let packed = facts.pack();
        for symbol in &facts.symbols {
            let skimmed = packed.skim(&symbol.name).unwrap();
            assert_eq!(skimmed, Skimmed::of(&facts, &symbol.name), "{source}");
        }
        assert_eq!(packed.skim("no such name").unwrap().named, []);
        facts.symbols.len()
    }

    #[test]
    fn packed_facts_say_the_same_as_facts() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../grammars");
        let mut symbols = 0;
        for language in std::fs::read_dir(folder).unwrap() {
            let fixtures = language.unwrap().path().join("fixtures");
            for file in std::fs::read_dir(fixtures).into_iter().flatten() {
                let path = file.unwrap().path();
                let grammar = grammars::for_path(path.to_str().unwrap());
                if let Some(grammar) = grammar {
                    symbols += check(grammar, &std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        assert!(symbols > 500, "{symbols}");
    }

    #[test]
    fn namesakes_have_owners_of_their_own() {
        let rust = grammars::by_name("rust").unwrap();
        check(
            rust,
            "struct A; impl A { fn new() {} } impl Into<B> for A { fn into(self) {} }
             mod m { fn new() { fn new() {} } fn new() {} }",
        );
    }

    #[test]
    fn other_bytes_are_no_facts() {
        let rust = grammars::by_name("rust").unwrap();
        let packed = Facts::of(
            rust,
            "struct Cart; impl Cart { fn total(&self) -> u64 { 1 } }",
        )
        .pack();
        let bytes = packed.as_bytes();
        for length in 0..bytes.len() {
            // Whatever it is, it is no panic.
            _ = Packed::from_bytes(&bytes[..length]).skim("total");
            let mut broken = bytes.to_vec();
            broken[length] ^= 0xff;
            _ = Packed::from_bytes(&broken).skim("total");
        }
    }
}
