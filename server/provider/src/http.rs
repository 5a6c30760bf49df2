//! One HTTP attempt: sends, reads, waits no longer than it may, and turns every way to fail into a `ProviderError`.
//! Knows no vendor's format; that is behind `Decode`.

mod connection;
mod exchange;
mod failure;

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

pub(crate) use self::connection::{Attempt, Connection, Path};
use crate::error::{Billed, ErrorKind, Report};
use crate::event::StreamEvent;
use crate::sse::SseEvent;

/// How long an attempt may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To reach the endpoint, handshakes included.
    pub connect: Duration,
    /// Without a single byte from the endpoint.
    pub idle: Duration,
    /// For the whole attempt: an endpoint that sends nothing but signs of life must not hold a run for ever.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(90),
            // The longest answers, 64k tokens of thinking and text, take about 18 minutes at 60 tokens a second.
            total: Duration::from_mins(20),
        }
    }
}

/// Why a provider cannot be used as it is configured. Found before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The base URL is not one.
    #[error("the base URL{} {problem}; write it like https://api.anthropic.com", quoted(.url.as_ref()))]
    BaseUrl {
        /// The URL, unless it might contain a password.
        url: Option<String>,
        /// What is wrong with it.
        problem: String,
    },
    /// The key would travel unencrypted.
    #[error(
        "the key would travel unencrypted to {host}; use https://, or allow it with `allow_cleartext = true` for this provider in the machine-level configuration"
    )]
    Cleartext {
        /// The endpoint's host.
        host: String,
    },
    /// The key is empty.
    #[error("the key from {key_source} is empty; set it, or remove it to do without")]
    EmptyKey {
        /// Where the key came from.
        key_source: String,
    },
    /// The key cannot be a header's value.
    #[error(
        "the key from {key_source} contains characters no key has, such as a line break; copy it again"
    )]
    MalformedKey {
        /// Where the key came from.
        key_source: String,
    },
    /// TLS cannot be set up, most often because the system has no root certificates.
    #[error(
        "cannot set up TLS ({0}); are the system's root certificates installed (on Debian: ca-certificates)?"
    )]
    Tls(String),
}

fn quoted(url: Option<&String>) -> String {
    url.map(|url| format!(" {url:?}")).unwrap_or_default()
}

/// A vendor's stream format.
pub(crate) trait Decode: Send {
    /// Called once, before the first event.
    fn request_id(&mut self, id: Option<String>);

    /// Takes the next event and appends what it means.
    fn event(&mut self, event: &SseEvent, events: &mut VecDeque<StreamEvent>)
    -> Result<(), Broken>;

    /// Called when the body has ended in good order before the answer was finished: either that is how this format
    /// ends, and `Finished` is appended, or the answer is incomplete.
    fn end(&mut self, events: &mut VecDeque<StreamEvent>) -> Result<(), Broken>;

    /// Whether any part of the answer has arrived.
    fn has_begun(&self) -> bool;

    /// Whether the answer is complete, so that `Finished` is among the events.
    fn is_finished(&self) -> bool;

    /// What the attempt costs if nothing more is heard of it.
    fn billed_so_far(&self) -> Billed;
}

/// An event that ends the stream with an error.
#[derive(Debug)]
pub(crate) struct Broken {
    kind: ErrorKind,
    error_type: Option<String>,
    cause: String,
}

impl Broken {
    /// The stream does not follow its format.
    pub(crate) fn protocol(cause: &str) -> Broken {
        Broken {
            kind: ErrorKind::Protocol,
            error_type: None,
            cause: cause.to_owned(),
        }
    }

    /// The provider reports an error in the stream, where it has no HTTP status any more.
    pub(crate) fn reported(error: &Value) -> Broken {
        let report = Report::of(error);
        Broken {
            kind: ErrorKind::classify(report.status, &report, report.message),
            error_type: Some(report.name().to_owned()).filter(|name| !name.is_empty()),
            cause: Some(report.message)
                .filter(|message| !message.is_empty())
                .unwrap_or("no message")
                .to_owned(),
        }
    }
}
