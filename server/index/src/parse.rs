use std::cell::RefCell;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use grammars::Grammar;
use text::{Edit, EditSet, Range, Text};
use tree_sitter::{InputEdit, ParseOptions, Parser, Point, Tree};

use crate::embed;
use crate::facts::{Facts, Incomplete};
use crate::smells::Whiff;
use crate::walk::{self, Damage, Past, Reading};
use crate::{MAX_BYTES, MAX_OPEN_BYTES, STEPS_PER_BYTE, STEPS_PER_FILE};

/// A text with its tree and its facts: what is kept of an open document. Cheap to clone.
///
/// The facts depend on the text alone and not on the edits that led to it, unless [`Parsed::is_provisional`].
#[derive(Clone)]
pub struct Parsed(Arc<Inner>);

struct Inner {
    grammar: &'static Grammar,
    text: Text,
    tree: Option<Tree>,
    facts: Arc<Facts>,
    /// What the next reading can take over.
    reading: Option<Reading>,
    provisional: bool,
    whiffs: OnceLock<Vec<Whiff>>,
}

impl Parsed {
    /// Reads a text from nothing.
    pub fn parse(grammar: &'static Grammar, text: &Text) -> Parsed {
        let parsed = Parsed::with_old(grammar, text, None, &|| false);
        parsed.unwrap_or_else(|| Parsed::unread(grammar, text, Incomplete::TooTangled))
    }

    /// Reads the text that `edits` made of this one. What they did not touch is neither parsed nor walked again.
    pub fn reparse(&self, edits: &EditSet, text: &Text) -> Parsed {
        let Some(before) = &self.0.tree else {
            return Parsed::parse(self.0.grammar, text);
        };
        let mut old = before.clone();
        // From the last to the first, so that the offsets of the others stay what they are.
        for edit in edits.edits().iter().rev() {
            old.edit(&input_edit(edit, &self.0.text));
        }
        Parsed::with_old(self.0.grammar, text, Some((self, edits, &old)), &|| false)
            .unwrap_or_else(|| Parsed::parse(self.0.grammar, text))
    }

    /// Whether the facts may be those of another reading of a text with syntax errors.
    ///
    /// Around an error the parser keeps more or less of the tree before by chance, and does not always say what it has
    /// changed. What is read after that may have taken a mistake over, even when the errors are gone; [`Parsed::settled`]
    /// takes nothing over.
    pub fn is_provisional(&self) -> bool {
        self.0.provisional
    }

    /// The same text read from nothing, if that may say something else.
    pub fn settled(&self) -> Parsed {
        self.settled_unless(&|| false)
            .unwrap_or_else(|| self.clone())
    }

    /// The same, but gives up as soon as `stop` says so while the text is parsed.
    pub fn settled_unless(&self, stop: &dyn Fn() -> bool) -> Option<Parsed> {
        if self.0.provisional {
            Parsed::with_old(self.0.grammar, &self.0.text, None, stop)
        } else {
            Some(self.clone())
        }
    }

    /// What a walk over the whole tree finds: the same facts, in more time. For whoever does not believe it.
    pub fn facts_of_whole(&self) -> Facts {
        match &self.0.tree {
            Some(tree) => embed::extract(self.0.grammar, &self.0.text.to_string(), tree),
            None => Facts::of(self.0.grammar, &self.0.text.to_string()),
        }
    }

    /// What is known about the text.
    pub fn facts(&self) -> &Arc<Facts> {
        &self.0.facts
    }

    /// The text that was read.
    pub fn text(&self) -> &Text {
        &self.0.text
    }

