//! Who uses what, across files: calls both ways, types, tests.

use std::cmp::Reverse;
use std::sync::Arc;

use grammars::{Role, SymbolKind};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;
use text::{FilePath, Range};

use crate::candidates::Candidates;
use crate::facts::{Facts, Reference, SymbolId};
use crate::join::{Index, Place};
use crate::posting::Uses;
use crate::resolve::{Confidence, Here, Meant, Question, shared_folders};

/// A reference that may mean a symbol.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Use {
    /// The file of the reference.
    pub file: FilePath,
    /// Where in it.
    pub range: Range,
    /// What is done with the name.
    pub role: Role,
    /// The innermost symbol that the reference lies in.
    pub within: Option<SymbolId>,
    /// How sure that is.
    pub confidence: Confidence,
}

/// A symbol that a reference may mean.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Link {
    /// The symbol.
    pub place: Place,
    /// What it is.
    pub kind: SymbolKind,
    /// The first reference that may mean it.
    pub range: Range,
    /// What that does with the name.
    pub role: Role,
    /// How sure the surest of them is.
    pub confidence: Confidence,
}

impl Index {
    /// The references that may mean a symbol, the surest first, then by place.
    ///
    /// O(references in the files that mention its name).
    pub fn uses(&self, place: &Place) -> Vec<Use> {
        self.uses_where(place, Uses::REFERS, usize::MAX, |_, _| true)
    }

