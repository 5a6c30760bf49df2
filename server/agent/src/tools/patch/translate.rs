use gate::{Operation, Place, Region, Replacement};
use index::Symbol;
use text::{Range, Text};

use super::Patch;
use super::locate::{Located, locate};
use crate::source::Source;

/// The operations that a patch stands for, by the order of what they change; or why it stands for none.
///
/// All of it is found before any of it is proposed.
pub(crate) fn translate(
    source: &Source,
    patch: &Patch,
    shown_file: &str,
) -> Result<Vec<Operation>, String> {
    if !is_meant(&patch.file, source.file.as_str(), shown_file) {
        return Err(format!(
            "{:?} is outside the scope; this run works in {shown_file}",
            patch.file
        ));
    }
    let text = &source.text;
    let end_of = |line: usize| {
        let begun = source.facts.symbols.iter().filter(|symbol| {
            let header = symbol.header;
            (text.line_of(header.start)..=text.line_of(header.end)).contains(&line)
        });
        let ends = begun.map(|symbol| text.line_of(symbol.range.end) + 1);
        ends.min()
    };
    let mut found = Vec::with_capacity(patch.hunks.len());
    for (index, hunk) in patch.hunks.iter().enumerate() {
        let runs = locate(text, hunk, index + 1, end_of)?;
        found.extend(runs.into_iter().map(|run| (index + 1, run)));
    }
    found.sort_by_key(|(_, located)| (located.first, located.after));
    for pair in found.windows(2) {
        if let [(one, a), (other, b)] = pair
            && (a.after > b.first || a.first == b.first)
        {
            return Err(format!(
                "hunks {one} and {other} change the same lines; send each change once"
            ));
        }
    }
    Translator { source }.all(&found)
}

/// Whether the patch means the file: by its path in the workspace, by an end of it, or by the path on the machine.
fn is_meant(named: &str, path: &str, shown: &str) -> bool {
    let named = named.strip_prefix("./").unwrap_or(named);
    let is_end_of = |path: &str| {
        path.strip_suffix(named)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    !named.is_empty() && (named == path || is_end_of(shown))
}

/// Whether a text is in another once. Two places that overlap are two.
fn is_once(whole: &str, part: &str) -> bool {
    let first = whole.find(part);
    first.is_some() && first == whole.rfind(part)
}

struct Translator<'a> {
    source: &'a Source,
}

/// What holds a change: a symbol or granted lines, as whole lines.
#[derive(Clone, Copy)]
struct Holder<'a> {
    symbol: &'a Symbol,
    lines: Range,
}

impl<'a> Translator<'a> {
    fn all(&self, found: &[(usize, Located)]) -> Result<Vec<Operation>, String> {
        let holders: Vec<Option<Holder<'a>>> = found
            .iter()
            .map(|(_, located)| self.holder(located))
            .collect();
        let mut operations: Vec<Operation> = Vec::new();
        for ((number, located), holder) in found.iter().zip(&holders) {
            // What is inside something that changes as well goes into the same operation, which has one hash.
            let outer = holder.map(|inner| {
                let around = holders.iter().flatten();
                let around = around.filter(|outer| outer.lines.contains_range(inner.lines));
                *around
                    .max_by_key(|outer| outer.lines.len())
                    .unwrap_or(&inner)
            });
            let Some(holder) = outer else {
                operations.push(self.outside(*number, located)?);
                continue;
            };
            let edit = self.replacement(*number, located, holder)?;
            let path = &*holder.symbol.path;
            let same = operations.iter_mut().find_map(|operation| match operation {
                Operation::EditSymbol { symbol, edits, .. } if symbol == path => Some(edits),
                _ => None,
            });
            match same {
                Some(edits) => edits.push(edit),
                None => operations.push(Operation::EditSymbol {
                    symbol: path.to_owned(),
                    base: self.source.hash_of(holder.symbol),
                    edits: vec![edit],
                }),
            }
        }
        Ok(operations)
    }

    fn text(&self) -> &Text {
        &self.source.text
    }

