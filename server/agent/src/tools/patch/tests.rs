#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use gate::{Policy, Proposal, Region, Scope, Verdict, View, decide};
use index::Parsed;
use proptest::prelude::*;
use text::{FilePath, Text};

use super::*;
use crate::source::Source;

/// What the gate makes of a patch, in the scope of the whole file, one operation after the other; or why it is refused.
fn applied(language: &str, source: &str, patch: &str) -> Result<String, String> {
    let patch = Patch::parse(patch)?;
    let file = FilePath::new("/w/src/file").unwrap();
    let mut text = Text::from(source);
    let mut parsed = Parsed::parse(grammars::by_name(language).unwrap(), &text);
    let whole = Region::named("@file", &text).unwrap();
    let roots = parsed.facts().roots();
    let mut scope = Scope::region(file.clone(), whole);
    scope.siblings = 9;
    for root in roots {
        let path = parsed.facts().symbol(root).unwrap().path.to_string();
        scope = scope.granted(path);
    }
    let seen = Source::parsed(&file, &text, parsed.facts());
    for operation in translate(&seen, &patch, "src/file")? {
        let proposal = Proposal {
            file: file.clone(),
            operation: operation.clone(),
            reason: String::new(),
        };
        let view = View {
            file: &file,
            text: &text,
            version: None,
            parsed: &parsed,
        };
        let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
        match decide(&view, &scope, &policy, &proposal) {
            Verdict::Approved { edit, added } => {
                scope = scope.moved(edit.edits(), edit.want().unwrap().len(), None);
                scope = scope.with_added(added);
                text = edit.want().unwrap();
                parsed = parsed.reparse(edit.edits(), &text);
            }
            Verdict::NeedsApproval(question) => panic!("{}", question.text),
            Verdict::Refused(refusal) => return Err(format!("{operation:?}: {}", refusal.message)),
        }
    }
    Ok(text.to_string())
}

fn check(language: &str, source: &str, hunks: &str, expect: Expect) {
    let patch = format!("{BEGIN}\n{UPDATE} src/file\n{hunks}\n{END}\n");
    let shown = match applied(language, source, &patch) {
        Ok(text) => text,
        Err(sentence) => format!("{sentence}\n"),
    };
    expect.assert_eq(&shown);
}

const RUST: &str = "\
use std::fmt;
use std::io;

fn one() {
    step();
    first();
}

fn two() {
    step();
    second();
}
";

