use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use gate::{ApprovedEdit, Landed};
use ledger::RunId;
use serde::{Deserialize, Serialize};
use text::{Bias, EditSet, FilePath, Range};
use workspace::Document;

use crate::charge::Charge;
use crate::files::Whole;
use crate::landing::changed_meanwhile;
use crate::runs::RunSummary;

/// The identity of a hunk within this server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HunkId(pub(crate) u64);

impl fmt::Display for HunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for HunkId {
    type Err = std::num::ParseIntError;

    fn from_str(s: &str) -> Result<HunkId, Self::Err> {
        s.parse().map(HunkId)
    }
}

/// One contiguous piece of a run's work, to be kept or undone.
#[derive(Clone, Debug)]
pub struct Hunk {
    /// Its identity.
    pub id: HunkId,
    /// The run that made it.
    pub run: RunId,
    /// The run's action in the words of the menu.
    pub title: String,
    /// Its file.
    pub file: FilePath,
    /// Name path of the symbol it belongs to; empty for imports.
    pub symbol: String,
    /// Why, in the model's words.
    pub reason: String,
    /// Its share of what the run has cost so far: what its change is of all that the run has changed.
    pub charge: Charge,
    /// What the run had changed before it, in tokens.
    pub(crate) before: u64,
    /// What it changes, in tokens.
    pub(crate) weight: u64,
    /// What it does to a file as a whole, if that is what it is about.
    pub whole: Option<Whole>,
    /// Where it stands.
    pub state: HunkState,
}

/// Whether a hunk is in the user's text.
#[derive(Clone, Debug)]
pub enum HunkState {
    /// It is; the range moves with everything that is typed.
    Landed(Landed),
    /// It is not, and the user decides.
    Pending {
        /// What is to change; for the newest text that it fits.
        edit: Arc<ApprovedEdit>,
        /// The document's change count of that text.
        serial: u64,
        /// What it waits for.
        why: Waits,
        /// Where it is shown.
        at: Range,
    },
}

/// Why a hunk is not in the user's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// The user wants to see changes before they are made.
    Staged,
    /// It could not be made, for this reason.
    Trouble(String),
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waits::Staged => f.write_str("changes are staged"),
            Waits::Trouble(why) => f.write_str(why),
        }
    }
}

impl Hunk {
    /// Whether it waits for the user to see it, and for nothing else.
    pub fn is_staged(&self) -> bool {
        let waits = |state: &HunkState| match state {
            HunkState::Landed(_) => false,
            HunkState::Pending { why, .. } => *why == Waits::Staged,
        };
        waits(&self.state)
    }

    /// The change count of a text that no document comes to: for an edit that fits none.
    pub(crate) const STUCK: u64 = u64::MAX;

    /// Whether nothing can be done with it but to read and to discard it.
    pub fn is_stuck(&self) -> bool {
        matches!(
            self.state,
            HunkState::Pending {
                serial: Hunk::STUCK,
                ..
            }
        )
    }

    /// Whether it is the same piece of the same run's work at the same place.
    pub(crate) fn is_same(&self, other: &Hunk) -> bool {
        let same_state = match (&self.state, &other.state) {
            (HunkState::Landed(one), HunkState::Landed(other)) => one == other,
            (HunkState::Pending { edit: one, .. }, HunkState::Pending { edit: other, .. }) => {
                one.noted() == other.noted()
            }
            _ => false,
        };
        let same_place = self.run == other.run && self.file == other.file;
        same_state && same_place && self.whole == other.whole
    }

    fn is_pending(&self) -> bool {
        matches!(self.state, HunkState::Pending { .. })
    }

    /// Where it is shown.
    pub fn range(&self) -> Range {
        match &self.state {
            HunkState::Landed(landed) => landed.range,
            HunkState::Pending { at, .. } => *at,
        }
    }

