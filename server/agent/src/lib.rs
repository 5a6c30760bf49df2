//! One execution of an agent, from a task to exactly one end.
//!
//! [`run`] is the whole of it: it packs the context ([`pack`]), sends it, runs the tool calls that come back while the
//! model is still writing, and goes on until the model is done or a limit says stop.
//! Everything it needs of the world comes through two traits: [`provider::Provider`] streams completions, and [`Host`]
//! has the workspace, the gate, the user's word, the money and the journal.
//!
//! Knows no vendor, no editor and no language: what differs between languages comes from the index, as data.

mod action;
mod conversation;
mod host;
mod journal;
mod pack;
mod prompt;
mod run;
mod scope;
mod source;
mod tools;

pub use action::{Action, Note, Task};
pub use gate::{Region, Scope, Target};
pub use host::{Ask, Attempt, FileChange, Grant, Host, NoBudget, Outcome, Progress, Settlement};
pub use journal::{JournalEvent, Verdict};
pub use pack::{Pack, PackError, PackItem, PackKind, PackTier, Packer, Sizes, pack};
pub use prompt::{Model, Models, PROMPT_VERSION, first_request};
pub use run::{Answered, End, Inquiry, RunLimits, inquire, run};
pub use scope::{scope_in, scope_of};
