use std::collections::BTreeMap;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use grammars::Role;
use rpds::{HashTrieMapSync, RedBlackTreeMapSync, VectorSync};
use rustc_hash::FxHasher;
use serde::Serialize;
use text::{FilePath, Range};

use crate::base::{Base, Counts, Unpacked};
use crate::candidates::{Asked, Candidates, Layer, Layers};
use crate::facts::{Facts, Symbol, SymbolId};
use crate::posting::{MAX_FILES, Posting, Uses};
use crate::resolve::distance;
use crate::shape::Shape;
use crate::skim::Skimmed;

type Names = HashTrieMapSync<Arc<str>, Posting, BuildHasherDefault<FxHasher>>;

/// The facts of many files, and what joins them. A clone is a snapshot and takes no time.
///
/// Most files are in a [`Base`], packed; those that were taken in since lie over it.
///
/// What joins files is names. There are no types and no scopes here, so that every answer about another file is a good
/// guess; [`crate::Confidence`] says how good.
/// All answers are sorted, and depend on what is in the index alone, not on the order in which it came.
///
/// Costs are given for facts that were asked for lately. Unpacking those of a file takes a few microseconds, and as
/// much again for each ten kilobytes of its text.
#[derive(Clone)]
pub struct Index {
    base: Arc<Base>,
    unpacked: Arc<Unpacked>,
    layers: Arc<Layers>,
    /// What was asked of this very state: whatever changes the index lets go of it.
    asked: Arc<Asked>,
    /// What differs from the base: a file with other facts, or none.
    files: RedBlackTreeMapSync<FilePath, Option<Entry>>,
    numbers: VectorSync<Option<FilePath>>,
    free: VectorSync<u32>,
    /// The names that the files of `files` use.
    names: Names,
    stats: Arc<Stats>,
}

#[derive(Clone)]
struct Entry {
    number: u32,
    facts: Arc<Facts>,
    counts: Counts,
}

/// A symbol of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Place {
    /// The file.
    pub file: FilePath,
    /// The symbol, as long as the file stays as it is.
    pub symbol: SymbolId,
}

/// A mention of a name in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Mention {
    /// The file.
    pub file: FilePath,
    /// Where in it.
    pub range: Range,
    /// What is done with the name.
    pub role: Role,
    /// The innermost symbol that it lies in.
    pub within: Option<SymbolId>,
}

/// How much is known.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Stats {
    /// Files.
    pub files: usize,
    /// Symbols.
    pub symbols: usize,
    /// References.
    pub references: usize,
    /// Import statements, one for each module.
    pub imports: usize,
    /// Syntax errors.
    pub errors: usize,
    /// Files whose facts are incomplete.
    pub incomplete: usize,
    /// Text, in bytes.
    pub bytes: usize,
    /// What the facts take in memory, roughly, in bytes.
    pub memory: usize,
    /// Files of each language, by its title.
    pub languages: BTreeMap<&'static str, usize>,
}

impl Index {
    /// An index of no files.
    pub fn new() -> Index {
        Index::from(Arc::default())
    }

    /// The files that were taken in at once, whether or not they have changed since.
    pub fn base(&self) -> &Arc<Base> {
        &self.base
    }

    /// The same on another base: what `keep` holds for stays as it is here, all else is as in the base.
    ///
    /// O(k log n) for k files that were taken in since the last base.
    pub fn on(&self, base: Arc<Base>, keep: impl Fn(&FilePath) -> bool) -> Index {
        let mut index = Index::from(base);
        for (file, entry) in &self.files {
            if keep(file) {
                match entry {
                    Some(entry) => index.insert(file.clone(), entry.facts.clone()),
                    None => index.remove(file),
                }
            }
        }
        index
    }

