//! What could go into a pack besides the task and the target, the most useful first.

use std::cell::{OnceCell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use index::{Index, Place, Role, Symbol, SymbolId, SymbolKind};
use text::{FilePath, Range};
use workspace::Snapshot;

use super::{PackKind, Part};
use crate::action::one_line;
use crate::scope::NAMESAKES;
use crate::source::{Source, shown_path};
use crate::{Note, Scope, Task};

/// Types of at most so many lines are shown whole, longer ones by header and fields.
const WHOLE_TYPE: usize = 30;
/// The most types that are shown.
const TYPES: usize = 16;
/// The most callees that are shown.
const CALLEES: usize = 24;
/// The most callers that are shown.
const CALLERS: usize = 5;
/// In how many files callers and tests are looked for, the nearest first.
const NEAR: usize = 12;
/// How many lines around a call are shown, as far as they belong to the caller.
const AROUND_CALL: usize = 3;
/// How many tests are shown whole.
const WHOLE_TESTS: usize = 2;
/// How many more are named.
const NAMED_TESTS: usize = 8;
/// Imports of at most so many lines are shown whole, of longer ones those that the target uses.
const WHOLE_IMPORTS: usize = 40;

/// One thing that can be asked about the target.
pub(super) struct Question<'q> {
    pub(super) task: &'q Task,
    pub(super) scope: &'q Scope,
    /// The file that may change.
    pub(super) home: &'q Source,
}

/// Finds what belongs to one target. What is the same for every question about it is looked up once.
pub(super) struct Finder<'a> {
    snapshot: &'a Snapshot,
    /// The file of the target.
    pub(super) source: Source,
    pub(super) target: Symbol,
    id: Option<SymbolId>,
    /// Other files, as far as they have been looked at.
    read: RefCell<BTreeMap<FilePath, Option<Source>>>,
    /// See [`Finder::where_it_is_meant`].
    meant: OnceCell<Index>,
    around: Found,
    imports: Found,
    types: Found,
    callees: Found,
    callers: Found,
    tests: Found,
}

/// Makes the parts of one kind.
type Section<'a> = fn(&Finder<'a>, &Question<'_>) -> Vec<Rc<Part>>;

/// The parts of a section, once it has been looked for.
type Found = OnceCell<Vec<Rc<Part>>>;

