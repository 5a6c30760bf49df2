//! The review by a model: from what is to be reviewed to findings that hold.
//!
//! One run: the model is given facts and answers with claims; each is held against the index; what the index cannot
//! prove is put to a model that is to refute it, twice; what is left, three findings at most, is remembered and shown.
//! Whatever becomes of a request, it is reserved, settled and written down as those of any run.

mod session;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use agent::{Action, End, Host as _, Inquiry, JournalEvent, Models, Sizes};
use gate::Scope;
use jiff::Timestamp;
use ledger::{Estimate, RunId};
use review::claims::{Evidence, Room, Subject, fact_sheet};
use review::{Bar, Finding, Review, Seen, judge};
use text::FilePath;
use tokio_util::sync::CancellationToken;
use workspace::Snapshot;

use self::session::Session;
use crate::config::Config;
use crate::findings::{bar, today};
use crate::host::RunHost;
use crate::launch::{Guard, within};
use crate::lease::Lease;
use crate::runs::RunSummary;
use crate::{Engine, Launch, LaunchError};

/// The most tokens of the first message.
const ROOM: u64 = 6_000;

/// What a review is started with.
struct Plan {
    summary: RunSummary,
    models: Models,
    subject: Subject,
    provider: Arc<dyn provider::Provider>,
    cancel: CancellationToken,
}

/// What is asked first.
pub(crate) struct Question {
    inquiry: Inquiry,
    subject: Subject,
    /// How many facts it holds.
    facts: usize,
}

/// The sizes of what would be asked about files and folders, by path: a menu is asked for wherever the cursor goes.
pub(crate) type Asked = BTreeMap<String, AskedSize>;

/// The size of what would have been asked at one moment.
pub(crate) struct AskedSize {
    revision: u64,
    config: Arc<Config>,
    sizes: Sizes,
    /// Somebody asks already what it is by now.
    renewed: bool,
}

/// Of so many files and folders the sizes are kept.
const KEPT: usize = 256;

