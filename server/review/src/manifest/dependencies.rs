//! What manifests say that code depends on.

use std::collections::BTreeSet;

use grammars::Resolution;
use serde_json::Value;
use text::{FilePath, Range};

use crate::graph::folder_of;

/// The dependencies of one manifest.
#[derive(Clone, Debug)]
pub(crate) struct Dependencies {
    pub(crate) manifest: FilePath,
    /// The folder whose code they are for.
    pub(crate) folder: FilePath,
    /// Folders elsewhere that have some of it.
    pub(crate) also: Vec<FilePath>,
    /// Those that the code must use.
    pub(crate) needed: Vec<Dependency>,
    /// The names of all, for whatever they are there.
    pub(crate) declared: BTreeSet<String>,
    /// How code names what it imports, if code that imports what is not among them still works, by luck.
    pub(crate) loose: Option<Resolution>,
    /// Whether it only adds to what others declare, so that by itself it says nothing of what is missing.
    pub(crate) adds: bool,
}

impl Dependencies {
    /// Whether a file is part of the code.
    pub(crate) fn is_for(&self, file: &FilePath) -> bool {
        file.is_inside(&self.folder) || self.also.iter().any(|folder| file.is_inside(folder))
    }
}

/// Something that the code must use.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Where it is declared.
    pub(crate) range: Range,
    /// What code may call it.
    pub(crate) spellings: Vec<String>,
}

/// Packages that code needs without naming them, because compilers write the imports.
const NEEDED_UNNAMED: [&str; 4] = ["tslib", "@babel/runtime", "core-js", "regenerator-runtime"];

/// Where a name stands in a text, in quotes or not, after some other text.
pub(super) fn place(text: &str, after: &str, name: &str) -> Range {
    let start = text.find(after).unwrap_or(0);
    let rest = text.get(start..).unwrap_or("");
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '@');
    let mut found = rest.match_indices(name).map(|(at, _)| at);
    let alone = found.find(|at| {
        let before = rest
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        let behind = rest
            .get(at + name.len()..)
            .and_then(|behind| behind.chars().next());
        !before.is_some_and(is_part) && !behind.is_some_and(is_part)
    });
    alone.map_or(Range::new(0, 0), |at| {
        Range::new(start + at, start + at + name.len())
    })
}

/// Of a `package.json`.
pub(super) fn of_package(
    manifest: &FilePath,
    folder: FilePath,
    text: &str,
    package: &serde_json::Map<String, Value>,
) -> Dependencies {
    let names = |table: &str| {
        let table = package.get(table).and_then(Value::as_object);
        table.into_iter().flat_map(|table| table.keys().cloned())
    };
    let all = [
        "dependencies",
        "devDependencies",
        "peerDependencies",
        "optionalDependencies",
    ];
    let mut declared: BTreeSet<String> = all.into_iter().flat_map(names).collect();
    declared.extend(
        package
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned),
    );
    // What scripts and tools of the package itself name is used by them.
    let mut rest = package.clone();
    for table in all {
        rest.remove(table);
    }
    let rest = Value::Object(rest).to_string();
    let needed = names("dependencies")
        .filter(|name| {
            !name.starts_with("@types/")
                && !NEEDED_UNNAMED.contains(&name.as_str())
                && !is_mentioned(&rest, name)
        })
        .map(|name| Dependency {
            range: place(text, "\"dependencies\"", &name),
            spellings: vec![name.clone()],
            name,
        });
    Dependencies {
        needed: needed.collect(),
        manifest: manifest.clone(),
        folder,
        also: Vec::new(),
        declared,
        loose: Some(Resolution::Specifier),
        adds: false,
    }
}

