//! What is held of the budget before a request leaves: as little as is safe, for whichever model can still be paid.

use std::time::{Duration, Instant};

use provider::{CompletionRequest, Content};

use super::{End, Run};
use crate::{Ask, Attempt, JournalEvent};

/// An answer of fewer tokens than this is not worth asking for when money runs out.
const LEAST_ANSWER: u32 = 1_024;
/// How long the provider may take to count one prompt.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long all counts of a run may take together.
const PATIENCE_OF_A_RUN: Duration = Duration::from_secs(2);
/// Providers call their own count an estimate. One token in so many, and a few for small prompts, are added to it.
const MARGIN: u64 = 20;
const SMALL_MARGIN: u64 = 256;

/// Asks the provider how many tokens a prompt has, and never lets a run wait long for the answer.
#[derive(Default)]
pub(super) struct Counter {
    /// The last prompt that was counted, by its turn, and what came of it.
    last: Option<(u32, Option<u64>)>,
    waited: Duration,
    /// Whether an answer did not come: the run goes on without.
    gave_up: bool,
}

impl Counter {
    /// Another model counts otherwise.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }
}

impl Run<'_> {
    /// Holds the worst case of the next request: with a shorter answer, or by a cheaper model, if that is what the budget
    /// has room for.
    pub(super) async fn reserve(&mut self, turn: u32, attempt: u32) -> Result<(Attempt, u32), End> {
        let mut max_tokens = self.conversation.max_tokens();
        let mut shortened = false;
        loop {
            let input_tokens = self.conversation.tokens();
            let request = self.conversation.request(max_tokens);
            let input_upper = self.input_upper(turn, &request).await;
            // Not raced against cancellation: a reservation that was made must be known to be given back.
            let no_budget = match self
                .host
                .reserve(Ask {
                    model: self.model.id.clone(),
                    turn,
                    attempt,
                    input_upper,
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
                    continue;
                }
                Some(_) | None => {}
            }
            let Some(cheaper) = self.cheaper.take() else {
                return Err(End::OutOfBudget {
                    reason: self.achieved(&no_budget.message),
                });
            };
            // The larger one is dearer still.
            self.larger = None;
            let why = format!("the budget has no room for {}", self.model.id);
            self.move_to(turn, cheaper, why);
            max_tokens = self.conversation.max_tokens();
            shortened = false;
        }
    }

    /// The most tokens that the prompt can have.
    async fn input_upper(&mut self, turn: u32, request: &CompletionRequest) -> u64 {
        let bytes = self.provider.input_upper_bound(request);
        let counted = match self.counter.last {
            // Retries send the same.
            Some((of, counted)) if of == turn => counted,
            Some(_) | None => {
                let counted = self.count(request).await;
                self.counter.last = Some((turn, counted));
                counted
            }
        };
        let margin = |counted: u64| counted / MARGIN + SMALL_MARGIN + opaque_bytes(request);
        counted.map_or(bytes, |counted| {
            bytes.min(counted.saturating_add(margin(counted)))
        })
    }

    async fn count(&mut self, request: &CompletionRequest) -> Option<u64> {
        let patience = PATIENCE.min(PATIENCE_OF_A_RUN.saturating_sub(self.counter.waited));
        if self.counter.gave_up || patience.is_zero() {
            return None;
        }
        let began = Instant::now();
        let counted = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            counted = tokio::time::timeout(patience, self.provider.count_tokens(request)) => counted.ok().flatten(),
        };
        self.counter.waited += began.elapsed();
        self.counter.gave_up = counted.is_none();
        counted
    }
}

/// The size of what only the provider can read, such as thinking: a count may leave it out, and the bill may not.
fn opaque_bytes(request: &CompletionRequest) -> u64 {
    let content = request.messages.iter().flat_map(|message| &message.content);
    let opaque = content.filter_map(|content| match content {
        Content::Opaque { block } => Some(block.to_string().len() as u64),
        Content::Text { .. } | Content::ToolUse { .. } | Content::ToolResult { .. } => None,
    });
    opaque.sum()
}
