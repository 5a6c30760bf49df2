//! Comments that ask for something: `farthing: make this faster`.

use text::Range;

use crate::lead::starts_its_line;

const MARK: &str = "farthing:";

/// What a comment asks for, before it is known which symbol it is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    pub(crate) range: Range,
    pub(crate) text: String,
    /// Whether the next line may go on with it.
    pub(crate) open: bool,
}

/// Takes in the next comment of a file, and says whether it asks for something.
pub(crate) fn read(drafts: &mut Vec<Draft>, source: &str, range: Range) -> bool {
    let comment = source.get(range.start..range.end).unwrap_or("").trim_end();
    let range = Range::new(range.start, range.start + comment.len());
    let own_line = starts_its_line(source, range.start);
    let mut lines = comment.lines().map(content).peekable();
    // Most comments ask for nothing, and are done with here.
    let asks = has_mark(comment);
    if asks {
        while lines.peek().is_some_and(|line| asked(line).is_none()) {
            lines.next();
        }
        if let Some(first) = lines.next() {
            let first = asked(first).unwrap_or(first);
            let rest = lines.map(str::to_owned);
            let words: Vec<String> = [first.to_owned()].into_iter().chain(rest).collect();
            let text = words
                .join(" ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            drafts.push(Draft {
                range,
                text,
                open: own_line && !comment.contains('\n'),
            });
            return true;
        }
    }
    let Some(last) = drafts.last_mut().filter(|last| last.open && own_line) else {
        return false;
    };
    let between = source.get(last.range.end..range.start).unwrap_or("");
    let adjacent = between.trim().is_empty() && between.matches('\n').count() == 1;
    let text = content(comment);
    if adjacent && !text.is_empty() && !comment.contains('\n') {
        last.range.end = range.end;
        if !last.text.is_empty() {
            last.text.push(' ');
        }
        last.text.push_str(text);
    } else {
        last.open = false;
    }
    last.open
}

fn has_mark(comment: &str) -> bool {
    comment.match_indices(':').any(|(colon, _)| {
        let end = colon + 1;
        let word = end
            .checked_sub(MARK.len())
            .and_then(|start| comment.as_bytes().get(start..end));
        word.is_some_and(|word| word.eq_ignore_ascii_case(MARK.as_bytes()))
    })
}

/// What follows the mark, if the line starts with it.
fn asked(line: &str) -> Option<&str> {
    let start = line.get(..MARK.len())?;
    start
        .eq_ignore_ascii_case(MARK)
        .then(|| line[MARK.len()..].trim())
}

/// A line of a comment without what makes it a comment.
fn content(line: &str) -> &str {
    let line = line.trim();
    let ends = ["*/", "*)", "-}", "-->"];
    let line = ends
        .iter()
        .find_map(|end| line.strip_suffix(end))
        .unwrap_or(line);
    line.trim_start_matches(['/', '*', '!', '#', '-', ';', '%', '"', '(', '{', '<'])
        .trim()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_raw_string_hashes)]
    use expect_test::{Expect, expect};

    use super::*;

    fn check(source: &str, expected: Expect) {
        let mut drafts = Vec::new();
        let mut at = 0;
        while let Some(start) = source[at..].find(['/', '#']).map(|found| at + found) {
            let block = source[start..].starts_with("/*");
            let end = source[start..].find(if block { "*/" } else { "\n" });
            let end = end.map_or(source.len(), |end| start + end + usize::from(block) * 2);
            read(&mut drafts, source, Range::new(start, end));
            at = end;
        }
        let shown = drafts.iter().map(|draft| {
            let range = draft.range;
            format!("{}..{} {}\n", range.start, range.end, draft.text)
        });
        expected.assert_eq(&shown.collect::<String>());
    }

    #[test]
    fn what_a_comment_asks_for() {
        check(
            "# Farthing:  make it   faster\n",
            expect![[r#"
            0..29 make it faster
        "#]],
        );
        check(
            "// a note\n// farthing: split this,\n//   keep the API\n\n// another\n",
            expect![[r#"
            10..52 split this, keep the API
        "#]],
        );
        check(
            "x(); // farthing: rename\n// unrelated\n",
            expect![[r#"
            5..24 rename
        "#]],
        );
        check(
            "/*\n * Old.\n * farthing: document\n * every case\n */",
            expect![[r#"
            0..50 document every case
        "#]],
        );
        check("// we like farthing: no\n", expect![""]);
    }
}
