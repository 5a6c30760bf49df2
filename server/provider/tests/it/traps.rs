//! The traps that accounting of model usage has fallen into elsewhere, each on both wires: what arrives, and what is
//! billed for it. A test bears the name of the trap that it stays out of.
//!
//! The other half, from a bill to the ledger, is in `ledger`'s own tests of the same name.

use expect_test::{Expect, expect};
use futures::StreamExt;
use provider::{Billed, Provider, StreamEvent};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::list::raw_turn;
use crate::support::{chat, client, complete, request, scripted, show_billed};

/// An answer over the Messages wire: the usage it starts with, and the usage of each `message_delta` that follows.
fn messages(start: &Value, deltas: &[Value]) -> String {
    let mut stream = event(
        "message_start",
        &json!({"message": {
            "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": start,
        }}),
    );
    stream += &event(
        "content_block_start",
        &json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
    );
    stream += &event(
        "content_block_delta",
        &json!({"index": 0, "delta": {"type": "text_delta", "text": "ok"}}),
    );
    stream += &event("content_block_stop", &json!({"index": 0}));
    for (index, usage) in deltas.iter().enumerate() {
        let stop = (index + 1 == deltas.len()).then_some("end_turn");
        stream += &event(
            "message_delta",
            &json!({"delta": {"stop_reason": stop, "stop_sequence": null}, "usage": usage}),
        );
    }
    stream + &event("message_stop", &json!({}))
}

fn event(name: &str, data: &Value) -> String {
    let mut data = data.clone();
    data["type"] = name.into();
    format!("event: {name}\ndata: {data}\n\n")
}

/// An answer over the chat wire: the usage of the chunk with the text, and of the last one.
fn completions(with_text: &Value, last: &Value) -> String {
    let chunk = |choices: Value, usage: &Value| {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_763_700_000, "model": "gpt-6-luna",
            "choices": choices, "usage": usage,
        });
        format!("data: {chunk}\n\n")
    };
    let text = json!([{"index": 0, "delta": {"role": "assistant", "content": "ok"}, "finish_reason": null}]);
    let stop = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    let mut stream = chunk(text, with_text) + &chunk(stop, &Value::Null);
    if !last.is_null() {
        stream += &chunk(json!([]), last);
    }
    stream + "data: [DONE]\n\n"
}

/// What is billed for an answer.
async fn bill(client: &dyn Provider) -> String {
    let (events, error) = complete(client, request("Hi")).await;
    match (events.last(), error) {
        (Some(StreamEvent::Finished { billed, .. }), None) => show_billed(*billed),
        (_, Some(error)) => format!("{:?}, {}", error.kind(), show_billed(error.billed())),
        other => panic!("{other:?}"),
    }
}

async fn check(over_messages: &str, over_chat: &str, expected: Expect) {
    let server = scripted(&raw_turn(over_messages)).await;
    let first = bill(&client(&server.base_url())).await;
    let other = scripted(&raw_turn(over_chat)).await;
    let second = bill(&chat(&other.base_url())).await;
    // One attempt is one request: nothing is sent again behind the back of whoever pays.
    assert_eq!((server.requests().len(), other.requests().len()), (1, 1));
    expected.assert_eq(&format!("messages {first}\nchat     {second}\n"));
}

