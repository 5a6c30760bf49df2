use expect_test::expect;
use provider::scripted::{Progress, Script};
use provider::{
    CacheTtl, CompletionRequest, Content, Effort, Message, StreamEvent, ToolSpec, Usage,
};
use serde_json::json;

use crate::support::{Outcome, client, complete, request, scripted, show, without_port};

/// Adds the answer, a result for each of its calls, and a text to the conversation.
fn go_on(request: &mut CompletionRequest, (events, error): &Outcome, result: &str) {
    assert!(error.is_none(), "{error:?}");
    let Some(StreamEvent::Finished { content, .. }) = events.last() else {
        panic!("{events:?}")
    };
    let results = content.iter().filter_map(|block| match block {
        Content::ToolUse { id, .. } => Some(Content::ToolResult {
            tool_use_id: id.clone(),
            content: result.to_owned(),
            is_error: false,
        }),
        _ => None,
    });
    let results = results
        .chain([Content::Text {
            text: "Go on".to_owned(),
        }])
        .collect();
    request.messages.push(Message::assistant(content.clone()));
    request.messages.push(Message::tool_results(results));
}

#[tokio::test]
async fn a_run_plays_its_turns() {
    let server = scripted(
        r#"
            [expect]
            key = "dummy"
            anthropic_version = "2023-06-01"
            model = "claude-sonnet-5-5"

            [[turn]]
            expect = { contains = ["Cart/total", "Be brief"], tools = ["edit_symbol"], cache_breakpoints = 2, effort = "low" }
            thinking = "It adds twice."
            text = "I will simplify it."
            usage = { input = 200, cache_write_5m = 3000, output = 80 }

            [[turn.tool]]
            name = "edit_symbol"
            input = { symbol = "Cart/total", hash = "{{hash:Cart/total}}", edits = [{ old = "{{ a }}", new = "line {{line:lines: }}" }] }

            [[turn.tool]]
            name = "edit_symbol"
            id = "second"

            [[turn]]
            expect = { tool_result_contains = "approved", lacks = "refused" }
            text = "Done."
        "#,
    )
    .await;
    let client = client(&server.base_url());
    let mut request = request(
        "Simplify.\nsymbol: Cart/total · hash: 000000000000\nsymbol: Cart/totals · hash: 222222222222\nsymbol: Cart/total · hash: 0123456789ab\nlines: 3 to 9\n",
    );
    request.tools = vec![ToolSpec::new(
        "edit_symbol",
        "Edits.",
        json!({"type": "object"}),
    )];
    request.system[0].cache = Some(CacheTtl::FiveMinutes);
    request.messages[0].cache = Some(CacheTtl::FiveMinutes);
    request.effort = Some(Effort::Low);

    let first = complete(&client, request.clone()).await;
    expect![[r#"
        started msg_scripted_1_1 claude-sonnet-5-5 req_scripted_1 [200 w5 3000 w1h 0 r 0 -> 1]
        thinking "It adds twice." ~0
        text "I will simplify "
        text "it."
        tool toolu_scripted_1_1_1 edit_symbol
        input toolu_scripted_1_1_1 {"symbol":"Cart/
        input toolu_scripted_1_1_1 total","hash":"0
        input toolu_scripted_1_1_1 123456789ab","ed
        input toolu_scripted_1_1_1 its":[{"old":"{{
        input toolu_scripted_1_1_1  a }}","new":"li
        input toolu_scripted_1_1_1 ne 3 to 9"}]}
        ready toolu_scripted_1_1_1 edit_symbol {"symbol":"Cart/total","hash":"0123456789ab","edits":[{"old":"{{ a }}","new":"line 3 to 9"}]}
        tool second edit_symbol
        input second {}
        ready second edit_symbol {}
        usage [200 w5 3000 w1h 0 r 0 -> 80]
        finished ToolUse req_scripted_1 [200 w5 3000 w1h 0 r 0 -> 80] exactly [200 w5 3000 w1h 0 r 0 -> 80]
          opaque {"type":"thinking","thinking":"It adds twice.","signature":"scripted-signature-of-scripted_1_1"}
          {"type":"text","text":"I will simplify it."}
          {"type":"tool_use","id":"toolu_scripted_1_1_1","name":"edit_symbol","input":{"symbol":"Cart/total","hash":"0123456789ab","edits":[{"old":"{{ a }}","new":"line 3 to 9"}]}}
          {"type":"tool_use","id":"second","name":"edit_symbol","input":{}}
    "#]].assert_eq(&show(&first));
    assert_eq!(
        server.billed(),
        Usage {
            input: 200,
            cache_write_5m: 3000,
            output: 80,
            ..Usage::default()
        }
    );

    go_on(&mut request, &first, "approved");
    let second = complete(&client, request.clone()).await;
    assert!(
        show(&second).contains("finished EndTurn"),
        "{}",
        show(&second)
    );
    assert!(server.failures().is_empty(), "{:?}", server.failures());

    let again = complete(&client, request.clone()).await;
    assert_eq!(
        again.0.len(),
        second.0.len(),
        "the same question has the same answer"
    );

    go_on(&mut request, &again, "");
    let (_, error) = complete(&client, request).await;
    assert!(error.is_some());
    expect!["request 4: turn 3 is asked for, but the script ends with turn 2"]
        .assert_eq(&server.failures().join("\n"));
    assert_eq!(
        server.progress(),
        Progress {
            connections: 1,
            requests: 4,
            answered: 3,
            held: 0,
            abandoned: 0
        }
    );
}

#[tokio::test]
async fn each_conversation_has_its_own_turns() {
    let server = scripted(
        r#"
            [[conversation]]
            when_contains = ["harden", "Cart"]
            [[conversation.turn]]
            text = "Hardening the cart."

            [[conversation]]
            when_contains = "harden"
            [[conversation.turn]]
            text = "Hardening."

            [[turn]]
            text = "Anything else."
        "#,
    )
    .await;
    let client = client(&server.base_url());
    let ask = async |text: &str| {
        let (events, _) = complete(&client, request(text)).await;
        match events.into_iter().last() {
            Some(StreamEvent::Finished { content, .. }) => content,
            event => panic!("{event:?}"),
        }
    };
    let says = |text: &str| {
        vec![Content::Text {
            text: text.to_owned(),
        }]
    };
    let (cart, other, rest) =
        tokio::join!(ask("harden the Cart"), ask("harden it"), ask("test it"));
    assert_eq!(cart, says("Hardening the cart."));
    assert_eq!(other, says("Hardening."));
    assert_eq!(rest, says("Anything else."));
}

#[tokio::test]
async fn mismatches_are_explained() {
    let ask = async |expect: &str| {
        let server = scripted(&format!("[[turn]]\ntext = \"Hi\"\nexpect = {expect}")).await;
        let (_, error) = complete(&client(&server.base_url()), request("Hello there")).await;
        let failure = server.failures().join("\n");
        let told = error.unwrap().to_string();
        let beginning: String = failure
            .strip_prefix("request 1: ")
            .unwrap()
            .chars()
            .take(60)
            .collect();
        assert!(
            told.contains(&beginning),
            "{told} does not contain {beginning}"
        );
        failure
    };
    let mut shown = Vec::new();
    for expect in [
        "{ model = \"claude-opus-5-5\" }",
        "{ effort = \"high\" }",
        "{ contains = \"Goodbye\" }",
        "{ lacks = [\"there\"] }",
        "{ tool_result_contains = \"ok\" }",
        "{ tools = [\"find\"] }",
        "{ cache_breakpoints = 1 }",
        "{ key = \"another\" }",
        "{ anthropic_version = \"2099-01-01\" }",
    ] {
        shown.push(ask(expect).await);
    }
    expect![[r#"
        request 1: turn 1: expected the model "claude-opus-5-5", got "claude-sonnet-5-5"
        request 1: turn 1: expected the effort "high", got "none"
        request 1: turn 1: expected "Goodbye" in the last user message or the system prompt, which say "Be brief.\nHello there"
        request 1: turn 1: did not expect "there" anywhere in the request
        request 1: turn 1: expected "ok" in the tool results, which say ""
        request 1: turn 1: expected a tool named "find"
        request 1: turn 1: expected 1 cache breakpoints, got 0
        request 1: turn 1: expected the key "another", got another
        request 1: turn 1: expected the anthropic-version "2099-01-01", got "2023-06-01""#]].assert_eq(&shown.join("\n"));
}

#[tokio::test]
async fn what_the_real_api_rejects_is_rejected() {
    let server = scripted("[[turn]]\ntext = \"Hi\"\n[[turn]]\ntext = \"{{hash:Nowhere}}\"").await;
    let client = client(&server.base_url());

    let mut unanswered = request("Hi");
    unanswered
        .messages
        .push(Message::assistant(vec![Content::ToolUse {
            id: "t1".to_owned(),
            name: "find".to_owned(),
            input: json!({}),
        }]));
    unanswered.messages.push(Message::user("Go on"));
    complete(&client, unanswered).await;

    let mut prefilled = request("Hi");
    prefilled
        .messages
        .push(Message::assistant(vec![Content::Text {
            text: "{".to_owned(),
        }]));
    complete(&client, prefilled).await;

    let mut unknown = request("Hi");
    unknown
        .messages
        .push(Message::assistant(vec![Content::Text {
            text: "Hi".to_owned(),
        }]));
    unknown
        .messages
        .push(Message::user("symbol: Elsewhere · hash: 0123456789ab"));
    complete(&client, unknown).await;

    expect![[r#"
        request 1: the tool call t1 of messages.1 has no result in the next message
        request 2: the last message is not the user's; prefilling is not supported
        request 3: turn 2: nothing in the request answers {{hash:Nowhere}}"#]]
    .assert_eq(&server.failures().join("\n"));
    assert_eq!(server.billed(), Usage::default());
}

#[tokio::test]
async fn a_stream_can_be_held_until_the_test_has_looked() {
    let server = scripted(
        "[[turn]]\ntext = \"One two three four\"\n[[turn.fault]]\nhold_after = { events = 3 }\n",
    )
    .await;
    let client = client(&server.base_url());
    let (outcome, ()) = tokio::join!(complete(&client, request("Hi")), async {
        let progress = server.wait_for(|progress| progress.held == 1).await;
        assert_eq!((progress.requests, progress.answered), (1, 0));
        server.release();
    });
    assert!(show(&outcome).contains("finished EndTurn"));
    server.wait_for(|progress| progress.answered == 1).await;
}

#[tokio::test]
async fn a_connection_serves_several_requests_and_the_port_is_free_after() {
    let server = scripted("[[turn]]\ntext = \"Hi\"").await;
    let base_url = server.base_url();
    let client = client(&base_url);
    for _ in 0..3 {
        let outcome = complete(&client, request("Hi")).await;
        assert!(outcome.1.is_none());
    }
    assert_eq!(server.progress().connections, 1);
    server.shutdown().await;
    let (_, error) = complete(&client, request("Hi")).await;
    assert!(
        without_port(&error.unwrap().to_string())
            .starts_with("no answer from Anthropic at 127.0.0.1")
    );
}

#[test]
fn the_examples_of_the_documentation_are_scripts() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/scripted-provider.md"
    );
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() > 5);
    for example in examples {
        if let Err(error) = Script::parse(example) {
            panic!("{error} in\n{example}");
        }
    }
}
