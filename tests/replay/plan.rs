//! From a file before and after a commit to the tool calls that a careful model would have sent.
//!
//! Each changed place is given the narrowest address that leads to exactly the bytes of the commit: the symbol it lies
//! in, a new item, a deleted one, the imports, the lines it is on, and at last the whole file.
//! The gate is asked beforehand, so that a call that would be refused gives way to the next; what counts is the run.

use gate::{Operation, Place, Policy, Proposal, Region, Replacement, Scope, Verdict, View, decide};
use index::{Grammar, Parsed, Symbol};
use serde_json::{Value, json};
use text::{FilePath, Hash, Range, Text};

/// What one call may insert; the gate allows a little more.
const MAX_INSERT: usize = 40 * 1024;
/// What the edits of one call may come to, old texts included: no model repeats more of a file than that.
const MAX_WRITTEN: usize = 96 * 1024;
/// The most pieces of one call.
const MAX_EDITS: usize = 32;
/// With more places than this, a model would ask for the whole file.
const MAX_PLACES: usize = 24;
/// The longest symbol to start a run on, in bytes.
const MAX_TARGET: usize = 48 * 1024;

/// A run for one file.
pub(crate) struct Plan {
    /// What the action is launched on.
    pub(crate) launch: String,
    /// What is asked for besides.
    pub(crate) grants: Vec<String>,
    /// The calls, in order.
    pub(crate) calls: Vec<Call>,
}

/// One tool call and the kind of way it stands for.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) way: &'static str,
    address: String,
    operation: Operation,
}

impl Call {
    /// The tool and its arguments as JSON, with the hash as the model was shown it.
    pub(crate) fn arguments(&self) -> (&'static str, String) {
        let base = format!("{{{{hash:{}}}}}", self.address);
        let (name, input) = self.input(&base);
        // What a script is to fill in is not JSON, even where a name has quotes.
        let written = Value::from(base.as_str()).to_string();
        let json = input.to_string();
        (name, json.replace(written.trim_matches('"'), &base))
    }

    fn input(&self, base: &str) -> (&'static str, Value) {
        match &self.operation {
            Operation::EditSymbol { symbol, edits, .. } => {
                let edits: Vec<Value> = edits
                    .iter()
                    .map(|edit| json!({"old_text": edit.old, "new_text": edit.new}))
                    .collect();
                (
                    "edit_symbol",
                    json!({"symbol": symbol, "base": base, "edits": edits, "reason": "the commit"}),
                )
            }
            Operation::ReplaceSymbol { symbol, text, .. } => (
                "replace_symbol",
                json!({"symbol": symbol, "base": base, "text": text, "reason": "the commit"}),
            ),
            Operation::AddSymbol {
                anchor,
                place,
                text,
            } => (
                "add_symbol",
                json!({"anchor": anchor, "position": place, "text": text, "reason": "the commit"}),
            ),
            Operation::EditImports { add, remove } => (
                "edit_imports",
                json!({"add": add, "remove": remove, "reason": "the commit"}),
            ),
        }
    }
}

/// Lines of the old text and what the commit has instead.
#[derive(Clone)]
struct Hunk {
    old: Range,
    new: String,
    /// Where `new` is in the new text.
    there: Range,
}

/// A place with hunks in it, each to be changed by one way.
struct Spot {
    /// The symbol that holds all of the hunks, if one does.
    symbol: Option<String>,
    /// Whole lines around the hunks.
    lines: Range,
    hunks: Vec<Hunk>,
}

/// Plans the run, or says why there is none.
pub(crate) fn plan(
    root: &FilePath,
    file: &FilePath,
    grammar: &'static Grammar,
    before: &str,
    after: &str,
) -> Result<Plan, String> {
    let planner = Planner {
        file,
        before: Text::from(before),
        policy: Policy::new(vec![root.clone()]),
        old: Parsed::parse(grammar, &Text::from(before)),
        new: Parsed::parse(grammar, &Text::from(after)),
        after,
    };
    let hunks = hunks(before, after);
    match planner.by_places(&hunks) {
        Ok(plan) => Ok(plan),
        Err(_) => planner.by_file(&hunks),
    }
}