    /// The language it was read as.
    pub fn grammar(&self) -> &'static Grammar {
        self.0.grammar
    }

    /// The places with a smell, found by whoever asks first.
    pub(crate) fn whiffs(&self, find: impl FnOnce(&Tree) -> Vec<Whiff>) -> &[Whiff] {
        self.0.whiffs.get_or_init(|| {
            let tree = self.0.tree.as_ref();
            tree.map(find).unwrap_or_default()
        })
    }

    /// Syntax errors: places that make no sense and tokens that are missing.
    pub fn error_count(&self) -> usize {
        self.0.facts.error_count
    }

    /// Whether there is a syntax error in a range, or at one of its edges.
    pub fn has_error_in(&self, range: Range) -> bool {
        self.0.facts.has_error_in(range)
    }

    pub(crate) fn tree(&self) -> Option<&Tree> {
        self.0.tree.as_ref()
    }

    fn has_errors(&self) -> bool {
        self.0.tree.as_ref().is_some_and(has_errors)
    }

    fn with_old(
        grammar: &'static Grammar,
        text: &Text,
        old: Option<(&Parsed, &EditSet, &Tree)>,
        stop: &dyn Fn() -> bool,
    ) -> Option<Parsed> {
        let source = text.to_string();
        let tree = old.map(|(_, _, tree)| tree);
        match read(grammar, &source, tree, MAX_OPEN_BYTES, stop) {
            Ok(tree) => {
                let past = old.and_then(|(before, edits, edited)| {
                    Some(Past {
                        reading: before.0.reading.as_ref()?,
                        facts: &before.0.facts,
                        damage: damage(edits, edited, &tree)?,
                    })
                });
                // Where code of other languages is in a text, what is in it is made anew each time.
                let (facts, reading) = if grammar.embedding().is_some() {
                    (embed::extract(grammar, &source, &tree), None)
                } else {
                    walk::extract_again(grammar, &source, &tree, past.as_ref())
                };
                Some(Parsed(Arc::new(Inner {
                    grammar,
                    text: text.clone(),
                    provisional: old.is_some_and(|(before, ..)| {
                        before.is_provisional() || before.has_errors() || has_errors(&tree)
                    }),
                    tree: Some(tree),
                    facts: Arc::new(facts),
                    reading,
                    whiffs: OnceLock::new(),
                })))
            }
            Err(_) if stop() => None,
            Err(why) => Some(Parsed::unread(grammar, text, why)),
        }
    }

    fn unread(grammar: &'static Grammar, text: &Text, why: Incomplete) -> Parsed {
        Parsed(Arc::new(Inner {
            grammar,
            text: text.clone(),
            provisional: false,
            tree: None,
            facts: Arc::new(Facts::none(grammar, &text.to_string(), why)),
            reading: None,
            whiffs: OnceLock::new(),
        }))
    }
}

fn has_errors(tree: &Tree) -> bool {
    tree.root_node().has_error()
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parsed({}, {:?})", self.0.grammar.name, self.0.text)
    }
}

impl Facts {
    /// The facts of a text that nobody edits: the tree is not kept.
    pub fn of(grammar: &'static Grammar, source: &str) -> Facts {
        match read_whole(grammar, source) {
            Ok(tree) => embed::extract(grammar, source, &tree),
            Err(why) => Facts::none(grammar, source, why),
        }
    }
}

/// The tree of a text that is not open.
pub(crate) fn read_whole(grammar: &'static Grammar, source: &str) -> Result<Tree, Incomplete> {
    read(grammar, source, None, MAX_BYTES, &|| false)
}

/// The tree of a text.
pub(crate) fn read(
    grammar: &'static Grammar,
    source: &str,
    old: Option<&Tree>,
    limit: usize,
    stop: &dyn Fn() -> bool,
) -> Result<Tree, Incomplete> {
    if source.len() > limit {
        return Err(Incomplete::TooLarge);
    }
    if grammar.reading.is_too_deep(source) {
        return Err(Incomplete::TooTangled);
    }
    parse(grammar, source, old, stop)
}

/// The part of a text that edits have changed, or that means something else because of them. None without edits.
fn damage(edits: &EditSet, edited: &Tree, tree: &Tree) -> Option<Damage> {
    let (mut range, mut delta): (Option<Range>, isize) = (None, 0);
    for edit in edits.edits() {
        let start = edit.range.start.checked_add_signed(delta)?;
        let new = Range::new(start, start + edit.insert.len());
        range = Some(range.map_or(new, |range| range.cover(new)));
        delta += edit.insert.len() as isize - edit.range.len() as isize;
    }
    let mut range = range?;
    for changed in edited.changed_ranges(tree) {
        range = range.cover(Range::new(changed.start_byte, changed.end_byte));
    }
    Some(Damage { range, delta })
}

