//! The faults that a provider can have, by their names, as scripts of the scripted provider.

/// Which format the endpoint speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Messages,
    Chat,
}

impl Wire {
    fn fixture(self, messages: &str, chat: &str) -> String {
        fixture(match self {
            Wire::Messages => messages,
            Wire::Chat => chat,
        })
    }
}

/// A recorded stream.
pub(crate) fn fixture(name: &str) -> String {
    let path = format!(
        "{}/../provider/tests/fixtures/{name}.sse",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A script of one turn that sends `sse` as it is.
pub(crate) fn raw_turn(sse: &str) -> String {
    // A JSON string is a TOML string too.
    format!("[[turn]]\nsse = {}\n", serde_json::Value::from(sse))
}

/// How patient a client must be to see the fault in a test.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As patient as it is.
    Usual,
    /// The endpoint falls silent.
    Silence,
    /// The endpoint goes on for ever.
    Endless,
}

impl Patience {
    /// What the script needs.
    pub(crate) fn of(script: &str) -> Patience {
        if script.contains("hang") || script.contains("stall_after") {
            Patience::Silence
        } else if script.contains("delay_ms") {
            Patience::Endless
        } else {
            Patience::Usual
        }
    }
}

/// Every fault that needs no more than a script.
pub(crate) fn faults(wire: Wire) -> Vec<(&'static str, String)> {
    let status = STATUS.map(|(name, fault)| {
        // TOML has no apostrophe in a literal string.
        let fault = fault.replace("'+\"'\"+'", "`");
        (name, format!("[[turn]]\n[[turn.fault]]\n{fault}\n"))
    });
    let connection = CONNECTION.map(|(name, fault)| {
        let answer = "[[turn]]\ntext = \"Hello, world\"\n";
        (name, format!("{answer}[[turn.fault]]\n{fault}\n"))
    });
    let mut faults: Vec<_> = status.into_iter().chain(connection).collect();
    faults.extend(streams(wire));
    faults
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
