//! The seeds and the decoys. `{a}`, `{b}` and `{c}` stand for names.

mod code;
mod graph;
mod smells;
mod team;

use review::Team;

/// Paths and texts.
pub(crate) type Files<'a> = &'a [(&'a str, &'a str)];

pub(crate) struct Case {
    pub(crate) rule: &'static str,
    pub(crate) language: &'static str,
    pub(crate) team: fn() -> Team,
    /// The team that says the opposite, where a team decides.
    pub(crate) control: Option<fn() -> Team>,
    pub(crate) seed: Files<'static>,
    pub(crate) decoys: &'static [Files<'static>],
}

const fn case(
    rule: &'static str,
    language: &'static str,
    seed: Files<'static>,
    decoys: &'static [Files<'static>],
) -> Case {
    Case {
        rule,
        language,
        team: Team::default,
        control: None,
        seed,
        decoys,
    }
}

/// All cases, family by family.
pub(crate) fn cases() -> impl Iterator<Item = &'static Case> {
    [code::CASES, graph::CASES, smells::CASES, team::CASES]
        .into_iter()
        .flatten()
}
