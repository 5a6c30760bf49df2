mod attempt;
mod end;
mod hold;
mod inquire;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use provider::{Content, Provider, RetryPolicy, StopReason};
use tokio_util::sync::CancellationToken;

pub use self::end::End;
pub use self::inquire::{Answered, Inquiry, inquire};

use self::attempt::{Answer, Attempted, Broken};
use self::hold::Counter;
use crate::action::one_line;
use crate::conversation::Conversation;
use crate::tools::Toolbox;
use crate::{Host, JournalEvent, Model, Models, PackTier, Progress, Scope, Task, pack, prompt};

/// How often an answer may be cut off at its limit.
const MAX_CUTS: u32 = 1;
/// The most characters of a summary.
const MAX_SUMMARY: usize = 600;

/// What holds a run in check besides money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// The most turns.
    pub turns: u32,
    /// The most tool calls, all turns together.
    pub tool_calls: u32,
    /// How often in a row the same refusal may come before the run is given up.
    pub refusals_in_row: u32,
}

impl Default for RunLimits {
    /// Eight turns are three times what a symbol-sized action usually takes.
    fn default() -> RunLimits {
        RunLimits {
            turns: 8,
            tool_calls: 40,
            refusals_in_row: 4,
        }
    }
}

/// Carries out one task, from the first request to exactly one end.
///
/// `scope` is what the task's words say may change; what does change is up to the host, which judges every proposal.
/// After `cancel` has fired nothing more is sent or proposed, and the end comes within milliseconds; what was reserved
/// is settled first. If the future is dropped, a reservation that is open goes to [`Host::abandon`].
pub async fn run(
    task: &Task,
    scope: &Scope,
    models: &Models,
    limits: &RunLimits,
    host: &dyn Host,
    provider: &dyn Provider,
    cancel: CancellationToken,
) -> End {
    let model = &models.first;
    // A host that says the run is over must be able to stop this run without stopping its siblings.
    let cancel = cancel.child_token();
    let toolbox = Toolbox::new(host, scope.clone(), *limits, model, cancel.clone());
    let packed = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(End::Cancelled),
        packed = open(task, scope, model, host) => packed,
    };
    let mut turns = 0;
    let mut tally = (0, 0);
    let end = match packed {
        Err(end) => end,
        Ok(conversation) => {
            let mut run = Run {
                model,
                cheaper: models.cheaper.as_ref(),
                larger: models.larger.as_ref(),
                limits,
                host,
                provider,
                cancel,
                toolbox,
                conversation,
                counter: Counter::default(),
                cuts: 0,
                said: String::new(),
            };
            let end = run.drive(&mut turns).await;
            tally = (run.toolbox.calls, run.toolbox.hunks);
            end
        }
    };
    host.journal(JournalEvent::Ended {
        state: end.state(),
        message: end.message().to_owned(),
        turns,
        tool_calls: tally.0,
        hunks: tally.1,
    });
    end
}

/// Packs the context, which reads files and so does not belong on this thread.
async fn open(
    task: &Task,
    scope: &Scope,
    model: &Model,
    host: &dyn Host,
) -> Result<Conversation, End> {
    let snapshot = host.snapshot();
    let (task, mut scope) = (task.clone(), scope.clone());
    if !scope.regions.is_empty() {
        scope.regions = host.regions(&snapshot);
    }
    let packing = tokio::task::spawn_blocking(move || {
        let packed = pack(&snapshot, &task, &scope, PackTier::of(task.action));
        (packed, task, scope)
    });
    match packing.await {
        Ok((Ok(pack), task, scope)) => {
            host.journal(JournalEvent::Began {
                action: task.action,
                file: task.file,
                symbol: task.symbol,
                scope,
                model: model.id.clone(),
                pack_tokens: pack.tokens,
                pack: pack.items,
            });
            Ok(Conversation::new(prompt::request(model, pack.text)))
        }
        Ok((Err(error), ..)) => Err(End::Failed {
            reason: error.to_string(),
        }),
        Err(error) => {
            tracing::error!(%error, "packing the context has failed");
            Err(End::Failed {
                reason: "the context could not be put together; the log has the details".to_owned(),
            })
        }
    }
}

