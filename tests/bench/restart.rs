//! What a start costs in a workspace of many files of which none has changed.
//!
//! `cargo bench -p workspace --bench restart -- [--files N] [--rounds N]`; see `docs/benchmarks.md`.
//!
//! The files are made up, small and in several languages, and older than the racy moment before a start. That none is
//! opened is shown twice: the scan says how many it read, and a thousand files get other contents of the same length
//! and time behind its back, of which a start must notice nothing.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, prints, and starts itself for each measurement"
)]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use text::FilePath;
use workspace::{Focus, Store, Workspace};

/// The allocator of the `farthing` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let (mut files, mut rounds) = (100_000, 5);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--files" => files = arguments.next().unwrap().parse().unwrap(),
            "--rounds" => rounds = arguments.next().unwrap().parse().unwrap(),
            "--measure" => {
                let [root, cache] = [(); 2].map(|()| arguments.next().unwrap());
                println!("{}", measure(&root, Path::new(&cache)));
                return;
            }
            _ => {}
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    let (source, cache) = (root.join("source"), root.join("cache"));
    write_files(&source, files);
    let cold = start(&source, &cache);
    assert_eq!(cold["read"].as_u64(), Some(files as u64));
    let changed = change_unnoticed(&source, files);
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let warm = start(&source, &cache);
        assert_eq!(warm["read"], 0, "an unchanged file was read");
        assert_eq!(warm["symbols"], cold["symbols"]);
        assert_eq!(warm["behind_its_back"], 0, "a file was opened");
        seconds.push(warm["seconds"].as_f64().unwrap());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!(
        "files {files}, first start {:.2} s",
        cold["seconds"].as_f64().unwrap()
    );
    println!(
        "next start: median {median:.3} s, best {:.3} s, worst {:.3} s, {:.1} µs a file",
        seconds[0],
        seconds[seconds.len() - 1],
        median * 1e6 / files as f64
    );
    println!(
        "files read: 0; {changed} files with other contents of the same length and time went unnoticed"
    );
}

/// The text of one of the files; `name` is what its function is called.
fn text(number: usize, name: &str) -> (&'static str, String) {
    let other = format!("step_{:06}", number.wrapping_mul(31) % 1000);
    match number % 4 {
        0 => (
            "py",
            format!(
                "from shop import {other}\n\n\ndef {name}(cart, limit):\n    if cart.total > limit:\n        return {other}(cart)\n    return cart\n"
            ),
        ),
        1 => (
            "rs",
            format!(
                "use crate::{other};\n\n/// Says what a cart costs.\npub fn {name}(cart: &Cart, limit: u64) -> u64 {{\n    if cart.total() > limit {{ {other}(cart) }} else {{ limit }}\n}}\n"
            ),
        ),
        2 => (
            "ts",
            format!(
                "import {{ {other} }} from './{other}';\n\nexport function {name}(cart: Cart, limit: number): number {{\n  return cart.total > limit ? {other}(cart) : limit;\n}}\n"
            ),
        ),
        _ => (
            "go",
            format!(
                "package shop\n\n// Says what a cart costs.\nfunc {name}(cart *Cart, limit int) int {{\n\tif cart.Total() > limit {{\n\t\treturn {other}(cart)\n\t}}\n\treturn limit\n}}\n"
            ),
        ),
    }
}

fn path(number: usize, ending: &str) -> String {
    format!(
        "part{:03}/unit{:02}/file{number:06}.{ending}",
        number / 1000,
        number / 40 % 25
    )
}

fn write_files(root: &Path, files: usize) {
    let then = SystemTime::now() - Duration::from_hours(1);
    for number in 0..files {
        let (ending, text) = text(number, &format!("step_{number:06}"));
        let path = root.join(path(number, ending));
        if number % 40 == 0 || !path.parent().unwrap().is_dir() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        fs::write(&path, text).unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
    }
}

/// Changes what is in files, but nothing that the system says about them without opening them.
fn change_unnoticed(root: &Path, files: usize) -> usize {
    let changed = (0..files).step_by((files / 1000).max(1));
    changed
        .map(|number| {
            let (ending, text) = text(number, &format!("gone_{number:06}"));
            let path = root.join(path(number, ending));
            let before = fs::metadata(&path).unwrap();
            assert_eq!(before.len(), text.len() as u64);
            fs::write(&path, text).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(before.modified().unwrap()).unwrap();
        })
        .count()
}

/// One start, in this process.
fn measure(root: &str, cache: &Path) -> Value {
    let roots = [FilePath::new(root).unwrap()];
    let store = Store::of(cache, &roots);
    let workspace = Mutex::new(Workspace::default());
    workspace.lock().unwrap().begin_scan();
    let focus: &dyn Fn() -> Focus = &Focus::default;
    let began = Instant::now();
    let scan = workspace::scan(
        &roots,
        Some(&store),
        Some(focus),
        &AtomicBool::new(false),
        &|step| {
            workspace.lock().unwrap().take_in(step);
        },
    );
    let seconds = began.elapsed().as_secs_f64();
    let snapshot = workspace.lock().unwrap().snapshot();
    let index = snapshot.index();
    json!({
        "seconds": seconds, "read": scan.read, "symbols": index.stats().symbols,
        "behind_its_back": index.definitions("gone_000000").len(),
    })
}

fn start(source: &Path, cache: &Path) -> Value {
    let output = Command::new(std::env::current_exe().unwrap())
        .arg("--measure")
        .args([source, cache])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}
