use serde_json::{Map, Value, json};

use crate::event::{StopReason, StreamEvent};
use crate::request::Content;

/// One content block of the answer while it grows.
#[derive(Debug)]
pub(super) struct Block {
    kind: Kind,
    open: bool,
    /// Pieces of JSON: a tool's arguments, for ourselves or for the provider.
    partial: String,
    has_output: bool,
}

#[derive(Debug)]
enum Kind {
    Text(String),
    Tool {
        id: String,
        name: String,
        /// The arguments as the start event had them: an empty object, except from gateways that do not stream them.
        first_input: Value,
    },
    /// Thinking and everything we do not know, as the provider wrote it.
    Opaque(Map<String, Value>),
}

/// What a delta means to the reader of the stream.
pub(super) enum Delta<'a> {
    Text(&'a str),
    Thinking {
        text: &'a str,
        estimated_tokens: u64,
    },
    ToolInput {
        id: &'a str,
        partial: &'a str,
    },
    Silent,
}

impl Block {
    pub(super) fn start(start: &Map<String, Value>) -> Block {
        let field = |name: &str| {
            start
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let kind = match field("type").as_str() {
            "text" => Kind::Text(field("text")),
            "tool_use" => Kind::Tool {
                id: field("id"),
                name: field("name"),
                first_input: start.get("input").cloned().unwrap_or_default(),
            },
            _ => Kind::Opaque(start.clone()),
        };
        let has_output = match &kind {
            Kind::Text(text) => !text.is_empty(),
            Kind::Tool { .. } => true,
            Kind::Opaque(block) => {
                let strings = block
                    .iter()
                    .filter(|(name, _)| *name != "type")
                    .filter_map(|(_, value)| value.as_str());
                strings.map(str::len).sum::<usize>() > 0
            }
        };
        Block {
            kind,
            open: true,
            partial: String::new(),
            has_output,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the model produced anything here, seen or withheld.
    pub(super) fn has_output(&self) -> bool {
        self.has_output
    }

    /// Id and name, if this is a tool call for us.
    pub(super) fn tool(&self) -> Option<(&str, &str)> {
        match &self.kind {
            Kind::Tool { id, name, .. } => Some((id, name)),
            Kind::Text(_) | Kind::Opaque(_) => None,
        }
    }

    /// The text that came with the start event.
    pub(super) fn first_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) if !text.is_empty() => Some(text),
            Kind::Text(_) | Kind::Tool { .. } | Kind::Opaque(_) => None,
        }
    }

    pub(super) fn delta<'a>(&'a mut self, delta: &'a Map<String, Value>) -> Delta<'a> {
        let field = |name: &str| delta.get(name).and_then(Value::as_str).unwrap_or_default();
        match (&mut self.kind, field("type")) {
            (Kind::Text(text), "text_delta") => {
                let new = field("text");
                text.push_str(new);
                self.has_output |= !new.is_empty();
                if new.is_empty() {
                    Delta::Silent
                } else {
                    Delta::Text(new)
                }
            }
            (Kind::Tool { id, .. }, "input_json_delta") => {
                let partial = field("partial_json");
                self.partial.push_str(partial);
                if partial.is_empty() {
                    Delta::Silent
                } else {
                    Delta::ToolInput { id, partial }
                }
            }
            (Kind::Text(_) | Kind::Tool { .. }, _) => Delta::Silent,
            (Kind::Opaque(_), "input_json_delta") => {
                self.partial.push_str(field("partial_json"));
                self.has_output = true;
                Delta::Silent
            }
            (Kind::Opaque(block), "thinking_delta") => {
                append(block, "thinking", field("thinking"));
                let estimated_tokens = delta
                    .get("estimated_tokens")
                    .and_then(Value::as_u64)
                    .unwrap_or_default();
                self.has_output |= estimated_tokens > 0 || !field("thinking").is_empty();
                Delta::Thinking {
                    text: field("thinking"),
                    estimated_tokens,
                }
            }
            (Kind::Opaque(block), "signature_delta") => {
                block.insert("signature".to_owned(), field("signature").into());
                self.has_output = true;
                Delta::Silent
            }
            (Kind::Opaque(block), _) => {
                merge(block, delta);
                self.has_output = true;
                Delta::Silent
            }
        }
    }

