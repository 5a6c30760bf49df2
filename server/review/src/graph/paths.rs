//! Paths of files, with slashes or dots: `#include "net/cart.h"`, `require "shop.cart"`.
//!
//! Which folders a compiler or an interpreter searches is nowhere in the sources, so the likeliest file counts: the one
//! that the path leads to from nearest by, and otherwise the only one that there is.

use index::Import;
use text::FilePath;

use super::layout::{normal, parent};
use super::{Origin, Target};

pub(super) fn resolve(origin: &Origin<'_>, import: &Import) -> Vec<Target> {
    let path = written(origin, &import.source);
    if path.is_empty() {
        return Vec::new();
    }
    let names = import.names.iter().map(|name| name.name.clone());
    match origin.by_path(&path) {
        Ok(Some(to)) => vec![Target::Inside(to, names.collect())],
        // Several, and nothing tells which.
        Ok(None) => Vec::new(),
        Err(NoSuchFile) => vec![Target::Outside(import.source.to_string())],
    }
}

struct NoSuchFile;

/// The path with slashes: a module path is one with another separator, unless it has slashes already.
fn written(origin: &Origin<'_>, source: &str) -> String {
    let separator = origin.facts.grammar.modules.separator;
    if separator == "/" || separator.is_empty() || source.contains('/') {
        return source.to_owned();
    }
    source.replace(separator, "/")
}

impl Origin<'_> {
    fn by_path(&self, path: &str) -> Result<Option<FilePath>, NoSuchFile> {
        let own = parent(self.file.as_str());
        let modules = &self.facts.grammar.modules;
        let mut found: Vec<(usize, &FilePath)> = Vec::new();
        let mut some = false;
        for tail in self.tails(path) {
            let Some(tail) = normal_tail(&tail) else {
                // It climbs: only the file's own folder says where it starts.
                let file = normal(&format!("{own}/{tail}"));
                match file.and_then(|path| self.layout.file(&path)) {
                    Some(file) => return Ok(Some(file.clone())),
                    None => continue,
                }
            };
            let name = tail.rsplit('/').next().unwrap_or(&tail);
            for file in self.layout.named(self.facts.grammar.ecosystem, name) {
                let before = file.as_str().strip_suffix(&*tail);
                let Some(root) = before.and_then(|root| root.strip_suffix('/')) else {
                    continue;
                };
                some = true;
                if root == own && file != self.file {
                    return Ok(Some(file.clone()));
                }
                let around = modules.roots.iter().find_map(|inner| {
                    let around = root.strip_suffix(inner)?;
                    let around = around.strip_suffix('/').unwrap_or(around);
                    is_around(around, own).then_some(around.len())
                });
                let around = is_around(root, own).then_some(root.len()).or(around);
                found.push((around.map_or(0, |deep| deep + 1), file));
            }
        }
        if !some {
            return Err(NoSuchFile);
        }
        let nearest = found.iter().map(|(near, _)| *near).max().unwrap_or(0);
        found.retain(|(near, _)| *near == nearest);
        // Of the names that one path may stand for the first counts; where no folder tells, there must be one only.
        Ok(match found.as_slice() {
            [(_, only)] => Some((*only).clone()),
            [(1.., first), ..] => Some((*first).clone()),
            _ => None,
        })
    }

    /// What the path may stand for: itself, with an ending, or a folder with an index file.
    fn tails(&self, path: &str) -> Vec<String> {
        let modules = &self.facts.grammar.modules;
        let endings = modules.endings.iter();
        let folder = modules.index_files.iter();
        [path.to_owned()]
            .into_iter()
            .chain(endings.map(|ending| format!("{path}.{ending}")))
            .chain(folder.map(|name| format!("{path}/{name}")))
            .collect()
    }
}

/// Whether `folder` is `inner` or holds it.
fn is_around(folder: &str, inner: &str) -> bool {
    inner
        .strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path without `.`; none if it climbs.
fn normal_tail(path: &str) -> Option<String> {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let parts: Vec<&str> = parts.collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}
