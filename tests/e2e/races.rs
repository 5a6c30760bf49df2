//! Editors that lie, refuse, dawdle; users who type and cancel at the worst moment; servers that die.

use std::time::{Duration, Instant};

use ledger::{AttemptState, Ledger, Money, RunId};
use serde_json::json;

use crate::harness::{Applying, Editor, Home, Moment, Options, Told};
use crate::model::Model;
use crate::steps::{
    AFTER, BEFORE, FILE, GREET, SHOP, SIMPLIFY, booked, greeted, open_with, shop, text, token,
};

/// The model says a little and is then held in the middle of its answer; later it edits `greet`.
const HELD: &str = r#"
[[turn]]
usage = { input = 1000, output = 100 }
text = "I will think about it for a while and then change a line."
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "greet"
base = "{{hash:greet}}"
reason = "it sounds better"
[[turn.tool.input.edits]]
old_text = 'text.push_str("Hello, ");'
new_text = 'text.push_str("Good day, ");'
[[turn.fault]]
hold_after = { events = 3 }

[[turn]]
text = "Done."
"#;

fn tempers() -> [Options; 4] {
    [
        Options::vscode(),
        Options::vscode().told(Told::AfterTheReply),
        Options::neovim(),
        Options::neovim().told(Told::AfterTheReply),
    ]
}

#[test]
fn one_lie_or_refusal_costs_an_attempt_and_doubles_nothing() {
    for (options, bad) in tempers().into_iter().zip([
        Applying::Lie,
        Applying::Refuse,
        Applying::Lie,
        Applying::Fail,
    ]) {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = open_with(&home, &model, options);
        editor.next_edits([bad]);
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        let end = editor.end_of(&run);
        assert!(end.contains(": 1 hunk, "), "{end}");
        assert_eq!(editor.text(FILE), greeted(), "{bad:?}");
        assert_eq!(editor.edits_asked(), 2, "{bad:?}");
        editor.hunks(FILE, 1);
        editor.shutdown();
    }
}

#[test]
fn an_edit_that_the_user_takes_back_at_once_does_not_come_again() {
    for options in tempers() {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = open_with(&home, &model, options);
        editor.once(Moment::AfterApply, |editor, _| editor.undo(FILE));
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        editor.end_of(&run);
        assert_eq!(editor.text(FILE), SHOP);
        assert_eq!(editor.edits_asked(), 1);
        editor.shutdown();
    }
}

#[test]
fn an_edit_that_never_lands_waits_for_the_user() {
    for (bad, picked, left) in [
        (Applying::Lie, "Apply this hunk", greeted()),
        (Applying::Refuse, "Discard this hunk", SHOP.to_owned()),
        (Applying::Fail, "Apply this hunk", greeted()),
    ] {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = open_with(&home, &model, Options::vscode());
        editor.next_edits([bad, bad, bad]);
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        editor.end_of(&run);
        assert_eq!(editor.text(FILE), SHOP);
        let hunks = editor.hunks(FILE, 1);
        assert!(
            text(&hunks[0]["message"]).contains("not applied"),
            "{hunks:?}"
        );
        let hover = editor.hover(FILE, BEFORE).unwrap();
        assert!(
            hover.contains("Not applied: the editor")
                && hover.contains("+    text.push_str(\"Good day, \");"),
            "{hover}"
        );
        // More than the server remembers of what was typed.
        for _ in 0..600 {
            editor.type_before(FILE, "//! A shop.", "// é𝒳\n");
        }
        editor.pick(FILE, BEFORE, picked);
        editor.hunks(FILE, 0);
        let typed = "// é𝒳\n".repeat(600);
        assert_eq!(editor.text(FILE), typed + &left, "{bad:?}");
        let _told = editor.take_errors();
        editor.shutdown();
    }
}

#[test]
fn a_change_may_be_told_long_after_the_answer() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::neovim());
    editor.next_edits([Applying::TellLater]);
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.wait_until("the edit", |editor| {
        (editor.text(FILE) == greeted()).then_some(())
    });
    // Merged with what is typed, as editors that gather changes do.
    editor.type_before(FILE, "//! A shop.", "// typed\n");
    editor.end_of(&run);
    assert_eq!(editor.text(FILE), format!("// typed\n{}", greeted()));
    assert_eq!(editor.edits_asked(), 1);
    editor.shutdown();
}

#[test]
fn typing_at_the_very_place_wins() {
    for options in tempers() {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = open_with(&home, &model, options);
        editor.once(Moment::BeforeApply, |editor, _| {
            editor.replace(FILE, "Hello, ", "Howdy, ");
        });
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        editor.end_of(&run);
        assert_eq!(editor.text(FILE), SHOP.replacen("Hello, ", "Howdy, ", 1));
        let hunks = editor.hunks(FILE, 1);
        assert!(
            text(&hunks[0]["message"]).contains("changed meanwhile"),
            "{hunks:?}"
        );
        editor.pick(FILE, "Howdy", "Discard this hunk");
        editor.hunks(FILE, 0);
        editor.shutdown();
    }
}