struct Run<'a> {
    /// The model that is asked now.
    model: &'a Model,
    /// The one to ask when the budget has no room for it.
    cheaper: Option<&'a Model>,
    /// The one to ask when what it sent did not pass.
    larger: Option<&'a Model>,
    limits: &'a RunLimits,
    host: &'a dyn Host,
    provider: &'a dyn Provider,
    cancel: CancellationToken,
    toolbox: Toolbox<'a>,
    conversation: Conversation,
    counter: Counter,
    /// How often an answer was cut off at its limit.
    cuts: u32,
    /// What the model said last.
    said: String,
}

impl<'a> Run<'a> {
    async fn drive(&mut self, turns: &mut u32) -> End {
        for turn in 1..=self.limits.turns {
            *turns = turn;
            let answer = match self.turn(turn).await {
                Ok(answer) => answer,
                Err(end) => return end,
            };
            if let Some(end) = self.take_in(turn, answer) {
                match self.larger_after(turn, &end) {
                    Some((larger, why)) => self.begin_anew(turn + 1, larger, why),
                    None => return end,
                }
            } else if turn == self.limits.turns.div_ceil(2)
                && turn < self.limits.turns
                && self.toolbox.refused > 0
                && let Some(larger) = self.larger_if_untouched()
            {
                self.begin_anew(turn + 1, larger, "half of the turns are used".to_owned());
            }
        }
        self.failed(&format!(
            "stopped after {}",
            count(self.limits.turns, "turn")
        ))
    }

    /// The larger model, if an answer of the first has ended the run and nothing it sent has passed.
    ///
    /// A model that changed nothing and was refused nothing has said that there is nothing to do, which stands.
    fn larger_after(&mut self, turn: u32, end: &End) -> Option<(&'a Model, String)> {
        if turn >= self.limits.turns || self.toolbox.over_limit {
            return None;
        }
        let why = match end {
            End::Failed { reason } => reason.clone(),
            End::Completed { .. } if self.toolbox.refused > 0 => {
                "what it sent was refused".to_owned()
            }
            End::Completed { .. } | End::Cancelled | End::OutOfBudget { .. } => return None,
        };
        Some((self.larger_if_untouched()?, why))
    }

