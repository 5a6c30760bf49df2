//! What a name most likely means, across files.

use serde::Serialize;
use text::FilePath;

use crate::candidates::{Candidate, Candidates, has_letters, is_member, letters};
use crate::facts::{Facts, Import, Reference, SymbolId};
use crate::skim::packages;

/// How sure it is that a reference means a symbol, the least sure first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// It is one of several symbols of the name, or a part of a value of which nothing is known.
    Guess,
    /// It is a part of a value whose type is not known, and the file mentions the type that has the part.
    Mentioned,
    /// It is the only symbol of the name, or the value is called like the type that has the part.
    Unique,
    /// The file imports the name from there.
    Imported,
    /// It is in the same file, or in the same module where several files make one.
    Near,
    /// The type or module it is in stands before the name.
    Qualified,
}

impl Confidence {
    /// Whether it is more than a guess.
    pub fn is_likely(self) -> bool {
        self > Confidence::Guess
    }
}

/// Where a reference is.
#[derive(Clone, Copy)]
pub(crate) struct Here<'i> {
    pub(crate) file: &'i FilePath,
    pub(crate) facts: &'i Facts,
}

/// Candidates, and how sure it is that they are meant.
pub(crate) type Meant = Vec<(usize, Confidence)>;

/// So many symbols have a name that short cuts are worth it.
const COMMON: usize = 8;

/// All that decides about what a reference of a file means.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Question<'f> {
    qualifier: Option<&'f str>,
    member: bool,
    /// The type whose code it is in, where that counts.
    owner: Option<&'f str>,
}

impl<'f> Question<'f> {
    /// Of a reference of the file, apart from its name.
    pub(crate) fn of(here: Here<'f>, reference: &Reference<'f>) -> Question<'f> {
        let grammar = here.facts.grammar;
        let of_self = match reference.qualifier {
            Some(qualifier) => grammar.self_names.contains(&qualifier),
            None => grammar.implicit_self && !reference.member,
        };
        let within = reference.within.filter(|_| of_self);
        Question {
            qualifier: reference.qualifier,
            member: reference.member,
            owner: within.and_then(|within| owner_of(here.facts, within)),
        }
    }
}

impl Candidates {
    /// Whether a reference to a common name is certainly not to the one that belongs to `owner`.
    pub(crate) fn excludes(&self, here: Here<'_>, reference: &Reference<'_>, owner: &str) -> bool {
        if self.len() <= COMMON || owner.is_empty() || reference.member {
            return false;
        }
        reference.qualifier.is_some_and(|qualifier| {
            let own = here.facts.grammar.self_names.contains(&qualifier);
            qualifier != owner && !own && self.has_owner(qualifier)
        })
    }

    /// The candidates that a reference may mean. Empty if it means something outside the workspace.
    ///
    /// If only one candidate is of interest, the others may be missing.
    pub(crate) fn resolve(
        &self,
        here: Here<'_>,
        reference: &Reference<'_>,
        only: Option<usize>,
    ) -> Meant {
        match reference.qualifier {
            Some(qualifier) => self.qualified(here, reference, qualifier, only),
            None if reference.member => self.of_values(here, None, only),
            None => self.bare(here, reference),
        }
    }

    fn qualified(
        &self,
        here: Here<'_>,
        reference: &Reference<'_>,
        qualifier: &str,
        only: Option<usize>,
    ) -> Meant {
        if here.facts.grammar.self_names.contains(&qualifier) {
            let owner = reference
                .within
                .and_then(|within| owner_of(here.facts, within));
            return match owner.map(|owner| self.nearest_owned_by(here, owner)) {
                Some(own) if !own.is_empty() => all(own, Confidence::Qualified),
                _ => self.of_values(here, None, only),
            };
        }
        let owned = self.nearest_owned_by(here, qualifier);
        if !owned.is_empty() {
            return all(owned, Confidence::Qualified);
        }
        // A module: by its own name, or by what this file calls it.
        let import = here.facts.import_of(qualifier);
        let imported = import.and_then(|(import, taken)| match taken {
            Some(taken) if &*taken.name != "default" => Some(&*taken.name),
            _ => here.facts.parts(&import.source).last(),
        });
        let in_module = self.among(&self.free(), |candidate| {
            let module = candidate.module();
            candidate.fits(here) && (Some(module) == imported || module == qualifier)
        });
        if !in_module.is_empty() {
            let closest = match import {
                Some((import, None)) => self.closest(here, import, in_module),
                _ => in_module,
            };
            return all(self.nearest(here, closest), Confidence::Qualified);
        }
        if reference.member && import.is_none() {
            return self.of_values(here, Some(qualifier), only);
        }
        // `Type::name` or `module.name` of something that is not in the workspace.
        Vec::new()
    }

