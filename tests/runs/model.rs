//! A model that follows a script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt as _};
use provider::{
    Billed, CompletionRequest, Content, Provider, ProviderError, Role, StopReason, StreamEvent,
    Usage,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;

/// Each turn of the script answers one request.
pub(crate) struct Scripted {
    turns: Vec<String>,
    desk: Arc<Desk>,
    seen: Mutex<Vec<CompletionRequest>>,
}

/// Something that happens while an answer streams.
#[derive(Clone, Debug)]
enum Step {
    Say(String),
    Call {
        name: &'static str,
        input: Value,
    },
    /// The arguments as they are written, which may be anything.
    Raw {
        name: String,
        input: String,
    },
    UserTypes {
        old: String,
        new: String,
    },
    UserCancels,
    Wait,
    Vanish,
    Stop(StopReason, Option<String>),
}

impl Scripted {
    pub(crate) fn new(turns: Vec<String>, desk: Arc<Desk>) -> Scripted {
        Scripted {
            turns,
            desk,
            seen: Mutex::default(),
        }
    }

    /// What the first request said.
    pub(crate) fn first_message(&self) -> String {
        let seen = self.seen.lock().unwrap();
        seen.first()
            .and_then(|request| request.messages.first())
            .map(|message| shown(&message.content))
            .unwrap_or_default()
    }

    /// What each later request added.
    pub(crate) fn replies(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let mut replies = Vec::new();
        for pair in seen.windows(2) {
            let [before, after] = pair else { continue };
            let added = after
                .messages
                .iter()
                .skip(before.messages.len())
                .filter(|message| message.role == Role::User);
            replies.extend(added.map(|message| shown(&message.content)));
        }
        replies
    }
}

/// The content of a message as the specifications write it.
fn shown(content: &[Content]) -> String {
    let blocks = content.iter().map(|block| match block {
        Content::Text { text } => format!("{text}\n"),
        Content::ToolResult {
            content, is_error, ..
        } => {
            format!("{}{content}\n", if *is_error { "error: " } else { "" })
        }
        Content::ToolUse { name, .. } => format!("{name}\n"),
        Content::Opaque { .. } => String::new(),
    });
    blocks.collect()
}

impl Provider for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn body_bytes(&self, request: &CompletionRequest) -> usize {
        serde_json::to_vec(request).unwrap().len()
    }

    fn stream(
        &self,
        request: CompletionRequest,
        cancel: CancellationToken,
    ) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        assert!(
            !cancel.is_cancelled(),
            "nothing is sent after the user has cancelled"
        );
        let turn = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(request.clone());
            seen.len()
        };
        let script = self
            .turns
            .get(turn - 1)
            .unwrap_or_else(|| panic!("the script has no turn {turn}"));
        let steps = steps(script, &request);
        let usage = Usage {
            input: 1_000,
            output: 100,
            ..Usage::default()
        };
        let started = StreamEvent::Started {
            message_id: format!("msg_{turn}"),
            model: "scripted-1".to_owned(),
            usage: Usage { output: 1, ..usage },
            request_id: Some(format!("req_{turn}")),
        };
        let script = Playing {
            steps: steps.into_iter(),
            desk: self.desk.clone(),
            turn,
            calls: 0,
            content: Vec::new(),
            usage,
            over: false,
        };
        futures::stream::iter([Ok(started)])
            .chain(futures::stream::unfold(script, Playing::next))
            .boxed()
    }
}

struct Playing {
    steps: std::vec::IntoIter<Step>,
    desk: Arc<Desk>,
    turn: usize,
    calls: usize,
    content: Vec<Content>,
    usage: Usage,
    over: bool,
}

impl Playing {
    async fn next(mut self) -> Option<(Result<StreamEvent, ProviderError>, Playing)> {
        loop {
            if self.over {
                return None;
            }
            // The clock is paused: this lets everything that can happen happen, and takes no time.
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.desk.moment();
            let event = match self.steps.next() {
                Some(Step::Say(text)) => {
                    self.content.push(Content::Text { text: text.clone() });
                    StreamEvent::TextDelta(text)
                }
                Some(Step::Call { name, input }) => self.call(name.to_owned(), Ok(input)),
                Some(Step::Raw { name, input }) => {
                    let input = serde_json::from_str(&input).map_err(|_| {
                        "the arguments are not valid JSON; send the call again".to_owned()
                    });
                    self.call(name, input)
                }
                Some(Step::UserTypes { old, new }) => {
                    self.desk.user_types(&old, &new);
                    continue;
                }
                Some(Step::UserCancels) => {
                    self.desk.user_cancels();
                    continue;
                }
                Some(Step::Wait) => {
                    std::future::pending::<()>().await;
                    return None;
                }
                Some(Step::Vanish) => return None,
                Some(Step::Stop(stop, detail)) => self.finish(stop, detail),
                None => {
                    let stop = if self.calls > 0 {
                        StopReason::ToolUse
                    } else {
                        StopReason::EndTurn
                    };
                    self.finish(stop, None)
                }
            };
            return Some((Ok(event), self));
        }
    }

    fn call(&mut self, name: String, input: Result<Value, String>) -> StreamEvent {
        self.calls += 1;
        let id = format!("call_{}_{}", self.turn, self.calls);
        let kept = input
            .clone()
            .unwrap_or_else(|_| json!({"INVALID_JSON": ""}));
        self.content.push(Content::ToolUse {
            id: id.clone(),
            name: name.clone(),
            input: kept,
        });
        StreamEvent::ToolReady { id, name, input }
    }

