//! How the facts of all files join: by name, with preference for what is near.

use std::collections::BTreeMap;
use std::sync::Arc;

use rpds::HashTrieMapSync;
use text::{FilePath, Range};

use crate::{Facts, Role, SymbolId};

/// A symbol of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The file.
    pub file: FilePath,
    /// The symbol in the file's facts.
    pub symbol: SymbolId,
}

/// A mention of a name in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mention {
    /// The file.
    pub file: FilePath,
    /// Where in the file.
    pub range: Range,
    /// What is done with the name.
    pub role: Role,
    /// The innermost symbol that the mention lies in.
    pub within: Option<SymbolId>,
}

/// What an index holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Files.
    pub files: usize,
    /// Symbols.
    pub symbols: usize,
    /// References.
    pub references: usize,
    /// Imports.
    pub imports: usize,
    /// Bytes of source.
    pub bytes: usize,
    /// Files by language title.
    pub languages: BTreeMap<&'static str, usize>,
}

type Names = HashTrieMapSync<Arc<str>, Arc<Vec<FilePath>>>;

/// The facts of all files, joined by name. Cloning is O(1), and a clone never changes.
#[derive(Clone, Default)]
pub struct Index {
    files: HashTrieMapSync<FilePath, Arc<Facts>>,
    /// Files that define a name.
    defined: Names,
    /// Files that mention a name.
    mentioned: Names,
}

impl Index {
    /// Takes in a file, in place of what was known of it. Grows with the names of the file, not with the workspace.
    pub fn insert(&mut self, file: FilePath, facts: Arc<Facts>) {
        let before = self.files.get(&file).cloned();
        update(
            &mut self.defined,
            &file,
            before.as_deref().map(defines),
            Some(defines(&facts)),
        );
        update(
            &mut self.mentioned,
            &file,
            before.as_deref().map(mentions),
            Some(mentions(&facts)),
        );
        self.files.insert_mut(file, facts);
    }

    /// Forgets a file.
    pub fn remove(&mut self, file: &FilePath) {
        if let Some(before) = self.files.get(file).cloned() {
            update(&mut self.defined, file, Some(defines(&before)), None);
            update(&mut self.mentioned, file, Some(mentions(&before)), None);
            self.files.remove_mut(file);
        }
    }

    /// The facts of a file. O(log n).
    pub fn file(&self, file: &FilePath) -> Option<&Arc<Facts>> {
        self.files.get(file)
    }

    /// Every symbol of that name, by file and position. Grows with the files that define it.
    pub fn definitions(&self, name: &str) -> Vec<Place> {
        let mut places = Vec::new();
        for (file, facts) in self.holding(&self.defined, name) {
            places.extend(facts.by_name(name).iter().map(|id| Place {
                file: file.clone(),
                symbol: *id,
            }));
        }
        places
    }

    /// Every mention of that name, by file and position. Grows with the files that mention it.
    pub fn references(&self, name: &str) -> Vec<Mention> {
        let mut found = Vec::new();
        for (file, facts) in self.holding(&self.mentioned, name) {
            found.extend(facts.references_to(name).map(|reference| Mention {
                file: file.clone(),
                range: reference.range,
                role: reference.role,
                within: reference.within,
            }));
        }
        found
    }

    /// The functions that call a symbol, with the places where they do.
    pub fn callers(&self, place: &Place) -> Vec<(Place, Vec<Range>)> {
        let Some(name) = self.name_of(place) else {
            return Vec::new();
        };
        let mut callers: BTreeMap<Place, Vec<Range>> = BTreeMap::new();
        for (file, facts) in self.holding(&self.mentioned, &name) {
            for call in facts
                .references_to(&name)
                .filter(|reference| reference.role == Role::Call)
            {
                let Some(within) = call.within.map(|id| facts.callable(id).unwrap_or(id)) else {
                    continue;
                };
                let caller = Place {
                    file: file.clone(),
                    symbol: within,
                };
                if caller != *place && means(file, facts, &name, place) {
                    callers.entry(caller).or_default().push(call.range);
                }
            }
        }
        callers.into_iter().collect()
    }