struct Planner<'a> {
    file: &'a FilePath,
    before: Text,
    policy: Policy,
    old: Parsed,
    new: Parsed,
    after: &'a str,
}

/// The file as it comes to be, and what may change in it.
struct Sim<'a> {
    planner: &'a Planner<'a>,
    text: Text,
    parsed: Parsed,
    scope: Scope,
}

impl Sim<'_> {
    fn base(&self, address: &str) -> Option<(Hash, Range)> {
        let range = if Region::is_name(address) {
            let mut regions = self.scope.regions.iter();
            regions.find(|region| region.name == address)?.range
        } else {
            let facts = self.parsed.facts();
            facts.symbol(facts.by_path(address)?)?.range
        };
        Some((Hash::of(&self.text.slice(range)), range))
    }

    fn grant(&mut self, name: &str) {
        let scope = self.scope.clone();
        self.scope = match Region::named(name, &self.planner.before) {
            Some(region) => scope.granted_region(region),
            None => scope.granted(name),
        };
    }

    /// Makes the call if the gate lets it through and it leads to exactly `want`.
    fn make(&mut self, operation: &Operation, want: Option<&str>) -> Result<(), String> {
        let view = View {
            file: self.planner.file,
            text: &self.text,
            version: Some(1),
            parsed: &self.parsed,
        };
        let proposal = Proposal {
            file: self.planner.file.clone(),
            operation: operation.clone(),
            reason: String::new(),
        };
        let verdict = decide(&view, &self.scope, &self.planner.policy, &proposal);
        let (edit, added) = match verdict {
            Verdict::Approved { edit, added } => (edit, added),
            Verdict::NeedsApproval(question) => question.approve(),
            Verdict::Refused(refusal) => {
                return Err(format!("{:?}: {}", refusal.rule, refusal.message));
            }
        };
        let after = edit.want().map_err(|error| error.to_string())?;
        if want.is_some_and(|want| after.to_string() != want) {
            return Err("it would read otherwise".to_owned());
        }
        let scope = self
            .scope
            .moved(edit.edits(), after.len(), Some(edit.symbol()));
        self.scope = scope.with_added(added);
        self.parsed = self.parsed.reparse(edit.edits(), &after);
        self.text = after;
        Ok(())
    }
}

