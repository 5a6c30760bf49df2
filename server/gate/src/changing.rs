//! A change that has been made on trial, judged by what it leaves of the text outside of the scope.

use std::sync::Arc;

use index::{Changed, Facts, Parsed, Part, Stray, Symbol, SymbolId};
use text::{Bias, EditSet, Range, Text};

use crate::draft::last_child;
use crate::imports::{brings_imports_only, is_blank_or_imports, trimmed};
use crate::verdict::{Refusable, Rule, View, refuse};
use crate::{Operation, Place, Region, Scope};

/// A change that is being judged by the symbols it leaves.
pub(crate) struct Changing<'c> {
    pub(crate) view: &'c View<'c>,
    pub(crate) scope: &'c Scope,
    pub(crate) after: &'c Text,
    pub(crate) after_scope: &'c Scope,
    pub(crate) edits: &'c EditSet,
    pub(crate) operation: &'c Operation,
    /// What it touches, in the text before it.
    pub(crate) touched: Range,
    /// Where it can have put something, in the text after it.
    pub(crate) area: Range,
}

/// What is known of the text after a change.
pub(crate) enum After<'a> {
    /// Everything.
    Whole(&'a Parsed),
    /// All about the part that the change is in, and that nothing else is another.
    Part(&'a Part<'a>),
}

impl After<'_> {
    /// The facts, and where the text that they are about starts.
    fn facts(&self) -> (&Facts, usize) {
        match self {
            After::Whole(parsed) => (parsed.facts(), 0),
            After::Part(part) => (part.facts(), part.start()),
        }
    }
}

