//! The one task that sends what is not a reply: markers, progress, messages. One sender, so that order is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::config::Surfaces;
use engine::{Engine, Event, HunkId, Level, MarkerKind, Markers, RunId, Spending};
use lsp_types::{
    Diagnostic, LspNotificationMethod, MessageDirection, MessageType, Notification,
    ProgressNotification, ProgressParams, ProgressToken, TextDocumentContentRefreshParams,
    TextDocumentContentRefreshRequest, Uri,
};
use serde_json::{Value, json};
use text::FilePath;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tower_lsp::Client;

use crate::session::Session;
use crate::{capabilities, pages, publish};

/// Between two publications of markers there is at least so much time, so that a burst of news costs one message. The first
/// of it is published at once: nobody should wait for what is known.
const MARKERS_EVERY: Duration = Duration::from_millis(25);
/// Progress is reported at most this often; editors redraw on each report.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// A client that does not answer `window/workDoneProgress/create` by then is shown no progress.
const CREATE_TIMEOUT: Duration = Duration::from_secs(2);
/// The progress token of the first pass over the disk; those of later ones have a number behind it.
const INDEXING: &str = "farthing/indexing";

/// What the outbox takes.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something the engine has to say.
    Event(Event),
    /// The client agreed to a progress token, or did not.
    Created {
        /// The token.
        token: String,
        /// Whether progress may be sent for it.
        shown: bool,
    },
    /// The session ends: what was said before is sent, and nothing after it.
    Close(oneshot::Sender<()>),
}

/// A client that does not read is not waited for at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Has the outbox send what it was told so far and then nothing more, ever.
pub(crate) async fn close(outbox: &UnboundedSender<Message>) {
    let (told, closed) = oneshot::channel();
    if outbox.send(Message::Close(told)).is_ok() {
        // It says so, or is dropped with what it had; either way it is silent.
        let _silent = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
    }
}

/// Tells the client what was spent; see `docs/protocol.md`.
pub(crate) enum SpendingNotification {}

impl Notification for SpendingNotification {
    type Params = Value;
    const METHOD: LspNotificationMethod<'static> = LspNotificationMethod::new("farthing/spending");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
}

/// The progress token of a run.
pub(crate) fn token_of(run: &RunId) -> String {
    format!("farthing/run/{run}")
}

/// The run that a progress token belongs to.
pub(crate) fn run_of(token: &ProgressToken) -> Option<RunId> {
    match token {
        ProgressToken::String(token) => token.strip_prefix("farthing/run/")?.parse().ok(),
        ProgressToken::Int(_) => None,
    }
}

/// Sends what the engine says until the session ends.
pub(crate) struct Outbox {
    client: Client,
    session: Session,
    engine: Engine,
    sender: UnboundedSender<Message>,
    /// Files whose markers are due, and when.
    markers: BTreeSet<FilePath>,
    markers_due: Option<Instant>,
    /// Before this, none are published again.
    markers_from: Instant,
    /// The diagnostics that the client was last told of, by open file.
    published: BTreeMap<FilePath, Vec<Diagnostic>>,
    /// The hunks that the client was last told of, by file.
    hunks: BTreeMap<FilePath, Vec<HunkId>>,
    /// What the client was last told may be shown.
    surfaces: Surfaces,
    bars: BTreeMap<String, Bar>,
    /// The progress token of the pass over the disk that is under way.
    indexing: Option<String>,
    /// How many passes there were.
    passes: usize,
}

/// One progress bar.
struct Bar {
    title: String,
    cancellable: bool,
    /// What is to be shown next.
    message: Option<String>,
    percentage: Option<u32>,
    began: bool,
    /// The last message, once it has ended.
    ended: Option<String>,
    due: Instant,
}

impl Outbox {
    pub(crate) fn new(
        client: Client,
        session: Session,
        engine: Engine,
        sender: UnboundedSender<Message>,
    ) -> Outbox {
        Outbox {
            surfaces: engine.config().surfaces.clone(),
            client,
            session,
            engine,
            sender,
            markers: BTreeSet::new(),
            markers_due: None,
            markers_from: Instant::now(),
            published: BTreeMap::new(),
            hunks: BTreeMap::new(),
            bars: BTreeMap::new(),
            indexing: None,
            passes: 0,
        }
    }

