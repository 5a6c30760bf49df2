//! Specifiers: relative paths, aliases of the compiler's configuration, packages of the workspace.

use index::Import;
use text::FilePath;

use super::layout::{normal, parent};
use super::{Origin, Target};
use crate::manifest::{Package, TsConfig};

pub(super) fn resolve(origin: &Origin<'_>, import: &Import) -> Vec<Target> {
    let source = import.source.split(['?', '!']).next().unwrap_or("");
    if source.is_empty() {
        return Vec::new();
    }
    let names = || {
        let names = import.names.iter();
        names.map(|name| name.name.clone()).collect()
    };
    let folder = parent(origin.file.as_str());
    if is_relative(source) {
        let Some(base) = normal(&format!("{folder}/{source}")) else {
            return Vec::new();
        };
        return match origin.at(&base) {
            Some(to) => vec![Target::Inside(to, names())],
            None if origin.is_asset(source) => Vec::new(),
            None => vec![Target::Nowhere(origin.wanted(&base))],
        };
    }
    let manifests = origin.layout.manifests();
    if source.starts_with('#')
        && let Some((_, package)) = manifests.package_around(origin.file)
        && let Some(to) = origin.mapped(package, &package.imports, source)
    {
        return vec![Target::Inside(to, names())];
    }
    if let Some(config) = manifests.ts_config_around(origin.file)
        && let Some(to) = origin.aliased(config, source)
    {
        return vec![Target::Inside(to, names())];
    }
    let package = package_name(source);
    if let Some(own) = manifests.package_named(package) {
        let rest = source[package.len()..].trim_start_matches('/');
        if let Some(to) = origin.in_package(own, rest) {
            return vec![Target::Inside(to, names())];
        }
        return Vec::new();
    }
    if source.starts_with("node:") || source.starts_with('#') || source.contains(':') {
        return Vec::new();
    }
    vec![Target::Outside(package.to_owned())]
}

fn is_relative(source: &str) -> bool {
    source.starts_with("./") || source.starts_with("../") || source == "." || source == ".."
}

/// `@scope/name` or `name`.
fn package_name(source: &str) -> &str {
    let parts = if source.starts_with('@') { 2 } else { 1 };
    let end = source.match_indices('/').nth(parts - 1);
    end.map_or(source, |(at, _)| &source[..at])
}

