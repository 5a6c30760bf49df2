//! Where the money went.

use expect_test::{Expect, expect};

use super::*;

/// Three actions over two days, two files and two workspaces, one with a subagent and one still running.
fn book() -> Book {
    let book = Book::new();
    let estimate = estimate_around("0.10");
    let act =
        |name: &str, action: &str, file: &str, symbol: Option<&str>, workspace: &str, day: &str| {
            let (run, at) = (run(name), time(&format!("{day}T10:00:00")));
            book.ledger
                .start_run(&RunStart {
                    run: &run,
                    parent: None,
                    session: "s",
                    workspace,
                    action,
                    agent: action,
                    variant: "",
                    file: Some(file),
                    symbol,
                    model: "claude-sonnet-5-5",
                    budget: None,
                    estimate: Some(&estimate),
                    at: &at,
                })
                .unwrap();
            run
        };
    let spend = |run: &RunId, day: &str, cost: &str, model: Option<&str>| {
        let at = time(&format!("{day}T10:01:00"));
        let attempt = book.try_reserve_at(run, dollars("0.50"), &at).unwrap();
        let usage = Usage {
            input: 100,
            cache_write_5m: 10,
            cache_write_1h: 5,
            cache_read: 1_000,
            output: 50,
        };
        let settlement = Settlement {
            usage,
            cost: dollars(cost),
            model,
            price: None,
            request_id: None,
            at: at.timestamp(),
        };
        book.ledger.settle(attempt, &settlement).unwrap();
    };
    let end = |run: &RunId| book.end(run, RunEnd::Completed);

    let first = act(
        "r1",
        "fix",
        "src/mill.rs",
        Some("Mill/turn"),
        "/engine",
        "2026-11-20",
    );
    spend(&first, "2026-11-20", "0.06", None);
    spend(&first, "2026-11-21", "0.02", Some("claude-haiku-5-5"));
    let helper = book.child("r1-helper", &first, None);
    spend(&helper, "2026-11-21", "0.04", None);
    end(&helper);
    end(&first);
    let second = act("r2", "test", "src/mill.rs", None, "/engine", "2026-11-21");
    let cut = book
        .try_reserve_at(&second, dollars("0.30"), &time("2026-11-21T11:00:00"))
        .unwrap();
    book.book(cut);
    end(&second);
    let third = act(
        "r3",
        "fix",
        "src/mill.rs",
        Some("Mill/turn"),
        "/loom",
        "2026-11-21",
    );
    spend(&third, "2026-11-21", "0.01", None);
    book.try_reserve_at(&third, dollars("0.20"), &time("2026-11-21T12:00:00"))
        .unwrap();
    book
}

