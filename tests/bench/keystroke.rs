//! How long it takes from a keystroke to the facts of the file as it is then, joined with those of all others.
//!
//! `cargo bench -p workspace --bench keystroke -- FILE…`; see `docs/benchmarks.md`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, and prints"
)]

use std::time::Instant;

use text::{Edit, EditSet, FilePath, Range, Text};
use workspace::Workspace;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What people type: words mostly, sometimes what opens something and only later is closed.
const TYPED: &[&str] = &[
    "x", "e", "foo", " ", "\n", "a", "i", "(", ")", "b", "{", "}", "c", "\"", "\"", "d", ";", "n",
];
const KEYS: usize = 400;

fn main() {
    let files: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if files.is_empty() {
        println!("usage: cargo bench -p workspace --bench keystroke -- FILE…");
        return;
    }
    println!("| file | lines | first parse ms | median ms | p95 ms | p99 ms | max ms |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for file in files {
        let path = FilePath::new(std::path::absolute(&file).unwrap()).unwrap();
        let mut text = Text::from(std::fs::read_to_string(&file).unwrap().as_str());
        let mut workspace = Workspace::default();
        let began = Instant::now();
        workspace.open(&path, "", 0, text.clone());
        facts(&mut workspace, &path);
        let first = began.elapsed().as_secs_f64() * 1e3;
        let mut random = Random(0x5eed);
        let mut at = 0;
        let mut took: Vec<f64> = (0..KEYS)
            .map(|key| {
                // A few words at one place, and every third key takes the one before back.
                if key % 24 == 0 {
                    at = text.floor(random.below(text.len()));
                }
                let edit = if key % 3 == 2 && at > 0 {
                    let before = text.floor(at - 1);
                    let edit = Edit::new(Range::new(before, at), "");
                    at = before;
                    edit
                } else {
                    let typed = TYPED[random.below(TYPED.len())];
                    let edit = Edit::new(Range::at(at), typed);
                    at += typed.len();
                    edit
                };
                let edits = EditSet::one(edit);
                let began = Instant::now();
                text = edits.apply(&text).unwrap();
                workspace.change(&path, key as i32 + 1, vec![edits], text.clone());
                facts(&mut workspace, &path);
                began.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        took.sort_by(f64::total_cmp);
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
        println!(
            "| {} | {} | {first:.1} | {:.2} | {:.2} | {:.2} | {:.2} |",
            path.file_name(),
            text.lines(),
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0)
        );
    }
}

/// What the server does after a keystroke.
fn facts(workspace: &mut Workspace, file: &FilePath) {
    let snapshot = workspace.snapshot();
    let document = snapshot.open_document(file).unwrap();
    let facts = document.parsed().unwrap().facts().clone();
    assert!(workspace.index_file(file, facts, Some(document.serial())));
}

/// Numbers without a pattern, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
