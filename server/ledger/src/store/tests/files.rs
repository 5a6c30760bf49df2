//! The file: who may read it, what counts as damage, and that damage is never repaired by forgetting.

// The files written here are ledgers that these tests damage.
#![allow(clippy::disallowed_methods)]

use std::{fs, path::PathBuf};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

pub(super) struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("state/ledger.db")
    }

    /// A ledger with a settled attempt of 30 cents and a held one of 20, closed in order.
    pub(super) fn with_spending() -> Self {
        let place = Self::new();
        let book = Book::of(Ledger::open(&place.path()).unwrap());
        let run = book.start("r1");
        let attempt = book.reserve(&run, "0.50");
        book.settle(attempt, "0.30");
        book.reserve(&run, "0.20");
        place
    }

    pub(super) fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.path())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    pub(super) fn sql(&self, statements: &str) {
        Connection::open(self.path())
            .unwrap()
            .execute_batch(statements)
            .unwrap();
    }

    pub(super) fn error(&self) -> LedgerError {
        self.open().expect_err("it should not open")
    }

    pub(super) fn detail(&self) -> String {
        match self.error() {
            LedgerError::Damaged { detail, .. } => detail,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn it_is_created_for_the_user_alone() {
    let place = Place::with_spending();
    let total = place.open().unwrap().spent(Window::All).unwrap().total();
    assert_eq!(total, dollars("0.50"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(place.path()), 0o600);
        assert_eq!(mode(place.directory.path().join("state")), 0o700);
        // A ledger that was opened up is closed again.
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).unwrap();
        let ledger = place.open().unwrap();
        assert_eq!(mode(place.path()), 0o600);
        assert_eq!(mode(crate::private::sibling(&place.path(), "-wal")), 0o600);
        drop(ledger);
    }
}

#[test]
fn commits_are_on_the_disk_when_they_return() {
    let place = Place::with_spending();
    let ledger = place.open().unwrap();
    let pragma = |name: &str| -> String {
        let store = ledger.store_guard();
        let value: rusqlite::types::Value = store
            .connection
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap();
        format!("{value:?}")
    };
    // 2 is FULL.
    assert_eq!(pragma("synchronous"), "Integer(2)");
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    assert_eq!(pragma("busy_timeout"), "Integer(5000)");
}

#[test]
fn damage_says_what_to_do() {
    let place = Place::with_spending();
    fs::write(place.path(), "").unwrap();
    let text = place
        .error()
        .to_string()
        .replace(place.directory.path().to_str().unwrap(), "");
    expect!["the ledger /state/ledger.db is damaged (it is empty); nothing is spent until this is repaired, and the file is kept as it is: stop every Farthing server, then put a backup in its place, or keep what can be read with `farthing cost --rescue`; to begin anew, which forgets what was spent, move /state/ledger.db and /state/ledger.lock away"].assert_eq(&text);
}

/// Damages the file, and sees that it is found, kept byte for byte, and found again.
fn check(damage: impl FnOnce(&Place), expected: Expect) {
    let place = Place::with_spending();
    damage(&place);
    let before = place.bytes();
    expected.assert_eq(&place.detail());
    assert_eq!(place.bytes(), before, "the file was touched");
    place.detail();
}

pub(super) fn overwrite(place: &Place, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = place.bytes();
    change(&mut bytes);
    fs::write(place.path(), bytes).unwrap();
}

#[test]
fn garbage_is_damage() {
    check(
        |place| overwrite(place, |bytes| bytes.fill(0xa5)),
        expect!["file is not a database"],
    );
    check(
        |place| fs::write(place.path(), "not a database").unwrap(),
        expect!["file is not a database"],
    );
    check(
        |place| overwrite(place, |bytes| bytes.fill(0)),
        expect!["file is not a database"],
    );
}

#[test]
fn a_broken_header_is_damage() {
    check(
        |place| overwrite(place, |bytes| bytes[3] ^= 0x20),
        expect!["file is not a database"],
    );
    // The size of a page.
    check(
        |place| overwrite(place, |bytes| bytes[16] = 3),
        expect!["file is not a database"],
    );
    // The application id.
    check(
        |place| overwrite(place, |bytes| bytes[69] ^= 1),
        expect!["it is not a ledger of Farthing"],
    );
    // The version: no version is version 0.
    check(
        |place| overwrite(place, |bytes| bytes[63] = 0),
        expect!["it has no version"],
    );
}

#[test]
fn a_truncated_file_is_damage() {
    check(
        |place| overwrite(place, |bytes| bytes.truncate(0)),
        expect!["it is empty"],
    );
    check(
        |place| overwrite(place, |bytes| bytes.truncate(100)),
        expect!["database disk image is malformed"],
    );
    check(
        |place| overwrite(place, |bytes| bytes.truncate(4096)),
        expect!["database disk image is malformed"],
    );
    let place = Place::with_spending();
    let whole = place.bytes();
    for pages in 1..whole.len() / 4096 {
        fs::write(place.path(), &whole[..pages * 4096]).unwrap();
        place.detail();
        fs::write(place.path(), &whole[..pages * 4096 + 1000]).unwrap();
        place.detail();
    }
    fs::write(place.path(), &whole).unwrap();
    assert!(place.open().is_ok());
}

#[test]
fn another_database_is_not_taken_over() {
    let place = Place::with_spending();
    fs::remove_file(place.path()).unwrap();
    place.sql("CREATE TABLE recipes (name TEXT)");
    let before = place.bytes();
    assert_eq!(place.detail(), "it is not a ledger of Farthing");
    assert_eq!(place.bytes(), before);
}

#[test]
fn a_changed_schema_is_damage() {
    check(
        |place| place.sql("DROP TABLE acknowledgements"),
        expect!["its schema lacks `acknowledgements`, or has another one"],
    );
    check(
        |place| place.sql("DROP TRIGGER settlements_stay"),
        expect!["its schema lacks `settlements_stay`, or has another one"],
    );
    check(
        |place| place.sql("ALTER TABLE runs ADD COLUMN note TEXT"),
        expect!["its schema lacks `runs`, or has another one"],
    );
}

const UNLOCK: &str = "DROP TRIGGER reservations_stay; DROP TRIGGER settlements_stay; \
    DROP TRIGGER reservations_remain; DROP TRIGGER settlements_remain;";

/// Changes rows as a flipped bit would, behind the back of the triggers.
pub(super) fn change_rows(place: &Place, change: &str) {
    let triggers: String = {
        let connection = Connection::open(place.path()).unwrap();
        let mut statement = connection
            .prepare("SELECT sql || '; END;' FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('reservations', 'settlements')")
            .unwrap();
        let rows = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        rows.map(|row| {
            row.unwrap()
                .replace("; END; END;", "; END;")
                .replace("END; END;", "END;")
        })
        .collect()
    };
    place.sql(&format!(
        "PRAGMA foreign_keys = off; {UNLOCK} {change}; {triggers}"
    ));
}

#[test]
fn a_changed_row_is_damage() {
    let changed = |change: &'static str, expected: Expect| {
        check(|place| change_rows(place, change), expected);
    };
    changed(
        "UPDATE settlements SET cost = cost - 1 WHERE reservation = 1",
        expect!["the settlement of reservation 1 does not match its seal"],
    );
    changed(
        "UPDATE settlements SET overrun = 1 - overrun",
        expect!["the settlement of reservation 1 does not match its seal"],
    );
    changed(
        "UPDATE settlements SET input = input + 4",
        expect!["the settlement of reservation 1 does not match its seal"],
    );
    changed(
        "UPDATE reservations SET amount = amount / 2 WHERE seq = 2",
        expect!["reservation 2 does not match its seal"],
    );
    changed(
        "UPDATE reservations SET day = '2025-11-21' WHERE seq = 2",
        expect!["reservation 2 does not match its seal"],
    );
    changed(
        "DELETE FROM reservations WHERE seq = 1",
        expect!["reservation 1 is missing"],
    );
    let untouched = Place::with_spending();
    change_rows(&untouched, "SELECT 1");
    assert!(untouched.open().is_ok());
}

