//! The four failures of a bare tower-lsp server, and the ends of a session, over an in-memory pipe.

use std::sync::Mutex;
use std::time::Duration;

use bytes::BytesMut;
use lsp_types::{
    DidChangeTextDocumentParams, DidSaveTextDocumentParams, Hover, HoverParams, InitializeParams,
    InitializeResult, MessageType,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio::task::JoinHandle;
use tower_lsp::Client;
use tower_lsp::jsonrpc::Result;

use super::*;

/// A server whose handlers do one thing each, and a log of what they did.
struct Toy {
    client: Client,
    log: Log,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl LanguageServer for Toy {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        Ok(InitializeResult::default())
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.log
            .push(format!("change {}", params.text_document.version));
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {
        self.log.push("save");
    }

    async fn hover(&self, _: HoverParams) -> Result<Option<Hover>> {
        pending().await
    }
}

#[expect(clippy::unused_async, reason = "handlers are async functions")]
impl Toy {
    /// Awaits the client inside a request handler, against the discipline.
    async fn ask(&self) -> Result<Value> {
        let answers = self.client.configuration(Vec::new()).await?;
        self.log.push("asked");
        Ok(json!(answers))
    }

    /// Awaits the client in a task of its own.
    async fn ask_aside(&self, _: Value) {
        let (client, log) = (self.client.clone(), self.log.clone());
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            if client.configuration(Vec::new()).await.is_ok() {
                log.push("asked aside");
            }
        });
    }

    /// Awaits the client inside a notification handler, against the discipline.
    async fn ask_late(&self, _: Value) {
        if self.client.configuration(Vec::new()).await.is_ok() {
            self.log.push("asked late");
        }
    }

    async fn chat(&self) -> Result<()> {
        for index in 0..5 {
            self.client
                .log_message(MessageType::Info, index.to_string())
                .await;
        }
        Ok(())
    }

    async fn panic_at_once(&self) -> Result<()> {
        panic!("at once")
    }

    async fn panic_later(&self) -> Result<()> {
        tokio::task::yield_now().await;
        panic!("later")
    }

    async fn panic_notified(&self, _: Value) {
        panic!("notified")
    }

    async fn snapshot(&self) -> Result<Value> {
        let lines = self.log.lines();
        tokio::task::yield_now().await;
        Ok(json!(lines.len()))
    }
}

/// The client's end of the pipe.
struct Peer {
    output: Option<DuplexStream>,
    input: DuplexStream,
    unread: BytesMut,
    log: Log,
    server: JoinHandle<Ended>,
}

impl Peer {
    fn start() -> Peer {
        let log = Log::default();
        let toy_log = log.clone();
        let (service, socket) = LspService::build(|client| Toy {
            client,
            log: toy_log,
        })
        .custom_method("test/ask", Toy::ask)
        .custom_method("test/askAside", Toy::ask_aside)
        .custom_method("test/askLate", Toy::ask_late)
        .custom_method("test/chat", Toy::chat)
        .custom_method("test/panicAtOnce", Toy::panic_at_once)
        .custom_method("test/panicLater", Toy::panic_later)
        .custom_method("test/panicNotified", Toy::panic_notified)
        .custom_method("test/snapshot", Toy::snapshot)
        .finish();
        let (output, server_input) = tokio::io::duplex(1 << 16);
        let (server_output, input) = tokio::io::duplex(1 << 16);
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        let server = tokio::spawn(serve(server_input, server_output, service, socket));
        Peer {
            output: Some(output),
            input,
            unread: BytesMut::new(),
            log,
            server,
        }
    }

    async fn initialized() -> Peer {
        let mut peer = Peer::start();
        peer.send(&[request(0, "initialize", json!({"capabilities": {}}))])
            .await;
        assert!(peer.receive().await.get("result").is_some());
        peer
    }

    /// Sends messages in one write.
    async fn send(&mut self, messages: &[Value]) {
        let frames: Vec<u8> = messages
            .iter()
            .flat_map(|message| frames::encode(message).unwrap())
            .collect();
        self.write(&frames).await;
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.output
            .as_mut()
            .unwrap()
            .write_all(bytes)
            .await
            .unwrap();
    }

    /// The next message from the server.
    async fn receive(&mut self) -> Value {
        loop {
            let text = String::from_utf8_lossy(&self.unread);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length: usize = head
                    .strip_prefix("Content-Length: ")
                    .unwrap()
                    .parse()
                    .unwrap();
                if let Some(body) = body.get(..length) {
                    let message = serde_json::from_str(body).unwrap();
                    let _read = self.unread.split_to(head.len() + 4 + length);
                    return message;
                }
            }
            let read = tokio::time::timeout(
                Duration::from_secs(10),
                self.input.read_buf(&mut self.unread),
            );
            assert_ne!(
                read.await.expect("the server is silent").unwrap(),
                0,
                "the server left"
            );
        }
    }

    async fn end(mut self) -> Ended {
        self.output = None;
        self.server.await.unwrap()
    }
}

fn request(id: i64, method: &str, params: Value) -> Value {
    let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
    if !params.is_null() {
        message["params"] = params;
    }
    message
}

