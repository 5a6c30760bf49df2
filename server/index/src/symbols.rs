//! Definitions, from the walk to finished symbols.

use std::sync::Arc;

use grammars::{Grammar, SymbolKind};
use rustc_hash::FxHashSet;
use text::Range;

use crate::MAX_DEPTH;
use crate::facts::{Metrics, Symbol, SymbolId};
use crate::names::Interner;
use crate::walk::Before;

/// The longest name that is kept, in bytes.
pub(crate) const MAX_NAME: usize = 100;

/// A symbol that the walk has met.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) kind: SymbolKind,
    pub(crate) name: Arc<str>,
    pub(crate) name_range: Range,
    /// The type it belongs to if that is not where it lies.
    pub(crate) container: Option<Arc<str>>,
    /// An impl block of an interface; its name says so already.
    pub(crate) of_interface: bool,
    pub(crate) parent: Option<u32>,
    pub(crate) depth: u32,
    pub(crate) range: Range,
    pub(crate) item: Range,
    pub(crate) body: Option<Range>,
    pub(crate) value: Option<Range>,
    pub(crate) header_end: Option<usize>,
    pub(crate) doc: Option<Range>,
    pub(crate) public: bool,
    pub(crate) private: bool,
    /// Whether a mark hides what follows in it.
    pub(crate) hides_rest: bool,
    pub(crate) test: bool,
    /// Whether its name alone says that it is a test.
    pub(crate) named_test: bool,
    pub(crate) metrics: Option<Metrics>,
}

impl Draft {
    /// Whether two are the same to what comes next, their names and parents aside.
    pub(crate) fn is_like(&self, other: &Draft) -> bool {
        (self.kind, self.depth, self.range, self.item)
            == (other.kind, other.depth, other.range, other.item)
            && (self.body, self.doc, self.header_end) == (other.body, other.doc, other.header_end)
            && (self.public, self.private) == (other.public, other.private)
            && (self.hides_rest, self.test) == (other.hides_rest, other.test)
    }

    /// Ends the header at `offset` if there is something else before the body.
    pub(crate) fn end_header(&mut self, offset: usize) {
        let before_body = self.body.is_some_and(|body| offset < body.start);
        if before_body && offset > self.name_range.end {
            self.header_end.get_or_insert(offset);
        }
    }
}

/// What a pattern says about a definition.
#[derive(Default)]
pub(crate) struct Found<'s> {
    pub(crate) name: Option<(&'s str, Range)>,
    pub(crate) container: Option<&'s str>,
    pub(crate) interface: Option<&'s str>,
    pub(crate) body: Option<Range>,
    pub(crate) value: Option<Range>,
    /// It continues the definition of the same name right before it.
    pub(crate) clause: bool,
}

/// Collects symbols during the walk.
pub(crate) struct Symbols<'s> {
    grammar: &'static Grammar,
    source: &'s str,
    pub(crate) drafts: Vec<Draft>,
    /// The symbols that the walk is in, outermost first.
    pub(crate) open: Vec<u32>,
    /// The definition that was left last.
    pub(crate) left: Option<u32>,
    /// Whether a mark hides what follows at the top of the file.
    pub(crate) hides_rest: bool,
    /// Values by where they are: the first assignment is the definition.
    assigned: FxHashSet<(Option<u32>, u32)>,
    /// Every assignment, in order.
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) exported: Vec<u32>,
    pub(crate) too_deep: bool,
}

/// An assignment to a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assignment {
    pub(crate) parent: Option<u32>,
    pub(crate) name: u32,
    /// Whether it is the first one, and so the definition.
    pub(crate) first: bool,
}

