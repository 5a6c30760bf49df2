//! Several processes and one ledger: killed ones lose nothing, living ones keep what they hold, racing ones never spend
//! more than there is.
//!
//! The other processes are this test binary again, told by its environment to play the part in [`part`].

// The programs started here are this one.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

use std::{
    collections::HashSet,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use jiff::Zoned;
use ledger::{
    AttemptId, AttemptState, By, Ledger, LedgerError, Limits, Money, PriceRow, Prices, Reserve,
    ReserveError, RunEnd, RunId, RunStart, Settlement, Usage, Window,
};

const PART: &str = "FARTHING_TEST_PART";
const PATH: &str = "FARTHING_TEST_LEDGER";
const RUN: &str = "FARTHING_TEST_RUN";

fn now() -> Zoned {
    "2026-11-21T10:00:00[Europe/Berlin]".parse().unwrap()
}

fn dollars(text: &str) -> Money {
    text.parse().unwrap()
}

fn run(name: &str) -> RunId {
    name.parse().unwrap()
}

fn price() -> PriceRow {
    let row = Prices::shipped()
        .lookup("claude-sonnet-5-5", now().timestamp())
        .cloned();
    row.unwrap()
}

fn try_start(ledger: &Ledger, run: &RunId) -> Result<(), LedgerError> {
    let start = RunStart {
        run,
        parent: None,
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
    ledger.start_run(&start)
}

fn start(ledger: &Ledger, run: &RunId) {
    try_start(ledger, run).unwrap();
}

/// Tries again for as long as other processes keep the ledger busy.
fn patient<T>(mut work: impl FnMut() -> Result<T, LedgerError>) -> T {
    loop {
        match work() {
            Err(LedgerError::Busy { .. }) => {}
            done => return done.unwrap(),
        }
    }
}

fn reserve(
    ledger: &Ledger,
    run: &RunId,
    amount: &str,
    day: Option<&str>,
) -> Result<AttemptId, ReserveError> {
    let limits = Limits {
        day: day.map(dollars),
        ..Limits::default()
    };
    reserve_for(ledger, run, "claude-sonnet-5-5", dollars(amount), &limits)
}

fn reserve_for(
    ledger: &Ledger,
    run: &RunId,
    model: &str,
    amount: Money,
    limits: &Limits,
) -> Result<AttemptId, ReserveError> {
    let attempt = AttemptId::new(now().timestamp());
    let reserve = Reserve {
        attempt,
        run,
        turn: 1,
        model,
        price: &price(),
        amount,
        predicted_input: None,
        limits,
        at: &now(),
    };
    ledger.reserve(&reserve).map(|_| attempt)
}

/// A small generator of numbers, the same from the same name.
struct Random(u64);

impl Random {
    fn of(name: &str) -> Self {
        Self(name.bytes().fold(0x9e37_79b9, |seed, byte| {
            seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        }))
    }

    /// From 0 to one less than `end`.
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        ((self.0 >> 33) as i64) % end
    }

    /// One of two models; the first two names are one.
    fn model(&mut self) -> &'static str {
        [
            "claude-sonnet-5-5",
            "claude-sonnet-5-5-20260928",
            "claude-haiku-5-5",
        ][self.below(3) as usize]
    }
}

/// What may be spent while processes are killed, in cents.
struct Chaos {
    run: i64,
    all: i64,
    day: i64,
    model: i64,
}

const CHAOS: Chaos = Chaos {
    run: 9,
    all: 260,
    day: 250,
    model: 150,
};

impl Chaos {
    fn limits(&self) -> Limits {
        let cents = |cents: i64| Some(Money::from_picodollars(cents * 10_000_000_000));
        Limits {
            run: cents(self.run),
            session: cents(self.all),
            workspace: cents(self.all),
            day: cents(self.day),
            month: cents(self.all),
            model_day: cents(self.model),
            model_month: cents(self.model),
        }
    }

