//! What a function looks like, whatever its own names are: how two that say the same are told from others.
//!
//! Layout, comments, documentation and the names that the function binds do not count, nor do literals in a large one;
//! what it uses from elsewhere does. So two functions of one shape can be made one without looking at what they call.

use std::hash::Hasher;
use std::sync::Arc;

use grammars::{Grammar, SymbolKind};
use rustc_hash::{FxHashMap, FxHasher};
use serde::Serialize;
use text::Range;

use crate::facts::{Facts, Symbol};
use crate::walk::Before;

/// Smaller functions look alike by chance, and have no shape.
const LEAST_TOKENS: u32 = 30;

/// In smaller functions literals count: what differs between two of them may be what they are about.
const LEAST_WITHOUT_LITERALS: u32 = 100;

/// What starts the code of a shape, so that it is no name that a program can have.
pub(crate) const MARK: char = '\u{1}';

/// The shape of a function's parameters and body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Shape {
    /// The same for functions that say the same, and with all likelihood for no others.
    pub code: Arc<str>,
    /// Words, literals and signs.
    pub tokens: u32,
}

/// Gives every function its shape. Those whose symbol is known from before keep theirs.
pub(crate) fn give(facts: &mut Facts, source: &str, known: Option<&Before<'_>>) {
    let mut found = Vec::new();
    let mut locals = FxHashMap::default();
    for (id, symbol) in facts.enumerate() {
        if !symbol.kind.is_callable() || symbol.body.is_none() {
            continue;
        }
        // A function in a function uses what the outer one binds, so its own text does not say what it does.
        let mut around = facts.ancestors(id).skip(1);
        let inner = around.any(|(_, around)| around.kind.is_callable());
        if inner {
            continue;
        }
        let shape = match known.and_then(|known| known.symbol(id.index())) {
            Some(same) => same.shape.clone(),
            None => of(facts, symbol, source, &mut locals),
        };
        if shape.is_some() {
            found.push((id, shape));
        }
    }
    for (id, shape) in found {
        if let Some(symbol) = facts.symbols.get_mut(id.index()) {
            symbol.shape = shape;
        }
    }
}

fn of<'s>(
    facts: &Facts,
    symbol: &Symbol,
    source: &'s str,
    locals: &mut FxHashMap<&'s str, u32>,
) -> Option<Shape> {
    let range = Range::new(symbol.name_range.end, symbol.item.end);
    locals.clear();
    let mut reader = Reader {
        grammar: facts.grammar,
        text: source.get(..range.end)?,
        at: range.start,
        doc: symbol.doc,
        body: symbol.body?.start,
        openers: Openers::of(facts.grammar),
    };
    let mut references = facts.packed_in(range).iter().peekable();
    let mut hasher = FxHasher::default();
    // With what is written out, for functions of which that may be all.
    let mut literals = FxHasher::default();
    let mut tokens = 0_u32;
    let mut before = Token::Sign('\0');
    while let Some((start, token)) = reader.next() {
        tokens += 1;
        match token {
            Token::Literal(text) => {
                hasher.write_u8(1);
                literals.write(text.as_bytes());
            }
            Token::Sign(sign) => hasher.write_u32(u32::from(sign)),
            Token::Word(word) => {
                while references
                    .next_if(|one| (one.start as usize) < start)
                    .is_some()
                {}
                let next = references.peek();
                let mentioned = next.is_some_and(|one| one.start as usize == start);
                // Part of a value, or of a path: then it is not the function that it is in. Nor is a bare name in a
                // method the method.
                let part = reader.is_part(start);
                if word == &*symbol.name && !part && symbol.kind == SymbolKind::Function {
                    hasher.write_u8(2);
                } else if mentioned
                    || part
                    || facts.grammar.is_keyword(word)
                    || facts.grammar.self_names.contains(&word)
                    || reader.is_key(start, word, before)
                {
                    hasher.write(word.as_bytes());
                    hasher.write_u8(3);
                } else {
                    let next = locals.len() as u32;
                    hasher.write_u32(*locals.entry(word).or_insert(next));
                    hasher.write_u8(4);
                }
            }
        }
        before = token;
    }
    let mut hash = hasher.finish() ^ u64::from(tokens);
    if tokens < LEAST_WITHOUT_LITERALS {
        hash ^= literals.finish().rotate_left(17);
    }
    (tokens >= LEAST_TOKENS).then(|| Shape {
        code: code_of(hash).into(),
        tokens,
    })
}

