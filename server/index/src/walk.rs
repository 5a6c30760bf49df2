//! One walk over a tree, from the first node to the last, that reads everything at once.
//!
//! The walk keeps its own stack and never recurses: trees are as deep as their text wants them to be.

use grammars::{Capture, Child, Entry, Grammar, Metric, Role, Scratch, SymbolKind};
use rustc_hash::FxHashMap;
use text::Range;
use tree_sitter::{Node, Tree};

use crate::facts::{Facts, ImportKind, count_lines};
use crate::imports::Imports;
use crate::instructions;
use crate::lead::{Lead, Leads};
use crate::metrics::{Complexity, Nest};
use crate::names::Interner;
use crate::references::{References, Strength};
use crate::symbols::{self, Found, Symbols};

mod again;
mod finish;
mod state;

pub(crate) use again::{Before, Damage, Past, Reading};
use again::{END, Recorder};

/// The facts that a tree holds.
pub(crate) fn extract(grammar: &'static Grammar, source: &str, tree: &Tree) -> Facts {
    let walker = walk(grammar, source, tree, None, &mut None);
    walker.finish(None, None).0
}

/// The same, and what the next walk over the same text needs once it has changed.
///
/// Takes over from the last walk what the change leaves as it was.
pub(crate) fn extract_again(
    grammar: &'static Grammar,
    source: &str,
    tree: &Tree,
    past: Option<&Past<'_>>,
) -> (Facts, Option<Reading>) {
    let names = past.map(|past| past.reading.names());
    let mut recorder = Some(Recorder::new(source, past));
    let walker = walk(grammar, source, tree, names, &mut recorder);
    walker.finish(recorder, past)
}

fn walk<'s>(
    grammar: &'static Grammar,
    source: &'s str,
    tree: &Tree,
    names: Option<Interner>,
    recorder: &mut Option<Recorder<'_>>,
) -> Walker<'s> {
    let root = tree.root_node();
    let mut walker = Walker {
        grammar,
        source,
        has_errors: root.has_error(),
        frames: Vec::new(),
        pending: FxHashMap::default(),
        leads: Leads::new(grammar, source),
        symbols: Symbols::new(grammar, source),
        complexity: Complexity::default(),
        imports: Imports::new(grammar, source),
        references: References::new(grammar, names),
        instructions: Vec::new(),
        errors: Vec::new(),
    };
    if let Some(recorder) = recorder {
        recorder.make_room(&mut walker);
    }
    let rules = grammar.rules();
    // Broken trees may have missing signs.
    let signs = walker.has_errors || rules.are_about_signs();
    let mut scratch = Scratch::new(root);
    let mut stack = vec![(Child::root(root), 0)];
    let mut children = Vec::new();
    while let Some((child, depth)) = stack.pop() {
        if walker.frames.last().is_some_and(|(at, _)| *at >= depth) {
            walker.leave(depth);
        }
        if let Some(recorder) = recorder.as_mut()
            && (recorder.arrive(&mut walker, &mut stack, child, depth) || child.kind == END)
        {
            continue;
        }
        let entry = rules.entry(child.kind);
        children.clear();
        if entry.is_none_or(|entry| entry.has_children) {
            scratch.read_children(entry, child.node, signs, &mut children);
        }
        walker.enter(child, &children, depth, entry, &mut scratch);
        // Half of all nodes are signs that nobody waits for.
        let all = walker.has_errors || !walker.pending.is_empty();
        if all && !signs {
            children.clear();
            scratch.read_children(entry, child.node, true, &mut children);
        }
        let due = children
            .iter()
            .rev()
            .filter(|child| all || !rules.entry(child.kind).is_some_and(Entry::is_idle));
        if let Some(recorder) = recorder.as_mut()
            && !children.is_empty()
            && recorder.enter(child.node.byte_range().into(), depth)
        {
            let mut end = child;
            end.kind = END;
            stack.push((end, depth + 1));
        }
        stack.extend(due.map(|child| (*child, depth + 1)));
    }
    walker.leave(0);
    walker
}

