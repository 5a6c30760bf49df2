//! What an index of whole folders costs beside parsing alone.
//!
//! `cargo bench -p workspace --bench corpus -- FOLDER…`; see `docs/benchmarks.md`.
//!
//! Every measurement is a process of its own, so that none finds what another has left in memory, and all of them take
//! turns, so that what else the machine does is spread over all.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark says what it expects bluntly, prints, and starts itself for each measurement"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde_json::{Value, json};
use text::FilePath;
use workspace::{Focus, Step, Store, Workspace};

/// The allocator of the `farthing` binary; `floor` has the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut folders = Vec::new();
    let (mut rounds, mut as_json) = (3, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--json" => as_json = true,
            "--rounds" => rounds = arguments.next().unwrap().parse().unwrap(),
            "--measure" => {
                let what = arguments.next().unwrap();
                let [root, cache] = [(); 2].map(|()| arguments.next().unwrap());
                println!("{}", measure(&what, &root, Path::new(&cache)));
                return;
            }
            _ => folders.push(argument),
        }
    }
    if folders.is_empty() {
        println!("usage: cargo bench -p workspace --bench corpus -- [--json] [--rounds N] FOLDER…");
        return;
    }
    let floor = floor_binary();
    let results: Vec<Value> = folders
        .iter()
        .map(|folder| corpus(folder, rounds, &floor))
        .collect();
    if as_json {
        println!("{}", serde_json::to_string_pretty(&results).unwrap());
    } else {
        table(&results);
    }
}

/// Measures one folder, round after round, and gives the medians.
fn corpus(folder: &str, rounds: usize, floor: &Path) -> Value {
    let root = std::path::absolute(folder).unwrap();
    let root = root.to_str().unwrap();
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); 5];
    let mut last = json!({});
    for _ in 0..rounds {
        let cache = tempfile::tempdir().unwrap();
        let cold = start("cold", root, cache.path());
        let warm = start("warm", root, cache.path());
        let paths = start("paths", root, cache.path());
        let words = start("words", root, tempfile::tempdir().unwrap().path());
        let parsed = parse(floor, &paths["paths"]);
        let seconds = |value: &Value, name: &str| value[name].as_f64().unwrap();
        let all = [
            seconds(&parsed, "seconds"),
            seconds(&cold, "seconds"),
            seconds(&words, "words"),
            seconds(&warm, "seconds"),
            seconds(&words, "seconds"),
        ];
        for (samples, seconds) in samples.iter_mut().zip(all) {
            samples.push(seconds);
        }
        last = json!({
            "files": cold["files"], "bytes": cold["bytes"], "left_out": cold["left_out"],
            "parsed_files": parsed["files"], "parsed_bytes": parsed["bytes"],
            "symbols": cold["symbols"], "references": cold["references"],
            "stored": cold["stored"], "cold_peak": cold["peak"], "cold_resident": cold["resident"],
            "warm_peak": warm["peak"], "warm_read": warm["read"],
        });
    }
    let [parse, cold, words, warm, engine] =
        [0, 1, 2, 3, 4].map(|which| median(&mut samples[which]));
    last["folder"] = Path::new(root).file_name().unwrap().to_str().into();
    last["parse_seconds"] = parse.into();
    last["cold_seconds"] = cold.into();
    last["words_seconds"] = words.into();
    last["warm_seconds"] = warm.into();
    last["server_seconds"] = engine.into();
    last["cold_ratio"] = (cold / parse).into();
    last["words_ratio"] = (words / parse).into();
    last["warm_ratio"] = (warm / parse).into();
    last["server_ratio"] = (engine / parse).into();
    last
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn table(results: &[Value]) {
    println!(
        "| corpus | files | MB | raw parse s | cold | words | server | warm s | warm read | stored B/B | cold peak MB | resident MB | warm peak MB |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for result in results {
        let number = |name: &str| result[name].as_f64().unwrap_or(0.0);
        println!(
            "| {} | {} | {:.1} | {:.2} | {:.2} | {:.3} | {:.2} | {:.3} | {} | {:.2} | {:.0} | {:.0} | {:.0} |",
            result["folder"].as_str().unwrap(),
            result["files"],
            number("bytes") / 1e6,
            number("parse_seconds"),
            number("cold_ratio"),
            number("words_ratio"),
            number("server_ratio"),
            number("warm_seconds"),
            result["warm_read"],
            number("stored") / number("bytes"),
            number("cold_peak") / 1e6,
            number("cold_resident") / 1e6,
            number("warm_peak") / 1e6,
        );
    }
    println!("cold, words and server are multiples of the raw parse");
}

/// One measurement, in this process.
fn measure(what: &str, root: &str, cache: &Path) -> Value {
    let roots = [FilePath::new(root).unwrap()];
    let store = Store::of(cache, &roots);
    let workspace = Mutex::new(Workspace::default());
    workspace.lock().unwrap().begin_scan();
    let words = Mutex::new(None);
    let began = Instant::now();
    let focus: &dyn Fn() -> Focus = &Focus::default;
    let focus = (what == "words").then_some(focus);
    let scan = workspace::scan(
        &roots,
        Some(&store),
        focus,
        &AtomicBool::new(false),
        &|step| {
            if matches!(step, Step::Words(_)) {
                *words.lock().unwrap() = Some(began.elapsed().as_secs_f64());
            }
            workspace.lock().unwrap().take_in(step);
        },
    );
    let seconds = began.elapsed().as_secs_f64();
    let snapshot = workspace.lock().unwrap().snapshot();
    let stats = snapshot.index().stats();
    let paths: Vec<&str> = if what == "paths" {
        snapshot.index().paths().map(FilePath::as_str).collect()
    } else {
        Vec::new()
    };
    json!({
        "seconds": seconds, "files": scan.files, "read": scan.read, "left_out": scan.left_out.len(),
        "bytes": stats.bytes, "symbols": stats.symbols, "references": stats.references, "stored": scan.stored,
        "peak": status("VmHWM:"), "resident": status("VmRSS:"), "paths": paths,
        "words": words.into_inner().unwrap().unwrap_or(seconds),
    })
}

/// A figure that the system has about this process, in bytes; none where it has none.
fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn start(what: &str, root: &str, cache: &Path) -> Value {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--measure", what, root])
        .arg(cache)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn parse(floor: &Path, paths: &Value) -> Value {
    let mut child = Command::new(floor)
        .arg("--paths-on-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for path in paths.as_array().unwrap() {
        writeln!(input, "{}", path.as_str().unwrap()).unwrap();
    }
    drop(input);
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

/// Builds the benchmark that only parses, and says where it is.
fn floor_binary() -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "bench",
            "--package",
            "workspace",
            "--bench",
            "floor",
            "--no-run",
        ])
        .arg("--message-format=json")
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let mut built = output.lines().rev().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "floor").then_some(())?;
        message["executable"].as_str().map(PathBuf::from)
    });
    built.next().unwrap()
}
