//! The file as it comes to be while the calls of a plan are made, each only if the gate lets it through.

use gate::{Operation, Proposal, Region, Scope, Verdict, View, decide};
use index::Parsed;
use text::{Hash, Range, Text};

use super::Planner;

/// The file as it comes to be, and what may change in it.
pub(super) struct Sim<'a> {
    pub(super) planner: &'a Planner<'a>,
    pub(super) text: Text,
    pub(super) parsed: Parsed,
    pub(super) scope: Scope,
}

impl Sim<'_> {
    pub(super) fn base(&self, address: &str) -> Option<(Hash, Range)> {
        let range = if Region::is_name(address) {
            let mut regions = self.scope.regions.iter();
            regions.find(|region| region.name == address)?.range
        } else {
            let facts = self.parsed.facts();
            facts.symbol(facts.by_path(address)?)?.range
        };
        Some((Hash::of(&self.text.slice(range)), range))
    }

    pub(super) fn grant(&mut self, name: &str) {
        let scope = self.scope.clone();
        self.scope = match Region::named(name, &self.planner.before) {
            Some(region) => scope.granted_region(region),
            None => scope.granted(name),
        };
    }

    /// Makes the call if the gate lets it through and it leads to exactly `want`.
    pub(super) fn make(&mut self, operation: &Operation, want: Option<&str>) -> Result<(), String> {
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
    /// The file before the first call, with the scope of a run that was launched there.
    pub(super) fn sim(&self, launch: &str, grants: &[String]) -> Sim<'_> {
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
}
