//! Which file imports which, and when.
//!
//! [`Links`] is what one file imports; [`Graph`] holds the links of all files and keeps up with edits: what changes in
//! one file costs that file, and only a file that comes or goes makes others resolve their imports again.
//! How a path in an import leads to a file is one of a few algorithms, which the grammar chooses by name.

mod crates;
mod cycles;
mod declared;
mod dotted;
mod includes;
mod layout;
mod packages;
mod paths;
mod specifier;
mod type_paths;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grammars::Resolution;
use index::{Facts, Import, ImportKind, Index};
use serde::Serialize;
use text::{FilePath, Range};

use crate::check::only_declares;

pub(crate) use self::cycles::{Cycle, cycles};
pub use self::layout::Project;
pub(crate) use self::layout::{Layout, folder_of};

/// When the import of an edge happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// Never: it is for the type checker.
    Type,
    /// When the code that it is in runs.
    Deferred,
    /// When the program is built; nothing runs.
    Static,
    /// When the importing file is loaded.
    Load,
}

/// An import that leads to a file, or to a folder where all files of a folder are one module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// What is imported.
    pub to: FilePath,
    /// When.
    pub kind: EdgeKind,
    /// The statement.
    pub range: Range,
    /// The names that are taken, if the import says so.
    pub names: Vec<Arc<str>>,
    /// Whether only tests import it.
    pub test: bool,
}

/// An import that leads out of the workspace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct External {
    /// What others call the package: the first part of the path, or as many parts as a package's name has.
    pub package: Arc<str>,
    /// The whole path as written.
    pub path: Arc<str>,
    /// When it happens.
    pub kind: EdgeKind,
    /// The statement.
    pub range: Range,
    /// Whether it may fail.
    pub guarded: bool,
    /// Whether only tests import it.
    pub test: bool,
}

/// An import into the workspace that leads nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unresolved {
    /// The path as written.
    pub path: Arc<str>,
    /// The statement.
    pub range: Range,
    /// What was looked for.
    pub wanted: Vec<FilePath>,
}

/// What one file imports.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Links {
    /// Inside the workspace, by place.
    pub edges: Vec<Edge>,
    /// Outside of it, by place.
    pub externals: Vec<External>,
    /// What leads nowhere, by place.
    pub unresolved: Vec<Unresolved>,
    /// Other files that it depends on when the imports happen.
    depends_on: Vec<FilePath>,
}

/// The links of all files.
#[derive(Clone, Default)]
pub struct Graph {
    layout: Arc<Layout>,
    links: BTreeMap<FilePath, Arc<Links>>,
}

impl Graph {
    /// The graph of everything in an index.
    pub fn of(project: &Project<'_>) -> Graph {
        let layout = Arc::new(Layout::new(project));
        let files = project.index.paths().filter(|file| takes_part(file));
        let links = files
            .filter_map(|file| {
                let facts = project.index.file(file)?;
                let links = links_of(&layout, project, file, &facts);
                Some((file.clone(), Arc::new(links)))
            })
            .collect();
        Graph { layout, links }
    }

    /// Takes in that files have changed. Answers those whose links are not what they were.
    ///
    /// O(imports of the files), unless one of them came or went, or declares something else than before where that is
    /// what imports go by: then every import is resolved again.
    pub fn update(
        &mut self,
        project: &Project<'_>,
        changed: &BTreeSet<FilePath>,
    ) -> BTreeSet<FilePath> {
        let came_or_went =
            |file: &FilePath| project.index.contains(file) != self.links.contains_key(file);
        let changed: BTreeSet<&FilePath> = changed.iter().filter(|file| takes_part(file)).collect();
        let declares_otherwise = |file: &FilePath| {
            let facts = project.index.file(file);
            facts.is_some_and(|facts| self.layout.declares_otherwise(file, &facts))
        };
        if changed
            .iter()
            .any(|file| came_or_went(file) || declares_otherwise(file))
        {
            let before = std::mem::replace(self, Graph::of(project));
            let all = before.links.keys().chain(self.links.keys());
            return all
                .filter(|file| before.links.get(*file) != self.links.get(*file))
                .cloned()
                .collect();
        }
        // What one file defines can decide when another imports a third.
        let depends = |links: &Links| links.depends_on.iter().any(|file| changed.contains(file));
        let others = self.links.iter().filter(|(_, links)| depends(links));
        let mut due: BTreeSet<FilePath> = others.map(|(file, _)| file.clone()).collect();
        due.extend(changed.iter().copied().cloned());
        let mut moved = BTreeSet::new();
        for file in &due {
            let Some(facts) = project.index.file(file) else {
                continue;
            };
            let links = Arc::new(links_of(&self.layout, project, file, &facts));
            let before = self.links.insert(file.clone(), links.clone());
            if before.is_none_or(|before| before != links) {
                moved.insert(FilePath::clone(file));
            }
        }
        moved
    }

