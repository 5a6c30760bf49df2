//! `farthing index`: what is in a folder.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use index::Index;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use text::FilePath;

use crate::ui;

/// Indexes a folder once and prints the counts.
pub(crate) fn index(path: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let path = std::path::absolute(path)?;
    anyhow::ensure!(path.exists(), "there is no {}", path.display());
    let root = FilePath::new(&path)?;
    let began = Instant::now();
    let joined = Mutex::new(Index::default());
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} files {elapsed}")
            .context("the bar's template")?,
    );
    // A folder that is done at once needs no bar.
    let shown_after = Duration::from_millis(300);
    let scan = workspace::scan(&[root], &AtomicBool::new(false), &|scanned| {
        let (done, found) = scanned.progress;
        joined
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(scanned.file, scanned.facts);
        if done.is_multiple_of(64) && began.elapsed() > shown_after {
            bar.set_length(found as u64);
            bar.set_position(done as u64);
        }
    });
    bar.finish_and_clear();
    let stats = joined
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .stats();
    let seconds = began.elapsed().as_secs_f64();
    let skipped: usize = scan.skipped.values().sum();
    let peak = peak_memory();
    if as_json {
        ui::json(&json!({
            "files": stats.files, "symbols": stats.symbols, "references": stats.references, "imports": stats.imports,
            "bytes": stats.bytes, "languages": stats.languages, "skipped": skipped, "seconds": seconds,
            "peak_memory_bytes": peak,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![vec!["language".to_owned(), "files".to_owned()]];
    rows.extend(
        stats
            .languages
            .iter()
            .map(|(language, files)| vec![(*language).to_string(), files.to_string()]),
    );
    ui::line(ui::table(&rows, &[false, true]))?;
    ui::line(format!(
        "{} files, {} symbols, {} references, {} imports in {seconds:.2} s{}",
        stats.files,
        stats.symbols,
        stats.references,
        stats.imports,
        peak.map(|bytes| format!(", {:.0} MB at most", bytes as f64 / 1e6))
            .unwrap_or_default()
    ))?;
    if skipped > 0 {
        ui::line(ui::paint(
            ui::DIM,
            format!("{skipped} files left out: too large, not UTF-8, or not readable"),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The most memory this process has held, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
