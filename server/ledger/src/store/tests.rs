#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_raw_string_hashes
)]

mod budgets;
mod closing;
mod files;
mod learning;
mod limits;
mod reports;
mod rescues;

use std::cell::Cell;

use jiff::{ToSpan, Zoned};

use super::*;
use crate::{AttemptId, Estimate, Money, PriceRow, Prices, RunId, Usage};

/// A ledger with a clock, and runs that all work in one place unless they say otherwise.
struct Book {
    ledger: Ledger,
    now: Cell<i64>,
    limits: Limits,
    /// The model that is asked for.
    model: &'static str,
}

const BERLIN: &str = "[Europe/Berlin]";

fn time(text: &str) -> Zoned {
    format!("{text}{BERLIN}").parse().unwrap()
}

fn dollars(text: &str) -> Money {
    text.parse().unwrap()
}

fn run(name: &str) -> RunId {
    name.parse().unwrap()
}

fn sonnet() -> PriceRow {
    let at = "2026-11-21T12:00:00Z".parse().unwrap();
    Prices::shipped()
        .lookup("claude-sonnet-5-5", at)
        .unwrap()
        .clone()
}

fn usage(input: u64, output: u64) -> Usage {
    Usage {
        input,
        output,
        ..Usage::default()
    }
}

fn estimate_around(expected: &str) -> Estimate {
    let expected = dollars(expected);
    let scaled = |percent: i64| Money::from_picodollars(expected.picodollars() / 100 * percent);
    Estimate {
        point: expected,
        low: scaled(50),
        expected,
        high: scaled(200),
        input_tokens: 6_000,
        output_tokens: 1_200,
        turns: 3,
        basis: crate::Basis::Prior,
    }
}

impl Book {
    fn new() -> Self {
        Self::of(Ledger::in_memory().unwrap())
    }

    fn of(ledger: Ledger) -> Self {
        Self {
            ledger,
            now: Cell::new(0),
            limits: Limits::default(),
            model: "claude-sonnet-5-5",
        }
    }

    fn limited(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::new()
        }
    }

    /// A second later at each call.
    fn now(&self) -> Zoned {
        self.now.set(self.now.get() + 1);
        time("2026-11-21T10:00:00")
            .checked_add(self.now.get().seconds())
            .unwrap()
    }

    fn start(&self, name: &str) -> RunId {
        self.start_with(name, |_| {})
    }

    fn start_with(&self, name: &str, change: impl for<'a> FnOnce(&mut RunStart<'a>)) -> RunId {
        let (run, now) = (run(name), self.now());
        let mut start = RunStart {
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
            estimate: None,
            at: &now,
        };
        change(&mut start);
        self.ledger.start_run(&start).unwrap();
        run
    }

    fn child(&self, name: &str, parent: &RunId, budget: Option<&str>) -> RunId {
        let (run, now) = (run(name), self.now());
        let start = RunStart {
            run: &run,
            parent: Some(parent),
            session: "session-1",
            workspace: "/home/ada/engine",
            action: "fix",
            agent: "helper",
            variant: "medium/1",
            file: Some("src/mill.rs"),
            symbol: Some("Mill/turn"),
            model: "claude-sonnet-5-5",
            budget: budget.map(dollars),
            estimate: None,
            at: &now,
        };
        self.ledger.start_run(&start).unwrap();
        run
    }

    fn try_reserve_at(
        &self,
        run: &RunId,
        amount: Money,
        at: &Zoned,
    ) -> Result<AttemptId, ReserveError> {
        let attempt = AttemptId::new(at.timestamp());
        let reservation = self.ledger.reserve(&Reserve {
            attempt,
            run,
            turn: 1,
            model: self.model,
            price: &sonnet(),
            amount,
            predicted_input: None,
            limits: &self.limits,
            at,
        })?;
        assert_eq!((reservation.attempt, reservation.amount), (attempt, amount));
        Ok(attempt)
    }

    fn try_reserve(&self, run: &RunId, amount: &str) -> Result<AttemptId, ReserveError> {
        self.try_reserve_at(run, dollars(amount), &self.now())
    }

    fn reserve(&self, run: &RunId, amount: &str) -> AttemptId {
        self.try_reserve(run, amount).unwrap()
    }

    /// Why the reservation is refused.
    fn refusal(&self, run: &RunId, amount: &str) -> String {
        self.try_reserve(run, amount).unwrap_err().to_string()
    }

    fn try_settle(&self, attempt: AttemptId, cost: &str) -> Result<Settled, LedgerError> {
        self.ledger.settle(
            attempt,
            &Settlement {
                usage: usage(1_000, 100),
                cost: dollars(cost),
                model: None,
                price: None,
                request_id: Some("req_1"),
                at: self.now().timestamp(),
            },
        )
    }

    fn settle(&self, attempt: AttemptId, cost: &str) -> Settled {
        self.try_settle(attempt, cost).unwrap()
    }

    fn book(&self, attempt: AttemptId) {
        let at = self.now().timestamp();
        self.ledger.book_unknown(attempt, "cut", None, at).unwrap();
    }

    fn release(&self, attempt: AttemptId) -> Result<(), LedgerError> {
        self.ledger
            .release(attempt, "never sent", self.now().timestamp())
    }

    fn end(&self, run: &RunId, end: RunEnd) -> Ended {
        self.ledger
            .end_run(run, end, self.now().timestamp())
            .unwrap()
    }

    /// Settled and reserved.
    fn spent(&self, window: Window<'_>) -> String {
        let spent = self.ledger.spent(window).unwrap();
        format!("{} + {}", spent.settled, spent.reserved)
    }
}
