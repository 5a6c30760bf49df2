//! Chat completions, at OpenAI or at one of the many servers that speak the same wire: Ollama, llama.cpp, vLLM, LiteLLM,
//! OpenRouter.

mod answer;
mod decode;
mod encode;
mod usage;

use futures::stream::{self, BoxStream, StreamExt};
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use self::decode::Decoder;
use self::encode::AnswerLimit;
use crate::Provider;
use crate::error::{Billed, ErrorKind, Fault, ProviderError};
use crate::event::StreamEvent;
use crate::http::{Attempt, Connection, Path, SetupError, Timeouts};
use crate::key::{self, Auth};
use crate::origin::Origin;
use crate::request::CompletionRequest;

/// Who serves the chat completions, as far as that changes what is sent and said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenAiServer {
    /// OpenAI, or a gateway or server that speaks its wire.
    OpenAi,
    /// Ollama.
    Ollama,
}

/// How to reach a chat completions API.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// Who serves it.
    pub server: OpenAiServer,
    /// The endpoint without `/chat/completions`. With a path, such as `/v1` or `/api/v1`, it is taken as it is; without
    /// one, `/v1` is added.
    pub base_url: String,
    /// The key; `None` for a server that wants none.
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

impl Default for OpenAiConfig {
    fn default() -> OpenAiConfig {
        OpenAiConfig {
            server: OpenAiServer::OpenAi,
            base_url: "https://api.openai.com/v1".to_owned(),
            key: None,
            key_source: "OPENAI_API_KEY".to_owned(),
            auth: Auth::Bearer,
            allow_cleartext: false,
            timeouts: Timeouts::default(),
        }
    }
}

/// A client of a chat completions API. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct OpenAi {
    connection: Connection,
    headers: HeaderMap,
    server: OpenAiServer,
    limit: AnswerLimit,
}

impl OpenAi {
    /// Prepares the client. Opens no connection.
    pub fn new(config: OpenAiConfig) -> Result<OpenAi, SetupError> {
        let mut headers = HeaderMap::new();
        let key = key::put(&mut headers, config.key, &config.key_source, config.auth)?;
        let key_source = key.is_some().then_some(config.key_source);
        let origin = Origin {
            provider: match config.server {
                OpenAiServer::OpenAi if encode::is_vendor(&config.base_url) => "OpenAI",
                OpenAiServer::OpenAi => "the OpenAI-compatible server",
                OpenAiServer::Ollama => "Ollama",
            },
            host: String::new(),
            key_source,
            key,
        };
        let connection = Connection::new(
            &config.base_url,
            Path::AfterVersion("chat/completions"),
            origin,
            config.allow_cleartext,
            config.timeouts,
        )?;
        Ok(OpenAi {
            limit: AnswerLimit::of(&config.base_url),
            connection,
            headers,
            server: config.server,
        })
    }

    /// The endpoint's host, with its port if that is unusual.
    pub fn host(&self) -> &str {
        &self.connection.origin().host
    }
}

impl Provider for OpenAi {
    fn name(&self) -> &'static str {
        match self.server {
            OpenAiServer::OpenAi => "openai",
            OpenAiServer::Ollama => "ollama",
        }
    }

    fn body_bytes(&self, request: &CompletionRequest) -> usize {
        encode::body_bytes(request, self.limit)
    }

    fn stream(
        &self,
        request: CompletionRequest,
        cancel: CancellationToken,
    ) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        let body = match encode::encode(&request, self.limit) {
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
        let attempt = Attempt {
            model: request.model,
            headers: self.headers.clone(),
            body: body.into(),
        };
        self.connection
            .stream(attempt, Box::new(Decoder::default()), cancel)
    }
}
