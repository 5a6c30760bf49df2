//! Several runs at once: each has its symbols, and the imports are everybody's.

use crate::harness::{Editor, Options};
use crate::model::Model;
use crate::steps::{AFTER, BEFORE, FILE, SHOP, SIMPLIFY, open_with, shop, text, token};

const TOTAL: &str = "Simplify `total`";

/// Two conversations that both want the same import, each held in its first answer.
const TWO: &str = r#"
[[conversation]]
when_contains = "symbol: greet ·"
[[conversation.turn]]
[[conversation.turn.tool]]
name = "edit_imports"
input = { add = ["use std::fmt;"], remove = [], reason = "for later" }
[[conversation.turn.tool]]
name = "edit_symbol"
[conversation.turn.tool.input]
symbol = "greet"
base = "{{hash:greet}}"
reason = "it sounds better"
[[conversation.turn.tool.input.edits]]
old_text = 'text.push_str("Hello, ");'
new_text = 'text.push_str("Good day, ");'
[[conversation.turn.fault]]
hold_after = { events = 1 }
[[conversation.turn]]
text = "Done."

[[conversation]]
when_contains = "symbol: Cart/total ·"
[[conversation.turn]]
[[conversation.turn.tool]]
name = "edit_imports"
input = { add = ["use std::fmt;"], remove = [], reason = "for later" }
[[conversation.turn.tool]]
name = "replace_symbol"
[conversation.turn.tool.input]
symbol = "Cart/total"
base = "{{hash:Cart/total}}"
reason = "it is a sum"
text = """
/// Adds everything up.
pub fn total(&self) -> u64 {
    self.items.iter().sum()
}"""
[[conversation.turn.fault]]
hold_after = { events = 1 }
[[conversation.turn]]
text = "Done."
"#;

const LOOP: &str = "        let mut sum = 0;\n        for item in &self.items {\n            sum += item;\n        }\n        sum\n";
const SUM: &str = "        self.items.iter().sum()\n";

/// Both runs, held at the same moment.
fn two(model: &Model, editor: &mut Editor) -> [String; 2] {
    let greet = editor.launch(FILE, "greet(", SIMPLIFY);
    let total = editor.launch(FILE, "total(", TOTAL);
    model.until("held answers", |progress| progress.held == 2);
    [greet, total]
}

#[test]
fn two_runs_in_one_file_land_both_and_share_the_imports() {
    for options in [Options::vscode(), Options::neovim(), Options::eglot()] {
        let (home, model) = (shop(), Model::start(TWO));
        let mut editor = open_with(&home, &model, options);
        let runs = two(&model, &mut editor);
        model.handle.release();
        model.handle.release();
        for run in &runs {
            editor.end_of(run);
        }
        let want = SHOP
            .replacen(BEFORE, AFTER, 1)
            .replacen(LOOP, SUM, 1)
            .replacen(
                "/// What is bought",
                "use std::fmt;\n\n/// What is bought",
                1,
            );
        assert_eq!(editor.text(FILE), want);
        editor.hunks(FILE, 3);
        // Each run is undone by itself.
        for run in &runs {
            editor.command("farthing.run.undo", serde_json::json!({"run": run}));
        }
        editor.hunks(FILE, 0);
        assert_eq!(editor.text(FILE), SHOP);
        editor.shutdown();
    }
}

#[test]
fn what_a_run_works_on_is_not_launched_on_and_says_why() {
    let (home, model) = (shop(), Model::start(TWO));
    let mut editor = open_with(&home, &model, Options::vscode());
    let runs = two(&model, &mut editor);
    // Twice the same is once too often, and lines have no name to be found again by.
    for (symbol, shared) in [("greet", "greet"), ("@9-12", "@9-12")] {
        let refused = editor.command_run(FILE, symbol);
        let reason = text(&refused["reason"]);
        let why = format!("is working on `{shared}`; wait for it or cancel it first");
        assert!(reason.contains(&why), "{symbol}: {refused}");
        editor.told(&why);
    }
    for run in &runs {
        editor.command("farthing.run.cancel", serde_json::json!({"run": run}));
        editor.end_of(run);
    }
    assert_eq!(editor.text(FILE), SHOP);
    // Nobody holds it any more.
    let again = editor.command_run(FILE, "greet");
    let again = text(&again["run"]);
    assert!(!again.is_empty());
    editor.command("farthing.run.cancel", serde_json::json!({"run": again}));
    editor.end_of(&again);
    model.handle.release();
    model.handle.release();
    editor.shutdown();
}

/// One run holds `Cart/total`; the other asks for it.
const WISH: &str = r#"
[[conversation]]
when_contains = "symbol: Cart/total ·"
[[conversation.turn]]
text = "I think about it for a while."
[[conversation.turn.fault]]
hold_after = { events = 1 }

[[conversation]]
when_contains = "symbol: greet ·"
[[conversation.turn]]
[[conversation.turn.tool]]
name = "request_scope"
input = { symbols = ["Cart/total"], reason = "it is called from here" }
[[conversation.turn]]
expect = { tool_result_contains = "another run, “Simplify `total`”, works on `Cart/total`" }
text = "`Cart/total` is left to do."
"#;

