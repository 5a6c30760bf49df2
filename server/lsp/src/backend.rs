//! The handlers. Notifications are synchronous; a request takes its snapshot before its first await.

use std::sync::Arc;

use engine::{Editor, Engine, ForeignDiagnostic, Item, ItemKind, Pick, Repairs};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, CodeActionResponse, CodeActionTag,
    CodeActionTriggerKind, CodeLens, CodeLensParams, Diagnostic, DidChangeConfigurationParams,
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams,
    ExecuteCommandParams, Hover, HoverParams, InitializeParams, InitializeResult,
    InitializedParams, InlayHint, InlayHintParams, MarkupContent, MarkupKind,
    Message as DiagnosticMessage, ServerInfo, ShowDocumentParams, TextDocumentContentParams,
    TextDocumentContentResult, Uri, WorkDoneProgressCancelParams, WorkspaceFolders,
};
use serde_json::{Value, json};
use text::{FilePath, Range, Text};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::{Client, ClientSocket, LanguageServer, LspService};

use crate::capabilities::{self, server_capabilities};
use crate::commands::{self, command, execute};
use crate::editor::LspEditor;
use crate::lens;
use crate::outbox::{self, Message, Outbox, run_of};
use crate::pages;
use crate::position::{from_proto, to_proto};
use crate::publish::{HUNK, SOURCE};
use crate::session::{Session, Shows};

/// The server behind one client.
pub(crate) struct Backend {
    client: Client,
    session: Session,
    engine: Engine,
    /// Until `initialized` takes it, what the engine has said so far.
    unsent: std::sync::Mutex<Option<(Outbox, UnboundedReceiver<Message>)>>,
    outbox: UnboundedSender<Message>,
    roots: std::sync::Mutex<Vec<FilePath>>,
}

/// The parts of a server, to be put together by whoever has its streams.
pub(crate) struct Parts {
    pub(crate) service: LspService<Backend>,
    pub(crate) socket: ClientSocket,
    pub(crate) engine: Engine,
    /// Takes what the client is told.
    pub(crate) outbox: UnboundedSender<Message>,
}

