//! What a user does with documents. A path is relative to the workspace; a URI stands for itself.

use serde_json::{Value, json};

use super::Editor;
use super::document::{self, Change, Document};

impl Editor {
    /// Opens a file of the workspace as it is on disk.
    pub(crate) fn open(&mut self, path: &str) {
        let text = self.home.read(path);
        self.open_as(path, &text);
    }

    /// Opens a document with a text of its own, saved or not.
    pub(crate) fn open_as(&mut self, path: &str, text: &str) {
        let uri = self.uri(path);
        let version = self.options.versions.0;
        let language = language(path);
        self.notify(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri, "languageId": language, "version": version, "text": text}}),
        );
        let document = Document {
            text: text.to_owned(),
            version,
            undo: Vec::new(),
        };
        self.documents.insert(uri, document);
    }

    pub(crate) fn close(&mut self, path: &str) {
        let uri = self.uri(path);
        self.notify(
            "textDocument/didClose",
            json!({"textDocument": {"uri": uri}}),
        );
        self.documents.remove(&uri);
    }

    /// Writes a document to disk and says so.
    pub(crate) fn save(&mut self, path: &str) {
        let uri = self.uri(path);
        self.home.write(path, &self.text(path));
        self.notify(
            "textDocument/didSave",
            json!({"textDocument": {"uri": uri}}),
        );
    }

    /// The text as the editor has it.
    pub(crate) fn text(&self, path: &str) -> String {
        self.document(path).text.clone()
    }

    pub(crate) fn version(&self, path: &str) -> i64 {
        self.document(path).version
    }

    /// Types `text` before the first `needle`.
    pub(crate) fn type_before(&mut self, path: &str, needle: &str, text: &str) {
        let (start, _) = self.find(path, needle);
        self.change(
            path,
            vec![Change {
                start,
                end: start,
                text: text.to_owned(),
            }],
        );
    }

    /// Replaces the first `needle`.
    pub(crate) fn replace(&mut self, path: &str, needle: &str, text: &str) {
        let (start, end) = self.find(path, needle);
        self.change(
            path,
            vec![Change {
                start,
                end,
                text: text.to_owned(),
            }],
        );
    }

    /// Makes changes that all refer to the text before them, and tells the server part by part.
    pub(crate) fn change(&mut self, path: &str, changes: Vec<Change>) {
        let uri = self.uri(path);
        self.change_uri(&uri, changes);
    }

    /// Replaces the whole text, and tells the server the whole text.
    pub(crate) fn change_all(&mut self, path: &str, text: &str) {
        self.tell();
        let uri = self.uri(path);
        let step = self.options.versions.1;
        let Some(document) = self.documents.get_mut(&uri) else {
            self.fail(&format!("{uri} is not open"));
        };
        document
            .undo
            .push(std::mem::replace(&mut document.text, text.to_owned()));
        document.version += step;
        let version = document.version;
        self.did_change(&uri, version, json!([{"text": text}]));
    }

    /// Takes back the last change, whoever made it.
    pub(crate) fn undo(&mut self, path: &str) {
        let Some(before) = self.document(path).undo.last().cloned() else {
            self.fail(&format!("nothing to undo in {path}"));
        };
        self.change_all(path, &before);
        let uri = self.uri(path);
        if let Some(document) = self.documents.get_mut(&uri) {
            // The step that undid and the step that was undone.
            document
                .undo
                .truncate(document.undo.len().saturating_sub(2));
        }
    }

    /// The URI of a path in the workspace; a URI stands for itself.
    pub(crate) fn uri(&self, path: &str) -> String {
        self.home.uri(path)
    }

    /// The range of the first `needle` in the editor's text.
    pub(crate) fn range(&self, path: &str, needle: &str) -> Value {
        let (start, end) = self.find(path, needle);
        document::range(&self.document(path).text, start, end, self.encoding)
    }

    /// The text that a range of the protocol stands for in the editor's text.
    pub(crate) fn text_of(&self, path: &str, range: &Value) -> String {
        let text = &self.document(path).text;
        match document::offsets(text, range, self.encoding) {
            Ok((start, end)) => text[start..end].to_owned(),
            Err(error) => self.fail(&error),
        }
    }

    fn find(&self, path: &str, needle: &str) -> (usize, usize) {
        match self.document(path).text.find(needle) {
            Some(start) => (start, start + needle.len()),
            None => self.fail(&format!("no {needle:?} in {path}")),
        }
    }

    fn document(&self, path: &str) -> &Document {
        match self.documents.get(&self.uri(path)) {
            Some(document) => document,
            None => self.fail(&format!("{path} is not open")),
        }
    }

    pub(super) fn change_uri(&mut self, uri: &str, changes: Vec<Change>) {
        self.tell();
        let (encoding, step) = (self.encoding, self.options.versions.1);
        let Some(document) = self.documents.get_mut(uri) else {
            self.fail(&format!("{uri} is not open"));
        };
        let told = document.apply(changes, encoding);
        document.version += step;
        let version = document.version;
        self.did_change(uri, version, told);
    }

    pub(super) fn did_change(&mut self, uri: &str, version: i64, changes: Value) {
        let document = json!({"uri": uri, "version": version});
        self.notify(
            "textDocument/didChange",
            json!({"textDocument": document, "contentChanges": changes}),
        );
    }
}

pub(super) fn language(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("rs") => "rust",
        Some("py") => "python",
        Some("ts") => "typescript",
        Some("tsx") => "typescriptreact",
        Some("js") => "javascript",
        Some("go") => "go",
        Some("java") => "java",
        Some("c" | "h") => "c",
        Some("cpp" | "hpp" | "cc") => "cpp",
        Some("toml") => "toml",
        _ => "plaintext",
    }
}
