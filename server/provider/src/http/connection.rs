use std::net::IpAddr;
use std::sync::{Arc, Once};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Request, Url};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::exchange::Exchange;
use super::failure::root_cause;
use super::{Decode, SetupError, Timeouts};
use crate::error::ProviderError;
use crate::event::StreamEvent;
use crate::origin::Origin;

/// An endpoint and the client that talks to it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    client: Client,
    url: Url,
    origin: Arc<Origin>,
    timeouts: Timeouts,
}

/// What comes after the base URL. With and without the version are both common there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path {
    /// `v1` and this, and the version once.
    Versioned(&'static str),
    /// This after a base URL that has a path, whatever that is; `v1` and this after one that has none.
    AfterVersion(&'static str),
}

/// The version in the paths of all APIs spoken here.
const VERSION: &str = "v1";

/// The most bytes of the answer to a question that nobody bills.
const LARGEST_ANSWER: usize = 64 << 10;

/// What one attempt sends.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) model: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Connection {
    /// `origin.host` is filled in from the URL.
    pub(crate) fn new(
        base_url: &str,
        path: Path,
        mut origin: Origin,
        allow_cleartext: bool,
        timeouts: Timeouts,
    ) -> Result<Connection, SetupError> {
        let url = endpoint(base_url, path)?;
        let host = url.host_str().unwrap_or_default();
        origin.host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let tls = url.scheme() == "https";
        let local = is_this_machine(host);
        if !tls && !local && !allow_cleartext && origin.key.is_some() {
            return Err(SetupError::Cleartext { host: origin.host });
        }
        let client = client(tls, local, timeouts)?;
        Ok(Connection {
            client,
            url,
            origin: Arc::new(origin),
            timeouts,
        })
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Asks for a small JSON answer at a path under the endpoint's, when it is first polled. Waits as long as it is
    /// polled; an error is the status, if one came.
    pub(crate) fn ask(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> BoxFuture<'static, Result<Value, Option<u16>>> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", self.url.path()));
        let mut request = Request::new(reqwest::Method::POST, url);
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.into());
        let client = self.client.clone();
        async move {
            let mut response = client.execute(request).await.map_err(|_| None)?;
            let status = response.status();
            let failed = |_| Some(status.as_u16());
            let mut answer = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(failed)? {
                if answer.len() + chunk.len() > LARGEST_ANSWER {
                    return Err(Some(status.as_u16()));
                }
                answer.extend_from_slice(&chunk);
            }
            tracing::debug!(status = status.as_u16(), "answer to a question");
            if !status.is_success() {
                return Err(Some(status.as_u16()));
            }
            serde_json::from_slice(&answer).map_err(|_| Some(status.as_u16()))
        }
        .boxed()
    }

    /// Sends when the stream is first polled.
    pub(crate) fn stream(
        &self,
        attempt: Attempt,
        decode: Box<dyn Decode>,
        cancel: CancellationToken,
    ) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        let mut request = Request::new(reqwest::Method::POST, self.url.clone());
        *request.headers_mut() = attempt.headers;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let bytes = attempt.body.len();
        *request.body_mut() = Some(attempt.body.into());
        tracing::debug!(
            host = self.origin.host,
            model = attempt.model,
            bytes,
            "request"
        );
        let exchange = Exchange::new(
            self.client.clone(),
            request,
            decode,
            self.origin.clone(),
            attempt.model,
            self.timeouts,
            cancel,
        );
        stream::unfold(exchange, |mut exchange| async move {
            let item = exchange.next().await?;
            Some((item, exchange))
        })
        .boxed()
    }
}

