//! Places and changes of text between the protocol and ours. The one file that knows about encodings.
//!
//! The protocol counts lines, and characters in the units that client and server agreed on; we count bytes.
//! Whatever a client sends is clamped as the specification says: past the end of a line to the end of the line (before
//! its line break), past the last line to the end of the text, inside a character to its start.
//!
//! ```text
//! let range = from_proto::range(&text, params.range, encoding);
//! let range = to_proto::range(&text, symbol.range, encoding);
//! ```

use text::{Range, Text};

/// The units in which a position's `character` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what every client knows.
    Utf16,
    /// Code points.
    Utf32,
}

impl Encoding {
    /// The best of what a client offers: UTF-8 for its speed, else UTF-16, which an empty offer means too.
    pub fn negotiate<'a>(offered: impl IntoIterator<Item = &'a str>) -> Encoding {
        let (mut utf8, mut utf16, mut utf32) = (false, false, false);
        for name in offered {
            utf8 |= name == "utf-8";
            utf16 |= name == "utf-16";
            utf32 |= name == "utf-32";
        }
        if utf8 {
            Encoding::Utf8
        } else if utf32 && !utf16 {
            Encoding::Utf32
        } else {
            Encoding::Utf16
        }
    }

    /// The name of it that the server answers with.
    pub fn kind(self) -> lsp_types::PositionEncodingKind {
        match self {
            Encoding::Utf8 => lsp_types::PositionEncodingKind::UTF8,
            Encoding::Utf16 => lsp_types::PositionEncodingKind::UTF16,
            Encoding::Utf32 => lsp_types::PositionEncodingKind::UTF32,
        }
    }

    /// The length of one character in these units.
    fn width(self, character: char) -> usize {
        match self {
            Encoding::Utf8 => character.len_utf8(),
            Encoding::Utf16 => character.len_utf16(),
            Encoding::Utf32 => 1,
        }
    }
}

/// From ours to the protocol's.
pub mod to_proto {
    use text::Edit;

    use super::{Encoding, Range, Text, pieces};

    /// The position of a byte offset; one between the two halves of a `\r\n` is the end of its line.
    pub fn position(text: &Text, offset: usize, encoding: Encoding) -> lsp_types::Position {
        let offset = text.floor(offset);
        let line = text.line_of(offset);
        let before = Range {
            start: text.line_start(line),
            end: offset.min(text.line_range(line).end),
        };
        let character: usize = pieces(text, before)
            .map(|piece| {
                if piece.is_ascii() {
                    piece.len()
                } else {
                    piece
                        .chars()
                        .map(|character| encoding.width(character))
                        .sum()
                }
            })
            .sum();
        lsp_types::Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            character: u32::try_from(character).unwrap_or(u32::MAX),
        }
    }

    /// The range of a byte range.
    pub fn range(text: &Text, range: Range, encoding: Encoding) -> lsp_types::Range {
        lsp_types::Range {
            start: position(text, range.start, encoding),
            end: position(text, range.end, encoding),
        }
    }

    /// One edit of `text`. Several in one document all refer to the text before any of them, in both worlds.
    pub fn text_edit(text: &Text, edit: &Edit, encoding: Encoding) -> lsp_types::TextEdit {
        lsp_types::TextEdit {
            range: range(text, edit.range, encoding),
            new_text: edit.insert.clone(),
        }
    }
}

/// From the protocol's to ours.
pub mod from_proto {
    use lsp_types::TextDocumentContentChangeEvent;
    use text::{Edit, EditSet};

    use super::{Encoding, Range, Text, pieces};

    /// The byte offset of a position.
    pub fn offset(text: &Text, position: lsp_types::Position, encoding: Encoding) -> usize {
        let line = text.line_range(position.line as usize);
        let mut offset = line.start;
        let mut left = position.character as usize;
        for piece in pieces(text, line) {
            if piece.is_ascii() {
                let step = left.min(piece.len());
                offset += step;
                left -= step;
            } else {
                for character in piece.chars() {
                    let width = encoding.width(character);
                    if width > left {
                        return offset;
                    }
                    offset += character.len_utf8();
                    left -= width;
                }
            }
            if left == 0 {
                break;
            }
        }
        offset
    }

    /// The byte range of a range; one given backwards is turned round.
    pub fn range(text: &Text, range: lsp_types::Range, encoding: Encoding) -> Range {
        Range::new(
            offset(text, range.start, encoding),
            offset(text, range.end, encoding),
        )
    }

    /// What a `didChange` did to a text.
    #[derive(Clone, Debug)]
    pub struct Changed {
        /// The changes in order, each of the text that the one before it left. Those that changed nothing are left out.
        pub edits: Vec<EditSet>,
        /// The text after all of them.
        pub text: Text,
    }

