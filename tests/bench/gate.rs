//! How long the gate takes to decide: proposals of every kind against files of a few thousand lines.
//!
//! `cargo bench -p gate --bench decide [-- LINES…]`; see `docs/benchmarks.md`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark says what it expects bluntly, and prints"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use gate::{Operation, Place, Policy, Proposal, Replacement, Scope, Verdict, View, decide};
use index::Parsed;
use text::{FilePath, Hash, Text};

/// At most; fewer in files where each takes long.
const DECISIONS: usize = 1_000;

/// How often each is made; the fastest counts, because beside other programs one in a hundred waits for its turn.
const TIMES: usize = 3;

fn main() {
    let wanted: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let sizes = [500, 5_000, 20_000];
    for lines in if wanted.is_empty() {
        sizes.to_vec()
    } else {
        wanted
    } {
        let text = source(lines);
        let lines = text.lines().count();
        let file = FilePath::new("/bench/lib.rs").unwrap();
        let text = Text::from(text.as_str());
        let grammar = grammars::for_path("lib.rs").unwrap();
        let began = Instant::now();
        let parsed = Parsed::parse(grammar, &text);
        let functions = parsed.facts().symbols.len();
        let whole = began.elapsed();
        let view = View {
            file: &file,
            text: &text,
            version: Some(1),
            parsed: &parsed,
        };
        let policy = Policy::new(vec![FilePath::new("/bench").unwrap()]);
        let decisions = DECISIONS.min(5_000_000 / lines);
        let mut times: Vec<Duration> = Vec::with_capacity(decisions);
        let mut approved = 0;
        for number in 0..decisions {
            let symbol = format!("function_{}", number * 7919 % (lines / LINES));
            let proposal = proposal(&view, &symbol, number);
            let scope = Scope::symbol(file.clone(), symbol);
            let decided = (0..TIMES).map(|_| {
                let at = Instant::now();
                let verdict = black_box(decide(&view, &scope, &policy, &proposal));
                (at.elapsed(), verdict)
            });
            let (time, verdict) = decided.min_by_key(|(time, _)| *time).unwrap();
            times.push(time);
            approved += usize::from(matches!(verdict, Verdict::Approved { .. }));
        }
        assert_eq!(approved, decisions, "every proposal is a good one");
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share / 1000).min(times.len() - 1)];
        println!(
            "{lines:>6} lines, {functions:>5} symbols: first reading {whole:>9.2?}; a decision {:>9.2?} in the median, {:>9.2?} p99, {:>9.2?} at most",
            at(500),
            at(990),
            at(1000),
        );
    }
}

/// Lines of one function of [`source`].
const LINES: usize = 10;

fn source(lines: usize) -> String {
    let mut text = String::from("use std::collections::HashMap;\n\n");
    for number in 0..lines / LINES {
        let _infallible = write!(
            text,
            "/// Counts what is {number}.\nfn function_{number}(items: &[u32], seen: &mut HashMap<u32, usize>) -> usize {{\n    let mut count = 0;\n    for item in items.iter().filter(|item| **item > {number}) {{\n        *seen.entry(*item).or_default() += 1;\n        count += usize::from(*item == {number});\n    }}\n    count + seen.len()\n}}\n\n"
        );
    }
    text
}

/// Each kind of proposal in turn.
fn proposal(view: &View<'_>, symbol: &str, number: usize) -> Proposal {
    let facts = view.parsed.facts();
    let range = facts.symbol(facts.by_path(symbol).unwrap()).unwrap().range;
    let stands = view.text.slice(range);
    let base = Hash::of(&stands);
    let symbol = symbol.to_owned();
    let operation = match number % 4 {
        0 => Operation::EditSymbol {
            symbol,
            base,
            edits: vec![Replacement {
                old: "let mut count = 0;".to_owned(),
                new: "let mut count = 0_usize;".to_owned(),
            }],
        },
        1 => Operation::ReplaceSymbol {
            symbol,
            base,
            text: stands.replace("count + seen.len()", "seen.len() + count"),
        },
        2 => Operation::AddSymbol {
            anchor: symbol,
            place: Place::After,
            text: format!("fn added_{number}() {{}}"),
        },
        _ => Operation::EditImports {
            add: vec![format!("use std::added_{number};")],
            remove: Vec::new(),
        },
    };
    Proposal {
        file: view.file.clone(),
        operation,
        reason: String::new(),
    }
}
