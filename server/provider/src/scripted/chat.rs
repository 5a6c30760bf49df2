//! A turn of the script as the chunks of a chat completion.

use serde_json::{Value, json};

use super::asked::Asked;
use super::play::{arguments, default_usage, pieces, words};
use super::script::{Answer, Turn};
use crate::usage::Usage;

/// The events of `turn`, and the usage that they declare.
pub(super) fn events(
    turn: &Turn,
    asked: &Asked<'_>,
    id: &str,
) -> Result<(Vec<Vec<u8>>, Usage), String> {
    let Answer::Blocks {
        thinking,
        text,
        tools,
        stop,
    } = &turn.answer
    else {
        return Ok((Vec::new(), Usage::default()));
    };
    let chunk = |delta: Value, stop: Option<&str>, usage: Option<&Value>| {
        let choices = if usage.is_some() {
            json!([])
        } else {
            json!([{"index": 0, "delta": delta, "finish_reason": stop}])
        };
        let chunk = json!({
            "id": format!("chatcmpl-{id}"),
            "object": "chat.completion.chunk",
            "model": asked.model(),
            "choices": choices,
            "usage": usage,
        });
        format!("data: {chunk}\n\n").into_bytes()
    };
    let part = |delta: Value| chunk(delta, None, None);
    let mut events = vec![part(json!({"role": "assistant", "content": ""}))];
    let mut written = 0;
    if let Some(thinking) = thinking {
        written += thinking.len();
        events.extend(words(thinking).map(|text| part(json!({"reasoning_content": text}))));
    }
    if let Some(text) = text {
        let text = asked.fill(text)?;
        written += text.len();
        events.extend(words(&text).map(|text| part(json!({"content": text}))));
    }
    for (index, tool) in tools.iter().enumerate() {
        let arguments = arguments(tool, asked)?;
        written += arguments.len();
        let call = tool
            .id
            .clone()
            .unwrap_or_else(|| format!("call_{id}_{}", index + 1));
        let function = json!({"name": tool.name, "arguments": ""});
        events.push(part(json!({"tool_calls": [
            {"index": index, "id": call, "type": "function", "function": function}
        ]})));
        events.extend(pieces(&arguments, 16).map(|text| {
            part(json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]}))
        }));
    }
    let stop = match stop.as_deref() {
        None if tools.is_empty() => "stop",
        None | Some("tool_use") => "tool_calls",
        Some("end_turn") => "stop",
        Some("max_tokens") => "length",
        Some("refusal") => "content_filter",
        Some(other) => other,
    };
    let usage = turn.usage.unwrap_or_else(|| default_usage(asked, written));
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let report = json!({
        "prompt_tokens": usage.prompt(),
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": 0},
    });
    events.push(chunk(json!({}), Some(stop), None));
    events.push(chunk(Value::Null, None, Some(&report)));
    events.push(b"data: [DONE]\n\n".to_vec());
    Ok((events, usage))
}
