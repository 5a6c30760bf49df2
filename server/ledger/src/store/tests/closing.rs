//! What becomes of reservations. The wire traps that other tools fell into are named where they are tested.

use expect_test::expect;

use super::*;

fn under(limit: &str) -> Book {
    Book::limited(Limits {
        run: Some(dollars(limit)),
        ..Limits::default()
    })
}

#[test]
fn settling_gives_back_what_was_not_needed() {
    let book = under("0.10");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.10");
    assert!(book.try_reserve(&run, "0.01").is_err());
    let settled = book.settle(attempt, "0.03");
    assert_eq!(
        settled,
        Settled {
            cost: dollars("0.03"),
            overrun: false
        }
    );
    assert_eq!(book.spent(Window::Run(&run)), "$0.03 + $0.00");
    book.reserve(&run, "0.07");
}

/// Trackers that add up repeated records show two or three times the cost.
#[test]
fn settling_twice_counts_once() {
    let book = under("0.10");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.05");
    let first = book.settle(attempt, "0.03");
    assert_eq!(book.settle(attempt, "0.03"), first);
    assert_eq!(book.spent(Window::All), "$0.03 + $0.00");
    assert_eq!(book.ledger.attempts(&run).unwrap().len(), 1);
}

/// Trackers that keep the first of several records keep a partial count.
#[test]
fn other_figures_for_a_settled_attempt_are_refused() {
    let book = under("0.10");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.05");
    book.settle(attempt, "0.01");
    let error = book.try_settle(attempt, "0.03").unwrap_err().to_string();
    assert!(
        error.ends_with("is settled already, with other figures"),
        "{error}"
    );
    assert_eq!(book.spent(Window::All), "$0.01 + $0.00");
}

/// Aborted streams are logged elsewhere as nothing, or as one output token.
#[test]
fn unknown_usage_costs_the_whole_reservation() {
    let book = under("0.10");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.08");
    book.book(attempt);
    book.book(attempt);
    assert_eq!(book.spent(Window::Run(&run)), "$0.08 + $0.00");
    let row = book.ledger.attempts(&run).unwrap().remove(0);
    assert_eq!(
        (row.state, row.usage, row.charge),
        (AttemptState::Booked, None, dollars("0.08"))
    );
    assert!(book.try_reserve(&run, "0.03").is_err());
}

#[test]
fn what_is_known_of_a_cut_stream_is_kept_and_lowers_nothing() {
    let book = under("0.10");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.08");
    let at = book.now().timestamp();
    let booked = book
        .ledger
        .book_unknown(attempt, "cut", Some(usage(900, 5)), at)
        .unwrap();
    assert_eq!(booked, dollars("0.08"));
    let row = book.ledger.attempts(&run).unwrap().remove(0);
    assert_eq!(
        (row.usage, row.reason.as_deref()),
        (Some(usage(900, 5)), Some("cut"))
    );
}

#[test]
fn late_usage_corrects_what_was_booked() {
    let book = under("0.10");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.08");
    book.book(attempt);
    assert_eq!(
        book.settle(attempt, "0.02"),
        Settled {
            cost: dollars("0.02"),
            overrun: false
        }
    );
    assert_eq!(book.spent(Window::All), "$0.02 + $0.00");
    assert_eq!(book.settle(attempt, "0.02").cost, dollars("0.02"));
    let at = book.now().timestamp();
    assert!(
        book.ledger
            .book_unknown(attempt, "again", None, at)
            .is_err()
    );
}

#[test]
fn what_was_never_sent_costs_nothing() {
    let book = under("0.10");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.10");
    book.release(attempt).unwrap();
    book.release(attempt).unwrap();
    assert_eq!(book.spent(Window::All), "$0.00 + $0.00");
    book.reserve(&run, "0.10");
}

