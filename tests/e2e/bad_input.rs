//! What users and endpoints get wrong: each time a sentence that says where, why and what to do, and nothing is lost.

use ledger::Money;
use serde_json::{Value, json};

use crate::harness::{Editor, Options};
use crate::model::Model;
use crate::steps::{AFTER, FILE, GREET, SHOP, SIMPLIFY, booked, greeted, open_with, shop, text};

#[test]
fn a_configuration_that_cannot_be_read_stops_runs_and_nothing_else() {
    let (home, model) = (shop(), Model::start(GREET));
    home.configure("[budget]\nper_run = $1\n");
    let mut editor = open_with(&home, &model, Options::vscode());
    let told = editor.told("config.toml:2:");
    assert!(told.contains("must be quoted"), "{told}");
    assert_eq!(
        editor.menu(FILE, "greet("),
        ["Set up a model for Farthing…"]
    );
    let answer = editor.command_run(FILE, "greet");
    let reason = text(&answer["reason"]);
    assert!(
        reason.contains("config.toml:2:") && answer["started"] == false,
        "{answer}"
    );
    assert_eq!(model.handle.requests().len(), 0);
    editor.shutdown();
}

#[test]
fn a_key_that_is_misspelt_is_named() {
    let (home, model) = (shop(), Model::start(GREET));
    home.configure("[budget]\nper_rnu = \"$1\"\n");
    let mut editor = open_with(&home, &model, Options::vscode());
    let told = editor.told("config.toml:2:");
    assert!(
        told.contains("per_rnu") && told.contains("per_run"),
        "{told}"
    );
    editor.shutdown();
}