    /// Takes in the facts of a file, in place of what was known about it.
    ///
    /// O(k log n) for the k names that the file uses otherwise than before, n being all names.
    pub fn insert(&mut self, file: FilePath, facts: Arc<Facts>) {
        self.asked = Arc::default();
        let known = self.files.get(&file).cloned().flatten();
        let number = match &known {
            Some(entry) => entry.number,
            None => match self.number(&file) {
                Some(number) => number,
                None => return,
            },
        };
        self.uncount(&file);
        let before = known.map(|entry| entry.facts);
        self.join(number, before.as_deref(), Some(&facts));
        let counts = facts.counts();
        Arc::make_mut(&mut self.stats).count(facts.grammar.title, counts, 1);
        let entry = Entry {
            number,
            facts,
            counts,
        };
        self.files.insert_mut(file, Some(entry));
        if let Some(before) = before {
            // Nobody need wait until it is taken down.
            rayon::spawn(move || drop(before));
        }
    }

    /// Forgets a file. O(k log n) for the k names that it uses.
    pub fn remove(&mut self, file: &FilePath) {
        self.asked = Arc::default();
        self.uncount(file);
        if let Some(Entry { number, facts, .. }) = self.files.get(file).cloned().flatten() {
            self.join(number, Some(&facts), None);
            self.numbers.set_mut(number as usize, None);
            self.free.push_back_mut(number);
        }
        if self.base.place_of(file).is_some() {
            self.files.insert_mut(file.clone(), None);
        } else {
            self.files.remove_mut(file);
        }
    }

    /// What is known about a file. O(log n).
    pub fn file(&self, file: &FilePath) -> Option<Arc<Facts>> {
        match self.files.get(file) {
            Some(entry) => entry.as_ref().map(|entry| entry.facts.clone()),
            None => self.base.facts(self.base.place_of(file)?, &self.unpacked),
        }
    }

    /// Whether anything is known about a file. O(log n).
    pub fn contains(&self, file: &FilePath) -> bool {
        match self.files.get(file) {
            Some(entry) => entry.is_some(),
            None => self.base.place_of(file).is_some(),
        }
    }

    /// All files, by path, each with its facts. Unpacks them one after the other.
    pub fn files(&self) -> impl Iterator<Item = (&FilePath, Arc<Facts>)> {
        self.paths()
            .filter_map(|file| self.file(file).map(|facts| (file, facts)))
    }

    /// All files, by path.
    pub fn paths(&self) -> impl Iterator<Item = &FilePath> {
        let mut over = self.files.iter().peekable();
        let mut below = self.base.files.iter().map(|file| &file.path).peekable();
        std::iter::from_fn(move || {
            loop {
                let first = match (over.peek(), below.peek()) {
                    (Some((over, _)), Some(below)) => Some(over.cmp(below)),
                    (None, Some(_)) => None,
                    (Some(_), None) => Some(std::cmp::Ordering::Less),
                    (None, None) => return None,
                };
                if first.is_none_or(std::cmp::Ordering::is_gt) {
                    return below.next();
                }
                if first.is_some_and(std::cmp::Ordering::is_eq) {
                    below.next();
                }
                if let Some((file, Some(_))) = over.next() {
                    return Some(file);
                }
            }
        })
    }

    /// The file of that path, or the files in the folder of that path, by path.
    ///
    /// O(log n + k) for the k files whose paths begin like this.
    pub fn inside(&self, path: &FilePath) -> Vec<FilePath> {
        let begins = |file: &&FilePath| file.as_str().starts_with(path.as_str());
        let first = self.base.files.partition_point(|file| file.path < *path);
        let below = self.base.files.get(first..).unwrap_or(&[]).iter();
        let below = below.map(|file| &file.path).take_while(begins);
        let below = below.filter(|file| !self.files.contains_key(*file));
        let over = self.files.range(path.clone()..);
        let over = over.take_while(|(file, _)| begins(file));
        let over = over.filter_map(|(file, entry)| entry.is_some().then_some(file));
        let mut files: Vec<FilePath> = below.chain(over).cloned().collect();
        files.retain(|file| file.is_inside(path));
        files.sort_unstable();
        files
    }

    /// A symbol. None if the file or the symbol is not known.
    pub fn symbol(&self, place: &Place) -> Option<Symbol> {
        self.file(&place.file)?.symbol(place.symbol).cloned()
    }

    /// How much is known. O(languages).
    pub fn stats(&self) -> Stats {
        Stats::clone(&self.stats)
    }

