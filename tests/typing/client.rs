//! An editor whose user types at random, on the other side of the protocol.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, WriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::Random;
use crate::document::{Change, Document, Encoding, offsets, range};
use crate::model::{Notes, Told};

/// What only the user types. What the server does to the text must never change these, or their order.
const USERS: &[char] = &['😀', 'é', '𝒳', 'λ', '\u{301}', 'ß'];

const FUNCTIONS: u64 = 30;

/// Which editor to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temper {
    /// Like VS Code; otherwise like Neovim.
    pub(crate) strict: bool,
    pub(crate) encoding: &'static str,
    pub(crate) line_break: &'static str,
    /// Whether the server hears of its own edit before it hears the answer.
    pub(crate) told_first: bool,
}

pub(crate) struct Client {
    temper: Temper,
    uri: String,
    encoding: Encoding,
    random: Random,
    output: WriteHalf<DuplexStream>,
    messages: UnboundedReceiver<Value>,
    document: Document,
    /// Changes that the server has not heard of yet.
    untold: Vec<(i64, Value)>,
    last_id: u64,
    running: BTreeSet<String>,
    cursor: u64,
    hunks: Vec<String>,
    /// How often each mark came into the text by an edit that was no way back.
    landed: BTreeMap<String, usize>,
    notes: Arc<Mutex<Notes>>,
    /// How much of what the model was told has been compared with the text.
    heard: usize,
    pub(crate) counts: Counts,
}

/// What happened, so that a test which nothing happened in is noticed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) typed: u64,
    pub(crate) runs: u64,
    pub(crate) landed: u64,
    pub(crate) kept: u64,
    pub(crate) refused: u64,
    pub(crate) dropped: u64,
    pub(crate) ways_back: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Counts) {
        self.typed += other.typed;
        self.runs += other.runs;
        self.landed += other.landed;
        self.kept += other.kept;
        self.refused += other.refused;
        self.dropped += other.dropped;
        self.ways_back += other.ways_back;
    }
}

/// The source that sessions begin with.
fn source(line_break: &str) -> String {
    let functions = (0..FUNCTIONS).map(|number| {
        format!("/// Does {number}.\nfn f{number}(n: u32) -> u32 {{\n    let m = n + {number};\n    step_{number}(0);\n    m\n}}\n\n")
    });
    let text: String = std::iter::once("use std::fmt;\n\n".to_owned())
        .chain(functions)
        .collect();
    text.replace('\n', line_break)
}

