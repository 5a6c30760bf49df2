//! All symbols of one name, with what it takes to tell which of them is meant.
//!
//! Names like `new` are defined in a thousand files that hardly ever change, and are asked about with every menu. So
//! those of the base are put together once, and kept; those of the few files that have changed since lie over them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use grammars::{Grammar, Resolution, SymbolKind};
use rustc_hash::{FxHashMap, FxHashSet};
use text::FilePath;

use crate::facts::{Facts, SymbolId};
use crate::join::{Index, Place};

/// All symbols of one name. They are called by their places: first those of the base, then the others.
pub(crate) struct Candidates {
    below: Arc<Layer>,
    over: Layer,
    /// The files of those below that are not what they were.
    hidden: FxHashSet<FilePath>,
}

pub(crate) struct Candidate {
    pub(crate) file: FilePath,
    pub(crate) id: SymbolId,
    pub(crate) kind: SymbolKind,
    pub(crate) grammar: &'static Grammar,
    /// The name of the type it belongs to, or of the symbol that it lies in.
    pub(crate) owner: Arc<str>,
    /// It is a part of values: only a value or a type leads to it.
    pub(crate) member: bool,
    /// It cannot be named from outside.
    pub(crate) in_function: bool,
    /// The packages that its file declares, where that is what makes modules.
    pub(crate) packages: Arc<[Box<str>]>,
}