impl<'a> Finder<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, source: Source, target: Symbol) -> Finder<'a> {
        Finder {
            snapshot,
            id: source.id(&target),
            source,
            target,
            read: RefCell::default(),
            meant: OnceCell::new(),
            around: Found::new(),
            imports: Found::new(),
            types: Found::new(),
            callees: Found::new(),
            callers: Found::new(),
            tests: Found::new(),
        }
    }

    /// All parts, in order, each made when it is asked for: what does not fit is never read.
    pub(super) fn parts<'q>(
        &'q self,
        question: &'q Question<'q>,
    ) -> impl Iterator<Item = Rc<Part>> + 'q {
        let sections: [Section<'a>; 9] = [
            |finder, question| shared(finder.room(question)),
            |finder, _| once(&finder.around, || finder.around()),
            |finder, question| {
                if finder.is_here(question.home) {
                    once(&finder.imports, || finder.imports(&finder.source))
                } else {
                    shared(finder.imports(question.home))
                }
            },
            |finder, question| shared(finder.diagnostics(question.task)),
            |finder, _| once(&finder.types, || finder.types()),
            |finder, _| once(&finder.callees, || finder.callees()),
            |finder, _| once(&finder.callers, || finder.callers()),
            |finder, _| once(&finder.tests, || finder.tests()),
            |_, question| shared(conventions(question.task)),
        ];
        sections
            .into_iter()
            .flat_map(move |section| section(self, question))
    }

    /// Where new items go when the target only anchors them.
    fn room(&self, question: &Question<'_>) -> Vec<Part> {
        let Question { task, scope, home } = *question;
        let rooms = scope
            .targets
            .iter()
            .filter(|target| !self.is_here(home) || *target.symbol != *task.symbol);
        let rooms = rooms.filter_map(|target| Some((target, home.symbol(&target.symbol)?)));
        rooms
            .map(|(target, symbol)| {
                let position = if target.edit { "inside" } else { "after" };
                let mut text = format!(
                    "add_symbol with anchor `{}` and position `{position}`.",
                    symbol.path
                );
                if target.edit {
                    let inside: Vec<String> = children(home, symbol)
                        .filter(|child| child.kind.is_callable() && !child.test_case)
                        .map(|child| home.signature(child))
                        .collect();
                    if !inside.is_empty() {
                        let _ = write!(
                            text,
                            " Helpers there: {}",
                            one_line(&inside.join("; "), 600)
                        );
                    }
                }
                Part::new(PackKind::Room, symbol.path.to_string(), text)
            })
            .collect()
    }

    /// The headers of what the target is in, outermost first, and the fields of the type it belongs to.
    fn around(&self) -> Vec<Part> {
        let Some(id) = self.id else { return Vec::new() };
        let facts = &self.source.facts;
        let mut headers: Vec<&Symbol> = facts
            .ancestors(id)
            .skip(1)
            .map(|(_, symbol)| symbol)
            .collect();
        headers.reverse();
        let owner = facts
            .container(id)
            .and_then(|owner| facts.symbol(owner))
            .filter(|owner| owner.kind.is_type());
        let mut parts: Vec<Part> = Vec::new();
        for symbol in headers {
            let mut text = self.source.signature(symbol);
            if symbol.kind.is_type() {
                text.push_str(&fields(&self.source, children(&self.source, symbol)));
            }
            parts.push(Part::new(PackKind::Around, symbol.path.to_string(), text));
        }
        if let Some(owner) = owner.filter(|owner| !owner.range.contains_range(self.target.range)) {
            let text = type_text(&self.source, owner);
            parts.push(Part::new(PackKind::Around, owner.path.to_string(), text));
        }
        parts
    }

    fn imports(&self, home: &Source) -> Vec<Part> {
        let facts = &home.facts;
        let part = |text: String| vec![Part::new(PackKind::Imports, "imports".to_owned(), text)];
        if let Some(range) = facts.imports_range() {
            let text = home.text.slice(range);
            if text.lines().count() <= WHOLE_IMPORTS {
                return part(text);
            }
        }
        let used: BTreeSet<&str> = self
            .source
            .facts
            .references_in(self.target.range)
            .flat_map(|reference| [Some(reference.name), reference.qualifier])
            .flatten()
            .collect();
        let mut ranges: BTreeSet<Range> = BTreeSet::new();
        for name in used {
            if let Some((import, _)) = facts.import_of(name)
                && import.within.is_none()
            {
                ranges.insert(import.range);
            }
        }
        let lines: Vec<String> = ranges
            .into_iter()
            .map(|range| home.text.slice(range))
            .collect();
        if lines.is_empty() {
            Vec::new()
        } else {
            part(lines.join("\n"))
        }
    }

    fn diagnostics(&self, task: &Task) -> Vec<Part> {
        let lines: Vec<String> = task
            .diagnostics
            .iter()
            .map(|note| self.diagnostic(note))
            .collect();
        if lines.is_empty() {
            return Vec::new();
        }
        vec![Part::new(
            PackKind::Diagnostics,
            "diagnostics".to_owned(),
            lines.join("\n"),
        )]
    }

    fn diagnostic(&self, note: &Note) -> String {
        let text = &self.source.text;
        let line = text.line_range(note.line.saturating_sub(1));
        let at = if self.target.range.intersects(line) {
            format!("at `{}`", one_line(&text.slice(line), 160))
        } else {
            format!("line {}", note.line)
        };
        let who: Vec<&str> = [note.source.as_deref(), note.code.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let who = if who.is_empty() {
            String::new()
        } else {
            format!(" ({})", one_line(&who.join(" "), 80))
        };
        format!("{at}: {}{who}", one_line(&note.message, 600))
    }

    /// Types that the target mentions, in the order in which it does.
    fn types(&self) -> Vec<Part> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut parts = Vec::new();
        for reference in self.source.facts.references_in(self.target.range) {
            let may_be_type = matches!(reference.role, Role::Type | Role::Implement | Role::Call)
                && !reference.member;
            if !may_be_type || !seen.insert(reference.name) || parts.len() >= TYPES {
                continue;
            }
            let Some((file, path)) = self.type_called(reference.name) else {
                continue;
            };
            parts.extend(self.with(&file, &path, |source, symbol| {
                let here = source.file == self.source.file;
                if self.target_holds(source, symbol) || (here && self.is_around(symbol)) {
                    return None;
                }
                let text = format!(
                    "{}\n{}",
                    self.place_of(source, symbol),
                    type_text(source, symbol)
                );
                Some(Part::new(PackKind::Type, symbol.path.to_string(), text))
            }));
        }
        parts
    }

    /// Functions that the target calls, by signature and first line of documentation.
    fn callees(&self) -> Vec<Part> {
        let Some(here) = self.here() else {
            return Vec::new();
        };
        let index = self.snapshot.index();
        let callees = index.first_callees(&here.file, here.symbol, CALLEES);
        let parts = callees.into_iter().filter_map(|place| {
            let path = self.path_of(&place)?;
            self.with(&place.file, &path, |source, symbol| {
                if symbol.kind.is_type() || self.target_holds(source, symbol) {
                    return None;
                }
                let mut text = format!(
                    "{}: {}",
                    self.place_of(source, symbol),
                    source.signature(symbol)
                );
                if let Some(doc) = source.doc_line(symbol) {
                    let _ = write!(text, "\n  {doc}");
                }
                Some(Part::new(PackKind::Callee, symbol.path.to_string(), text))
            })
        });
        parts.collect()
    }

    /// Places that call the target: near ones before far ones. Tests have a section of their own.
    fn callers(&self) -> Vec<Part> {
        let Some(here) = self.here() else {
            return Vec::new();
        };
        let index = self.where_it_is_meant();
        let mut ranked = Vec::new();
        // Common names have callers everywhere, so files are read for those alone that are shown.
        for (caller, calls) in index.callers_near(&here, NEAR) {
            if let Some(symbol) = index.symbol(&caller).filter(|symbol| !symbol.test) {
                let far = u8::from(caller.file != here.file)
                    + u8::from(caller.file.parent() != here.file.parent());
                ranked.push((
                    (far, Reverse(calls.len())),
                    caller,
                    symbol.path.clone(),
                    calls,
                ));
            }
        }
        ranked.sort_by(|(a, place, ..), (b, other, ..)| (a, place).cmp(&(b, other)));
        let parts = ranked
            .into_iter()
            .take(2 * CALLERS)
            .filter_map(|(_, caller, path, calls)| {
                self.with(&caller.file, &path, |source, symbol| {
                    self.call(source, symbol, &calls)
                })
            });
        parts.take(CALLERS).collect()
    }

    fn call(&self, source: &Source, caller: &Symbol, calls: &[Range]) -> Option<Part> {
        if self.target_holds(source, caller) {
            return None;
        }
        // A place that the index remembers from an older text shows something else by now.
        let call = calls
            .iter()
            .find(|call| source.text.slice(**call) == *self.target.name)?;
        let lines = lines_around(source, caller, *call);
        let place = self.place_of(source, caller);
        // A caller of one line is its own signature.
        let one_line = source.text.line_of(call.start) <= source.text.line_of(caller.header.end);
        let text = if one_line {
            format!("{place}:\n{lines}")
        } else {
            format!("{place}: {}\n{lines}", source.signature(caller))
        };
        Some(Part::new(PackKind::Caller, caller.path.to_string(), text))
    }

    /// The nearest tests whole, the next by name.
    fn tests(&self) -> Vec<Part> {
        let Some(here) = self.here() else {
            return Vec::new();
        };
        let mut parts = Vec::new();
        let mut named = Vec::new();
        let tests = self.where_it_is_meant().nearest_tests_in(&here, NEAR);
        for test in tests.into_iter().take(WHOLE_TESTS + NAMED_TESTS) {
            let Some(path) = self.path_of(&test) else {
                continue;
            };
            let whole = parts.len() < WHOLE_TESTS;
            let part = self.with(&test.file, &path, |source, symbol| {
                if self.target_holds(source, symbol) {
                    return None;
                }
                let place = self.place_of(source, symbol);
                let text = if whole {
                    format!("{place}\n{}", source.text_of(symbol))
                } else {
                    place
                };
                Some(Part::new(PackKind::Test, symbol.path.to_string(), text))
            });
            match part {
                Some(part) if whole => parts.push(part),
                Some(part) => named.push(part.text),
                None => {}
            }
        }
        if !named.is_empty() {
            let text = format!("Also: {}", named.join(", "));
            parts.push(Part::new(PackKind::Test, "further tests".to_owned(), text));
        }
        parts
    }

    /// The type of that name, if it is certain enough which one that is: one of this file, or the only one, or the only
    /// one of the folder.
    fn type_called(&self, name: &str) -> Option<(FilePath, Arc<str>)> {
        let facts = &self.source.facts;
        let mut here = facts
            .by_name(name)
            .iter()
            .filter_map(|id| facts.symbol(*id));
        if let Some(symbol) = here.find(|symbol| symbol.kind.is_type()) {
            return Some((self.source.file.clone(), symbol.path.clone()));
        }
        let index = self.snapshot.index();
        let mut types = index.types_called(name);
        if types.len() > 1 {
            let folder = self.source.file.parent();
            types.retain(|place| place.file.parent() == folder);
        }
        let [only] = <[Place; 1]>::try_from(types).ok()?;
        let path = index.symbol(&only)?.path;
        Some((only.file, path))
    }

    /// The files where the target's name means the target: all, or with many namesakes its own. Elsewhere a common name
    /// mostly means another one, and all its mentions take long to look at.
    fn where_it_is_meant(&self) -> &Index {
        self.meant.get_or_init(|| {
            let index = self.snapshot.index();
            if !index.is_common(&self.target.name, NAMESAKES) {
                return index.clone();
            }
            let mut here = Index::default();
            if let Some(facts) = index.file(&self.source.file) {
                here.insert(self.source.file.clone(), facts.clone());
            }
            here
        })
    }

    /// The target as the index knows it. The index may lag behind the text by a keystroke, so that its identifiers mean
    /// nothing here and ours nothing there; what joins the two is the path.
    fn here(&self) -> Option<Place> {
        let symbol = self
            .snapshot
            .index()
            .file(&self.source.file)?
            .by_path(&self.target.path)?;
        Some(Place {
            file: self.source.file.clone(),
            symbol,
        })
    }

    fn path_of(&self, place: &Place) -> Option<Arc<str>> {
        Some(
            self.snapshot
                .index()
                .file(&place.file)?
                .symbol(place.symbol)?
                .path
                .clone(),
        )
    }

    /// Shows a symbol of any file to `show`, if the file can be read and has it.
    fn with<T>(
        &self,
        file: &FilePath,
        path: &str,
        show: impl FnOnce(&Source, &Symbol) -> Option<T>,
    ) -> Option<T> {
        if *file == self.source.file {
            return show(&self.source, self.source.symbol(path)?);
        }
        let known = self.read.borrow().get(file).cloned();
        let source = known.unwrap_or_else(|| {
            let source = Source::indexed(self.snapshot, file);
            self.read.borrow_mut().insert(file.clone(), source.clone());
            source
        })?;
        show(&source, source.symbol(path)?)
    }

    /// `PATH (file:line)`: enough to ask for it.
    fn place_of(&self, source: &Source, symbol: &Symbol) -> String {
        format!(
            "{} ({}:{})",
            symbol.path,
            shown_path(self.snapshot, &source.file),
            source.line(symbol.item.start)
        )
    }

    /// Whether the file that may change is that of the target.
    fn is_here(&self, home: &Source) -> bool {
        home.file == self.source.file
    }

    fn target_holds(&self, source: &Source, symbol: &Symbol) -> bool {
        source.file == self.source.file && self.target.range.contains_range(symbol.range)
    }

    fn is_around(&self, symbol: &Symbol) -> bool {
        let owner = self
            .id
            .and_then(|id| self.source.facts.container(id))
            .and_then(|id| self.source.facts.symbol(id));
        symbol.range.contains_range(self.target.range)
            || owner.is_some_and(|owner| owner.path == symbol.path)
    }
}

