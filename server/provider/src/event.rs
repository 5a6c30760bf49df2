use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Billed;
use crate::request::Content;
use crate::usage::Usage;

/// What one attempt streams, in order: `Started`, then anything in between, then `Finished`.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// The provider accepted the request and began to answer.
    Started {
        /// The provider's id of this message.
        message_id: String,
        /// The model that answers, as the provider names it.
        model: String,
        /// Exact for the prompt; `output` is a seed that only grows.
        usage: Usage,
        /// The provider's id of the HTTP request, for support and for the ledger.
        request_id: Option<String>,
    },
    /// A piece of the answer's text.
    TextDelta(String),
    /// A piece of the model's thinking.
    ThinkingDelta {
        /// Empty when the provider withholds the thinking.
        text: String,
        /// How many tokens the provider says this piece stands for; zero when it does not say. Good for a live
        /// counter, not for a bill.
        estimated_tokens: u64,
    },
    /// The model began to write a tool call.
    ToolStarted {
        /// The provider's id of the call.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// A piece of a tool call's arguments: the pieces of one id, joined, are JSON.
    ToolInputDelta {
        /// The provider's id of the call.
        id: String,
        /// The piece; may be cut anywhere between two characters.
        partial: String,
    },
    /// A tool call is whole, or certain never to be.
    ToolReady {
        /// The provider's id of the call.
        id: String,
        /// The tool's name.
        name: String,
        /// The arguments, always a JSON object, or a sentence for the model that says what is wrong with them.
        input: Result<Value, String>,
    },
    /// The usage so far. Cumulative: it replaces what was known before.
    Usage(Usage),
    /// The answer is complete, and nothing follows.
    Finished {
        /// Why the model stopped.
        stop: StopReason,
        /// What the provider adds about the stop, for people: the explanation of a refusal.
        detail: Option<String>,
        /// The usage to show. What to book is in `billed`.
        usage: Usage,
        /// What this attempt costs: `Exactly` the usage, `Nothing` for a refusal before any output, `AtLeast` or
        /// `Unknown` when the provider left the final usage out.
        billed: Billed,
        /// The whole answer, to be appended to the conversation as it is. A tool call with broken arguments has the
        /// input `{"INVALID_JSON": "…"}` here, so that its result can be sent back. May be empty.
        content: Vec<Content>,
        /// The provider's id of the HTTP request.
        request_id: Option<String>,
    },
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It was done.
    EndTurn,
    /// It reached `max_tokens`; the last block may be incomplete.
    MaxTokens,
    /// It wrote a stop sequence.
    StopSequence,
    /// It waits for the results of its tool calls.
    ToolUse,
    /// The provider paused a long turn; send the conversation with this answer appended to go on.
    PauseTurn,
    /// The provider or the model declined.
    Refusal,
    /// The model's context window is full.
    ContextWindowExceeded,
    /// A reason this version does not know. The answer is over all the same.
    Unknown(String),
}

impl StopReason {
    /// Whether the answer was cut by a limit, so that its end is missing.
    pub fn is_truncated(&self) -> bool {
        match self {
            StopReason::MaxTokens | StopReason::ContextWindowExceeded => true,
            StopReason::EndTurn
            | StopReason::StopSequence
            | StopReason::ToolUse
            | StopReason::PauseTurn
            | StopReason::Refusal
            | StopReason::Unknown(_) => false,
        }
    }
}
