use index::Parsed;
use text::{Bias, EditSet, Range};

use crate::draft::{Drafts, draft};
use crate::imports::brings_imports_only;
use crate::verdict::{Question, Refusable, Refusal, Rule, Verdict, View, refuse};
use crate::{ApprovedEdit, Operation, Policy, Proposal, Protection, Scope};

/// Judges a proposal against the current text of its file.
pub fn decide(view: &View<'_>, scope: &Scope, policy: &Policy, proposal: &Proposal) -> Verdict {
    match judge(view, scope, policy, proposal) {
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
    let (edits, added) = first_that_fits(view, scope, &drafts, &proposal.operation)?;
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
) -> Refusable<(EditSet, Vec<String>)> {
    let mut first_refusal = None;
    for edits in &drafts.edits {
        match fits(view, scope, edits, (&drafts.symbol, operation)) {
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
    let parsed = before.reparse(edits, &after).settled();
    let after_scope = scope.moved(edits, after.len(), Some(address));
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
    if matches!(operation, Operation::EditImports { .. }) {
        let (was, is) = (outside(view.parsed, scope), outside(&parsed, &after_scope));
        return if was == is && brings_imports_only(view, edits, parsed.facts()) {
            Ok(Vec::new())
        } else {
            refuse(
                Rule::Scope,
                "edit_imports takes whole import statements and nothing else",
            )
        };
    }
    let (was, is) = (outside(view.parsed, scope), outside(&parsed, &after_scope));
    if let Some(gone) = was.iter().find(|path| !is.contains(path)) {
        return refuse(
            Rule::Scope,
            format!(
                "this would remove or rename `{gone}`, which is outside the scope ({})",
                scope.describe()
            ),
        );
    }
    let area = own_area(view, edits, operation);
    if let Some(name) = misled(view, scope, edits, &parsed, area) {
        return refuse(
            Rule::Scope,
            format!(
                "after this `{name}` would be the name of something outside the scope; give the new item another name, or put it after the others of its name"
            ),
        );
    }
    let added: Vec<String> = is.into_iter().filter(|path| !was.contains(path)).collect();
    let roots = added
        .iter()
        .filter(|path| {
            !added
                .iter()
                .any(|other| is_under(path, other) && other != *path)
        })
        .count();
    if roots > usize::from(scope.siblings) {
        return refuse(
            Rule::Scope,
            format!(
                "this adds {roots} new items, the scope has room for {}; fold them into the target",
                scope.siblings
            ),
        );
    }
    Ok(own(&parsed, &after_scope, area))
}

/// A target whose name leads out of the scope after the edits: an item of the same name was put before it.
fn misled<'s>(
    view: &View<'_>,
    scope: &'s Scope,
    edits: &EditSet,
    after: &Parsed,
    area: Range,
) -> Option<&'s str> {
    let place = |parsed: &Parsed, name: &str| {
        let facts = parsed.facts();
        let symbol = facts.by_path(name).and_then(|id| facts.symbol(id));
        symbol.map(|symbol| symbol.range)
    };
    let moved = |was: Range| {
        Range::new(
            edits.map_offset(was.start, Bias::Before),
            edits.map_offset(was.end, Bias::After),
        )
    };
    let targets = scope.targets.iter();
    let places = targets.filter_map(|target| Some(moved(place(view.parsed, &target.symbol)?)));
    let places: Vec<Range> = places.chain([area]).collect();
    let misled = scope.targets.iter().find(|target| {
        place(view.parsed, &target.symbol).is_some()
            && place(after, &target.symbol)
                .is_some_and(|is| !places.iter().any(|place| place.intersects(is)))
    })?;
    Some(&misled.symbol)
}

/// Where an operation can have put something, in the text after it: what it inserted, or all of the symbol it changed.
fn own_area(view: &View<'_>, edits: &EditSet, operation: &Operation) -> Range {
    let symbol = match operation {
        Operation::EditSymbol { symbol, .. } | Operation::ReplaceSymbol { symbol, .. } => {
            let facts = view.parsed.facts();
            facts.by_path(symbol).and_then(|id| facts.symbol(id))
        }
        Operation::AddSymbol { .. } | Operation::EditImports { .. } => None,
    };
    let before = [edits.span(), symbol.map(|symbol| symbol.range)];
    let before = before.into_iter().flatten().reduce(Range::cover);
    before.map_or(Range::at(0), |before| {
        Range::new(
            edits.map_offset(before.start, Bias::Before),
            edits.map_offset(before.end, Bias::After),
        )
    })
}

/// Name paths of what lies in `area` and is neither a target nor inside one.
///
/// What is new is known by its place: an item put before another of the same name takes over that one's path.
fn own(parsed: &Parsed, scope: &Scope, area: Range) -> Vec<String> {
    let facts = parsed.facts();
    let paths = outside(parsed, scope).into_iter().filter(|path| {
        let symbol = facts.by_path(path).and_then(|id| facts.symbol(id));
        symbol.is_some_and(|symbol| area.contains_range(symbol.range))
    });
    paths.collect()
}

/// Syntax errors that the regions do not answer for: what the user opened as text may be what no grammar reads.
fn errors_outside(parsed: &Parsed, scope: &Scope) -> usize {
    if scope.regions.is_empty() {
        return parsed.error_count();
    }
    let errors = parsed.facts().errors().iter();
    errors.filter(|error| !scope.has_lines(**error)).count()
}

/// Name paths of the symbols that are neither a target nor inside one.
fn outside(parsed: &Parsed, scope: &Scope) -> Vec<String> {
    let facts = parsed.facts();
    let is_target = |path: &str| {
        scope
            .targets
            .iter()
            .any(|target| target.edit && is_under(path, &target.symbol))
    };
    let mut paths: Vec<String> = facts
        .enumerate()
        // A member of an `impl` block goes by the name of its type, so that its path alone does not tell where it lies.
        .filter(|(id, symbol)| {
            !scope.has_lines(symbol.range)
                && !is_target(&symbol.path)
                && !facts
                    .ancestors(*id)
                    .any(|(_, outer)| is_target(&outer.path))
        })
        .map(|(_, symbol)| symbol.path.to_string())
        .collect();
    paths.sort_unstable();
    paths
}

/// Whether `path` names `container` or something inside it.
fn is_under(path: &str, container: &str) -> bool {
    path.strip_prefix(container)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
