//! How long the light bulb takes, measured as an editor feels it: over the pipe, at random places of a real crate, with
//! a keystroke before every tenth request.
//!
//! `cargo bench -p farthing --bench menu`; see `docs/benchmarks.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, and prints"
)]

#[path = "../e2e/harness/mod.rs"]
mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{Editor, Home, Options};
use serde_json::{Value, json};

const REQUESTS: usize = 1000;

fn main() {
    let home = Home::new();
    let files = copy(&crate_sources("clap_builder"), &home);
    let began = Instant::now();
    // The key is never sent anywhere: a menu makes no connection.
    let mut editor = Editor::start(&home, Options::neovim().env("ANTHROPIC_API_KEY", "unused"));
    editor.initialize();
    let started = began.elapsed();
    for file in &files {
        editor.open(file);
    }
    editor.wait_for("the end of indexing", |message| {
        message["method"] == "$/progress" && message["params"]["value"]["kind"] == "end"
    });
    let indexed = began.elapsed();

    let mut random = Random(0x5eed);
    // The floor: a request of the same path that finds nothing to say.
    let floor = measure(200, || {
        let file = &files[random.below(files.len())];
        let place = json!({"line": 1_000_000, "character": 0});
        let params = json!({"textDocument": {"uri": editor.uri(file)}, "position": place});
        let at = Instant::now();
        editor.request("textDocument/hover", params);
        at.elapsed()
    });
    let mut offered = 0;
    let mut number = 0;
    let menus = measure(REQUESTS, || {
        let file = files[random.below(files.len())].clone();
        let lines = editor.text(&file).lines().count().max(1);
        let line = random.below(lines);
        number += 1;
        if number % 10 == 0 {
            let first = editor.text(&file).lines().next().unwrap_or("").to_owned();
            if !first.is_empty() {
                editor.type_before(&file, &first, " ");
            }
        }
        let place = json!({"line": line, "character": 8});
        let params = json!({
            "textDocument": {"uri": editor.uri(&file)},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": [], "triggerKind": 1},
        });
        let at = Instant::now();
        let answer: Value = editor.request("textDocument/codeAction", params);
        let took = at.elapsed();
        offered += answer.as_array().map_or(0, Vec::len);
        took
    });
    println!("files open                 {}", files.len());
    println!("initialize, from a cold process   {started:.1?}");
    println!("indexed after              {indexed:.1?}");
    println!("actions offered            {offered} in {REQUESTS} requests");
    show("hover with nothing to say", &floor);
    show("textDocument/codeAction", &menus);
    let ratio = at(&menus, 0.5).as_secs_f64() / at(&floor, 0.5).as_secs_f64();
    println!("median menu / median floor {ratio:.1}");
    let p99 = at(&menus, 0.99);
    editor.take_errors();
    editor.shutdown();
    if p99 > Duration::from_millis(20) {
        println!("p99 is over the limit of 20 ms");
        std::process::exit(1);
    }
}

fn measure(times: usize, mut one: impl FnMut() -> Duration) -> Vec<Duration> {
    let mut took: Vec<Duration> = (0..times).map(|_| one()).collect();
    took.sort_unstable();
    took
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)]
}

fn show(what: &str, sorted: &[Duration]) {
    println!(
        "{what:<26} median {:.2?}, p95 {:.2?}, p99 {:.2?}, most {:.2?}",
        at(sorted, 0.5),
        at(sorted, 0.95),
        at(sorted, 0.99),
        at(sorted, 1.0)
    );
}

/// The sources of a dependency that Cargo.lock pins.
fn crate_sources(name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline"])
        .output()
        .unwrap();
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == name)
        .expect("a dependency of that name");
    Path::new(package["manifest_path"].as_str().unwrap())
        .parent()
        .unwrap()
        .to_owned()
}

fn copy(from: &Path, home: &Home) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![from.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(from)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                home.write(&name, &std::fs::read_to_string(&path).unwrap());
                files.push(name);
            }
        }
    }
    files.sort();
    files
}

/// A linear congruential generator: the same places every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
