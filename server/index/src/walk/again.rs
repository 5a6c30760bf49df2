//! A walk over a changed tree that passes over what has not changed.
//!
//! While it reads an open document, a walk notes down at some places what it knows there.
//! When the document changes, the next walk goes down to the change. Beside its way, where it knows just what the one
//! before knew at the same place, and no node is touched until another such place, it takes over what the one before
//! put down, and goes on from there.

use std::sync::Arc;

use grammars::Child;
use text::Range;

use super::Walker;
use super::state::{Move, Numbers, State};
use crate::facts::Symbol;
use crate::facts::{Facts, Import};
use crate::imports::Run;
use crate::instructions;
use crate::metrics::Point;
use crate::names::Interner;
use crate::references::{Local, LocalType, Mention};
use crate::symbols::{Assignment, Draft};

/// Stands for the place behind the last child of a node.
pub(super) const END: u16 = u16::MAX - 2;

/// How many stops there are in a text at most, roughly; and how far they are from each other at least, in bytes.
const STOPS: usize = 256;
const STEP: usize = 256;

/// How many changes the state of a stop may lie back.
const MOVES: usize = 64;

/// What a walk has put down, for the next one to take over from.
pub(crate) struct Reading {
    log: Log,
    stops: Vec<Stop>,
    /// The changes since the oldest stop.
    moves: Vec<Move>,
    #[cfg(test)]
    taken: usize,
}

/// All that a walk puts down, in order.
pub(super) struct Log {
    pub(super) drafts: Vec<Draft>,
    pub(super) mentions: Vec<Mention>,
    /// Whether each mention became a reference.
    pub(super) kept: Vec<bool>,
    pub(super) locals: Vec<Local>,
    pub(super) local_types: Vec<LocalType>,
    pub(super) names: Interner,
    pub(super) points: Vec<Point>,
    pub(super) imports: Vec<Import>,
    pub(super) runs: Vec<Run>,
    pub(super) asks: Vec<instructions::Draft>,
    pub(super) errors: Vec<Range>,
    pub(super) exported: Vec<u32>,
    pub(super) assignments: Vec<Assignment>,
}

/// How much of each was there.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Mark {
    pub(super) drafts: usize,
    pub(super) mentions: usize,
    pub(super) locals: usize,
    pub(super) local_types: usize,
    points: usize,
    imports: usize,
    runs: usize,
    asks: usize,
    errors: usize,
    exported: usize,
    assignments: usize,
}

/// A place where a walk noted down what it knew.
#[derive(Clone)]
struct Stop {
    at: usize,
    depth: u32,
    kind: u16,
    mark: Mark,
    state: Arc<State>,
    /// How many of the changes were made when the state was noted down.
    epoch: usize,
}

/// A part of what the walk before has put down that was taken over.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) from: Mark,
    pub(super) to: Mark,
    pub(super) new: Mark,
}

/// What has changed since the walk before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damage {
    /// The part of the new text that may mean something else.
    pub(crate) range: Range,
    /// How much longer the text is than before.
    pub(crate) delta: isize,
}

/// The walk before, and what has changed since.
pub(crate) struct Past<'p> {
    pub(crate) reading: &'p Reading,
    pub(crate) facts: &'p Facts,
    pub(crate) damage: Damage,
}

/// The symbols of the walk before, beside those of this one.
pub(crate) struct Before<'p> {
    pub(crate) facts: &'p Facts,
    /// For each symbol the one before that it was taken over from.
    pub(super) old_of: Vec<u32>,
    /// For each symbol before what has become of it.
    pub(crate) new_of: Vec<u32>,
}

impl Before<'_> {
    /// The symbol before that one of now was taken over from.
    pub(crate) fn symbol(&self, number: usize) -> Option<&Symbol> {
        let old = self.old_of.get(number)?;
        self.facts.symbols.get(*old as usize)
    }
}

/// Notes down stops during a walk, and takes over what it can.
pub(super) struct Recorder<'p> {
    past: Option<&'p Past<'p>>,
    step: usize,
    stops: Vec<Stop>,
    /// By depth: where the last stop among the children of the node above is; none if that node is small.
    levels: Vec<Option<usize>>,
    pub(super) spans: Vec<Span>,
    /// Where text begins that nothing in front of it has a say in.
    clear: usize,
    /// The first symbol behind the change, before, and how far it has moved.
    behind: Option<(u32, i64)>,
    epoch: usize,
}