    /// Has it fit the newest text if it is not in the text yet: a document forgets what was typed long ago. Typing at its
    /// place leaves it as it was, to be discarded or made by hand.
    fn catch_up(&mut self, document: &Document) {
        let HunkState::Pending {
            edit,
            serial,
            why,
            at,
        } = &mut self.state
        else {
            return;
        };
        let rebased = document.changes_since(*serial).map(|changes| {
            let changes = changes.iter().map(Arc::as_ref);
            edit.rebase(changes, document.text(), document.version())
        });
        match rebased {
            Some(Ok(rebased)) => {
                *at = rebased.edits().span().unwrap_or(*at);
                *serial = document.serial();
                *edit = Arc::new(rebased);
            }
            Some(Err(conflict)) if *why == Waits::Staged => {
                *why = Waits::Trouble(changed_meanwhile(conflict));
            }
            Some(Err(_)) | None => {}
        }
    }

    /// Moves it with a change of the text.
    pub(crate) fn shift(&mut self, edits: &EditSet) {
        match &mut self.state {
            HunkState::Landed(landed) => landed.range = carried(landed.range, edits),
            HunkState::Pending { at, .. } => *at = edits.map_range(*at),
        }
    }
}

/// How many hunks of a run are not in the text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waiting {
    /// Because changes are staged.
    pub(crate) staged: usize,
    /// Because they could not be made.
    pub(crate) stuck: usize,
}

impl Waiting {
    /// Whether the text is all that the run made of it.
    pub(crate) fn is_over(self) -> bool {
        self.staged == 0 && self.stuck == 0
    }
}

/// All hunks that nobody has kept or undone yet.
#[derive(Default)]
pub(crate) struct Hunks {
    last: u64,
    by_file: BTreeMap<FilePath, Arc<Vec<Hunk>>>,
    /// The files whose hunks have changed, other than by moving, since somebody asked.
    changed: BTreeSet<FilePath>,
}

impl Hunks {
    pub(crate) fn next_id(&mut self) -> HunkId {
        self.last += 1;
        HunkId(self.last)
    }

    /// Whether hunks have changed, other than by moving, since [`Hunks::take_changed`].
    pub(crate) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The files whose hunks have changed since the last call.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<FilePath> {
        std::mem::take(&mut self.changed)
    }

    /// Takes the hunks of a file for changed.
    pub(crate) fn mark(&mut self, file: &FilePath) {
        self.changed.insert(file.clone());
    }

    /// Takes all hunks for changed.
    pub(crate) fn mark_all(&mut self) {
        self.changed.extend(self.by_file.keys().cloned());
    }

    /// Adds a hunk, in the order of the file.
    pub(crate) fn add(&mut self, hunk: Hunk) {
        self.mark(&hunk.file);
        let hunks = Arc::make_mut(self.by_file.entry(hunk.file.clone()).or_default());
        let at = hunks.partition_point(|other| other.range() <= hunk.range());
        hunks.insert(at, hunk);
    }

    /// The hunks of a file, by position.
    pub(crate) fn of(&self, file: &FilePath) -> Arc<Vec<Hunk>> {
        self.by_file.get(file).cloned().unwrap_or_default()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.by_file.values().map(|hunks| hunks.len()).sum()
    }

    /// All hunks, by file and position.
    pub(crate) fn all(&self) -> Vec<Hunk> {
        let hunks = self.by_file.values().flat_map(|hunks| hunks.iter());
        hunks.cloned().collect()
    }

    pub(crate) fn get(&self, id: HunkId) -> Option<Hunk> {
        self.by_file
            .values()
            .flat_map(|hunks| hunks.iter())
            .find(|hunk| hunk.id == id)
            .cloned()
    }

    /// The hunks of a run, the last landed first, so that undoing goes backwards.
    pub(crate) fn of_run(&self, run: &RunId) -> Vec<Hunk> {
        let mut hunks: Vec<Hunk> = self
            .by_file
            .values()
            .flat_map(|hunks| hunks.iter())
            .filter(|hunk| hunk.run == *run)
            .cloned()
            .collect();
        hunks.sort_by_key(|hunk| std::cmp::Reverse(hunk.id));
        hunks
    }