#[test]
fn a_recorded_cost_is_never_taken_back() {
    let book = under("1");
    let run = book.start("r1");
    let (settled, booked) = (book.reserve(&run, "0.10"), book.reserve(&run, "0.10"));
    book.settle(settled, "0.05");
    book.book(booked);
    for (attempt, state) in [(settled, "settled"), (booked, "booked")] {
        let error = book.release(attempt).unwrap_err().to_string();
        assert_eq!(error, format!("attempt {attempt} is {state} already"));
    }
    assert_eq!(book.spent(Window::All), "$0.15 + $0.00");
}

#[test]
fn a_free_answer_settles_at_zero() {
    // A refusal before the first token is not billed, its prompt included.
    let book = under("0.10");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.10");
    assert_eq!(book.settle(attempt, "0").cost, Money::ZERO);
    book.reserve(&run, "0.10");
}

#[test]
fn a_cost_above_its_reservation_is_recorded_and_stops_spending() {
    let book = under("1");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.05");
    assert!(book.settle(attempt, "0.30").overrun);
    // In full, and again when repeated.
    assert_eq!(book.spent(Window::All), "$0.30 + $0.00");
    assert!(book.settle(attempt, "0.30").overrun);
    expect!["spending is stopped: a request to claude-sonnet-5-5 cost $0.30 although only $0.05 was held for it, so its price is probably wrong; compare the price table with the provider's prices, then allow spending again with `farthing cost --acknowledge`"].assert_eq(&book.refusal(&run, "0.01"));
    // What costs nothing goes on.
    book.reserve(&run, "0");
    assert_eq!(book.ledger.overruns().unwrap().len(), 1);
    assert_eq!(
        book.ledger
            .acknowledge_overruns(book.now().timestamp())
            .unwrap(),
        1
    );
    assert_eq!(
        book.ledger
            .acknowledge_overruns(book.now().timestamp())
            .unwrap(),
        0
    );
    assert_eq!(book.ledger.overruns().unwrap(), vec![]);
    book.reserve(&run, "0.01");
}

#[test]
fn a_released_attempt_that_was_billed_after_all_is_an_overrun() {
    let book = under("1");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.05");
    book.release(attempt).unwrap();
    assert!(book.settle(attempt, "0.01").overrun);
    assert_eq!(book.spent(Window::All), "$0.01 + $0.00");
    let overrun = book.ledger.overruns().unwrap().remove(0);
    assert_eq!((overrun.held, overrun.cost), (Money::ZERO, dollars("0.01")));
}

#[test]
fn an_attempt_that_was_never_reserved_is_not_settled() {
    let book = Book::new();
    let attempt = AttemptId::new(book.now().timestamp());
    let error = book.try_settle(attempt, "0.01").unwrap_err().to_string();
    assert_eq!(error, format!("attempt {attempt} was never reserved"));
    assert!(book.release(attempt).is_err());
    let reserved = book.reserve(&book.start("r1"), "0.01");
    assert!(book.try_settle(reserved, "-0.01").is_err());
}

/// The model that answers may be another than the one that was asked, and prices change while requests run.
#[test]
fn the_row_says_who_answered_and_by_which_price() {
    let book = under("1");
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.50");
    let usage = Usage {
        input: 10,
        cache_write_5m: 20,
        cache_write_1h: 30,
        cache_read: 40,
        output: 50,
    };
    let settlement = Settlement {
        usage,
        cost: dollars("0.01"),
        model: Some("claude-haiku-5-5"),
        price: Some("anthropic/claude-haiku-5-5@2026-10-07"),
        request_id: Some("req_011"),
        at: book.now().timestamp(),
    };
    book.ledger.settle(attempt, &settlement).unwrap();
    let row = book.ledger.attempts(&run).unwrap().remove(0);
    assert_eq!(row.model, "claude-haiku-5-5");
    assert_eq!(row.price, "anthropic/claude-haiku-5-5@2026-10-07");
    assert_eq!(
        (row.usage, row.request_id.as_deref()),
        (Some(usage), Some("req_011"))
    );
    assert_eq!(
        (row.reserved, row.charge),
        (dollars("0.50"), dollars("0.01"))
    );
}

