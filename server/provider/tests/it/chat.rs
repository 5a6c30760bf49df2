//! Chat completions: a recorded shape per server and per oddity.

use expect_test::{Expect, expect};
use provider::{Auth, Content, Message, OpenAi, OpenAiConfig, OpenAiServer, StreamEvent, ToolSpec};
use serde_json::json;

use crate::list::{fixture, raw_turn};
use crate::support::{chat, complete, request, scripted, show, without_port};

async fn check(name: &str, expected: Expect) {
    let server = scripted(&raw_turn(&fixture(name))).await;
    let outcome = complete(&chat(&server.base_url()), request("Hi")).await;
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
    litellm_cached_in_prompt expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "ok"
        usage [500 w5 1500 w1h 0 r 3000 -> 8]
        finished EndTurn req_scripted_1 [500 w5 1500 w1h 0 r 3000 -> 8] exactly [500 w5 1500 w1h 0 r 3000 -> 8]
          {"type":"text","text":"ok"}
    "#]];
    llama_cpp_calls_without_ids expect![[r#"
        started chatcmpl-9 local req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        tool chatcmpl-9_0 find
        input chatcmpl-9_0 {
        input chatcmpl-9_0 }
        ready chatcmpl-9_0 find {}
        usage [30 w5 0 w1h 0 r 0 -> 5]
        finished ToolUse req_scripted_1 [30 w5 0 w1h 0 r 0 -> 5] exactly [30 w5 0 w1h 0 r 0 -> 5]
          {"type":"tool_use","id":"chatcmpl-9_0","name":"find","input":{}}
    "#]];
    oai_cached_and_written expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "ok"
        usage [428 w5 1500 w1h 0 r 3072 -> 8]
        finished EndTurn req_scripted_1 [428 w5 1500 w1h 0 r 3072 -> 8] exactly [428 w5 1500 w1h 0 r 3072 -> 8]
          {"type":"text","text":"ok"}
    "#]];
    oai_content_filter expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "I"
        usage [12 w5 0 w1h 0 r 0 -> 2]
        finished Refusal "the provider's content filter stopped it" req_scripted_1 [12 w5 0 w1h 0 r 0 -> 2] exactly [12 w5 0 w1h 0 r 0 -> 2]
          {"type":"text","text":"I"}
    "#]];
    oai_done_without_finish expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "half"
        Protocol final unknown: the OpenAI-compatible server at 127.0.0.1 sent something that is not its API ([DONE] before a finish_reason, request req_scripted_1); check that the base URL names an endpoint of this API; what was streamed is billed
    "#]];
    oai_eof_without_done expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "ok"
        usage [12 w5 0 w1h 0 r 0 -> 3]
        finished EndTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 3] exactly [12 w5 0 w1h 0 r 0 -> 3]
          {"type":"text","text":"ok"}
    "#]];
    oai_eof_without_finish expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "half"
        Cut final unknown: the answer of the OpenAI-compatible server at 127.0.0.1 broke off (the connection was closed before the end of the answer, request req_scripted_1); run the action again; what was streamed is billed
    "#]];
    oai_error_in_stream expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "He"
        Server final unknown: the OpenAI-compatible server at 127.0.0.1 failed (server_error: The server had an error while processing your request., request req_scripted_1); try again in a moment; what was streamed is billed
    "#]];
    oai_length_mid_tool expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "Editing."
        tool call_a find
        input call_a {"query": "a"}
        tool call_b replace_symbol
        input call_b {"symbol": "Cart/total", "text": "fn tot
        ready call_a find {"query":"a"}
        broken call_b replace_symbol: the answer ended inside the arguments of this call: it reached max_tokens
        usage [12 w5 0 w1h 0 r 0 -> 64]
        finished MaxTokens req_scripted_1 [12 w5 0 w1h 0 r 0 -> 64] exactly [12 w5 0 w1h 0 r 0 -> 64]
          {"type":"text","text":"Editing."}
          {"type":"tool_use","id":"call_a","name":"find","input":{"query":"a"}}
          {"type":"tool_use","id":"call_b","name":"replace_symbol","input":{"INVALID_JSON":"{\"symbol\": \"Cart/total\", \"text\": \"fn tot"}}
    "#]];
    oai_no_usage_chunk expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "ok"
        finished EndTurn req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0] unknown
          {"type":"text","text":"ok"}
    "#]];
    oai_plain_text expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "Hello"
        text ", wörld 🦀"
        usage [12 w5 0 w1h 0 r 0 -> 9]
        finished EndTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 9] exactly [12 w5 0 w1h 0 r 0 -> 9]
          {"type":"text","text":"Hello, wörld 🦀"}
    "#]];
    oai_refusal expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        usage [12 w5 0 w1h 0 r 0 -> 7]
        finished Refusal "I cannot do that." req_scripted_1 [12 w5 0 w1h 0 r 0 -> 7] exactly [12 w5 0 w1h 0 r 0 -> 7]
    "#]];
    oai_tool_calls_interleaved expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        tool call_a find
        tool call_b find
        input call_b {"name": "b"
        input call_a {"name": 
        input call_b }
        input call_a "a"}
        tool call_c finish
        ready call_a find {"name":"a"}
        ready call_b find {"name":"b"}
        ready call_c finish {}
        usage [12 w5 0 w1h 0 r 0 -> 55]
        finished ToolUse req_scripted_1 [12 w5 0 w1h 0 r 0 -> 55] exactly [12 w5 0 w1h 0 r 0 -> 55]
          {"type":"tool_use","id":"call_a","name":"find","input":{"name":"a"}}
          {"type":"tool_use","id":"call_b","name":"find","input":{"name":"b"}}
          {"type":"tool_use","id":"call_c","name":"finish","input":{}}
    "#]];
    oai_unknown_events expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "ok"
        usage [12 w5 0 w1h 0 r 0 -> 3]
        finished EndTurn req_scripted_1 [12 w5 0 w1h 0 r 0 -> 3] exactly [12 w5 0 w1h 0 r 0 -> 3]
          {"type":"text","text":"ok"}
    "#]];
    oai_unknown_finish expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        tool c find
        input c {}
        broken c find: the answer ended inside the arguments of this call: the call was never finished
        finished Unknown("eldritch") req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0] unknown
          {"type":"tool_use","id":"c","name":"find","input":{"INVALID_JSON":"{}"}}
    "#]];
    oai_usage_only_chunk expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "ok"
        usage [120 w5 0 w1h 0 r 0 -> 8]
        finished EndTurn req_scripted_1 [120 w5 0 w1h 0 r 0 -> 8] exactly [120 w5 0 w1h 0 r 0 -> 8]
          {"type":"text","text":"ok"}
    "#]];
    ollama_two_calls_one_index expect![[r#"
        started chatcmpl-7 qwen3-coder:30b req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        thinking "Look" ~0
        thinking " first." ~0
        tool call_x find
        input call_x {"query":"a"}
        tool call_y find
        input call_y {"query":"b"}
        ready call_x find {"query":"a"}
        ready call_y find {"query":"b"}
        usage [40 w5 0 w1h 0 r 0 -> 20]
        finished ToolUse req_scripted_1 [40 w5 0 w1h 0 r 0 -> 20] exactly [40 w5 0 w1h 0 r 0 -> 20]
          opaque {"reasoning":"Look first.","type":"reasoning"}
          {"type":"tool_use","id":"call_x","name":"find","input":{"query":"a"}}
          {"type":"tool_use","id":"call_y","name":"find","input":{"query":"b"}}
    "#]];
    openrouter_cost expect![[r#"
        started chatcmpl-1 anthropic/claude-sonnet-5.5 req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        thinking "So." ~0
        text "ok"
        usage [400 w5 0 w1h 0 r 100 -> 6]
        finished EndTurn req_scripted_1 [400 w5 0 w1h 0 r 100 -> 6] exactly [400 w5 0 w1h 0 r 100 -> 6]
          opaque {"reasoning":"So.","reasoning_details":[{"type":"reasoning.text","text":"So.","index":0}],"type":"reasoning"}
          {"type":"text","text":"ok"}
    "#]];
    openrouter_error_in_choice expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        text "x"
        RateLimited final unknown: the OpenAI-compatible server at 127.0.0.1 limits the rate of requests (Rate limited upstream, request req_scripted_1); try again in a moment; what was streamed is billed
    "#]];
    vllm_reasoning_and_running_usage expect![[r#"
        started chatcmpl-1 gpt-6-luna req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        usage [30 w5 0 w1h 0 r 0 -> 0]
        thinking "Hm." ~0
        usage [30 w5 0 w1h 0 r 0 -> 2]
        text "42"
        usage [30 w5 0 w1h 0 r 0 -> 3]
        usage [30 w5 0 w1h 0 r 0 -> 4]
        usage [30 w5 0 w1h 0 r 0 -> 4]
        finished EndTurn req_scripted_1 [30 w5 0 w1h 0 r 0 -> 4] exactly [30 w5 0 w1h 0 r 0 -> 4]
          opaque {"reasoning_content":"Hm.","type":"reasoning"}
          {"type":"text","text":"42"}
    "#]];
}

#[tokio::test]
async fn a_run_plays_its_turns_over_chat_completions() {
    let server = scripted(
        r#"
            [expect]
            key = "dummy"
            model = "claude-sonnet-5-5"

            [[turn]]
            expect = { contains = ["Cart/total", "Be brief"], tools = ["edit_symbol"] }
            thinking = "It adds twice."
            text = "I will simplify it."
            usage = { input = 200, cache_write_5m = 3000, cache_read = 40, output = 80 }

            [[turn.tool]]
            name = "edit_symbol"
            input = { symbol = "Cart/total", hash = "{{hash:Cart/total}}" }

            [[turn]]
            expect = { tool_result_contains = "approved", contains = "Go on" }
            text = "Done."
            usage = { input = 10, cache_read = 3240, output = 4 }
        "#,
    )
    .await;
    let client = chat(&server.base_url());
    let mut request = request("Simplify.\nsymbol: Cart/total · hash: 0123456789ab\n");
    request.tools = vec![ToolSpec::new(
        "edit_symbol",
        "Edits.",
        json!({"type": "object"}),
    )];
    let first = complete(&client, request.clone()).await;
    let Some(StreamEvent::Finished { content, .. }) = first.0.last() else {
        panic!("{first:?}")
    };
    let Some(Content::ToolUse { id, .. }) = content.last() else {
        panic!("{content:?}")
    };
    let result = Content::ToolResult {
        tool_use_id: id.clone(),
        content: "approved".to_owned(),
        is_error: false,
    };
    let go_on = Content::Text {
        text: "Go on".to_owned(),
    };
    request.messages.push(Message::assistant(content.clone()));
    request
        .messages
        .push(Message::tool_results(vec![result, go_on]));
    let second = complete(&client, request).await;
    expect![[r#"
        started chatcmpl-scripted_1_1 claude-sonnet-5-5 req_scripted_1 [0 w5 0 w1h 0 r 0 -> 0]
        thinking "It adds twice." ~0
        text "I will simplify "
        text "it."
        tool call_scripted_1_1_1 edit_symbol
        input call_scripted_1_1_1 {"symbol":"Cart/
        input call_scripted_1_1_1 total","hash":"0
        input call_scripted_1_1_1 123456789ab"}
        ready call_scripted_1_1_1 edit_symbol {"symbol":"Cart/total","hash":"0123456789ab"}
        usage [200 w5 3000 w1h 0 r 40 -> 80]
        finished ToolUse req_scripted_1 [200 w5 3000 w1h 0 r 40 -> 80] exactly [200 w5 3000 w1h 0 r 40 -> 80]
          opaque {"reasoning_content":"It adds twice.","type":"reasoning"}
          {"type":"text","text":"I will simplify it."}
          {"type":"tool_use","id":"call_scripted_1_1_1","name":"edit_symbol","input":{"symbol":"Cart/total","hash":"0123456789ab"}}
        started chatcmpl-scripted_1_2 claude-sonnet-5-5 req_scripted_2 [0 w5 0 w1h 0 r 0 -> 0]
        text "Done."
        usage [10 w5 0 w1h 0 r 3240 -> 4]
        finished EndTurn req_scripted_2 [10 w5 0 w1h 0 r 3240 -> 4] exactly [10 w5 0 w1h 0 r 3240 -> 4]
          {"type":"text","text":"Done."}
    "#]].assert_eq(&(show(&first) + &show(&second)));
    assert!(server.failures().is_empty(), "{:?}", server.failures());
    let sent = &server.requests()[1];
    expect![[r#"
        /v1/chat/completions [key]
        {"role":"assistant","content":"I will simplify it.","tool_calls":[{"id":"call_scripted_1_1_1","type":"function","function":{"name":"edit_symbol","arguments":"{\"symbol\":\"Cart/total\",\"hash\":\"0123456789ab\"}"}}],"reasoning_content":"It adds twice."}"#]].assert_eq(&format!(
        "{} {}\n{}",
        sent.path,
        sent.header("authorization").unwrap_or("no key"),
        sent.body["messages"][2]
    ));
}

#[tokio::test]
async fn a_local_server_needs_no_key() {
    let server = scripted("[[turn]]\ntext = \"Hi\"").await;
    let client = OpenAi::new(OpenAiConfig {
        server: OpenAiServer::Ollama,
        base_url: server.base_url(),
        auth: Auth::Bearer,
        ..OpenAiConfig::default()
    })
    .unwrap();
    let (_, error) = complete(&client, request("Hi")).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(server.requests()[0].header("authorization"), None);
    assert_eq!(server.requests()[0].body["max_tokens"], 1000);
}