impl<'p> Recorder<'p> {
    pub(super) fn new(source: &str, past: Option<&'p Past<'p>>) -> Recorder<'p> {
        let clear = past.map_or(0, |past| {
            let end = past.damage.range.end;
            let line = source.get(end..).and_then(|rest| rest.find('\n'));
            line.map_or(usize::MAX, |line| end + line + 1)
        });
        Recorder {
            past,
            step: (source.len() / STOPS).max(STEP),
            stops: Vec::new(),
            levels: Vec::new(),
            spans: Vec::new(),
            clear,
            behind: None,
            epoch: past.map_or(0, |past| past.reading.moves.len() + 1),
        }
    }

    /// Makes room for about as much as the walk before has put down.
    pub(super) fn make_room(&self, walker: &mut Walker<'_>) {
        fn room<T, U>(list: &mut Vec<T>, before: &[U]) {
            list.reserve_exact(before.len() + before.len() / 16 + 16);
        }
        let Some(past) = self.past else { return };
        let log = &past.reading.log;
        room(&mut walker.symbols.drafts, &log.drafts);
        room(&mut walker.symbols.assignments, &log.assignments);
        room(&mut walker.symbols.exported, &log.exported);
        room(&mut walker.references.mentions, &log.mentions);
        room(&mut walker.references.locals, &log.locals);
        room(&mut walker.references.local_types, &log.local_types);
        room(&mut walker.complexity.points, &log.points);
        room(&mut walker.imports.done, &log.imports);
    }

    /// Whether the place behind the last child of a node is worth a stop; the walk is about to enter the node.
    pub(super) fn enter(&mut self, range: Range, depth: u32) -> bool {
        let depth = depth as usize + 1;
        if self.levels.len() <= depth {
            self.levels.resize(depth + 1, None);
        }
        let is_big = range.len() >= self.step;
        self.levels[depth] = is_big.then_some(usize::MAX);
        is_big
    }

    /// The walk has come to a node, or behind the last child of one. Whether it is to go on with what is left on the
    /// stack instead.
    pub(super) fn arrive<'t>(
        &mut self,
        walker: &mut Walker<'_>,
        stack: &mut Vec<(Child<'t>, u32)>,
        child: Child<'t>,
        depth: u32,
    ) -> bool {
        let Some(Some(last)) = self.levels.get(depth as usize).copied() else {
            return false;
        };
        let at = place(child);
        let is_due = last == usize::MAX || child.kind == END || at >= last + self.step;
        let stop = self.past.and_then(|past| past.stop(at, depth, child.kind));
        if (!is_due && stop.is_none()) || !walker.is_quiet(at) {
            return false;
        }
        let state = State::of(walker);
        let mark = walker.count();
        let target = stop.and_then(|stop| {
            let past = self.past?;
            let from = past.reading.stops.get(stop)?;
            let then = past.state(from, self.epoch - 1)?.moved(&past.by())?;
            let drafts = (from.mark.drafts as u32, mark.drafts as u32);
            let numbers = then.equals(&state, drafts)?;
            if at >= self.clear && then.looks_back_before(self.clear) {
                return None;
            }
            let (target, height) = self.target(past, stack, child, depth)?;
            Some((past, stop, then, numbers, target, height))
        });
        self.levels[depth as usize] = Some(at);
        self.stops.push(Stop {
            at,
            depth,
            kind: child.kind,
            mark,
            state: Arc::new(state),
            epoch: self.epoch,
        });
        let Some((past, stop, then, numbers, target, height)) = target else {
            return false;
        };
        let is_behind = at >= self.clear;
        let taken = self.take_over(walker, past, (stop, target), &then, &numbers, is_behind);
        if taken.is_none() {
            return false;
        }
        let goal = stack.get(height).map(|(child, _)| place(*child));
        stack.truncate(height + 1);
        self.levels[depth as usize] = goal.or(Some(at));
        true
    }

    /// The last stop that can be reached from a node without touching the change, and its place on the stack.
    fn target<'t>(
        &self,
        past: &'p Past<'p>,
        stack: &[(Child<'t>, u32)],
        child: Child<'t>,
        depth: u32,
    ) -> Option<(usize, usize)> {
        let damage = past.damage.range;
        let siblings = stack
            .iter()
            .rev()
            .take_while(|(_, at)| *at == depth)
            .count();
        let bottom = stack.len() - siblings;
        let stop_of = |height: usize| {
            let (child, depth) = stack.get(height)?;
            Some((past.stop(place(*child), *depth, child.kind)?, height))
        };
        if child.kind == END {
            return None;
        }
        if place(child) >= self.clear {
            return (bottom..stack.len()).find_map(stop_of);
        }
        // Those that end before the change.
        let before = |child: &Child<'_>| child.kind != END && child.node.end_byte() < damage.start;
        if !before(&child) {
            return None;
        }
        let rest = stack.get(bottom..)?;
        let touched = rest.partition_point(|(child, _)| !before(child));
        // The first that is touched is one that can be gone to.
        let first = bottom + touched.saturating_sub(1);
        // The change may have taken away what stood before the end.
        let first = first.max(bottom + 1);
        (first..stack.len()).find_map(stop_of)
    }

    /// Puts down what the walk before has put down between two stops. None if it cannot be done; then nothing is.
    fn take_over(
        &mut self,
        walker: &mut Walker<'_>,
        past: &'p Past<'p>,
        stops: (usize, usize),
        then: &State,
        numbers: &Numbers,
        is_behind: bool,
    ) -> Option<()> {
        let by = past.by();
        let from = past.reading.stops.get(stops.0)?;
        let to = past.reading.stops.get(stops.1)?;
        let goal = past.state(to, self.epoch - 1)?.moved(&by)?;
        let log = &past.reading.log;
        let now = walker.count();
        let shift = now.drafts as i64 - from.mark.drafts as i64;
        if is_behind {
            if self.behind.is_some_and(|(_, before)| before != shift) {
                return None;
            }
        } else if shift != 0 {
            return None;
        }
        // Whoever goes on with the last definition changes what is down already.
        if let Some(left) = then.left().filter(|left| !then.is_open(*left)) {
            let after = goal.live(left).cloned();
            let after = match after {
                Some(after) => after,
                None => by.draft(log.drafts.get(left as usize)?, Some)?,
            };
            if !then.live(left)?.is_like(&after) {
                return None;
            }
        }
        let (first, last) = (from.mark.drafts, to.mark.drafts);
        let mut drafts = Vec::with_capacity(last - first);
        let old = log.drafts.get(first..last)?;
        for (number, draft) in (first as u32..).zip(old) {
            let draft = match goal.live(number) {
                Some(draft) => by_number(draft, numbers)?,
                None => by.draft(draft, |parent| numbers.map(parent))?,
            };
            drafts.push(draft);
        }
        let assignments = log
            .assignments
            .get(from.mark.assignments..to.mark.assignments)?;
        let assignments = assignments.iter().map(|assignment| {
            Some(Assignment {
                parent: match assignment.parent {
                    Some(parent) => Some(numbers.map(parent)?),
                    None => None,
                },
                ..*assignment
            })
        });
        let assignments = assignments.collect::<Option<Vec<_>>>()?;
        if !walker.symbols.agrees(&assignments) {
            return None;
        }
        let runs = taken(
            &log.runs,
            from.mark.runs,
            to.mark.runs,
            then.run().is_some(),
        );
        let runs = with_last(runs, |run| by.run(run), goal.run())?;
        let asks = taken(
            &log.asks,
            from.mark.asks,
            to.mark.asks,
            then.asks().is_some(),
        );
        let asks = with_last(asks, |draft| by.asks(draft), goal.asks())?;

        goal.hand_to(walker, then, numbers)?;
        walker.symbols.drafts.extend(drafts);
        for assignment in assignments {
            walker.symbols.assign(assignment);
        }
        let exported = log.exported.get(from.mark.exported..to.mark.exported);
        walker.symbols.exported.extend(exported.unwrap_or(&[]));
        let (references, moved) = (&mut walker.references, |place: usize| {
            by.place(place).unwrap_or(place)
        });
        let mentions = log.mentions.get(from.mark.mentions..to.mark.mentions);
        references
            .mentions
            .extend(mentions.unwrap_or(&[]).iter().map(|mention| Mention {
                start: moved(mention.start as usize) as u32,
                ..*mention
            }));
        let locals = log.locals.get(from.mark.locals..to.mark.locals);
        references
            .locals
            .extend(locals.unwrap_or(&[]).iter().map(|local| Local {
                statement: Range::new(moved(local.statement.start), moved(local.statement.end)),
                ..*local
            }));
        let types = log
            .local_types
            .get(from.mark.local_types..to.mark.local_types);
        references
            .local_types
            .extend(types.unwrap_or(&[]).iter().map(|local| LocalType {
                start: moved(local.start),
                ..*local
            }));
        let points = log.points.get(from.mark.points..to.mark.points);
        walker.complexity.points.extend(points.unwrap_or(&[]));
        let imports = log.imports.get(from.mark.imports..to.mark.imports);
        walker
            .imports
            .done
            .extend(imports.unwrap_or(&[]).iter().map(|import| Import {
                range: Range::new(moved(import.range.start), moved(import.range.end)),
                ..import.clone()
            }));
        if then.run().is_some() {
            walker.imports.runs.pop();
        }
        walker.imports.runs.extend(runs);
        walker.imports.in_run = goal.run().is_some();
        if then.asks().is_some() {
            walker.instructions.pop();
        }
        walker.instructions.extend(asks);
        let errors = log.errors.get(from.mark.errors..to.mark.errors);
        walker.errors.extend(
            errors
                .unwrap_or(&[])
                .iter()
                .map(|error| Range::new(moved(error.start), moved(error.end))),
        );

        if is_behind {
            self.behind.get_or_insert((from.mark.drafts as u32, shift));
        }
        self.spans.push(Span {
            from: from.mark,
            to: to.mark,
            new: now,
        });
        let passed = past.reading.stops.get(stops.0 + 1..stops.1);
        let passed = passed.unwrap_or(&[]).iter();
        self.stops.extend(passed.map(|stop| Stop {
            at: moved(stop.at),
            mark: stop.mark.moved(&from.mark, &now),
            state: stop.state.clone(),
            ..*stop
        }));
        Some(())
    }

    /// What the next walk needs.
    pub(super) fn finish(self, log: Log) -> Reading {
        let (mut stops, mut moves) = (self.stops, Vec::new());
        if let Some(past) = self.past {
            moves.clone_from(&past.reading.moves);
            let old = &past.reading.log.drafts;
            let both = old.iter().zip(&log.drafts);
            let same = both.take_while(|(old, new)| {
                old.kind == new.kind
                    && old.range.start == new.range.start
                    && new.range.start < past.damage.range.start
            });
            let (from, shift) = self.behind.unwrap_or((u32::MAX, 0));
            moves.push(Move {
                same: (same.count() as u32).min(from),
                from,
                shift,
                ..past.by()
            });
            if moves.len() >= MOVES {
                stops = brought_up(stops, &moves);
                moves.clear();
            }
        }
        Reading {
            log,
            stops,
            moves,
            #[cfg(test)]
            taken: {
                let spans = self.spans.iter();
                spans
                    .map(|span| span.to.mentions - span.from.mentions)
                    .sum()
            },
        }
    }
}

