//! What a walk knows at a place: all that what comes next depends on.

use text::Range;

use super::{Frame, Walker, Wrapper};
use crate::facts::ImportKind;
use crate::imports::Run;
use crate::instructions;
use crate::lead::Lead;
use crate::metrics::Function;
use crate::symbols::Draft;

/// What a walk knows between two nodes.
///
/// Two walks that know the same, and have the same nodes before them, put down the same.
#[derive(Clone, Debug)]
pub(super) struct State {
    frames: Box<[(u32, Frame)]>,
    open: Box<[u32]>,
    left: Option<u32>,
    /// The symbols that may still change: those that are open, the last one, and those that stand alone in a wrapper.
    live: Box<[(u32, Draft)]>,
    hides_rest: bool,
    lead: Option<Lead>,
    level: u32,
    control: u32,
    functions: Box<[Function]>,
    kind: ImportKind,
    /// The run of imports that the next one would belong to.
    run: Option<Run>,
    /// The instruction that the next comment may go on with.
    asks: Option<instructions::Draft>,
}

/// How places and numbers have moved from one text to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// Places up to here are the same in both.
    pub(super) start: usize,
    /// Places from here on, in the text before, have moved.
    pub(super) old_end: usize,
    pub(super) delta: isize,
    /// Symbols below this number are the same in both.
    pub(super) same: u32,
    /// Symbols from this number on have moved.
    pub(super) from: u32,
    pub(super) shift: i64,
}

impl Move {
    pub(super) fn place(&self, place: usize) -> Option<usize> {
        if place <= self.start {
            Some(place)
        } else if place >= self.old_end {
            place.checked_add_signed(self.delta)
        } else {
            None
        }
    }

    pub(super) fn range(&self, range: Range) -> Option<Range> {
        Some(Range::new(self.place(range.start)?, self.place(range.end)?))
    }

    #[expect(
        clippy::option_option,
        reason = "one says whether there is a place, the other whether it is still there"
    )]
    fn some(&self, range: Option<Range>) -> Option<Option<Range>> {
        range.map_or(Some(None), |range| self.range(range).map(Some))
    }

    fn number(&self, number: u32) -> Option<u32> {
        if number < self.same {
            Some(number)
        } else if number >= self.from {
            u32::try_from(i64::from(number) + self.shift).ok()
        } else {
            None
        }
    }

    /// A symbol as it is after the move; `number` says what becomes of its parent.
    pub(super) fn draft(
        &self,
        draft: &Draft,
        number: impl Fn(u32) -> Option<u32>,
    ) -> Option<Draft> {
        let parent = match draft.parent {
            Some(parent) => Some(number(parent)?),
            None => None,
        };
        let header_end = match draft.header_end {
            Some(end) => Some(self.place(end)?),
            None => None,
        };
        Some(Draft {
            parent,
            // That of a symbol around the change may be part of it, and is known from elsewhere.
            name_range: self.range(draft.name_range).unwrap_or(draft.name_range),
            range: self.range(draft.range)?,
            item: self.range(draft.item)?,
            body: self.some(draft.body)?,
            value: self.some(draft.value)?,
            doc: self.some(draft.doc)?,
            header_end,
            ..draft.clone()
        })
    }

    pub(super) fn asks(&self, draft: &instructions::Draft) -> Option<instructions::Draft> {
        Some(instructions::Draft {
            range: self.range(draft.range)?,
            ..draft.clone()
        })
    }

    pub(super) fn run(&self, run: &Run) -> Option<Run> {
        Some(Run {
            range: self.range(run.range)?,
            ..*run
        })
    }

    fn lead(&self, lead: &Lead) -> Option<Lead> {
        lead.moved(|place| self.place(place))
    }

    fn wrapper(&self, wrapper: &Wrapper) -> Option<Wrapper> {
        let lead = match &wrapper.lead {
            Some(lead) => Some(self.lead(lead)?),
            None => None,
        };
        Some(Wrapper {
            node: self.range(wrapper.node)?,
            lead,
            ..wrapper.clone()
        })
    }
}

/// Which numbers two states have for the same symbols.
pub(super) struct Numbers {
    pairs: Vec<(u32, u32)>,
    from: u32,
    shift: i64,
}

impl Numbers {
    pub(super) fn map(&self, number: u32) -> Option<u32> {
        if number >= self.from {
            return u32::try_from(i64::from(number) + self.shift).ok();
        }
        let pair = self.pairs.iter().find(|(old, _)| *old == number);
        pair.map(|(_, new)| *new)
    }

