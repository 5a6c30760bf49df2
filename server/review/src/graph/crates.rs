//! Module trees: `use crate::a::b`, `use super::c`, `use other_crate::d`.
//!
//! A module is found by where its file lies, whether a `mod` item declares it in plain sight or a macro does.
//! An import of a name leads to the file that defines it, through `pub use` on the way.

use std::sync::Arc;

use index::{Facts, Import, SymbolKind};
use text::FilePath;

use super::layout::parent;
use super::{Origin, Target};
use crate::manifest::CrateTree;

/// How many `pub use` in a row are followed.
const FACADES: usize = 8;

pub(super) fn resolve(origin: &Origin<'_>, import: &Import) -> Vec<Target> {
    let parts: Vec<&str> = import
        .source
        .split("::")
        .filter(|part| !part.is_empty())
        .collect();
    let Some(tree) = origin.layout.manifests().crate_of(origin.file) else {
        return Vec::new();
    };
    let here = Module {
        file: origin.file.clone(),
        folder: module_folder(tree, origin.file),
    };
    let inline = origin.inline_depth(import);
    let outside = |first: &str| vec![Target::Outside(first.to_owned())];
    let Some(first) = parts.first() else {
        // `use a;`: a crate, or a module or name in sight.
        return import
            .names
            .iter()
            .flat_map(|name| match origin.external(tree, &name.name) {
                Some(other) => vec![Target::Inside(other.root.clone(), Vec::new())],
                None if origin.child(&here, &name.name).is_some() => Vec::new(),
                None => outside(&name.name),
            })
            .collect();
    };
    let (start, rest) = match *first {
        "crate" => (origin.root_of(tree), &parts[1..]),
        "self" if inline == 0 => (Some(here.clone()), &parts[1..]),
        "self" => return Vec::new(),
        "super" => {
            let ups = parts.iter().take_while(|part| **part == "super").count();
            if ups <= inline {
                (Some(here.clone()), &parts[ups..])
            } else {
                (origin.above(tree, &here, ups - inline), &parts[ups..])
            }
        }
        // In this edition, a module in sight comes before a crate of its name.
        name if inline == 0 && origin.child(&here, name).is_some() => {
            (Some(here.clone()), &parts[..])
        }
        name => match origin.external(tree, name) {
            Some(other) => (
                Some(Module {
                    file: other.root.clone(),
                    folder: other.folder.clone(),
                }),
                &parts[1..],
            ),
            None if origin
                .facts
                .symbols
                .iter()
                .any(|symbol| &*symbol.name == name) =>
            {
                return Vec::new();
            }
            None if is_imported(origin.facts, import, name) => return Vec::new(),
            None => return outside(name),
        },
    };
    let Some(start) = start else {
        return Vec::new();
    };
    let mut targets: Vec<(FilePath, Vec<Arc<str>>)> = Vec::new();
    let mut add = |to: FilePath, name: Option<Arc<str>>| match targets
        .iter_mut()
        .find(|(known, _)| *known == to)
    {
        Some((_, names)) => names.extend(name),
        None => targets.push((to, name.into_iter().collect())),
    };
    for taken in &import.names {
        if &*taken.name == "self" {
            if let Some(to) = origin.walk(&start, rest, 0) {
                add(to, None);
            }
            continue;
        }
        let mut path = rest.to_vec();
        path.push(&taken.name);
        if let Some(to) = origin.walk(&start, &path, 0) {
            add(to, Some(taken.name.clone()));
        }
    }
    if (import.wildcard || import.names.is_empty())
        && let Some(to) = origin.walk(&start, rest, 0)
    {
        add(to, None);
    }
    let targets = targets.into_iter();
    targets
        .map(|(to, names)| Target::Inside(to, names))
        .collect()
}

/// A module that is a file, and the folder that its child modules lie in.
#[derive(Clone, PartialEq)]
struct Module {
    file: FilePath,
    folder: String,
}

fn module_folder(tree: &CrateTree, file: &FilePath) -> String {
    let name = file.file_name();
    let folder = parent(file.as_str());
    if *file == tree.root || name == "mod.rs" || tree.mains.contains(file) {
        return folder.to_owned();
    }
    format!("{folder}/{}", name.strip_suffix(".rs").unwrap_or(name))
}

/// Whether another import of the file makes the name known.
fn is_imported(facts: &Facts, import: &Import, name: &str) -> bool {
    facts.imports.iter().any(|other| {
        other.range != import.range && other.names.iter().any(|taken| **taken.local() == *name)
    })
}

