//! The rooms, what each may use, and what each must not know: the written form of the layout in
//! `docs/architecture.md`, held to the manifests and the sources.
//!
//! When a test here fails, either the change crosses a wall by accident, or the wall has moved on
//! purpose; in the second case the table below moves in the same commit, and the commit says why.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test states what it expects bluntly, and asks Cargo for the manifests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One crate: its floor, and the rooms it uses. A room uses rooms on lower floors only.
struct Room {
    floor: u8,
    name: &'static str,
    uses: &'static [&'static str],
}

const fn room(floor: u8, name: &'static str, uses: &'static [&'static str]) -> Room {
    Room { floor, name, uses }
}

/// Every room and every edge. Normal dependencies only: a test may reach further.
const ROOMS: &[Room] = &[
    // Languages as data.
    room(1, "grammars", &[]),
    // What a place and an edit are.
    room(1, "text", &[]),
    // Talks to model APIs.
    room(1, "provider", &[]),
    // What things cost and what was spent.
    room(2, "ledger", &[]),
    // Facts of one file, and how they join.
    room(2, "index", &["text", "grammars"]),
    // Open documents and the disk.
    room(3, "workspace", &["text", "grammars", "index"]),
    // The only way an edit becomes real.
    room(4, "gate", &["text", "grammars", "index"]),
    // The architecture rules.
    room(4, "review", &["text", "grammars", "index"]),
    // Turns, tools, scope and budget of a run.
    room(
        5,
        "agent",
        &["text", "provider", "ledger", "index", "workspace", "gate"],
    ),
    // One loop, one writer, snapshots.
    room(
        6,
        "engine",
        &[
            "text",
            "provider",
            "grammars",
            "ledger",
            "index",
            "workspace",
            "gate",
            "review",
            "agent",
        ],
    ),
    // The protocol.
    room(
        7,
        "lsp",
        &["text", "index", "workspace", "gate", "review", "engine"],
    ),
    // The command line.
    room(
        8,
        "farthing",
        &[
            "text",
            "provider",
            "grammars",
            "ledger",
            "index",
            "workspace",
            "gate",
            "review",
            "agent",
            "engine",
            "lsp",
        ],
    ),
];

/// Outside crates that only the named rooms may use, so that replacing one is one room's work.
const KEPT: &[(&str, &[&str])] = &[
    ("tower-lsp-server", &["lsp"]),
    ("gen-lsp-types", &["lsp"]),
    ("lsp-types", &[]),
    ("tower-lsp", &[]),
    ("reqwest", &["provider"]),
    ("h2", &["provider"]),
    ("rusqlite", &["ledger"]),
    ("tree-sitter", &["grammars", "index"]),
    ("notify", &["workspace"]),
    ("ignore", &["workspace"]),
    ("clap", &["farthing"]),
];

/// Rooms that compute with values: no disk, no network, no clock, no environment, no task.
const PURE: &[&str] = &["text", "index", "gate", "review"];

/// What a pure room may not name.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::io::stdin",
    "std::thread::sleep",
    "tokio",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
];

/// String literals in `server/` that equal a language's id and mean something else:
/// the file, the literal, and what it means there.
const NOT_A_LANGUAGE: &[(&str, &str, &str)] = &[
    (
        "server/farthing/src/commands/demo/story.rs",
        "rust",
        "the language of the project that the demo brings along",
    ),
    (
        "server/farthing/src/commands/cost.rs",
        "json",
        "a format of output",
    ),
    (
        "server/farthing/src/commands/review/formats.rs",
        "markdown",
        "a key of the format of reports",
    ),
    (
        "server/lsp/src/backend.rs",
        "markdown",
        "a key of the protocol",
    ),
    (
        "server/lsp/src/capabilities.rs",
        "markdown",
        "a value of the protocol",
    ),
];

/// What the top level holds, besides hidden files and what builds leave behind.
const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "docs",
    "editors",
    "farthing.toml",
    "grammars",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "server",
    "target",
    "tests",
];

#[test]
fn rooms_use_what_the_table_says() {
    let packages = packages();
    let names: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    let table: BTreeSet<&str> = ROOMS.iter().map(|room| room.name).collect();
    assert_eq!(
        names, table,
        "the rooms of the workspace and those of the table"
    );

    for room in ROOMS {
        let used: BTreeSet<&str> = packages[room.name]
            .iter()
            .map(String::as_str)
            .filter(|name| table.contains(name))
            .collect();
        let allowed: BTreeSet<&str> = room.uses.iter().copied().collect();
        assert_eq!(
            used, allowed,
            "the rooms that `{}` uses, in its manifest and in the table",
            room.name
        );
    }
}

#[test]
fn arrows_point_down() {
    let floors: BTreeMap<&str, u8> = ROOMS.iter().map(|room| (room.name, room.floor)).collect();
    for room in ROOMS {
        for used in room.uses {
            assert!(
                floors[used] < room.floor,
                "`{}` uses `{used}`, which is not on a lower floor",
                room.name
            );
        }
    }
}