    /// Has the hunks that wait fit the newest text, as long as nobody types where they go.
    pub(crate) fn catch_up(&mut self, document: &Document) {
        let Some(hunks) = self.by_file.get_mut(document.file()) else {
            return;
        };
        if hunks.iter().any(Hunk::is_pending) {
            for hunk in Arc::make_mut(hunks) {
                hunk.catch_up(document);
            }
        }
    }

    /// How many hunks of a run are not in the text.
    pub(crate) fn waiting(&self, run: &RunId) -> Waiting {
        let hunks = self.by_file.values().flat_map(|hunks| hunks.iter());
        let mut waiting = Waiting::default();
        for hunk in hunks.filter(|hunk| hunk.run == *run) {
            match &hunk.state {
                HunkState::Landed(_) => {}
                HunkState::Pending { .. } if hunk.is_staged() => waiting.staged += 1,
                HunkState::Pending { .. } => waiting.stuck += 1,
            }
        }
        waiting
    }

    pub(crate) fn remove(&mut self, id: HunkId) -> Option<Hunk> {
        let (file, hunks) = self
            .by_file
            .iter_mut()
            .find(|(_, hunks)| hunks.iter().any(|hunk| hunk.id == id))?;
        let file = file.clone();
        let hunks = Arc::make_mut(hunks);
        let at = hunks.iter().position(|hunk| hunk.id == id)?;
        let hunk = hunks.remove(at);
        if hunks.is_empty() {
            self.by_file.remove(&file);
        }
        self.changed.insert(file);
        Some(hunk)
    }

    /// Forgets the landed hunks of a file, whose text is the user's from here on. Answers with them.
    pub(crate) fn keep_landed(&mut self, file: &FilePath) -> Vec<Hunk> {
        let all = self.put_away(file);
        self.mark(file);
        let all = all.iter().cloned();
        let (waiting, kept): (Vec<Hunk>, Vec<Hunk>) = all.partition(Hunk::is_pending);
        if !waiting.is_empty() {
            self.by_file.insert(file.clone(), Arc::new(waiting));
        }
        kept
    }

    /// Whether the user is still to decide on something in a file, or on its name, or on whether it is there.
    pub(crate) fn is_undecided(&self, file: &FilePath) -> bool {
        let names = |hunk: &Hunk| match &hunk.whole {
            Some(Whole::Renamed { from, to }) => [from, to].contains(&&file.to_string()),
            Some(Whole::Deleted { file: gone, .. }) => gone == file.as_str(),
            Some(Whole::Made) | None => false,
        };
        self.by_file.contains_key(file)
            || self
                .by_file
                .values()
                .flat_map(|hunks| hunks.iter())
                .any(names)
    }

    /// The run that the hunk belongs to which came last.
    pub(crate) fn last_run(&self) -> Option<RunId> {
        let hunks = self.by_file.values().flat_map(|hunks| hunks.iter());
        let last = hunks.max_by_key(|hunk| hunk.id)?;
        Some(last.run.clone())
    }

    /// Forgets the hunks of a file, which may be written down somewhere.
    pub(crate) fn put_away(&mut self, file: &FilePath) -> Arc<Vec<Hunk>> {
        self.by_file.remove(file).unwrap_or_default()
    }

    /// Shares out what a run has cost among its hunks, those that were kept or undone included.
    pub(crate) fn share(&mut self, summary: &RunSummary) {
        let run = &summary.id;
        for (file, hunks) in &mut self.by_file {
            if hunks.iter().any(|hunk| hunk.run == *run) {
                self.changed.insert(file.clone());
                for hunk in Arc::make_mut(hunks)
                    .iter_mut()
                    .filter(|hunk| hunk.run == *run)
                {
                    hunk.charge =
                        (summary.charge()).part(hunk.before, hunk.weight, summary.changed);
                }
            }
        }
    }

