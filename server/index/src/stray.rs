//! What a change makes of the text around it.
//!
//! A change can reach beyond its own text without touching a byte there: a word at its end becomes part of what follows,
//! what stood behind comes to lie in what was opened. So every node that begins or ends outside of a change has to be
//! there before and after, of the same kind, in the same place and in the same nodes.
//!
//! Parsers take more than their languages do, and then a tree does not show what a compiler would see. Two such ways are
//! known here: a node that must not be empty (the grammar says which), and a name that is a word of the language, and is
//! read as a name only because a line ends behind it.

use grammars::Grammar;
use text::Range;
use tree_sitter::{Node, Tree};

use crate::{MAX_OPEN_BYTES, Parsed, embed, parse};

/// Where a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// In the text before it.
    pub before: Range,
    /// In the text after it.
    pub after: Range,
    /// The item of the text before that it changes or stands beside: what holds that may grow and shrink with it.
    pub item: Option<Range>,
}

/// How a change reaches beyond its own text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stray {
    /// What is there, in the text after the change and outside of it, reads otherwise than before.
    Drawn(usize),
    /// There, in the text after the change, something has nothing in it that has to have something.
    Hollow(usize),
}

impl Parsed {
    /// How a change that leads to `after` reaches beyond its own text, if it does.
    ///
    /// How a text with syntax errors reads is a guess: a change that leaves fewer of them is not held to it.
    pub fn stray(&self, after: &Parsed, changed: &Changed) -> Option<Stray> {
        let grammar = self.grammar();
        let (was, is) = (self.tree()?, after.tree()?);
        if after.error_count() < self.error_count() {
            return None;
        }
        let source = after.text().to_string();
        let host = stray(grammar, was, (is, &source), changed);
        if host.is_some() || grammar.embedding().is_none() {
            return host;
        }
        let before = embed::piece_around(grammar, &self.text().to_string(), was, changed.before);
        let now = embed::piece_around(grammar, &source, is, changed.after);
        match (before, now) {
            (Some((language, was)), Some((same, is))) if language == same => {
                stray(language, &was, (&is, &source), changed)
            }
            (None, None) => None,
            _ => Some(Stray::Drawn(changed.after.start)),
        }
    }
}

/// The same for two trees, the second with its text.
pub(crate) fn stray(
    grammar: &'static Grammar,
    was: &Tree,
    (is, source): (&Tree, &str),
    changed: &Changed,
) -> Option<Stray> {
    let filled = grammar.reading.filled.iter();
    let filled: Vec<u16> = filled
        .map(|kind| grammar.language().id_for_node_kind(kind, true))
        .collect();
    // Blanks belong to nobody: whether a node ends before or behind them says nothing.
    let rest = source.get(changed.after.end..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start().len();
    let area = |range: Range| Range::new(range.start, range.end + blanks);
    let mut before = Side::new(area(changed.before), &filled);
    let mut after = Side::new(area(changed.after), &filled);
    let item = changed.item.and_then(|item| Item::of(was, item));
    let mut pairs = vec![(was.root_node(), is.root_node())];
    while let Some((old, new)) = pairs.pop() {
        let (olds, news) = (before.parts(old), after.parts(new));
        let deeper = pairs.len();
        for at in 0..olds.len().max(news.len()) {
            match (olds.get(at), news.get(at)) {
                (Some(old), Some(new)) if before.agrees(&after, old, new, item.as_ref()) => {
                    // The same text, of the same kind, with as many nodes in it.
                    let same = old.is_apart
                        && new.is_apart
                        && old.node.descendant_count() == new.node.descendant_count();
                    if !same {
                        pairs.push((old.node, new.node));
                    }
                }
                (old, new) => {
                    let bounds = new.or(old).map(|part| (part.start, part.end));
                    return Some(after.drawn(bounds, source));
                }
            }
        }
        if let Some(deeper) = pairs.get_mut(deeper..) {
            deeper.reverse();
        }
    }
    before.extras.sort_unstable();
    after.extras.sort_unstable();
    if before.extras != after.extras {
        let mut pairs = after.extras.iter().zip(&before.extras);
        let first = pairs.position(|(new, old)| new != old);
        let first = first.unwrap_or(after.extras.len().min(before.extras.len()));
        let extra = after.extras.get(first).or(before.extras.get(first));
        return Some(after.drawn(extra.map(|(start, end, _)| (*start, *end)), source));
    }
    if after.hollow.len() > before.hollow.len() {
        return after.hollow.first().copied().map(Stray::Hollow);
    }
    word(grammar, is, source, changed.after.end).map(Stray::Drawn)
}

/// An end of a node as seen from a change: where it is, unless it is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    /// So far from the start of the text.
    Before(usize),
    Inside,
    /// So far behind the end of the change.
    Behind(usize),
}

