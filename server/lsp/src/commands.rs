//! The commands that actions carry. Their arguments come back from the client and are checked like any other input.

use engine::{Dismissal, Engine, HunkId, Launch, Level, Page, Pick, RunId, Way};
use lsp_types::{Command, Position, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use text::FilePath;

use crate::pages;
use crate::position::{from_proto, to_proto};
use crate::session::Session;

/// Starts a run.
pub(crate) const RUN: &str = "farthing.run";
/// Keeps a hunk.
pub(crate) const KEEP: &str = "farthing.hunk.keep";
/// Takes a hunk back.
pub(crate) const UNDO: &str = "farthing.hunk.undo";
/// Keeps all hunks of a file.
pub(crate) const KEEP_FILE: &str = "farthing.hunk.keepFile";
/// Shows the next hunk.
pub(crate) const NEXT: &str = "farthing.hunk.next";
/// Shows the previous hunk.
pub(crate) const PREVIOUS: &str = "farthing.hunk.previous";
/// Takes all hunks of a run back.
pub(crate) const UNDO_RUN: &str = "farthing.run.undo";
/// Has the editor show the staged hunks of a run, to pick from.
pub(crate) const PREVIEW: &str = "farthing.run.preview";
/// Shows what a hunk changes, as a document.
pub(crate) const HUNK_CHANGES: &str = "farthing.hunk.show";
/// Shows what a run changes, as a document.
pub(crate) const RUN_CHANGES: &str = "farthing.run.show";
/// Shows what a run did, as a document.
pub(crate) const TRACE: &str = "farthing.run.trace";
/// Stops a run.
pub(crate) const CANCEL: &str = "farthing.run.cancel";
/// Takes a finding of a model for no problem.
pub(crate) const DISMISS: &str = "farthing.finding.dismiss";
/// Explains how to configure a model.
pub(crate) const CONFIGURE: &str = "farthing.configure";
/// Shows what was spent.
pub(crate) const COST: &str = "farthing.cost";

/// All of them: some editors run only what is listed here.
pub(crate) const ALL: &[&str] = &[
    RUN,
    KEEP,
    UNDO,
    KEEP_FILE,
    NEXT,
    PREVIOUS,
    UNDO_RUN,
    PREVIEW,
    HUNK_CHANGES,
    RUN_CHANGES,
    TRACE,
    CANCEL,
    DISMISS,
    CONFIGURE,
    COST,
];

/// Those that answer with a place for the client to show.
pub(crate) const SHOWING: &[&str] = &[NEXT, PREVIOUS, HUNK_CHANGES, RUN_CHANGES, TRACE];

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
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Dismissal>,
    /// Where the cursor is, in the file of `uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
}

