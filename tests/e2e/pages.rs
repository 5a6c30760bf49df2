//! Documents that only the server has: what a hunk or a run changes, and what a run did.

use serde_json::{Value, json};

use crate::harness::{Editor, Options};
use crate::model::Model;
use crate::steps::{AFTER, FILE, GREET, SIMPLIFY, open_with, shop, text};

/// The document that the server has asked to show last.
fn shown(editor: &mut Editor) -> String {
    let asked = editor.wait_for_method("window/showDocument");
    text(&asked["params"]["uri"])
}

fn read(editor: &mut Editor, uri: &str) -> String {
    let answer = editor.request("workspace/textDocumentContent", json!({"uri": uri}));
    text(&answer["text"])
}

#[test]
fn what_a_run_changed_and_did_is_shown_where_the_client_reads_such_documents() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    let offered = &editor.server["capabilities"]["workspace"]["textDocumentContent"];
    assert_eq!(offered, &json!({"schemes": ["farthing"]}));
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    editor.hunks(FILE, 1);

    let mut pages = Vec::new();
    for title in [
        "Show this hunk as a difference",
        "Show all changes of this run",
        "Show what this run did",
    ] {
        editor.pick(FILE, AFTER, title);
        pages.push(shown(&mut editor));
    }
    for difference in &pages[..2] {
        let text = read(&mut editor, difference);
        for line in [
            "--- a/src/lib.rs\n",
            "-    text.push_str(\"Hello, \");\n",
            "+    text.push_str(\"Good day, \");\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
    }
    let trace = read(&mut editor, &pages[2]);
    for part in [
        "simplify of `greet` in ",
        "turn 1: edit_symbol {\"symbol\":\"greet\"",
        "turn 1: edit_symbol landed: 1 hunks",
        "completed after 2 turns, 1 tool calls, 1 hunks. It is politer now.",
    ] {
        assert!(trace.contains(part), "{part:?} in {trace}");
    }

    // What is decided on is told.
    editor.pick(FILE, AFTER, "Undo this hunk");
    let refreshed = |message: &Value, uri: &str| {
        message["method"] == "workspace/textDocumentContent/refresh"
            && message["params"]["uri"] == uri
    };
    for difference in &pages[..2] {
        editor.wait_for("a refresh", |message| refreshed(message, difference));
        let text = read(&mut editor, difference);
        assert_eq!(text, "Nothing of this waits for a decision any more.\n");
    }
    // The record of a run outlives the server.
    editor.shutdown();
    let mut editor = open_with(&home, &model, Options::vscode());
    assert_eq!(read(&mut editor, &pages[2]), trace);
    editor.shutdown();
}

#[test]
fn what_is_no_such_document_is_refused() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    for uri in [
        "farthing:/run/../../x/trace.txt",
        "file:///etc/passwd",
        "farthing:",
    ] {
        let answer = editor.try_request("workspace/textDocumentContent", json!({"uri": uri}));
        assert_eq!(answer.unwrap_err()["code"], -32602, "{uri}");
    }
    editor.shutdown();
}

#[test]
fn a_client_that_reads_none_is_offered_none() {
    for options in [Options::neovim(), Options::helix(), Options::eglot()] {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = open_with(&home, &model, options);
        let offered = &editor.server["capabilities"]["workspace"];
        assert_eq!(offered.get("textDocumentContent"), None);
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        editor.end_of(&run);
        editor.hunks(FILE, 1);
        let menu = editor.menu(FILE, AFTER);
        assert!(
            !menu.iter().any(|title| title.starts_with("Show ")),
            "{menu:?}"
        );
        editor.command("farthing.run.show", json!({}));
        editor.told("shows no documents of a server");
        editor.shutdown();
    }
}
