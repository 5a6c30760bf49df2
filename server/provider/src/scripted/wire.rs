//! The two wires that a script is played over. A script is written once, in the words of the Messages API; what comes in
//! over chat completions is put into these words, and what goes out is put into theirs.

use serde_json::{Map, Value, json};

/// What a client speaks, by the path it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Messages,
    Chat,
}

/// Where the Messages API counts the tokens of a prompt.
pub(super) const COUNT: &str = "/v1/messages/count_tokens";

impl Wire {
    pub(super) fn of_path(path: &str) -> Option<Wire> {
        match path {
            "/v1/messages" => Some(Wire::Messages),
            "/v1/chat/completions" => Some(Wire::Chat),
            _ => None,
        }
    }

    /// The body in the words of the Messages API.
    pub(super) fn as_messages(self, body: &Value) -> Value {
        match self {
            Wire::Messages => body.clone(),
            Wire::Chat => as_messages(body),
        }
    }

    pub(super) fn error_body(self, status: u16, message: &str) -> String {
        self.error(error_type(status), message).to_string()
    }

    /// What an error says in the stream or instead of it.
    pub(super) fn error(self, error_type: &str, message: &str) -> Value {
        match self {
            Wire::Messages => {
                json!({"type": "error", "error": {"type": error_type, "message": message}})
            }
            Wire::Chat => {
                json!({"error": {"message": message, "type": error_type, "param": null, "code": null}})
            }
        }
    }
}

fn error_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

fn as_messages(body: &Value) -> Value {
    let Value::Object(fields) = body else {
        return body.clone();
    };
    let mut fields = fields.clone();
    let limit = fields.remove("max_completion_tokens");
    if let Some(limit) = limit {
        fields.insert("max_tokens".to_owned(), limit);
    }
    if let Some(effort) = fields.remove("reasoning_effort") {
        fields.insert("output_config".to_owned(), json!({ "effort": effort }));
    }
    let tools = fields.get("tools").and_then(Value::as_array).map(|tools| {
        let tools = tools.iter().map(|tool| tool["function"].clone());
        Value::Array(tools.collect())
    });
    fields.extend(tools.map(|tools| ("tools".to_owned(), tools)));
    let messages = fields.remove("messages").unwrap_or_default();
    let mut system = Vec::new();
    let mut said: Vec<Value> = Vec::new();
    for message in messages.as_array().into_iter().flatten() {
        match message["role"].as_str() {
            Some("system" | "developer") => system.push(text(&message["content"])),
            Some("assistant") => {
                said.push(json!({"role": "assistant", "content": answer(message)}));
            }
            // Results of calls, and what the user says after them, are one message there.
            Some("tool") => user(
                &mut said,
                json!({"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": text(&message["content"])}),
            ),
            _ => user(
                &mut said,
                json!({"type": "text", "text": text(&message["content"])}),
            ),
        }
    }
    fields.insert("system".to_owned(), system.join("\n").into());
    fields.insert("messages".to_owned(), said.into());
    Value::Object(fields)
}

fn user(said: &mut Vec<Value>, block: Value) {
    match said.last_mut() {
        Some(last) if last["role"] == "user" => {
            if let Some(blocks) = last["content"].as_array_mut() {
                blocks.push(block);
            }
        }
        _ => said.push(json!({"role": "user", "content": [block]})),
    }
}

fn answer(message: &Value) -> Vec<Value> {
    let mut blocks = Vec::new();
    let said = text(&message["content"]);
    if !said.is_empty() {
        blocks.push(json!({"type": "text", "text": said}));
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
        let input: Value =
            serde_json::from_str(arguments).unwrap_or_else(|_| Value::Object(Map::new()));
        blocks.push(json!({"type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": input}));
    }
    if blocks.is_empty() && !message["reasoning_content"].is_null() {
        blocks.push(json!({"type": "thinking", "thinking": message["reasoning_content"]}));
    }
    blocks
}

/// A text, or the texts of a list of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}
