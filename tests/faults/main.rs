//! Every fault that a provider can have, by its name, on both wires, through a whole run: how the run ends, and what the
//! ledger has of each request.

#![expect(
    clippy::unwrap_used,
    reason = "a test states what it expects bluntly, and reads its fixtures"
)]
#![allow(clippy::panic, reason = "so does what it shares with others")]

mod list;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use agent::Action;
use engine::config::{Config, Source, Sources};
use engine::{Engine, Event, HeadlessEditor, Launch, Purse, Setup, Timing};
use expect_test::expect;
use ledger::{AttemptRow, AttemptState, Ledger, Money, Prices};
use list::{Patience, Wire};
use provider::scripted::{Script, Scripted};
use provider::{Anthropic, AnthropicConfig, OpenAi, OpenAiConfig, Provider, Timeouts};
use text::{FilePath, Text};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

const SOURCE: &str = "fn one() -> u32 {\n    return 1;\n}\n";

fn config(wire: Wire) -> &'static str {
    match wire {
        Wire::Messages => "[models]\ndefault = \"claude-sonnet-5-5\"\n",
        Wire::Chat => "[provider]\nkind = \"openai\"\n[models]\ndefault = \"gpt-6-luna\"\n",
    }
}

fn client(wire: Wire, base_url: String, timeouts: Timeouts) -> Arc<dyn Provider> {
    match wire {
        Wire::Messages => Arc::new(
            Anthropic::new(AnthropicConfig {
                base_url,
                timeouts,
                ..AnthropicConfig::default()
            })
            .unwrap(),
        ),
        Wire::Chat => Arc::new(
            OpenAi::new(OpenAiConfig {
                base_url,
                timeouts,
                ..OpenAiConfig::default()
            })
            .unwrap(),
        ),
    }
}

/// One run against an endpoint that behaves like this, in a line.
async fn run(wire: Wire, script: &str) -> String {
    let timeouts = match Patience::of(script) {
        Patience::Usual => Timeouts::default(),
        Patience::Silence => Timeouts {
            connect: Duration::from_millis(250),
            idle: Duration::from_millis(250),
            ..Timeouts::default()
        },
        Patience::Endless => Timeouts {
            total: Duration::from_millis(400),
            ..Timeouts::default()
        },
    };
    // Nobody has time to wait as long as a provider may ask for.
    let script = script
        .replace("retry-after = \"7\"", "retry-after-ms = \"7\"")
        .replace("12:00:30 GMT", "12:00:01 GMT");
    let script = Script::parse(&format!("{script}\n[[turn]]\ntext = \"Done.\"\n")).unwrap();
    let server = Scripted::start(script).await.unwrap();

    let home = tempfile::tempdir().unwrap();
    let root = FilePath::new(home.path()).unwrap();
    let file = root.join("one.rs").unwrap();
    let (ended, mut ends) = unbounded_channel();
    let editor = HeadlessEditor::new(move |event| {
        if let Event::RunEnded { run, .. } = event {
            let _listens = ended.send(run);
        }
    });
    let purse = Purse::in_memory();
    let ledger: Arc<Ledger> = purse.ledger().unwrap().clone();
    let resolve = Arc::new(
        move |settings: Option<&serde_json::Value>, _: &[FilePath]| {
            Config::resolve(&Sources {
                machine: Some(Source {
                    name: "test",
                    text: config(wire),
                }),
                workspace: None,
                settings,
                env: &|name| name.ends_with("_API_KEY").then(|| "unused".to_owned()),
            })
        },
    );
    let engine = Engine::new(Setup {
        resolve,
        provider: Ok(client(wire, server.base_url(), timeouts)),
        purse,
        editor: editor.clone(),
        timing: Timing {
            quiet: Duration::ZERO,
            patience: Duration::ZERO,
            ..Timing::default()
        },
        journals: home.path().to_owned(),
        hunks: None,
        reviews: None,
        cache: None,
    });
    engine.set_roots(vec![root], false);
    editor.open(&engine, &file, Text::from(SOURCE));
    let launch = Launch::new(Action::Simplify, "one");
    let id = engine.launch(&file, launch).unwrap();
    assert_eq!(ends.recv().await, Some(id.clone()));
    let end = engine.run(&id).and_then(|summary| summary.end).unwrap();
    assert_eq!(editor.text().unwrap().to_string(), SOURCE);
    let said = end.message();
    assert!(!said.is_empty() && !said.contains('\n'), "{said:?}");

    let attempts = ledger.attempts(&id).unwrap();
    assert_eq!(
        attempts.len(),
        server.requests().len(),
        "each request was reserved for, and nothing else was"
    );
    let metered = server.billed();
    engine.shutdown().await;
    server.shutdown().await;

    let prices = Prices::shipped();
    let booked: Vec<&str> = attempts.iter().map(|row| booked(row, &prices)).collect();
    let charged = attempts.iter().fold(Money::ZERO, |sum, attempt| {
        sum.saturating_add(attempt.charge)
    });
    let model = &attempts.first().unwrap().model;
    let price = prices.lookup(model, jiff::Timestamp::now()).unwrap();
    assert!(
        charged >= price.cost(&ledger_usage(metered)),
        "less is booked than may be billed: {charged} for {metered:?}"
    );
    format!("{}, {}", end.state(), booked.join(", "))
}

