//! The editor against a small peer in the same process.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use std::{io, thread};

use serde_json::{Value, json};

use super::document::{self, Encoding};
use super::wire::{Received, Wire};
use super::{Applying, Editor, Home, Moment, Options, PATIENCE, Told};

/// The other end: it mirrors documents from what it is told, and sends what a script says.
struct Peer {
    wire: Wire,
    encoding: &'static str,
    mirror: BTreeMap<String, (i64, String)>,
    /// The methods of what came, and `reply` for replies.
    came: Vec<String>,
    last_id: i64,
}

/// An editor, initialized, whose peer follows a script and then waits for the end.
fn editor(
    options: Options,
    encoding: &'static str,
    script: impl FnOnce(&mut Peer) + Send + 'static,
) -> Editor {
    let home = Home::new();
    home.write("closed.rs", "fn closed() {}\n");
    let (peer_input, output) = io::pipe().unwrap();
    let (input, peer_output) = io::pipe().unwrap();
    thread::spawn(move || {
        let mut peer = Peer {
            wire: Wire::new(peer_input, peer_output),
            encoding,
            mirror: BTreeMap::new(),
            came: Vec::new(),
            last_id: 0,
        };
        script(&mut peer);
        while peer.next().is_some() {}
    });
    let mut editor = Editor::over(input, output, &home, options);
    editor.initialize();
    editor
}

impl Peer {
    /// The next message; `None` at the end of the session.
    fn next(&mut self) -> Option<Value> {
        let Received::Message(message) = self.wire.receive(Instant::now() + PATIENCE) else {
            return None;
        };
        let params = &message["params"];
        let uri = params["textDocument"]["uri"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let method = message["method"].as_str().unwrap_or("reply");
        self.came.push(method.to_owned());
        match method {
            "initialize" => self.result(
                &message,
                &json!({"capabilities": {"positionEncoding": self.encoding}}),
            ),
            "shutdown" => self.result(&message, &Value::Null),
            "farthing/unknown" => {
                let error = json!({"code": -32601, "message": "Method not found"});
                self.send(json!({"jsonrpc": "2.0", "id": message["id"], "error": error}));
            }
            "exit" => return None,
            "textDocument/didOpen" => {
                let document = &params["textDocument"];
                let text = document["text"].as_str().unwrap().to_owned();
                self.mirror
                    .insert(uri, (document["version"].as_i64().unwrap(), text));
            }
            "textDocument/didChange" => {
                let encoding = Encoding::named(self.encoding);
                let (version, text) = self.mirror.get_mut(&uri).unwrap();
                *version = params["textDocument"]["version"].as_i64().unwrap();
                for change in params["contentChanges"].as_array().unwrap() {
                    let new = change["text"].as_str().unwrap();
                    match change.get("range") {
                        None => new.clone_into(text),
                        Some(range) => {
                            let (start, end) = document::offsets(text, range, encoding).unwrap();
                            text.replace_range(start..end, new);
                        }
                    }
                }
            }
            _ => {}
        }
        Some(message)
    }

    fn wait_for(&mut self, method: &str) -> Value {
        loop {
            let message = self.next().expect(method);
            if message["method"] == method || (method == "reply" && message.get("method").is_none())
            {
                return message;
            }
        }
    }

    /// Asks for something and returns the reply.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        self.send(
            json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}),
        );
        self.wait_for("reply")
    }

    /// Asks for an insertion at the start of a document, and returns whether it was said to be applied.
    fn insert(&mut self, version: Value, text: &str) -> Value {
        let uri = self.mirror.keys().next().unwrap().clone();
        let reply = self.ask(
            "workspace/applyEdit",
            json!({"edit": {"documentChanges": [insertion(&uri, version, text)]}}),
        );
        reply["result"]["applied"].clone()
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Shows the test what it has.
    fn show(&mut self, value: Value) {
        self.notify("test/shown", value);
    }

    fn mirrored(&self) -> Value {
        self.mirror.values().map(|(_, text)| text.clone()).collect()
    }

    fn version(&self) -> Value {
        json!(self.mirror.values().next().unwrap().0)
    }

    fn result(&mut self, request: &Value, result: &Value) {
        self.send(json!({"jsonrpc": "2.0", "id": request["id"], "result": result}));
    }

    fn send(&mut self, message: Value) {
        self.wire.send(&message);
    }
}

