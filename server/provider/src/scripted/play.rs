use std::time::Duration;

use serde_json::{Value, json};

use super::asked::{Asked, fill_value};
use super::chat;
use super::script::{After, Answer, Effect, Tool, Turn};
use super::wire::Wire;
use crate::usage::Usage;

/// A stream, ready to be sent.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) chunks: Vec<Vec<u8>>,
    pub(super) delay: Duration,
    /// Before the chunk of this number, wait for the handle.
    pub(super) hold: Option<usize>,
    pub(super) end: End,
}

/// What comes after the last chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end of the body.
    Proper,
    /// A closed connection.
    Cut,
    /// Nothing.
    Stall,
}

/// The stream of `turn`, spoilt by `effect` if there is one, and the usage that it declares.
pub(super) fn play(
    turn: &Turn,
    asked: &Asked<'_>,
    wire: Wire,
    id: &str,
    effect: Option<&Effect>,
) -> Result<(Play, Usage), String> {
    let (mut events, usage) = match &turn.answer {
        Answer::Raw(sse) => (
            split_events(&asked.fill(sse)?),
            turn.usage.unwrap_or_default(),
        ),
        Answer::Blocks { .. } => match wire {
            Wire::Messages => blocks(turn, asked, id)?,
            Wire::Chat => chat::events(turn, asked, id)?,
        },
    };
    let mut end = End::Proper;
    let mut garble = None;
    let mut hold = None;
    match effect {
        Some(Effect::Error { after, error }) => {
            let whole = events.concat();
            let offset = offset(&events, *after);
            let data = wire.error(&error.r#type, &error.message);
            events = vec![
                whole.get(..offset).unwrap_or(&whole).to_vec(),
                match wire {
                    Wire::Messages => event("error", &data),
                    Wire::Chat => format!("data: {data}\n\n").into_bytes(),
                },
            ];
        }
        Some(Effect::Cut(after)) => {
            truncate(&mut events, *after);
            end = End::Cut;
        }
        Some(Effect::Stall(after)) => {
            truncate(&mut events, *after);
            end = End::Stall;
        }
        Some(Effect::Garble(after)) => garble = Some(offset(&events, *after)),
        Some(Effect::Hold(after)) => hold = Some(offset(&events, *after)),
        Some(Effect::Status { .. } | Effect::Drop | Effect::Hang) | None => {}
    }
    let lengths: Vec<usize> = events.iter().map(Vec::len).collect();
    let mut bytes = events.concat();
    if let Some(start) = garble {
        bytes
            .iter_mut()
            .skip(start)
            .take(8)
            .for_each(|byte| *byte = 0xFF);
    }
    let (chunks, hold) = chunks(
        &bytes,
        &lengths,
        turn.pace.chunk_bytes.map(usize::from),
        hold,
    );
    Ok((
        Play {
            chunks,
            delay: turn.pace.delay,
            hold,
            end,
        },
        usage,
    ))
}

fn chunks(
    bytes: &[u8],
    events: &[usize],
    chunk_bytes: Option<usize>,
    hold: Option<usize>,
) -> (Vec<Vec<u8>>, Option<usize>) {
    let mut ends: Vec<usize> = match chunk_bytes {
        Some(size) => (1..=bytes.len().div_ceil(size))
            .map(|count| (count * size).min(bytes.len()))
            .collect(),
        None => events
            .iter()
            .scan(0, |end, length| {
                *end += length;
                Some(*end)
            })
            .collect(),
    };
    ends.extend(hold);
    ends.sort_unstable();
    ends.dedup();
    let mut start = 0;
    let mut chunks = Vec::new();
    let mut held = hold.filter(|offset| *offset == 0).map(|_| 0);
    for end in ends {
        if let Some(chunk) = bytes.get(start..end).filter(|chunk| !chunk.is_empty()) {
            chunks.push(chunk.to_vec());
        }
        start = end;
        if hold == Some(end) {
            held = Some(chunks.len());
        }
    }
    (chunks, held)
}

fn truncate(events: &mut Vec<Vec<u8>>, after: After) {
    let mut left = offset(events, after);
    events.retain_mut(|event| {
        event.truncate(left);
        left -= event.len();
        !event.is_empty()
    });
}

fn offset(events: &[Vec<u8>], after: After) -> usize {
    match after {
        After::Bytes(bytes) => bytes.min(events.iter().map(Vec::len).sum()),
        After::Events(count) => events.iter().take(count).map(Vec::len).sum(),
    }
}

fn split_events(sse: &str) -> Vec<Vec<u8>> {
    sse.split_inclusive("\n\n")
        .map(|event| event.as_bytes().to_vec())
        .collect()
}

fn blocks(turn: &Turn, asked: &Asked<'_>, id: &str) -> Result<(Vec<Vec<u8>>, Usage), String> {
    let Answer::Blocks {
        thinking,
        text,
        tools,
        stop,
    } = &turn.answer
    else {
        return Ok((Vec::new(), Usage::default()));
    };
    let mut body = Vec::new();
    let mut written = 0;
    let mut index = 0;
    if let Some(thinking) = thinking {
        written += thinking.len();
        body.push(block_start(
            index,
            &json!({"type": "thinking", "thinking": "", "signature": ""}),
        ));
        body.extend(
            words(thinking).map(|part| {
                block_delta(index, &json!({"type": "thinking_delta", "thinking": part}))
            }),
        );
        let signature = format!("scripted-signature-of-{id}");
        body.push(block_delta(
            index,
            &json!({"type": "signature_delta", "signature": signature}),
        ));
        body.push(block_stop(index));
        index += 1;
    }
    if let Some(text) = text {
        let text = asked.fill(text)?;
        written += text.len();
        body.push(block_start(index, &json!({"type": "text", "text": ""})));
        body.extend(
            words(&text)
                .map(|part| block_delta(index, &json!({"type": "text_delta", "text": part}))),
        );
        body.push(block_stop(index));
        index += 1;
    }
    for (number, tool) in tools.iter().enumerate() {
        let arguments = arguments(tool, asked)?;
        written += arguments.len();
        let call = tool
            .id
            .clone()
            .unwrap_or_else(|| format!("toolu_{id}_{}", number + 1));
        body.push(block_start(
            index,
            &json!({"type": "tool_use", "id": call, "name": tool.name, "input": {}}),
        ));
        let parts = std::iter::once(String::new()).chain(pieces(&arguments, 16));
        body.extend(parts.map(|part| {
            block_delta(
                index,
                &json!({"type": "input_json_delta", "partial_json": part}),
            )
        }));
        if !tool.unfinished {
            body.push(block_stop(index));
        }
        index += 1;
    }
    let default_stop = if tools.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    let stop = stop.as_deref().unwrap_or(default_stop);
    let usage = turn.usage.unwrap_or_else(|| default_usage(asked, written));
    let mut events = vec![message_start(asked.model(), id, usage)];
    events.extend(body);
    events.extend(message_end(stop, usage));
    let unbilled = stop == "refusal" && index == 0;
    Ok((events, if unbilled { Usage::default() } else { usage }))
}

/// A token for every four bytes.
pub(super) fn default_usage(asked: &Asked<'_>, written: usize) -> Usage {
    Usage {
        input: asked.body_bytes().div_ceil(4) as u64,
        output: written.div_ceil(4) as u64 + 1,
        ..Usage::default()
    }
}

pub(super) fn arguments(tool: &Tool, asked: &Asked<'_>) -> Result<String, String> {
    match (&tool.input_json, &tool.input) {
        (Some(text), _) => asked.fill(text),
        (None, Some(input)) => Ok(fill_value(asked, &Value::Object(input.clone()))?.to_string()),
        (None, None) => Ok("{}".to_owned()),
    }
}

fn message_start(model: &str, id: &str, usage: Usage) -> Vec<u8> {
    let message = json!({
        "id": format!("msg_{id}"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {
            "input_tokens": usage.input,
            "cache_creation_input_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
            "cache_read_input_tokens": usage.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": usage.cache_write_5m,
                "ephemeral_1h_input_tokens": usage.cache_write_1h,
            },
            "output_tokens": 1.min(usage.output),
        },
    });
    event(
        "message_start",
        &json!({"type": "message_start", "message": message}),
    )
}

fn message_end(stop: &str, usage: Usage) -> [Vec<u8>; 2] {
    let delta = json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": null},
        "usage": {
            "input_tokens": usage.input,
            "cache_creation_input_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
            "cache_read_input_tokens": usage.cache_read,
            "output_tokens": usage.output,
        },
    });
    [
        event("message_delta", &delta),
        event("message_stop", &json!({"type": "message_stop"})),
    ]
}

fn block_start(index: usize, block: &Value) -> Vec<u8> {
    let data = json!({"type": "content_block_start", "index": index, "content_block": block});
    event("content_block_start", &data)
}

fn block_delta(index: usize, delta: &Value) -> Vec<u8> {
    event(
        "content_block_delta",
        &json!({"type": "content_block_delta", "index": index, "delta": delta}),
    )
}

fn block_stop(index: usize) -> Vec<u8> {
    event(
        "content_block_stop",
        &json!({"type": "content_block_stop", "index": index}),
    )
}

fn event(name: &str, data: &Value) -> Vec<u8> {
    format!("event: {name}\ndata: {data}\n\n").into_bytes()
}

/// A few words at a time, as a model writes.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    let mut parts: Vec<String> = Vec::new();
    for word in text.split_inclusive([' ', '\n']) {
        match parts.last_mut() {
            Some(part) if part.len() < 12 => part.push_str(word),
            _ => parts.push(word.to_owned()),
        }
    }
    parts.into_iter()
}

pub(super) fn pieces(text: &str, size: usize) -> impl Iterator<Item = String> {
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters
        .chunks(size)
        .map(|piece| piece.iter().collect())
        .collect();
    pieces.into_iter()
}
