use index::Parsed;
use text::{EditSet, Range};

use crate::changing::{After, Changing, moved, place};
use crate::draft::{Drafts, draft};
use crate::verdict::{Question, Refusable, Refusal, Rule, Verdict, View, refuse};
use crate::{ApprovedEdit, Operation, Policy, Proposal, Protection, Scope};

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
        after: &after,
        after_scope: &after_scope,
        edits,
        operation,
        touched,
        area: moved(edits, touched),
    };
    if let Some(part) = change.part(longest) {
        return change.judged(&After::Part(&part));
    }
    let parsed = before.reparse(edits, &after).settled();
    if errors_outside(&parsed, &after_scope) > errors_outside(view.parsed, scope) {
        let at = edits.edits().first().map_or(0, |edit| edit.range.start);
        return change.unreadable(at);
    }
    change.judged(&After::Whole(&parsed))
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
