//! What an editor does about the messages of its server.

use std::fs;

use serde_json::{Value, json};

use super::document::{self, Change, Document};
use super::documents::language;
use super::{Editor, Moment, Temper, Told};

/// How the editor treats one edit of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applying {
    /// As its temper has it.
    AsUsual,
    /// Drops it and answers `applied: true`.
    Lie,
    /// Answers `applied: false`.
    Refuse,
    /// Answers with an error, as Eglot does.
    Fail,
    /// Does nothing until [`Editor::release`].
    Hold,
    /// Shows the annotated edits, of which the user picks those with this annotation; with another, none.
    Pick(&'static str),
    /// Applies and answers, and tells the server only at [`Editor::tell`] or the next change.
    TellLater,
}

/// A `didChange` that is still to be sent: URI, version, changes.
pub(super) type Untold = (String, i64, Value);

impl Editor {
    pub(super) fn handle(&mut self, message: Value) {
        self.record(true, message.clone());
        let params = message.get("params").cloned().unwrap_or_default();
        match (message["method"].as_str(), message.get("id")) {
            (Some(method), id) => {
                self.run_hooks(|moment| moment_is(moment, method), &message);
                match id {
                    Some(id) => self.asked(method, id.clone(), params),
                    None => self.notified(method, &params),
                }
                self.unread.push_back(message);
            }
            (None, Some(id)) => self.answered(id, &message),
            (None, None) => self
                .violations
                .push(format!("neither request nor answer: {message}")),
        }
    }

    /// Goes on with the edits that were held, as usual.
    pub(crate) fn release(&mut self) {
        while let Some((id, params)) = self.held.pop_front() {
            self.apply_and_reply(id, &params, Applying::AsUsual);
        }
    }

    /// Tells the server about changes it has not been told of.
    pub(crate) fn tell(&mut self) {
        while let Some((uri, version, changes)) = self.untold.pop_front() {
            self.did_change(&uri, version, changes);
        }
    }

    fn answered(&mut self, id: &Value, message: &Value) {
        let waiting = id.as_i64().and_then(|id| self.waiting.get_mut(&id));
        let answer = match (message.get("result"), message.get("error")) {
            (Some(result), None) => Ok(result.clone()),
            (None, Some(error)) => Err(error.clone()),
            _ => {
                self.violations
                    .push(format!("an answer needs a result or an error: {message}"));
                return;
            }
        };
        match waiting {
            Some(slot @ None) => *slot = Some(answer),
            // What could not be read has no id to answer to.
            None if id.is_null() && answer.is_err() => self.unread.push_back(message.clone()),
            Some(Some(_)) | None => self
                .violations
                .push(format!("an answer to no question: {message}")),
        }
    }

    fn notified(&mut self, method: &str, params: &Value) {
        match method {
            "$/progress" => self.progressed(params),
            "textDocument/publishDiagnostics" => self.published(params),
            "window/showMessage" | "window/logMessage" if params["type"] == 1 => {
                self.errors
                    .push(params["message"].as_str().unwrap_or_default().to_owned());
            }
            "window/showMessage" | "window/logMessage" | "telemetry/event" | "$/logTrace"
            | "$/cancelRequest" => {}
            // Our own extensions of the protocol.
            _ if method.starts_with("farthing/") || method.starts_with("test/") => {}
            _ => self.violations.push(format!("no client knows {method}")),
        }
    }

    fn progressed(&mut self, params: &Value) {
        let kind = params["value"]["kind"].as_str().unwrap_or_default();
        let Some(events) = self.progress.get_mut(&params["token"].to_string()) else {
            self.violations
                .push(format!("progress under a token nobody created: {params}"));
            return;
        };
        let last = events
            .last()
            .map(|event| event["kind"].as_str().unwrap_or_default().to_owned());
        let fits = match last.as_deref() {
            None => kind == "begin",
            Some("end") => false,
            Some(_) => kind == "report" || kind == "end",
        };
        events.push(params["value"].clone());
        if !fits {
            self.violations
                .push(format!("progress {kind} after {last:?}: {params}"));
        }
    }

