#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use async_trait::async_trait;
use futures::future::FutureExt as _;
use futures::stream::{BoxStream, StreamExt as _};
use gate::Proposal;
use proptest::prelude::*;
use provider::scripted::{Script, Scripted};
use provider::{
    Anthropic, AnthropicConfig, Billed, CompletionRequest, ProviderError, StreamEvent, Usage,
};
use serde_json::json;
use text::{FilePath, Hash, Text};
use tokio::time::Instant;
use workspace::{Snapshot, Workspace};

use super::*;
use crate::{Action, Ask, Attempt, Grant, NoBudget, Outcome, Settlement, scope_of};

const TEXT: &str = "fn one() -> u32 {\n    return 1;\n}\n";

/// A world that writes down what it is asked.
struct Bench {
    workspace: Workspace,
    cancel: CancellationToken,
    /// Whether a proposal waits for an answer that never comes.
    deaf: bool,
    seen: Mutex<Vec<String>>,
    progress: Mutex<Vec<String>>,
}

impl Bench {
    fn new() -> Bench {
        let mut workspace = Workspace::default();
        workspace.set_roots(vec![FilePath::new("/w").unwrap()]);
        workspace.open(&file(), "", 1, Text::from(TEXT));
        Bench {
            workspace,
            cancel: CancellationToken::new(),
            deaf: false,
            seen: Mutex::default(),
            progress: Mutex::default(),
        }
    }

    fn note(&self, line: String) {
        self.seen.lock().unwrap().push(line);
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self, start: &str) -> usize {
        self.seen()
            .iter()
            .filter(|line| line.starts_with(start))
            .count()
    }

    async fn run(&self, provider: &dyn Provider) -> End {
        let task = Task::new(Action::Simplify, file(), "one");
        let scope = scope_of(&task, &self.snapshot().document(&task.file).unwrap());
        let model = Model {
            id: "model".to_owned(),
            max_tokens: 2_000,
            effort: None,
            patches: false,
            creates: false,
            moves: false,
        };
        run(
            &task,
            &scope,
            &model.into(),
            &RunLimits::default(),
            self,
            provider,
            self.cancel.clone(),
        )
        .await
    }
}

fn file() -> FilePath {
    FilePath::new("/w/src/lib.rs").unwrap()
}

#[async_trait]
impl Host for Bench {
    fn snapshot(&self) -> Snapshot {
        self.workspace.snapshot()
    }

    async fn propose(&self, _proposal: Proposal) -> Outcome {
        assert!(
            !self.cancel.is_cancelled(),
            "nothing is proposed after the cancellation"
        );
        self.note("propose".to_owned());
        if self.deaf {
            std::future::pending::<()>().await;
        }
        Outcome::Landed { hunks: 1 }
    }

    async fn reserve(&self, ask: Ask) -> Result<Attempt, NoBudget> {
        // A durable write takes its time, and must not be lost half way.
        tokio::time::sleep(Duration::from_millis(3)).await;
        self.note(format!("reserve {}.{}", ask.turn, ask.attempt));
        Ok(
            format!("00000000-0000-7000-8000-{:012x}", self.count("reserve"))
                .parse()
                .unwrap(),
        )
    }

    async fn settle(&self, attempt: Attempt, how: Settlement) {
        let number = attempt.to_string();
        let how = match how {
            Settlement::Used { usage, .. } => format!("used {} {}", usage.prompt(), usage.output),
            Settlement::Unknown { known } => format!(
                "unknown {:?}",
                known.map(|usage| (usage.prompt(), usage.output))
            ),
            Settlement::Unbilled => "unbilled".to_owned(),
        };
        self.note(format!(
            "settle {} {how}",
            number.trim_start_matches(['0', '-', '7', '8'])
        ));
    }

    fn abandon(&self, _attempt: Attempt, known: Option<ledger::Usage>) {
        self.note(format!(
            "abandon {:?}",
            known.map(|usage| (usage.prompt(), usage.output))
        ));
    }

    async fn grant(&self, _symbols: &[String], _reason: &str) -> Grant {
        Grant::Refused
    }

    fn report(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress.to_string());
    }

    fn journal(&self, event: JournalEvent) {
        assert!(serde_json::to_value(&event).unwrap()["event"].is_string());
    }
}

/// A model that says one thing a second; after the last, nothing.
struct Slow(Vec<StreamEvent>);

impl Provider for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn body_bytes(&self, request: &CompletionRequest) -> usize {
        request.messages.len()
    }

    fn stream(
        &self,
        _request: CompletionRequest,
        cancel: CancellationToken,
    ) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        assert!(
            !cancel.is_cancelled(),
            "nothing is sent after the cancellation"
        );
        let events = futures::stream::iter(self.0.clone()).then(|event| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(event)
        });
        events.chain(futures::stream::pending()).boxed()
    }
}

fn usage(output: u64) -> Usage {
    Usage {
        input: 100,
        output,
        ..Usage::default()
    }
}

