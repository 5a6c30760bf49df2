use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Request, Response};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::failure;
use super::{Broken, Decode, Timeouts};
use crate::error::{Billed, ErrorKind, Fault, ProviderError};
use crate::event::StreamEvent;
use crate::origin::Origin;
use crate::sse::SseParser;

/// The most bytes of one response. A whole answer with all its framing is a small part of it.
const LARGEST_RESPONSE: usize = 256 << 20;

/// How long to wait for the end of the body after the end of the answer, so that the connection can be used again.
const LINGER: Duration = Duration::from_millis(100);

/// One attempt in progress.
pub(super) struct Exchange {
    client: Client,
    phase: Phase,
    parser: SseParser,
    decode: Box<dyn Decode>,
    /// Decoded, not yet taken.
    events: VecDeque<StreamEvent>,
    /// Comes after `events`.
    failure: Option<ProviderError>,
    received: usize,
    origin: Arc<Origin>,
    model: String,
    request_id: Option<String>,
    timeouts: Timeouts,
    cancel: CancellationToken,
}

enum Phase {
    Unsent(Box<Request>),
    Reading {
        response: Response,
        deadline: Instant,
    },
    Done,
}

impl Exchange {
    pub(super) fn new(
        client: Client,
        request: Request,
        decode: Box<dyn Decode>,
        origin: Arc<Origin>,
        model: String,
        timeouts: Timeouts,
        cancel: CancellationToken,
    ) -> Exchange {
        Exchange {
            client,
            phase: Phase::Unsent(Box::new(request)),
            parser: SseParser::new(),
            decode,
            events: VecDeque::new(),
            failure: None,
            received: 0,
            origin,
            model,
            request_id: None,
            timeouts,
            cancel,
        }
    }

    pub(super) async fn next(&mut self) -> Option<Result<StreamEvent, ProviderError>> {
        loop {
            // A complete answer is paid for and stands, even if the user cancels while it is being handed over.
            if self.cancel.is_cancelled() && !self.decode.is_finished() && !self.is_over() {
                return Some(Err(self.cancelled()));
            }
            if let Some(event) = self.events.pop_front() {
                return Some(Ok(event));
            }
            if let Some(failure) = self.failure.take() {
                return Some(Err(failure));
            }
            match std::mem::replace(&mut self.phase, Phase::Done) {
                Phase::Unsent(request) => self.send(*request).await,
                Phase::Reading { mut response, .. } if self.decode.is_finished() => {
                    // Best effort: without the end of the body the connection is closed instead of kept.
                    let _ = timeout(LINGER, async {
                        while let Ok(Some(_)) = response.chunk().await {}
                    })
                    .await;
                }
                Phase::Reading { response, deadline } => self.read(response, deadline).await,
                Phase::Done => return None,
            }
        }
    }

    /// Whether everything was handed over, the failure included.
    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done) && self.events.is_empty() && self.failure.is_none()
    }

    async fn send(&mut self, request: Request) {
        let now = Instant::now();
        let deadline = now + self.timeouts.total;
        let patience = self.timeouts.connect + self.timeouts.idle;
        let cancel = self.cancel.clone();
        let response = tokio::select! {
            biased;
            () = cancel.cancelled() => {
                self.failure = Some(self.fault(ErrorKind::Cancelled, "").into());
                return;
            }
            response = timeout_at(deadline.min(now + patience), self.client.execute(request)) => response,
        };
        match response {
            Ok(Ok(response)) => self.accept(response, deadline).await,
            Ok(Err(error)) => {
                let fault = self.fault(ErrorKind::Network, "");
                self.failure = Some(failure::no_response(fault, &self.origin, &error));
            }
            Err(_) => {
                let mut fault = self.fault(
                    ErrorKind::Network,
                    &format!("nothing came for {}", seconds(patience)),
                );
                // The endpoint may still be working on it, so sending it again is for somebody to decide.
                fault.should_retry = Some(false);
                self.failure = Some(fault.into());
            }
        }
    }

    async fn accept(&mut self, response: Response, deadline: Instant) {
        self.request_id = failure::request_id(&response, &self.origin);
        tracing::debug!(
            host = self.origin.host,
            status = response.status().as_u16(),
            request_id = self.request_id,
            "response"
        );
        if failure::is_event_stream(&response) {
            self.decode.request_id(self.request_id.clone());
            self.phase = Phase::Reading { response, deadline };
            return;
        }
        let fault = self.fault(ErrorKind::Protocol, "");
        let cancel = self.cancel.clone();
        self.failure = tokio::select! {
            biased;
            () = cancel.cancelled() => Some(self.fault(ErrorKind::Cancelled, "").into()),
            failure = failure::refused(fault, &self.origin, response, self.timeouts.idle) => Some(failure),
        };
    }

    async fn read(&mut self, mut response: Response, deadline: Instant) {
        let idle = Instant::now() + self.timeouts.idle;
        let cancel = self.cancel.clone();
        let chunk = tokio::select! {
            biased;
            () = cancel.cancelled() => {
                self.failure = Some(self.fault(ErrorKind::Cancelled, "").into());
                return;
            }
            chunk = timeout_at(deadline.min(idle), response.chunk()) => chunk,
        };
        let problem = match chunk {
            Ok(Ok(Some(bytes))) => match self.decode_bytes(&bytes) {
                Ok(()) => {
                    self.phase = Phase::Reading { response, deadline };
                    return;
                }
                Err(problem) => problem,
            },
            Ok(Ok(None)) => match self.decode.end(&mut self.events) {
                Ok(()) => return,
                Err(problem) => problem,
            },
            Ok(Err(error)) => Broken::unreadable(&error),
            Err(_) if Instant::now() >= deadline => Broken::cut(&format!(
                "it took longer than {}",
                seconds(self.timeouts.total)
            )),
            Err(_) => Broken::cut(&format!("nothing came for {}", seconds(self.timeouts.idle))),
        };
        let mut fault = self.fault(problem.kind, &problem.cause);
        fault.error_type = problem.error_type.map(|kind| self.origin.clean(&kind));
        self.failure = Some(fault.into());
    }

    fn decode_bytes(&mut self, bytes: &Bytes) -> Result<(), Broken> {
        self.received += bytes.len();
        if self.received > LARGEST_RESPONSE {
            return Err(Broken::protocol(&format!(
                "a response of more than {LARGEST_RESPONSE} bytes"
            )));
        }
        let mut events = Vec::new();
        let parsed = self.parser.push(bytes, &mut events);
        for event in &events {
            if !self.decode.is_finished() {
                self.decode.event(event, &mut self.events)?;
            }
        }
        match parsed {
            Err(error) if !self.decode.is_finished() => Err(Broken::protocol(&error.to_string())),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Ends the exchange at once and drops the connection.
    fn cancelled(&mut self) -> ProviderError {
        let unsent = matches!(self.phase, Phase::Unsent(_));
        self.phase = Phase::Done;
        self.events.clear();
        // A failure that has already happened says more than the wish to stop.
        if let Some(failure) = self.failure.take() {
            return failure;
        }
        let mut fault = self.fault(ErrorKind::Cancelled, "");
        if unsent {
            fault.billed = Billed::Nothing;
        }
        fault.into()
    }

    /// A failure with everything known at this point.
    fn fault(&self, kind: ErrorKind, cause: &str) -> Fault {
        let mut fault = Fault::new(&self.origin, &self.model, kind, cause);
        fault.request_id.clone_from(&self.request_id);
        fault.answer_began = self.decode.has_begun();
        fault.billed = self.decode.billed_so_far();
        fault
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
