//! What the client can do, and what the server offers in return.
//!
//! A client's capabilities are read from raw JSON, one flag at a time: what is missing, `null` or of a wrong type is not
//! supported, and what is unknown is not looked at. Read through the typed structures, one odd value anywhere in them
//! would fail the whole `initialize`.

use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeLensOptions, ExecuteCommandOptions, InitializeParams,
    SaveOptions, ServerCapabilities, TextDocumentContentOptions, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkspaceFoldersServerCapabilities, WorkspaceOptions,
};
use serde_json::{Value, json};

use crate::position::Encoding;

/// The scheme of the documents that only the server has: reviews and diffs.
pub const DOCUMENT_SCHEME: &str = "farthing";

/// What the client said in `initialize` about itself. Every flag is false unless it said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name; empty without one.
    pub name: String,
    /// Its version; empty without one.
    pub version: String,
    /// The agreed unit of positions.
    pub encoding: Encoding,
    /// It shows progress that the server starts (`window/workDoneProgress/create`).
    pub progress: bool,
    /// It applies edits that the server sends.
    pub apply_edit: bool,
    /// Edits may name document versions. Implied by file operations: Neovim announces only those.
    pub document_changes: bool,
    /// An edit may create files, rename them, and delete them again.
    pub create_files: bool,
    /// Edits may carry annotations, and with them the client may show a preview.
    pub change_annotations: bool,
    /// Edits may say that they are a refactoring, so that the client saves what it had to open.
    pub edit_metadata: bool,
    /// Actions may be tagged as made by a language model.
    pub llm_tags: bool,
    /// It shows code lenses at all.
    pub code_lens: bool,
    /// It can be asked to fetch code lenses again.
    pub code_lens_refresh: bool,
    /// It can be asked to fetch inlay hints again.
    pub inlay_hint_refresh: bool,
    /// It gives a diagnostic's `data` back in requests for code actions.
    pub diagnostic_data: bool,
    /// It shows the link behind a diagnostic's code.
    pub code_description: bool,
    /// It shows a diagnostic's related places.
    pub related_information: bool,
    /// It renders Markdown in hovers.
    pub markdown_hover: bool,
    /// It opens documents when asked.
    pub show_document: bool,
    /// It reports changes of watched files, once registered for.
    pub watched_files: bool,
    /// Its settings can be pulled.
    pub configuration: bool,
    /// It tells about its folders and their changes.
    pub workspace_folders: bool,
    /// It reads documents that only the server has.
    pub text_document_content: bool,
}

impl Client {
    /// Reads what the client said in `initialize`.
    pub fn from_initialize(params: &InitializeParams) -> Client {
        let info = params.client_info.as_ref();
        let capabilities = received(params);
        Client {
            name: info.map(|info| info.name.clone()).unwrap_or_default(),
            version: info
                .and_then(|info| info.version.clone())
                .unwrap_or_default(),
            ..Client::from_capabilities(&capabilities)
        }
    }

    /// Whether it can be asked to show a document that only the server has.
    pub fn shows_pages(&self) -> bool {
        self.text_document_content && self.show_document
    }

    /// Whether it shows edits to pick from before it makes them.
    ///
    /// Neovim asks for each document as a whole, and says that it made what the user did not want.
    pub fn previews(&self) -> bool {
        self.change_annotations && self.name != "Neovim"
    }

    /// The version that an edit of a document at `version` names.
    ///
    /// Neovim drops edits that are older than its buffer, but never one for version 0, the version of a buffer as it was
    /// opened: if something was typed meanwhile, the edit would hit the wrong place. It takes what is newer than the
    /// buffer, and the first change of a buffer leads past 1, so 1 is what 0 should have been.
    pub fn version_to_name(&self, version: i32) -> i32 {
        if version == 0 && self.name == "Neovim" {
            1
        } else {
            version
        }
    }

