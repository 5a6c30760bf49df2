//! What a model claims about the code, in a form that can be checked.
//!
//! A [`Claim`] is no prose: it has *anchors*, which are exact quotes, and *predicates* from a closed list.
//! [`Opinion::of`] holds both against the index as it is, and whoever has an opinion asks it again for its
//! [finding](Opinion::finding) whenever something has changed: what does not hold any more has none.

mod alike;
mod check;
mod evidence;
mod facts;
mod opinion;
mod schema;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::evidence::{Evidence, Subject};
pub use self::facts::{FactSheet, Room, fact_sheet};
pub use self::opinion::Opinion;
pub use self::schema::{report_schema, verdicts_schema};
use crate::rule::RuleId;

/// The most claims that are looked at in one answer.
const MOST_CLAIMS: usize = 24;
/// The most anchors, and the most predicates, of one claim.
const MOST_PARTS: usize = 4;
/// The longest quote, in bytes.
const MOST_QUOTE: usize = 600;
/// The longest reason and the longest advice, in characters.
const MOST_PROSE: usize = 400;

/// One thing that a model says is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Where; the first is where it is shown.
    pub anchors: Vec<Anchor>,
    /// What is the case there.
    pub predicates: Vec<Predicate>,
    /// Why that is a problem, in a sentence.
    pub why: String,
    /// What to do about it, in a sentence.
    pub fix: String,
    /// The facts that it goes by, as the model was given them: `F7`.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Whether the model takes it for a fault and not for an observation.
    #[serde(default)]
    pub fault: bool,
}

/// A place in the code, by what stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The file, by its path from the root.
    pub file: String,
    /// The path of the symbol; empty outside of symbols.
    #[serde(default)]
    pub symbol: String,
    /// What stands there, to the letter.
    pub quote: String,
}

/// A symbol of a file, or the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// The file, by its path from the root.
    pub file: String,
    /// The path of the symbol; empty for the file.
    #[serde(default)]
    pub symbol: String,
}

/// What can be said of the code. The list is closed, so that each can be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Predicate {
    /// A file, or one of a folder, imports another file, folder or package.
    Imports {
        /// Who imports.
        file: String,
        /// What.
        target: String,
    },
    /// Each of the files leads to every other by imports.
    Cycle {
        /// The files.
        files: Vec<String>,
    },
    /// One function calls another.
    Calls {
        /// Who calls.
        at: At,
        /// Whom.
        callee: At,
    },
    /// The same, in a loop.
    CallsInLoop {
        /// Who calls.
        at: At,
        /// Whom.
        callee: At,
    },
    /// Nobody in the workspace mentions it.
    NoCaller {
        /// Whom.
        at: At,
    },
    /// Nobody else calls it, tests apart.
    OnlyCaller {
        /// Whom.
        at: At,
        /// The one who does.
        caller: At,
    },
    /// A type that exactly one other implements.
    SingleImpl {
        /// The type.
        at: At,
    },
    /// Two symbols say nearly the same.
    Duplicates {
        /// One.
        at: At,
        /// The other.
        twin: At,
    },
    /// Two packages for one job, both in use.
    SameJob {
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// It goes against something that the team has said.
    Violates {
        /// What, by the key that the model was given: `decision:docs/adr/0003.md`.
        key: String,
    },
    /// A figure is at least so high.
    Exceeds {
        /// Which.
        metric: Metric,
        /// Of what; of a file if it names no symbol.
        at: At,
        /// The figure.
        least: u32,
    },
    /// No test reaches it.
    NoTest {
        /// What.
        at: At,
    },
    /// A text stands nowhere in a file or folder.
    Missing {
        /// The file or folder.
        file: String,
        /// The text.
        text: String,
    },
    /// Nothing of the above: an opinion, which nothing can prove.
    Judgement {},
}

/// A figure of a function or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Lines of a function or a file.
    Lines,
    /// How deep control flow is nested in a function.
    Nesting,
    /// Cognitive complexity of a function.
    Complexity,
    /// Parameters of a function.
    Parameters,
    /// Symbols of a file.
    Symbols,
    /// Files that import a file.
    FanIn,
    /// Files that a file imports.
    FanOut,
}

/// Why a claim is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// It is not of the form.
    Garbled,
    /// It quotes or names what is not there.
    Fabricated,
    /// It says what is not so.
    False,
    /// It is about something else than what was asked.
    Elsewhere,
    /// A finding says so already.
    Known,
    /// The user has said that it is no problem.
    Dismissed,
    /// Its rule is off, or silenced there.
    Off,
    /// A second look refuted it.
    Refuted,
    /// There were enough without it.
    Surplus,
}

impl fmt::Display for Dropped {
    /// What became of it, as the end of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dropped::Garbled => "not understood",
            Dropped::Fabricated => "about what is not there",
            Dropped::False => "not so",
            Dropped::Elsewhere => "about something else",
            Dropped::Known => "known already",
            Dropped::Dismissed => "dismissed before",
            Dropped::Off => "switched off",
            Dropped::Refuted => "refuted",
            Dropped::Surplus => "too many",
        })
    }
}

