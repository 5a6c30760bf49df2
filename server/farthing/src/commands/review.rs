//! `farthing review`: the findings of the editor, for a whole folder.

mod baseline;
mod formats;
mod model;
mod page;
mod picture;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use engine::config::Config;
use engine::{News, findings_of, manifests_of, read_manifests};
use review::{Finding, History, Manifests, Severity};
use text::FilePath;
use workspace::{Past, Store};

use self::baseline::Baseline;
use self::formats::Shown;
use super::cost::replace;
use super::index::scanned;
use super::run::exit_code_of_trouble;
use crate::setup::{Places, configuration};
use crate::ui;

/// What to review and how to say it.
#[derive(Args)]
pub(crate) struct ReviewArgs {
    /// The folder; the workspace that `farthing.toml` is the root of.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// How to print the findings.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Only findings about code that has changed since this revision, as git names it. Without it: since the branch
    /// left the trunk.
    #[arg(long, value_name = "REV", conflicts_with = "model")]
    new_since: Option<String>,
    /// Findings about code that has not changed as well.
    #[arg(long, conflicts_with = "new_since")]
    all: bool,
    /// Leave out the findings that this file lists.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Drop from the baseline what is no longer found; make it from what is found if there is none. It never grows.
    #[arg(long, requires = "baseline")]
    update_baseline: bool,
    /// Write a page with the module graph, the circles and the hotspots to this file, which needs nothing but a browser.
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    html: Option<PathBuf>,
    /// Ask a model as well, about this file or folder, or about the whole folder; for a price that is printed before.
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "")]
    model: Option<String>,
    /// Exit with 1 for observations too, not only for warnings.
    #[arg(long)]
    strict: bool,
}

/// How findings are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: by file, with the related places.
    Text,
    /// One JSON object.
    Json,
    /// The Static Analysis Results Interchange Format, 2.1.0.
    Sarif,
    /// Workflow commands that GitHub shows beside the lines of a pull request.
    Github,
    /// No findings but the import graph, one edge a line: who imports, what, when.
    Edges,
}