impl<'s> Symbols<'s> {
    pub(crate) fn new(grammar: &'static Grammar, source: &'s str) -> Symbols<'s> {
        Symbols {
            grammar,
            source,
            drafts: Vec::new(),
            open: Vec::new(),
            left: None,
            hides_rest: false,
            assigned: FxHashSet::default(),
            assignments: Vec::new(),
            exported: Vec::new(),
            too_deep: false,
        }
    }

    /// Enters a definition. None if it is no symbol: a value inside a function, or one that was assigned before.
    pub(crate) fn open(
        &mut self,
        kind: SymbolKind,
        node: Range,
        found: &Found<'s>,
        names: &mut Interner,
    ) -> Option<u32> {
        let (written, name_range) = found.name?;
        let parent = self.open.last().copied();
        let parent_kind = parent.and_then(|parent| Some(self.drafts.get(parent as usize)?.kind));
        let kind = self.kind_in(kind, written, parent, parent_kind, names)?;
        let no_function = found.body.is_none() || found.value.is_some();
        let value_in_function = kind == SymbolKind::Function
            && no_function
            && parent_kind.is_some_and(SymbolKind::is_callable);
        let around = parent.and_then(|parent| self.drafts.get(parent as usize));
        let same_thing = around.is_some_and(|around| {
            found.body.is_some() && around.body == found.body && around.range.contains_range(node)
        });
        if value_in_function || same_thing {
            return None;
        }
        let hidden = around.map_or(self.hides_rest, |around| around.hides_rest);
        self.make_room(node);
        if let Some(number) = self.continued(kind, written, parent, node, found) {
            self.open.push(number);
            return Some(number);
        }
        if self.open.len() >= MAX_DEPTH {
            self.too_deep = true;
            return None;
        }
        let name = clean_name(written);
        let name = match found.interface {
            Some(interface) => format!("{name} as {}", clean_name(interface)),
            None => name,
        };
        let number = u32::try_from(self.drafts.len()).ok()?;
        let named_test = self.grammar.tests.named(kind, &name);
        self.drafts.push(Draft {
            kind,
            name: name.into(),
            name_range,
            container: found.container.map(Arc::from),
            of_interface: found.interface.is_some(),
            parent,
            depth: self.open.len() as u32,
            range: node,
            item: node,
            body: found.body,
            value: found.value,
            header_end: None,
            doc: None,
            public: false,
            private: hidden,
            hides_rest: false,
            test: false,
            named_test,
            metrics: None,
        });
        self.open.push(number);
        Some(number)
    }

    /// Makes what the walk is in hold a node that goes on behind where it was cut off.
    fn make_room(&mut self, node: Range) {
        for number in self.open.iter().rev() {
            match self.drafts.get_mut(*number as usize) {
                Some(around) if around.item.end < node.end => {
                    around.item.end = node.end;
                    around.range.end = around.range.end.max(node.end);
                }
                _ => break,
            }
        }
    }

    /// The definition that this one continues, made longer.
    fn continued(
        &mut self,
        kind: SymbolKind,
        name: &str,
        parent: Option<u32>,
        node: Range,
        found: &Found<'s>,
    ) -> Option<u32> {
        let number = self.left.filter(|_| found.clause)?;
        let before = self.drafts.get_mut(number as usize)?;
        if before.parent != parent || before.kind != kind || *before.name != *clean_name(name) {
            return None;
        }
        before.item = before.item.cover(node);
        before.range = before.range.cover(node);
        before.body = match (before.body, found.body) {
            (Some(before), Some(body)) => Some(before.cover(body)),
            (before, body) => before.or(body),
        };
        Some(number)
    }

    /// Leaves the innermost definition.
    pub(crate) fn close(&mut self) {
        self.left = self.open.pop();
    }

    /// Makes what follows in the innermost definition hidden, or not.
    pub(crate) fn mark_rest(&mut self, hidden: bool) {
        let around = self.open.last().copied();
        let around = around.and_then(|around| self.drafts.get_mut(around as usize));
        match around {
            Some(around) => around.hides_rest = hidden,
            None => self.hides_rest = hidden,
        }
    }

    /// Takes in that a name is visible outside.
    pub(crate) fn export(&mut self, name: &str, names: &mut Interner) {
        self.exported.push(names.number(name));
    }

    /// Whether assignments that another walk has met would be the same here.
    pub(crate) fn agrees(&self, assignments: &[Assignment]) -> bool {
        let mut met = FxHashSet::default();
        assignments.iter().all(|assignment| {
            let key = (assignment.parent, assignment.name);
            let known = self.assigned.contains(&key) || !met.insert(key);
            known != assignment.first
        })
    }

    /// Takes in an assignment that another walk has met.
    pub(crate) fn assign(&mut self, assignment: Assignment) {
        self.assigned.insert((assignment.parent, assignment.name));
        self.assignments.push(assignment);
    }

    fn kind_in(
        &mut self,
        kind: SymbolKind,
        name: &str,
        parent: Option<u32>,
        parent_kind: Option<SymbolKind>,
        names: &mut Interner,
    ) -> Option<SymbolKind> {
        let in_type = parent_kind.is_some_and(SymbolKind::has_members);
        match kind {
            SymbolKind::Function if in_type => Some(SymbolKind::Method),
            SymbolKind::Variable => {
                let in_function = parent_kind.is_some_and(SymbolKind::is_callable);
                if in_function || name == "_" {
                    return None;
                }
                let number = names.number(name);
                let first = self.assigned.insert((parent, number));
                self.assignments.push(Assignment {
                    parent,
                    name: number,
                    first,
                });
                if !first {
                    return None;
                }
                let letters = name.chars().filter(|char| char.is_alphabetic());
                let capitals = name.chars().filter(|char| char.is_uppercase());
                let all_capitals = name.len() > 1 && letters.count() == capitals.count();
                Some(match (in_type, all_capitals && !name.starts_with('_')) {
                    (true, false) => SymbolKind::Field,
                    (_, true) => SymbolKind::Constant,
                    (false, false) => SymbolKind::Variable,
                })
            }
            SymbolKind::Constant if name == "_" => None,
            // The parts of a type that is written inside a function.
            SymbolKind::Field if parent_kind.is_some_and(SymbolKind::is_callable) => None,
            SymbolKind::Module
            | SymbolKind::Class
            | SymbolKind::Struct
            | SymbolKind::Enum
            | SymbolKind::Interface
            | SymbolKind::Impl
            | SymbolKind::Function
            | SymbolKind::Method
            | SymbolKind::Field
            | SymbolKind::Variant
            | SymbolKind::Constant
            | SymbolKind::TypeAlias
            | SymbolKind::Macro
            | SymbolKind::Test
            | SymbolKind::Section
            | SymbolKind::Entry
            | SymbolKind::Rule
            | SymbolKind::Element => Some(kind),
        }
    }

    /// The finished symbols, and whether some had to be left out.
    pub(crate) fn finish(&self, names: &Interner, before: Option<&Before<'_>>) -> Vec<Symbol> {
        let exported: FxHashSet<&str> = self
            .exported
            .iter()
            .map(|number| names.get(*number))
            .collect();
        let mut symbols: Vec<Symbol> = Vec::with_capacity(self.drafts.len());
        for (number, draft) in self.drafts.iter().enumerate() {
            let parent = draft.parent.and_then(|parent| symbols.get(parent as usize));
            let of_interface = draft.parent.is_some_and(|parent| {
                self.drafts
                    .get(parent as usize)
                    .is_some_and(|parent| parent.of_interface)
            });
            let public = self.is_public(draft, parent, of_interface, &exported);
            let marked = draft.test || draft.named_test || draft.kind == SymbolKind::Test;
            let same = before.and_then(|before| before.symbol(number));
            let header = match same {
                Some(same) => {
                    let start = draft.item.start;
                    Range::new(start, start + same.header.len())
                }
                None => self.header(draft),
            };
            let symbol = Symbol {
                name: draft.name.clone(),
                path: same.map_or(&draft.name, |same| &same.path).clone(),
                kind: draft.kind,
                parent: draft.parent.map(SymbolId),
                range: draft.range,
                item: draft.item,
                name_range: draft.name_range,
                header,
                body: draft.body,
                doc: draft.doc,
                public,
                test: marked || parent.is_some_and(|parent| parent.test),
                test_case: marked && draft.kind.is_callable(),
                metrics: draft.metrics,
                shape: None,
            };
            symbols.push(symbol);
        }
        symbols
    }

    fn is_public(
        &self,
        draft: &Draft,
        parent: Option<&Symbol>,
        of_interface: bool,
        exported: &FxHashSet<&str>,
    ) -> bool {
        let in_function = parent.is_some_and(|parent| parent.kind.is_callable());
        let exported = parent.is_none() && exported.contains(&*draft.name);
        if !exported && (draft.private || in_function) {
            return false;
        }
        let Some(parent) = parent else {
            let visible = self.grammar.visibility.items.unmarked(&draft.name);
            return exported || draft.public || visible;
        };
        if draft.public || of_interface {
            return true;
        }
        if parent.kind == SymbolKind::Interface || draft.kind == SymbolKind::Variant {
            return parent.public;
        }
        if !parent.kind.has_members() {
            return self.grammar.visibility.items.unmarked(&draft.name) && parent.public;
        }
        let unmarked = self.grammar.visibility.members.unmarked(&draft.name);
        unmarked && (parent.public || parent.kind == SymbolKind::Impl)
    }

    fn header(&self, draft: &Draft) -> Range {
        let item = draft.item;
        let text = |range: Range| self.source.get(range.start..range.end).unwrap_or("");
        let end = match (draft.body, draft.value) {
            (Some(body), _) => body.start,
            (None, Some(value)) if text(value).contains('\n') => value.start,
            _ => item.end,
        };
        let end = draft.header_end.map_or(end, |earlier| earlier.min(end));
        let end = end.clamp(item.start, item.end);
        let header = text(Range::new(item.start, end)).trim_end();
        Range::new(item.start, item.start + header.len())
    }
}

/// The innermost symbol that holds the byte at `offset`. O(log n).
pub(crate) fn around(symbols: &[Symbol], offset: usize) -> Option<usize> {
    let after = symbols.partition_point(|symbol| symbol.range.start <= offset);
    let mut index = after.checked_sub(1)?;
    loop {
        let symbol = symbols.get(index)?;
        if symbol.range.contains(offset) {
            return Some(index);
        }
        index = symbol.parent?.index();
    }
}

/// A text without the quotes around it.
pub(crate) fn unquoted(text: &str) -> &str {
    let quotes = ['"', '\'', '`'];
    let inner = quotes
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(text)
}

/// A name without quotes, on one line, and not longer than [`MAX_NAME`].
fn clean_name(text: &str) -> String {
    let text = unquoted(text);
    let mut name = if text.contains(char::is_whitespace) {
        let mut words = text.split_whitespace();
        let mut joined = String::new();
        while let Some(word) = words.next().filter(|_| joined.len() <= MAX_NAME) {
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(word);
        }
        joined
    } else {
        text.chars().take(MAX_NAME + 1).collect()
    };
    if name.len() > MAX_NAME {
        name.truncate(name.floor_char_boundary(MAX_NAME - 3));
        name.push('…');
    }
    name
}