    /// What a file imports.
    pub fn links(&self, file: &FilePath) -> Option<&Arc<Links>> {
        self.links.get(file)
    }

    /// Whether there is such a file; a folder is none.
    pub fn is_file(&self, file: &FilePath) -> bool {
        self.links.contains_key(file)
    }

    /// Whether a file imports another, or the folder that it is in.
    pub fn imports(&self, file: &FilePath, other: &FilePath) -> bool {
        let folder = folder_of(other);
        self.links.get(file).is_some_and(|links| {
            let mut edges = links.edges.iter();
            edges.any(|edge| edge.to == *other || edge.to == folder)
        })
    }

    /// All files with what they import, by path.
    pub fn files(&self) -> impl Iterator<Item = (&FilePath, &Arc<Links>)> {
        self.links.iter()
    }

    /// Every edge with the file it starts in.
    pub fn edges(&self) -> impl Iterator<Item = (&FilePath, &Edge)> {
        self.links
            .iter()
            .flat_map(|(file, links)| links.edges.iter().map(move |edge| (file, edge)))
    }
}

/// The fewest edges, as far as that can be found quickly, whose removal ends every circle in a graph of `count` nodes; of
/// two that would do, the cheaper one.
pub fn cut_of(
    count: usize,
    edges: &[(usize, usize)],
    cost: &dyn Fn(usize, usize) -> u32,
) -> Vec<(usize, usize)> {
    let cycles = cycles(count, edges, cost).into_iter();
    cycles.flat_map(|cycle| cycle.cut).collect()
}

/// Whether imports lead from such a file, or to it; data and texts only make the graph larger.
fn takes_part(file: &FilePath) -> bool {
    let grammar = grammars::for_path(file.file_name());
    grammar.is_none_or(|grammar| grammar.modules.resolution.is_known())
}

/// What leads from one import to others, whatever the algorithm.
#[derive(Clone, Copy)]
struct Origin<'a> {
    layout: &'a Layout,
    project: &'a Project<'a>,
    file: &'a FilePath,
    facts: &'a Facts,
}

/// Where an import leads.
enum Target {
    /// To a file or folder of the workspace, for the sake of these of the imported names (none: the module itself).
    Inside(FilePath, Vec<Arc<str>>),
    /// To a package of that name elsewhere.
    Outside(String),
    /// Nowhere, although it says that it is in the workspace.
    Nowhere(Vec<FilePath>),
}

