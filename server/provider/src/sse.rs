//! Server-sent events: bytes in, events out. Never reconnects: for a POST that would be a second bill.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// The `event:` field; empty when there is none.
    pub(crate) name: String,
    /// The `data:` lines, joined by line feeds.
    pub(crate) data: String,
}

/// Why a byte stream is not a stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SseError {
    #[error("an event is longer than {0} bytes")]
    TooLong(usize),
    #[error("a line is not UTF-8")]
    NotUtf8,
}

/// The longest event. A whole answer is far below it.
const LONGEST_EVENT: usize = 16 << 20;

/// Takes bytes as the network cuts them; the events do not depend on the cuts.
#[derive(Debug)]
pub(crate) struct SseParser {
    longest: usize,
    /// The line read so far, without its end.
    line: Vec<u8>,
    /// The line is a comment, so its bytes are not kept.
    comment: bool,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    /// No line has ended yet, so a byte order mark may stand here.
    at_start: bool,
    name: String,
    data: Option<String>,
}

impl SseParser {
    pub(crate) fn new() -> SseParser {
        SseParser::with_limit(LONGEST_EVENT)
    }

    fn with_limit(longest: usize) -> SseParser {
        SseParser {
            longest,
            line: Vec::new(),
            comment: false,
            after_cr: false,
            at_start: true,
            name: String::new(),
            data: None,
        }
    }

    /// Appends the events that `bytes` complete to `events`. An event that the end of the stream cuts short is dropped,
    /// as the standard says. After an error the parser is of no further use.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        events: &mut Vec<SseEvent>,
    ) -> Result<(), SseError> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.extend_line(part)?;
            let Some((&terminator, rest)) = rest.split_first() else {
                return Ok(());
            };
            self.after_cr = terminator == b'\r';
            events.extend(self.end_line()?);
            bytes = rest;
        }
        Ok(())
    }

    fn extend_line(&mut self, part: &[u8]) -> Result<(), SseError> {
        if self.line.is_empty() && part.first() == Some(&b':') {
            self.comment = true;
        }
        if self.comment {
            return Ok(());
        }
        let length = self.line.len()
            + part.len()
            + self.name.len()
            + self.data.as_ref().map_or(0, String::len);
        if length > self.longest {
            return Err(SseError::TooLong(self.longest));
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<SseEvent>, SseError> {
        let at_start = std::mem::replace(&mut self.at_start, false);
        if std::mem::take(&mut self.comment) {
            return Ok(None);
        }
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line).map_err(|_| SseError::NotUtf8)?;
        let line = if at_start {
            line.strip_prefix('\u{FEFF}').unwrap_or(line)
        } else {
            line
        };
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            return Ok(self.data.take().map(|data| SseEvent { name, data }));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // `id` and `retry` are for reconnecting.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::needless_raw_string_hashes)]

    use std::fmt::Write;

    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn parse<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<SseEvent>, SseError> {
        let mut parser = SseParser::with_limit(256);
        let mut events = Vec::new();
        for chunk in chunks {
            parser.push(chunk, &mut events)?;
        }
        Ok(events)
    }

    #[track_caller]
    fn check(stream: &str, expected: Expect) {
        let mut shown = String::new();
        for event in parse([stream.as_bytes()]).unwrap() {
            writeln!(shown, "{:?} {:?}", event.name, event.data).unwrap();
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn fields_become_events() {
        check(
            "event: a\ndata: {\"x\": 1}   \n\ndata:no space\n\ndata:  two spaces\n\n",
            expect![[r#"
                "a" "{\"x\": 1}   "
                "" "no space"
                "" " two spaces"
            "#]],
        );
    }

    #[test]
    fn data_lines_are_joined() {
        check(
            "data: {\ndata:\ndata\ndata: }\n\n",
            expect![[r#"
                "" "{\n\n\n}"
            "#]],
        );
    }

    #[test]
    fn every_line_end_counts() {
        check(
            "event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\revent: c\ndata: 3\n\n",
            expect![[r#"
                "a" "1"
                "b" "2"
                "c" "3"
            "#]],
        );
    }

    #[test]
    fn what_is_not_an_event_is_skipped() {
        check(
            "\u{FEFF}: comment\n\nid: 7\nretry: 10\nevent: without data\n\ndata: kept\nfoo: bar\n\ndata: cut off\n",
            expect![[r#"
                "" "kept"
            "#]],
        );
    }

    #[test]
    fn a_comment_costs_no_memory_and_an_event_is_bounded() {
        let long = "x".repeat(300);
        assert_eq!(parse([format!(":{long}\n\n").as_bytes()]), Ok(Vec::new()));
        assert_eq!(
            parse([format!("data: {long}").as_bytes()]),
            Err(SseError::TooLong(256))
        );
        let lines = "data: 0123456789\n".repeat(30);
        assert_eq!(parse([lines.as_bytes()]), Err(SseError::TooLong(256)));
        assert_eq!(parse([&b"data: \xff\n"[..]]), Err(SseError::NotUtf8));
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "data:", "data: ", "event: ", ":", "id: 1", " "]).prop_map(str::to_owned),
            2 => "[a-z\\{\\}\"é漢🦀 ]{0,8}",
            1 => Just("data: {\"a\":\"漢字\"}  \n\n".to_owned()),
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let chunks = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
            let whole = parse([&stream[..]]);
            prop_assert_eq!(parse(chunks), whole.clone());
            prop_assert_eq!(parse(stream.chunks(1)), whole);
        }

        #[test]
        fn any_bytes_end_in_events_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let whole = parse([&bytes[..]]);
            prop_assert_eq!(parse(bytes.chunks(1)), whole);
        }
    }
}
