//! What an action will probably cost, before it runs.
//!
//! A point is computed from what is known (the prompt's size, the price, the state of the cache) and what such actions
//! usually need (turns, output, tool results: [`priors`]). The interval around it comes from how far earlier runs were
//! from their points ([`History`]). Pure arithmetic: no disk, no clock, microseconds.

pub(crate) mod priors;

use std::fmt;

use serde::Serialize;

use crate::{History, Money, PriceRow, Usage, money};
use priors::{Prior, Spread};

/// An action that is about to be offered.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The kind of action, such as `fix`; also the key of its history.
    pub kind: &'a str,
    /// What else changes the cost of the kind: effort and prompt version, such as `medium/3`. History starts again
    /// when it changes.
    pub variant: &'a str,
    /// The shared beginning of the prompt (tools, system prompt), in [`crate::tokens`].
    pub prefix_tokens: u64,
    /// The rest of the first prompt (the context pack with the target), in [`crate::tokens`].
    pub pack_tokens: u64,
    /// The target alone, in [`crate::tokens`]: what the output is proportional to.
    pub target_tokens: u64,
    /// The most turns that the run may take.
    pub max_turns: u32,
    /// Whether the shared prefix is in the provider's cache.
    pub cache: Cache,
}

/// The state of the provider's cache for the shared prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Not there: the first turn writes it.
    Cold,
    /// There, from an action a few minutes ago.
    Warm,
}

/// What an action will probably cost. `low` to `high` holds four of five actual costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The computed cost before history corrects it; residuals of later runs are relative to this.
    pub point: Money,
    /// One run in ten costs less.
    pub low: Money,
    /// What runs cost on average, so that the estimates of many come to their bills; more than as many cost more as cost
    /// less, because a few go on for long.
    pub expected: Money,
    /// One run in ten costs more.
    pub high: Money,
    /// Prompt tokens of all turns together, cached or not.
    pub input_tokens: u64,
    /// Tokens produced in all turns together.
    pub output_tokens: u64,
    /// The number of turns, rounded up.
    pub turns: u32,
    /// What the interval rests on.
    pub basis: Basis,
}

/// What an interval rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "from", content = "runs")]
pub enum Basis {
    /// The shipped prior alone: no such run has ended yet.
    Prior,
    /// The shipped prior, its centre moved by so many runs.
    Blended(u32),
    /// So many earlier runs.
    History(u32),
}

impl fmt::Display for Basis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prior => formatter.write_str("no earlier run"),
            Self::Blended(1) => formatter.write_str("1 earlier run and the shipped prior"),
            Self::Blended(runs) => write!(formatter, "{runs} earlier runs and the shipped prior"),
            Self::History(runs) => write!(formatter, "{runs} earlier runs"),
        }
    }
}

/// The estimate of `task` at `price`, in the light of `history`.
pub fn estimate(task: &Task<'_>, price: &PriceRow, history: &History) -> Estimate {
    let prior = priors::of(task.kind);
    let plan = Plan::of(task, prior, price, history);
    let spread = match task.max_turns {
        0..=2 => Spread::Bounded,
        _ => prior.spread,
    };
    let factors = history.factors(task.kind, price.model(), task.variant, spread);
    let scaled = |factor: f64| Money::saturating_from((plan.cost * factor).round() as i128);
    Estimate {
        point: scaled(1.0),
        low: scaled(factors.low),
        expected: scaled(factors.mean),
        high: scaled(factors.high),
        input_tokens: plan.input_tokens.round() as u64,
        output_tokens: plan.output_tokens.round() as u64,
        turns: plan.turns.ceil() as u32,
        basis: factors.basis,
    }
}

/// Whether there is a shipped guess for this kind of action. Without one, the dearest guess is taken.
pub fn is_known_kind(kind: &str) -> bool {
    !kind.is_empty() && priors::of(kind).kind == kind
}

impl Estimate {
    /// The price on the label: `est. $0.02–0.05`; where nothing costs anything, `est. 4.1k tok`.
    pub fn title(&self) -> String {
        if self.high.is_zero() {
            let tokens = self.input_tokens.saturating_add(self.output_tokens);
            return format!("est. {} tok", short_count(tokens));
        }
        format!("est. {}", money::range(self.low, self.high))
    }
}

/// A number of tokens as people read it: `830`, `4.1k`, `120k`, `1.2M`.
pub fn short_count(tokens: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = (tokens + unit / 20) / (unit / 10);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match tokens {
        0..=999 => tokens.to_string(),
        1_000..=99_949 => format!("{}k", tenths(1_000)),
        99_950..=999_499 => format!("{}k", (tokens + 500) / 1_000),
        _ => format!("{}M", tenths(1_000_000)),
    }
}

/// The course that a run of this kind usually takes.
struct Plan {
    turns: f64,
    input_tokens: f64,
    output_tokens: f64,
    /// Picodollars.
    cost: f64,
}

impl Plan {
    fn of(task: &Task<'_>, prior: &Prior, price: &PriceRow, history: &History) -> Self {
        let scale = |o200k: f64| history.scale(price.tokenizer(), o200k.max(0.0).round() as u64);
        let turns = prior.turns.min(f64::from(task.max_turns.max(1)));
        let rewritten = prior.output_per_target_token * task.target_tokens as f64;
        let conversation = Conversation {
            prefix: scale(task.prefix_tokens as f64),
            pack: scale(task.pack_tokens as f64),
            output: scale((prior.output + rewritten) / turns),
            result: scale(prior.result_per_turn),
            min_cache: price.min_cache_tokens(),
            warm: task.cache == Cache::Warm,
            several_turns: turns > 1.0,
        };
        let mut plan = Self {
            turns,
            input_tokens: 0.0,
            output_tokens: 0.0,
            cost: 0.0,
        };
        for turn in 0..turns.ceil() as u64 {
            // The last turn counts as much as it is likely.
            let weight = (turns - turn as f64).min(1.0);
            let usage = conversation.turn(turn);
            plan.input_tokens += weight * usage.prompt() as f64;
            plan.output_tokens += weight * usage.output as f64;
            plan.cost += weight * price.cost(&usage).picodollars() as f64;
        }
        plan
    }
}

/// An append-only conversation with a cache breakpoint after the shared prefix and one at its end.
struct Conversation {
    prefix: u64,
    pack: u64,
    output: u64,
    result: u64,
    min_cache: Option<u64>,
    warm: bool,
    several_turns: bool,
}

impl Conversation {
    fn turn(&self, turn: u64) -> Usage {
        let growth = self.output.saturating_add(self.result);
        let first = self.prefix.saturating_add(self.pack);
        let prompt = first.saturating_add(growth.saturating_mul(turn));
        let cached = |tokens: u64| self.min_cache.is_some_and(|minimum| tokens >= minimum);
        let mut usage = Usage {
            output: self.output,
            ..Usage::default()
        };
        if turn > 0 && cached(prompt - growth) {
            usage.cache_read = prompt - growth;
            usage.cache_write_5m = growth;
        } else if turn > 0 {
            usage.input = prompt;
        } else {
            match (cached(self.prefix), self.warm) {
                (true, true) => usage.cache_read = self.prefix,
                (true, false) => usage.cache_write_5m = self.prefix,
                (false, _) => usage.input = self.prefix,
            }
            if self.several_turns && cached(first) {
                usage.cache_write_5m += self.pack + usage.input;
                usage.input = 0;
            } else {
                usage.input += self.pack;
            }
        }
        usage
    }
}

#[cfg(test)]
mod tests;
