//! From what a proposal says to the edits it can mean: addresses found, scope checked, indentation put right.

use index::{Facts, SymbolId};
use text::{Edit, EditSet, Hash, Range, Text};

use crate::address::{Lost, indent, locate, reindent, with_breaks};
use crate::imports::import_edits;
use crate::lines::with_lines_of;
use crate::verdict::{Refusable, refuse};
use crate::{Operation, Place, Refusal, Region, Rule, Scope, Target, Tier, View};

/// Ways to write one change down, best first; they differ in indentation only.
pub(crate) struct Drafts {
    pub(crate) symbol: String,
    pub(crate) tier: Tier,
    pub(crate) edits: Vec<EditSet>,
}

/// The edits of an operation, if its addresses are in scope and its old texts are there.
pub(crate) fn draft(view: &View<'_>, scope: &Scope, operation: &Operation) -> Refusable<Drafts> {
    Ok(match operation {
        Operation::EditSymbol {
            symbol,
            base,
            edits,
        } => {
            let range = editable(view, scope, symbol)?;
            unchanged(view, symbol, range, *base)?;
            let area = with_indentation(view.text, range);
            let mut found = Vec::with_capacity(edits.len());
            let mut tier = Tier::Exact;
            for edit in edits {
                let (edit, how) = locate(view.text, area, &edit.old, &edit.new)
                    .map_err(|lost| explain_lost(view, symbol, range, &edit.old, &lost))?;
                tier = tier.max(how);
                found.push(edit);
            }
            let edits = match EditSet::new(found) {
                Ok(edits) => edits,
                Err(error) => {
                    return refuse(
                        Rule::Overlap,
                        format!("{error}; send each change once, apart from the others"),
                    );
                }
            };
            Drafts {
                symbol: symbol.clone(),
                tier,
                edits: vec![edits],
            }
        }
        Operation::ReplaceSymbol { symbol, base, text } => {
            let range = editable(view, scope, symbol)?;
            unchanged(view, symbol, range, *base)?;
            let edits = if Region::is_name(symbol) {
                vec![as_written(view.text, range, text)]
            } else {
                replacements(view.text, range, text)
            };
            Drafts {
                symbol: symbol.clone(),
                tier: Tier::Exact,
                edits,
            }
        }
        Operation::AddSymbol {
            anchor,
            place,
            text,
        } => {
            let id = anchored(view, scope, anchor)?;
            if scope.siblings == 0 {
                return refuse(
                    Rule::Scope,
                    "this run has added as many new items as it may; edit the ones in scope instead",
                );
            }
            if text.trim().is_empty() {
                return refuse(Rule::Size, "the new item is empty");
            }
            Drafts {
                symbol: anchor.clone(),
                tier: Tier::Exact,
                edits: additions(view, id, *place, text)?,
            }
        }
        Operation::EditImports { add, remove } => {
            if !scope.imports {
                return refuse(
                    Rule::Scope,
                    format!(
                        "imports are outside the scope, which is {}",
                        scope.describe()
                    ),
                );
            }
            Drafts {
                symbol: String::new(),
                tier: Tier::Exact,
                edits: vec![import_edits(view, add, remove)?],
            }
        }
    })
}

fn resolve(view: &View<'_>, scope: &Scope, symbol: &str) -> Refusable<SymbolId> {
    match view.parsed.facts().by_path(symbol) {
        Some(id) => Ok(id),
        None => refuse(
            Rule::Scope,
            format!(
                "there is no `{symbol}` in {} now; the scope is {}",
                view.file,
                scope.describe()
            ),
        ),
    }
}

/// Where the symbol is, if the scope lets its text change: it is a target, inside one, or an item that this run added.
/// Or where the region is.
fn editable(view: &View<'_>, scope: &Scope, symbol: &str) -> Refusable<Range> {
    if Region::is_name(symbol) {
        return match scope.regions.iter().find(|region| region.name == symbol) {
            Some(region) => Ok(region.range),
            None => refuse(
                Rule::Scope,
                format!(
                    "`{symbol}` is outside the scope, which is {}; use request_scope if these lines must change",
                    scope.describe()
                ),
            ),
        };
    }
    let id = resolve(view, scope, symbol)?;
    if is_inside(view, scope, id, |target| target.edit) {
        return Ok(symbol_range(view, id));
    }
    let line = view.text.line_of(symbol_range(view, id).start) + 1;
    refuse(
        Rule::Scope,
        format!(
            "`{symbol}` ({}:{line}) is outside the scope, which is {}; use request_scope if it must change",
            view.file.file_name(),
            scope.describe()
        ),
    )
}

