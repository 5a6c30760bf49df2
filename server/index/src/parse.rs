use std::cell::RefCell;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use grammars::Grammar;
use text::{Edit, EditSet, Range, Text};
use tree_sitter::{InputEdit, ParseOptions, Parser, Point, Tree};

use crate::facts::{Facts, Incomplete};
use crate::walk;
use crate::{MAX_BYTES, STEPS_PER_BYTE, STEPS_PER_FILE};

/// A text with its tree and its facts: what is kept of an open document. Cheap to clone.
///
/// The facts depend on the text alone, never on the edits that led to it.
#[derive(Clone)]
pub struct Parsed(Arc<Inner>);

struct Inner {
    grammar: &'static Grammar,
    text: Text,
    tree: Option<Tree>,
    facts: Arc<Facts>,
}

impl Parsed {
    /// Reads a text from nothing.
    pub fn parse(grammar: &'static Grammar, text: &Text) -> Parsed {
        Parsed::with_old(grammar, text, None)
    }

    /// Reads the text that `edits` made of this one. What they did not touch is not parsed again.
    pub fn reparse(&self, edits: &EditSet, text: &Text) -> Parsed {
        let old = self.0.tree.as_ref().map(|tree| {
            let mut tree = tree.clone();
            // From the last to the first, so that the offsets of the others stay what they are.
            for edit in edits.edits().iter().rev() {
                tree.edit(&input_edit(edit, &self.0.text));
            }
            tree
        });
        Parsed::with_old(self.0.grammar, text, old)
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

    pub(crate) fn tree(&self) -> Option<&Tree> {
        self.0.tree.as_ref()
    }

    /// Syntax errors: places that make no sense and tokens that are missing.
    pub fn error_count(&self) -> usize {
        self.0.facts.error_count
    }

    /// Whether there is a syntax error in a range, or at one of its edges.
    pub fn has_error_in(&self, range: Range) -> bool {
        self.0.facts.has_error_in(range)
    }

    fn with_old(grammar: &'static Grammar, text: &Text, old: Option<Tree>) -> Parsed {
        let source = text.to_string();
        let (tree, facts) = match read(grammar, &source, old.as_ref()) {
            Ok(tree) => {
                let facts = walk::extract(grammar, &source, &tree);
                (Some(tree), facts)
            }
            Err(why) => (None, Facts::none(grammar, &source, why)),
        };
        Parsed(Arc::new(Inner {
            grammar,
            text: text.clone(),
            tree,
            facts: Arc::new(facts),
        }))
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parsed({}, {:?})", self.0.grammar.name, self.0.text)
    }
}

impl Facts {
    /// The facts of a text that nobody edits: the tree is not kept.
    pub fn of(grammar: &'static Grammar, source: &str) -> Facts {
        match read(grammar, source, None) {
            Ok(tree) => walk::extract(grammar, source, &tree),
            Err(why) => Facts::none(grammar, source, why),
        }
    }
}

/// The tree of a text.
pub(crate) fn read(
    grammar: &'static Grammar,
    source: &str,
    old: Option<&Tree>,
) -> Result<Tree, Incomplete> {
    if source.len() > MAX_BYTES {
        return Err(Incomplete::TooLarge);
    }
    let tree = parse(grammar, source, old)?;
    // Around an error the parser keeps more or less of an old tree by chance. A fresh tree is the same for everybody.
    if old.is_some() && tree.root_node().has_error() {
        return parse(grammar, source, None);
    }
    Ok(tree)
}

fn parse(grammar: &'static Grammar, source: &str, old: Option<&Tree>) -> Result<Tree, Incomplete> {
    thread_local! {
        static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
    }
    PARSER.with_borrow_mut(|parser| {
        parser
            .set_language(grammar.language())
            .map_err(|_| Incomplete::NoParser)?;
        let mut steps = STEPS_PER_FILE + source.len() * STEPS_PER_BYTE;
        let mut within_budget = |_: &tree_sitter::ParseState| match steps.checked_sub(1) {
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
fn point<'a>(from: Point, chunks: impl IntoIterator<Item = &'a str>, len: usize) -> Point {
    let mut point = from;
    let mut left = len;
    for chunk in chunks {
        let bytes = chunk.as_bytes();
        let bytes = bytes.get(..left).unwrap_or(bytes);
        left -= bytes.len();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            point.column += line.len();
            if line.ends_with(b"\n") {
                point.row += 1;
                point.column = 0;
            }
        }
        if left == 0 {
            break;
        }
    }
    point
}
