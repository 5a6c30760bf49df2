//! Dotted names of types, each in a file of its name: `import a.b.Type`. What is in the same folder needs no import.

use std::collections::BTreeMap;
use std::sync::Arc;

use index::{Import, Role};
use text::{FilePath, Range};

use super::layout::parent;
use super::{Origin, Target};

pub(super) fn resolve(origin: &Origin<'_>, import: &Import) -> Vec<Target> {
    let package = import.source.replace('.', "/");
    let inside = |file: FilePath, name: &Arc<str>| Target::Inside(file, vec![name.clone()]);
    let mut found: Vec<Target> = Vec::new();
    if import.wildcard {
        let taken = mentioned(origin);
        found.extend(taken.keys().filter_map(|name| {
            let file = origin.type_at(&format!("{package}/{name}"))?;
            Some(inside(file, &Arc::from(*name)))
        }));
    }
    for name in &import.names {
        let own = origin.type_at(&format!("{package}/{}", name.name));
        // A type inside of a type, or a member of it.
        let outer = || origin.type_at(&package);
        if let Some(file) = own.or_else(outer) {
            found.push(inside(file, &name.name));
        }
    }
    if found.is_empty()
        && let Some(file) = origin.type_at(&package)
    {
        found.push(Target::Inside(file, Vec::new()));
    }
    if found.is_empty() {
        found.push(Target::Outside(import.source.to_string()));
    }
    found
}

/// The files of the same folder whose types this file mentions, and where it does first.
pub(super) fn neighbours(origin: &Origin<'_>) -> Vec<(FilePath, Arc<str>, Range)> {
    let folder = parent(origin.file.as_str());
    let mut found: Vec<(FilePath, Arc<str>, Range)> = mentioned(origin)
        .into_iter()
        .filter_map(|(name, range)| {
            let mut endings = origin.facts.grammar.extensions.iter();
            let file = endings
                .find_map(|ending| origin.layout.file(&format!("{folder}/{name}.{ending}")))?;
            (file != origin.file).then(|| (file.clone(), Arc::from(name), range))
        })
        .collect();
    found.sort_by_key(|(_, _, range)| range.start);
    found
}

/// The names that stand on their own in a file, each with its first place. What an import takes is taken by it.
fn mentioned<'f>(origin: &Origin<'f>) -> BTreeMap<&'f str, Range> {
    let mut names = BTreeMap::new();
    let references = origin.facts.references();
    let bare = references.filter(|reference| !reference.member && reference.role != Role::Import);
    for reference in bare {
        names.entry(reference.name).or_insert(reference.range);
    }
    for import in &origin.facts.imports {
        for name in &import.names {
            names.remove(&**name.local());
        }
    }
    names
}

impl Origin<'_> {
    /// The file of the type whose path ends like that; the nearest if there are several.
    fn type_at(&self, ending: &str) -> Option<FilePath> {
        let (_, name) = ending.rsplit_once('/').unwrap_or(("", ending));
        let mut found: Vec<&FilePath> = Vec::new();
        for extension in self.facts.grammar.extensions {
            let ending = format!("/{ending}.{extension}");
            let named = self.layout.files_named(&format!("{name}.{extension}"));
            found.extend(named.iter().filter(|file| file.as_str().ends_with(&ending)));
        }
        let shared = |file: &FilePath| {
            let pairs = file.as_str().split('/').zip(self.file.as_str().split('/'));
            pairs.take_while(|(a, b)| a == b).count()
        };
        let nearest = found.into_iter().max_by_key(|file| shared(file));
        nearest.cloned()
    }
}
