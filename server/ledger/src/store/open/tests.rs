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

#[test]
fn the_file_says_which_version_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let connection = open(&directory.path().join("ledger.db")).unwrap();
    assert_eq!(version(&connection).unwrap() as usize, MIGRATIONS.len());
    assert_eq!(application_id(&connection).unwrap(), APPLICATION_ID);
}
