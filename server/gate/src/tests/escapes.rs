//! Ways out of a scope, each of which has to be shut. What is refused says why; what is let through stays inside.

use std::fmt::Write as _;

use super::*;

/// What comes of an operation in the scope of one symbol: the whole text, or the refusal.
pub(super) fn outcome(language: &str, source: &str, symbol: &str, operation: Operation) -> String {
    let grammar = grammars::by_name(language).unwrap();
    let file = FilePath::new("/w/src/file").unwrap();
    let text = Text::from(source);
    let parsed = Parsed::parse(grammar, &text);
    let view = View {
        file: &file,
        text: &text,
        version: Some(1),
        parsed: &parsed,
    };
    let proposal = Proposal {
        file: file.clone(),
        operation,
        reason: String::new(),
    };
    let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
    match decide(
        &view,
        &Scope::symbol(file.clone(), symbol),
        &policy,
        &proposal,
    ) {
        Verdict::Approved { edit, .. } => edit.want().unwrap().to_string(),
        Verdict::NeedsApproval(question) => format!("question: {}", question.text),
        Verdict::Refused(refusal) => format!("{:?}: {}", refusal.rule, refusal.message),
    }
}

fn imports(add: &[&str], remove: &[&str]) -> Operation {
    Operation::EditImports {
        add: add.iter().map(ToString::to_string).collect(),
        remove: remove.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_neighbour_on_the_same_line_is_out_of_reach() {
    let source = "fn a() { one(); } fn b() { two(); }\n";
    check(
        source,
        "b",
        edit(source, "b", &[("one();", "three();")]),
        expect![[r#"
            Match: this is not in `b`: "one();". Current text:
            fn b() { two(); }
        "#]],
    );
    check(
        source,
        "b",
        edit(source, "b", &[("fn a() { one(); } fn b()", "fn b()")]),
        expect![[r#"
            Match: this is not in `b`: "fn a() { one(); } fn b()". Current text:
            fn b() { two(); }
        "#]],
    );
    check(
        source,
        "b",
        edit(source, "b", &[("two();", "three();")]),
        expect![[r#"
            1 hunk(s), new: []
            -fn a() { one(); } fn b() { two(); }
            +fn a() { one(); } fn b() { three(); }
        "#]],
    );
}

#[test]
fn a_statement_does_not_come_in_as_an_import() {
    let python = |add: &[&str]| {
        let source = "import os\n\n\ndef f():\n    pass\n";
        outcome("python", source, "f", imports(add, &[]))
    };
    let refusal = "Scope: edit_imports takes whole import statements and nothing else";
    for add in [
        "print(1)",
        "os.system('true')",
        "import sys; sys.exit()",
        "import sys\nsys.exit()",
        "import sys\nif sys: sys.exit()",
        "try:\n    import sys\nfinally:\n    pass",
        "# only a comment",
        "'''\nimport sys",
        "import (",
    ] {
        let said = python(&[add]);
        assert!(
            said == refusal || said.starts_with("Parse:"),
            "{add:?}: {said}"
        );
    }
    assert_eq!(
        python(&["import sys", "from a import (\n    b,\n    c,\n)"]),
        "import os\nimport sys\nfrom a import (\n    b,\n    c,\n)\n\n\ndef f():\n    pass\n"
    );
    let script = |add: &str| {
        let source = "import a from 'a';\n\nfunction f() {}\n";
        outcome("typescript", source, "f", imports(&[add], &[]))
    };
    assert_eq!(script("run();"), refusal);
    assert_eq!(script("import b from 'b'; b();"), refusal);
    assert_eq!(
        script("import b from 'b';"),
        "import a from 'a';\nimport b from 'b';\n\nfunction f() {}\n"
    );
}

#[test]
fn an_import_in_a_block_is_still_an_import() {
    let source = "package a\n\nimport (\n\t\"fmt\"\n\tx \"os\"\n)\n\nfunc F() {}\n";
    let go = |operation| outcome("go", source, "F", operation);
    assert_eq!(
        go(imports(&["\"io\""], &["x \"os\""])),
        "package a\n\nimport (\n\t\"fmt\"\n\"io\"\n)\n\nfunc F() {}\n"
    );
    expect![[r#"Parse: with this change file would no longer parse (near line 6); check brackets and indentation and send it again"#]]
        .assert_eq(&go(imports(&["f(\"io\")"], &[])));
}

#[test]
fn what_shares_a_line_with_an_import_stays() {
    let python = |source: &str, remove: &str| {
        let source = format!("{source}\n\n\ndef f():\n    pass\n");
        let outcome = outcome("python", &source, "f", imports(&[], &[remove]));
        outcome
            .strip_suffix("\n\n\ndef f():\n    pass\n")
            .unwrap_or(&outcome)
            .to_owned()
    };
    expect![[r#"Scope: "import os" shares line 1 of file with something else; remove the whole line, if it imports and does nothing else"#]]
        .assert_eq(&python("import os; print(1)", "import os"));
    expect![[r#"Match: there is no import "import os; print(1)" in file"#]]
        .assert_eq(&python("import os; print(1)", "import os; print(1)"));
    expect![[r#"Scope: "import os" shares line 1 of file with something else; remove the whole line, if it imports and does nothing else"#]]
        .assert_eq(&python("import os; import sys", "import os"));
    assert_eq!(
        python("import os; import sys\nx = 1", "import os; import sys"),
        "x = 1"
    );
    assert_eq!(python("import os, sys\nx = 1", "import os, sys"), "x = 1");
    assert_eq!(python("import os  # why\nx = 1", "import os"), "x = 1");
}

#[test]
fn a_deleted_item_takes_along_the_blank_line_that_would_be_left_over() {
    let after = |source: &str| outcome("rust", source, "b", replace(source, "b", ""));
    assert_eq!(
        after("fn a() {}\n\nfn b() {}\n\nfn c() {}\n"),
        "fn a() {}\n\nfn c() {}\n"
    );
    assert_eq!(
        after("fn a() {}\nfn b() {}\nfn c() {}\n"),
        "fn a() {}\nfn c() {}\n"
    );
    assert_eq!(after("fn b() {}\n\nfn c() {}\n"), "fn c() {}\n");
    assert_eq!(after("fn a() {}\n\nfn b() {}\n"), "fn a() {}\n");
    assert_eq!(
        after("fn a() {} fn b() {}\n\nfn c() {}\n"),
        "fn a() {} \n\nfn c() {}\n"
    );
}

/// Line breaks of every kind and blanks at the ends of lines, where an edit passes over them.
#[test]
fn bytes_between_changes_stay_as_they_are() {
    let source = "fn b() {\r\n    one();  \n    two();\r    three();\t\r\n    four();\n}\r\n";
    let expected = source.replace("one", "eins").replace("four", "vier");
    let old = "    one();\n    two();\n    three();\n    four();";
    let new = "    eins();\n    two();\n    three();\n    vier();";
    let after = outcome("rust", source, "b", edit(source, "b", &[(old, new)]));
    // A line that changes is the model's, to its last blank, but for its break.
    assert_eq!(after, expected.replace("eins();  \n", "eins();\n"));
    let whole = "fn b() {\n    one();  \n    two();\n    drei();\n    four();\n}";
    let after = outcome("rust", source, "b", replace(source, "b", whole));
    assert_eq!(after, source.replace("three();\t", "drei();"));
}

#[test]
fn places_that_overlap_are_two_places() {
    let source = "fn b() {\n    a();\n    a();\n    a();\n}\n";
    let old = "    a();\n    a();\n";
    expect!["Match: old_text is found 2 times in `b` (lines 2, 3); add a neighbouring line to make it unique"]
        .assert_eq(&outcome("rust", source, "b", edit(source, "b", &[(old, "    c();\n")])));
}

#[test]
fn an_item_of_the_same_name_takes_room_and_opens_no_other() {
    let targets = |source: &str, text: &str| -> Vec<String> {
        let scope = Scope::symbol(FilePath::new(FILE).unwrap(), "b");
        let Verdict::Approved { edit, added } = judged(source, &scope, replace(source, "b", text))
        else {
            panic!("there is room for two");
        };
        let after = scope.with_added(added);
        assert_eq!(after.siblings, 0);
        let after_edit = edit.want().unwrap().to_string();
        let mine = after.targets.iter().map(|target| {
            view_of(&after_edit, |view| {
                let id = view.parsed.facts().by_path(&target.symbol).unwrap();
                view.text
                    .slice(view.parsed.facts().symbol(id).unwrap().range)
            })
        });
        mine.collect()
    };
    // Put before the one that is there, a new item takes over its path.
    let new = "fn b() {}\n\nfn a() { new(); }\n\nfn a() { newer(); }";
    let mine = ["fn b() {}", "fn a() { new(); }", "fn a() { newer(); }"];
    assert_eq!(targets("fn b() {}\n\nfn a() { old(); }\n", new), mine);
    assert_eq!(targets("fn a() { old(); }\n\nfn b() {}\n", new), mine);
    let source = "fn a() {}\n\nfn b() {}\n";
    check(
        source,
        "b",
        replace(
            source,
            "b",
            &format!("fn b() {{}}{}", "\n\nfn a() {}".repeat(3)),
        ),
        expect![[r#"
            Scope: this adds 3 new items, the scope has room for 2; fold them into the target
        "#]],
    );
}

#[test]
fn a_name_in_scope_never_comes_to_mean_something_else() {
    let source = "fn b() {}\n\nfn a() { old(); }\n\nfn c() {}\n\nfn a() { mine(); }\n";
    let file = FilePath::new(FILE).unwrap();
    let scope = Scope::symbol(file, "b").granted("a#2");
    let operation = replace(source, "b", "fn b() {}\n\nfn a() {}");
    let Verdict::Refused(refusal) = judged(source, &scope, operation) else {
        panic!("`a#2` would be the first `a` afterwards");
    };
    expect!["after this `a#2` would be the name of something outside the scope; give the new item another name, or put it after the others of its name"]
        .assert_eq(&refusal.message);
}

#[test]
fn what_is_added_inside_opens_nothing_else_that_is_inside() {
    let source = "mod tests {\n    fn one() {}\n\n    fn two() {}\n}\n";
    let scope = Scope::symbol(FilePath::new(FILE).unwrap(), "tests").beside();
    let operation = Operation::AddSymbol {
        anchor: "tests".to_owned(),
        place: Place::Inside,
        text: "fn three() {}".to_owned(),
    };
    let Verdict::Approved { added, .. } = judged(source, &scope, operation) else {
        panic!("there is room");
    };
    assert_eq!(added, ["tests/three"]);
}

/// A symbol replaced in a text of any language.
pub(super) fn replaced(language: &str, source: &str, symbol: &str, text: &str) -> String {
    let parsed = Parsed::parse(grammars::by_name(language).unwrap(), &Text::from(source));
    let facts = parsed.facts();
    let Some(id) = facts.by_path(symbol) else {
        let names: Vec<_> = facts.symbols.iter().map(|symbol| &symbol.path).collect();
        panic!("{language} has no {symbol}, but {names:?} in\n{source}");
    };
    let range = facts.symbol(id).unwrap().range;
    let operation = Operation::ReplaceSymbol {
        symbol: symbol.to_owned(),
        base: Hash::of(&source[range.start..range.end]),
        text: text.to_owned(),
    };
    outcome(language, source, symbol, operation)
}

#[test]
fn what_follows_is_not_made_something_else() {
    let mut shown = String::new();
    let mut say = |what: &str, outcome: &str| {
        let refused = ["Scope", "Parse"]
            .iter()
            .any(|rule| outcome.starts_with(rule));
        let refused = if refused { outcome } else { "let through" };
        // A String takes whatever is written.
        _ = writeln!(shown, "{what:?}: {refused}");
    };
    let rust = "fn a() {}\n\nfn b() {}\n\nfn c() {}\n";
    for end in ["#[cfg(any())]", "pub", "/// c", "extern \"C\"", "// c"] {
        let text = format!("fn b() {{}}\n{end}");
        say(end, &replaced("rust", rust, "b", &text));
        for place in [Place::After, Place::Before] {
            let operation = Operation::AddSymbol {
                anchor: "b".to_owned(),
                place,
                text: format!("fn x() {{}}\n{end}"),
            };
            say(end, &outcome("rust", rust, "b", operation));
        }
    }
    let attributed = "#[cfg(any())]\nfn a() {}\n\nfn b() {}\n";
    for rest in ["", "pub", "pub fn a() {}\n#[b]", "pub fn a() {}"] {
        let operation = edit(attributed, "a", &[("fn a() {}", rest)]);
        say(rest, &outcome("rust", attributed, "a", operation));
    }
    let used = "use x::y;\n\nfn a() {}\n";
    for end in ["\n#[cfg(any())]", " pub", "\n/// a", ""] {
        let statement = format!("use x::z;{end}");
        let operation = imports(&[&statement], &[]);
        say(&statement, &outcome("rust", used, "a", operation));
    }
    for (language, a, b, ends) in [
        (
            "python",
            "def a():\n    pass",
            "def b():\n    pass",
            ["@b", "# b"],
        ),
        (
            "typescript",
            "function a() {}",
            "function b() {}",
            ["export default", "declare"],
        ),
        (
            "typescript",
            "function a() {}",
            "function b() {}",
            ["/** b */", "/* b */"],
        ),
        (
            "typescript",
            "class A {\n  a() {}\n}",
            "class B {}",
            ["@b()", "abstract"],
        ),
        (
            "c",
            "int a(void) {}",
            "int b(void) {}",
            ["static", "__attribute__((weak))"],
        ),
        ("java", "class A {}", "class B {}", ["@B", "public"]),
        ("go", "func a() {}", "func b() {}", ["// b", "/* b */"]),
    ] {
        let source = format!("{a}\n\n{b}\n");
        let name = if source.contains("class") { "A" } else { "a" };
        for end in ends {
            let text = format!("{a}\n{end}");
            say(end, &replaced(language, &source, name, &text));
        }
    }
    expect![[r##"
        "#[cfg(any())]": Scope: a part of this would belong to `c`, which is outside the scope; end it with the item itself
        "#[cfg(any())]": Scope: a part of this would belong to `c`, which is outside the scope; end it with the item itself
        "#[cfg(any())]": let through
        "pub": Scope: a part of this would belong to `c`, which is outside the scope; end it with the item itself
        "pub": Scope: a part of this would belong to `c`, which is outside the scope; end it with the item itself
        "pub": let through
        "/// c": Scope: a part of this would belong to `c`, which is outside the scope; end it with the item itself
        "/// c": Scope: a part of this would belong to `c`, which is outside the scope; end it with the item itself
        "/// c": let through
        "extern \"C\"": Scope: a part of this would belong to `c`, which is outside the scope; end it with the item itself
        "extern \"C\"": Scope: a part of this would belong to `c`, which is outside the scope; end it with the item itself
        "extern \"C\"": let through
        "// c": let through
        "// c": let through
        "// c": let through
        "": Scope: a part of this would belong to `b`, which is outside the scope; end it with the item itself
        "pub": Scope: a part of this would belong to `b`, which is outside the scope; end it with the item itself
        "pub fn a() {}\n#[b]": Scope: a part of this would belong to `b`, which is outside the scope; end it with the item itself
        "pub fn a() {}": let through
        "use x::z;\n#[cfg(any())]": Scope: edit_imports takes whole import statements and nothing else
        "use x::z; pub": Scope: edit_imports takes whole import statements and nothing else
        "use x::z;\n/// a": Scope: edit_imports takes whole import statements and nothing else
        "use x::z;": let through
        "@b": Scope: a part of this would belong to `b`, which is outside the scope; end it with the item itself
        "# b": let through
        "export default": Scope: a part of this would belong to `b`, which is outside the scope; end it with the item itself
        "declare": Scope: this would make something else of line 4, which is outside the scope; end it with the item itself
        "/** b */": Scope: a part of this would belong to `b`, which is outside the scope; end it with the item itself
        "/* b */": let through
        "@b()": Scope: a part of this would belong to `B`, which is outside the scope; end it with the item itself
        "abstract": Scope: a part of this would belong to `B`, which is outside the scope; end it with the item itself
        "static": Scope: a part of this would belong to `b`, which is outside the scope; end it with the item itself
        "__attribute__((weak))": Scope: a part of this would belong to `b`, which is outside the scope; end it with the item itself
        "@B": Scope: a part of this would belong to `B`, which is outside the scope; end it with the item itself
        "public": Scope: a part of this would belong to `B`, which is outside the scope; end it with the item itself
        "// b": let through
        "/* b */": let through
    "##]].assert_eq(&shown);
}