#[test]
fn a_missing_file_is_not_begun_anew() {
    let place = Place::with_spending();
    fs::remove_file(place.path()).unwrap();
    expect!["the file is gone, although there was one before"].assert_eq(&place.detail());
    assert!(!place.path().exists());
    // The user's word, as the message says.
    fs::remove_file(place.path().with_extension("lock")).unwrap();
    assert_eq!(
        place.open().unwrap().spent(Window::All).unwrap(),
        Spent::default()
    );
}

#[test]
fn a_log_without_its_file_is_damage() {
    let place = Place::new();
    fs::create_dir(place.directory.path().join("state")).unwrap();
    fs::write(
        crate::private::sibling(&place.path(), "-wal"),
        "committed elsewhere",
    )
    .unwrap();
    expect!["the file is gone, although there was one before"].assert_eq(&place.detail());
}

#[test]
fn a_creation_that_was_interrupted_is_begun_again() {
    let place = Place::new();
    fs::create_dir(place.directory.path().join("state")).unwrap();
    fs::write(crate::private::sibling(&place.path(), ".new"), "half").unwrap();
    fs::write(place.path().with_extension("lock"), "").unwrap();
    assert!(place.open().is_ok());
    assert!(place.open().is_ok());
}

#[test]
fn what_is_not_a_file_is_refused() {
    let place = Place::new();
    fs::create_dir_all(place.path()).unwrap();
    let unavailable = |place: &Place| match place.error() {
        LedgerError::Unavailable { detail, .. } => detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(unavailable(&place), "it is not a file");
    #[cfg(unix)]
    {
        let place = Place::with_spending();
        let elsewhere = place.directory.path().join("elsewhere.db");
        fs::hard_link(place.path(), &elsewhere).unwrap();
        assert!(unavailable(&place).contains("hard link"));
        fs::remove_file(place.path()).unwrap();
        std::os::unix::fs::symlink(&elsewhere, place.path()).unwrap();
        assert_eq!(
            place.open().unwrap().spent(Window::All).unwrap().total(),
            dollars("0.50")
        );
        fs::remove_file(&elsewhere).unwrap();
        // A link to nothing: neither created behind it nor in its place.
        assert!(!unavailable(&place).is_empty());
        assert!(!elsewhere.exists());
    }
}

#[test]
fn a_later_version_is_left_alone() {
    let place = Place::with_spending();
    place.sql("PRAGMA user_version = 99");
    let before = place.bytes();
    let error = place.error();
    assert!(
        matches!(
            error,
            LedgerError::Newer {
                found: 99,
                known: 1,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("until Farthing is updated"));
    assert_eq!(place.bytes(), before);
}

#[test]
fn damage_found_on_the_way_stops_everything() {
    let place = Place::with_spending();
    let ledger = place.open().unwrap();
    let error = rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        None,
    );
    assert!(matches!(
        ledger.explain(&error),
        LedgerError::Damaged { .. }
    ));
    let book = Book::of(ledger);
    let refused = book.try_reserve(&run("r1"), "0.01");
    assert!(
        matches!(
            refused,
            Err(ReserveError::Ledger(LedgerError::Damaged { .. }))
        ),
        "{refused:?}"
    );
    assert!(matches!(
        book.ledger.spent(Window::All),
        Err(LedgerError::Damaged { .. })
    ));
}

#[test]
fn a_full_disk_refuses_and_keeps_what_is_held() {
    let place = Place::with_spending();
    let book = Book::of(place.open().unwrap());
    let run = book.start("r2");
    let attempt = book.reserve(&run, "0.10");
    let pages = |limit: i64| {
        let store = book.ledger.store_guard();
        let _: i64 = store
            .connection
            .query_row(&format!("PRAGMA max_page_count = {limit}"), [], |row| {
                row.get(0)
            })
            .unwrap();
    };
    pages(1);
    let refused = loop {
        if let Err(error) = book.try_reserve(&run, "0.01") {
            break error;
        }
    };
    assert!(
        matches!(
            refused,
            ReserveError::Ledger(LedgerError::Unavailable { .. })
        ),
        "{refused:?}"
    );
    pages(1 << 20);
    // Nothing was lost, and spending goes on as soon as there is room.
    book.settle(attempt, "0.10");
    book.reserve(&run, "0.01");
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let place = Place::new();
    fs::write(place.directory.path().join("state"), "in the way").unwrap();
    assert!(matches!(place.error(), LedgerError::Unavailable { .. }));
}

#[test]
fn a_living_owner_keeps_its_reservations() {
    let place = Place::new();
    let living = Book::of(place.open().unwrap());
    let run = living.start("r1");
    let attempt = living.reserve(&run, "0.20");
    let other = Book::of(place.open().unwrap());
    assert_eq!(
        other.ledger.recover(other.now().timestamp()).unwrap(),
        vec![]
    );
    assert_eq!(other.spent(Window::All), "$0.00 + $0.20");
    // Nor does it take its own for a dead one's.
    assert_eq!(
        living.ledger.recover(living.now().timestamp()).unwrap(),
        vec![]
    );
    living.settle(attempt, "0.05");
    living.end(&run, RunEnd::Completed);
}

#[test]
fn a_dead_owners_reservations_are_booked_in_full() {
    let place = Place::with_spending();
    let book = Book::of(place.open().unwrap());
    let recovered = book.ledger.recover(book.now().timestamp()).unwrap();
    let amounts: Vec<_> = recovered
        .iter()
        .map(|recovered| (recovered.run.as_str(), recovered.amount))
        .collect();
    assert_eq!(amounts, vec![("r1", dollars("0.20"))]);
    assert_eq!(book.spent(Window::All), "$0.50 + $0.00");
    let states: Vec<_> = book
        .ledger
        .attempts(&run("r1"))
        .unwrap()
        .iter()
        .map(|row| row.state)
        .collect();
    assert_eq!(states, vec![AttemptState::Settled, AttemptState::Recovered]);
    assert_eq!(
        book.ledger.run_tree(&run("r1")).unwrap()[0].end,
        Some(RunEnd::Failed)
    );
    // Once.
    assert_eq!(book.ledger.recover(book.now().timestamp()).unwrap(), vec![]);
    // Its usage may still turn up.
    let late: AttemptId = recovered[0].attempt.parse().unwrap();
    assert_eq!(book.settle(late, "0.03").cost, dollars("0.03"));
}

#[test]
fn lock_files_of_the_dead_are_swept() {
    let place = Place::with_spending();
    let locks = place.path().with_extension("owners");
    let stale = locks.join("0197a3f0-0000-7000-8000-000000000000.lock");
    fs::write(&stale, "4711\n").unwrap();
    fs::write(locks.join("README"), "not ours").unwrap();
    let book = Book::of(place.open().unwrap());
    book.start("r2");
    book.ledger.recover(book.now().timestamp()).unwrap();
    let mut left: Vec<_> = fs::read_dir(&locks)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!stale.exists());
    drop(book);
    assert_eq!(fs::read_dir(&locks).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    /// Whatever byte is changed, the file opens with every cent that was spent, or it does not open.
    #[test]
    fn no_flipped_byte_forgets_spending(offset in any::<prop::sample::Index>(), mask in 1..=255_u8) {
        let place = template();
        let mut bytes = place.1.clone();
        bytes[offset.index(place.1.len())] ^= mask;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        fs::write(&path, &bytes).unwrap();
        match Ledger::open(&path) {
            Ok(ledger) => {
                let total = ledger.spent(Window::All).map(|spent| spent.total());
                prop_assert!(total.as_ref().is_ok_and(|total| *total == dollars("0.50")) || total.is_err(), "{total:?}");
                let day = ledger.spent(Window::Day("2026-11-21".parse().unwrap())).map(|spent| spent.total());
                prop_assert!(day.as_ref().is_ok_and(|day| *day == dollars("0.50")) || day.is_err(), "{day:?}");
            }
            Err(error) => prop_assert!(!matches!(error, LedgerError::Busy { .. }), "{error}"),
        }
    }
}

/// One ledger for all cases, and its bytes.
pub(super) fn template() -> &'static (Place, Vec<u8>) {
    static TEMPLATE: OnceLock<(Place, Vec<u8>)> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let place = Place::with_spending();
        let bytes = place.bytes();
        (place, bytes)
    })
}