    /// What belongs to a type or module of that name; to the nearest one if there are several.
    fn nearest_owned_by(&self, here: Here<'_>, owner: &str) -> Vec<usize> {
        let owned = self.among(&self.owned_by(owner), |candidate| candidate.fits(here));
        if owned.len() < 2 {
            return owned;
        }
        let imported = here.facts.import_of(owner).map(|(import, _)| {
            let imported = self.among(&owned, |candidate| candidate.is_in(here, import));
            self.nearest(here, self.closest(here, import, imported))
        });
        match imported {
            Some(imported) if !imported.is_empty() => imported,
            _ => self.nearest(here, owned),
        }
    }

    /// Those whose folders are the fewest steps away; those of the file itself if there are any.
    fn nearest(&self, here: Here<'_>, indices: Vec<usize>) -> Vec<usize> {
        if indices.len() < 2 {
            return indices;
        }
        let far = |index: &usize| {
            let candidate = self.get(*index);
            candidate.map(|other| (&other.file != here.file, distance(&other.file, here.file)))
        };
        let least = indices.iter().filter_map(far).min();
        indices
            .into_iter()
            .filter(|index| far(index) == least)
            .collect()
    }

    /// Those whose files agree the most with the path of an import.
    fn closest(&self, here: Here<'_>, import: &Import, indices: Vec<usize>) -> Vec<usize> {
        if indices.len() < 2 {
            return indices;
        }
        let agreeing = |index: &usize| {
            let candidate = self.get(*index);
            candidate.map_or(0, |candidate| candidate.agreeing(here, import))
        };
        let counts: Vec<usize> = indices.iter().map(agreeing).collect();
        let most = counts.iter().copied().max();
        let counted = indices.into_iter().zip(counts);
        counted
            .filter(|(_, count)| Some(*count) == most)
            .map(|(index, _)| index)
            .collect()
    }

    /// Members of whatever type, for a value of unknown type.
    fn of_values(&self, here: Here<'_>, value: Option<&str>, only: Option<usize>) -> Meant {
        let asked = only.map_or_else(|| self.members(), |only| vec![only]);
        let members = self.among(&asked, |candidate| candidate.member && candidate.fits(here));
        let value = value.map(letters);
        let called_so = value.as_ref().is_some_and(|value| self.has_letters(value));
        let sure = |index: usize| {
            let Some(candidate) = self.get(index) else {
                return Confidence::Guess;
            };
            if called_so {
                let own = value.as_deref();
                return if own.is_some_and(|own| has_letters(&candidate.owner, own)) {
                    Confidence::Unique
                } else {
                    Confidence::Guess
                };
            }
            let mentioned = || here.facts.names.find(&candidate.owner).is_some();
            if &candidate.file == here.file || mentioned() {
                return Confidence::Mentioned;
            }
            Confidence::Guess
        };
        let members = members.into_iter();
        members.map(|index| (index, sure(index))).collect()
    }

    /// A name by itself.
    fn bare(&self, here: Here<'_>, reference: &Reference<'_>) -> Meant {
        let implicit_self = here.facts.grammar.implicit_self;
        if implicit_self {
            let owner = reference.within.and_then(|id| owner_of(here.facts, id));
            let own = owner.map_or_else(Vec::new, |owner| self.nearest_owned_by(here, owner));
            let own = self.among(&own, |candidate| candidate.member);
            if !own.is_empty() {
                return all(own, Confidence::Near);
            }
        }
        let near = self.among(&self.in_file(here.file), |candidate| !candidate.member);
        if !near.is_empty() {
            return all(near, Confidence::Near);
        }
        let others = self.among(&self.free(), |candidate| {
            candidate.fits(here) && !candidate.in_function
        });
        if here.facts.grammar.modules.unit_is_folder {
            let beside = self.among(&others, |other| other.is_beside(here));
            if !beside.is_empty() {
                return all(beside, Confidence::Near);
            }
        }
        let named = here
            .facts
            .import_of(reference.name)
            .map(|(import, _)| import);
        let wildcards = here.facts.imports.iter().filter(|import| import.wildcard);
        for import in named.into_iter().chain(wildcards) {
            let imported = self.among(&others, |candidate| candidate.is_in(here, import));
            if !imported.is_empty() {
                let closest = self.closest(here, import, imported);
                return all(self.nearest(here, closest), Confidence::Imported);
            }
        }
        if implicit_self && others.is_empty() {
            return self.of_values(here, None, None);
        }
        let only = others.len() == 1;
        all(
            others,
            if only {
                Confidence::Unique
            } else {
                Confidence::Guess
            },
        )
    }

