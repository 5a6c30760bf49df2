//! A model that is not to be trusted, or a wire that is not: every tool call cut off and garbled at every byte.

use text::Hash;

use crate::Actual;
use crate::spec::File;

const TARGET: &str = "fn target(n: u32) -> u32 {\n    n + 1\n}";
const ABOVE: &str = "fn keep_above() {}\n";
const BELOW: &str = "\n\nfn keep_below() {}\n";

/// One good call of each tool, with `HASH` for that of the target.
const CALLS: &[(&str, &str)] = &[
    (
        "edit_symbol",
        r#"{"symbol":"target","base":"HASH","edits":[{"old_text":"    n + 1","new_text":"    1 + n"}],"reason":"é"}"#,
    ),
    (
        "replace_symbol",
        r#"{"symbol":"target","base":"HASH","text":"fn target(n: u32) -> u32 {\n    1 + n\n}","reason":"r"}"#,
    ),
    (
        "add_symbol",
        r#"{"anchor":"target","position":"after","text":"fn added() {}","reason":"r"}"#,
    ),
    (
        "edit_imports",
        r#"{"add":["use std::fmt;"],"remove":[],"reason":"r"}"#,
    ),
    (
        "request_scope",
        r#"{"symbols":["keep_below"],"reason":"r"}"#,
    ),
    ("read_symbol", r#"{"symbol":"target","view":"body"}"#),
    ("find", r#"{"query":"target","kind":"definitions"}"#),
];

/// What becomes of a call with these arguments.
fn call(tool: &str, arguments: &str) -> Actual {
    let text = format!(
        "## One call\n```rust src/lib.rs\n{ABOVE}\n{TARGET}{BELOW}```\n```action\nsimplify src/lib.rs target\n```\n```turn\nraw {tool} {arguments}\n```\n```turn\nsay Done.\n```\n"
    );
    let specs = File::parse(&text).specs();
    crate::perform(specs.first().unwrap())
}

fn good(arguments: &str) -> String {
    arguments.replace("HASH", &Hash::of(TARGET).to_string())
}

fn original() -> String {
    format!("{ABOVE}\n{TARGET}{BELOW}")
}

fn text(actual: &Actual) -> &str {
    &actual.files.first().unwrap().1
}

/// Nothing outside of the scope is other than before, and the model is told something it can read.
fn is_contained(actual: &Actual, arguments: &str) {
    let text = text(actual);
    let outside = text.lines().filter(|line| line.contains("keep_"));
    assert_eq!(
        outside.collect::<Vec<_>>(),
        ["fn keep_above() {}", "fn keep_below() {}"],
        "{arguments}: {text}"
    );
    assert!(text.ends_with(BELOW), "{arguments}: {text}");
    assert!(
        actual.end.starts_with("completed"),
        "{arguments}: {}",
        actual.end
    );
    let reply = actual.replies.first().map_or("", String::as_str);
    let first = reply.lines().next().unwrap_or_default();
    assert!(
        first.chars().count() > 3 && first.chars().all(|c| !c.is_control()),
        "{arguments}: {reply:?}"
    );
}

#[test]
fn a_call_that_is_cut_off_anywhere_changes_nothing() {
    for (tool, arguments) in CALLS {
        let whole = good(arguments);
        let changed = text(&call(tool, &whole)) != original();
        let changes = matches!(
            *tool,
            "edit_symbol" | "replace_symbol" | "add_symbol" | "edit_imports"
        );
        assert_eq!(changed, changes, "{tool} itself works");
        let cuts = whole.char_indices().map(|(at, _)| at);
        // An empty line would be no call.
        for at in cuts.skip(1) {
            let cut = &whole[..at];
            let actual = call(tool, cut);
            assert_eq!(text(&actual), original(), "{tool} {cut}");
            is_contained(&actual, cut);
        }
    }
}

#[test]
fn a_call_that_is_garbled_anywhere_changes_nothing_out_of_scope() {
    for (tool, arguments) in CALLS {
        let whole = good(arguments);
        let places: Vec<(usize, char)> = whole.char_indices().collect();
        for (number, (at, c)) in places.into_iter().enumerate() {
            // Another one each time, so that all come up somewhere.
            let other = ['"', '\\', '}', '0', 'k', '\u{1F600}'][number % 6];
            if other == c {
                continue;
            }
            let garbled = format!("{}{other}{}", &whole[..at], &whole[at + c.len_utf8()..]);
            is_contained(&call(tool, &garbled), &garbled);
        }
    }
}

#[test]
fn a_call_for_something_else_is_refused_in_a_sentence() {
    for (tool, arguments) in [
        (
            "edit_symbol",
            r#"{"symbol":"keep_below","base":"HASH","edits":[{"old_text":"{}","new_text":"{ loop {} }"}],"reason":"r"}"#,
        ),
        (
            "edit_symbol",
            r#"{"symbol":"target","base":"000000000000","edits":[{"old_text":"n + 1","new_text":"2"}],"reason":"r"}"#,
        ),
        (
            "edit_symbol",
            r#"{"symbol":"target","base":"HASH","edits":[{"old_text":"n","new_text":"m"}],"reason":"r"}"#,
        ),
        (
            "edit_symbol",
            r#"{"symbol":"target","base":"HASH","edits":[{"old_text":"n + 1","new_text":"2"},{"old_text":"+ 1","new_text":"+ 2"}],"reason":"r"}"#,
        ),
        (
            "replace_symbol",
            r#"{"symbol":"target","base":"HASH","text":"fn target(n: u32) -> u32 {\n    n\n}\n\nfn keep_above() {}\n\nfn keep_above() {}\n\nfn keep_above() {}","reason":"r"}"#,
        ),
        (
            "replace_symbol",
            r#"{"symbol":"target","base":"HASH","text":"fn target( {","reason":"r"}"#,
        ),
        (
            "replace_symbol",
            r#"{"symbol":"../../etc/passwd","base":"HASH","text":"x","reason":"r"}"#,
        ),
        (
            "add_symbol",
            r#"{"anchor":"keep_above","position":"after","text":"fn a() {}","reason":"r"}"#,
        ),
        (
            "add_symbol",
            r#"{"anchor":"target","position":"after","text":"fn a() {}\nfn b() {}\nfn c() {}","reason":"r"}"#,
        ),
        (
            "edit_imports",
            r#"{"add":["fn evil() {}"],"remove":[],"reason":"r"}"#,
        ),
        (
            "edit_imports",
            r#"{"add":[],"remove":["fn keep_above() {}"],"reason":"r"}"#,
        ),
        ("edit_file", r#"{"file":"src/lib.rs","text":""}"#),
    ] {
        let arguments = good(arguments);
        let actual = call(tool, &arguments);
        assert_eq!(text(&actual), original(), "{tool} {arguments}");
        is_contained(&actual, &arguments);
        let reply = actual.replies.first().unwrap();
        assert!(reply.starts_with("error: "), "{tool} {arguments}: {reply}");
    }
}

#[test]
fn an_edit_without_end_is_refused_by_its_size() {
    let body = "    let _ = 1;\\n".repeat(40_000);
    let arguments = good(&format!(
        r#"{{"symbol":"target","base":"HASH","text":"fn target(n: u32) -> u32 {{\n{body}    n\n}}","reason":"r"}}"#
    ));
    let actual = call("replace_symbol", &arguments);
    assert_eq!(text(&actual), original());
    let reply = actual.replies.first().unwrap();
    assert!(
        reply.contains("the limit is") && reply.len() < 300,
        "{}",
        reply.chars().take(300).collect::<String>()
    );
}
