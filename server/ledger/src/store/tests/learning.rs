//! What the ledger hands to estimates: in this process at once, after a restart from its rows.

use super::*;
use crate::{Cache, Task, Tokenizer, estimate};

fn settle_with(book: &Book, run: &RunId, predicted: u64, prompt: u64) {
    let now = book.now();
    let attempt = AttemptId::new(now.timestamp());
    let reserve = Reserve {
        attempt,
        run,
        turn: 1,
        model: "claude-sonnet-5-5",
        price: &sonnet(),
        amount: dollars("0.10"),
        predicted_input: Some(predicted),
        limits: &book.limits,
        at: &now,
    };
    let _ = book.ledger.reserve(&reserve).unwrap();
    let settlement = Settlement {
        usage: Usage {
            cache_read: prompt / 2,
            ..usage(prompt - prompt / 2, 100)
        },
        cost: dollars("0.01"),
        model: None,
        price: None,
        request_id: None,
        at: now.timestamp(),
    };
    book.ledger.settle(attempt, &settlement).unwrap();
}

/// A root run that costs `own`, with a child that costs `child`.
fn whole_run(book: &Book, name: &str, own: &str, child: &str, end: RunEnd) -> Ended {
    let estimate = estimate_around("0.10");
    let run = run(name);
    let now = book.now();
    book.ledger
        .start_run(&RunStart {
            run: &run,
            parent: None,
            session: "session-1",
            workspace: "/home/ada/engine",
            action: "fix",
            agent: "fixer",
            variant: "medium/1",
            file: Some("src/mill.rs"),
            symbol: Some("Mill/turn"),
            model: "claude-sonnet-5-5",
            budget: None,
            estimate: Some(&estimate),
            at: &now,
        })
        .unwrap();
    let attempt = book.reserve(&run, own);
    book.settle(attempt, own);
    let under = book.child(&format!("{name}-child"), &run, None);
    let attempt = book.reserve(&under, child);
    book.settle(attempt, child);
    book.end(&under, RunEnd::Completed);
    book.end(&run, end)
}

fn label(history: &crate::History) -> (Money, Money, Money, String) {
    let task = Task {
        kind: "fix",
        variant: "medium/1",
        prefix_tokens: 2_000,
        pack_tokens: 2_000,
        target_tokens: 300,
        max_turns: 8,
        cache: Cache::Warm,
    };
    let estimate = estimate(&task, &sonnet(), history);
    (
        estimate.low,
        estimate.expected,
        estimate.high,
        estimate.basis.to_string(),
    )
}

#[test]
fn an_ended_run_teaches_at_once_and_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let book = Book::of(Ledger::open(&path).unwrap());
    let before = book.ledger.history();
    for number in 0..9 {
        let ended = whole_run(
            &book,
            &format!("r{number}"),
            "0.15",
            "0.05",
            RunEnd::Completed,
        );
        assert_eq!(ended.cost.own.settled, dollars("0.15"));
        assert_eq!(ended.cost.inclusive.settled, dollars("0.20"));
        assert_eq!(
            ended.estimate,
            Some((dollars("0.05"), dollars("0.10"), dollars("0.20")))
        );
    }
    let learned = label(&book.ledger.history());
    assert_eq!(learned.3, "9 earlier runs");
    // Every run cost twice its point, children included.
    let prior = label(&before);
    let point = prior.1.picodollars() as f64 / 1.3;
    assert_eq!(learned.1.picodollars(), (2.0 * point).round() as i64);
    assert_eq!((learned.0, learned.2), (learned.1, learned.1));
    // A snapshot that someone holds does not change under them.
    assert_eq!(label(&before).3, "no earlier run");
    assert_eq!(book.ledger.history().coverage().within, 9);

    let reopened = Ledger::open(&path).unwrap();
    assert_eq!(label(&reopened.history()), learned);
    assert_eq!(
        reopened.history().coverage(),
        book.ledger.history().coverage()
    );
}

#[test]
fn ending_a_run_again_teaches_nothing_new() {
    let book = Book::new();
    whole_run(&book, "r1", "0.10", "0.01", RunEnd::Completed);
    book.end(&run("r1"), RunEnd::Completed);
    assert_eq!(book.ledger.history().coverage().scored, 1);
}

#[test]
fn a_stopped_run_is_remembered_as_a_lower_bound() {
    let book = Book::new();
    for number in 0..12 {
        whole_run(
            &book,
            &format!("r{number}"),
            "0.009",
            "0.001",
            RunEnd::OutOfBudget,
        );
    }
    let (low, expected, high, basis) = label(&book.ledger.history());
    let prior = label(&crate::History::default());
    assert_eq!(basis, "12 earlier runs");
    assert!(
        low <= prior.0 && expected == prior.1 && high == prior.2,
        "{low} {expected} {high}"
    );
    // Stopped runs below their interval are not scored: nobody knows what they would have cost.
    assert_eq!(book.ledger.history().coverage().scored, 0);
}

#[test]
fn settled_prompts_calibrate_the_token_count() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let book = Book::of(Ledger::open(&path).unwrap());
    let run = book.start("r1");
    let scaled = |ledger: &Ledger| ledger.history().scale(Tokenizer::Claude5, 1_000);
    assert_eq!(scaled(&book.ledger), 1_500);
    for _ in 0..30 {
        settle_with(&book, &run, 4_000, 5_200);
    }
    let learned = scaled(&book.ledger);
    assert!((1_300..=1_310).contains(&learned), "{learned}");
    assert_eq!(scaled(&Ledger::open(&path).unwrap()), learned);
}

#[test]
fn another_windows_runs_are_taken_in_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let (one, other) = (
        Book::of(Ledger::open(&path).unwrap()),
        Ledger::open(&path).unwrap(),
    );
    whole_run(&one, "r1", "0.10", "0.01", RunEnd::Completed);
    assert_eq!(other.history().coverage().scored, 0);
    other.reload_history().unwrap();
    assert_eq!(other.history().coverage().scored, 1);
}