    /// The larger model, unless something stands or waits already: then the run is not begun anew.
    fn larger_if_untouched(&mut self) -> Option<&'a Model> {
        if self.toolbox.hunks > 0 || self.toolbox.pending > 0 {
            return None;
        }
        self.larger.take()
    }

    /// The same task from the start, with another model.
    fn begin_anew(&mut self, turn: u32, model: &'a Model, why: String) {
        self.conversation.restart();
        self.toolbox.begin_anew(model);
        self.cuts = 0;
        self.said.clear();
        self.move_to(turn, model, why);
    }

    fn move_to(&mut self, turn: u32, model: &'a Model, why: String) {
        self.model = model;
        self.conversation.move_to(model);
        self.counter.forget();
        let id = model.id.clone();
        self.host.journal(JournalEvent::Moved {
            turn,
            model: id.clone(),
            why: why.clone(),
        });
        self.host.report(Progress::Moved { model: id, why });
    }

    /// One answer of the model, however many attempts it takes.
    async fn turn(&mut self, turn: u32) -> Result<Answer, End> {
        let policy = RetryPolicy::default();
        for attempt in 1.. {
            if self.cancel.is_cancelled() {
                return Err(End::Cancelled);
            }
            let (id, max_tokens) = self.reserve(turn, attempt).await?;
            let attempted = Attempted {
                turn,
                attempt,
                id,
                max_tokens,
            };
            let broken = match self.attempt(attempted).await {
                Ok(answer) => return Ok(answer),
                Err(broken) => broken,
            };
            if self.cancel.is_cancelled() {
                return Err(End::Cancelled);
            }
            let wait = match &broken {
                Broken::Provider(error) => policy.wait(attempt, error, jitter()),
                Broken::NoEnd => None,
            };
            let why = broken.to_string();
            self.host.journal(JournalEvent::Failed {
                turn,
                id,
                why: why.clone(),
                retry_after_ms: wait
                    .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            });
            match wait {
                None => return Err(self.failed(&why)),
                Some(wait) => self.wait(wait, why).await?,
            }
        }
        Err(self.failed("the provider did not answer"))
    }

    async fn wait(&self, after: Duration, why: String) -> Result<(), End> {
        self.host.report(Progress::Retrying { after, why });
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(End::Cancelled),
            () = tokio::time::sleep(after) => Ok(()),
        }
    }

    /// Appends an answer and the results of its tool calls, and says whether that is the end.
    fn take_in(&mut self, turn: u32, answer: Answer) -> Option<End> {
        let Answer {
            stop,
            detail,
            content,
            mut replies,
            max_tokens,
        } = answer;
        let text = text_of(&content);
        if !text.is_empty() {
            self.said = text;
        }
        let called = content
            .iter()
            .any(|block| matches!(block, Content::ToolUse { .. }));
        let nothing = content.is_empty();
        let mut also = None;
        match &stop {
            StopReason::EndTurn | StopReason::StopSequence | StopReason::ToolUse if called => {}
            StopReason::EndTurn | StopReason::StopSequence | StopReason::ToolUse => {
                return Some(self.completed());
            }
            StopReason::PauseTurn if nothing => {
                return Some(self.failed("the provider paused the answer before it began"));
            }
            StopReason::PauseTurn => {}
            StopReason::MaxTokens => {
                if self.cuts >= MAX_CUTS {
                    let why = format!(
                        "the answer was cut off at {max_tokens} tokens twice; allow longer answers or choose something smaller"
                    );
                    return Some(self.failed(&why));
                }
                self.cuts += 1;
                for reply in replies.iter_mut().filter(|reply| reply.broken) {
                    reply.text = format!(
                        "this call was cut off at the limit of {max_tokens} tokens and not carried out; send it in smaller pieces"
                    );
                }
                let shorter = if self.toolbox.changes() {
                    ": edit_symbol with few lines instead of replace_symbol"
                } else {
                    ""
                };
                also = Some(format!(
                    "Your answer was cut off at the limit of {max_tokens} tokens. Go on from where it ends, and keep it \
                     short{shorter}."
                ));
            }
            StopReason::Refusal => {
                let detail = detail.unwrap_or_else(|| "no reason was given".to_owned());
                return Some(
                    self.failed(&format!("the model declined: {}", one_line(&detail, 300))),
                );
            }
            StopReason::ContextWindowExceeded => {
                return Some(
                    self.failed("the conversation no longer fits the model; take a smaller symbol"),
                );
            }
            StopReason::Unknown(reason) => {
                let reason = one_line(reason, 60);
                return Some(self.failed(&format!(
                    "the model stopped for a reason this version does not know: {reason}"
                )));
            }
        }
        if self.cancel.is_cancelled() {
            return Some(End::Cancelled);
        }
        if self.toolbox.over_limit {
            let limit = count(self.limits.tool_calls, "tool call");
            return Some(self.failed(&format!("stopped after {limit}")));
        }
        if let Some(refusal) = self.toolbox.stuck() {
            let why = format!(
                "the model met the same refusal {} times in a row: {refusal}",
                self.limits.refusals_in_row
            );
            return Some(self.failed(&why));
        }
        if turn + 1 == self.limits.turns {
            let last = "This is the last request of this run: finish what is needed and end.";
            also = Some(also.map_or_else(|| last.to_owned(), |also| format!("{also}\n{last}")));
        }
        self.conversation.answer(content);
        if stop != StopReason::PauseTurn || called {
            self.conversation.results(replies, also);
        }
        None
    }

    fn completed(&self) -> End {
        let summary = match (self.said.is_empty(), self.toolbox.hunks) {
            (false, _) => self.said.clone(),
            (true, 0) => "The model changed nothing and said nothing.".to_owned(),
            (true, _) => "Done.".to_owned(),
        };
        End::Completed {
            summary,
            hunks: self.toolbox.hunks,
        }
    }

    fn failed(&self, why: &str) -> End {
        End::Failed {
            reason: self.achieved(why),
        }
    }

    /// A reason to stop, and what stands in the user's text all the same.
    fn achieved(&self, why: &str) -> String {
        match self.toolbox.hunks {
            0 => why.to_owned(),
            hunks => format!(
                "{why}; {} landed",
                count(u32::try_from(hunks).unwrap_or(u32::MAX), "hunk")
            ),
        }
    }
}

fn text_of(content: &[Content]) -> String {
    let texts = content.iter().filter_map(|block| match block {
        Content::Text { text } => Some(text.as_str()),
        Content::ToolUse { .. } | Content::ToolResult { .. } | Content::Opaque { .. } => None,
    });
    one_line(&texts.collect::<Vec<_>>().join(" "), MAX_SUMMARY)
}

fn count(n: u32, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// A number between 0 and 1 that differs from run to run; nothing but the spread of retries depends on it.
fn jitter() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests;
