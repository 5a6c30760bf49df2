use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::block::{Block, Delta};
use super::usage::Meter;
use crate::error::Billed;
use crate::event::{StopReason, StreamEvent};
use crate::http::{Broken, Decode};
use crate::request::{CacheTtl, CompletionRequest};
use crate::sse::SseEvent;
use crate::usage::Usage;

/// The events that carry the answer. `ping` and whatever is invented later may be anything.
const EVENTS: [&str; 7] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "error",
];

/// Turns the events of one Messages stream into ours.
#[derive(Debug)]
pub(super) struct Decoder {
    request_id: Option<String>,
    meter: Meter,
    progress: Progress,
    /// By the index the provider gives them, which is their order in the message.
    blocks: BTreeMap<u64, Block>,
    stop: Option<StopReason>,
    detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Waiting,
    Answering,
    Finished,
}

impl Decoder {
    pub(super) fn new(request: &CompletionRequest) -> Decoder {
        Decoder {
            request_id: None,
            meter: Meter::new(request.breakpoints().any(|ttl| ttl == CacheTtl::OneHour)),
            progress: Progress::Waiting,
            blocks: BTreeMap::new(),
            stop: None,
            detail: None,
        }
    }

    fn start(&mut self, data: &Value, events: &mut VecDeque<StreamEvent>) -> Result<(), Broken> {
        if self.progress != Progress::Waiting {
            return Err(Broken::protocol("a second message_start"));
        }
        self.progress = Progress::Answering;
        let message = &data["message"];
        self.meter.start(&message["usage"]);
        events.push_back(StreamEvent::Started {
            message_id: text(message, "id"),
            model: text(message, "model"),
            usage: self.meter.usage(),
            request_id: self.request_id.clone(),
        });
        Ok(())
    }

    fn block_start(
        &mut self,
        data: &Value,
        events: &mut VecDeque<StreamEvent>,
    ) -> Result<(), Broken> {
        let index = self.index(data)?;
        if self.blocks.contains_key(&index) {
            return Err(Broken::protocol(&format!("block {index} begins twice")));
        }
        let Value::Object(start) = &data["content_block"] else {
            return Err(Broken::protocol(&format!(
                "block {index} has no content_block"
            )));
        };
        let block = Block::start(start);
        if let Some((id, name)) = block.tool() {
            if id.is_empty() || name.is_empty() {
                return Err(Broken::protocol("a tool call without an id or a name"));
            }
            if self
                .blocks
                .values()
                .filter_map(Block::tool)
                .any(|(other, _)| other == id)
            {
                return Err(Broken::protocol(&format!(
                    "two tool calls with the id {id}"
                )));
            }
            events.push_back(StreamEvent::ToolStarted {
                id: id.to_owned(),
                name: name.to_owned(),
            });
        }
        events.extend(
            block
                .first_text()
                .map(|text| StreamEvent::TextDelta(text.to_owned())),
        );
        self.blocks.insert(index, block);
        Ok(())
    }

    fn block_delta(
        &mut self,
        data: &Value,
        events: &mut VecDeque<StreamEvent>,
    ) -> Result<(), Broken> {
        let index = self.index(data)?;
        let block = self.blocks.get_mut(&index).filter(|block| block.is_open());
        let block = block.ok_or_else(|| {
            Broken::protocol(&format!("a delta for block {index}, which is not open"))
        })?;
        let Value::Object(delta) = &data["delta"] else {
            return Ok(());
        };
        match block.delta(delta) {
            Delta::Text(text) => events.push_back(StreamEvent::TextDelta(text.to_owned())),
            Delta::Thinking {
                text,
                estimated_tokens,
            } => {
                events.push_back(StreamEvent::ThinkingDelta {
                    text: text.to_owned(),
                    estimated_tokens,
                });
            }
            Delta::ToolInput { id, partial } => {
                events.push_back(StreamEvent::ToolInputDelta {
                    id: id.to_owned(),
                    partial: partial.to_owned(),
                });
            }
            Delta::Silent => {}
        }
        Ok(())
    }

    fn block_stop(
        &mut self,
        data: &Value,
        events: &mut VecDeque<StreamEvent>,
    ) -> Result<(), Broken> {
        let index = self.index(data)?;
        let block = self.blocks.get_mut(&index).filter(|block| block.is_open());
        let block = block.ok_or_else(|| {
            Broken::protocol(&format!("the end of block {index}, which is not open"))
        })?;
        events.extend(block.close());
        Ok(())
    }

    fn message_delta(
        &mut self,
        data: &Value,
        events: &mut VecDeque<StreamEvent>,
    ) -> Result<(), Broken> {
        self.answering("message_delta")?;
        let delta = &data["delta"];
        if let Some(stop) = delta["stop_reason"].as_str() {
            self.stop = Some(stop_reason(stop));
        }
        let details = &delta["stop_details"];
        if let Some(detail) = details["explanation"]
            .as_str()
            .or_else(|| details["category"].as_str())
        {
            self.detail = Some(detail.to_owned());
        }
        if data["usage"].is_object() {
            self.meter.delta(&data["usage"]);
            events.push_back(StreamEvent::Usage(self.meter.usage()));
        }
        Ok(())
    }

