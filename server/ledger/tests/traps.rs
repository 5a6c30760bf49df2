//! Traps that accounting of model usage has fallen into elsewhere, each as the feature that avoids it.
//!
//! | trap | where it is tested |
//! |---|---|
//! | a record counted twice, or a partial one kept | `store::tests::closing::settling_twice_counts_once` and after |
//! | cached tokens counted in and outside the input | here |
//! | subagents missing from the total | here |
//! | a total that shrinks with the conversation | here, and `rows_cannot_be_changed_or_deleted` |
//! | an aborted request counted as nothing | here, and `unknown_usage_costs_the_whole_reservation` |
//! | a retry that nobody paid for in advance | here |
//! | a limit that parallel first requests slip by | here, and `processes_that_race_for_one_limit_never_exceed_it` |
//! | a limit of zero read as no limit | `store::tests::limits::zero_means_that_nothing_may_be_spent_and_so_does_less` |
//! | an unknown model at a price of zero | here |
//! | a price cliff that a flat table cannot have | `prices::tests::the_worst_case_looks_over_the_cliff` |
//! | dollars shown, or limited, where nothing is billed | here |
//! | rows lost between time zones | `store::tests::limits::a_day_ends_at_the_users_midnight` |

#![allow(clippy::unwrap_used)]

use std::thread;

use jiff::{Timestamp, Zoned};
use ledger::{
    AttemptId, Cache, History, Ledger, Limits, Money, PriceRow, Prices, Reserve, ReserveError,
    RunEnd, RunId, RunStart, Settlement, Task, Usage, Window, estimate,
};

fn now() -> Zoned {
    "2026-11-21T10:00:00[America/New_York]".parse().unwrap()
}

fn at() -> Timestamp {
    now().timestamp()
}

fn dollars(text: &str) -> Money {
    text.parse().unwrap()
}

fn price(model: &str) -> PriceRow {
    Prices::shipped().lookup(model, at()).unwrap().clone()
}

fn start(ledger: &Ledger, name: &str, parent: Option<&RunId>) -> RunId {
    let run: RunId = name.parse().unwrap();
    let start = RunStart {
        run: &run,
        parent,
        session: "session",
        workspace: "/home/ada/engine",
        action: "fix",
        agent: "fixer",
        variant: "",
        file: None,
        symbol: None,
        model: "claude-sonnet-5-5",
        budget: None,
        estimate: None,
        at: &now(),
    };
    ledger.start_run(&start).unwrap();
    run
}

/// Reserves the worst case of a request of so many bytes and at most a thousand tokens of output.
fn send(
    ledger: &Ledger,
    run: &RunId,
    bytes: u64,
    limits: Limits,
) -> Result<AttemptId, ReserveError> {
    let (attempt, price) = (AttemptId::new(at()), price("claude-sonnet-5-5"));
    let reserve = Reserve {
        attempt,
        run,
        turn: 1,
        model: "claude-sonnet-5-5",
        price: &price,
        amount: price.worst(bytes, 1_000),
        predicted_input: None,
        limits: &limits,
        at: &now(),
    };
    ledger.reserve(&reserve).map(|_| attempt)
}

fn answer(ledger: &Ledger, attempt: AttemptId, usage: Usage) -> Money {
    let settlement = Settlement {
        usage,
        cost: price("claude-sonnet-5-5").cost(&usage),
        model: None,
        price: None,
        request_id: None,
        at: at(),
    };
    ledger.settle(attempt, &settlement).unwrap().cost
}

#[test]
fn a_cached_token_is_paid_for_once() {
    // A prompt of 10,000 tokens, 8,000 of them read from the cache: 2,000 at $2 and 8,000 at $0.10 a million.
    let usage = Usage {
        input: 2_000,
        cache_read: 8_000,
        ..Usage::default()
    };
    assert_eq!(usage.prompt(), 10_000);
    assert_eq!(price("claude-sonnet-5-5").cost(&usage).exact(), "$0.0048");
}

