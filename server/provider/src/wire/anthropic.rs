//! The Anthropic Messages API, at Anthropic or at a gateway that speaks it.

mod block;
mod decode;
mod encode;
mod usage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use self::decode::Decoder;
use crate::Provider;
use crate::error::{Billed, ErrorKind, Fault, ProviderError};
use crate::event::StreamEvent;
use crate::http::{Attempt, Connection, Path, SetupError, Timeouts};
use crate::key::{self, Auth};
use crate::origin::Origin;
use crate::request::CompletionRequest;

const VERSION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("anthropic-version"),
    HeaderValue::from_static("2023-06-01"),
);

/// How to reach the Messages API.
#[derive(Debug, Clone)]
pub struct AnthropicConfig {
    /// The endpoint without `/v1/messages`.
    pub base_url: String,
    /// The key; `None` for a gateway that wants none.
    pub key: Option<SecretString>,
    /// Where the key came from, for error messages: the name of an environment variable or a file, never the key.
    pub key_source: String,
    /// The header the key goes into.
    pub auth: Auth,
    /// Whether a key may go unencrypted to a host that is not this machine.
    pub allow_cleartext: bool,
    /// How long to wait for what.
    pub timeouts: Timeouts,
}

impl Default for AnthropicConfig {
    fn default() -> AnthropicConfig {
        AnthropicConfig {
            base_url: "https://api.anthropic.com".to_owned(),
            key: None,
            key_source: "ANTHROPIC_API_KEY".to_owned(),
            auth: Auth::ApiKey,
            allow_cleartext: false,
            timeouts: Timeouts::default(),
        }
    }
}

/// A client of the Messages API. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Anthropic {
    connection: Connection,
    headers: HeaderMap,
    /// Whether the endpoint has said that it has no counter, as some gateways do.
    no_counter: Arc<AtomicBool>,
}

impl Anthropic {
    /// Prepares the client. Opens no connection.
    pub fn new(config: AnthropicConfig) -> Result<Anthropic, SetupError> {
        let mut headers = HeaderMap::from_iter([VERSION]);
        let key = key::put(&mut headers, config.key, &config.key_source, config.auth)?;
        let key_source = key.is_some().then_some(config.key_source);
        let origin = Origin {
            provider: "Anthropic",
            host: String::new(),
            key_source,
            key,
        };
        let connection = Connection::new(
            &config.base_url,
            Path::Versioned("messages"),
            origin,
            config.allow_cleartext,
            config.timeouts,
        )?;
        Ok(Anthropic {
            connection,
            headers,
            no_counter: Arc::default(),
        })
    }

    /// The endpoint's host, with its port if that is unusual.
    pub fn host(&self) -> &str {
        &self.connection.origin().host
    }
}

impl Provider for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn body_bytes(&self, request: &CompletionRequest) -> usize {
        encode::body_bytes(request)
    }

    fn count_tokens(&self, request: &CompletionRequest) -> BoxFuture<'static, Option<u64>> {
        let body = match encode::counted(request) {
            Some(body) if !self.no_counter.load(Ordering::Relaxed) => body,
            Some(_) | None => return std::future::ready(None).boxed(),
        };
        let answer = self
            .connection
            .ask("count_tokens", self.headers.clone(), body.into());
        let no_counter = self.no_counter.clone();
        async move {
            match answer.await {
                Ok(answer) => answer["input_tokens"].as_u64(),
                Err(status) => {
                    if matches!(status, Some(404 | 405 | 501)) {
                        no_counter.store(true, Ordering::Relaxed);
                    }
                    None
                }
            }
        }
        .boxed()
    }

    fn stream(
        &self,
        request: CompletionRequest,
        cancel: CancellationToken,
    ) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        let body = match encode::encode(&request) {
            Ok(body) => body,
            Err(cause) => {
                let mut fault = Fault::new(
                    self.connection.origin(),
                    &request.model,
                    ErrorKind::BadRequest,
                    &cause,
                );
                fault.billed = Billed::Nothing;
                return stream::iter([Err(fault.into())]).boxed();
            }
        };
        let decoder = Box::new(Decoder::new(&request));
        let attempt = Attempt {
            model: request.model,
            headers: self.headers.clone(),
            body: body.into(),
        };
        self.connection.stream(attempt, decoder, cancel)
    }
}
