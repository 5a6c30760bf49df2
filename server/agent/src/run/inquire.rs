//! A question whose answer is data: the model may read, answers by one tool, and changes nothing.

use gate::Scope;
use provider::{CacheTtl, CompletionRequest, Message, Provider, SystemBlock, ToolSpec};
use serde_json::Value;
use text::FilePath;
use tokio_util::sync::CancellationToken;

use super::hold::Counter;
use super::{End, Run, RunLimits};
use crate::conversation::Conversation;
use crate::pack::Sizes;
use crate::tools::{Toolbox, reading_specs};
use crate::{Host, Model, Models, prompt};

/// What to ask.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// How to work, the same for every question of this kind, so that one cached prefix serves them all.
    pub system: &'static str,
    /// The first message.
    pub question: String,
    /// The file that tools read when the model names none.
    pub file: FilePath,
    /// The tool that the model answers by.
    pub answer: ToolSpec,
    /// Whether it may look up symbols before it answers.
    pub reads: bool,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The arguments of the answer's tool call, whatever they are; nothing if the model ended without one. An error is
    /// how the run ends because nothing can be asked any more.
    pub answer: Result<Option<Value>, End>,
    /// Turns that it took.
    pub turns: u32,
    /// Tool calls that were carried out, the answer's among them.
    pub tool_calls: u32,
}

impl Inquiry {
    /// What the first request consists of.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            prefix_tokens: self.prefix_tokens(),
            pack_tokens: ledger::tokens(&self.question),
            target_tokens: 0,
        }
    }

    fn prefix_tokens(&self) -> u64 {
        ledger::tokens(&prompt::text_before(self.system, &self.tools()))
    }

    fn tools(&self) -> Vec<ToolSpec> {
        let mut tools = if self.reads {
            reading_specs()
        } else {
            Vec::new()
        };
        tools.push(self.answer.clone());
        tools
    }

    fn request(&self, model: &Model) -> CompletionRequest {
        CompletionRequest {
            model: model.id.clone(),
            max_tokens: model.max_tokens,
            system: vec![SystemBlock {
                text: self.system.to_owned(),
                cache: Some(CacheTtl::FiveMinutes),
            }],
            tools: self.tools(),
            messages: vec![Message {
                cache: Some(CacheTtl::FiveMinutes),
                ..Message::user(self.question.clone())
            }],
            effort: model.effort,
        }
    }
}

/// Asks, and answers with what the model says.
///
/// A run may ask several times: `before` is how many turns it has taken so far.
/// Each request is reserved and settled, and `cancel` obeyed, as those of [`super::run`] are.
pub async fn inquire(
    inquiry: &Inquiry,
    models: &Models,
    limits: &RunLimits,
    before: u32,
    host: &dyn Host,
    provider: &dyn Provider,
    cancel: CancellationToken,
) -> Answered {
    let model = &models.first;
    let nothing = Scope {
        file: inquiry.file.clone(),
        targets: Vec::new(),
        imports: false,
        siblings: 0,
        regions: Vec::new(),
    };
    let toolbox = Toolbox::new(host, nothing, *limits, model, cancel.clone());
    let mut run = Run {
        model,
        cheaper: models.cheaper.as_ref(),
        larger: None,
        limits,
        host,
        provider,
        cancel,
        toolbox: toolbox.asking(&inquiry.answer.name, inquiry.reads),
        conversation: Conversation::with_own_tools(inquiry.request(model), inquiry.prefix_tokens()),
        counter: Counter::default(),
        cuts: 0,
        said: String::new(),
    };
    let mut turns = 0;
    let answer = run.ask(before, &mut turns).await;
    Answered {
        answer,
        turns,
        tool_calls: run.toolbox.calls,
    }
}

impl Run<'_> {
    async fn ask(&mut self, before: u32, turns: &mut u32) -> Result<Option<Value>, End> {
        for turn in 1..=self.limits.turns {
            *turns = turn;
            let answer = self.turn(before + turn).await?;
            let end = self.take_in(turn, answer);
            if self.cancel.is_cancelled() {
                return Err(End::Cancelled);
            }
            if let Some(answer) = self.toolbox.answer() {
                return Ok(Some(answer));
            }
            match end {
                None => {}
                Some(End::Completed { .. }) => return Ok(None),
                Some(end) => return Err(end),
            }
        }
        Err(self.failed("the model did not come to an answer"))
    }
}
