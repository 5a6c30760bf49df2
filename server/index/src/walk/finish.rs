//! From what a walk has put down to finished facts.

use grammars::{Role, SymbolKind};
use text::Range;

use super::Walker;
use super::again::{Before, Log, Past, Reading, Recorder, Span};
use crate::facts::{Facts, Incomplete, Instruction, Symbol, SymbolId, count_lines};
use crate::imports;
use crate::paths;
use crate::shape;
use crate::symbols;

impl Walker<'_> {
    /// The facts, and with a recorder what the next walk needs; nothing if it cannot take over anything.
    pub(super) fn finish(
        mut self,
        recorder: Option<Recorder<'_>>,
        past: Option<&Past<'_>>,
    ) -> (Facts, Option<Reading>) {
        self.references.end();
        let goes_on = recorder.is_some();
        let spans = recorder
            .as_ref()
            .map_or(&[][..], |recorder| &recorder.spans);
        let before = past.filter(|_| !spans.is_empty());
        let before = before.map(|past| (past, self.beside(past, spans)));
        let again = before.as_ref().map(|(_, before)| before);

        let mut symbols = self.symbols.finish(&self.references.names, again);
        let drafts = &self.symbols.drafts;
        let moved = again.and_then(|before| paths::name_some(drafts, &mut symbols, before));
        if moved.is_none() {
            self.symbols.too_deep |= paths::name_all(drafts, &mut symbols);
        }
        let (kept, same_mentions) = match &before {
            Some((past, _)) => self.judge(&symbols, past, spans),
            None => (self.references.judge(&symbols), false),
        };
        let (names, references) = self.references.finish(&kept, goes_on);

        let mut imports = if goes_on {
            self.imports.done.clone()
        } else {
            std::mem::take(&mut self.imports.done)
        };
        imports.sort_by_key(|import| import.range);
        for import in &mut imports {
            let around = symbols::around(&symbols, import.range.start);
            import.within = around.map(|index| SymbolId(index as u32));
        }
        let mut errors = self.errors.clone();
        errors.sort_unstable();
        let is_named = |id: &SymbolId| {
            let symbol = symbols.get(id.index());
            symbol.is_some_and(|symbol| symbol.kind.is_mentioned())
        };
        let by_name = sorted(
            &symbols,
            |symbol| &symbol.name,
            is_named,
            again.map(|before| {
                // A symbol that was taken over has the name that it had.
                (before, &*before.facts.by_name, None)
            }),
        );
        let by_path = sorted(
            &symbols,
            |symbol| &symbol.path,
            |_| true,
            again
                .zip(moved.as_deref())
                .map(|(before, moved)| (before, &*before.facts.by_path, Some(moved))),
        );
        let mut facts = Facts {
            grammar: self.grammar,
            comments: Vec::new(),
            symbols: Vec::new(),
            imports,
            error_count: errors.len(),
            lines: count_lines(self.source),
            bytes: self.source.len(),
            generated: is_generated(self.source),
            incomplete: self.symbols.too_deep.then_some(Incomplete::TooDeep),
            names,
            references,
            imports_range: imports::block(&self.imports.runs),
            errors: errors.into(),
            by_name,
            by_path,
        };
        symbols.shrink_to_fit();
        facts.symbols = symbols;
        let known = again.filter(|_| same_mentions);
        count_recursion(&mut facts, known.zip(moved.as_deref()));
        shape::give(&mut facts, self.source, known);
        facts.comments = self
            .instructions
            .iter()
            .map(|draft| Instruction {
                symbol: instructed(&facts, self.source, draft.range),
                range: draft.range,
                text: draft.text.clone(),
            })
            .collect();
        // What was left out for its depth depends on the whole file, and so do names that nobody uses any more.
        let goes_on = !self.symbols.too_deep
            && self.references.names.len()
                < 2 * facts.names.len() + 2 * self.symbols.drafts.len() + 4096;
        let reading = recorder.filter(|_| goes_on).map(|recorder| {
            recorder.finish(Log {
                drafts: self.symbols.drafts,
                mentions: self.references.mentions,
                kept,
                locals: self.references.locals,
                local_types: self.references.local_types,
                names: self.references.names,
                points: self.complexity.points,
                imports: self.imports.done,
                runs: self.imports.runs,
                asks: self.instructions,
                errors: self.errors,
                exported: self.symbols.exported,
                assignments: self.symbols.assignments,
            })
        });
        (facts, reading)
    }

    /// The symbols of the walk before that are still what they were.
    fn beside<'p>(&self, past: &'p Past<'p>, spans: &[Span]) -> Before<'p> {
        let drafts = &self.symbols.drafts;
        let old = &past.facts.symbols;
        let (mut old_of, mut new_of) = Log::pairs(spans, old.len(), drafts.len());
        for (draft, number) in drafts.iter().zip(&mut old_of) {
            let Some(symbol) = old.get(*number as usize) else {
                continue;
            };
            let length = |range: Option<Range>| range.map(Range::len);
            // Later nodes may have made it longer, or given it something.
            let same = draft.item.len() == symbol.item.len()
                && draft.range.len() == symbol.range.len()
                && length(draft.body) == length(symbol.body)
                && length(draft.doc) == length(symbol.doc);
            if !same {
                new_of[*number as usize] = u32::MAX;
                *number = u32::MAX;
            }
        }
        Before {
            facts: past.facts,
            old_of,
            new_of,
        }
    }

    /// Which mentions become references, and whether the verdicts of the walk before all hold.
    fn judge(&self, symbols: &[Symbol], past: &Past<'_>, spans: &[Span]) -> (Vec<bool>, bool) {
        let (log, references) = (past.reading.log(), &self.references);
        let mut before: Vec<Option<bool>> = vec![None; references.mentions.len()];
        let mut unsure = vec![false; references.names.len()];
        let (mut locals, mut types) = (Gaps::default(), Gaps::default());
        let mut old_locals = Gaps::default();
        let mut old_types = Gaps::default();
        for span in spans {
            let verdicts = log.kept.get(span.from.mentions..span.to.mentions);
            let slots = before.get_mut(span.new.mentions..).unwrap_or(&mut []);
            for (slot, verdict) in slots.iter_mut().zip(verdicts.unwrap_or(&[])) {
                *slot = Some(*verdict);
            }
            let count = span.to.locals - span.from.locals;
            locals.skip(span.new.locals, count);
            old_locals.skip(span.from.locals, count);
            let count = span.to.local_types - span.from.local_types;
            types.skip(span.new.local_types, count);
            old_types.skip(span.from.local_types, count);
        }
        let mut doubt = |name: u32| unsure[name as usize] = true;
        locals.rest(&references.locals, |local| doubt(local.name));
        old_locals.rest(&log.locals, |local| doubt(local.name));
        types.rest(&references.local_types, |local| doubt(local.name));
        old_types.rest(&log.local_types, |local| doubt(local.name));
        let kept = references.judge_again(symbols, before.clone(), &unsure);
        let same = before
            .iter()
            .zip(&kept)
            .all(|(before, kept)| before.is_none_or(|before| before == *kept));
        (kept, same)
    }
}

