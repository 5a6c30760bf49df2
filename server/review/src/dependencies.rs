//! What the manifests say that code needs, held against what it imports.

use std::collections::{BTreeMap, BTreeSet};

use grammars::Resolution;
use text::FilePath;

use crate::check::{
    Finding, MOST_RELATED, Related, Severity, is_of_others, only_declares, runs_once, stands_alone,
};
use crate::graph::{EdgeKind, External, Graph, Project, folder_of, is_test_file, name_of};
use crate::manifest::{Dependencies, is_mentioned};
use crate::rule::{RuleId, Thresholds};

/// Endings of texts that name a dependency without using it.
const NO_USE: [&str; 8] = [
    ".md",
    ".mdx",
    ".rst",
    ".txt",
    ".lock",
    ".sum",
    "-lock.json",
    "-lock.yaml",
];

/// Dependencies that nothing below the folder of their manifest mentions, silenced or not, by manifest.
///
/// `read` reads a file, and `others` are files without a grammar. What the graph knows to be imported is not looked for;
/// for the rest every text below the folder is read, so this is nothing for a keystroke.
pub fn unused_dependencies(
    graph: &Graph,
    project: &Project<'_>,
    thresholds: &Thresholds,
    others: &[FilePath],
    read: &dyn Fn(&FilePath) -> Option<String>,
) -> BTreeMap<FilePath, Vec<Finding>> {
    let mut found: BTreeMap<FilePath, Vec<Finding>> = BTreeMap::new();
    if thresholds.get(RuleId::UnusedDependency).is_none() {
        return found;
    }
    let manifests: BTreeSet<&FilePath> = project
        .manifests
        .dependencies()
        .iter()
        .map(|set| &set.manifest)
        .collect();
    for set in project.manifests.dependencies() {
        if is_left_out(project, &set.manifest) {
            continue;
        }
        let mut open = not_imported(graph, set);
        let inside = |file: &&FilePath| set.is_for(file);
        let files = project.index.paths().chain(others).filter(inside);
        let files = files.filter(|file| {
            let name = file.file_name();
            !manifests.contains(file) && !NO_USE.iter().any(|ending| name.ends_with(ending))
        });
        let mut code = false;
        for file in files {
            if open.is_empty() {
                break;
            }
            code |= graph.is_file(file);
            if let Some(text) = read(file) {
                open.retain(|place| {
                    let spellings = set.needed.get(*place).map(|one| &one.spellings);
                    !spellings
                        .into_iter()
                        .flatten()
                        .any(|name| mentions(&text, name))
                });
            }
        }
        // Without any code of its own, a manifest is there for what it brings.
        for one in open
            .iter()
            .filter(|_| code)
            .filter_map(|place| set.needed.get(*place))
        {
            found
                .entry(set.manifest.clone())
                .or_default()
                .push(Finding {
                    rule: RuleId::UnusedDependency,
                    severity: Severity::Information,
                    file: set.manifest.clone(),
                    symbol: "".into(),
                    range: one.range,
                    message: format!("`{}` is declared, and nothing here mentions it", one.name),
                    key: one.name.as_str().into(),
                    related: Vec::new(),
                });
        }
    }
    found
}

/// Those that no import leads to, by their place in the manifest.
fn not_imported(graph: &Graph, set: &Dependencies) -> Vec<usize> {
    let mut imported: BTreeSet<&str> = BTreeSet::new();
    for (_, links) in graph.files().filter(|(file, _)| set.is_for(file)) {
        for external in &links.externals {
            imported.extend([&*external.package, &*external.path]);
        }
    }
    let is_imported = |name: &String| {
        let like = imported.range(name.as_str()..);
        let mut like = like.take_while(|path| path.starts_with(name.as_str()));
        like.any(|path| path.len() == name.len() || path[name.len()..].starts_with('/'))
    };
    let is_open = |spellings: &[String]| !spellings.iter().any(is_imported);
    let open = set.needed.iter().enumerate();
    open.filter(|(_, one)| is_open(&one.spellings))
        .map(|(place, _)| place)
        .collect()
}

/// Whether a text mentions a name, as it is or as code in it may be written.
fn mentions(text: &str, name: &str) -> bool {
    is_mentioned(text, name)
        || (name.chars().any(|c| c.is_ascii_uppercase()) || text.chars().any(char::is_uppercase))
            && name.len() > 2
            && is_mentioned(&text.to_lowercase(), name)
}

