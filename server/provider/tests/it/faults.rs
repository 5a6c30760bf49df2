use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use futures::StreamExt;
use provider::{Billed, ErrorKind, Provider, RetryPolicy, StreamEvent, Timeouts, Usage};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::list::{fixture, raw_turn};
use crate::support::{
    Outcome, RawServer, client, client_with, collect, complete, impatient, request, scripted, show,
    show_error, without_port,
};

/// The error that the first attempt against `script` ends in.
async fn check(script: &str, expected: Expect) {
    let server = scripted(script).await;
    let silent = script.contains("hang") || script.contains("stall_after");
    let timeouts = if silent {
        impatient()
    } else {
        Timeouts::default()
    };
    let (_, error) = complete(&client_with(&server.base_url(), timeouts), request("Hi")).await;
    expected.assert_eq(&without_port(&show_error(&error.unwrap())));
}

async fn check_status(fault: &str, expected: Expect) {
    check(&format!("[[turn]]\n[[turn.fault]]\n{fault}\n"), expected).await;
}

async fn check_answer(fault: &str, expected: Expect) {
    check(
        &format!("[[turn]]\ntext = \"Hello, world\"\n[[turn.fault]]\n{fault}\n"),
        expected,
    )
    .await;
}

async fn check_raw(response: &str, expected: Expect) {
    let server = RawServer::start(response.as_bytes().to_vec()).await;
    let (_, error) = complete(&client(&server.base_url()), request("Hi")).await;
    expected.assert_eq(&without_port(&show_error(&error.unwrap())));
}

#[tokio::test]
async fn refusals_of_the_request_say_what_to_do() {
    check_status("status = 400", expect!["BadRequest final free: Anthropic at 127.0.0.1 did not accept the request for claude-sonnet-5-5 (400 invalid_request_error: scripted fault, request req_scripted_1); trying again will not help, so check the model's name and settings"]).await;
    check_status(
        r#"status = 400
        body = '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}'"#,
        expect!["ContextTooLong final free: the request is too long for claude-sonnet-5-5 at 127.0.0.1 (400 invalid_request_error: prompt is too long: 210000 tokens > 200000 maximum, request req_scripted_1); narrow the scope or choose a model with a larger context"],
    )
    .await;
    check_status(
        r#"status = 400
        body = '{"error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}'"#,
        expect!["Billing final free: Anthropic at 127.0.0.1 reports a billing problem (400 invalid_request_error: Your credit balance is too low to access the API., request req_scripted_1); check the balance and the payment details of the account"],
    )
    .await;
    check_status(
        r#"status = 401
        body = '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}'"#,
        expect!["Auth final free: Anthropic at 127.0.0.1 refused the key from ANTHROPIC_API_KEY (401 authentication_error: invalid x-api-key, request req_scripted_1); check it or run `farthing doctor`"],
    )
    .await;
    check_status("status = 402", expect!["Billing final free: Anthropic at 127.0.0.1 reports a billing problem (402 billing_error: scripted fault, request req_scripted_1); check the balance and the payment details of the account"]).await;
    check_status("status = 403", expect!["Permission final free: Anthropic at 127.0.0.1 does not allow this key to use claude-sonnet-5-5 (403 permission_error: scripted fault, request req_scripted_1); ask for access or configure another model"]).await;
    check_status(
        r#"status = 404
        body = '{"type":"error","error":{"type":"not_found_error","message":"model: claude-sonnet-5-5"}}'"#,
        expect!["NotFound final free: Anthropic at 127.0.0.1 does not offer claude-sonnet-5-5 (404 not_found_error: model: claude-sonnet-5-5, request req_scripted_1); check the model's name and the base URL"],
    )
    .await;
    check_status("status = 413", expect!["ContextTooLong final free: the request is too long for claude-sonnet-5-5 at 127.0.0.1 (413 request_too_large: scripted fault, request req_scripted_1); narrow the scope or choose a model with a larger context"]).await;
}