fn parse(
    grammar: &'static Grammar,
    source: &str,
    old: Option<&Tree>,
    stop: &dyn Fn() -> bool,
) -> Result<Tree, Incomplete> {
    thread_local! {
        static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
    }
    PARSER.with_borrow_mut(|parser| {
        parser
            .set_language(grammar.language())
            .map_err(|_| Incomplete::NoParser)?;
        let mut steps = STEPS_PER_FILE + source.len() * STEPS_PER_BYTE;
        let mut within_budget = |_: &tree_sitter::ParseState| match steps.checked_sub(1) {
            _ if stop() => ControlFlow::Break(()),
            Some(left) => {
                steps = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        };
        let options = ParseOptions::new().progress_callback(&mut within_budget);
        let mut rest = |offset: usize, _: Point| source.as_bytes().get(offset..).unwrap_or(&[]);
        let tree = parser.parse_with_options(&mut rest, old, Some(options));
        // An abandoned parse would be taken up by the next text otherwise.
        parser.reset();
        tree.ok_or(Incomplete::TooTangled)
    })
}

/// An edit with the places before and after it as lines and columns, both in bytes.
fn input_edit(edit: &Edit, before: &Text) -> InputEdit {
    let start = point(Point::new(0, 0), before.chunks(), edit.range.start);
    let removed = before.slice(edit.range);
    InputEdit {
        start_byte: edit.range.start,
        old_end_byte: edit.range.end,
        new_end_byte: edit.range.start + edit.insert.len(),
        start_position: start,
        old_end_position: point(start, [removed.as_str()], removed.len()),
        new_end_position: point(start, [edit.insert.as_str()], edit.insert.len()),
    }
}

/// The place `len` bytes of text after `from`. Only `\n` ends a line here: that is how the parser counts.
#[expect(
    clippy::naive_bytecount,
    reason = "the compiler counts many bytes at a time"
)]
fn point<'a>(from: Point, chunks: impl IntoIterator<Item = &'a str>, len: usize) -> Point {
    let mut point = from;
    let mut left = len;
    for chunk in chunks {
        let bytes = chunk.as_bytes();
        let bytes = bytes.get(..left).unwrap_or(bytes);
        left -= bytes.len();
        // Counted a few bytes at a time, because most of a text is before most places.
        let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
        if breaks == 0 {
            point.column += bytes.len();
        } else {
            let last = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
            point.row += breaks;
            point.column = bytes.len() - last - 1;
        }
        if left == 0 {
            break;
        }
    }
    point
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Types at the place of a mark, and takes back what was typed: nearly all is taken over from the reading before.
    fn check(source: &str) {
        let at = source.find('§').unwrap();
        let text = Text::from(source.replace('§', "").as_str());
        let before = Parsed::parse(grammars::by_name("rust").unwrap(), &text);
        let typed = EditSet::one(Edit::new(Range::at(at), "x(1); "));
        let back = typed.invert(&text);
        let after = typed.apply(&text).unwrap();
        let typed = before.reparse(&typed, &after);
        let again = typed.reparse(&back, &text);
        for parsed in [&typed, &again] {
            let (taken, all) = parsed.0.reading.as_ref().unwrap().taken();
            assert!(taken * 10 > all * 9, "{taken} of {all}");
            assert_eq!(**parsed.facts(), parsed.facts_of_whole());
        }
        assert_eq!(again.facts(), before.facts());
    }

    fn functions(indent: &str) -> String {
        let function = |number: usize| {
            let here = if number == 70 { "§" } else { "" };
            format!(
                "{indent}/// Does it.\n{indent}fn f{number}(a: u32) -> u32 {{\n{indent}    {here}let b = g(a, {number});\n{indent}    if b > 1 {{ h(b) }} else {{ f{number}(b) }}\n{indent}}}\n\n"
            )
        };
        (0..200).map(function).collect()
    }

    #[test]
    fn a_keystroke_costs_what_it_changes() {
        check(&functions(""));
        check(&format!("impl T {{\n{}}}\n", functions("    ")));
        check(&format!("fn all() {{\n{}}}\n", functions("    ")));
        check(&format!("{}\nfn broken(a: {{ \n", functions("")));
    }
}