#[test]
fn a_model_without_a_price_is_not_asked() {
    let (home, model) = (shop(), Model::start(GREET));
    home.configure("[models]\ndefault = \"no-such-model\"\n");
    let mut editor = open_with(&home, &model, Options::vscode());
    let answer = editor.command_run(FILE, "greet");
    let reason = text(&answer["reason"]);
    for part in [
        "no price is known for the model no-such-model",
        "claude-sonnet-5-5",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(model.handle.requests().len(), 0);
    editor.shutdown();
}

/// The run's last words when the endpoint answers like this, and the editor afterwards.
fn answered_with(fault: &str) -> (String, Model, crate::harness::Home, Editor) {
    let script = GREET.replacen(
        "[[turn]]\nusage",
        &format!("[[turn]]\nfault = [{fault}]\nusage"),
        1,
    );
    let (home, model) = (shop(), Model::start(&script));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    assert_eq!(editor.ends_of(&run), 1);
    (end, model, home, editor)
}

/// A fault that no retry mends: what the user reads, how often it was tried, and whether it may have been billed.
fn fails(fault: &str, parts: &[&str], tries: usize, billed: bool) {
    let (end, model, home, mut editor) = answered_with(fault);
    assert!(
        end.starts_with("Simplify `greet` failed, "),
        "{fault}: {end}"
    );
    for part in parts {
        assert!(end.contains(part), "{fault}: {part:?} is missing in {end}");
    }
    assert!(!end.contains("a-test-key"), "{end}");
    assert_eq!(editor.told("failed, "), end);
    assert_eq!(model.handle.requests().len(), tries, "{fault}");
    assert_eq!(
        (editor.text(FILE), editor.edits_asked()),
        (SHOP.to_owned(), 0)
    );
    editor.shutdown();
    let row = booked(&home);
    assert_eq!(
        (row.reserved, row.cost > Money::ZERO),
        (Money::ZERO, billed),
        "{fault}: {row:?}"
    );
}

#[test]
fn a_wrong_key_is_named_by_where_it_comes_from() {
    fails("{ status = 401 }", &["401", "ANTHROPIC_API_KEY"], 1, false);
}

#[test]
fn a_refused_request_says_what_the_endpoint_said() {
    let body = r#"{ status = 400, body = '{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: too many"}}' }"#;
    fails(body, &["400", "max_tokens: too many"], 1, false);
}

#[test]
fn an_endpoint_that_stays_busy_is_given_up() {
    fails(
        "{ status = 429, headers = { retry-after-ms = \"5\" } }",
        &["429"],
        3,
        false,
    );
}

#[test]
fn an_endpoint_that_stays_broken_is_given_up() {
    // A server that fails does not say whether it bills what it had begun.
    fails(
        "{ status = 500, headers = { retry-after-ms = \"5\" } }",
        &["500"],
        3,
        true,
    );
}

#[test]
fn a_busy_endpoint_is_asked_again() {
    let (end, model, home, editor) =
        answered_with("{ status = 429, times = 2, headers = { retry-after-ms = \"5\" } }");
    assert!(end.contains(": 1 hunk, "), "{end}");
    assert_eq!(editor.text(FILE), greeted());
    assert_eq!(model.handle.requests().len(), 4);
    editor.shutdown();
    let row = booked(&home);
    assert_eq!((row.unknown, row.reserved), (Money::ZERO, Money::ZERO));
    assert_eq!(row.cost, crate::steps::price(&crate::steps::GREET_USAGE));
}

#[test]
fn a_stream_that_is_cut_or_garbled_is_booked_and_said() {
    fails("{ cut_after = { events = 4 } }", &[], 1, true);
    fails("{ garble_after = { events = 2 } }", &[], 1, true);
}

#[test]
fn an_answer_that_is_no_stream_is_said() {
    let script = GREET.replacen(
        "[[turn]]\nusage",
        "[[turn]]\nsse = '<html>gateway</html>'\nusage",
        1,
    );
    let script = script.split("[[turn.tool]]").next().unwrap().to_owned();
    let (home, model) = (shop(), Model::start(&script));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    assert!(end.starts_with("Simplify `greet` failed, "), "{end}");
    editor.told("failed, ");
    assert_eq!(editor.text(FILE), SHOP);
    editor.shutdown();
    assert_eq!(booked(&home).reserved, Money::ZERO);
}

#[test]
fn an_endpoint_that_is_not_there_is_named() {
    let home = shop();
    let address = {
        let model = Model::start(GREET);
        model.handle.base_url()
    };
    let options = Options::vscode()
        .env("ANTHROPIC_BASE_URL", &address)
        .env("ANTHROPIC_API_KEY", "a-test-key");
    let mut editor = crate::steps::open(&home, options);
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    assert!(
        end.contains("failed, $0.00: ") && end.contains("127.0.0.1"),
        "{end}"
    );
    editor.told("failed, ");
    editor.shutdown();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is the user")]
fn files_that_are_no_code_or_too_large_are_passed_over() {
    let (home, model) = (shop(), Model::start(GREET));
    std::fs::write(home.path("src/latin.rs"), b"// caf\xe9\nfn a() {}\n").unwrap();
    std::fs::write(home.path("src/nul.rs"), b"\0\0\0\0").unwrap();
    std::fs::write(home.path("src/large.rs"), vec![b'\n'; 50 << 20]).unwrap();
    let mut editor = open_with(&home, &model, Options::vscode());
    for (file, part) in [
        ("src/latin.rs", "is not UTF-8 (byte 6 is not)"),
        ("src/large.rs", "52428800 bytes"),
    ] {
        let answer = editor.command_run(file, "a");
        let reason = text(&answer["reason"]);
        assert!(reason.contains(file) && reason.contains(part), "{answer}");
    }
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    assert_eq!(editor.text(FILE), greeted());
    editor.shutdown();
    let index = home
        .command()
        .args(["index", "--json", "."])
        .output()
        .unwrap();
    let index: Value = serde_json::from_slice(&index.stdout).unwrap();
    assert_eq!(index["languages"], json!({"Rust": 1, "TOML": 1}), "{index}");
}

#[test]
fn a_huge_document_does_not_stop_the_others() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    editor.open_as(
        "src/huge.rs",
        &"// nothing but a comment, again and again\n".repeat((50 << 20) / 42),
    );
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    assert_eq!(editor.text(FILE), greeted());
    editor.close("src/huge.rs");
    editor.shutdown();
}

#[test]
fn a_workspace_folder_that_is_not_there_is_no_workspace() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = Editor::start(&home, model.behind(Options::vscode()));
    let root = editor.uri("gone");
    let capabilities = editor.capabilities.clone();
    editor.request(
        "initialize",
        json!({"capabilities": capabilities, "rootUri": root, "workspaceFolders": [{"uri": root, "name": "gone"}]}),
    );
    editor.notify("initialized", json!({}));
    editor.open_as("gone/a.rs", "fn lonely() {\n    let _ = 1;\n}\n");
    let menu = editor.menu("gone/a.rs", "lonely");
    assert!(
        menu.iter()
            .any(|title| title.starts_with("Simplify `lonely` · est. $")),
        "{menu:?}"
    );
    editor.shutdown();
}

