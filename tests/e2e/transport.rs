//! The shipped binary at the end of two pipes.

use serde_json::{Value, json};

use crate::harness::{Editor, Options};
use crate::model::Model;
use crate::steps::{FILE, GREET, SHOP, open_with, shop};

fn framed(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[test]
fn a_burst_of_changes_is_seen_by_the_request_behind_it() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    let uri = editor.uri(FILE);
    // Each change renames the function once more; nothing is read in between.
    let mut bytes = Vec::new();
    let mut code = SHOP.to_owned();
    for number in 1..=12 {
        code = SHOP.replace("greet(", &format!("greet{number}("));
        bytes.extend(framed(&json!({
            "jsonrpc": "2.0", "method": "textDocument/didChange",
            "params": {"textDocument": {"uri": uri, "version": 1 + number}, "contentChanges": [{"text": code}]},
        })));
    }
    let line = code[..code.find("greet12").unwrap()].matches('\n').count();
    let position = json!({"line": line, "character": 8});
    let hover = json!({"textDocument": {"uri": uri}, "position": position});
    let actions = json!({
        "textDocument": {"uri": uri}, "range": {"start": position, "end": position}, "context": {"diagnostics": []},
    });
    bytes.extend(framed(
        &json!({"jsonrpc": "2.0", "id": "h", "method": "textDocument/hover", "params": hover}),
    ));
    bytes.extend(framed(&json!({"jsonrpc": "2.0", "id": "a", "method": "textDocument/codeAction", "params": actions})));
    editor.send_bytes(&bytes);
    for (id, part) in [("h", "Simplify `greet12`"), ("a", "Simplify `greet12`")] {
        let answered = editor.wait_until("an answer", |editor| {
            editor
                .recorded
                .iter()
                .find(|one| one.from_server && one.message["id"] == id)
                .map(|one| one.message.clone())
        });
        assert!(answered["result"].to_string().contains(part), "{answered}");
    }
    // The answers carry ids that the editor itself did not ask with, and the documents moved on without it.
    let _known = editor.take_violations();
    editor.shutdown();
}

#[test]
fn exit_codes_say_how_it_ended() {
    let home = shop();
    let started = |home| {
        let mut editor = Editor::start(home, Options::vscode());
        editor.initialize();
        editor
    };
    // `shutdown` and `exit`: the editor itself sees to it that this is 0.
    started(&home).shutdown();
    assert_eq!(started(&home).hang_up().unwrap().code(), Some(1));
    let mut editor = started(&home);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.hang_up().unwrap().code(), Some(1));
    let mut editor = started(&home);
    editor.request("shutdown", Value::Null);
    assert_eq!(editor.hang_up().unwrap().code(), Some(0));
    // Before anything was said at all.
    assert_eq!(
        Editor::start(&home, Options::vscode())
            .hang_up()
            .unwrap()
            .code(),
        Some(1)
    );
}

#[test]
fn after_shutdown_nothing_is_served() {
    let home = shop();
    let mut editor = Editor::start(&home, Options::vscode());
    editor.initialize();
    editor.request("shutdown", Value::Null);
    let refused = editor
        .try_request("textDocument/hover", json!({}))
        .unwrap_err();
    assert_eq!(refused["code"], -32600, "{refused}");
    editor.notify("exit", Value::Null);
    assert_eq!(editor.hang_up().unwrap().code(), Some(0));
}

#[test]
fn before_initialize_nothing_is_served() {
    let home = shop();
    let mut editor = Editor::start(&home, Options::vscode());
    let refused = editor
        .try_request("textDocument/hover", json!({}))
        .unwrap_err();
    assert_eq!(refused["code"], -32002, "{refused}");
    editor.initialize();
    editor.shutdown();
}

#[test]
fn rubbish_costs_one_message() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    editor.send_bytes(b"Content-Length: 9\r\n\r\n{\"broken\"");
    editor.wait_for("an error about the message", |message| {
        message["error"]["code"] == -32700
    });
    assert!(
        editor
            .menu(FILE, "greet(")
            .iter()
            .any(|title| title.contains("greet"))
    );
    editor.allow_in_log("malformed");
    editor.shutdown();
}

#[test]
fn what_is_asked_for_in_vain_is_answered() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    let unknown = editor
        .try_request("farthing/everything", json!({}))
        .unwrap_err();
    assert_eq!(unknown["code"], -32601, "{unknown}");
    let wrong = editor
        .try_request("textDocument/hover", json!({"position": 3}))
        .unwrap_err();
    assert_eq!(wrong["code"], -32602, "{wrong}");
    let id = editor.ask("textDocument/codeAction", json!({}));
    editor.cancel(id);
    let _either = editor.answer(id);
    editor.shutdown();
}
