//! An engine without an editor, for one file.

use std::sync::Arc;

use anyhow::Context as _;
use engine::{Engine, Event, HeadlessEditor, Level};
use text::{FilePath, Text};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::setup::{self, Places};
use crate::ui;

/// An engine with one document open and its workspace indexed.
pub(crate) struct Headless {
    pub(crate) engine: Engine,
    pub(crate) editor: Arc<HeadlessEditor>,
    pub(crate) events: UnboundedReceiver<Event>,
    pub(crate) text: Text,
}

impl Headless {
    /// Opens `file` and waits until its workspace is indexed. Every question of a run is answered with no.
    pub(crate) async fn open(file: &FilePath) -> anyhow::Result<Headless> {
        Headless::open_with(file, None).await
    }

    /// The same with a way to answer the questions of a run.
    pub(crate) async fn open_with(
        file: &FilePath,
        answer: Option<fn(&str) -> bool>,
    ) -> anyhow::Result<Headless> {
        let text = workspace::read(file)?;
        let places = Places::find()?;
        let (sender, mut events) = unbounded_channel();
        let report = move |event| {
            // Whoever listens has heard enough.
            let _gone = sender.send(event);
        };
        let editor = match answer {
            Some(answer) => HeadlessEditor::with_user(report, answer),
            None => HeadlessEditor::new(report),
        };
        let engine = setup::engine(&places, editor.clone(), None)?;
        let root = workspace_of(file).context("the file is in no folder")?;
        engine.set_roots(vec![root], false);
        editor.open(&engine, file, text.clone());
        while let Some(event) = events.recv().await {
            match event {
                Event::Indexing { complete: true, .. } => break,
                Event::Notice(level, text) => tell(level, &text),
                _ => {}
            }
        }
        Ok(Headless {
            engine,
            editor,
            events,
            text,
        })
    }
}

/// Prints what the engine has to say to the user.
pub(crate) fn tell(level: Level, text: &str) {
    match level {
        Level::Log => {}
        Level::Info => ui::note(text),
        Level::Warning => ui::note(format!("{}: {text}", ui::paint(ui::YELLOW, "warning"))),
        Level::Error => ui::note(format!("{}: {text}", ui::paint(ui::RED, "error"))),
    }
}

/// The folder that holds the project of a file: the nearest one above it with a sign of being one, else the file's own.
fn workspace_of(file: &FilePath) -> Option<FilePath> {
    const SIGNS: &[&str] = &["farthing.toml", ".git", ".hg", ".jj", ".svn"];
    let own = file.parent()?;
    let mut folder = own.clone();
    loop {
        if SIGNS
            .iter()
            .any(|sign| folder.as_path().join(sign).exists())
        {
            return Some(folder);
        }
        match folder.parent() {
            Some(parent) if parent != folder => folder = parent,
            _ => return Some(own),
        }
    }
}