    /// The block is complete.
    pub(super) fn close(&mut self) -> Option<StreamEvent> {
        self.open = false;
        if let Kind::Opaque(block) = &mut self.kind
            && let Ok(input) = serde_json::from_str::<Value>(&self.partial)
        {
            block.insert("input".to_owned(), input);
        }
        self.ready(self.input())
    }

    /// The message is over. A block that never got its end was cut by the stop.
    pub(super) fn cut(&mut self, stop: &StopReason) -> Option<StreamEvent> {
        if !self.open {
            return None;
        }
        let limit = match stop {
            StopReason::MaxTokens => "it reached max_tokens",
            StopReason::ContextWindowExceeded => "the context window is full",
            StopReason::Refusal => "it was stopped by a refusal",
            StopReason::EndTurn
            | StopReason::StopSequence
            | StopReason::ToolUse
            | StopReason::PauseTurn
            | StopReason::Unknown(_) => "the call was never finished",
        };
        self.ready(Err(format!(
            "the answer ended inside the arguments of this call: {limit}"
        )))
    }

    fn ready(&self, input: Result<Value, String>) -> Option<StreamEvent> {
        let (id, name) = self.tool()?;
        Some(StreamEvent::ToolReady {
            id: id.to_owned(),
            name: name.to_owned(),
            input,
        })
    }

    /// The arguments of a complete tool call.
    fn input(&self) -> Result<Value, String> {
        let input = match &self.kind {
            Kind::Tool { first_input, .. } if self.partial.trim().is_empty() => match first_input {
                Value::Null => Value::Object(Map::new()),
                first_input => first_input.clone(),
            },
            Kind::Tool { .. } | Kind::Text(_) | Kind::Opaque(_) => {
                serde_json::from_str(&self.partial).map_err(|error| {
                    format!("the arguments of this call are not valid JSON: {error}")
                })?
            }
        };
        if input.is_object() {
            Ok(input)
        } else {
            Err("the arguments of this call are not a JSON object".to_owned())
        }
    }

    /// The block as it goes back into the conversation, if it can.
    pub(super) fn into_content(self) -> Option<Content> {
        let input = match &self.kind {
            Kind::Tool { .. } if self.open => Err(String::new()),
            Kind::Tool { .. } => self.input(),
            Kind::Text(_) | Kind::Opaque(_) => Ok(Value::Null),
        };
        match self.kind {
            Kind::Text(text) if text.is_empty() => None,
            Kind::Text(text) => Some(Content::Text { text }),
            // The API wants an object, and the model should see what it wrote.
            Kind::Tool { id, name, .. } => {
                let input = input.unwrap_or_else(|_| json!({ "INVALID_JSON": self.partial }));
                Some(Content::ToolUse { id, name, input })
            }
            // Without its end, a block of the provider's own lacks its signature and would be rejected.
            Kind::Opaque(_) if self.open => None,
            Kind::Opaque(block) => Some(Content::Opaque {
                block: Value::Object(block),
            }),
        }
    }
}

fn append(block: &mut Map<String, Value>, field: &str, text: &str) {
    match block.get_mut(field) {
        Some(Value::String(old)) => old.push_str(text),
        _ => {
            block.insert(field.to_owned(), text.into());
        }
    }
}

/// A delta of an unknown kind: texts grow and everything else is replaced, which is how every kind known so far behaves.
fn merge(block: &mut Map<String, Value>, delta: &Map<String, Value>) {
    for (field, value) in delta.iter().filter(|(field, _)| *field != "type") {
        match value {
            Value::String(text) => append(block, field, text),
            value => {
                block.insert(field.clone(), value.clone());
            }
        }
    }
}