/// A node that begins or ends outside of a change.
#[derive(Clone, Copy)]
struct Part<'t> {
    node: Node<'t>,
    start: Bound,
    end: Bound,
    /// Whether all of it is outside.
    is_apart: bool,
}

/// What a change stands in, before or after it.
struct Side<'k> {
    area: Range,
    /// Kinds of nodes that must not be empty.
    filled: &'k [u16],
    /// Comments and the like, which belong to no node in particular.
    extras: Vec<(Bound, Bound, u16)>,
    /// Where there are nodes that are empty and must not be.
    hollow: Vec<usize>,
}

impl Side<'_> {
    fn new(area: Range, filled: &[u16]) -> Side<'_> {
        Side {
            area,
            filled,
            extras: Vec::new(),
            hollow: Vec::new(),
        }
    }

    /// The nodes right in a node that begin or end outside of the change.
    fn parts<'t>(&mut self, node: Node<'t>) -> Vec<Part<'t>> {
        let mut parts = Vec::new();
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            if child.start_byte() == child.end_byte() {
                self.note_if_hollow(child);
                continue;
            }
            let (start, end) = self.bounds(Range::from(child.byte_range()));
            if child.is_extra() {
                self.note_extra(child);
                continue;
            }
            let is_apart =
                child.end_byte() <= self.area.start || child.start_byte() >= self.area.end;
            if is_apart {
                parts.push(Part {
                    node: child,
                    start,
                    end,
                    is_apart,
                });
                continue;
            }
            let (start, end) = self.bounds(without_extras(child));
            if (start, end) == (Bound::Inside, Bound::Inside) {
                self.note_inside(child);
            } else {
                parts.push(Part {
                    node: child,
                    start,
                    end,
                    is_apart,
                });
            }
        }
        parts
    }

    fn bounds(&self, range: Range) -> (Bound, Bound) {
        let area = self.area;
        let start = if range.start >= area.end {
            Bound::Behind(range.start - area.end)
        } else if range.start < area.start {
            Bound::Before(range.start)
        } else {
            Bound::Inside
        };
        let end = if range.end <= area.start {
            Bound::Before(range.end)
        } else if range.end > area.end {
            Bound::Behind(range.end - area.end)
        } else {
            Bound::Inside
        };
        (start, end)
    }

    fn note_extra(&mut self, node: Node<'_>) {
        let (start, end) = self.bounds(node.byte_range().into());
        if (start, end) != (Bound::Inside, Bound::Inside) {
            self.extras.push((start, end, node.kind_id()));
        }
    }

    fn note_if_hollow(&mut self, node: Node<'_>) {
        if self.filled.contains(&node.kind_id()) {
            self.hollow.push(node.start_byte());
        }
    }

    /// What is worth knowing about a node inside of the change: what is empty in it, and comments that reach out of it.
    fn note_inside(&mut self, node: Node<'_>) {
        let reaches_out = !self.area.contains_range(node.byte_range().into());
        if self.filled.is_empty() && !reaches_out {
            return;
        }
        let mut cursor = node.walk();
        loop {
            let node = cursor.node();
            if node.start_byte() == node.end_byte() {
                self.note_if_hollow(node);
            } else if node.is_extra() {
                self.note_extra(node);
            } else if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Whether a part is the same before and, on the other side, after.
    fn agrees(
        &self,
        after: &Side<'_>,
        old: &Part<'_>,
        new: &Part<'_>,
        item: Option<&Item>,
    ) -> bool {
        if old.node.kind_id() != new.node.kind_id() {
            return false;
        }
        let same = |was: (Bound, Bound), is: (Bound, Bound)| {
            // What holds the item ends where its last part ends, where no sign closes it.
            let flexible = item.is_some_and(|item| item.is_in(old.node));
            let starts = |bound| matches!(bound, Bound::Inside | Bound::Behind(_));
            let ends = |bound| matches!(bound, Bound::Inside | Bound::Before(_));
            (was.0 == is.0 || flexible && starts(was.0) && starts(is.0))
                && (was.1 == is.1 || flexible && ends(was.1) && ends(is.1))
        };
        same((old.start, old.end), (new.start, new.end))
            || same(
                self.bounds(without_extras(old.node)),
                after.bounds(without_extras(new.node)),
            )
    }

    /// What reads otherwise, by the bounds of a node: the first of it outside of the change.
    fn drawn(&self, bounds: Option<(Bound, Bound)>, source: &str) -> Stray {
        let place = match bounds {
            Some((Bound::Before(place), _)) => place,
            Some((Bound::Behind(by), _)) => self.area.end + by,
            Some((Bound::Inside, _)) | None => self.area.end,
        };
        Stray::Drawn(place.min(source.len()))
    }
}

/// The item that a change is about.
struct Item {
    range: Range,
    /// Its node.
    id: usize,
}

impl Item {
    fn of(tree: &Tree, range: Range) -> Option<Item> {
        let node = tree
            .root_node()
            .descendant_for_byte_range(range.start, range.end)?;
        Some(Item {
            range,
            id: node.id(),
        })
    }

    fn is_in(&self, node: Node<'_>) -> bool {
        node.id() != self.id && Range::from(node.byte_range()).contains_range(self.range)
    }
}

/// Where a node is, without comments at its ends: parsers put these into one node or another.
fn without_extras(node: Node<'_>) -> Range {
    let start = edge(node, Node::start_byte, |at, node| {
        let mut cursor = node.walk();
        let mut children = node.children(&mut cursor);
        children.find(|child| at(*child))
    });
    let end = edge(node, Node::end_byte, |at, node| {
        let mut cursor = node.walk();
        let children = node.children(&mut cursor);
        children.filter(|child| at(*child)).last()
    });
    Range::new(start, end.max(start))
}

/// Where a node begins or ends: where the outermost of its own signs does.
fn edge<'t>(
    node: Node<'t>,
    place: fn(&Node<'t>) -> usize,
    outermost: impl Fn(&dyn Fn(Node<'t>) -> bool, Node<'t>) -> Option<Node<'t>>,
) -> usize {
    let is_written = |child: Node<'_>| child.start_byte() < child.end_byte();
    let own = |child: Node<'t>| is_written(child) && !child.is_extra();
    let (mut found, mut at) = (place(&node), node);
    while let Some(child) = outermost(&is_written, at) {
        if !child.is_extra() {
            if place(&child) != found {
                break;
            }
            at = child;
        } else if let Some(child) = outermost(&own, at) {
            (found, at) = (place(&child), child);
        } else {
            break;
        }
    }
    found
}

/// The place of what follows a change whose last word would be none but for the end of its line.
///
/// Where a line may end a statement, a parser takes a word that announces an item for a name that stands alone, even if
/// the language goes on reading on the next line.
fn word(grammar: &'static Grammar, tree: &Tree, source: &str, end: usize) -> Option<usize> {
    let root = tree.root_node();
    let word = last_sign(root, end)?;
    let is_word = || {
        let text = source.get(word.byte_range());
        text.is_some_and(|text| grammar.is_keyword(text))
    };
    if !word.is_named() || !is_word() {
        return None;
    }
    let next = next_sign(root, end)?;
    let gap = source.get(word.end_byte()..next)?;
    if !gap.contains(['\n', '\r']) {
        return None;
    }
    let (before, behind) = (source.get(..word.end_byte())?, source.get(next..)?);
    let joined = format!("{before} {behind}");
    let again = parse::read(grammar, &joined, None, MAX_OPEN_BYTES, &|| false).ok()?;
    let same = again
        .root_node()
        .descendant_for_byte_range(word.start_byte(), word.end_byte())?;
    let is_broken = again.root_node().has_error() && !root.has_error();
    (!is_broken && !same.is_error() && same.kind_id() != word.kind_id()).then_some(next)
}

/// The last sign that ends before a place.
fn last_sign(root: Node<'_>, place: usize) -> Option<Node<'_>> {
    let mut node = root;
    let mut cursor = root.walk();
    loop {
        let children = node.children(&mut cursor);
        let is_before = |child: &Node<'_>| {
            !child.is_extra() && child.start_byte() < place && child.start_byte() < child.end_byte()
        };
        match children.filter(is_before).last() {
            Some(child) => node = child,
            None => return (node != root && node.end_byte() <= place).then_some(node),
        }
    }
}

/// Where the first sign begins that is behind a place.
fn next_sign(root: Node<'_>, place: usize) -> Option<usize> {
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        let is_one = !node.is_extra() && node.end_byte() > place;
        if is_one && node.start_byte() >= place && node != root {
            return Some(node.start_byte());
        }
        if is_one && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}