/// Reads the claims of an answer. Those that are not of the form are counted, and nothing of them is kept.
///
/// `facts` is how many facts the model was given; a claim that goes by another is made up.
pub fn read_claims(answer: &Value, facts: usize) -> (Vec<Claim>, Vec<Dropped>) {
    let Some(found) = answer.get("claims").and_then(Value::as_array) else {
        return (Vec::new(), vec![Dropped::Garbled]);
    };
    let (mut claims, mut dropped) = (Vec::new(), Vec::new());
    for (at, value) in found.iter().enumerate() {
        if at >= MOST_CLAIMS {
            dropped.push(Dropped::Surplus);
            continue;
        }
        match Claim::deserialize(value) {
            Ok(claim) if !claim.is_whole() => dropped.push(Dropped::Garbled),
            Ok(claim) if !claim.goes_by(facts) => dropped.push(Dropped::Fabricated),
            Ok(claim) => claims.push(claim),
            Err(_) => dropped.push(Dropped::Garbled),
        }
    }
    (claims, dropped)
}

/// Which of `count` claims a second look has left standing: those that it says it could not refute.
pub fn read_verdicts(answer: Option<&Value>, count: usize) -> Vec<bool> {
    let mut stands = vec![false; count];
    let verdicts = answer.and_then(|answer| answer.get("verdicts"));
    let verdicts = verdicts.and_then(Value::as_array).map(Vec::as_slice);
    let mut refuted = vec![false; count];
    for verdict in verdicts.unwrap_or_default() {
        let claim = verdict.get("claim").and_then(Value::as_u64);
        let at = claim
            .and_then(|claim| usize::try_from(claim).ok())
            .and_then(|claim| claim.checked_sub(1))
            .filter(|at| *at < count);
        let said = verdict.get("refuted").and_then(Value::as_bool);
        if let (Some(at), Some(said)) = (at, said) {
            stands[at] |= !said;
            refuted[at] |= said;
        }
    }
    // Who says both has not made up its mind.
    let both = stands.into_iter().zip(refuted);
    both.map(|(stands, refuted)| stands && !refuted).collect()
}

impl Claim {
    fn is_whole(&self) -> bool {
        let parts = 1..=MOST_PARTS;
        let prose = |text: &str| {
            let bare = text.trim();
            !bare.is_empty() && bare.chars().count() <= MOST_PROSE && !bare.contains("://")
        };
        let quote = |quote: &str| {
            let solid = quote.chars().filter(|c| !c.is_whitespace()).count();
            quote.len() <= MOST_QUOTE && solid >= 4
        };
        parts.contains(&self.anchors.len())
            && parts.contains(&self.predicates.len())
            && prose(&self.why)
            && prose(&self.fix)
            && self.anchors.iter().all(|anchor| quote(&anchor.quote))
    }

    fn goes_by(&self, facts: usize) -> bool {
        self.facts.iter().all(|fact| {
            let number = fact
                .strip_prefix('F')
                .and_then(|number| number.parse().ok());
            number.is_some_and(|number: usize| (1..=facts).contains(&number))
        })
    }

    /// The rule that reports such a claim: it follows from what is claimed and is not for the model to say.
    pub fn rule(&self) -> RuleId {
        let telling = self.predicates.iter().find(|one| one.is_telling());
        let first = telling.or_else(|| self.predicates.first());
        first.map_or(RuleId::ModelJudgement, Predicate::rule)
    }
}

impl Predicate {
    /// Whether it tells of a problem by itself. That one file imports another, or that a text is missing, does not.
    pub(crate) fn is_telling(&self) -> bool {
        !matches!(
            self,
            Predicate::Imports { .. }
                | Predicate::Calls { .. }
                | Predicate::Missing { .. }
                | Predicate::Judgement {}
        )
    }

    fn rule(&self) -> RuleId {
        match self {
            Predicate::Imports { .. } | Predicate::Cycle { .. } | Predicate::Calls { .. } => {
                RuleId::ModelDependency
            }
            Predicate::NoCaller { .. }
            | Predicate::OnlyCaller { .. }
            | Predicate::SingleImpl { .. } => RuleId::ModelAbstraction,
            Predicate::Duplicates { .. } | Predicate::SameJob { .. } => RuleId::ModelDuplicate,
            Predicate::Exceeds { .. } => RuleId::ModelSize,
            Predicate::CallsInLoop { .. } => RuleId::ModelPerformance,
            Predicate::Violates { .. } => RuleId::ModelDecision,
            Predicate::NoTest { .. } | Predicate::Missing { .. } => RuleId::ModelGap,
            Predicate::Judgement {} => RuleId::ModelJudgement,
        }
    }

    /// The files and folders that it speaks of.
    pub(crate) fn paths(&self) -> Vec<&str> {
        match self {
            Predicate::Imports { file, target } => vec![file, target],
            Predicate::Cycle { files } => files.iter().map(String::as_str).collect(),
            Predicate::Calls { at, callee } | Predicate::CallsInLoop { at, callee } => {
                vec![&at.file, &callee.file]
            }
            Predicate::OnlyCaller { at, caller } => vec![&at.file, &caller.file],
            Predicate::Duplicates { at, twin } => vec![&at.file, &twin.file],
            Predicate::NoCaller { at }
            | Predicate::SingleImpl { at }
            | Predicate::Exceeds { at, .. }
            | Predicate::NoTest { at } => vec![&at.file],
            Predicate::Missing { file, .. } => vec![file],
            Predicate::SameJob { .. } | Predicate::Violates { .. } | Predicate::Judgement {} => {
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests;
