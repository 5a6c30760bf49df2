use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::origin::Origin;
use crate::usage::Usage;

/// Why an attempt did not end in a complete answer.
///
/// `Display` is one line for people: the cause, the provider, the endpoint's host and what to do.
#[derive(Debug, Clone)]
pub struct ProviderError(Box<Fault>);

/// What a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The key is missing or was refused.
    Auth,
    /// The account cannot pay.
    Billing,
    /// The key may not do this.
    Permission,
    /// The endpoint does not know the model or the path.
    NotFound,
    /// Too many requests or tokens in too little time.
    RateLimited,
    /// The provider has no capacity at the moment.
    Overloaded,
    /// The provider failed.
    Server,
    /// The provider did not accept the request. The same request will fail again.
    BadRequest,
    /// The model, or the server it runs on, cannot call tools, so no agent can work with it.
    NoTools,
    /// The prompt, or the prompt and `max_tokens` together, exceed what the model takes.
    ContextTooLong,
    /// No response: not reachable, or the connection broke or stood still before the first byte.
    Network,
    /// The response broke off or stood still.
    Cut,
    /// The response is not what the wire format promises.
    Protocol,
    /// The caller cancelled.
    Cancelled,
}

/// What is known about the bill of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billed {
    /// Provably nothing: never sent, or refused before any work.
    Nothing,
    /// Exactly this.
    Exactly(Usage),
    /// At least this; the rest is not known.
    AtLeast(Usage),
    /// Something between nothing and the whole reservation.
    Unknown,
}

/// Everything about one failure. Texts are cleaned before they get here (`Origin::clean`).
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    /// What happened, for example `invalid x-api-key`.
    pub(crate) cause: String,
    /// The vendor's error type, for example `authentication_error`.
    pub(crate) error_type: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) billed: Billed,
    /// Whether any part of the answer had arrived.
    pub(crate) answer_began: bool,
    pub(crate) retry_after: Option<Duration>,
    /// The provider's own word on whether to retry, when it says so.
    pub(crate) should_retry: Option<bool>,
    pub(crate) request_id: Option<String>,
    pub(crate) model: String,
    provider: &'static str,
    host: String,
    key_source: Option<String>,
}

impl Fault {
    /// A failure before anything is known of the answer; `billed` starts as unknown, the safe value.
    pub(crate) fn new(origin: &Origin, model: &str, kind: ErrorKind, cause: &str) -> Fault {
        Fault {
            kind,
            cause: origin.clean(cause),
            error_type: None,
            status: None,
            billed: Billed::Unknown,
            answer_began: false,
            retry_after: None,
            should_retry: None,
            request_id: None,
            model: origin.clean(model),
            provider: origin.provider,
            host: origin.host.clone(),
            key_source: origin.key_source.clone(),
        }
    }
}

impl From<Fault> for ProviderError {
    fn from(fault: Fault) -> ProviderError {
        ProviderError(Box::new(fault))
    }
}

impl ProviderError {
    /// What went wrong, to branch on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What this attempt may cost.
    pub fn billed(&self) -> Billed {
        self.0.billed
    }

    /// Whether the same request may succeed if it is sent again, as a new attempt with its own reservation.
    ///
    /// Never once a part of the answer has arrived, and never for a request that was understood and declined.
    pub fn is_retryable(&self) -> bool {
        if self.0.answer_began {
            return false;
        }
        match self.0.kind {
            ErrorKind::Cancelled | ErrorKind::Cut | ErrorKind::Protocol => false,
            ErrorKind::Network => self.0.should_retry.unwrap_or(true),
            ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::Server => {
                self.0.should_retry.unwrap_or(true)
            }
            ErrorKind::Auth
            | ErrorKind::Billing
            | ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::BadRequest
            | ErrorKind::NoTools
            | ErrorKind::ContextTooLong => self.0.should_retry.unwrap_or(false),
        }
    }

