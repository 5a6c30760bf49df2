//! Queries, made ready for one walk over a tree.
//!
//! A query engine follows every pattern through every node.
//! Our patterns are all rooted at a node of known kind, so a table from kind to patterns answers for most nodes that
//! there is nothing to do, and the rest is a look at the children.
//!
//! What a pattern means is what tree-sitter means, with two differences that make one match of many:
//! a part of a pattern that fits several children captures them all, in one match;
//! and nodes joined by `.` follow each other directly, with nothing but comments between them.

use tree_sitter::{Language, Node, TreeCursor};

use crate::asks::{Asks, Kinds, NO_FIELD};
use crate::capture::{Capture, Scent, Smell};
use crate::children::{self, Child, Reads};
use crate::pattern::{self, Element, Pattern, Shape};

/// All patterns of one language, by the kind of node they start at.
pub struct Rules {
    entries: Box<[Entry]>,
    patterns: Box<[Compiled]>,
    signs: bool,
}

/// What the rules have to say about one kind of node.
#[derive(Default, Clone)]
pub struct Entry {
    /// Captures that hold for every node of the kind.
    pub always: Box<[Capture]>,
    patterns: Box<[u16]>,
    /// What the patterns ask of the children.
    asks: Asks,
    /// Whether a node of the kind can have children.
    pub has_children: bool,
}

impl Entry {
    /// Whether the rules are silent about the kind.
    pub fn is_silent(&self) -> bool {
        self.always.is_empty() && self.patterns.is_empty()
    }

    /// Whether a node of the kind is a word or a sign that means nothing by itself.
    pub fn is_idle(&self) -> bool {
        self.is_silent() && !self.has_children
    }

    /// Whether it takes a look at a node to know what the rules say about it.
    pub fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }
}

/// The memory of one walk.
pub struct Scratch<'tree> {
    cursor: TreeCursor<'tree>,
    /// Children of nodes further down, a list for each level that a pattern looks down.
    levels: Vec<Vec<Child<'tree>>>,
    found: Vec<(Capture, Node<'tree>)>,
}

