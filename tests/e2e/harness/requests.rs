//! What an editor asks its server.

use serde_json::{Value, json};

use super::{Editor, document, list};

impl Editor {
    /// Actions at the first `needle` of a document, with the diagnostics there, as when a user asks for them.
    pub(crate) fn code_actions(&mut self, path: &str, needle: &str) -> Vec<Value> {
        let range = self.range(path, needle);
        let diagnostics: Vec<Value> = self
            .diagnostics(path)
            .items
            .into_iter()
            .filter(|item| overlap(&item["range"], &range))
            .collect();
        let context = json!({"diagnostics": diagnostics, "triggerKind": 1});
        let params =
            json!({"textDocument": {"uri": self.uri(path)}, "range": range, "context": context});
        list(self.request("textDocument/codeAction", params))
    }

    /// Runs a command, or the command of a code action or a code lens.
    pub(crate) fn execute(&mut self, command: &Value) -> Value {
        let command = command
            .get("command")
            .filter(|inner| inner.is_object())
            .unwrap_or(command);
        let params = json!({"command": command["command"], "arguments": command["arguments"]});
        self.request("workspace/executeCommand", params)
    }

    /// The text of the hover at the start of the first `needle`; `None` without one.
    pub(crate) fn hover(&mut self, path: &str, needle: &str) -> Option<String> {
        let position = self.range(path, needle)["start"].clone();
        let params = json!({"textDocument": {"uri": self.uri(path)}, "position": position});
        let hover = self.request("textDocument/hover", params);
        let contents = hover.get("contents")?;
        contents
            .get("value")
            .unwrap_or(contents)
            .as_str()
            .map(str::to_owned)
    }

    pub(crate) fn code_lenses(&mut self, path: &str) -> Vec<Value> {
        let params = json!({"textDocument": {"uri": self.uri(path)}});
        list(self.request("textDocument/codeLens", params))
    }

    /// Inlay hints of the whole document.
    pub(crate) fn inlay_hints(&mut self, path: &str) -> Vec<Value> {
        let text = self.text(path);
        let range = document::range(&text, 0, text.len(), self.encoding);
        let params = json!({"textDocument": {"uri": self.uri(path)}, "range": range});
        list(self.request("textDocument/inlayHint", params))
    }

    /// Sends a request and waits for its result; an error fails the test.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        match self.try_request(method, params) {
            Ok(result) => result,
            Err(error) => self.fail(&format!("{method} was answered with {error}")),
        }
    }

    /// Sends a request and waits for its result or error.
    pub(crate) fn try_request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// Sends a request; [`Editor::answer`] waits for its answer.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.last_id += 1;
        let id = self.last_id;
        self.waiting.insert(id, None);
        let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
        if !params.is_null() {
            message["params"] = params;
        }
        self.send(message);
        id
    }

    /// Waits for the answer to a request.
    pub(crate) fn answer(&mut self, id: i64) -> Result<Value, Value> {
        let answer = self.wait_until(&format!("the answer to request {id}"), |editor| {
            editor.waiting.get(&id).cloned().flatten()
        });
        self.waiting.remove(&id);
        answer
    }

    /// Takes a request back. It still has to be answered.
    pub(crate) fn cancel(&mut self, id: i64) {
        self.notify("$/cancelRequest", json!({"id": id}));
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        if !params.is_null() {
            message["params"] = params;
        }
        self.send(message);
    }

    /// Sends bytes that need not be a message.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.wire.send_bytes(bytes);
    }
}

/// Whether two ranges of the protocol share a place; touching counts, as in editors.
fn overlap(a: &Value, b: &Value) -> bool {
    let place = |position: &Value| (position["line"].as_u64(), position["character"].as_u64());
    place(&a["start"]) <= place(&b["end"]) && place(&b["start"]) <= place(&a["end"])
}
