use std::collections::VecDeque;

use serde_json::Value;

use super::answer::Answer;
use super::usage::Meter;
use crate::error::Billed;
use crate::event::{StopReason, StreamEvent};
use crate::http::{Broken, Decode};
use crate::sse::SseEvent;

/// Turns the chunks of one chat completion into our events.
///
/// The reason to stop is not the end: the usage comes after it, and `[DONE]` after that.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    request_id: Option<String>,
    meter: Meter,
    progress: Progress,
    message_id: String,
    answer: Answer,
    stop: Option<StopReason>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Progress {
    #[default]
    Waiting,
    Answering,
    Finished,
}

impl Decoder {
    fn chunk(&mut self, chunk: &Value, events: &mut VecDeque<StreamEvent>) -> Result<(), Broken> {
        // Servers add events of their own; only those with an answer or a bill in them are ours.
        if !chunk["choices"].is_array() && !chunk["usage"].is_object() {
            return Ok(());
        }
        if self.progress == Progress::Waiting {
            self.progress = Progress::Answering;
            chunk["id"]
                .as_str()
                .unwrap_or("answer")
                .clone_into(&mut self.message_id);
            events.push_back(StreamEvent::Started {
                message_id: self.message_id.clone(),
                model: chunk["model"].as_str().unwrap_or_default().to_owned(),
                usage: self.meter.usage(),
                request_id: self.request_id.clone(),
            });
        }
        // One answer is asked for; what else comes is not ours.
        let choice = chunk["choices"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|choice| choice["index"].as_u64().unwrap_or(0) == 0);
        if let Some(choice) = choice {
            if choice["error"].is_object() {
                return Err(Broken::reported(&choice["error"]));
            }
            if self.stop.is_none() {
                self.answer
                    .delta(&choice["delta"], &self.message_id, events)?;
                if let Some(reason) = choice["finish_reason"].as_str() {
                    self.stop(reason, events)?;
                }
            }
        }
        if let Some(usage) = self.meter.report(&chunk["usage"], self.stop.is_some()) {
            events.push_back(StreamEvent::Usage(usage));
        }
        Ok(())
    }

    fn stop(&mut self, reason: &str, events: &mut VecDeque<StreamEvent>) -> Result<(), Broken> {
        let stop = match reason {
            // Several servers say `stop` after a call too.
            "stop" | "tool_calls" | "function_call" if self.answer.has_calls() => {
                StopReason::ToolUse
            }
            "stop" if self.answer.refusal().is_some() => StopReason::Refusal,
            "stop" | "tool_calls" | "function_call" => StopReason::EndTurn,
            "length" => StopReason::MaxTokens,
            "model_length" => StopReason::ContextWindowExceeded,
            "content_filter" => StopReason::Refusal,
            "error" | "abort" => {
                return Err(Broken::cut(&format!(
                    "the server gave the answer up: {reason}"
                )));
            }
            reason => StopReason::Unknown(reason.to_owned()),
        };
        self.answer.stop(&stop, events);
        self.stop = Some(stop);
        Ok(())
    }

    fn finish(&mut self, stop: StopReason, events: &mut VecDeque<StreamEvent>) {
        self.progress = Progress::Finished;
        let answer = std::mem::take(&mut self.answer);
        let detail = match (&stop, answer.refusal()) {
            (StopReason::Refusal, None) => Some("the provider's content filter stopped it"),
            (_, refusal) => refusal,
        };
        events.push_back(StreamEvent::Finished {
            stop,
            detail: detail.map(str::to_owned),
            usage: self.meter.usage(),
            billed: self.meter.complete(),
            content: answer.into_content(),
            request_id: self.request_id.clone(),
        });
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
        let data = event.data.trim();
        if data == "[DONE]" {
            let Some(stop) = self.stop.take() else {
                return Err(Broken::protocol("[DONE] before a finish_reason"));
            };
            self.finish(stop, events);
            return Ok(());
        }
        let chunk: Value = match serde_json::from_str(data) {
            Ok(chunk) => chunk,
            Err(_) if !data.starts_with('{') => return Ok(()),
            Err(error) => {
                return Err(Broken::protocol(&format!(
                    "an event that is not JSON: {error}"
                )));
            }
        };
        let error = &chunk["error"];
        if error.is_object() || error.is_string() {
            return Err(Broken::reported(error));
        }
        self.chunk(&chunk, events)
    }

    fn end(&mut self, events: &mut VecDeque<StreamEvent>) -> Result<(), Broken> {
        // Not every server says `[DONE]`. With the reason to stop the answer is whole; if the bill never came, it is
        // unknown.
        let stop = self.stop.take().ok_or_else(Broken::closed)?;
        self.finish(stop, events);
        Ok(())
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