#[test]
fn counts_beyond_reason_are_kept_within_reason() {
    let book = Book::new();
    let run = book.start("r1");
    let everything = Usage {
        input: u64::MAX,
        cache_write_5m: u64::MAX,
        cache_write_1h: u64::MAX,
        cache_read: u64::MAX,
        output: u64::MAX,
    };
    for _ in 0..3 {
        let attempt = book.try_reserve_at(&run, Money::MAX, &book.now()).unwrap();
        let settlement = Settlement {
            usage: everything,
            cost: sonnet().cost(&everything),
            model: None,
            price: None,
            request_id: None,
            at: book.now().timestamp(),
        };
        assert_eq!(
            book.ledger.settle(attempt, &settlement).unwrap(),
            Settled {
                cost: Money::MAX,
                overrun: false
            }
        );
        assert!(book.ledger.settle(attempt, &settlement).is_ok());
    }
    let row = book
        .ledger
        .report(By::Action, None, None)
        .unwrap()
        .remove(0);
    assert_eq!((row.cost, row.usage.output), (Money::MAX, 3 << 53));
}

/// Elsewhere a total shrinks when a conversation is compacted or restored; here nothing that was written changes.
#[test]
fn rows_cannot_be_changed_or_deleted() {
    let book = Book::new();
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.05");
    book.settle(attempt, "0.05");
    book.end(&run, RunEnd::Completed);
    for statement in [
        "UPDATE reservations SET amount = 0",
        "DELETE FROM reservations",
        "UPDATE settlements SET cost = 0",
        "DELETE FROM settlements",
        "UPDATE runs SET budget = NULL",
        "DELETE FROM runs",
        "UPDATE run_ends SET state = 'failed'",
        "DELETE FROM run_ends",
    ] {
        let refused = book
            .ledger
            .store_guard()
            .connection
            .execute(statement, [])
            .unwrap_err();
        assert!(
            refused.to_string().contains("append-only"),
            "{statement}: {refused}"
        );
    }
}

#[test]
fn a_run_ends_once() {
    let book = Book::new();
    let run = book.start("r1");
    let attempt = book.reserve(&run, "0.05");
    book.settle(attempt, "0.02");
    let ended = book.end(&run, RunEnd::Completed);
    assert_eq!(ended.cost.own.settled, dollars("0.02"));
    assert_eq!(book.end(&run, RunEnd::Completed), ended);
    let now = book.now().timestamp();
    let error = book
        .ledger
        .end_run(&run, RunEnd::Failed, now)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "run r1 has already ended: completed");
    let error = book
        .ledger
        .end_run(&super::run("nobody"), RunEnd::Failed, now)
        .unwrap_err();
    assert_eq!(error.to_string(), "run nobody never started");
}

#[test]
fn a_run_starts_once_and_after_its_parent() {
    let book = Book::new();
    let run = book.start("r1");
    let now = book.now();
    let start = |id: &RunId, parent: Option<&RunId>, budget: Option<&str>| {
        let start = RunStart {
            run: id,
            parent,
            session: "s",
            workspace: "w",
            action: "fix",
            agent: "a",
            variant: "",
            file: None,
            symbol: None,
            model: "m",
            budget: budget.map(dollars),
            estimate: None,
            at: &now,
        };
        book.ledger.start_run(&start).unwrap_err().to_string()
    };
    let (other, nobody) = (super::run("r2"), super::run("nobody"));
    assert_eq!(start(&run, None, None), "run r1 has already started");
    assert_eq!(
        start(&other, Some(&nobody), None),
        "run nobody never started, so it cannot start r2"
    );
    assert_eq!(
        start(&other, None, Some("-1")),
        "the budget of run r2 is negative"
    );
}