impl Changing<'_> {
    /// The part that the change is in, where that is enough to judge it by: a reading of the whole would say the same.
    pub(crate) fn part(&self, longest: usize) -> Option<Part<'_>> {
        // Lines may hold anything, and what else is in a block of imports is known from all of it.
        let enough = self.scope.regions.is_empty()
            && (!self.is_of_imports()
                || (self.edits.edits().iter()).all(|edit| is_blank_or_imports(self.view, edit)));
        let parsed = self.view.parsed;
        let part = || parsed.part(self.touched, self.edits, self.after, longest);
        enough.then(part).flatten()
    }

    fn is_of_imports(&self) -> bool {
        matches!(self.operation, Operation::EditImports { .. })
    }

    /// What the change adds to the symbols of the file, if that may be.
    pub(crate) fn judged(&self, after: &After<'_>) -> Refusable<Vec<String>> {
        let (scope, view) = (self.scope, self.view);
        let Outcome { gone, added } = self.outcome(after);
        if self.is_of_imports() {
            let brings_imports_only = match after {
                After::Whole(parsed) => brings_imports_only(view, self.edits, parsed.facts()),
                After::Part(_) => true,
            };
            if gone.is_some() || !added.is_empty() || !brings_imports_only {
                return refuse(
                    Rule::Scope,
                    "edit_imports takes whole import statements and nothing else",
                );
            }
            return self.keeps_to_itself(after).map(|()| Vec::new());
        }
        if let Some(gone) = gone {
            return refuse(
                Rule::Scope,
                format!(
                    "this would remove or rename `{gone}`, which is outside the scope ({})",
                    scope.describe()
                ),
            );
        }
        if let Some(name) = self.misled(after) {
            return refuse(
                Rule::Scope,
                format!(
                    "after this `{name}` would be the name of something outside the scope; give the new item another name, or put it after the others of its name"
                ),
            );
        }
        if let Some(name) = self.drawn_in(after) {
            return refuse(
                Rule::Scope,
                format!(
                    "a part of this would belong to `{name}`, which is outside the scope; end it with the item itself"
                ),
            );
        }
        self.keeps_to_itself(after)?;
        let is_root = |path: &&&str| {
            let mut containers = path.match_indices('/').map(|(at, _)| &path[..at]);
            !containers.any(|container| added.binary_search(&container).is_ok())
        };
        let roots = added.iter().filter(is_root).count();
        if roots > usize::from(scope.siblings) {
            return refuse(
                Rule::Scope,
                format!(
                    "this adds {roots} new items, the scope has room for {}; fold them into the target",
                    scope.siblings
                ),
            );
        }
        Ok(self.own(after))
    }

    /// What becomes of the symbols outside of the scope.
    fn outcome<'a>(&'a self, after: &'a After<'_>) -> Outcome<'a> {
        let before = self.view.parsed.facts();
        match after {
            After::Whole(parsed) => Outcome::between(
                outside(before, self.scope, before.in_order_of_path()),
                outside(
                    parsed.facts(),
                    self.after_scope,
                    parsed.facts().in_order_of_path(),
                ),
            ),
            After::Part(part) => {
                let facts = part.facts();
                Outcome::between(
                    outside(before, self.scope, part.before()),
                    outside(facts, self.after_scope, facts.in_order_of_path()),
                )
            }
        }
    }

    /// A target whose name leads out of the scope after the edits: an item of the same name was put before it.
    fn misled(&self, after: &After<'_>) -> Option<&str> {
        let (before, edits) = (self.view.parsed.facts(), self.edits);
        let is_at = |name: &str| match after {
            After::Whole(parsed) => place(parsed.facts(), name),
            After::Part(part) => part.place(name),
        };
        let targets = self.scope.targets.iter();
        let places =
            targets.filter_map(|target| Some(moved(edits, place(before, &target.symbol)?)));
        let places: Vec<Range> = places.chain([self.area]).collect();
        let misled = self.scope.targets.iter().find(|target| {
            place(before, &target.symbol).is_some()
                && is_at(&target.symbol)
                    .is_some_and(|is| !places.iter().any(|place| place.intersects(is)))
        })?;
        Some(&misled.symbol)
    }

    /// A symbol outside of the scope that takes in a part of what the change puts there, such as an attribute at its end.
    fn drawn_in(&self, after: &After<'_>) -> Option<String> {
        let (Operation::EditSymbol {
            symbol: address, ..
        }
        | Operation::ReplaceSymbol {
            symbol: address, ..
        }
        | Operation::AddSymbol {
            anchor: address, ..
        }) = self.operation
        else {
            return None;
        };
        if Region::is_name(address) {
            return None;
        }
        let before = self.view.parsed.facts();
        let (facts, start) = after.facts();
        let held = |symbol: &Symbol| {
            place(before, &symbol.path).is_some_and(|was| was.contains_range(self.touched))
        };
        // Where no sign closes it, what holds an item ends with the last that is put into it.
        let item = self.item();
        let ends_with_item = |symbol: &Symbol, is: Range| {
            let was = place(before, &symbol.path);
            was.zip(item).is_some_and(|(was, item)| {
                let is_within = was.start < item.start && item.end <= was.end;
                is_within
                    && was.start == is.start
                    && is.start < self.area.start
                    && is.end <= self.area.end
            })
        };
        let mut outside = outside(facts, self.after_scope, facts.in_order_of_path());
        let drawn_in = outside.find(|symbol| {
            let range = Range::new(symbol.range.start + start, symbol.range.end + start);
            let is_apart = self.area.contains_range(range) || !self.area.intersects(range);
            let is_around = range.contains_range(self.area) && held(symbol);
            !is_apart && !is_around && !ends_with_item(symbol, range)
        })?;
        Some(drawn_in.path.to_string())
    }

    /// Refuses what would make something else of the text around it.
    fn keeps_to_itself(&self, after: &After<'_>) -> Refusable<()> {
        // Whoever opened lines as text has opened what they make of their neighbours.
        if let Operation::EditSymbol { symbol, .. } | Operation::ReplaceSymbol { symbol, .. } =
            self.operation
            && Region::is_name(symbol)
        {
            return Ok(());
        }
        let before = self.own_text();
        let changed = Changed {
            before,
            after: moved(self.edits, before),
            item: self.item(),
        };
        let stray = match after {
            After::Whole(parsed) => self.view.parsed.stray(parsed, &changed),
            After::Part(part) => part.stray(&changed),
        };
        match stray {
            None => Ok(()),
            Some(Stray::Hollow(at)) => self.unreadable(at),
            Some(Stray::Drawn(at)) => refuse(
                Rule::Scope,
                format!(
                    "this would make something else of line {}, which is outside the scope; end it with the item itself",
                    self.after.line_of(at) + 1
                ),
            ),
        }
    }

    /// What the change touches, with what around it may change as well: the anchor, and targets that hold the symbol.
    fn own_text(&self) -> Range {
        let facts = self.view.parsed.facts();
        let address = match self.operation {
            Operation::EditSymbol { symbol, .. } | Operation::ReplaceSymbol { symbol, .. } => {
                symbol
            }
            Operation::AddSymbol { anchor, .. } => anchor,
            Operation::EditImports { .. } => return self.touched,
        };
        let symbols = facts.by_path(address).into_iter();
        let around = symbols.flat_map(|id| facts.ancestors(id));
        let is_own = |(id, symbol): &(SymbolId, &Symbol)| {
            let symbol = std::iter::once((*id, *symbol));
            outside(facts, self.scope, symbol).next().is_none()
        };
        let own = around.filter(is_own).map(|(_, symbol)| symbol.range);
        own.fold(self.touched, Range::cover)
    }

    /// The item that is changed, or that something is put beside.
    fn item(&self) -> Option<Range> {
        let facts = self.view.parsed.facts();
        let symbol = match self.operation {
            Operation::EditSymbol { symbol, .. } | Operation::ReplaceSymbol { symbol, .. } => {
                facts.by_path(symbol)?
            }
            Operation::AddSymbol { anchor, place, .. } => {
                let anchor = facts.by_path(anchor)?;
                match place {
                    Place::Before | Place::After => anchor,
                    Place::Inside => last_child(facts, anchor)?,
                }
            }
            Operation::EditImports { .. } => {
                let removed = self.edits.edits().iter().map(|edit| edit.range);
                let removed = removed.into_iter().find(|range| !range.is_empty())?;
                let lines = self.view.text.slice(removed);
                return Some(trimmed(removed, &lines));
            }
        };
        facts.symbol(symbol).map(|symbol| symbol.item)
    }

    pub(crate) fn unreadable<T>(&self, at: usize) -> Refusable<T> {
        refuse(
            Rule::Parse,
            format!(
                "with this change {} would no longer parse (near line {}); check brackets and indentation and send it again",
                self.view.file.file_name(),
                self.after.line_of(at) + 1
            ),
        )
    }

    /// Name paths of what lies in the area of the change and is neither a target nor inside one.
    ///
    /// What is new is known by its place: an item put before another of the same name takes over that one's path.
    fn own(&self, after: &After<'_>) -> Vec<String> {
        let (facts, start) = after.facts();
        let symbols = outside(facts, self.after_scope, facts.in_order_of_path());
        let inside = symbols.filter(|symbol| {
            let Range { start: from, end } = symbol.range;
            (self.area).contains_range(Range::new(from + start, end + start))
        });
        inside.map(|symbol| symbol.path.to_string()).collect()
    }
}