    /// The symbols of that name. O(files that define one).
    pub fn definitions(&self, name: &str) -> Vec<Place> {
        let files = self.files_that(Uses::DEFINES, name).into_iter();
        let places = files.flat_map(|(file, facts)| {
            let ids = facts.by_name(name).to_vec().into_iter();
            ids.map(move |symbol| Place {
                file: file.clone(),
                symbol,
            })
        });
        places.collect()
    }

    /// The types of that name, by place. O(symbols of that name), and O(files that define one) the first time.
    pub fn types_called(&self, name: &str) -> Vec<Place> {
        Candidates::of(self, name).types()
    }

    /// Whether more than so many symbols have that name. O(log n) where as many files define it; else the cost is that
    /// of [`Index::types_called`].
    pub fn is_common(&self, name: &str, most: usize) -> bool {
        self.has_more_files(Uses::DEFINES, name, most) || Candidates::of(self, name).len() > most
    }

    /// The symbols with that path, in whatever files: `Type/name`. O(files that define the last name).
    pub fn definitions_at(&self, path: &str) -> Vec<Place> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let name = name.rsplit_once('#').map_or(name, |(name, ordinal)| {
            let is_ordinal = !name.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit());
            if is_ordinal {
                name
            } else {
                path.rsplit('/').next().unwrap_or(path)
            }
        });
        let files = self.files_that(Uses::DEFINES, name).into_iter();
        let places = files.filter_map(|(file, facts)| {
            let symbol = facts.by_path(path)?;
            let file = file.clone();
            Some(Place { file, symbol })
        });
        places.collect()
    }

    /// The references to that name, whatever it means there. O(references in the files that have one).
    pub fn references(&self, name: &str) -> Vec<Mention> {
        let mut mentions = Vec::new();
        for (file, facts) in self.files_that(Uses::REFERS, name) {
            mentions.extend(facts.references_to(name).map(|reference| Mention {
                file: file.clone(),
                range: reference.range,
                role: reference.role,
                within: reference.within,
            }));
        }
        mentions
    }

    /// The files that may import a file: those that name it, or the folder it stands for, in an import. O(result).
    pub fn importers(&self, file: &FilePath) -> Vec<FilePath> {
        let Some(facts) = self.file(file) else {
            return Vec::new();
        };
        let grammar = facts.grammar;
        let name = grammar.module_name(file.as_str());
        let files = self.files_that(Uses::IMPORTS, name).into_iter();
        let files = files.filter(|(other, facts)| {
            *other != file && facts.grammar.ecosystem == grammar.ecosystem
        });
        files.map(|(other, _)| other.clone()).collect()
    }

    /// The functions that look like this, by place. O(files that have one).
    pub fn of_shape(&self, shape: &Shape) -> Vec<Place> {
        let files = self.files_that(Uses::LOOKS, &shape.code).into_iter();
        let places = files.flat_map(|(file, facts)| {
            let symbols = facts.enumerate();
            let alike = symbols.filter(|(_, symbol)| symbol.shape.as_ref() == Some(shape));
            let alike: Vec<SymbolId> = alike.map(|(id, _)| id).collect();
            alike.into_iter().map(move |symbol| Place {
                file: file.clone(),
                symbol,
            })
        });
        places.collect()
    }

    /// How many files have a function that looks like this. O(log n), without a look at any of them.
    pub fn files_of_shape(&self, shape: &Shape) -> usize {
        self.paths_that(Uses::LOOKS, &shape.code).len()
    }

    /// The files that use a name in whatever way, by path. O(result).
    pub fn files_with(&self, name: &str) -> Vec<FilePath> {
        let files = self.paths_that(Uses::default(), name).into_iter();
        files.map(|(file, _)| file.clone()).collect()
    }

    /// The files that use a name in a way, by path.
    pub(crate) fn files_that(&self, uses: Uses, name: &str) -> Vec<(&FilePath, Arc<Facts>)> {
        self.with_facts(self.paths_that(uses, name))
    }

    /// The same, but at most so many, the nearest to `file`.
    pub(crate) fn nearest_files_that(
        &self,
        uses: Uses,
        name: &str,
        file: &FilePath,
        most: usize,
    ) -> Vec<(&FilePath, Arc<Facts>)> {
        let mut files = self.paths_that(uses, name);
        if files.len() > most {
            files.sort_by_cached_key(|(other, _)| (*other != file, distance(other, file)));
            files.truncate(most);
            files.sort_unstable_by_key(|(file, _)| *file);
        }
        self.with_facts(files)
    }

    fn with_facts<'i>(
        &self,
        files: Vec<(&'i FilePath, Option<usize>)>,
    ) -> Vec<(&'i FilePath, Arc<Facts>)> {
        let files = files.into_iter().filter_map(|(file, place)| {
            let facts = match place {
                Some(place) => self.base.facts(place, &self.unpacked),
                None => self.file(file),
            };
            Some((file, facts?))
        });
        files.collect()
    }

    /// The symbols of that name in the base, in files that may have changed since. O(1) when asked again.
    pub(crate) fn layer_of(&self, name: &str) -> Arc<Layer> {
        self.layers.of(self.base.id, name, || {
            let below = self.base.table.uses(name);
            let below = below.filter(|(_, known)| known.includes(Uses::DEFINES));
            let files = below.filter_map(|(number, _)| {
                let place = number as usize;
                let file = &self.base.files.get(place)?.path;
                Some((file, self.base.skim(place, name, &self.unpacked)?))
            });
            Layer::of(files)
        })
    }

    /// The symbols of that name in files that were taken in since the base.
    pub(crate) fn layer_over(&self, name: &str) -> Layer {
        let Some(posting) = self.names.get(name) else {
            return Layer::default();
        };
        let numbers = posting.files(Uses::DEFINES);
        let mut files: Vec<(&FilePath, Skimmed)> = numbers
            .filter_map(|number| {
                let file = self.numbers.get(number as usize)?.as_ref()?;
                let (file, entry) = self.files.get_key_value(file)?;
                Some((file, Skimmed::of(&entry.as_ref()?.facts, name)))
            })
            .collect();
        files.sort_unstable_by_key(|(file, _)| *file);
        Layer::of(files.into_iter())
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Whether what the base knows about a file is out of date.
    pub(crate) fn is_over(&self, file: &FilePath) -> bool {
        self.files.contains_key(file)
    }

    /// The files that differ from the base.
    pub(crate) fn over(&self) -> impl ExactSizeIterator<Item = &FilePath> {
        self.files.keys()
    }

    /// The files that use a name in a way, by path, with the place of those that are in the base.
    fn paths_that(&self, uses: Uses, name: &str) -> Vec<(&FilePath, Option<usize>)> {
        let below = self.base.table.uses(name).filter_map(|(number, known)| {
            let file = &self.base.files.get(number as usize)?.path;
            let fits = known.includes(uses) && !self.files.contains_key(file);
            fits.then_some((file, Some(number as usize)))
        });
        let mut files: Vec<_> = below.collect();
        if let Some(posting) = self.names.get(name) {
            let over = posting.files(uses).filter_map(|number| {
                let file = self.numbers.get(number as usize)?.as_ref()?;
                self.files.get_key_value(file)
            });
            files.extend(over.map(|(file, _)| (file, None)));
            files.sort_unstable_by_key(|(file, _)| *file);
        }
        files
    }

    /// Whether more than so many files use a name in a way. O(log n + `most`).
    fn has_more_files(&self, uses: Uses, name: &str, most: usize) -> bool {
        let over = self.names.get(name);
        let over = over.map_or(0, |posting| posting.files(uses).take(most + 1).count());
        let below = self.base.table.uses(name).filter(|(number, known)| {
            let file = self.base.files.get(*number as usize);
            known.includes(uses) && file.is_some_and(|file| !self.files.contains_key(&file.path))
        });
        over > most || over + below.take(most + 1 - over).count() > most
    }

    /// Hands every name that is used to `each`, and some that were, in no particular order.
    pub(crate) fn each_name(&self, mut each: impl FnMut(&str)) {
        self.base.table.each(|name, _| each(name));
        self.names.keys().for_each(|name| each(name));
    }

    /// Takes what is known about a file out of the counts.
    fn uncount(&mut self, file: &FilePath) {
        let known = match self.files.get(file) {
            Some(entry) => entry
                .as_ref()
                .map(|entry| (entry.facts.grammar.title, entry.counts)),
            None => self
                .base
                .place_of(file)
                .and_then(|place| self.base.files.get(place))
                .map(|known| (known.title, known.counts)),
        };
        if let Some((title, counts)) = known {
            Arc::make_mut(&mut self.stats).count(title, counts, -1);
        }
    }

    /// A number for a file that has none. None if there are too many files to count.
    fn number(&mut self, file: &FilePath) -> Option<u32> {
        if let Some(number) = self.free.last().copied() {
            self.free.drop_last_mut();
            self.numbers.set_mut(number as usize, Some(file.clone()));
            return Some(number);
        }
        let number = u32::try_from(self.numbers.len()).ok()?;
        if number > MAX_FILES {
            return None;
        }
        self.numbers.push_back_mut(Some(file.clone()));
        Some(number)
    }

    /// Says of every name that a file uses otherwise than before what it does with it.
    fn join(&mut self, number: u32, before: Option<&Facts>, after: Option<&Facts>) {
        let old = before.map(Facts::uses).unwrap_or_default();
        let new = after.map(Facts::uses).unwrap_or_default();
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        loop {
            let (name, uses) = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some(was), Some(is)) if was == is => {
                    old.next();
                    new.next();
                    continue;
                }
                (Some((was, _)), Some((is, uses))) if was == is => (*is, *uses),
                (Some((was, _)), Some((is, _))) if was < is => (*was, Uses::default()),
                (Some((was, _)), None) => (*was, Uses::default()),
                (_, Some((is, uses))) => (*is, *uses),
            };
            old.next_if(|(was, _)| *was == name);
            new.next_if(|(is, _)| *is == name);
            self.set_uses(name, number, uses);
        }
    }

    fn set_uses(&mut self, name: &str, number: u32, uses: Uses) {
        let Some(posting) = self.names.get_mut(name) else {
            let mut posting = Posting::default();
            posting.set(number, uses);
            if !posting.is_empty() {
                self.names.insert_mut(name.into(), posting);
            }
            return;
        };
        posting.set(number, uses);
        if posting.is_empty() {
            self.names.remove_mut(name);
        }
    }
}

