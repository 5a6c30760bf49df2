//! What a change does to the symbols of a text, found out from the part of the text around it.
//!
//! After a change the parser goes over every item of a file again, however little it makes of each. Whoever only asks
//! which symbols there are then, and asks for one change at a time, is served faster by a reading of the changed items
//! and their neighbours alone. That says what a reading of the whole says if the neighbours come out as they were: to
//! both sides of them nothing has changed, and the parser knows nothing there that it does not know at the top of any file.

use std::ops::Range as Ids;

use grammars::Grammar;
use text::{EditSet, Range, Text};
use tree_sitter::{Node, Tree};

use crate::facts::{Facts, Symbol, SymbolId};
use crate::parse::read_whole;
use crate::stray::{Changed, Stray, stray};
use crate::{MAX_OPEN_BYTES, Parsed, walk};

/// A part of a text, as it reads after a change.
#[derive(Debug)]
pub struct Part<'p> {
    whole: &'p Facts,
    /// Where it was.
    was: Range,
    /// The symbols that were in it.
    ids: Ids<usize>,
    /// How much longer the text is than before.
    delta: isize,
    /// What it says now; places are counted from its start.
    facts: Facts,
    /// How it reads before and after, and the text after.
    trees: (Tree, Tree),
    source: String,
    grammar: &'static Grammar,
}

impl Parsed {
    /// Reads the part around a change alone; `edits` lie inside `touched` and lead to the text `after`.
    ///
    /// None unless it is certain to say what a reading of the whole would: when there is a syntax error before or after,
    /// when a symbol is gone, when one has a name that something elsewhere in the file has too, when the part would be
    /// longer than `longest`.
    pub fn part<'p>(
        &'p self,
        touched: Range,
        edits: &EditSet,
        after: &Text,
        longest: usize,
    ) -> Option<Part<'p>> {
        let (facts, grammar) = (&**self.facts(), self.grammar());
        let plain = !self.is_provisional()
            && facts.error_count == 0
            && facts.incomplete.is_none()
            && grammar.embedding().is_none()
            && !grammar.reading.ambiguous
            && edits.span().is_none_or(|span| touched.contains_range(span))
            && after.len() <= MAX_OPEN_BYTES;
        let bounds = Bounds::around(facts, touched);
        let tree = self.tree().filter(|_| plain)?;
        let edges = bounds.edges(tree, facts);
        let was = Range::new(
            edges.0.map_or(0, |edge| edge.range.start),
            edges.1.map_or(self.text().len(), |edge| edge.range.end),
        );
        if was.len() > longest {
            return None;
        }
        let delta = after.len() as isize - self.text().len() as isize;
        let is = Range::new(was.start, was.end.checked_add_signed(delta)?);
        let symbols = &facts.symbols;
        let first = symbols.partition_point(|symbol| symbol.range.start < was.start);
        let ids = first..symbols.partition_point(|symbol| symbol.range.start < was.end);
        // Both ends have to be where they were, too, or the change has reached over one of them.
        let read = |text: &Text, range: Range, delta| {
            let source = text.slice(range);
            let tree = read_whole(grammar, &source).ok()?;
            let (first, last) = ends(&tree);
            let same = |edge: Option<Edge>, end: Option<Edge>, delta| {
                edge.is_none_or(|edge| {
                    edge.moved(delta) == end.and_then(|end| end.moved(was.start as isize))
                })
            };
            let fits = same(edges.0, first, 0) && same(edges.1, last, delta);
            let facts = fits.then(|| walk::extract(grammar, &source, &tree))?;
            let is_sound = facts.error_count == 0 && facts.incomplete.is_none();
            is_sound.then_some((facts, tree, source))
        };
        let (before, was_tree, _) = read(self.text(), was, 0)?;
        let (now, is_tree, source) = read(after, is, delta)?;
        let part = Part {
            whole: facts,
            facts: now,
            was,
            ids,
            delta,
            trees: (was_tree, is_tree),
            source,
            grammar,
        };
        (part.is_cut_well(&before) && part.keeps(&bounds) && part.is_alone()).then_some(part)
    }
}

