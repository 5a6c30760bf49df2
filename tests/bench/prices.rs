//! What it takes to price a menu, to count tokens, and to ask about a symbol.
//!
//! `cargo bench -p engine --bench prices -- FOLDER`; with `--packs N` the sizes of the first messages for N symbols drawn
//! from it, as lines of JSON, and with `--count` the tokens of each JSON text that comes in on its own line. See
//! `docs/benchmarks.md`; `tests/bench/prompts` puts the last two together.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, and prints"
)]

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agent::{Action, PackTier, Task};
use engine::config::{Config, Sources};
use engine::{Engine, Event, HeadlessEditor, Purse, Setup, Timing};
use index::Symbol;
use provider::{Anthropic, AnthropicConfig};
use serde_json::json;
use text::{FilePath, Range};
use tokio::sync::mpsc::unbounded_channel;
use tree_sitter::Parser;

const MENUS: usize = 2_000;
/// Files that are open, as in an editor after some work.
const OPEN: usize = 60;

fn main() {
    let (mut folder, mut packs) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--count" => return count(),
            "--packs" => packs = Some(arguments.next().unwrap().parse().unwrap()),
            _ => folder = Some(argument),
        }
    }
    let Some(folder) = folder else {
        println!("usage: cargo bench -p engine --bench prices -- [--packs N] FOLDER");
        return;
    };
    let root = FilePath::new(std::path::absolute(folder).unwrap().to_str().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (engine, mut events) = engine();
        index(&engine, &mut events, root).await;
        match packs {
            Some(count) => show_packs(&engine, count),
            None => measure(&engine).await,
        }
        engine.shutdown().await;
    });
}

type Events = tokio::sync::mpsc::UnboundedReceiver<Event>;

/// An engine with the shipped configuration and a model that is never asked.
fn engine() -> (Engine, Events) {
    let (sender, events) = unbounded_channel();
    let editor = HeadlessEditor::new(move |event| {
        let _gone = sender.send(event);
    });
    let provider = Anthropic::new(AnthropicConfig::default()).unwrap();
    let key = |name: &str| (name == "ANTHROPIC_API_KEY").then(|| "unused".to_owned());
    let engine = Engine::new(Setup {
        resolve: Arc::new(move |settings, _| {
            Config::resolve(&Sources {
                machine: None,
                workspace: None,
                settings,
                env: &key,
            })
        }),
        provider: Ok(Arc::new(provider)),
        purse: Purse::in_memory(),
        editor,
        timing: Timing::default(),
        journals: std::env::temp_dir(),
        hunks: None,
        reviews: None,
        cache: None,
    });
    (engine, events)
}

async fn index(engine: &Engine, events: &mut Events, root: FilePath) {
    engine.set_roots(vec![root], false);
    while let Some(event) = events.recv().await {
        if matches!(event, Event::Indexing { complete: true, .. }) {
            return;
        }
    }
}

/// Opens files of the workspace at random, and gives their paths.
fn open(engine: &Engine, random: &mut Random, count: usize) -> Vec<FilePath> {
    let snapshot = engine.snapshot();
    let paths: Vec<FilePath> = snapshot.index().paths().cloned().collect();
    let mut opened = Vec::new();
    while opened.len() < count.min(paths.len()) {
        let file = &paths[random.below(paths.len())];
        let Ok(document) = snapshot.document(file) else {
            continue;
        };
        let has_code = document
            .parsed()
            .is_some_and(|parsed| parsed.facts().symbols.iter().any(is_code));
        if has_code && !opened.contains(file) {
            engine.open(file, "", 0, document.text().clone());
            opened.push(file.clone());
        }
    }
    opened
}

fn is_code(symbol: &Symbol) -> bool {
    symbol.kind.is_callable() && symbol.body.is_some() && !symbol.test
}

