//! Definitions beside those of universal-ctags: what both find, and what only one of them does.
//!
//! `ctags -R -f - --excmd=number --fields=K FOLDER | cargo run -p index --example ctags -- FOLDER` counts by language
//! and kind; a kind as one more argument lists what only one side has of it.

#![allow(clippy::print_stdout, reason = "it is a report")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use index::Facts;
use text::Text;

/// File, name, line.
type Definition = (PathBuf, String, usize);

#[derive(Default)]
struct Counts {
    files: usize,
    broken: usize,
    ours: BTreeMap<Definition, &'static str>,
    theirs: BTreeMap<Definition, String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("usage: ctags FOLDER [KIND]")?;
    let listed = std::env::args().nth(2);
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for path in files(Path::new(&folder)) {
        let Some(grammar) = path.to_str().and_then(grammars::for_path) else {
            continue;
        };
        let Ok(source) = std::fs::read_to_string(&path) else {
            continue;
        };
        let of_language = counts.entry(grammar.title).or_default();
        of_language.files += 1;
        let text = Text::from(source.as_str());
        let facts = Facts::of(grammar, &source);
        of_language.broken += usize::from(facts.error_count > 0);
        for symbol in &facts.symbols {
            let line = text.line_of(symbol.name_range.start) + 1;
            let place = (path.clone(), symbol.name.to_string(), line);
            of_language.ours.insert(place, symbol.kind.word());
        }
    }
    let mut tags = Vec::new();
    std::io::stdin().read_to_end(&mut tags)?;
    for line in String::from_utf8_lossy(&tags).lines() {
        let mut fields = line.split('\t');
        let (Some(name), Some(path), Some(number), Some(kind)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let number = number.trim_end_matches(";\"").parse();
        if let (Some(grammar), Ok(number)) = (grammars::for_path(path), number) {
            let of_language = counts.entry(grammar.title).or_default();
            let mut place = (PathBuf::from(path), name.replace("\\\\", "\\"), number);
            // Some of their names say what the symbol belongs to.
            if !of_language.ours.contains_key(&place)
                && let Some(last) = name.rsplit(['.', ':']).find(|part| !part.is_empty())
            {
                last.clone_into(&mut place.1);
            }
            of_language.theirs.insert(place, kind.to_owned());
        }
    }
    for (title, counts) in counts {
        report(title, &counts, listed.as_deref());
    }
    Ok(())
}

fn report(title: &str, counts: &Counts, listed: Option<&str>) {
    let ours: BTreeSet<_> = counts.ours.keys().collect();
    let theirs: BTreeSet<_> = counts.theirs.keys().collect();
    println!(
        "{title}: {} files, {} with syntax errors; both {}, only ours {}, only theirs {}",
        counts.files,
        counts.broken,
        ours.intersection(&theirs).count(),
        ours.difference(&theirs).count(),
        theirs.difference(&ours).count(),
    );
    let only_ours = ours.difference(&theirs).map(|place| {
        let kind = counts.ours.get(*place).copied().unwrap_or("");
        (*place, kind)
    });
    let only_theirs = theirs.difference(&ours).map(|place| {
        let kind = counts.theirs.get(*place).map_or("", String::as_str);
        (*place, kind)
    });
    by_kind("only ours", only_ours.collect(), listed);
    by_kind("only theirs", only_theirs.collect(), listed);
}

fn by_kind(side: &str, found: Vec<(&Definition, &str)>, listed: Option<&str>) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for ((path, name, line), kind) in found {
        *kinds.entry(kind).or_default() += 1;
        if listed == Some(kind) {
            println!("    {side}: {}:{line} {name}", path.display());
        }
    }
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    println!("  {side}: {}", kinds.join(", "));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