    /// Moves the hunks of a file with a change of its text. Grows with the hunks of that file alone.
    pub(crate) fn shift(&mut self, file: &FilePath, edits: &EditSet) {
        let Some(hunks) = self.by_file.get_mut(file) else {
            return;
        };
        for hunk in Arc::make_mut(hunks) {
            hunk.shift(edits);
        }
    }
}

/// Where a landed range is after a change.
///
/// What is typed inside belongs to it, as does a replacement of all of it; what is typed at its edges does not.
fn carried(range: Range, edits: &EditSet) -> Range {
    if range.is_empty() {
        return Range::at(edits.map_offset(range.start, Bias::Before));
    }
    let replaced = edits
        .edits()
        .iter()
        .any(|edit| edit.range.contains_range(range) && !edit.range.is_empty());
    if replaced {
        return Range::new(
            edits.map_offset(range.start, Bias::Before),
            edits.map_offset(range.end, Bias::After),
        );
    }
    edits.map_range(range)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use gate::{View, restore};
    use jiff::Timestamp;
    use text::{Edit, Text};

    use super::*;

    #[test]
    fn what_is_not_in_the_text_is_not_kept_with_the_file() {
        let file = FilePath::new("/w/a.rs").unwrap();
        let text = Text::from("fn f() {}\n");
        let parsed = index::Parsed::parse(grammars::by_name("rust").unwrap(), &text);
        let landed = Landed {
            range: Range::new(0, 2),
            old: "pub fn".to_owned(),
            new: "fn".to_owned(),
        };
        let view = View {
            file: &file,
            text: &text,
            version: None,
            parsed: &parsed,
        };
        let waiting = HunkState::Pending {
            edit: Arc::new(restore(&view, &landed, "f").unwrap()),
            serial: 0,
            why: Waits::Staged,
            at: Range::at(9),
        };
        let mut hunks = Hunks::default();
        let mut runs = Vec::new();
        for (second, state) in [(2, HunkState::Landed(landed)), (1, waiting)] {
            let run = RunId::new(Timestamp::from_second(second).unwrap());
            let hunk = Hunk {
                id: hunks.next_id(),
                run: run.clone(),
                title: String::new(),
                file: file.clone(),
                symbol: "f".to_owned(),
                reason: String::new(),
                charge: Charge::default(),
                before: 0,
                weight: 0,
                whole: None,
                state,
            };
            hunks.add(hunk);
            runs.push(run);
        }
        assert_eq!(hunks.last_run().as_ref(), runs.last());
        assert_eq!(hunks.keep_landed(&file).len(), 1);
        let left: Vec<RunId> = hunks
            .of(&file)
            .iter()
            .map(|hunk| hunk.run.clone())
            .collect();
        assert_eq!(left.as_slice(), runs.get(1..).unwrap());
        assert_eq!(hunks.keep_landed(&file).len(), 0);
        assert!(hunks.get(HunkId(2)).is_some());
    }

    #[test]
    fn a_hunk_moves_with_typing_and_keeps_what_is_typed_inside() {
        let at = |range: Range, edit: (usize, usize, &str)| {
            carried(
                range,
                &EditSet::one(Edit::new(Range::new(edit.0, edit.1), edit.2)),
            )
        };
        let hunk = Range::new(10, 20);
        assert_eq!(at(hunk, (0, 0, "abc")), Range::new(13, 23));
        assert_eq!(at(hunk, (10, 10, "abc")), Range::new(13, 23));
        assert_eq!(at(hunk, (20, 20, "abc")), hunk);
        assert_eq!(at(hunk, (15, 16, "abc")), Range::new(10, 22));
        assert_eq!(at(hunk, (5, 25, "abc")), Range::new(5, 8));
        assert_eq!(at(Range::at(10), (10, 10, "abc")), Range::at(10));
    }
}
