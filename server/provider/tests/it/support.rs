use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use provider::scripted::{Script, Scripted, ScriptedHandle};
use provider::{
    Anthropic, AnthropicConfig, Billed, CompletionRequest, Content, Message, OpenAi, OpenAiConfig,
    Provider, ProviderError, StreamEvent, SystemBlock, Timeouts, Usage,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) type Outcome = (Vec<StreamEvent>, Option<ProviderError>);

/// Timeouts for an endpoint that falls silent. Long enough for a busy machine not to seem silent.
pub(crate) fn impatient() -> Timeouts {
    Timeouts {
        connect: Duration::from_millis(250),
        idle: Duration::from_millis(250),
        ..Timeouts::default()
    }
}

pub(crate) fn client(base_url: &str) -> Anthropic {
    client_with(base_url, Timeouts::default())
}

pub(crate) fn client_with(base_url: &str, timeouts: Timeouts) -> Anthropic {
    let config = AnthropicConfig {
        base_url: base_url.to_owned(),
        key: Some("dummy".to_owned().into()),
        timeouts,
        ..AnthropicConfig::default()
    };
    Anthropic::new(config).unwrap()
}

/// A client of the other wire.
pub(crate) fn chat(base_url: &str) -> OpenAi {
    chat_with(base_url, Timeouts::default())
}

pub(crate) fn chat_with(base_url: &str, timeouts: Timeouts) -> OpenAi {
    let config = OpenAiConfig {
        base_url: base_url.to_owned(),
        key: Some("dummy".to_owned().into()),
        timeouts,
        ..OpenAiConfig::default()
    };
    OpenAi::new(config).unwrap()
}

pub(crate) fn request(text: &str) -> CompletionRequest {
    CompletionRequest {
        model: "claude-sonnet-5-5".to_owned(),
        max_tokens: 1000,
        system: vec![SystemBlock::new("Be brief.")],
        tools: Vec::new(),
        messages: vec![Message::user(text)],
        effort: None,
    }
}

pub(crate) async fn scripted(script: &str) -> ScriptedHandle {
    Scripted::start(Script::parse(script).unwrap_or_else(|error| panic!("{error}")))
        .await
        .unwrap()
}

pub(crate) async fn complete(
    client: &(impl Provider + ?Sized),
    request: CompletionRequest,
) -> Outcome {
    collect(client, request, CancellationToken::new()).await
}

/// Everything the stream yields. Holds the promise that exactly one end comes, and comes last.
pub(crate) async fn collect(
    client: &(impl Provider + ?Sized),
    request: CompletionRequest,
    cancel: CancellationToken,
) -> Outcome {
    let mut stream = client.stream(request, cancel);
    let mut events = Vec::new();
    let mut error = None;
    while let Some(item) = stream.next().await {
        assert!(error.is_none(), "something follows an error");
        assert!(
            !matches!(events.last(), Some(StreamEvent::Finished { .. })),
            "something follows the end"
        );
        match item {
            Ok(event) => events.push(event),
            Err(failure) => error = Some(failure),
        }
    }
    let finished = matches!(events.last(), Some(StreamEvent::Finished { .. }));
    assert_ne!(
        finished,
        error.is_some(),
        "a stream ends in exactly one way"
    );
    (events, error)
}

/// One line per event.
pub(crate) fn show((events, error): &Outcome) -> String {
    let mut shown = String::new();
    for event in events {
        match event {
            StreamEvent::Started {
                message_id,
                model,
                usage,
                request_id,
            } => {
                let id = request_id.as_deref().unwrap_or("-");
                writeln!(
                    shown,
                    "started {message_id} {model} {id} {}",
                    show_usage(*usage)
                )
            }
            StreamEvent::TextDelta(text) => writeln!(shown, "text {text:?}"),
            StreamEvent::ThinkingDelta {
                text,
                estimated_tokens,
            } => {
                writeln!(shown, "thinking {text:?} ~{estimated_tokens}")
            }
            StreamEvent::ToolStarted { id, name } => writeln!(shown, "tool {id} {name}"),
            StreamEvent::ToolInputDelta { id, partial } => writeln!(shown, "input {id} {partial}"),
            StreamEvent::ToolReady {
                id,
                name,
                input: Ok(input),
            } => writeln!(shown, "ready {id} {name} {input}"),
            StreamEvent::ToolReady {
                id,
                name,
                input: Err(error),
            } => writeln!(shown, "broken {id} {name}: {error}"),
            StreamEvent::Usage(usage) => writeln!(shown, "usage {}", show_usage(*usage)),
            StreamEvent::Finished {
                stop,
                detail,
                usage,
                billed,
                content,
                request_id,
            } => {
                let detail = detail
                    .as_ref()
                    .map(|detail| format!(" {detail:?}"))
                    .unwrap_or_default();
                let id = request_id.as_deref().unwrap_or("-");
                writeln!(
                    shown,
                    "finished {stop:?}{detail} {id} {} {}",
                    show_usage(*usage),
                    show_billed(*billed)
                )
                .unwrap();
                for block in content {
                    match block {
                        Content::Opaque { block } => writeln!(shown, "  opaque {block}").unwrap(),
                        block => {
                            writeln!(shown, "  {}", serde_json::to_string(block).unwrap()).unwrap();
                        }
                    }
                }
                Ok(())
            }
        }
        .unwrap();
    }
    if let Some(error) = error {
        writeln!(shown, "{}", show_error(error)).unwrap();
    }
    shown
}

pub(crate) fn show_error(error: &ProviderError) -> String {
    let retry = if error.is_retryable() {
        "retry"
    } else {
        "final"
    };
    let after = error
        .retry_after()
        .map(|wait| format!(" after {wait:?}"))
        .unwrap_or_default();
    format!(
        "{:?} {retry}{after} {}: {error}",
        error.kind(),
        show_billed(error.billed())
    )
}

fn show_usage(usage: Usage) -> String {
    let Usage {
        input,
        cache_write_5m,
        cache_write_1h,
        cache_read,
        output,
    } = usage;
    format!("[{input} w5 {cache_write_5m} w1h {cache_write_1h} r {cache_read} -> {output}]")
}

pub(crate) fn show_billed(billed: Billed) -> String {
    match billed {
        Billed::Nothing => "free".to_owned(),
        Billed::Exactly(usage) => format!("exactly {}", show_usage(usage)),
        Billed::AtLeast(usage) => format!("at least {}", show_usage(usage)),
        Billed::Unknown => "unknown".to_owned(),
    }
}

/// A server that answers every request with the same bytes and closes.
pub(crate) struct RawServer {
    pub(crate) address: SocketAddr,
    _task: JoinSet<()>,
}

impl RawServer {
    pub(crate) async fn start(response: Vec<u8>) -> RawServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                // The body ends with a brace, and a TLS greeting (first byte 22) gets its answer at once.
                while !request.ends_with(b"}")
                    && request.first() != Some(&22)
                    && stream
                        .read_buf(&mut request)
                        .await
                        .is_ok_and(|read| read > 0)
                {}
                let _ = stream.write_all(&response).await;
                let _ = stream.shutdown().await;
            }
        });
        RawServer {
            address,
            _task: task,
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The text with the port of a loopback server made constant.
pub(crate) fn without_port(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("127.0.0.1");
        shown.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    shown
}