/// A range with all that edits put into it and at its ends.
pub(crate) fn moved(edits: &EditSet, was: Range) -> Range {
    Range::new(
        edits.map_offset(was.start, Bias::Before),
        edits.map_offset(was.end, Bias::After),
    )
}

/// Where the symbol with that path is.
pub(crate) fn place(facts: &Facts, path: &str) -> Option<Range> {
    let symbol = facts.by_path(path).and_then(|id| facts.symbol(id));
    symbol.map(|symbol| symbol.range)
}

/// What has become of the symbols outside of a scope.
struct Outcome<'f> {
    /// The first that is no longer there.
    gone: Option<&'f str>,
    /// Those that were not there.
    added: Vec<&'f str>,
}

impl<'f> Outcome<'f> {
    /// Both in order of their paths, which are unique.
    fn between(
        was: impl Iterator<Item = &'f Symbol>,
        is: impl Iterator<Item = &'f Symbol>,
    ) -> Outcome<'f> {
        let (mut gone, mut added) = (None, Vec::new());
        let mut is = is.peekable();
        for old in was {
            while let Some(new) = is.next_if(|new| is_before(new, old)) {
                added.push(&*new.path);
            }
            if is.next_if(|new| !is_before(old, new)).is_none() {
                gone.get_or_insert(&*old.path);
            }
        }
        added.extend(is.map(|symbol| &*symbol.path));
        Outcome { gone, added }
    }
}

/// Whether the path of one symbol sorts before that of another; most are those of the reading before, and one string.
fn is_before(one: &Symbol, other: &Symbol) -> bool {
    !Arc::ptr_eq(&one.path, &other.path) && one.path < other.path
}

/// Those of some symbols that are neither a target nor inside one.
fn outside<'f>(
    facts: &'f Facts,
    scope: &Scope,
    symbols: impl Iterator<Item = (SymbolId, &'f Symbol)>,
) -> impl Iterator<Item = &'f Symbol> {
    let is_target = |path: &str| {
        scope
            .targets
            .iter()
            .any(|target| target.edit && is_under(path, &target.symbol))
    };
    // A member of an `impl` block goes by the name of its type, so that its path alone does not tell where it lies.
    let outside = symbols.filter(move |(id, symbol)| {
        !scope.has_lines(symbol.range)
            && !is_target(&symbol.path)
            && !facts
                .ancestors(*id)
                .any(|(_, outer)| is_target(&outer.path))
    });
    outside.map(|(_, symbol)| symbol)
}

/// Whether `path` names `container` or something inside it.
fn is_under(path: &str, container: &str) -> bool {
    path.strip_prefix(container)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
