use expect_test::{Expect, expect};
use index::Parsed;
use text::{Edit, EditSet, FilePath, Hash, Range, Text};

use super::*;

mod captures;
mod escapes;
mod files;
mod parts;
mod regions;

const FILE: &str = "/w/src/lib.rs";

const SOURCE: &str = "\
use std::fmt;

/// Adds.
fn add(a: i32, b: i32) -> i32 {
    let sum = a + b;
    sum
}

struct Cart;

impl Cart {
    fn total(&self) -> i32 {
        add(1, 2)
    }
}
";

fn view_of<T>(source: &str, act: impl FnOnce(&View<'_>) -> T) -> T {
    let file = FilePath::new(FILE).unwrap();
    let text = Text::from(source);
    let parsed = Parsed::parse(grammars::by_name("rust").unwrap(), &text);
    act(&View {
        file: &file,
        text: &text,
        version: Some(3),
        parsed: &parsed,
    })
}

fn hash_of(source: &str, symbol: &str) -> Hash {
    view_of(source, |view| {
        let id = view.parsed.facts().by_path(symbol).unwrap();
        Hash::of(
            &view
                .text
                .slice(view.parsed.facts().symbol(id).unwrap().range),
        )
    })
}

fn judged(source: &str, scope: &Scope, operation: Operation) -> Verdict {
    let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
    let proposal = Proposal {
        file: scope.file.clone(),
        operation,
        reason: String::new(),
    };
    view_of(source, |view| decide(view, scope, &policy, &proposal))
}

fn scope(symbol: &str) -> Scope {
    Scope::symbol(FilePath::new(FILE).unwrap(), symbol)
}

/// Judges an operation in the scope of one symbol and shows the changed lines, or the refusal.
fn check(source: &str, symbol: &str, operation: Operation, expect: Expect) {
    let shown = match judged(source, &scope(symbol), operation) {
        Verdict::Approved { edit, added } => {
            let hunks = edit.hunks().len();
            let diff = similar_lines(source, &edit.want().unwrap().to_string());
            format!("{hunks} hunk(s), new: {added:?}\n{diff}")
        }
        Verdict::NeedsApproval(question) => format!("question: {}\n", question.text),
        Verdict::Refused(refusal) => format!("{:?}: {}\n", refusal.rule, refusal.message),
    };
    expect.assert_eq(&shown);
}

fn similar_lines(old: &str, new: &str) -> String {
    let edits = text::diff(old, new);
    let (old, mut shown) = (Text::from(old), String::new());
    let new = Text::from(new);
    for edit in edits.edits() {
        let after = Range::new(
            edits.map_offset(edit.range.start, text::Bias::Before),
            edits.map_offset(edit.range.end, text::Bias::After),
        );
        let lines = |text: &Text, range: Range, sign: char| -> String {
            if range.is_empty() {
                return String::new();
            }
            let whole = text.slice(Range::new(
                text.line_start(text.line_of(range.start)),
                text.line_range(text.line_of(range.end.max(1) - 1)).end,
            ));
            whole
                .lines()
                .flat_map(|line| [sign.to_string(), line.to_owned(), "\n".to_owned()])
                .collect()
        };
        shown.push_str(&lines(&old, edit.range, '-'));
        shown.push_str(&lines(&new, after, '+'));
    }
    shown
}

fn edit(source: &str, symbol: &str, pairs: &[(&str, &str)]) -> Operation {
    let edits = pairs
        .iter()
        .map(|(old, new)| Replacement {
            old: (*old).into(),
            new: (*new).into(),
        })
        .collect();
    Operation::EditSymbol {
        symbol: symbol.into(),
        base: hash_of(source, symbol),
        edits,
    }
}

fn replace(source: &str, symbol: &str, text: &str) -> Operation {
    Operation::ReplaceSymbol {
        symbol: symbol.into(),
        base: hash_of(source, symbol),
        text: text.into(),
    }
}

#[test]
fn a_piece_of_the_target_may_change() {
    check(
        SOURCE,
        "add",
        edit(
            SOURCE,
            "add",
            &[("    let sum = a + b;\n    sum", "    a + b")],
        ),
        expect![[r#"
        1 hunk(s), new: []
        -    let sum = a + b;
        -    sum
        +    a + b
    "#]],
    );
}

#[test]
fn a_method_may_change_and_keeps_its_indentation() {
    let new = "fn total(&self) -> i32 {\n    add(2, 2)\n}";
    check(
        SOURCE,
        "Cart/total",
        replace(SOURCE, "Cart/total", new),
        expect![[r#"
        1 hunk(s), new: []
        -        add(1, 2)
        +        add(2, 2)
    "#]],
    );
    let half = "fn total(&self) -> i32 {\n        add(3, 2)\n    }";
    check(
        SOURCE,
        "Cart/total",
        replace(SOURCE, "Cart/total", half),
        expect![[r#"
        1 hunk(s), new: []
        -        add(1, 2)
        +        add(3, 2)
    "#]],
    );
}

#[test]
fn what_is_not_the_target_may_not() {
    check(
        SOURCE,
        "add",
        edit(SOURCE, "Cart/total", &[("add(1, 2)", "add(2, 1)")]),
        expect![[r#"
        Scope: `Cart/total` (lib.rs:12) is outside the scope, which is `add`, the imports of the file and up to 2 new items; use request_scope if it must change
    "#]],
    );
}

#[test]
fn a_closing_brace_is_no_way_out_of_the_scope() {
    let escape = "fn add(a: i32, b: i32) -> i32 { a + b }\nfn one() {}\nfn two() {}\nfn three() {}";
    check(
        SOURCE,
        "add",
        replace(SOURCE, "add", escape),
        expect![[r#"
        Scope: this adds 3 new items, the scope has room for 2; fold them into the target
    "#]],
    );
}

#[test]
fn text_that_the_run_has_not_read_is_not_changed() {
    let operation = Operation::EditSymbol {
        symbol: "add".into(),
        base: Hash::of("something else"),
        edits: vec![Replacement {
            old: "a + b".into(),
            new: "b + a".into(),
        }],
    };
    check(
        SOURCE,
        "add",
        operation,
        expect![[r#"
        Base: `add` has changed since you read it; its hash is 272a9c103ff8 now. Current text:
        /// Adds.
        fn add(a: i32, b: i32) -> i32 {
            let sum = a + b;
            sum
        }
    "#]],
    );
}

#[test]
fn old_text_must_be_there_once() {
    let source = "fn f() {\n    g();\n    h();\n    g();\n}\n";
    check(
        source,
        "f",
        edit(source, "f", &[("g();", "i();")]),
        expect![[r#"
        Match: old_text is found 2 times in `f` (lines 2, 4); add a neighbouring line to make it unique
    "#]],
    );
    check(
        source,
        "f",
        edit(source, "f", &[("k();", "i();")]),
        expect![[r#"
        Match: this is not in `f`: "k();". Current text:
        fn f() {
            g();
            h();
            g();
        }
    "#]],
    );
}

#[test]
fn changes_of_one_proposal_may_not_overlap() {
    check(
        SOURCE,
        "add",
        edit(
            SOURCE,
            "add",
            &[("let sum = a + b;", "let s = a;"), ("a + b", "b")],
        ),
        expect![[r#"
        Overlap: edits overlap at byte 71; send each change once, apart from the others
    "#]],
    );
}

#[test]
fn a_file_may_not_parse_worse_than_before() {
    check(
        SOURCE,
        "add",
        edit(SOURCE, "add", &[("    sum\n}", "    sum")]),
        expect![[r#"
        Parse: with this change lib.rs would no longer parse (near line 6); check brackets and indentation and send it again
    "#]],
    );
    let broken = "fn broken( {\n\nfn add() -> i32 {\n    1\n}\n";
    check(
        broken,
        "add",
        edit(broken, "add", &[("1", "2")]),
        expect![[r#"
        1 hunk(s), new: []
        -    1
        +    2
    "#]],
    );
}

#[test]
fn two_new_items_find_room_beside_the_target() {
    let add = |place, text: &str| Operation::AddSymbol {
        anchor: "add".into(),
        place,
        text: text.into(),
    };
    check(
        SOURCE,
        "add",
        add(
            Place::After,
            "fn sub(a: i32, b: i32) -> i32 {\n    a - b\n}",
        ),
        expect![[r#"
        1 hunk(s), new: ["sub"]
        +fn sub(a: i32, b: i32) -> i32 {
        +    a - b
        +}
    "#]],
    );
    check(
        SOURCE,
        "add",
        add(Place::Before, "const ONE: i32 = 1;\n"),
        expect![[r#"
        1 hunk(s), new: ["ONE"]
        +const ONE: i32 = 1;
    "#]],
    );
    let elsewhere = Operation::AddSymbol {
        anchor: "Cart".into(),
        place: Place::After,
        text: "fn x() {}".into(),
    };
    check(
        SOURCE,
        "add",
        elsewhere,
        expect![[r#"
        Scope: new items go beside `add`, not beside `Cart`
    "#]],
    );
}

#[test]
fn imports_change_by_whole_statements() {
    let imports = |add: &[&str], remove: &[&str]| Operation::EditImports {
        add: add.iter().map(ToString::to_string).collect(),
        remove: remove.iter().map(ToString::to_string).collect(),
    };
    check(
        SOURCE,
        "add",
        imports(&["use std::io;"], &["use std::fmt;"]),
        expect![[r#"
        1 hunk(s), new: []
        -use std::fmt;
        +use std::io;
    "#]],
    );
    check(
        SOURCE,
        "add",
        imports(&["use std::fmt;"], &[]),
        expect![[r#"
        Size: nothing would change; the text already reads so
    "#]],
    );
    check(
        SOURCE,
        "add",
        imports(&["fn smuggled() {}"], &[]),
        expect![[r#"
        Scope: edit_imports takes whole import statements and nothing else
    "#]],
    );
    check(
        SOURCE,
        "add",
        imports(&[], &["use std::net;"]),
        expect![[r#"
        Match: there is no import "use std::net;" in lib.rs
    "#]],
    );
    check(
        "fn f() {}\n",
        "f",
        imports(&["use std::io;"], &[]),
        expect![[r#"
        1 hunk(s), new: []
        +use std::io;
    "#]],
    );
}

#[test]
fn a_symbol_can_be_deleted_with_its_lines() {
    check(
        SOURCE,
        "add",
        replace(SOURCE, "add", ""),
        expect![[r#"
        1 hunk(s), new: []
        -/// Adds.
        -fn add(a: i32, b: i32) -> i32 {
        -    let sum = a + b;
        -    sum
        -}
    "#]],
    );
}

#[test]
fn line_breaks_of_the_file_are_kept() {
    let source = SOURCE.replace('\n', "\r\n");
    let Verdict::Approved { edit, .. } = judged(
        &source,
        &scope("add"),
        edit(
            &source,
            "add",
            &[("    let sum = a + b;\n    sum", "    let c = a;\n    c + b")],
        ),
    ) else {
        panic!("not approved")
    };
    let after = edit.want().unwrap().to_string();
    assert_eq!(after.matches("\r\n").count(), after.matches('\n').count());
}

#[test]
fn protected_files_are_refused_and_build_files_are_asked_about() {
    let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
    for (path, wanted) in [
        ("/w/.cargo/x.rs", "refused"),
        ("/w/build.rs", "question"),
        ("/elsewhere/x.rs", "refused"),
    ] {
        let file = FilePath::new(path).unwrap();
        let text = Text::from("fn f() { 1 }\n");
        let parsed = Parsed::parse(grammars::by_name("rust").unwrap(), &text);
        let view = View {
            file: &file,
            text: &text,
            version: None,
            parsed: &parsed,
        };
        let operation = edit("fn f() { 1 }\n", "f", &[("1", "2")]);
        let proposal = Proposal {
            file: file.clone(),
            operation,
            reason: String::new(),
        };
        let verdict = match decide(&view, &Scope::symbol(file.clone(), "f"), &policy, &proposal) {
            Verdict::Approved { .. } => "approved",
            Verdict::NeedsApproval(_) => "question",
            Verdict::Refused(_) => "refused",
        };
        assert_eq!(verdict, wanted, "{path}");
    }
}

#[test]
fn a_landed_hunk_goes_back_with_what_was_typed_inside_kept_or_not_at_all() {
    let landed = Landed {
        range: Range::new(0, 0),
        old: "a\nb\nc\nd\ne\n".into(),
        new: "A\nb\nc\nd\nE\n".into(),
    };
    let go = |current: &str| {
        let landed = Landed {
            range: Range::new(0, current.len()),
            ..landed.clone()
        };
        view_of(current, |view| {
            restore(view, &landed, "x")
                .map(|edit| edit.want().unwrap().to_string())
                .ok()
        })
    };
    assert_eq!(go("A\nb\nc\nd\nE\n").as_deref(), Some("a\nb\nc\nd\ne\n"));
    assert_eq!(
        go("A\nb\ntyped\nc\nd\nE\n").as_deref(),
        Some("a\nb\ntyped\nc\nd\ne\n")
    );
    assert_eq!(go("typed\nb\nc\nd\nE\n"), None);
}

#[test]
fn an_approved_edit_moves_with_typing_elsewhere() {
    let Verdict::Approved { edit, .. } = judged(
        SOURCE,
        &scope("add"),
        edit(SOURCE, "add", &[("a + b", "b + a")]),
    ) else {
        panic!("not approved")
    };
    let typed = EditSet::one(Edit::new(Range::at(0), "// hello\n"));
    let text = typed.apply(&Text::from(SOURCE)).unwrap();
    let moved = edit.rebase([&typed], &text, Some(4)).unwrap();
    assert_eq!(moved.version(), Some(4));
    assert_eq!(
        moved.want().unwrap().to_string(),
        format!("// hello\n{}", SOURCE.replace("a + b", "b + a"))
    );
    let there = edit.edits().span().unwrap();
    let typed = EditSet::one(Edit::new(there, "typed"));
    let text = typed.apply(&Text::from(SOURCE)).unwrap();
    assert!(edit.rebase([&typed], &text, Some(5)).is_err());
}

#[test]
fn a_method_moved_to_the_margin_is_moved_back_where_indentation_is_all_there_is() {
    let source = "class Cart:\n    def total(self):\n        return 1\n";
    let file = FilePath::new("/w/cart.py").unwrap();
    let text = Text::from(source);
    let parsed = Parsed::parse(grammars::by_name("python").unwrap(), &text);
    let view = View {
        file: &file,
        text: &text,
        version: None,
        parsed: &parsed,
    };
    for new in [
        "def total(self):\n    return 2",
        "def total(self):\n        return 2",
        "    def total(self):\n        return 2",
    ] {
        let operation = Operation::ReplaceSymbol {
            symbol: "Cart/total".into(),
            base: Hash::of("def total(self):\n        return 1"),
            text: new.into(),
        };
        let proposal = Proposal {
            file: file.clone(),
            operation,
            reason: String::new(),
        };
        let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
        let scope = Scope::symbol(file.clone(), "Cart/total");
        let Verdict::Approved { edit, .. } = decide(&view, &scope, &policy, &proposal) else {
            panic!("{new:?} is not approved")
        };
        assert_eq!(
            edit.want().unwrap().to_string(),
            source.replace('1', "2"),
            "{new:?}"
        );
    }
}
