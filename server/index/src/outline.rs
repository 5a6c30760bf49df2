use grammars::SymbolKind;
use text::{Range, Text};

use crate::facts::{Facts, Symbol, SymbolId};

/// The longest header that is shown, in bytes.
const MAX_HEADER: usize = 400;

/// One line of an outline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutlineItem {
    /// The symbol.
    pub symbol: SymbolId,
    /// How many symbols it lies in, counted from the top of the outline.
    pub depth: usize,
    /// What it is.
    pub kind: SymbolKind,
    /// Its header on one line.
    pub header: String,
    /// The first line of its documentation, without what makes it documentation.
    pub doc: Option<String>,
}

/// Every symbol of a file with its header, in order. `text` is what the facts were read from.
pub fn outline(facts: &Facts, text: &Text) -> Vec<OutlineItem> {
    items(facts, text, facts.enumerate().map(|(id, _)| id), 0)
}

/// A symbol and what lies in it, with their headers, in order.
pub fn outline_of(facts: &Facts, text: &Text, id: SymbolId) -> Vec<OutlineItem> {
    let inside = facts.descendants(id).map(|(id, _)| id);
    let depth = facts.ancestors(id).count().saturating_sub(1);
    items(facts, text, [id].into_iter().chain(inside), depth)
}

fn items(
    facts: &Facts,
    text: &Text,
    ids: impl Iterator<Item = SymbolId>,
    top: usize,
) -> Vec<OutlineItem> {
    let item = |id| {
        let symbol = facts.symbol(id)?;
        Some(OutlineItem {
            symbol: id,
            depth: facts.ancestors(id).count().saturating_sub(1 + top),
            kind: symbol.kind,
            header: header_text(symbol, text),
            doc: doc_line(facts, symbol, text),
        })
    };
    ids.filter_map(item).collect()
}

/// The header of a symbol on one line: blanks are joined, and it ends before its body.
pub fn header_text(symbol: &Symbol, text: &Text) -> String {
    let Range { start, end } = symbol.header;
    let long = end - start > 4 * MAX_HEADER;
    let end = if long { start + 4 * MAX_HEADER } else { end };
    let written = text.slice(Range::new(start, end));
    let mut words = written.split_whitespace().collect::<Vec<_>>().join(" ");
    if long || words.len() > MAX_HEADER {
        words.truncate(words.floor_char_boundary(MAX_HEADER));
        words.push('…');
    }
    words
}

/// The first line of the documentation of a symbol that says something.
pub fn doc_line(facts: &Facts, symbol: &Symbol, text: &Text) -> Option<String> {
    let written = text.slice(symbol.doc?);
    let docs = &facts.grammar.docs;
    let marks = docs
        .markers
        .iter()
        .chain([&docs.open, &docs.close, &docs.line]);
    let marks: Vec<&str> = marks
        .map(|mark| mark.trim())
        .filter(|mark| !mark.is_empty())
        .collect();
    let mut lines = written.lines().map(|line| {
        let mut line = line.trim();
        for mark in &marks {
            line = line.strip_prefix(mark).unwrap_or(line);
            line = line.strip_suffix(mark).unwrap_or(line).trim();
        }
        line
    });
    lines.find(|line| !line.is_empty()).map(str::to_owned)
}