#[test]
fn a_file_that_is_closed_meanwhile_is_left_alone() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    editor.close(FILE);
    editor.settle();
    model.handle.release();
    editor.end_of(&run);
    assert_eq!(
        (editor.edits_asked(), home.read(FILE)),
        (0, SHOP.to_owned())
    );
    let _told = editor.take_errors();
    editor.shutdown();
}

/// After a cancellation: one end, no edit, and the whole reservation booked because the bill is not known.
fn nothing_but_the_bill(home: &Home, model: &Model, mut editor: Editor, run: &str) {
    let end = editor.end_of(run);
    assert!(end.contains("cancelled after no hunks"), "{end}");
    model.until("abandoned answer", |progress| progress.abandoned == 1);
    model.handle.release();
    editor.settle();
    assert_eq!((editor.ends_of(run), editor.edits_asked()), (1, 0));
    assert_eq!(editor.text(FILE), SHOP);
    editor.shutdown();
    let row = booked(home);
    assert!(row.cost > Money::ZERO && row.cost == row.unknown, "{row:?}");
    assert_eq!(row.reserved, Money::ZERO);
}

#[test]
fn the_progress_bar_cancels() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    editor.cancel_progress(&json!(token(&run)));
    nothing_but_the_bill(&home, &model, editor, &run);
}

#[test]
fn the_menu_cancels() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::neovim());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    let answer = editor.pick(FILE, "greet(", "Cancel: Simplify `greet` · ");
    assert_eq!(answer, json!({"cancelled": true}));
    nothing_but_the_bill(&home, &model, editor, &run);
}

#[test]
fn a_run_is_cancelled_once() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    // Without an argument the only run is meant, as editors do that send none.
    let answer = editor.execute(&json!({"command": "farthing.run.cancel", "arguments": []}));
    assert_eq!(answer, json!({"cancelled": true}));
    editor.cancel_progress(&json!(token(&run)));
    editor.command("farthing.run.cancel", json!({"run": run}));
    nothing_but_the_bill(&home, &model, editor, &run);
}

#[test]
fn a_cancellation_is_acknowledged_at_once() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::vscode());
    let mut times: Vec<Duration> = (1..=20)
        .map(|round| {
            let run = editor.launch(FILE, "greet(", SIMPLIFY);
            model.until("held answer", |progress| progress.held == round);
            let began = Instant::now();
            editor.cancel_progress(&json!(token(&run)));
            editor.end_of(&run);
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "from a cancellation to the end of the run: {median:.1?} in the median, {most:.1?} at most"
    );
    // 200 ms are promised; a machine that is busy elsewhere may take longer.
    assert!(median < Duration::from_secs(1), "{times:?}");
    assert_eq!(editor.edits_asked(), 0);
    editor.shutdown();
}

#[test]
fn an_edit_in_the_editors_hands_is_not_lost_by_a_cancellation() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    editor.next_edits([Applying::Hold]);
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.wait_for_method("workspace/applyEdit");
    editor.command("farthing.run.cancel", json!({"run": run}));
    editor.release();
    let end = editor.end_of(&run);
    assert!(end.contains("cancelled"), "{end}");
    // The editor had it already and made it; so it is a hunk like any other, and not sent again.
    assert_eq!((editor.text(FILE), editor.edits_asked()), (greeted(), 1));
    editor.hunks(FILE, 1);
    editor.pick(FILE, AFTER, "Undo this hunk");
    editor.hunks(FILE, 0);
    assert_eq!(editor.text(FILE), SHOP);
    editor.shutdown();
}

#[test]
fn one_symbol_one_run() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    let second = editor.command_run(FILE, "greet");
    assert!(
        text(&second["reason"]).contains("is working on `greet`; wait for it or cancel it first"),
        "{second}"
    );
    model.handle.release();
    editor.end_of(&run);
    assert_eq!(editor.text(FILE), greeted());
    editor.shutdown();
}

#[test]
fn a_shutdown_books_what_is_under_way() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::vscode());
    editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    editor.shutdown();
    let row = booked(&home);
    assert!(
        row.cost > Money::ZERO && row.reserved == Money::ZERO,
        "{row:?}"
    );
}

#[test]
fn a_client_that_hangs_up_leaves_no_server_and_a_bill() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::vscode());
    editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    let status = editor.hang_up().unwrap();
    assert_eq!(status.code(), Some(1));
    let row = booked(&home);
    assert!(
        row.cost > Money::ZERO && row.reserved == Money::ZERO,
        "{row:?}"
    );
}

#[test]
fn the_next_server_books_what_a_killed_one_had_reserved() {
    let (home, model) = (shop(), Model::start(HELD));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    editor.kill();
    let held = booked(&home);
    assert!(
        held.reserved > Money::ZERO && held.cost == Money::ZERO,
        "{held:?}"
    );

    let model = Model::start(GREET);
    let mut editor = open_with(&home, &model, Options::vscode());
    let again = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&again);
    editor.shutdown();
    let ledger = Ledger::open(&home.state().join("ledger.db")).unwrap();
    let run: RunId = run.parse().unwrap();
    let attempts = ledger.attempts(&run).unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].state, AttemptState::Recovered);
    assert_eq!(ledger.run_cost(&run).unwrap().own.settled, held.reserved);
    assert_eq!(booked(&home).reserved, Money::ZERO);
}
