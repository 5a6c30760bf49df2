//! What one review asks, in which order, and what it makes of the answers.

use std::collections::BTreeMap;

use agent::{Action, End, Host as _, Inquiry, JournalEvent, PackItem, PackKind, RunLimits};
use review::Finding;
use review::claims::{Claim, Dropped, Opinion, Subject, read_claims, read_verdicts};
use serde_json::Value;

use super::{Plan, Question, is_heard, judged, nothing_in, words};
use crate::Engine;
use crate::findings::{bar, today};
use crate::host::RunHost;
use crate::opinions::Dismissal;

/// The most findings of one review.
const MOST: usize = 3;
/// How often what the index cannot prove has to survive.
const REFUTATIONS: usize = 2;
/// The most turns until there are claims; looking something up takes one.
const TURNS: u32 = 4;
/// The most turns of a refutation: the second is for an answer that was garbled.
const TURNS_OF_A_REFUTATION: u32 = 2;

/// One review under way.
pub(super) struct Session<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    host: &'a RunHost,
    turns: u32,
    tool_calls: u32,
    /// What became of the claims that are not shown.
    dropped: Vec<Dropped>,
}

/// Claims that hold.
#[derive(Default)]
struct Weighed {
    proved: Vec<Opinion>,
    /// Those that somebody has to judge.
    open: Vec<Opinion>,
    dropped: Vec<Dropped>,
}

impl<'a> Session<'a> {
    pub(super) fn new(engine: &'a Engine, plan: &'a Plan, host: &'a RunHost) -> Session<'a> {
        Session {
            engine,
            plan,
            host,
            turns: 0,
            tool_calls: 0,
            dropped: Vec::new(),
        }
    }

    /// Turns and tool calls so far.
    pub(super) fn tally(&self) -> (u32, u32) {
        (self.turns, self.tool_calls)
    }

    /// The review itself; an error is how it ended before its end.
    pub(super) async fn review(&mut self) -> Result<End, End> {
        let question = self.question().await?;
        let answer = self.ask(&question.inquiry, TURNS).await?;
        let (claims, garbled) = answer.map_or_else(Default::default, |answer| {
            read_claims(&answer, question.facts)
        });
        let asked = claims.len() + garbled.len();
        self.dropped.extend(garbled);
        let subject = question.subject.clone();
        let weighed = self
            .engine
            .aside(move |engine| engine.weigh(claims, &subject));
        let Weighed {
            mut proved,
            open,
            dropped,
        } = weighed.await?;
        self.dropped.extend(dropped);
        self.leave(&mut proved, MOST);
        let shown = proved.len();
        // What is proved stands, whatever becomes of the rest.
        self.show(proved)?;
        let judged = self.refute(&question.inquiry, open, MOST - shown).await?;
        let shown = shown + judged.len();
        self.show(judged)?;
        Ok(End::Completed {
            summary: told(shown, asked, &self.dropped),
            hunks: 0,
        })
    }

    /// Puts the question together from the workspace as it is now.
    async fn question(&self) -> Result<Question, End> {
        let path = self.plan.subject.path.clone();
        let question = self
            .engine
            .aside(move |engine| engine.question(&engine.snapshot_for_runs(), &path));
        let question = question.await?.map_err(|error| End::Failed {
            reason: error.to_string(),
        })?;
        let tokens = ledger::tokens(&question.inquiry.question);
        let summary = &self.plan.summary;
        self.host.journal(JournalEvent::Began {
            action: Action::Review,
            file: summary.file.clone(),
            symbol: summary.symbol.clone(),
            scope: nothing_in(&summary.file),
            model: self.plan.models.first.id.clone(),
            pack: vec![PackItem {
                kind: PackKind::Task,
                title: summary.title.clone(),
                tokens,
            }],
            pack_tokens: tokens,
        });
        Ok(question)
    }

    async fn ask(&mut self, inquiry: &Inquiry, turns: u32) -> Result<Option<Value>, End> {
        let most = self.engine.config().limits;
        let limits = RunLimits {
            turns: most.turns.min(turns),
            tool_calls: most.tool_calls,
            ..RunLimits::default()
        };
        let Plan {
            models,
            provider,
            cancel,
            ..
        } = self.plan;
        let answered = agent::inquire(
            inquiry,
            models,
            &limits,
            self.turns,
            self.host,
            provider.as_ref(),
            cancel.clone(),
        )
        .await;
        self.turns += answered.turns;
        self.tool_calls += answered.tool_calls;
        answered.answer
    }

    /// What is left of `opinions`, `room` of them at most, after others have tried to refute them.
    async fn refute(
        &mut self,
        first: &Inquiry,
        opinions: Vec<Opinion>,
        room: usize,
    ) -> Result<Vec<Opinion>, End> {
        let mut standing = opinions;
        // One more than there is room for, because not all will stand.
        let most = if room == 0 { 0 } else { room + 1 };
        self.leave(&mut standing, most);
        for _ in 0..REFUTATIONS {
            if standing.is_empty() {
                break;
            }
            let inquiry = Inquiry {
                system: words::REFUTE,
                question: words::cases(&self.engine.cases(standing.clone()).await?),
                answer: words::verdicts(),
                reads: false,
                ..first.clone()
            };
            let answer = self.ask(&inquiry, TURNS_OF_A_REFUTATION).await?;
            let stands = read_verdicts(answer.as_ref(), standing.len());
            let refuted = stands.iter().filter(|stands| !**stands).count();
            self.dropped.extend((0..refuted).map(|_| Dropped::Refuted));
            let mut stands = stands.into_iter();
            standing.retain(|_| stands.next().unwrap_or(false));
        }
        // The user has gone on typing meanwhile.
        let before = standing.len();
        let mut standing = self.engine.still_holding(standing).await?;
        let gone = before - standing.len();
        self.dropped.extend((0..gone).map(|_| Dropped::False));
        self.leave(&mut standing, room);
        Ok(standing)
    }

    /// Leaves the first `most`, and counts the others.
    fn leave(&mut self, opinions: &mut Vec<Opinion>, most: usize) {
        let surplus = opinions.len().saturating_sub(most);
        opinions.truncate(most);
        self.dropped.extend((0..surplus).map(|_| Dropped::Surplus));
    }

    fn show(&self, opinions: Vec<Opinion>) -> Result<(), End> {
        if self.plan.cancel.is_cancelled() {
            return Err(End::Cancelled);
        }
        if !opinions.is_empty() {
            let Plan {
                models, summary, ..
            } = self.plan;
            self.engine
                .add_opinions(opinions, &models.first.id, &summary.id);
        }
        Ok(())
    }
}

impl Engine {
    /// Does what takes longer than a task may.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, End> {
        let engine = self.clone();
        let work = tokio::task::spawn_blocking(move || work(&engine));
        work.await.map_err(|error| {
            tracing::error!(%error, "a part of a review has failed");
            End::Failed {
                reason: "an internal error; the log has the details, please report it".to_owned(),
            }
        })
    }

