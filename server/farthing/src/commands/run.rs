//! `farthing run`: an action without an editor.

mod write;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use agent::{Action, End};
use anyhow::Context as _;
use clap::Args;
use engine::{Engine, Event, FileStep, Launch, Pick, RunId};
use serde_json::{Value, json};
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
    /// Write the result to the file, in one step: it is the old file or the new one at every moment. The same holds for
    /// each file that the run makes, renames or deletes.
    #[arg(long)]
    apply: bool,
    /// Allow whatever the run asks for: a wider scope, other files to be made, renamed or deleted, changes of files that
    /// builds execute. Without it you are asked on a terminal, and elsewhere the answer is no.
    #[arg(long)]
    yes: bool,
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
        let mut headless = Headless::open_with(&file, answer(args.yes)).await?;
        let engine = headless.engine.clone();
        let range = args.at.range(&headless.text)?;
        let launch = pick(&headless, &file, range, args.action)?;
        let run = engine.launch(&file, launch)?;
        to_its_end(&engine, &run, &mut headless.events, !args.json).await?;
        let summary = engine.run(&run).context("the run is not known any more")?;
        let after = headless.editor.text().unwrap_or_else(|| headless.text.clone());
        engine.shutdown().await;
        let end = summary.end.clone().context("the run has no end")?;
        let steps = headless.editor.steps();
        let mut diff = unified(&file, &headless.text, &after);
        for step in &steps {
            diff.push_str(&shown(step));
        }
        let changed = after != headless.text || !steps.is_empty();
        if args.apply && changed {
            write::all(&steps, (&file, &headless.text, &after))?;
        }
        if args.json {
            ui::json(&json!({
                "run": run, "action": summary.action, "symbol": summary.symbol, "file": file, "end": end,
                "hunks": summary.hunks, "cost": summary.cost.exact(), "cost_picodollars": summary.cost,
                "estimate": summary.estimate, "tokens": summary.tokens, "diff": diff, "applied": args.apply && changed,
                "files": steps.iter().map(told).collect::<Vec<_>>(),
            }))?;
        } else if args.apply {
            if after != headless.text {
                ui::line(format!("wrote {file}"))?;
            }
            for step in &steps {
                ui::line(words(step))?;
            }
            if !changed {
                ui::line("nothing to write")?;
            }
        } else {
            write!(anstream::stdout(), "{}", ui::diff(&diff))?;
        }
        Ok(exit_code(&end))
    })
}

/// How the questions of a run are answered: by `--yes`, by the user at a terminal, or not at all.
fn answer(yes: bool) -> Option<fn(&str) -> bool> {
    if yes {
        return Some(|question| {
            ui::note(format!("{question} (allowed by --yes)"));
            true
        });
    }
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    terminal.then_some(|question| {
        ui::note(format!("{question}\nAllow it? [y/N]"));
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.is_ok() && ["y", "yes"].contains(&line.trim().to_lowercase().as_str())
    })
}

/// A change of a whole file as a difference.
fn shown(step: &FileStep) -> String {
    match step {
        FileStep::Create(file, text) => unified(file, &Text::from(""), text),
        FileStep::Rename(from, to) => format!("rename from {from}\nrename to {to}\n"),
        FileStep::Delete(file, _) => format!("delete {file}\n"),
    }
}

/// A change of a whole file in words, once it is made.
fn words(step: &FileStep) -> String {
    match step {
        FileStep::Create(file, _) => format!("made {file}"),
        FileStep::Rename(from, to) => format!("renamed {from} to {to}"),
        FileStep::Delete(file, _) => format!("deleted {file}"),
    }
}

/// A change of a whole file for programs.
fn told(step: &FileStep) -> Value {
    match step {
        FileStep::Create(file, _) => json!({"made": file}),
        FileStep::Rename(from, to) => json!({"renamed": from, "to": to}),
        FileStep::Delete(file, _) => json!({"deleted": file}),
    }
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