#[test]
fn a_scope_does_not_widen_into_what_another_run_works_on() {
    let (home, model) = (shop(), Model::start(WISH));
    let mut editor = open_with(&home, &model, Options::vscode());
    let total = editor.launch(FILE, "total(", TOTAL);
    model.until("held answer", |progress| progress.held == 1);
    let greet = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&greet);
    // Nobody was asked what cannot be given.
    assert!(
        editor
            .sent_by_server("window/showMessageRequest")
            .is_empty()
    );
    editor.command("farthing.run.cancel", serde_json::json!({"run": total}));
    editor.end_of(&total);
    model.handle.release();
    editor.shutdown();
}

/// One run changes `greet`, another documents it as the first has left it, and a third hardens that.
const QUEUE: &str = r#"
[[conversation]]
when_contains = "Simplify `greet`."
[[conversation.turn]]
[[conversation.turn.tool]]
name = "edit_symbol"
[conversation.turn.tool.input]
symbol = "greet"
base = "{{hash:greet}}"
reason = "it sounds better"
[[conversation.turn.tool.input.edits]]
old_text = 'text.push_str("Hello, ");'
new_text = 'text.push_str("Good day, ");'
[[conversation.turn.fault]]
hold_after = { events = 1 }
[[conversation.turn]]
text = "Done."

[[conversation]]
when_contains = "Document `greet`."
[[conversation.turn]]
expect = { contains = "Good day, " }
[[conversation.turn.tool]]
name = "edit_symbol"
[conversation.turn.tool.input]
symbol = "greet"
base = "{{hash:greet}}"
reason = "it says what it does"
[[conversation.turn.tool.input.edits]]
old_text = "/// Says hello."
new_text = "/// Wishes a good day."
[[conversation.turn.fault]]
hold_after = { events = 1 }
[[conversation.turn]]
text = "Done."

[[conversation]]
when_contains = "Harden errors in `greet`."
[[conversation.turn]]
expect = { contains = "/// Wishes a good day." }
text = "Nothing can go wrong."
"#;

const DOCUMENT: &str = "Document `greet`";
const HARDEN: &str = "Harden errors in `greet`";

/// Waits until the progress of a run has said this.
fn says(editor: &mut Editor, run: &str, what: &str) {
    let run = serde_json::json!(token(run));
    editor.wait_until(&format!("{what:?} in the progress"), |editor| {
        let events = editor.progress(&run);
        let mut said = events.iter().map(|event| text(&event["message"]));
        said.any(|said| said == what).then_some(())
    });
}

#[test]
fn a_run_on_what_another_works_on_waits_for_it_and_goes_on_from_there() {
    for options in [Options::vscode(), Options::neovim(), Options::helix()] {
        let (home, model) = (shop(), Model::start(QUEUE));
        let mut editor = open_with(&home, &model, options);
        let simplify = editor.launch(FILE, "greet(", SIMPLIFY);
        model.until("held answer", |progress| progress.held == 1);
        let document = editor.launch(FILE, "greet(", DOCUMENT);
        let harden = editor.launch(FILE, "greet(", HARDEN);
        for run in [&document, &harden] {
            says(
                &mut editor,
                run,
                "waits for “Simplify `greet`”, which works on `greet`",
            );
        }
        editor.told("waits for “Simplify `greet`”");
        assert_eq!(editor.text(FILE), SHOP);
        model.handle.release();
        editor.end_of(&simplify);
        says(
            &mut editor,
            &harden,
            "waits for “Document `greet`”, which works on `greet`",
        );
        model.until("held answer", |progress| progress.held == 2);
        model.handle.release();
        editor.end_of(&document);
        let end = editor.end_of(&harden);
        assert!(end.contains("nothing changed"), "{end}");
        let want = SHOP.replacen(BEFORE, AFTER, 1).replacen(
            "/// Says hello.",
            "/// Wishes a good day.",
            1,
        );
        assert_eq!(editor.text(FILE), want);
        editor.hunks(FILE, 2);
        editor.shutdown();
    }
}

#[test]
fn a_run_that_waits_can_be_cancelled_and_has_cost_nothing() {
    let (home, model) = (shop(), Model::start(QUEUE));
    let mut editor = open_with(&home, &model, Options::vscode());
    let simplify = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    let document = editor.launch(FILE, "greet(", DOCUMENT);
    says(
        &mut editor,
        &document,
        "waits for “Simplify `greet`”, which works on `greet`",
    );
    let harden = editor.launch(FILE, "greet(", HARDEN);
    editor.pick(FILE, "greet(", "Cancel: Document `greet`");
    let end = editor.end_of(&document);
    assert!(end.contains("cancelled after no hunks, $0.00"), "{end}");
    assert_eq!((editor.ends_of(&simplify), editor.ends_of(&harden)), (0, 0));
    editor.cancel_progress(&serde_json::json!(token(&harden)));
    editor.end_of(&harden);
    model.handle.release();
    editor.end_of(&simplify);
    editor.hunks(FILE, 1);
    assert_eq!(editor.text(FILE), SHOP.replacen(BEFORE, AFTER, 1));
    editor.shutdown();
}

#[test]
fn a_run_whose_symbol_has_gone_while_it_waited_says_so() {
    let (home, model) = (shop(), Model::start(QUEUE));
    let mut editor = open_with(&home, &model, Options::vscode());
    let simplify = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    let document = editor.launch(FILE, "greet(", DOCUMENT);
    editor.replace(FILE, "fn greet(", "fn welcome(");
    editor.cancel_progress(&serde_json::json!(token(&simplify)));
    editor.end_of(&simplify);
    let end = editor.end_of(&document);
    assert!(end.contains("there is no `greet`"), "{end}");
    editor.told("there is no `greet`");
    model.handle.release();
    editor.shutdown();
}