#[test]
fn a_run_under_a_run_under_a_run_is_in_the_total() {
    let ledger = Ledger::in_memory().unwrap();
    let root = start(&ledger, "root", None);
    let child = start(&ledger, "child", Some(&root));
    let grandchild = start(&ledger, "grandchild", Some(&child));
    let usage = Usage {
        input: 10_000,
        ..Usage::default()
    };
    for run in [&root, &child, &grandchild] {
        let attempt = send(&ledger, run, 20_000, Limits::default()).unwrap();
        assert_eq!(answer(&ledger, attempt, usage), dollars("0.02"));
        ledger.end_run(run, RunEnd::Completed, at()).unwrap();
    }
    assert_eq!(
        ledger.run_cost(&root).unwrap().inclusive.settled,
        dollars("0.06")
    );
    assert_eq!(
        ledger.run_cost(&child).unwrap().inclusive.settled,
        dollars("0.04")
    );
}

#[test]
fn a_total_never_shrinks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let mut before = Money::ZERO;
    for generation in 0..4 {
        let ledger = Ledger::open(&path).unwrap();
        ledger.recover(at()).unwrap();
        let total = ledger.spent(Window::All).unwrap().total();
        assert!(total >= before);
        let run = start(&ledger, &format!("r{generation}"), None);
        let attempt = send(&ledger, &run, 20_000, Limits::default()).unwrap();
        if generation % 2 == 0 {
            answer(
                &ledger,
                attempt,
                Usage {
                    input: 100,
                    ..Usage::default()
                },
            );
        }
        before = ledger.spent(Window::All).unwrap().total();
    }
}

#[test]
fn an_abort_costs_what_was_held_and_a_retry_holds_again() {
    let ledger = Ledger::in_memory().unwrap();
    let run = start(&ledger, "r1", None);
    // Worst case: 10,000 tokens at $4 and 1,000 at $10 a million, five cents.
    let limits = Limits {
        run: Some(dollars("0.10")),
        ..Limits::default()
    };
    let aborted = send(&ledger, &run, 10_000, limits).unwrap();
    let known = Usage {
        input: 3_000,
        output: 1,
        ..Usage::default()
    };
    ledger
        .book_unknown(aborted, "cancelled", Some(known), at())
        .unwrap();
    assert_eq!(
        ledger.spent(Window::Run(&run)).unwrap().settled,
        dollars("0.05")
    );
    assert!(send(&ledger, &run, 10_000, limits).is_ok());
    assert!(matches!(
        send(&ledger, &run, 10_000, limits),
        Err(ReserveError::OverLimit(_))
    ));
}

#[test]
fn eight_first_requests_at_once_are_eight_reservations() {
    let ledger = Ledger::in_memory().unwrap();
    let limits = Limits {
        day: Some(dollars("0.12")),
        ..Limits::default()
    };
    let runs: Vec<_> = (0..8)
        .map(|number| start(&ledger, &format!("r{number}"), None))
        .collect();
    let granted = thread::scope(|scope| {
        let sends: Vec<_> = runs
            .iter()
            .map(|run| scope.spawn(|| send(&ledger, run, 10_000, limits).is_ok()))
            .collect();
        let granted = |send: thread::ScopedJoinHandle<'_, bool>| usize::from(send.join().unwrap());
        sends.into_iter().map(granted).sum::<usize>()
    });
    assert_eq!(granted, 2);
}

#[test]
fn a_model_without_a_price_cannot_be_reserved_for() {
    // There is no row, and `Reserve` cannot be made without one.
    assert_eq!(Prices::shipped().lookup("claude-haiku-6", at()), None);
    assert_eq!(Prices::shipped().lookup("claude-haiku-5", at()), None);
}

#[test]
fn a_local_model_shows_tokens_and_is_allowed_without_a_budget() {
    let local = PriceRow::local("qwen3-coder");
    let task = Task {
        kind: "document",
        variant: "",
        prefix_tokens: 1_000,
        pack_tokens: 2_000,
        target_tokens: 200,
        max_turns: 4,
        cache: Cache::Cold,
    };
    let title = estimate(&task, &local, &History::default()).title();
    assert!(title.ends_with("k tok") && !title.contains('$'), "{title}");
    let ledger = Ledger::in_memory().unwrap();
    let run = start(&ledger, "r1", None);
    let reserve = Reserve {
        attempt: AttemptId::new(at()),
        run: &run,
        turn: 1,
        model: "qwen3-coder",
        price: &local,
        amount: local.worst(1 << 20, 8_192),
        predicted_input: None,
        limits: &Limits {
            day: Some(Money::ZERO),
            ..Limits::default()
        },
        at: &now(),
    };
    assert!(ledger.reserve(&reserve).is_ok());
}
