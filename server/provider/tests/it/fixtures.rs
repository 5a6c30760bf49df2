use expect_test::{Expect, expect};

use crate::list::{fixture, raw_turn};
use crate::support::{RawServer, client, complete, request, scripted, show, without_port};

async fn check(name: &str, expected: Expect) {
    check_script(&raw_turn(&fixture(name)), expected).await;
}

async fn check_script(script: &str, expected: Expect) {
    let server = scripted(script).await;
    let outcome = complete(&client(&server.base_url()), request("Hi")).await;
    expected.assert_eq(&without_port(&show(&outcome)));
    assert!(server.failures().is_empty(), "{:?}", server.failures());
}

macro_rules! fixtures {
    ($($name:ident $expected:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            check(stringify!($name), $expected).await;
        }
    )*};
}

fixtures! {
    plain_text expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "Hello"
        text ", wörld 🦀"
        usage [12 w5 0 w1h 0 r 0 -> 9]
        finished EndTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 9] exactly [12 w5 0 w1h 0 r 0 -> 9]
          {"type":"text","text":"Hello, wörld 🦀"}
    "#]];
    tool_use_single expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "Reading."
        tool toolu_01 read_symbol
        input toolu_01 {"symbol": "Ca
        input toolu_01 rt/total", "depth"
        input toolu_01 : 2}
        ready toolu_01 read_symbol {"symbol":"Cart/total","depth":2}
        usage [12 w5 0 w1h 0 r 0 -> 40]
        finished ToolUse req_scripted_1 [12 w5 0 w1h 0 r 0 -> 40] exactly [12 w5 0 w1h 0 r 0 -> 40]
          {"type":"text","text":"Reading."}
          {"type":"tool_use","id":"toolu_01","name":"read_symbol","input":{"symbol":"Cart/total","depth":2}}
    "#]];
    tool_use_parallel expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        tool toolu_01 find
        tool toolu_02 find
        input toolu_02 {"name": "b"
        input toolu_01 {"name": 
        input toolu_02 }
        ready toolu_02 find {"name":"b"}
        input toolu_01 "a"}
        ready toolu_01 find {"name":"a"}
        tool toolu_03 finish
        ready toolu_03 finish {}
        usage [12 w5 0 w1h 0 r 0 -> 55]
        finished ToolUse req_scripted_1 [12 w5 0 w1h 0 r 0 -> 55] exactly [12 w5 0 w1h 0 r 0 -> 55]
          {"type":"tool_use","id":"toolu_01","name":"find","input":{"name":"a"}}
          {"type":"tool_use","id":"toolu_02","name":"find","input":{"name":"b"}}
          {"type":"tool_use","id":"toolu_03","name":"finish","input":{}}
    "#]];
    thinking_omitted expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        thinking "" ~50
        thinking "" ~30
        text "42"
        usage [12 w5 0 w1h 0 r 0 -> 90]
        finished EndTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 90] exactly [12 w5 0 w1h 0 r 0 -> 90]
          opaque {"type":"thinking","thinking":"","signature":"RXF1YWwgdG8gbm90aGluZw=="}
          opaque {"type":"redacted_thinking","data":"c2VjcmV0"}
          {"type":"text","text":"42"}
    "#]];
    multi_message_delta expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "One"
        usage [12 w5 0 w1h 0 r 0 -> 20]
        text " two"
        usage [12 w5 0 w1h 0 r 0 -> 33]
        finished EndTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 33] exactly [12 w5 0 w1h 0 r 0 -> 33]
          {"type":"text","text":"One two"}
    "#]];
    cache_write_5m_1h expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [7 w5 1000 w1h 2000 r 0 -> 5]
        text "ok"
        usage [7 w5 1000 w1h 2000 r 0 -> 8]
        finished EndTurn req_scripted_1 [7 w5 1000 w1h 2000 r 0 -> 8] exactly [7 w5 1000 w1h 2000 r 0 -> 8]
          {"type":"text","text":"ok"}
    "#]];
    cache_read_hit expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [7 w5 120 w1h 0 r 3000 -> 5]
        text "ok"
        usage [7 w5 120 w1h 0 r 3000 -> 8]
        finished EndTurn req_scripted_1 [7 w5 120 w1h 0 r 3000 -> 8] exactly [7 w5 120 w1h 0 r 3000 -> 8]
          {"type":"text","text":"ok"}
    "#]];
    max_tokens_mid_tool expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "Editing."
        tool toolu_01 replace_symbol
        input toolu_01 {"symbol": "Cart/total", "text": "fn tot
        usage [12 w5 0 w1h 0 r 0 -> 64]
        broken toolu_01 replace_symbol: the answer ended inside the arguments of this call: it reached max_tokens
        finished MaxTokens req_scripted_1 [12 w5 0 w1h 0 r 0 -> 64] exactly [12 w5 0 w1h 0 r 0 -> 64]
          {"type":"text","text":"Editing."}
          {"type":"tool_use","id":"toolu_01","name":"replace_symbol","input":{"INVALID_JSON":"{\"symbol\": \"Cart/total\", \"text\": \"fn tot"}}
    "#]];
    refusal_pre_output expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        usage [12 w5 0 w1h 0 r 0 -> 1]
        finished Refusal "This request looks like an attack." req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0] free
    "#]];
    refusal_mid_stream expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "First, open"
        usage [12 w5 0 w1h 0 r 0 -> 15]
        finished Refusal "bio" req_scripted_1 [12 w5 0 w1h 0 r 0 -> 15] exactly [12 w5 0 w1h 0 r 0 -> 15]
          {"type":"text","text":"First, open"}
    "#]];
    error_overloaded_mid_stream expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "Half of an ans"
        Overloaded final at least [12 w5 0 w1h 0 r 0 -> 1]: Anthropic at 127.0.0.1 is overloaded (overloaded_error: Overloaded, request req_scripted_1); try again in a moment; what was streamed is billed
    "#]];
    eof_without_message_stop expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "Everything but the end"
        usage [12 w5 0 w1h 0 r 0 -> 9]
        Cut final at least [12 w5 0 w1h 0 r 0 -> 9]: the answer of Anthropic at 127.0.0.1 broke off (the connection was closed before the end of the answer, request req_scripted_1); run the action again; what was streamed is billed
    "#]];
    fallback_block expect![[r#"
        started msg_01 claude-opus-5 req_scripted_1 [50 w5 0 w1h 0 r 0 -> 1]
        text "ok"
        usage [100 w5 0 w1h 400 r 10 -> 9]
        finished EndTurn req_scripted_1 [100 w5 0 w1h 400 r 10 -> 9] exactly [100 w5 0 w1h 400 r 10 -> 9]
          opaque {"type":"fallback","from":{"model":"claude-opus-5-5"},"to":{"model":"claude-opus-5"},"trigger":"refusal"}
          {"type":"text","text":"ok"}
    "#]];
    compaction_iteration expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "ok"
        usage [180012 w5 0 w1h 0 r 0 -> 3506]
        finished EndTurn req_scripted_1 [180012 w5 0 w1h 0 r 0 -> 3506] exactly [180012 w5 0 w1h 0 r 0 -> 3506]
          opaque {"type":"compaction","content":"Summary so far.","encrypted_content":"b3BhcXVl"}
          {"type":"text","text":"ok"}
    "#]];
    pause_turn expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        usage [12 w5 0 w1h 0 r 0 -> 20]
        finished PauseTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 20] exactly [12 w5 0 w1h 0 r 0 -> 20]
          opaque {"type":"server_tool_use","id":"srvtoolu_01","name":"web_search","input":{"query":"x"}}
    "#]];
    unknown_event expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "ok"
        usage [12 w5 0 w1h 0 r 0 -> 5]
        finished EndTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 5] exactly [12 w5 0 w1h 0 r 0 -> 5]
          {"type":"text","text":"ok"}
    "#]];
    unknown_stop_reason expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        text "ok"
        usage [12 w5 0 w1h 0 r 0 -> 5]
        finished Unknown("out_of_poetry") req_scripted_1 [12 w5 0 w1h 0 r 0 -> 5] exactly [12 w5 0 w1h 0 r 0 -> 5]
          {"type":"text","text":"ok"}
    "#]];
    unknown_block expect![[r#"
        started msg_01 claude-sonnet-5-5 req_scripted_1 [12 w5 0 w1h 0 r 0 -> 1]
        usage [12 w5 0 w1h 0 r 0 -> 5]
        finished EndTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 5] exactly [12 w5 0 w1h 0 r 0 -> 5]
          opaque {"type":"hologram","frames":[3],"caption":"a b"}
    "#]];
}

