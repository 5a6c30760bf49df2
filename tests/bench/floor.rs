//! What parsing alone costs: tree-sitter, nothing kept, the system's allocator.
//!
//! A program of its own, because an allocator holds for a whole process: the index is measured with the one that the
//! `farthing` binary has. Reads paths, one a line, from its standard input; `tests/bench/corpus.rs` starts it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark says what it expects bluntly, and prints"
)]

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use grammars::Grammar;
use tree_sitter::Parser;

fn main() {
    // `cargo bench` without a name runs every benchmark; this one has nothing to do by itself.
    if std::env::args().all(|argument| argument != "--paths-on-stdin") {
        return;
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut files: Vec<(&'static Grammar, String)> = std::io::stdin()
        .lock()
        .lines()
        .map(|path| {
            let path = path.unwrap();
            let grammar = grammars::for_path(&path).unwrap();
            (grammar, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut parsers: HashMap<&str, Parser> = HashMap::new();
                while let Some((grammar, text)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let parser = parsers.entry(grammar.name).or_insert_with(|| {
                        let mut parser = Parser::new();
                        parser.set_language(grammar.language()).unwrap();
                        parser
                    });
                    drop(parser.parse(text, None));
                }
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{{\"seconds\":{seconds},\"files\":{},\"bytes\":{bytes}}}",
        files.len()
    );
}
