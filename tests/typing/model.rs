//! A model that changes what it is asked to, each time in a way that is told from all others, and notes what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt as _};
use provider::{
    Billed, CompletionRequest, Content, Provider, ProviderError, StopReason, StreamEvent, Usage,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::Random;

/// What the model wanted in one run.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// Stands in the new text and nowhere else.
    pub(crate) mark: String,
    /// What stands in its place before, if it replaces something.
    pub(crate) replaces: Option<String>,
}

/// What the model was told of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Landed,
    Kept,
    Refused,
}

/// Everything the model wished for and was told, by mark.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) wishes: BTreeMap<String, Wish>,
    pub(crate) told: Vec<(String, Told)>,
}

pub(crate) struct Model {
    random: Mutex<Random>,
    pub(crate) notes: Arc<Mutex<Notes>>,
}

impl Model {
    pub(crate) fn new(random: Random) -> Model {
        Model {
            random: Mutex::new(random),
            notes: Arc::default(),
        }
    }

    /// The call that answers a first request, if what it is about is still there.
    fn call(&self, said: &str) -> Option<(&'static str, Value)> {
        let (_, shown) = said.split_once("<target>\n")?;
        let (shown, _) = shown.split_once("\n</target>")?;
        let (head, body) = shown.split_once('\n')?;
        let symbol = head.strip_prefix("symbol: ")?.split(" · ").next()?;
        let base = head.rsplit("hash: ").next()?.get(..12)?;
        let (_, old) = body.split_once("step_")?;
        let old: String = old.chars().take_while(|c| *c != ';').collect();
        let old = format!("step_{old};");
        // What the user has typed into it is not the model's to change.
        if !old.is_ascii() {
            return None;
        }
        let mut random = self.random.lock().unwrap();
        let mut notes = self.notes.lock().unwrap();
        let mark = format!("7{:06}", notes.wishes.len());
        let (function, _) = old.split_once('(')?;
        let new = format!("{function}({mark});");
        let kind = random.below(5);
        let (name, input) = match kind {
            0 | 1 => (
                "edit_symbol",
                json!({"symbol": symbol, "base": base, "reason": "r", "edits": [{"old_text": old, "new_text": new}]}),
            ),
            2 => (
                "replace_symbol",
                json!({"symbol": symbol, "base": base, "text": body.replacen(&old, &new, 1), "reason": "r"}),
            ),
            3 => (
                "add_symbol",
                json!({"anchor": symbol, "position": "after", "text": format!("fn added_{mark}() {{}}"), "reason": "r"}),
            ),
            _ => (
                "edit_imports",
                json!({"add": [format!("use made::m_{mark};")], "remove": [], "reason": "r"}),
            ),
        };
        let wish = Wish {
            mark: mark.clone(),
            replaces: (kind < 3).then_some(old),
        };
        notes.wishes.insert(mark, wish);
        Some((name, input))
    }

    /// Notes what the last message says of the call before it.
    fn hear(&self, request: &CompletionRequest) {
        let last = request.messages.last().map(|message| &message.content);
        let call = request.messages.iter().rev().find_map(|message| {
            message.content.iter().find_map(|content| match content {
                Content::ToolUse { input, .. } => Some(input.to_string()),
                _ => None,
            })
        });
        let mut notes = self.notes.lock().unwrap();
        let mark = call.and_then(|call| {
            notes
                .wishes
                .keys()
                .rev()
                .find(|mark| call.contains(*mark))
                .cloned()
        });
        let Some(mark) = mark else { return };
        for content in last.into_iter().flatten() {
            if let Content::ToolResult {
                content, is_error, ..
            } = content
            {
                let told = match (*is_error, content) {
                    (true, _) => Told::Refused,
                    (false, said) if said.starts_with("kept for the user") => Told::Kept,
                    (false, said) if said.starts_with("landed") => Told::Landed,
                    (false, said) => panic!("the model cannot make sense of {said:?}"),
                };
                notes.told.push((mark.clone(), told));
            }
        }
    }
}

impl Provider for Model {
    fn name(&self) -> &'static str {
        "anthropic"
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
            "nothing is sent after a cancellation"
        );
        let said: String = request
            .messages
            .iter()
            .take(1)
            .flat_map(|message| &message.content)
            .map(|content| match content {
                Content::Text { text } => text.as_str(),
                _ => "",
            })
            .collect();
        let first = request.messages.len() == 1;
        let call = if first { self.call(&said) } else { None };
        if !first {
            self.hear(&request);
        }
        let pause = Duration::from_millis(self.random.lock().unwrap().below(800));
        let usage = Usage {
            input: 1_000,
            output: 100,
            ..Usage::default()
        };
        let id = format!("call_{}", request.messages.len());
        let mut content = vec![Content::Text {
            text: "Done.".to_owned(),
        }];
        let mut events = vec![StreamEvent::Started {
            message_id: "msg".to_owned(),
            model: request.model.clone(),
            usage: Usage { output: 1, ..usage },
            request_id: None,
        }];
        let called = call.is_some();
        if let Some((name, input)) = call {
            content = vec![Content::ToolUse {
                id: id.clone(),
                name: name.to_owned(),
                input: input.clone(),
            }];
            events.push(StreamEvent::ToolReady {
                id,
                name: name.to_owned(),
                input: Ok(input),
            });
        } else {
            events.push(StreamEvent::TextDelta("Done.".to_owned()));
        }
        events.push(StreamEvent::Finished {
            stop: if called {
                StopReason::ToolUse
            } else {
                StopReason::EndTurn
            },
            detail: None,
            usage,
            billed: Billed::Exactly(usage),
            content,
            request_id: None,
        });
        futures::stream::iter(events)
            .then(move |event| async move {
                tokio::time::sleep(pause).await;
                Ok(event)
            })
            .boxed()
    }
}