    /// How long the provider asks to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether a part of the answer had arrived.
    pub fn answer_began(&self) -> bool {
        self.0.answer_began
    }

    /// The HTTP status, when the provider answered with an error status.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The provider's id of the HTTP request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

impl ErrorKind {
    /// What an error response means. Gateways and vendors mix status, type and code, so the most telling one wins.
    pub(crate) fn classify(status: Option<u16>, report: &Report<'_>, message: &str) -> ErrorKind {
        let message = message.to_ascii_lowercase();
        let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        if says(&TOO_LONG) {
            return ErrorKind::ContextTooLong;
        }
        if says(&NO_TOOLS) {
            return ErrorKind::NoTools;
        }
        if says(&["credit balance is too low"]) {
            return ErrorKind::Billing;
        }
        for name in [report.code, report.error_type] {
            match name {
                "authentication_error" | "invalid_api_key" => return ErrorKind::Auth,
                "billing_error" | "insufficient_quota" | "billing_hard_limit_reached" => {
                    return ErrorKind::Billing;
                }
                "permission_error" => return ErrorKind::Permission,
                "not_found_error" | "model_not_found" => return ErrorKind::NotFound,
                "request_too_large" | "context_length_exceeded" | "exceed_context_size_error" => {
                    return ErrorKind::ContextTooLong;
                }
                "rate_limit_error" | "rate_limit_exceeded" => return ErrorKind::RateLimited,
                "overloaded_error" | "unavailable_error" => return ErrorKind::Overloaded,
                _ => {}
            }
        }
        match status {
            Some(401) => ErrorKind::Auth,
            Some(402) => ErrorKind::Billing,
            Some(403) => ErrorKind::Permission,
            Some(404) => ErrorKind::NotFound,
            Some(413) => ErrorKind::ContextTooLong,
            Some(429) => ErrorKind::RateLimited,
            Some(503 | 529) => ErrorKind::Overloaded,
            // 408 and 409 are the endpoint's own timeout and lock, not faults of the request.
            Some(408 | 409) => ErrorKind::Server,
            Some(status) if status < 500 => ErrorKind::BadRequest,
            None if report.error_type == "invalid_request_error" => ErrorKind::BadRequest,
            Some(_) | None => ErrorKind::Server,
        }
    }
}

/// How vendors and servers say that the prompt does not fit: Anthropic, OpenAI and vLLM, llama.cpp, Ollama.
const TOO_LONG: [&str; 6] = [
    "prompt is too long",
    "exceed context limit",
    "context window",
    "maximum context length",
    "available context size",
    "exceeded max context length",
];

/// How servers say that a model cannot call tools: Ollama, vLLM, llama.cpp, OpenRouter, others.
const NO_TOOLS: [&str; 6] = [
    "does not support tools",
    "enable-auto-tool-choice",
    "tools param requires --jinja",
    "support tool use",
    "does not support function calling",
    "does not support tool calling",
];

/// An error as a provider words it: `{type, code, message}`, or a sentence alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report<'a> {
    pub(crate) error_type: &'a str,
    /// More telling than the type where there is one: `insufficient_quota`.
    pub(crate) code: &'a str,
    /// The HTTP status that gateways repeat in place of a code.
    pub(crate) status: Option<u16>,
    pub(crate) message: &'a str,
}

impl<'a> Report<'a> {
    pub(crate) fn of(error: &'a Value) -> Report<'a> {
        let field = |name: &str| error[name].as_str().unwrap_or_default();
        let number = error["code"]
            .as_u64()
            .or_else(|| field("code").parse().ok());
        Report {
            error_type: field("type"),
            code: field("code"),
            status: number
                .and_then(|code| u16::try_from(code).ok())
                .filter(|code| (400..600).contains(code)),
            message: error["message"]
                .as_str()
                .or_else(|| error.as_str())
                .unwrap_or_default(),
        }
    }

    /// What to call this error beside its message.
    pub(crate) fn name(&self) -> &'a str {
        if self.error_type.is_empty() {
            self.code
        } else {
            self.error_type
        }
    }
}

