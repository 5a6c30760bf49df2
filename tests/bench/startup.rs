//! How long the server takes from the start of its process to the answer to `initialize`, and how large it is.
//!
//! `cargo bench -p farthing --bench startup`; see `docs/benchmarks.md`.
//!
//! Every round is a process of its own in a home without configuration, state or cache, and a workspace of one file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, and prints"
)]

#[path = "../e2e/harness/mod.rs"]
mod harness;

use std::time::Instant;

use harness::{Editor, Home, Options};

const ROUNDS: usize = 40;

fn main() {
    let mut milliseconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let home = Home::new();
            let began = Instant::now();
            let mut editor = Editor::start(&home, Options::neovim());
            editor.initialize();
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    milliseconds.sort_by(f64::total_cmp);
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_farthing"))
        .unwrap()
        .len();
    println!("binary: {:.1} MB", size as f64 / 1e6);
    println!(
        "start to the answer to `initialize`, {ROUNDS} processes: median {:.1} ms, p95 {:.1} ms, worst {:.1} ms",
        milliseconds[ROUNDS / 2],
        milliseconds[ROUNDS * 95 / 100],
        milliseconds[ROUNDS - 1]
    );
}
