mod files;
mod refusals;
mod scope;

use gate::{Operation, Proposal, Region, Rule};
use serde_json::Value;
use text::FilePath;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use workspace::Snapshot;

use self::refusals::Refusals;
use super::change::Before;
use super::own::Own;
use super::patch::{Patch, translate};
use super::{Call, Extra, READS, find, parse, read};
use crate::action::one_line;
use crate::journal::Verdict;
use crate::source::{Source, shown_path};
use crate::{Host, JournalEvent, Model, Outcome, Progress, RunLimits, Scope};

/// Arguments longer than this are not written to the journal.
const MAX_JOURNALED: usize = 512 * 1024;

/// A tool call as it arrived.
#[derive(Debug)]
pub(crate) struct Work {
    /// The provider's id of the call.
    pub(crate) id: String,
    /// The tool's name.
    pub(crate) name: String,
    /// The arguments, or a sentence that says why there are none.
    pub(crate) input: Result<Value, String>,
}

/// The answer to a tool call.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The provider's id of the call.
    pub(crate) id: String,
    /// What the model is told.
    pub(crate) text: String,
    /// Whether the call failed or was refused.
    pub(crate) is_error: bool,
    /// Whether the arguments did not arrive whole.
    pub(crate) broken: bool,
}

/// Carries out tool calls, one after the other, and keeps count.
pub(crate) struct Toolbox<'a> {
    host: &'a dyn Host,
    scope: Scope,
    limits: RunLimits,
    extra: Extra,
    /// What the model is to answer by, if that is all it may do besides reading.
    asked: Option<Asked>,
    cancel: CancellationToken,
    own: Own,
    refusals: Refusals,
    /// Hunks that landed so far.
    pub(crate) hunks: usize,
    /// Changes that wait for the user.
    pub(crate) pending: usize,
    /// Calls that were wrong or refused.
    pub(crate) refused: usize,
    /// Tool calls carried out so far.
    pub(crate) calls: u32,
    /// Calls that came after the last that was allowed.
    pub(crate) over_limit: bool,
}

/// What is allowed where the model is asked for nothing but an answer.
struct Asked {
    /// The tool that it answers by.
    tool: String,
    /// Whether it may read first.
    reads: bool,
    /// What it has answered, as it came.
    answer: Option<Value>,
}

/// What came of a call, before it is put in words for everyone who wants to know.
struct Done {
    text: String,
    verdict: Verdict,
}