fn insertion(uri: &str, version: Value, text: &str) -> Value {
    let start = json!({"line": 0, "character": 0});
    json!({
        "textDocument": {"uri": uri, "version": version},
        "edits": [{"range": {"start": start, "end": start}, "newText": text}],
    })
}

fn shown(editor: &mut Editor) -> Value {
    editor.wait_for_method("test/shown")["params"].clone()
}

#[test]
fn what_is_typed_arrives_in_every_encoding() {
    for encoding in ["utf-8", "utf-16", "utf-32"] {
        let mut editor = editor(Options::vscode(), encoding, |peer| {
            for _ in 0..4 {
                peer.wait_for("textDocument/didChange");
            }
            peer.show(peer.mirrored());
        });
        editor.open_as("a.rs", "// é😀\r\nlet x;\rlet y;\n");
        editor.type_before("a.rs", "y;", "😀");
        editor.replace("a.rs", "😀\r\n", "!\n");
        editor.change_all("a.rs", "whole\n");
        editor.undo("a.rs");
        assert_eq!(shown(&mut editor), json!([editor.text("a.rs")]));
        assert_eq!(editor.text("a.rs"), "// é!\nlet x;\rlet 😀y;\n");
    }
}

#[test]
fn a_strict_editor_refuses_every_other_version() {
    let mut editor = editor(Options::vscode(), "utf-16", |peer| {
        peer.wait_for("textDocument/didOpen");
        let replies = [json!(1), json!(1), json!(7), json!(0), json!(2)]
            .map(|version| peer.insert(version, "x"));
        peer.show(json!([replies, peer.mirrored()]));
    });
    editor.open_as("a.rs", ".");
    assert_eq!(
        shown(&mut editor),
        json!([[true, false, false, false, true], ["xx."]])
    );
    assert_eq!(
        (editor.text("a.rs").as_str(), editor.version("a.rs")),
        ("xx.", 3)
    );
}

#[test]
fn a_lenient_editor_drops_what_is_older_and_says_it_did_not() {
    let mut editor = editor(Options::neovim(), "utf-8", |peer| {
        peer.wait_for("textDocument/didOpen");
        peer.wait_for("textDocument/didChange");
        let replies = [
            ("a", json!(3)),
            ("b", json!(3)),
            ("c", json!(0)),
            ("d", json!(99)),
        ]
        .map(|(text, version)| peer.insert(version, text));
        peer.show(json!([replies, peer.mirrored()]));
    });
    editor.open_as("a.rs", ".");
    editor.type_before("a.rs", ".", "1");
    assert_eq!(
        shown(&mut editor),
        json!([[true, true, true, true], ["dca1."]])
    );
    assert_eq!(editor.version("a.rs"), 12);
}

#[test]
fn a_lenient_editor_looks_at_the_first_document_only() {
    let mut editor = editor(Options::neovim(), "utf-8", |peer| {
        peer.wait_for("textDocument/didOpen");
        let changed = peer.wait_for("textDocument/didChange");
        let uri = changed["params"]["textDocument"]["uri"].as_str().unwrap();
        let closed = uri.replace("a.rs", "closed.rs");
        let both = json!([
            insertion(&closed, Value::Null, "//\n"),
            insertion(uri, json!(1), "b")
        ]);
        peer.ask(
            "workspace/applyEdit",
            json!({"edit": {"documentChanges": both}}),
        );
        peer.show(peer.mirrored());
    });
    editor.open_as("a.rs", ".");
    editor.type_before("a.rs", ".", "1");
    // The file that was not open was opened for it, and the server was told.
    assert_eq!(shown(&mut editor), json!(["b1.", "//\nfn closed() {}\n"]));
    assert_eq!(editor.text("closed.rs"), "//\nfn closed() {}\n");
}

