//! From a file before and after a commit to the tool calls that a careful model would have sent.
//!
//! Each changed place is given the narrowest address that leads to exactly the bytes of the commit: the symbol it lies
//! in, a new item, a deleted one, the imports, the lines it is on, and at last the whole file.
//! The gate is asked beforehand, so that a call that would be refused gives way to the next; what counts is the run.

mod hunks;
mod sim;
mod spots;
mod ways;

use gate::{Operation, Policy};
use hunks::{Hunk, batches, hunks, in_parts, replacements, with_hunks, written};
use index::{Grammar, Parsed};
use serde_json::{Value, json};
use spots::Spot;
use text::{FilePath, Hash, Text};

/// What one call may come to, old texts included: no model repeats more of a file than that.
const MAX_WRITTEN: usize = 96 * 1024;
/// With more places than this, a model would ask for the whole file.
const MAX_PLACES: usize = 24;
/// With more than this, a run would come to the end of its tool calls.
const MAX_LINES: usize = 150;
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
    let plan = planner.by_places(&hunks);
    let plan = plan.or_else(|_| planner.by_file(&hunks));
    plan.or_else(|_| planner.by_lines(&hunks))
}

struct Planner<'a> {
    file: &'a FilePath,
    before: Text,
    policy: Policy,
    old: Parsed,
    new: Parsed,
    after: &'a str,
}

impl Planner<'_> {
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
        let hunks = in_parts(hunks, &self.before.to_string());
        let mut batches = batches(&hunks);
        while let Some(mut batch) = batches.pop() {
            let want = with_hunks(&sim.text, &batch);
            let Some((base, range)) = sim.base(&name) else {
                return Err("there is no such region".to_owned());
            };
            let edits = replacements(&sim.text, range, &batch, false);
            let edits = edits.filter(|edits| written(edits) <= MAX_WRITTEN);
            let symbol = name.clone();
            let operation = match edits {
                Some(edits) => Operation::EditSymbol {
                    symbol,
                    base,
                    edits,
                },
                None if want.len() <= MAX_WRITTEN => Operation::ReplaceSymbol {
                    symbol,
                    base,
                    text: want.clone(),
                },
                None if batch.len() > 1 => {
                    let rest = batch.split_off(batch.len() / 2);
                    batches.extend([batch, rest]);
                    continue;
                }
                None => return Err("a model would not write as much".to_owned()),
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

    /// Every hunk as the lines it is on: what is left in a long file whose lines are much alike.
    fn by_lines(&self, hunks: &[Hunk]) -> Result<Plan, String> {
        let spots = self.lines(hunks);
        if spots.len() > MAX_LINES {
            return Err("too many lines".to_owned());
        }
        let launch = "@1".to_owned();
        let mut sim = self.sim(&launch, &[]);
        let (mut grants, mut calls) = (Vec::new(), Vec::new());
        for spot in spots.iter().rev() {
            let want = with_hunks(&sim.text, &spot.hunks);
            self.serve_lines(&mut sim, spot, &want, &mut grants, &mut calls)?;
        }
        self.checked(launch, grants, calls)
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
}