impl Planner<'_> {
    fn sim(&self, launch: &str, grants: &[String]) -> Sim<'_> {
        let scope = match Region::named(launch, &self.before) {
            Some(region) => Scope::region(self.file.clone(), region),
            None => Scope::symbol(self.file.clone(), launch),
        };
        let mut sim = Sim {
            planner: self,
            text: self.before.clone(),
            parsed: self.old.clone(),
            scope,
        };
        for name in grants {
            sim.grant(name);
        }
        sim
    }

    /// A symbol or the lines of its own for every place.
    fn by_places(&self, hunks: &[Hunk]) -> Result<Plan, String> {
        let spots = self.spots(hunks);
        if spots.len() > MAX_PLACES {
            return Err("too many places".to_owned());
        }
        let facts = self.old.facts();
        let launch = spots
            .iter()
            .filter_map(|spot| spot.symbol.clone())
            .find(|path| {
                let symbol = facts.by_path(path).and_then(|id| facts.symbol(id));
                symbol.is_some_and(|symbol| symbol.range.len() <= MAX_TARGET)
            })
            .or_else(|| self.beside(&spots))
            .unwrap_or_else(|| "@1".to_owned());
        let mut sim = self.sim(&launch, &[]);
        let (mut grants, mut calls) = (Vec::new(), Vec::new());
        // From the last to the first, so that what is above stays where it is.
        for spot in spots.iter().rev() {
            self.serve(&mut sim, spot, &launch, &mut grants, &mut calls)?;
        }
        self.checked(launch, grants, calls)
    }

    /// The symbol next to the last place: where the cursor would be of somebody who adds something.
    fn beside(&self, spots: &[Spot]) -> Option<String> {
        let at = spots.last()?.lines.end;
        let symbols = self.old.facts().symbols.iter();
        let small = symbols.filter(|symbol| symbol.range.len() <= MAX_TARGET);
        small
            .min_by_key(|symbol| at.abs_diff(symbol.range.end))
            .map(|symbol| symbol.path.to_string())
    }

    /// The whole file as text.
    fn by_file(&self, hunks: &[Hunk]) -> Result<Plan, String> {
        let launch = "@1".to_owned();
        let name = "@file".to_owned();
        let mut sim = self.sim(&launch, std::slice::from_ref(&name));
        let mut calls = Vec::new();
        let whole = |sim: &Sim<'_>| Range::new(0, sim.text.len());
        let hunks = in_parts(hunks, &self.before.to_string());
        for batch in batches(&hunks).iter().rev() {
            let want = with_hunks(&sim.text, batch);
            let range = whole(&sim);
            let edits = replacements(&sim.text, range, batch, false);
            let operation = match (edits, sim.base(&name)) {
                (Some(edits), Some((base, _))) => Operation::EditSymbol {
                    symbol: name.clone(),
                    base,
                    edits,
                },
                (None, Some((base, _))) => Operation::ReplaceSymbol {
                    symbol: name.clone(),
                    base,
                    text: want.clone(),
                },
                (_, None) => return Err("there is no such region".to_owned()),
            };
            sim.make(&operation, Some(&want))?;
            calls.push(Call {
                way: "@file",
                address: name.clone(),
                operation,
            });
        }
        Ok(Plan {
            launch,
            grants: vec![name],
            calls,
        })
    }

    /// The plan, if it holds when everything is granted before the first call and the hashes are those shown then.
    fn checked(
        &self,
        launch: String,
        grants: Vec<String>,
        calls: Vec<Call>,
    ) -> Result<Plan, String> {
        let mut sim = self.sim(&launch, &grants);
        let shown: Vec<Option<Hash>> = calls
            .iter()
            .map(|call| Some(sim.base(&call.address)?.0))
            .collect();
        for (call, shown) in calls.iter().zip(shown) {
            let mut operation = call.operation.clone();
            if let (
                Operation::EditSymbol { base, .. } | Operation::ReplaceSymbol { base, .. },
                Some(shown),
            ) = (&mut operation, shown)
            {
                *base = shown;
            }
            sim.make(&operation, None)?;
        }
        if sim.text.to_string() != self.after {
            return Err("the calls do not lead to the commit".to_owned());
        }
        Ok(Plan {
            launch,
            grants,
            calls,
        })
    }

    /// Hunks by the symbol they lie in, or by their lines; no place inside another.
    fn spots(&self, hunks: &[Hunk]) -> Vec<Spot> {
        let mut spots: Vec<Spot> = Vec::new();
        for hunk in hunks {
            let holder = self.holder(hunk);
            let lines = match holder {
                Some(symbol) => self.before.full_lines(symbol.range),
                None => self.lines_around(hunk),
            };
            let mut spot = Spot {
                symbol: holder.map(|symbol| symbol.path.to_string()),
                lines,
                hunks: vec![hunk.clone()],
            };
            while let Some(last) = spots.pop_if(|last| last.lines.intersects(spot.lines)) {
                let same = last.symbol == spot.symbol && last.symbol.is_some();
                let outer = if last.lines.contains_range(spot.lines) && last.symbol.is_some() {
                    last.symbol.clone()
                } else if spot.lines.contains_range(last.lines) {
                    spot.symbol.clone()
                } else {
                    None
                };
                let mut hunks = last.hunks;
                hunks.append(&mut spot.hunks);
                spot = Spot {
                    symbol: if same { last.symbol } else { outer },
                    lines: last.lines.cover(spot.lines),
                    hunks,
                };
            }
            spots.push(spot);
        }
        spots
    }

    /// The innermost symbol that has all the lines of a hunk to itself.
    fn holder(&self, hunk: &Hunk) -> Option<&Symbol> {
        let facts = self.old.facts();
        facts
            .symbols
            .iter()
            .filter(|symbol| {
                let lines = self.before.full_lines(symbol.range);
                let inside = if hunk.old.is_empty() {
                    lines.start < hunk.old.start && hunk.old.start < lines.end
                } else {
                    lines.contains_range(hunk.old)
                };
                inside && hunk.old != lines && self.is_alone(symbol.range, lines)
            })
            .min_by_key(|symbol| symbol.range.len())
    }

    fn is_alone(&self, range: Range, lines: Range) -> bool {
        let blank = |range: Range| self.before.slice(range).trim().is_empty();
        blank(Range::new(lines.start, range.start)) && blank(Range::new(range.end, lines.end))
    }

    /// The lines of a hunk; of one that only adds, the line before it.
    fn lines_around(&self, hunk: &Hunk) -> Range {
        let text = &self.before;
        if !hunk.old.is_empty() {
            return text.full_lines(Range::new(hunk.old.start, hunk.old.end.saturating_sub(1)));
        }
        let line = text.line_of(hunk.old.start);
        let line = if text.line_start(line) == hunk.old.start {
            line.saturating_sub(1)
        } else {
            line
        };
        Range::new(text.line_start(line), text.line_start(line + 1))
    }

    /// Tries the ways for one place, the narrowest first.
    fn serve(
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
            ways.push((
                "replace_symbol",
                Some(path.clone()),
                Operation::ReplaceSymbol {
                    symbol: path.clone(),
                    base,
                    text: text_with(&sim.text, area, &spot.hunks),
                },
            ));
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
    fn serve_lines(
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
            None => Operation::ReplaceSymbol { symbol, base, text },
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

/// The runs of changed lines.
fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    let diff = similar::TextDiff::from_lines(before, after);
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut at, mut there, mut open) = (0, 0, false);
    for change in diff.iter_all_changes() {
        let len = change.value().len();
        if change.tag() == similar::ChangeTag::Equal {
            (at, there, open) = (at + len, there + len, false);
            continue;
        }
        if !open {
            hunks.push(Hunk {
                old: Range::at(at),
                new: String::new(),
                there: Range::at(there),
            });
            open = true;
        }
        let Some(hunk) = hunks.last_mut() else {
            continue;
        };
        if change.tag() == similar::ChangeTag::Delete {
            at += len;
            hunk.old.end = at;
        } else {
            there += len;
            hunk.new.push_str(change.value());
            hunk.there.end = there;
        }
    }
    hunks
}