struct Walker<'s> {
    grammar: &'static Grammar,
    source: &'s str,
    has_errors: bool,
    /// What must be closed, and at which depth.
    frames: Vec<(u32, Frame)>,
    /// What patterns said about nodes further down, by identity and start.
    pending: FxHashMap<(usize, usize), Pending>,
    leads: Leads<'s>,
    symbols: Symbols<'s>,
    complexity: Complexity,
    imports: Imports<'s>,
    references: References,
    instructions: Vec<instructions::Draft>,
    errors: Vec<Range>,
}

#[derive(Clone, PartialEq, Debug)]
enum Frame {
    Symbol(u32),
    Wrapper(Wrapper),
    Nest(Nest),
    Chain { outermost: bool },
    Import,
    Prefix,
    Region(ImportKind),
}

/// A node that belongs to the definition inside it, if there is one only.
#[derive(Clone, PartialEq, Debug)]
struct Wrapper {
    node: Range,
    /// Whether it is part of the item itself.
    of_item: bool,
    lead: Option<Lead>,
    public: bool,
    private: bool,
    /// The number that the first symbol inside gets.
    next: u32,
    definitions: u32,
    first: u32,
}

impl Wrapper {
    /// Whether the first definition inside is the first symbol inside.
    fn is_first(&self) -> bool {
        self.definitions > 0 && self.first == self.next
    }

    /// Whether two are the same to what comes next, numbers aside.
    fn is_like(&self, other: &Wrapper) -> bool {
        (self.node, self.of_item, &self.lead) == (other.node, other.of_item, &other.lead)
            && (self.public, self.private) == (other.public, other.private)
            && (self.definitions, self.is_first()) == (other.definitions, other.is_first())
    }
}

#[derive(Default)]
struct Pending {
    definition: Option<SymbolKind>,
    else_if: bool,
    /// Whether what follows is hidden, or not.
    hides_rest: Option<bool>,
}

/// The node that the walk is at.
struct Here<'t> {
    node: Node<'t>,
    range: Range,
    depth: u32,
    lead: Option<Lead>,
    opened: Option<u32>,
    is_import: bool,
    else_if: bool,
}

impl<'s> Walker<'s> {
    fn enter<'t>(
        &mut self,
        child: Child<'t>,
        children: &[Child<'t>],
        depth: u32,
        entry: Option<&Entry>,
        scratch: &mut Scratch<'t>,
    ) {
        let node = child.node;
        if self.has_errors && (node.is_error() || node.is_missing()) {
            self.errors.push(node.byte_range().into());
        }
        let Some(entry) = entry else {
            // What stands above an error is not about what comes after it.
            if self.leads.is_open_at(depth) {
                self.leads.take(node.start_byte(), depth);
            }
            return;
        };
        let ends_lead = self.leads.is_open_at(depth) && entry.has_children && !is_lead(entry);
        let top_level = depth == 1 && entry.has_children && !is_lead(entry);
        if entry.is_silent() && self.pending.is_empty() && !ends_lead && !top_level {
            return;
        }
        let range = Range::from(node.byte_range());
        let mut here = Here {
            node,
            range,
            depth,
            lead: ends_lead
                .then(|| self.leads.take(range.start, depth))
                .flatten(),
            opened: None,
            is_import: false,
            else_if: false,
        };
        if !self.pending.is_empty() {
            self.apply_pending(&mut here);
        }
        for capture in &entry.always {
            match capture {
                // By far the most frequent.
                Capture::Reference(role) => {
                    let strength = self.strength(*role);
                    let (name, range) = self.name(node);
                    self.references.here(name, range.start, strength);
                }
                _ => self.apply(&mut here, &[(*capture, node)]),
            }
        }
        if entry.has_patterns() {
            let (rules, source) = (self.grammar.rules(), self.source);
            rules.matches(entry, child, children, source, scratch, |captures| {
                self.apply(&mut here, captures);
            });
        }
        if top_level {
            self.imports.top_level(here.is_import);
        }
    }

