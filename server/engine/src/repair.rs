//! Whether a run that was to repair a finding did: the finding is gone from the text as the run leaves it, and the run has
//! made no other of its kind. What a run has changed that did not is taken back.

use std::collections::BTreeSet;
use std::sync::Arc;

use index::Parsed;
use review::RuleId;
use text::{Edit, EditSet, Text};
use workspace::{Document, Snapshot};

use crate::Engine;
use crate::hunks::{HunkState, Waiting};
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

    /// What is wrong with the repair now that the run has ended; nothing if all is well, or nobody can tell: its file is
    /// closed, or some of its work could not be made.
    ///
    /// What is only proposed is judged as if it were made, where a rule needs nothing but the file.
    pub(crate) fn problem(
        &self,
        engine: &Engine,
        summary: &RunSummary,
        waits: Waiting,
    ) -> Option<String> {
        let snapshot = engine.snapshot();
        let document = snapshot.open_document(&summary.file)?;
        let now = if waits.is_over() && summary.hunks > 0 {
            found(engine, &snapshot, document, self.rule)
        } else if waits.stuck == 0 && waits.staged > 0 && self.rule.is_seen_in_one_file() {
            let text = proposed(engine, summary, document)?;
            let parsed = Parsed::parse(document.parsed()?.grammar(), &text);
            let findings = engine.findings_of(&snapshot, document.file(), Some(&parsed));
            identities(findings, self.rule)
        } else {
            return None;
        };
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

/// The text with what the run proposes; none if that is not for the text as it is.
fn proposed(engine: &Engine, summary: &RunSummary, document: &Document) -> Option<Text> {
    let mut edits: Vec<Edit> = Vec::new();
    for hunk in engine.hunks_of_run(&summary.id) {
        let HunkState::Pending { edit, serial, .. } = &hunk.state else {
            continue;
        };
        if hunk.file != summary.file {
            continue;
        }
        if *serial != document.serial() {
            return None;
        }
        edits.extend(edit.edits().edits().iter().cloned());
    }
    edits.sort_by_key(|edit| edit.range.start);
    EditSet::new(edits).ok()?.apply(document.text()).ok()
}

fn found(
    engine: &Engine,
    snapshot: &Snapshot,
    document: &Document,
    rule: RuleId,
) -> BTreeSet<Identity> {
    identities(engine.findings_in(snapshot, document), rule)
}

fn identities(findings: Vec<review::Finding>, rule: RuleId) -> BTreeSet<Identity> {
    let findings = findings.into_iter();
    findings
        .filter(|finding| finding.rule == rule)
        .map(|finding| (finding.symbol, finding.key))
        .collect()
}