    /// The references that may mean a symbol, of those that are `wanted`: in the files that use its name in a way, and of
    /// these at most so many, the nearest.
    fn uses_where(
        &self,
        place: &Place,
        way: Uses,
        most: usize,
        wanted: impl Fn(&Facts, &Reference<'_>) -> bool,
    ) -> Vec<Use> {
        let Some(facts) = self.file(&place.file) else {
            return Vec::new();
        };
        let Some(symbol) = facts.symbol(place.symbol) else {
            return Vec::new();
        };
        let files = self.nearest_files_that(way, &symbol.name, &place.file, most);
        if files.is_empty() {
            return Vec::new();
        }
        let candidates = Candidates::of(self, &symbol.name);
        let Some(target) = candidates.at(place) else {
            return Vec::new();
        };
        let owner = facts.owner_name(place.symbol).unwrap_or("");
        let mut uses = Vec::new();
        for (file, facts) in files {
            let here = Here {
                file,
                facts: &facts,
            };
            let mut known: FxHashMap<Question<'_>, Option<Confidence>> = FxHashMap::default();
            for reference in facts.references_to(&symbol.name) {
                // Names like `new` are everywhere, and mostly those of another type.
                if !wanted(&facts, &reference) || candidates.excludes(here, &reference, owner) {
                    continue;
                }
                let confidence = known
                    .entry(Question::of(here, &reference))
                    .or_insert_with(|| {
                        let meant = candidates.resolve(here, &reference, Some(target));
                        let found = meant.iter().find(|(index, _)| *index == target);
                        found.map(|(_, confidence)| *confidence)
                    });
                if let Some(confidence) = *confidence {
                    uses.push(Use {
                        file: file.clone(),
                        range: reference.range,
                        role: reference.role,
                        within: reference.within,
                        confidence,
                    });
                }
            }
        }
        // A stable sort: the uses are by place already.
        uses.sort_by_key(|found| Reverse(found.confidence));
        uses
    }

    /// What the references in a symbol may mean, in the order of the first. The symbol itself is not among it.
    ///
    /// O(references + symbols of each name).
    pub fn links(&self, file: &FilePath, symbol: SymbolId) -> Vec<Link> {
        let mut places: FxHashMap<(Place, Role), usize> = FxHashMap::default();
        let mut links: Vec<Link> = Vec::new();
        let any = |_: &Reference<'_>| true;
        self.each_link(file, symbol, Confidence::Guess, any, |link| {
            let known = places.entry((link.place.clone(), link.role));
            let index = *known.or_insert(links.len());
            match links.get_mut(index) {
                Some(known) => known.confidence = known.confidence.max(link.confidence),
                None => links.push(link),
            }
            true
        });
        links
    }

    /// Hands what the references in a symbol mean at least that surely to `take`, reference by reference, as long as it
    /// wants more. Only references that `refers` holds for are looked at.
    fn each_link(
        &self,
        file: &FilePath,
        symbol: SymbolId,
        least: Confidence,
        refers: impl Fn(&Reference<'_>) -> bool,
        mut take: impl FnMut(Link) -> bool,
    ) {
        let Some(facts) = self.file(file) else { return };
        let Some(range) = facts.symbol(symbol).map(|symbol| symbol.range) else {
            return;
        };
        let here = Here {
            file,
            facts: &facts,
        };
        let mut known: FxHashMap<&str, Known<'_>> = FxHashMap::default();
        for reference in facts.references_in(range) {
            if !refers(&reference) {
                continue;
            }
            let Known { candidates, meant } =
                known.entry(reference.name).or_insert_with(|| Known {
                    candidates: Candidates::of(self, reference.name),
                    meant: FxHashMap::default(),
                });
            let question = Question::of(here, &reference);
            let meant = meant
                .entry(question)
                .or_insert_with(|| candidates.resolve(here, &reference, None));
            for &(index, confidence) in &*meant {
                if confidence < least {
                    continue;
                }
                let Some(candidate) = candidates.get(index) else {
                    continue;
                };
                if &candidate.file == file && candidate.id == symbol {
                    continue;
                }
                let wants_more = take(Link {
                    place: Place {
                        file: candidate.file.clone(),
                        symbol: candidate.id,
                    },
                    kind: candidate.kind,
                    range: reference.range,
                    role: reference.role,
                    confidence,
                });
                if !wants_more {
                    return;
                }
            }
        }
    }

    /// The functions that likely call a symbol, or the symbols outside functions that do, with the places where they
    /// do: those with the surest call first, then by place. Cost as for [`Index::uses`].
    pub fn callers(&self, place: &Place) -> Vec<(Place, Vec<Range>)> {
        self.callers_near(place, usize::MAX)
    }

    /// The same in at most `files` files, the nearest by their folders: enough for whoever shows a few.
    pub fn callers_near(&self, place: &Place, files: usize) -> Vec<(Place, Vec<Range>)> {
        let mut order: FxHashMap<Place, usize> = FxHashMap::default();
        let mut callers: Vec<(Place, Vec<Range>)> = Vec::new();
        let is_call = |_: &Facts, reference: &Reference<'_>| reference.role == Role::Call;
        for found in self.uses_where(place, Uses::REFERS, files, is_call) {
            if !found.confidence.is_likely() {
                continue;
            }
            let Some((facts, within)) = self.file(&found.file).zip(found.within) else {
                continue;
            };
            let caller = Place {
                file: found.file,
                symbol: facts.callable(within).unwrap_or(within),
            };
            if caller == *place {
                continue;
            }
            let index = *order.entry(caller.clone()).or_insert(callers.len());
            match callers.get_mut(index) {
                Some((_, ranges)) => ranges.push(found.range),
                None => callers.push((caller, vec![found.range])),
            }
        }
        for (_, ranges) in &mut callers {
            ranges.sort_unstable();
        }
        callers
    }

    /// The symbols that a symbol likely calls, types apart, in the order of the calls. Cost as for [`Index::links`], of
    /// the calls alone.
    pub fn callees(&self, file: &FilePath, symbol: SymbolId) -> Vec<Place> {
        self.first_callees(file, symbol, usize::MAX)
    }

    /// The same, and no more than so many: what comes after them is not looked up.
    pub fn first_callees(&self, file: &FilePath, symbol: SymbolId, most: usize) -> Vec<Place> {
        let is_call = |reference: &Reference<'_>| reference.role == Role::Call;
        let wanted = |link: &Link| !link.kind.is_type();
        self.likely(file, symbol, is_call, wanted, most)
    }

    /// Looks up what the calls of a file may mean, so that whoever asks about one of its symbols next need not: what a
    /// common name means takes long to find out the first time. Until `stop` says so.
    ///
    /// O(calls + symbols of each name).
    pub fn foresee(&self, file: &FilePath, stop: &dyn Fn() -> bool) {
        let Some(facts) = self.file(file) else { return };
        let everything = Range::new(0, facts.bytes);
        let calls = facts.references_in(everything);
        let calls = calls.filter(|reference| reference.role == Role::Call);
        let names: FxHashSet<&str> = calls.map(|reference| reference.name).collect();
        for name in names.into_iter().take_while(|_| !stop()) {
            Candidates::of(self, name);
        }
    }

    /// The types that a symbol likely mentions, in the order of the mentions. Cost as for [`Index::links`].
    pub fn types_used(&self, file: &FilePath, symbol: SymbolId) -> Vec<Place> {
        let any = |_: &Reference<'_>| true;
        self.likely(file, symbol, any, |link| link.kind.is_type(), usize::MAX)
    }

    /// The symbols that say that they implement, extend or embed a type, impl blocks among them, by place.
    /// Cost as for [`Index::uses`].
    pub fn implementors(&self, place: &Place) -> Vec<Place> {
        let uses = self.uses(place).into_iter();
        let places = uses.filter_map(|found| {
            let says_so = found.role == Role::Implement && found.confidence.is_likely();
            let symbol = found.within.filter(|_| says_so)?;
            let file = found.file;
            Some(Place { file, symbol })
        });
        let mut places: Vec<Place> = places.collect();
        places.sort();
        places.dedup();
        places
    }

    /// The test cases that likely mention a symbol, the nearest first: in the same file, then by how many folders the
    /// paths share, then the surest, then by place. O(references in the files with a test case that mentions its name).
    pub fn nearest_tests(&self, place: &Place) -> Vec<Place> {
        self.nearest_tests_in(place, usize::MAX)
    }

    /// The same in at most `files` files, the nearest by their folders: enough for whoever wants the first few.
    pub fn nearest_tests_in(&self, place: &Place, files: usize) -> Vec<Place> {
        let mut tests: FxHashMap<Place, Confidence> = FxHashMap::default();
        let in_test = |facts: &Facts, reference: &Reference<'_>| {
            let within = reference.within;
            within.is_some_and(|within| test_case(facts, within).is_some())
        };
        for found in self.uses_where(place, Uses::TESTS, files, in_test) {
            let facts = self.file(&found.file);
            let test = facts
                .zip(found.within)
                .and_then(|(facts, within)| test_case(&facts, within));
            let Some(symbol) = test.filter(|_| found.confidence.is_likely()) else {
                continue;
            };
            let file = found.file;
            // The surest use comes first.
            tests
                .entry(Place { file, symbol })
                .or_insert(found.confidence);
        }
        tests.remove(place);
        let mut tests: Vec<(Place, Confidence)> = tests.into_iter().collect();
        tests.sort_by_cached_key(|(test, confidence)| {
            let elsewhere = test.file != place.file;
            let shared = shared_folders(&test.file, &place.file);
            (
                elsewhere,
                Reverse(shared),
                Reverse(*confidence),
                test.clone(),
            )
        });
        tests.into_iter().map(|(test, _)| test).collect()
    }

    fn likely(
        &self,
        file: &FilePath,
        symbol: SymbolId,
        refers: impl Fn(&Reference<'_>) -> bool,
        wanted: impl Fn(&Link) -> bool,
        most: usize,
    ) -> Vec<Place> {
        let mut known = FxHashSet::default();
        let mut places = Vec::new();
        self.each_link(file, symbol, Confidence::Mentioned, refers, |link| {
            if places.len() < most && wanted(&link) && known.insert(link.place.clone()) {
                places.push(link.place);
            }
            places.len() < most
        });
        places
    }
}

/// What has been found out about one name.
struct Known<'f> {
    candidates: Arc<Candidates>,
    meant: FxHashMap<Question<'f>, Meant>,
}

/// The test case that a symbol is, or lies in.
fn test_case(facts: &Facts, id: SymbolId) -> Option<SymbolId> {
    let mut around = facts.ancestors(id);
    around
        .find(|(_, symbol)| symbol.test_case)
        .map(|(id, _)| id)
}