    /// Reads the `capabilities` member of `initialize`, whatever it holds.
    pub fn from_capabilities(capabilities: &Value) -> Client {
        let flag = |path: &str| capabilities.pointer(path) == Some(&Value::Bool(true));
        let object = |path: &str| capabilities.pointer(path).is_some_and(Value::is_object);
        let list = |path: &str| {
            let list = capabilities.pointer(path).and_then(Value::as_array);
            list.map(Vec::as_slice).unwrap_or_default()
        };
        let edit = "/workspace/workspaceEdit";
        let operations = list(&format!("{edit}/resourceOperations"));
        let offered = list("/general/positionEncodings");
        Client {
            name: String::new(),
            version: String::new(),
            encoding: Encoding::negotiate(offered.iter().filter_map(Value::as_str)),
            progress: flag("/window/workDoneProgress"),
            apply_edit: flag("/workspace/applyEdit"),
            document_changes: flag(&format!("{edit}/documentChanges")) || !operations.is_empty(),
            create_files: ["create", "rename", "delete"]
                .iter()
                .all(|kind| operations.contains(&json!(kind))),
            change_annotations: object(&format!("{edit}/changeAnnotationSupport")),
            edit_metadata: flag(&format!("{edit}/metadataSupport")),
            llm_tags: list("/textDocument/codeAction/tagSupport/valueSet").contains(&json!(1)),
            code_lens: object("/textDocument/codeLens"),
            code_lens_refresh: flag("/workspace/codeLens/refreshSupport"),
            inlay_hint_refresh: flag("/workspace/inlayHint/refreshSupport"),
            diagnostic_data: flag("/textDocument/publishDiagnostics/dataSupport"),
            code_description: flag("/textDocument/publishDiagnostics/codeDescriptionSupport"),
            related_information: flag("/textDocument/publishDiagnostics/relatedInformation"),
            markdown_hover: list("/textDocument/hover/contentFormat").contains(&json!("markdown")),
            show_document: flag("/window/showDocument/support"),
            watched_files: flag("/workspace/didChangeWatchedFiles/dynamicRegistration"),
            configuration: flag("/workspace/configuration"),
            workspace_folders: flag("/workspace/workspaceFolders"),
            text_document_content: object("/workspace/textDocumentContent"),
        }
    }
}

/// What the server offers this client.
///
/// Only what it adds. Formatting, rename, completion and the like belong to the language's own server: offering them too
/// would have the editor ask its user to choose. Commands are a fixed list because some clients run no others, and code
/// actions are never resolved because some clients resolve each of them before showing any.
pub fn server_capabilities(client: &Client, commands: &[&str]) -> ServerCapabilities {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::Incremental),
        save: Some(
            SaveOptions {
                include_text: Some(false),
            }
            .into(),
        ),
        ..TextDocumentSyncOptions::default()
    };
    let actions = CodeActionOptions {
        code_action_kinds: Some(vec![
            CodeActionKind::QuickFix,
            CodeActionKind::RefactorRewrite,
            CodeActionKind::RefactorExtract,
            CodeActionKind::Refactor,
            CodeActionKind::Source,
        ]),
        resolve_provider: Some(false),
        ..CodeActionOptions::default()
    };
    let folders = WorkspaceFoldersServerCapabilities {
        supported: Some(true),
        change_notifications: Some(true.into()),
    };
    ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(sync.into()),
        hover_provider: Some(true.into()),
        code_action_provider: Some(actions.into()),
        code_lens_provider: Some(CodeLensOptions {
            resolve_provider: Some(true),
            ..CodeLensOptions::default()
        }),
        inlay_hint_provider: Some(true.into()),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: commands.iter().map(|&command| command.to_owned()).collect(),
            ..ExecuteCommandOptions::default()
        }),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(folders),
            text_document_content: client
                .text_document_content
                .then(|| TextDocumentContentOptions::new(vec![DOCUMENT_SCHEME.to_owned()]).into()),
            ..WorkspaceOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}

/// Under which key of `experimental` the capabilities travel from the wire to the handler.
const RECEIVED: &str = "farthing/received";

/// The `capabilities` member that carries raw JSON through the typed `initialize`, whatever it holds.
pub(crate) fn carried(received: Value) -> Value {
    json!({ "experimental": { RECEIVED: received } })
}