/// Hunks of a size that one call may have: a longer one is put in and taken out piece by piece, each above the next.
fn in_parts(hunks: &[Hunk], before: &str) -> Vec<Hunk> {
    let mut parts = Vec::new();
    for hunk in hunks {
        let mut new = pieces(&hunk.new);
        let last = new.pop().unwrap_or_default();
        parts.extend(new.into_iter().map(|new| Hunk {
            old: Range::at(hunk.old.start),
            new: new.to_owned(),
            there: hunk.there,
        }));
        let mut at = hunk.old.start;
        let old = before.get(at..hunk.old.end).unwrap_or_default();
        let mut new = last;
        for old in pieces(old) {
            parts.push(Hunk {
                old: Range::new(at, at + old.len()),
                new: std::mem::take(&mut new).to_owned(),
                there: hunk.there,
            });
            at += old.len();
        }
    }
    parts
}

/// Whole lines, together no longer than one call may insert; at least one piece.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    for line in text.split_inclusive('\n') {
        if at > start && at - start + line.len() > MAX_INSERT {
            pieces.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
        at += line.len();
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

/// How much a model has to write for these.
fn written(edits: &[Replacement]) -> usize {
    let lengths = edits.iter().map(|edit| edit.old.len() + edit.new.len());
    lengths.sum()
}

/// Hunks in calls: not too many, not too long, and never two at one place.
fn batches(hunks: &[Hunk]) -> Vec<Vec<Hunk>> {
    let mut batches: Vec<Vec<Hunk>> = Vec::new();
    for hunk in hunks {
        let fits = batches.last().is_some_and(|batch| {
            let new: usize = batch.iter().map(|hunk| hunk.new.len()).sum();
            let old: usize = batch.iter().map(|hunk| hunk.old.len()).sum();
            batch.len() < MAX_EDITS
                && new + hunk.new.len() <= MAX_INSERT
                && old + hunk.old.len() <= MAX_INSERT
                && batch
                    .last()
                    .is_some_and(|last| last.old.start < hunk.old.start)
        });
        match batches.last_mut() {
            Some(batch) if fits => batch.push(hunk.clone()),
            _ => batches.push(vec![hunk.clone()]),
        }
    }
    batches
}

fn with_hunks(text: &Text, hunks: &[Hunk]) -> String {
    text_with(text, Range::new(0, text.len()), hunks)
}

/// The text of `range` with the hunks in it made.
fn text_with(text: &Text, range: Range, hunks: &[Hunk]) -> String {
    let whole = text.slice(range);
    let (mut made, mut at) = (String::new(), 0);
    for hunk in hunks {
        let start = hunk.old.start.saturating_sub(range.start).min(whole.len());
        let end = hunk.old.end.saturating_sub(range.start).min(whole.len());
        made.push_str(whole.get(at..start).unwrap_or_default());
        made.push_str(&hunk.new);
        at = end;
    }
    made.push_str(whole.get(at..).unwrap_or_default());
    made
}

/// Each hunk with as few lines around it as make it unique in `area`, as a model would copy them: with `\n`.
///
/// With `inner`, the last line break of the area is not part of what is searched.
fn replacements(text: &Text, area: Range, hunks: &[Hunk], inner: bool) -> Option<Vec<Replacement>> {
    const CONTEXTS: [(usize, usize); 12] = [
        (0, 0),
        (1, 0),
        (0, 1),
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 3),
        (5, 5),
        (10, 10),
        (20, 20),
        (40, 40),
        (usize::MAX, usize::MAX),
    ];
    if hunks.len() > MAX_EDITS {
        return None;
    }
    let whole = text.slice(area);
    let searched = if inner {
        whole.trim_end_matches(['\n', '\r'])
    } else {
        &whole
    };
    let mut starts: Vec<usize> = vec![0];
    starts.extend(whole.split_inclusive('\n').scan(0, |at, line| {
        *at += line.len();
        Some(*at)
    }));
    hunks
        .iter()
        .map(|hunk| {
            let start = hunk.old.start.checked_sub(area.start)?;
            let end = hunk.old.end.checked_sub(area.start)?;
            let first = starts.partition_point(|at| *at <= start).checked_sub(1)?;
            let last = starts.partition_point(|at| *at < end.max(start));
            CONTEXTS.iter().find_map(|(above, below)| {
                let from = *starts.get(first.saturating_sub(*above))?;
                let to = *starts.get(last.saturating_add(*below).min(starts.len() - 1))?;
                let (from, to) = (from.min(start), to.max(end));
                let mut old = whole.get(from..to)?;
                let new = format!(
                    "{}{}{}",
                    whole.get(from..start)?,
                    hunk.new,
                    whole.get(end..to)?
                );
                let mut new = new.as_str();
                if inner {
                    match (old.strip_suffix('\n'), new.strip_suffix('\n')) {
                        (Some(short_old), Some(short_new)) => {
                            old = short_old.strip_suffix('\r').unwrap_or(short_old);
                            new = short_new.strip_suffix('\r').unwrap_or(short_new);
                        }
                        (None, None) => {}
                        _ => return None,
                    }
                }
                let unique = !old.trim().is_empty() && searched.matches(old).count() == 1;
                let plain = |text: &str| text.replace("\r\n", "\n");
                unique.then(|| Replacement {
                    old: plain(old),
                    new: plain(new),
                })
            })
        })
        .collect()
}