/// The parts of a list that no span covers.
#[derive(Default)]
struct Gaps(Vec<(usize, usize)>);

impl Gaps {
    /// A span covers so many entries from a place on. Spans come in order.
    fn skip(&mut self, from: usize, count: usize) {
        self.0.push((from, from + count));
    }

    fn rest<T>(&self, list: &[T], each: impl FnMut(&T)) {
        let mut at = 0;
        let ends = self.0.iter().copied().chain([(list.len(), list.len())]);
        let gaps = ends.map(|(from, to)| {
            let gap = list.get(at..from).unwrap_or(&[]);
            at = to;
            gap
        });
        gaps.flatten().for_each(each);
    }
}

/// The walk before, an order of its symbols, and which of them have another text now.
type Order<'p> = (&'p Before<'p>, &'p [SymbolId], Option<&'p [bool]>);

/// The symbols that are wanted, by a text of theirs, and those with the same text in order.
///
/// With the order of before, that of those that were taken over and have the text that they had is known.
fn sorted(
    symbols: &[Symbol],
    text: fn(&Symbol) -> &str,
    is_wanted: impl Fn(&SymbolId) -> bool,
    before: Option<Order<'_>>,
) -> Box<[SymbolId]> {
    let key = |id: &SymbolId| (symbols.get(id.index()).map(text), *id);
    let all = (0..symbols.len() as u32).map(SymbolId);
    let Some((before, order, moved)) = before else {
        let mut ids: Vec<SymbolId> = all.filter(is_wanted).collect();
        ids.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        return ids.into();
    };
    let is_new = |id: &SymbolId| match moved {
        Some(moved) => moved.get(id.index()).copied().unwrap_or(true),
        None => before.symbol(id.index()).is_none(),
    };
    let mut fresh: Vec<SymbolId> = all.filter(|id| is_new(id) && is_wanted(id)).collect();
    fresh.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    let known = order.iter().filter_map(|old| {
        let id = SymbolId(*before.new_of.get(old.index())?);
        (id.index() < symbols.len() && !is_new(&id)).then_some(id)
    });
    let known: Vec<SymbolId> = known.collect();
    let mut merged = Vec::with_capacity(known.len() + fresh.len());
    let mut rest = known.as_slice();
    for id in fresh {
        let (smaller, greater) = rest.split_at(rest.partition_point(|other| key(other) < key(&id)));
        merged.extend_from_slice(smaller);
        merged.push(id);
        rest = greater;
    }
    merged.extend_from_slice(rest);
    merged.into()
}