impl Origin<'_> {
    /// Whether the specifier names a file that is no code of the same ecosystem.
    fn is_asset(&self, source: &str) -> bool {
        let name = source.rsplit('/').next().unwrap_or(source);
        name.rsplit_once('.').is_some_and(|(stem, ending)| {
            !stem.is_empty()
                && !ending.is_empty()
                && !self.is_of_ecosystem(name)
                && ending.chars().all(|c| c.is_ascii_alphanumeric())
        })
    }

    fn is_of_ecosystem(&self, name: &str) -> bool {
        let ecosystem = self.facts.grammar.ecosystem;
        grammars::for_path(name).is_some_and(|grammar| grammar.ecosystem == ecosystem)
    }

    /// What a path may stand for, in the order of precedence.
    fn names(&self, base: &str) -> Vec<String> {
        let modules = &self.facts.grammar.modules;
        let mut names = Vec::new();
        if let Some((stem, ending)) = base.rsplit_once('.') {
            let fitting = modules.built.iter().filter(|(built, _)| *built == ending);
            let sources = fitting.flat_map(|(_, sources)| sources.iter());
            names.extend(sources.map(|source| format!("{stem}.{source}")));
        }
        names.push(base.to_owned());
        let endings = modules.endings.iter();
        names.extend(endings.clone().map(|ending| format!("{base}.{ending}")));
        names.extend(endings.map(|ending| format!("{base}/index.{ending}")));
        names
    }

    fn wanted(&self, base: &str) -> Vec<FilePath> {
        let names = self.names(base).into_iter();
        names.filter_map(|path| FilePath::new(path).ok()).collect()
    }

    /// The file that a path without an ending, or with the ending of what is built from it, stands for.
    fn at(&self, base: &str) -> Option<FilePath> {
        let found = self
            .names(base)
            .iter()
            .find_map(|path| self.layout.file(path))
            .cloned();
        found
            .filter(|file| self.is_of_ecosystem(file.file_name()))
            .filter(|file| file != self.file || base == file.as_str())
    }

    /// By `paths` and `baseUrl` of the compiler's configuration.
    fn aliased(&self, config: &TsConfig, source: &str) -> Option<FilePath> {
        let mut fitting: Vec<(usize, &str, &[String])> = config
            .paths
            .iter()
            .filter_map(|(pattern, targets)| {
                let (head, tail) = pattern.split_once('*').unwrap_or((pattern, ""));
                let star = if pattern.contains('*') {
                    source.strip_prefix(head)?.strip_suffix(tail)?
                } else if source == pattern {
                    ""
                } else {
                    return None;
                };
                Some((head.len(), star, targets.as_slice()))
            })
            .collect();
        fitting.sort_by_key(|(len, _, _)| std::cmp::Reverse(*len));
        let mapped = fitting.into_iter().flat_map(|(_, star, targets)| {
            targets
                .iter()
                .map(move |target| target.replacen('*', star, 1))
        });
        let base = config
            .base_url
            .iter()
            .map(|base| format!("{base}/{source}"));
        mapped
            .chain(base)
            .filter_map(|path| normal(&path))
            .find_map(|path| self.at(&path))
    }

    /// By the `imports` or `exports` of a package.
    fn mapped(
        &self,
        package: &Package,
        map: &[(String, Vec<String>)],
        key: &str,
    ) -> Option<FilePath> {
        let mut fitting: Vec<(usize, String)> = Vec::new();
        for (pattern, targets) in map {
            let star = match pattern.split_once('*') {
                Some((head, tail)) => key
                    .strip_prefix(head)
                    .and_then(|rest| rest.strip_suffix(tail)),
                None => (key == pattern).then_some(""),
            };
            if let Some(star) = star {
                let targets = targets.iter().map(|target| target.replacen('*', star, 1));
                fitting.extend(targets.map(|target| (pattern.len(), target)));
            }
        }
        fitting.sort_by_key(|(len, _)| std::cmp::Reverse(*len));
        let mut paths = fitting.into_iter().flat_map(|(_, target)| {
            let path = format!("{}/{target}", package.folder);
            // What is built lies elsewhere than its source.
            let source = [
                ("/dist/esm/", "/src/"),
                ("/dist/", "/src/"),
                ("/lib/", "/src/"),
                ("/build/", "/src/"),
                ("/dist/", "/"),
            ];
            let sources: Vec<String> = source
                .iter()
                .filter(|(built, _)| path.contains(built))
                .map(|(built, source)| path.replacen(built, source, 1))
                .collect();
            [path].into_iter().chain(sources)
        });
        paths.find_map(|path| {
            let path = normal(&path)?;
            let stem = path.strip_suffix(".d.ts").map(str::to_owned);
            self.at(&path).or_else(|| self.at(&stem?))
        })
    }

    /// A file of another package of the workspace, or of this one by its own name.
    fn in_package(&self, package: &Package, rest: &str) -> Option<FilePath> {
        let key = if rest.is_empty() {
            ".".to_owned()
        } else {
            format!("./{rest}")
        };
        if let Some(to) = self.mapped(package, &package.exports, &key) {
            return Some(to);
        }
        let folder = &package.folder;
        if rest.is_empty() {
            let main = ["src/index", "index", "src/main", "lib/index"];
            return main
                .iter()
                .find_map(|path| self.at(&format!("{folder}/{path}")));
        }
        [format!("{folder}/{rest}"), format!("{folder}/src/{rest}")]
            .iter()
            .find_map(|path| self.at(&normal(path)?))
    }
}