#[test]
fn the_server_is_told_when_the_options_say() {
    let order = |options: Options| {
        let mut editor = editor(options, "utf-16", |peer| {
            peer.wait_for("textDocument/didOpen");
            peer.came.clear();
            peer.insert(peer.version(), "x");
            if !peer.came.contains(&"textDocument/didChange".to_owned()) {
                peer.wait_for("textDocument/didChange");
            }
            peer.show(json!(peer.came));
        });
        editor.open_as("a.rs", ".");
        shown(&mut editor)
    };
    assert_eq!(
        order(Options::vscode()),
        json!(["textDocument/didChange", "reply"])
    );
    assert_eq!(
        order(Options::vscode().told(Told::AfterTheReply)),
        json!(["reply", "textDocument/didChange"])
    );
}

#[test]
fn a_user_may_type_at_the_worst_moment() {
    let mut editor = editor(Options::vscode(), "utf-16", |peer| {
        peer.wait_for("textDocument/didOpen");
        let first = peer.insert(json!(1), "x");
        let second = peer.insert(peer.version(), "x");
        peer.show(json!([first, second, peer.mirrored()]));
    });
    editor.open_as("a.rs", ".");
    editor.once(Moment::BeforeApply, |editor, _| {
        editor.type_before("a.rs", ".", "typed");
    });
    assert_eq!(shown(&mut editor), json!([false, true, ["xtyped."]]));
}

#[test]
fn an_edit_may_be_treated_badly() {
    let mut editor = editor(Options::vscode(), "utf-16", |peer| {
        peer.wait_for("textDocument/didOpen");
        let replies = ["lie", "no", "error", "late"].map(|text| peer.insert(peer.version(), text));
        peer.show(json!([replies, peer.mirrored()]));
        peer.wait_for("textDocument/didChange");
        peer.show(peer.mirrored());
        let held = peer.insert(peer.version(), "held ");
        peer.show(json!([held, peer.mirrored()]));
    });
    editor.next_edits([
        Applying::Lie,
        Applying::Refuse,
        Applying::Fail,
        Applying::TellLater,
        Applying::Hold,
    ]);
    editor.open_as("a.rs", ".");
    assert_eq!(
        shown(&mut editor),
        json!([[true, false, null, true], ["."]])
    );
    assert_eq!(editor.text("a.rs"), "late.");
    editor.tell();
    assert_eq!(shown(&mut editor), json!(["late."]));
    editor.wait_until("an edit to hold", |editor| {
        (!editor.held.is_empty()).then_some(())
    });
    editor.release();
    assert_eq!(shown(&mut editor), json!([true, ["held late."]]));
}

#[test]
fn progress_and_diagnostics_are_kept() {
    let mut editor = editor(Options::neovim(), "utf-8", |peer| {
        let opened = peer.wait_for("textDocument/didOpen");
        peer.ask("window/workDoneProgress/create", json!({"token": "t"}));
        for kind in ["begin", "report", "end"] {
            peer.notify(
                "$/progress",
                json!({"token": "t", "value": {"kind": kind, "message": "$0.01"}}),
            );
        }
        let item = json!({
            "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}, "message": "m",
        });
        let uri = &opened["params"]["textDocument"]["uri"];
        peer.notify(
            "textDocument/publishDiagnostics",
            json!({"uri": uri, "version": 0, "diagnostics": [item]}),
        );
        let asked = peer.wait_for("textDocument/codeAction");
        peer.result(&asked, &asked["params"]["context"]["diagnostics"]);
    });
    editor.open_as("a.rs", "ab");
    let end = editor.wait_for_progress("end");
    assert_eq!(editor.progress(&end["token"]).len(), 3);
    editor.wait_for_method("textDocument/publishDiagnostics");
    let actions = editor.code_actions("a.rs", "b");
    assert_eq!(actions, editor.diagnostics("a.rs").items);
}

