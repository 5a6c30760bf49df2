//! The difference of two texts as hunks, and hunks as what a model writes: old and new lines, no more of them than it takes.

use gate::Replacement;
use text::{Range, Text};

/// What one call may insert; the gate allows a little more.
const MAX_INSERT: usize = 40 * 1024;
/// The most pieces of one call.
const MAX_EDITS: usize = 32;

/// Lines of the old text and what the commit has instead.
#[derive(Clone)]
pub(super) struct Hunk {
    pub(super) old: Range,
    pub(super) new: String,
    /// Where `new` is in the new text.
    pub(super) there: Range,
}

/// The runs of changed lines.
pub(super) fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    let diff = similar::TextDiff::from_lines(before, after);
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut at, mut there, mut open) = (0, 0, false);
    for change in diff.iter_all_changes() {
        let len = change.value().len();
        if change.tag() == similar::ChangeTag::Equal {
            (at, there, open) = (at + len, there + len, false);
            continue;
        }
        if !open {
            hunks.push(Hunk {
                old: Range::at(at),
                new: String::new(),
                there: Range::at(there),
            });
            open = true;
        }
        let Some(hunk) = hunks.last_mut() else {
            continue;
        };
        if change.tag() == similar::ChangeTag::Delete {
            at += len;
            hunk.old.end = at;
        } else {
            there += len;
            hunk.new.push_str(change.value());
            hunk.there.end = there;
        }
    }
    hunks
}

/// Hunks of a size that one call may have: a longer one is put in and taken out piece by piece, each above the next.
pub(super) fn in_parts(hunks: &[Hunk], before: &str) -> Vec<Hunk> {
    let mut parts = Vec::new();
    for hunk in hunks {
        let mut new = pieces(&hunk.new);
        let last = new.pop().unwrap_or_default();
        parts.extend(new.into_iter().map(|new| Hunk {
            old: Range::at(hunk.old.start),
            new: new.to_owned(),
            there: hunk.there,
        }));
        let mut at = hunk.old.start;
        let old = before.get(at..hunk.old.end).unwrap_or_default();
        let mut new = last;
        for old in pieces(old) {
            parts.push(Hunk {
                old: Range::new(at, at + old.len()),
                new: std::mem::take(&mut new).to_owned(),
                there: hunk.there,
            });
            at += old.len();
        }
    }
    parts
}

/// Whole lines, together no longer than one call may insert; at least one piece.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    for line in text.split_inclusive('\n') {
        if at > start && at - start + line.len() > MAX_INSERT {
            pieces.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
        at += line.len();
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

/// How much a model has to write for these.
pub(super) fn written(edits: &[Replacement]) -> usize {
    let lengths = edits.iter().map(|edit| edit.old.len() + edit.new.len());
    lengths.sum()
}

/// Hunks in calls: not too many, not too long, and never two at one place.
pub(super) fn batches(hunks: &[Hunk]) -> Vec<Vec<Hunk>> {
    let mut batches: Vec<Vec<Hunk>> = Vec::new();
    for hunk in hunks {
        let fits = batches.last().is_some_and(|batch| {
            let new: usize = batch.iter().map(|hunk| hunk.new.len()).sum();
            let old: usize = batch.iter().map(|hunk| hunk.old.len()).sum();
            batch.len() < MAX_EDITS
                && new + hunk.new.len() <= MAX_INSERT
                && old + hunk.old.len() <= MAX_INSERT
                && batch
                    .last()
                    .is_some_and(|last| last.old.start < hunk.old.start)
        });
        match batches.last_mut() {
            Some(batch) if fits => batch.push(hunk.clone()),
            _ => batches.push(vec![hunk.clone()]),
        }
    }
    batches
}

pub(super) fn with_hunks(text: &Text, hunks: &[Hunk]) -> String {
    text_with(text, Range::new(0, text.len()), hunks)
}

/// The text of `range` with the hunks in it made.
pub(super) fn text_with(text: &Text, range: Range, hunks: &[Hunk]) -> String {
    let whole = text.slice(range);
    let (mut made, mut at) = (String::new(), 0);
    for hunk in hunks {
        let start = hunk.old.start.saturating_sub(range.start).min(whole.len());
        let end = hunk.old.end.saturating_sub(range.start).min(whole.len());
        made.push_str(whole.get(at..start).unwrap_or_default());
        made.push_str(&hunk.new);
        at = end;
    }
    made.push_str(whole.get(at..).unwrap_or_default());
    made
}

/// Each hunk with as few lines around it as make it unique in `area`, as a model would copy them: with `\n`.
///
/// With `inner`, the last line break of the area is not part of what is searched.
pub(super) fn replacements(
    text: &Text,
    area: Range,
    hunks: &[Hunk],
    inner: bool,
) -> Option<Vec<Replacement>> {
    const CONTEXTS: [(usize, usize); 12] = [
        (0, 0),
        (1, 0),
        (0, 1),
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 3),
        (5, 5),
        (10, 10),
        (20, 20),
        (40, 40),
        (usize::MAX, usize::MAX),
    ];
    if hunks.len() > MAX_EDITS {
        return None;
    }
    let whole = text.slice(area);
    let searched = if inner {
        whole.trim_end_matches(['\n', '\r'])
    } else {
        &whole
    };
    let mut starts: Vec<usize> = vec![0];
    starts.extend(whole.split_inclusive('\n').scan(0, |at, line| {
        *at += line.len();
        Some(*at)
    }));
    hunks
        .iter()
        .map(|hunk| {
            let start = hunk.old.start.checked_sub(area.start)?;
            let end = hunk.old.end.checked_sub(area.start)?;
            let first = starts.partition_point(|at| *at <= start).checked_sub(1)?;
            let last = starts.partition_point(|at| *at < end.max(start));
            CONTEXTS.iter().find_map(|(above, below)| {
                let from = *starts.get(first.saturating_sub(*above))?;
                let to = *starts.get(last.saturating_add(*below).min(starts.len() - 1))?;
                let (from, to) = (from.min(start), to.max(end));
                let mut old = whole.get(from..to)?;
                let new = format!(
                    "{}{}{}",
                    whole.get(from..start)?,
                    hunk.new,
                    whole.get(end..to)?
                );
                let mut new = new.as_str();
                if inner {
                    match (old.strip_suffix('\n'), new.strip_suffix('\n')) {
                        (Some(short_old), Some(short_new)) => {
                            old = short_old.strip_suffix('\r').unwrap_or(short_old);
                            new = short_new.strip_suffix('\r').unwrap_or(short_new);
                        }
                        (None, None) => {}
                        _ => return None,
                    }
                }
                let unique = !old.trim().is_empty() && searched.matches(old).count() == 1;
                let plain = |text: &str| text.replace("\r\n", "\n");
                unique.then(|| Replacement {
                    old: plain(old),
                    new: plain(new),
                })
            })
        })
        .collect()
}
