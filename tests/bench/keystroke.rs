//! How long it takes from a keystroke to the facts of the file as it is then, joined with those of all others.
//!
//! `cargo bench -p workspace --bench keystroke -- FILE…`; see `docs/benchmarks.md`.
//!
//! Each file is typed in twice. As people write: a line of the file once more below itself, a character at a time, and
//! then gone again at once. And as nobody does for long: what opens something, in random places, so that hardly any of
//! the text has its syntax.

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

/// What breaks a text: much of it opens something.
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
    println!(
        "| file | lines | what | first reading ms | median ms | p95 ms | p99 ms | max ms | at rest, median ms | median / first |"
    );
    println!("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        for (what, edits) in [("writing", written(&source)), ("breaking", broken(&source))] {
            measure(&file, &source, what, &edits);
        }
    }
}

fn measure(file: &str, source: &str, what: &str, edits: &[Edit]) {
    let path = FilePath::new(std::path::absolute(file).unwrap()).unwrap();
    let mut text = Text::from(source);
    let mut workspace = Workspace::default();
    let began = Instant::now();
    workspace.open(&path, "", 0, text.clone());
    facts(&mut workspace, &path);
    let first = milliseconds(began);
    let mut at_rest = Vec::new();
    let took = edits.iter().zip(1..).map(|(edit, version)| {
        let edits = EditSet::one(edit.clone());
        let began = Instant::now();
        text = edits.apply(&text).unwrap();
        workspace.change(&path, version, vec![edits], text.clone());
        facts(&mut workspace, &path);
        let took = milliseconds(began);
        if version % 20 == 0 {
            check(&workspace, &path);
            let began = Instant::now();
            rest(&mut workspace, &path);
            at_rest.push(milliseconds(began));
        }
        took
    });
    let mut took: Vec<f64> = took.collect();
    took.sort_by(f64::total_cmp);
    at_rest.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "| {} | {} | {what} | {first:.1} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.3} |",
        path.file_name(),
        text.lines(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0),
        at_rest[at_rest.len() / 2],
        at(0.5) / first,
    );
}

/// Lines of the text that are typed once more, each below itself.
fn written(source: &str) -> Vec<Edit> {
    let mut random = Random(0x5eed);
    let lines: Vec<(usize, &str)> = source
        .split_inclusive('\n')
        .scan(0, |at, line| {
            *at += line.len();
            Some((*at, line.trim_end()))
        })
        .filter(|(_, line)| (10..100).contains(&line.trim().len()) && is_whole(line))
        .collect();
    let mut edits = Vec::new();
    while edits.len() < KEYS {
        let (end, line) = lines[random.below(lines.len())];
        let mut at = end;
        // The indentation comes with the line break.
        let indent = line.len() - line.trim_start().len();
        let first = format!("{}\n", &line[..indent]);
        edits.push(Edit::new(Range::at(at), first));
        at += indent;
        for char in line.trim_start().chars() {
            edits.push(Edit::new(Range::at(at), char));
            at += char.len_utf8();
        }
        edits.push(Edit::new(Range::new(end, at + 1), ""));
    }
    edits
}

/// Whether a line closes all that it opens.
fn is_whole(line: &str) -> bool {
    let count = |sign: char| line.matches(sign).count();
    [('(', ')'), ('[', ']'), ('{', '}')]
        .iter()
        .all(|(open, close)| count(*open) == count(*close))
        && ['"', '\'', '`'].iter().all(|quote| count(*quote) % 2 == 0)
        && !["/*", "*/", "\"\"\""]
            .iter()
            .any(|sign| line.contains(sign))
}

/// Keys that break more and more of the text.
fn broken(source: &str) -> Vec<Edit> {
    let mut text = Text::from(source);
    let mut random = Random(0x5eed);
    let mut at = 0;
    let keys = (0..KEYS).map(|key| {
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
        text = EditSet::one(edit.clone()).apply(&text).unwrap();
        edit
    });
    keys.collect()
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

/// What the server does after a keystroke.
fn facts(workspace: &mut Workspace, file: &FilePath) {
    let snapshot = workspace.snapshot();
    let document = snapshot.open_document(file).unwrap();
    let facts = document.parsed().unwrap().facts().clone();
    assert!(workspace.index_file(file, facts, Some(document.serial())));
}

/// Sees to it that what was taken over from the reading before is right.
fn check(workspace: &Workspace, file: &FilePath) {
    let snapshot = workspace.snapshot();
    let parsed = snapshot.open_document(file).unwrap().parsed().unwrap();
    assert!(**parsed.facts() == parsed.facts_of_whole());
}

/// What it does once nobody types.
fn rest(workspace: &mut Workspace, file: &FilePath) {
    let snapshot = workspace.snapshot();
    let document = snapshot.open_document(file).unwrap();
    let facts = document.settle(&|| false).unwrap().facts().clone();
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
