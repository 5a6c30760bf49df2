//! What is read from the fixtures of every language. `UPDATE_EXPECT=1` writes the snapshots beside them.
//!
//! A changed snapshot is the review artefact of a changed query: read it as carefully as code.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use index::{Facts, Parsed, SymbolId};
use text::{Range, Text};

#[test]
fn the_fixtures_of_every_language_read_as_written_down() {
    for path in fixtures() {
        let source = fs::read_to_string(&path).unwrap();
        let snapshot = format!("{}.facts", path.display());
        expect_file![snapshot].assert_eq(&show(&path, &source));
    }
}

fn show(path: &Path, source: &str) -> String {
    let grammar = grammars::for_path(path.to_str().unwrap()).unwrap();
    let text = Text::from(source);
    let parsed = Parsed::parse(grammar, &text);
    let facts = parsed.facts();
    let line = |offset| text.line_of(offset) + 1;
    let lines = |range: Range| format!("{}..{}", line(range.start), line(range.end));
    let name = |id: Option<SymbolId>| match id.and_then(|id| facts.symbol(id)) {
        Some(symbol) => symbol.path.to_string(),
        None => "-".to_owned(),
    };
    let mut out = String::new();
    let import_lines = facts.imports_range().map_or("none".to_owned(), lines);
    writeln!(
        out,
        "{} lines, {} errors, imports {import_lines}",
        facts.lines, facts.error_count
    )
    .unwrap();

    writeln!(
        out,
        "\n# Symbols: lines, visibility, kind, path, metrics; header; documentation"
    )
    .unwrap();
    for item in index::outline(facts, &text) {
        let symbol = facts.symbol(item.symbol).unwrap();
        let indent = "  ".repeat(item.depth);
        let marks = [
            (symbol.public, "public "),
            (symbol.test_case, "test-case "),
            (symbol.test && !symbol.test_case, "test "),
        ];
        let marks: String = marks
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, mark)| *mark)
            .collect();
        let metrics = symbol.metrics.map_or(String::new(), |m| {
            format!(
                " [{} lines, nesting {}, cognitive {}, branches {}, parameters {}]",
                m.lines, m.nesting, m.cognitive, m.branches, m.parameters
            )
        });
        writeln!(
            out,
            "{indent}{} (item {}) {marks}{} {}{metrics}",
            lines(symbol.range),
            lines(symbol.item),
            symbol.kind.word(),
            symbol.path
        )
        .unwrap();
        writeln!(out, "{indent}    {}", item.header).unwrap();
        if let Some(doc) = item.doc {
            writeln!(out, "{indent}    \"{doc}\"").unwrap();
        }
        assert!(symbol.range.contains_range(symbol.item));
        assert!(symbol.item.contains_range(symbol.header));
    }

    writeln!(out, "\n# Imports").unwrap();
    for import in &facts.imports {
        let names = import.names.iter().map(|name| match &name.alias {
            Some(alias) => format!("{} as {alias}", name.name),
            None => name.name.to_string(),
        });
        let names = names.collect::<Vec<_>>().join(", ");
        let alias = import
            .alias
            .as_ref()
            .map_or(String::new(), |alias| format!(" as {alias}"));
        let all = if import.wildcard { " *" } else { "" };
        let again = if import.reexport { " reexport" } else { "" };
        writeln!(
            out,
            "{} {:?}{again} {}{alias}: {names}{all} in {}",
            lines(import.range),
            import.kind,
            import.source,
            name(import.within)
        )
        .unwrap();
    }

    writeln!(out, "\n# Instructions").unwrap();
    for comment in &facts.comments {
        writeln!(
            out,
            "{} {}: {}",
            lines(comment.range),
            name(comment.symbol),
            comment.text
        )
        .unwrap();
    }

    writeln!(out, "\n# References").unwrap();
    for reference in facts.references() {
        let qualifier = reference
            .qualifier
            .map_or(String::new(), |q| format!("{q}:"));
        let member = if reference.member { "." } else { "" };
        writeln!(
            out,
            "{} {} {qualifier}{member}{} in {}",
            line(reference.range.start),
            reference.role.word(),
            reference.name,
            name(reference.within)
        )
        .unwrap();
        assert_eq!(text.slice(reference.range), reference.name);
    }
    check_shape(facts);
    out
}

/// What must be true of any facts.
fn check_shape(facts: &Facts) {
    for (id, symbol) in facts.enumerate() {
        assert_eq!(facts.by_path(&symbol.path), Some(id), "{}", symbol.path);
        if let Some(parent) = symbol.parent {
            let parent = facts.symbol(parent).unwrap();
            assert!(parent.range.contains_range(symbol.range), "{}", symbol.path);
        }
    }
    assert!(facts.symbols.is_sorted_by_key(|symbol| symbol.range.start));
    assert_eq!(facts.incomplete, None);
}

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammars");
    let mut paths = Vec::new();
    for grammar in grammars::all() {
        let folder = root.join(grammar.name).join("fixtures");
        let entries = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        paths.extend(
            entries.filter(|path| grammars::for_path(path.to_str().unwrap()) == Some(grammar)),
        );
    }
    paths.sort();
    paths
}
