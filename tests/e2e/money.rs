//! Budgets hold before money is spent.

use ledger::Money;

use crate::harness::{Editor, Options};
use crate::model::Model;
use crate::steps::{
    FILE, GREET, GREET_USAGE, SHOP, SIMPLIFY, booked, greeted, open_with, price, shop,
};

/// Runs `greet` under a budget; the last words of the run.
fn under(budget: &str) -> (String, usize, Editor) {
    let (home, model) = (shop(), Model::start(GREET));
    home.configure(&format!("[budget]\n{budget}\n"));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    (end, model.handle.requests().len(), editor)
}

#[test]
fn a_run_that_cannot_be_paid_sends_nothing() {
    let (end, requests, mut editor) = under("per_run = \"$0.0001\"");
    assert!(
        end.starts_with("Simplify `greet` stopped after no hunks, $0.00: "),
        "{end}"
    );
    assert!(end.contains("$0.0001") && end.contains("per_run"), "{end}");
    assert_eq!(editor.told("stopped after"), end);
    assert_eq!((requests, editor.text(FILE)), (0, SHOP.to_owned()));
    editor.shutdown();
}

#[test]
fn nothing_means_nothing() {
    for key in ["per_run", "per_session", "per_day", "per_month"] {
        for zero in ["0", "$0"] {
            let (end, requests, editor) = under(&format!("{key} = \"{zero}\""));
            assert!(end.contains("nothing may be spent: the limit "), "{end}");
            assert_eq!((requests, editor.edits_asked()), (0, 0));
            editor.shutdown();
        }
    }
}

#[test]
fn a_workspace_narrows_and_never_widens() {
    let (home, model) = (shop(), Model::start(GREET));
    home.configure("[budget]\nper_run = \"$0.0001\"\n");
    home.write("farthing.toml", "[budget]\nper_run = \"$10\"\n");
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    assert!(end.contains("$0.0001"), "{end}");
    assert_eq!(model.handle.requests().len(), 0);
    editor.shutdown();
}

#[test]
fn a_day_that_is_used_up_stops_the_next_run() {
    let (home, model) = (shop(), Model::start(GREET));
    // The first run fits, and what is left after it holds no second request.
    home.configure("[budget]\nper_day = \"$0.20\"\n");
    let mut editor = open_with(&home, &model, Options::vscode());
    let mut ends = Vec::new();
    for _ in 0..100 {
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        ends.push(editor.end_of(&run));
        if ends.last().is_some_and(|end| end.contains("stopped after")) {
            break;
        }
        editor.hunks(FILE, 1);
        editor.pick(FILE, "Good day", "Undo this hunk");
        editor.hunks(FILE, 0);
    }
    let last = ends.last().unwrap();
    assert!(last.contains("per_day"), "{ends:?}");
    editor.shutdown();
    let row = booked(&home);
    assert!(
        row.cost <= Money::saturating_from(200_000_000_000),
        "{row:?}"
    );
}

#[test]
fn the_ledger_is_exact_and_the_command_line_agrees() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::neovim());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    assert_eq!(editor.text(FILE), greeted());
    editor.shutdown();
    let (cost, row) = (price(&GREET_USAGE), booked(&home));
    assert_eq!(
        (row.cost, row.unknown, row.reserved),
        (cost, Money::ZERO, Money::ZERO)
    );
    let billed = model.handle.billed();
    let used = row.usage;
    assert_eq!(
        (
            used.input,
            used.cache_write_5m,
            used.cache_write_1h,
            used.cache_read,
            used.output
        ),
        (
            billed.input,
            billed.cache_write_5m,
            billed.cache_write_1h,
            billed.cache_read,
            billed.output
        )
    );
    let output = home
        .command()
        .args(["cost", "--json", "--by", "symbol"])
        .output()
        .unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["rows"][0]["cost"], cost.picodollars(), "{shown}");
    assert_eq!(shown["rows"][0]["key"], "src/lib.rs#greet", "{shown}");
}

#[test]
fn a_client_that_shows_spending_is_told_of_it() {
    let (home, model) = (shop(), Model::start(GREET));
    let options = Options {
        initialization: serde_json::json!({"spending": true}),
        ..Options::vscode()
    };
    let mut editor = open_with(&home, &model, options);
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    let told = editor.wait_for("spending of the run", |message| {
        message["method"] == "farthing/spending"
            && message["params"]["lastRun"]["state"] == "completed"
    });
    let told = &told["params"];
    assert_eq!(
        told["todayPicodollars"],
        price(&GREET_USAGE).picodollars(),
        "{told}"
    );
    assert_eq!(told["lastRun"]["title"], SIMPLIFY);
    assert_eq!(told["exhausted"], false);
    editor.shutdown();
}