/// The stops with their states as of now; those that cannot be brought there are left out.
fn brought_up(stops: Vec<Stop>, moves: &[Move]) -> Vec<Stop> {
    let stops = stops.into_iter().filter_map(|stop| {
        let mut state = stop.state;
        for by in moves.get(stop.epoch..).unwrap_or(&[]) {
            state = Arc::new(state.moved(by)?);
        }
        Some(Stop {
            state,
            epoch: 0,
            ..stop
        })
    });
    stops.collect()
}

impl<'p> Past<'p> {
    /// The stop at a place of the new text.
    fn stop(&self, at: usize, depth: u32, kind: u16) -> Option<usize> {
        let range = self.damage.range;
        // Behind the change, or the end of what is around it.
        let at = if at < range.start {
            at
        } else if at > range.end || (kind == END && at >= range.end) {
            at.checked_add_signed(-self.damage.delta)?
        } else {
            return None;
        };
        let stops = &self.reading.stops;
        let first = stops.partition_point(|stop| stop.at < at);
        let mut here = stops.get(first..)?.iter().take_while(|stop| stop.at == at);
        let place = here.position(|stop| stop.depth == depth && stop.kind == kind)?;
        Some(first + place)
    }

    /// What the walk before knew at a stop, as of its end.
    fn state(&self, stop: &'p Stop, epoch: usize) -> Option<std::borrow::Cow<'p, State>> {
        let moves = self.reading.moves.get(stop.epoch..epoch)?;
        let mut state = std::borrow::Cow::Borrowed(&*stop.state);
        for by in moves {
            state = std::borrow::Cow::Owned(state.moved(by)?);
        }
        Some(state)
    }

    /// How places have moved; numbers have not yet.
    fn by(&self) -> Move {
        let Damage { range, delta } = self.damage;
        Move {
            start: range.start,
            old_end: range.end.saturating_add_signed(-delta),
            delta,
            same: u32::MAX,
            from: u32::MAX,
            shift: 0,
        }
    }
}

impl Log {
    /// For each symbol of now the one of the walk before, and the other way round.
    pub(super) fn pairs(spans: &[Span], old: usize, new: usize) -> (Vec<u32>, Vec<u32>) {
        let (mut old_of, mut new_of) = (vec![u32::MAX; new], vec![u32::MAX; old]);
        for span in spans {
            for number in 0..span.to.drafts - span.from.drafts {
                let (old, new) = (span.from.drafts + number, span.new.drafts + number);
                if let (Some(old_slot), Some(new_slot)) = (old_of.get_mut(new), new_of.get_mut(old))
                {
                    (*old_slot, *new_slot) = (old as u32, new as u32);
                }
            }
        }
        (old_of, new_of)
    }
}

impl Reading {
    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// How many mentions were taken over, of how many.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> (usize, usize) {
        (self.taken, self.log.mentions.len())
    }