/// Leaves out what a baseline lists, after bringing it up to date if that is asked for.
fn leave_out_known(
    args: &ReviewArgs,
    file: &Path,
    root: &FilePath,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<()> {
    let mut baseline = Baseline::read(file)?;
    if args.update_baseline {
        baseline.update(root, findings)?;
    }
    let stale = baseline.apply(root, findings);
    // With only a part of the findings at hand, nothing can be said to be gone.
    if args.new_since.is_none() && stale > 0 {
        ui::note(format!(
            "{}: {stale} entries of {} are no longer found; --update-baseline drops them",
            ui::paint(ui::YELLOW, "warning"),
            file.display()
        ));
    }
    Ok(())
}

/// Where code is new from: what was asked for, or else where the work of now began. None if all code is to be judged,
/// which it is against a list of known findings and on a page about the whole.
fn past_of(args: &ReviewArgs, config: &Config, root: &FilePath) -> anyhow::Result<Option<Past>> {
    if let Some(revision) = &args.new_since {
        return Past::at(root, revision).map(Some);
    }
    let whole = args.all || args.baseline.is_some() || args.html.is_some();
    Ok((config.new_code && !whole && args.format != Format::Edges)
        .then(|| Past::of(root))
        .flatten())
}

/// What the repository tells of the past. What it does not is said, and costs the rules about it and nothing else.
fn history(root: &FilePath, places: &Places) -> History {
    let told = engine::history_of(root, Some(&places.cache), &|| false);
    let (history, lacks) = match told {
        Ok(None) => return History::default(),
        Ok(Some(told)) => (told.history, told.lacks),
        Err(error) => (
            History::default(),
            Some(format!(
                "the history cannot be read, so that rules about it find nothing: {error}"
            )),
        ),
    };
    if let Some(lacks) = lacks {
        ui::note(format!("{}: {lacks}", ui::paint(ui::YELLOW, "warning")));
    }
    history
}

/// Who answers for a file: as the team says, else as its files of owners say.
fn owners_of(
    root: &FilePath,
    file: &FilePath,
    config: &Config,
    manifests: &Manifests,
) -> Vec<String> {
    let path = file.relative_to(root).unwrap_or(file.as_str());
    match config.team.owners_of(path) {
        [] => manifests.owners_of(file).to_vec(),
        people => people.to_vec(),
    }
}

/// Reviews a folder. Exit code 1 if there is something to mend.
pub(crate) fn review(args: &ReviewArgs) -> anyhow::Result<ExitCode> {
    let path = std::path::absolute(&args.path)?;
    anyhow::ensure!(path.is_dir(), "there is no folder {}", path.display());
    let root = FilePath::new(&path)?;
    let roots = [root.clone()];
    let places = Places::find()?;
    let (config, problems) = configuration(&places, None, &roots);
    for problem in &problems {
        ui::note(format!("{}: {problem}", ui::paint(ui::YELLOW, "warning")));
    }
    let began = Instant::now();
    let store = Store::of(&places.cache, &roots);
    let (workspace, scan) = scanned(&roots, Some(&store), &|_| {})?;
    let snapshot = workspace.snapshot();
    let index = snapshot.index();
    let manifests = read_manifests(&manifests_of(index, &scan.others));
    let history = history(&root, &places);
    let past = past_of(args, &config, &root)?;
    let since = past.as_ref().map(|past| past.revision().to_owned());
    let news = past.map(|past| News::since(&root, past)).transpose()?;
    let (mut findings, review) = findings_of(
        &roots,
        index,
        &scan.others,
        &manifests,
        &config,
        &history,
        news.as_ref(),
    );
    let end = match &args.model {
        None => None,
        Some(path) => Some(model::review(&places, &root, path, &mut findings)?),
    };
    if args.format == Format::Edges {
        formats::edges(&root, review.graph())?;
        return Ok(ExitCode::SUCCESS);
    }
    let all = findings.len();
    findings.retain(|finding| finding.severity > Severity::Hint);
    if let Some(since) = since.filter(|_| findings.len() < all) {
        ui::note(format!(
            "{} more about code that has not changed since {}: --all",
            all - findings.len(),
            since.get(..12).unwrap_or(&since)
        ));
    }
    if let Some(file) = &args.baseline {
        leave_out_known(args, file, &root, &mut findings)?;
    }
    let owners = |file: &FilePath| owners_of(&root, file, &config, &manifests);
    let shown = Shown::new(&root, &findings, &owners);
    if let Some(path) = &args.html {
        let line = |finding: &Finding| shown.line(finding);
        let reviewed = page::Reviewed {
            root: &root,
            index,
            review: &review,
            history: &history,
            findings: &findings,
            line: &line,
        };
        replace(path, &page::page(&reviewed))
            .with_context(|| format!("cannot write {}", path.display()))?;
        ui::note(format!("wrote {}", path.display()));
        return Ok(ExitCode::SUCCESS);
    }
    match args.format {
        Format::Text => {
            formats::text(&shown, index.stats().files, began.elapsed())?;
            for (code, tally) in engine::recorded_tallies(places.reviews(), &roots) {
                ui::note(format!(
                    "{code}, by the model, here so far: {}",
                    tally.kept()
                ));
            }
        }
        Format::Json => formats::json(&shown)?,
        Format::Sarif => formats::sarif(&shown)?,
        Format::Github => formats::github(&shown)?,
        Format::Edges => {}
    }
    let least = if args.strict {
        Severity::Information
    } else {
        Severity::Warning
    };
    let fails = |finding: &Finding| finding.severity >= least;
    if let Some(code) = end.as_ref().and_then(exit_code_of_trouble) {
        return Ok(code);
    }
    Ok(if findings.iter().any(fails) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