impl Engine {
    /// What a claim is held against, and the findings that need no model. Nothing before the first review of the
    /// workspace.
    pub(crate) fn with_evidence<T>(
        &self,
        snapshot: &Snapshot,
        act: impl FnOnce(&Evidence<'_>, &Review) -> T,
    ) -> Option<T> {
        let config = self.config();
        let seen = self.closing(snapshot.clone());
        let text = |file: &FilePath| {
            let document = seen.document(file).ok()?;
            Some(document.text().clone())
        };
        let closed = |file: &FilePath| seen.is_closed(file);
        self.with_review(snapshot, &config, |project, review| {
            let evidence = Evidence {
                project,
                graph: review.graph(),
                text: &text,
                closed: &closed,
            };
            act(&evidence, review)
        })
    }

    /// What starting a review of a file or folder would ask, by its path from the root.
    pub(crate) fn question(
        &self,
        snapshot: &Snapshot,
        path: &str,
    ) -> Result<Question, LaunchError> {
        let config = self.config();
        let day = today();
        let asked = self.with_evidence(snapshot, |evidence, review| {
            let subject = evidence.subject(path)?;
            let bar = bar(&config, &day, snapshot.index());
            let findings: Vec<Finding> = (subject.files.iter())
                .flat_map(|file| judged(&bar, snapshot, review, file, &[]))
                .collect();
            let room = Room {
                most: ROOM,
                count: &ledger::tokens,
            };
            let told = config.context.as_deref();
            let sheet = fact_sheet(&subject, evidence, &findings, told, room);
            let inquiry = Inquiry {
                system: words::REVIEW,
                question: sheet.text,
                file: subject.files.first()?.clone(),
                answer: words::report(),
                reads: true,
            };
            Some(Question {
                inquiry,
                subject,
                facts: sheet.facts,
            })
        });
        match asked {
            None => Err(LaunchError::NotIndexed),
            Some(None) => Err(LaunchError::NothingToReview(path.to_owned())),
            Some(Some(question)) => Ok(question),
        }
    }

    /// What a review of a file or folder would cost.
    fn estimate_review(&self, snapshot: &Snapshot, path: &str) -> Result<Estimate, LaunchError> {
        let config = self.config();
        let known = self.with_sizes(|asked| {
            let known = asked.get(path)?;
            (known.revision == snapshot.revision && Arc::ptr_eq(&known.config, &config))
                .then_some(known.sizes)
        });
        let sizes = match known {
            Some(sizes) => sizes,
            None => self.size_up(snapshot, path, config)?,
        };
        self.estimate_sizes(sizes)
    }

    /// The same for a menu, which does not wait for it: what the review would have cost when a menu was last asked for,
    /// unless that is the first.
    pub(crate) fn estimate_review_lately(
        &self,
        snapshot: &Snapshot,
        path: &str,
    ) -> Result<Estimate, LaunchError> {
        let config = self.config();
        let known = self.with_sizes(|asked| {
            let known = asked.get_mut(path)?;
            if !Arc::ptr_eq(&known.config, &config) {
                return None;
            }
            let renew = known.revision != snapshot.revision && !known.renewed;
            known.renewed |= renew;
            Some((known.sizes, renew))
        });
        let Some((sizes, renew)) = known else {
            let sizes = self.size_up(snapshot, path, config)?;
            return self.estimate_sizes(sizes);
        };
        if renew {
            let (engine, snapshot, path) = (self.clone(), snapshot.clone(), path.to_owned());
            self.spawn(async move {
                let sizing = {
                    let (engine, path) = (engine.clone(), path.clone());
                    move || engine.size_up(&snapshot, &path, config).is_ok()
                };
                let sized = tokio::task::spawn_blocking(sizing).await;
                if !sized.unwrap_or(false) {
                    // What cannot be estimated now will say so when it is picked.
                    engine.with_sizes(|asked| asked.remove(&path));
                }
            });
        }
        self.estimate_sizes(sizes)
    }

    /// Finds out what the first menu in each of the open files would have to: what a review of it would ask, and what the
    /// names in it mean. Files of which that is known are left alone: a menu has theirs renewed.
    ///
    /// Stops when somebody types; then some are left.
    pub(crate) fn foresee_menus(&self, files: &mut BTreeSet<FilePath>) {
        if !self.is_configured() || *self.shared.reviews.borrow() == 0 {
            // They come again.
            return files.clear();
        }
        let (snapshot, config) = (self.snapshot_for_runs(), self.config());
        let stop = || self.shared.shutdown.is_cancelled() || !self.shared.stale.borrow().is_empty();
        while let Some(file) = files.first() {
            let path = snapshot.display(file);
            let open = snapshot.open_document(file);
            let has_code = open.is_some_and(|open| open.grammar().is_some());
            if has_code && !self.with_sizes(|asked| asked.contains_key(path)) {
                snapshot.index().foresee(file, &stop);
                if stop() {
                    return;
                }
                // What cannot be estimated says so when it is picked.
                _ = self.size_up(&snapshot, path, config.clone());
            }
            files.pop_first();
        }
    }

    /// Finds out what would be asked about a file or folder, and remembers its size.
    fn size_up(
        &self,
        snapshot: &Snapshot,
        path: &str,
        config: Arc<Config>,
    ) -> Result<Sizes, LaunchError> {
        let sizes = self.question(snapshot, path)?.inquiry.sizes();
        let sized = AskedSize {
            revision: snapshot.revision,
            config,
            sizes,
            renewed: false,
        };
        self.with_sizes(|asked| {
            if asked.len() >= KEPT {
                asked.clear();
            }
            asked.insert(path.to_owned(), sized);
        });
        Ok(sizes)
    }

    fn with_sizes<T>(&self, act: impl FnOnce(&mut Asked) -> T) -> T {
        let mut asked = (self.shared.asked.lock()).unwrap_or_else(PoisonError::into_inner);
        act(&mut asked)
    }

    /// What a review of a file or folder of the workspace would cost now, by its path from the root.
    pub fn price_of_review(&self, path: &str) -> Result<Estimate, LaunchError> {
        self.estimate_review(&self.snapshot_for_runs(), path)
    }

    fn estimate_sizes(&self, sizes: Sizes) -> Result<Estimate, LaunchError> {
        let turns = self.config().limits.turns;
        let models = self.models_of_a_review();
        (self.shared.purse).estimate(Action::Review, &models, sizes, turns)
    }

    /// A review is not begun anew by a larger model: there is nothing that could fail to pass.
    fn models_of_a_review(&self) -> Models {
        Models {
            larger: None,
            ..self.models(Action::Review)
        }
    }

    /// Starts a review of what `launch` names by its path from the root. `file` is where it was asked for.
    pub(crate) fn launch_review(
        &self,
        file: &FilePath,
        launch: &Launch,
    ) -> Result<RunId, LaunchError> {
        let provider = self.may_launch()?;
        let (snapshot, config) = (self.snapshot_for_runs(), self.config());
        let question = self.question(&snapshot, &launch.symbol)?;
        let estimate = self.estimate_sizes(question.inquiry.sizes())?;
        let Question { subject, .. } = question;
        let id = RunId::new(Timestamp::now());
        let cancel = self.shared.shutdown.child_token();
        let mut summary = RunSummary::new(id.clone(), file, launch, estimate, config.is_free());
        summary.symbol.clone_from(&subject.path);
        self.with(|state| {
            let mut running = state.runs.running().into_iter();
            let same =
                |run: &RunSummary| run.action == Action::Review && run.symbol == summary.symbol;
            if let Some(other) = running.find(same) {
                return Err(LaunchError::Busy {
                    run: other.title,
                    symbol: other.symbol,
                });
            }
            let lease = Lease::new(nothing_in(file), 0);
            state.runs.begin(summary.clone(), cancel.clone(), lease);
            Ok(())
        })?;
        let guard = Guard::new(self.clone(), id.clone());
        let seconds = Duration::from_secs(config.limits.seconds.into());
        let engine = self.clone();
        self.spawn(async move {
            let plan = Plan {
                summary,
                models: engine.models_of_a_review(),
                subject,
                provider,
                cancel: cancel.clone(),
            };
            let end = within(seconds, engine.conduct_review(plan), &cancel).await;
            guard.finish(end).await;
        });
        Ok(id)
    }

    async fn conduct_review(&self, plan: Plan) -> End {
        let summary = &plan.summary;
        self.begin(summary);
        if let Err(reason) = self.begin_in_ledger(summary, &plan.models).await {
            return End::OutOfBudget { reason };
        }
        let lease = Lease::new(nothing_in(&summary.file), 0);
        let host = RunHost::new(self.clone(), summary.clone(), lease, plan.cancel.clone());
        let mut session = Session::new(self, &plan, &host);
        let end = session.review().await.unwrap_or_else(|end| end);
        let (turns, tool_calls) = session.tally();
        host.journal(JournalEvent::Ended {
            state: end.state(),
            message: end.message().to_owned(),
            turns,
            tool_calls,
            hunks: 0,
        });
        end
    }

    /// Whether neither a comment nor the team silences a finding of a model, and its rule is on.
    pub(crate) fn is_heard(&self, snapshot: &Snapshot, finding: &Finding) -> bool {
        let (config, day) = (self.config(), today());
        let heard = self.with_evidence(snapshot, |_, review| {
            let bar = bar(&config, &day, snapshot.index());
            is_heard(&bar, snapshot, review, finding)
        });
        heard.unwrap_or(false)
    }
}

/// The findings of one file that are shown, with `more` of it as a part of the workspace.
///
/// Smells are known of open files only: the text of the others would have to be parsed again.
fn judged(
    bar: &Bar<'_>,
    snapshot: &Snapshot,
    review: &Review,
    file: &FilePath,
    more: &[Finding],
) -> Vec<Finding> {
    let others = [review.file(file), more].concat();
    let open = snapshot.open_document(file);
    let parsed = open.and_then(|document| document.parsed());
    let (facts, smells) = match parsed {
        Some(parsed) => (Some(parsed.facts().clone()), parsed.smells().clone()),
        None => (snapshot.index().file(file), Vec::new()),
    };
    let Some(facts) = facts else {
        return Vec::new();
    };
    let seen = Seen {
        facts: &facts,
        smells: &smells,
        others: Some(&others),
    };
    judge(bar, file, snapshot.display(file), &seen)
}

fn is_heard(bar: &Bar<'_>, snapshot: &Snapshot, review: &Review, finding: &Finding) -> bool {
    let more = std::slice::from_ref(finding);
    let shown = judged(bar, snapshot, review, &finding.file, more);
    let same = |other: &Finding| (other.rule, &other.key) == (finding.rule, &finding.key);
    bar.thresholds.get(finding.rule).is_some() && shown.iter().any(same)
}

fn nothing_in(file: &FilePath) -> Scope {
    Scope {
        file: file.clone(),
        targets: Vec::new(),
        imports: false,
        siblings: 0,
        regions: Vec::new(),
    }
}
