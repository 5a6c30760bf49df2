//! The review by a model, without an editor.

use agent::{Action, End};
use anyhow::Context as _;
use engine::{Engine, Event, HeadlessEditor, Launch};
use review::Finding;
use text::FilePath;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::commands::headless::tell;
use crate::commands::run::to_its_end;
use crate::setup::{self, Places};
use crate::ui;

/// Has a model review a file or folder, and adds what holds of this and earlier reviews to `findings`.
///
/// `path` is as the user has typed it; if it is empty, the whole of `root` is reviewed.
pub(super) fn review(
    places: &Places,
    root: &FilePath,
    path: &str,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<End> {
    let subject = subject(root, path)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (engine, mut events) = open(places, root).await?;
        let launch = Launch::new(Action::Review, &subject);
        let estimate = engine.price_of_review(&subject)?;
        ui::note(format!("{} · {}", launch.title(), estimate.title()));
        let run = engine.launch(root, launch)?;
        to_its_end(&engine, &run, &mut events, true).await?;
        let summary = engine.run(&run);
        findings.extend(engine.model_findings());
        engine.shutdown().await;
        findings.sort_by(|a, b| {
            (&a.file, a.range.start, a.rule).cmp(&(&b.file, b.range.start, b.rule))
        });
        summary
            .and_then(|summary| summary.end)
            .context("the run has no end")
    })
}

/// The path of what is to be reviewed from the root.
fn subject(root: &FilePath, path: &str) -> anyhow::Result<String> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let place = FilePath::new(std::path::absolute(path)?)?;
    if place == *root {
        return Ok(String::new());
    }
    let inside = place.is_inside(root).then(|| place.relative_to(root));
    let relative = inside
        .flatten()
        .with_context(|| format!("{place} is not inside {root}, which is to be reviewed"))?;
    Ok(relative.to_owned())
}

/// An engine whose workspace has been indexed and reviewed.
async fn open(
    places: &Places,
    root: &FilePath,
) -> anyhow::Result<(Engine, UnboundedReceiver<Event>)> {
    let (sender, events) = unbounded_channel();
    let editor = HeadlessEditor::new(move |event| {
        // What would have to be shown in an editor is no news here.
        if !matches!(event, Event::Indexing { .. } | Event::Markers(_)) {
            let _gone = sender.send(event);
        }
    });
    let engine = setup::engine(places, editor, None)?;
    anyhow::ensure!(engine.is_configured(), "{}", engine.how_to_configure());
    engine.set_roots(vec![root.clone()], false);
    engine.until_reviewed().await;
    let mut events = events;
    while let Ok(event) = events.try_recv() {
        if let Event::Notice(level, text) = event {
            tell(level, &text);
        }
    }
    Ok((engine, events))
}
