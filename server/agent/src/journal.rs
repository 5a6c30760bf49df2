use gate::{Rule, Scope};
use ledger::Usage;
use provider::StopReason;
use serde::Serialize;
use serde_json::Value;
use text::{FilePath, Hash};

use crate::{Action, Attempt, PackItem};

/// Something that happened in a run, to be written down in order.
///
/// Together the events of a run are its trace, and with the arguments of its tool calls the script to replay it.
/// What was sent to the model is recorded by size and hash only: its content is the user's code.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JournalEvent {
    /// The run began.
    Began {
        /// Its action.
        action: Action,
        /// The file.
        file: FilePath,
        /// Name path of its target.
        symbol: String,
        /// What it may change.
        scope: Scope,
        /// The model.
        model: String,
        /// What the first message holds.
        pack: Vec<PackItem>,
        /// Tokens of the pack on the ledger's scale, not the model's.
        pack_tokens: u64,
    },
    /// A request is about to leave.
    Asked {
        /// The turn, counted from 1.
        turn: u32,
        /// The attempt at this turn, counted from 1.
        attempt: u32,
        /// What the ledger calls it.
        id: Attempt,
        /// Exact size of the body in bytes.
        bytes: usize,
        /// How many messages the conversation has.
        messages: usize,
        /// The most tokens the answer may have.
        max_tokens: u32,
        /// Hash of the system prompt and the tools.
        prefix: Hash,
        /// Hash of the conversation.
        conversation: Hash,
    },
    /// A reservation did not fit the budget.
    NoBudget {
        /// The turn.
        turn: u32,
        /// Which limit holds.
        message: String,
        /// The largest `max_tokens` that would fit.
        can_afford_max_tokens: Option<u32>,
    },
    /// Another model goes on.
    Moved {
        /// The turn that it begins with.
        turn: u32,
        /// The model.
        model: String,
        /// Why.
        why: String,
    },
    /// The answer is complete.
    Answered {
        /// The turn.
        turn: u32,
        /// What the ledger calls the attempt.
        id: Attempt,
        /// Why the model stopped.
        stop: StopReason,
        /// What the provider adds about the stop.
        detail: Option<String>,
        /// The text of the answer, shortened.
        text: String,
    },
    /// The attempt ended without a complete answer.
    Failed {
        /// The turn.
        turn: u32,
        /// What the ledger calls the attempt.
        id: Attempt,
        /// Why.
        why: String,
        /// Milliseconds until the request is sent again, if it is.
        retry_after_ms: Option<u64>,
    },
    /// The bill of an attempt, or what is known of it.
    Settled {
        /// What the ledger calls the attempt.
        id: Attempt,
        /// `used`, `unknown` or `unbilled`.
        how: &'static str,
        /// The tokens, as far as they are known.
        usage: Option<Usage>,
        /// The provider's id of the request.
        request_id: Option<String>,
    },
    /// The model called a tool.
    Called {
        /// The turn.
        turn: u32,
        /// The tool.
        tool: String,
        /// The arguments; a sentence where they were not JSON.
        arguments: Value,
    },
    /// A tool answered.
    Replied {
        /// The turn.
        turn: u32,
        /// The tool.
        tool: String,
        /// What came of it.
        verdict: Verdict,
        /// Size of the answer in bytes.
        bytes: usize,
    },
    /// The run is over.
    Ended {
        /// `completed`, `failed`, `cancelled` or `out_of_budget`.
        state: &'static str,
        /// The summary, or the reason.
        message: String,
        /// Turns taken.
        turns: u32,
        /// Tool calls made.
        tool_calls: u32,
        /// Hunks that landed.
        hunks: usize,
    },
}

/// What came of a tool call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It answered a question.
    Answered,
    /// An edit is in the user's text.
    Landed {
        /// In how many pieces.
        hunks: usize,
    },
    /// An edit waits for the user.
    Pending {
        /// What it waits for.
        why: String,
    },
    /// The gate or the user said no.
    Refused {
        /// Which question it failed; `None` where it was not the gate that said no.
        rule: Option<Rule>,
        /// The sentence the model was told.
        message: String,
    },
    /// The call itself was wrong.
    Invalid {
        /// The sentence the model was told.
        message: String,
    },
    /// The run was cancelled first.
    Cancelled,
}
