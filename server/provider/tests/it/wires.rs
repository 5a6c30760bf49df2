//! Every fault a provider can have, by its name, on both wires: the state it ends in, and what is known of the bill.

use std::fmt::Write;
use std::time::Duration;

use expect_test::expect;
use provider::{Billed, Provider, StreamEvent, Timeouts, ToolSpec};
use serde_json::json;
use tokio::net::TcpListener;

use crate::list::{self, Patience, Wire, fixture, raw_turn};
use crate::support::{
    Outcome, RawServer, chat_with, client_with, complete, impatient, request, scripted,
};

fn client(wire: Wire, base_url: &str, timeouts: Timeouts) -> Box<dyn Provider> {
    match wire {
        Wire::Messages => Box::new(client_with(base_url, timeouts)),
        Wire::Chat => Box::new(chat_with(base_url, timeouts)),
    }
}

fn patient() -> Timeouts {
    Timeouts {
        total: Duration::from_millis(400),
        ..Timeouts::default()
    }
}

async fn ask(wire: Wire, base_url: &str, timeouts: Timeouts) -> String {
    let mut request = request("Hi");
    request.tools = vec![ToolSpec::new("find", "Finds.", json!({"type": "object"}))];
    state(&complete(client(wire, base_url, timeouts).as_ref(), request).await)
}

async fn play(wire: Wire, script: &str) -> String {
    let timeouts = match Patience::of(script) {
        Patience::Usual => Timeouts::default(),
        Patience::Silence => impatient(),
        Patience::Endless => patient(),
    };
    let server = scripted(script).await;
    ask(wire, &server.base_url(), timeouts).await
}

/// The end of an attempt, in a few words.
fn state((events, error): &Outcome) -> String {
    let bill = |billed: Billed| match billed {
        Billed::Nothing => "free",
        Billed::Exactly(_) => "exact",
        Billed::AtLeast(_) => "at least",
        Billed::Unknown => "unknown",
    };
    if let Some(error) = error {
        let retry = if error.is_retryable() { " retry" } else { "" };
        let after = error
            .retry_after()
            .map(|wait| format!(" after {} s", wait.as_secs()))
            .unwrap_or_default();
        let began = if error.answer_began() { " begun" } else { "" };
        return format!(
            "{:?}{began}{retry}{after}, {}",
            error.kind(),
            bill(error.billed())
        );
    }
    let broken = events
        .iter()
        .filter(|event| matches!(event, StreamEvent::ToolReady { input: Err(_), .. }))
        .count();
    let broken = match broken {
        0 => String::new(),
        count => format!(" with {count} broken call"),
    };
    match events.last() {
        Some(StreamEvent::Finished { stop, billed, .. }) => {
            format!("{stop:?}{broken}, {}", bill(*billed))
        }
        other => panic!("no end: {other:?}"),
    }
}