async fn measure(engine: &Engine) {
    engine.until_reviewed().await;
    let mut random = Random(0x5eed);
    let files = open(engine, &mut random, OPEN);
    engine.until_quiet().await;
    // The server shows what is found in a file that was opened.
    for file in &files {
        assert!(engine.markers(file).is_some());
    }
    let snapshot = engine.snapshot();
    let stats = snapshot.index().stats();
    println!(
        "{} files, {} symbols, {} references",
        stats.files, stats.symbols, stats.references
    );
    let (mut took, mut priced) = (Vec::new(), 0);
    for _ in 0..MENUS {
        let file = &files[random.below(files.len())];
        let document = snapshot.open_document(file).unwrap();
        let text = document.text();
        let line = random.below(text.lines());
        let at = Range::at(text.line_range(line).start);
        let began = Instant::now();
        let menu = engine.menu(&snapshot, file, at, &[]);
        took.push(began.elapsed());
        priced += menu
            .items
            .iter()
            .filter(|item| item.estimate.is_some())
            .count();
    }
    took.sort_unstable();
    println!(
        "{MENUS} menus, {priced} prices: median {:.2?}, p95 {:.2?}, p99 {:.2?}, most {:.2?}",
        at(&took, 0.5),
        at(&took, 0.95),
        at(&took, 0.99),
        at(&took, 1.0)
    );
    counting(&files, engine);
    if at(&took, 0.99) > Duration::from_millis(2) {
        println!("p99 is over the limit of 2 ms");
        std::process::exit(1);
    }
}

/// What counting the tokens of files costs beside parsing them: best of five, of each.
fn counting(files: &[FilePath], engine: &Engine) {
    let snapshot = engine.snapshot();
    let texts: Vec<(&FilePath, String)> = files
        .iter()
        .map(|file| {
            (
                file,
                snapshot.open_document(file).unwrap().text().to_string(),
            )
        })
        .collect();
    let mut parsers: HashMap<&str, Parser> = HashMap::new();
    let mut parse = || {
        let began = Instant::now();
        for (file, text) in &texts {
            let grammar = grammars::for_path(file.as_str()).unwrap();
            let parser = parsers.entry(grammar.name).or_insert_with(|| {
                let mut parser = Parser::new();
                parser.set_language(grammar.language()).unwrap();
                parser
            });
            drop(parser.parse(text, None));
        }
        began.elapsed()
    };
    let count = || {
        let began = Instant::now();
        let sum: u64 = texts.iter().map(|(_, text)| ledger::tokens(text)).sum();
        assert!(std::hint::black_box(sum) > 0);
        began.elapsed()
    };
    let parsing = (0..5).map(|_| parse()).min().unwrap();
    let counting = (0..5).map(|_| count()).min().unwrap();
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    println!(
        "{} kB: parsing {parsing:.2?}, counting tokens {counting:.2?}, {:.2} % of it, {:.0} MB/s",
        bytes / 1_000,
        100.0 * counting.as_secs_f64() / parsing.as_secs_f64(),
        bytes as f64 / 1e6 / counting.as_secs_f64()
    );
}

/// For symbols drawn at random: the tokens of what would be sent first, and of the whole file.
fn show_packs(engine: &Engine, count: usize) {
    let mut random = Random(0xbeef);
    let files = open(engine, &mut random, count);
    let snapshot = engine.snapshot();
    for file in &files {
        let document = snapshot.open_document(file).unwrap();
        let facts = document.parsed().unwrap().facts();
        let symbols: Vec<&Symbol> = facts.symbols.iter().filter(|s| is_code(s)).collect();
        let symbol = symbols[random.below(symbols.len())];
        for action in [Action::Simplify, Action::Harden, Action::Tests] {
            let task = Task::new(action, file.clone(), &*symbol.path);
            let Ok(scope) = agent::scope_in(&snapshot, &task) else {
                continue;
            };
            let Ok(pack) = agent::pack(&snapshot, &task, &scope, PackTier::of(action)) else {
                continue;
            };
            let line = json!({
                "file": file.as_str(),
                "symbol": symbol.path,
                "action": action.id(),
                "pack": pack.tokens,
                "target": pack.target_tokens,
                "task": pack.items.first().map_or(0, |item| item.tokens),
                "whole_file": ledger::tokens(&document.text().to_string()),
            });
            println!("{line}");
        }
    }
}

/// The tokens of each text that comes in.
fn count() {
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line.unwrap()).unwrap();
        println!("{}", ledger::tokens(&text));
    }
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)]
}

/// Numbers by lot; the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}
