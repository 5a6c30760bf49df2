//! How long it takes until an editor is told what the rules say, and what that takes: of a real project, over the pipe,
//! with its texts typed and not saved.
//!
//! `cargo bench -p farthing --bench review -- CLONE`; see `docs/benchmarks.md`.
//!
//! The clone is copied first, with its repository, so that nothing else looks at it. Each figure stands beside its bar,
//! and the benchmark fails if one is over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, and prints"
)]

#[path = "../e2e/harness/mod.rs"]
mod harness;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{Editor, Home, Options};
use serde_json::Value;

/// So many files are open.
const OPEN: usize = 20;
/// Each kind of edit is made and taken back so often.
const ROUNDS: usize = 100;
/// So many times the server is started, with nothing kept and with everything.
const STARTS: usize = 5;

const CIRCLE: &str = "cycle/load-time";
const NOWHERE: &str = "graph/unresolved";
const NESTED: &str = "fn/deep-nesting";

/// What every language of the project's kind understands, and one rule about one file reports.
const DEEP: &str = "function nestedForTheBenchmark(a: any) {\n  if (a) { if (a) { if (a) { if (a) { if (a) { a(); } } } } }\n}\n";
const IMPORT: &str = "import \"./leadsNowhereForTheBenchmark\";\n";

fn main() {
    let clone = std::env::args().skip(1).find(|one| one != "--bench");
    let Some(clone) = clone else {
        println!("usage: cargo bench -p farthing --bench review -- CLONE");
        return;
    };
    let home = Home::new();
    let mut copy = Command::new("cp");
    copy.args(["-a", "--", &format!("{clone}/.")])
        .arg(home.path(""));
    assert!(
        copy.status().unwrap().success(),
        "the clone cannot be copied"
    );
    let files = files_of(&home);
    let mut bars = Bars::default();
    starts(&home, &files, &mut bars);
    edits(&home, &files, &mut bars);
    std::process::exit(bars.code());
}