async fn states(wire: Wire) -> Vec<(&'static str, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut states = vec![("refused", ask(wire, &nobody, Timeouts::default()).await)];
    let plain = RawServer::start(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    let tls = plain.base_url().replace("http", "https");
    states.push(("tls_to_plain", ask(wire, &tls, Timeouts::default()).await));
    for (name, script) in list::faults(wire) {
        states.push((name, play(wire, &script).await));
    }
    states
}

#[tokio::test]
async fn every_fault_ends_in_its_named_state_on_both_wires() {
    let (messages, chat) = tokio::join!(states(Wire::Messages), states(Wire::Chat));
    let mut shown = String::new();
    for ((name, messages), (_, chat)) in messages.iter().zip(&chat) {
        if messages == chat {
            writeln!(shown, "{name}: {messages}").unwrap();
        } else {
            writeln!(shown, "{name}: {messages} | {chat}").unwrap();
        }
    }
    expect![[r#"
        refused: Network retry, free
        tls_to_plain: Network retry, free
        429_retry_after_s: RateLimited retry after 7 s, free
        429_retry_after_date: RateLimited retry after 30 s, free
        429_no_header: RateLimited retry, free
        429_no_quota: Billing, free
        500: Server retry, unknown
        502_html: Server retry, unknown
        503: Overloaded retry, free
        529: Overloaded retry, free
        408: Server retry, unknown
        401: Auth, free
        403: Permission, free
        404_model: NotFound, free
        413: ContextTooLong, free
        400_context: ContextTooLong, free
        400_no_tools: NoTools, free
        302_other_host: Protocol, free
        301_same_host: Protocol, free
        reset_before_headers: Network retry, unknown
        reset_after_headers: Cut, unknown
        close_mid_chunk: Cut begun, at least | Cut begun, unknown
        stall_headers: Network, unknown
        stall_first_byte: Cut, unknown
        stall_later: Cut begun, at least | Cut begun, unknown
        error_event_after_200: Server begun, at least | Server begun, unknown
        overloaded_event: Overloaded begun, at least | Overloaded begun, unknown
        end_without_stop: Cut begun, at least | Cut begun, unknown
        stop_without_usage: EndTurn, at least | EndTurn, unknown
        usage_twice: EndTurn, exact
        usage_absurd: EndTurn, at least | EndTurn, unknown
        split_inside_utf8: EndTurn, exact
        split_inside_field: EndTurn, exact
        crlf_and_lf: EndTurn, exact
        no_space_after_colon: EndTurn, exact
        comment_flood: EndTurn, exact
        unknown_event: EndTurn, exact
        out_of_order_index: Protocol begun, at least | ToolUse, exact
        duplicate_delta: EndTurn, exact
        truncated_tool_json: ToolUse with 1 broken call, exact
        tool_json_wrong_types: ToolUse with 1 broken call, exact
        tool_unknown: ToolUse, exact
        two_tools_one_id: Protocol begun, at least | Protocol begun, unknown
        refusal: Refusal, exact
        max_tokens_inside_tool: MaxTokens with 1 broken call, exact
        not_utf8: Protocol begun, at least | Protocol begun, unknown
        slow_loris: Cut, unknown
        keepalive_only: Cut, unknown
    "#]]
    .assert_eq(&shown);
}

/// Complete or not, a stream that is cut somewhere is a part of the whole, and never an end that it has not.
async fn cuts(wire: Wire, name: &str, step: usize) -> usize {
    let sse = fixture(name);
    let whole = raw_turn(&sse);
    let played = async |script: &str| {
        let server = scripted(script).await;
        let mut request = request("Hi");
        request.tools = vec![ToolSpec::new("find", "Finds.", json!({"type": "object"}))];
        let client = client(wire, &server.base_url(), Timeouts::default());
        complete(client.as_ref(), request).await
    };
    let (expected, error) = played(&whole).await;
    if error.is_some() {
        return 0;
    }
    let mut cuts = 0;
    for bytes in (sse.len() % step..sse.len()).step_by(step) {
        let (events, error) = played(&format!(
            "{whole}[[turn.fault]]\ncut_after = {{ bytes = {bytes} }}"
        ))
        .await;
        // What comes after the end of the answer is of no importance.
        let is_whole = events.len() == expected.len();
        assert_eq!(
            (error.is_some(), &events[..]),
            (!is_whole, &expected[..events.len()]),
            "{name} cut after {bytes} bytes"
        );
        cuts += 1;
    }
    cuts
}

/// With `FARTHING_LAWS` each stream is cut at every byte.
#[tokio::test]
async fn a_stream_that_is_cut_anywhere_is_never_a_complete_answer() {
    let step = if std::env::var_os("FARTHING_LAWS").is_some() {
        1
    } else {
        97
    };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.trim_end_matches(".sse").to_owned()
    });
    let (mut streams, mut all) = (0, 0);
    for name in names {
        let chat = [
            "oai_",
            "litellm",
            "llama_cpp",
            "ollama",
            "openrouter",
            "vllm",
        ];
        let chat = chat.iter().any(|start| name.starts_with(start));
        let cut = cuts(if chat { Wire::Chat } else { Wire::Messages }, &name, step).await;
        streams += usize::from(cut > 0);
        all += cut;
    }
    println!("{all} cuts of {streams} streams");
    assert!(streams >= 20, "{streams}");
}
