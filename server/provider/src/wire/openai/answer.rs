use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use crate::event::{StopReason, StreamEvent};
use crate::http::Broken;
use crate::request::Content;

/// What servers say beside an answer and want to see again in the next request: their reasoning, by the names in use.
pub(super) const FIELDS: [&str; 3] = ["reasoning_content", "reasoning", "reasoning_details"];

/// The answer while it grows.
#[derive(Debug, Default)]
pub(super) struct Answer {
    text: String,
    refusal: String,
    fields: Map<String, Value>,
    /// In the order in which they began.
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    /// The number that the server gives the call. Some give all the same.
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    /// Why the arguments cannot be complete, whatever they look like.
    cut: Option<String>,
}

impl Answer {
    /// Takes a piece of the answer in. `message` is the id of the whole, for calls without one.
    pub(super) fn delta(
        &mut self,
        delta: &Value,
        message: &str,
        events: &mut VecDeque<StreamEvent>,
    ) -> Result<(), Broken> {
        let text = |name: &str| delta[name].as_str().filter(|text| !text.is_empty());
        let mut thought = None;
        for name in FIELDS {
            match (&delta[name], self.fields.get_mut(name)) {
                (Value::String(new), _) if new.is_empty() => {}
                (Value::String(new), Some(Value::String(old))) => {
                    old.push_str(new);
                    thought = thought.or(Some(new));
                }
                (Value::String(new), _) => {
                    self.fields.insert(name.to_owned(), new.clone().into());
                    thought = thought.or(Some(new));
                }
                (Value::Array(new), Some(Value::Array(old))) => old.extend(new.iter().cloned()),
                (Value::Array(new), None) if !new.is_empty() => {
                    self.fields.insert(name.to_owned(), new.clone().into());
                }
                _ => {}
            }
        }
        events.extend(thought.map(|text| StreamEvent::ThinkingDelta {
            text: text.clone(),
            estimated_tokens: 0,
        }));
        if let Some(new) = text("content") {
            self.text.push_str(new);
            events.push_back(StreamEvent::TextDelta(new.to_owned()));
        }
        if let Some(new) = text("refusal") {
            self.refusal.push_str(new);
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.call(call, message, events)?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        delta: &Value,
        message: &str,
        events: &mut VecDeque<StreamEvent>,
    ) -> Result<(), Broken> {
        let function = &delta["function"];
        let id = delta["id"].as_str().unwrap_or_default();
        let name = function["name"].as_str().unwrap_or_default();
        let index = delta["index"].as_u64();
        let known = match (index, id) {
            (None, "") => self.calls.len().checked_sub(1),
            (None, id) => self.calls.iter().position(|call| call.id == id),
            // Another id under the same number is another call.
            (index, id) => self
                .calls
                .iter()
                .rposition(|call| call.index == index && (id.is_empty() || call.id == id)),
        };
        let at = if let Some(at) = known {
            at
        } else {
            if name.is_empty() {
                return Err(Broken::protocol("a tool call without a name"));
            }
            let id = if id.is_empty() {
                format!("{message}_{}", self.calls.len())
            } else {
                id.to_owned()
            };
            if self.calls.iter().any(|call| call.id == id) {
                return Err(Broken::protocol(&format!(
                    "two tool calls with the id {id}"
                )));
            }
            events.push_back(StreamEvent::ToolStarted {
                id: id.clone(),
                name: name.to_owned(),
            });
            self.calls.push(Call {
                index,
                id,
                name: name.to_owned(),
                arguments: String::new(),
                cut: None,
            });
            self.calls.len() - 1
        };
        let Some(call) = self.calls.get_mut(at) else {
            return Ok(());
        };
        let partial = match &function["arguments"] {
            Value::String(partial) => partial.clone(),
            // Some servers parse the arguments instead of passing on what the model wrote.
            whole @ Value::Object(_) => whole.to_string(),
            _ => String::new(),
        };
        if !partial.is_empty() {
            call.arguments.push_str(&partial);
            events.push_back(StreamEvent::ToolInputDelta {
                id: call.id.clone(),
                partial,
            });
        }
        Ok(())
    }

    pub(super) fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    /// What the model said in declining, if it did.
    pub(super) fn refusal(&self) -> Option<&str> {
        Some(self.refusal.as_str()).filter(|refusal| !refusal.is_empty())
    }

    /// The model has stopped, so nothing can be added to any call.
    pub(super) fn stop(&mut self, stop: &StopReason, events: &mut VecDeque<StreamEvent>) {
        let limit = match stop {
            StopReason::EndTurn | StopReason::StopSequence | StopReason::ToolUse => None,
            StopReason::MaxTokens => Some("it reached max_tokens"),
            StopReason::ContextWindowExceeded => Some("the context window is full"),
            StopReason::Refusal => Some("it was stopped by a refusal"),
            StopReason::PauseTurn | StopReason::Unknown(_) => Some("the call was never finished"),
        };
        for call in &mut self.calls {
            // Under a limit, the only sign that a call is whole is that its braces close.
            let whole = match stop {
                StopReason::MaxTokens | StopReason::ContextWindowExceeded => {
                    !call.arguments.trim().is_empty() && call.parsed().is_ok()
                }
                _ => limit.is_none(),
            };
            call.cut = limit.filter(|_| !whole).map(|limit| {
                format!("the answer ended inside the arguments of this call: {limit}")
            });
            events.push_back(StreamEvent::ToolReady {
                id: call.id.clone(),
                name: call.name.clone(),
                input: call.input(),
            });
        }
    }

    /// The answer as it goes back into the conversation.
    pub(super) fn into_content(self) -> Vec<Content> {
        let mut content = Vec::new();
        if !self.fields.is_empty() {
            let mut block = self.fields;
            block.insert("type".to_owned(), "reasoning".into());
            content.push(Content::Opaque {
                block: Value::Object(block),
            });
        }
        if !self.text.is_empty() {
            content.push(Content::Text { text: self.text });
        }
        // The wire wants JSON, and the model should see what it wrote.
        content.extend(self.calls.into_iter().map(|call| {
            Content::ToolUse {
                input: call
                    .input()
                    .unwrap_or_else(|_| json!({ "INVALID_JSON": call.arguments })),
                id: call.id,
                name: call.name,
            }
        }));
        content
    }
}

impl Call {
    fn input(&self) -> Result<Value, String> {
        match &self.cut {
            Some(cut) => Err(cut.clone()),
            None => self.parsed(),
        }
    }

    fn parsed(&self) -> Result<Value, String> {
        if self.arguments.trim().is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        let input: Value = serde_json::from_str(&self.arguments)
            .map_err(|error| format!("the arguments of this call are not valid JSON: {error}"))?;
        if input.is_object() {
            Ok(input)
        } else {
            Err("the arguments of this call are not a JSON object".to_owned())
        }
    }
}