    /// Applies the changes of one `didChange` to the text before it.
    ///
    /// A change of the whole document becomes the one edit between what stayed the same at its start and at its end, so
    /// that what is anchored to the text elsewhere keeps its place.
    pub fn content_changes(
        text: &Text,
        changes: impl IntoIterator<Item = TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Changed {
        let mut changed = Changed {
            edits: Vec::new(),
            text: text.clone(),
        };
        for change in changes {
            let edit = match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(change) => {
                    Edit::new(range(&changed.text, change.range, encoding), change.text)
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(change) => {
                    difference(&changed.text.to_string(), &change.text)
                }
            };
            let edits = EditSet::one(edit);
            if edits.is_empty() {
                continue;
            }
            match edits.apply(&changed.text) {
                Ok(text) => {
                    changed.text = text;
                    changed.edits.push(edits);
                }
                // Both kinds of edit lie on character boundaries inside the text.
                Err(error) => {
                    debug_assert!(false, "{error}");
                    tracing::error!(%error, "a change did not fit its document");
                }
            }
        }
        changed
    }

    /// The smallest single edit that turns `old` into `new`, on character boundaries.
    fn difference(old: &str, new: &str) -> Edit {
        let start: usize = old
            .chars()
            .zip(new.chars())
            .take_while(|(old, new)| old == new)
            .map(|(character, _)| character.len_utf8())
            .sum();
        let same_end: usize = old[start..]
            .chars()
            .rev()
            .zip(new[start..].chars().rev())
            .take_while(|(old, new)| old == new)
            .map(|(character, _)| character.len_utf8())
            .sum();
        Edit::new(
            Range::new(start, old.len() - same_end),
            &new[start..new.len() - same_end],
        )
    }
}

/// The text of `range` piece by piece, without copying. Both ends lie between two characters.
fn pieces(text: &Text, range: Range) -> impl Iterator<Item = &str> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let (chunk, start) = text.chunk_at(at);
        let end = chunk.len().min(range.end.saturating_sub(start));
        let piece = chunk
            .get(at - start..end)
            .filter(|piece| !piece.is_empty())?;
        at += piece.len();
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use lsp_types::{
        Position, TextDocumentContentChangeEvent, TextDocumentContentChangePartial,
        TextDocumentContentChangeWholeDocument,
    };
    use proptest::prelude::*;

    use super::*;

    const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    /// The definition, as slow and plain as it can be: the lines of a text as byte ranges without their breaks.
    fn lines(text: &str) -> Vec<Range> {
        let mut lines = Vec::new();
        let mut start = 0;
        let mut rest = text.char_indices().peekable();
        while let Some((at, character)) = rest.next() {
            let next = match character {
                '\r' if matches!(rest.peek(), Some((_, '\n'))) => {
                    rest.next();
                    at + 2
                }
                '\n' | '\r' => at + 1,
                _ => continue,
            };
            lines.push(Range::new(start, at));
            start = next;
        }
        lines.push(Range::new(start, text.len()));
        lines
    }

    fn units(text: &str, encoding: Encoding) -> usize {
        match encoding {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 => text.encode_utf16().count(),
            Encoding::Utf32 => text.chars().count(),
        }
    }

    /// Tries every place of the line, longest first.
    fn plain_offset(text: &str, position: Position, encoding: Encoding) -> usize {
        let lines = lines(text);
        let Some(line) = lines.get(position.line as usize) else {
            return text.len();
        };
        (line.start..=line.end)
            .rev()
            .filter(|offset| text.is_char_boundary(*offset))
            .find(|offset| {
                units(&text[line.start..*offset], encoding) <= position.character as usize
            })
            .unwrap()
    }

