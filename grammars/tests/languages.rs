//! What every language folder must have, whatever the language.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

use grammars::{Capture, Child, Grammar, Scratch};
use tree_sitter::{Parser, Query, QueryCursor, StreamingIterator, Tree};

#[test]
fn every_language_folder_is_in_the_registry() {
    let folders: BTreeSet<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("language.toml").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let names: BTreeSet<String> = grammars::all().iter().map(|g| g.name.to_owned()).collect();
    assert_eq!(names, folders, "touch grammars/build.rs and build again");
}

#[test]
fn every_query_compiles_in_tree_sitter_and_here() {
    for grammar in grammars::all() {
        assert_eq!(queries(grammar).len(), grammar.queries().len());
        assert_eq!(grammar.problem(), None, "{}", grammar.name);
    }
}

#[test]
fn names_extensions_and_identifiers_are_unique() {
    let mut seen = BTreeSet::new();
    for grammar in grammars::all() {
        let identifiers = grammar.language_ids.iter().chain([&grammar.name]);
        let extensions = grammar.extensions.iter().map(|e| format!(".{e}"));
        for name in extensions.chain(identifiers.map(|id| (*id).to_owned())) {
            assert!(seen.insert(name.clone()), "{name} stands for two languages");
        }
        for extension in grammar.extensions {
            let found = grammars::for_path(&format!("/a.b/c.{extension}"));
            assert_eq!(found.unwrap().name, grammar.name);
        }
        assert_eq!(grammars::by_name(grammar.name), Some(grammar));
    }
    assert_eq!(grammars::for_path("/a/Makefile.unknown"), None);
    assert_eq!(grammars::for_path(".rs"), None);
}

#[test]
fn every_language_has_fixtures_without_syntax_errors() {
    for grammar in grammars::all() {
        let fixtures = fixtures(grammar);
        assert!(!fixtures.is_empty(), "{} has no fixtures", grammar.name);
        for path in fixtures {
            let (_, tree) = parse(grammar, &path);
            assert!(!tree.root_node().has_error(), "{}", path.display());
        }
    }
}

#[test]
fn every_node_that_must_not_be_empty_is_one_of_the_parser() {
    for grammar in grammars::all() {
        for kind in grammar.reading.filled {
            let id = grammar.language().id_for_node_kind(kind, true);
            assert_ne!(id, 0, "{} has no {kind}", grammar.name);
        }
    }
}

/// The rules answer like tree-sitter's own engine; they may say less where one match of ours stands for several.
#[test]
fn the_rules_agree_with_tree_sitter() {
    for grammar in grammars::all() {
        for path in fixtures(grammar) {
            let (source, tree) = parse(grammar, &path);
            let ours = captures_by_rules(grammar, &source, &tree);
            let theirs = captures_by_query(grammar, &source, &tree);
            let more: Vec<_> = ours.difference(&theirs).collect();
            assert!(more.is_empty(), "{}: only ours: {more:#?}", path.display());
            let less: Vec<_> = theirs
                .difference(&ours)
                .filter(|(capture, ..)| !depends_on_neighbours(capture))
                .collect();
            assert!(
                less.is_empty(),
                "{}: only theirs: {less:#?}",
                path.display()
            );
        }
    }
}

/// Captures that some pattern finds by `.`, which is stricter here, or takes the first of.
fn depends_on_neighbours(capture: &str) -> bool {
    ["Reference", "MethodCall", "Qualifier", "ImportName"]
        .iter()
        .any(|kind| capture.starts_with(kind))
}

/// What was captured, as text so that it can be sorted, and where.
type Found = BTreeSet<(String, usize, usize)>;

fn captures_by_rules(grammar: &Grammar, source: &str, tree: &Tree) -> Found {
    let mut found = Found::new();
    let mut add = |capture: Capture, node: tree_sitter::Node<'_>| {
        if !matches!(capture, Capture::Text(_)) {
            found.insert((format!("{capture:?}"), node.start_byte(), node.end_byte()));
        }
    };
    let rules = grammar.rules();
    let mut scratch = Scratch::new(tree.root_node());
    let mut stack = vec![Child::root(tree.root_node())];
    while let Some(child) = stack.pop() {
        let entry = rules.entry(child.kind);
        let mut children = Vec::new();
        scratch.read_children(entry, child.node, false, &mut children);
        if let Some(entry) = entry {
            let always = entry.always.iter();
            always.for_each(|capture| add(*capture, child.node));
            rules.matches(entry, child, &children, source, &mut scratch, |captures| {
                for (capture, node) in captures {
                    add(*capture, *node);
                }
            });
        }
        scratch.read_children(entry, child.node, true, &mut stack);
    }
    found
}

fn captures_by_query(grammar: &'static Grammar, source: &str, tree: &Tree) -> Found {
    let mut found = Found::new();
    for query in queries(grammar) {
        let mut cursor = QueryCursor::new();
        let mut matches = cursor.matches(query, tree.root_node(), source.as_bytes());
        while let Some(found_match) = matches.next() {
            for capture in found_match.captures() {
                let name = query.capture_names()[capture.index as usize];
                if name.starts_with('_') {
                    continue;
                }
                let kind = capture_named(name);
                let range = capture.node.byte_range();
                found.insert((format!("{kind:?}"), range.start, range.end));
            }
        }
    }
    found
}

