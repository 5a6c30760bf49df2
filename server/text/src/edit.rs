use serde::{Deserialize, Serialize};

use crate::{Range, Text};

/// The replacement of one range by a text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Edit {
    /// What goes.
    pub range: Range,
    /// What comes in its place.
    pub insert: String,
}

impl Edit {
    /// Replaces `range` by `insert`.
    pub fn new(range: Range, insert: impl Into<String>) -> Edit {
        Edit {
            range,
            insert: insert.into(),
        }
    }
}

/// Edits of one text that are sorted and do not overlap; two may touch.
///
/// All offsets are those of the text before any of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct EditSet(Vec<Edit>);

/// Why edits do not fit together, or do not fit a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Two edits change the same bytes, or insert at the same place.
    #[error("edits overlap at byte {0}")]
    Overlap(usize),
    /// An edit reaches past the end of the text.
    #[error("an edit ends at byte {end}, the text at byte {len}")]
    PastEnd {
        /// Where the edit ends.
        end: usize,
        /// Length of the text.
        len: usize,
    },
    /// An edit begins or ends inside a character.
    #[error("byte {0} is inside a character")]
    InsideCharacter(usize),
}

/// Two sides changed the same place, so that neither order of the two is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("both sides changed bytes {}..{}", .0.start, .0.end)]
pub struct Conflict(
    /// The place, in the text before both.
    pub Range,
);

/// Which side an offset stays on when text is inserted exactly there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bias {
    /// Before the inserted text.
    Before,
    /// After it.
    After,
}

impl EditSet {
    /// Sorts edits and makes sure that they do not overlap.
    pub fn new(mut edits: Vec<Edit>) -> Result<EditSet, EditError> {
        edits.retain(|edit| !(edit.range.is_empty() && edit.insert.is_empty()));
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        for pair in edits.windows(2) {
            if let [a, b] = pair
                && (a.range.end > b.range.start || a.range == b.range)
            {
                return Err(EditError::Overlap(b.range.start));
            }
        }
        Ok(EditSet(edits))
    }

    /// A set of one.
    pub fn one(edit: Edit) -> EditSet {
        EditSet(if edit.range.is_empty() && edit.insert.is_empty() {
            Vec::new()
        } else {
            vec![edit]
        })
    }