    /// Takes in that two numbers mean the same symbol, unless that is known otherwise.
    fn pair(&mut self, old: u32, new: u32) -> bool {
        if let Some(known) = self.map(old) {
            return known == new;
        }
        self.pairs.push((old, new));
        true
    }
}

impl State {
    /// What a walk knows.
    pub(super) fn of(walker: &Walker<'_>) -> State {
        let symbols = &walker.symbols;
        let firsts = walker.frames.iter().filter_map(|(_, frame)| match frame {
            Frame::Wrapper(wrapper) if wrapper.definitions > 0 => Some(wrapper.first),
            _ => None,
        });
        let mut live: Vec<u32> = symbols.open.iter().copied().chain(symbols.left).collect();
        live.extend(firsts);
        live.sort_unstable();
        live.dedup();
        let live = live.into_iter().filter_map(|number| {
            let draft = symbols.drafts.get(number as usize)?;
            Some((number, draft.clone()))
        });
        State {
            frames: walker.frames.clone().into(),
            open: symbols.open.clone().into(),
            left: symbols.left,
            live: live.collect(),
            hides_rest: symbols.hides_rest,
            lead: walker.leads.current.clone(),
            level: walker.complexity.level,
            control: walker.complexity.control,
            functions: walker.complexity.functions.clone().into(),
            kind: walker.imports.kind,
            run: walker.imports.run(),
            asks: walker.instructions.last().filter(|asks| asks.open).cloned(),
        }
    }

    /// The same after a move. None if what it is about was touched.
    pub(super) fn moved(&self, by: &Move) -> Option<State> {
        let frames = self.frames.iter().map(|(depth, frame)| {
            let frame = match frame {
                Frame::Symbol(number) => Frame::Symbol(by.number(*number)?),
                Frame::Wrapper(wrapper) => {
                    let alone = wrapper.definitions == 0;
                    let first = if alone { 0 } else { by.number(wrapper.first)? };
                    // All that matters is whether the two are the same.
                    let next = if wrapper.is_first() { first } else { u32::MAX };
                    Frame::Wrapper(Wrapper {
                        next,
                        first,
                        ..by.wrapper(wrapper)?
                    })
                }
                other => other.clone(),
            };
            Some((*depth, frame))
        });
        let live = self.live.iter().map(|(number, draft)| {
            Some((
                by.number(*number)?,
                by.draft(draft, |parent| by.number(parent))?,
            ))
        });
        let functions = self.functions.iter().map(|function| {
            Some(Function {
                parameters: by.some(function.parameters)?,
                body: by.some(function.body)?,
                ..*function
            })
        });
        let open = self.open.iter().map(|number| by.number(*number));
        Some(State {
            frames: frames.collect::<Option<_>>()?,
            open: open.collect::<Option<_>>()?,
            left: match self.left {
                Some(left) => Some(by.number(left)?),
                None => None,
            },
            live: live.collect::<Option<_>>()?,
            lead: match &self.lead {
                Some(lead) => Some(by.lead(lead)?),
                None => None,
            },
            functions: functions.collect::<Option<_>>()?,
            run: match &self.run {
                Some(run) => Some(by.run(run)?),
                None => None,
            },
            asks: match &self.asks {
                Some(asks) => Some(by.asks(asks)?),
                None => None,
            },
            ..*self
        })
    }

