//! Packages that files declare: `package shop.cart;`, `namespace Shop.Cart`.
//!
//! Folders often follow packages and often do not, so what the files say is what counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use index::{Facts, Import, SymbolKind};
use rustc_hash::FxHashMap;
use text::FilePath;

use super::{Origin, Target, paths};

/// What the files of such languages declare.
#[derive(Default)]
pub(crate) struct Declared {
    /// By ecosystem and package.
    packages: FxHashMap<(&'static str, String), Package>,
    files: FxHashMap<FilePath, Names>,
}

/// The names that a package has, and the files that declare each.
type Package = BTreeMap<Arc<str>, Vec<FilePath>>;

/// Packages, and what is declared in each.
type Names = BTreeSet<(String, Arc<str>)>;

impl Declared {
    /// Takes in what a file declares.
    pub(crate) fn take(&mut self, file: &FilePath, facts: &Facts) {
        let names = names_of(facts);
        for (package, name) in &names {
            let package = (facts.grammar.ecosystem, package.clone());
            let names = self.packages.entry(package).or_default();
            names.entry(name.clone()).or_default().push(file.clone());
        }
        self.files.insert(file.clone(), names);
    }

    /// Whether a file declares something else than it did.
    pub(crate) fn differs(&self, file: &FilePath, facts: &Facts) -> bool {
        self.files.get(file) != Some(&names_of(facts))
    }

    fn package(&self, ecosystem: &'static str, package: &str) -> Option<&Package> {
        self.packages.get(&(ecosystem, package.to_owned()))
    }
}

/// The names at the top of a file, each with its package: the modules that it is in, or else the one declared before it.
fn names_of(facts: &Facts) -> Names {
    let separator = facts.grammar.modules.separator;
    let mut names = Names::new();
    let (mut before, mut follows) = (String::new(), false);
    for (id, symbol) in facts.enumerate() {
        if symbol.kind == SymbolKind::Module {
            if symbol.parent.is_none() && symbol.body.is_none() {
                // With nothing between them, the second is inside the first.
                before = if follows {
                    format!("{before}{separator}{}", symbol.name)
                } else {
                    symbol.name.to_string()
                };
                follows = true;
            }
            continue;
        }
        follows = false;
        let around: Vec<_> = facts.ancestors(id).skip(1).collect();
        if around
            .iter()
            .any(|(_, symbol)| symbol.kind != SymbolKind::Module)
        {
            continue;
        }
        let modules = around.iter().rev().map(|(_, symbol)| &*symbol.name);
        let package = modules.collect::<Vec<_>>().join(separator);
        let package = if package.is_empty() {
            before.clone()
        } else {
            package
        };
        names.insert((package, symbol.name.clone()));
    }
    names
}

pub(super) fn resolve(origin: &Origin<'_>, import: &Import) -> Vec<Target> {
    let separator = origin.facts.grammar.modules.separator;
    let source = import.source.trim_start_matches(separator);
    if source.contains('/') {
        return paths::resolve(origin, import);
    }
    let mut targets: BTreeMap<FilePath, Vec<Arc<str>>> = BTreeMap::new();
    for taken in &import.names {
        for file in origin.declaring(source, &taken.name) {
            targets
                .entry(file.clone())
                .or_default()
                .push(taken.name.clone());
        }
    }
    let whole = import.wildcard || import.names.is_empty();
    if whole {
        match origin
            .layout
            .declared()
            .package(origin.facts.grammar.ecosystem, source)
        {
            // Everything in it can be used; what is used is what the file depends on.
            Some(package) => {
                let used = package
                    .iter()
                    .filter(|(name, _)| origin.facts.mentions(name));
                for (_, files) in used {
                    for file in files {
                        targets.entry(file.clone()).or_default();
                    }
                }
                if targets.is_empty() {
                    return Vec::new();
                }
            }
            // The members of a type.
            None => {
                if let Some((package, name)) = source.rsplit_once(separator) {
                    for file in origin.declaring(package, name) {
                        targets.entry(file.clone()).or_default();
                    }
                }
            }
        }
    }
    targets.remove(origin.file);
    if targets.is_empty() {
        let known =
            origin.knows(source) || import.names.iter().any(|name| origin.knows(&name.name));
        return if known || source.is_empty() {
            Vec::new()
        } else {
            vec![Target::Outside(source.to_owned())]
        };
    }
    let targets = targets.into_iter();
    targets
        .map(|(file, names)| Target::Inside(file, names))
        .collect()
}

impl Origin<'_> {
    /// The files that declare a name in a package, or the type of which the name is a part.
    fn declaring(&self, package: &str, name: &str) -> &[FilePath] {
        let separator = self.facts.grammar.modules.separator;
        let declared = self.layout.declared();
        let (mut package, mut name) = (package, name);
        loop {
            let names = declared.package(self.facts.grammar.ecosystem, package);
            if let Some(files) = names.and_then(|names| names.get(name)) {
                return files;
            }
            match package.rsplit_once(separator) {
                Some((outer, last)) => (package, name) = (outer, last),
                None => return &[],
            }
        }
    }

    /// Whether files of the workspace are in a package.
    fn knows(&self, package: &str) -> bool {
        let declared = self.layout.declared();
        declared
            .package(self.facts.grammar.ecosystem, package)
            .is_some()
    }
}
