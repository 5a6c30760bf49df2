//! The client as the engine sees it.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use engine::{Editor, Event, Reply};
use gate::{ApprovedEdit, Move, NewFile, Removal};
use lsp_types::{
    AnnotatedTextEdit, ApplyWorkspaceEditParams, ApplyWorkspaceEditRequest, ChangeAnnotation,
    CreateFile, CreateFileOptions, DeleteFile, DocumentChange, MessageActionItem, MessageType,
    OptionalVersionedTextDocumentIdentifier, RenameFile, RenameFileOptions, ShowDocumentParams,
    ShowMessageRequest, ShowMessageRequestParams, TextDocumentEdit, TextDocumentIdentifier,
    TextEdit, WorkspaceEdit,
};
use text::FilePath;
use tokio::sync::mpsc::UnboundedSender;
use tower_lsp::Client;

use crate::outbox::Message;
use crate::position::to_proto;
use crate::session::Session;

/// An editor that has not said whether it made an edit after this long is asked no further; the text tells.
const APPLY_TIMEOUT: Duration = Duration::from_secs(10);

/// A question that nobody answers after this long is a no.
const QUESTION_TIMEOUT: Duration = Duration::from_mins(2);

/// Sends what the engine has to say to one client.
pub(crate) struct LspEditor {
    client: OnceLock<Client>,
    session: Session,
    outbox: UnboundedSender<Message>,
}

impl LspEditor {
    pub(crate) fn new(session: Session, outbox: UnboundedSender<Message>) -> LspEditor {
        LspEditor {
            client: OnceLock::new(),
            session,
            outbox,
        }
    }

    /// The document of an edit, at the version that it is for.
    fn versioned(&self, edit: &ApprovedEdit) -> OptionalVersionedTextDocumentIdentifier {
        OptionalVersionedTextDocumentIdentifier {
            version: edit
                .version()
                .map(|version| self.session.client().version_to_name(version)),
            text_document_identifier: TextDocumentIdentifier {
                uri: self.session.uri_of(edit.file()),
            },
        }
    }

    async fn change_files(&self, changes: Vec<DocumentChange>, label: &str) -> Reply {
        let params = ApplyWorkspaceEditParams {
            label: Some(short(label)),
            edit: WorkspaceEdit {
                document_changes: Some(changes),
                ..WorkspaceEdit::default()
            },
            metadata: None,
        };
        self.ask_for(params).await
    }

    /// Asks for an edit, for a while.
    async fn ask_for(&self, params: ApplyWorkspaceEditParams) -> Reply {
        let Some(client) = self.client.get() else {
            return Reply::Refused("no client is connected".to_owned());
        };
        let sent = client.send_request::<ApplyWorkspaceEditRequest>(params);
        match tokio::time::timeout(APPLY_TIMEOUT, sent).await {
            Ok(Ok(result)) if result.applied => Reply::Applied,
            Ok(Ok(result)) => Reply::Refused(result.failure_reason.unwrap_or_default()),
            Ok(Err(error)) => Reply::Refused(error.message.into_owned()),
            Err(_) => Reply::Applied,
        }
    }

    /// Gives it the client to talk to; the first one counts.
    pub(crate) fn connect(&self, client: Client) {
        let _already_connected = self.client.set(client);
    }
}

/// A label that fits a line: Neovim prints it, and stops for a key press where it is longer than the screen is wide.
fn short(label: &str) -> String {
    const MOST: usize = 40;
    if label.chars().count() <= MOST {
        return label.to_owned();
    }
    let kept: String = label.chars().take(MOST - 1).collect();
    format!("{}…", kept.trim_end())
}

#[async_trait]
impl Editor for LspEditor {
    async fn apply(&self, edit: &ApprovedEdit, label: &str) -> Reply {
        let encoding = self.session.client().encoding;
        let text = edit.base();
        let edits = edit
            .edits()
            .edits()
            .iter()
            .map(|edit| to_proto::text_edit(text, edit, encoding).into())
            .collect();
        // One document, one edit at a time: more are not checked by all editors.
        let change = TextDocumentEdit {
            text_document: self.versioned(edit),
            edits,
        };
        let params = ApplyWorkspaceEditParams {
            label: Some(short(label)),
            edit: WorkspaceEdit {
                document_changes: Some(vec![change.into()]),
                ..WorkspaceEdit::default()
            },
            metadata: None,
        };
        self.ask_for(params).await
    }

    fn makes_files(&self) -> bool {
        self.session.client().create_files
    }