/// A mark and a few letters.
fn code_of(mut hash: u64) -> String {
    const LETTERS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    let mut code = String::from(MARK);
    for _ in 0..11 {
        let letter = LETTERS.get(hash as usize & 63).copied().unwrap_or(b'0');
        code.push(char::from(letter));
        hash >>= 6;
    }
    code
}

#[derive(Clone, Copy, PartialEq)]
enum Token<'s> {
    Word(&'s str),
    Literal(&'s str),
    Sign(char),
}

/// Reads tokens as most languages have them. Where a language has others, a text is still read like its copy.
struct Reader<'s> {
    grammar: &'static Grammar,
    /// Up to the end of what is read.
    text: &'s str,
    at: usize,
    doc: Option<Range>,
    body: usize,
    /// What comments and texts in quotes can begin with.
    openers: Openers,
}

/// A bit for each ASCII sign.
#[derive(Clone, Copy)]
struct Openers(u128);

impl Openers {
    fn of(grammar: &Grammar) -> Openers {
        let block = grammar.block_comment.map_or("", |(open, _)| open);
        let comments = [grammar.line_comment, block].into_iter();
        let comments = comments.filter_map(|sign| sign.bytes().next());
        let bytes = comments.chain(grammar.quotes.bytes());
        let ascii = bytes.filter(u8::is_ascii);
        Openers(ascii.fold(0, |set, byte| set | 1 << byte))
    }

    /// Whether a byte can begin nothing but a word or a sign.
    fn exclude(self, byte: u8) -> bool {
        byte.is_ascii() && self.0 >> byte & 1 == 0
    }
}

impl<'s> Reader<'s> {
    /// The next token and where it starts.
    fn next(&mut self) -> Option<(usize, Token<'s>)> {
        loop {
            if let Some(doc) = self
                .doc
                .filter(|doc| doc.start <= self.at && self.at < doc.end)
            {
                self.at = doc.end;
            }
            let rest = self.text.get(self.at..)?;
            // Nearly all text is ASCII, of which a byte tells enough.
            let byte = *rest.as_bytes().first()?;
            if matches!(byte, b' ' | b'\t'..=b'\r') {
                self.at += 1;
                continue;
            }
            if self.openers.exclude(byte) {
                let start = self.at;
                let token = if is_word_byte(byte) {
                    let word = rest.get(..word_len(rest))?;
                    if byte.is_ascii_digit() {
                        Token::Literal(word)
                    } else {
                        Token::Word(word)
                    }
                } else {
                    Token::Sign(char::from(byte))
                };
                self.at += token.len();
                return Some((start, token));
            }
            let first = rest.chars().next()?;
            if first.is_whitespace() {
                self.at += first.len_utf8();
                continue;
            }
            if let Some(len) = self.comment(rest) {
                self.at += len;
                continue;
            }
            let start = self.at;
            let token = if is_word(first) {
                let word = rest.get(..word_len(rest))?;
                if first.is_ascii_digit() {
                    Token::Literal(word)
                } else {
                    Token::Word(word)
                }
            } else if let Some(len) = quoted(rest, first, self.grammar.quotes) {
                Token::Literal(rest.get(..len)?)
            } else {
                Token::Sign(first)
            };
            self.at += token.len();
            return Some((start, token));
        }
    }

    fn comment(&self, rest: &str) -> Option<usize> {
        let line = self.grammar.line_comment;
        if !line.is_empty() && rest.starts_with(line) {
            return Some(rest.find('\n').unwrap_or(rest.len()));
        }
        let (open, close) = self.grammar.block_comment?;
        let inside = rest.strip_prefix(open)?;
        let end = inside.find(close)?;
        Some(open.len() + end + close.len())
    }

    /// Whether a word stands behind a value or a path that it is a part of.
    fn is_part(&self, start: usize) -> bool {
        let before = self.text.get(..start).unwrap_or("").trim_end();
        match before.as_bytes() {
            [.., last, b'.'] => *last != b'.',
            [b'.'] | [.., b':', b':'] | [.., b'-', b'>'] => true,
            _ => false,
        }
    }

    /// Whether a word in the body names a part of a value that is written out: `{ word: 1 }`.
    fn is_key(&self, start: usize, word: &str, before: Token<'_>) -> bool {
        if start <= self.body || !matches!(before, Token::Sign('{' | ',')) {
            return false;
        }
        let rest = self.text.get(start + word.len()..);
        let rest = rest.unwrap_or("").trim_start();
        rest.starts_with(':') && !rest.starts_with("::")
    }
}

impl Token<'_> {
    /// In bytes.
    fn len(&self) -> usize {
        match self {
            Token::Word(text) | Token::Literal(text) => text.len(),
            Token::Sign(sign) => sign.len_utf8(),
        }
    }
}

