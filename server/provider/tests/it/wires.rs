//! Every fault a provider can have, by its name, on both wires: the state it ends in, and what is known of the bill.

use std::fmt::Write;
use std::time::Duration;

use expect_test::expect;
use provider::{Billed, Provider, StreamEvent, Timeouts, ToolSpec};
use serde_json::json;
use tokio::net::TcpListener;

use crate::fixtures::fixture;
use crate::support::{
    Outcome, RawServer, chat_with, client_with, complete, impatient, raw_turn, request, scripted,
};

#[derive(Clone, Copy)]
enum Wire {
    Messages,
    Chat,
}

impl Wire {
    fn client(self, base_url: &str, timeouts: Timeouts) -> Box<dyn Provider> {
        match self {
            Wire::Messages => Box::new(client_with(base_url, timeouts)),
            Wire::Chat => Box::new(chat_with(base_url, timeouts)),
        }
    }

    fn fixture(self, messages: &str, chat: &str) -> String {
        fixture(match self {
            Wire::Messages => messages,
            Wire::Chat => chat,
        })
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
    state(&complete(wire.client(base_url, timeouts).as_ref(), request).await)
}

async fn play(wire: Wire, script: &str) -> String {
    let silent = script.contains("hang") || script.contains("stall_after");
    let timeouts = if silent {
        impatient()
    } else if script.contains("delay_ms") {
        patient()
    } else {
        Timeouts::default()
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

const STATUS: [(&str, &str); 17] = [
    (
        "429_retry_after_s",
        "status = 429\nheaders = { retry-after = \"7\" }",
    ),
    (
        "429_retry_after_date",
        "status = 429\nheaders = { retry-after = \"Sat, 21 Nov 2026 12:00:30 GMT\", date = \"Sat, 21 Nov 2026 12:00:00 GMT\" }",
    ),
    ("429_no_header", "status = 429"),
    (
        "429_no_quota",
        "status = 429\nbody = '{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}}'",
    ),
    ("500", "status = 500"),
    (
        "502_html",
        "status = 502\nheaders = { content-type = \"text/html\" }\nbody = '<title>Bad gateway</title>'",
    ),
    ("503", "status = 503\nbody = ''"),
    ("529", "status = 529"),
    ("408", "status = 408"),
    (
        "401",
        "status = 401\nbody = '{\"error\":{\"message\":\"Incorrect API key provided\",\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\"}}'",
    ),
    ("403", "status = 403"),
    (
        "404_model",
        "status = 404\nbody = '{\"error\":{\"message\":\"The model does not exist\",\"type\":\"invalid_request_error\",\"code\":\"model_not_found\"}}'",
    ),
    ("413", "status = 413"),
    (
        "400_context",
        "status = 400\nbody = '{\"error\":{\"message\":\"This model'+\"'\"+'s maximum context length is 8192 tokens\",\"type\":\"invalid_request_error\",\"code\":\"context_length_exceeded\"}}'",
    ),
    (
        "400_no_tools",
        "status = 400\nbody = '{\"error\":{\"message\":\"registry.ollama.ai/library/gemma:2b does not support tools\",\"type\":\"api_error\"}}'",
    ),
    (
        "302_other_host",
        "status = 302\nbody = ''\nheaders = { location = \"https://elsewhere.example/\" }",
    ),
    (
        "301_same_host",
        "status = 301\nbody = ''\nheaders = { location = \"/v2/\" }",
    ),
];

const CONNECTION: [(&str, &str); 6] = [
    ("reset_before_headers", "drop = true"),
    ("reset_after_headers", "cut_after = { bytes = 0 }"),
    ("close_mid_chunk", "cut_after = { bytes = 500 }"),
    ("stall_headers", "hang = true"),
    ("stall_first_byte", "stall_after = { bytes = 0 }"),
    ("stall_later", "stall_after = { events = 3 }"),
];

/// What is wrong with a stream that arrives.
fn streams(wire: Wire) -> Vec<(&'static str, String)> {
    let plain = wire.fixture("plain_text", "oai_plain_text");
    let events: Vec<&str> = plain.split_inclusive("\n\n").collect();
    let without_last = |count: usize| events[..events.len() - count].concat();
    let fault =
        |fault: &str| format!("[[turn]]\ntext = \"Hello, world\"\n[[turn.fault]]\n{fault}\n");
    let tool = |tool: &str| format!("[[turn]]\n[[turn.tool]]\nname = \"find\"\n{tool}\n");
    let absurd = plain
        .replace("\"output_tokens\":9", "\"output_tokens\":-9")
        .replace("\"prompt_tokens\": 12", "\"prompt_tokens\": -12")
        .replace("\"completion_tokens\": 9", "\"completion_tokens\": 1e99");
    let mut mixed = String::new();
    for (number, line) in plain.split_inclusive('\n').enumerate() {
        let end = if number % 2 == 0 { "\r\n" } else { "\n" };
        mixed.push_str(line.trim_end_matches('\n'));
        mixed.push_str(end);
    }
    let out_of_order = match wire {
        Wire::Messages => plain.replace("\"index\":0,\"delta\"", "\"index\":4,\"delta\""),
        Wire::Chat => fixture("oai_tool_calls_interleaved")
            .replace("\"index\":0,\"id\"", "\"index\":7,\"id\"")
            .replace("\"index\":0,\"function\"", "\"index\":7,\"function\""),
    };
    let doubled: String = events
        .iter()
        .map(|event| {
            let text = event.contains("text_delta") || event.contains("\"content\":\"Hello\"");
            if text {
                event.repeat(2)
            } else {
                (*event).to_owned()
            }
        })
        .collect();
    vec![
        (
            "error_event_after_200",
            fault(
                "error_after = { events = 2 }\nerror = { type = \"api_error\", message = \"x\" }",
            ),
        ),
        ("overloaded_event", fault("error_after = { events = 2 }")),
        (
            "end_without_stop",
            raw_turn(&without_last(match wire {
                Wire::Messages => 1,
                Wire::Chat => 3,
            })),
        ),
        (
            "stop_without_usage",
            raw_turn(&match wire {
                Wire::Messages => plain.replace("\"usage\":{\"output_tokens\":9}", "\"x\":0"),
                Wire::Chat => fixture("oai_no_usage_chunk"),
            }),
        ),
        (
            "usage_twice",
            raw_turn(&wire.fixture("multi_message_delta", "vllm_reasoning_and_running_usage")),
        ),
        ("usage_absurd", raw_turn(&absurd)),
        (
            "split_inside_utf8",
            format!("chunk_bytes = 1\n{}", raw_turn(&plain)),
        ),
        (
            "split_inside_field",
            format!("chunk_bytes = 7\n{}", raw_turn(&plain)),
        ),
        ("crlf_and_lf", raw_turn(&mixed)),
        (
            "no_space_after_colon",
            raw_turn(&plain.replace("data: ", "data:")),
        ),
        (
            "comment_flood",
            raw_turn(&(": x\n".repeat(20_000) + &plain)),
        ),
        (
            "unknown_event",
            raw_turn(&wire.fixture("unknown_event", "oai_unknown_events")),
        ),
        ("out_of_order_index", raw_turn(&out_of_order)),
        ("duplicate_delta", raw_turn(&doubled)),
        ("truncated_tool_json", tool("input_json = '{\"a\": '")),
        ("tool_json_wrong_types", tool("input_json = '[1]'")),
        (
            "tool_unknown",
            "[[turn]]\n[[turn.tool]]\nname = \"rm\"\n".to_owned(),
        ),
        (
            "two_tools_one_id",
            format!(
                "{}id = \"t\"\n[[turn.tool]]\nname = \"find\"\nid = \"t\"\n",
                tool("")
            ),
        ),
        (
            "refusal",
            "[[turn]]\ntext = \"No\"\nstop = \"refusal\"\n".to_owned(),
        ),
        (
            "max_tokens_inside_tool",
            raw_turn(&wire.fixture("max_tokens_mid_tool", "oai_length_mid_tool")),
        ),
        ("not_utf8", fault("garble_after = { events = 2 }")),
        (
            "slow_loris",
            format!("chunk_bytes = 1\ndelay_ms = 10\n{}", raw_turn(&plain)),
        ),
        (
            "keepalive_only",
            format!(
                "chunk_bytes = 5\ndelay_ms = 10\n{}",
                raw_turn(&": still here\n".repeat(500))
            ),
        ),
    ]
}

async fn faults(wire: Wire) -> Vec<(&'static str, String)> {
    let mut states = Vec::new();
    for (name, fault) in STATUS {
        // TOML has no apostrophe in a literal string.
        let fault = fault.replace("'+\"'\"+'", "`");
        let script = format!("[[turn]]\n[[turn.fault]]\n{fault}\n");
        states.push((name, play(wire, &script).await));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    states.push(("refused", ask(wire, &nobody, Timeouts::default()).await));
    let plain = RawServer::start(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    let tls = plain.base_url().replace("http", "https");
    states.push(("tls_to_plain", ask(wire, &tls, Timeouts::default()).await));
    for (name, fault) in CONNECTION {
        let script = format!("[[turn]]\ntext = \"Hello, world\"\n[[turn.fault]]\n{fault}\n");
        states.push((name, play(wire, &script).await));
    }
    for (name, script) in streams(wire) {
        states.push((name, play(wire, &script).await));
    }
    states
}

#[tokio::test]
async fn every_fault_ends_in_its_named_state_on_both_wires() {
    let (messages, chat) = tokio::join!(faults(Wire::Messages), faults(Wire::Chat));
    let mut shown = String::new();
    for ((name, messages), (_, chat)) in messages.iter().zip(&chat) {
        if messages == chat {
            writeln!(shown, "{name}: {messages}").unwrap();
        } else {
            writeln!(shown, "{name}: {messages} | {chat}").unwrap();
        }
    }
    expect![[r#"
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
        refused: Network retry, free
        tls_to_plain: Network retry, free
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