    /// The innermost symbol, or granted lines, around what changes.
    fn holder(&self, located: &Located) -> Option<Holder<'a>> {
        let range = located.range(self.text());
        let regions = self.source.regions().iter().map(|symbol| Holder {
            symbol,
            lines: symbol.range,
        });
        let symbols = self.source.facts.symbols.iter().map(|symbol| Holder {
            symbol,
            lines: self.text().full_lines(symbol.range),
        });
        let inside = |holder: &Holder<'_>| {
            let Holder { symbol, lines } = *holder;
            if range.is_empty() {
                lines.start < range.start && range.start < lines.end
            } else if Region::is_name(&symbol.path) {
                lines.contains_range(range)
            } else {
                lines.contains_range(range) && lines != range && self.is_alone(symbol.range, lines)
            }
        };
        symbols
            .chain(regions)
            .filter(inside)
            .min_by_key(|holder| holder.lines.len())
    }

    fn is_alone(&self, range: Range, lines: Range) -> bool {
        let blank = |start, end| self.text().slice(Range::new(start, end)).trim().is_empty();
        blank(lines.start, range.start) && blank(range.end, lines.end)
    }

    /// The change with as many lines around it as make it unique in its holder.
    fn replacement(
        &self,
        number: usize,
        located: &Located,
        holder: Holder<'_>,
    ) -> Result<Replacement, String> {
        let text = self.text();
        let top = text.line_of(holder.lines.start);
        let bottom = text.line_of(holder.lines.end.saturating_sub(1).max(holder.lines.start)) + 1;
        let lines = |from: usize, to: usize| -> Vec<String> {
            (from..to)
                .map(|line| text.slice(text.line_range(line)))
                .collect()
        };
        let whole = lines(top, bottom).join("\n");
        let (mut from, mut to) = (located.first.max(top), located.after.min(bottom));
        loop {
            let old = lines(from, to);
            let mut new = lines(from, located.first);
            new.extend(located.new.iter().cloned());
            new.extend(lines(located.after, to));
            let (shown, empty) = (old.join("\n"), new.is_empty());
            if !empty && !shown.trim().is_empty() && is_once(&whole, &shown) {
                return Ok(Replacement {
                    old: shown,
                    new: new.join("\n"),
                });
            }
            if from > top && (to >= bottom || located.first - from <= to - located.after) {
                from -= 1;
            } else if to < bottom {
                to += 1;
            } else {
                return Err(format!(
                    "hunk {number} cannot be told apart in `{}`; use replace_symbol",
                    holder.symbol.path
                ));
            }
        }
    }

    /// A change that no symbol holds: an item that comes, goes or is replaced whole, or imports.
    fn outside(&self, number: usize, located: &Located) -> Result<Operation, String> {
        let text = self.text();
        let range = located.range(text);
        let new = located.new.join("\n");
        let blank = range.is_empty() || text.slice(range).trim().is_empty();
        let block = self.source.facts.imports_range();
        if let Some(block) = block.map(|block| text.full_lines(block))
            && block.start <= range.start
            && range.end <= block.end
        {
            return Ok(self.imports(located, &new));
        }
        let is_it = |symbol: &&Symbol| {
            let lines = text.full_lines(symbol.range);
            let covered = range.contains_range(lines) && self.is_alone(symbol.range, lines);
            let around = [
                Range::new(range.start, lines.start),
                Range::new(lines.end, range.end),
            ];
            covered
                && around
                    .iter()
                    .all(|rest| text.slice(*rest).trim().is_empty())
        };
        let mut symbols = self.source.facts.symbols.iter();
        if let Some(symbol) = symbols.find(is_it) {
            return Ok(Operation::ReplaceSymbol {
                symbol: symbol.path.to_string(),
                base: self.source.hash_of(symbol),
                text: new,
            });
        }
        if blank
            && !new.trim().is_empty()
            && let Some((anchor, place)) = self.beside(range)
        {
            return Ok(Operation::AddSymbol {
                anchor,
                place,
                text: new,
            });
        }
        let last = located.after.max(located.first + 1);
        Err(format!(
            "hunk {number} is in no symbol; ask for lines with request_scope, `@{}-{last}`, and send the patch again",
            located.first + 1
        ))
    }

    /// The item above a place, or the one below where nothing is above.
    fn beside(&self, range: Range) -> Option<(String, Place)> {
        let symbols = &self.source.facts.symbols;
        let above = symbols
            .iter()
            .filter(|symbol| symbol.range.end <= range.start);
        let above = above.max_by_key(|symbol| (symbol.range.end, symbol.range.len()));
        let below = symbols
            .iter()
            .filter(|symbol| symbol.range.start >= range.end);
        let below =
            below.min_by_key(|symbol| (symbol.range.start, usize::MAX - symbol.range.len()));
        above
            .map(|symbol| (symbol.path.to_string(), Place::After))
            .or_else(|| below.map(|symbol| (symbol.path.to_string(), Place::Before)))
    }

    /// Whole statements out, whole statements in.
    fn imports(&self, located: &Located, new: &str) -> Operation {
        let text = self.text();
        let range = located.range(text);
        let mut lines = range;
        let mut remove: Vec<String> = Vec::new();
        for import in &self.source.facts.imports {
            let own = text.full_lines(import.range);
            let hit = if range.is_empty() {
                own.start < range.start && range.start < own.end
            } else {
                own.intersects(range)
            };
            if import.within.is_none() && hit {
                lines = lines.cover(own);
                let statement = text.slice(own).trim().to_owned();
                if !remove.contains(&statement) {
                    remove.push(statement);
                }
            }
        }
        let above = text.slice(Range::new(lines.start, range.start));
        let below = text.slice(Range::new(range.end, lines.end));
        let new = if new.is_empty() {
            String::new()
        } else {
            format!("{new}\n")
        };
        let add = format!("{above}{new}{below}").trim().to_owned();
        Operation::EditImports {
            add: if add.is_empty() {
                Vec::new()
            } else {
                vec![add]
            },
            remove,
        }
    }
}
