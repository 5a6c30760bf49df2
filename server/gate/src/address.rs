//! From an old text that a model remembers to the one place in a symbol where it stands.

use text::{Edit, Range, Text};

use crate::Tier;
use crate::lines::with_lines_of;

/// Why an old text leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It is not there.
    Missing,
    /// It is there more than once, on these lines (counted from 1).
    Ambiguous(Vec<usize>),
    /// It is empty.
    Empty,
}

/// Finds `old` once inside `area` and replaces it by `new`.
///
/// The area should start at a line start, so that a first line with its indentation is found as it was shown.
pub(crate) fn locate(text: &Text, area: Range, old: &str, new: &str) -> Result<(Edit, Tier), Lost> {
    if old.trim().is_empty() {
        return Err(Lost::Empty);
    }
    let hay = text.slice(area);
    let (old, new) = (
        with_breaks(old, text.line_break()),
        with_breaks(new, text.line_break()),
    );
    let found = occurrences(&hay, &old);
    match found.as_slice() {
        [at] => {
            let range = Range {
                start: area.start + at,
                end: area.start + at + old.len(),
            };
            return Ok((trimmed(Edit::new(range, new), &old), Tier::Exact));
        }
        [] => {}
        many => {
            let lines = many
                .iter()
                .map(|at| text.line_of(area.start + at) + 1)
                .collect();
            return Err(Lost::Ambiguous(lines));
        }
    }
    for tier in [Tier::TrailingBlanks, Tier::Reindented] {
        match by_lines(text, area, &old, tier)?.as_slice() {
            [] => {}
            [range] => {
                let insert = if tier == Tier::Reindented {
                    let shown = indent(&old);
                    let there = text.indent_of(range.start);
                    reindent(&new, shown, &there)
                } else {
                    new
                };
                // The lines found carry no line break at their end, so what replaces them may not either.
                let insert = insert.trim_end_matches(['\n', '\r']);
                let stood = text.slice(*range);
                let insert = with_lines_of(&stood, insert, str::trim_end);
                return Ok((trimmed(Edit::new(*range, insert), &stood), tier));
            }
            many => {
                return Err(Lost::Ambiguous(
                    many.iter()
                        .map(|range| text.line_of(range.start) + 1)
                        .collect(),
                ));
            }
        }
    }
    Err(Lost::Missing)
}

/// Every place where `old` begins, also where two of them overlap: either could be meant.
fn occurrences(hay: &str, old: &str) -> Vec<usize> {
    let (mut found, mut from) = (Vec::new(), 0);
    let step = old.chars().next().map_or(1, char::len_utf8);
    while let Some(at) = hay.get(from..).and_then(|rest| rest.find(old)) {
        found.push(from + at);
        from += at + step;
    }
    found
}

/// All runs of whole lines in `area` that equal the lines of `old` up to the blanks that `tier` forgives.
fn by_lines(text: &Text, area: Range, old: &str, tier: Tier) -> Result<Vec<Range>, Lost> {
    let norm = |line: &str| match tier {
        Tier::Exact | Tier::TrailingBlanks => line.trim_end().to_owned(),
        Tier::Reindented => line.trim().to_owned(),
    };
    let wanted: Vec<String> = old.trim_matches(['\n', '\r']).lines().map(norm).collect();
    if wanted.is_empty() {
        return Err(Lost::Empty);
    }
    let (first, last) = (text.line_of(area.start), text.line_of(area.end));
    let lines: Vec<(Range, String)> = (first..=last)
        .map(|line| {
            let range = text.line_range(line);
            let inside = Range::new(
                range.start.max(area.start),
                range.end.min(area.end).max(area.start),
            );
            (inside, norm(&text.slice(inside)))
        })
        .collect();
    Ok(lines
        .windows(wanted.len())
        .filter(|window| {
            window
                .iter()
                .zip(&wanted)
                .all(|((_, line), want)| line == want)
        })
        .filter_map(|window| Some(window.first()?.0.cover(window.last()?.0)))
        .collect())
}

/// The edit without what both texts share at their ends, so that only bytes that differ change.
pub(crate) fn trimmed(edit: Edit, stood: &str) -> Edit {
    let small = text::diff(stood, &edit.insert);
    match small.edits() {
        [only] => Edit::new(
            Range {
                start: edit.range.start + only.range.start,
                end: edit.range.start + only.range.end,
            },
            only.insert.clone(),
        ),
        _ => edit,
    }
}

/// The blanks that the first line with anything on it starts with.
pub(crate) fn indent(text: &str) -> &str {
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("");
    &line[..line.len() - line.trim_start().len()]
}

/// `text` with the indentation `from` of its lines replaced by `to`; lines that are indented less keep what they have.
pub(crate) fn reindent(text: &str, from: &str, to: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_prefix(from) {
            Some(rest) if !line.trim().is_empty() => format!("{to}{rest}"),
            _ => line.to_owned(),
        })
        .collect()
}

/// `text` with all line breaks made `line_break`.
pub(crate) fn with_breaks(text: &str, line_break: &str) -> String {
    if line_break == "\n" && !text.contains('\r') {
        return text.to_owned();
    }
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', line_break)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, old: &str, new: &str, expect: Expect) {
        let text = Text::from(text);
        let shown = match locate(&text, Range::new(0, text.len()), old, new) {
            Ok((edit, tier)) => {
                let after = text::EditSet::one(edit).apply(&text).unwrap();
                format!("{tier:?}\n{after}")
            }
            Err(lost) => format!("{lost:?}\n"),
        };
        expect.assert_eq(&shown);
    }

    #[test]
    fn exact_and_unique() {
        check(
            "fn f() {\n    a();\n    b();\n}\n",
            "    b();",
            "    c();",
            expect![[r#"
            Exact
            fn f() {
                a();
                c();
            }
        "#]],
        );
    }

    #[test]
    fn twice_is_not_once() {
        check(
            "a();\nb();\na();\n",
            "a();",
            "c();",
            expect![[r#"
            Ambiguous([1, 3])
        "#]],
        );
    }

    #[test]
    fn lost_indentation_is_put_back() {
        check(
            "{\n    if x {\n        y();\n    }\n}\n",
            "if x {\n    y();\n}",
            "if x {\n    z();\n    w();\n}",
            expect![[r#"
            Reindented
            {
                if x {
                    z();
                    w();
                }
            }
        "#]],
        );
    }

    #[test]
    fn trailing_blanks_are_forgiven() {
        check(
            "a();  \nb();\n",
            "a();\nb();\n",
            "c();\nb();\n",
            expect![[r#"
            TrailingBlanks
            c();
            b();
        "#]],
        );
    }

    #[test]
    fn a_misspelt_name_is_not_forgiven() {
        check(
            "alpha();\n",
            "alpah();",
            "beta();",
            expect![[r#"
            Missing
        "#]],
        );
        check(
            "alpha();\n",
            "  \n",
            "beta();",
            expect![[r#"
            Empty
        "#]],
        );
    }
}
