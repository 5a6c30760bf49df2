//! All symbols of one name, with what it takes to tell which of them is meant.
//!
//! Names like `new` are defined in a thousand files that hardly ever change, and are asked about with every menu. So
//! those of the base are put together once, and kept; those of the few files that have changed since lie over them.

use std::sync::{Arc, OnceLock};

use grammars::{Grammar, SymbolKind};
use rustc_hash::{FxHashMap, FxHashSet};
use text::FilePath;

use crate::facts::{Facts, SymbolId};
use crate::join::{Index, Place};
use crate::recent::{Recent, Weigh};
use crate::skim::Skimmed;

/// All symbols of one name. They are called by their places: first those of the base, then the others.
pub(crate) struct Candidates {
    below: Arc<Layer>,
    over: Layer,
    /// The files of those below that are not what they were.
    hidden: FxHashSet<FilePath>,
    /// How many symbols they hide.
    gone: usize,
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
    /// O(1) when asked again before the index changes.
    pub(crate) fn of(index: &Index, name: &str) -> Arc<Candidates> {
        index.asked().of(name, || Candidates::found_in(index, name))
    }

    fn found_in(index: &Index, name: &str) -> Candidates {
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
        let gone = hidden.iter().filter_map(|file| below.by_file.get(file));
        Candidates {
            gone: gone.map(Vec::len).sum(),
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
        self.below.all.len() - self.gone + self.over.all.len()
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
        self.merged(|layer| listed(layer.by_file.get(file)))
    }

    /// Those that belong to a type of that name, or lie in a symbol of that name.
    pub(crate) fn owned_by(&self, owner: &str) -> Vec<usize> {
        self.merged(|layer| listed(layer.by_owner.get(owner)))
    }

    pub(crate) fn has_owner(&self, owner: &str) -> bool {
        self.has(|layer| listed(layer.by_owner.get(owner)))
    }

    /// Whether an owner is called so, apart from case and underscores; see [`letters`].
    pub(crate) fn has_letters(&self, letters: &str) -> bool {
        self.has(|layer| listed(layer.by_letters().get(letters)))
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

    /// Whether a list holds any in either layer.
    fn has<'c>(&'c self, list: impl Fn(&'c Layer) -> &'c [usize]) -> bool {
        let mut below = list(&self.below).iter();
        !list(&self.over).is_empty() || below.any(|index| self.is_shown(*index))
    }

    /// What a list holds in both layers, by place.
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

fn listed(list: Option<&Vec<usize>>) -> &[usize] {
    list.map_or(&[], Vec::as_slice)
}

/// The symbols of one name in some files, by place.
#[derive(Default)]
pub(crate) struct Layer {
    all: Vec<Candidate>,
    by_file: FxHashMap<FilePath, Vec<usize>>,
    by_owner: FxHashMap<Arc<str>, Vec<usize>>,
    /// Made when it is first asked for.
    by_letters: OnceLock<FxHashMap<Box<str>, Vec<usize>>>,
    members: Vec<usize>,
    free: Vec<usize>,
    types: Vec<usize>,
}

impl Layer {
    /// `files` are sorted.
    pub(crate) fn of<'f>(files: impl Iterator<Item = (&'f FilePath, Skimmed)>) -> Layer {
        let mut layer = Layer::default();
        for (file, skimmed) in files {
            let packages: Arc<[Box<str>]> = skimmed.packages.into();
            for symbol in skimmed.named {
                let place = layer.all.len();
                let member = symbol.is_member();
                let owner: Arc<str> = symbol.owner.unwrap_or_default().into();
                layer.by_file.entry(file.clone()).or_default().push(place);
                let owned = layer.by_owner.entry(owner.clone()).or_default();
                owned.push(place);
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
                    id: symbol.id,
                    kind: symbol.kind,
                    grammar: skimmed.grammar,
                    owner,
                    member,
                    in_function: symbol.parent.is_some_and(SymbolKind::is_callable),
                    packages: packages.clone(),
                });
            }
        }
        layer
    }

    fn by_letters(&self) -> &FxHashMap<Box<str>, Vec<usize>> {
        self.by_letters.get_or_init(|| {
            let mut called: FxHashMap<Box<str>, Vec<usize>> = FxHashMap::default();
            for (owner, places) in &self.by_owner {
                let places = places.iter().copied();
                called
                    .entry(letters(owner).into())
                    .or_default()
                    .extend(places);
            }
            called
        })
    }
}

/// Layers that were asked for lately, by base and name.
pub(crate) struct Layers(Recent<(u64, Arc<str>), Arc<Layer>>);

/// How many symbols they may have, at about 200 bytes each.
const KEPT_SYMBOLS: usize = 1 << 16;

impl Default for Layers {
    fn default() -> Layers {
        Layers(Recent::new(KEPT_SYMBOLS))
    }
}

impl Weigh for Arc<Layer> {
    fn weight(&self) -> usize {
        // A name that nobody defines takes room as well.
        self.all.len() + 1
    }
}

impl Layers {
    pub(crate) fn of(&self, base: u64, name: &str, make: impl FnOnce() -> Layer) -> Arc<Layer> {
        let key = (base, name.into());
        if let Some(layer) = self.0.get(&key) {
            return layer;
        }
        let layer = Arc::new(make());
        self.0.put(key, layer.clone());
        layer
    }
}

/// Candidates that were asked for since an index has changed, by name.
pub(crate) struct Asked(Recent<Arc<str>, Arc<Candidates>>);

impl Default for Asked {
    fn default() -> Asked {
        Asked(Recent::new(KEPT_SYMBOLS))
    }
}

impl Weigh for Arc<Candidates> {
    fn weight(&self) -> usize {
        self.below.all.len() + self.over.all.len() + self.hidden.len() + 1
    }
}

impl Asked {
    fn of(&self, name: &str, find: impl FnOnce() -> Candidates) -> Arc<Candidates> {
        self.0.get(name).unwrap_or_else(|| {
            let found = Arc::new(find());
            self.0.put(name.into(), found.clone());
            found
        })
    }
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
    each_letter(name).collect()
}

/// Whether these are the letters of a name.
pub(crate) fn has_letters(name: &str, letters: &str) -> bool {
    each_letter(name).eq(letters.chars())
}

fn each_letter(name: &str) -> impl Iterator<Item = char> {
    let chars = name.chars().filter(|char| *char != '_');
    chars.flat_map(char::to_lowercase)
}