fn once(found: &Found, find: impl FnOnce() -> Vec<Part>) -> Vec<Rc<Part>> {
    found.get_or_init(|| shared(find())).clone()
}

fn shared(parts: Vec<Part>) -> Vec<Rc<Part>> {
    parts.into_iter().map(Rc::new).collect()
}

fn conventions(task: &Task) -> Vec<Part> {
    let conventions = task
        .conventions
        .iter()
        .filter(|text| !text.trim().is_empty());
    conventions
        .map(|text| {
            Part::new(
                PackKind::Convention,
                one_line(text, 60),
                text.trim().to_owned(),
            )
        })
        .collect()
}

/// A short type whole, a longer one by header and fields.
fn type_text(source: &Source, symbol: &Symbol) -> String {
    let text = source.text_of(symbol);
    if text.lines().count() <= WHOLE_TYPE {
        return text;
    }
    format!(
        "{}{}",
        source.signature(symbol),
        fields(source, children(source, symbol))
    )
}

/// What is directly inside a symbol.
fn children<'s>(source: &'s Source, symbol: &Symbol) -> impl Iterator<Item = &'s Symbol> {
    let children = source
        .id(symbol)
        .into_iter()
        .flat_map(|id| source.facts.children(id));
    children.filter_map(|child| source.facts.symbol(child))
}