#[tokio::test]
async fn running_counts_added_up() {
    let start = json!({"input_tokens": 100, "output_tokens": 5});
    check(
        &messages(
            &start,
            &[
                json!({"output_tokens": 20}),
                json!({"output_tokens": 33}),
                json!({"output_tokens": 40}),
            ],
        ),
        &completions(
            &json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}),
            &json!({"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140}),
        ),
        expect![[r#"
            messages exactly [100 w5 0 w1h 0 r 0 -> 40]
            chat     exactly [100 w5 0 w1h 0 r 0 -> 40]
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_first_count_kept_for_the_last() {
    check(
        &messages(
            &json!({"input_tokens": 100, "output_tokens": 1}),
            &[json!({"output_tokens": 900})],
        ),
        &completions(
            &json!({"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101}),
            &json!({"prompt_tokens": 100, "completion_tokens": 900, "total_tokens": 1000}),
        ),
        expect![[r#"
            messages exactly [100 w5 0 w1h 0 r 0 -> 900]
            chat     exactly [100 w5 0 w1h 0 r 0 -> 900]
        "#]],
    )
    .await;
}

/// On one wire cached tokens are beside the input, on the other inside it.
#[tokio::test]
async fn cached_input_counted_twice() {
    check(
        &messages(
            &json!({"input_tokens": 500, "cache_read_input_tokens": 9_000, "cache_creation_input_tokens": 0, "output_tokens": 1}),
            &[json!({"output_tokens": 10})],
        ),
        &completions(
            &Value::Null,
            &json!({"prompt_tokens": 9_500, "completion_tokens": 10, "total_tokens": 9_510,
                "prompt_tokens_details": {"cached_tokens": 9_000}}),
        ),
        expect![[r#"
            messages exactly [500 w5 0 w1h 0 r 9000 -> 10]
            chat     exactly [500 w5 0 w1h 0 r 9000 -> 10]
        "#]],
    )
    .await;
}

#[tokio::test]
async fn cache_writes_priced_as_reads_or_as_nothing() {
    check(
        &messages(
            &json!({"input_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 5_000,
                "cache_creation": {"ephemeral_5m_input_tokens": 3_000, "ephemeral_1h_input_tokens": 2_000}, "output_tokens": 1}),
            // The last word has the sum alone: how it splits was said at the start.
            &[json!({"output_tokens": 10, "cache_creation_input_tokens": 5_000})],
        ),
        &completions(
            &Value::Null,
            &json!({"prompt_tokens": 5_010, "completion_tokens": 10, "total_tokens": 5_020,
                "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 5_000}}),
        ),
        expect![[r#"
            messages exactly [10 w5 3000 w1h 2000 r 0 -> 10]
            chat     exactly [10 w5 5000 w1h 0 r 0 -> 10]
        "#]],
    )
    .await;
}

/// Thinking is inside the output on both wires.
#[tokio::test]
async fn thinking_counted_beside_the_output() {
    check(
        &messages(
            &json!({"input_tokens": 100, "output_tokens": 1}),
            &[json!({"output_tokens": 800, "output_tokens_details": {"thinking_tokens": 700}})],
        ),
        &completions(
            &Value::Null,
            &json!({"prompt_tokens": 100, "completion_tokens": 800, "total_tokens": 900,
                "completion_tokens_details": {"reasoning_tokens": 700}}),
        ),
        expect![[r#"
            messages exactly [100 w5 0 w1h 0 r 0 -> 800]
            chat     exactly [100 w5 0 w1h 0 r 0 -> 800]
        "#]],
    )
    .await;
}

/// What the provider did besides the answer is on the bill and not in the answer's own figures.
#[tokio::test]
async fn compaction_and_fallbacks_left_out() {
    check(
        &messages(
            &json!({"input_tokens": 12, "output_tokens": 1}),
            &[json!({"output_tokens": 6, "iterations": [
                {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
                {"type": "message", "model": "claude-opus-5-5", "input_tokens": 50, "output_tokens": 3},
                {"type": "fallback_message", "model": "claude-sonnet-5-5", "input_tokens": 12, "output_tokens": 6},
            ]})],
        ),
        // This wire has no such steps; a gateway that reports more than one usage sends a running count.
        &completions(
            &json!({"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}),
            &json!({"prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18}),
        ),
        expect![[r#"
            messages exactly [180062 w5 0 w1h 0 r 0 -> 3509]
            chat     exactly [12 w5 0 w1h 0 r 0 -> 6]
        "#]],
    )
    .await;
}

#[tokio::test]
async fn missing_usage_read_as_nothing() {
    check(
        &messages(&json!({}), &[json!({})]),
        &completions(&Value::Null, &Value::Null),
        expect![[r#"
            messages unknown
            chat     unknown
        "#]],
    )
    .await;
}

#[tokio::test]
async fn an_error_in_a_good_response_taken_for_free() {
    let start = json!({"input_tokens": 2_000, "output_tokens": 1});
    let whole = messages(&start, &[json!({"output_tokens": 60})]);
    let begun = whole.split("event: content_block_stop").next().unwrap();
    let failed = event(
        "error",
        &json!({"error": {"type": "overloaded_error", "message": "Overloaded"}}),
    );
    let whole = completions(
        &json!({"prompt_tokens": 2_000, "completion_tokens": 1, "total_tokens": 2_001}),
        &Value::Null,
    );
    let first = whole.split("\n\n").next().unwrap();
    check(
        &format!("{begun}{failed}"),
        &format!(
            "{first}\n\ndata: {}\n\n",
            json!({"error": {"message": "Overloaded", "type": "server_error"}})
        ),
        expect![[r#"
            messages Overloaded, at least [2000 w5 0 w1h 0 r 0 -> 1]
            chat     Server, at least [2000 w5 0 w1h 0 r 0 -> 1]
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_cut_stream_taken_for_a_small_answer() {
    let start = json!({"input_tokens": 2_000, "output_tokens": 1});
    let whole = messages(&start, &[json!({"output_tokens": 60})]);
    let chat = completions(
        &Value::Null,
        &json!({"prompt_tokens": 2_000, "completion_tokens": 60, "total_tokens": 2_060}),
    );
    check(
        whole.split("event: message_delta").next().unwrap(),
        chat.split("\n\n").next().unwrap(),
        expect![[r#"
            messages Cut, at least [2000 w5 0 w1h 0 r 0 -> 1]
            chat     Cut, unknown
        "#]],
    )
    .await;
}

#[tokio::test]
async fn an_abort_taken_for_nothing() {
    let start = json!({"input_tokens": 2_000, "output_tokens": 1});
    let streams = [
        messages(&start, &[json!({"output_tokens": 60})]),
        completions(
            &Value::Null,
            &json!({"prompt_tokens": 2_000, "completion_tokens": 60, "total_tokens": 2_060}),
        ),
    ];
    let mut bills = Vec::new();
    for (index, stream) in streams.iter().enumerate() {
        let stall = format!(
            "{}[[turn.fault]]\nstall_after = {{ events = {} }}",
            raw_turn(stream),
            3 - 2 * index
        );
        let server = scripted(&stall).await;
        let client: Box<dyn Provider> = match index {
            0 => Box::new(client(&server.base_url())),
            _ => Box::new(chat(&server.base_url())),
        };
        let cancel = CancellationToken::new();
        let mut answer = client.stream(request("Hi"), cancel.clone());
        let mut billed = None;
        while let Some(event) = answer.next().await {
            match event {
                Ok(StreamEvent::TextDelta(_)) => cancel.cancel(),
                Ok(StreamEvent::Finished { billed, .. }) => panic!("it was cut off: {billed:?}"),
                Ok(_) => {}
                Err(error) => billed = Some(error.billed()),
            }
        }
        let billed = billed.unwrap();
        assert!(
            !matches!(billed, Billed::Nothing | Billed::Exactly(_)),
            "{billed:?}"
        );
        bills.push(show_billed(billed));
    }
    expect![[r#"
        messages at least [2000 w5 0 w1h 0 r 0 -> 1]
        chat     unknown
    "#]]
    .assert_eq(&format!("messages {}\nchat     {}\n", bills[0], bills[1]));
}

/// A refusal before any output is not billed; one after some is.
#[tokio::test]
async fn a_refusal_billed_or_forgotten_wholesale() {
    let refused = |output: u64| {
        messages(
            &json!({"input_tokens": 300, "output_tokens": output}),
            &[json!({"output_tokens": output})],
        )
        .replace("\"end_turn\"", "\"refusal\"")
    };
    let silent = refused(0);
    let block = silent.find("event: content_block_start").unwrap();
    let delta = silent.find("event: message_delta").unwrap();
    let silent = format!("{}{}", &silent[..block], &silent[delta..]);
    let usage = json!({"prompt_tokens": 300, "completion_tokens": 7, "total_tokens": 307});
    let filtered = completions(&Value::Null, &usage).replace("\"stop\"", "\"content_filter\"");
    check(
        &silent,
        &filtered,
        expect![[r#"
        messages free
        chat     exactly [300 w5 0 w1h 0 r 0 -> 7]
    "#]],
    )
    .await;
    check(
        &refused(7),
        &filtered,
        expect![[r#"
        messages exactly [300 w5 0 w1h 0 r 0 -> 7]
        chat     exactly [300 w5 0 w1h 0 r 0 -> 7]
    "#]],
    )
    .await;
}