impl Candidates {
    pub(crate) fn new(index: &Index, name: &str) -> Candidates {
        let below = index.layer_of(name);
        let over = index.layer_over(name);
        let mut hidden = FxHashSet::default();
        if index.over().len() < below.by_file.len() {
            let over = index.over();
            hidden.extend(
                over.filter(|file| below.by_file.contains_key(*file))
                    .cloned(),
            );
        } else {
            let files = below.by_file.keys();
            hidden.extend(files.filter(|file| index.is_over(file)).cloned());
        }
        Candidates {
            below,
            over,
            hidden,
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Candidate> {
        let below = &self.below.all;
        match index.checked_sub(below.len()) {
            None => below.get(index),
            Some(index) => self.over.all.get(index),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let hidden = self
            .hidden
            .iter()
            .filter_map(|file| self.below.by_file.get(file));
        let hidden: usize = hidden.map(Vec::len).sum();
        self.below.all.len() - hidden + self.over.all.len()
    }

    /// The types among them, by place.
    pub(crate) fn types(&self) -> Vec<Place> {
        let types = self.merged(|layer| &layer.types);
        types
            .into_iter()
            .filter_map(|index| self.place(index))
            .collect()
    }

    /// Those that are parts of values.
    pub(crate) fn members(&self) -> Vec<usize> {
        self.merged(|layer| &layer.members)
    }

    /// Those that are not.
    pub(crate) fn free(&self) -> Vec<usize> {
        self.merged(|layer| &layer.free)
    }

    pub(crate) fn in_file(&self, file: &FilePath) -> Vec<usize> {
        self.merged(|layer| layer.by_file.get(file).map_or(&[], Vec::as_slice))
    }

    /// Those that belong to a type of that name, or lie in a symbol of that name.
    pub(crate) fn owned_by(&self, owner: &str) -> Vec<usize> {
        self.merged(|layer| layer.by_owner.get(owner).map_or(&[], Vec::as_slice))
    }

    pub(crate) fn has_owner(&self, owner: &str) -> bool {
        !self.owned_by(owner).is_empty()
    }

    /// Whether an owner is called so, apart from case and underscores; see [`letters`].
    pub(crate) fn has_letters(&self, letters: &str) -> bool {
        let below = self.below.by_letters.get(letters);
        let below = below.is_some_and(|all| all.iter().any(|index| self.is_shown(*index)));
        below || self.over.by_letters.contains_key(letters)
    }

    /// The candidate that is that symbol.
    pub(crate) fn at(&self, place: &Place) -> Option<usize> {
        let in_file = self.in_file(&place.file).into_iter();
        let mut found = in_file.filter(|index| {
            let candidate = self.get(*index);
            candidate.is_some_and(|candidate| candidate.id == place.symbol)
        });
        found.next()
    }

    pub(crate) fn place(&self, index: usize) -> Option<Place> {
        let candidate = self.get(index)?;
        Some(Place {
            file: candidate.file.clone(),
            symbol: candidate.id,
        })
    }

    fn is_shown(&self, below: usize) -> bool {
        let candidate = self.below.all.get(below);
        self.hidden.is_empty()
            || candidate.is_some_and(|candidate| !self.hidden.contains(&candidate.file))
    }

    /// What a list of both layers has in common, by place.
    fn merged<'c>(&'c self, list: impl Fn(&'c Layer) -> &'c [usize]) -> Vec<usize> {
        let below = list(&self.below).iter().copied();
        let mut merged: Vec<usize> = if self.hidden.is_empty() {
            below.collect()
        } else {
            below.filter(|index| self.is_shown(*index)).collect()
        };
        let over = list(&self.over);
        if !over.is_empty() {
            merged.extend(over.iter().map(|index| index + self.below.all.len()));
            // Two runs that are sorted already. Those of one file are all in one layer.
            merged.sort_by(|a, b| {
                let file = |index: &usize| self.get(*index).map(|candidate| &candidate.file);
                file(a).cmp(&file(b))
            });
        }
        merged
    }
}

/// The symbols of one name in some files, by place.
#[derive(Default)]
pub(crate) struct Layer {
    all: Vec<Candidate>,
    by_file: FxHashMap<FilePath, Vec<usize>>,
    by_owner: FxHashMap<Arc<str>, Vec<usize>>,
    by_letters: FxHashMap<Box<str>, Vec<usize>>,
    members: Vec<usize>,
    free: Vec<usize>,
    types: Vec<usize>,
}

impl Layer {
    /// `files` are sorted.
    pub(crate) fn of<'f>(
        files: impl Iterator<Item = (&'f FilePath, Arc<Facts>)>,
        name: &str,
    ) -> Layer {
        let mut layer = Layer::default();
        for (file, facts) in files {
            let packages: Arc<[Box<str>]> = packages(&facts).map(Box::from).collect();
            for id in facts.by_name(name) {
                let Some(symbol) = facts.symbol(*id) else {
                    continue;
                };
                let parent = symbol.parent.and_then(|parent| facts.symbol(parent));
                let place = layer.all.len();
                let owner: Arc<str> = facts.owner_name(*id).unwrap_or("").into();
                let member = is_member(&facts, *id);
                layer.by_file.entry(file.clone()).or_default().push(place);
                let owned = layer.by_owner.entry(owner.clone()).or_default();
                owned.push(place);
                let called = layer.by_letters.entry(letters(&owner).into());
                called.or_default().push(place);
                if member {
                    layer.members.push(place);
                } else {
                    layer.free.push(place);
                }
                if symbol.kind.is_type() {
                    layer.types.push(place);
                }
                layer.all.push(Candidate {
                    file: file.clone(),
                    id: *id,
                    kind: symbol.kind,
                    grammar: facts.grammar,
                    owner,
                    member,
                    in_function: parent.is_some_and(|parent| parent.kind.is_callable()),
                    packages: packages.clone(),
                });
            }
        }
        layer
    }
}

/// Layers of a base that were asked for lately.
#[derive(Default)]
pub(crate) struct Layers(Mutex<Lately>);

#[derive(Default)]
struct Lately {
    /// Of which base.
    base: u64,
    known: FxHashMap<Arc<str>, Arc<Layer>>,
    order: VecDeque<Arc<str>>,
    symbols: usize,
}

/// How many symbols are kept in layers, at about 200 bytes each.
const KEPT_SYMBOLS: usize = 1 << 16;

impl Layers {
    pub(crate) fn get(&self, base: u64, name: &str) -> Option<Arc<Layer>> {
        let lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let layer = lately.known.get(name).filter(|_| lately.base == base);
        layer.cloned()
    }

    pub(crate) fn put(&self, base: u64, name: &str, layer: &Arc<Layer>) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.base != base {
            *lately = Lately {
                base,
                ..Lately::default()
            };
        }
        let name: Arc<str> = name.into();
        if lately.known.insert(name.clone(), layer.clone()).is_some() {
            return;
        }
        lately.order.push_back(name);
        // A name that nobody defines takes room as well.
        lately.symbols += layer.all.len() + 1;
        while lately.symbols > KEPT_SYMBOLS {
            let Some(oldest) = lately.order.pop_front() else {
                return;
            };
            if let Some(layer) = lately.known.remove(&oldest) {
                lately.symbols -= layer.all.len() + 1;
            }
        }
    }
}

/// The packages that a file declares at its top, in languages where that makes modules.
pub(crate) fn packages(facts: &Facts) -> impl Iterator<Item = &str> {
    let declares = matches!(
        facts.grammar.modules.resolution,
        Resolution::DeclaredPackage | Resolution::TypePath
    );
    let symbols = if declares { &facts.symbols[..] } else { &[] };
    let modules = symbols
        .iter()
        .filter(|symbol| symbol.parent.is_none() && symbol.kind == SymbolKind::Module);
    modules.map(|symbol| &*symbol.name)
}

/// Whether a symbol is part of a type, wherever it is written.
pub(crate) fn is_member(facts: &Facts, id: SymbolId) -> bool {
    let parent = facts.symbol(id).and_then(|symbol| symbol.parent);
    match parent.and_then(|parent| facts.symbol(parent)) {
        Some(parent) => parent.kind.has_members(),
        None => facts.owner_name(id).is_some(),
    }
}

/// A name apart from case and underscores: what the names of a type and of its values have in common.
pub(crate) fn letters(name: &str) -> String {
    let chars = name.chars().filter(|char| *char != '_');
    chars.flat_map(char::to_lowercase).collect()
}