    fn message_stop(&mut self, events: &mut VecDeque<StreamEvent>) -> Result<(), Broken> {
        self.answering("message_stop")?;
        let Some(stop) = self.stop.take() else {
            return Err(Broken::protocol("a message_stop without a stop_reason"));
        };
        self.progress = Progress::Finished;
        for block in self.blocks.values_mut() {
            events.extend(block.cut(&stop));
        }
        let unbilled = stop == StopReason::Refusal && !self.blocks.values().any(Block::has_output);
        let billed = if unbilled {
            Billed::Nothing
        } else {
            self.meter.complete()
        };
        events.push_back(StreamEvent::Finished {
            stop,
            detail: self.detail.take(),
            usage: if unbilled {
                Usage::default()
            } else {
                self.meter.usage()
            },
            billed,
            content: std::mem::take(&mut self.blocks)
                .into_values()
                .filter_map(Block::into_content)
                .collect(),
            request_id: self.request_id.clone(),
        });
        Ok(())
    }

    fn index(&self, data: &Value) -> Result<u64, Broken> {
        self.answering("a content block")?;
        data["index"]
            .as_u64()
            .ok_or_else(|| Broken::protocol("a content block without an index"))
    }

    fn answering(&self, what: &str) -> Result<(), Broken> {
        match self.progress {
            Progress::Answering => Ok(()),
            Progress::Waiting => Err(Broken::protocol(&format!("{what} before message_start"))),
            Progress::Finished => Err(Broken::protocol(&format!("{what} after message_stop"))),
        }
    }
}

impl Decode for Decoder {
    fn request_id(&mut self, id: Option<String>) {
        self.request_id = id;
    }

    fn event(
        &mut self,
        event: &SseEvent,
        events: &mut VecDeque<StreamEvent>,
    ) -> Result<(), Broken> {
        // Gateways add lines of their own, like `[DONE]`; only what claims to be one of ours has to be readable.
        let ours = EVENTS.contains(&event.name.as_str());
        let data: Value = match serde_json::from_str(&event.data) {
            Ok(data) => data,
            Err(_) if !ours && !event.data.trim_start().starts_with('{') => return Ok(()),
            Err(error) => {
                return Err(Broken::protocol(&format!(
                    "an event that is not JSON: {error}"
                )));
            }
        };
        let kind = data["type"].as_str().unwrap_or(&event.name);
        if ours && kind != event.name {
            return Err(Broken::protocol(&format!(
                "an event named {} with the type {kind}",
                event.name
            )));
        }
        match kind {
            "message_start" => self.start(&data, events),
            "content_block_start" => self.block_start(&data, events),
            "content_block_delta" => self.block_delta(&data, events),
            "content_block_stop" => self.block_stop(&data, events),
            "message_delta" => self.message_delta(&data, events),
            "message_stop" => self.message_stop(events),
            "error" => Err(Broken::reported(&data["error"])),
            _ => Ok(()),
        }
    }

    fn end(&mut self, _: &mut VecDeque<StreamEvent>) -> Result<(), Broken> {
        Err(Broken::closed())
    }

    fn has_begun(&self) -> bool {
        self.progress != Progress::Waiting
    }

    fn is_finished(&self) -> bool {
        self.progress == Progress::Finished
    }

    fn billed_so_far(&self) -> Billed {
        self.meter.so_far()
    }
}

fn stop_reason(name: &str) -> StopReason {
    match name {
        "end_turn" => StopReason::EndTurn,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "tool_use" => StopReason::ToolUse,
        "pause_turn" => StopReason::PauseTurn,
        "refusal" => StopReason::Refusal,
        "model_context_window_exceeded" => StopReason::ContextWindowExceeded,
        unknown => StopReason::Unknown(unknown.to_owned()),
    }
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::request::Message;
    use crate::sse::SseParser;

    fn fixtures() -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut fixtures: Vec<_> = files
            .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
            .collect();
        fixtures.sort();
        fixtures
    }

    /// The events of a stream that arrives in `chunks` and then ends, and whether the answer is complete.
    fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<StreamEvent>, bool) {
        let request = CompletionRequest {
            model: String::new(),
            max_tokens: 1,
            system: Vec::new(),
            tools: Vec::new(),
            messages: vec![Message::user("Hi")],
            effort: None,
        };
        let mut decoder = Decoder::new(&request);
        let mut parser = SseParser::new();
        let mut events = VecDeque::new();
        for chunk in chunks {
            let mut parsed = Vec::new();
            parser.push(chunk, &mut parsed).unwrap();
            for event in parsed {
                if decoder.event(&event, &mut events).is_err() {
                    return (events.into(), false);
                }
            }
        }
        (events.into(), decoder.is_finished())
    }

    #[test]
    fn a_cut_at_any_byte_leaves_a_part_and_never_a_whole() {
        for (name, bytes) in fixtures() {
            let (whole, complete) = decode([&bytes[..]]);
            for end in 0..bytes.len() {
                let (part, part_complete) = decode([&bytes[..end]]);
                assert!(whole.starts_with(&part), "{name} cut at {end}");
                assert!(
                    !part_complete || (complete && part == whole),
                    "{name} cut at {end} is taken for complete"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(fixture in prop::sample::select(fixtures()), size in 1_usize..200) {
            let (_, bytes) = fixture;
            prop_assert_eq!(decode(bytes.chunks(size)), decode([&bytes[..]]));
        }

        #[test]
        fn a_damaged_stream_is_a_part_an_error_or_an_answer(
            fixture in prop::sample::select(fixtures()),
            at in any::<prop::sample::Index>(),
            byte in 0x20_u8..0x7F,
        ) {
            let (_, mut bytes) = fixture;
            let at = at.index(bytes.len());
            // A byte of a longer character would make the line unreadable, which the parser's own tests cover.
            if bytes[at].is_ascii() {
                bytes[at] = byte;
                let (events, complete) = decode([&bytes[..]]);
                prop_assert_eq!(complete, matches!(events.last(), Some(StreamEvent::Finished { .. })));
            }
        }
    }
}
