//! The tower middleware between the wire and the handlers.
//!
//! tower-lsp on its own starts handlers in wire order but loses the order at their first await, dies with the first
//! handler that panics, and lets four slow handlers hold up everything behind them. [`Ordered`] polls each handler once
//! while its message is being read, so the synchronous part of every handler runs in wire order, and moves what is
//! still pending to a task of its own.
//!
//! What follows for handlers:
//!
//! - A notification handler must finish in its first poll. One that awaits is a defect: it is logged and counted, and
//!   its remainder may run after later messages.
//! - A request handler that takes its snapshot before its first await sees exactly the documents its request was sent
//!   against.
//! - A handler may panic; its request is answered with an internal error and the session goes on. This needs
//!   `panic = "unwind"`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use tokio_util::task::AbortOnDropHandle;
use tower::Service;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};

/// See the module documentation.
#[derive(Debug)]
pub struct Ordered<S> {
    inner: S,
    defects: Arc<Defects>,
}

/// Broken rules seen so far in one session. All zero in a correct server.
#[derive(Debug, Default)]
pub struct Defects {
    awaited_notifications: AtomicU64,
    panics: AtomicU64,
}

impl Defects {
    /// Notification handlers that did not finish in their first poll.
    pub fn awaited_notifications(&self) -> u64 {
        self.awaited_notifications.load(Ordering::Relaxed)
    }

    /// Handlers that panicked.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    fn notification_awaited(&self, method: &str) {
        self.awaited_notifications.fetch_add(1, Ordering::Relaxed);
        tracing::error!(method, "a notification handler awaited; its order is lost");
    }

    fn panicked(&self, method: &str) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!(method, "a handler panicked");
    }
}

impl<S> Ordered<S> {
    /// Wraps the service that routes messages to handlers.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            defects: Arc::default(),
        }
    }

    /// The counters of this session; they go on counting after the middleware is gone.
    pub fn defects(&self) -> Arc<Defects> {
        Arc::clone(&self.defects)
    }
}

impl<S> Service<Request> for Ordered<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + Unpin + 'static,
    S::Error: Send + 'static,
{
    type Response = Option<Response>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Option<Response>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let id = request.id().cloned();
        let method = request.method().to_owned();
        let first_poll = catch_unwind(AssertUnwindSafe(|| {
            let mut handler = self.inner.call(request);
            // The waker may be a dead one: a pending handler is polled again at once by its own task.
            let outcome = handler.poll_unpin(&mut Context::from_waker(Waker::noop()));
            (handler, outcome)
        }));
        match first_poll {
            Err(_) => {
                self.defects.panicked(&method);
                ready(Ok(internal_error(id))).boxed()
            }
            Ok((_, Poll::Ready(outcome))) => ready(outcome).boxed(),
            Ok((handler, Poll::Pending)) => {
                let defects = self.defects();
                if id.is_none() {
                    defects.notification_awaited(&method);
                }
                // Spawned now, not when the answer is first polled: it must run in parallel and be a panic boundary.
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the handle aborts it when the answer is dropped"
                )]
                let task = AbortOnDropHandle::new(tokio::spawn(handler));
                async move {
                    match task.await {
                        Ok(outcome) => outcome,
                        Err(error) => {
                            if error.is_panic() {
                                defects.panicked(&method);
                            }
                            Ok(internal_error(id))
                        }
                    }
                }
                .boxed()
            }
        }
    }
}

/// The answer to a request whose handler is gone; a notification has none.
fn internal_error(id: Option<Id>) -> Option<Response> {
    id.map(|id| Response::from_error(id, Error::internal_error()))
}