    fn leave(&mut self, depth: u32) {
        while let Some((_, frame)) = self.frames.pop_if(|(at, _)| *at >= depth) {
            match frame {
                Frame::Symbol(number) => self.close_symbol(number),
                Frame::Wrapper(wrapper) => self.close_wrapper(&wrapper),
                Frame::Nest(nest) => self.complexity.close(nest),
                Frame::Chain { outermost } => {
                    if outermost {
                        self.complexity.close_chain();
                    }
                }
                Frame::Import => self.imports.close(),
                Frame::Prefix => self.imports.close_prefix(),
                Frame::Region(before) => {
                    self.imports.set_kind(before);
                }
            }
        }
    }

    /// Takes in what a pattern higher up said about this node.
    fn apply_pending(&mut self, here: &mut Here<'_>) {
        let Some(pending) = self.pending.remove(&(here.node.id(), here.range.start)) else {
            return;
        };
        if pending.else_if {
            here.else_if = true;
            self.complexity
                .count(Metric::ElseIf, here.range, here.range);
        }
        if let Some(hidden) = pending.hides_rest {
            self.symbols.mark_rest(hidden);
        }
        if let Some(kind) = pending.definition {
            let found = Found {
                name: Some(self.name(here.node)),
                ..Found::default()
            };
            self.open_symbol(here, kind, &found, None);
        }
    }

