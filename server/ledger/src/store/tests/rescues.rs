//! What is kept of a damaged file.

// The files written here are ledgers that these tests damage.
#![allow(clippy::disallowed_methods)]

use std::fs;

use proptest::prelude::*;

use super::{
    files::{Place, change_rows, overwrite, template},
    *,
};

fn rescue(place: &Place) -> Rescue {
    let now = time("2026-11-21T12:00:00").timestamp();
    let before = place.bytes();
    let rescue = Ledger::rescue(&place.path(), now).unwrap();
    assert_eq!(
        fs::read(&rescue.damaged).unwrap(),
        before,
        "the damaged file was touched"
    );
    rescue
}

#[test]
fn a_damaged_index_is_rescued_without_loss() {
    let roots: Vec<usize> = {
        let connection = Connection::open(template().0.path()).unwrap();
        let mut statement = connection
            .prepare("SELECT rootpage FROM sqlite_schema WHERE name LIKE 'reservations_by_%'")
            .unwrap();
        let rows = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
        rows.map(|row| usize::try_from(row.unwrap()).unwrap())
            .collect()
    };
    assert_eq!(roots.len(), 7);
    for root in roots {
        let place = Place::with_spending();
        // The number of cells in the page.
        overwrite(&place, |bytes| bytes[(root - 1) * 4096 + 4] = 0xff);
        assert!(!place.detail().contains('\n'));
        let rescue = rescue(&place);
        assert_eq!((rescue.kept, rescue.lost, rescue.reopened), (2, 0, 1));
        let ledger = place.open().unwrap();
        let spent = ledger.spent(Window::All).unwrap();
        assert_eq!(
            (spent.settled, spent.reserved),
            (dollars("0.30"), dollars("0.20"))
        );
        assert_eq!(
            ledger
                .recover(time("2026-11-21T12:00:00").timestamp())
                .unwrap()
                .len(),
            1
        );
        let again = Ledger::rescue(&place.path(), time("2026-11-21T12:00:00").timestamp());
        assert!(matches!(again, Err(LedgerError::Misuse(_))));
    }
}

#[test]
fn a_broken_settlement_counts_as_its_reservation() {
    let place = Place::with_spending();
    change_rows(&place, "UPDATE settlements SET cost = 1");
    let rescue = rescue(&place);
    assert_eq!((rescue.kept, rescue.lost, rescue.reopened), (2, 0, 2));
    assert_eq!(
        place.open().unwrap().spent(Window::All).unwrap().reserved,
        dollars("0.70")
    );
}

#[test]
fn a_broken_reservation_is_lost_alone() {
    let place = Place::with_spending();
    change_rows(&place, "UPDATE reservations SET amount = 1 WHERE seq = 1");
    let rescue = rescue(&place);
    assert_eq!((rescue.kept, rescue.lost), (1, 1));
    let book = Book::of(place.open().unwrap());
    assert_eq!(book.spent(Window::All), "$0.00 + $0.20");
    // The ledger goes on.
    let run = book.start("r2");
    let attempt = book.reserve(&run, "0.10");
    book.settle(attempt, "0.10");
    drop(book);
    assert!(place.open().is_ok());
}

#[test]
fn nothing_is_rescued_from_nothing_or_under_a_living_server() {
    let now = time("2026-11-21T12:00:00").timestamp();
    let place = Place::with_spending();
    overwrite(&place, |bytes| bytes.fill(0xa5));
    assert!(matches!(
        Ledger::rescue(&place.path(), now),
        Err(LedgerError::Damaged { .. })
    ));
    assert!(place.path().exists());

    let place = Place::new();
    let living = Book::of(place.open().unwrap());
    living.start("r1");
    place.sql("DROP TRIGGER runs_stay");
    let refused = Ledger::rescue(&place.path(), now).unwrap_err().to_string();
    assert!(refused.contains("stop every one of them"), "{refused}");
    drop(living);
    assert!(Ledger::rescue(&place.path(), now).is_ok());
    assert!(place.open().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    /// A damaged page costs what was on it, and the ledger that comes out is sound.
    #[test]
    fn a_rescued_ledger_is_sound(page in any::<prop::sample::Index>(), noise in any::<[u8; 16]>()) {
        let place = Place::with_spending();
        overwrite(&place, |bytes| {
            // Not the first, without which nothing can be read.
            let page = 1 + page.index(bytes.len() / 4096 - 1);
            for (byte, noise) in bytes[page * 4096..(page + 1) * 4096].iter_mut().zip(noise.iter().cycle()) {
                *byte = *noise;
            }
        });
        let now = time("2026-11-21T12:00:00").timestamp();
        if place.open().is_err() && Ledger::rescue(&place.path(), now).is_ok() {
            let ledger = place.open();
            prop_assert!(ledger.is_ok(), "{ledger:?}");
            let spent = ledger.unwrap().spent(Window::All).unwrap();
            prop_assert!(spent.total() <= dollars("0.70"));
        }
    }
}