#[test]
fn settings_are_given_section_by_section() {
    let options = Options {
        settings: json!({"farthing": {"review": {"mode": "staged"}}}),
        ..Options::vscode()
    };
    let mut editor = editor(options, "utf-16", |peer| {
        let items = json!([{"section": "farthing.review"}, {"section": "other"}]);
        let reply = peer.ask("workspace/configuration", json!({"items": items}));
        peer.show(reply["result"].clone());
    });
    assert_eq!(shown(&mut editor), json!([{"mode": "staged"}, null]));
}

/// What an editor finds wrong with a script, in the end.
fn verdict(options: Options, script: impl FnOnce(&mut Peer) + Send + 'static) -> String {
    let mut editor = editor(options, "utf-16", script);
    editor.open_as("a.rs", "ab");
    let panic = catch_unwind(AssertUnwindSafe(move || {
        editor.settle();
        editor.shutdown();
    }));
    let reason = panic.expect_err("nothing was found wrong");
    let reason = reason.downcast_ref::<String>().unwrap();
    reason.lines().nth(1).unwrap_or_default().trim().to_owned()
}

fn overlapping() -> Value {
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 2}});
    json!([{"range": range, "newText": "x"}, {"range": range, "newText": "y"}])
}

fn past_the_end() -> Value {
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 9}});
    json!([{"range": range, "newText": "x"}])
}

#[test]
fn breaches_fail_the_test_that_saw_them() {
    let edit = |version: Value, edits: fn() -> Value| {
        move |peer: &mut Peer| {
            let opened = peer.wait_for("textDocument/didOpen");
            let document =
                json!({"uri": opened["params"]["textDocument"]["uri"], "version": version});
            let changes = json!([{"textDocument": document, "edits": edits()}]);
            peer.ask(
                "workspace/applyEdit",
                json!({"edit": {"documentChanges": changes}}),
            );
        }
    };
    let vscode = Options::vscode;
    let starts =
        |verdict: String, expected: &str| assert!(verdict.starts_with(expected), "{verdict}");

    starts(
        verdict(vscode(), edit(json!(1), overlapping)),
        "edits overlap",
    );
    starts(
        verdict(vscode(), edit(json!(1), past_the_end)),
        "{\"line\":0,\"character\":9} is not between",
    );
    starts(
        verdict(vscode(), edit(Value::Null, || json!([]))),
        "an edit of an open document without its version",
    );
    starts(
        verdict(Options::helix(), |peer| {
            peer.ask("workspace/codeLens/refresh", Value::Null);
        }),
        "workspace/codeLens/refresh needs /workspace/codeLens/refreshSupport",
    );
    starts(
        verdict(Options::neovim(), |peer| {
            let watch = json!([{"id": "1", "method": "workspace/didChangeWatchedFiles"}]);
            peer.ask("client/registerCapability", json!({"registrations": watch}));
        }),
        "client/registerCapability needs /workspace/didChangeWatchedFiles/dynamicRegistration",
    );
    starts(
        verdict(vscode(), |peer| {
            peer.notify(
                "$/progress",
                json!({"token": 1, "value": {"kind": "begin"}}),
            );
        }),
        "progress under a token nobody created",
    );
    starts(
        verdict(vscode(), |peer| {
            peer.notify(
                "window/showMessage",
                json!({"type": 1, "message": "no key"}),
            );
        }),
        "an error nobody took: no key",
    );
    starts(
        verdict(vscode(), |peer| {
            peer.send(json!({"jsonrpc": "2.0", "id": 77, "result": null}));
        }),
        "an answer to no question",
    );
}

#[test]
fn errors_that_a_test_takes_do_not_fail_it() {
    let mut editor = editor(Options::vscode(), "utf-16", |peer| {
        peer.notify(
            "window/showMessage",
            json!({"type": 1, "message": "no key"}),
        );
    });
    editor.wait_for_method("window/showMessage");
    assert_eq!(editor.take_errors(), ["no key"]);
    assert!(editor.take_errors().is_empty());
}
