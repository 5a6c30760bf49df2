use std::sync::Arc;

use index::{Facts, Parsed, Part, Symbol, SymbolId};
use text::{Bias, EditSet, Range, Text};

use crate::draft::{Drafts, draft};
use crate::imports::{brings_imports_only, is_blank_or_imports};
use crate::verdict::{Question, Refusable, Refusal, Rule, Verdict, View, refuse};
use crate::{ApprovedEdit, Operation, Policy, Proposal, Protection, Region, Scope};

/// A change is judged by the part of the text around it only if that is at most the text divided by this: it is read twice.
const MIN_PARTS: usize = 3;

/// Judges a proposal against the current text of its file.
///
/// What that costs grows with the item that changes and with its neighbours, and with the whole file where one of them
/// is most of it, where the text has syntax errors or where names of the change are those of something else as well.
pub fn decide(view: &View<'_>, scope: &Scope, policy: &Policy, proposal: &Proposal) -> Verdict {
    decide_by_parts(view, scope, policy, proposal, view.text.len() / MIN_PARTS)
}

/// The same, reading parts of a text alone up to some length.
pub(crate) fn decide_by_parts(
    view: &View<'_>,
    scope: &Scope,
    policy: &Policy,
    proposal: &Proposal,
    longest: usize,
) -> Verdict {
    match judge(view, scope, policy, proposal, longest) {
        Ok(Judged {
            edit,
            added,
            question: None,
        }) => Verdict::Approved { edit, added },
        Ok(Judged {
            edit,
            added,
            question: Some(text),
        }) => Verdict::NeedsApproval(Question { text, edit, added }),
        Err(refusal) => Verdict::Refused(refusal),
    }
}

struct Judged {
    edit: ApprovedEdit,
    added: Vec<String>,
    question: Option<String>,
}

fn judge(
    view: &View<'_>,
    scope: &Scope,
    policy: &Policy,
    proposal: &Proposal,
    longest: usize,
) -> Refusable<Judged> {
    if proposal.file != scope.file || view.file != &scope.file {
        return refuse(
            Rule::Path,
            format!(
                "{} is outside the scope, which is {} in {}",
                proposal.file,
                scope.describe(),
                scope.file
            ),
        );
    }
    let drafts = draft(view, scope, &proposal.operation)?;
    let inserted: usize = drafts.edits.first().map_or(0, |edits| {
        edits.edits().iter().map(|edit| edit.insert.len()).sum()
    });
    if drafts.edits.first().is_none_or(EditSet::is_empty) {
        return refuse(
            Rule::Size,
            "nothing would change; the text already reads so",
        );
    }
    let (edits, added) = first_that_fits(view, scope, &drafts, &proposal.operation, longest)?;
    let question = match policy.protection(view.file) {
        Protection::Deny => {
            return refuse(
                Rule::Protected,
                format!("{} is protected and never changed by a run", view.file),
            );
        }
        Protection::Confirm => Some(format!(
            "{} is executed or pinned by builds. Let the run change it?",
            view.file
        )),
        Protection::None => None,
    };
    if inserted > policy.max_insert {
        return refuse(
            Rule::Size,
            format!(
                "{inserted} bytes inserted at once, the limit is {}; send smaller changes",
                policy.max_insert
            ),
        );
    }
    let edit = ApprovedEdit::new(view, edits, &drafts.symbol, &proposal.reason, drafts.tier);
    Ok(Judged {
        edit,
        added,
        question,
    })
}

/// The first draft that parses no worse than before and leaves everything outside the scope as it is.
fn first_that_fits(
    view: &View<'_>,
    scope: &Scope,
    drafts: &Drafts,
    operation: &Operation,
    longest: usize,
) -> Refusable<(EditSet, Vec<String>)> {
    let mut first_refusal = None;
    for edits in &drafts.edits {
        match fits(view, scope, edits, (&drafts.symbol, operation), longest) {
            Ok(added) => return Ok((edits.clone(), added)),
            Err(refusal) => _ = first_refusal.get_or_insert(refusal),
        }
    }
    Err(first_refusal.unwrap_or(Refusal {
        rule: Rule::Size,
        message: "nothing would change".to_owned(),
    }))
}

fn fits(
    view: &View<'_>,
    scope: &Scope,
    edits: &EditSet,
    (address, operation): (&str, &Operation),
    longest: usize,
) -> Refusable<Vec<String>> {
    let after = match edits.apply(view.text) {
        Ok(after) => after,
        Err(error) => return refuse(Rule::Match, error.to_string()),
    };
    // Two readings of a text with errors may differ in what they make of it.
    let before = view.parsed.settled();
    let view = &View {
        parsed: &before,
        ..*view
    };
    let after_scope = scope.moved(edits, after.len(), Some(address));
    let touched = own_area(view, edits, operation);
    let change = Changing {
        view,
        scope,
        after_scope: &after_scope,
        edits,
        operation,
        touched,
        area: Range::new(
            edits.map_offset(touched.start, Bias::Before),
            edits.map_offset(touched.end, Bias::After),
        ),
    };
    if let Some(part) = change.part(touched, &after, longest) {
        return change.judged(&After::Part(&part));
    }
    let parsed = before.reparse(edits, &after).settled();
    if errors_outside(&parsed, &after_scope) > errors_outside(view.parsed, scope) {
        let at = edits.edits().first().map_or(0, |edit| edit.range.start);
        return refuse(
            Rule::Parse,
            format!(
                "with this change {} would no longer parse (near line {}); check brackets and indentation and send it again",
                view.file.file_name(),
                after.line_of(at) + 1
            ),
        );
    }
    change.judged(&After::Whole(parsed.facts()))
}