fn started() -> StreamEvent {
    StreamEvent::Started {
        message_id: "m".to_owned(),
        model: "model-1".to_owned(),
        usage: usage(1),
        request_id: None,
    }
}

fn edit() -> [StreamEvent; 4] {
    let id = "call".to_owned();
    let input = json!({"symbol": "one", "base": Hash::of(TEXT.trim_end()).to_string(), "edits": [{"old_text": "return 1;", "new_text": "1"}]});
    let (head, tail) = (
        r#"{"symbol": "one", "#.to_owned(),
        r#""base": …"#.to_owned(),
    );
    [
        StreamEvent::ToolStarted {
            id: id.clone(),
            name: "edit_symbol".to_owned(),
        },
        StreamEvent::ToolInputDelta {
            id: id.clone(),
            partial: head,
        },
        StreamEvent::ToolInputDelta {
            id: id.clone(),
            partial: tail,
        },
        StreamEvent::ToolReady {
            id,
            name: "edit_symbol".to_owned(),
            input: Ok(input),
        },
    ]
}

fn finished(stop: StopReason, content: Vec<Content>) -> StreamEvent {
    let usage = usage(50);
    StreamEvent::Finished {
        stop,
        detail: None,
        usage,
        billed: Billed::Exactly(usage),
        content,
        request_id: None,
    }
}

