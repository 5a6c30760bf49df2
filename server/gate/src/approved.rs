use serde::{Deserialize, Serialize};
use text::{Conflict, Edit, EditError, EditSet, FilePath, Hash, Range, Text, merge3};

use crate::{Policy, Protection, Tier, View};

/// As many lines as most tools show around a change.
const CONTEXT: usize = 3;

/// An edit that the gate let through: for one file, for one exact text of it.
///
/// There is no way to make one outside this crate; see [`crate::decide`], [`restore`] and [`take_up`].
#[derive(Clone, Debug)]
pub struct ApprovedEdit {
    file: FilePath,
    version: Option<i32>,
    base: Text,
    edits: EditSet,
    symbol: String,
    reason: String,
    tier: Tier,
}

impl ApprovedEdit {
    pub(crate) fn new(
        view: &View<'_>,
        edits: EditSet,
        symbol: &str,
        reason: &str,
        tier: Tier,
    ) -> ApprovedEdit {
        ApprovedEdit {
            file: view.file.clone(),
            version: view.version,
            base: view.text.clone(),
            edits,
            symbol: symbol.to_owned(),
            reason: reason.to_owned(),
            tier,
        }
    }

    /// The file it is for.
    pub fn file(&self) -> &FilePath {
        &self.file
    }

    /// The version of the open document that it is for; `None` for a file that is not open.
    pub fn version(&self) -> Option<i32> {
        self.version
    }

    /// The text it is for.
    pub fn base(&self) -> &Text {
        &self.base
    }

    /// What changes, in offsets of [`ApprovedEdit::base`].
    pub fn edits(&self) -> &EditSet {
        &self.edits
    }

    /// Name path of the symbol it belongs to.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// Why, in the model's words.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// How closely the old text had to be read.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// The text with the edit made.
    pub fn want(&self) -> Result<Text, EditError> {
        self.edits.apply(&self.base)
    }

    /// The same edit for a later text of the file, which `changes` led to one after the other.
    ///
    /// Refuses when anything was changed at or right beside the edit.
    pub fn rebase<'a>(
        &self,
        changes: impl IntoIterator<Item = &'a EditSet>,
        text: &Text,
        version: Option<i32>,
    ) -> Result<ApprovedEdit, Conflict> {
        let mut edits = self.edits.clone();
        for change in changes {
            edits = edits.rebase(change)?;
        }
        let base = text.clone();
        if edits.apply(&base).is_err() {
            return Err(Conflict(edits.span().unwrap_or(Range::at(0))));
        }
        Ok(ApprovedEdit {
            version,
            base,
            edits,
            ..self.clone()
        })
    }

    /// The edit as it is written down for a later start of the server.
    pub fn noted(&self) -> Noted {
        Noted {
            base: Hash::of(&self.base.to_string()),
            edits: self.edits.edits().to_vec(),
            symbol: self.symbol.clone(),
            reason: self.reason.clone(),
            tier: self.tier,
        }
    }

    /// The contiguous pieces, each an edit of the same base, so that each can be kept or undone alone.
    ///
    /// Pieces with no more than three unchanged lines between them stay together: apart, neither would read well.
    pub fn hunks(&self) -> Vec<ApprovedEdit> {
        let mut groups: Vec<Vec<Edit>> = Vec::new();
        for edit in self.edits.edits() {
            let line = self.base.line_of(edit.range.start);
            match groups.last_mut() {
                Some(group)
                    if group.last().is_some_and(|last| {
                        line <= self.base.line_of(last.range.end) + 1 + CONTEXT
                    }) =>
                {
                    group.push(edit.clone());
                }
                _ => groups.push(vec![edit.clone()]),
            }
        }
        groups
            .into_iter()
            .filter_map(|group| {
                Some(ApprovedEdit {
                    edits: EditSet::new(group).ok()?,
                    ..self.clone()
                })
            })
            .collect()
    }
}

/// An approved edit as it is written down, with the hash of the text that it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    base: Hash,
    edits: Vec<Edit>,
    symbol: String,
    reason: String,
    tier: Tier,
}

/// Takes an edit up again that was approved before the server was started, for the text that `since` leads to from
/// `before`.
///
/// Refuses when it was not written down for `before`, when it does not fit, when anything was changed at or right beside
/// it, and when nobody may change the file any more.
pub fn take_up(
    view: &View<'_>,
    policy: &Policy,
    before: &Text,
    noted: &Noted,
    since: &EditSet,
) -> Result<ApprovedEdit, Conflict> {
    let refused = || Conflict(noted.edits.first().map_or(Range::at(0), |edit| edit.range));
    let edits = EditSet::new(noted.edits.clone()).map_err(|_| refused())?;
    let fits = noted.base == Hash::of(&before.to_string())
        && edits.apply(before).is_ok()
        && policy.protection(view.file) != Protection::Deny;
    if !fits {
        return Err(refused());
    }
    let edits = edits.rebase(since)?;
    if edits.apply(view.text).is_err() {
        return Err(refused());
    }
    let (symbol, reason) = (&noted.symbol, &noted.reason);
    Ok(ApprovedEdit::new(view, edits, symbol, reason, noted.tier))
}

/// A hunk as it stands in the user's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// Where the new text is; empty for a pure deletion.
    pub range: Range,
    /// What stood there before.
    pub old: String,
    /// What was put there.
    pub new: String,
}

/// The edit that takes a landed hunk back, keeping what the user has typed inside it since.
///
/// Refuses when the user's typing and the way back collide.
pub fn restore(view: &View<'_>, landed: &Landed, symbol: &str) -> Result<ApprovedEdit, Conflict> {
    let current = view.text.slice(landed.range);
    let back = if current == landed.new {
        landed.old.clone()
    } else {
        merge3(&landed.new, &current, &landed.old).ok_or(Conflict(landed.range))?
    };
    let edits = EditSet::one(Edit::new(landed.range, back));
    if edits.apply(view.text).is_err() {
        return Err(Conflict(landed.range));
    }
    Ok(ApprovedEdit::new(
        view,
        edits,
        symbol,
        "taken back",
        Tier::Exact,
    ))
}