/// The files to open: those of the circles first, because they have the most to tell.
fn files_of(home: &Home) -> Vec<String> {
    let mut command = home.command();
    let output = command
        .args(["review", "--all", "--format", "json"])
        .output();
    let said: Value = serde_json::from_slice(&output.unwrap().stdout).expect("a review");
    let findings = said["findings"].as_array().unwrap();
    let of = |rule: Option<&str>| -> Vec<String> {
        let fits = findings
            .iter()
            .filter(|one| rule.is_none_or(|rule| one["rule"] == rule));
        fits.map(|one| one["at"]["file"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut files = of(Some(CIRCLE));
    assert!(
        !files.is_empty(),
        "a project without circles tells nothing about rules of the graph"
    );
    let ending = |file: &String| Path::new(file).extension()?.to_str().map(str::to_owned);
    let typed = |file: &String| matches!(ending(file).as_deref(), Some("ts" | "tsx"));
    files.extend(of(None).into_iter().filter(typed));
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    files.truncate(OPEN);
    println!(
        "{} findings in all, {} files open",
        findings.len(),
        files.len()
    );
    files
}

fn open(home: &Home, files: &[String]) -> Editor {
    let mut editor = Editor::start(home, Options::neovim());
    editor.initialize();
    for file in files {
        editor.open(file);
    }
    editor
}

/// From the start of the process to what is shown in the file of a circle.
fn starts(home: &Home, files: &[String], bars: &mut Bars) {
    let first = files.first().expect("a file");
    for (what, bar, cold) in [("cold", 1_200, true), ("warm", 300, false)] {
        let (mut any, mut graph) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            if cold {
                let _none = std::fs::remove_dir_all(home.cache());
            }
            let began = Instant::now();
            let mut editor = open(home, std::slice::from_ref(first));
            editor.wait_until("the first diagnostics", |editor| {
                (!editor.diagnostics(first).items.is_empty()).then_some(())
            });
            any.push(began.elapsed());
            editor.wait_until("a circle", |editor| shows(editor, first, CIRCLE, true));
            graph.push(began.elapsed());
            end(editor);
        }
        any.sort_unstable();
        println!(
            "first diagnostics of the file itself, {what}: median {:.0?}",
            at(&any, 0.5)
        );
        graph.sort_unstable();
        println!("first diagnostics of the graph, {what}: {}", spread(&graph));
        bars.hold(
            &format!("first diagnostics, {what}, median ms"),
            at(&graph, 0.5).as_millis(),
            bar,
        );
    }
}

fn edits(home: &Home, files: &[String], bars: &mut Bars) {
    let mut editor = open(home, files);
    for file in files {
        editor.wait_until("diagnostics of every file", |editor| {
            (!editor.diagnostics(file).items.is_empty()).then_some(())
        });
    }
    editor.wait_until("a circle", |editor| shows(editor, &files[0], CIRCLE, true));
    let local = rounds(&mut editor, files, DEEP, NESTED);
    println!(
        "unsaved edit to diagnostics, a rule about one file: {}",
        spread(&local)
    );
    bars.hold(
        "a rule about one file, p95 ms",
        at(&local, 0.95).as_millis(),
        50,
    );
    let graph = rounds(&mut editor, files, IMPORT, NOWHERE);
    println!(
        "unsaved edit to diagnostics, a new import: {}",
        spread(&graph)
    );
    bars.hold("a new import, p95 ms", at(&graph, 0.95).as_millis(), 150);
    let circle = circles(&mut editor, files);
    println!(
        "unsaved edit to diagnostics, a circle cut and closed: {}",
        spread(&circle)
    );
    bars.hold("a circle, p95 ms", at(&circle, 0.95).as_millis(), 150);
    bars.hold(
        "files published again",
        republished(&mut editor, files) as u128,
        0,
    );
    let memory = editor.peak_memory().expect("the system tells") >> 20;
    bars.hold("peak memory, MB", u128::from(memory), 200);
    end(editor);
}

/// Writes something at the end of one file after the other and takes it away, each time until the client is told.
fn rounds(editor: &mut Editor, files: &[String], text: &str, rule: &str) -> Vec<Duration> {
    let mut took = Vec::new();
    for round in 0..ROUNDS {
        let file = &files[round % files.len()];
        let before = count(editor, file, rule);
        let length = editor.text(file).len();
        for there in [true, false] {
            let began = Instant::now();
            if there {
                append(editor, file, text);
            } else {
                editor.replace(file, text, "");
            }
            editor.wait_until(rule, |editor| {
                (count(editor, file, rule) == before + usize::from(there)).then_some(())
            });
            took.push(began.elapsed());
        }
        assert_eq!(editor.text(file).len(), length);
    }
    took.sort_unstable();
    took
}

/// Takes away the import that a circle is shown at and puts it back.
fn circles(editor: &mut Editor, files: &[String]) -> Vec<Duration> {
    let mut took = Vec::new();
    let cut: Vec<&String> = (files.iter())
        .filter(|file| count(editor, file, CIRCLE) > 0)
        .collect();
    for round in 0..ROUNDS {
        let file = cut[round % cut.len()];
        let items = editor.diagnostics(file).items;
        let shown = items
            .iter()
            .find(|item| item["code"] == CIRCLE)
            .expect("a circle");
        let (import, message) = (
            editor.text_of(file, &shown["range"]),
            shown["message"].clone(),
        );
        let same = |item: &Value| item["code"] == CIRCLE && item["message"] == message;
        // Without a quote it is no import any more.
        let broken = import.replacen(['"', '\''], "", 2);
        for (from, to, there) in [(&import, &broken, false), (&broken, &import, true)] {
            let began = Instant::now();
            editor.replace(file, from, to);
            editor.wait_until(CIRCLE, |editor| {
                let any = editor.diagnostics(file).items.iter().any(same);
                (any == there).then_some(())
            });
            took.push(began.elapsed());
        }
    }
    took.sort_unstable();
    took
}

/// How many files the client is told of again after edits that change nothing.
fn republished(editor: &mut Editor, files: &[String]) -> usize {
    let (still, moving) = (&files[0], &files[files.len() - 1]);
    let sent = |editor: &Editor| {
        editor
            .sent_by_server("textDocument/publishDiagnostics")
            .len()
    };
    let (before, rounds) = (sent(editor), 20);
    for _ in 0..rounds {
        append(editor, still, "// nothing\n");
        editor.settle();
        // What is shown here says that what was typed there has been looked at.
        let nested = count(editor, moving, NESTED);
        for there in [true, false] {
            if there {
                append(editor, moving, DEEP);
            } else {
                editor.replace(moving, DEEP, "");
            }
            editor.wait_until(NESTED, |editor| {
                (count(editor, moving, NESTED) == nested + usize::from(there)).then_some(())
            });
        }
    }
    sent(editor) - before - 2 * rounds
}

fn append(editor: &mut Editor, file: &str, text: &str) {
    let end = editor.text(file).len();
    let text = text.to_owned();
    let (start, end) = (end, end);
    editor.change(file, vec![harness::Change { start, end, text }]);
}

fn count(editor: &Editor, file: &str, rule: &str) -> usize {
    let items = editor.diagnostics(file).items;
    items.iter().filter(|item| item["code"] == rule).count()
}

fn shows(editor: &Editor, file: &str, rule: &str, there: bool) -> Option<()> {
    ((count(editor, file, rule) > 0) == there).then_some(())
}

fn end(mut editor: Editor) {
    editor.take_errors();
    editor.shutdown();
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)]
}

fn spread(sorted: &[Duration]) -> String {
    format!(
        "median {:.1?}, p95 {:.1?}, most {:.1?} of {}",
        at(sorted, 0.5),
        at(sorted, 0.95),
        at(sorted, 1.0),
        sorted.len()
    )
}

/// Figures and how high they may be.
#[derive(Default)]
struct Bars {
    over: usize,
    lines: Vec<String>,
}

impl Bars {
    fn hold(&mut self, what: &str, figure: u128, bar: u128) {
        let holds = figure <= bar;
        self.over += usize::from(!holds);
        let word = if holds { "holds" } else { "OVER" };
        self.lines
            .push(format!("{what:<40} {figure:>6}   bar {bar:>6}   {word}"));
    }

    fn code(&self) -> i32 {
        println!("{}", self.lines.join("\n"));
        i32::from(self.over > 0)
    }
}