fn script() -> Vec<StreamEvent> {
    let mut events = vec![started()];
    events.extend(edit());
    events.push(StreamEvent::Usage(usage(40)));
    events.push(finished(
        StopReason::EndTurn,
        vec![Content::Text {
            text: "Done.".to_owned(),
        }],
    ));
    events
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_as_it_happens() {
    let bench = Bench::new();
    let end = bench.run(&Slow(script())).await;
    assert_eq!(
        end,
        End::Completed {
            summary: "Done.".to_owned(),
            hunks: 1
        }
    );
    assert_eq!(
        *bench.progress.lock().unwrap(),
        [
            "asking",
            "answering",
            "edit_symbol one",
            "1 hunk landed",
            "answering"
        ]
    );
    assert_eq!(
        bench.seen(),
        ["reserve 1.1", "propose", "settle 1 used 100 50"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_leaves_no_reservation_open() {
    let bench = Bench::new();
    let dropped =
        tokio::time::timeout(Duration::from_millis(2_500), bench.run(&Slow(script()))).await;
    assert!(dropped.is_err());
    assert_eq!(bench.seen(), ["reserve 1.1", "abandon Some((100, 1))"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_leaves_no_reservation_open() {
    struct Broken;

    impl Provider for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }

        fn body_bytes(&self, request: &CompletionRequest) -> usize {
            request.messages.len()
        }

        fn stream(
            &self,
            _request: CompletionRequest,
            _cancel: CancellationToken,
        ) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
            panic!("a bug")
        }
    }

    let bench = Bench::new();
    let panicked = AssertUnwindSafe(bench.run(&Broken)).catch_unwind().await;
    assert!(panicked.is_err());
    assert_eq!(bench.seen(), ["reserve 1.1", "abandon None"]);
}

#[tokio::test(start_paused = true)]
async fn cancelling_does_not_wait_for_a_proposal() {
    let mut bench = Bench::new();
    bench.deaf = true;
    let cancel = bench.cancel.clone();
    let before = Instant::now();
    let cancelling = async {
        tokio::time::sleep(Duration::from_millis(5_500)).await;
        cancel.cancel();
    };
    let mut silent = script();
    silent.pop();
    let model = Slow(silent);
    let (end, ()) = tokio::join!(bench.run(&model), cancelling);
    assert_eq!(end, End::Cancelled);
    assert!(
        before.elapsed() < Duration::from_millis(5_600),
        "{:?}",
        before.elapsed()
    );
    assert_eq!(
        bench.seen(),
        ["reserve 1.1", "propose", "settle 1 unknown Some((100, 1))"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whenever_a_run_is_stopped_each_reservation_is_closed_once(at in 0u64..9_000, by_dropping in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new();
            let cancel = bench.cancel.clone();
            let after = Duration::from_millis(at);
            if by_dropping {
                let _ = tokio::time::timeout(after, bench.run(&Slow(script()))).await;
            } else {
                let cancelling = async {
                    tokio::time::sleep(after).await;
                    cancel.cancel();
                };
                let model = Slow(script());
                tokio::join!(bench.run(&model), cancelling);
            }
            assert_eq!(bench.count("reserve"), bench.count("settle") + bench.count("abandon"), "{:?}", bench.seen());
        });
    }
}

fn hostile_event() -> impl Strategy<Value = StreamEvent> {
    let id = "[ab]?";
    let name = prop_oneof![
        Just("edit_symbol".to_owned()),
        Just("read_symbol".to_owned()),
        Just("find".to_owned()),
        Just("request_scope".to_owned()),
        ".{0,80}",
    ];
    let path = prop_oneof![
        Just("one".to_owned()),
        "\\PC{0,12}",
        "(\\.\\./){0,3}[a-z/#]{0,6}"
    ];
    let input = (path, "\\PC{0,12}", 0usize..6).prop_map(|(path, text, form)| match form {
        0 => json!({"symbol": path, "base": "0123456789ab", "edits": [{"old_text": text, "new_text": path}]}),
        1 => json!({"symbol": path, "view": "outline", "file": text}),
        2 => json!({"query": path, "kind": "callers"}),
        3 => json!({"symbols": [path, text], "reason": text}),
        4 => json!({"symbol": path}),
        _ => json!([text, {"symbol": 3}]),
    });
    prop_oneof![
        Just(started()),
        any::<String>().prop_map(StreamEvent::TextDelta),
        (id, name.clone()).prop_map(|(id, name)| StreamEvent::ToolStarted { id, name }),
        (id, "\\PC{0,20}|\\{\"symbol\": \"\\PC{0,4}")
            .prop_map(|(id, partial)| StreamEvent::ToolInputDelta { id, partial }),
        (id, name, input, any::<bool>()).prop_map(|(id, name, input, whole)| {
            let input = if whole {
                Ok(input)
            } else {
                Err("broken".to_owned())
            };
            StreamEvent::ToolReady { id, name, input }
        }),
        any::<u64>().prop_map(|output| StreamEvent::Usage(usage(output))),
    ]
}

fn hostile_end() -> impl Strategy<Value = StreamEvent> {
    let stop = prop_oneof![
        Just(StopReason::EndTurn),
        Just(StopReason::ToolUse),
        Just(StopReason::MaxTokens),
        Just(StopReason::PauseTurn),
        any::<String>().prop_map(StopReason::Unknown),
    ];
    let block = prop_oneof![
        any::<String>().prop_map(|text| Content::Text { text }),
        "[ab]?".prop_map(|id| Content::ToolUse {
            id,
            name: "find".to_owned(),
            input: json!({})
        }),
        Just(Content::Opaque {
            block: json!({"type": "thinking"})
        }),
    ];
    (stop, prop::collection::vec(block, 0..4)).prop_map(|(stop, content)| finished(stop, content))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_a_model_says_a_run_ends_and_pays_once(
        mut events in prop::collection::vec(hostile_event(), 0..10), end in hostile_end(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        events.push(end);
        runtime.block_on(async {
            let bench = Bench::new();
            let end = bench.run(&Slow(events)).await;
            assert!(end.message().chars().count() < 2_000, "{end:?}");
            assert!(!end.message().contains(char::is_control), "{end:?}");
            assert_eq!(bench.count("reserve"), bench.count("settle"));
            assert_eq!(bench.count("abandon"), 0);
        });
    }
}

/// A run against the real client and a server that misbehaves as the script says.
async fn over_the_wire(script: &str) -> (End, Vec<String>) {
    let server = Scripted::start(Script::parse(script).unwrap())
        .await
        .unwrap();
    let config = AnthropicConfig {
        base_url: server.base_url(),
        ..AnthropicConfig::default()
    };
    let bench = Bench::new();
    let end = bench.run(&Anthropic::new(config).unwrap()).await;
    assert_eq!(server.failures(), Vec::<String>::new());
    (end, bench.seen())
}

#[tokio::test]
async fn each_retry_has_a_reservation_of_its_own() {
    let script = r#"
        [[turn]]
        text = "Nothing to do."
        usage = { input = 7, output = 3 }

        [[turn.fault]]
        times = 2
        status = 429
        headers = { retry-after-ms = "20" }
    "#;
    let (end, seen) = over_the_wire(script).await;
    assert_eq!(
        end,
        End::Completed {
            summary: "Nothing to do.".to_owned(),
            hunks: 0
        }
    );
    assert_eq!(
        seen,
        [
            "reserve 1.1",
            "settle 1 unbilled",
            "reserve 1.2",
            "settle 2 unbilled",
            "reserve 1.3",
            "settle 3 used 7 3"
        ]
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_neither_sent_again_nor_counted_as_nothing() {
    let script = r#"
        [[turn]]
        text = "I will simplify the loop, and then I will do some more."
        usage = { input = 7, output = 30 }

        [[turn.fault]]
        cut_after = { events = 4 }
    "#;
    let (end, seen) = over_the_wire(script).await;
    let End::Failed { reason } = end else {
        panic!("{end:?}")
    };
    assert!(reason.contains("broke off"), "{reason}");
    let [reserve, settle] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(reserve, "reserve 1.1");
    assert!(settle.starts_with("settle 1 unknown Some((7, "), "{settle}");
}

#[tokio::test]
async fn a_request_that_is_not_accepted_is_not_sent_again() {
    let script = r#"
        [[turn]]
        text = "…"

        [[turn.fault]]
        status = 400
    "#;
    let (end, seen) = over_the_wire(script).await;
    assert!(matches!(end, End::Failed { .. }), "{end:?}");
    assert_eq!(seen, ["reserve 1.1", "settle 1 unbilled"]);
}