fn client(tls: bool, local: bool, timeouts: Timeouts) -> Result<Client, SetupError> {
    install_crypto();
    let mut builder = Client::builder()
        .user_agent(concat!("farthing/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        // A redirect would carry prompt and key to a host nobody configured.
        .redirect(reqwest::redirect::Policy::none())
        // Every attempt may be billed, so every attempt is the caller's decision.
        .retry(reqwest::retry::never());
    if local {
        builder = builder.no_proxy();
    }
    if !tls {
        // Without this the client loads the system's certificates, which a plain connection never uses.
        builder = builder.tls_certs_only([]);
    }
    builder
        .build()
        .map_err(|error| SetupError::Tls(root_cause(&error)))
}

/// reqwest takes its cryptography from the process. If the embedding program has chosen one, that stays.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn endpoint(base_url: &str, path: Path) -> Result<Url, SetupError> {
    let base_url = base_url.trim();
    let shown = (!base_url.contains('@')).then(|| base_url.to_owned());
    let fail = |problem: &str| SetupError::BaseUrl {
        url: shown.clone(),
        problem: problem.to_owned(),
    };
    let mut url = Url::parse(base_url).map_err(|error| fail(&format!("is not a URL ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fail("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fail(
            "contains a name or a password, which belong into the key",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fail("has a query or a fragment"));
    }
    let base = url.path().trim_end_matches('/');
    let path = match path {
        Path::Versioned(path) => {
            let base = base
                .strip_suffix(VERSION)
                .filter(|base| base.ends_with('/'))
                .unwrap_or(base);
            format!("{}/{VERSION}/{path}", base.trim_end_matches('/'))
        }
        Path::AfterVersion(path) if base.is_empty() => format!("/{VERSION}/{path}"),
        Path::AfterVersion(path) => format!("{base}/{path}"),
    };
    url.set_path(&path);
    Ok(url)
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base_url: &str, expected: &str) {
        check_path(base_url, Path::Versioned("messages"), expected);
    }

    #[track_caller]
    fn check_path(base_url: &str, path: Path, expected: &str) {
        let shown = match endpoint(base_url, path) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_path_is_added_once() {
        check(
            "https://api.anthropic.com",
            "https://api.anthropic.com/v1/messages",
        );
        check(
            " https://api.anthropic.com/ ",
            "https://api.anthropic.com/v1/messages",
        );
        check(
            "https://api.anthropic.com/v1/",
            "https://api.anthropic.com/v1/messages",
        );
        check(
            "http://[::1]:4000/anthropic",
            "http://[::1]:4000/anthropic/v1/messages",
        );
        check("https://host/xv1", "https://host/xv1/v1/messages");
    }

    #[test]
    fn a_path_of_the_base_url_is_kept_where_it_holds_the_version() {
        let check = |base_url: &str, expected: &str| {
            check_path(base_url, Path::AfterVersion("chat/completions"), expected);
        };
        check(
            "http://127.0.0.1:11434",
            "http://127.0.0.1:11434/v1/chat/completions",
        );
        check(
            "https://api.openai.com/v1/",
            "https://api.openai.com/v1/chat/completions",
        );
        check(
            "https://openrouter.ai/api/v1",
            "https://openrouter.ai/api/v1/chat/completions",
        );
        check(
            "https://host/v1beta/openai",
            "https://host/v1beta/openai/chat/completions",
        );
    }

    #[test]
    fn a_bad_base_url_is_named() {
        let hint = "write it like https://api.anthropic.com";
        check(
            "api.anthropic.com",
            &format!(
                "the base URL \"api.anthropic.com\" is not a URL (relative URL without a base); {hint}"
            ),
        );
        check(
            "https://",
            &format!("the base URL \"https://\" is not a URL (empty host); {hint}"),
        );
        check(
            "ftp://x",
            &format!("the base URL \"ftp://x\" is neither http nor https; {hint}"),
        );
        check(
            "https://x/?a=b",
            &format!("the base URL \"https://x/?a=b\" has a query or a fragment; {hint}"),
        );
        check(
            "https://me:secret@x/",
            &format!(
                "the base URL contains a name or a password, which belong into the key; {hint}"
            ),
        );
    }

    #[test]
    fn only_loopback_is_this_machine() {
        for host in [
            "localhost",
            "api.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "10.0.0.1",
            "0.0.0.0",
            "localhost.example.com",
            "[::]",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