/// The symbol, if the scope lets new items be put beside it.
fn anchored(view: &View<'_>, scope: &Scope, symbol: &str) -> Refusable<SymbolId> {
    let id = resolve(view, scope, symbol)?;
    if is_inside(view, scope, id, |_| true) {
        return Ok(id);
    }
    let anchors: Vec<_> = scope
        .targets
        .iter()
        .map(|target| format!("`{}`", target.symbol))
        .collect();
    refuse(
        Rule::Scope,
        format!(
            "new items go beside {}, not beside `{symbol}`",
            anchors.join(" or ")
        ),
    )
}

fn is_inside(
    view: &View<'_>,
    scope: &Scope,
    id: SymbolId,
    allowed: impl Fn(&Target) -> bool,
) -> bool {
    let facts = view.parsed.facts();
    let range = symbol_range(view, id);
    if scope.has_lines(range) {
        return true;
    }
    let mut at = Some(id);
    while let Some(id) = at {
        let Some(symbol) = facts.symbol(id) else {
            return false;
        };
        if scope
            .targets
            .iter()
            .any(|target| allowed(target) && *target.symbol == *symbol.path)
        {
            return true;
        }
        at = symbol.parent;
    }
    false
}

fn symbol_range(view: &View<'_>, id: SymbolId) -> Range {
    view.parsed
        .facts()
        .symbol(id)
        .map_or(Range::at(0), |symbol| symbol.range)
}

fn unchanged(view: &View<'_>, symbol: &str, range: Range, base: Hash) -> Refusable<()> {
    let current = view.text.slice(range);
    let hash = Hash::of(&current);
    if hash == base {
        return Ok(());
    }
    refuse(
        Rule::Base,
        format!(
            "`{symbol}` has changed since you read it; its hash is {hash} now. Current text:\n{}",
            view.text.slice(with_indentation(view.text, range))
        ),
    )
}

/// A symbol with the blanks before it, as models are shown it; without what else may stand on its first line.
fn with_indentation(text: &Text, range: Range) -> Range {
    let line = Range {
        start: text.line_start(text.line_of(range.start)),
        end: range.end,
    };
    let before = text.slice(Range::new(line.start, range.start));
    if before.trim().is_empty() {
        line
    } else {
        range
    }
}

fn explain_lost(view: &View<'_>, symbol: &str, range: Range, old: &str, lost: &Lost) -> Refusal {
    let message = match lost {
        Lost::Empty => {
            "old_text is empty; copy the lines to be replaced from the symbol".to_owned()
        }
        Lost::Ambiguous(lines) => {
            let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            format!(
                "old_text is found {} times in `{symbol}` (lines {}); add a neighbouring line to make it unique",
                lines.len(),
                lines.join(", ")
            )
        }
        Lost::Missing => format!(
            "this is not in `{symbol}`: {:?}. Current text:\n{}",
            old.lines().next().unwrap_or(""),
            view.text.slice(with_indentation(view.text, range))
        ),
    };
    Refusal {
        rule: Rule::Match,
        message,
    }
}

/// Lines replaced by exactly what was sent, and never joined to the line after them.
fn as_written(text: &Text, range: Range, new: &str) -> EditSet {
    let mut new = with_breaks(new, text.line_break());
    let follows = range.end < text.len() && !new.is_empty();
    if follows && !new.ends_with(['\n', '\r']) {
        new.push_str(text.line_break());
    }
    let stood = text.slice(range);
    let new = with_lines_of(&stood, &new, |line| line);
    within(range, &text::diff(&stood, &new))
}

/// The edits of a slice of a text, as edits of the text.
fn within(range: Range, edits: &EditSet) -> EditSet {
    let moved = edits.edits().iter().map(|edit| {
        Edit::new(
            Range {
                start: edit.range.start + range.start,
                end: edit.range.end + range.start,
            },
            edit.insert.clone(),
        )
    });
    EditSet::new(moved.collect()).unwrap_or_default()
}

