use similar::{ChangeTag, TextDiff};

use crate::{Edit, EditSet, Range};

/// The edits that lead from `old` to `new`: one for each run of changed lines, cut down to the characters that differ.
pub fn diff(old: &str, new: &str) -> EditSet {
    let lines = TextDiff::from_lines(old, new);
    let mut edits: Vec<Edit> = Vec::new();
    let mut at = 0;
    let mut changing = false;
    for change in lines.iter_all_changes() {
        let value = change.value();
        if change.tag() == ChangeTag::Equal {
            changing = false;
            at += value.len();
            continue;
        }
        if !changing {
            edits.push(Edit::new(Range::at(at), ""));
            changing = true;
        }
        let Some(edit) = edits.last_mut() else {
            continue;
        };
        if change.tag() == ChangeTag::Delete {
            at += value.len();
            edit.range.end = at;
        } else {
            edit.insert.push_str(value);
        }
    }
    EditSet::new(edits.into_iter().map(|edit| trim(old, edit)).collect()).unwrap_or_else(|_| {
        // Runs of changed lines are apart by construction; this is the safe answer if that should ever fail.
        EditSet::one(Edit::new(Range::new(0, old.len()), new))
    })
}

/// The text with the changes of both sides since `base`, or `None` where they collide.
pub fn merge3(base: &str, ours: &str, theirs: &str) -> Option<String> {
    if ours == base || ours == theirs {
        return Some(theirs.to_owned());
    }
    if theirs == base {
        return Some(ours.to_owned());
    }
    diffy::merge(base, ours, theirs).ok()
}

fn trim(old: &str, edit: Edit) -> Edit {
    let Edit { range, insert } = edit;
    let gone = &old[range.start..range.end];
    let prefix = common(gone.chars(), insert.chars());
    let (gone, kept) = (&gone[prefix..], &insert[prefix..]);
    let suffix = common(gone.chars().rev(), kept.chars().rev());
    Edit::new(
        Range {
            start: range.start + prefix,
            end: range.end - suffix,
        },
        &kept[..kept.len() - suffix],
    )
}

/// Bytes of the longest common start of two character sequences.
fn common(a: impl Iterator<Item = char>, b: impl Iterator<Item = char>) -> usize {
    a.zip(b)
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Text;

    #[test]
    fn each_run_of_changed_lines_is_one_small_edit() {
        let edits = diff(
            "fn a() {}\nfn b() { 1 }\nfn c() {}\n",
            "fn a() {}\nfn b() { 2 }\nfn c() {}\nfn d() {}\n",
        );
        assert_eq!(
            edits.edits(),
            [
                Edit::new(Range::new(19, 20), "2"),
                Edit::new(Range::at(33), "fn d() {}\n")
            ]
        );
    }

    #[test]
    fn both_sides_or_a_conflict() {
        let base = "a\nb\nc\nd\ne\nf\ng\n";
        assert_eq!(
            merge3(base, "A\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nd\ne\nf\nG\n").as_deref(),
            Some("A\nb\nc\nd\ne\nf\nG\n")
        );
        assert_eq!(
            merge3(base, "A\nb\nc\nd\ne\nf\ng\n", "B\nb\nc\nd\ne\nf\ng\n"),
            None
        );
    }

    proptest! {
        #[test]
        fn a_diff_leads_there(old in "([ab ä\r]{0,4}\n?){0,8}", new in "([ab ä\r]{0,4}\n?){0,8}") {
            let edits = diff(&old, &new);
            prop_assert_eq!(edits.apply(&Text::from(old.as_str())).unwrap().to_string(), new);
        }
    }
}
