use expect_test::expect;
use provider::{
    Anthropic, AnthropicConfig, Auth, CacheTtl, Content, Effort, Message, Provider, SetupError,
    StreamEvent, ToolSpec,
};
use serde_json::json;

use crate::list::{fixture, raw_turn};
use crate::support::{chat, client, complete, request, scripted, show_error, without_port};

const HI: &str = "[[turn]]\ntext = \"Hi\"";

async fn headers_of(config: AnthropicConfig) -> Vec<String> {
    let server = scripted(HI).await;
    let client = Anthropic::new(AnthropicConfig {
        base_url: server.base_url(),
        ..config
    })
    .unwrap();
    complete(&client, request("Hi")).await;
    let recorded = &server.requests()[0];
    let names = [
        "anthropic-version",
        "content-type",
        "accept",
        "x-api-key",
        "authorization",
        "user-agent",
    ];
    names
        .iter()
        .filter_map(|name| Some(format!("{name}: {}", recorded.header(name)?)))
        .collect()
}

#[tokio::test]
async fn the_key_goes_into_one_header() {
    let key = || Some("dummy".to_owned().into());
    let config = AnthropicConfig {
        key: key(),
        ..AnthropicConfig::default()
    };
    expect![[r#"
        anthropic-version: 2023-06-01
        content-type: application/json
        accept: text/event-stream
        x-api-key: [key]
        user-agent: farthing/0.1.0"#]]
    .assert_eq(&headers_of(config).await.join("\n"));

    let config = AnthropicConfig {
        key: key(),
        auth: Auth::Bearer,
        ..AnthropicConfig::default()
    };
    expect![[r#"
        anthropic-version: 2023-06-01
        content-type: application/json
        accept: text/event-stream
        authorization: [key]
        user-agent: farthing/0.1.0"#]]
    .assert_eq(&headers_of(config).await.join("\n"));

    expect![[r#"
        anthropic-version: 2023-06-01
        content-type: application/json
        accept: text/event-stream
        user-agent: farthing/0.1.0"#]]
    .assert_eq(&headers_of(AnthropicConfig::default()).await.join("\n"));
}

#[tokio::test]
async fn the_announced_size_is_the_size_that_is_sent() {
    let server = scripted(HI).await;
    let mut request = request("Größe \u{1} \"quoted\" 🦀\n");
    request.tools = vec![ToolSpec::new(
        "find",
        "Finds\tthings",
        json!({"type": "object", "properties": {}}),
    )];
    request.effort = Some(Effort::Low);
    request.messages[0].cache = Some(CacheTtl::OneHour);
    let clients: [Box<dyn Provider>; 2] = [
        Box::new(client(&server.base_url())),
        Box::new(chat(&server.base_url())),
    ];
    for (at, client) in clients.iter().enumerate() {
        complete(client.as_ref(), request.clone()).await;
        let sent = server.requests()[at].body_bytes;
        assert_eq!(client.body_bytes(&request), sent);
        assert!(client.input_upper_bound(&request) > sent as u64);
    }
}

#[tokio::test]
async fn answers_go_back_as_they_came() {
    for name in [
        "thinking_omitted",
        "compaction_iteration",
        "unknown_block",
        "pause_turn",
        "tool_use_parallel",
    ] {
        let server = scripted(&format!(
            "{}[[turn]]\ntext = \"ok\"",
            raw_turn(&fixture(name))
        ))
        .await;
        let client = client(&server.base_url());
        let mut request = request("Hi");
        let (events, _) = complete(&client, request.clone()).await;
        let Some(StreamEvent::Finished { content, .. }) = events.into_iter().last() else {
            panic!("{name}")
        };

        let stored = serde_json::to_string(&content).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<Content>>(&stored).unwrap(),
            content,
            "the journal keeps it too"
        );

        let results = content.iter().filter_map(|block| match block {
            Content::ToolUse { id, .. } => Some(Content::ToolResult {
                tool_use_id: id.clone(),
                content: "done".to_owned(),
                is_error: false,
            }),
            _ => None,
        });
        let results: Vec<Content> = results
            .chain([Content::Text {
                text: "Go on".to_owned(),
            }])
            .collect();
        request.messages.push(Message::assistant(content.clone()));
        request.messages.push(Message::tool_results(results));
        complete(&client, request).await;
        assert!(server.failures().is_empty(), "{:?}", server.failures());

        let sent = server.requests()[1].body["messages"][1]["content"].clone();
        let opaque: Vec<_> = content
            .iter()
            .filter_map(|block| match block {
                Content::Opaque { block } => Some(block.clone()),
                _ => None,
            })
            .collect();
        let sent_opaque: Vec<_> = sent
            .as_array()
            .unwrap()
            .iter()
            .filter(|block| !["text", "tool_use"].contains(&block["type"].as_str().unwrap()))
            .cloned()
            .collect();
        assert_eq!(
            serde_json::to_string(&sent_opaque).unwrap(),
            serde_json::to_string(&opaque).unwrap(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_request_the_api_would_reject_never_leaves() {
    let server = scripted(HI).await;
    let mut request = request("Hi");
    request.max_tokens = 0;
    let (_, error) = complete(&client(&server.base_url()), request).await;
    expect!["BadRequest final free: the request for claude-sonnet-5-5 was not sent to Anthropic at 127.0.0.1, because max_tokens is 0"].assert_eq(&without_port(&show_error(&error.unwrap())));
    assert!(server.requests().is_empty());
}

#[test]
fn a_key_does_not_travel_in_clear() {
    let new = |base_url: &str, key: Option<&str>, allow_cleartext| {
        let config = AnthropicConfig {
            base_url: base_url.to_owned(),
            key: key.map(|key| key.to_owned().into()),
            allow_cleartext,
            ..AnthropicConfig::default()
        };
        Anthropic::new(config).map(|client| client.host().to_owned())
    };
    assert_eq!(
        new("http://gateway.example:4000", None, false),
        Ok("gateway.example:4000".to_owned())
    );
    assert_eq!(
        new("http://gateway.example:4000", Some("k"), true),
        Ok("gateway.example:4000".to_owned())
    );
    assert_eq!(
        new("http://[::1]:4000", Some("k"), false),
        Ok("[::1]:4000".to_owned())
    );
    assert_eq!(
        new("https://gateway.example", Some("k"), false),
        Ok("gateway.example".to_owned())
    );
    let refused = new("http://gateway.example:4000", Some("k"), false).unwrap_err();
    assert_eq!(
        refused,
        SetupError::Cleartext {
            host: "gateway.example:4000".to_owned()
        }
    );
    expect!["the key would travel unencrypted to gateway.example:4000; use https://, or allow it with `allow_cleartext = true` for this provider in the machine-level configuration"].assert_eq(&refused.to_string());

    expect!["the key from ANTHROPIC_API_KEY is empty; set it, or remove it to do without"]
        .assert_eq(
            &new("https://x", Some(" \n"), false)
                .unwrap_err()
                .to_string(),
        );
    expect!["the key from ANTHROPIC_API_KEY contains characters no key has, such as a line break; copy it again"].assert_eq(
        &new("https://x", Some("a\nb"), false)
            .unwrap_err()
            .to_string(),
    );
    assert!(new("https://x", Some("trailing-newline\n"), false).is_ok());
}

#[tokio::test]
async fn a_missing_key_is_told_from_a_wrong_one() {
    let server = scripted("[[turn]]\n[[turn.fault]]\nstatus = 401").await;
    let config = AnthropicConfig {
        base_url: server.base_url(),
        ..AnthropicConfig::default()
    };
    let (_, error) = complete(&Anthropic::new(config).unwrap(), request("Hi")).await;
    expect!["Anthropic at 127.0.0.1 wants a key and none is configured (401 authentication_error: scripted fault, request req_scripted_1); run `farthing doctor` to see where keys come from"].assert_eq(&without_port(&error.unwrap().to_string()));
}

#[tokio::test]
async fn tokens_are_counted_by_the_provider() {
    let server = scripted(
        "[[turn]]\ntext = \"Hello.\"\nusage = { input = 900, cache_read = 4100, output = 7 }",
    )
    .await;
    let client = client(&server.base_url());
    assert_eq!(client.count_tokens(&request("Hi")).await, Some(5_000));
    assert_eq!(server.counts(), 1);
    // It is no request of the conversation, and costs nothing.
    assert!(server.requests().is_empty() && server.failures().is_empty());
    assert_eq!(server.billed().total(), 0);
}

#[tokio::test]
async fn an_endpoint_without_a_counter_is_asked_once() {
    for status in [404, 405, 501] {
        let script = format!("count = {{ status = {status} }}\n[[turn]]\ntext = \"Hello.\"");
        let server = scripted(&script).await;
        let client = client(&server.base_url());
        assert_eq!(client.count_tokens(&request("Hi")).await, None);
        assert_eq!(client.clone().count_tokens(&request("Ho")).await, None);
        assert_eq!(server.counts(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_counter_that_fails_gives_no_number_and_is_asked_again() {
    for fault in ["{ status = 500 }", "{ status = 429 }", "\"drop\""] {
        let server = scripted(&format!("count = {fault}\n[[turn]]\ntext = \"Hello.\"")).await;
        let client = client(&server.base_url());
        assert_eq!(client.count_tokens(&request("Hi")).await, None);
        assert_eq!(client.count_tokens(&request("Hi")).await, None);
        assert_eq!(server.counts(), 2, "{fault}");
    }
    // Other wires have none.
    let server = scripted("[[turn]]\ntext = \"Hello.\"").await;
    assert_eq!(
        chat(&server.base_url()).count_tokens(&request("Hi")).await,
        None
    );
    assert_eq!(server.counts(), 0);
}