/// The length of the word that a text begins with.
fn word_len(text: &str) -> usize {
    let ascii = text.bytes().take_while(|byte| is_word_byte(*byte)).count();
    match text.as_bytes().get(ascii) {
        Some(byte) if !byte.is_ascii() => text.find(|c| !is_word(c)).unwrap_or(text.len()),
        _ => ascii,
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The length of a text in quotes; one in single or double quotes ends on its line.
fn quoted(rest: &str, quote: char, quotes: &str) -> Option<usize> {
    if !quotes.contains(quote) {
        return None;
    }
    let triple = match quote {
        '"' => "\"\"\"",
        _ => "'''",
    };
    if let Some(inside) = rest.strip_prefix(triple) {
        let end = inside.find(triple)?;
        return Some(end + 2 * triple.len());
    }
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote != '`' => return None,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shapes(language: &str, source: &str) -> Vec<Option<Shape>> {
        let facts = Facts::of(grammars::by_name(language).unwrap(), source);
        assert_eq!(facts.pack().unpack().as_ref(), Some(&facts));
        let functions = facts
            .symbols
            .iter()
            .filter(|symbol| symbol.kind.is_callable());
        functions.map(|symbol| symbol.shape.clone()).collect()
    }

    /// Whether two functions of a text look the same.
    fn same(language: &str, source: &str) -> bool {
        let shapes = shapes(language, source);
        assert_eq!(shapes.len(), 2, "{source}");
        assert!(shapes.iter().all(Option::is_some), "{source}");
        shapes[0] == shapes[1]
    }

    const PYTHON: &str = r#"
def total(rows, rate):
    """Adds up."""
    result = 0
    for row in rows:  # each
        if row.price > 10:
            result += round(row.price * rate, 2)
        else:
            result += row.price
    return {"sum": result}
"#;

    #[test]
    fn a_copy_with_other_names_has_the_same_shape() {
        let copy = PYTHON
            .replace("total", "sum_of")
            .replace("rows", "items")
            .replace("row", "item")
            .replace("result", "acc")
            .replace("Adds up.", "Does it again.");
        assert!(same("python", &format!("{PYTHON}{copy}")));
        let rust = |name: &str, list: &str, one: &str| {
            format!(
                "fn {name}<'a>({list}: &'a [Row]) -> u32 {{\n    // all\n    let mut sum = 0;\n    for {one} in {list} {{\n        if {one}.price > 1 {{ sum += {one}.price; }}\n        else {{ sum += price_of({one}); }}\n    }}\n    sum\n}}\n"
            )
        };
        let text = rust("sum_up", "rows", "row")
            + &rust("add", "lines", "line").replace("    // all\n", "");
        assert!(same("rust", &text));
    }

    #[test]
    fn what_is_used_from_elsewhere_counts() {
        for (from, to) in [
            ("round", "floor"),
            ("price", "cost"),
            ("if", "while"),
            ("+=", "-="),
        ] {
            let other = PYTHON.replace("total", "other").replace(from, to);
            assert!(!same("python", &format!("{PYTHON}{other}")), "{from}");
        }
        // Which of the own names stands where counts as well.
        let other = PYTHON
            .replace("total", "other")
            .replace("price * rate", "price * result");
        assert!(!same("python", &format!("{PYTHON}{other}")));
    }

    #[test]
    fn in_a_large_function_literals_do_not_count() {
        let large = PYTHON
            .replace("    return", &"    result = check(result, 10)\n".repeat(8))
            .replace("{\"sum\": result}", "    return result");
        let other = large.replace("total", "other").replace("10", "20");
        assert!(same("python", &format!("{large}{other}")));
    }

    #[test]
    fn who_passes_on_is_no_copy_of_who_passes_on_something_else() {
        let function = |name: &str| {
            format!(
                "fn {name}(&self, one: Path, two: Path) -> Result<(), Error> {{\n    let std = self.inner.clone();\n    run(move || std.{name}(one, two)).map_err(Error::from)\n}}\n"
            )
        };
        assert!(!same("rust", &(function("copy") + &function("rename"))));
    }

    #[test]
    fn a_function_that_calls_itself_looks_like_its_copy() {
        let function = |name: &str| {
            format!(
                "export function {name}(node: Tree): number {{\n  let sum = node.value + 1;\n  for (const child of node.children) {{ sum += {name}(child); }}\n  return sum;\n}}\n"
            )
        };
        assert!(same("typescript", &(function("walk") + &function("visit"))));
    }

    #[test]
    fn small_functions_have_no_shape() {
        assert_eq!(shapes("python", "def f(x):\n    return x\n"), [None]);
    }
}