    /// Holds claims against the workspace as it is now, against what is known and against what was dismissed.
    fn weigh(&self, claims: Vec<Claim>, subject: &Subject) -> Weighed {
        let (snapshot, config, day) = (self.snapshot(), self.config(), today());
        let remembered = self.opinions(|opinions| opinions.clone());
        let weighed = self.with_evidence(&snapshot, |evidence, review| {
            let bar = bar(&config, &day, snapshot.index());
            let mut weighed = Weighed::default();
            let known = remembered.holding(evidence, |_| true).into_iter();
            let mut known: Vec<Finding> = known.map(|(_, finding)| finding).collect();
            let opinions = claims.into_iter();
            let opinions = opinions.map(|claim| Opinion::of(claim, evidence, subject));
            let mut opinions: Vec<Result<Opinion, Dropped>> = opinions.collect();
            // Of two that say the same, the one that is proved stays.
            opinions.sort_by_key(|opinion| !opinion.as_ref().is_ok_and(Opinion::is_proved));
            for opinion in opinions {
                let weigh = |opinion: &Opinion| {
                    let finding = opinion.finding(evidence).ok_or(Dropped::False)?;
                    let others = judged(&bar, &snapshot, review, &finding.file, &[]);
                    let path = snapshot.display(&finding.file);
                    if opinion.is_said_by(&finding, &others) || opinion.is_said_by(&finding, &known)
                    {
                        return Err(Dropped::Known);
                    }
                    if remembered.is_dismissed(&Dismissal::of(&finding, path)) {
                        return Err(Dropped::Dismissed);
                    }
                    if !is_heard(&bar, &snapshot, review, &finding) {
                        return Err(Dropped::Off);
                    }
                    Ok(finding)
                };
                match opinion.and_then(|opinion| Ok((weigh(&opinion)?, opinion))) {
                    Ok((finding, opinion)) => {
                        known.push(finding);
                        if opinion.is_proved() {
                            weighed.proved.push(opinion);
                        } else {
                            weighed.open.push(opinion);
                        }
                    }
                    Err(dropped) => weighed.dropped.push(dropped),
                }
            }
            weighed
        });
        weighed.unwrap_or_default()
    }

    /// What is put to somebody who is to refute it.
    async fn cases(&self, opinions: Vec<Opinion>) -> Result<Vec<String>, End> {
        let cases = self.aside(move |engine| {
            engine.with_evidence(&engine.snapshot(), |evidence, _| {
                let numbered = opinions.iter().zip(1..);
                let cases = numbered.map(|(opinion, number)| opinion.case(number, evidence));
                cases.collect()
            })
        });
        Ok(cases.await?.unwrap_or_default())
    }

    async fn still_holding(&self, mut opinions: Vec<Opinion>) -> Result<Vec<Opinion>, End> {
        self.aside(move |engine| {
            let kept = engine.with_evidence(&engine.snapshot(), |evidence, _| {
                opinions.retain(|opinion| opinion.finding(evidence).is_some());
                opinions
            });
            kept.unwrap_or_default()
        })
        .await
    }
}

/// What a review came to, in a sentence.
fn told(shown: usize, asked: usize, dropped: &[Dropped]) -> String {
    let findings = match shown {
        0 => "nothing to report".to_owned(),
        1 => "1 finding".to_owned(),
        _ => format!("{shown} findings"),
    };
    if dropped.is_empty() {
        return findings;
    }
    let mut counts: BTreeMap<Dropped, usize> = BTreeMap::new();
    for one in dropped {
        *counts.entry(*one).or_default() += 1;
    }
    let why: Vec<String> = counts
        .iter()
        .map(|(why, count)| format!("{count} {why}"))
        .collect();
    format!("{findings}; of {asked} claims {}", why.join(", "))
}
