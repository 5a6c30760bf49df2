//! Which definitions the index and universal-ctags see in whole folders, and which only one of them does.
//!
//! `cargo bench -p workspace --bench definitions -- [--samples N] FOLDER…`; see `docs/benchmarks.md`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, prints, and starts what it compares with"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use text::FilePath;
use workspace::Workspace;

/// A definition: file, line counted from 1, name.
type Definition = (String, usize, String);
/// The kind of each, with its language.
type Definitions = BTreeMap<Definition, String>;

fn main() {
    let (mut folders, mut samples) = (Vec::new(), 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--samples" => samples = arguments.next().unwrap().parse().unwrap(),
            _ => folders.push(argument),
        }
    }
    for folder in folders {
        compare(&folder, samples);
    }
}

fn compare(folder: &str, samples: usize) {
    let root = FilePath::new(std::path::absolute(folder).unwrap()).unwrap();
    let workspace = Mutex::new(Workspace::default());
    let stop = AtomicBool::new(false);
    workspace::scan(std::slice::from_ref(&root), None, None, &stop, &|step| {
        workspace.lock().unwrap().take_in(step);
    });
    let workspace = workspace.into_inner().unwrap();
    let (ours, lines) = ours(&workspace);
    let theirs = theirs(&workspace);
    // Files that only one of the two knows the language of say nothing.
    let [of_ours, of_theirs] = [&ours, &theirs].map(|all| {
        let files = all.keys().map(|(file, _, _)| file.as_str());
        files.collect::<BTreeSet<_>>()
    });
    let common = |(file, _, _): &Definition| {
        of_ours.contains(file.as_str()) && of_theirs.contains(file.as_str())
    };
    let both = theirs
        .keys()
        .filter(|definition| ours.contains_key(definition))
        .count();
    println!("## {}\n", root.file_name());
    println!(
        "{} files, {} definitions of ours, {} of ctags, {both} of both\n",
        of_ours.intersection(&of_theirs).count(),
        ours.keys().filter(|definition| common(definition)).count(),
        theirs
            .keys()
            .filter(|definition| common(definition))
            .count(),
    );
    for (title, all, others) in [
        ("only ctags", &theirs, &ours),
        ("only ours", &ours, &theirs),
    ] {
        let mut kinds: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
        let mut total: BTreeMap<&str, usize> = BTreeMap::new();
        for (definition, kind) in all.iter().filter(|(definition, _)| common(definition)) {
            *total.entry(kind).or_default() += 1;
            if others.contains_key(definition) {
                continue;
            }
            let (count, shown) = kinds.entry(kind).or_default();
            *count += 1;
            // Spread over the corpus, and the same each time.
            if *count % 97 == 1 && shown.len() < samples {
                let (file, line, name) = definition;
                let text = lines
                    .get(file)
                    .and_then(|lines| lines.lines().nth(line - 1));
                shown.push(format!(
                    "{file}:{line} {name}: {}",
                    text.unwrap_or("").trim()
                ));
            }
        }
        println!("| {title} | of | definitions |\n|---|---:|---:|");
        for (kind, (count, shown)) in kinds {
            println!("| {kind} | {} | {count} |", total[kind]);
            for sample in shown {
                println!("    {sample}");
            }
        }
        println!();
    }
}

fn ours(workspace: &Workspace) -> (Definitions, BTreeMap<String, String>) {
    let mut definitions = Definitions::new();
    let mut texts = BTreeMap::new();
    for (file, facts) in workspace.snapshot().index().files() {
        let Ok(text) = workspace::read(file) else {
            continue;
        };
        for symbol in &facts.symbols {
            if symbol.kind != index::SymbolKind::Impl {
                let line = text.line_of(symbol.name_range.start) + 1;
                let kind = format!("{} {}", facts.grammar.title, symbol.kind.word());
                definitions.insert((file.to_string(), line, symbol.name.to_string()), kind);
            }
        }
        texts.insert(file.to_string(), text.to_string());
    }
    (definitions, texts)
}

fn theirs(workspace: &Workspace) -> Definitions {
    let mut child = Command::new("ctags")
        .args(["-x", "--_xformat=%N\t%n\t%K\t%F\t%l", "-L", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let snapshot = workspace.snapshot();
    let paths: Vec<String> = snapshot.index().paths().map(FilePath::to_string).collect();
    let writer = std::thread::spawn(move || {
        for path in paths {
            writeln!(input, "{path}").unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut definitions = Definitions::new();
    for line in output.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, line, kind, file, language] = fields[..] else {
            continue;
        };
        let definition = (file.to_owned(), line.parse().unwrap_or(0), name.to_owned());
        definitions.insert(definition, format!("{language} {kind}"));
    }
    definitions
}