fn received(params: &InitializeParams) -> Value {
    let experimental = params.capabilities.experimental.as_ref();
    match experimental.and_then(|experimental| experimental.get(RECEIVED)) {
        Some(received) => received.clone(),
        // Not through our transport.
        None => serde_json::to_value(&params.capabilities).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const VSCODE: &str =
        include_str!("../../../tests/recorded/vscode-languageclient-11.0.0-capabilities.json");
    const NVIM_12: &str = include_str!("../../../tests/recorded/nvim-0.12-capabilities.json");
    const NVIM_10: &str = include_str!("../../../tests/recorded/nvim-0.10-capabilities.json");
    const HELIX: &str =
        include_str!("../../../tests/recorded/helix-25.07.1-git20260723-capabilities.json");
    const EGLOT: &str = include_str!("../../../tests/recorded/eglot-1.17.30-capabilities.json");

    /// What a client lacks says more than what it has.
    fn check(capabilities: &str, expected: Expect) {
        let capabilities: Value = serde_json::from_str(capabilities).unwrap();
        let client = Client::from_capabilities(&capabilities);
        let carried: InitializeParams =
            serde_json::from_value(json!({ "capabilities": carried(capabilities) })).unwrap();
        assert_eq!(Client::from_initialize(&carried), client);
        let flags = format!("{client:#?}");
        let lacking = flags
            .lines()
            .filter_map(|line| line.trim().strip_suffix(": false,"));
        expected.assert_eq(&format!(
            "{:?} without {}",
            client.encoding,
            lacking.collect::<Vec<_>>().join(", ")
        ));
    }

    #[test]
    fn recorded_clients() {
        check(VSCODE, expect!["Utf16 without "]);
        check(
            NVIM_12,
            expect![
                "Utf8 without edit_metadata, llm_tags, code_description, watched_files, text_document_content"
            ],
        );
        check(
            NVIM_10,
            expect![
                "Utf16 without change_annotations, edit_metadata, llm_tags, code_lens, code_lens_refresh, code_description, watched_files, text_document_content"
            ],
        );
        check(
            HELIX,
            expect![
                "Utf8 without change_annotations, edit_metadata, llm_tags, code_lens, code_lens_refresh, inlay_hint_refresh, diagnostic_data, code_description, related_information, text_document_content"
            ],
        );
        check(
            EGLOT,
            expect![
                "Utf8 without create_files, change_annotations, edit_metadata, llm_tags, code_lens, code_lens_refresh, inlay_hint_refresh, diagnostic_data, code_description, related_information, markdown_hover, text_document_content"
            ],
        );
    }

    #[test]
    fn recorded_capabilities_are_typed_too() {
        for recorded in [VSCODE, NVIM_12, NVIM_10, HELIX, EGLOT] {
            let raw: Value = serde_json::from_str(recorded).unwrap();
            let typed: InitializeParams =
                serde_json::from_value(json!({ "capabilities": raw })).unwrap();
            assert_eq!(
                Client::from_initialize(&typed),
                Client::from_capabilities(&raw)
            );
        }
    }

    #[test]
    fn hostile_capabilities_are_no_capabilities() {
        let nothing = Client::from_capabilities(&json!({}));
        for hostile in [
            json!(null),
            json!([]),
            json!("all"),
            json!({"general": null, "window": 3, "workspace": "x", "textDocument": []}),
            json!({"general": {"positionEncodings": "utf-8"}}),
            json!({"general": {"positionEncodings": [null, 8, {"utf-8": true}, "utf-9"]}}),
            json!({"window": {"workDoneProgress": "yes", "showDocument": true}}),
            json!({"workspace": {"applyEdit": 1, "workspaceEdit": {"documentChanges": null, "resourceOperations": []}}}),
            json!({"workspace": {"textDocumentContent": true, "codeLens": null, "inlayHint": {"refreshSupport": "true"}}}),
            json!({"textDocument": {"codeAction": {"tagSupport": {"valueSet": ["1", 2]}}, "hover": {"contentFormat": "markdown"}}}),
            json!({"brandNew": {"deeply": [{"nested": true}]}}),
        ] {
            assert_eq!(Client::from_capabilities(&hostile), nothing, "{hostile}");
        }
    }

    #[test]
    fn the_offer_is_what_we_add() {
        let client = Client::from_capabilities(&serde_json::from_str(VSCODE).unwrap());
        let offer = server_capabilities(&client, &["farthing.run", "farthing.cancel"]);
        expect![[r#"
            {
              "positionEncoding": "utf-16",
              "textDocumentSync": {
                "openClose": true,
                "change": 2,
                "save": {
                  "includeText": false
                }
              },
              "hoverProvider": true,
              "codeActionProvider": {
                "codeActionKinds": [
                  "quickfix",
                  "refactor.rewrite",
                  "refactor.extract",
                  "refactor",
                  "source"
                ],
                "resolveProvider": false
              },
              "codeLensProvider": {
                "resolveProvider": true
              },
              "executeCommandProvider": {
                "commands": [
                  "farthing.run",
                  "farthing.cancel"
                ]
              },
              "inlayHintProvider": true,
              "workspace": {
                "workspaceFolders": {
                  "supported": true,
                  "changeNotifications": true
                },
                "textDocumentContent": {
                  "schemes": [
                    "farthing"
                  ]
                }
              }
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&offer).unwrap());

        let client = Client::from_capabilities(&serde_json::from_str(HELIX).unwrap());
        let offer = serde_json::to_value(server_capabilities(&client, &[])).unwrap();
        assert_eq!(offer["positionEncoding"], "utf-8");
        assert_eq!(offer["workspace"].get("textDocumentContent"), None);
    }
}