    /// Whether a walk that has this state puts down the same as one that has the other, and how their numbers differ.
    ///
    /// `drafts` says how many symbols each has met. Places must have been moved before, numbers not.
    pub(super) fn equals(&self, new: &State, drafts: (u32, u32)) -> Option<Numbers> {
        let (from, now) = drafts;
        let mut numbers = Numbers {
            pairs: Vec::new(),
            from,
            shift: i64::from(now) - i64::from(from),
        };
        let plain = self.hides_rest == new.hides_rest
            && self.lead == new.lead
            && (self.level, self.control) == (new.level, new.control)
            && (self.kind, &self.run, &self.asks) == (new.kind, &new.run, &new.asks)
            && self.open.len() == new.open.len()
            && self.frames.len() == new.frames.len()
            && self.functions.len() == new.functions.len()
            && self.left.is_some() == new.left.is_some()
            && self.live.len() == new.live.len();
        if !plain {
            return None;
        }
        let functions = self.functions.iter().zip(&new.functions);
        let mut same = functions.into_iter().all(|(old, new)| old.is_like(new));
        for (old, new) in self.open.iter().zip(&new.open).map(|(a, b)| (*a, *b)) {
            same &= numbers.pair(old, new);
        }
        if let (Some(old), Some(new)) = (self.left, new.left) {
            same &= numbers.pair(old, new);
        }
        for ((depth, old), (new_depth, new)) in self.frames.iter().zip(&new.frames) {
            same &= depth == new_depth;
            same &= match (old, new) {
                (Frame::Symbol(old), Frame::Symbol(new)) => numbers.pair(*old, *new),
                (Frame::Wrapper(old), Frame::Wrapper(new)) => {
                    let both = old.definitions > 0;
                    old.is_like(new) && (!both || numbers.pair(old.first, new.first))
                }
                (old, new) => old == new,
            };
        }
        for (number, old_draft) in &self.live {
            let counterpart = numbers.map(*number)?;
            let (_, draft) = new.live.iter().find(|(other, _)| *other == counterpart)?;
            let parent = match old_draft.parent {
                Some(parent) => Some(numbers.map(parent)?),
                None => None,
            };
            same &= parent == draft.parent && old_draft.is_like(draft);
            // The next definition may go on with the last one.
            same &= self.left != Some(*number)
                || (&old_draft.name, old_draft.metrics) == (&draft.name, draft.metrics);
        }
        same.then_some(numbers)
    }

    /// The symbol of that number as it was then, if it could still change.
    pub(super) fn live(&self, number: u32) -> Option<&Draft> {
        let found = self.live.iter().find(|(other, _)| *other == number);
        found.map(|(_, draft)| draft)
    }

    /// Whether something in it depends on the text right before the next node, from `offset` on.
    pub(super) fn looks_back_before(&self, offset: usize) -> bool {
        let lead = self.lead.as_ref().is_some_and(|lead| lead.end() < offset);
        let asks = self.asks.as_ref();
        lead || asks.is_some_and(|asks| asks.range.end < offset)
    }

    /// Makes a walk know this; it knows `from`, and both are at children of one node. None if that cannot be; then
    /// nothing was done.
    pub(super) fn hand_to(
        &self,
        walker: &mut Walker<'_>,
        from: &State,
        numbers: &Numbers,
    ) -> Option<()> {
        let left = match self.left {
            Some(left) => Some(numbers.map(left)?),
            None => None,
        };
        let frames = walker.frames.iter_mut();
        let states = self.frames.iter().zip(&from.frames);
        for ((_, frame), ((_, then), (_, old))) in frames.zip(states) {
            if let (Frame::Wrapper(wrapper), Frame::Wrapper(then), Frame::Wrapper(old)) =
                (frame, then, old)
            {
                if old.definitions == 0 && then.definitions > 0 {
                    wrapper.first = numbers.map(then.first).unwrap_or(u32::MAX);
                }
                wrapper.definitions = then.definitions;
                wrapper.public = then.public;
                wrapper.private = then.private;
            }
        }
        for (number, then) in self.live.iter().filter(|(number, _)| self.is_open(*number)) {
            let new = numbers.map(*number);
            if let Some(draft) = new.and_then(|new| walker.symbols.drafts.get_mut(new as usize)) {
                draft.range = then.range;
                draft.item = then.item;
                draft.header_end = then.header_end;
                draft.doc = then.doc;
                draft.public = then.public;
                draft.private = then.private;
                draft.hides_rest = then.hides_rest;
                draft.test = then.test;
            }
        }
        walker.symbols.left = left;
        walker.symbols.hides_rest = self.hides_rest;
        walker.leads.current.clone_from(&self.lead);
        walker.complexity.level = self.level;
        walker.complexity.control = self.control;
        let functions = walker.complexity.functions.iter_mut();
        for (function, then) in functions.zip(&self.functions) {
            function.counted = then.counted;
        }
        walker.imports.kind = self.kind;
        Some(())
    }

    pub(super) fn is_open(&self, number: u32) -> bool {
        self.open.contains(&number)
    }

    pub(super) fn left(&self) -> Option<u32> {
        self.left
    }

    pub(super) fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    pub(super) fn asks(&self) -> Option<&instructions::Draft> {
        self.asks.as_ref()
    }
}
