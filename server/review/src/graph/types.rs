//! What is passed on from one file to another: types, which are gone from the program, or values.

use std::sync::Arc;

use grammars::{Resolution, SymbolKind};
use text::FilePath;

use super::{Origin, Target, specifier};

/// How many files a name may be passed on through.
const MOST_STEPS: usize = 8;

/// Whether all of these names mean nothing but types in a file, whoever defines them there. Adds the files that it
/// takes to know that to `looked`: the answer is another one when they change.
pub(super) fn are_types(
    origin: &Origin<'_>,
    file: &FilePath,
    names: &[Arc<str>],
    looked: &mut Vec<FilePath>,
) -> bool {
    names
        .iter()
        .all(|name| is_type(origin, file, name, looked, MOST_STEPS) == Some(true))
}

/// None if the file does not have the name.
fn is_type(
    origin: &Origin<'_>,
    file: &FilePath,
    name: &str,
    looked: &mut Vec<FilePath>,
    steps: usize,
) -> Option<bool> {
    if !looked.contains(file) {
        looked.push(file.clone());
    }
    let facts = origin.index().file(file)?;
    let defined = facts.by_name(name).iter();
    let mut defined = defined
        .filter_map(|id| facts.symbol(*id))
        .filter(|symbol| symbol.parent.is_none())
        .peekable();
    if defined.peek().is_some() {
        return Some(
            defined
                .all(|symbol| matches!(symbol.kind, SymbolKind::Interface | SymbolKind::TypeAlias)),
        );
    }
    if steps == 0 || facts.grammar.modules.resolution != Resolution::Specifier {
        return None;
    }
    let there = Origin {
        file,
        facts: &facts,
        ..*origin
    };
    for import in facts.imports.iter().filter(|import| import.reexport) {
        let named = import.names.iter().find(|one| &**one.local() == name);
        let inner = match named {
            Some(_) if import.kind == index::ImportKind::Type => return Some(true),
            Some(named) => &*named.name,
            None if import.wildcard && import.alias.is_none() => name,
            None => continue,
        };
        for target in specifier::resolve(&there, import) {
            let Target::Inside(to, _) = target else {
                continue;
            };
            if let Some(found) = is_type(origin, &to, inner, looked, steps - 1) {
                return Some(found);
            }
        }
    }
    None
}