    /// The symbols that a symbol calls, in the order of the calls: of the same file, or else imported, or else the only
    /// one of that name.
    pub fn callees(&self, file: &FilePath, symbol: SymbolId) -> Vec<Place> {
        let Some(facts) = self.files.get(file) else {
            return Vec::new();
        };
        let Some(range) = facts.symbol(symbol).map(|symbol| symbol.range) else {
            return Vec::new();
        };
        let mut found: Vec<Place> = Vec::new();
        for call in facts
            .references_in(range)
            .filter(|reference| reference.role == Role::Call)
        {
            let candidates = self.definitions(call.name);
            let near = candidates.iter().find(|place| place.file == *file);
            let imported = || {
                candidates
                    .iter()
                    .find(|place| facts.import_of(call.name).is_some() && place.file != *file)
            };
            let only = || {
                if let [only] = candidates.as_slice() {
                    Some(only)
                } else {
                    None
                }
            };
            if let Some(place) = near.or_else(imported).or_else(only)
                && !found.contains(place)
                && (place.file != *file || place.symbol != symbol)
            {
                found.push(place.clone());
            }
        }
        found
    }

    /// The tests that mention a symbol, those of its own file and folder first.
    pub fn nearest_tests(&self, place: &Place) -> Vec<Place> {
        let Some(name) = self.name_of(place) else {
            return Vec::new();
        };
        let mut tests = Vec::new();
        for (file, facts) in self.holding(&self.mentioned, &name) {
            for reference in facts.references_to(&name) {
                let Some(test) = reference.within.map(|id| facts.callable(id).unwrap_or(id)) else {
                    continue;
                };
                if facts.symbol(test).is_some_and(|symbol| symbol.test_case) {
                    let far = u8::from(*file != place.file)
                        + u8::from(file.parent() != place.file.parent());
                    tests.push((
                        far,
                        Place {
                            file: file.clone(),
                            symbol: test,
                        },
                    ));
                }
            }
        }
        tests.sort();
        tests.dedup();
        tests.into_iter().map(|(_, place)| place).collect()
    }

    /// Counts. Grows with the files.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for facts in self.files.values() {
            stats.files += 1;
            stats.symbols += facts.symbols.len();
            stats.references += facts.references().len();
            stats.imports += facts.imports.len();
            stats.bytes += facts.bytes;
            *stats.languages.entry(facts.grammar.title).or_default() += 1;
        }
        stats
    }

    fn name_of(&self, place: &Place) -> Option<Arc<str>> {
        Some(
            self.files
                .get(&place.file)?
                .symbol(place.symbol)?
                .name
                .clone(),
        )
    }

    fn holding<'a>(
        &'a self,
        names: &'a Names,
        name: &str,
    ) -> impl Iterator<Item = (&'a FilePath, &'a Arc<Facts>)> {
        names
            .get(name)
            .into_iter()
            .flat_map(|files| files.iter())
            .filter_map(|file| Some((file, self.files.get(file)?)))
    }
}

/// Whether `name` in `file` may mean the symbol at `place`: it is of that file, or the file does not define the name itself.
fn means(file: &FilePath, facts: &Facts, name: &str, place: &Place) -> bool {
    *file == place.file || facts.by_name(name).is_empty()
}

fn defines(facts: &Facts) -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = facts
        .symbols
        .iter()
        .map(|symbol| symbol.name.clone())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn mentions(facts: &Facts) -> Vec<Arc<str>> {
    let mut names: Vec<&str> = facts.references().map(|reference| reference.name).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(Arc::from).collect()
}

fn update(
    names: &mut Names,
    file: &FilePath,
    before: Option<Vec<Arc<str>>>,
    after: Option<Vec<Arc<str>>>,
) {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    for name in before
        .iter()
        .filter(|name| after.binary_search(name).is_err())
    {
        if let Some(files) = names.get(name) {
            let left: Vec<FilePath> = files
                .iter()
                .filter(|other| *other != file)
                .cloned()
                .collect();
            if left.is_empty() {
                names.remove_mut(name);
            } else {
                names.insert_mut(name.clone(), Arc::new(left));
            }
        }
    }
    for name in after
        .iter()
        .filter(|name| before.binary_search(name).is_err())
    {
        let mut files = names
            .get(name)
            .map(|files| files.to_vec())
            .unwrap_or_default();
        if let Err(at) = files.binary_search(file) {
            files.insert(at, file.clone());
        }
        names.insert_mut(name.clone(), Arc::new(files));
    }
}