/// Builds the service around the engine that `make_engine` makes for this client.
pub(crate) fn service(
    make_engine: impl FnOnce(Arc<dyn Editor>) -> anyhow::Result<Engine>,
) -> anyhow::Result<Parts> {
    let session = Session::default();
    let (sender, receiver) = unbounded_channel();
    let editor = Arc::new(LspEditor::new(session.clone(), sender.clone()));
    let engine = make_engine(editor.clone())?;
    let (service, socket) = LspService::build(|client| {
        editor.connect(client.clone());
        let unsent = Outbox::new(
            client.clone(),
            session.clone(),
            engine.clone(),
            sender.clone(),
        );
        Backend {
            client,
            session,
            engine: engine.clone(),
            unsent: Some((unsent, receiver)).into(),
            outbox: sender.clone(),
            roots: Vec::new().into(),
        }
    })
    .custom_method("window/workDoneProgress/cancel", Backend::progress_cancel)
    .finish();
    Ok(Parts {
        service,
        socket,
        engine,
        outbox: sender,
    })
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let client = capabilities::Client::from_initialize(&params);
        let capabilities = server_capabilities(&client, commands::ALL);
        self.session.set_client(client);
        let options = params.initialization_options.unwrap_or_default();
        let says = |what: &str| options.get(what).and_then(Value::as_bool);
        self.session.set_shows(Shows {
            spending: says("spending") == Some(true),
            reports: says("reports") == Some(true),
        });
        if options.is_object() {
            self.engine.set_settings(options);
        }
        let folders = params.workspace_folders_initialize_params.workspace_folders;
        let folders = match folders {
            Some(WorkspaceFolders::WorkspaceFolderList(folders)) => folders,
            Some(WorkspaceFolders::Null) | None => Vec::new(),
        };
        let mut roots: Vec<FilePath> = folders
            .iter()
            .filter_map(|folder| self.session.file(&folder.uri))
            .collect();
        if roots.is_empty() {
            #[expect(deprecated, reason = "some clients send nothing newer")]
            let root = params.root_uri.as_ref();
            roots.extend(root.and_then(|uri| self.session.file(uri)));
        }
        *lock(&self.roots) = roots;
        let version = Some(env!("CARGO_PKG_VERSION").to_owned());
        Ok(InitializeResult {
            capabilities,
            server_info: Some(ServerInfo {
                name: "farthing".to_owned(),
                version,
            }),
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        if let Some((outbox, receiver)) = lock(&self.unsent).take() {
            crate::spawn(outbox.run(receiver));
        }
        self.index();
        let engine = self.engine.clone();
        crate::spawn(async move { engine.show_spending(None).await });
        self.register_watchers();
        self.pull_settings();
    }

    async fn shutdown(&self) -> Result<()> {
        self.engine.shutdown().await;
        // A client that never said `initialized` is told nothing.
        drop(lock(&self.unsent).take());
        outbox::close(&self.outbox).await;
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        let Some(file) = self.session.file(&document.uri) else {
            return;
        };
        let language = document.language_id.to_string();
        self.engine.open(
            &file,
            &language,
            document.version,
            Text::from(document.text.as_str()),
        );
        self.adopt_folder_of(&file);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let Some(file) = self
            .session
            .file(&params.text_document.text_document_identifier.uri)
        else {
            return;
        };
        let snapshot = self.engine.snapshot();
        let Some(document) = snapshot.open_document(&file) else {
            tracing::error!(%file, "a change of a document that is not open");
            return;
        };
        let encoding = self.session.client().encoding;
        let changed =
            from_proto::content_changes(document.text(), params.content_changes, encoding);
        self.engine.change(
            &file,
            params.text_document.version,
            changed.edits,
            changed.text,
        );
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        let Some(file) = self.session.file(&params.text_document.uri) else {
            return;
        };
        self.engine.saved(&file);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let Some(file) = self.session.file(&params.text_document.uri) else {
            return;
        };
        self.engine.close(&file);
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let files = params
            .changes
            .iter()
            .filter_map(|change| self.session.file(&change.uri))
            .collect();
        self.engine.refresh_from_disk(files);
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        let gone: Vec<FilePath> = params
            .event
            .removed
            .iter()
            .filter_map(|folder| self.session.file(&folder.uri))
            .collect();
        let new = params
            .event
            .added
            .iter()
            .filter_map(|folder| self.session.file(&folder.uri));
        {
            let mut roots = lock(&self.roots);
            roots.retain(|root| !gone.contains(root));
            roots.extend(new);
        }
        self.index();
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        if self.session.client().configuration {
            self.pull_settings();
        } else {
            let settings = section(params.settings);
            if settings.is_object() {
                self.engine.set_settings(settings);
            }
        }
    }

    async fn code_action(
        &self,
        params: CodeActionParams,
    ) -> Result<Option<Vec<CodeActionResponse>>> {
        let snapshot = self.engine.snapshot();
        let uri = params.text_document.uri;
        let Some(file) = self.session.file(&uri) else {
            return Ok(None);
        };
        let Some(document) = snapshot.open_document(&file).cloned() else {
            return Ok(None);
        };
        let encoding = self.session.client().encoding;
        let range = from_proto::range(document.text(), params.range, encoding);
        let foreign: Vec<(usize, ForeignDiagnostic)> = params
            .context
            .diagnostics
            .iter()
            .enumerate()
            .filter(|(_, diagnostic)| diagnostic.source.as_deref() != Some(SOURCE))
            .map(|(at, diagnostic)| (at, foreign(document.text(), diagnostic, encoding)))
            .collect();
        let (places, foreign): (Vec<usize>, Vec<ForeignDiagnostic>) = foreign.into_iter().unzip();
        let engine = self.engine.clone();
        let menu =
            tokio::task::spawn_blocking(move || engine.menu(&snapshot, &file, range, &foreign))
                .await;
        let Ok(menu) = menu else { return Ok(None) };
        let client = self.session.client();
        let automatic = params.context.trigger_kind == Some(CodeActionTriggerKind::Automatic);
        let shown = Shown {
            context: &params.context.diagnostics,
            places: &places,
            document: document.text(),
            encoding,
            uri: &uri,
        };
        let actions = menu
            .items
            .iter()
            .filter(|item| is_wanted(item, params.context.only.as_deref()))
            // A bulb that lights on every line says nothing; unasked, only what repairs something is offered.
            .filter(|item| !automatic || item.repairs.is_some())
            .filter(|item| match item.pick {
                Pick::Go(..) => client.show_document,
                Pick::Preview(_) => client.previews(),
                Pick::Show(_) => client.shows_pages(),
                _ => true,
            })
            .map(|item| CodeActionResponse::CodeAction(shown.action(item)))
            .collect();
        Ok(Some(actions))
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        if params.command == commands::COST && self.session.shows_reports() {
            return Ok(Some(
                json!({"markdown": self.engine.purse().report().await}),
            ));
        }
        let answer = execute(
            &self.engine,
            &self.session,
            &params.command,
            params.arguments,
        );
        if commands::SHOWING.contains(&params.command.as_str()) {
            self.show_place(&answer);
        }
        Ok(Some(answer))
    }

    async fn text_document_content(
        &self,
        params: TextDocumentContentParams,
    ) -> Result<TextDocumentContentResult> {
        let (engine, session) = (self.engine.clone(), self.session.clone());
        let uri = params.uri.0;
        let reading =
            tokio::task::spawn_blocking(move || pages::read(&engine, session.pages(), &uri));
        match reading.await {
            Ok(Some(text)) => Ok(TextDocumentContentResult { text }),
            Ok(None) | Err(_) => Err(Error::invalid_params("there is no such document")),
        }
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let snapshot = self.engine.snapshot();
        let place = params.text_document_position_params;
        let Some(file) = self.session.file(&place.text_document.uri) else {
            return Ok(None);
        };
        let Some(document) = snapshot.open_document(&file).cloned() else {
            return Ok(None);
        };
        let encoding = self.session.client().encoding;
        let offset = from_proto::offset(document.text(), place.position, encoding);
        let engine = self.engine.clone();
        let hover =
            tokio::task::spawn_blocking(move || engine.hover(&snapshot, &file, offset)).await;
        Ok(hover.ok().flatten().map(|(range, value)| Hover {
            contents: MarkupContent {
                kind: MarkupKind::Markdown,
                value,
            }
            .into(),
            range: Some(to_proto::range(document.text(), range, encoding)),
        }))
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let uri = params.text_document.uri;
        let Some(file) = self.session.file(&uri) else {
            return Ok(None);
        };
        if !self.engine.config().surfaces.code_lens {
            return Ok(None);
        }
        let snapshot = self.engine.snapshot();
        let encoding = self.session.client().encoding;
        let markers = self.engine.hunk_markers(&file);
        let engine = self.engine.clone();
        let lenses = tokio::task::spawn_blocking(move || {
            let mut lenses = markers
                .map(|markers| lens::lenses(&markers, encoding, &uri))
                .unwrap_or_default();
            if let Some(document) = snapshot.open_document(&file) {
                let launches = engine.lens_launches(&snapshot, &file);
                lenses.extend(launches.into_iter().map(|(name, launch)| {
                    lens::unpriced(document.text(), name, launch, encoding, &uri)
                }));
            }
            lenses
        });
        Ok(lenses.await.ok())
    }

    async fn code_lens_resolve(&self, lens: CodeLens) -> Result<CodeLens> {
        let snapshot = self.engine.snapshot();
        let unpriced = lens.data.clone().map(serde_json::from_value);
        let Some(Ok(unpriced)) = unpriced else {
            return Ok(lens);
        };
        let lens::Unpriced { uri, launch } = &unpriced;
        let Some(file) = self.session.file(&Uri(uri.clone())) else {
            return Ok(lens);
        };
        let (engine, launch) = (self.engine.clone(), launch.clone());
        let title =
            tokio::task::spawn_blocking(move || engine.priced_title(&snapshot, &file, &launch));
        Ok(match title.await {
            Ok(title) => lens::priced(lens, &title, unpriced),
            Err(_) => lens,
        })
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let Some(file) = self.session.file(&params.text_document.uri) else {
            return Ok(None);
        };
        if !self.engine.config().surfaces.inlay_hints {
            return Ok(None);
        }
        let snapshot = self.engine.snapshot();
        let encoding = self.session.client().encoding;
        let markers = self.engine.hunk_markers(&file);
        let engine = self.engine.clone();
        let hints = tokio::task::spawn_blocking(move || {
            let mut hints = markers
                .map(|markers| lens::hints(&markers, encoding))
                .unwrap_or_default();
            if let Some(document) = snapshot.open_document(&file) {
                let text = document.text();
                let range = from_proto::range(text, params.range, encoding);
                let tags = engine.price_tags(&snapshot, &file, range);
                hints.extend(tags.iter().map(|tag| lens::tag(text, tag, encoding)));
            }
            hints
        });
        Ok(hints.await.ok())
    }
}

impl Backend {
    /// `window/workDoneProgress/cancel`, which the framework does not route.
    #[expect(clippy::unused_async, reason = "the framework takes futures")]
    async fn progress_cancel(&self, params: WorkDoneProgressCancelParams) {
        if let Some(run) = run_of(&params.token) {
            self.engine.cancel(&run);
        }
    }

    fn index(&self) {
        let roots = lock(&self.roots).clone();
        self.engine
            .set_roots(roots, !self.session.client().watched_files);
    }

    /// Without a workspace folder, as when a single file was opened, the file's own folder is the workspace.
    fn adopt_folder_of(&self, file: &FilePath) {
        let adopted = {
            let mut roots = lock(&self.roots);
            match (roots.is_empty(), file.parent()) {
                (true, Some(folder)) => {
                    roots.push(folder);
                    true
                }
                _ => false,
            }
        };
        if adopted {
            self.index();
        }
    }

    /// Has the client show the place that a command found, if it shows documents when asked.
    fn show_place(&self, place: &Value) {
        let (uri, range) = (place["uri"].as_str(), place["range"].clone());
        let (Some(uri), Ok(selection)) = (uri, serde_json::from_value(range)) else {
            return;
        };
        if !self.session.client().show_document {
            return;
        }
        let (client, uri) = (self.client.clone(), Uri::from(uri));
        crate::spawn(async move {
            let params = ShowDocumentParams {
                uri,
                external: Some(false),
                take_focus: Some(true),
                selection,
            };
            if let Err(error) = client.show_document(params).await {
                tracing::warn!(%error, "the client does not show a hunk");
            }
        });
    }

    fn register_watchers(&self) {
        if !self.session.client().watched_files {
            return;
        }
        let globs: Vec<Value> = engine::watched_patterns()
            .into_iter()
            .map(|glob| json!({"globPattern": glob}))
            .collect();
        let registration = lsp_types::Registration {
            id: "farthing-watch".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: Some(json!({"watchers": globs})),
        };
        let client = self.client.clone();
        crate::spawn(async move {
            if let Err(error) = client.register_capability(vec![registration]).await {
                tracing::warn!(%error, "the client watches no files for us");
            }
        });
    }

    fn pull_settings(&self) {
        if !self.session.client().configuration {
            return;
        }
        let (client, engine) = (self.client.clone(), self.engine.clone());
        crate::spawn(async move {
            let item = lsp_types::ConfigurationItem {
                scope_uri: None,
                section: Some("farthing".to_owned()),
            };
            let asked = tokio::time::timeout(
                std::time::Duration::from_secs(5),
                client.configuration(vec![item]),
            )
            .await;
            if let Ok(Ok(answer)) = asked
                && let Some(settings) = answer.into_iter().next()
                && settings.is_object()
            {
                engine.set_settings(settings);
            }
        });
    }
}

/// What an action needs of the request it answers.
struct Shown<'a> {
    context: &'a [Diagnostic],
    /// Where in the context each foreign diagnostic came from.
    places: &'a [usize],
    document: &'a Text,
    encoding: crate::position::Encoding,
    uri: &'a Uri,
}