fn notification(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

fn change(version: i64) -> Value {
    notification(
        "textDocument/didChange",
        json!({"textDocument": {"uri": "file:///a", "version": version}, "contentChanges": []}),
    )
}

fn hover(id: i64) -> Value {
    let place =
        json!({"textDocument": {"uri": "file:///a"}, "position": {"line": 0, "character": 0}});
    request(id, "textDocument/hover", place)
}

fn save() -> Value {
    notification(
        "textDocument/didSave",
        json!({"textDocument": {"uri": "file:///a"}}),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_in_one_write_stay_in_order() {
    let mut peer = Peer::initialized().await;
    let mut messages: Vec<Value> = (1..=12).map(change).collect();
    messages.insert(6, request(1, "test/snapshot", Value::Null));
    messages.push(request(2, "test/snapshot", Value::Null));
    peer.send(&messages).await;
    let mut seen = [peer.receive().await, peer.receive().await];
    seen.sort_by_key(|answer| answer["id"].as_i64());
    // A snapshot taken before the first await is of the documents the request was sent against.
    assert_eq!(
        (&seen[0]["result"], &seen[1]["result"]),
        (&json!(6), &json!(12))
    );
    let expected: Vec<String> = (1..=12)
        .map(|version| format!("change {version}"))
        .collect();
    assert_eq!(peer.log.lines(), expected);
    let ended = peer.end().await;
    assert_eq!(
        (
            ended.defects.awaited_notifications(),
            ended.defects.panics()
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn endless_requests_hold_up_nothing() {
    let mut peer = Peer::initialized().await;
    peer.send(&[hover(1), hover(2), hover(3), hover(4)]).await;
    peer.send(&[notification("$/cancelRequest", json!({"id": 3})), save()])
        .await;
    let cancelled = peer.receive().await;
    assert_eq!(
        (&cancelled["id"], &cancelled["error"]["code"]),
        (&json!(3), &json!(-32800))
    );
    peer.send(&[request(5, "test/snapshot", Value::Null)]).await;
    assert_eq!(peer.receive().await["result"], json!(1));
    assert_eq!(peer.log.lines(), ["save"]);
}

/// Four questions to the client stay open while 150 messages arrive, then all are answered.
async fn questions_and_a_queue(ask: impl Fn(i64) -> Value, done: &str) -> Ended {
    let mut peer = Peer::initialized().await;
    let mut messages: Vec<Value> = (1..=4).map(ask).collect();
    messages.extend((1..=150).map(change));
    peer.send(&messages).await;
    let mut replies = Vec::new();
    for _ in 0..4 {
        let question = peer.receive().await;
        assert_eq!(question["method"], "workspace/configuration");
        replies.push(json!({"jsonrpc": "2.0", "id": question["id"], "result": []}));
    }
    peer.send(&replies).await;
    let mut rounds = 0;
    while peer.log.lines().len() < 154 {
        peer.send(&[request(9, "test/snapshot", Value::Null)]).await;
        while peer.receive().await["id"] != json!(9) {}
        rounds += 1;
        assert!(rounds < 1000, "only {:?}", peer.log.lines());
    }
    let lines = peer.log.lines();
    assert_eq!(lines.iter().filter(|line| *line == done).count(), 4);
    let versions: Vec<&String> = lines
        .iter()
        .filter(|line| line.starts_with("change"))
        .collect();
    let expected: Vec<String> = (1..=150)
        .map(|version| format!("change {version}"))
        .collect();
    assert_eq!(versions, expected.iter().collect::<Vec<_>>());
    peer.end().await
}

#[tokio::test]
async fn handlers_that_wait_for_the_client_do_not_stop_the_reader() {
    let ended = questions_and_a_queue(|id| request(id, "test/ask", Value::Null), "asked").await;
    assert_eq!(ended.defects.awaited_notifications(), 0);
}

#[tokio::test]
async fn tasks_that_wait_for_the_client_do_not_stop_the_reader() {
    let ended =
        questions_and_a_queue(|_| notification("test/askAside", json!({})), "asked aside").await;
    assert_eq!(ended.defects.awaited_notifications(), 0);
}

#[tokio::test]
async fn a_notification_handler_that_awaits_is_counted_and_still_done() {
    let ended =
        questions_and_a_queue(|_| notification("test/askLate", json!({})), "asked late").await;
    assert_eq!(ended.defects.awaited_notifications(), 4);
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let mut peer = Peer::initialized().await;
    for (id, method) in [(1, "test/panicAtOnce"), (2, "test/panicLater")] {
        peer.send(&[request(id, method, Value::Null)]).await;
        let answer = peer.receive().await;
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&json!(id), &json!(-32603)),
            "{method}"
        );
    }
    peer.send(&[
        notification("test/panicNotified", json!({})),
        request(3, "test/snapshot", Value::Null),
    ])
    .await;
    assert_eq!(peer.receive().await["result"], json!(0));
    assert_eq!(peer.end().await.defects.panics(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_sends_comes_before_its_answer() {
    let mut peer = Peer::initialized().await;
    for id in 1..=200 {
        peer.send(&[request(id, "test/chat", Value::Null)]).await;
        for index in 0..5 {
            assert_eq!(
                peer.receive().await["params"]["message"],
                json!(index.to_string())
            );
        }
        assert_eq!(peer.receive().await["id"], json!(id));
    }
}

#[tokio::test]
async fn a_malformed_message_does_not_end_the_session() {
    let mut peer = Peer::initialized().await;
    peer.write(b"Content-Length: 1\r\n\r\n{").await;
    let answer = peer.receive().await;
    assert_eq!(
        (&answer["id"], &answer["error"]["code"]),
        (&Value::Null, &json!(-32700))
    );
    peer.send(&[request(1, "test/snapshot", Value::Null)]).await;
    assert_eq!(peer.receive().await["id"], json!(1));
}

#[tokio::test]
async fn before_initialize_nothing_is_served() {
    let mut peer = Peer::start();
    peer.send(&[change(1), hover(1)]).await;
    assert_eq!(peer.receive().await["error"]["code"], json!(-32002));
    assert!(peer.log.lines().is_empty());
}

#[tokio::test]
async fn the_exit_code_is_0_after_shutdown_only() {
    let exit = || json!({"jsonrpc": "2.0", "method": "exit"});
    let mut peer = Peer::initialized().await;
    peer.send(&[hover(1), request(2, "shutdown", Value::Null), exit()])
        .await;
    // The answer to shutdown is written although exit follows at once, and nothing waits for the endless request.
    let answers = [peer.receive().await, peer.receive().await];
    assert!(
        answers
            .iter()
            .any(|answer| answer["id"] == json!(2) && answer["result"].is_null()),
        "{answers:?}"
    );
    let ended = peer.server.await.unwrap();
    assert_eq!((ended.cause, ended.exit_code()), (Cause::Exit, 0));

    let mut peer = Peer::initialized().await;
    peer.send(&[exit()]).await;
    let ended = peer.server.await.unwrap();
    assert_eq!((ended.cause, ended.exit_code()), (Cause::Exit, 1));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_input_ends_the_session() {
    let mut peer = Peer::initialized().await;
    peer.send(&[hover(1), hover(2), request(3, "test/snapshot", Value::Null)])
        .await;
    peer.output = None;
    assert_eq!(peer.receive().await["id"], json!(3));
    let ended = peer.server.await.unwrap();
    assert_eq!((ended.cause, ended.exit_code()), (Cause::InputClosed, 1));
}

#[tokio::test]
async fn a_closed_output_ends_the_session() {
    let mut peer = Peer::initialized().await;
    let (_, closed) = tokio::io::duplex(1);
    peer.input = closed;
    peer.send(&[request(1, "test/snapshot", Value::Null)]).await;
    assert_eq!(peer.server.await.unwrap().cause, Cause::OutputClosed);
}

#[cfg(unix)]
#[tokio::test]
async fn the_death_of_the_client_ends_the_session() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a process to watch, which ends when its input does"
    )]
    let mut client = std::process::Command::new("cat")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut peer = Peer::start();
    peer.send(&[request(
        0,
        "initialize",
        json!({"processId": client.id(), "capabilities": {}}),
    )])
    .await;
    assert!(peer.receive().await.get("result").is_some());
    peer.send(&[request(1, "test/snapshot", Value::Null)]).await;
    assert_eq!(peer.receive().await["id"], json!(1));

    drop(client.stdin.take());
    client.wait().unwrap();
    assert_eq!(peer.server.await.unwrap().cause, Cause::ClientGone);
}

#[tokio::test]
async fn a_client_that_cannot_be_seen_is_taken_to_live() {
    for id in [
        json!(null),
        json!(-1),
        json!(0),
        json!(i32::MAX),
        json!(i64::MAX),
        json!("7"),
    ] {
        let mut peer = Peer::start();
        peer.send(&[request(
            0,
            "initialize",
            json!({"processId": id, "capabilities": {}}),
        )])
        .await;
        peer.receive().await;
        peer.send(&[request(1, "test/snapshot", Value::Null)]).await;
        assert_eq!(peer.receive().await["id"], json!(1), "{id}");
    }
}

#[tokio::test]
async fn speaking_to_a_client_that_is_gone_is_no_failure() {
    let mut speaker = None;
    let (service, socket) = LspService::build(|client| {
        speaker = Some(client.clone());
        Toy {
            client,
            log: Log::default(),
        }
    })
    .finish();
    let hello = frames::encode(&request(0, "initialize", json!({"capabilities": {}}))).unwrap();
    let ended = serve(hello.as_ref(), tokio::io::sink(), service, socket).await;
    assert_eq!(ended.cause, Cause::InputClosed);
    let mut speaker = speaker.unwrap();
    let speaking = async {
        for _ in 0..100 {
            let word = Request::build("window/logMessage").finish();
            assert!(speaker.call(word).await.is_ok());
        }
    };
    tokio::select! {
        () = speaking => {}
        never = ended.unheard.listen() => match never {},
    }
}