impl<'a> Toolbox<'a> {
    pub(crate) fn new(
        host: &'a dyn Host,
        scope: Scope,
        limits: RunLimits,
        model: &Model,
        cancel: CancellationToken,
    ) -> Toolbox<'a> {
        Toolbox {
            host,
            scope,
            limits,
            extra: model.into(),
            asked: None,
            cancel,
            own: Own::default(),
            refusals: Refusals::default(),
            hunks: 0,
            pending: 0,
            refused: 0,
            calls: 0,
            over_limit: false,
        }
    }

    /// Tools that change nothing: one to answer by, and those that read if `reads` says so.
    pub(crate) fn asking(self, tool: &str, reads: bool) -> Toolbox<'a> {
        let asked = Asked {
            tool: tool.to_owned(),
            reads,
            answer: None,
        };
        Toolbox {
            asked: Some(asked),
            extra: Extra::NONE,
            ..self
        }
    }

    /// What the model has answered by the tool for it, once it has.
    pub(crate) fn answer(&mut self) -> Option<Value> {
        self.asked.as_mut()?.answer.take()
    }

    /// Whether the model can change anything.
    pub(crate) fn changes(&self) -> bool {
        self.asked.is_none()
    }

    /// Another model begins: what its predecessor was refused is not held against it.
    pub(crate) fn begin_anew(&mut self, model: &Model) {
        self.extra = if self.changes() {
            model.into()
        } else {
            Extra::NONE
        };
        self.refusals = Refusals::default();
        self.refused = 0;
    }

    /// The refusal that the model has met too many times in a row, if there is one.
    pub(crate) fn stuck(&self) -> Option<&str> {
        self.refusals.stuck(self.limits.refusals_in_row)
    }

    /// Carries out the calls of one answer as they arrive, until no more can come or the run is cancelled.
    pub(crate) async fn work(
        &mut self,
        turn: u32,
        mut calls: UnboundedReceiver<Work>,
    ) -> Vec<Reply> {
        let mut replies = Vec::new();
        loop {
            let work = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return replies,
                work = calls.recv() => work,
            };
            let Some(work) = work else { return replies };
            if self.calls >= self.limits.tool_calls {
                self.over_limit = true;
                continue;
            }
            self.calls += 1;
            replies.push(self.perform(turn, work).await);
        }
    }

    async fn perform(&mut self, turn: u32, work: Work) -> Reply {
        let Work { id, name, input } = work;
        let arguments = match &input {
            Ok(input) => journaled(input),
            Err(sentence) => Value::String(sentence.clone()),
        };
        self.host.journal(JournalEvent::Called {
            turn,
            tool: name.clone(),
            arguments,
        });
        let broken = input.is_err();
        let done = match input.and_then(|input| self.read(&name, input)) {
            Ok(Some(call)) => self.carry_out(call).await,
            Ok(None) => Done {
                text: "taken".to_owned(),
                verdict: Verdict::Answered,
            },
            Err(sentence) => Done {
                text: sentence.clone(),
                verdict: Verdict::Invalid { message: sentence },
            },
        };
        let Done { text, verdict } = done;
        let is_error = match &verdict {
            Verdict::Answered => false,
            Verdict::Pending { .. } => {
                self.pending += 1;
                false
            }
            Verdict::Landed { hunks } => {
                self.hunks += hunks;
                self.refusals = Refusals::default();
                false
            }
            Verdict::Refused { rule, message } => {
                self.refused += 1;
                self.refusals
                    .note(turn, format!("{name} {rule:?}"), message);
                true
            }
            Verdict::Invalid { message } => {
                self.refused += 1;
                self.refusals
                    .note(turn, format!("{name} {message}"), message);
                true
            }
            Verdict::Cancelled => true,
        };
        self.host.report(Progress::ToolDone {
            summary: summary(&name, &verdict),
        });
        self.host.journal(JournalEvent::Replied {
            turn,
            tool: name,
            verdict,
            bytes: text.len(),
        });
        Reply {
            id,
            text,
            is_error,
            broken,
        }
    }

    /// Understands a call; none if it was the answer, which is kept.
    fn read(&mut self, name: &str, input: Value) -> Result<Option<Call>, String> {
        let Some(asked) = &mut self.asked else {
            return parse(name, &input, self.extra).map(Some);
        };
        if name == asked.tool {
            asked.answer.get_or_insert(input);
            return Ok(None);
        }
        if asked.reads && READS.contains(&name) {
            return parse(name, &input, Extra::NONE).map(Some);
        }
        let also = if asked.reads { READS.as_slice() } else { &[] };
        let tools = [&[asked.tool.as_str()], also].concat();
        let name = one_line(name, 60);
        Err(format!(
            "there is no tool {name:?}; the tools are {}",
            tools.join(", ")
        ))
    }

    async fn carry_out(&mut self, call: Call) -> Done {
        match call {
            Call::Read { symbol, file, view } => {
                let scope_file = self.scope.file.clone();
                let (snapshot, regions) = self.regions();
                self.look(snapshot, move |snapshot| {
                    let of = (symbol.as_str(), file.as_deref());
                    read::read(snapshot, &scope_file, &regions, of, view)
                })
                .await
            }
            Call::Find { query, kind } => {
                let scope_file = self.scope.file.clone();
                self.look(self.host.snapshot(), move |snapshot| {
                    find::find(snapshot, &scope_file, &query, kind)
                })
                .await
            }
            Call::Change { operation, reason } => self.change(operation, reason).await,
            Call::RequestScope { symbols, reason } => self.request_scope(symbols, &reason).await,
            Call::File(change) => self.change_file(change).await,
            Call::Patch(patch) => self.patch(&patch).await,
        }
    }

    /// Answers a question from a snapshot. Reading and parsing take their time, so not on this thread.
    async fn look(
        &self,
        snapshot: Snapshot,
        look: impl FnOnce(&Snapshot) -> Result<String, String> + Send + 'static,
    ) -> Done {
        let looking = tokio::task::spawn_blocking(move || look(&snapshot));
        let looked = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return cancelled(),
            looked = looking => looked,
        };
        match looked {
            Ok(Ok(text)) => Done {
                text,
                verdict: Verdict::Answered,
            },
            Ok(Err(sentence)) => Done {
                text: sentence.clone(),
                verdict: Verdict::Invalid { message: sentence },
            },
            Err(error) => {
                tracing::error!(%error, "a tool that only reads has failed");
                let message = "this could not be looked up; go on without it".to_owned();
                Done {
                    text: message.clone(),
                    verdict: Verdict::Invalid { message },
                }
            }
        }
    }

    async fn change(&mut self, operation: Operation, reason: String) -> Done {
        let file = self.scope.file.clone();
        let before = self.source(&file).map(Before::new);
        let operation = self.own.catch_up(operation);
        let proposal = Proposal {
            file: file.clone(),
            operation: operation.clone(),
            reason,
        };
        if self.cancel.is_cancelled() {
            return cancelled();
        }
        let outcome = tokio::select! {
            biased;
            outcome = self.host.propose(proposal) => outcome,
            () = self.cancel.cancelled() => Outcome::Cancelled,
        };
        match outcome {
            Outcome::Landed { hunks } => {
                let text = match (before, self.source(&file)) {
                    (Some(before), Some(after)) => before.landed(&operation, &after, &mut self.own),
                    _ => "landed".to_owned(),
                };
                Done {
                    text,
                    verdict: Verdict::Landed { hunks },
                }
            }
            Outcome::Pending { why } => Done {
                text: format!(
                    "kept for the user to decide on ({why}). The file still reads as before: do not send this again, and do \
                     not build on it"
                ),
                verdict: Verdict::Pending { why },
            },
            Outcome::Refused(refusal) => {
                let message = match refusal.rule {
                    Rule::Base => self.changed_meanwhile(&operation),
                    Rule::Path
                    | Rule::Scope
                    | Rule::Match
                    | Rule::Overlap
                    | Rule::Parse
                    | Rule::Protected
                    | Rule::Size => None,
                };
                // The gate names files as the machine does; the model knows them from the workspace folder.
                let name = || shown_path(&self.host.snapshot(), &file);
                let message =
                    message.unwrap_or_else(|| refusal.message.replace(file.as_str(), &name()));
                let verdict = Verdict::Refused {
                    rule: Some(refusal.rule),
                    message: message.clone(),
                };
                Done {
                    text: format!("refused: {message}"),
                    verdict,
                }
            }
            Outcome::Cancelled => {
                self.cancel.cancel();
                cancelled()
            }
        }
    }

    /// Carries out what a patch stands for, until something is refused. All of it has been found before.
    async fn patch(&mut self, patch: &Patch) -> Done {
        let file = self.scope.file.clone();
        let shown = shown_path(&self.host.snapshot(), &file);
        let translated = match self.source(&file) {
            Some(source) => translate(&source, patch, &shown),
            None => Err(format!("{shown} cannot be read")),
        };
        let operations = match translated {
            Ok(operations) => operations,
            Err(sentence) => return refused(None, sentence),
        };
        let (mut said, mut landed, mut waits) = (Vec::new(), 0, None);
        for operation in operations {
            let Done { text, verdict } = self.change(operation, String::new()).await;
            said.push(text);
            match verdict {
                Verdict::Landed { hunks } => landed += hunks,
                Verdict::Pending { why } => waits = waits.or(Some(why)),
                Verdict::Answered => {}
                verdict @ (Verdict::Refused { .. }
                | Verdict::Invalid { .. }
                | Verdict::Cancelled) => {
                    self.hunks += landed;
                    said.push("the rest of the patch was not tried".to_owned());
                    return Done {
                        text: said.join("\n"),
                        verdict,
                    };
                }
            }
        }
        let verdict = match waits {
            Some(why) if landed == 0 => Verdict::Pending { why },
            _ => Verdict::Landed { hunks: landed },
        };
        Done {
            text: said.join("\n"),
            verdict,
        }
    }

    /// What a symbol that the user has changed reads like now, in the form in which symbols are always shown.
    fn changed_meanwhile(&self, operation: &Operation) -> Option<String> {
        let path = match operation {
            Operation::EditSymbol { symbol, .. } | Operation::ReplaceSymbol { symbol, .. } => {
                symbol
            }
            Operation::AddSymbol { .. } | Operation::EditImports { .. } => return None,
        };
        let source = self.source(&self.scope.file)?;
        let shown = source.shown(source.symbol(path)?);
        Some(format!(
            "`{path}` has changed since you read it; make the edit for the text as it is now\n{shown}"
        ))
    }

    /// A snapshot, and where the regions are in it.
    fn regions(&self) -> (Snapshot, Vec<Region>) {
        let snapshot = self.host.snapshot();
        let regions = self.host.regions(&snapshot);
        (snapshot, regions)
    }

    fn source(&self, file: &FilePath) -> Option<Source> {
        let (snapshot, regions) = self.regions();
        Some(Source::exact(&snapshot, file).ok()?.with_regions(&regions))
    }
}

fn cancelled() -> Done {
    Done {
        text: "the run was cancelled".to_owned(),
        verdict: Verdict::Cancelled,
    }
}

fn refused(rule: Option<Rule>, message: String) -> Done {
    Done {
        text: format!("refused: {message}"),
        verdict: Verdict::Refused { rule, message },
    }
}

fn journaled(input: &Value) -> Value {
    if input.to_string().len() > MAX_JOURNALED {
        Value::String("too long to be kept".to_owned())
    } else {
        input.clone()
    }
}

fn summary(tool: &str, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Answered => tool.to_owned(),
        Verdict::Landed { hunks: 1 } => "1 hunk landed".to_owned(),
        Verdict::Landed { hunks } => format!("{hunks} hunks landed"),
        Verdict::Pending { why } => format!("kept: {why}"),
        Verdict::Refused { .. } => format!("{tool} refused"),
        Verdict::Invalid { .. } => format!("{tool} not understood"),
        Verdict::Cancelled => "cancelled".to_owned(),
    }
}
