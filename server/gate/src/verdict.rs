use index::Parsed;
use serde::Serialize;
use text::{FilePath, Text};

use crate::ApprovedEdit;

/// The one text of a file that a proposal is judged against.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The file.
    pub file: &'a FilePath,
    /// Its text.
    pub text: &'a Text,
    /// The version of the open document; `None` where the disk is the truth.
    pub version: Option<i32>,
    /// The parse of exactly this text.
    pub parsed: &'a Parsed,
}

/// What the gate says.
#[derive(Debug)]
pub enum Verdict {
    /// Go ahead.
    Approved {
        /// The edit.
        edit: ApprovedEdit,
        /// Name paths of the new items that it puts beside the targets; see [`Scope::with_added`](crate::Scope::with_added).
        added: Vec<String>,
    },
    /// The user must say yes to exactly this first.
    NeedsApproval(Question),
    /// No.
    Refused(Refusal),
}

/// An edit that waits for the user's word.
#[derive(Debug)]
pub struct Question {
    /// What to ask.
    pub text: String,
    pub(crate) edit: ApprovedEdit,
    pub(crate) added: Vec<String>,
}

impl Question {
    /// The user said yes.
    pub fn approve(self) -> (ApprovedEdit, Vec<String>) {
        (self.edit, self.added)
    }

    /// What would change.
    pub fn edit(&self) -> &ApprovedEdit {
        &self.edit
    }
}

/// Which question a proposal failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The file is not the run's.
    Path,
    /// The symbol or the place is not the run's.
    Scope,
    /// The text is no longer what the run read.
    Base,
    /// The old text is not there, or not there once.
    Match,
    /// Two edits of the proposal change the same bytes.
    Overlap,
    /// The file would parse worse than before.
    Parse,
    /// The file is protected.
    Protected,
    /// It inserts too much, or nothing.
    Size,
}

/// A refusal: one sentence that a model can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("refused: {message}")]
pub struct Refusal {
    /// Which question it failed.
    pub rule: Rule,
    /// What is wrong, which limit holds, and what would be allowed.
    pub message: String,
}

pub(crate) type Refusable<T> = Result<T, Refusal>;

pub(crate) fn refuse<T>(rule: Rule, message: impl Into<String>) -> Refusable<T> {
    Err(Refusal {
        rule,
        message: message.into(),
    })
}
