//! Lines that no symbol holds, as part of a scope.

use super::*;

const MACRO: &str = "\
thread_local! {
    static X: u8 = 1;
}

fn f() {}

fn g() {}
";

fn region(source: &str, name: &str) -> Region {
    Region::named(name, &Text::from(source)).unwrap()
}

fn outcome(source: &str, scope: &Scope, operation: Operation) -> String {
    match judged(source, scope, operation) {
        Verdict::Approved { edit, .. } => edit.want().unwrap().to_string(),
        Verdict::NeedsApproval(question) => format!("question: {}", question.text),
        Verdict::Refused(refusal) => format!("{:?}: {}", refusal.rule, refusal.message),
    }
}

fn lines(source: &str, name: &str, text: &str) -> Operation {
    Operation::ReplaceSymbol {
        symbol: name.into(),
        base: Hash::of(&Text::from(source).slice(region(source, name).range)),
        text: text.into(),
    }
}

#[test]
fn a_name_of_lines_is_read_strictly() {
    let text = Text::from("a\nb\nc\n");
    let range = |name: &str| Region::named(name, &text).map(|region| region.range);
    assert_eq!(range("@1"), Some(Range::new(0, 2)));
    assert_eq!(range("@2-3"), Some(Range::new(2, 6)));
    assert_eq!(range("@file"), Some(Range::new(0, 6)));
    for name in [
        "",
        "@",
        "@0",
        "@3-2",
        "@1-",
        "@-1",
        "@1-9",
        "@+1",
        "@ 1",
        "@1-2-3",
        "1",
        "@99999999999999999999",
    ] {
        assert_eq!(range(name), None, "{name:?}");
    }
}

#[test]
fn lines_change_as_text_once_they_are_granted() {
    let granted = scope("f").granted_region(region(MACRO, "@1-3"));
    let new = "thread_local! {\n    static X: u8 = 2;\n}";
    assert_eq!(
        outcome(MACRO, &granted, lines(MACRO, "@1-3", new)),
        MACRO.replace("= 1", "= 2")
    );
    expect!["Scope: `@1-3` is outside the scope, which is `f`, the imports of the file and up to 2 new items; use request_scope if these lines must change"]
        .assert_eq(&outcome(MACRO, &scope("f"), lines(MACRO, "@1-3", new)));
    expect!["Scope: `@6` is outside the scope, which is `f`, `@1-3`, the imports of the file and up to 2 new items; use request_scope if these lines must change"]
        .assert_eq(&outcome(MACRO, &granted, lines(MACRO, "@6", "fn h() {}\n")));
}

#[test]
fn lines_are_no_way_to_what_is_outside_them() {
    let granted = scope("f").granted_region(region(MACRO, "@1-3"));
    expect!["Parse: with this change lib.rs would no longer parse (near line 1); check brackets and indentation and send it again"]
        .assert_eq(&outcome(MACRO, &granted, lines(MACRO, "@1-3", "mod m {")));
    expect!["Parse: with this change lib.rs would no longer parse (near line 1); check brackets and indentation and send it again"]
        .assert_eq(&outcome(MACRO, &granted, lines(MACRO, "@1-3", "/*")));
}

#[test]
fn lines_move_with_what_is_typed_above_and_take_in_what_the_run_puts_at_their_edges() {
    let text = Text::from(MACRO);
    let middle = region(MACRO, "@5");
    let typed = EditSet::one(Edit::new(Range::at(0), "// typed\n"));
    let after = typed.apply(&text).unwrap();
    let moved = middle.clone().moved(&typed, after.len());
    assert_eq!(after.slice(moved.range), "fn f() {}\n");
    let edges = EditSet::new(vec![
        Edit::new(Range::at(middle.range.start), "// above\n"),
        Edit::new(Range::at(middle.range.end), "// below\n"),
    ])
    .unwrap();
    let after = edges.apply(&text).unwrap();
    assert_eq!(
        after.slice(middle.clone().moved(&edges, after.len()).range),
        "fn f() {}\n"
    );
    assert_eq!(
        after.slice(middle.grown(&edges, after.len()).range),
        "// above\nfn f() {}\n// below\n"
    );
}