    /// The edits, by position.
    pub fn edits(&self) -> &[Edit] {
        &self.0
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The smallest range, before the edits, that holds them all.
    pub fn span(&self) -> Option<Range> {
        Some(self.0.first()?.range.cover(self.0.last()?.range))
    }

    /// The text with all edits made, or why they do not fit it.
    pub fn apply(&self, text: &Text) -> Result<Text, EditError> {
        for Edit { range, .. } in &self.0 {
            if range.end > text.len() {
                return Err(EditError::PastEnd {
                    end: range.end,
                    len: text.len(),
                });
            }
            for offset in [range.start, range.end] {
                if !text.is_char_boundary(offset) {
                    return Err(EditError::InsideCharacter(offset));
                }
            }
        }
        let mut after = text.clone();
        for edit in self.0.iter().rev() {
            after.replace(edit);
        }
        Ok(after)
    }

    /// The edits that lead from the text after these back to `before`.
    pub fn invert(&self, before: &Text) -> EditSet {
        let mut shift = 0;
        EditSet(
            self.0
                .iter()
                .map(|edit| {
                    let start = moved(edit.range.start, shift);
                    shift += edit.insert.len() as isize - edit.range.len() as isize;
                    Edit::new(
                        Range {
                            start,
                            end: start + edit.insert.len(),
                        },
                        before.slice(edit.range),
                    )
                })
                .collect(),
        )
    }

    /// Where `offset` is afterwards. Inside a replaced range it goes to the edge that `bias` names.
    pub fn map_offset(&self, offset: usize, bias: Bias) -> usize {
        let mut shift = 0isize;
        for Edit { range, insert } in &self.0 {
            if offset < range.start || (offset == range.start && bias == Bias::Before) {
                break;
            }
            if offset < range.end
                || (offset == range.end && range.is_empty() && bias == Bias::Before)
            {
                let start = moved(range.start, shift);
                return if bias == Bias::Before {
                    start
                } else {
                    start + insert.len()
                };
            }
            shift += insert.len() as isize - range.len() as isize;
        }
        moved(offset, shift)
    }

    /// Where `range` is afterwards: it keeps what is inserted inside it, and does not take in what is inserted at its edges.
    pub fn map_range(&self, range: Range) -> Range {
        let start = self.map_offset(range.start, Bias::After);
        let end = self.map_offset(range.end, Bias::Before);
        if range.is_empty() {
            Range::at(start)
        } else {
            Range {
                start,
                end: end.max(start),
            }
        }
    }

    /// These edits, made for the same text as `over`, as they read once `over` has been made.
    ///
    /// Edits of the two sides may not touch: text typed right beside an agent's change is a conflict, because the
    /// order of the two is anyone's guess.
    pub fn rebase(&self, over: &EditSet) -> Result<EditSet, Conflict> {
        let mut rebased = Vec::with_capacity(self.0.len());
        let mut theirs = over.0.iter().peekable();
        let mut shift = 0isize;
        for Edit { range, insert } in &self.0 {
            while let Some(their) = theirs.next_if(|their| their.range.end < range.start) {
                shift += their.insert.len() as isize - their.range.len() as isize;
            }
            if let Some(their) = theirs.peek()
                && their.range.start <= range.end
            {
                return Err(Conflict(their.range.cover(*range)));
            }
            rebased.push(Edit::new(
                Range {
                    start: moved(range.start, shift),
                    end: moved(range.end, shift),
                },
                insert.clone(),
            ));
        }
        Ok(EditSet(rebased))
    }
}

fn moved(offset: usize, shift: isize) -> usize {
    offset.saturating_add_signed(shift)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(edits: &[(usize, usize, &str)]) -> EditSet {
        EditSet::new(
            edits
                .iter()
                .map(|&(a, b, insert)| Edit::new(Range::new(a, b), insert))
                .collect(),
        )
        .unwrap()
    }

    #[test]
    fn overlap_is_refused() {
        let edits = vec![
            Edit::new(Range::new(0, 4), "x"),
            Edit::new(Range::new(3, 5), "y"),
        ];
        assert_eq!(EditSet::new(edits), Err(EditError::Overlap(3)));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let text = Text::from("aä");
        assert_eq!(
            set(&[(0, 9, "")]).apply(&text),
            Err(EditError::PastEnd { end: 9, len: 3 })
        );
        assert_eq!(
            set(&[(2, 3, "x")]).apply(&text),
            Err(EditError::InsideCharacter(2))
        );
    }

    #[test]
    fn typing_beside_a_change_is_a_conflict_and_elsewhere_is_not() {
        let ours = set(&[(10, 12, "new")]);
        assert_eq!(
            ours.rebase(&set(&[(0, 0, "abc")])).unwrap(),
            set(&[(13, 15, "new")])
        );
        assert_eq!(ours.rebase(&set(&[(20, 22, "")])).unwrap(), ours);
        assert!(ours.rebase(&set(&[(12, 12, "x")])).is_err());
        assert!(ours.rebase(&set(&[(5, 10, "x")])).is_err());
    }

    #[test]
    fn a_range_keeps_what_is_typed_inside_it_only() {
        let range = Range::new(10, 20);
        assert_eq!(set(&[(15, 15, "abc")]).map_range(range), Range::new(10, 23));
        assert_eq!(set(&[(10, 10, "abc")]).map_range(range), Range::new(13, 23));
        assert_eq!(set(&[(20, 20, "abc")]).map_range(range), range);
        assert_eq!(set(&[(5, 15, "")]).map_range(range), Range::new(5, 10));
    }

    prop_compose! {
        fn texts_and_edits()(text in "[a-cäß\n]{0,40}")(
            cuts in prop::collection::vec((0..=text.chars().count(), "[x-z]{0,3}"), 0..8), text in Just(text),
        ) -> (String, EditSet) {
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut places: Vec<usize> = cuts.iter().map(|(at, _)| bounds[*at]).collect();
            places.sort_unstable();
            let edits = places.chunks_exact(2).zip(&cuts)
                .map(|(pair, (_, insert))| Edit::new(Range::new(pair[0], pair[1]), insert.clone()))
                .collect();
            (text, EditSet::new(edits).unwrap_or_default())
        }
    }

    proptest! {
        #[test]
        fn the_inverse_undoes((text, edits) in texts_and_edits()) {
            let before = Text::from(text.as_str());
            let after = edits.apply(&before).unwrap();
            prop_assert_eq!(edits.invert(&before).apply(&after).unwrap().to_string(), text);
        }

        #[test]
        fn rebased_edits_commute((text, ours) in texts_and_edits(), seed in any::<u64>()) {
            let before = Text::from(text.as_str());
            let at = before.floor(seed as usize % (before.len() + 1));
            let theirs = EditSet::one(Edit::new(Range::at(at), "!!"));
            if let (Ok(over_theirs), Ok(over_ours)) = (ours.rebase(&theirs), theirs.rebase(&ours)) {
                let one = over_theirs.apply(&theirs.apply(&before).unwrap()).unwrap();
                let other = over_ours.apply(&ours.apply(&before).unwrap()).unwrap();
                prop_assert_eq!(one.to_string(), other.to_string());
            }
        }

        #[test]
        fn mapped_offsets_stay_in_order_and_inside((text, edits) in texts_and_edits(), a in 0usize..99, b in 0usize..99) {
            let before = Text::from(text.as_str());
            let after = edits.apply(&before).unwrap();
            let (a, b) = (a.min(b).min(before.len()), a.max(b).min(before.len()));
            for bias in [Bias::Before, Bias::After] {
                let (a, b) = (edits.map_offset(a, bias), edits.map_offset(b, bias));
                prop_assert!(a <= b && b <= after.len());
            }
        }
    }
}