#[test]
fn a_command_without_sense_is_answered_with_what_it_needs() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    let uri = editor.uri(FILE);
    for (command, arguments, part) in [
        ("farthing.run", json!([]), "needs `uri`"),
        ("farthing.run", json!([{"uri": uri}]), "needs `launch`"),
        (
            "farthing.run",
            json!(["greet"]),
            "the arguments are not understood",
        ),
        (
            "farthing.run",
            json!([{"uri": uri, "launch": {"action": "conquer", "symbol": "greet"}}]),
            "conquer",
        ),
        (
            "farthing.run",
            json!([{"uri": uri, "launch": {"action": "simplify", "symbol": "gone"}}]),
            "there is no `gone`",
        ),
        (
            "farthing.run",
            json!([{"uri": "untitled:1", "launch": {"action": "simplify", "symbol": "greet"}}]),
            "uri",
        ),
        ("farthing.hunk.keep", json!([]), "needs `hunk`"),
        ("farthing.hunk.undo", json!([{"hunk": "many"}]), "hunk"),
        ("farthing.hunk.keepFile", json!([{}]), "needs `uri`"),
        ("farthing.run.undo", json!([]), "needs `run`"),
        ("farthing.run.cancel", json!([{}]), "needs `run`"),
        (
            "farthing.run.cancel",
            json!([{"run": 7}]),
            "the arguments are not understood",
        ),
        (
            "farthing.everything",
            json!([]),
            "there is no command farthing.everything",
        ),
    ] {
        let answer = editor.execute(&json!({"command": command, "arguments": arguments}));
        assert!(
            text(&answer["reason"]).contains(part),
            "{command} {arguments}: {answer}"
        );
        editor.told(part);
    }
    let answer = editor.request(
        "workspace/executeCommand",
        json!({"command": "farthing.run"}),
    );
    assert_eq!(answer["started"], false);
    // A hunk that is gone is said, not done.
    editor.command("farthing.hunk.undo", json!({"hunk": "4711"}));
    editor.told("no longer pending");
    assert_eq!(
        (editor.text(FILE), model.handle.requests().len()),
        (SHOP.to_owned(), 0)
    );
    editor.shutdown();
}

#[test]
fn a_change_of_a_file_that_is_not_open_is_dropped() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    let uri = editor.uri("src/other.rs");
    editor.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": "fn b() {}"}]}),
    );
    editor.notify(
        "textDocument/didClose",
        json!({"textDocument": {"uri": uri}}),
    );
    editor.notify(
        "textDocument/didSave",
        json!({"textDocument": {"uri": uri}}),
    );
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    assert_eq!(editor.text(FILE).matches(AFTER).count(), 1);
    editor.allow_in_log("not open");
    editor.shutdown();
}