    fn published(&mut self, params: &Value) {
        let uri = params["uri"].as_str().unwrap_or_default();
        let version = params.get("version").and_then(Value::as_i64);
        let items = super::list(params["diagnostics"].clone());
        if let Some(document) = self.documents.get(uri) {
            match version {
                None => self.violations.push(format!(
                    "diagnostics of an open document without its version: {params}"
                )),
                Some(version) if version > document.version => {
                    self.violations.push(format!(
                        "diagnostics of version {version}, which is not yet: {params}"
                    ));
                }
                Some(version) if version == document.version => {
                    let ranges = items.iter().map(|item| {
                        document::offsets(&document.text, &item["range"], self.encoding)
                    });
                    let wrong: Vec<String> = ranges.filter_map(Result::err).collect();
                    self.violations.extend(wrong);
                }
                Some(_) => {}
            }
        }
        let published = self.diagnostics.entry(uri.to_owned()).or_default();
        published.version = version;
        published.items = items;
        published.times += 1;
    }

    fn asked(&mut self, method: &str, id: Value, params: Value) {
        if let Err(reason) = self.may_ask(method, &params) {
            self.violations.push(reason);
            self.reply(
                id,
                Err(json!({"code": -32601, "message": "Method not found"})),
            );
            return;
        }
        let result = match method {
            "workspace/applyEdit" => {
                self.edit_asked(id, params);
                return;
            }
            "window/workDoneProgress/create" => {
                let before = self
                    .progress
                    .insert(params["token"].to_string(), Vec::new());
                if before.is_some() {
                    self.violations
                        .push(format!("a token was created twice: {params}"));
                }
                Value::Null
            }
            "workspace/configuration" => {
                let items = super::list(params["items"].clone());
                items.iter().map(|item| self.settings(item)).collect()
            }
            "workspace/workspaceFolders" => json!([{"uri": self.uri(""), "name": "workspace"}]),
            "client/registerCapability" => {
                for registration in super::list(params["registrations"].clone()) {
                    let method = registration["method"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned();
                    self.registered
                        .insert(method, registration["registerOptions"].clone());
                }
                Value::Null
            }
            "window/showMessageRequest" => self.choices.pop_front().unwrap_or_default(),
            "window/showDocument" => json!({"success": true}),
            _ => Value::Null,
        };
        self.reply(id, Ok(result));
    }

    fn settings(&self, item: &Value) -> Value {
        let section = item["section"].as_str().unwrap_or_default();
        let mut path = section.split('.').filter(|part| !part.is_empty());
        let found = path.try_fold(&self.options.settings, |settings, part| settings.get(part));
        found.cloned().unwrap_or_default()
    }

    /// A server asks only for what the client announced.
    fn may_ask(&self, method: &str, params: &Value) -> Result<(), String> {
        let announced = |pointer: &str| {
            let found = self.capabilities.pointer(pointer);
            let yes = found.is_some_and(|found| found == &json!(true) || found.is_object());
            yes.then_some(()).ok_or_else(|| {
                format!("{method} needs {pointer}, which was not announced: {params}")
            })
        };
        match method {
            "workspace/applyEdit" => announced("/workspace/applyEdit"),
            "window/workDoneProgress/create" => announced("/window/workDoneProgress"),
            "workspace/configuration" => announced("/workspace/configuration"),
            "workspace/workspaceFolders" => announced("/workspace/workspaceFolders"),
            "window/showDocument" => announced("/window/showDocument/support"),
            "workspace/codeLens/refresh" => announced("/workspace/codeLens/refreshSupport"),
            "workspace/inlayHint/refresh" => announced("/workspace/inlayHint/refreshSupport"),
            "workspace/diagnostic/refresh" => announced("/workspace/diagnostics/refreshSupport"),
            "workspace/textDocumentContent/refresh" => announced("/workspace/textDocumentContent"),
            "client/registerCapability" => {
                let registrations = super::list(params["registrations"].clone());
                registrations.iter().try_for_each(|registration| {
                    match registration["method"].as_str() {
                        Some("workspace/didChangeWatchedFiles") => {
                            announced("/workspace/didChangeWatchedFiles/dynamicRegistration")
                        }
                        Some("workspace/didChangeConfiguration") => {
                            announced("/workspace/didChangeConfiguration/dynamicRegistration")
                        }
                        _ => Err(format!(
                            "registered what needs no registration: {registration}"
                        )),
                    }
                })
            }
            "client/unregisterCapability" | "window/showMessageRequest" => Ok(()),
            _ => Err(format!("no client knows {method}")),
        }
    }

    fn reply(&mut self, id: Value, answer: Result<Value, Value>) {
        let message = match answer {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        };
        self.send(message);
    }

    fn edit_asked(&mut self, id: Value, params: Value) {
        let targets = |params: &Value| -> Vec<Value> {
            entries(&params["edit"])
                .iter()
                .map(|entry| entry["textDocument"]["uri"].clone())
                .collect()
        };
        let asked = targets(&params);
        if self
            .held
            .iter()
            .any(|(_, held)| targets(held).iter().any(|uri| asked.contains(uri)))
        {
            self.violations.push(format!(
                "a second edit of a document before the first was answered: {params}"
            ));
        }
        self.run_hooks(|moment| moment == Moment::BeforeApply, &params);
        match self.applying.pop_front().unwrap_or(Applying::AsUsual) {
            Applying::Hold => self.held.push_back((id, params)),
            applying => self.apply_and_reply(id, &params, applying),
        }
    }

    fn apply_and_reply(&mut self, id: Value, params: &Value, applying: Applying) {
        let mut changes = Vec::new();
        let answer = match applying {
            Applying::Lie => Ok(json!({"applied": true})),
            Applying::Refuse => Ok(json!({"applied": false, "failureReason": "the user said no"})),
            Applying::Fail => Err(json!({"code": -32603, "message": "Internal error"})),
            Applying::AsUsual | Applying::TellLater | Applying::Hold | Applying::Pick(_) => {
                let picked = picked(&params["edit"], applying);
                Ok(match self.apply(&picked, &mut changes) {
                    Ok(()) if matches!(applying, Applying::Pick(_)) => {
                        json!({"applied": !changes.is_empty()})
                    }
                    Ok(()) => json!({"applied": true}),
                    Err(reason) => {
                        json!({"applied": false, "failureReason": reason, "failedChange": 0})
                    }
                })
            }
        };
        self.untold.extend(changes);
        if applying != Applying::TellLater && self.options.told == Told::BeforeTheReply {
            self.tell();
        }
        self.run_hooks(|moment| moment == Moment::AfterApply, params);
        self.reply(id, answer);
        if applying != Applying::TellLater {
            self.tell();
        }
    }

    /// Applies a workspace edit and notes what the server is to be told. The error is the client's reason.
    fn apply(&mut self, edit: &Value, told: &mut Vec<Untold>) -> Result<(), String> {
        let entries = entries(edit);
        if edit.get("changeAnnotations").is_some()
            && self
                .capabilities
                .pointer("/workspace/workspaceEdit/changeAnnotationSupport")
                .is_none()
        {
            self.violations
                .push(format!("annotations were not announced: {edit}"));
        }
        if self.options.temper == Temper::Strict {
            for entry in entries.iter().filter(|entry| entry.get("kind").is_none()) {
                if self.is_stale(entry) {
                    return Err("document has changed".to_owned());
                }
            }
        }
        for (index, entry) in entries.iter().enumerate() {
            match entry["kind"].as_str() {
                Some(kind) => self.file_operation(kind, entry)?,
                // The buffer is newer than the edit: it is dropped, and nobody hears of it.
                None if index == 0
                    && self.options.temper == Temper::Lenient
                    && self.is_older(entry) => {}
                None => self.edit_document(entry, told)?,
            }
        }
        Ok(())
    }

    fn is_stale(&self, entry: &Value) -> bool {
        let document = &entry["textDocument"];
        let Some(version) = document["version"].as_i64() else {
            return false;
        };
        let open = self
            .documents
            .get(document["uri"].as_str().unwrap_or_default());
        open.is_none_or(|open| open.version != version)
    }

    fn is_older(&self, entry: &Value) -> bool {
        let document = &entry["textDocument"];
        let version = document["version"].as_i64().unwrap_or(0);
        let open = self
            .documents
            .get(document["uri"].as_str().unwrap_or_default());
        version > 0 && open.is_some_and(|open| open.version > version)
    }

    fn edit_document(&mut self, entry: &Value, told: &mut Vec<Untold>) -> Result<(), String> {
        let uri = entry["textDocument"]["uri"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if self.documents.contains_key(&uri) {
            if entry["textDocument"]["version"].is_null() {
                self.violations.push(format!(
                    "an edit of an open document without its version: {entry}"
                ));
            }
        } else {
            self.open_for_edit(&uri)?;
        }
        let (encoding, step) = (self.encoding, self.options.versions.1);
        let Some(open) = self.documents.get_mut(&uri) else {
            return Err(format!("{uri} cannot be opened"));
        };
        match changes(open, entry, encoding) {
            Err(violation) => {
                self.violations.push(format!("{violation}: {entry}"));
                Err(violation)
            }
            Ok(changes) if changes.is_empty() => Ok(()),
            Ok(changes) => {
                let content = open.apply(changes, encoding);
                open.version += step;
                told.push((uri, open.version, content));
                Ok(())
            }
        }
    }

    /// Editors load a file that is not open, and the server hears of it.
    fn open_for_edit(&mut self, uri: &str) -> Result<(), String> {
        let path = self.home.path(uri);
        let text = fs::read_to_string(&path).map_err(|error| format!("{uri}: {error}"))?;
        let version = self.options.versions.0;
        let document =
            json!({"uri": uri, "languageId": language(uri), "version": version, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
        let document = Document {
            text,
            version,
            undo: Vec::new(),
        };
        self.documents.insert(uri.to_owned(), document);
        Ok(())
    }

    fn file_operation(&mut self, kind: &str, operation: &Value) -> Result<(), String> {
        let announced = self
            .capabilities
            .pointer("/workspace/workspaceEdit/resourceOperations");
        if !announced
            .and_then(Value::as_array)
            .is_some_and(|known| known.contains(&json!(kind)))
        {
            self.violations
                .push(format!("{kind} was not announced: {operation}"));
            return Err(format!("unknown operation {kind}"));
        }
        let path = |name: &str| self.home.path(operation[name].as_str().unwrap_or_default());
        let option = |name: &str| operation["options"][name] == true;
        let result = match kind {
            "create" if path("uri").exists() && option("ignoreIfExists") => Ok(()),
            "create" if path("uri").exists() && !option("overwrite") => {
                return Err("the file exists".to_owned());
            }
            "create" => {
                self.home
                    .write(operation["uri"].as_str().unwrap_or_default(), "");
                Ok(())
            }
            "rename" if path("newUri").exists() && !option("overwrite") => {
                return Err("the file exists".to_owned());
            }
            "rename" => self.rename(operation),
            _ => fs::remove_file(path("uri")),
        };
        let uri = operation["uri"].as_str().unwrap_or_default();
        if kind == "delete" && result.is_ok() && self.documents.remove(uri).is_some() {
            let document = json!({"uri": uri});
            self.notify("textDocument/didClose", json!({"textDocument": document}));
        }
        result.map_err(|error| error.to_string())
    }
}

impl Editor {
    /// A buffer goes with its file.
    fn rename(&mut self, operation: &Value) -> std::io::Result<()> {
        let uri = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        let (from, to) = (uri("oldUri"), uri("newUri"));
        let path = self.home.path(&to);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(self.home.path(&from), path)?;
        if let Some(mut document) = self.documents.remove(&from) {
            let closed = json!({"uri": from});
            self.notify("textDocument/didClose", json!({"textDocument": closed}));
            document.version = self.options.versions.0;
            let (version, text) = (document.version, document.text.clone());
            let opened =
                json!({"uri": to, "languageId": language(&to), "version": version, "text": text});
            self.notify("textDocument/didOpen", json!({"textDocument": opened}));
            self.documents.insert(to, document);
        }
        Ok(())
    }
}

/// The changes of one document edit, or what is wrong with them. What changes nothing is left out.
fn changes(
    open: &Document,
    entry: &Value,
    encoding: document::Encoding,
) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    for edit in super::list(entry["edits"].clone()) {
        let Some(text) = edit["newText"].as_str() else {
            return Err("an edit needs a new text".to_owned());
        };
        let (start, end) = document::offsets(&open.text, &edit["range"], encoding)?;
        changes.push(Change {
            start,
            end,
            text: text.to_owned(),
        });
    }
    changes.sort_by_key(|change| (change.start, change.end));
    if changes
        .windows(2)
        .any(|pair| pair[0].end > pair[1].start || pair[0].start == pair[1].start)
    {
        return Err("edits overlap".to_owned());
    }
    changes.retain(|change| open.text[change.start..change.end] != change.text);
    Ok(changes)
}

/// The documents and file operations of a workspace edit, in one form.
fn entries(edit: &Value) -> Vec<Value> {
    if let Some(entries) = edit["documentChanges"].as_array() {
        return entries.clone();
    }
    let changes = edit["changes"].as_object();
    let unversioned = changes.into_iter().flatten();
    unversioned
        .map(|(uri, edits)| json!({"textDocument": {"uri": uri, "version": null}, "edits": edits}))
        .collect()
}

fn moment_is(moment: Moment, method: &str) -> bool {
    matches!(moment, Moment::On(wanted) if wanted == method)
}

/// What of a workspace edit the user picks in a preview.
fn picked(edit: &Value, applying: Applying) -> Value {
    let mut edit = edit.clone();
    if let Applying::Pick(id) = applying {
        for entry in edit["documentChanges"].as_array_mut().into_iter().flatten() {
            let edits = super::list(entry["edits"].clone());
            let edits = edits.into_iter().filter(|edit| edit["annotationId"] == id);
            entry["edits"] = edits.collect();
        }
    }
    edit
}
