//! Dotted names below roots: `import a.b.c`, `from ..a import b`.

use std::sync::Arc;

use index::Import;
use text::FilePath;

use super::layout::parent;
use super::{Origin, Target, is_test_file};

pub(super) fn resolve(origin: &Origin<'_>, import: &Import) -> Vec<Target> {
    let (dots, name) = split_dots(&import.source);
    let parts: Vec<&str> = name.split('.').filter(|part| !part.is_empty()).collect();
    let roots = match dots {
        0 => origin.roots(parts.first().copied().unwrap_or("")),
        dots => match origin.climb(dots) {
            Some(folder) => vec![folder],
            None => return Vec::new(),
        },
    };
    let Some(base) = roots
        .iter()
        .map(|root| format!("{root}/{}", parts.join("/")))
        .map(|base| base.trim_end_matches('/').to_owned())
        .find(|base| origin.module(base).is_some() || origin.layout.is_folder(base))
    else {
        return origin.missing(dots, &roots, &parts);
    };
    let module = origin.module(&base);
    let takes_module = import.names.is_empty() || import.wildcard;
    let mut targets: Vec<(FilePath, Vec<Arc<str>>)> = Vec::new();
    let mut missing = Vec::new();
    let mut add = |to: FilePath, name: Option<&Arc<str>>| match targets
        .iter_mut()
        .find(|(known, _)| *known == to)
    {
        Some((_, names)) => names.extend(name.cloned()),
        None => targets.push((to, name.cloned().into_iter().collect())),
    };
    if takes_module && let Some(module) = &module {
        add(module.clone(), None);
    }
    for taken in &import.names {
        let inner = format!("{base}/{}", taken.name);
        match (origin.module(&inner), &module) {
            (Some(to), _) => add(to, Some(&taken.name)),
            (None, Some(module)) => add(module.clone(), Some(&taken.name)),
            (None, None) if origin.layout.is_folder(&inner) => {}
            // A folder without an index file has nothing but modules.
            (None, None) => missing.extend(origin.candidates(&inner)),
        }
    }
    let mut found: Vec<Target> = targets
        .into_iter()
        .map(|(to, names)| Target::Inside(to, names))
        .collect();
    // A folder at the top that is no package may have an installed one's name by chance.
    let by_chance = dots == 0 && parts.len() == 1 && module.is_none();
    if by_chance && found.is_empty() && !missing.is_empty() {
        let name = parts.first().copied().unwrap_or("");
        return vec![Target::Outside(name.to_owned())];
    }
    if !missing.is_empty() {
        found.push(Target::Nowhere(missing));
    }
    found
}

fn split_dots(source: &str) -> (usize, &str) {
    let name = source.trim_start_matches('.');
    (source.len() - name.len(), name)
}

impl Origin<'_> {
    /// The module whose path without an ending is `base`: a file, or a folder with an index file.
    fn module(&self, base: &str) -> Option<FilePath> {
        let files = self.candidate_names(base);
        files
            .iter()
            .find_map(|path| self.layout.file(path))
            .cloned()
    }

    fn candidate_names(&self, base: &str) -> Vec<String> {
        let grammar = self.facts.grammar;
        let index = grammar.modules.index_files.iter();
        let folder = index.map(|name| format!("{base}/{name}"));
        let endings = grammar.extensions.iter();
        // A package hides a module of its name.
        folder
            .chain(endings.map(|ending| format!("{base}.{ending}")))
            .collect()
    }

    fn candidates(&self, base: &str) -> Vec<FilePath> {
        let names = self.candidate_names(base).into_iter();
        let names = names.chain([base.to_owned()]);
        names.filter_map(|path| FilePath::new(path).ok()).collect()
    }

    /// The folders that a name may start in, the likeliest first.
    fn roots(&self, first: &str) -> Vec<String> {
        let file = self.file.as_str();
        let around = |root: &&String| file.starts_with(root.as_str());
        let all = self.layout.dotted_roots();
        let near = all.iter().filter(around);
        let far = all.iter().filter(|root| !around(root));
        let mut roots: Vec<String> = near.chain(far).cloned().collect();
        // A script finds what lies beside it.
        let own = parent(file);
        let in_package = self
            .facts
            .grammar
            .modules
            .index_files
            .iter()
            .any(|index| self.layout.file(&format!("{own}/{index}")).is_some());
        if !in_package && !own.is_empty() {
            roots.push(own.to_owned());
        }
        roots.retain(|root| {
            let base = format!("{root}/{first}");
            self.module(&base).is_some() || self.layout.is_folder(&base)
        });
        roots
    }

    /// The package that so many leading dots stand for.
    fn climb(&self, dots: usize) -> Option<String> {
        let mut folder = parent(self.file.as_str());
        for _ in 1..dots {
            folder = parent(folder);
        }
        (!folder.is_empty()).then(|| folder.to_owned())
    }

    fn missing(&self, dots: usize, roots: &[String], parts: &[&str]) -> Vec<Target> {
        let Some(first) = parts.first() else {
            return Vec::new();
        };
        if dots > 0 {
            let base = format!(
                "{}/{}",
                roots.first().map_or("", |root| root),
                parts.join("/")
            );
            return vec![Target::Nowhere(self.candidates(&base))];
        }
        // Only a package of ours with an index file says what it has; a folder may be one part of a name among others.
        // A package that only tests see is likely to stand in for an installed one of the same name.
        let index_of = |folder: &str| {
            let index = self.facts.grammar.modules.index_files.iter();
            let mut index = index.map(|name| format!("{folder}/{name}"));
            index.find_map(|path| self.layout.file(&path))
        };
        let own = roots.iter().filter(|root| {
            let seen = |file: &FilePath| {
                self.file.as_str().starts_with(root.as_str())
                    || !is_test_file(self.project, file, self.facts)
            };
            // A folder that is a package itself gives its parts longer names.
            index_of(root).is_none() && index_of(&format!("{root}/{first}")).is_some_and(seen)
        });
        let wanted: Vec<FilePath> = own
            .flat_map(|root| self.candidates(&format!("{root}/{}", parts.join("/"))))
            .collect();
        if wanted.is_empty() {
            return vec![Target::Outside((*first).to_owned())];
        }
        vec![Target::Nowhere(wanted)]
    }
}
