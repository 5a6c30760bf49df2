//! The ways to make the hunks of one place, the narrowest first.

use gate::{Operation, Place};
use index::{Parsed, Symbol};
use text::Range;

use super::hunks::{Hunk, replacements, text_with, with_hunks, written};
use super::sim::Sim;
use super::spots::Spot;
use super::{Call, MAX_WRITTEN, Planner};

impl Planner<'_> {
    /// Tries the ways for one place, the narrowest first.
    pub(super) fn serve(
        &self,
        sim: &mut Sim<'_>,
        spot: &Spot,
        launch: &str,
        grants: &mut Vec<String>,
        calls: &mut Vec<Call>,
    ) -> Result<(), String> {
        let want = with_hunks(&sim.text, &spot.hunks);
        let mut ways: Vec<(&'static str, Option<String>, Operation)> = Vec::new();
        if let Some(path) = &spot.symbol {
            let Some((base, range)) = sim.base(path) else {
                return Err("the symbol is gone".to_owned());
            };
            let area = sim.text.full_lines(range);
            let edits = replacements(&sim.text, area, &spot.hunks, true);
            if let Some(edits) = edits.filter(|edits| written(edits) <= MAX_WRITTEN) {
                let symbol = path.clone();
                ways.push((
                    "edit_symbol",
                    Some(path.clone()),
                    Operation::EditSymbol {
                        symbol,
                        base,
                        edits,
                    },
                ));
            }
            let text = text_with(&sim.text, area, &spot.hunks);
            if text.len() <= MAX_WRITTEN {
                ways.push((
                    "replace_symbol",
                    Some(path.clone()),
                    Operation::ReplaceSymbol {
                        symbol: path.clone(),
                        base,
                        text,
                    },
                ));
            }
        } else if let [hunk] = spot.hunks.as_slice() {
            ways.extend(self.special_ways(sim, hunk));
        }
        for (way, grant, operation) in ways {
            let kept = sim.scope.clone();
            if let Some(grant) = &grant
                && grant != launch
                && !grants.contains(grant)
            {
                sim.grant(grant);
            }
            if sim.make(&operation, Some(&want)).is_ok() {
                let address = grant.clone().unwrap_or_default();
                if let Some(grant) = grant
                    && grant != launch
                    && !grants.contains(&grant)
                {
                    grants.push(grant);
                }
                calls.push(Call {
                    way,
                    address,
                    operation,
                });
                return Ok(());
            }
            sim.scope = kept;
        }
        self.serve_lines(sim, spot, &want, grants, calls)
    }

    /// The lines of a place as text.
    pub(super) fn serve_lines(
        &self,
        sim: &mut Sim<'_>,
        spot: &Spot,
        want: &str,
        grants: &mut Vec<String>,
        calls: &mut Vec<Call>,
    ) -> Result<(), String> {
        let first = self.before.line_of(spot.lines.start) + 1;
        let last = self
            .before
            .line_of(spot.lines.end.saturating_sub(1).max(spot.lines.start))
            + 1;
        let name = format!("@{first}-{last}");
        if grants.contains(&name) {
            return Err("these lines are taken".to_owned());
        }
        sim.grant(&name);
        let Some((base, range)) = sim.base(&name) else {
            return Err("there are no such lines".to_owned());
        };
        let text = text_with(&sim.text, range, &spot.hunks);
        let is_much = spot.hunks.len() > 1 || range.len() > 400;
        let edits = replacements(&sim.text, range, &spot.hunks, false)
            .filter(|edits| is_much && written(edits) <= text.len().max(400));
        let symbol = name.clone();
        let operation = match edits {
            Some(edits) => Operation::EditSymbol {
                symbol,
                base,
                edits,
            },
            None if text.len() <= MAX_WRITTEN => Operation::ReplaceSymbol { symbol, base, text },
            None => return Err("a model would not write as much".to_owned()),
        };
        sim.make(&operation, Some(want))?;
        grants.push(name.clone());
        calls.push(Call {
            way: "lines",
            address: name,
            operation,
        });
        Ok(())
    }

    /// Imports, a new item, a deleted item.
    fn special_ways(
        &self,
        sim: &Sim<'_>,
        hunk: &Hunk,
    ) -> Vec<(&'static str, Option<String>, Operation)> {
        let mut ways = Vec::new();
        let statements = |parsed: &Parsed, text: &str, within: Range| -> Vec<String> {
            let imports = parsed.facts().imports.iter();
            let mut found: Vec<String> = imports
                .filter(|import| import.within.is_none() && within.intersects(import.range))
                .filter_map(|import| {
                    Some(text.get(import.range.start..import.range.end)?.to_owned())
                })
                .collect();
            found.dedup();
            found
        };
        let before = self.before.to_string();
        let remove = statements(&self.old, &before, hunk.old);
        let add = statements(&self.new, self.after, hunk.there);
        if !(add.is_empty() && remove.is_empty()) {
            ways.push(("edit_imports", None, Operation::EditImports { add, remove }));
        }
        let roots = |parsed: &Parsed, within: Range| -> Vec<Symbol> {
            let facts = parsed.facts();
            let inside = |symbol: &Symbol| within.contains_range(symbol.range);
            let symbols = facts.symbols.iter().filter(|symbol| {
                let parent = symbol.parent.and_then(|id| facts.symbol(id));
                inside(symbol) && !parent.is_some_and(inside)
            });
            symbols.cloned().collect()
        };
        if hunk.old.is_empty()
            && let [item] = roots(&self.new, hunk.there).as_slice()
        {
            let text = self
                .after
                .get(item.range.start..item.range.end)
                .unwrap_or_default();
            let facts = sim.parsed.facts();
            let above = facts
                .symbols
                .iter()
                .filter(|symbol| symbol.range.end <= hunk.old.start);
            let below = facts
                .symbols
                .iter()
                .filter(|symbol| symbol.range.start >= hunk.old.start);
            let above = above.max_by_key(|symbol| (symbol.range.end, symbol.range.len()));
            let below =
                below.min_by_key(|symbol| (symbol.range.start, usize::MAX - symbol.range.len()));
            for (anchor, place) in [(above, Place::After), (below, Place::Before)] {
                let Some(anchor) = anchor else { continue };
                ways.push((
                    "add_symbol",
                    Some(anchor.path.to_string()),
                    Operation::AddSymbol {
                        anchor: anchor.path.to_string(),
                        place,
                        text: text.to_owned(),
                    },
                ));
            }
        }
        if hunk.new.is_empty()
            && let [item] = roots(&self.old, hunk.old).as_slice()
            && let Some((base, _)) = sim.base(&item.path)
        {
            let symbol = item.path.to_string();
            ways.push((
                "delete",
                Some(symbol.clone()),
                Operation::ReplaceSymbol {
                    symbol,
                    base,
                    text: String::new(),
                },
            ));
        }
        ways
    }
}