fn ledger_usage(usage: provider::Usage) -> ledger::Usage {
    ledger::Usage {
        input: usage.input,
        cache_write_5m: usage.cache_write_5m,
        cache_write_1h: usage.cache_write_1h,
        cache_read: usage.cache_read,
        output: usage.output,
    }
}

/// How a request stands in the ledger, which must be what that means in money.
fn booked(row: &AttemptRow, prices: &Prices) -> &'static str {
    let price = prices.lookup(&row.model, row.at).unwrap();
    let (word, charge) = match row.state {
        AttemptState::Settled => ("what it cost", price.cost(&row.usage.unwrap())),
        AttemptState::Booked => ("all that was held", row.reserved),
        AttemptState::Released => ("nothing", Money::ZERO),
        AttemptState::Open | AttemptState::Recovered => panic!("{row:?}"),
    };
    assert_eq!(row.charge, charge, "{row:?}");
    word
}

async fn runs(wire: Wire) -> BTreeMap<&'static str, String> {
    let mut ends = BTreeMap::new();
    let mut work = JoinSet::new();
    for (name, script) in list::faults(wire) {
        if Patience::of(&script) == Patience::Usual {
            work.spawn(async move { (name, run(wire, &script).await) });
        }
    }
    while let Some(ended) = work.join_next().await {
        ends.extend(ended);
    }
    // What is seen by waiting is not tried while others work.
    for (name, script) in list::faults(wire) {
        if Patience::of(&script) != Patience::Usual {
            ends.insert(name, run(wire, &script).await);
        }
    }
    ends
}

#[tokio::test]
async fn every_fault_ends_the_run_in_its_state_with_the_bill_in_the_ledger() {
    let messages = runs(Wire::Messages).await;
    let chat = runs(Wire::Chat).await;
    let mut shown = String::new();
    for (name, _) in list::faults(Wire::Messages) {
        let (messages, chat) = (&messages[name], &chat[name]);
        if messages == chat {
            writeln!(shown, "{name}: {messages}").unwrap();
        } else {
            writeln!(shown, "{name}: {messages} | {chat}").unwrap();
        }
    }
    expect![[r#"
        429_retry_after_s: failed, nothing, nothing, nothing
        429_retry_after_date: failed, nothing, nothing, nothing
        429_no_header: failed, nothing, nothing, nothing
        429_no_quota: failed, nothing
        500: failed, all that was held, all that was held, all that was held
        502_html: failed, all that was held, all that was held, all that was held
        503: failed, nothing, nothing, nothing
        529: failed, nothing, nothing, nothing
        408: failed, all that was held, all that was held, all that was held
        401: failed, nothing
        403: failed, nothing
        404_model: failed, nothing
        413: failed, nothing
        400_context: failed, nothing
        400_no_tools: failed, nothing
        302_other_host: failed, nothing
        301_same_host: failed, nothing
        reset_before_headers: failed, all that was held, all that was held, all that was held
        reset_after_headers: failed, all that was held
        close_mid_chunk: failed, all that was held
        stall_headers: failed, all that was held
        stall_first_byte: failed, all that was held
        stall_later: failed, all that was held
        error_event_after_200: failed, all that was held
        overloaded_event: failed, all that was held
        end_without_stop: failed, all that was held
        stop_without_usage: completed, all that was held
        usage_twice: completed, what it cost
        usage_absurd: completed, all that was held
        split_inside_utf8: completed, what it cost
        split_inside_field: completed, what it cost
        crlf_and_lf: completed, what it cost
        no_space_after_colon: completed, what it cost
        comment_flood: completed, what it cost
        unknown_event: completed, what it cost
        out_of_order_index: failed, all that was held | completed, what it cost, what it cost
        duplicate_delta: completed, what it cost
        truncated_tool_json: completed, what it cost, what it cost
        tool_json_wrong_types: completed, what it cost, what it cost
        tool_unknown: completed, what it cost, what it cost
        two_tools_one_id: failed, all that was held
        refusal: failed, what it cost
        max_tokens_inside_tool: completed, what it cost, what it cost
        not_utf8: failed, all that was held
        slow_loris: failed, all that was held
        keepalive_only: failed, all that was held
    "#]]
    .assert_eq(&shown);
}