/// Of a `Cargo.toml`.
pub(super) fn of_crate(
    manifest: &FilePath,
    folder: FilePath,
    text: &str,
    table: &toml::Table,
) -> Dependencies {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = table.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(toml::Table::values);
    let places = targets.filter_map(toml::Value::as_table).chain([table]);
    let places: Vec<&toml::Table> = places.collect();
    let metadata = table
        .get("package")
        .and_then(|package| package.get("metadata"));
    let metadata = metadata.map(ToString::to_string).unwrap_or_default();
    let programs = ["bin", "test", "example", "bench"].into_iter();
    let programs = programs
        .filter_map(|kind| table.get(kind)?.as_array())
        .flatten();
    let programs = programs.filter_map(|program| folder.join(program.get("path")?.as_str()?).ok());
    let also = programs
        .filter(|path| !path.is_inside(&folder))
        .map(|path| folder_of(&path));
    let also = also.collect();
    let mut needed: Vec<Dependency> = Vec::new();
    let mut declared = BTreeSet::new();
    for kind in kinds {
        for (name, value) in places
            .iter()
            .filter_map(|place| place.get(kind)?.as_table())
            .flatten()
        {
            let optional = value.get("optional").and_then(toml::Value::as_bool);
            let known = !declared.insert(name.clone());
            if known || optional == Some(true) || is_mentioned(&metadata, name) {
                continue;
            }
            let spelled = name.replace('-', "_");
            let short = name.trim_start_matches("rust-").trim_end_matches("-rs");
            needed.push(Dependency {
                range: place(text, "dependencies", name),
                spellings: vec![spelled, name.replace('-', ""), short.replace('-', "_")],
                name: name.clone(),
            });
        }
    }
    Dependencies {
        manifest: manifest.clone(),
        folder,
        also,
        needed,
        declared,
        loose: None,
        adds: false,
    }
}

/// Of a `go.mod`.
pub(super) fn of_module(manifest: &FilePath, folder: FilePath, text: &str) -> Dependencies {
    let mut needed = Vec::new();
    let mut inside = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let said = line.trim();
        let entry = match said.strip_prefix("require ") {
            Some("(") => {
                inside = true;
                continue;
            }
            Some(one) => one,
            None if said == ")" => {
                inside = false;
                continue;
            }
            None if inside => said,
            None => continue,
        };
        let name = entry.split_whitespace().next().unwrap_or("");
        if name.is_empty() || name.starts_with("//") || entry.contains("// indirect") {
            continue;
        }
        let column = line.find(name).unwrap_or(0);
        needed.push(Dependency {
            name: name.to_owned(),
            range: Range::new(start + column, start + column + name.len()),
            spellings: vec![name.to_owned()],
        });
    }
    Dependencies {
        manifest: manifest.clone(),
        folder,
        also: Vec::new(),
        needed,
        declared: BTreeSet::new(),
        loose: None,
        adds: false,
    }
}

/// Whether a text has a name that is not part of a longer one.
pub(crate) fn is_mentioned(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let behind = text
                .get(at + name.len()..)
                .and_then(|behind| behind.chars().next());
            !before.is_some_and(is_part) && !behind.is_some_and(is_part)
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_is_found_only_as_a_whole() {
        for (text, expected) in [
            ("import x from 'react';", true),
            ("'react/jsx-runtime'", true),
            ("react-dom preact react_x", false),
            ("", false),
        ] {
            assert_eq!(is_mentioned(text, "react"), expected, "{text}");
        }
    }

    #[test]
    fn modules_say_what_they_need_themselves() {
        let text = "module a\n\nrequire b.org/c v1\n\nrequire (\n\td.org/e v2\n\tf.org/g v3 // indirect\n\t// h v1\n)\n";
        let file = FilePath::new("/w/go.mod").unwrap();
        let found = of_module(&file, FilePath::new("/w").unwrap(), text);
        let names: Vec<&str> = found
            .needed
            .iter()
            .map(|one| &text[one.range.start..one.range.end])
            .collect();
        assert_eq!(names, ["b.org/c", "d.org/e"]);
    }
}