#[test]
fn a_hunk_changes_the_symbol_it_is_in() {
    check(
        "rust",
        RUST,
        " fn two() {\n-    step();\n+    leap();\n     second();",
        expect![[r#"
            use std::fmt;
            use std::io;

            fn one() {
                step();
                first();
            }

            fn two() {
                leap();
                second();
            }
        "#]],
    );
}

#[test]
fn an_anchor_says_which_of_two_places_is_meant() {
    check(
        "rust",
        RUST,
        "-    step();\n+    leap();",
        expect![[r#"
        hunk 1 fits in 2 places (lines 5, 10); add a line of context, or `@@` with the line that begins what it is in
    "#]],
    );
    check(
        "rust",
        RUST,
        "@@ fn two()\n-    step();\n+    leap();",
        expect![[r#"
            use std::fmt;
            use std::io;

            fn one() {
                step();
                first();
            }

            fn two() {
                leap();
                second();
            }
        "#]],
    );
    check(
        "rust",
        RUST,
        "@@ -8,3 +8,3 @@ fn one() {\n-    step();\n+    leap();",
        expect![[r#"
            use std::fmt;
            use std::io;

            fn one() {
                leap();
                first();
            }

            fn two() {
                step();
                second();
            }
        "#]],
    );
    check(
        "rust",
        RUST,
        "@@ fn three()\n-    step();\n+    leap();",
        expect![[r#"
        hunk 1: no line begins with "fn three()"
    "#]],
    );
}

#[test]
fn several_hunks_of_one_symbol_are_one_change() {
    check(
        "rust",
        RUST,
        "@@\n fn one() {\n-    step();\n+    leap();\n@@\n-    first();\n+    last();\n }",
        expect![[r#"
            use std::fmt;
            use std::io;

            fn one() {
                leap();
                last();
            }

            fn two() {
                step();
                second();
            }
        "#]],
    );
    check(
        "rust",
        RUST,
        "@@\n-    first();\n+    last();\n@@\n-    first();\n+    middle();",
        expect![[r#"
            hunks 1 and 2 change the same lines; send each change once
        "#]],
    );
}

#[test]
fn items_and_imports_come_and_go() {
    check(
        "rust",
        RUST,
        "@@\n-use std::io;\n+use std::sync::Arc;\n@@\n     second();\n }\n+\n+fn three() {}\n@@\n-fn one() {\n-    step();\n-    first();\n-}\n-",
        expect![[r#"
            use std::fmt;
            use std::sync::Arc;

            fn two() {
                step();
                second();
            }

            fn three() {}
        "#]],
    );
}

#[test]
fn what_is_between_the_changes_stays_to_the_byte() {
    let source = "fn f() {\n\tone();  \n\ttwo();\r\n\tthree();\n}\n";
    let hunks = " fn f() {\n-\tone();\n+\t1();\n \ttwo();\n-\tthree();\n+\t3();";
    let patch = format!("{BEGIN}\n{UPDATE} src/file\n{hunks}\n{END}");
    let after = applied("rust", source, &patch).unwrap();
    assert!(after.contains("\ttwo();\r\n"), "{after:?}");
}

#[test]
fn a_patch_that_makes_no_sense_is_answered_with_what_is_wrong() {
    let mut said = String::new();
    let update = format!("{BEGIN}\n{UPDATE} src/file");
    for patch in [
        String::new(),
        "-a\n+b".to_owned(),
        BEGIN.to_owned(),
        format!("{BEGIN}\n{END}"),
        format!("{update}\n{END}"),
        format!("{update}\n-a\n+b"),
        format!("{update}\n a\n{END}"),
        format!("{update}\na\n{END}"),
        format!("{update}\n-a\n+b\n{END}\n{BEGIN}"),
        format!("{BEGIN}\n-a\n{END}"),
        format!("{BEGIN}\n*** Add File: b\n+a\n{END}"),
        format!("{update}\n*** Move to: b\n-a\n{END}"),
        format!("{update}\n-a\n{UPDATE} other\n-a\n{END}"),
        format!("{update}\n{END_OF_FILE}\n{END}"),
        format!("{update}\n+a\n{END}"),
        format!("{update}\n-nowhere\n{END}"),
    ] {
        let answer = applied("rust", RUST, &patch).unwrap_err();
        let _ = writeln!(said, "{answer}");
        assert_eq!(answer.lines().count(), 1, "{answer}");
    }
    expect![[r#"
        a patch begins with `*** Begin Patch` on a line of its own
        a patch begins with `*** Begin Patch` on a line of its own
        the patch has no `*** End Patch`, so it may not have come whole; send it again
        the patch changes nothing
        the patch changes nothing
        the patch has no `*** End Patch`, so it may not have come whole; send it again
        hunk 1 changes nothing; lines that go begin with `-`, lines that come with `+`
        line 3 begins with neither a blank, nor `-`, nor `+`: "a"
        something comes after `*** End Patch`; send one patch a call
        line 2: say which file with `*** Update File: …` first
        line 2: "*** Add File: b" is not possible here; a patch updates the file you work in, and does not add, delete or move files
        line 3: "*** Move to: b" is not possible here; a patch updates the file you work in, and does not add, delete or move files
        a patch changes one file, the one you work in; this one names "src/file" and "other"
        line 3: `*** End of File` belongs below a hunk
        hunk 1 only adds lines and does not say where; put a line of context before them
        hunk 1 is not in the file as it is now: "nowhere"; read the symbol again and send what stands there
    "#]].assert_eq(&said);
}

/// A patch of one line, cut off at every byte and with every byte garbled, does what it says or nothing.
#[test]
fn a_patch_that_comes_in_pieces_changes_nothing() {
    let patch =
        format!("{BEGIN}\n{UPDATE} src/file\n@@ fn two()\n-    step();\n+    leap();\n{END}");
    let whole = applied("rust", RUST, &patch).unwrap();
    for end in 0..patch.len() {
        assert!(applied("rust", RUST, &patch[..end]).is_err(), "{end}");
    }
    for at in 0..patch.len() {
        let mut garbled = patch.clone();
        garbled.replace_range(at..=at, "\u{1}");
        if let Ok(text) = applied("rust", RUST, &garbled) {
            // What can differ is the new line, and whatever a blank inside it was.
            let same = |text: &str| text.replace('\u{1}', "");
            let lines = text.lines().zip(whole.lines());
            let differing = lines.filter(|(a, b)| a != b).count();
            assert!(
                differing <= 1 && same(&text).contains("fn one() {\n    step();"),
                "{garbled:?}: {text:?}"
            );
        }
    }
}

/// The patch between two texts, as a model would write it, with `context` lines around each change.
fn patch_of(old: &str, new: &str, context: usize) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    let mut patch = format!("{BEGIN}\n{UPDATE} src/file\n");
    for group in diff.grouped_ops(context) {
        patch.push_str("@@\n");
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                similar::ChangeTag::Equal => ' ',
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
            };
            let _ = writeln!(patch, "{sign}{}", change.value().trim_end_matches('\n'));
        }
    }
    patch.push_str(END);
    patch
}

proptest! {
    #[test]
    fn whatever_a_model_sends_is_answered(text in "(\\*\\*\\* (Begin Patch|End Patch|Update File: src/file)\n|@@[^\n]{0,8}\n|[ +-][a-z(); ]{0,8}\n|\n|.{0,3}){0,12}") {
        let _ = applied("rust", RUST, &text);
        let _ = applied("rust", RUST, &format!("{BEGIN}\n{UPDATE} src/file\n{text}\n{END}"));
    }

    /// Bodies of functions, changed at random: the patch leads to exactly the text it was made from, or is refused.
    #[test]
    fn a_patch_leads_to_the_text_it_was_made_from(
        before in prop::collection::vec(prop::collection::vec(0u8..6, 1..8), 1..5),
        after in prop::collection::vec(prop::collection::vec(0u8..6, 1..8), 1..5),
        context in 0usize..5,
    ) {
        let text = |bodies: &[Vec<u8>]| -> String {
            let mut text = String::new();
            for (number, body) in bodies.iter().enumerate() {
                let _ = writeln!(text, "fn f{number}() {{");
                for line in body {
                    let _ = writeln!(text, "    step({line});");
                }
                text.push_str("}\n\n");
            }
            text
        };
        let count = before.len().min(after.len());
        let (old, new) = (text(&before[..count]), text(&after[..count]));
        prop_assume!(old != new);
        if let Ok(result) = applied("rust", &old, &patch_of(&old, &new, context)) {
            prop_assert_eq!(result, new);
        }
    }
}