#[tokio::test]
async fn momentary_failures_can_be_retried() {
    check_status("status = 408", expect!["Server retry unknown: Anthropic at 127.0.0.1 failed (408 invalid_request_error: scripted fault, request req_scripted_1); try again in a moment"]).await;
    check_status("status = 409", expect!["Server retry free: Anthropic at 127.0.0.1 failed (409 invalid_request_error: scripted fault, request req_scripted_1); try again in a moment"]).await;
    check_status("status = 429", expect!["RateLimited retry free: Anthropic at 127.0.0.1 limits the rate of requests (429 rate_limit_error: scripted fault, request req_scripted_1); try again in a moment"]).await;
    check_status(
        "status = 429\nheaders = { retry-after-ms = \"1500\", retry-after = \"9\" }",
        expect!["RateLimited retry after 1.5s free: Anthropic at 127.0.0.1 limits the rate of requests (429 rate_limit_error: scripted fault, request req_scripted_1); it asks to wait 2 s"],
    )
    .await;
    check_status("status = 429\nheaders = { retry-after = \"7\" }", expect!["RateLimited retry after 7s free: Anthropic at 127.0.0.1 limits the rate of requests (429 rate_limit_error: scripted fault, request req_scripted_1); it asks to wait 7 s"]).await;
    check_status("status = 500", expect!["Server retry unknown: Anthropic at 127.0.0.1 failed (500 api_error: scripted fault, request req_scripted_1); try again in a moment"]).await;
    check_status(
        "status = 502\nheaders = { content-type = \"text/html\" }\nbody = '<html><head><title>Bad gateway</title></head></html>'",
        expect![[r#"Server retry unknown: Anthropic at 127.0.0.1 failed (502: a web page titled "Bad gateway", request req_scripted_1); try again in a moment"#]],
    )
    .await;
    check_status("status = 503\nbody = ''", expect!["Overloaded retry free: Anthropic at 127.0.0.1 is overloaded (503: Service Unavailable, request req_scripted_1); try again in a moment"]).await;
    check_status("status = 529", expect!["Overloaded retry free: Anthropic at 127.0.0.1 is overloaded (529 overloaded_error: scripted fault, request req_scripted_1); try again in a moment"]).await;
    check_status(
        "status = 529\nheaders = { x-should-retry = \"false\" }",
        expect!["Overloaded final free: Anthropic at 127.0.0.1 is overloaded (529 overloaded_error: scripted fault, request req_scripted_1); try again in a moment"],
    )
    .await;
    check_status(
        "status = 400\nheaders = { x-should-retry = \"true\" }",
        expect!["BadRequest retry free: Anthropic at 127.0.0.1 did not accept the request for claude-sonnet-5-5 (400 invalid_request_error: scripted fault, request req_scripted_1); trying again will not help, so check the model's name and settings"],
    )
    .await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = scripted("[[turn]]\ntext = \"no\"").await;
    for status in [301, 302, 303, 307, 308] {
        let script = format!(
            "[[turn]]\n[[turn.fault]]\nstatus = {status}\nbody = ''\nheaders = {{ location = \"{}/v1/messages\" }}",
            elsewhere.base_url()
        );
        let server = scripted(&script).await;
        let (_, error) = complete(&client(&server.base_url()), request("Hi")).await;
        assert_eq!(
            error.map(|error| (error.kind(), error.billed())),
            Some((ErrorKind::Protocol, Billed::Nothing))
        );
    }
    assert!(elsewhere.requests().is_empty());
    check_status(
        "status = 302\nbody = ''\nheaders = { location = \"https://elsewhere.example/login\" }",
        expect![[r#"Protocol final free: Anthropic at 127.0.0.1 sent something that is not its API (302: a redirect to "https://elsewhere.example/login", which is not followed, request req_scripted_1); check that the base URL names an endpoint of this API"#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_not_the_api_is_named() {
    check_status(
        "status = 200\nheaders = { content-type = \"text/html\" }\nbody = '<title> Welcome to the hotel </title>'",
        expect![[r#"Protocol final unknown: Anthropic at 127.0.0.1 sent something that is not its API (200: expected an event stream, got text/html: a web page titled "Welcome to the hotel", request req_scripted_1); check that the base URL names an endpoint of this API"#]],
    )
    .await;
    check_status(
        "status = 200\nbody = '{\"id\": \"msg_1\", \"content\": []}'",
        expect![[r#"Protocol final unknown: Anthropic at 127.0.0.1 sent something that is not its API (200: expected an event stream, got application/json: {"id": "msg_1", "content": []}, request req_scripted_1); check that the base URL names an endpoint of this API"#]],
    )
    .await;
    check_raw(
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        expect!["Cut final unknown: the answer of Anthropic at 127.0.0.1 broke off (the connection was closed before the end of the answer); run the action again"],
    )
    .await;
    check_raw("SSH-2.0-OpenSSH_9.2\r\n", expect!["Network retry unknown: no answer from Anthropic at 127.0.0.1 (invalid HTTP version parsed); check the network, the proxy and the base URL"]).await;
    check_raw(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\nhello\n\n",
        expect!["Cut final unknown: the answer of Anthropic at 127.0.0.1 broke off (the connection was closed before the end of the answer); run the action again"],
    )
    .await;
}

#[tokio::test]
async fn no_response_is_a_network_failure() {
    check_status("drop = true", expect!["Network retry unknown: no answer from Anthropic at 127.0.0.1 (connection closed before message completed); check the network, the proxy and the base URL"]).await;
    check_status("hang = true", expect!["Network final unknown: no answer from Anthropic at 127.0.0.1 (nothing came for 0.5 s); check the network, the proxy and the base URL"]).await;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (_, error) = complete(&client(&base_url), request("Hi")).await;
    expect!["Network retry free: no answer from Anthropic at 127.0.0.1 (Connection refused (os error 111)); check the network, the proxy and the base URL"].assert_eq(&without_port(&show_error(&error.unwrap())));
}

#[tokio::test]
async fn tls_to_a_server_without_it_is_a_network_failure() {
    let server = RawServer::start(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    let (_, error) = complete(
        &client(&server.base_url().replace("http", "https")),
        request("Hi"),
    )
    .await;
    let error = error.unwrap();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Network, Billed::Nothing),
        "{error}"
    );
}

#[tokio::test]
async fn a_broken_answer_is_never_a_complete_one() {
    check_answer("cut_after = { bytes = 0 }", expect!["Cut final unknown: the answer of Anthropic at 127.0.0.1 broke off (the connection was closed before the end of the answer, request req_scripted_1); run the action again"]).await;
    check_answer("cut_after = { events = 3 }", expect!["Cut final at least [44 w5 0 w1h 0 r 0 -> 1]: the answer of Anthropic at 127.0.0.1 broke off (the connection was closed before the end of the answer, request req_scripted_1); run the action again; what was streamed is billed"]).await;
    check_answer("cut_after = { bytes = 700 }", expect!["Cut final at least [44 w5 0 w1h 0 r 0 -> 1]: the answer of Anthropic at 127.0.0.1 broke off (the connection was closed before the end of the answer, request req_scripted_1); run the action again; what was streamed is billed"]).await;
    check_answer("stall_after = { events = 2 }", expect!["Cut final at least [44 w5 0 w1h 0 r 0 -> 1]: the answer of Anthropic at 127.0.0.1 broke off (nothing came for 0.25 s, request req_scripted_1); run the action again; what was streamed is billed"]).await;
    check_answer("garble_after = { events = 2 }", expect!["Protocol final at least [44 w5 0 w1h 0 r 0 -> 1]: Anthropic at 127.0.0.1 sent something that is not its API (a line is not UTF-8, request req_scripted_1); check that the base URL names an endpoint of this API; what was streamed is billed"]).await;
    check_answer("error_after = { events = 0 }", expect!["Overloaded retry unknown: Anthropic at 127.0.0.1 is overloaded (overloaded_error: Overloaded, request req_scripted_1); try again in a moment"]).await;
    check_answer("error_after = { events = 4 }", expect!["Overloaded final at least [44 w5 0 w1h 0 r 0 -> 1]: Anthropic at 127.0.0.1 is overloaded (overloaded_error: Overloaded, request req_scripted_1); try again in a moment; what was streamed is billed"]).await;
    check_answer(
        "error_after = { events = 2 }\nerror = { type = \"api_error\", message = \"Internal server error\" }",
        expect!["Server final at least [44 w5 0 w1h 0 r 0 -> 1]: Anthropic at 127.0.0.1 failed (api_error: Internal server error, request req_scripted_1); try again in a moment; what was streamed is billed"],
    )
    .await;
}

#[tokio::test]
async fn signs_of_life_are_not_an_answer() {
    let pings = "event: ping\ndata: {\"type\": \"ping\"}\n\n".repeat(500);
    let script = format!("delay_ms = 5\n{}", raw_turn(&pings));
    let server = scripted(&script).await;
    let timeouts = Timeouts {
        total: Duration::from_millis(200),
        ..Timeouts::default()
    };
    let (_, error) = complete(&client_with(&server.base_url(), timeouts), request("Hi")).await;
    expect!["Cut final unknown: the answer of Anthropic at 127.0.0.1 broke off (it took longer than 0.2 s, request req_scripted_1); run the action again"].assert_eq(&without_port(&show_error(&error.unwrap())));
}

#[tokio::test]
async fn a_stream_that_breaks_the_format_is_refused() {
    let start = fixture("plain_text")
        .split_inclusive("\n\n")
        .next()
        .unwrap()
        .to_owned();
    let event =
        |name: &str, data: &str| format!("event: {name}\ndata: {{\"type\":\"{name}\"{data}}}\n\n");
    let block = r#","index":0,"content_block":{"type":"text","text":""}"#;
    let tool = r#","content_block":{"type":"tool_use","id":"t","name":"find","input":{}}"#;
    let cases = [
        event("content_block_start", block),
        format!("{start}{start}"),
        format!(
            "{start}{}",
            event(
                "content_block_delta",
                r#","index":0,"delta":{"type":"text_delta","text":"x"}"#
            )
        ),
        format!(
            "{start}{}{}",
            event("content_block_start", block),
            event("content_block_start", block)
        ),
        format!("{start}{}", event("content_block_stop", r#","index":3"#)),
        format!("{start}{}", event("content_block_start", "")),
        format!("{start}{}", event("content_block_start", r#","index":0"#)),
        format!("{start}{}", event("message_stop", "")),
        format!("{start}event: message_delta\ndata: {{\"type\": \"mess\n\n"),
        format!("{start}event: message_delta\ndata: {{\"type\": \"message_dElta\"}}\n\n"),
        format!(
            "{start}{}{}",
            event("content_block_start", &format!(r#","index":0{tool}"#)),
            event("content_block_start", &format!(r#","index":1{tool}"#))
        ),
        format!(
            "{start}{}",
            event(
                "content_block_start",
                r#","index":0,"content_block":{"type":"tool_use","id":"t"}"#
            )
        ),
        format!("{start}data: {{\"type\":{}\n\n", "[".repeat(100_000)),
    ];
    let mut shown = String::new();
    for case in cases {
        let server = scripted(&raw_turn(&case)).await;
        let (_, error) = complete(&client(&server.base_url()), request("Hi")).await;
        let error = error.unwrap().to_string();
        let cause = error
            .split_once(" (")
            .unwrap()
            .1
            .split_once(", request")
            .unwrap()
            .0;
        shown.push_str(cause);
        shown.push('\n');
    }
    expect![[r#"
        a content block before message_start
        a second message_start
        a delta for block 0, which is not open
        block 0 begins twice
        the end of block 3, which is not open
        a content block without an index
        block 0 has no content_block
        a message_stop without a stop_reason
        an event that is not JSON: EOF while parsing a string at line 1 column 14
        an event named message_delta with the type message_dElta
        two tool calls with the id t
        a tool call without an id or a name
        an event that is not JSON: recursion limit exceeded at line 1 column 135
    "#]]
    .assert_eq(&shown);
}

#[tokio::test]
async fn tool_arguments_that_are_no_object_are_told_to_the_model() {
    for (json, expected) in [
        (
            "{\"a\": ",
            expect![[r#"
            broken t find: the arguments of this call are not valid JSON: EOF while parsing a value at line 1 column 6
              {"type":"tool_use","id":"t","name":"find","input":{"INVALID_JSON":"{\"a\": "}}"#]],
        ),
        (
            "[1]",
            expect![[r#"
            broken t find: the arguments of this call are not a JSON object
              {"type":"tool_use","id":"t","name":"find","input":{"INVALID_JSON":"[1]"}}"#]],
        ),
        (
            "{\"a\": 1} {}",
            expect![[r#"
            broken t find: the arguments of this call are not valid JSON: trailing characters at line 1 column 10
              {"type":"tool_use","id":"t","name":"find","input":{"INVALID_JSON":"{\"a\": 1} {}"}}"#]],
        ),
    ] {
        let script = format!(
            "[[turn]]\n[[turn.tool]]\nname = \"find\"\nid = \"t\"\ninput_json = '{json}'\n"
        );
        let server = scripted(&script).await;
        let outcome = complete(&client(&server.base_url()), request("Hi")).await;
        let shown = show(&outcome);
        let lines: Vec<&str> = shown
            .lines()
            .filter(|line| line.starts_with("broken") || line.contains("tool_use"))
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }
}

#[tokio::test]
async fn usage_that_never_came_is_unknown() {
    let strip = |part: &str| fixture("plain_text").replace(part, r#""ignored":"#);
    for (sse, expected) in [
        (
            strip(r#""usage":{"output_tokens":9}"#).replace(r#""ignored":"#, r#""ignored":0"#),
            "at least",
        ),
        (strip(r#""usage":"#), "unknown"),
        (
            fixture("plain_text").replace(r#""output_tokens":9"#, r#""output_tokens":null"#),
            "at least",
        ),
    ] {
        let server = scripted(&raw_turn(&sse)).await;
        let outcome = complete(&client(&server.base_url()), request("Hi")).await;
        let shown = show(&outcome);
        assert!(shown.contains(&format!("] {expected}")), "{shown}");
    }
}

#[tokio::test]
async fn cancelling_ends_the_stream_at_once() {
    let script = format!(
        "{}[[turn.fault]]\nstall_after = {{ events = 6 }}",
        raw_turn(&fixture("plain_text"))
    );
    let server = scripted(&script).await;
    let cancel = CancellationToken::new();
    let mut stream = client(&server.base_url()).stream(request("Hi"), cancel.clone());
    let mut events = 0;
    while events < 3 {
        stream.next().await.unwrap().unwrap();
        events += 1;
    }
    let before = Instant::now();
    cancel.cancel();
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(
        before.elapsed() < Duration::from_secs(2),
        "{:?}",
        before.elapsed()
    );
    expect!["Cancelled final at least [12 w5 0 w1h 0 r 0 -> 1]: cancelled while waiting for Anthropic at 127.0.0.1; what was streamed is billed"].assert_eq(&without_port(&show_error(&error)));
    server.wait_for(|progress| progress.abandoned == 1).await;
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn cancelling_before_anything_is_sent_costs_nothing() {
    let server = scripted("[[turn]]\ntext = \"Hi\"").await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let (events, error) = collect(&client(&server.base_url()), request("Hi"), cancel).await;
    assert!(events.is_empty());
    assert_eq!(
        error.map(|error| (error.kind(), error.billed())),
        Some((ErrorKind::Cancelled, Billed::Nothing))
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn cancelling_while_waiting_for_the_response_leaves_the_bill_open() {
    let server = scripted("[[turn]]\n[[turn.fault]]\nhang = true").await;
    let cancel = CancellationToken::new();
    let client = client(&server.base_url());
    let (outcome, ()) = tokio::join!(collect(&client, request("Hi"), cancel.clone()), async {
        server.wait_for(|progress| progress.requests == 1).await;
        cancel.cancel();
    });
    let error = outcome.1.unwrap();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Cancelled, Billed::Unknown)
    );
}

#[tokio::test]
async fn a_complete_answer_survives_a_late_cancel() {
    let server = scripted(&format!(
        "chunk_bytes = 100_000\n{}",
        raw_turn(&fixture("plain_text"))
    ))
    .await;
    let cancel = CancellationToken::new();
    let mut stream = client(&server.base_url()).stream(request("Hi"), cancel.clone());
    let mut finished = None;
    while let Some(event) = stream.next().await {
        match event.unwrap() {
            StreamEvent::Finished { billed, .. } => finished = Some(billed),
            // Everything is here by now: the server sends it in one chunk.
            StreamEvent::Usage(_) => cancel.cancel(),
            _ => {}
        }
    }
    assert!(matches!(finished, Some(Billed::Exactly(_))), "{finished:?}");
}

#[tokio::test]
async fn the_caller_retries_and_each_attempt_is_one_request() {
    let server = scripted(
        r#"
            [[turn]]
            text = "At last"
            usage = { input = 10, output = 3 }
            [[turn.fault]]
            status = 429
            times = 1
            headers = { retry-after-ms = "1" }
            [[turn.fault]]
            status = 529
            times = 1
        "#,
    )
    .await;
    let client = client(&server.base_url());
    let policy = RetryPolicy {
        first_wait: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let mut failed = 0;
    let outcome: Outcome = loop {
        let outcome = complete(&client, request("Hi")).await;
        let Some(error) = &outcome.1 else {
            break outcome;
        };
        failed += 1;
        assert_eq!(error.billed(), Billed::Nothing);
        tokio::time::sleep(policy.wait(failed, error, 0.5).unwrap()).await;
    };
    assert_eq!((failed, server.requests().len()), (2, 3));
    assert!(show(&outcome).contains("finished EndTurn"));
    assert_eq!(
        server.billed(),
        Usage {
            input: 10,
            output: 3,
            ..Usage::default()
        }
    );
}

#[tokio::test]
async fn waits_follow_the_policy() {
    let server = scripted("[[turn]]\n[[turn.fault]]\nstatus = 529").await;
    let client_ = client(&server.base_url());
    let (_, overloaded) = complete(&client_, request("Hi")).await;
    let overloaded = overloaded.unwrap();
    let policy = RetryPolicy {
        max_retries: 7,
        ..RetryPolicy::default()
    };
    let waits = |random: f64| -> Vec<u128> {
        (1..9)
            .filter_map(|failed| policy.wait(failed, &overloaded, random))
            .map(|wait| wait.as_millis())
            .collect()
    };
    assert_eq!(waits(0.0), [500, 1000, 2000, 4000, 8000, 8000, 8000]);
    assert_eq!(waits(1.0), [375, 750, 1500, 3000, 6000, 6000, 6000]);
    assert_eq!(waits(f64::NAN), waits(-1.0));

    for (asked, expected) in [("60", Some(60_000)), ("61", None), ("3600", None)] {
        let script = format!(
            "[[turn]]\n[[turn.fault]]\nstatus = 429\nheaders = {{ retry-after = \"{asked}\" }}"
        );
        let server = scripted(&script).await;
        let (_, error) = complete(&client(&server.base_url()), request("Hi")).await;
        let wait = RetryPolicy::default().wait(1, &error.unwrap(), 0.0);
        assert_eq!(wait.map(|wait| wait.as_millis()), expected);
    }
}
