//! Runs that wait for others to end, because both would change the same.
//!
//! Each waits for those before it, at work or waiting themselves, so that nobody is overtaken and none waits for ever.

use agent::End;
use text::FilePath;
use tokio_util::sync::CancellationToken;

use crate::launch::Plan;
use crate::lease::Lease;
use crate::runs::RunSummary;
use crate::{Engine, Event, Launch, LaunchError, Level, RunId};

/// Whether a run can begin.
pub(crate) enum Place {
    /// It can, with this lease.
    Free(Lease),
    /// It waits, for this reason.
    Taken(String),
}

/// A run that waits.
pub(crate) struct Waiting {
    run: RunId,
    title: String,
    file: FilePath,
    launch: Launch,
    /// The change count of the text that the launch is for, if the file is open.
    serial: Option<u64>,
    why: String,
}

impl Waiting {
    pub(crate) fn new(engine: &Engine, plan: Plan, launch: Launch, why: String) -> Waiting {
        let file = plan.summary.file;
        let snapshot = engine.snapshot();
        let serial = snapshot
            .open_document(&file)
            .map(workspace::Document::serial);
        Waiting {
            run: plan.summary.id,
            title: plan.summary.title,
            file,
            launch,
            serial,
            why,
        }
    }
}

impl Engine {
    /// Takes the lease of a run, or has it wait for whoever is in the way.
    ///
    /// What is under way already is not done twice, and lines of a text have no name to be found again by: both are
    /// refused.
    pub(crate) fn take_place(
        &self,
        plan: &Plan,
        cancel: &CancellationToken,
    ) -> Result<Place, LaunchError> {
        let Plan {
            summary,
            scope,
            document,
            ..
        } = plan;
        let lease = Lease::new(scope.clone(), document.serial());
        // One lock for the question and its answer, so that two runs cannot both get the same.
        self.with(|state| {
            let in_the_way = state.runs.in_the_way(scope, document, &summary.id);
            let in_the_way = in_the_way.map(|(other, symbol)| (other.title.clone(), symbol));
            let is_same = |other: &RunSummary| {
                other.id != summary.id
                    && (&other.title, &other.file) == (&summary.title, &summary.file)
                    && other.symbol == summary.symbol
            };
            let Some((run, symbol)) = in_the_way else {
                (state.runs).begin(summary.clone(), cancel.clone(), lease.clone());
                return Ok(Place::Free(lease));
            };
            let is_again = state.runs.running().iter().any(is_same);
            if is_again || gate::Region::is_name(&summary.symbol) {
                return Err(LaunchError::Busy { run, symbol });
            }
            (state.runs).wait(summary.clone(), cancel.clone(), lease);
            Ok(Place::Taken(waits_for(&run, &symbol)))
        })
    }

    /// Waits until nobody is in the way of a run, and plans it anew, on the text as it is by then.
    pub(crate) async fn turn_of(
        &self,
        mut waiting: Waiting,
        cancel: &CancellationToken,
    ) -> Result<(Plan, Lease), End> {
        let Waiting { run, title, .. } = &waiting;
        let (run, title) = (run.clone(), title.clone());
        self.show(Event::RunBegan {
            run: run.clone(),
            title: title.clone(),
            message: waiting.why.clone(),
        });
        self.notify(Level::Info, format!("{title} {}", waiting.why));
        let mut ended = self.shared.ended.subscribe();
        while !cancel.is_cancelled() {
            let (engine, again) = (self.clone(), cancel.clone());
            let planning = tokio::task::spawn_blocking(move || {
                let planned = engine.plan_again(&mut waiting, &again);
                (planned, waiting)
            });
            let Ok((planned, back)) = planning.await else {
                let reason = "an internal error; the log has the details".to_owned();
                return Err(End::Failed { reason });
            };
            waiting = back;
            let why = match planned {
                Ok((plan, Place::Free(lease))) => return Ok((plan, lease)),
                Ok((_, Place::Taken(why))) => why,
                Err(reason) => return Err(End::Failed { reason }),
            };
            if why != waiting.why {
                waiting.why = why.clone();
                let (run, message) = (run.clone(), why);
                self.show(Event::RunProgress { run, message });
            }
            tokio::select! {
                () = cancel.cancelled() => return Err(End::Cancelled),
                over = ended.changed() => if over.is_err() { break },
            }
        }
        Err(End::Cancelled)
    }

    fn plan_again(
        &self,
        waiting: &mut Waiting,
        cancel: &CancellationToken,
    ) -> Result<(Plan, Place), String> {
        let snapshot = self.snapshot();
        let open = snapshot.open_document(&waiting.file);
        match (open, waiting.serial) {
            (None, Some(_)) => {
                let file = snapshot.display(&waiting.file);
                return Err(format!("{file} was closed while this waited"));
            }
            (Some(open), before) => {
                let changes = before.and_then(|before| open.changes_since(before));
                waiting.launch.selection = changes.and_then(|changes| {
                    let selection = waiting.launch.selection?;
                    let moved = changes.iter();
                    Some(moved.fold(selection, |range, change| change.map_range(range)))
                });
                waiting.serial = Some(open.serial());
            }
            (None, None) => {}
        }
        let plan = self.plan(&waiting.file, &waiting.launch, &waiting.run);
        let plan = plan.map_err(|error| error.to_string())?;
        let place = self.take_place(&plan, cancel);
        Ok((plan, place.map_err(|error| error.to_string())?))
    }
}

fn waits_for(run: &str, symbol: &str) -> String {
    format!("waits for “{run}”, which works on `{symbol}`")
}
