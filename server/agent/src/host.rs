use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use gate::{Proposal, Refusal, Region, Rule};
use ledger::Usage;
use workspace::Snapshot;

use crate::JournalEvent;

/// One request that was reserved for.
pub type Attempt = ledger::AttemptId;

/// What a run needs of the world: the workspace, the gate, the user's word, the money, the record.
///
/// Implemented by the engine and by test doubles.
/// The host keeps the run's scope: it judges every proposal against it, and widens it only in [`Host::grant`] and
/// after it has let new items in.
///
/// When the run is cancelled, futures of [`Host::propose`] and [`Host::grant`] are dropped where they wait.
#[async_trait]
pub trait Host: Send + Sync {
    /// The workspace as it is now.
    fn snapshot(&self) -> Snapshot;

    /// Where the regions of the run's scope are in a snapshot. A host that never grants lines has none.
    fn regions(&self, _snapshot: &Snapshot) -> Vec<Region> {
        Vec::new()
    }

    /// Judges a proposal and, if it may, lands it. Returns once it has landed, waits for the user, or is refused.
    async fn propose(&self, proposal: Proposal) -> Outcome;

    /// Makes, renames or deletes a file, if the gate and the user allow it. Returns once that is done, or is refused. A host
    /// without a user to ask does none of it.
    async fn change_file(&self, change: FileChange) -> Outcome {
        let file = change.file();
        Outcome::Refused(Refusal {
            rule: Rule::Path,
            message: format!("{file} stays as it is: only what is in files can be changed here"),
        })
    }

    /// Holds the worst case of one attempt, durably, before it is sent.
    ///
    /// This future is never dropped before its end, so that no reservation is made that nobody knows of.
    async fn reserve(&self, ask: Ask) -> Result<Attempt, NoBudget>;

    /// Books what became of an attempt. Called at most once for each, and always unless [`Host::abandon`] is.
    async fn settle(&self, attempt: Attempt, how: Settlement);

    /// Books an attempt whose run was dropped or panicked, as [`Settlement::Unknown`] is booked, without waiting.
    ///
    /// May follow a [`Host::settle`] that was dropped before it returned; if that one got through, it stands.
    fn abandon(&self, attempt: Attempt, known: Option<Usage>);

    /// Asks the user to widen the scope by these symbols and lines of its file. No answer is a no, and what another run
    /// works on is not even asked for.
    ///
    /// Lines such as `@12-40` are those of the newest text at the moment of the question.
    async fn grant(&self, symbols: &[String], reason: &str) -> Grant;

    /// Shows where the run is. Must not block.
    fn report(&self, progress: Progress);

    /// Writes down what happened. Must not block for long.
    fn journal(&self, event: JournalEvent);
}

/// What a run wants with a file as a whole. Paths are from the workspace folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// A new one.
    Create {
        /// Its path.
        file: String,
        /// All of it.
        text: String,
        /// Why, in the model's words.
        reason: String,
    },
    /// Another name, or another folder.
    Rename {
        /// Its path.
        file: String,
        /// Its new path.
        to: String,
        /// Why, in the model's words.
        reason: String,
    },
    /// None any more.
    Delete {
        /// Its path.
        file: String,
        /// Why, in the model's words.
        reason: String,
    },
}

impl FileChange {
    /// The path of the file.
    pub fn file(&self) -> &str {
        match self {
            FileChange::Create { file, .. }
            | FileChange::Rename { file, .. }
            | FileChange::Delete { file, .. } => file,
        }
    }
}

/// What became of a proposal.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is in the user's text.
    Landed {
        /// In how many pieces.
        hunks: usize,
    },
    /// It is kept, and the user decides; the text is as before.
    Pending {
        /// What it waits for, as the end of a sentence.
        why: String,
    },
    /// The gate, or the user, said no.
    Refused(Refusal),
    /// The run is over.
    Cancelled,
}

/// What became of the wish for a wider scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The scope is wider now.
    Given,
    /// The user said no, or nothing.
    Refused,
    /// Another run works there.
    Busy {
        /// What of the wish it works on.
        symbol: String,
        /// Its action, in the words of the menu.
        run: String,
    },
}

/// The worst case of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The model, as the provider names it.
    pub model: String,
    /// The turn, counted from 1.
    pub turn: u32,
    /// The attempt at this turn, counted from 1.
    pub attempt: u32,
    /// An upper bound of the prompt's tokens: what the provider has counted and a margin; or else the bytes of the body
    /// and what the provider adds for tools.
    pub input_upper: u64,
    /// The prompt's tokens by [`ledger::tokens`], as the estimate counts them.
    pub input_tokens: u64,
    /// The most tokens the answer may have.
    pub max_tokens: u32,
}

/// A reservation that did not fit the budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoBudget {
    /// Which limit holds and what is left of it.
    pub message: String,
    /// The largest `max_tokens` that would fit, if any would.
    pub can_afford_max_tokens: Option<u32>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It was billed, and this is all of it.
    Used {
        /// The tokens.
        usage: Usage,
        /// The model that answered, as the provider names it.
        model: String,
        /// The provider's id of the request.
        request_id: Option<String>,
    },
    /// Nobody knows the whole bill; the reservation stands for it.
    Unknown {
        /// The part that is known.
        known: Option<Usage>,
    },
    /// It was never sent, or declined before it cost anything.
    Unbilled,
}

/// Where a run is, for people. Nothing depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A request is about to leave.
    TurnStarted {
        /// The turn, counted from 1.
        turn: u32,
    },
    /// The model thinks.
    Thinking {
        /// How many tokens this piece stands for, as far as the provider says.
        tokens: u64,
    },
    /// The model writes to the user.
    Text {
        /// The next piece of it.
        text: String,
    },
    /// The model began a tool call.
    ToolStarted {
        /// The tool.
        name: String,
        /// What it addresses, once that much of the call has arrived.
        symbol: Option<String>,
    },
    /// A tool call is done.
    ToolDone {
        /// What came of it, in a few words.
        summary: String,
    },
    /// Another model goes on.
    Moved {
        /// Which.
        model: String,
        /// Why, as the end of a sentence.
        why: String,
    },
    /// What the attempt under way has used so far; replaces what was said before.
    UsageSoFar(Usage),
    /// The provider failed, and the request will be sent again.
    Retrying {
        /// After this long.
        after: Duration,
        /// What went wrong.
        why: String,
    },
}

impl fmt::Display for Progress {
    /// What the run does, in a few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::TurnStarted { turn: 1 } => f.write_str("asking"),
            Progress::TurnStarted { turn } => write!(f, "asking, turn {turn}"),
            Progress::Thinking { .. } => f.write_str("thinking"),
            Progress::Text { .. } | Progress::UsageSoFar(_) => f.write_str("answering"),
            Progress::ToolStarted {
                name,
                symbol: Some(symbol),
            } => write!(f, "{name} {symbol}"),
            Progress::ToolStarted { name, symbol: None } => f.write_str(name),
            Progress::ToolDone { summary } => f.write_str(summary),
            Progress::Moved { model, why } => write!(f, "{model} goes on, because {why}"),
            Progress::Retrying { after, why } => {
                write!(f, "trying again in {:.1} s: {why}", after.as_secs_f64())
            }
        }
    }
}
