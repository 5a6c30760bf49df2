//! Several runs at once: each has its symbols, and the imports are everybody's.

use crate::harness::{Editor, Options};
use crate::model::Model;
use crate::steps::{AFTER, BEFORE, FILE, SHOP, SIMPLIFY, open_with, shop, text};

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
    for (symbol, shared) in [("greet", "greet"), ("Cart", "Cart"), ("@9-12", "@9-12")] {
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