impl<'tree> Scratch<'tree> {
    /// Memory for a walk over the tree of `node`.
    pub fn new(node: Node<'tree>) -> Scratch<'tree> {
        Scratch {
            cursor: node.walk(),
            levels: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Adds the children of a node to a list, in order: all, or those that `entry`, that of its kind, must know and
    /// all that have a name.
    pub fn read_children(
        &mut self,
        entry: Option<&Entry>,
        node: Node<'tree>,
        all: bool,
        children: &mut Vec<Child<'tree>>,
    ) {
        let nothing = Asks::default();
        let asks = entry.map_or(&nothing, |entry| &entry.asks);
        self.read(node, children, Reads::All, asks, all || asks.signs);
    }

    fn read(
        &mut self,
        node: Node<'tree>,
        children: &mut Vec<Child<'tree>>,
        reads: Reads,
        asks: &Asks,
        signs: bool,
    ) {
        children::read(&mut self.cursor, node, reads, asks, signs, |child| {
            children.push(child);
        });
    }
}

impl Rules {
    /// Rules that say nothing.
    pub(crate) fn silent() -> Rules {
        Rules {
            entries: Box::new([]),
            patterns: Box::new([]),
            signs: false,
        }
    }

    /// Reads queries for a language. The error is a sentence that names the query, the line and the problem.
    pub(crate) fn new(language: &Language, queries: &[(&str, &str)]) -> Result<Rules, String> {
        let kinds = language.node_kind_count() as u16;
        let named = Kinds::named(language);
        let mut entries: Vec<(Vec<Capture>, Vec<u16>)> = vec![Default::default(); kinds.into()];
        let mut patterns: Vec<Compiled> = Vec::new();
        for (name, source) in queries {
            let read = pattern::parse(source).map_err(|problem| format!("{name}: {problem}"))?;
            for pattern in read {
                let compiled = Compiler::new(language, &named).pattern(&pattern);
                let compiled = compiled
                    .map_err(|problem| format!("{name}: line {}: {problem}", pattern.line))?;
                let roots = compiled.root.kinds().ok_or_else(|| {
                    format!("{name}: line {}: the root needs a kind", pattern.line)
                })?;
                let always = compiled.always();
                for kind in roots {
                    let Some(entry) = entries.get_mut(usize::from(kind)) else {
                        continue;
                    };
                    match &always {
                        Some(captures) => entry.0.extend(captures),
                        None => entry.1.push(patterns.len() as u16),
                    }
                }
                if always.is_none() {
                    patterns.push(compiled);
                }
            }
        }
        let entries = (0..kinds)
            .zip(entries)
            .map(|(kind, (always, numbers))| Entry {
                always: always.into(),
                asks: {
                    let mut asks = Asks::default();
                    let patterns = numbers
                        .iter()
                        .filter_map(|number| patterns.get(usize::from(*number)));
                    patterns.for_each(|pattern| pattern.root.ask(language, &named, &mut asks));
                    asks
                },
                patterns: numbers.into(),
                has_children: language.node_kind_is_named(kind),
            });
        let entries: Box<[Entry]> = entries.collect();
        Ok(Rules {
            signs: entries
                .iter()
                .any(|entry| !entry.has_children && !entry.is_silent()),
            entries,
            patterns: patterns.into(),
        })
    }

    /// What is known about nodes of a kind. None for the kind of a syntax error.
    pub fn entry(&self, kind: u16) -> Option<&Entry> {
        self.entries.get(usize::from(kind))
    }

    /// Whether they have something to say about nodes without a name, such as signs and keywords.
    pub fn are_about_signs(&self) -> bool {
        self.signs
    }

    /// For each pattern that finds a smell, which, and the lists of texts of each of which the file must hold one.
    pub fn needed_texts(&self) -> impl Iterator<Item = (Smell, Vec<&[String]>)> {
        self.patterns.iter().filter_map(|pattern| {
            let mut captures = pattern.root.captures.iter();
            let smell = captures.find_map(|capture| match capture {
                Capture::Smell(Scent::Place(smell)) => Some(*smell),
                _ => None,
            })?;
            let positive = pattern.predicates.iter().filter(|one| !one.negated);
            Some((smell, positive.map(|one| &*one.texts).collect()))
        })
    }

    /// Hands `each` the captures of every pattern of `entry` that holds at `node`, in the order of the queries.
    pub fn matches<'tree>(
        &self,
        entry: &Entry,
        node: Child<'tree>,
        children: &[Child<'tree>],
        source: &str,
        scratch: &mut Scratch<'tree>,
        mut each: impl FnMut(&[(Capture, Node<'tree>)]),
    ) {
        for index in &entry.patterns {
            let Some(pattern) = self.patterns.get(usize::from(*index)) else {
                continue;
            };
            scratch.found.clear();
            if pattern.root.holds_with(node, children, 0, scratch)
                && pattern.keep_fitting(&mut scratch.found, source)
            {
                each(&scratch.found);
            }
        }
    }
}

struct Compiled {
    root: Matcher,
    predicates: Box<[Comparison]>,
}

struct Comparison {
    capture: Capture,
    texts: Box<[String]>,
    negated: bool,
}

struct Matcher {
    test: Test,
    captures: Box<[Capture]>,
    slots: Box<[Slot]>,
    absent: Box<[u16]>,
    optional: bool,
    reads: Reads,
    asks: Asks,
}

enum Test {
    Kind(u16),
    AnyNamed,
    Any,
    OneOf(Box<[Matcher]>),
}

struct Slot {
    /// The kinds that the chain can start with, if it asks for any.
    kinds: Option<Box<[u16]>>,
    chain: Box<[(u16, Matcher)]>,
    at_start: bool,
    at_end: bool,
}

impl Compiled {
    /// The captures of a pattern that asks for nothing but a kind.
    fn always(&self) -> Option<Vec<Capture>> {
        fn bare(matcher: &Matcher) -> bool {
            let inner = match &matcher.test {
                Test::OneOf(choices) => choices
                    .iter()
                    .all(|choice| bare(choice) && choice.captures.is_empty()),
                Test::Kind(_) | Test::AnyNamed | Test::Any => true,
            };
            inner && matcher.slots.is_empty() && matcher.absent.is_empty()
        }
        (bare(&self.root) && self.predicates.is_empty()).then(|| self.root.captures.to_vec())
    }

    /// Drops the nodes whose texts do not fit. False if a capture that a predicate is about has none left.
    fn keep_fitting(&self, found: &mut Vec<(Capture, Node<'_>)>, source: &str) -> bool {
        self.predicates.iter().all(|predicate| {
            let (mut some, mut fitting) = (false, false);
            found.retain(|(capture, node)| {
                if *capture != predicate.capture {
                    return true;
                }
                let text = source.get(node.byte_range()).unwrap_or("");
                let fits = predicate.texts.iter().any(|wanted| wanted == text) != predicate.negated;
                some = true;
                fitting |= fits;
                fits
            });
            fitting || !some
        })
    }
}

impl Matcher {
    /// Adds what it must know about the children of the node it is tried on.
    fn ask(&self, language: &Language, named: &Kinds, asks: &mut Asks) {
        for field in &self.absent {
            asks.add_field(language, *field);
            asks.fields_of_any = true;
            asks.signs = true;
        }
        for slot in &self.slots {
            // What stands between two that must follow each other matters whatever it is.
            asks.signs |= slot.chain.len() > 1;
            for (field, matcher) in &slot.chain {
                let mut kinds = Kinds::default();
                let any = !matcher.add_kinds(named, &mut kinds);
                asks.signs |= any || !kinds.is_in(named);
                if *field != NO_FIELD {
                    asks.add_field(language, *field);
                    asks.add_field_of(&kinds);
                    asks.fields_of_any |= any;
                }
            }
        }
    }

    /// Adds the kinds that it can hold at; false if it can hold at any.
    fn add_kinds(&self, named: &Kinds, kinds: &mut Kinds) -> bool {
        match &self.test {
            Test::Kind(kind) => kinds.add(*kind),
            Test::OneOf(choices) => {
                return choices.iter().all(|choice| choice.add_kinds(named, kinds));
            }
            Test::AnyNamed => kinds.join(named),
            Test::Any => return false,
        }
        true
    }

    fn kinds(&self) -> Option<Vec<u16>> {
        match &self.test {
            Test::Kind(kind) => Some(vec![*kind]),
            Test::OneOf(choices) => {
                let kinds: Option<Vec<_>> = choices.iter().map(Matcher::kinds).collect();
                kinds.map(|kinds| kinds.concat())
            }
            Test::AnyNamed | Test::Any => None,
        }
    }

    fn holds<'tree>(
        &self,
        child: Child<'tree>,
        level: usize,
        scratch: &mut Scratch<'tree>,
    ) -> bool {
        // A look at the kind first: most children fail here, and reading theirs costs the most.
        if let Test::Kind(kind) = self.test
            && child.kind != kind
        {
            return false;
        }
        if self.reads == Reads::None {
            return self.holds_with(child, &[], level, scratch);
        }
        if scratch.levels.len() <= level {
            scratch.levels.resize_with(level + 1, Vec::new);
        }
        let mut children = std::mem::take(&mut scratch.levels[level]);
        children.clear();
        let signs = self.asks.signs;
        scratch.read(child.node, &mut children, self.reads, &self.asks, signs);
        let holds = self.holds_with(child, &children, level + 1, scratch);
        scratch.levels[level] = children;
        holds
    }

    /// Whether it holds at a node with these children; if not, no capture is left.
    fn holds_with<'tree>(
        &self,
        node: Child<'tree>,
        children: &[Child<'tree>],
        level: usize,
        scratch: &mut Scratch<'tree>,
    ) -> bool {
        let before = scratch.found.len();
        for capture in &self.captures {
            scratch.found.push((*capture, node.node));
        }
        let holds = match &self.test {
            Test::Kind(kind) => node.kind == *kind,
            Test::AnyNamed => node.node.is_named(),
            Test::Any => true,
            Test::OneOf(choices) => choices
                .iter()
                .any(|choice| choice.holds(node, level, scratch)),
        };
        let mut first = 0;
        let holds = holds
            && self
                .absent
                .iter()
                .all(|field| children.iter().all(|child| child.field != *field))
            && self
                .slots
                .iter()
                .all(|slot| slot.fill(&mut first, children, level, scratch));
        if !holds {
            scratch.found.truncate(before);
        }
        holds
    }
}

impl Slot {
    /// Finds every place where the chain fits, at child `first` or later, and moves `first` behind the first of them.
    fn fill<'tree>(
        &self,
        first: &mut usize,
        children: &[Child<'tree>],
        level: usize,
        scratch: &mut Scratch<'tree>,
    ) -> bool {
        let mut place = None;
        let from = if self.at_start { 0 } else { *first };
        for (at, child) in children.iter().enumerate().skip(from) {
            let may_start = match &self.kinds {
                Some(kinds) => kinds.contains(&child.kind),
                None => true,
            };
            if may_start && let Some(end) = self.chain_at(at, children, level, scratch) {
                place.get_or_insert(end);
            }
            if self.at_start && child.separates() {
                break;
            }
        }
        if let Some(end) = place {
            *first = end;
        }
        place.is_some() || self.chain.iter().all(|(_, matcher)| matcher.optional)
    }

    /// Where the chain ends if it starts at child `at`.
    fn chain_at<'tree>(
        &self,
        at: usize,
        children: &[Child<'tree>],
        level: usize,
        scratch: &mut Scratch<'tree>,
    ) -> Option<usize> {
        let before = scratch.found.len();
        let mut next = at;
        for (number, (field, matcher)) in self.chain.iter().enumerate() {
            while number > 0
                && children
                    .get(next)
                    .is_some_and(|child| child.node.is_extra())
            {
                next += 1;
            }
            let fits = children.get(next).is_some_and(|child| {
                (*field == NO_FIELD || child.field == *field)
                    && matcher.holds(*child, level, scratch)
            });
            if !fits {
                scratch.found.truncate(before);
                return None;
            }
            next += 1;
        }
        let rest = children.get(next..).unwrap_or(&[]);
        if self.at_end && rest.iter().any(Child::separates) {
            scratch.found.truncate(before);
            return None;
        }
        Some(next)
    }
}

struct Compiler<'a> {
    language: &'a Language,
    /// The kinds that have a name.
    named: &'a Kinds,
    texts: Vec<String>,
}

impl<'a> Compiler<'a> {
    fn new(language: &'a Language, named: &'a Kinds) -> Compiler<'a> {
        Compiler {
            language,
            named,
            texts: Vec::new(),
        }
    }

    fn pattern(mut self, pattern: &Pattern) -> Result<Compiled, String> {
        let root = self.matcher(&pattern.root)?;
        let predicates = pattern.predicates.iter().map(|predicate| {
            Ok(Comparison {
                capture: self.capture(&predicate.capture)?,
                texts: predicate.texts.clone().into(),
                negated: predicate.negated,
            })
        });
        let predicates: Result<Vec<_>, String> = predicates.collect();
        Ok(Compiled {
            predicates: predicates?.into(),
            root,
        })
    }

    fn matcher(&mut self, element: &Element) -> Result<Matcher, String> {
        let test = match &element.shape {
            Shape::Named(kind) => Test::Kind(self.kind(kind, true)?),
            Shape::Token(token) => Test::Kind(self.kind(token, false)?),
            Shape::AnyNamed => Test::AnyNamed,
            Shape::Any => Test::Any,
            Shape::OneOf(choices) => {
                let choices: Result<Vec<_>, _> =
                    choices.iter().map(|choice| self.matcher(choice)).collect();
                Test::OneOf(choices?.into())
            }
        };
        let mut slots = Vec::new();
        for slot in &element.slots {
            let mut chain = Vec::new();
            for (field, element) in &slot.chain {
                let field = match field {
                    Some(name) => self.field(name)?,
                    None => NO_FIELD,
                };
                chain.push((field, self.matcher(element)?));
            }
            let first = chain.first().and_then(|(_, matcher)| matcher.kinds());
            slots.push(Slot {
                kinds: first.map(Vec::into_boxed_slice),
                chain: chain.into(),
                at_start: slot.at_start,
                at_end: slot.at_end,
            });
        }
        let captures: Result<Vec<_>, _> = element
            .captures
            .iter()
            .map(|name| self.capture(name))
            .collect();
        let reads = match slots.as_slice() {
            [] if element.absent.is_empty() => Reads::None,
            [slot] if element.absent.is_empty() && slot.at_start && slot.chain.len() == 1 => {
                if slot.at_end {
                    Reads::All
                } else {
                    Reads::UntilNamed
                }
            }
            _ => Reads::All,
        };
        let absent: Result<Vec<_>, _> =
            element.absent.iter().map(|name| self.field(name)).collect();
        let mut matcher = Matcher {
            test,
            captures: captures?.into(),
            slots: slots.into(),
            absent: absent?.into(),
            optional: element.optional,
            reads,
            asks: Asks::default(),
        };
        let mut asks = Asks::default();
        matcher.ask(self.language, self.named, &mut asks);
        matcher.asks = asks;
        Ok(matcher)
    }

    fn capture(&mut self, name: &str) -> Result<Capture, String> {
        if name.starts_with('_') {
            let known = self.texts.iter().position(|text| text == name);
            let index = known.unwrap_or_else(|| {
                self.texts.push(name.to_owned());
                self.texts.len() - 1
            });
            return Ok(Capture::Text(index as u8));
        }
        Capture::named(name).ok_or_else(|| format!("@{name} means nothing here"))
    }

    fn kind(&self, kind: &str, named: bool) -> Result<u16, String> {
        match self.language.id_for_node_kind(kind, named) {
            0 => Err(format!("the grammar has no node {kind:?}")),
            id => Ok(id),
        }
    }

    fn field(&self, name: &str) -> Result<u16, String> {
        let id = self.language.field_id_for_name(name).map(u16::from);
        id.ok_or_else(|| format!("the grammar has no field {name:?}"))
    }
}