fn links_of(layout: &Layout, project: &Project<'_>, file: &FilePath, facts: &Facts) -> Links {
    let origin = Origin {
        layout,
        project,
        file,
        facts,
    };
    let mut links = Links::default();
    let test_file = is_test_file(project, file, facts);
    let targets_are_files = facts.grammar.modules.resolution == Resolution::TypePath;
    let own = if facts.grammar.modules.unit_is_folder && !targets_are_files {
        folder_of(file)
    } else {
        file.clone()
    };
    for import in &facts.imports {
        let targets = match facts.grammar.modules.resolution {
            Resolution::None => continue,
            Resolution::DottedName => dotted::resolve(&origin, import),
            Resolution::Specifier => specifier::resolve(&origin, import),
            Resolution::ModuleTree => crates::resolve(&origin, import),
            Resolution::PackagePath => packages::resolve(&origin, import),
            Resolution::IncludePath => includes::resolve(&origin, import),
            Resolution::TypePath => type_paths::resolve(&origin, import),
            Resolution::Path => paths::resolve(&origin, import),
            Resolution::DeclaredPackage => declared::resolve(&origin, import),
        };
        let kind = kind_of(facts, import, only_declares(file.file_name()));
        let test = test_file || in_test(facts, import);
        for target in targets {
            let mut kind = kind;
            if let Target::Inside(to, names) = &target
                && kind == EdgeKind::Load
                && passes_on_names(facts, import)
                && types::are_types(&origin, to, names, &mut links.depends_on)
            {
                kind = EdgeKind::Type;
            }
            match target {
                Target::Inside(to, _) if to == own => {}
                Target::Inside(to, names) => links.edges.push(Edge {
                    to,
                    kind,
                    range: import.range,
                    names,
                    test,
                }),
                Target::Outside(package) => links.externals.push(External {
                    package: package.into(),
                    path: import.source.clone(),
                    kind,
                    range: import.range,
                    guarded: import.kind == ImportKind::Guarded,
                    test,
                }),
                Target::Nowhere(wanted) => {
                    let excused = import.kind == ImportKind::Guarded
                        || wanted.iter().any(|file| (project.exists)(file))
                        // It is made by a build, or by those who need it.
                        || wanted.iter().any(|file| (project.ignored)(project.roots, file));
                    if !excused {
                        links.unresolved.push(Unresolved {
                            path: import.source.clone(),
                            range: import.range,
                            wanted,
                        });
                    }
                }
            }
        }
    }
    if facts.grammar.modules.resolution == Resolution::TypePath {
        let edges = type_paths::neighbours(&origin).into_iter();
        links.edges.extend(edges.map(|(to, name, range)| Edge {
            to,
            kind: EdgeKind::Static,
            range,
            names: vec![name],
            test: test_file,
        }));
        links.edges.sort_by_key(|edge| edge.range.start);
    }
    links
}

/// The path of a file from the root of the workspace folder that it is in.
pub(crate) fn name_of(project: &Project<'_>, file: &FilePath) -> String {
    let root = project.roots.iter().find(|root| file.is_inside(root));
    let relative = root.and_then(|root| file.relative_to(root));
    relative.unwrap_or(file.as_str()).to_owned()
}

/// Whether a file holds nothing but tests.
pub(crate) fn is_test_file(project: &Project<'_>, file: &FilePath, facts: &Facts) -> bool {
    facts.grammar.is_test_path(&name_of(project, file))
}

fn in_test(facts: &Facts, import: &Import) -> bool {
    import
        .within
        .and_then(|id| facts.symbol(id))
        .is_some_and(|symbol| symbol.test)
}

fn kind_of(facts: &Facts, import: &Import, only_declares: bool) -> EdgeKind {
    if !facts.grammar.modules.run_on_import {
        return EdgeKind::Static;
    }
    let deferred = import.kind == ImportKind::Dynamic
        || import.within.is_some_and(|id| facts.callable(id).is_some());
    if only_declares || import.kind == ImportKind::Type || is_elided(facts, import) {
        return EdgeKind::Type;
    }
    if deferred {
        EdgeKind::Deferred
    } else {
        EdgeKind::Load
    }
}

/// Whether the compiler drops a passing on of names that are types.
fn passes_on_names(facts: &Facts, import: &Import) -> bool {
    facts.grammar.modules.drop_type_imports
        && import.reexport
        && !import.wildcard
        && !import.names.is_empty()
}

/// Whether the compiler drops the import because every name is used as a type only.
fn is_elided(facts: &Facts, import: &Import) -> bool {
    use index::Role;
    if !facts.grammar.modules.drop_type_imports
        || import.reexport
        || import.kind == ImportKind::Dynamic
    {
        return false;
    }
    let names = import.names.iter().map(|name| &**name.local());
    let names: Vec<&str> = names.chain(import.alias.as_deref()).collect();
    !names.is_empty()
        && names.iter().all(|name| {
            facts
                .references_to(name)
                .all(|reference| match reference.role {
                    Role::Type | Role::Import => true,
                    Role::Member => reference.qualifier.is_none(),
                    Role::Implement => facts
                        .symbol_at(reference.range.start)
                        .and_then(|id| facts.symbol(id))
                        .is_some_and(|symbol| symbol.kind == index::SymbolKind::Interface),
                    Role::Read | Role::Call => false,
                })
        })
}

impl Origin<'_> {
    fn index(&self) -> &Index {
        self.project.index
    }
}

#[cfg(test)]
mod tests;