/// What `plain_text` means, however it is written.
async fn check_plain_text(sse: &str, pace: &str) {
    let server = scripted(&format!("{pace}\n{}", raw_turn(sse))).await;
    let outcome = complete(&client(&server.base_url()), request("Hi")).await;
    let reference = scripted(&raw_turn(&fixture("plain_text"))).await;
    let expected = complete(&client(&reference.base_url()), request("Hi")).await;
    assert_eq!(show(&outcome), show(&expected));
}

#[tokio::test]
async fn characters_may_be_split_over_chunks() {
    check_plain_text(&fixture("plain_text"), "chunk_bytes = 1").await;
    check_plain_text(&fixture("plain_text"), "chunk_bytes = 7").await;
}

#[tokio::test]
async fn line_ends_and_spaces_may_vary() {
    let plain = fixture("plain_text");
    check_plain_text(&plain.replace('\n', "\r\n"), "chunk_bytes = 1").await;
    check_plain_text(&plain.replace('\n', "\r"), "chunk_bytes = 3").await;
    check_plain_text(
        &plain
            .replace("data: ", "data:")
            .replace("event: ", "event:"),
        "",
    )
    .await;
}

#[tokio::test]
async fn data_may_have_several_lines() {
    check_plain_text(
        &fixture("plain_text").replace(r#","message":{"#, "\ndata: ,\"message\":\ndata: {"),
        "",
    )
    .await;
    check_plain_text(
        &fixture("plain_text").replace(
            r#"{"type":"message_stop""#,
            "\ndata:{\ndata:\"type\":\"message_stop\"",
        ),
        "",
    )
    .await;
}

#[tokio::test]
async fn the_body_may_be_compressed() {
    let mut response = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_scripted_1\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n".to_vec();
    response.extend(gzip(fixture("plain_text").as_bytes()));
    let server = RawServer::start(response).await;
    let outcome = complete(&client(&server.base_url()), request("Hi")).await;
    let reference = scripted(&raw_turn(&fixture("plain_text"))).await;
    let expected = complete(&client(&reference.base_url()), request("Hi")).await;
    assert_eq!(show(&outcome), show(&expected));
}

/// A gzip file with one stored block.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    let mut file = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(bytes);
    file.extend((!crc).to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}
