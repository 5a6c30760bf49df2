//! Where files are: what a resolver needs to know of the whole workspace.

use grammars::Resolution;
use index::{Facts, Index};
use rustc_hash::{FxHashMap, FxHashSet};
use text::FilePath;

use super::declared::Declared;
use crate::manifest::Manifests;
use crate::team::Team;

/// What a graph is made from.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    /// The workspace folders.
    pub roots: &'a [FilePath],
    /// The facts of its files, with what is typed and not saved.
    pub index: &'a Index,
    /// The manifests on its disk.
    pub manifests: &'a Manifests,
    /// Whether there is such a file or folder on the disk, in the index or not.
    pub exists: &'a dyn Fn(&FilePath) -> bool,
    /// Whether the ignore files of these workspace folders leave a path out, be there such a file or not.
    pub ignored: &'a dyn Fn(&[FilePath], &FilePath) -> bool,
    /// What the team has said.
    pub team: &'a Team,
}

/// The files by what imports can call them. Depends on which files there are and on the packages that they declare, not on
/// what else is in them.
#[derive(Default)]
pub(crate) struct Layout {
    files: FxHashMap<String, FilePath>,
    /// Files by their name alone, where an import says how a path ends.
    named: FxHashMap<String, Vec<FilePath>>,
    folders: FxHashSet<String>,
    /// Folders that dotted names start in, the deepest first.
    dotted_roots: Vec<String>,
    /// The files that a path can lead to, by ecosystem and name without the folder.
    of_ecosystem: FxHashMap<(&'static str, String), Vec<FilePath>>,
    declared: Declared,
    manifests: Manifests,
}

impl Layout {
    pub(crate) fn new(project: &Project<'_>) -> Layout {
        let mut files = FxHashMap::default();
        let mut named: FxHashMap<String, Vec<FilePath>> = FxHashMap::default();
        let mut folders = FxHashSet::default();
        let mut packages = FxHashSet::default();
        let mut of_ecosystem: FxHashMap<_, Vec<FilePath>> = FxHashMap::default();
        let mut declared = Declared::default();
        for file in project.index.paths().filter(|file| super::takes_part(file)) {
            files.insert(file.as_str().to_owned(), file.clone());
            let mut folder = parent(file.as_str());
            let grammar = grammars::for_path(file.file_name());
            let modules = grammar.map(|grammar| &grammar.modules);
            let resolution = modules.map_or(Resolution::None, |modules| modules.resolution);
            // Languages of one ecosystem lead to each other, whatever each goes by.
            let declares = matches!(
                resolution,
                Resolution::DeclaredPackage | Resolution::TypePath
            );
            if let Some(grammar) = grammar.filter(|_| declares || resolution == Resolution::Path) {
                let name = (grammar.ecosystem, file.file_name().to_owned());
                of_ecosystem.entry(name).or_default().push(file.clone());
            }
            if declares && let Some(facts) = project.index.file(file) {
                declared.take(file, &facts);
            }
            if modules.is_some_and(|modules| {
                matches!(
                    modules.resolution,
                    Resolution::IncludePath | Resolution::TypePath
                )
            }) {
                let name = file.file_name().to_owned();
                named.entry(name).or_default().push(file.clone());
            }
            if modules.is_some_and(|modules| {
                modules.resolution == Resolution::DottedName
                    && modules.index_files.contains(&file.file_name())
            }) {
                packages.insert(folder.to_owned());
            }
            while !folder.is_empty() && folders.insert(folder.to_owned()) {
                folder = parent(folder);
            }
        }
        let mut dotted_roots = dotted_roots(project.roots, &packages);
        dotted_roots.sort_by_key(|root| (std::cmp::Reverse(root.len()), root.clone()));
        Layout {
            files,
            named,
            folders,
            dotted_roots,
            of_ecosystem,
            declared,
            manifests: project.manifests.clone(),
        }
    }

    pub(crate) fn file(&self, path: &str) -> Option<&FilePath> {
        self.files.get(path)
    }

    /// The files of that name in any folder, by path.
    pub(crate) fn files_named(&self, name: &str) -> &[FilePath] {
        self.named.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }

    pub(crate) fn dotted_roots(&self) -> &[String] {
        &self.dotted_roots
    }

    /// The files of an ecosystem that have that name, without their folders; by path.
    pub(crate) fn named(&self, ecosystem: &'static str, name: &str) -> &[FilePath] {
        let key = (ecosystem, name.to_owned());
        self.of_ecosystem.get(&key).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn declared(&self) -> &Declared {
        &self.declared
    }

    /// Whether a file declares something else than when the layout was made.
    pub(crate) fn declares_otherwise(&self, file: &FilePath, facts: &Facts) -> bool {
        let resolution = facts.grammar.modules.resolution;
        matches!(
            resolution,
            Resolution::DeclaredPackage | Resolution::TypePath
        ) && self.declared.differs(file, facts)
    }

    pub(crate) fn manifests(&self) -> &Manifests {
        &self.manifests
    }
}

/// A package lies in a root if no folder around the package is one, however deep: a folder without an index file inside
/// of a package is part of it all the same.
fn dotted_roots(roots: &[FilePath], packages: &FxHashSet<String>) -> Vec<String> {
    let mut found: FxHashSet<String> = FxHashSet::default();
    for root in roots {
        found.insert(root.as_str().to_owned());
        found.insert(format!("{root}/src"));
    }
    for package in packages {
        let mut outermost = package.as_str();
        let mut folder = parent(package);
        while !folder.is_empty() {
            if packages.contains(folder) {
                outermost = folder;
            }
            folder = parent(folder);
        }
        let root = parent(outermost);
        if !root.is_empty() {
            found.insert(root.to_owned());
        }
    }
    found.into_iter().collect()
}

/// The folder that a path is in; empty at the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder of a file. A file always has one.
pub(crate) fn folder_of(file: &FilePath) -> FilePath {
    file.parent().unwrap_or_else(|| file.clone())
}

/// A path with `.` and `..` taken out; none if it climbs above the root.
pub(crate) fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}