    /// No limit is exceeded at this instant.
    fn check(&self, ledger: &Ledger) {
        let (limits, day) = (self.limits(), now().date());
        let sonnet = "claude-sonnet-5-5";
        for (window, limit) in [
            (Window::Session("session"), limits.session),
            (Window::Workspace("/home/ada/engine"), limits.workspace),
            (Window::Day(day), limits.day),
            (Window::Month(day), limits.month),
            (Window::ModelDay(sonnet, day), limits.model_day),
            (
                Window::ModelMonth("claude-haiku-5-5", day),
                limits.model_month,
            ),
        ] {
            let spent = ledger.spent(window).unwrap();
            assert!(Some(spent.total()) <= limit, "{window:?}: {spent:?}");
        }
    }
}

fn settle(ledger: &Ledger, attempt: AttemptId, cost: &str) {
    try_settle(ledger, attempt, cost).unwrap();
}

fn try_settle(ledger: &Ledger, attempt: AttemptId, cost: &str) -> Result<(), LedgerError> {
    let settlement = Settlement {
        usage: Usage::default(),
        cost: dollars(cost),
        model: None,
        price: None,
        request_id: None,
        at: now().timestamp(),
    };
    ledger.settle(attempt, &settlement).map(|_| ())
}

/// A process that plays a part. It is killed when it is dropped.
struct Player {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Player {
    fn new(part: &str, path: &Path, run: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "part", "--nocapture", "--test-threads=1"])
            .env(PART, part)
            .env(PATH, path)
            .env(RUN, run)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next thing that it says; `None` when it is gone.
    fn hear(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The harness begins a line of its own.
            if let Some((_, said)) = line.trim_end().split_once('@') {
                return Some(said.to_owned());
            }
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Everything that it says until it ends well.
    fn finish(mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(line) = self.hear() {
            said.push(line);
        }
        assert!(self.child.wait().unwrap().success());
        said
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(line: &str) {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "@{line}").unwrap();
    stdout.flush().unwrap();
}

/// Blocks until the process is killed.
fn wait_for_the_end() {
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
}

/// Not a test of its own: what another process does.
#[test]
fn part() {
    let (Ok(part), Ok(path), Ok(name)) = (env::var(PART), env::var(PATH), env::var(RUN)) else {
        return;
    };
    let ledger = patient(|| Ledger::open(Path::new(&path)));
    let run = run(&name);
    match part.as_str() {
        "hold" => {
            start(&ledger, &run);
            let first = reserve(&ledger, &run, "0.30", None).unwrap();
            settle(&ledger, first, "0.10");
            let second = reserve(&ledger, &run, "0.20", None).unwrap();
            say(&second.to_string());
            wait_for_the_end();
        }
        // Says what it sends, as the provider's meter would count it.
        "spend" => {
            start(&ledger, &run);
            loop {
                let attempt = reserve(&ledger, &run, "0.02", None).unwrap();
                say(&attempt.to_string());
                settle(&ledger, attempt, "0.02");
            }
        }
        "race" => {
            start(&ledger, &run);
            say("ready");
            wait_for_the_end();
            loop {
                match reserve(&ledger, &run, "0.03", Some("1.00")) {
                    Ok(attempt) => {
                        say("granted");
                        settle(&ledger, attempt, "0.03");
                    }
                    Err(ReserveError::OverLimit(_)) => return,
                    Err(error) => say(&error.to_string()),
                }
            }
        }
        "chaos" => {
            let mut random = Random::of(&name);
            let mut refused = 0;
            for number in 0.. {
                let run = format!("{name}-{number}").parse().unwrap();
                patient(|| try_start(&ledger, &run));
                for _ in 0..4 {
                    let amount = Money::from_picodollars(random.below(60_000) * 1_000_000);
                    match reserve_for(&ledger, &run, random.model(), amount, &CHAOS.limits()) {
                        Ok(attempt) => {
                            refused = 0;
                            let cost = random.below(amount.picodollars() + 1);
                            say(&format!("{attempt} {cost}"));
                            if random.below(8) > 0 {
                                let cost = Money::from_picodollars(cost).exact();
                                patient(|| try_settle(&ledger, attempt, &cost));
                            } else {
                                let at = now().timestamp();
                                patient(|| ledger.book_unknown(attempt, "cut", None, at));
                            }
                        }
                        Err(ReserveError::OverLimit(_)) => refused += 1,
                        Err(ReserveError::Ledger(LedgerError::Busy { .. })) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                if refused > 12 {
                    return;
                }
            }
        }
        "open" => {
            start(&ledger, &run);
            let attempt = reserve(&ledger, &run, "0.01", None).unwrap();
            settle(&ledger, attempt, "0.01");
            ledger
                .end_run(&run, RunEnd::Completed, now().timestamp())
                .unwrap();
        }
        other => panic!("no such part: {other}"),
    }
}

#[test]
fn a_killed_process_loses_no_reservation() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let mut player = Player::new("hold", &path, "r1");
    let held = player.hear().unwrap();

    let ledger = Ledger::open(&path).unwrap();
    // It lives: what it holds stays held, and counts.
    assert_eq!(ledger.recover(now().timestamp()).unwrap(), vec![]);
    let spent = ledger.spent(Window::All).unwrap();
    assert_eq!(
        (spent.settled, spent.reserved),
        (dollars("0.10"), dollars("0.20"))
    );
    let refused = {
        start(&ledger, &run("mine"));
        reserve(&ledger, &run("mine"), "0.01", Some("0.30"))
    };
    assert!(
        matches!(refused, Err(ReserveError::OverLimit(_))),
        "{refused:?}"
    );

    player.kill();
    let recovered = ledger.recover(now().timestamp()).unwrap();
    assert_eq!(recovered.len(), 1);
    assert_eq!(
        (&recovered[0].attempt, recovered[0].amount),
        (&held, dollars("0.20"))
    );
    let spent = ledger.spent(Window::All).unwrap();
    assert_eq!(
        (spent.settled, spent.reserved),
        (dollars("0.30"), Money::ZERO)
    );
    assert_eq!(
        ledger.run_tree(&run("r1")).unwrap()[0].end,
        Some(RunEnd::Failed)
    );
    let states: Vec<_> = ledger
        .attempts(&run("r1"))
        .unwrap()
        .iter()
        .map(|row| row.state)
        .collect();
    assert_eq!(states, vec![AttemptState::Settled, AttemptState::Recovered]);
    assert_eq!(ledger.recover(now().timestamp()).unwrap(), vec![]);
}

#[test]
fn every_request_of_a_process_killed_at_any_point_is_in_the_ledger() {
    for heard in 1..14 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let mut player = Player::new("spend", &path, "r1");
        let mut meter: HashSet<String> = (0..heard).map(|_| player.hear().unwrap()).collect();
        player.kill();
        // What it had said before it died and nobody had listened to.
        while let Some(attempt) = player.hear() {
            meter.insert(attempt);
        }
        let ledger = Ledger::open(&path).unwrap();
        ledger.recover(now().timestamp()).unwrap();
        let rows = ledger.attempts(&run("r1")).unwrap();
        assert!(rows.iter().all(|row| row.state != AttemptState::Open));
        let known: HashSet<_> = rows.iter().map(|row| row.attempt.clone()).collect();
        assert!(meter.is_subset(&known), "{heard}: {meter:?} {known:?}");
        // At most the one that was reserved and not yet sent is too many.
        assert!(known.len() <= meter.len() + 1, "{heard}");
        let spent = ledger.spent(Window::All).unwrap();
        assert_eq!(spent.reserved, Money::ZERO);
        assert_eq!(
            spent.settled.picodollars(),
            dollars("0.02").picodollars() * rows.len() as i64
        );
    }
}

#[test]
fn processes_that_race_for_one_limit_never_exceed_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let mut players: Vec<_> = (0..4)
        .map(|number| Player::new("race", &path, &format!("r{number}")))
        .collect();
    for player in &mut players {
        assert_eq!(player.hear().as_deref(), Some("ready"));
    }
    for player in &mut players {
        // They begin when their input ends.
        drop(player.child.stdin.take());
    }
    let said: Vec<String> = players.into_iter().flat_map(Player::finish).collect();
    assert!(said.iter().all(|line| line == "granted"), "{said:?}");
    assert_eq!(said.len(), 33);
    let spent = Ledger::open(&path).unwrap().spent(Window::All).unwrap();
    assert_eq!(spent.total(), dollars("0.99"));
}

/// Each place is taken by one process after the other, all but the last of which are killed at a random instant.
/// `FARTHING_PROCESSES=50` takes so many places, with ten deaths in each.
#[test]
fn no_limit_is_exceeded_while_processes_are_killed_at_random_instants() {
    let places = env::var("FARTHING_PROCESSES").ok();
    let places: Option<usize> = places.and_then(|places| places.parse().ok());
    let (places, deaths) = places.map_or((6, 2), |places| (places, 10));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let ledger = Ledger::open(&path).unwrap();
    let meter: Vec<String> = std::thread::scope(|scope| {
        let places: Vec<_> = (0..places)
            .map(|place| {
                let path = &path;
                scope.spawn(move || {
                    let mut meter = Vec::new();
                    let mut random = Random::of(&format!("place {place}"));
                    for death in 0..deaths {
                        let mut player = Player::new("chaos", path, &format!("p{place}-{death}"));
                        meter.extend((0..random.below(6)).map_while(|_| player.hear()));
                        player.kill();
                        while let Some(attempt) = player.hear() {
                            meter.push(attempt);
                        }
                    }
                    meter.extend(Player::new("chaos", path, &format!("p{place}-last")).finish());
                    meter
                })
            })
            .collect();
        while places.iter().any(|place| !place.is_finished()) {
            for _ in 0..16 {
                CHAOS.check(&ledger);
            }
            patient(|| ledger.recover(now().timestamp()));
        }
        places
            .into_iter()
            .flat_map(|place| place.join().unwrap())
            .collect()
    });
    ledger.recover(now().timestamp()).unwrap();
    CHAOS.check(&ledger);
    let mut runs = HashSet::new();
    let mut charged = std::collections::HashMap::new();
    for row in ledger.report(By::Run, None, None).unwrap() {
        let run = run(&row.key);
        assert!(Some(ledger.run_cost(&run).unwrap().own.total()) <= CHAOS.limits().run);
        for attempt in ledger.attempts(&run).unwrap() {
            assert_ne!(attempt.state, AttemptState::Open);
            charged.insert(attempt.attempt, attempt.charge);
        }
        runs.insert(row.key);
    }
    let all: Money = charged.values().copied().sum();
    assert_eq!(ledger.spent(Window::All).unwrap().settled, all);
    let billed: Money = (meter.iter())
        .map(|line| {
            let (attempt, cost) = line.split_once(' ').unwrap();
            let cost = Money::from_picodollars(cost.parse().unwrap());
            assert!(charged[attempt] >= cost, "{line}: {}", charged[attempt]);
            cost
        })
        .sum();
    assert!(billed <= all && all <= dollars("2.50"), "{billed} {all}");
    // Money ran out: the limits were what ended the processes.
    assert!(all >= dollars("2.30"), "{all} in {} runs", runs.len());
}

#[test]
fn processes_that_open_the_first_ledger_together_share_it() {
    for _ in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/farthing/ledger.db");
        let players: Vec<_> = (0..6)
            .map(|number| Player::new("open", &path, &format!("r{number}")))
            .collect();
        for player in players {
            player.finish();
        }
        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.spent(Window::All).unwrap().settled, dollars("0.06"));
        assert_eq!(ledger.recover(now().timestamp()).unwrap(), vec![]);
    }
}
