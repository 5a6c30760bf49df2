//! One request, from its reservation to its settlement.

use std::fmt;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use provider::{Billed, Content, ProviderError, StopReason, StreamEvent};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_util::sync::CancellationToken;

use super::Run;
use crate::action::one_line;
use crate::tools::{Reply, Work};
use crate::{Attempt, Host, JournalEvent, Progress, Settlement};

/// How long a stream may take to end: after it was cancelled, to say what is known of the bill; after its last event.
const LAST_WORD: Duration = Duration::from_millis(50);
/// The most bytes of a tool call that are looked at for the symbol it addresses.
const ADDRESS: usize = 1_024;
/// The most characters of a tool's name.
const MAX_NAME: usize = 60;
/// The most calls that are taken from one answer; what a run may make of them is fewer.
const MAX_CALLS: usize = 256;

/// One request that was reserved for.
#[derive(Clone, Copy)]
pub(super) struct Attempted {
    pub(super) turn: u32,
    pub(super) attempt: u32,
    pub(super) id: Attempt,
    pub(super) max_tokens: u32,
}

/// A complete answer, and the results of its tool calls.
pub(super) struct Answer {
    pub(super) stop: StopReason,
    pub(super) detail: Option<String>,
    pub(super) content: Vec<Content>,
    pub(super) replies: Vec<Reply>,
    pub(super) max_tokens: u32,
}

/// Why there is no complete answer.
pub(super) enum Broken {
    Provider(ProviderError),
    /// The stream ended without a word.
    NoEnd,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Provider(error) => error.fmt(f),
            Broken::NoEnd => {
                f.write_str("the answer ended without saying so; run the action again")
            }
        }
    }
}

/// How a stream ended.
struct Finished {
    stop: StopReason,
    detail: Option<String>,
    content: Vec<Content>,
}

impl Run<'_> {
    /// Sends one request, carries out the tool calls while the rest of the answer is still coming, and settles.
    pub(super) async fn attempt(&mut self, attempted: Attempted) -> Result<Answer, Broken> {
        let Attempted {
            turn,
            attempt,
            id,
            max_tokens,
        } = attempted;
        let host = self.host;
        let mut bill = Bill::new(host, id);
        let request = self.conversation.request(max_tokens);
        host.report(Progress::TurnStarted { turn });
        host.journal(JournalEvent::Asked {
            turn,
            attempt,
            id,
            bytes: self.provider.body_bytes(&request),
            messages: self.conversation.len(),
            max_tokens,
            prefix: self.conversation.prefix(),
            conversation: self.conversation.hash(),
        });
        if self.cancel.is_cancelled() {
            bill.settle(Settlement::Unbilled).await;
            return Err(Broken::NoEnd);
        }
        let cancel = self.cancel.clone();
        let asked_for = self.model.id.clone();
        let stream = self.provider.stream(request, cancel.clone());
        let (calls, work) = mpsc::unbounded_channel();
        let reading = async move {
            let mut reader = Reader {
                host,
                calls,
                model: asked_for,
                request_id: None,
                addresses: Vec::new(),
                taken: 0,
            };
            let ended = tokio::select! {
                biased;
                ended = reader.read(stream, &mut bill) => ended,
                () = late(&cancel) => Err(Broken::NoEnd),
            };
            // No more calls can come: whoever carries them out may stop waiting.
            let Reader {
                model, request_id, ..
            } = reader;
            let how = bill.known_how(&ended, model, request_id);
            bill.settle(how).await;
            ended.map(|(finished, _)| finished)
        };
        let (ended, replies) = tokio::join!(reading, self.toolbox.work(turn, work));
        let Finished {
            stop,
            detail,
            content,
        } = ended?;
        let said = content.iter().filter_map(|block| match block {
            Content::Text { text } => Some(text.as_str()),
            Content::ToolUse { .. } | Content::ToolResult { .. } | Content::Opaque { .. } => None,
        });
        host.journal(JournalEvent::Answered {
            turn,
            id,
            stop: stop.clone(),
            detail: detail.clone(),
            text: one_line(&said.collect::<Vec<_>>().join(" "), 2_000),
        });
        Ok(Answer {
            stop,
            detail,
            content,
            replies,
            max_tokens,
        })
    }
}

/// Some time after the cancellation: the provider ends its stream by itself, and this is for one that does not.
async fn late(cancel: &CancellationToken) {
    cancel.cancelled().await;
    tokio::time::sleep(LAST_WORD).await;
}

/// Reads one stream.
struct Reader<'a> {
    host: &'a dyn Host,
    calls: UnboundedSender<Work>,
    model: String,
    request_id: Option<String>,
    /// Calls whose symbol is not known yet, with what has arrived of them.
    addresses: Vec<(String, String, String)>,
    taken: usize,
}