impl Arguments {
    fn of(run: &RunId) -> Arguments {
        Arguments {
            run: Some(run.clone()),
            ..Arguments::default()
        }
    }
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
        Pick::Go(hunk, way) => (
            match way {
                Way::Next => NEXT,
                Way::Previous => PREVIOUS,
            },
            Arguments {
                hunk: Some(hunk.to_string()),
                ..Arguments::default()
            },
        ),
        Pick::Preview(run) => (
            PREVIEW,
            Arguments {
                run: Some(run.clone()),
                ..Arguments::default()
            },
        ),
        Pick::Show(page) => match page {
            Page::Hunk(hunk) => (
                HUNK_CHANGES,
                Arguments {
                    hunk: Some(hunk.to_string()),
                    ..Arguments::default()
                },
            ),
            Page::Changes(run) => (RUN_CHANGES, Arguments::of(run)),
            Page::Trace(run) => (TRACE, Arguments::of(run)),
        },
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
        Pick::Dismiss(finding) => (
            DISMISS,
            Arguments {
                uri,
                finding: Some(finding.clone()),
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
            .map(|file| keep_file(engine, file)),
        NEXT => Ok(go(
            engine,
            session,
            file,
            hunk,
            arguments.position,
            Way::Next,
        )),
        PREVIOUS => Ok(go(
            engine,
            session,
            file,
            hunk,
            arguments.position,
            Way::Previous,
        )),
        UNDO_RUN => undo_run(engine, arguments.run),
        PREVIEW => preview(engine, session, arguments.run),
        HUNK_CHANGES => {
            let hunk = hunk.or(session.last_shown()).ok_or_else(missing("hunk"));
            hunk.and_then(|hunk| show(session, &Page::Hunk(hunk)))
        }
        RUN_CHANGES => {
            any_run(engine, arguments.run).and_then(|run| show(session, &Page::Changes(run)))
        }
        TRACE => any_run(engine, arguments.run).and_then(|run| show(session, &Page::Trace(run))),
        CANCEL => cancel(engine, arguments.run),
        DISMISS => dismiss(engine, file, arguments.finding),
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

fn dismiss(
    engine: &Engine,
    file: Option<FilePath>,
    finding: Option<Dismissal>,
) -> Result<Value, String> {
    let (file, finding) = (
        file.ok_or_else(missing("uri"))?,
        finding.ok_or_else(missing("finding"))?,
    );
    if engine.dismiss(&file, &finding) {
        Ok(json!({"dismissed": true}))
    } else {
        Err("there is no such finding any more; nothing was dismissed".to_owned())
    }
}

/// Keeps what has landed at once, and makes what is staged one after the other.
fn keep_file(engine: &Engine, file: FilePath) -> Value {
    let kept = engine.keep_file(&file);
    let engine = engine.clone();
    crate::spawn(async move {
        if let (_, Some(error)) = engine.keep_staged(&file).await {
            engine.notify(Level::Warning, error.to_string());
        }
    });
    json!({ "kept": kept })
}

/// Where the hunk beside a hunk or a place is. Without either, beside the one that was shown last: some editors send
/// commands without arguments.
fn go(
    engine: &Engine,
    session: &Session,
    file: Option<FilePath>,
    hunk: Option<HunkId>,
    position: Option<Position>,
    way: Way,
) -> Value {
    let encoding = session.client().encoding;
    let snapshot = engine.snapshot();
    let cursor = file.zip(position).and_then(|(file, position)| {
        let document = snapshot.open_document(&file)?;
        let offset = from_proto::offset(document.text(), position, encoding);
        Some((file, offset))
    });
    let from = cursor.or_else(|| {
        let hunk = engine.hunk(hunk.or(session.last_shown())?)?;
        Some((hunk.file.clone(), hunk.range().start))
    });
    let from = from.as_ref().map(|(file, offset)| (file, *offset));
    let found = engine.hunk_beside(from, way).and_then(|hunk| {
        let document = snapshot.open_document(&hunk.file)?;
        let range = to_proto::range(document.text(), hunk.range(), encoding);
        session.set_last_shown(hunk.id);
        Some(json!({"uri": session.uri_of(&hunk.file), "range": range}))
    });
    found.unwrap_or_else(|| {
        engine.notify(Level::Info, "no hunk waits for a decision");
        json!({})
    })
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

/// Without a run, the one that is running, or else the one that changed something last.
fn any_run(engine: &Engine, run: Option<RunId>) -> Result<RunId, String> {
    the_run(engine, run).or_else(|why| engine.last_run().ok_or(why))
}

fn show(session: &Session, page: &Page) -> Result<Value, String> {
    if session.client().shows_pages() {
        Ok(json!({"uri": pages::uri_of(page), "range": null}))
    } else {
        Err(
            "this editor shows no documents of a server; the hover on a hunk has its difference"
                .to_owned(),
        )
    }
}

fn undo_run(engine: &Engine, run: Option<RunId>) -> Result<Value, String> {
    // One that has ended can be undone as well.
    let run = any_run(engine, run)?;
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

fn preview(engine: &Engine, session: &Session, run: Option<RunId>) -> Result<Value, String> {
    if !session.client().previews() {
        return Err("this editor has no preview to pick from".to_owned());
    }
    let run = any_run(engine, run)?;
    let engine = engine.clone();
    crate::spawn(async move {
        if let Err(error) = engine.preview(&run).await {
            engine.notify(Level::Warning, error.to_string());
        }
    });
    Ok(json!({}))
}

fn cancel(engine: &Engine, run: Option<RunId>) -> Result<Value, String> {
    let run = the_run(engine, run)?;
    Ok(json!({"cancelled": engine.cancel(&run)}))
}
