//! Whether a run that was to repair a finding did: the finding is gone from the text as it is now, and the run has made
//! no other of its kind.

use std::collections::BTreeSet;
use std::sync::Arc;

use review::RuleId;
use workspace::{Document, Snapshot};

use crate::Engine;
use crate::runs::RunSummary;

/// The finding that a run is to repair.
#[derive(Clone, Debug)]
pub(crate) struct Repair {
    rule: RuleId,
    /// What the rule had to say about the file before, by symbol and key.
    before: BTreeSet<Identity>,
}

type Identity = (Arc<str>, Arc<str>);

impl Repair {
    /// Notes what there is to repair; nothing if no rule has that code.
    pub(crate) fn begin(
        engine: &Engine,
        snapshot: &Snapshot,
        document: &Document,
        code: &str,
    ) -> Option<Repair> {
        let rule = RuleId::from_code(code)?;
        let before = found(engine, snapshot, document, rule);
        Some(Repair { rule, before })
    }

    /// What is wrong with the repair now that the run has ended; nothing if all is well, or its file is closed.
    pub(crate) fn problem(&self, engine: &Engine, summary: &RunSummary) -> Option<String> {
        let snapshot = engine.snapshot();
        let document = snapshot.open_document(&summary.file)?;
        let now = found(engine, &snapshot, document, self.rule);
        let target = |(symbol, _): &&Identity| **symbol == *summary.symbol;
        if now.iter().any(|one| target(&one)) {
            return Some(format!(
                "`{}` still has the finding {}",
                summary.symbol, self.rule
            ));
        }
        let (symbol, _) = now.difference(&self.before).next()?;
        Some(format!("the finding {} is now at `{symbol}`", self.rule))
    }
}

fn found(
    engine: &Engine,
    snapshot: &Snapshot,
    document: &Document,
    rule: RuleId,
) -> BTreeSet<Identity> {
    let findings = engine.findings_in(snapshot, document).into_iter();
    findings
        .filter(|finding| finding.rule == rule)
        .map(|finding| (finding.symbol, finding.key))
        .collect()
}