/// Imports of packages that no manifest around declares, one finding for each package and manifest.
pub(crate) fn undeclared(graph: &Graph, project: &Project<'_>, found: &mut Vec<Finding>) {
    let sets = project.manifests.dependencies().iter();
    let sets: Vec<&Dependencies> = sets.filter(|set| set.loose.is_some()).collect();
    if sets.is_empty() {
        return;
    }
    let dotted = |set: &&Dependencies| set.loose == Some(Resolution::DottedName);
    let own = if sets.iter().any(dotted) {
        own_names(project)
    } else {
        BTreeSet::new()
    };
    let mut missing = Missing::default();
    for (file, links) in graph
        .files()
        .filter(|(_, links)| !links.externals.is_empty())
    {
        let Some(facts) = project.index.file(file) else {
            continue;
        };
        if facts.generated
            || only_declares(file.file_name())
            || is_left_out(project, file)
            || is_test_file(project, file, &facts)
        {
            continue;
        }
        let modules = &facts.grammar.modules;
        let around = sets.iter();
        let around = around
            .filter(|set| set.loose == Some(modules.resolution) && file.is_inside(&set.folder));
        let around: Vec<&Dependencies> = around.copied().collect();
        let nearest = |set: &&&Dependencies| (set.folder.as_str().len(), !set.needed.is_empty());
        let judged = around.iter().filter(|set| !set.adds);
        let Some(nearest) = judged.max_by_key(nearest) else {
            continue;
        };
        for external in &links.externals {
            if modules.resolution != Resolution::DottedName {
                let name = &*external.package;
                if is_package(name) && !modules.standard.contains(&name) {
                    missing.take(file, external, name, nearest, &around);
                }
                continue;
            }
            // What lies beside the manifest itself is a tool of whoever works on the code, and so are scripts.
            let tool = folder_of(file) == nearest.folder || is_tool(&name_of(project, file));
            let name = external.package.split('.').next().unwrap_or("");
            let ours = own.contains(name) || name.starts_with('_');
            if !tool && !ours && !modules.standard.contains(&name) {
                // What may be missing, or is imported when something asks for it, is an extra of those who want it.
                if external.guarded {
                    missing.optional.insert(name);
                }
                if external.kind != EdgeKind::Deferred {
                    missing.take(file, external, name, nearest, &around);
                }
            }
        }
    }
    missing.report(project, found);
}

/// Packages that no manifest declares.
#[derive(Default)]
struct Missing<'g> {
    /// By the manifest that should and the name.
    places: BTreeMap<(&'g FilePath, &'g str), Vec<(&'g FilePath, &'g External)>>,
    /// Those that may be missing.
    optional: BTreeSet<&'g str>,
}

impl<'g> Missing<'g> {
    fn take(
        &mut self,
        file: &'g FilePath,
        external: &'g External,
        name: &'g str,
        nearest: &'g Dependencies,
        around: &[&Dependencies],
    ) {
        let typed = format!("@types/{}", name.trim_start_matches('@').replace('/', "__"));
        let declared = |set: &&Dependencies| {
            set.declared.contains(name)
                || set.declared.contains(&typed)
                || (set.loose == Some(Resolution::DottedName) && is_spelled(set, name))
        };
        let counts = !external.guarded && !external.test && external.kind != EdgeKind::Type;
        if counts && !around.iter().any(declared) {
            let places = self.places.entry((&nearest.manifest, name)).or_default();
            places.push((file, external));
        }
    }

    fn report(self, project: &Project<'_>, found: &mut Vec<Finding>) {
        for ((manifest, name), places) in self.places {
            let Some((file, first)) = places.first().filter(|_| !self.optional.contains(name))
            else {
                continue;
            };
            let rest = places.iter().skip(1).map(|(file, external)| Related {
                file: (*file).clone(),
                range: external.range,
                message: format!("imports `{name}` as well"),
            });
            found.push(Finding {
                rule: RuleId::UndeclaredDependency,
                severity: Severity::Information,
                file: (*file).clone(),
                symbol: "".into(),
                range: first.range,
                message: format!(
                    "`{name}` is imported, and {} does not declare it; it is there only if something else brings it",
                    name_of(project, manifest)
                ),
                key: name.into(),
                related: rest.take(MOST_RELATED).collect(),
            });
        }
    }
}

/// Whether a set declares what imports call by that name, or what starts with it: `azure-storage` is imported as
/// `azure`.
fn is_spelled(set: &Dependencies, name: &str) -> bool {
    let name = name.to_lowercase();
    let mut like = set.declared.range(name.clone()..);
    like.next().is_some_and(|found| {
        let rest = found.strip_prefix(&*name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })
}

/// Whether a file is for those who work on the code, or was given to them: nobody installs it.
fn is_tool(path: &str) -> bool {
    let mut folders = path.split('/');
    runs_once(path) || folders.any(|name| name == "contrib" || name.starts_with("scripts-"))
}

/// What files and folders of the workspace are called: who imports them by that name may have a path of his own.
fn own_names(project: &Project<'_>) -> BTreeSet<String> {
    let paths = project.index.paths();
    let names = paths.flat_map(|file| {
        let path = name_of(project, file);
        let parts = path
            .split('/')
            .map(|part| part.split('.').next().unwrap_or(part));
        parts.map(str::to_owned).collect::<Vec<String>>()
    });
    names.collect()
}

fn is_left_out(project: &Project<'_>, file: &FilePath) -> bool {
    let path = name_of(project, file);
    is_of_others(&path) || stands_alone(&path)
}

/// Whether a name can be that of a published package; aliases of build tools mostly cannot.
fn is_package(name: &str) -> bool {
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.chars().all(|c| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
            })
    };
    match name.strip_prefix('@').map(|rest| rest.split_once('/')) {
        Some(Some((scope, name))) => plain(scope) && plain(name),
        Some(None) => false,
        None => plain(name),
    }
}
