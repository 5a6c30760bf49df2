#![allow(clippy::unwrap_used)]

use super::*;

/// A file as it was written by a server that knew only the first of two versions.
fn old(directory: &Path) -> Connection {
    let path = directory.join("old.db");
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(STEPS[0]).unwrap();
    connection
        .execute_batch("INSERT INTO notes VALUES ('kept'); PRAGMA user_version = 1")
        .unwrap();
    connection
}

const STEPS: [&str; 2] = [
    "CREATE TABLE notes (text TEXT NOT NULL)",
    "ALTER TABLE notes ADD COLUMN stars INTEGER NOT NULL DEFAULT 3",
];

fn stars(connection: &Connection) -> rusqlite::Result<(String, i64)> {
    connection.query_row("SELECT text, stars FROM notes", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

#[test]
fn an_older_file_is_brought_up_to_date_with_its_rows() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = old(directory.path());
    migrate(&mut connection, &STEPS, directory.path()).unwrap();
    assert_eq!(stars(&connection).unwrap(), ("kept".to_owned(), 3));
    assert_eq!(version(&connection).unwrap(), 2);
    // Once.
    migrate(&mut connection, &STEPS, directory.path()).unwrap();
}

#[test]
fn a_step_that_fails_leaves_the_file_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = old(directory.path());
    let steps = [STEPS[0], STEPS[1], "CREATE TABLE broken ("];
    assert!(migrate(&mut connection, &steps, directory.path()).is_err());
    assert_eq!(version(&connection).unwrap(), 1);
    assert!(stars(&connection).is_err());
    migrate(&mut connection, &STEPS, directory.path()).unwrap();
    assert!(stars(&connection).is_ok());
}

#[test]
fn two_processes_migrate_once() {
    let directory = tempfile::tempdir().unwrap();
    drop(old(directory.path()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut connection = Connection::open(directory.path().join("old.db")).unwrap();
                connection.busy_timeout(BUSY_TIMEOUT).unwrap();
                migrate(&mut connection, &STEPS, directory.path()).unwrap();
                assert_eq!(stars(&connection).unwrap().1, 3);
            });
        }
    });
}

#[test]
fn a_version_that_is_not_known_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut connection = old(directory.path());
    connection.pragma_update(None, "user_version", 3).unwrap();
    let error = migrate(&mut connection, &STEPS, directory.path()).unwrap_err();
    assert!(matches!(
        error,
        LedgerError::Newer {
            found: 3,
            known: 2,
            ..
        }
    ));
    connection.pragma_update(None, "user_version", 0).unwrap();
    let error = migrate(&mut connection, &STEPS, directory.path()).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }));
}

/// The first release: what it wrote must be readable for ever. A change of this text needs a migration instead.
#[test]
fn the_first_version_of_the_schema_does_not_change() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(MIGRATIONS[0]).unwrap();
    let tables: Vec<String> = connection
        .prepare("SELECT type || ' ' || name FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    expect_test::expect![[r#"
        index reservations_by_day
        index reservations_by_month
        index reservations_by_owner
        index reservations_by_root
        index reservations_by_run
        index reservations_by_session
        index reservations_by_workspace
        index runs_by_owner
        index runs_by_parent
        index runs_by_place
        index runs_by_root
        index settlements_overrun
        table acknowledgements
        table owner_ends
        table owners
        table reservations
        table run_ends
        table runs
        table settlements
        trigger reservations_remain
        trigger reservations_stay
        trigger run_ends_remain
        trigger run_ends_stay
        trigger runs_remain
        trigger runs_stay
        trigger settlements_remain
        trigger settlements_stay
        view attempts"#]]
    .assert_eq(&tables.join("\n"));
}

/// The text itself, by its FNV-1a hash: a comment may not change either.
#[test]
fn the_text_of_the_first_version_does_not_change() {
    let hash = MIGRATIONS[0]
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    expect_test::expect!["6a63dc40106dfae8"].assert_eq(&format!("{hash:016x}"));
}

/// A ledger of the first version with everything that one can hold, taken through steps such as a later version may have.
#[test]
fn a_whole_ledger_survives_a_migration() {
    use crate::{
        AttemptId, By, Ledger, Limits, Money, Prices, Reserve, RunEnd, RunId, RunStart, Settlement,
        Usage,
    };

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let ledger = Ledger::open(&path).unwrap();
    let now: jiff::Zoned = "2026-11-21T10:00:00[Europe/Berlin]".parse().unwrap();
    let at = now.timestamp();
    let prices = Prices::shipped();
    let price = prices.lookup("claude-sonnet-5-5", at).unwrap();
    let run: RunId = "r1".parse().unwrap();
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
        model: "claude-sonnet-5-5",
        budget: None,
        estimate: None,
        at: &now,
    };
    ledger.start_run(&start).unwrap();
    let reserve = |turn: u32| {
        let attempt = AttemptId::new(at);
        let reserve = Reserve {
            attempt,
            run: &run,
            turn,
            model: "claude-sonnet-5-5",
            price,
            amount: Money::from_picodollars(1_000_000),
            predicted_input: Some(90),
            limits: &Limits::default(),
            at: &now,
        };
        let _ = ledger.reserve(&reserve).unwrap();
        attempt
    };
    let usage = Usage {
        input: 100,
        output: 10,
        ..Usage::default()
    };
    let settlement = Settlement {
        usage,
        cost: Money::from_picodollars(300_000),
        model: None,
        price: None,
        request_id: Some("req_1"),
        at,
    };
    ledger.settle(reserve(1), &settlement).unwrap();
    ledger.book_unknown(reserve(2), "cut", None, at).unwrap();
    ledger.release(reserve(3), "overloaded", at).unwrap();
    ledger.end_run(&run, RunEnd::Completed, at).unwrap();
    let before = ledger.report(By::Symbol, None, None).unwrap();
    drop(ledger);

    let later = [
        MIGRATIONS[0],
        "ALTER TABLE runs ADD COLUMN note TEXT",
        "CREATE TABLE notes (run TEXT NOT NULL REFERENCES runs (id), text TEXT NOT NULL) STRICT",
    ];
    let mut connection = open_untouched(&path).unwrap();
    connection.pragma_update(None, "query_only", false).unwrap();
    migrate(&mut connection, &later, &path).unwrap();
    assert_eq!(version(&connection).unwrap(), 3);
    drop(connection);

    // What was written before is all there, still sealed and still append-only.
    let connection = Connection::open(&path).unwrap();
    assert_eq!(check::problem(&connection).unwrap(), None);
    assert!(
        connection
            .execute("UPDATE runs SET note = 'x'", [])
            .is_err()
    );
    // A server of the first version neither reads nor spends from it.
    assert!(matches!(
        Ledger::open(&path),
        Err(LedgerError::Newer { found: 3, .. })
    ));
    connection.pragma_update(None, "user_version", 1).unwrap();
    drop(connection);
    let ledger = Ledger::open(&path);
    // Going back is no migration: the schema is that of another version.
    assert!(matches!(ledger, Err(LedgerError::Damaged { .. })));
    let connection = Connection::open(&path).unwrap();
    let charged: i64 = connection
        .query_row("SELECT SUM(charge) FROM attempts", [], |row| row.get(0))
        .unwrap();
    assert_eq!(charged, before[0].cost.picodollars());
    assert_eq!(before[0].attempts, 3);
}

#[test]
fn the_file_says_which_version_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let connection = open(&directory.path().join("ledger.db")).unwrap();
    assert_eq!(version(&connection).unwrap() as usize, MIGRATIONS.len());
    assert_eq!(application_id(&connection).unwrap(), APPLICATION_ID);
}
