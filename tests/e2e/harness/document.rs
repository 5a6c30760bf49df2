//! The editor's own model of a document, and positions counted the plain way.

use serde_json::{Value, json};

/// The units of `character` in a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
    Utf32,
}

impl Encoding {
    pub(crate) fn named(name: &str) -> Encoding {
        match name {
            "utf-8" => Encoding::Utf8,
            "utf-32" => Encoding::Utf32,
            _ => Encoding::Utf16,
        }
    }

    fn units(self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 => text.encode_utf16().count(),
            Encoding::Utf32 => text.chars().count(),
        }
    }
}

/// One open document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) version: i64,
    /// The text before each undo step, oldest first.
    pub(crate) undo: Vec<String>,
}

/// The replacement of a byte range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: String,
}

impl Document {
    /// Makes changes that all refer to the text before them, as one undo step, and returns them as the
    /// `contentChanges` that tell the server.
    pub(crate) fn apply(&mut self, mut changes: Vec<Change>, encoding: Encoding) -> Value {
        changes.sort_by_key(|change| (change.start, change.end));
        self.undo.push(self.text.clone());
        let mut told = Vec::new();
        // From the last to the first, so that each leaves the places of the others alone.
        for change in changes.into_iter().rev() {
            told.push(json!({
                "range": range(&self.text, change.start, change.end, encoding),
                "text": change.text,
            }));
            self.text
                .replace_range(change.start..change.end, &change.text);
        }
        Value::Array(told)
    }
}

/// The position of a byte offset.
pub(crate) fn position(text: &str, offset: usize, encoding: Encoding) -> Value {
    let (line, start) = line_starts(text)
        .into_iter()
        .enumerate()
        .take_while(|(_, start)| *start <= offset)
        .last()
        .unwrap_or_default();
    json!({"line": line, "character": encoding.units(&text[start..offset])})
}

/// The range of a byte range.
pub(crate) fn range(text: &str, start: usize, end: usize, encoding: Encoding) -> Value {
    json!({"start": position(text, start, encoding), "end": position(text, end, encoding)})
}

/// The byte offset of a position, or why there is none.
pub(crate) fn offset(text: &str, position: &Value, encoding: Encoding) -> Result<usize, String> {
    let number = |name: &str| {
        let number = position[name]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| format!("{position} is not a position"))
    };
    let (line, character) = (number("line")?, number("character")?);
    let starts = line_starts(text);
    let Some(&start) = starts.get(line) else {
        return Err(format!(
            "{position} is past the last line, {}",
            starts.len() - 1
        ));
    };
    let end = starts.get(line + 1).copied().unwrap_or(text.len());
    let line = text[start..end].trim_end_matches(['\r', '\n']);
    (0..=line.len())
        .filter(|at| line.is_char_boundary(*at))
        .find(|at| encoding.units(&line[..*at]) == character)
        .map(|at| start + at)
        .ok_or_else(|| format!("{position} is not between two characters of {line:?}"))
}

/// The byte range of a range, or why there is none.
pub(crate) fn offsets(
    text: &str,
    range: &Value,
    encoding: Encoding,
) -> Result<(usize, usize), String> {
    let start = offset(text, &range["start"], encoding)?;
    let end = offset(text, &range["end"], encoding)?;
    if start > end {
        return Err(format!("{range} is backwards"));
    }
    Ok((start, end))
}

/// Where the lines start. Lines end with `\n`, `\r\n` and `\r`.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let starts = bytes
        .iter()
        .enumerate()
        .filter_map(|(at, byte)| match byte {
            b'\n' => Some(at + 1),
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => Some(at + 1),
            _ => None,
        });
    std::iter::once(0).chain(starts).collect()
}