#[test]
fn outside_crates_stay_in_their_room() {
    for (name, dependencies) in packages() {
        for (kept, rooms) in KEPT {
            assert!(
                !dependencies.contains(*kept) || rooms.contains(&name.as_str()),
                "`{name}` depends on `{kept}`, which is kept to {rooms:?}"
            );
        }
    }
}

#[test]
fn pure_rooms_name_nothing_impure() {
    let mut found = Vec::new();
    for room in PURE {
        for source in sources(&root().join("server").join(room).join("src")) {
            found.extend(IMPURE.iter().flat_map(|word| source.lines_with(word)));
        }
    }
    assert!(found.is_empty(), "pure rooms name\n{}", found.join("\n"));
}

#[test]
fn no_language_is_named_in_the_server() {
    let ids = language_ids();
    assert!(!ids.is_empty(), "no language found under grammars/");
    let mut found = Vec::new();
    for source in sources(&root().join("server")) {
        for id in &ids {
            let known =
                |(file, literal, _): &&(&str, &str, &str)| *file == source.name && literal == id;
            if NOT_A_LANGUAGE.iter().find(known).is_none() {
                found.extend(source.lines_with(&format!("\"{id}\"")));
            }
        }
    }
    assert!(
        found.is_empty(),
        "a language belongs under grammars/, but is named in\n{}",
        found.join("\n")
    );
}

#[test]
fn only_the_gate_makes_an_approved_edit() {
    let mut definition = None;
    let mut found = Vec::new();
    for source in sources(&root().join("server")) {
        if source.name.starts_with("server/gate/") {
            if let Some((before, after)) = source.code.split_once("pub struct ApprovedEdit") {
                let body = after
                    .split_once('}')
                    .map_or(after, |(body, _)| body)
                    .to_owned();
                let attributes = before
                    .rsplit_once("\n\n")
                    .map_or(before, |(_, near)| near)
                    .to_owned();
                definition = Some((attributes, body));
            }
        } else {
            found.extend(
                source
                    .lines_with("ApprovedEdit {")
                    .into_iter()
                    .filter(|line| !line.contains("fn ")),
            );
            found.extend(source.lines_with("for ApprovedEdit"));
        }
    }
    assert!(
        found.is_empty(),
        "only the gate makes an `ApprovedEdit`, but see\n{}",
        found.join("\n")
    );
    let (attributes, body) = definition.expect("`gate` defines `pub struct ApprovedEdit`");
    assert!(
        !body.contains("pub "),
        "a field of `ApprovedEdit` is public, so anyone can make one"
    );
    for derive in ["Deserialize", "Default"] {
        assert!(
            !attributes.contains(derive),
            "`ApprovedEdit` derives {derive}, so anyone can make one"
        );
    }
}

#[test]
fn the_top_level_stays_as_it_is() {
    let found: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .collect();
    assert!(
        found.is_empty(),
        "the top level is fixed, but holds {found:?}"
    );
}

#[test]
fn modules_are_named_after_their_folder() {
    let found: Vec<String> = ["server", "grammars"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|source| source.name)
        .filter(|name| name.ends_with("/mod.rs"))
        .collect();
    assert!(
        found.is_empty(),
        "name a module `foo.rs` beside `foo/`, not {found:?}"
    );
}

/// A source file with its comments and its test module taken away, line for line.
struct Source {
    /// Path from the root, with `/`.
    name: String,
    code: String,
}

impl Source {
    fn read(path: &Path) -> Source {
        let text = std::fs::read_to_string(path).unwrap();
        let mut code = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let opens_tests = line == "#[cfg(test)]"
                && lines
                    .peek()
                    .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
            if opens_tests {
                break;
            }
            let comment = line.trim_start().starts_with("//");
            code.push_str(if comment {
                ""
            } else {
                line.split(" // ").next().unwrap_or(line)
            });
            code.push('\n');
        }
        let name = path
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        Source { name, code }
    }

    fn lines_with(&self, word: &str) -> Vec<String> {
        self.code
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(word))
            .map(|(at, line)| format!("{}:{}: {}", self.name, at + 1, line.trim()))
            .collect()
    }
}

/// The Rust sources under a folder that are not tests, in a stable order.
fn sources(folder: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["tests", "fixtures", "target"].contains(&name) {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs"
        {
            found.push(Source::read(&path));
        }
    }
    found
}

/// The id of every language: the name of its folder under `grammars/`.
fn language_ids() -> Vec<String> {
    let mut ids: Vec<String> = std::fs::read_dir(root().join("grammars"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("language.toml").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

/// The names of every workspace crate's normal dependencies, as Cargo reads the manifests.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let normal = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].is_null());
            (
                text(&package["name"]),
                normal.map(|dependency| text(&dependency["name"])).collect(),
            )
        })
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}