/// The symbol that a comment is in, or else the one that follows with nothing but blanks between.
fn instructed(facts: &Facts, source: &str, comment: Range) -> Option<SymbolId> {
    if let Some(around) = symbols::around(&facts.symbols, comment.start) {
        return Some(SymbolId(around as u32));
    }
    let next = facts
        .symbols
        .partition_point(|symbol| symbol.range.start < comment.end);
    let start = facts.symbols.get(next)?.range.start;
    let between = source.get(comment.end..start)?;
    between.trim().is_empty().then_some(SymbolId(next as u32))
}

/// Whether a text says near its top that it is not written by hand.
fn is_generated(source: &str) -> bool {
    let head = &source[..source.floor_char_boundary(1000)];
    let mut lines = head.lines().take(10);
    lines.any(|line| {
        line.contains("@generated")
            || (line.contains("Code generated") && line.contains("DO NOT EDIT"))
    })
}

/// Adds a point for functions that call themselves. What is known of symbols that were taken over holds.
fn count_recursion(facts: &mut Facts, known: Option<(&Before<'_>, &[bool])>) {
    let mut counted = Vec::new();
    for (id, symbol) in facts.enumerate() {
        if symbol.metrics.is_none() || symbol.kind == SymbolKind::Test {
            continue;
        }
        let same = known.and_then(|(before, moved)| {
            let moved = moved.get(id.index()).copied().unwrap_or(true);
            before.symbol(id.index()).filter(|_| !moved)
        });
        let metrics = match same {
            Some(same) => same.metrics,
            None if calls_itself(facts, id, symbol) => symbol.metrics.map(|mut metrics| {
                metrics.cognitive += 1;
                metrics
            }),
            None => continue,
        };
        counted.push((id, metrics));
    }
    for (id, metrics) in counted {
        if let Some(symbol) = facts.symbols.get_mut(id.index()) {
            symbol.metrics = metrics;
        }
    }
}

fn calls_itself(facts: &Facts, id: SymbolId, symbol: &Symbol) -> bool {
    let (Some(body), Some(name)) = (symbol.body, facts.names.find(&symbol.name)) else {
        return false;
    };
    let owner = facts.owner_name(id);
    facts.packed_in(body).iter().any(|packed| {
        if packed.name != name || packed.role != Role::Call {
            return false;
        }
        if let Some(qualifier) = packed.qualifier.map(|qualifier| facts.names.get(qualifier)) {
            return Some(qualifier) == owner || facts.grammar.self_names.contains(&qualifier);
        }
        let bare = symbol.kind == SymbolKind::Function || facts.grammar.implicit_self;
        bare && !packed.member
    })
}
