//! The smallest editor that does what editors do: one document, versions, edits applied only to the version they name.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// Nothing in the story takes this long unless the server is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// An editor with one document open.
pub(crate) struct Client {
    server: Child,
    input: ChildStdin,
    messages: Receiver<anyhow::Result<Value>>,
    requests: u64,
    /// What came while something else was waited for.
    unread: VecDeque<Value>,
    document: Document,
}

/// The one document.
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) uri: String,
    pub(crate) version: i64,
    pub(crate) text: String,
}

/// An edit that the server sent and the document took.
pub(crate) struct Applied {
    pub(crate) label: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Client {
    /// Starts the server as an editor would.
    #[expect(
        clippy::disallowed_methods,
        reason = "our own binary, as an editor would start it"
    )]
    pub(crate) fn start(environment: &[(&str, String)]) -> anyhow::Result<Client> {
        let program = std::env::current_exe().context("cannot find the running binary")?;
        let mut server = Command::new(program)
            .arg("serve")
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let input = server.stdin.take().context("the server has no input")?;
        let mut output = BufReader::new(server.stdout.take().context("the server has no output")?);
        let (sender, messages) = channel();
        // Ends with the server, whose output it reads, or with the client, who listens.
        std::thread::spawn(move || {
            while let Some(message) = read(&mut output).transpose() {
                let failed = message.is_err();
                if sender.send(message).is_err() || failed {
                    return;
                }
            }
        });
        Ok(Client {
            server,
            input,
            messages,
            requests: 0,
            unread: VecDeque::new(),
            document: Document::default(),
        })
    }

    /// The document as it is.
    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// Opens a file from disk.
    pub(crate) fn open(&mut self, path: &Path, language: &str) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        self.document = Document {
            uri: uri(path),
            version: 1,
            text,
        };
        let Document { uri, version, text } = &self.document;
        let params = json!({"textDocument": {"uri": uri, "languageId": language, "version": version, "text": text}});
        self.notify("textDocument/didOpen", params)
    }

    /// Types `text` at the start of a line, as a person would: the server hears of it afterwards.
    pub(crate) fn type_at_line(&mut self, line: usize, text: &str) -> anyhow::Result<()> {
        let at = json!({"line": line, "character": 0});
        let change = json!({"range": {"start": at, "end": at}, "text": text});
        let start = offset(&self.document.text, line, 0).context("the line is not there")?;
        self.document.text.insert_str(start, text);
        self.changed(json!([change]))
    }

    /// Sends a request and waits for its answer; what comes in between is kept for later.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        loop {
            let message = self.receive()?;
            if message["method"].is_null() && message["id"] == id {
                if let Some(error) = message.get("error") {
                    bail!("{method}: {}", error["message"]);
                }
                return Ok(message["result"].clone());
            }
            self.unread.push_back(message);
        }
    }

    /// Sends a notification.
    pub(crate) fn notify(&mut self, method: &str, params: Value) -> anyhow::Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    /// Waits for the next message. Requests of the server must be answered with [`Client::reply`] or [`Client::apply`].
    pub(crate) fn next(&mut self) -> anyhow::Result<Value> {
        match self.unread.pop_front() {
            Some(message) => Ok(message),
            None => self.receive(),
        }
    }

    /// Answers a request of the server.
    pub(crate) fn reply(&mut self, request: &Value, result: Value) -> anyhow::Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
    }

    /// Makes the edit of a `workspace/applyEdit`, if it is for the version that the document has.
    pub(crate) fn apply(&mut self, request: &Value) -> anyhow::Result<Option<Applied>> {
        let change = &request["params"]["edit"]["documentChanges"][0];
        let Document { uri, version, text } = &self.document;
        if change["textDocument"]["uri"] != **uri || change["textDocument"]["version"] != *version {
            self.reply(
                request,
                json!({"applied": false, "failureReason": "the document has changed"}),
            )?;
            return Ok(None);
        }
        let mut edits: Vec<(usize, usize, &Value)> = Vec::new();
        for edit in change["edits"].as_array().into_iter().flatten() {
            let place = |end: &str| {
                let position = &edit["range"][end];
                offset(
                    text,
                    position["line"].as_u64()? as usize,
                    position["character"].as_u64()? as usize,
                )
            };
            let (start, end) = place("start")
                .zip(place("end"))
                .context("an edit is outside of the document")?;
            edits.push((start, end, edit));
        }
        edits.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
        let before = text.clone();
        let mut after = before.clone();
        let mut changes = Vec::new();
        for (start, end, edit) in edits {
            after.replace_range(start..end, edit["newText"].as_str().unwrap_or(""));
            changes.push(json!({"range": edit["range"], "text": edit["newText"]}));
        }
        self.document.text.clone_from(&after);
        // From the last place to the first, so that no change moves the place of the next.
        self.changed(Value::Array(changes))?;
        self.reply(request, json!({"applied": true}))?;
        let label = request["params"]["label"].as_str().unwrap_or("").to_owned();
        Ok(Some(Applied {
            label,
            before,
            after,
        }))
    }

    /// Ends the session as the protocol asks for.
    pub(crate) fn shut_down(mut self) -> anyhow::Result<()> {
        self.request("shutdown", Value::Null)?;
        self.notify("exit", Value::Null)?;
        // Its output ends when it does.
        while self.messages.recv_timeout(PATIENCE).is_ok() {}
        let status = self.server.wait()?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    fn changed(&mut self, changes: Value) -> anyhow::Result<()> {
        self.document.version += 1;
        let Document { uri, version, .. } = &self.document;
        let params =
            json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": changes});
        self.notify("textDocument/didChange", params)
    }

    fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        let body = message.to_string();
        let framed = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.input
            .write_all(framed.as_bytes())
            .context("the server does not listen any more")?;
        self.input.flush()?;
        Ok(())
    }

    fn receive(&mut self) -> anyhow::Result<Value> {
        self.messages
            .recv_timeout(PATIENCE)
            .context("the server has nothing to say any more")?
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Where the story broke off; a server that has ended by itself cannot be killed, and need not be.
        let _ended = self.server.kill();
    }
}

/// The next message; `None` when the server has closed its output.
fn read(output: &mut impl BufRead) -> anyhow::Result<Option<Value>> {
    let mut length = None;
    loop {
        let mut header = String::new();
        if output.read_line(&mut header)? == 0 {
            return Ok(None);
        }
        match header.trim() {
            "" => break,
            header => {
                if let Some(value) = header.strip_prefix("Content-Length:") {
                    length = Some(value.trim().parse::<usize>()?);
                }
            }
        }
    }
    let mut body = vec![0; length.context("a message without a length")?];
    output.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

/// A file as a URI. The demo's folder has plain names, the temporary folder above it may not.
pub(crate) fn uri(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(byte));
            }
            other => uri.extend(['%', hex(other >> 4), hex(other & 15)]),
        }
    }
    uri
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

/// Where a position is, in UTF-8 as the demo negotiates it.
fn offset(text: &str, line: usize, character: usize) -> Option<usize> {
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let offset = start + character;
    text.is_char_boundary(offset).then_some(offset)
}
