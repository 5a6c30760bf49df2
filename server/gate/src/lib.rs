//! The only way an edit becomes real: a [`Proposal`] goes in, a [`Verdict`] comes out.
//!
//! The gate decides and does nothing: it has no disk, no clock, no user, and does not know what an agent is.
//! Nothing outside this crate can make an [`ApprovedEdit`], and the editor accepts nothing else.
//!
//! A proposal is judged in a fixed order, cheapest question first:
//! path, scope, base hash, unique match, overlap, new parse errors, protected names, size.
//! A refusal is one sentence that a model can act on.

mod address;
mod approved;
mod changing;
mod decide;
mod draft;
mod files;
mod imports;
mod lines;
mod policy;
mod proposal;
mod scope;
mod verdict;

pub use approved::{ApprovedEdit, Landed, Noted, restore, take_up};
pub use decide::decide;
pub use files::{
    FileKind, FileQuestion, Move, Named, NewFile, Removal, Standing, bring_back, create, delete,
    rename, take_away, write_again,
};
pub use policy::{Policy, Protection};
pub use proposal::{Operation, Place, Proposal, Replacement, Tier};
pub use scope::{Region, Scope, Target};
pub use verdict::{Question, Refusal, Rule, Verdict, View};

#[cfg(test)]
mod tests;