    /// Takes in one match of one pattern.
    fn apply<'t>(&mut self, here: &mut Here<'t>, captures: &[(Capture, Node<'t>)]) {
        let mut found = Found::default();
        let mut definition = None;
        let mut parameters = None;
        let mut qualifier = None;
        let mut of_import = false;
        for (capture, node) in captures {
            match capture {
                Capture::Definition(kind) if *node == here.node => definition = Some(*kind),
                Capture::Definition(kind) => {
                    self.pending_at(*node).definition = Some(*kind);
                }
                Capture::Name => {
                    let name = self.name(*node);
                    found.name.get_or_insert(name);
                }
                Capture::Body => {
                    let body = self.trimmed(node.byte_range().into());
                    found.body = Some(found.body.map_or(body, |before| before.cover(body)));
                }
                Capture::Value => found.value = Some(node.byte_range().into()),
                Capture::Parameters => parameters = Some(node.byte_range().into()),
                Capture::Container => found.container = Some(self.name(*node).0),
                Capture::Interface => found.interface = Some(self.name(*node).0),
                Capture::Doc => {
                    let doc = node.byte_range().into();
                    match self.symbol_here(here) {
                        Some(draft) => {
                            draft.doc.get_or_insert(doc);
                        }
                        None => self.leads.document(doc),
                    }
                }
                Capture::Public => self.mark(here, |public, _| *public = true),
                Capture::Private => self.mark(here, |_, private| *private = true),
                Capture::PublicRest => self.mark_rest(here, *node, false),
                Capture::PrivateRest => self.mark_rest(here, *node, true),
                Capture::Export => {
                    if !self.imports.is_open() {
                        let name = self.text(*node);
                        self.symbols.export(name, &mut self.references.names);
                    }
                }
                Capture::Item | Capture::Wrapper => {
                    let wrapper = Wrapper {
                        node: here.range,
                        of_item: *capture == Capture::Item,
                        lead: here.lead.take(),
                        public: false,
                        private: false,
                        next: self.symbols.drafts.len() as u32,
                        definitions: 0,
                        first: 0,
                    };
                    self.frames.push((here.depth, Frame::Wrapper(wrapper)));
                }
                // Read below, once it is known whether there is a definition.
                Capture::Test | Capture::Text(_) | Capture::Smell(_) => {}
                Capture::Comment => {
                    let asks = instructions::read(&mut self.instructions, self.source, here.range);
                    self.leads.comment(here.range, here.depth, asks);
                    let start = here.range.start;
                    if let Some(draft) = self.symbol_here(here) {
                        draft.end_header(start);
                    }
                }
                Capture::Clause => found.clause = true,
                Capture::Attribute => {
                    // A pattern tells that it is one only after what stands above it was taken.
                    if let Some(lead) = here.lead.take() {
                        self.leads.resume(lead);
                    }
                    self.leads.attribute(here.range, here.depth);
                }
                Capture::Reference(role) => {
                    let qualifier = qualifier.take();
                    let member = *role == Role::Member;
                    self.ahead(*node, *role, member, qualifier);
                }
                Capture::MethodCall => {
                    let qualifier = qualifier.take();
                    self.ahead(*node, Role::Call, true, qualifier);
                }
                Capture::Qualifier => qualifier = Some(self.name(*node).0),
                Capture::Ignore => {
                    let (name, range) = self.name(*node);
                    self.references
                        .ahead(name, range.start, Strength::None, false, None);
                }
                Capture::Local => self.local(here, *node),
                Capture::LocalType => {
                    let (name, start) = (self.text(*node), node.start_byte());
                    self.references.local_type(name, start);
                }
                Capture::Import => {
                    let start = here.lead.as_ref().and_then(Lead::bound_start);
                    let start = start.unwrap_or(here.range.start);
                    let end = self.trimmed(here.range).end;
                    here.is_import = self.imports.open(Range::new(start, end));
                    if here.is_import {
                        self.frames.push((here.depth, Frame::Import));
                    }
                }
                Capture::ImportPrefix => {
                    if self.imports.open_prefix(*node) {
                        self.frames.push((here.depth, Frame::Prefix));
                    }
                }
                Capture::ImportType => of_import |= !self.region(here, ImportKind::Type),
                Capture::ImportGuarded => of_import |= !self.region(here, ImportKind::Guarded),
                Capture::ImportDynamic => of_import |= !self.region(here, ImportKind::Dynamic),
                Capture::ImportModule
                | Capture::ImportSource
                | Capture::ImportPath
                | Capture::ImportName
                | Capture::ImportDefault
                | Capture::ImportAlias
                | Capture::ImportWildcard
                | Capture::ImportReexport => of_import = true,
                Capture::Metric(metric) => self.metric(here, *metric, *node),
            }
        }
        if of_import {
            self.imports.read(captures);
        }
        if let Some(kind) = definition {
            self.open_symbol(here, kind, &found, parameters);
        }
        if captures
            .iter()
            .any(|(capture, _)| *capture == Capture::Test)
        {
            match self.symbol_here(here).filter(|_| definition.is_some()) {
                Some(draft) => draft.test = true,
                None => self.leads.mark_test(),
            }
        }
    }

    fn open_symbol(
        &mut self,
        here: &mut Here<'_>,
        kind: SymbolKind,
        found: &Found<'s>,
        parameters: Option<Range>,
    ) {
        if here.opened.is_some() {
            return;
        }
        let trimmed = self.trimmed(here.range);
        let inside = [found.name.map(|(_, range)| range), found.body];
        // In a broken text a part may be empty and stand behind the blanks.
        let fits = inside
            .into_iter()
            .flatten()
            .all(|part| trimmed.contains_range(part));
        let range = if fits { trimmed } else { here.range };
        let names = &mut self.references.names;
        let Some(number) = self.symbols.open(kind, range, found, names) else {
            return;
        };
        here.opened = Some(number);
        let (public, private) = self.enter_wrappers(here.depth, number);
        let lead = here.lead.take().filter(|lead| self.is_alone(lead, number));
        if let Some(draft) = self.symbols.drafts.get_mut(number as usize) {
            draft.public |= public;
            draft.private |= private;
            if let Some(lead) = lead {
                draft.range.start = draft.range.start.min(lead.start());
                draft.doc = draft.doc.or(lead.doc);
                draft.test |= lead.test;
            }
            // The name in an impl block is a mention of the type.
            if kind != SymbolKind::Impl
                && let Some((name, range)) = found.name
            {
                let start = range.start;
                self.references
                    .ahead(name, start, Strength::None, false, None);
            }
            if draft.kind.is_callable() {
                self.complexity.open_function(parameters, found.body);
            }
        }
        self.frames.push((here.depth, Frame::Symbol(number)));
    }

    /// Whether no symbol before `number` lies in what stands above it: in a broken text an attribute may hold some.
    fn is_alone(&self, lead: &Lead, number: u32) -> bool {
        let before = (number as usize).checked_sub(1);
        let before = before.and_then(|before| self.symbols.drafts.get(before));
        before.is_none_or(|before| before.range.start < lead.start())
    }

    /// Tells the nodes directly around a definition about it. Says whether one of them makes it public, or hides it.
    fn enter_wrappers(&mut self, depth: u32, number: u32) -> (bool, bool) {
        let (mut public, mut private) = (false, false);
        let mut below = depth;
        for (at, frame) in self.frames.iter_mut().rev() {
            match frame {
                _ if *at + 1 < below => break,
                Frame::Symbol(_) => break,
                Frame::Wrapper(wrapper) => {
                    if wrapper.definitions == 0 {
                        wrapper.first = number;
                    }
                    wrapper.definitions += 1;
                    public |= wrapper.public;
                    private |= wrapper.private;
                    below = *at;
                }
                _ => {}
            }
        }
        (public, private)
    }

    fn close_symbol(&mut self, number: u32) {
        self.symbols.close();
        if let Some(draft) = self.symbols.drafts.get_mut(number as usize)
            && draft.kind.is_callable()
        {
            let mut metrics = self.complexity.close_function();
            if let Some(before) = draft.metrics {
                metrics.join(before);
            }
            let item = self.source.get(draft.item.start..draft.item.end);
            metrics.lines = count_lines(item.unwrap_or("").trim_end()) as u32;
            draft.metrics = Some(metrics);
        }
    }

    fn close_wrapper(&mut self, wrapper: &Wrapper) {
        // Something else inside may hold symbols too, before or after; then the node is not the definition's alone.
        if wrapper.definitions != 1 || wrapper.first != wrapper.next {
            return;
        }
        let last = self
            .symbols
            .drafts
            .last()
            .map_or(0, |last| last.range.start);
        let lead = wrapper.lead.as_ref();
        let lead = lead.filter(|lead| self.is_alone(lead, wrapper.first));
        let Some(draft) = self.symbols.drafts.get_mut(wrapper.first as usize) else {
            return;
        };
        if last > draft.range.end {
            return;
        }
        draft.range = draft.range.cover(wrapper.node);
        if wrapper.of_item {
            draft.item = draft.item.cover(wrapper.node);
        }
        if let Some(lead) = lead {
            draft.range.start = draft.range.start.min(lead.start());
            draft.doc = draft.doc.or(lead.doc);
            draft.test |= lead.test;
        }
    }

    /// Makes the symbol that this node is, is directly inside of or stands around visible or hidden.
    fn mark(&mut self, here: &Here<'_>, set: impl FnOnce(&mut bool, &mut bool)) {
        if let Some((at, Frame::Wrapper(wrapper))) = self.frames.last_mut()
            && *at == here.depth
        {
            set(&mut wrapper.public, &mut wrapper.private);
        } else if let Some(draft) = self.symbol_here(here) {
            set(&mut draft.public, &mut draft.private);
        }
    }

    /// Makes what follows a node hidden, or not: from here on, or once the walk has come to it.
    fn mark_rest(&mut self, here: &Here<'_>, node: Node<'_>, hidden: bool) {
        if node == here.node {
            self.symbols.mark_rest(hidden);
        } else {
            self.pending_at(node).hides_rest = Some(hidden);
        }
    }

    /// The symbol that this node is, or that it is directly inside of.
    fn symbol_here(&mut self, here: &Here<'_>) -> Option<&mut symbols::Draft> {
        let number = here.opened.or_else(|| {
            let around = self.frames.iter().rev();
            let mut around = around.take_while(|(at, _)| *at + 1 >= here.depth);
            around.find_map(|(at, frame)| match frame {
                Frame::Symbol(number) if *at < here.depth => Some(*number),
                _ => None,
            })
        })?;
        self.symbols.drafts.get_mut(number as usize)
    }

    fn local(&mut self, here: &Here<'_>, node: Node<'_>) {
        let (name, range) = self.name(node);
        let opened = here
            .opened
            .and_then(|number| self.symbols.drafts.get(number as usize));
        // A function that is bound to a name is a symbol, and calls of it are worth keeping.
        if opened.is_none_or(|draft| draft.name_range != range) {
            self.references.local(name, here.range);
        }
    }

    fn metric(&mut self, here: &Here<'_>, metric: Metric, node: Node<'_>) {
        let range = Range::from(node.byte_range());
        match metric {
            Metric::Parameter if self.grammar.self_names.contains(&self.text(node)) => {}
            Metric::ElseIf => self.pending_at(node).else_if = true,
            Metric::Branch if here.else_if => {}
            Metric::Else if self.is_else_if(node) => {}
            Metric::Boolean => {
                let is_this = |(at, frame): &&(u32, Frame)| {
                    *at == here.depth && matches!(frame, Frame::Chain { .. })
                };
                if !self.frames.last().is_some_and(|frame| is_this(&frame)) {
                    let continues = self.frames.last().is_some_and(|(at, frame)| {
                        *at + 1 == here.depth && matches!(frame, Frame::Chain { .. })
                    });
                    if !continues {
                        self.complexity.open_chain();
                    }
                    let outermost = !continues;
                    self.frames.push((here.depth, Frame::Chain { outermost }));
                }
                self.complexity.operator(range.start, node.kind_id());
            }
            Metric::Branch
            | Metric::Else
            | Metric::Case
            | Metric::Nesting
            | Metric::Jump
            | Metric::Parameter => {
                if let Some(nest) = self.complexity.count(metric, range, here.range) {
                    self.frames.push((here.depth, Frame::Nest(nest)));
                }
            }
        }
    }

    /// Makes imports inside this node one of a kind. False if the node is part of an import, which is then of that kind.
    fn region(&mut self, here: &Here<'_>, kind: ImportKind) -> bool {
        if self.imports.is_open() {
            return false;
        }
        let before = self.imports.set_kind(kind);
        self.frames.push((here.depth, Frame::Region(before)));
        true
    }

    fn ahead(&mut self, node: Node<'_>, role: Role, member: bool, qualifier: Option<&'s str>) {
        let ((name, range), strength) = (self.name(node), self.strength(role));
        self.references
            .ahead(name, range.start, strength, member, qualifier);
    }

    fn strength(&self, role: Role) -> Strength {
        Strength::As(if self.imports.is_open() {
            Role::Import
        } else {
            role
        })
    }

    fn is_else_if(&self, node: Node<'_>) -> bool {
        let pending = self.pending.get(&(node.id(), node.start_byte()));
        pending.is_some_and(|pending| pending.else_if)
    }

    fn pending_at(&mut self, node: Node<'_>) -> &mut Pending {
        self.pending
            .entry((node.id(), node.start_byte()))
            .or_default()
    }

    /// A range without the blanks at its end: some grammars count the end of the line as part of a node.
    fn trimmed(&self, range: Range) -> Range {
        let text = self.source.get(range.start..range.end).unwrap_or("");
        if text.is_empty() || !text.ends_with(char::is_whitespace) {
            return range;
        }
        Range::new(range.start, range.start + text.trim_end().len())
    }

    /// The name that a node is, without the sigil and the other parts before it, and where it stands.
    fn name(&self, node: Node<'_>) -> (&'s str, Range) {
        let bytes = node.byte_range();
        let range = Range::from(bytes.clone());
        let text = self.source.get(bytes).unwrap_or("");
        let mut sigils = self.grammar.sigils.iter();
        let name = sigils.find_map(|sigil| text.strip_prefix(sigil));
        let name = name.unwrap_or(text);
        let last = self.grammar.name_separator.and_then(|separator| {
            let (_, last) = name.rsplit_once(separator)?;
            (!last.is_empty()).then_some(last)
        });
        let name = last.unwrap_or(name);
        (name, Range::new(range.end - name.len(), range.end))
    }

    fn text(&self, node: Node<'_>) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or("")
    }
}

fn is_lead(entry: &Entry) -> bool {
    entry
        .always
        .iter()
        .any(|capture| matches!(capture, Capture::Comment | Capture::Attribute))
}
