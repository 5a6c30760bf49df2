//! The promise: settled and reserved money together never exceed a limit, at no instant, in no order of events.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A run asks for an amount of thousandths of a dollar.
    Reserve {
        run: usize,
        model: usize,
        amount: i64,
    },
    /// A held attempt costs a part of its reservation, in percent.
    Settle {
        attempt: usize,
        percent: i64,
    },
    Book {
        attempt: usize,
    },
    Release {
        attempt: usize,
    },
    End {
        run: usize,
    },
    /// The clock moves, over midnights too.
    Wait {
        hours: i64,
    },
    /// The process dies; another opens the ledger and recovers it.
    Crash,
}

fn steps(crashes: bool) -> impl Strategy<Value = Vec<Step>> {
    let crash = if crashes { 2 } else { 0 };
    let step = prop_oneof![
        12 => (0..5_usize, 0..3_usize, 0..400_i64).prop_map(|(run, model, amount)| Step::Reserve { run, model, amount }),
        6 => (0..64_usize, 0..=100_i64).prop_map(|(attempt, percent)| Step::Settle { attempt, percent }),
        2 => (0..64_usize).prop_map(|attempt| Step::Book { attempt }),
        2 => (0..64_usize).prop_map(|attempt| Step::Release { attempt }),
        1 => (0..5_usize).prop_map(|run| Step::End { run }),
        2 => (1..30_i64).prop_map(|hours| Step::Wait { hours }),
        crash => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What the ledger should say, kept by hand.
#[derive(Debug)]
struct Expected {
    run: usize,
    model: &'static str,
    day: String,
    charge: i64,
    open: bool,
}

const MILLI: i64 = 1_000_000_000;

/// Two roots; the first has two children, one of which has a child. Shares are in thousandths.
const TREE: [(Option<usize>, Option<i64>); 5] = [
    (None, None),
    (Some(0), Some(500)),
    (Some(1), Some(300)),
    (Some(0), None),
    (None, Some(700)),
];

/// The first two are one model, with and without a date.
const MODELS: [&str; 3] = [
    "claude-sonnet-5-5",
    "claude-sonnet-5-5-20260928",
    "claude-haiku-5-5",
];

fn one_model(a: &str, b: &str) -> bool {
    a == b || (a.starts_with("claude-sonnet") && b.starts_with("claude-sonnet"))
}

fn descends(run: usize, from: usize) -> bool {
    run == from || TREE[run].0.is_some_and(|parent| descends(parent, from))
}

struct World {
    book: Book,
    path: Option<std::path::PathBuf>,
    runs: Vec<RunId>,
    attempts: Vec<(AttemptId, Expected)>,
    hours: i64,
    crashes: u32,
    limits: (i64, i64, i64),
}

impl World {
    fn new(limits: (i64, i64, i64), path: Option<std::path::PathBuf>) -> Self {
        let ledger = path
            .as_ref()
            .map_or_else(Ledger::in_memory, |path| Ledger::open(path))
            .unwrap();
        let money = |milli: i64| Some(Money::from_picodollars(milli * MILLI));
        let mut book = Book::of(ledger);
        book.limits = Limits {
            run: money(limits.0),
            session: money(limits.2 * 2),
            workspace: money(limits.1 * 2),
            day: money(limits.1),
            month: money(limits.2),
            model_day: money(limits.1 / 2),
            model_month: money(limits.2 / 2),
        };
        let mut world = Self {
            book,
            path,
            runs: Vec::new(),
            attempts: Vec::new(),
            hours: 0,
            crashes: 0,
            limits,
        };
        world.start_runs("a");
        world
    }

    fn start_runs(&mut self, generation: &str) {
        let mut runs: Vec<RunId> = Vec::new();
        for (index, (parent, share)) in TREE.iter().enumerate() {
            let id = run(&format!("{generation}{index}"));
            let now = self.now();
            let start = RunStart {
                run: &id,
                parent: parent.map(|parent| &runs[parent]),
                session: "s",
                workspace: "w",
                action: ["fix", "test", "refactor"][index % 3],
                agent: "a",
                variant: "",
                file: Some(["a.rs", "b.rs"][index % 2]),
                symbol: None,
                model: "m",
                budget: share.map(|milli| Money::from_picodollars(milli * MILLI)),
                estimate: None,
                at: &now,
            };
            self.book.ledger.start_run(&start).unwrap();
            runs.push(id);
        }
        self.runs = runs;
    }

    fn now(&self) -> Zoned {
        time("2026-11-20T20:00:00")
            .checked_add(self.hours.hours())
            .unwrap()
    }

    fn step(&mut self, step: Step) {
        let now = self.now();
        match step {
            Step::Reserve { run, model, amount } => {
                self.book.model = MODELS[model];
                let amount = Money::from_picodollars(amount * MILLI);
                match self.book.try_reserve_at(&self.runs[run], amount, &now) {
                    Ok(attempt) => {
                        let (charge, day) = (amount.picodollars(), now.date().to_string());
                        self.attempts.push((
                            attempt,
                            Expected {
                                run,
                                model: MODELS[model],
                                day,
                                charge,
                                open: true,
                            },
                        ));
                    }
                    Err(ReserveError::OverLimit(over)) => {
                        self.check_refusal(over, run, amount, &now);
                    }
                    Err(ReserveError::RunEnded(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Settle { attempt, percent } => self.close(attempt, |book, attempt, charge| {
                let cost = Money::from_picodollars(charge / 100 * percent);
                book.settle(attempt, &cost.exact());
                cost.picodollars()
            }),
            Step::Book { attempt } => self.close(attempt, |book, attempt, charge| {
                book.book(attempt);
                charge
            }),
            Step::Release { attempt } => self.close(attempt, |book, attempt, _| {
                book.release(attempt).unwrap();
                0
            }),
            Step::End { run } => {
                let at = now.timestamp();
                let _ = self
                    .book
                    .ledger
                    .end_run(&self.runs[run], RunEnd::Completed, at)
                    .unwrap();
            }
            Step::Wait { hours } => self.hours += hours,
            Step::Crash => self.crash(),
        }
    }

    fn close(&mut self, attempt: usize, close: impl FnOnce(&Book, AttemptId, i64) -> i64) {
        let open = self
            .attempts
            .iter_mut()
            .filter(|(_, expected)| expected.open);
        let Some((attempt, expected)) = open.cycle_nth(attempt) else {
            return;
        };
        expected.charge = close(&self.book, *attempt, expected.charge);
        expected.open = false;
    }

    /// The old owner lets go of its lock when it is dropped, as it does when its process dies.
    fn crash(&mut self) {
        let Some(path) = self.path.clone() else {
            return;
        };
        self.book.ledger = Ledger::in_memory().unwrap();
        self.book.ledger = Ledger::open(&path).unwrap();
        let recovered = self.book.ledger.recover(self.now().timestamp()).unwrap();
        let open: Vec<_> = self
            .attempts
            .iter_mut()
            .filter(|(_, expected)| expected.open)
            .collect();
        assert_eq!(recovered.len(), open.len());
        for (_, expected) in open {
            expected.open = false;
        }
        // What the dead process ran has failed; the same places are worked on by new runs.
        self.crashes += 1;
        self.retire();
        self.start_runs(&format!("after-{}-", self.crashes));
    }

    /// Attempts of earlier generations count for the day, the month and the workspace, and no longer for runs.
    fn retire(&mut self) {
        for (_, expected) in &mut self.attempts {
            expected.run = usize::MAX;
        }
    }

    fn sum(&self, which: impl Fn(&Expected) -> bool) -> i64 {
        let matching = self.attempts.iter().filter(|(_, expected)| which(expected));
        matching.map(|(_, expected)| expected.charge).sum()
    }

    fn under(&self, run: usize) -> i64 {
        self.sum(|expected| expected.run != usize::MAX && descends(expected.run, run))
    }

    /// A refusal is never a mistake: the limit that it names would have been exceeded.
    fn check_refusal(&self, over: OverLimit, run: usize, amount: Money, now: &Zoned) {
        let counted = over.spent.saturating_add(over.reserved).picodollars();
        assert!(counted + amount.picodollars() > over.limit.picodollars());
        let day = now.date().to_string();
        match over.which {
            LimitKind::Day => assert_eq!(counted, self.sum(|expected| expected.day == day)),
            LimitKind::Month => {
                assert_eq!(counted, self.sum(|expected| expected.day[..7] == day[..7]));
            }
            LimitKind::Workspace => assert_eq!(counted, self.sum(|_| true)),
            LimitKind::Run => assert_eq!(counted, self.under(if run == 4 { 4 } else { 0 })),
            LimitKind::ModelDay => assert_eq!(
                counted,
                self.sum(
                    |expected| expected.day == day && one_model(expected.model, self.book.model)
                )
            ),
            LimitKind::ModelMonth => assert_eq!(
                counted,
                self.sum(|expected| {
                    expected.day[..7] == day[..7] && one_model(expected.model, self.book.model)
                })
            ),
            LimitKind::Session => assert_eq!(counted, self.sum(|_| true)),
            LimitKind::Share => {}
        }
    }

    fn check(&self) {
        let mut days: BTreeMap<&str, i64> = BTreeMap::new();
        let mut months: BTreeMap<&str, i64> = BTreeMap::new();
        for (_, expected) in &self.attempts {
            *days.entry(&expected.day).or_default() += expected.charge;
            *months.entry(&expected.day[..7]).or_default() += expected.charge;
        }
        assert!(
            days.values().all(|sum| *sum <= self.limits.1 * MILLI),
            "{days:?}"
        );
        assert!(
            months.values().all(|sum| *sum <= self.limits.2 * MILLI),
            "{months:?}"
        );
        for (day, month) in days.keys().map(|day| (*day, &day[..7])) {
            for model in MODELS {
                let of_model = |expected: &&Expected| one_model(expected.model, model);
                let sum = |which: &dyn Fn(&Expected) -> bool| -> i64 {
                    let all = self.attempts.iter().map(|(_, expected)| expected);
                    let matching = all.filter(of_model).filter(|expected| which(expected));
                    matching.map(|expected| expected.charge).sum()
                };
                assert!(sum(&|expected| expected.day == day) <= self.limits.1 / 2 * MILLI);
                assert!(sum(&|expected| expected.day[..7] == *month) <= self.limits.2 / 2 * MILLI);
            }
        }
        let all = self.sum(|_| true);
        assert!(all <= self.limits.2 * 2 * MILLI && all <= self.limits.1 * 2 * MILLI);
        for (index, (_, share)) in TREE.iter().enumerate() {
            let under = self.under(index);
            assert!(share.is_none_or(|share| under <= share * MILLI));
            assert!(under <= self.limits.0 * MILLI);
            let spent = self
                .book
                .ledger
                .spent(Window::Run(&self.runs[index]))
                .unwrap();
            assert_eq!(spent.total().picodollars(), under);
        }
        let all = self.book.ledger.spent(Window::All).unwrap();
        assert_eq!(all.total().picodollars(), self.sum(|_| true));
        assert_eq!(
            all.reserved.picodollars(),
            self.sum(|expected| expected.open)
        );
    }

    /// However the attempts are grouped, the groups add up to them.
    fn check_reports(&self) {
        for by in By::ALL {
            let rows = self.book.ledger.report(by, None, None).unwrap();
            let sum: Money = rows
                .iter()
                .map(|row| row.cost.saturating_add(row.reserved))
                .sum();
            assert_eq!(sum.picodollars(), self.sum(|_| true), "{}", by.name());
            let attempts: u64 = rows.iter().map(|row| row.attempts).sum();
            assert_eq!(attempts, self.attempts.len() as u64, "{}", by.name());
        }
    }
}

trait CycleNth: Iterator + Sized {
    /// The item at `index`, counted round and round.
    fn cycle_nth(self, index: usize) -> Option<Self::Item> {
        let mut items: Vec<_> = self.collect();
        let length = items.len();
        (length > 0).then(|| items.swap_remove(index % length))
    }
}

impl<I: Iterator> CycleNth for I {}

fn limits() -> impl Strategy<Value = (i64, i64, i64)> {
    // Some of them zero: nothing may be spent.
    (
        prop_oneof![9 => 1..2_000_i64, 1 => Just(0)],
        prop_oneof![9 => 1..2_500_i64, 1 => Just(0)],
        prop_oneof![9 => 1..3_000_i64, 1 => Just(0)],
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_limit_is_exceeded_in_any_order_of_events(limits in limits(), steps in steps(false)) {
        let mut world = World::new(limits, None);
        for step in steps {
            world.step(step);
            world.check();
        }
        world.check_reports();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn crashes_lose_nothing(limits in limits(), steps in steps(true)) {
        let directory = tempfile::tempdir().unwrap();
        let mut world = World::new(limits, Some(directory.path().join("ledger.db")));
        for step in steps {
            world.step(step);
            world.check();
        }
        world.check_reports();
    }
}

#[test]
fn threads_that_race_for_one_limit_never_exceed_it() {
    for racers in [2, 5, 16] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let limits = Limits {
            run: Some(dollars("1")),
            ..Limits::default()
        };
        let first = Book {
            limits,
            ..Book::of(Ledger::open(&path).unwrap())
        };
        let run = first.start("r1");
        let granted: usize = std::thread::scope(|scope| {
            let racer = |number: usize| {
                let (path, run) = (&path, &run);
                scope.spawn(move || {
                    // Half of them share a connection's process, half look like other windows; all use one file.
                    let book = Book {
                        limits,
                        ..Book::of(Ledger::open(path).unwrap())
                    };
                    let mut granted = 0;
                    for _ in 0..20 {
                        match book.try_reserve(run, "0.03") {
                            Ok(attempt) if number.is_multiple_of(2) => {
                                granted += 1;
                                book.settle(attempt, "0.03");
                            }
                            Ok(_) => granted += 1,
                            Err(ReserveError::OverLimit(over)) => {
                                assert!(over.left() < dollars("0.03"));
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                    granted
                })
            };
            let racers: Vec<_> = (0..racers).map(racer).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(granted, 33, "{racers} racers");
        let spent = first.ledger.spent(Window::Run(&run)).unwrap();
        assert_eq!(spent.total(), dollars("0.99"));
    }
}

#[test]
fn one_ledger_serves_many_threads() {
    let book = Book {
        limits: Limits {
            day: Some(dollars("0.50")),
            ..Limits::default()
        },
        ..Book::new()
    };
    let run = book.start("r1");
    let (ledger, limits, now, price) = (&book.ledger, &book.limits, book.now(), sonnet());
    let granted: usize = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..50)
            .map(|_| {
                let (run, now, price) = (&run, &now, &price);
                scope.spawn(move || {
                    let reserve = Reserve {
                        attempt: AttemptId::new(now.timestamp()),
                        run,
                        turn: 1,
                        model: "m",
                        price,
                        amount: dollars("0.02"),
                        predicted_input: None,
                        limits,
                        at: now,
                    };
                    usize::from(ledger.reserve(&reserve).is_ok())
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(granted, 25);
}
