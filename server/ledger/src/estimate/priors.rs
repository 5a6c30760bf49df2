//! What actions of each kind usually need, before the ledger knows better.
//!
//! The figures are judgements from published measurements, in [`crate::tokens`]; no run of ours stands behind them, and
//! nine ended runs of a kind replace the intervals. What they rest on:
//!
//! - A scoped change is about 100 to 240 tokens as search and replace, or up to 700 as whole functions (medians over
//!   300 real commits in each of eight repositories). With the old text, the call around it and some thinking at
//!   medium effort, an action comes to about 1,300 tokens of output.
//! - The context is in the first prompt, so a run looks around little: a turn that edits, a turn that answers the
//!   check or looks at one more symbol, a turn that says what was done.
//! - A tool result is one symbol, one refusal or one list of diagnostics: 150 to 700 tokens.

/// How a run of one kind usually goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prior {
    pub(crate) kind: &'static str,
    pub(crate) turns: f64,
    /// Output of the whole run that does not depend on the target: thinking, calls, the closing sentence.
    pub(crate) output: f64,
    /// Output of the whole run for each token of the target.
    pub(crate) output_per_target_token: f64,
    /// What tools answer between two turns.
    pub(crate) result_per_turn: f64,
    pub(crate) spread: Spread,
}

/// How far actual costs lie from the computed one before there is history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// The run takes as many turns as the model likes. Four sets of 500 recorded runs had their ninetieth percentile
    /// at 2.05 to 2.76 times the median and their tenth at 1/1.7 to 1/2.4 of it.
    Open,
    /// One or two turns by construction, so only the size of the output varies: a standard deviation of the logarithm
    /// of about 0.45 where open runs have 0.50 to 0.73.
    Bounded,
}

impl Spread {
    /// The factors of the ends of the interval.
    pub(crate) fn factors(self) -> (f64, f64) {
        match self {
            Self::Open => (1.0 / 2.5, 2.7),
            Self::Bounded => (1.0 / 1.7, 1.8),
        }
    }

    /// How much more the mean is than the median: 1.20 to 1.41 in the four sets of recorded runs; what a logarithm with
    /// that standard deviation gives where runs are bounded.
    pub(crate) fn mean(self) -> f64 {
        match self {
            Self::Open => 1.3,
            Self::Bounded => 1.1,
        }
    }
}

/// The prior of `kind`; for a kind without one, the dearest.
pub(crate) fn of(kind: &str) -> &'static Prior {
    KINDS
        .iter()
        .find(|prior| prior.kind == kind)
        .unwrap_or(&UNKNOWN)
}

const KINDS: [Prior; 9] = [
    // Most of the target is rewritten: its old text to find it and its new text.
    prior("simplify", 3.0, 600.0, 1.3, 500.0, Spread::Open),
    // The same, and what is taken out stands in an item of its own with a head and a call.
    prior("extract", 3.0, 700.0, 1.6, 500.0, Spread::Open),
    // More thinking than text: the hot part is small.
    prior("faster", 3.0, 900.0, 0.9, 500.0, Spread::Open),
    // Checks at the entry and on the paths that fail.
    prior("harden", 3.0, 600.0, 0.8, 500.0, Spread::Open),
    // A test is as long as what it tests and half again; it quotes nothing.
    prior("tests", 3.0, 600.0, 1.5, 500.0, Spread::Open),
    // One edit that only adds text; nothing to look up and nothing to check.
    prior("document", 2.0, 250.0, 0.4, 150.0, Spread::Bounded),
    // A few lines, but more often a second try after the diagnostics come back.
    prior("fix", 3.0, 600.0, 0.5, 400.0, Spread::Open),
    // What a comment asks for may be anything; the middle of the others.
    prior("comment", 3.0, 600.0, 0.9, 500.0, Spread::Open),
    // The review by a model: one question, claims as the answer; then what cannot be proved, with its code, once or twice.
    // Those questions start anew, but what they hold is about as long as what a turn adds. The first decides the cost.
    prior("review", 2.0, 1_500.0, 0.0, 800.0, Spread::Bounded),
];

const UNKNOWN: Prior = prior("", 4.0, 900.0, 1.5, 700.0, Spread::Open);

const fn prior(
    kind: &'static str,
    turns: f64,
    output: f64,
    output_per_target_token: f64,
    result_per_turn: f64,
    spread: Spread,
) -> Prior {
    Prior {
        kind,
        turns,
        output,
        output_per_target_token,
        result_per_turn,
        spread,
    }
}