    pub(crate) async fn run(mut self, mut receiver: UnboundedReceiver<Message>) {
        loop {
            let due = self
                .markers_due
                .into_iter()
                .chain(
                    self.bars
                        .values()
                        .filter(|bar| bar.is_waiting())
                        .map(|bar| bar.due),
                )
                .min();
            let message = match due {
                None => receiver.recv().await,
                Some(due) => {
                    let Ok(message) = tokio::time::timeout_at(due, receiver.recv()).await else {
                        self.flush().await;
                        continue;
                    };
                    message
                }
            };
            match message {
                None => return,
                Some(Message::Event(event)) => self.event(event).await,
                Some(Message::Created { token, shown }) => self.created(&token, shown).await,
                Some(Message::Close(told)) => {
                    let _nobody_waits = told.send(());
                    return;
                }
            }
        }
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::Markers(file) => {
                self.markers.insert(file);
                self.markers_due.get_or_insert(self.markers_from);
            }
            Event::RunBegan {
                run,
                title,
                message,
            } => self.begin(token_of(&run), title, Some(message), true),
            Event::RunProgress { run, message } => {
                if let Some(bar) = self.bars.get_mut(&token_of(&run)) {
                    bar.message = Some(message);
                }
            }
            Event::RunEnded {
                run,
                message,
                level,
            } => {
                self.publish_due_markers().await;
                self.end(&token_of(&run), message.clone()).await;
                // What the user must know is said even where progress is not shown.
                self.say(level, message).await;
            }
            Event::Indexing {
                done,
                found,
                complete,
            } => self.indexing(done, found, complete).await,
            Event::Spending(spending) => self.spending(&spending).await,
            Event::Notice(level, text) => self.say(level, text).await,
        }
    }

    async fn flush(&mut self) {
        let now = Instant::now();
        if self.markers_due.is_some_and(|due| due <= now) {
            self.publish_due_markers().await;
        }
        let due: Vec<String> = self
            .bars
            .iter()
            .filter(|(_, bar)| bar.is_waiting() && bar.due <= now)
            .map(|(token, _)| token.clone())
            .collect();
        for token in due {
            let Some(bar) = self.bars.get_mut(&token) else {
                continue;
            };
            bar.due = now + PROGRESS_EVERY;
            let report = json!({"kind": "report", "message": bar.message.take(), "percentage": bar.percentage});
            self.progress(&token, report).await;
        }
    }

    async fn publish_due_markers(&mut self) {
        self.markers_due = None;
        for file in std::mem::take(&mut self.markers) {
            let markers = self.engine.markers(&file);
            let (diagnostics, version) = match &markers {
                Some(markers) => (
                    publish::diagnostics(markers, &self.engine, &self.session),
                    markers.version,
                ),
                None => (Vec::new(), None),
            };
            if self.is_news(&file, &diagnostics, markers.is_some()) {
                self.client
                    .publish_diagnostics(self.session.uri_of(&file), diagnostics, version)
                    .await;
            }
            self.refresh_lenses(file, markers.as_ref());
        }
        self.markers_from = Instant::now() + MARKERS_EVERY;
        self.refresh_pages().await;
    }

    /// Has the client read again what it has read of documents of ours, where that says something else by now.
    async fn refresh_pages(&self) {
        let (session, engine) = (self.session.clone(), self.engine.clone());
        let looking = tokio::task::spawn_blocking(move || session.pages().changed(&engine));
        for page in looking.await.unwrap_or_default() {
            let client = self.client.clone();
            let uri = Uri::from(pages::uri_of(&page));
            crate::spawn(async move {
                let params = TextDocumentContentRefreshParams { uri };
                let asked = client.send_request::<TextDocumentContentRefreshRequest>(params);
                // Whoever does not answer shows it as it was.
                let _unanswered = tokio::time::timeout(CREATE_TIMEOUT, asked).await;
            });
        }
    }

    /// Whether the client was not told just that about a file before. What it was told of a file that is no longer open
    /// is forgotten.
    fn is_news(&mut self, file: &FilePath, diagnostics: &[Diagnostic], open: bool) -> bool {
        if !open {
            let before = self.published.remove(file);
            return before.is_some_and(|before| !before.is_empty());
        }
        let before = self.published.insert(file.clone(), diagnostics.to_vec());
        before.is_none_or(|before| before != diagnostics)
    }

    /// Has the client ask for lenses again when the hunks of a file are others than before, or the settings are.
    fn refresh_lenses(&mut self, file: FilePath, markers: Option<&Markers>) {
        let hunks: Vec<HunkId> = markers
            .iter()
            .flat_map(|markers| &markers.markers)
            .filter_map(|marker| match &marker.kind {
                MarkerKind::Hunk(hunk) => Some(hunk.id),
                MarkerKind::Finding(..) => None,
            })
            .collect();
        let before = if hunks.is_empty() {
            self.hunks.remove(&file)
        } else {
            self.hunks.insert(file, hunks.clone())
        };
        let surfaces = self.engine.config().surfaces.clone();
        let other_settings = self.surfaces != surfaces;
        self.surfaces = surfaces;
        if before.unwrap_or_default() == hunks && !other_settings {
            return;
        }
        let client = self.client.clone();
        let capabilities::Client {
            code_lens_refresh,
            inlay_hint_refresh,
            ..
        } = *self.session.client();
        crate::spawn(async move {
            // A client that does not answer shows old lenses until it asks by itself; nothing else depends on it.
            if code_lens_refresh {
                let _unanswered =
                    tokio::time::timeout(CREATE_TIMEOUT, client.code_lens_refresh()).await;
            }
            if inlay_hint_refresh {
                let _unanswered =
                    tokio::time::timeout(CREATE_TIMEOUT, client.inlay_hint_refresh()).await;
            }
        });
    }

    fn begin(&mut self, token: String, title: String, message: Option<String>, cancellable: bool) {
        if !self.session.client().progress {
            return;
        }
        let bar = Bar {
            title,
            cancellable,
            message,
            percentage: None,
            began: false,
            ended: None,
            due: Instant::now(),
        };
        self.bars.insert(token.clone(), bar);
        let (client, sender) = (self.client.clone(), self.sender.clone());
        crate::spawn(async move {
            let created = client.create_work_done_progress(ProgressToken::String(token.clone()));
            let shown = matches!(
                tokio::time::timeout(CREATE_TIMEOUT, created).await,
                Ok(Ok(()))
            );
            // Without a receiver there is nobody left to show progress to.
            let _gone = sender.send(Message::Created { token, shown });
        });
    }

    async fn created(&mut self, token: &str, shown: bool) {
        let Some(bar) = self.bars.get_mut(token) else {
            return;
        };
        if !shown {
            self.bars.remove(token);
            return;
        }
        bar.began = true;
        bar.due = Instant::now() + PROGRESS_EVERY;
        let begin = json!({
            "kind": "begin", "title": bar.title, "cancellable": bar.cancellable, "message": bar.message.take(),
            "percentage": bar.percentage,
        });
        let ended = bar.ended.clone();
        self.progress(token, begin).await;
        if let Some(message) = ended {
            self.end(token, message).await;
        }
    }

    async fn end(&mut self, token: &str, message: String) {
        let Some(bar) = self.bars.get_mut(token) else {
            return;
        };
        if !bar.began {
            bar.ended = Some(message);
            return;
        }
        self.bars.remove(token);
        self.progress(token, json!({"kind": "end", "message": message}))
            .await;
    }

    async fn progress(&self, token: &str, mut value: Value) {
        if let Value::Object(fields) = &mut value {
            fields.retain(|_, value| !value.is_null());
        }
        let params = ProgressParams {
            token: ProgressToken::String(token.to_owned()),
            value,
        };
        self.client
            .send_notification::<ProgressNotification>(params)
            .await;
    }

    async fn indexing(&mut self, done: usize, found: usize, complete: bool) {
        if complete {
            if let Some(token) = self.indexing.take() {
                self.end(&token, format!("{done} files")).await;
            }
            return;
        }
        let token = if let Some(token) = &self.indexing {
            token.clone()
        } else {
            self.passes += 1;
            // A token is used once.
            let token = match self.passes {
                1 => INDEXING.to_owned(),
                pass => format!("{INDEXING}/{pass}"),
            };
            self.indexing = Some(token.clone());
            self.begin(token.clone(), "Indexing".to_owned(), None, false);
            token
        };
        if let Some(bar) = self.bars.get_mut(&token)
            && found > 0
        {
            bar.message = Some(format!("{done} of {found} files"));
            bar.percentage = u32::try_from(done * 100 / found).ok();
        }
    }

    async fn spending(&self, spending: &Spending) {
        if self.session.wants_spending()
            && let Ok(params) = serde_json::to_value(spending)
        {
            self.client
                .send_notification::<SpendingNotification>(params)
                .await;
        }
    }

    async fn say(&self, level: Level, text: String) {
        match level {
            Level::Log => self.client.log_message(MessageType::Info, text).await,
            Level::Info => self.client.show_message(MessageType::Info, text).await,
            Level::Warning => self.client.show_message(MessageType::Warning, text).await,
            Level::Error => self.client.show_message(MessageType::Error, text).await,
        }
    }
}

impl Bar {
    fn is_waiting(&self) -> bool {
        self.began && self.message.is_some()
    }
}