    fn among(&self, indices: &[usize], wanted: impl Fn(&Candidate) -> bool) -> Vec<usize> {
        let indices = indices.iter().copied();
        indices
            .filter(|index| self.get(*index).is_some_and(&wanted))
            .collect()
    }
}

impl Candidate {
    /// Whether code in that file can mean it at all.
    fn fits(&self, here: Here<'_>) -> bool {
        self.grammar.ecosystem == here.facts.grammar.ecosystem
    }

    /// The name by which other files import its file.
    fn module(&self) -> &str {
        self.grammar.module_name(self.file.as_str())
    }

    /// Whether an import may take something from its file.
    fn is_in(&self, here: Here<'_>, import: &Import) -> bool {
        let relative = here.facts.grammar.modules.relative;
        if self.declares(import) {
            return true;
        }
        let parts = here.facts.parts(&import.source);
        match parts.filter(|part| !relative.contains(part)).last() {
            Some(last) => last == self.module(),
            None => folder(&self.file) == folder(here.file),
        }
    }

    /// Whether its file makes one module with another: it declares the same packages, or lies in the same folder.
    fn is_beside(&self, here: Here<'_>) -> bool {
        let mut packages = packages(here.facts).peekable();
        if packages.peek().is_none() {
            return self.packages.is_empty() && folder(&self.file) == folder(here.file);
        }
        packages.all(|package| self.is_in_package(package))
    }

    /// Whether its file says that it is in the package that an import names.
    fn declares(&self, import: &Import) -> bool {
        self.is_in_package(&import.source)
    }

    fn is_in_package(&self, package: &str) -> bool {
        self.packages.iter().any(|own| **own == *package)
    }

    /// How much the path of an import says that it means this file: how many of its parts, from the last, are those of
    /// the file's own path.
    fn agreeing(&self, here: Here<'_>, import: &Import) -> usize {
        if self.declares(import) {
            return usize::MAX;
        }
        let grammar = self.grammar;
        let relative = here.facts.grammar.modules.relative;
        let of_folder = grammar.modules.unit_is_folder
            || grammar.modules.index_files.contains(&self.file.file_name());
        let own = (!of_folder).then(|| self.module());
        let path = own.into_iter().chain(folder(&self.file).rsplit('/'));
        let parts = here.facts.parts(&import.source);
        let parts: Vec<&str> = parts.filter(|part| !relative.contains(part)).collect();
        let agreeing = parts.iter().rev().zip(path);
        agreeing.take_while(|(part, own)| *part == own).count()
    }
}

fn all(candidates: Vec<usize>, confidence: Confidence) -> Meant {
    let candidates = candidates.into_iter();
    candidates.map(|index| (index, confidence)).collect()
}

/// The name of the type that the code of a symbol belongs to.
fn owner_of(facts: &Facts, id: SymbolId) -> Option<&str> {
    let (member, _) = facts.ancestors(id).find(|(id, _)| is_member(facts, *id))?;
    facts.owner_name(member)
}

/// The folder of a file, as text.
pub(crate) fn folder(file: &FilePath) -> &str {
    file.as_str()
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder)
}

/// How many folders two paths share, from the root.
pub(crate) fn shared_folders(a: &FilePath, b: &FilePath) -> usize {
    let (a, b) = (folder(a).split('/'), folder(b).split('/'));
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// How many steps it is from one folder to the other.
pub(crate) fn distance(a: &FilePath, b: &FilePath) -> usize {
    let steps = folder(a).split('/').count() + folder(b).split('/').count();
    steps.saturating_sub(2 * shared_folders(a, b))
}