/// A change that is being judged by the symbols it leaves.
struct Changing<'c> {
    view: &'c View<'c>,
    scope: &'c Scope,
    after_scope: &'c Scope,
    edits: &'c EditSet,
    operation: &'c Operation,
    /// What it touches, in the text before it.
    touched: Range,
    /// Where it can have put something, in the text after it.
    area: Range,
}

/// What is known of the text after a change.
enum After<'a> {
    /// Everything.
    Whole(&'a Facts),
    /// All about the part that the change is in, and that nothing else is another.
    Part(&'a Part<'a>),
}

impl After<'_> {
    /// The facts, and where the text that they are about starts.
    fn facts(&self) -> (&Facts, usize) {
        match self {
            After::Whole(facts) => (facts, 0),
            After::Part(part) => (part.facts(), part.start()),
        }
    }
}

impl Changing<'_> {
    /// The part that the change is in, where that is enough to judge it by: a reading of the whole would say the same.
    fn part(&self, touched: Range, after: &Text, longest: usize) -> Option<Part<'_>> {
        // Lines may hold anything, and what else is in a block of imports is known from all of it.
        let enough = self.scope.regions.is_empty()
            && (!self.is_of_imports()
                || (self.edits.edits().iter()).all(|edit| is_blank_or_imports(self.view, edit)));
        let parsed = self.view.parsed;
        let part = || parsed.part(touched, self.edits, after, longest);
        enough.then(part).flatten()
    }

    fn is_of_imports(&self) -> bool {
        matches!(self.operation, Operation::EditImports { .. })
    }

    /// What the change adds to the symbols of the file, if that may be.
    fn judged(&self, after: &After<'_>) -> Refusable<Vec<String>> {
        let (scope, view) = (self.scope, self.view);
        let Outcome { gone, added } = self.outcome(after);
        if self.is_of_imports() {
            let brings_imports_only = match after {
                After::Whole(facts) => brings_imports_only(view, self.edits, facts),
                After::Part(_) => true,
            };
            return if gone.is_none() && added.is_empty() && brings_imports_only {
                Ok(Vec::new())
            } else {
                refuse(
                    Rule::Scope,
                    "edit_imports takes whole import statements and nothing else",
                )
            };
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
            After::Whole(facts) => Outcome::between(
                outside(before, self.scope, before.in_order_of_path()),
                outside(facts, self.after_scope, facts.in_order_of_path()),
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
        let moved = |was: Range| {
            Range::new(
                edits.map_offset(was.start, Bias::Before),
                edits.map_offset(was.end, Bias::After),
            )
        };
        let is_at = |name: &str| match after {
            After::Whole(facts) => place(facts, name),
            After::Part(part) => part.place(name),
        };
        let targets = self.scope.targets.iter();
        let places = targets.filter_map(|target| Some(moved(place(before, &target.symbol)?)));
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
        // Whoever opened lines as text has opened what they make of their neighbours.
        if Region::is_name(address) {
            return None;
        }
        let before = self.view.parsed.facts();
        let (facts, start) = after.facts();
        let held = |symbol: &Symbol| {
            place(before, &symbol.path).is_some_and(|was| was.contains_range(self.touched))
        };
        let mut outside = outside(facts, self.after_scope, facts.in_order_of_path());
        let drawn_in = outside.find(|symbol| {
            let range = Range::new(symbol.range.start + start, symbol.range.end + start);
            let is_apart = self.area.contains_range(range) || !self.area.intersects(range);
            let is_around = range.contains_range(self.area) && held(symbol);
            !is_apart && !is_around
        })?;
        Some(drawn_in.path.to_string())
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

/// Where the symbol with that path is.
fn place(facts: &Facts, path: &str) -> Option<Range> {
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

/// What an operation touches: where it puts something, and all of the symbol it changes.
fn own_area(view: &View<'_>, edits: &EditSet, operation: &Operation) -> Range {
    let symbol = match operation {
        Operation::EditSymbol { symbol, .. } | Operation::ReplaceSymbol { symbol, .. } => {
            place(view.parsed.facts(), symbol)
        }
        Operation::AddSymbol { .. } | Operation::EditImports { .. } => None,
    };
    let touched = [edits.span(), symbol].into_iter().flatten();
    touched.reduce(Range::cover).unwrap_or(Range::at(0))
}

/// Syntax errors that the regions do not answer for: what the user opened as text may be what no grammar reads.
fn errors_outside(parsed: &Parsed, scope: &Scope) -> usize {
    if scope.regions.is_empty() {
        return parsed.error_count();
    }
    let errors = parsed.facts().errors().iter();
    errors.filter(|error| !scope.has_lines(**error)).count()
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
