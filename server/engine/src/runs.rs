use std::collections::BTreeMap;
use std::time::Instant;

use agent::{Action, End};
use gate::Scope;
use ledger::{Estimate, Money, RunId};
use text::FilePath;
use tokio_util::sync::CancellationToken;
use workspace::Document;

use crate::Launch;
use crate::charge::Charge;
use crate::lease::Lease;
use crate::repair::Repair;

/// One run, for whoever asks.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Its identity.
    pub id: RunId,
    /// Its action.
    pub action: Action,
    /// Its action in the words of the menu.
    pub title: String,
    /// The file it works in.
    pub file: FilePath,
    /// Name path of its target.
    pub symbol: String,
    /// What it was expected to cost.
    pub estimate: Estimate,
    /// What it has cost so far, reservations not counted.
    pub cost: Money,
    /// Tokens so far, all classes.
    pub tokens: u64,
    /// Whether nobody bills what its model does.
    pub free: bool,
    /// When it started.
    pub started: Instant,
    /// Hunks that landed.
    pub hunks: usize,
    /// How much it has changed, in tokens: what its hunks share its cost by.
    pub(crate) changed: u64,
    /// The finding that it is to repair, if it is.
    pub(crate) repair: Option<Repair>,
    /// How it ended, once it has.
    pub end: Option<End>,
}

impl RunSummary {
    /// A run that begins now, about what `launch` names.
    pub(crate) fn new(
        id: RunId,
        file: &FilePath,
        launch: &Launch,
        estimate: Estimate,
        free: bool,
    ) -> RunSummary {
        RunSummary {
            id,
            action: launch.action,
            title: launch.title(),
            file: file.clone(),
            symbol: launch.symbol.clone(),
            estimate,
            cost: Money::ZERO,
            tokens: 0,
            free,
            started: Instant::now(),
            hunks: 0,
            changed: 0,
            repair: None,
            end: None,
        }
    }

    /// What it did cost so far, as people read it.
    pub fn charge(&self) -> Charge {
        Charge {
            cost: self.cost,
            tokens: self.tokens,
            free: self.free,
        }
    }

    /// The same with the time that it took, where nobody bills and time is what it costs.
    pub fn spent(&self) -> String {
        if self.free {
            format!(
                "{} in {} s",
                self.charge(),
                self.started.elapsed().as_secs()
            )
        } else {
            self.charge().to_string()
        }
    }
}

/// The runs of this server. At most [`Runs::KEPT`] ended ones are remembered.
#[derive(Default)]
pub(crate) struct Runs {
    runs: BTreeMap<RunId, Entry>,
}

struct Entry {
    summary: RunSummary,
    cancel: CancellationToken,
    /// What it may change; what it will ask for, as long as it waits.
    lease: Lease,
    waits: bool,
}

impl Runs {
    const KEPT: usize = 256;

    /// A run begins, which may have waited before.
    pub(crate) fn begin(&mut self, summary: RunSummary, cancel: CancellationToken, lease: Lease) {
        self.put(Entry {
            summary,
            cancel,
            lease,
            waits: false,
        });
    }

    /// A run waits, or goes on waiting, for others to end.
    pub(crate) fn wait(&mut self, summary: RunSummary, cancel: CancellationToken, lease: Lease) {
        self.put(Entry {
            summary,
            cancel,
            lease,
            waits: true,
        });
    }

    /// Whether a run has not begun yet.
    pub(crate) fn is_waiting(&self, id: &RunId) -> bool {
        self.runs.get(id).is_some_and(|run| run.waits)
    }

    fn put(&mut self, entry: Entry) {
        let ended: Vec<RunId> = self
            .runs
            .values()
            .filter(|run| run.summary.end.is_some())
            .map(|run| run.summary.id.clone())
            .collect();
        for id in ended.iter().take(ended.len().saturating_sub(Self::KEPT)) {
            self.runs.remove(id);
        }
        self.runs.insert(entry.summary.id.clone(), entry);
    }

    pub(crate) fn get(&self, id: &RunId) -> Option<RunSummary> {
        Some(self.runs.get(id)?.summary.clone())
    }

    pub(crate) fn update<T>(
        &mut self,
        id: &RunId,
        change: impl FnOnce(&mut RunSummary) -> T,
    ) -> Option<T> {
        Some(change(&mut self.runs.get_mut(id)?.summary))
    }

    /// Notes how a run ended; `false` if it had ended before.
    pub(crate) fn end(&mut self, id: &RunId, end: End) -> bool {
        match self.runs.get_mut(id) {
            Some(entry) if entry.summary.end.is_none() => {
                entry.summary.end = Some(end);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn cancel(&self, id: &RunId) -> bool {
        match self.runs.get(id) {
            Some(entry) if entry.summary.end.is_none() => {
                entry.cancel.cancel();
                true
            }
            _ => false,
        }
    }

    pub(crate) fn running(&self) -> Vec<RunSummary> {
        self.runs
            .values()
            .filter(|run| run.summary.end.is_none())
            .map(|run| run.summary.clone())
            .collect()
    }

    /// The run that works in a file, by the words of the menu; empty if that is `asking`.
    pub(crate) fn working_in(&self, file: &FilePath, asking: &RunId) -> Option<String> {
        let mut there = (self.runs.values()).filter(|run| {
            let own = [&run.summary.file, &run.lease.file()].contains(&file);
            run.summary.end.is_none() && own
        });
        let run = &there.next()?.summary;
        Some(if run.id == *asking {
            String::new()
        } else {
            run.title.clone()
        })
    }

    /// The run other than `asking` that works on something of `wanted`, and on what.
    pub(crate) fn working_on(
        &self,
        wanted: &Scope,
        document: &Document,
        asking: &RunId,
    ) -> Option<(&RunSummary, String)> {
        self.holding(wanted, document, |run| {
            !run.waits && run.summary.id != *asking
        })
    }

    /// The run at work on something of `wanted`, or else waiting for it since before `asking`, and on what.
    pub(crate) fn in_the_way(
        &self,
        wanted: &Scope,
        document: &Document,
        asking: &RunId,
    ) -> Option<(&RunSummary, String)> {
        let at_work = self.working_on(wanted, document, asking);
        at_work.or_else(|| {
            self.holding(wanted, document, |run| {
                run.waits && run.summary.id < *asking
            })
        })
    }

    fn holding(
        &self,
        wanted: &Scope,
        document: &Document,
        among: impl Fn(&Entry) -> bool,
    ) -> Option<(&RunSummary, String)> {
        let mut others = (self.runs.values()).filter(|run| run.summary.end.is_none() && among(run));
        others.find_map(|run| Some((&run.summary, run.lease.holds(wanted, document)?)))
    }
}
