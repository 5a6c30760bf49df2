//! One session over a pair of byte streams: framing, dispatch, and the end of the session.
//!
//! This takes the place of `tower_lsp::Server`, whose reader ends the session at the first malformed message, whose
//! end waits for every handler that is still running, and whose writer lets an answer overtake a notification that was
//! sent before it. Routing, cancellation and server requests are still tower-lsp's.
//!
//! Reading never waits for a handler or for the writer, so a reply to one of our own requests is always heard.

mod client_process;
mod frames;
mod repair;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

use futures::future::{BoxFuture, pending, poll_fn, ready};
use futures::stream::{BoxStream, FuturesUnordered};
use futures::{FutureExt, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::codec::FramedRead;
use tower::Service;
use tower_lsp::jsonrpc::{Id, Request, Response};
use tower_lsp::{ClientSocket, ExitedError, LanguageServer, LspService};

use self::frames::{Frames, Incoming};
use crate::ordered::{Defects, Ordered};

/// How long answers in progress may still be finished and written once the input has ended.
const GRACE: Duration = Duration::from_millis(500);

/// How a session ended, and what was noticed in it.
#[derive(Debug)]
pub struct Ended {
    /// What ended it.
    pub cause: Cause,
    /// Whether the client had asked for `shutdown`.
    pub shut_down: bool,
    /// Broken rules seen in the session.
    pub defects: Arc<Defects>,
    /// What is said to the client from here on.
    pub unheard: Unheard,
}

impl Ended {
    /// The exit code the protocol asks for: 0 after `shutdown`, else 1.
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.shut_down)
    }
}

/// What is said to a client that is gone.
///
/// As long as it is kept, saying something is no failure; whoever still does learns of the end in its own time.
pub struct Unheard(BoxStream<'static, Request>);

impl fmt::Debug for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unheard")
    }
}

impl Unheard {
    /// Takes whatever is still said, for as long as it is awaited.
    pub async fn listen(mut self) -> Infallible {
        while self.0.next().await.is_some() {}
        // Once the framework knows of the end it takes nothing more, and `self` must live on all the same.
        let _kept = self;
        pending().await
    }
}

/// What ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The client sent `exit`.
    Exit,
    /// The client closed our input.
    InputClosed,
    /// The client closed our output.
    OutputClosed,
    /// The process named in `initialize` is gone.
    ClientGone,
}

/// Serves one client until it exits, closes a stream or dies.
///
/// When this returns, leave with `std::process::exit`: a blocking read of the real standard input keeps a runtime
/// alive. Runs that outlive their request are not stopped here; that is for whoever started them.
pub async fn serve<I, O, S>(
    input: I,
    output: O,
    service: LspService<S>,
    socket: ClientSocket,
) -> Ended
where
    I: AsyncRead,
    O: AsyncWrite,
    S: LanguageServer,
{
    let (mut outgoing, replies) = socket.split();
    let service = Ordered::new(service);
    let defects = service.defects();
    let shut_down = AtomicBool::new(false);
    let (answers, accepted) = mpsc::unbounded_channel();
    let reader = Reader {
        service,
        replies,
        answers,
        shut_down: &shut_down,
    };

    let cause = {
        let mut writer = pin!(write(output, &mut outgoing, accepted));
        tokio::select! {
            cause = reader.read(input) => {
                // The answers that are ready, `shutdown`'s for one, are still owed; a client that no longer reads them
                // is not waited for.
                let _unread = tokio::time::timeout(GRACE, &mut writer).await;
                cause
            }
            result = &mut writer => {
                if let Err(error) = result {
                    tracing::info!(%error, "the client closed our output");
                }
                Cause::OutputClosed
            }
        }
    };
    Ended {
        cause,
        shut_down: shut_down.load(Ordering::Relaxed),
        defects,
        unheard: Unheard(outgoing.boxed()),
    }
}

/// The outcome of one handler.
type Answer = BoxFuture<'static, Result<Option<Response>, ExitedError>>;

struct Reader<'a, S, R> {
    service: Ordered<LspService<S>>,
    replies: R,
    answers: UnboundedSender<Answer>,
    shut_down: &'a AtomicBool,
}

impl<S, R> Reader<'_, S, R>
where
    S: LanguageServer,
    R: futures::Sink<Response> + Unpin,
{
    /// Dispatches messages in wire order until there are no more.
    async fn read(mut self, input: impl AsyncRead) -> Cause {
        let mut frames = pin!(FramedRead::new(input, Frames::default()));
        let mut client_gone: BoxFuture<'static, ()> = pending().boxed();
        loop {
            // A burst must not keep the writer, which shares this task, from its turn.
            tokio::task::consume_budget().await;
            let frame = tokio::select! {
                frame = frames.next() => frame,
                () = &mut client_gone => return Cause::ClientGone,
            };
            match frame {
                None => return Cause::InputClosed,
                Some(Err(error)) => {
                    tracing::warn!(%error, "reading from the client failed");
                    return Cause::InputClosed;
                }
                Some(Ok(Incoming::Malformed(error))) => {
                    tracing::warn!(%error, "a message from the client was malformed");
                    self.answer(ready(Ok(Some(Response::from_error(Id::Null, error)))).boxed());
                }
                Some(Ok(Incoming::Response(response))) => {
                    if self.replies.send(response).await.is_err() {
                        return Cause::Exit;
                    }
                }
                Some(Ok(Incoming::Request(request))) => {
                    let request = repair::repair(request);
                    if poll_fn(|context| self.service.poll_ready(context))
                        .await
                        .is_err()
                    {
                        return Cause::Exit;
                    }
                    let is_exit = request.method() == "exit";
                    match request.method() {
                        "initialize" => client_gone = client_process::gone(&request).boxed(),
                        "shutdown" => self.shut_down.store(true, Ordering::Relaxed),
                        _ => {}
                    }
                    let answer = self.service.call(request);
                    self.answer(answer);
                    if is_exit {
                        return Cause::Exit;
                    }
                }
            }
        }
    }

    fn answer(&self, answer: Answer) {
        // Fails only when the writer is gone, which ends the session anyway.
        let _closed = self.answers.send(answer);
    }
}

/// Writes server requests, notifications and answers until no answer is owed and none can come.
///
/// Whatever a handler sent before it finished is written before its answer: our own messages go first. They cannot
/// keep the answers waiting for ever, since what sends them is paced by its own work.
async fn write(
    output: impl AsyncWrite,
    mut outgoing: impl Stream<Item = Request> + Unpin,
    mut accepted: UnboundedReceiver<Answer>,
) -> io::Result<()> {
    let mut output = pin!(output);
    let mut owed = FuturesUnordered::new();
    let mut accepting = true;
    loop {
        let message = tokio::select! {
            biased;
            Some(request) = outgoing.next() => frames::encode(&request),
            Some(outcome) = owed.next() => match outcome {
                Ok(Some(response)) => frames::encode(&response),
                Ok(None) | Err(_) => continue,
            },
            answer = accepted.recv(), if accepting => {
                match answer {
                    Some(answer) => owed.push(answer),
                    None => accepting = false,
                }
                continue;
            }
            () = ready(()), if !accepting && owed.is_empty() => return Ok(()),
        };
        match message {
            Ok(message) => {
                output.write_all(&message).await?;
                output.flush().await?;
            }
            Err(error) => tracing::error!(%error, "a message could not be encoded"),
        }
    }
}