fn check(by: By, expected: Expect) {
    let lines: Vec<_> = book()
        .ledger
        .report(by, None, None)
        .unwrap()
        .iter()
        .map(|row| {
            let workspace = row.workspace.as_deref().map(|path| format!(" in {path}")).unwrap_or_default();
            format!(
                "{}{workspace}: {} runs, {} attempts, {} tokens, {} ({} unknown) + {}; {} estimated {} were {}, {} within\n",
                row.key,
                row.runs,
                row.attempts,
                row.usage.total(),
                row.cost,
                row.unknown,
                row.reserved,
                row.estimated_runs,
                row.estimated_expected,
                row.estimated_actual,
                row.within_estimate,
            )
        })
        .collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn by_action() {
    check(
        By::Action,
        expect![[r#"
        test: 1 runs, 1 attempts, 0 tokens, $0.30 ($0.30 unknown) + $0.00; 1 estimated $0.10 were $0.30, 0 within
        fix: 3 runs, 5 attempts, 4660 tokens, $0.13 ($0.00 unknown) + $0.20; 1 estimated $0.10 were $0.12, 1 within
    "#]],
    );
}

#[test]
fn by_symbol() {
    check(
        By::Symbol,
        expect![[r#"
        src/mill.rs in /engine: 1 runs, 1 attempts, 0 tokens, $0.30 ($0.30 unknown) + $0.00; 1 estimated $0.10 were $0.30, 0 within
        src/mill.rs#Mill/turn in /engine: 1 runs, 2 attempts, 2330 tokens, $0.08 ($0.00 unknown) + $0.00; 1 estimated $0.10 were $0.12, 1 within
        src/mill.rs#Mill/turn in /home/ada/engine: 1 runs, 1 attempts, 1165 tokens, $0.04 ($0.00 unknown) + $0.00; 0 estimated $0.00 were $0.00, 0 within
        src/mill.rs#Mill/turn in /loom: 1 runs, 2 attempts, 1165 tokens, $0.01 ($0.00 unknown) + $0.20; 0 estimated $0.00 were $0.00, 0 within
    "#]],
    );
}

#[test]
fn by_file() {
    check(
        By::File,
        expect![[r#"
        src/mill.rs in /engine: 2 runs, 3 attempts, 2330 tokens, $0.38 ($0.30 unknown) + $0.00; 2 estimated $0.20 were $0.42, 1 within
        src/mill.rs in /home/ada/engine: 1 runs, 1 attempts, 1165 tokens, $0.04 ($0.00 unknown) + $0.00; 0 estimated $0.00 were $0.00, 0 within
        src/mill.rs in /loom: 1 runs, 2 attempts, 1165 tokens, $0.01 ($0.00 unknown) + $0.20; 0 estimated $0.00 were $0.00, 0 within
    "#]],
    );
}

#[test]
fn by_model() {
    check(
        By::Model,
        expect![[r#"
        claude-sonnet-5-5: 4 runs, 5 attempts, 3495 tokens, $0.41 ($0.30 unknown) + $0.20; 2 estimated $0.20 were $0.42, 1 within
        claude-haiku-5-5: 1 runs, 1 attempts, 1165 tokens, $0.02 ($0.00 unknown) + $0.00; 0 estimated $0.00 were $0.00, 0 within
    "#]],
    );
}

#[test]
fn by_day() {
    check(
        By::Day,
        expect![[r#"
        2026-11-20: 1 runs, 1 attempts, 1165 tokens, $0.06 ($0.00 unknown) + $0.00; 1 estimated $0.10 were $0.12, 1 within
        2026-11-21: 4 runs, 5 attempts, 3495 tokens, $0.37 ($0.30 unknown) + $0.20; 1 estimated $0.10 were $0.30, 0 within
    "#]],
    );
}

#[test]
fn by_run() {
    check(
        By::Run,
        expect![[r#"
        r2: 1 runs, 1 attempts, 0 tokens, $0.30 ($0.30 unknown) + $0.00; 1 estimated $0.10 were $0.30, 0 within
        r1: 2 runs, 3 attempts, 3495 tokens, $0.12 ($0.00 unknown) + $0.00; 1 estimated $0.10 were $0.12, 1 within
        r3: 1 runs, 2 attempts, 1165 tokens, $0.01 ($0.00 unknown) + $0.20; 0 estimated $0.00 were $0.00, 0 within
    "#]],
    );
}

#[test]
fn by_workspace() {
    check(
        By::Workspace,
        expect![[r#"
        /engine: 2 runs, 3 attempts, 2330 tokens, $0.38 ($0.30 unknown) + $0.00; 2 estimated $0.20 were $0.42, 1 within
        /home/ada/engine: 1 runs, 1 attempts, 1165 tokens, $0.04 ($0.00 unknown) + $0.00; 0 estimated $0.00 were $0.00, 0 within
        /loom: 1 runs, 2 attempts, 1165 tokens, $0.01 ($0.00 unknown) + $0.20; 0 estimated $0.00 were $0.00, 0 within
    "#]],
    );
}

#[test]
fn a_report_can_be_limited_in_time() {
    let book = book();
    let since = Some(time("2026-11-21T10:01:00").timestamp());
    let until = Some(time("2026-11-21T11:00:00").timestamp());
    let sum = |since, until| {
        let rows = book.ledger.report(By::Action, since, until).unwrap();
        rows.iter().map(|row| row.cost).sum::<Money>()
    };
    assert_eq!(sum(since, until), dollars("0.07"));
    assert_eq!(sum(None, since), dollars("0.06"));
    assert_eq!(sum(until, None), dollars("0.30"));
    assert_eq!(sum(None, None), dollars("0.43"));
}

/// Whatever the grouping, the groups add up to the attempts.
#[test]
fn every_attempt_is_in_exactly_one_group() {
    let book = book();
    let all = book.ledger.spent(Window::All).unwrap();
    for by in By::ALL {
        let rows = book.ledger.report(by, None, None).unwrap();
        let sum = Spent {
            settled: rows.iter().map(|row| row.cost).sum(),
            reserved: rows.iter().map(|row| row.reserved).sum(),
        };
        assert_eq!(sum, all, "{}", by.name());
        assert_eq!(
            rows.iter().map(|row| row.attempts).sum::<u64>(),
            6,
            "{}",
            by.name()
        );
        assert_eq!(
            rows.iter().map(|row| row.estimated_runs).sum::<u64>(),
            2,
            "{}",
            by.name()
        );
    }
}

/// Elsewhere subagents are missing from the total: ten times the cost was spent that was shown.
#[test]
fn a_tree_shows_own_and_inclusive_cost() {
    let lines: Vec<_> = book()
        .ledger
        .run_tree(&run("r1"))
        .unwrap()
        .iter()
        .map(|row| {
            format!(
                "{} {:?}: own {}, inclusive {}\n",
                row.run, row.end, row.cost.own.settled, row.cost.inclusive.settled
            )
        })
        .collect();
    expect![[r#"
        r1 Some(Completed): own $0.08, inclusive $0.12
        r1-helper Some(Completed): own $0.04, inclusive $0.04
    "#]]
    .assert_eq(&lines.concat());
    let cost = book().ledger.run_cost(&run("r1")).unwrap();
    assert_eq!(
        (cost.own.settled, cost.inclusive.settled),
        (dollars("0.08"), dollars("0.12"))
    );
}

#[test]
fn cost_is_pinned_to_a_place() {
    let book = book();
    let on = |workspace, symbol| {
        let spent = book
            .ledger
            .spent_on(workspace, "src/mill.rs", symbol)
            .unwrap();
        (spent.settled.to_string(), spent.reserved.to_string())
    };
    assert_eq!(
        on("/engine", Some("Mill/turn")),
        ("$0.08".to_owned(), "$0.00".to_owned())
    );
    assert_eq!(
        on("/engine", None),
        ("$0.38".to_owned(), "$0.00".to_owned())
    );
    assert_eq!(on("/loom", None), ("$0.01".to_owned(), "$0.20".to_owned()));
    assert_eq!(
        on("/nowhere", None),
        ("$0.00".to_owned(), "$0.00".to_owned())
    );
}

#[test]
fn the_last_actual_is_that_of_the_last_ended_run() {
    let book = book();
    let last = |action, workspace, symbol| {
        book.ledger
            .last_actual(action, workspace, "src/mill.rs", symbol)
            .unwrap()
    };
    let fix = last("fix", "/engine", Some("Mill/turn")).unwrap();
    assert_eq!(
        (fix.run.as_str(), fix.cost, fix.end),
        ("r1", dollars("0.12"), RunEnd::Completed)
    );
    assert_eq!(fix.expected, Some(dollars("0.10")));
    assert_eq!(
        last("test", "/engine", None).map(|last| last.run),
        Some("r2".to_owned())
    );
    assert_eq!(last("test", "/engine", Some("Mill/turn")), None);
    // It has not ended.
    assert_eq!(last("fix", "/loom", Some("Mill/turn")), None);
}

#[test]
fn rows_are_json_with_whole_picodollars() {
    let rows = book().ledger.report(By::Model, None, None).unwrap();
    let json = serde_json::to_value(&rows).unwrap();
    assert_eq!(json[0]["key"], "claude-sonnet-5-5");
    assert_eq!(json[0]["cost"], 410_000_000_000_i64);
    assert_eq!(json[0]["usage"]["cache_read"], 3_000);
}

#[test]
fn what_nobody_bills_is_tokens_and_time_and_holds_no_estimate() {
    let book = Book::new();
    let at = time("2026-11-21T10:00:00");
    let free = Estimate {
        point: Money::ZERO,
        low: Money::ZERO,
        expected: Money::ZERO,
        high: Money::ZERO,
        ..estimate_around("0.10")
    };
    let run = run("r1");
    let start = RunStart {
        run: &run,
        parent: None,
        session: "s",
        workspace: "/engine",
        action: "fix",
        agent: "fix",
        variant: "",
        file: Some("src/mill.rs"),
        symbol: Some("Mill/turn"),
        model: "qwen3",
        budget: None,
        estimate: Some(&free),
        at: &at,
    };
    book.ledger.start_run(&start).unwrap();
    let price = crate::PriceRow::local("qwen3");
    let attempt = crate::AttemptId::new(at.timestamp());
    let reserve = Reserve {
        attempt,
        run: &run,
        turn: 1,
        model: "qwen3",
        price: &price,
        amount: price.worst(9_000, 9_000),
        predicted_input: None,
        limits: &Limits::default(),
        at: &at,
    };
    let _ = book.ledger.reserve(&reserve).unwrap();
    let settlement = Settlement {
        usage: Usage {
            input: 9_000,
            output: 100,
            ..Usage::default()
        },
        cost: Money::ZERO,
        model: None,
        price: None,
        request_id: None,
        at: time("2026-11-21T10:00:12").timestamp(),
    };
    book.ledger.settle(attempt, &settlement).unwrap();
    book.end(&run, RunEnd::Completed);
    let shown = |unbilled: Unbilled| unbilled.to_string();
    let rows = book.ledger.report(By::Action, None, None).unwrap();
    assert_eq!(shown(rows[0].unbilled), "9.1k tok in 12 s");
    assert_eq!((rows[0].estimated_runs, rows[0].within_estimate), (0, 0));
    assert_eq!(
        rows[0].unbilled_expected,
        free.input_tokens + free.output_tokens
    );
    let (today, month) = book.ledger.unbilled(&at).unwrap();
    assert_eq!((today, month), (rows[0].unbilled, rows[0].unbilled));
    let here = |symbol: &str| book.ledger.unbilled_on("/engine", "src/mill.rs", symbol);
    assert_eq!(here("Mill/turn").unwrap(), today);
    assert!(here("Mill/stop").unwrap().is_nothing());
    let action = &book.ledger.actions(None, None).unwrap()[0];
    assert_eq!((action.held(), action.unbilled), (None, today));
}

#[test]
fn times_are_readable_at_every_size() {
    let shown = |time_ms| {
        Unbilled {
            tokens: 830,
            time_ms,
        }
        .to_string()
    };
    let times = [40, 9_949, 9_950, 119_499, 119_500, 600_000].map(shown);
    expect![[r#"
        830 tok in 0.0 s
        830 tok in 9.9 s
        830 tok in 10 s
        830 tok in 119 s
        830 tok in 2 min
        830 tok in 10 min"#]]
    .assert_eq(&times.join("\n"));
}
