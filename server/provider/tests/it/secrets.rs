use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use provider::{Anthropic, AnthropicConfig, Auth, ProviderError, SetupError};
use tracing_subscriber::fmt::MakeWriter;

use crate::list::{fixture, raw_turn};
use crate::support::{RawServer, complete, impatient, request, scripted};

const CANARY: &str = "sk-ant-canary-0123456789";

/// Collects log lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}

fn config(base_url: &str, auth: Auth) -> AnthropicConfig {
    AnthropicConfig {
        base_url: base_url.to_owned(),
        key: Some(CANARY.to_owned().into()),
        auth,
        timeouts: impatient(),
        ..AnthropicConfig::default()
    }
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    assert!(!text.contains(CANARY), "{what} shows the key: {text}");
}

fn assert_clean_error(error: &ProviderError) {
    assert_clean("Display", &error.to_string());
    assert_clean("Debug", &format!("{error:?} {error:#?}"));
    assert_clean("the request id", error.request_id().unwrap_or_default());
    assert!(
        std::error::Error::source(error).is_none(),
        "a source could show anything"
    );
}

/// Servers that fail in every way and put the key wherever they can.
fn spiteful_scripts() -> Vec<String> {
    let mut scripts = Vec::new();
    for status in [
        200, 302, 400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 529,
    ] {
        for body in [
            format!(
                r#"{{"type":"error","error":{{"type":"{CANARY}","message":"your key is {CANARY}."}}}}"#
            ),
            format!(r#"{{"error":"{CANARY}"}}"#),
            format!("<title>{CANARY}</title>"),
            format!("plain {CANARY}"),
        ] {
            let kind = if body.starts_with('<') {
                "text/html"
            } else {
                "application/json"
            };
            scripts.push(format!(
                "[[turn]]\n[[turn.fault]]\nstatus = {status}\nbody = '{body}'\nheaders = {{ location = \"http://{CANARY}/\", content-type = \"{kind}; {CANARY}\", x-request-id = \"{CANARY}\", retry-after = \"{CANARY}\" }}\n"
            ));
        }
    }
    for fault in ["drop = true", "hang = true"] {
        scripts.push(format!("[[turn]]\n[[turn.fault]]\n{fault}\n"));
    }
    for fault in [
        "cut_after = { events = 3 }",
        "stall_after = { events = 3 }",
        "garble_after = { events = 2 }",
    ] {
        scripts.push(format!(
            "[[turn]]\ntext = \"{CANARY}\"\n[[turn.fault]]\n{fault}\n"
        ));
    }
    for (kind, message) in [
        (CANARY, "x"),
        ("api_error", CANARY),
        ("authentication_error", CANARY),
    ] {
        let error = format!("error = {{ type = \"{kind}\", message = \"{message}\" }}");
        scripts.push(format!(
            "[[turn]]\ntext = \"Hi\"\n[[turn.fault]]\nerror_after = {{ events = 2 }}\n{error}\n"
        ));
    }
    let start = fixture("plain_text")
        .split_inclusive("\n\n")
        .next()
        .unwrap()
        .to_owned();
    for event in [
        format!("event: message_stop\ndata: {{\"type\":\"{CANARY}\"}}\n\n"),
        format!("event: message_stop\ndata: {{{CANARY}\n\n"),
        format!(
            "event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"tool_use\",\"id\":\"{CANARY}\",\"name\":\"x\"}}}}\n\n"
        )
        .repeat(2)
        .replacen("\"index\":0", "\"index\":1", 1),
    ] {
        scripts.push(raw_turn(&format!("{start}{event}")));
    }
    scripts
}

#[tokio::test]
async fn no_error_and_no_log_shows_the_key() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // For the whole process: what is logged for a thread alone may be switched off by the others.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let mut errors = 0;
    for (number, script) in spiteful_scripts().into_iter().enumerate() {
        let server = scripted(&script).await;
        let auth = if number % 2 == 0 {
            Auth::ApiKey
        } else {
            Auth::Bearer
        };
        let client = Anthropic::new(config(&server.base_url(), auth)).unwrap();
        let (_, error) = complete(&client, request("Hi")).await;
        let error = error.unwrap_or_else(|| panic!("no error from {script}"));
        assert_clean_error(&error);
        assert_clean(
            "the recorded requests",
            &format!("{:?}", server.requests()[0].headers),
        );
        errors += 1;
    }
    for response in [
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nno gzip",
    ] {
        let server = RawServer::start(format!("{response}{CANARY}").into_bytes()).await;
        for base_url in [
            server.base_url(),
            server.base_url().replace("http", "https"),
        ] {
            let client = Anthropic::new(config(&base_url, Auth::ApiKey)).unwrap();
            let (_, error) = complete(&client, request("Hi")).await;
            assert_clean_error(&error.unwrap());
            errors += 1;
        }
    }
    assert!(errors > 60, "{errors}");
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("request"), "the log is on");
    assert_clean("the log", &log);
}

#[test]
fn configuration_does_not_show_the_key() {
    let config = config("http://127.0.0.1:1", Auth::Bearer);
    assert_clean("the configuration", &format!("{config:?}"));
    let client = Anthropic::new(config.clone()).unwrap();
    assert_clean("the client", &format!("{client:?}"));

    let setups: Vec<SetupError> = [
        AnthropicConfig {
            base_url: format!("https://{CANARY}@x"),
            ..config.clone()
        },
        AnthropicConfig {
            base_url: format!("https://me:{CANARY}@x"),
            ..config.clone()
        },
        AnthropicConfig {
            base_url: format!("//me:{CANARY}@x"),
            ..config.clone()
        },
        AnthropicConfig {
            key: Some(format!("{CANARY}\u{1}").into()),
            ..config.clone()
        },
        AnthropicConfig {
            base_url: "http://far.example".to_owned(),
            ..config
        },
    ]
    .into_iter()
    .map(|config| Anthropic::new(config).unwrap_err())
    .collect();
    for error in setups {
        assert_clean("a setup error", &format!("{error} {error:?}"));
    }
}
