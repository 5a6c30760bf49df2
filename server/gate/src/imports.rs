//! Imports, which no symbol holds: whole statements are added and removed, and nothing else can come in that way.

use index::Facts;
use text::{Bias, Edit, EditSet, Range};

use crate::address::with_breaks;
use crate::verdict::{Refusable, refuse};
use crate::{Rule, View};

/// The edits that add and remove import statements of the file itself.
///
/// Those of a function, or of a module inside the file, belong to that symbol.
pub(crate) fn import_edits(
    view: &View<'_>,
    add: &[String],
    remove: &[String],
) -> Refusable<EditSet> {
    let text = view.text;
    let facts = view.parsed.facts();
    let br = text.line_break();
    let standing: Vec<(Range, String)> = facts
        .imports
        .iter()
        .filter(|import| import.within.is_none())
        .map(|import| (import.range, squeezed(&text.slice(import.range))))
        .collect();
    let mut gone = Vec::new();
    for statement in remove {
        let lines = lines_of(view, &standing, statement)?;
        if !gone.contains(&lines) {
            gone.push(lines);
        }
    }
    let mut edits: Vec<Edit> = gone.iter().map(|lines| Edit::new(*lines, "")).collect();
    let mut insert = String::new();
    for new in add {
        let new = new.trim();
        let stands = standing
            .iter()
            .any(|(range, standing)| *standing == squeezed(new) && !is_among(*range, &gone));
        if new.is_empty() || stands {
            continue;
        }
        insert.push_str(&with_breaks(new, br));
        insert.push_str(br);
    }
    if !insert.is_empty() {
        // After the last import that stays; without any, before the first symbol.
        let last = standing
            .iter()
            .map(|(range, _)| *range)
            .filter(|range| !is_among(*range, &gone))
            .max();
        let at = match (last, edits.first(), facts.symbols.first()) {
            (Some(range), _, _) => text.full_lines(range).end,
            (None, Some(edit), _) => edit.range.end,
            (None, None, Some(symbol)) => {
                insert.push_str(br);
                text.line_start(text.line_of(symbol.range.start))
            }
            (None, None, None) => text.len(),
        };
        edits.push(Edit::new(Range::at(at), insert));
    }
    EditSet::new(edits).or_else(|error| refuse(Rule::Overlap, error.to_string()))
}

/// Whether all that `edits` put into the file, which reads `after` then, is import statements.
pub(crate) fn brings_imports_only(view: &View<'_>, edits: &EditSet, after: &Facts) -> bool {
    edits.edits().iter().all(|edit| {
        let there = Range::new(
            edits.map_offset(edit.range.start, Bias::Before),
            edits.map_offset(edit.range.end, Bias::After),
        );
        is_blank_or_imports(view, edit) || is_in_block(after, trimmed(there, &edit.insert))
    })
}

/// Whether what an edit puts in is import statements, wherever it stands.
pub(crate) fn is_blank_or_imports(view: &View<'_>, edit: &Edit) -> bool {
    edit.insert.trim().is_empty() || is_imports(view, &edit.insert)
}

/// The lines of a statement, if it has them to itself.
fn lines_of(view: &View<'_>, standing: &[(Range, String)], statement: &str) -> Refusable<Range> {
    let text = view.text;
    let wanted = squeezed(statement);
    let file = view.file.file_name();
    // One that takes several modules is known by its parts, and named by its line.
    let mut as_lines = standing.iter().map(|(range, _)| text.full_lines(*range));
    let as_line = as_lines.find(|lines| {
        let line = text.slice(*lines);
        let only =
            || is_imports(view, &line) || is_in_block(view.parsed.facts(), trimmed(*lines, &line));
        squeezed(&line) == wanted && only()
    });
    if let Some(lines) = as_line {
        return Ok(lines);
    }
    let Some((range, _)) = standing.iter().find(|(_, standing)| *standing == wanted) else {
        return refuse(
            Rule::Match,
            format!("there is no import {:?} in {file}", statement.trim()),
        );
    };
    let lines = text.full_lines(*range);
    if is_alone(view, lines, *range) {
        return Ok(lines);
    }
    refuse(
        Rule::Scope,
        format!(
            "{:?} shares line {} of {file} with something else; remove the whole line, if it imports and does nothing else",
            statement.trim(),
            text.line_of(range.start) + 1,
        ),
    )
}

/// Whether nothing but blanks, a closing `;` and a comment share the lines of a statement.
fn is_alone(view: &View<'_>, lines: Range, range: Range) -> bool {
    let part = |start, end| view.text.slice(Range::new(start, end)).trim().to_owned();
    let after = part(range.end, lines.end);
    let after = after.strip_prefix(';').unwrap_or(&after).trim_start();
    let comment = view.parsed.grammar().line_comment;
    part(lines.start, range.start).is_empty()
        && (after.is_empty() || !comment.is_empty() && after.starts_with(comment))
}

/// Whether a text, read by itself, is import statements from its first byte to its last.
fn is_imports(view: &View<'_>, text: &str) -> bool {
    let facts = Facts::of(view.parsed.grammar(), text);
    facts.errors().is_empty() && is_in_block(&facts, trimmed(Range::new(0, text.len()), text))
}

/// Whether a range lies in the imports of a file, between the first and the last of statements that follow each other.
fn is_in_block(facts: &Facts, range: Range) -> bool {
    let block = facts.imports_range();
    block.is_some_and(|block| block.contains_range(range))
}

/// The range of `text` without the blanks at its ends.
pub(crate) fn trimmed(range: Range, text: &str) -> Range {
    let start = range.start + (text.len() - text.trim_start().len());
    Range::new(start, (range.start + text.trim_end().len()).max(start))
}

fn is_among(range: Range, gone: &[Range]) -> bool {
    gone.iter().any(|lines| lines.contains_range(range))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
