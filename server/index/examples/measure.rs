//! What reading facts costs beside parsing alone.
//!
//! `cargo run --release -p index --example measure -- FOLDER` reads every file of a known language below the folder
//! several times, both ways in turn, and adds up the fastest time of each file: what else the machine does hardly
//! shows.

#![allow(clippy::print_stdout, reason = "it is a report")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use index::{Facts, Grammar};
use tree_sitter::Parser;

const ROUNDS: usize = 7;

#[derive(Default)]
struct Sum {
    files: usize,
    bytes: usize,
    symbols: usize,
    references: usize,
    kept: usize,
    parse: Duration,
    read: Duration,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: measure FOLDER")?;
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    for path in files(Path::new(&folder)) {
        let Some(grammar) = path.to_str().and_then(grammars::for_path) else {
            continue;
        };
        let Ok(source) = std::fs::read_to_string(&path) else {
            continue;
        };
        add(sums.entry(grammar.title).or_default(), grammar, &source)?;
    }
    for (title, sum) in sums {
        let rate = |time: Duration| sum.bytes as f64 / 1e6 / time.as_secs_f64();
        println!(
            "{title}: {} files, {:.2} MB; parse {:.1} MB/s, parse and read {:.1} MB/s, ratio {:.3}; \
             {} symbols, {} references, {:.2} bytes kept per byte",
            sum.files,
            sum.bytes as f64 / 1e6,
            rate(sum.parse),
            rate(sum.read),
            sum.read.as_secs_f64() / sum.parse.as_secs_f64(),
            sum.symbols,
            sum.references,
            sum.kept as f64 / sum.bytes as f64,
        );
    }
    Ok(())
}

fn add(
    sum: &mut Sum,
    grammar: &'static Grammar,
    source: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut parser = Parser::new();
    parser.set_language(grammar.language())?;
    let facts = Facts::of(grammar, source);
    let (mut parse, mut read) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        drop(parser.parse(source, None));
        parse = parse.min(start.elapsed());
        let start = Instant::now();
        drop(Facts::of(grammar, source));
        read = read.min(start.elapsed());
    }
    sum.files += 1;
    sum.bytes += source.len();
    sum.symbols += facts.symbols.len();
    sum.references += facts.references().len();
    sum.kept += facts.heap_bytes();
    sum.parse += parse;
    sum.read += read;
    Ok(())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
