use std::fmt;

use ropey::Rope;

use crate::{Edit, Range};

/// The text of a document: an immutable value that is cheap to clone and to edit.
///
/// All offsets are bytes.
/// Every method clamps what it is given: an offset past the end is the end, one inside a character its start.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text(Rope);

impl Text {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len_bytes()
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of lines; a final line break opens one more, empty, line. O(1).
    pub fn lines(&self) -> usize {
        self.0.len_lines()
    }

    /// The text inside `range`.
    pub fn slice(&self, range: Range) -> String {
        let (start, end) = (self.char_of(range.start), self.char_of(range.end));
        self.0
            .get_slice(start..end.max(start))
            .map(|slice| slice.to_string())
            .unwrap_or_default()
    }

    /// The line that `offset` is on, counted from 0. O(log n).
    pub fn line_of(&self, offset: usize) -> usize {
        self.0.char_to_line(self.char_of(offset))
    }

    /// Where `line` starts; past the last line, the end. O(log n).
    pub fn line_start(&self, line: usize) -> usize {
        self.0.try_line_to_byte(line).unwrap_or_else(|_| self.len())
    }

    /// The text of `line` without its line break, as a range.
    pub fn line_range(&self, line: usize) -> Range {
        let start = self.line_start(line);
        let mut end = self.line_start(line.saturating_add(1));
        if line.saturating_add(1) < self.lines() {
            let tail = self.slice(Range {
                start: end.saturating_sub(2).max(start),
                end,
            });
            end -= if tail.ends_with("\r\n") {
                2
            } else {
                usize::from(tail.ends_with(['\n', '\r']))
            };
        }
        Range { start, end }
    }

    /// `range` widened to whole lines, with the line break after the last.
    pub fn full_lines(&self, range: Range) -> Range {
        let last = self.line_of(range.end.max(range.start));
        Range {
            start: self.line_start(self.line_of(range.start)),
            end: self.line_start(last + 1),
        }
    }

    /// The blanks that the line of `offset` starts with.
    pub fn indent_of(&self, offset: usize) -> String {
        let line = self.slice(self.line_range(self.line_of(offset)));
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        line[..blanks].to_owned()
    }

    /// The piece of text that holds `offset`, and where the piece starts. Empty at the end.
    ///
    /// This is what a parser reads through.
    pub fn chunk_at(&self, offset: usize) -> (&str, usize) {
        match self.0.get_chunk_at_byte(offset) {
            Some((chunk, start, _, _)) if offset < self.len() => (chunk, start),
            _ => ("", self.len()),
        }
    }

    /// The pieces of text in order.
    pub fn chunks(&self) -> impl Iterator<Item = &str> {
        self.0.chunks()
    }

    /// Whether `offset` lies between two characters.
    pub fn is_char_boundary(&self, offset: usize) -> bool {
        offset <= self.len() && self.floor(offset) == offset
    }

    /// The start of the character that `offset` is in.
    pub fn floor(&self, offset: usize) -> usize {
        self.0.char_to_byte(self.char_of(offset))
    }

    /// The line break that this text uses: that of its first line, `\n` without one.
    pub fn line_break(&self) -> &'static str {
        let first = self.slice(Range {
            start: self.line_range(0).end,
            end: self.line_start(1),
        });
        match first.as_str() {
            "\r\n" => "\r\n",
            "\r" => "\r",
            _ => "\n",
        }
    }

    /// Replaces one range; the caller has checked that it is inside and on character boundaries.
    pub(crate) fn replace(&mut self, edit: &Edit) {
        let (start, end) = (self.char_of(edit.range.start), self.char_of(edit.range.end));
        self.0.remove(start..end.max(start));
        self.0.insert(start, &edit.insert);
    }

    fn char_of(&self, offset: usize) -> usize {
        self.0.byte_to_char(offset.min(self.len()))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(Rope::from_str(text))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chunks().try_for_each(|chunk| f.write_str(chunk))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes, {} lines)", self.len(), self.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_lsp_says_and_nowhere_else() {
        let text = Text::from("a\nb\r\nc\rd\u{2028}e\u{b}f\u{85}g");
        let lines: Vec<_> = (0..text.lines())
            .map(|line| text.slice(text.line_range(line)))
            .collect();
        assert_eq!(lines, ["a", "b", "c", "d\u{2028}e\u{b}f\u{85}g"]);
    }

    #[test]
    fn offsets_are_clamped_never_a_panic() {
        let text = Text::from("äb\n");
        assert_eq!(text.floor(1), 0);
        assert_eq!(text.slice(Range { start: 1, end: 99 }), "äb\n");
        assert_eq!(text.line_start(99), 4);
        assert_eq!(text.line_range(99), Range::at(4));
        assert_eq!(text.chunk_at(99).0, "");
        assert_eq!(text.line_range(1), Range::at(4));
        assert_eq!(text.full_lines(Range::at(0)), Range::new(0, 4));
    }

    #[test]
    fn the_first_line_break_names_the_style() {
        assert_eq!(Text::from("a\r\nb\n").line_break(), "\r\n");
        assert_eq!(Text::from("a").line_break(), "\n");
    }
}