impl Client {
    pub(crate) async fn start(
        stream: DuplexStream,
        temper: Temper,
        uri: String,
        random: Random,
        notes: Arc<Mutex<Notes>>,
    ) -> Client {
        let (input, output) = tokio::io::split(stream);
        let (sender, messages) = unbounded_channel();
        #[expect(clippy::disallowed_methods, reason = "ends with the stream")]
        tokio::spawn(async move {
            let mut input = BufReader::new(input);
            loop {
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if input.read_line(&mut line).await.unwrap_or(0) == 0 {
                        return;
                    }
                    match line.trim().split_once(": ") {
                        Some(("Content-Length", bytes)) => length = bytes.parse().unwrap(),
                        Some(_) => {}
                        None => break,
                    }
                }
                let mut body = vec![0; length];
                if input.read_exact(&mut body).await.is_err() {
                    return;
                }
                if sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut client = Client {
            temper,
            uri,
            encoding: Encoding::named(temper.encoding),
            random,
            output,
            messages,
            document: Document {
                text: source(temper.line_break),
                version: 1,
                undo: Vec::new(),
            },
            untold: Vec::new(),
            last_id: 0,
            running: BTreeSet::new(),
            cursor: 0,
            hunks: Vec::new(),
            landed: BTreeMap::new(),
            notes,
            heard: 0,
            counts: Counts::default(),
        };
        let capabilities = json!({
            "general": {"positionEncodings": [temper.encoding]},
            "window": {"workDoneProgress": true},
            // A server that watches by itself has a thread that never rests, and then no time passes.
            "workspace": {
                "applyEdit": true,
                "workspaceEdit": {"documentChanges": true},
                "didChangeWatchedFiles": {"dynamicRegistration": true},
            },
            "textDocument": {"publishDiagnostics": {"dataSupport": true}},
        });
        let name = if temper.strict {
            "Visual Studio Code"
        } else {
            "Neovim"
        };
        client
            .ask("initialize", json!({"processId": null, "rootUri": null, "capabilities": capabilities, "clientInfo": {"name": name}}))
            .await;
        client.notify("initialized", json!({})).await;
        let text = client.document.text.clone();
        client
            .notify("textDocument/didOpen", json!({"textDocument": {"uri": client.uri, "languageId": "rust", "version": 1, "text": text}}))
            .await;
        client
    }

    /// Closes the server's input without a word.
    pub(crate) async fn hang_up(mut self) {
        self.output.shutdown().await.expect("the server listens");
    }

    pub(crate) fn text(&self) -> &str {
        &self.document.text
    }

    /// Types, launches and decides at random until so many changes were typed, and then waits until all runs have ended.
    pub(crate) async fn live(&mut self, changes: u64) {
        while self.counts.typed < changes {
            match self.random.below(40) {
                0..=2 if self.running.len() < 3 => self.launch().await,
                3 => self.decide().await,
                4 => self.notify_cancel().await,
                5 => self.command("farthing.run.undo", json!({})).await,
                6 => {
                    self.command("farthing.hunk.keepFile", json!({"uri": self.uri}))
                        .await;
                }
                7 => self.undo().await,
                _ => self.type_something().await,
            }
            // Bursts, and pauses that are long enough for an edit to land in.
            let pause = match self.random.below(12) {
                0 => 700,
                1..=3 => self.random.below(400),
                _ => self.random.below(20),
            };
            self.listen(Duration::from_millis(pause)).await;
        }
        while !self.running.is_empty() {
            self.listen(Duration::from_secs(30)).await;
        }
        // What was told last is still to be heard by the server.
        while self.listen(Duration::from_secs(30)).await {}
        self.compare();
    }

    /// Handles what the server says for so long. Says whether there was something to tell it in the end.
    async fn listen(&mut self, time: Duration) -> bool {
        let until = tokio::time::Instant::now() + time;
        while let Ok(message) = tokio::time::timeout_at(until, self.messages.recv()).await {
            let message = message.expect("the server left");
            self.handle(message).await;
        }
        // Editors that gather changes send them after a while.
        let told = !self.untold.is_empty();
        self.tell().await;
        told
    }

    async fn handle(&mut self, message: Value) {
        let params = &message["params"];
        match (message["method"].as_str(), message.get("id")) {
            (Some("workspace/applyEdit"), Some(id)) => self.apply(id.clone(), params).await,
            (Some("window/showMessageRequest"), Some(id)) => {
                self.reply(id, json!({"title": "Allow"})).await;
            }
            (Some("workspace/configuration"), Some(id)) => self.reply(id, json!([null])).await,
            (Some(_), Some(id)) => self.reply(id, Value::Null).await,
            (Some("textDocument/publishDiagnostics"), None) => {
                let items = params["diagnostics"].as_array().into_iter().flatten();
                let hunks = items.filter_map(|item| item["data"]["hunk"].as_str());
                self.hunks = hunks.map(str::to_owned).collect();
            }
            (Some("$/progress"), None) if params["value"]["kind"] == "end" => {
                let token = params["token"].as_str().unwrap_or_default();
                self.running.remove(token);
                // What the run was told is compared while the text is as it was told.
                self.compare();
            }
            (None, Some(_)) => {
                if let Some(run) = message["result"]["run"].as_str() {
                    self.running.insert(format!("farthing/run/{run}"));
                    self.counts.runs += 1;
                }
            }
            _ => {}
        }
    }

    /// Treats an edit of the server as editors do, and checks what it does to the text.
    async fn apply(&mut self, id: Value, params: &Value) {
        let entry = &params["edit"]["documentChanges"][0];
        let version = entry["textDocument"]["version"].as_i64();
        // A moment of typing between the sending and the arrival.
        if self.random.below(6) == 0 {
            self.type_something().await;
        }
        let older = version.is_some_and(|version| version != self.document.version);
        let mood = self.random.below(20);
        if older || mood == 0 {
            self.counts.dropped += 1;
            let answer = if self.temper.strict {
                json!({"applied": false, "failureReason": "document has changed"})
            } else {
                json!({"applied": true})
            };
            self.reply(&id, answer).await;
            return;
        }
        let before = self.document.text.clone();
        let changes: Vec<Change> = entry["edits"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|edit| {
                let (start, end) =
                    offsets(&before, &edit["range"], self.encoding).expect("a range of this text");
                let text = edit["newText"].as_str().unwrap_or_default().to_owned();
                Change { start, end, text }
            })
            .collect();
        let told = self.document.apply(changes, self.encoding);
        self.document.version += 1;
        self.check(&before, params["label"].as_str().unwrap_or_default());
        let told = (self.document.version, told);
        if self.temper.told_first {
            self.untold.push(told);
            self.tell().await;
            self.reply(&id, json!({"applied": true})).await;
        } else {
            self.reply(&id, json!({"applied": true})).await;
            // The server may believe nothing yet; meanwhile more is typed.
            self.untold.push(told);
            if self.random.below(3) == 0 {
                self.type_something().await;
            }
        }
    }

    /// Whether an edit of the server went where it was meant for, once, and left what the user typed alone.
    fn check(&mut self, before: &str, label: &str) {
        let after = &self.document.text;
        let what = || format!("{:?}, {label}: {}", self.temper, difference(before, after));
        let users = |text: &str| -> String { text.chars().filter(|c| USERS.contains(c)).collect() };
        assert!(
            users(before) == users(after),
            "the user's own text: {}",
            what()
        );
        if label.starts_with("Undo") {
            self.counts.ways_back += 1;
            return;
        }
        let notes = self.notes.lock().unwrap();
        let mut new = notes
            .wishes
            .values()
            .filter(|wish| after.matches(&wish.mark).count() > before.matches(&wish.mark).count());
        let wish = new
            .next()
            .unwrap_or_else(|| panic!("nobody wished for this: {}", what()));
        assert!(new.next().is_none(), "two wishes in one edit");
        let times = self.landed.entry(wish.mark.clone()).or_default();
        *times += 1;
        assert_eq!(*times, 1, "{} landed twice: {}", wish.mark, what());
        if let Some(old) = &wish.replaces {
            // What is typed into the place and leaves the number alone stays.
            let (function, number) = old.split_once('(').unwrap_or((old.as_str(), ""));
            let number = number.trim_end_matches(';').trim_end_matches(')');
            let new = format!("{function}({});", wish.mark);
            // The user may have deleted some of the call, but what is left of it is left of this one.
            let call = format!("{function}(");
            let is_call = |at: usize| {
                let to_here: String = before[..at]
                    .chars()
                    .filter(|c| !USERS.contains(c))
                    .collect();
                let statement = to_here.rsplit(|c: char| c.is_whitespace() || ";{}".contains(c));
                let left = statement.take(1).flat_map(str::chars);
                let mut whole = call.chars();
                left.into_iter().all(|c| whole.any(|other| other == c))
            };
            let mut numbers = before.match_indices(number).map(|(at, _)| at);
            let made = numbers.any(|at| {
                let (head, rest) = (&before[..at], &before[at + number.len()..]);
                let rest = after
                    .strip_prefix(head)
                    .and_then(|after| after.strip_suffix(rest));
                rest == Some(&wish.mark) && is_call(at)
            });
            let made = made || after.replacen(&new, old, 1) == before;
            assert!(made, "{old} was to be {new} and nothing else: {}", what());
        }
    }

    /// Compares what the model was told with what came into the text.
    fn compare(&mut self) {
        let notes = self.notes.lock().unwrap();
        for (mark, told) in notes.told.iter().skip(self.heard) {
            let landed = self.landed.get(mark).copied().unwrap_or(0);
            match told {
                Told::Landed => {
                    self.counts.landed += 1;
                    assert_eq!(
                        landed, 1,
                        "{:?}: {mark} was told to have landed",
                        self.temper
                    );
                }
                Told::Kept => {
                    self.counts.kept += 1;
                }
                Told::Refused => {
                    self.counts.refused += 1;
                    assert_eq!(
                        landed, 0,
                        "{:?}: {mark} was told to be refused",
                        self.temper
                    );
                }
            }
        }
        self.heard = notes.told.len();
    }

    async fn launch(&mut self) {
        let symbol = format!("f{}", self.random.below(FUNCTIONS));
        let launch = json!({"action": "simplify", "symbol": symbol});
        self.command("farthing.run", json!({"uri": self.uri, "launch": launch}))
            .await;
    }

    async fn decide(&mut self) {
        let at = self.random.below(self.hunks.len().max(1) as u64);
        let Some(hunk) = self.hunks.get(at as usize).cloned() else {
            return;
        };
        let command = ["farthing.hunk.keep", "farthing.hunk.undo"][self.random.below(2) as usize];
        self.command(command, json!({"hunk": hunk})).await;
    }

    async fn notify_cancel(&mut self) {
        if self.random.below(4) == 0
            && let Some(token) = self.running.first().cloned()
        {
            self.notify("window/workDoneProgress/cancel", json!({"token": token}))
                .await;
        }
    }

    /// One change, or several cursors' at once.
    async fn type_something(&mut self) {
        let cursors = match self.random.below(10) {
            0 => 2 + self.random.below(4),
            _ => 1,
        };
        let mut changes: Vec<Change> = (0..cursors).map(|_| self.change()).collect();
        changes.sort_by_key(|change| (change.start, change.end));
        changes.dedup_by(|next, before| next.start <= before.end);
        changes.retain(|change| self.document.text[change.start..change.end] != change.text);
        if changes.is_empty() {
            return;
        }
        let told = if self.random.below(50) == 0 {
            self.document.apply(changes, self.encoding);
            json!([{"text": self.document.text}])
        } else {
            self.document.apply(changes, self.encoding)
        };
        self.typed(told).await;
    }

    fn change(&mut self) -> Change {
        let text = self.document.text.clone();
        // People type where they are for a while, and then somewhere else.
        if self.random.below(8) == 0 {
            self.cursor = self.random.below(text.len() as u64 + 1);
        }
        let cursor = self.cursor.min(text.len() as u64);
        let at = |random: &mut Random| {
            let near = (cursor + random.below(60)).saturating_sub(30);
            let mut at = near.min(text.len() as u64) as usize;
            while !text.is_char_boundary(at) || is_inside_break(&text, at) {
                at -= 1;
            }
            at
        };
        let start = at(&mut self.random);
        let user =
            |random: &mut Random| USERS[random.below(USERS.len() as u64) as usize].to_string();
        let (end, insert) = match self.random.below(16) {
            // A word.
            0..=7 => (
                start,
                (0..=self.random.below(3))
                    .map(|_| user(&mut self.random))
                    .collect(),
            ),
            // A comment on a line of its own.
            8..=9 => (
                start,
                format!(
                    "{0}// {1}{0}",
                    self.temper.line_break,
                    user(&mut self.random)
                ),
            ),
            // Any line break there is.
            10 => (
                start,
                ["\n", "\r\n", "\r"][self.random.below(3) as usize].to_owned()
                    + &user(&mut self.random),
            ),
            // A few characters go.
            11..=13 => {
                let end = text[start..]
                    .char_indices()
                    .map(|(at, _)| start + at)
                    .nth(1 + self.random.below(4) as usize);
                let end = end.unwrap_or(text.len());
                (
                    if is_inside_break(&text, end) {
                        end + 1
                    } else {
                        end
                    },
                    String::new(),
                )
            }
            // Something longer goes, or is pasted over.
            14 => {
                let other = at(&mut self.random);
                let (start, end) = (
                    start.min(other),
                    start.max(other).min(start.min(other) + 60),
                );
                let mut end = end;
                while !text.is_char_boundary(end) || is_inside_break(&text, end) {
                    end -= 1;
                }
                let insert = user(&mut self.random);
                return Change {
                    start,
                    end: end.max(start),
                    text: insert,
                };
            }
            // Nothing is left of what was broken.
            _ if self.random.below(8) == 0 => {
                return Change {
                    start: 0,
                    end: text.len(),
                    text: source(self.temper.line_break),
                };
            }
            _ => (start, " ".to_owned()),
        };
        Change {
            start,
            end,
            text: insert,
        }
    }

    /// The editor's own undo, of whatever was last.
    async fn undo(&mut self) {
        let Some(before) = self.document.undo.pop() else {
            return;
        };
        let old = std::mem::replace(&mut self.document.text, before);
        let text = &self.document.text;
        let whole = range(&old, 0, old.len(), self.encoding);
        let told = json!([{"range": whole, "text": text}]);
        self.typed(told).await;
    }

    async fn typed(&mut self, told: Value) {
        self.counts.typed += 1;
        self.document.version += 1;
        let excess = self.document.undo.len().saturating_sub(20);
        self.document.undo.drain(..excess);
        self.untold.push((self.document.version, told));
        if self.temper.strict || self.random.below(3) > 0 {
            self.tell().await;
        }
    }

    /// Tells the server what it has not heard of.
    async fn tell(&mut self) {
        for (version, changes) in std::mem::take(&mut self.untold) {
            let document = json!({"uri": self.uri, "version": version});
            self.notify(
                "textDocument/didChange",
                json!({"textDocument": document, "contentChanges": changes}),
            )
            .await;
        }
    }

    async fn command(&mut self, command: &str, arguments: Value) {
        self.ask(
            "workspace/executeCommand",
            json!({"command": command, "arguments": [arguments]}),
        )
        .await;
    }

    async fn ask(&mut self, method: &str, params: Value) {
        self.last_id += 1;
        let message =
            json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params});
        self.send(&message).await;
    }

    async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
            .await;
    }

    async fn reply(&mut self, id: &Value, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}))
            .await;
    }

    async fn send(&mut self, message: &Value) {
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.output
            .write_all(frame.as_bytes())
            .await
            .expect("the server listens");
    }
}

/// Whether an offset is between the two halves of a line break.
fn is_inside_break(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    at > 0 && bytes.get(at - 1) == Some(&b'\r') && bytes.get(at) == Some(&b'\n')
}

/// What stands in one text and not in the other, between what both have at their ends.
fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<char>, Vec<char>) =
        (before.chars().collect(), after.chars().collect());
    let same =
        |pairs: &mut dyn Iterator<Item = (&char, &char)>| pairs.take_while(|(a, b)| a == b).count();
    let head = same(&mut before.iter().zip(&after));
    let tail = same(&mut before[head..].iter().rev().zip(after[head..].iter().rev()));
    let shown = |text: &[char]| {
        text[head.saturating_sub(40)..text.len() - tail]
            .iter()
            .collect::<String>()
    };
    format!("{:?} became {:?}", shown(&before), shown(&after))
}
