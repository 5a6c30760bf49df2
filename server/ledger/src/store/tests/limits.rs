//! What each limit refuses, and in which words.

use expect_test::{Expect, expect};

use super::*;

fn only(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn check(limits: Limits, spent: &str, held: &str, asked: &str, expected: Expect) {
    let book = Book::limited(limits);
    let run = book.start("r1");
    if spent != "0" {
        let attempt = book.reserve(&run, spent);
        book.settle(attempt, spent);
    }
    if held != "0" {
        book.reserve(&run, held);
    }
    let answer = match book.try_reserve(&run, asked) {
        Ok(_) => "granted".to_owned(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&answer);
}

#[test]
fn every_limit_says_which_it_is_what_is_left_and_how_to_change_it() {
    let limit = Some(dollars("1"));
    check(
        only(|limits| limits.run = limit),
        "0.60",
        "0.25",
        "0.20",
        expect![[
            r#"$0.15 is left of the $1.00 for one run ($0.60 spent, $0.25 held for requests in flight), and this request can cost $0.20; to allow it, set per_run = "$1.05" under [budget] in config.toml"#
        ]],
    );
    check(
        only(|limits| limits.session = limit),
        "0.60",
        "0",
        "0.50",
        expect![[
            r#"$0.40 is left of the $1.00 for this session ($0.60 spent), and this request can cost $0.50; to allow it, set per_session = "$1.10" under [budget] in config.toml"#
        ]],
    );
    check(
        only(|limits| limits.workspace = limit),
        "0",
        "0",
        "1.01",
        expect![[
            r#"$1.00 is left of the $1.00 for this workspace ($0.00 spent), and this request can cost $1.01; to allow it, set per_workspace = "$1.01" under [budget] in config.toml"#
        ]],
    );
    check(
        only(|limits| limits.day = limit),
        "0.999",
        "0",
        "0.0011",
        expect![[
            r#"$0.001 is left of the $1.00 for today ($0.999 spent), and this request can cost $0.0011; to allow it, set per_day = "$1.01" under [budget] in config.toml"#
        ]],
    );
    check(
        only(|limits| limits.month = limit),
        "1",
        "0",
        "0.000000000001",
        expect![[
            r#"$0.00 is left of the $1.00 for this month ($1.00 spent), and this request can cost $0.000000000001; to allow it, set per_month = "$1.01" under [budget] in config.toml"#
        ]],
    );
}

#[test]
fn a_model_has_a_day_and_a_month_of_its_own() {
    let limits = only(|limits| limits.model_day = Some(dollars("1")));
    check(
        limits,
        "0.60",
        "0.25",
        "0.20",
        expect![[
            r#"$0.15 is left of the $1.00 for this model today ($0.60 spent, $0.25 held for requests in flight), and this request can cost $0.20; to allow it, set per_day = "$1.05" under [budget.per_model."claude-sonnet-5-5"] in config.toml"#
        ]],
    );
    check(
        only(|limits| limits.model_month = Some(Money::ZERO)),
        "0",
        "0",
        "0.20",
        expect![[
            r#"nothing may be spent: the limit for this model this month is $0.00; to allow it, set per_month = "$0.20" under [budget.per_model."claude-sonnet-5-5"] in config.toml"#
        ]],
    );
    // Another model's money is not counted, and a date in the name makes no other model.
    let mut book = Book::limited(limits);
    let run = book.start("r1");
    book.reserve(&run, "0.90");
    book.model = "claude-haiku-5-5";
    book.reserve(&run, "0.90");
    book.model = "claude-sonnet-5-5-20260928";
    assert!(book.try_reserve(&run, "0.11").is_err());
    let held = book.reserve(&run, "0.10");
    book.settle(held, "0.05");
    book.model = "claude-sonnet-5-5";
    assert!(book.try_reserve(&run, "0.06").is_err());
    book.reserve(&run, "0.05");
    let day = time("2026-11-21T10:00:00").date();
    for window in [
        Window::ModelDay("claude-sonnet-5-5-20261001", day),
        Window::ModelMonth("claude-sonnet-5-5", day),
    ] {
        assert_eq!(book.spent(window), "$0.05 + $0.95");
    }
}

#[test]
fn amounts_that_look_alike_are_written_out() {
    check(
        only(|limits| limits.day = Some(dollars("0.05"))),
        "0",
        "0",
        "0.0500001",
        expect![[
            r#"$0.05 is left of the $0.05 for today ($0.00 spent), and this request can cost $0.0500001; to allow it, set per_day = "$0.06" under [budget] in config.toml"#
        ]],
    );
}

#[test]
fn a_limit_can_be_used_up_to_the_last_picodollar() {
    let limits = only(|limits| limits.run = Some(dollars("0.30")));
    check(limits, "0.1", "0.15", "0.05", expect!["granted"]);
    check(
        limits,
        "0.1",
        "0.15",
        "0.050000000001",
        expect![[
            r#"$0.05 is left of the $0.30 for one run ($0.10 spent, $0.15 held for requests in flight), and this request can cost $0.050000000001; to allow it, set per_run = "$0.31" under [budget] in config.toml"#
        ]],
    );
}

#[test]
fn zero_means_that_nothing_may_be_spent_and_so_does_less() {
    check(
        only(|limits| limits.day = Some(Money::ZERO)),
        "0",
        "0",
        "0.000000000001",
        expect![[
            r#"nothing may be spent: the limit for today is $0.00; to allow it, set per_day = "$0.01" under [budget] in config.toml"#
        ]],
    );
    let negative = only(|limits| limits.day = Some(dollars("-5")));
    check(
        negative,
        "0",
        "0",
        "0.01",
        expect![[
            r#"nothing may be spent: the limit for today is $0.00; to allow it, set per_day = "$0.01" under [budget] in config.toml"#
        ]],
    );
    // A local model costs nothing, which is allowed.
    check(negative, "0", "0", "0", expect!["granted"]);
}

#[test]
fn without_a_limit_nothing_is_refused_and_nothing_overflows() {
    let book = Book::new();
    let run = book.start("r1");
    for _ in 0..3 {
        book.try_reserve_at(&run, Money::MAX, &book.now()).unwrap();
    }
    assert_eq!(book.ledger.spent(Window::All).unwrap().reserved, Money::MAX);
    let limited = Book {
        limits: only(|limits| limits.month = Some(Money::MAX)),
        ..book
    };
    assert!(matches!(
        limited.try_reserve(&run, "0.01"),
        Err(ReserveError::OverLimit(_))
    ));
    assert_eq!(
        limited.ledger.report(By::Run, None, None).unwrap()[0].reserved,
        Money::MAX
    );
}

#[test]
fn the_narrowest_refusal_leaves_no_trace() {
    let limits = only(|limits| {
        limits.run = Some(dollars("1"));
        limits.day = Some(dollars("0.10"));
    });
    let book = Book::limited(limits);
    let run = book.start("r1");
    assert!(book.try_reserve(&run, "0.11").is_err());
    assert_eq!(book.spent(Window::All), "$0.00 + $0.00");
    let reservation = book.try_reserve(&run, "0.04");
    assert!(reservation.is_ok());
    let headroom = book
        .ledger
        .headroom(&run, "claude-sonnet-5-5", &book.limits, &book.now())
        .unwrap()
        .unwrap();
    assert_eq!(
        (headroom.which, headroom.left),
        (LimitKind::Day, dollars("0.06"))
    );
}

#[test]
fn a_reservation_tells_what_is_left() {
    let book = Book::limited(only(|limits| limits.month = Some(dollars("2"))));
    let run = book.start("r1");
    let now = book.now();
    let reservation = book
        .ledger
        .reserve(&Reserve {
            attempt: AttemptId::new(now.timestamp()),
            run: &run,
            turn: 1,
            model: "claude-sonnet-5-5",
            price: &sonnet(),
            amount: dollars("0.5"),
            predicted_input: None,
            limits: &book.limits,
            at: &now,
        })
        .unwrap();
    let headroom = reservation.headroom.unwrap();
    assert_eq!(
        (headroom.which, headroom.left),
        (LimitKind::Month, dollars("1.5"))
    );
}

#[test]
fn children_spend_their_parents_money() {
    let book = Book::limited(only(|limits| limits.run = Some(dollars("1"))));
    let root = book.start("root");
    let child = book.child("child", &root, Some("0.50"));
    // A share above the parent's does not widen it.
    let grandchild = book.child("grandchild", &child, Some("9"));
    let sibling = book.child("sibling", &root, None);
    book.reserve(&grandchild, "0.30");
    expect!["$0.20 is left of the $0.50 that this run was given ($0.00 spent, $0.30 held for requests in flight), and this request can cost $0.21; start the run with a larger budget"].assert_eq(&book.refusal(&grandchild, "0.21"));
    book.reserve(&child, "0.20");
    book.reserve(&sibling, "0.45");
    expect![[r#"$0.05 is left of the $1.00 for one run ($0.00 spent, $0.95 held for requests in flight), and this request can cost $0.06; to allow it, set per_run = "$1.01" under [budget] in config.toml"#]].assert_eq(&book.refusal(&root, "0.06"));
    assert_eq!(book.spent(Window::Run(&child)), "$0.00 + $0.50");
    assert_eq!(book.spent(Window::Run(&root)), "$0.00 + $0.95");
    let other = book.start("other");
    book.reserve(&other, "1");
}

#[test]
fn a_child_ends_before_the_money_of_its_share_returns() {
    let book = Book::new();
    let root = book.start_with("root", |start| start.budget = Some(dollars("0.10")));
    let child = book.child("child", &root, None);
    let attempt = book.reserve(&child, "0.10");
    assert!(book.try_reserve(&root, "0.01").is_err());
    book.settle(attempt, "0.02");
    book.end(&child, RunEnd::Completed);
    book.reserve(&root, "0.08");
}

#[test]
fn sessions_and_workspaces_are_counted_apart() {
    let limits = only(|limits| {
        limits.session = Some(dollars("1"));
        limits.workspace = Some(dollars("1.5"));
    });
    let book = Book::limited(limits);
    let first = book.start("first");
    let second = book.start_with("second", |start| start.session = "session-2");
    let elsewhere = book.start_with("elsewhere", |start| {
        start.session = "session-3";
        start.workspace = "/home/ada/loom";
    });
    book.reserve(&first, "1");
    assert!(book.refusal(&first, "0.01").contains("this session"));
    book.reserve(&second, "0.5");
    assert!(book.refusal(&second, "0.01").contains("this workspace"));
    book.reserve(&elsewhere, "1");
}

#[test]
fn a_day_ends_at_the_users_midnight() {
    let book = Book::limited(only(|limits| limits.day = Some(dollars("1"))));
    let run = book.start("r1");
    let reserve = |at: &str| book.try_reserve_at(&run, dollars("1"), &time(at));
    // 23:30 in UTC is the next day in Berlin.
    assert!(reserve("2026-11-20T23:59:59").is_ok());
    assert!(reserve("2026-11-20T00:00:00").is_err());
    let after_midnight = reserve("2026-11-21T00:00:00").unwrap();
    // The cost belongs to the day of the reservation, however late it is settled.
    book.settle(after_midnight, "0.4");
    let day = |text: &str| book.spent(Window::Day(text.parse().unwrap()));
    assert_eq!(day("2026-11-20"), "$0.00 + $1.00");
    assert_eq!(day("2026-11-21"), "$0.40 + $0.00");
    // A day of 23 hours and a day of 25 are days like others.
    assert!(reserve("2027-03-28T00:30:00").is_ok());
    assert!(reserve("2027-03-28T23:30:00").is_err());
    assert!(reserve("2027-10-31T00:30:00").is_ok());
    assert!(reserve("2027-10-31T23:30:00").is_err());
}

#[test]
fn a_month_is_a_month_of_the_users_calendar() {
    let book = Book::limited(only(|limits| limits.month = Some(dollars("1"))));
    let run = book.start("r1");
    let reserve = |at: &str| book.try_reserve_at(&run, dollars("1"), &time(at));
    assert!(reserve("2026-10-31T23:59:59").is_ok());
    assert!(reserve("2026-11-01T00:00:00").is_ok());
    assert!(reserve("2026-11-30T23:59:59").is_err());
    let totals = book.ledger.totals(&time("2026-11-01T09:00:00")).unwrap();
    assert_eq!(
        (totals.today.total(), totals.month.total()),
        (dollars("1"), dollars("1"))
    );
}

#[test]
fn another_zone_gives_no_second_budget_for_what_was_spent_in_this_one() {
    let book = Book::limited(only(|limits| limits.day = Some(dollars("1"))));
    let run = book.start("r1");
    book.try_reserve_at(&run, dollars("1"), &time("2026-11-21T10:00:00"))
        .unwrap();
    let tokyo: Zoned = "2026-11-21T18:00:00[Asia/Tokyo]".parse().unwrap();
    assert!(book.try_reserve_at(&run, dollars("0.01"), &tokyo).is_err());
}

#[test]
fn a_clock_that_goes_back_finds_what_was_spent_then() {
    let book = Book::limited(only(|limits| limits.day = Some(dollars("1"))));
    let run = book.start("r1");
    book.try_reserve_at(&run, dollars("1"), &time("2026-11-20T10:00:00"))
        .unwrap();
    book.try_reserve_at(&run, dollars("0.7"), &time("2026-11-21T10:00:00"))
        .unwrap();
    assert!(
        book.try_reserve_at(&run, dollars("0.1"), &time("2026-11-20T09:00:00"))
            .is_err()
    );
    assert!(
        book.try_reserve_at(&run, dollars("0.4"), &time("2026-11-21T09:00:00"))
            .is_err()
    );
}

#[test]
fn an_attempt_is_reserved_once_and_a_retry_is_another() {
    let book = Book::limited(only(|limits| limits.run = Some(dollars("0.30"))));
    let run = book.start("r1");
    let now = book.now();
    let attempt = AttemptId::new(now.timestamp());
    let reserve = || {
        book.ledger.reserve(&Reserve {
            attempt,
            run: &run,
            turn: 1,
            model: "m",
            price: &sonnet(),
            amount: dollars("0.10"),
            predicted_input: None,
            limits: &book.limits,
            at: &now,
        })
    };
    assert!(reserve().is_ok());
    assert_eq!(reserve(), Err(ReserveError::Repeated(attempt)));
    book.reserve(&run, "0.10");
    book.reserve(&run, "0.10");
    assert!(matches!(
        book.try_reserve(&run, "0.10"),
        Err(ReserveError::OverLimit(_))
    ));
}

#[test]
fn an_ended_or_unknown_run_reserves_nothing() {
    let book = Book::new();
    let run = book.start("r1");
    book.end(&run, RunEnd::Cancelled);
    assert_eq!(
        book.refusal(&run, "0.01"),
        "run r1 has ended; nothing more may be spent for it"
    );
    assert_eq!(
        book.refusal(&super::run("nobody"), "0.01"),
        "run nobody never started, so nothing can be reserved for it"
    );
    assert!(
        book.try_reserve_at(&book.start("r2"), dollars("-0.01"), &book.now())
            .is_err()
    );
}

#[test]
fn narrowing_never_allows_more() {
    let wide = only(|limits| {
        limits.run = Some(dollars("1"));
        limits.day = Some(dollars("5"));
    });
    let workspace = only(|limits| {
        limits.run = Some(dollars("3"));
        limits.day = Some(dollars("2"));
        limits.month = Some(Money::ZERO);
    });
    let both = only(|limits| {
        limits.run = Some(dollars("1"));
        limits.day = Some(dollars("2"));
        limits.month = Some(Money::ZERO);
    });
    assert_eq!(wide.narrow(workspace), both);
    assert_eq!(workspace.narrow(wide), both);
    assert_eq!(both.narrow(Limits::default()), both);
}