impl Origin<'_> {
    /// How many modules that are written inside the file the import lies in.
    fn inline_depth(&self, import: &Import) -> usize {
        let around = import
            .within
            .into_iter()
            .flat_map(|id| self.facts.ancestors(id));
        around
            .filter(|(_, symbol)| symbol.kind == SymbolKind::Module)
            .count()
    }

    fn root_of(&self, tree: &CrateTree) -> Option<Module> {
        let own = tree.mains.contains(self.file);
        let file = if own { self.file } else { &tree.root };
        let file = self.layout.file(file.as_str()).or_else(|| {
            tree.mains
                .iter()
                .find_map(|main| self.layout.file(main.as_str()))
        })?;
        Some(Module {
            file: file.clone(),
            folder: parent(file.as_str()).to_owned(),
        })
    }

    /// The module `ups` levels above.
    fn above(&self, tree: &CrateTree, here: &Module, ups: usize) -> Option<Module> {
        let mut module = here.clone();
        for _ in 0..ups {
            let is_root = module.file == tree.root || tree.mains.contains(&module.file);
            if is_root {
                return None;
            }
            let folder = parent(&module.folder).to_owned();
            module = self.module_in(tree, folder)?;
        }
        Some(module)
    }

    /// The module whose children lie in a folder.
    fn module_in(&self, tree: &CrateTree, folder: String) -> Option<Module> {
        let root = parent(tree.root.as_str());
        let file = if folder == root {
            return self.root_of(tree);
        } else {
            let candidates = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
            candidates
                .iter()
                .find_map(|path| self.layout.file(path))?
                .clone()
        };
        Some(Module { file, folder })
    }

    /// The module of a name directly below another, if it is a file.
    fn child(&self, module: &Module, name: &str) -> Option<Module> {
        let folder = format!("{}/{name}", module.folder);
        let candidates = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
        let file = candidates.iter().find_map(|path| self.layout.file(path))?;
        (*file != module.file).then(|| Module {
            file: file.clone(),
            folder,
        })
    }

    fn external(&self, tree: &CrateTree, name: &str) -> Option<&CrateTree> {
        let manifests = self.layout.manifests();
        let real = tree.renames.get(name).map_or(name, String::as_str);
        let other = manifests.crate_named(real)?;
        // The root of a package's program or test calls the package's library by its name.
        self.layout.file(other.root.as_str())?;
        Some(other)
    }

    /// The file that a path leads to: of the module, or of what defines the name.
    fn walk(&self, start: &Module, path: &[&str], depth: usize) -> Option<FilePath> {
        let mut module = start.clone();
        for (at, part) in path.iter().enumerate() {
            if let Some(child) = self.child(&module, part) {
                module = child;
                continue;
            }
            let facts = self.index().file(&module.file)?;
            let is_defined = facts
                .by_name(part)
                .iter()
                .filter_map(|id| facts.symbol(*id))
                .any(|symbol| symbol.parent.is_none());
            if is_defined || depth >= FACADES {
                return Some(module.file);
            }
            return self
                .through_facade(&module, &facts, part, &path[at + 1..], depth)
                .or(Some(module.file));
        }
        Some(module.file)
    }

    /// What a module that defines no such name passes on under it.
    fn through_facade(
        &self,
        module: &Module,
        facts: &Facts,
        name: &str,
        rest: &[&str],
        depth: usize,
    ) -> Option<FilePath> {
        let manifests = self.layout.manifests();
        let tree = manifests.crate_of(&module.file)?;
        let named = facts.imports.iter().filter_map(|import| {
            let taken = import.names.iter().find(|taken| **taken.local() == *name)?;
            Some((import, Some(&*taken.name)))
        });
        let globs = facts
            .imports
            .iter()
            .filter(|import| import.wildcard && import.reexport)
            .map(|import| (import, None));
        for (import, taken) in named.chain(globs) {
            let parts: Vec<&str> = import.source.split("::").collect();
            let (start, skip) = match parts.first().copied() {
                Some("crate") => (self.root_of(tree), 1),
                Some("self") => (Some(module.clone()), 1),
                Some("super") => {
                    let ups = parts.iter().take_while(|part| **part == "super").count();
                    (self.above(tree, module, ups), ups)
                }
                Some(first) if self.child(module, first).is_some() => (Some(module.clone()), 0),
                Some(first) => match self.external(tree, first) {
                    Some(other) => (
                        Some(Module {
                            file: other.root.clone(),
                            folder: other.folder.clone(),
                        }),
                        1,
                    ),
                    None => continue,
                },
                None => continue,
            };
            let Some(start) = start else { continue };
            let mut path: Vec<&str> = parts[skip..].to_vec();
            if let Some(taken) = taken {
                path.push(taken);
            } else {
                // Only a module that has the name is the one meant.
                let target = self.walk(&start, &path, depth + 1);
                let facts = target.and_then(|target| self.index().file(&target));
                if facts.is_none_or(|facts| facts.by_name(name).is_empty()) {
                    continue;
                }
                path.push(name);
            }
            path.extend(rest);
            if let Some(found) = self.walk(&start, &path, depth + 1) {
                return Some(found);
            }
        }
        None
    }
}