impl Reader<'_> {
    async fn read(
        &mut self,
        mut stream: BoxStream<'static, Result<StreamEvent, ProviderError>>,
        bill: &mut Bill<'_>,
    ) -> Result<(Finished, Billed), Broken> {
        while let Some(event) = stream.next().await {
            match event {
                Err(error) => return Err(Broken::Provider(error)),
                Ok(StreamEvent::Finished {
                    stop,
                    detail,
                    billed,
                    content,
                    request_id,
                    ..
                }) => {
                    self.request_id = request_id.or(self.request_id.take());
                    // Past its end, so that the connection can serve the next request.
                    let _ = tokio::time::timeout(LAST_WORD, stream.next()).await;
                    return Ok((
                        Finished {
                            stop,
                            detail,
                            content,
                        },
                        billed,
                    ));
                }
                Ok(event) => self.note(event, bill),
            }
        }
        Err(Broken::NoEnd)
    }

    fn note(&mut self, event: StreamEvent, bill: &mut Bill<'_>) {
        match event {
            StreamEvent::Started {
                model,
                usage,
                request_id,
                ..
            } => {
                self.model = model;
                self.request_id = request_id;
                bill.known = Some(ledger_usage(usage));
                self.host.report(Progress::UsageSoFar(ledger_usage(usage)));
            }
            StreamEvent::Usage(usage) => {
                bill.known = Some(ledger_usage(usage));
                self.host.report(Progress::UsageSoFar(ledger_usage(usage)));
            }
            StreamEvent::TextDelta(text) => self.host.report(Progress::Text { text }),
            StreamEvent::ThinkingDelta {
                estimated_tokens: tokens,
                ..
            } => self.host.report(Progress::Thinking { tokens }),
            StreamEvent::ToolStarted { id, name } => {
                if self.addresses.len() < MAX_CALLS {
                    self.addresses
                        .push((id, one_line(&name, MAX_NAME), String::new()));
                }
            }
            StreamEvent::ToolInputDelta { id, partial } => self.address(&id, &partial),
            StreamEvent::ToolReady { id, name, input } => {
                let name = one_line(&name, MAX_NAME);
                if let Some(at) = self
                    .addresses
                    .iter()
                    .position(|(waiting, ..)| *waiting == id)
                {
                    self.addresses.swap_remove(at);
                    self.host.report(Progress::ToolStarted {
                        name: name.clone(),
                        symbol: None,
                    });
                }
                self.taken += 1;
                if self.taken <= MAX_CALLS {
                    // The receiver is gone only when the run is cancelled.
                    let _ = self.calls.send(Work { id, name, input });
                }
            }
            // Handled by the caller.
            StreamEvent::Finished { .. } => {}
        }
    }

    /// Looks for the symbol that a call addresses in what has arrived of it.
    fn address(&mut self, id: &str, partial: &str) {
        let Some(at) = self
            .addresses
            .iter()
            .position(|(waiting, ..)| waiting == id)
        else {
            return;
        };
        let Some((_, name, seen)) = self.addresses.get_mut(at) else {
            return;
        };
        seen.push_str(partial);
        let symbol = addressed(seen);
        if symbol.is_some() || seen.len() > ADDRESS {
            let name = std::mem::take(name);
            self.addresses.swap_remove(at);
            self.host.report(Progress::ToolStarted { name, symbol });
        }
    }
}

/// The value of `symbol`, `anchor` or `query` in the beginning of a JSON object, once it is there whole.
fn addressed(partial: &str) -> Option<String> {
    let after = ["\"symbol\"", "\"anchor\"", "\"query\""]
        .into_iter()
        .find_map(|key| Some(partial.split_once(key)?.1))?;
    let value = after.trim_start().strip_prefix(':')?.trim_start();
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
    values.next()?.ok().map(|symbol| one_line(&symbol, 120))
}

/// The reservation of one request, which is settled exactly once: by [`Bill::settle`], or as unknown when the run is
/// dropped or panics before that.
struct Bill<'a> {
    host: &'a dyn Host,
    open: Option<Attempt>,
    /// What the provider has said so far.
    known: Option<ledger::Usage>,
}

impl<'a> Bill<'a> {
    fn new(host: &'a dyn Host, id: Attempt) -> Bill<'a> {
        Bill {
            host,
            open: Some(id),
            known: None,
        }
    }

    /// What the end of a stream says about the bill.
    fn known_how(
        &self,
        ended: &Result<(Finished, Billed), Broken>,
        model: String,
        request_id: Option<String>,
    ) -> Settlement {
        let billed = match ended {
            Ok((_, billed)) => *billed,
            Err(Broken::Provider(error)) => error.billed(),
            Err(Broken::NoEnd) => Billed::Unknown,
        };
        let request_id = match ended {
            Err(Broken::Provider(error)) => error.request_id().map(str::to_owned).or(request_id),
            Ok(_) | Err(Broken::NoEnd) => request_id,
        };
        match billed {
            Billed::Exactly(usage) => Settlement::Used {
                usage: ledger_usage(usage),
                model,
                request_id,
            },
            Billed::Nothing => Settlement::Unbilled,
            Billed::AtLeast(usage) => Settlement::Unknown {
                known: Some(ledger_usage(usage)),
            },
            Billed::Unknown => Settlement::Unknown { known: self.known },
        }
    }

    async fn settle(mut self, how: Settlement) {
        let Some(id) = self.open else { return };
        let (name, usage, request_id) = match &how {
            Settlement::Used {
                usage, request_id, ..
            } => ("used", Some(*usage), request_id.clone()),
            Settlement::Unknown { known } => ("unknown", *known, None),
            Settlement::Unbilled => ("unbilled", None, None),
        };
        self.host.settle(id, how).await;
        self.open = None;
        self.host.journal(JournalEvent::Settled {
            id,
            how: name,
            usage,
            request_id,
        });
    }
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.open.take() {
            self.host.abandon(id, self.known);
        }
    }
}

fn ledger_usage(usage: provider::Usage) -> ledger::Usage {
    let provider::Usage {
        input,
        cache_write_5m,
        cache_write_1h,
        cache_read,
        output,
    } = usage;
    ledger::Usage {
        input,
        cache_write_5m,
        cache_write_1h,
        cache_read,
        output,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_seen_before_the_body() {
        assert_eq!(
            addressed(r#"{"symbol": "A/b", "base": "01"#).as_deref(),
            Some("A/b")
        );
        assert_eq!(addressed(r#"{"symbol": "A/"#), None);
        assert_eq!(
            addressed(r#"{"anchor":"a\"b","position"#).as_deref(),
            Some("a\"b")
        );
        assert_eq!(addressed(r#"{"symbol": 3"#), None);
        assert_eq!(addressed(""), None);
    }
}