    fn finish(&mut self, stop: StopReason, detail: Option<String>) -> StreamEvent {
        self.over = true;
        let content = std::mem::take(&mut self.content);
        StreamEvent::Finished {
            stop,
            detail,
            usage: self.usage,
            billed: Billed::Exactly(self.usage),
            content,
            request_id: None,
        }
    }
}

/// Understands a script; `README.md` describes its lines.
fn steps(script: &str, request: &CompletionRequest) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        let mut body = Vec::new();
        while let Some(more) = lines.next_if(|line| line.starts_with(['|', '+', '-'])) {
            body.push(more);
        }
        let (line, reason) = line.split_once(" because ").unwrap_or((line, "it helps"));
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (target, base) = match rest.split_once(" @ ") {
            Some((target, base)) => (target, base.to_owned()),
            None => (rest, hash_of(request, rest)),
        };
        let text = || {
            body.iter()
                .map(|line| content(line))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let with = |sign: char| -> Vec<&str> {
            body.iter()
                .filter(|line| line.starts_with(sign))
                .map(|line| content(line))
                .collect()
        };
        steps.push(match word {
            "" => continue,
            "say" => Step::Say(rest.to_owned()),
            "edit" => Step::Call {
                name: "edit_symbol",
                input: json!({"symbol": target, "base": base, "edits": replacements(&body), "reason": reason}),
            },
            "replace" => Step::Call {
                name: "replace_symbol",
                input: json!({"symbol": target, "base": base, "text": text(), "reason": reason}),
            },
            "add" => {
                let (position, anchor) = rest.split_once(' ').unwrap();
                Step::Call {
                    name: "add_symbol",
                    input: json!({"anchor": anchor, "position": position, "text": text(), "reason": reason}),
                }
            }
            "imports" => Step::Call {
                name: "edit_imports",
                input: json!({"add": with('+'), "remove": with('-'), "reason": reason}),
            },
            "patch" => Step::Call {
                name: "apply_patch",
                input: json!({"input": text()}),
            },
            "read" => {
                let (symbol, file) = rest.split_once(" in ").map_or((rest, None), |(symbol, file)| (symbol, Some(file)));
                let (view, symbol) = symbol.split_once(' ').unwrap_or(("body", symbol));
                let mut input = json!({"symbol": symbol, "view": view});
                if let Some(file) = file {
                    input["file"] = json!(file);
                }
                Step::Call { name: "read_symbol", input }
            }
            "find" => {
                let (kind, query) = rest.split_once(' ').unwrap();
                Step::Call { name: "find", input: json!({"query": query, "kind": kind}) }
            }
            "scope" => {
                let symbols: Vec<&str> = rest.split(", ").collect();
                Step::Call { name: "request_scope", input: json!({"symbols": symbols, "reason": reason}) }
            }
            "raw" => {
                let (name, input) = rest.split_once(' ').unwrap();
                Step::Raw { name: name.to_owned(), input: input.to_owned() }
            }
            "user" => match rest.strip_prefix("types ").and_then(|typed| typed.split_once(" -> ")) {
                Some((old, new)) => Step::UserTypes { old: unquoted(old), new: unquoted(new) },
                None if rest == "cancels" => Step::UserCancels,
                None => panic!("the user can type and cancel, not {rest:?}"),
            },
            "wait" => Step::Wait,
            "vanish" => Step::Vanish,
            "stop" => {
                let (reason, detail) = rest.split_once(": ").map_or((rest, None), |(reason, detail)| (reason, Some(detail.to_owned())));
                let stop = serde_json::from_value(json!(reason)).unwrap_or_else(|_| StopReason::Unknown(reason.to_owned()));
                Step::Stop(stop, detail)
            }
            other => panic!("a turn has no line {other:?}"),
        });
    }
    steps
}

/// Runs of `-` lines and the `+` lines that follow each.
fn replacements(body: &[&str]) -> Vec<Value> {
    let mut edits: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for line in body {
        match edits.last_mut() {
            Some((_, new)) if line.starts_with('+') => new.push(content(line)),
            Some((old, new)) if line.starts_with('-') && new.is_empty() => old.push(content(line)),
            _ => edits.push((vec![content(line)], Vec::new())),
        }
    }
    edits
        .into_iter()
        .map(|(old, new)| json!({"old_text": old.join("\n"), "new_text": new.join("\n")}))
        .collect()
}

/// A line of a body without its sign and the blank after it.
fn content(line: &str) -> &str {
    line.get(1..)
        .map(|rest| rest.strip_prefix(' ').unwrap_or(rest))
        .unwrap_or_default()
}

fn unquoted(text: &str) -> String {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text} is not a string in double quotes"))
}

/// The hash that was shown last for a symbol, as a model would repeat it.
fn hash_of(request: &CompletionRequest, symbol: &str) -> String {
    let start = format!("symbol: {symbol} · hash: ");
    let said: Vec<String> = request
        .messages
        .iter()
        .map(|message| shown(&message.content))
        .collect();
    let found = said.iter().rev().find_map(|text| {
        text.lines()
            .rev()
            .find_map(|line| Some(line.split_once(&start)?.1.chars().take(12).collect()))
    });
    found.unwrap_or_else(|| "000000000000".to_owned())
}