/// The ways in which a model may have meant the indentation of a whole symbol.
fn replacements(text: &Text, range: Range, new: &str) -> Vec<EditSet> {
    let stood = text.slice(range);
    let new = with_breaks(new.trim_matches(['\n', '\r']), text.line_break());
    if new.trim().is_empty() {
        let lines = text.full_lines(range);
        let alone = text
            .slice(Range {
                start: lines.start,
                end: range.start,
            })
            .trim()
            .is_empty()
            && text
                .slice(Range {
                    start: range.end,
                    end: lines.end,
                })
                .trim()
                .is_empty();
        let gone = if alone {
            with_blank_lines(text, lines)
        } else {
            range
        };
        return vec![EditSet::one(Edit::new(gone, ""))];
    }
    let wanted = text.indent_of(range.start);
    let given = indent(&new).to_owned();
    let as_given = new.trim_start_matches([' ', '\t']).to_owned();
    let shifted = reindent(&new, &given, &wanted)
        .trim_start_matches([' ', '\t'])
        .to_owned();
    let mut drafts = vec![shifted];
    if given.is_empty() && !wanted.is_empty() {
        // Either the whole was moved to the margin, or only the first line lost its indentation.
        let rest_is_indented = rest_indent(&new) >= rest_indent(&stood).or(Some(wanted.len()));
        drafts.insert(usize::from(!rest_is_indented), as_given);
    }
    drafts
        .into_iter()
        .map(|draft| {
            let draft = with_lines_of(&stood, &draft, |line| line);
            within(range, &text::diff(&stood, &draft))
        })
        .collect()
}

/// Lines that go, with the blank lines that would be left over: those below when there are blank ones above as well,
/// or those above when nothing but the end of something follows.
fn with_blank_lines(text: &Text, lines: Range) -> Range {
    let is_blank = |line: usize| text.slice(text.line_range(line)).trim().is_empty();
    let (first, after) = (text.line_of(lines.start), text.line_of(lines.end));
    let blank_above = (0..first).rev().take_while(|line| is_blank(*line)).count();
    let last = text.lines();
    let blank_below = (after..last).take_while(|line| is_blank(*line)).count();
    let at_top = blank_above == first;
    if blank_below > 0 && (blank_above > 0 || at_top) && after + blank_below < last {
        return Range::new(lines.start, text.line_start(after + blank_below));
    }
    let next = text.slice(text.line_range(after + blank_below));
    let closes = after + blank_below >= last || next.trim_start().starts_with(['}', ')', ']']);
    if blank_above > 0 && closes && blank_below == usize::from(after + blank_below >= last) {
        return Range::new(text.line_start(first - blank_above), lines.end);
    }
    lines
}

/// The smallest indentation after the first line, in bytes; none where there is nothing after it.
fn rest_indent(text: &str) -> Option<usize> {
    let rest = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    rest.map(|line| line.len() - line.trim_start().len()).min()
}

/// The item that ends last in another.
pub(crate) fn last_child(facts: &Facts, id: SymbolId) -> Option<SymbolId> {
    let end = |child: &SymbolId| facts.symbol(*child).map(|symbol| symbol.range.end);
    facts.children(id).max_by_key(end)
}

fn additions(view: &View<'_>, id: SymbolId, place: Place, new: &str) -> Refusable<Vec<EditSet>> {
    let text = view.text;
    let facts = view.parsed.facts();
    let Some(anchor) = facts.symbol(id) else {
        return refuse(Rule::Scope, "the anchor is gone");
    };
    let br = text.line_break();
    let lines = text.full_lines(anchor.range);
    let new = with_breaks(new.trim_matches(['\n', '\r']), br);
    let given = indent(&new).to_owned();
    let at_indent = |wanted: &str| reindent(&new, &given, wanted);
    let (at, before, after, wanted) = match place {
        Place::Before => (
            lines.start,
            String::new(),
            format!("{br}{br}"),
            text.indent_of(anchor.range.start),
        ),
        Place::After => {
            let ends_with_break = text.line_range(text.line_of(anchor.range.end)).end < lines.end;
            let before = if ends_with_break {
                br.to_owned()
            } else {
                format!("{br}{br}")
            };
            (
                lines.end,
                before,
                br.to_owned(),
                text.indent_of(anchor.range.start),
            )
        }
        Place::Inside => {
            let last = last_child(facts, id).and_then(|last| facts.symbol(last));
            let Some(last) = last else {
                return refuse(
                    Rule::Scope,
                    format!(
                        "`{}` holds no item to add beside; use replace_symbol",
                        anchor.path
                    ),
                );
            };
            let lines = text.full_lines(last.range);
            (
                lines.end,
                br.to_owned(),
                br.to_owned(),
                text.indent_of(last.range.start),
            )
        }
    };
    let insert = format!("{before}{}{after}", at_indent(&wanted));
    Ok(vec![EditSet::one(Edit::new(Range::at(at), insert))])
}