/// The queries as tree-sitter compiles them, which takes seconds for large grammars.
fn queries(grammar: &'static Grammar) -> &'static [Query] {
    static COMPILED: LazyLock<Vec<OnceLock<Vec<Query>>>> =
        LazyLock::new(|| grammars::all().iter().map(|_| OnceLock::new()).collect());
    let number = grammars::all().iter().position(|other| other == grammar);
    COMPILED[number.unwrap()].get_or_init(|| {
        let compile = |(file, source): &(&str, &str)| {
            let query = Query::new(grammar.language(), source);
            query.unwrap_or_else(|error| panic!("{file} for {}: {error}", grammar.name))
        };
        grammar.queries().iter().map(compile).collect()
    })
}

fn capture_named(name: &str) -> Capture {
    let definition = name.strip_prefix("definition.").and_then(|word| {
        let kinds = grammars::SymbolKind::ALL;
        kinds.into_iter().find(|kind| kind.word() == word)
    });
    if let Some(kind) = definition {
        return Capture::Definition(kind);
    }
    let known = Capture::NAMES.iter().find(|(known, _)| *known == name);
    known.unwrap_or_else(|| panic!("@{name} means nothing")).1
}

#[test]
fn the_readme_defines_every_capture() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let kinds = grammars::SymbolKind::ALL.iter();
    let kinds = kinds.map(|kind| format!("definition.{}", kind.word()));
    let names = Capture::NAMES.iter().map(|(name, _)| (*name).to_owned());
    for name in names.chain(kinds) {
        assert!(
            readme.contains(&format!("`@{name}`")),
            "@{name} is not in grammars/README.md"
        );
    }
}

#[test]
fn paths_tell_tests_and_modules() {
    let check = |path: &str| {
        let grammar = grammars::for_path(path).unwrap();
        let test = if grammar.is_test_path(path) {
            " test"
        } else {
            ""
        };
        let hands_off = if grammar.is_protected_path(path) {
            " protected"
        } else {
            ""
        };
        format!("{path}: {}{test}{hands_off}\n", grammar.module_name(path))
    };
    let paths = [
        "src/lib.rs",
        "src/index/mod.rs",
        "tests/e2e/main.rs",
        "shop/cart.py",
        "shop/__init__.py",
        "shop/test_cart.py",
        "shop/cart.go",
        "shop/cart_test.go",
        "vendor/x/y.go",
        "web/cart.test.ts",
        "web/cart/index.tsx",
        "node_modules/x/index.js",
    ];
    let shown: String = paths.into_iter().map(check).collect();
    expect_test::expect![[r#"
        src/lib.rs: src
        src/index/mod.rs: index
        tests/e2e/main.rs: e2e test
        shop/cart.py: cart
        shop/__init__.py: shop
        shop/test_cart.py: test_cart test
        shop/cart.go: shop
        shop/cart_test.go: shop test
        vendor/x/y.go: x protected
        web/cart.test.ts: cart.test test
        web/cart/index.tsx: cart
        node_modules/x/index.js: x protected
    "#]]
    .assert_eq(&shown);
}

/// The lists that editors keep hold every language, by one of its names in the protocol, and nothing else.
#[test]
fn the_editors_send_every_language() {
    let lists = [
        (
            "editors/vscode/package.json",
            vec!["\"farthing.languages\"", "\"default\": ["],
            '"',
        ),
        ("editors/nvim/lsp/farthing.lua", vec!["filetypes = {"], '\''),
    ];
    for (file, marks, quote) in lists {
        let text = fs::read_to_string(root().join("..").join(file)).unwrap();
        let list = marks
            .iter()
            .fold(&*text, |rest, mark| rest.split_once(mark).expect(mark).1);
        let (list, _) = list.split_once([']', '}']).unwrap();
        let names: Vec<&str> = list.split(quote).skip(1).step_by(2).collect();
        for name in &names {
            assert!(grammars::by_name(name).is_some(), "{file} names {name}");
        }
        for grammar in grammars::all() {
            let sent = names
                .iter()
                .any(|name| grammars::by_name(name) == Some(grammar));
            assert!(sent, "{file} lacks {}", grammar.name);
        }
    }
}

#[test]
fn the_readme_names_every_language() {
    let readme = fs::read_to_string(root().join("../README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Languages\n").unwrap();
    let list = section.trim_start().lines().next().unwrap();
    let list = list.trim_end_matches('.').replace(" and ", ", ");
    let named: BTreeSet<&str> = list.split(", ").collect();
    let titles: BTreeSet<&str> = grammars::all().iter().map(|g| g.title).collect();
    assert_eq!(named, titles);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn fixtures(grammar: &Grammar) -> Vec<PathBuf> {
    let folder = root().join(grammar.name).join("fixtures");
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| grammars::for_path(path.to_str().unwrap()) == Some(grammar))
        .collect();
    paths.sort();
    paths
}

fn parse(grammar: &Grammar, path: &Path) -> (String, Tree) {
    let source = fs::read_to_string(path).unwrap();
    let mut parser = Parser::new();
    parser.set_language(grammar.language()).unwrap();
    let tree = parser.parse(&source, None).unwrap();
    (source, tree)
}
