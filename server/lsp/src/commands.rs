//! The commands that actions carry. Their arguments come back from the client and are checked like any other input.

use engine::{Engine, HunkId, Launch, Level, Pick, RunId};
use lsp_types::{Command, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use text::FilePath;

use crate::session::Session;

/// Starts a run.
pub(crate) const RUN: &str = "farthing.run";
/// Keeps a hunk.
pub(crate) const KEEP: &str = "farthing.hunk.keep";
/// Takes a hunk back.
pub(crate) const UNDO: &str = "farthing.hunk.undo";
/// Keeps all hunks of a file.
pub(crate) const KEEP_FILE: &str = "farthing.hunk.keepFile";
/// Takes all hunks of a run back.
pub(crate) const UNDO_RUN: &str = "farthing.run.undo";
/// Stops a run.
pub(crate) const CANCEL: &str = "farthing.run.cancel";
/// Explains how to configure a model.
pub(crate) const CONFIGURE: &str = "farthing.configure";
/// Shows what was spent.
pub(crate) const COST: &str = "farthing.cost";

/// All of them: some editors run only what is listed here.
pub(crate) const ALL: &[&str] = &[
    RUN, KEEP, UNDO, KEEP_FILE, UNDO_RUN, CANCEL, CONFIGURE, COST,
];

/// The arguments of every command, each of which uses some.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Arguments {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    launch: Option<Launch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hunk: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
}

/// The command behind an entry of the menu.
pub(crate) fn command(title: &str, pick: &Pick, uri: &Uri) -> Command {
    let uri = Some(uri.0.clone());
    let (name, arguments) = match pick {
        Pick::Launch(launch) => (
            RUN,
            Arguments {
                uri,
                launch: Some(launch.clone()),
                ..Arguments::default()
            },
        ),
        Pick::Keep(hunk) => (
            KEEP,
            Arguments {
                hunk: Some(hunk.to_string()),
                ..Arguments::default()
            },
        ),
        Pick::Undo(hunk) => (
            UNDO,
            Arguments {
                hunk: Some(hunk.to_string()),
                ..Arguments::default()
            },
        ),
        Pick::KeepFile => (
            KEEP_FILE,
            Arguments {
                uri,
                ..Arguments::default()
            },
        ),
        Pick::UndoRun(run) => (
            UNDO_RUN,
            Arguments {
                run: Some(run.clone()),
                ..Arguments::default()
            },
        ),
        Pick::Cancel(run) => (
            CANCEL,
            Arguments {
                run: Some(run.clone()),
                ..Arguments::default()
            },
        ),
        Pick::Configure => (CONFIGURE, Arguments::default()),
    };
    Command {
        title: title.to_owned(),
        tooltip: None,
        command: name.to_owned(),
        arguments: serde_json::to_value(arguments)
            .ok()
            .map(|arguments| vec![arguments]),
    }
}

/// Carries a command out. Answers within milliseconds: whatever takes longer goes on by itself and reports by events.
///
/// A refusal is an ordinary answer and a message, because some editors hide errors and others shout them.
pub(crate) fn execute(
    engine: &Engine,
    session: &Session,
    name: &str,
    arguments: Option<Vec<Value>>,
) -> Value {
    let arguments = arguments
        .and_then(|arguments| arguments.into_iter().next())
        .unwrap_or(json!({}));
    let arguments: Arguments = match serde_json::from_value(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            return refused(
                engine,
                format!("{name}: the arguments are not understood: {error}"),
            );
        }
    };
    let file = arguments
        .uri
        .as_deref()
        .and_then(|uri| session.file(&Uri::from(uri)));
    let hunk = arguments.hunk.as_deref().and_then(|hunk| hunk.parse().ok());
    let done = match name {
        RUN => run(engine, file, arguments.launch),
        KEEP => review(engine, hunk, Decision::Keep),
        UNDO => review(engine, hunk, Decision::Undo),
        KEEP_FILE => file
            .ok_or_else(missing("uri"))
            .map(|file| json!({"kept": engine.keep_file(&file)})),
        UNDO_RUN => undo_run(engine, arguments.run),
        CANCEL => cancel(engine, arguments.run),
        CONFIGURE => {
            engine.notify(Level::Info, engine.how_to_configure());
            Ok(json!({}))
        }
        COST => {
            let engine = engine.clone();
            crate::spawn(async move {
                let summary = engine.purse().summary().await;
                engine.notify(Level::Info, summary);
            });
            Ok(json!({}))
        }
        _ => Err(format!("there is no command {name}")),
    };
    done.unwrap_or_else(|reason| refused(engine, reason))
}

fn refused(engine: &Engine, reason: String) -> Value {
    engine.notify(Level::Warning, reason.clone());
    json!({"started": false, "reason": reason})
}

fn missing(what: &'static str) -> impl FnOnce() -> String {
    move || {
        format!("this command needs `{what}`; pick it from the menu at the place that it is about")
    }
}

fn run(engine: &Engine, file: Option<FilePath>, launch: Option<Launch>) -> Result<Value, String> {
    let (file, launch) = (
        file.ok_or_else(missing("uri"))?,
        launch.ok_or_else(missing("launch"))?,
    );
    let run = engine
        .launch(&file, launch)
        .map_err(|error| error.to_string())?;
    Ok(json!({"run": run}))
}

enum Decision {
    Keep,
    Undo,
}

fn review(engine: &Engine, hunk: Option<HunkId>, decision: Decision) -> Result<Value, String> {
    let hunk = hunk.ok_or_else(missing("hunk"))?;
    let engine = engine.clone();
    crate::spawn(async move {
        let done = match decision {
            Decision::Keep => engine.keep(hunk).await,
            Decision::Undo => engine.undo(hunk).await,
        };
        if let Err(error) = done {
            engine.notify(Level::Warning, error.to_string());
        }
    });
    Ok(json!({}))
}

/// Without a run, the one that is running: some editors send commands without arguments.
fn the_run(engine: &Engine, run: Option<RunId>) -> Result<RunId, String> {
    match (run, engine.running().as_slice()) {
        (Some(run), _) => Ok(run),
        (None, [only]) => Ok(only.id.clone()),
        (None, _) => Err(missing("run")()),
    }
}

fn undo_run(engine: &Engine, run: Option<RunId>) -> Result<Value, String> {
    // One that has ended can be undone as well: without a name, the one that changed something last.
    let run = the_run(engine, run).or_else(|why| engine.last_run().ok_or(why))?;
    let engine = engine.clone();
    crate::spawn(async move {
        if let (undone, Some(error)) = engine.undo_run(&run).await {
            engine.notify(
                Level::Warning,
                format!("{undone} hunks were taken back; then: {error}"),
            );
        }
    });
    Ok(json!({}))
}

fn cancel(engine: &Engine, run: Option<RunId>) -> Result<Value, String> {
    let run = the_run(engine, run)?;
    Ok(json!({"cancelled": engine.cancel(&run)}))
}
