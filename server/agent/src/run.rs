mod attempt;
mod end;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use provider::{Content, Provider, RetryPolicy, StopReason};
use tokio_util::sync::CancellationToken;

pub use self::end::End;

use self::attempt::{Answer, Attempted, Broken};
use crate::action::one_line;
use crate::conversation::Conversation;
use crate::tools::Toolbox;
use crate::{
    Ask, Attempt, Host, JournalEvent, Model, PackTier, Progress, Scope, Task, pack, prompt,
};

/// An answer of fewer tokens than this is not worth asking for when money runs out.
const LEAST_ANSWER: u32 = 1_024;
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
    model: &Model,
    limits: &RunLimits,
    host: &dyn Host,
    provider: &dyn Provider,
    cancel: CancellationToken,
) -> End {
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
                limits,
                host,
                provider,
                cancel,
                toolbox,
                conversation,
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
    model: &'a Model,
    limits: &'a RunLimits,
    host: &'a dyn Host,
    provider: &'a dyn Provider,
    cancel: CancellationToken,
    toolbox: Toolbox<'a>,
    conversation: Conversation,
    /// How often an answer was cut off at its limit.
    cuts: u32,
    /// What the model said last.
    said: String,
}

impl Run<'_> {
    async fn drive(&mut self, turns: &mut u32) -> End {
        for turn in 1..=self.limits.turns {
            *turns = turn;
            let answer = match self.turn(turn).await {
                Ok(answer) => answer,
                Err(end) => return end,
            };
            if let Some(end) = self.take_in(turn, answer) {
                return end;
            }
        }
        self.failed(&format!(
            "stopped after {}",
            count(self.limits.turns, "turn")
        ))
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

    /// Holds the worst case of the next request; with a shorter answer if that is what the budget has room for.
    async fn reserve(&mut self, turn: u32, attempt: u32) -> Result<(Attempt, u32), End> {
        let mut max_tokens = self.conversation.max_tokens();
        let mut shortened = false;
        let input_tokens = self.conversation.tokens();
        loop {
            let input_upper_bytes = self
                .provider
                .input_upper_bound(&self.conversation.request(max_tokens));
            // Not raced against cancellation: a reservation that was made must be known to be given back.
            let no_budget = match self
                .host
                .reserve(Ask {
                    turn,
                    attempt,
                    input_upper_bytes,
                    input_tokens,
                    max_tokens,
                })
                .await
            {
                Ok(id) => return Ok((id, max_tokens)),
                Err(no_budget) => no_budget,
            };
            self.host.journal(JournalEvent::NoBudget {
                turn,
                message: no_budget.message.clone(),
                can_afford_max_tokens: no_budget.can_afford_max_tokens,
            });
            match no_budget.can_afford_max_tokens {
                Some(affordable)
                    if !shortened && (LEAST_ANSWER..max_tokens).contains(&affordable) =>
                {
                    max_tokens = affordable;
                    shortened = true;
                }
                Some(_) | None => {
                    return Err(End::OutOfBudget {
                        reason: self.achieved(&no_budget.message),
                    });
                }
            }
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
                also = Some(format!(
                    "Your answer was cut off at the limit of {max_tokens} tokens. Go on from where it ends, and keep it short: \
                     edit_symbol with few lines instead of replace_symbol."
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