    async fn create(&self, new: &NewFile, label: &str) -> Reply {
        let uri = self.session.uri_of(new.file());
        let (overwrite, ignore_if_exists) = (Some(false), Some(false));
        let made = CreateFile {
            uri: uri.clone(),
            options: Some(CreateFileOptions {
                overwrite,
                ignore_if_exists,
            }),
            annotation_id: None,
        };
        // It is empty by then, whichever version the editor gives it.
        let written = TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version: None,
                text_document_identifier: TextDocumentIdentifier { uri },
            },
            edits: vec![
                TextEdit {
                    range: lsp_types::Range::default(),
                    new_text: new.text().to_string(),
                }
                .into(),
            ],
        };
        self.change_files(vec![made.into(), written.into()], label)
            .await
    }

    async fn remove(&self, file: &Removal, label: &str) -> Reply {
        let gone = DeleteFile {
            uri: self.session.uri_of(file.file()),
            options: None,
            annotation_id: None,
        };
        self.change_files(vec![gone.into()], label).await
    }

    async fn rename(&self, wanted: &Move, label: &str) -> Reply {
        let (overwrite, ignore_if_exists) = (Some(false), Some(false));
        let renamed = RenameFile {
            old_uri: self.session.uri_of(wanted.from()),
            new_uri: self.session.uri_of(wanted.to()),
            options: Some(RenameFileOptions {
                overwrite,
                ignore_if_exists,
            }),
            annotation_id: None,
        };
        self.change_files(vec![renamed.into()], label).await
    }

    async fn reopen(&self, file: &FilePath) {
        let Some(client) = self.client.get() else {
            return;
        };
        if !self.session.client().show_document {
            return;
        }
        let params = ShowDocumentParams {
            uri: self.session.uri_of(file),
            external: Some(false),
            take_focus: Some(false),
            selection: None,
        };
        // A client that does not show it leaves it to the user.
        let _unshown = tokio::time::timeout(APPLY_TIMEOUT, client.show_document(params)).await;
    }

    async fn preview(&self, edits: &[ApprovedEdit], title: &str) -> Reply {
        let (Some(client), Some(first)) = (self.client.get(), edits.first()) else {
            return Reply::Refused("no client is connected".to_owned());
        };
        let encoding = self.session.client().encoding;
        let mut annotations = HashMap::new();
        let mut pieces = Vec::new();
        for (number, edit) in edits.iter().enumerate() {
            let id = (number + 1).to_string();
            let line = edit
                .edits()
                .span()
                .map_or(0, |span| edit.base().line_of(span.start));
            let annotation = ChangeAnnotation {
                label: format!("{}, line {}", short(title), line + 1),
                needs_confirmation: Some(true),
                description: Some(edit.reason().to_owned()),
            };
            annotations.insert(id.clone(), annotation);
            pieces.extend(edit.edits().edits().iter().map(|piece| {
                let text_edit = to_proto::text_edit(edit.base(), piece, encoding);
                AnnotatedTextEdit::new(id.clone(), text_edit).into()
            }));
        }
        let change = TextDocumentEdit {
            text_document: self.versioned(first),
            edits: pieces,
        };
        let params = ApplyWorkspaceEditParams {
            label: Some(short(title)),
            edit: WorkspaceEdit {
                document_changes: Some(vec![change.into()]),
                change_annotations: Some(annotations),
                ..WorkspaceEdit::default()
            },
            metadata: None,
        };
        match client
            .send_request::<ApplyWorkspaceEditRequest>(params)
            .await
        {
            Ok(result) if result.applied => Reply::Applied,
            // Whoever picks nothing has seen all of it.
            Ok(_) => Reply::Refused(String::new()),
            Err(error) => Reply::Refused(error.message.into_owned()),
        }
    }

    async fn ask(&self, question: &str) -> bool {
        const YES: &str = "Allow";
        let action = |title: &str| MessageActionItem {
            title: title.to_owned(),
            properties: HashMap::default(),
        };
        let params = ShowMessageRequestParams {
            kind: MessageType::Warning,
            message: question.to_owned(),
            actions: Some(vec![action(YES), action("Refuse")]),
        };
        let Some(client) = self.client.get() else {
            return false;
        };
        let asked = client.send_request::<ShowMessageRequest>(params);
        matches!(tokio::time::timeout(QUESTION_TIMEOUT, asked).await, Ok(Ok(Some(answer))) if answer.title == YES)
    }

    fn show(&self, event: Event) {
        // The receiver lives as long as the server; afterwards nobody is there to be told.
        let _closed = self.outbox.send(Message::Event(event));
    }
}
