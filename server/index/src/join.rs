use std::collections::BTreeMap;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use grammars::Role;
use rpds::{HashTrieMapSync, RedBlackTreeMapSync, VectorSync};
use rustc_hash::FxHasher;
use serde::Serialize;
use text::{FilePath, Range};

use crate::facts::{Facts, Symbol, SymbolId};
use crate::posting::{MAX_FILES, Posting, Uses};

type Names = HashTrieMapSync<Arc<str>, Posting, BuildHasherDefault<FxHasher>>;

/// The facts of many files, and what joins them. A clone is a snapshot and takes no time.
///
/// What joins files is names. There are no types and no scopes here, so that every answer about another file is a good
/// guess; [`crate::Confidence`] says how good.
/// All answers are sorted, and depend on what is in the index alone, not on the order in which it came.
#[derive(Clone)]
pub struct Index {
    files: RedBlackTreeMapSync<FilePath, Entry>,
    numbers: VectorSync<Option<FilePath>>,
    free: VectorSync<u32>,
    pub(crate) names: Names,
    stats: Arc<Stats>,
}

#[derive(Clone)]
struct Entry {
    number: u32,
    facts: Arc<Facts>,
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
        Index {
            files: RedBlackTreeMapSync::new_sync(),
            numbers: VectorSync::new_sync(),
            free: VectorSync::new_sync(),
            names: Names::new_with_hasher_and_ptr_kind(BuildHasherDefault::default()),
            stats: Arc::default(),
        }
    }

    /// Takes in the facts of a file, in place of what was known about it.
    ///
    /// O(k log n) for the k names that the file uses otherwise than before, n being all names.
    pub fn insert(&mut self, file: FilePath, facts: Arc<Facts>) {
        let known = self.files.get(&file).cloned();
        let number = match &known {
            Some(entry) => entry.number,
            None => match self.number(&file) {
                Some(number) => number,
                None => return,
            },
        };
        let before = known.map(|entry| entry.facts);
        self.join(number, before.as_deref(), Some(&facts));
        self.files.insert_mut(file, Entry { number, facts });
    }

    /// Forgets a file. O(k log n) for the k names that it uses.
    pub fn remove(&mut self, file: &FilePath) {
        let Some(Entry { number, facts }) = self.files.get(file).cloned() else {
            return;
        };
        self.join(number, Some(&facts), None);
        self.files.remove_mut(file);
        self.numbers.set_mut(number as usize, None);
        self.free.push_back_mut(number);
    }

    /// What is known about a file. O(log n).
    pub fn file(&self, file: &FilePath) -> Option<&Arc<Facts>> {
        self.files.get(file).map(|entry| &entry.facts)
    }

    /// All files, by path.
    pub fn files(&self) -> impl Iterator<Item = (&FilePath, &Arc<Facts>)> {
        self.files.iter().map(|(file, entry)| (file, &entry.facts))
    }

    /// A symbol. None if the file or the symbol is not known.
    pub fn symbol(&self, place: &Place) -> Option<&Symbol> {
        self.file(&place.file)?.symbol(place.symbol)
    }

    /// How much is known. O(languages).
    pub fn stats(&self) -> Stats {
        Stats::clone(&self.stats)
    }

    /// The symbols of that name. O(files that define one).
    pub fn definitions(&self, name: &str) -> Vec<Place> {
        let files = self.files_that(Uses::DEFINES, name).into_iter();
        let places = files.flat_map(|(file, facts)| {
            let ids = facts.by_name(name).iter();
            ids.map(move |symbol| Place {
                file: file.clone(),
                symbol: *symbol,
            })
        });
        places.collect()
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
        let files = self.files_that(Uses::REFERS, name).into_iter();
        let places = files.flat_map(|(file, facts)| {
            facts.references_to(name).map(move |reference| Mention {
                file: file.clone(),
                range: reference.range,
                role: reference.role,
                within: reference.within,
            })
        });
        places.collect()
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

    /// The files that use a name in a way, by path.
    pub(crate) fn files_that(&self, uses: Uses, name: &str) -> Vec<(&FilePath, &Arc<Facts>)> {
        let Some(posting) = self.names.get(name) else {
            return Vec::new();
        };
        let files = posting.files(uses).filter_map(|number| {
            let file = self.numbers.get(number as usize)?.as_ref()?;
            self.files
                .get_key_value(file)
                .map(|(file, entry)| (file, &entry.facts))
        });
        let mut files: Vec<_> = files.collect();
        files.sort_by_key(|(file, _)| *file);
        files
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
        let old = before.map(uses_of).unwrap_or_default();
        let new = after.map(uses_of).unwrap_or_default();
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
        let stats = Arc::make_mut(&mut self.stats);
        for (facts, sign) in [(before, -1), (after, 1)] {
            if let Some(facts) = facts {
                stats.count(facts, sign);
            }
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

/// Every name that a file uses and how, by name.
fn uses_of(facts: &Facts) -> Vec<(&str, Uses)> {
    let mut uses: Vec<(&str, Uses)> = Vec::new();
    let referred = facts.referred_names().map(|name| (name, Uses::REFERS));
    let defined = facts.by_name.iter().filter_map(|id| facts.symbol(*id));
    let defined = defined.map(|symbol| (&*symbol.name, Uses::DEFINES));
    let parts = facts.imports.iter().flat_map(|import| {
        let names = import.names.iter().map(|name| &*name.name);
        facts.parts(&import.source).chain(names)
    });
    uses.extend(referred.chain(defined));
    uses.extend(parts.map(|part| (part, Uses::IMPORTS)));
    uses.sort_unstable_by_key(|(name, _)| *name);
    uses.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 = first.1.and(later.1);
        }
        same
    });
    uses
}

impl Stats {
    fn count(&mut self, facts: &Facts, sign: isize) {
        let add = |total: &mut usize, count: usize| {
            *total = total.saturating_add_signed(sign * count as isize);
        };
        add(&mut self.files, 1);
        add(&mut self.symbols, facts.symbols.len());
        add(&mut self.references, facts.references.len());
        add(&mut self.imports, facts.imports.len());
        add(&mut self.errors, facts.error_count);
        add(
            &mut self.incomplete,
            usize::from(facts.incomplete.is_some()),
        );
        add(&mut self.bytes, facts.bytes);
        add(&mut self.memory, facts.heap_bytes());
        let files = self.languages.entry(facts.grammar.title).or_default();
        add(files, 1);
        if *files == 0 {
            self.languages.remove(facts.grammar.title);
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
        self.files.size() == other.files.size()
            && self.files().zip(other.files()).all(|(ours, theirs)| {
                ours.0 == theirs.0 && (Arc::ptr_eq(ours.1, theirs.1) || ours.1 == theirs.1)
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