impl Shown<'_> {
    fn action(&self, item: &Item) -> CodeAction {
        CodeAction {
            title: item.title.clone(),
            kind: Some(kind(item)),
            diagnostics: self
                .repaired(item)
                .map(|diagnostic| vec![diagnostic.clone()]),
            command: Some(command(&item.title, &item.pick, self.uri)),
            tags: item
                .estimate
                .is_some()
                .then(|| vec![CodeActionTag::LLMGenerated]),
            ..CodeAction::default()
        }
    }

    /// The diagnostic of the request that the item repairs.
    fn repaired(&self, item: &Item) -> Option<&Diagnostic> {
        let code_is = |diagnostic: &&Diagnostic, wanted: &str| {
            diagnostic.source.as_deref() == Some(SOURCE)
                && matches!(&diagnostic.code, Some(lsp_types::Code::String(code)) if code == wanted)
        };
        match item.repairs.as_ref()? {
            Repairs::Foreign(index) => self.context.get(*self.places.get(*index)?),
            Repairs::Finding(code, range) => self.context.iter().find(|diagnostic| {
                code_is(diagnostic, code)
                    && from_proto::range(self.document, diagnostic.range, self.encoding) == *range
            }),
            Repairs::Hunk(hunk) => self.context.iter().find(|diagnostic| {
                let id = diagnostic
                    .data
                    .as_ref()
                    .and_then(|data| data.get("hunk"))
                    .and_then(Value::as_str);
                code_is(diagnostic, HUNK) && id.is_none_or(|id| id == hunk.to_string())
            }),
        }
    }
}

