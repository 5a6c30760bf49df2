use text::{Range, Text};

use super::{Hunk, Line};

/// Where lines of a hunk are in a text, and what it makes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located {
    /// The first line that comes or goes, and the one after the last; counted from 0.
    pub(super) first: usize,
    pub(super) after: usize,
    /// What stands in place of these lines then, without the last line break.
    pub(super) new: Vec<String>,
}

impl Located {
    /// The bytes of the lines that change.
    pub(super) fn range(&self, text: &Text) -> Range {
        let at = |line: usize| {
            if line < text.lines() {
                text.line_start(line)
            } else {
                text.len()
            }
        };
        Range::new(at(self.first), at(self.after))
    }
}

/// Finds the one place of a hunk, or says why there is none.
///
/// `end_of` knows where that ends which begins on a line, so that what an anchor names is searched and nothing after it.
pub(super) fn locate(
    text: &Text,
    hunk: &Hunk,
    number: usize,
    end_of: impl Fn(usize) -> Option<usize>,
) -> Result<Vec<Located>, String> {
    let lines: Vec<String> = (0..text.lines())
        .map(|line| text.slice(text.line_range(line)))
        .collect();
    let (from, to) = below_anchors(&lines, hunk, number, end_of)?;
    let old: Vec<&str> = hunk.old().collect();
    if old.is_empty() {
        return added_only(hunk, number, from, text);
    }
    let same: [fn(&str, &str) -> bool; 2] = [|a, b| a == b, |a, b| a.trim_end() == b.trim_end()];
    let fits = |at: usize, same: fn(&str, &str) -> bool| {
        let there = lines.get(at..at + old.len());
        there.is_some_and(|there| there.iter().zip(&old).all(|(a, b)| same(a, b)))
            && (!hunk.at_end || is_end(&lines, at + old.len()))
    };
    for same in same {
        let found: Vec<usize> = (from..to.min(lines.len()))
            .filter(|at| fits(*at, same))
            .collect();
        match found.as_slice() {
            [] => {}
            [at] => return Ok(placed(hunk, *at)),
            many => {
                let shown: Vec<String> = many.iter().map(|at| (at + 1).to_string()).collect();
                return Err(format!(
                    "hunk {number} fits in {} places (lines {}); add a line of context, or `@@` with the line that begins \
                     what it is in",
                    many.len(),
                    shown.join(", ")
                ));
            }
        }
    }
    Err(format!(
        "hunk {number} is not in the file as it is now: {:?}; read the symbol again and send what stands there",
        old.iter()
            .find(|line| !line.trim().is_empty())
            .unwrap_or(&"")
    ))
}

/// The lines in which a hunk is looked for.
fn below_anchors(
    lines: &[String],
    hunk: &Hunk,
    number: usize,
    end_of: impl Fn(usize) -> Option<usize>,
) -> Result<(usize, usize), String> {
    let (mut from, mut to) = (0, lines.len());
    for anchor in &hunk.anchors {
        let anchor = anchor.trim();
        let within = || (from..to).filter_map(|at| Some((at, lines.get(at)?.trim())));
        let whole = || within().filter(|(_, line)| *line == anchor);
        let begun = || within().filter(|(_, line)| line.starts_with(anchor));
        let found: Vec<usize> = if whole().next().is_some() {
            whole().map(|(at, _)| at).collect()
        } else {
            begun().map(|(at, _)| at).collect()
        };
        let [at] = found.as_slice() else {
            return Err(if found.is_empty() {
                format!("hunk {number}: no line begins with {anchor:?}")
            } else {
                format!(
                    "hunk {number}: {} lines begin with {anchor:?}; put what they are in above, on a line with `@@`",
                    found.len()
                )
            });
        };
        // The anchor itself may be repeated as the first line of the hunk.
        from = *at;
        to = to.min(end_of(*at).unwrap_or(to));
    }
    Ok((from, to))
}

/// A hunk that shows nothing of what stands there goes below its anchor, or to the end.
fn added_only(
    hunk: &Hunk,
    number: usize,
    from: usize,
    text: &Text,
) -> Result<Vec<Located>, String> {
    let first = if !hunk.anchors.is_empty() {
        from + 1
    } else if hunk.at_end {
        text.lines()
    } else {
        return Err(format!(
            "hunk {number} only adds lines and does not say where; put a line of context before them"
        ));
    };
    Ok(vec![Located {
        first,
        after: first,
        new: new_lines(&hunk.lines),
    }])
}

fn is_end(lines: &[String], at: usize) -> bool {
    lines
        .get(at..)
        .is_some_and(|rest| rest.iter().all(String::is_empty))
}

/// The runs of lines that come or go. What is between them is left alone, so that it stays to the byte.
fn placed(hunk: &Hunk, at: usize) -> Vec<Located> {
    let (mut line, mut open) = (at, false);
    let mut runs: Vec<Located> = Vec::new();
    for change in &hunk.lines {
        if let Line::Same(_) = change {
            (line, open) = (line + 1, false);
            continue;
        }
        if !open {
            runs.push(Located {
                first: line,
                after: line,
                new: Vec::new(),
            });
            open = true;
        }
        let Some(run) = runs.last_mut() else { continue };
        match change {
            Line::Same(_) => {}
            Line::Gone(_) => {
                line += 1;
                run.after = line;
            }
            Line::New(text) => run.new.push(text.clone()),
        }
    }
    runs
}

fn new_lines(lines: &[Line]) -> Vec<String> {
    let new = lines.iter().filter_map(|line| match line {
        Line::New(text) => Some(text.clone()),
        Line::Same(_) | Line::Gone(_) => None,
    });
    new.collect()
}