    /// Texts of what is hard: breaks that are none, breaks of two characters, characters of two units, marks that
    /// combine, and lines longer than a piece of a rope.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            8 => prop::sample::select(vec![
                "a", "b ", "\n", "\r\n", "\r", "\n\r", "é", "中", "😀", "e\u{301}", "👩\u{200d}👩", "\u{2028}", "\u{2029}",
                "\u{b}", "\u{c}", "\u{85}", "\u{feff}", "\0", "\t",
            ]).prop_map(str::to_owned),
            1 => (prop::sample::select(vec!["x", "é😀", "ab中"]), 1usize..700).prop_map(|(text, times)| text.repeat(times)),
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    fn positions() -> impl Strategy<Value = Position> {
        let number = || {
            prop_oneof![
                6 => 0u32..12,
                2 => 0u32..3000,
                1 => prop::sample::select(vec![u32::MAX, u32::MAX - 1, i32::MAX as u32]),
            ]
        };
        (number(), number()).prop_map(|(line, character)| Position { line, character })
    }

    fn changes() -> impl Strategy<Value = TextDocumentContentChangeEvent> {
        let part = (positions(), positions(), "[a\n\r😀é]{0,4}").prop_map(|(start, end, text)| {
            #[expect(deprecated, reason = "clients still send the length")]
            TextDocumentContentChangeEvent::from(TextDocumentContentChangePartial {
                range: lsp_types::Range { start, end },
                range_length: None,
                text,
            })
        });
        let whole = texts().prop_map(|text| {
            TextDocumentContentChangeEvent::from(TextDocumentContentChangeWholeDocument { text })
        });
        prop_oneof![5 => part, 1 => whole]
    }

    proptest! {
        #[test]
        fn every_place_survives_the_round_trip(text in texts()) {
            let rope = Text::from(text.as_str());
            for encoding in ENCODINGS {
                for (index, line) in lines(&text).into_iter().enumerate() {
                    let places = || (line.start..=line.end).filter(|offset| text.is_char_boundary(*offset));
                    // Some of a long line, the end always.
                    let step = 1 + line.len() / 40;
                    for offset in places().step_by(step).chain([line.end]) {
                        let position = to_proto::position(&rope, offset, encoding);
                        let character = units(&text[line.start..offset], encoding);
                        prop_assert_eq!((position.line as usize, position.character as usize), (index, character));
                        prop_assert_eq!(from_proto::offset(&rope, position, encoding), offset);
                    }
                }
            }
        }

        #[test]
        fn any_position_is_clamped_as_defined(text in texts(), position in positions()) {
            let rope = Text::from(text.as_str());
            for encoding in ENCODINGS {
                let offset = from_proto::offset(&rope, position, encoding);
                prop_assert_eq!(offset, plain_offset(&text, position, encoding), "{:?}", encoding);
            }
        }

        #[test]
        fn any_offset_has_a_position(text in texts(), offset in 0usize..4000) {
            let rope = Text::from(text.as_str());
            for encoding in ENCODINGS {
                let position = to_proto::position(&rope, offset, encoding);
                let back = from_proto::offset(&rope, position, encoding);
                prop_assert!(back <= offset && back >= rope.floor(offset).saturating_sub(1));
            }
        }

        #[test]
        fn changes_are_made_one_after_the_other(
            text in texts(), changes in prop::collection::vec(changes(), 0..6), encoding in prop::sample::select(ENCODINGS.to_vec()),
        ) {
            let before = Text::from(text.as_str());
            let mut expected = text;
            for change in &changes {
                match change {
                    TextDocumentContentChangeEvent::TextDocumentContentChangePartial(change) => {
                        let ends = [change.range.start, change.range.end]
                            .map(|end| plain_offset(&expected, end, encoding));
                        let range = Range::new(ends[0], ends[1]);
                        expected.replace_range(range.start..range.end, &change.text);
                    }
                    TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(change) => {
                        expected.clone_from(&change.text);
                    }
                }
            }
            let changed = from_proto::content_changes(&before, changes, encoding);
            prop_assert_eq!(changed.text.to_string(), expected.clone());
            let mut replayed = before;
            for edits in &changed.edits {
                prop_assert!(!edits.is_empty());
                replayed = edits.apply(&replayed).unwrap();
            }
            prop_assert_eq!(replayed.to_string(), expected);
        }
    }

    /// Positions are written `line:character`.
    fn check(text: &str, position: &str, offsets: [usize; 3]) {
        let (line, character) = position.split_once(':').unwrap();
        let position = Position {
            line: line.parse().unwrap(),
            character: character.parse().unwrap(),
        };
        let rope = Text::from(text);
        assert_eq!(
            ENCODINGS.map(|encoding| from_proto::offset(&rope, position, encoding)),
            offsets
        );
    }

    #[test]
    fn one_position_in_three_encodings() {
        check("a😀b", "0:2", [1, 1, 5]);
        check("a😀b", "0:3", [1, 5, 6]);
        check("a😀b", "0:5", [5, 6, 6]);
        check("é\r\nb", "0:9", [2, 2, 2]);
        check("é\r\nb", "1:0", [4, 4, 4]);
        check("a\u{2028}b\rc", "1:1", [7, 7, 7]);
        check("a\n", "7:0", [2, 2, 2]);
        check("", "0:0", [0, 0, 0]);
    }

    #[test]
    fn a_place_inside_a_line_break_is_the_end_of_the_line() {
        let text = Text::from("ab\r\nc");
        let position = to_proto::position(&text, 3, Encoding::Utf16);
        assert_eq!((position.line, position.character), (0, 2));
    }

    #[test]
    fn a_new_whole_text_is_the_edit_between_what_stayed() {
        let whole = |text: &str| TextDocumentContentChangeWholeDocument {
            text: text.to_owned(),
        };
        let edits = |old: &str, new: &str| {
            let changed =
                from_proto::content_changes(&Text::from(old), [whole(new).into()], Encoding::Utf8);
            assert_eq!(changed.text.to_string(), new);
            changed
                .edits
                .iter()
                .flat_map(|edits| edits.edits().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            edits("fn é() {}\n", "fn è() {}\n"),
            [text::Edit::new(Range::new(3, 5), "è")]
        );
        assert_eq!(edits("aa", "aaa"), [text::Edit::new(Range::at(2), "a")]);
        assert_eq!(edits("same", "same"), []);
    }

    #[test]
    fn the_best_encoding_offered_is_taken() {
        let negotiate = |offered: &[&str]| Encoding::negotiate(offered.iter().copied());
        assert_eq!(negotiate(&["utf-16", "utf-8"]), Encoding::Utf8);
        assert_eq!(negotiate(&["utf-32", "utf-16"]), Encoding::Utf16);
        assert_eq!(negotiate(&["utf-32", "utf-7"]), Encoding::Utf32);
        assert_eq!(negotiate(&["utf-7"]), Encoding::Utf16);
        assert_eq!(negotiate(&[]), Encoding::Utf16);
    }
}