impl<'p> Part<'p> {
    /// The symbols that were in it, as the facts of the whole text before have them, by their paths.
    pub fn before(&self) -> impl Iterator<Item = (SymbolId, &'p Symbol)> + use<'p> {
        let mut symbols: Vec<_> = self.old().collect();
        symbols.sort_unstable_by(|(_, a), (_, b)| a.path.cmp(&b.path));
        symbols.into_iter()
    }

    /// What it says now; places are counted from [`Part::start`].
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Where it starts, before and after.
    pub fn start(&self) -> usize {
        self.was.start
    }

    /// How the change, whose place is one in the whole text, reaches beyond its own text, if it does.
    pub fn stray(&self, changed: &Changed) -> Option<Stray> {
        let start = self.start();
        let here = |range: Range| {
            let (start, end) = (
                range.start.checked_sub(start)?,
                range.end.checked_sub(start)?,
            );
            Some(Range::new(start, end))
        };
        let here = Changed {
            before: here(changed.before)?,
            after: here(changed.after)?,
            item: changed.item.and_then(here),
        };
        let (was, is) = &self.trees;
        let stray = stray(self.grammar, was, (is, &self.source), &here)?;
        Some(match stray {
            Stray::Drawn(place) => Stray::Drawn(place + start),
            Stray::Hollow(place) => Stray::Hollow(place + start),
        })
    }

    /// Where the symbol with that path is in the whole text after the change.
    pub fn place(&self, path: &str) -> Option<Range> {
        if let Some(symbol) = self
            .facts
            .by_path(path)
            .and_then(|id| self.facts.symbol(id))
        {
            return self.moved(symbol.range);
        }
        let id = self.whole.by_path(path)?;
        let elsewhere = !self.ids.contains(&id.index());
        let range = self.whole.symbol(id).filter(|_| elsewhere)?.range;
        if range.start < self.was.end {
            return Some(range);
        }
        let by = |place: usize| place.checked_add_signed(self.delta);
        Some(Range::new(by(range.start)?, by(range.end)?))
    }

    fn moved(&self, range: Range) -> Option<Range> {
        let by = |place: usize| place.checked_add(self.was.start);
        Some(Range::new(by(range.start)?, by(range.end)?))
    }

    fn old(&self) -> impl Iterator<Item = (SymbolId, &'p Symbol)> + use<'p> {
        let symbols = self.whole.symbols.get(self.ids.clone()).unwrap_or(&[]);
        let ids = self.ids.clone().map(|id| SymbolId(id as u32));
        ids.zip(symbols)
    }

    /// Whether the part alone says before the change what the whole says about it.
    fn is_cut_well(&self, before: &Facts) -> bool {
        let first = self.ids.start as u32;
        let same = |((_, old), new): ((SymbolId, &Symbol), &Symbol)| {
            old.path == new.path
                && old.kind == new.kind
                && old.parent == new.parent.map(|id| SymbolId(id.0 + first))
                && Some(old.range) == self.moved(new.range)
                && Some(old.item) == self.moved(new.item)
        };
        before.symbols.len() == self.ids.len() && self.old().zip(&before.symbols).all(same)
    }

    /// Whether all symbols are still there, and the neighbours just as they were.
    fn keeps(&self, bounds: &Bounds) -> bool {
        let now = |symbol: &Symbol| {
            let id = self.facts.by_path(&symbol.path)?;
            self.facts.symbol(id).filter(|now| now.kind == symbol.kind)
        };
        let unmoved = |id: Option<usize>| {
            let symbol = id.and_then(|id| self.whole.symbols.get(id));
            symbol.is_none_or(|symbol| {
                let is = now(symbol).and_then(|now| Some((self.moved(now.range)?, now.parent)));
                let delta = if symbol.range.start < bounds.touched.start {
                    0
                } else {
                    self.delta
                };
                let by = |place: usize| place.checked_add_signed(delta);
                let was = by(symbol.range.start).zip(by(symbol.range.end));
                was.map(|(start, end)| (Range::new(start, end), None)) == is
            })
        };
        self.old().all(|(_, symbol)| now(symbol).is_some())
            && unmoved(bounds.before)
            && unmoved(bounds.behind)
    }

    /// Whether nothing elsewhere in the file has the path of a symbol in it, but for a number.
    fn is_alone(&self) -> bool {
        let elsewhere = |path: &str| {
            let id = self.whole.by_path(path);
            id.map(|id| !self.ids.contains(&id.index()))
        };
        let is_alone = |path: &str| {
            elsewhere(path) != Some(true)
                && (2..)
                    .map_while(|number| elsewhere(&format!("{path}#{number}")))
                    .all(|elsewhere| !elsewhere)
        };
        self.facts.symbols.iter().all(|symbol| {
            let bare = symbol.path.rsplit_once('#').map(|(bare, _)| bare);
            is_alone(&symbol.path) && bare.is_none_or(is_alone)
        })
    }
}

/// The whole items right before and right behind a change, which it does not touch.
struct Bounds {
    touched: Range,
    before: Option<usize>,
    behind: Option<usize>,
}

impl Bounds {
    fn around(facts: &Facts, touched: Range) -> Bounds {
        let symbols = &facts.symbols;
        let outermost = |id: usize| {
            let outer = facts.ancestors(SymbolId(id as u32)).last();
            outer.map_or(id, |(id, _)| id.index())
        };
        let mut before = symbols.partition_point(|symbol| symbol.range.start < touched.start);
        let before = loop {
            let Some(last) = before.checked_sub(1) else {
                break None;
            };
            before = outermost(last);
            let ends = symbols.get(before).map(|symbol| symbol.range.end);
            if ends.is_some_and(|end| end < touched.start) {
                break Some(before);
            }
        };
        let behind = symbols.partition_point(|symbol| symbol.range.start <= touched.end);
        let mut behind = (behind..).zip(symbols.get(behind..).unwrap_or(&[]));
        let behind = behind.find(|(_, symbol)| symbol.parent.is_none());
        Bounds {
            touched,
            before,
            behind: behind.map(|(id, _)| id),
        }
    }

    /// The first and the last of the nodes at the top of the tree that hold them; none where there is nothing to hold.
    fn edges(&self, tree: &Tree, facts: &Facts) -> (Option<Edge>, Option<Edge>) {
        let mut cursor = tree.walk();
        let mut top = |offset: usize| {
            cursor.reset(tree.root_node());
            cursor.goto_first_child_for_byte(offset)?;
            Some(Edge::of(cursor.node()))
        };
        let range = |id: Option<usize>| Some(facts.symbols.get(id?)?.range);
        (
            range(self.before).and_then(|range| top(range.start)),
            range(self.behind).and_then(|range| top(range.end.saturating_sub(1))),
        )
    }
}

/// A node at the top of a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Edge {
    kind: u16,
    range: Range,
}

impl Edge {
    fn of(node: Node<'_>) -> Edge {
        Edge {
            kind: node.kind_id(),
            range: node.byte_range().into(),
        }
    }

    fn moved(self, delta: isize) -> Option<Edge> {
        let by = |place: usize| place.checked_add_signed(delta);
        let range = Range::new(by(self.range.start)?, by(self.range.end)?);
        Some(Edge { range, ..self })
    }
}

/// The first and the last node at the top of a tree.
fn ends(tree: &Tree) -> (Option<Edge>, Option<Edge>) {
    let mut cursor = tree.walk();
    let first = cursor.goto_first_child().then(|| Edge::of(cursor.node()));
    cursor.reset(tree.root_node());
    let last = cursor.goto_last_child().then(|| Edge::of(cursor.node()));
    (first, last)
}