impl std::error::Error for ProviderError {}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault {
            provider,
            host,
            model,
            ..
        } = &*self.0;
        let reason = Reason(&self.0);
        let after = if self.0.answer_began {
            "; what was streamed is billed"
        } else {
            ""
        };
        match self.0.kind {
            ErrorKind::Auth => match &self.0.key_source {
                Some(source) => write!(
                    f,
                    "{provider} at {host} refused the key from {source} ({reason}); check it or run `farthing doctor`"
                ),
                None => write!(
                    f,
                    "{provider} at {host} wants a key and none is configured ({reason}); run `farthing doctor` to see where keys come from"
                ),
            },
            ErrorKind::Billing => write!(
                f,
                "{provider} at {host} reports a billing problem ({reason}); check the balance and the payment details of the account"
            ),
            ErrorKind::Permission => write!(
                f,
                "{provider} at {host} does not allow this key to use {model} ({reason}); ask for access or configure another model"
            ),
            ErrorKind::NotFound => write!(
                f,
                "{provider} at {host} does not offer {model} ({reason}); check the model's name and the base URL"
            ),
            ErrorKind::RateLimited => {
                write!(
                    f,
                    "{provider} at {host} limits the rate of requests ({reason}); {}{after}",
                    Wait(&self.0)
                )
            }
            ErrorKind::Overloaded => {
                write!(
                    f,
                    "{provider} at {host} is overloaded ({reason}); {}{after}",
                    Wait(&self.0)
                )
            }
            ErrorKind::Server => {
                write!(
                    f,
                    "{provider} at {host} failed ({reason}); {}{after}",
                    Wait(&self.0)
                )
            }
            ErrorKind::BadRequest if self.0.status.is_none() && self.0.error_type.is_none() => {
                write!(
                    f,
                    "the request for {model} was not sent to {provider} at {host}, because {reason}"
                )
            }
            ErrorKind::BadRequest => write!(
                f,
                "{provider} at {host} did not accept the request for {model} ({reason}); trying again will not help, so check the model's name and settings"
            ),
            ErrorKind::NoTools => write!(
                f,
                "{model} at {host} cannot call tools, and agents work through tools ({reason}); choose a model that can, or start its server with tool calling"
            ),
            ErrorKind::ContextTooLong => write!(
                f,
                "the request is too long for {model} at {host} ({reason}); narrow the scope or choose a model with a larger context"
            ),
            ErrorKind::Network => write!(
                f,
                "no answer from {provider} at {host} ({reason}); check the network, the proxy and the base URL"
            ),
            ErrorKind::Cut => {
                write!(
                    f,
                    "the answer of {provider} at {host} broke off ({reason}); run the action again{after}"
                )
            }
            ErrorKind::Protocol => write!(
                f,
                "{provider} at {host} sent something that is not its API ({reason}); check that the base URL names an endpoint of this API{after}"
            ),
            ErrorKind::Cancelled => {
                write!(f, "cancelled while waiting for {provider} at {host}{after}")
            }
        }
    }
}

/// Status, type, message and request id, as far as they are known.
struct Reason<'a>(&'a Fault);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.status, &self.0.error_type) {
            (Some(status), Some(kind)) => write!(f, "{status} {kind}: ")?,
            (Some(status), None) => write!(f, "{status}: ")?,
            (None, Some(kind)) => write!(f, "{kind}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.0.cause)?;
        match &self.0.request_id {
            Some(id) => write!(f, ", request {id}"),
            None => Ok(()),
        }
    }
}

struct Wait<'a>(&'a Fault);

impl fmt::Display for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.retry_after {
            Some(wait) => write!(f, "it asks to wait {} s", wait.as_millis().div_ceil(1000)),
            None => f.write_str("try again in a moment"),
        }
    }
}
