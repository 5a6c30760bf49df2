//! Makes what real clients get wrong fit the typed structures, where a misfit would cost more than the message.

use serde_json::{Map, Value};
use tower_lsp::jsonrpc::Request;

use crate::capabilities;

/// Changes what would be misread; leaves everything else as it came.
pub(super) fn repair(request: Request) -> Request {
    let fix: fn(Value) -> Option<Value> = match request.method() {
        "initialize" => |params| Some(initialize(params)),
        // Some clients send `{}` where the specification has nothing.
        "shutdown" => |_| None,
        "textDocument/didChange" => |params| Some(did_change(params)),
        _ => return request,
    };
    let (method, id, params) = request.into_parts();
    let mut repaired = Request::build(method);
    if let Some(id) = id {
        repaired = repaired.id(id);
    }
    if let Some(params) = params.and_then(fix) {
        repaired = repaired.params(params);
    }
    repaired.finish()
}

/// A session that fails to start is no session, so each member is kept only if it can be read.
fn initialize(params: Value) -> Value {
    let Value::Object(mut params) = params else {
        return initialize(Value::Object(Map::new()));
    };
    let received = params.remove("capabilities").unwrap_or_default();
    params.insert("capabilities".to_owned(), capabilities::carried(received));
    params.retain(|name, value| match name.as_str() {
        "processId" => value.as_i64().is_some_and(|id| i32::try_from(id).is_ok()),
        "locale" | "rootPath" | "rootUri" | "trace" => value.is_string(),
        "workDoneToken" => {
            value.is_string() || value.as_i64().is_some_and(|id| i32::try_from(id).is_ok())
        }
        _ => true,
    });
    if let Some(info) = params.get_mut("clientInfo") {
        let text = |name: &str| info.get(name).and_then(Value::as_str).map(Value::from);
        let (name, version) = (text("name").unwrap_or_else(|| "".into()), text("version"));
        let mut readable = Map::from_iter([("name".to_owned(), name)]);
        readable.extend(version.map(|version| ("version".to_owned(), version)));
        *info = Value::Object(readable);
    }
    if let Some(folders) = params.get_mut("workspaceFolders") {
        match folders {
            Value::Array(folders) => folders.retain_mut(folder),
            other => *other = Value::Null,
        }
    }
    Value::Object(params)
}

/// A folder needs a URI; its name can be made up.
fn folder(folder: &mut Value) -> bool {
    let Some(uri) = folder.get("uri").and_then(Value::as_str) else {
        return false;
    };
    let name = folder.get("name").and_then(Value::as_str).unwrap_or(uri);
    *folder = serde_json::json!({"uri": uri, "name": name});
    true
}

/// A change whose range cannot be read would be taken for the whole new text of its document.
fn did_change(mut params: Value) -> Value {
    let changes = params
        .get_mut("contentChanges")
        .and_then(Value::as_array_mut);
    for change in changes
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        change.remove("rangeLength");
        let Some(range) = change.get_mut("range").filter(|range| !range.is_null()) else {
            continue;
        };
        let readable = ["start", "end"].into_iter().all(|end| {
            ["line", "character"].into_iter().all(|unit| {
                let number = range.get_mut(end).and_then(|end| end.get_mut(unit));
                number.is_some_and(natural)
            })
        });
        if !readable {
            // Without its text the message is refused as a whole.
            change.remove("text");
            tracing::error!(
                "a change without a readable range; its document is out of step until it is opened again"
            );
        }
    }
    params
}

/// Turns a number into the nearest one that a position can have.
fn natural(number: &mut Value) -> bool {
    let Some(float) = number.as_f64() else {
        return false;
    };
    // The cast is saturating.
    *number = Value::from(float as u32);
    true
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use lsp_types::{DidChangeTextDocumentParams, InitializeParams};
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    fn repaired<T: DeserializeOwned>(method: &'static str, params: Value) -> serde_json::Result<T> {
        let request = repair(Request::build(method).params(params).id(1).finish());
        assert_eq!((request.method(), request.id()), (method, Some(&1.into())));
        serde_json::from_value(request.params().cloned().unwrap_or_default())
    }

    #[test]
    fn a_session_starts_whatever_initialize_holds() {
        for params in [
            json!({}),
            json!(null),
            json!([1]),
            json!({"capabilities": null, "processId": -1.5, "rootUri": 3, "rootPath": {}, "trace": null}),
            json!({"capabilities": {"textDocument": {"synchronization": {"didSave": "yes"}}, "window": 3}}),
            json!({"processId": i64::MAX, "clientInfo": "vi", "locale": 7, "workspaceFolders": "/"}),
            json!({"clientInfo": {"version": 9}, "workspaceFolders": [null, {}, {"uri": "file:///a"}, {"uri": "file:///b", "name": 1}]}),
            json!({"workDoneToken": 1.5, "initializationOptions": [], "unheardOf": {}}),
        ] {
            let read = repaired::<InitializeParams>("initialize", params.clone());
            assert!(read.is_ok(), "{params}: {read:?}");
        }
    }

    #[test]
    fn what_initialize_says_is_kept() {
        let params = json!({
            "processId": 7, "clientInfo": {"name": "x", "version": "1"}, "rootUri": "file:///a",
            "workspaceFolders": [{"uri": "file:///a", "name": "a"}], "initializationOptions": {"o": 1},
            "capabilities": {"workspace": {"applyEdit": true}},
        });
        let read: InitializeParams = repaired("initialize", params.clone()).unwrap();
        assert!(capabilities::Client::from_initialize(&read).apply_edit);
        let mut kept = serde_json::to_value(read).unwrap();
        let mut expected = params;
        for value in [&mut kept, &mut expected] {
            value["capabilities"].take();
        }
        assert_eq!(kept, expected);
    }

    fn check(change: Value, expected: Expect) {
        let params =
            json!({"textDocument": {"uri": "file:///a", "version": 1}, "contentChanges": [change]});
        let shown = match repaired::<DidChangeTextDocumentParams>("textDocument/didChange", params)
        {
            Ok(params) => serde_json::to_string(&params.content_changes).unwrap(),
            Err(_) => "refused".to_owned(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_change_is_never_taken_for_the_whole_text() {
        let range = |line: Value, character: Value| json!({"start": {"line": 0, "character": 0}, "end": {"line": line, "character": character}});
        check(
            json!({"range": range(json!(-1), json!(2.0)), "rangeLength": -3, "text": "x"}),
            expect![[
                r#"[{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":2}},"text":"x"}]"#
            ]],
        );
        check(
            json!({"range": range(json!(1e99), json!(0)), "text": "x"}),
            expect![[
                r#"[{"range":{"start":{"line":0,"character":0},"end":{"line":4294967295,"character":0}},"text":"x"}]"#
            ]],
        );
        check(
            json!({"range": range(json!("1"), json!(0)), "text": "x"}),
            expect!["refused"],
        );
        check(
            json!({"range": {"start": {}}, "text": "x"}),
            expect!["refused"],
        );
        check(
            json!({"range": null, "text": "x"}),
            expect![[r#"[{"text":"x"}]"#]],
        );
        check(json!({"text": "x"}), expect![[r#"[{"text":"x"}]"#]]);
    }
}
