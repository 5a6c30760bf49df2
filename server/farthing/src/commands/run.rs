//! `farthing run`: an action without an editor.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use agent::{Action, End};
use anyhow::Context as _;
use clap::Args;
use engine::{Engine, Event, Launch, Pick, RunId};
use serde_json::json;
use text::{FilePath, Text};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::commands::headless::{Headless, tell};
use crate::place::At;
use crate::ui;

/// What to run, where, and what to do with the result.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// The action: simplify, extract, faster, harden, tests, document or comment.
    #[arg(value_parser = action)]
    action: Action,
    /// The place: FILE:LINE or FILE:LINE:COLUMN, both counted from 1.
    at: At,
    /// Show the diff. This is the default.
    #[arg(long, conflicts_with = "apply")]
    diff: bool,
    /// Write the result to the file, in one step: it is the old file or the new one at every moment.
    #[arg(long)]
    apply: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

fn action(id: &str) -> Result<Action, String> {
    Action::from_id(id).ok_or_else(|| {
        let known: Vec<_> = Action::all().iter().map(|action| action.id()).collect();
        format!("there is no action {id}; there are {}", known.join(", "))
    })
}

/// Runs an action to its end.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let file = args.at.file()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut headless = Headless::open(&file).await?;
        let engine = headless.engine.clone();
        let range = args.at.range(&headless.text)?;
        let launch = pick(&headless, &file, range, args.action)?;
        let run = engine.launch(&file, launch)?;
        to_its_end(&engine, &run, &mut headless.events, !args.json).await?;
        let summary = engine.run(&run).context("the run is not known any more")?;
        let after = headless.editor.text().unwrap_or_else(|| headless.text.clone());
        engine.shutdown().await;
        let end = summary.end.clone().context("the run has no end")?;
        let diff = unified(&file, &headless.text, &after);
        let changed = after != headless.text;
        if args.apply && changed {
            replace(&file, &headless.text, &after)?;
        }
        if args.json {
            ui::json(&json!({
                "run": run, "action": summary.action, "symbol": summary.symbol, "file": file, "end": end,
                "hunks": summary.hunks, "cost": summary.cost.exact(), "cost_picodollars": summary.cost,
                "estimate": summary.estimate, "tokens": summary.tokens, "diff": diff, "applied": args.apply && changed,
            }))?;
        } else if args.apply {
            ui::line(if changed { format!("wrote {file}") } else { "nothing to write".to_owned() })?;
        } else {
            write!(anstream::stdout(), "{}", ui::diff(&diff))?;
        }
        Ok(exit_code(&end))
    })
}

/// Follows a run to its end, which the user can bring about by interrupting. `shown` is whether it is told.
pub(crate) async fn to_its_end(
    engine: &Engine,
    run: &RunId,
    events: &mut UnboundedReceiver<Event>,
    shown: bool,
) -> anyhow::Result<()> {
    let mut interrupted = false;
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = tokio::signal::ctrl_c(), if !interrupted => {
                interrupted = true;
                engine.cancel(run);
                continue;
            }
        };
        match event {
            Some(Event::RunProgress { message, .. }) if shown => {
                ui::note(ui::paint(ui::DIM, message));
            }
            Some(Event::Notice(level, text)) => tell(level, &text),
            Some(Event::RunEnded { message, .. }) => {
                if shown {
                    ui::note(message);
                }
                return Ok(());
            }
            Some(_) => {}
            None => anyhow::bail!("the engine ended before the run did"),
        }
    }
}

/// What the menu has for this action at this place, which is what the user would have picked.
fn pick(
    headless: &Headless,
    file: &FilePath,
    range: text::Range,
    action: Action,
) -> anyhow::Result<Launch> {
    let menu = headless
        .engine
        .menu(&headless.engine.snapshot(), file, range, &[]);
    let mut launches = menu.items.into_iter().filter_map(|item| match item.pick {
        Pick::Launch(launch) => Some(launch),
        _ => None,
    });
    match launches.find(|launch| launch.action == action) {
        Some(launch) => Ok(launch),
        None if !headless.engine.is_configured() => {
            anyhow::bail!("{}", headless.engine.how_to_configure())
        }
        None => anyhow::bail!(
            "{action} is not offered here; `farthing actions FILE:LINE` lists what is"
        ),
    }
}

fn unified(file: &FilePath, before: &Text, after: &Text) -> String {
    let (before, after) = (before.to_string(), after.to_string());
    let name = file.as_str().trim_start_matches('/');
    similar::TextDiff::from_lines(&before, &after)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// Writes `after` in place of `before`, unless somebody else has written meanwhile.
///
/// A link stays a link: what it leads to is replaced.
fn replace(file: &FilePath, before: &Text, after: &Text) -> anyhow::Result<()> {
    let current = workspace::read(file)?;
    anyhow::ensure!(
        current == *before,
        "{file} was changed by another program during the run; nothing was written"
    );
    let path =
        std::fs::canonicalize(file.as_path()).with_context(|| format!("cannot find {file}"))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let writing = || format!("cannot write {file}");
    let permissions = std::fs::metadata(&path)
        .with_context(writing)?
        .permissions();
    anyhow::ensure!(
        !permissions.readonly(),
        "{file} is read-only; nothing was written"
    );
    remove_old_drafts(folder, file.file_name());
    let mut draft = tempfile::Builder::new()
        .prefix(&format!(".{}.", file.file_name()))
        .suffix(DRAFT)
        .tempfile_in(folder)
        .with_context(writing)?;
    for chunk in after.chunks() {
        draft.write_all(chunk.as_bytes()).with_context(writing)?;
    }
    draft
        .as_file()
        .set_permissions(permissions)
        .with_context(writing)?;
    draft.as_file().sync_all().with_context(writing)?;
    draft.persist(&path).with_context(writing)?;
    Ok(())
}

/// How the names of files end that are written beside the one they are to replace.
const DRAFT: &str = ".farthing-draft";

/// A draft this old was left by a process that was killed.
const DRAFT_AGE: Duration = Duration::from_mins(10);

/// Removes the drafts of a file that processes left which were killed.
fn remove_old_drafts(folder: &Path, name: &str) {
    let prefix = format!(".{name}.");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let is_draft = (entry.file_name().to_str())
            .is_some_and(|name| name.starts_with(&prefix) && name.ends_with(DRAFT));
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = || written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > DRAFT_AGE));
        if is_draft && is_old() {
            // What cannot be removed disturbs nobody.
            _ = std::fs::remove_file(entry.path());
        }
    }
}

fn exit_code(end: &End) -> ExitCode {
    match end {
        End::Failed { .. } => ExitCode::FAILURE,
        other => exit_code_of_trouble(other).unwrap_or(ExitCode::SUCCESS),
    }
}

/// The exit code of a run that did not come to its end; that of one that failed is for the command to say.
pub(crate) fn exit_code_of_trouble(end: &End) -> Option<ExitCode> {
    match end {
        End::Completed { .. } => None,
        End::Failed { .. } => Some(ExitCode::from(2)),
        End::OutOfBudget { .. } => Some(ExitCode::from(3)),
        End::Cancelled => Some(ExitCode::from(130)),
    }
}