    /// The names that another walk can go on with.
    pub(super) fn names(&self) -> Interner {
        self.log.names.clone()
    }
}

impl Mark {
    /// The same count in a walk where `from` was at `to`.
    fn moved(&self, from: &Mark, to: &Mark) -> Mark {
        let moved = |count: usize, from: usize, to: usize| (count + to).saturating_sub(from);
        Mark {
            drafts: moved(self.drafts, from.drafts, to.drafts),
            mentions: moved(self.mentions, from.mentions, to.mentions),
            locals: moved(self.locals, from.locals, to.locals),
            local_types: moved(self.local_types, from.local_types, to.local_types),
            points: moved(self.points, from.points, to.points),
            imports: moved(self.imports, from.imports, to.imports),
            runs: moved(self.runs, from.runs, to.runs),
            asks: moved(self.asks, from.asks, to.asks),
            errors: moved(self.errors, from.errors, to.errors),
            exported: moved(self.exported, from.exported, to.exported),
            assignments: moved(self.assignments, from.assignments, to.assignments),
        }
    }
}

impl Walker<'_> {
    /// Whether nothing that was said about nodes further down lies behind `at`, and no statement is half read.
    fn is_quiet(&mut self, at: usize) -> bool {
        self.pending.is_empty()
            && !self.imports.is_open()
            && !self.complexity.in_chain()
            && !self.symbols.too_deep
            && self.references.flush(at)
    }

    fn count(&self) -> Mark {
        Mark {
            drafts: self.symbols.drafts.len(),
            mentions: self.references.mentions.len(),
            locals: self.references.locals.len(),
            local_types: self.references.local_types.len(),
            points: self.complexity.points.len(),
            imports: self.imports.done.len(),
            runs: self.imports.runs.len(),
            asks: self.instructions.len(),
            errors: self.errors.len(),
            exported: self.symbols.exported.len(),
            assignments: self.symbols.assignments.len(),
        }
    }
}

/// Where a child begins; where the node ends for the place behind the last child.
fn place(child: Child<'_>) -> usize {
    if child.kind == END {
        child.node.end_byte()
    } else {
        child.node.start_byte()
    }
}

/// What was put down between two stops; with the entry before, if that was not complete.
fn taken<T>(log: &[T], from: usize, to: usize, open: bool) -> &[T] {
    log.get(from.saturating_sub(usize::from(open))..to)
        .unwrap_or(&[])
}

/// The entries after a move, the last of them as it was at the second stop.
fn with_last<T: Clone>(
    log: &[T],
    by: impl Fn(&T) -> Option<T>,
    last: Option<&T>,
) -> Option<Vec<T>> {
    let count = log.len() - usize::from(last.is_some() && !log.is_empty());
    let mut moved = log
        .get(..count)?
        .iter()
        .map(by)
        .collect::<Option<Vec<_>>>()?;
    moved.extend(last.cloned());
    Some(moved)
}

fn by_number(draft: &Draft, numbers: &Numbers) -> Option<Draft> {
    Some(Draft {
        parent: match draft.parent {
            Some(parent) => Some(numbers.map(parent)?),
            None => None,
        },
        ..draft.clone()
    })
}