impl Stats {
    pub(crate) fn count(&mut self, title: &'static str, counts: Counts, sign: isize) {
        let add = |total: &mut usize, count: usize| {
            *total = total.saturating_add_signed(sign * count as isize);
        };
        add(&mut self.files, 1);
        add(&mut self.symbols, counts.symbols);
        add(&mut self.references, counts.references);
        add(&mut self.imports, counts.imports);
        add(&mut self.errors, counts.errors);
        add(&mut self.incomplete, counts.incomplete);
        add(&mut self.bytes, counts.bytes);
        add(&mut self.memory, counts.memory);
        let files = self.languages.entry(title).or_default();
        add(files, 1);
        if *files == 0 {
            self.languages.remove(title);
        }
    }
}

impl From<Arc<Base>> for Index {
    fn from(base: Arc<Base>) -> Index {
        Index {
            stats: Arc::new(base.stats.clone()),
            base,
            unpacked: Arc::default(),
            layers: Arc::default(),
            asked: Arc::default(),
            files: RedBlackTreeMapSync::new_sync(),
            numbers: VectorSync::new_sync(),
            free: VectorSync::new_sync(),
            names: Names::new_with_hasher_and_ptr_kind(BuildHasherDefault::default()),
        }
    }
}

impl Default for Index {
    fn default() -> Index {
        Index::new()
    }
}

/// Two indexes are equal if the same is known about the same files.
impl PartialEq for Index {
    fn eq(&self, other: &Index) -> bool {
        self.stats.files == other.stats.files
            && self.files().zip(other.files()).all(|(ours, theirs)| {
                ours.0 == theirs.0 && (Arc::ptr_eq(&ours.1, &theirs.1) || ours.1 == theirs.1)
            })
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({} files)", self.stats.files)
    }
}

impl FromIterator<(FilePath, Arc<Facts>)> for Index {
    fn from_iter<T: IntoIterator<Item = (FilePath, Arc<Facts>)>>(files: T) -> Index {
        let mut index = Index::new();
        for (file, facts) in files {
            index.insert(file, facts);
        }
        index
    }
}