/// The fields and variants of a type, a line each.
fn fields<'s>(source: &Source, children: impl Iterator<Item = &'s Symbol>) -> String {
    let fields =
        children.filter(|child| matches!(child.kind, SymbolKind::Field | SymbolKind::Variant));
    let mut text = String::new();
    for field in fields.take(60) {
        let _ = write!(
            text,
            "\n  {}",
            one_line(&source.text.slice(field.item), 160)
        );
    }
    text
}

/// The lines around a call, as far as they belong to the caller, without the indentation that they share.
fn lines_around(source: &Source, caller: &Symbol, call: Range) -> String {
    let text = &source.text;
    let (first, last) = (
        text.line_of(caller.item.start),
        text.line_of(caller.item.end),
    );
    let at = text.line_of(call.start);
    // The signature is shown already.
    let first = first.max(text.line_of(caller.header.end) + 1).min(at);
    let lines = at.saturating_sub(AROUND_CALL).max(first)..=(at + AROUND_CALL).min(last);
    let mut lines: Vec<String> = lines
        .map(|line| text.slice(text.line_range(line)))
        .collect();
    while lines
        .last()
        .is_some_and(|line| !line.contains(char::is_alphanumeric))
    {
        lines.pop();
    }
    let indent = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min();
    let cut = indent.unwrap_or(0).saturating_sub(2);
    lines
        .iter()
        .map(|line| line.get(cut..).unwrap_or("").trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}