fn kind(item: &Item) -> CodeActionKind {
    match item.kind {
        ItemKind::Fix => CodeActionKind::QuickFix,
        ItemKind::Extract => CodeActionKind::RefactorExtract,
        ItemKind::Rewrite => CodeActionKind::RefactorRewrite,
        // Not `source`: editors can be told to run such actions whenever a file is saved, and this one costs money.
        ItemKind::Review => CodeActionKind::Refactor,
    }
}

/// Whether the client asked for this kind. Kinds are hierarchical: `refactor` asks for `refactor.rewrite` too.
fn is_wanted(item: &Item, only: Option<&[CodeActionKind]>) -> bool {
    let Some(only) = only else { return true };
    let kind = kind(item).to_string();
    only.iter().any(|wanted| {
        let wanted = wanted.to_string();
        wanted.is_empty()
            || kind
                .strip_prefix(&wanted)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn foreign(
    text: &Text,
    diagnostic: &Diagnostic,
    encoding: crate::position::Encoding,
) -> ForeignDiagnostic {
    let message = match &diagnostic.message {
        DiagnosticMessage::String(message) => message.clone(),
        DiagnosticMessage::MarkupContent(markup) => markup.value.clone(),
    };
    let code = diagnostic.code.as_ref().map(|code| match code {
        lsp_types::Code::Int(code) => code.to_string(),
        lsp_types::Code::String(code) => code.clone(),
    });
    let range: Range = from_proto::range(text, diagnostic.range, encoding);
    ForeignDiagnostic {
        range,
        source: diagnostic.source.clone(),
        code,
        message,
    }
}

/// The settings of ours in what a client sends, which may or may not be wrapped in our name.
fn section(settings: Value) -> Value {
    match settings {
        Value::Object(mut fields) if fields.contains_key("farthing") => {
            fields.remove("farthing").unwrap_or_default()
        }
        other => other,
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
