//! `farthing index`: what is in a folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use text::FilePath;
use workspace::{Scan, Step, Store, Watcher, Workspace};

use crate::setup::Places;
use crate::ui;

#[derive(clap::Args)]
pub(crate) struct IndexArgs {
    /// The folder.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Print JSON instead of text; with --watch, each change is one line.
    #[arg(long)]
    json: bool,
    /// Go on and say what changes, until interrupted.
    #[arg(long)]
    watch: bool,
    /// Say why this file is in the index of the folder, or is not.
    #[arg(long, value_name = "FILE", conflicts_with = "watch")]
    explain: Option<PathBuf>,
    /// Read every file, whatever is known from the last time, and keep nothing for the next.
    #[arg(long)]
    fresh: bool,
}

/// Indexes a folder and prints the counts.
pub(crate) fn index(args: &IndexArgs) -> anyhow::Result<ExitCode> {
    let root = existing(&args.path)?;
    if let Some(file) = &args.explain {
        return explain(&root, &existing(file)?, args.json);
    }
    let roots = [root];
    let store = if args.fresh {
        None
    } else {
        Some(Store::of(&Places::find()?.cache, &roots))
    };
    if args.watch {
        return watch(&roots, store.as_ref(), args.json);
    }
    let began = Instant::now();
    let (workspace, scan) = scanned(&roots, store.as_ref(), &|_| {})?;
    print(&workspace, &scan, began.elapsed(), args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn existing(path: &Path) -> anyhow::Result<FilePath> {
    let path = std::path::absolute(path)?;
    anyhow::ensure!(path.exists(), "there is no {}", path.display());
    Ok(FilePath::new(&path)?)
}

fn explain(root: &FilePath, file: &FilePath, as_json: bool) -> anyhow::Result<ExitCode> {
    let why = workspace::explain(std::slice::from_ref(root), file);
    if as_json {
        ui::json(&serde_json::to_value(&why)?)?;
    } else {
        ui::line(format!("{file}: {why}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes in folders, with a bar while it takes long. `enter` is told of each folder before it is looked into.
pub(super) fn scanned(
    roots: &[FilePath],
    store: Option<&Store>,
    enter: &(dyn Fn(&FilePath) + Sync),
) -> anyhow::Result<(Workspace, Scan)> {
    let began = Instant::now();
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} files {elapsed}")
            .context("the bar's template")?,
    );
    // A folder that is done at once needs no bar.
    let shown_after = Duration::from_millis(300);
    let workspace = Mutex::new(Workspace::default());
    let lock = || workspace.lock().unwrap_or_else(PoisonError::into_inner);
    lock().begin_scan();
    let stop = AtomicBool::new(false);
    let scan = workspace::scan(roots, store, None, &stop, &|step| {
        if let Step::Progress(done, found) = step
            && began.elapsed() > shown_after
        {
            bar.set_length(found as u64);
            bar.set_position(done as u64);
        }
        match step {
            Step::Folder(folder) => enter(&folder),
            step => lock().take_in(step),
        }
    });
    bar.finish_and_clear();
    let workspace = workspace
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    Ok((workspace, scan))
}

fn print(workspace: &Workspace, scan: &Scan, took: Duration, as_json: bool) -> anyhow::Result<()> {
    let stats = workspace.snapshot().index().stats();
    let seconds = took.as_secs_f64();
    let peak = peak_memory();
    if as_json {
        return ui::json(&json!({
            "files": stats.files, "read": scan.read, "symbols": stats.symbols, "references": stats.references,
            "imports": stats.imports, "bytes": stats.bytes, "languages": stats.languages,
            "skipped": scan.left_out.len(), "left_out": scan.left_out.iter().collect::<Vec<_>>(),
            "seconds": seconds, "memory_bytes": stats.memory, "stored_bytes": scan.stored, "peak_memory_bytes": peak,
        }));
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
        "{} files ({} read), {} symbols, {} references, {} imports in {seconds:.2} s{}",
        stats.files,
        scan.read,
        stats.symbols,
        stats.references,
        stats.imports,
        peak.map(|bytes| format!(", {:.0} MB at most", bytes as f64 / 1e6))
            .unwrap_or_default()
    ))?;
    if !scan.left_out.is_empty() {
        ui::line(ui::paint(
            ui::DIM,
            format!(
                "{} files left out; --explain FILE says why",
                scan.left_out.len()
            ),
        ))?;
    }
    Ok(())
}

/// Takes in what changes on disk and says so, until the program is interrupted.
fn watch(roots: &[FilePath], store: Option<&Store>, as_json: bool) -> anyhow::Result<ExitCode> {
    let (sender, changes) = channel();
    let watcher = Watcher::start(roots.to_vec(), move |change| {
        _ = sender.send(change);
    })?;
    loop {
        let began = Instant::now();
        let (mut workspace, scan) = scanned(roots, store, &|folder| watcher.watch(folder))?;
        let unwatched = watcher.unwatched();
        anyhow::ensure!(
            unwatched == 0,
            "{unwatched} folders cannot be watched; raise the system's limit (fs.inotify.max_user_watches on Linux)"
        );
        print(&workspace, &scan, began.elapsed(), as_json)?;
        loop {
            let change = changes.recv()?;
            let began = Instant::now();
            if change.rescan {
                break;
            }
            let mut files: BTreeSet<FilePath> = BTreeSet::new();
            for path in &change.gone {
                files.extend(workspace.snapshot().index().inside(path));
                workspace.forget_all(path);
            }
            for file in change.files {
                match workspace::facts_on_disk(roots, &file) {
                    Some(facts) => _ = workspace.index_file(&file, facts, None),
                    None if !workspace.snapshot().index().contains(&file) => continue,
                    None => _ = workspace.forget(&file),
                }
                files.insert(file);
            }
            if !files.is_empty() {
                changed(&workspace, &files, began.elapsed(), as_json)?;
            }
        }
    }
}

fn changed(
    workspace: &Workspace,
    files: &BTreeSet<FilePath>,
    took: Duration,
    as_json: bool,
) -> anyhow::Result<()> {
    let stats = workspace.snapshot().index().stats();
    if as_json {
        let change = json!({
            "changed": files, "files": stats.files, "symbols": stats.symbols, "references": stats.references,
            "seconds": took.as_secs_f64(),
        });
        // One object a line, for whoever reads along.
        return Ok(ui::line(change)?);
    }
    let named: Vec<&str> = files.iter().take(3).map(FilePath::file_name).collect();
    let more = if files.len() > named.len() {
        format!(" and {} more", files.len() - named.len())
    } else {
        String::new()
    };
    ui::line(format!(
        "{}{more} in {:.1} ms: {} files, {} symbols, {} references",
        named.join(", "),
        took.as_secs_f64() * 1e3,
        stats.files,
        stats.symbols,
        stats.references
    ))?;
    Ok(())
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
