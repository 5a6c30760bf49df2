//! What happens to files while runs work in them: they are closed and opened again, formatted, switched to another
//! branch, reached by links and in further folders; and every byte outside of an edit stays.

use serde_json::json;

use crate::harness::{Applying, Editor, Home, Moment, Options};
use crate::model::Model;
use crate::steps::{AFTER, BEFORE, FILE, GREET, SHOP, SIMPLIFY, greeted, open_with, shop};

/// [`GREET`], whose model is held before it makes its change.
fn held() -> Model {
    let change = "new_text = 'text.push_str(\"Good day, \");'\n";
    let fault = "[[turn.fault]]\nhold_after = { events = 1 }\n";
    Model::start(&GREET.replacen(change, &format!("{change}{fault}"), 1))
}

fn clients() -> [Options; 4] {
    [
        Options::vscode(),
        Options::neovim(),
        Options::helix(),
        Options::eglot(),
    ]
}

/// A run during whose first request something happens. Answers with its last words.
fn meanwhile(editor: &mut Editor, model: &Model, act: impl FnOnce(&mut Editor)) -> String {
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    model.until("held answer", |progress| progress.held == 1);
    act(editor);
    editor.settle();
    model.handle.release();
    editor.end_of(&run)
}

#[test]
fn a_file_that_is_closed_and_opened_again_gets_its_edit() {
    for options in clients() {
        let (home, model) = (shop(), held());
        let mut editor = open_with(&home, &model, options);
        meanwhile(&mut editor, &model, |editor| {
            editor.type_before(FILE, "/// What is", "// mine\n\n");
            editor.save(FILE);
            editor.close(FILE);
            editor.open(FILE);
        });
        let want = greeted().replacen("/// What is", "// mine\n\n/// What is", 1);
        assert_eq!(editor.text(FILE), want);
        editor.hunks(FILE, 1);
        editor.shutdown();
    }
}

#[test]
fn an_edit_for_a_text_that_was_closed_meanwhile_hits_its_own_place_in_the_next() {
    for options in clients() {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = open_with(&home, &model, options);
        let other = format!("// A line that was not there.\n{SHOP}");
        let reopened = other.clone();
        // The edit is refused, and by the time that the server hears of it, the document is another one.
        editor.next_edits([Applying::Refuse]);
        editor.once(Moment::BeforeApply, move |editor, _| {
            editor.close(FILE);
            editor.open_as(FILE, &reopened);
        });
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        editor.end_of(&run);
        assert_eq!(editor.text(FILE), other.replacen(BEFORE, AFTER, 1));
        editor.hunks(FILE, 1);
        editor.command("farthing.run.undo", json!({}));
        editor.hunks(FILE, 0);
        assert_eq!(editor.text(FILE), other);
        editor.shutdown();
    }
}

#[test]
fn a_formatter_that_runs_on_save_and_an_edit_leave_each_other_alone() {
    for options in clients() {
        let (home, model) = (shop(), held());
        let mut editor = open_with(&home, &model, options);
        let formatted = |text: &str| {
            text.replace(
                "            sum += item;\n",
                "            sum +=\n                item;\n",
            )
        };
        meanwhile(&mut editor, &model, |editor| {
            let text = formatted(&editor.text(FILE));
            editor.change_all(FILE, &text);
            editor.save(FILE);
        });
        assert_eq!(editor.text(FILE), formatted(&greeted()));
        // Formatting what has landed keeps the hunk, and what the formatter did.
        editor.hunks(FILE, 1);
        let indented = editor
            .text(FILE)
            .replace("    text.push_str(\"Good", "        text.push_str(\"Good");
        editor.change_all(FILE, &indented);
        editor.save(FILE);
        editor.hunks(FILE, 1);
        assert_eq!(editor.text(FILE), indented);
        editor.shutdown();
    }
}

#[test]
fn another_branch_is_a_conflict_only_where_it_differs() {
    for (branch, lands) in [
        (SHOP.replacen("/// What is", "/// Whatever is", 1), true),
        (SHOP.replacen("Hello, ", "Hi, ", 1), false),
        (SHOP.replacen("fn greet(", "fn welcome(", 1), false),
        ("//! Nothing of it.\n".to_owned(), false),
    ] {
        let (home, model) = (shop(), held());
        let mut editor = open_with(&home, &model, Options::vscode());
        meanwhile(&mut editor, &model, |editor| {
            home.write(FILE, &branch);
            editor.change_all(FILE, &branch);
        });
        let want = if lands {
            branch.replacen(BEFORE, AFTER, 1)
        } else {
            branch
        };
        assert_eq!(editor.text(FILE), want);
        editor.hunks(FILE, usize::from(lands));
        editor.shutdown();
    }
}

#[test]
fn each_folder_of_a_workspace_has_its_own_files() {
    let script = GREET.replacen(
        "[[turn.tool]]",
        "[[turn.tool]]\nname = \"create_file\"\ninput = { new_file = \"tests/greet.rs\", text = \"fn a() {}\\n\" }\n[[turn.tool]]",
        1,
    );
    let (home, second, model) = (shop(), shop(), Model::start(&script));
    let mut editor = open_with(&home, &model, Options::vscode());
    let folder = json!({"uri": second.uri(""), "name": "second"});
    editor.notify(
        "workspace/didChangeWorkspaceFolders",
        json!({"event": {"added": [folder], "removed": []}}),
    );
    let file = second.uri(FILE);
    editor.open(&file);
    editor.next_choice("Allow");
    let run = editor.launch(&file, "greet(", "Add tests for `greet`");
    editor.end_of(&run);
    assert!(second.path("tests/greet.rs").exists());
    assert!(!home.path("tests/greet.rs").exists());
    // Its symbol is not to be changed by tests, in whichever folder.
    assert_eq!(editor.text(&file), SHOP);
    assert_eq!(editor.text(FILE), SHOP);
    editor.shutdown();
}

#[test]
#[cfg(unix)]
fn a_file_that_is_opened_by_a_link_is_changed_where_the_editor_has_it() {
    let (home, model) = (shop(), Model::start(GREET));
    std::os::unix::fs::symlink(home.path(FILE), home.path("link.rs")).unwrap();
    let mut editor = open_with(&home, &model, Options::helix());
    editor.open("link.rs");
    let run = editor.launch("link.rs", "greet(", SIMPLIFY);
    editor.end_of(&run);
    assert_eq!(editor.text("link.rs"), greeted());
    assert_eq!(editor.text(FILE), SHOP);
    assert_eq!(home.read(FILE), SHOP);
    editor.hunks("link.rs", 1);
    editor.pick("link.rs", AFTER, "Undo this hunk");
    editor.hunks("link.rs", 0);
    assert_eq!(editor.text("link.rs"), SHOP);
    editor.shutdown();
}

/// What kind of text it is, and how it is made of another.
type Kind = (&'static str, fn(&str) -> String);

#[test]
fn every_byte_outside_of_an_edit_stays_and_comes_back() {
    let kinds: [Kind; 10] = [
        ("CRLF", |text| text.replace('\n', "\r\n")),
        // No comment of a line ends there.
        ("CR", |text| {
            let lines = text.lines().filter(|line| !line.trim().starts_with("//"));
            lines.flat_map(|line| [line, "\r"]).collect()
        }),
        ("mixed ends of lines", |text| {
            text.replacen('\n', "\r\n", 3)
                .replacen("}\n\n", "}\r\n\r", 1)
        }),
        ("a mark at the beginning", |text| format!("\u{feff}{text}")),
        ("no last end of line", |text| text.trim_end().to_owned()),
        ("many last ends of lines", |text| format!("{text}\n\n\n")),
        ("tabs", |text| text.replace("    ", "\t")),
        ("blanks at ends of lines", |text| {
            text.replace(";\n", "; \t\n")
        }),
        ("separators that are no ends of lines", |text| {
            text.replacen("/// Says", "/// \u{2028}\u{85}\u{b}\u{c} Says", 1)
        }),
        ("characters beyond the first plane", |text| {
            text.replacen("    let mut text", "    /* 😀é */ let mut text", 1)
        }),
    ];
    for (kind, form) in kinds {
        for options in [Options::vscode(), Options::neovim()] {
            let before = form(SHOP);
            let (home, model) = (shop(), Model::start(GREET));
            home.write(FILE, &before);
            let mut editor = open_with(&home, &model, options);
            let run = editor.launch(FILE, "greet(", SIMPLIFY);
            editor.end_of(&run);
            assert_eq!(
                editor.text(FILE),
                before.replacen(BEFORE, AFTER, 1),
                "{kind}"
            );
            editor.hunks(FILE, 1);
            editor.command("farthing.run.undo", json!({}));
            editor.hunks(FILE, 0);
            assert_eq!(editor.text(FILE), before, "{kind}");
            assert_eq!(home.read(FILE), before, "{kind}");
            editor.shutdown();
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is the disk")]
fn what_is_no_text_is_left_alone_and_said() {
    let latin = [SHOP.as_bytes(), b"// caf\xe9\n"].concat();
    let binary = [SHOP.as_bytes(), b"// \0\n"].concat();
    for (bytes, why) in [(latin, "is not UTF-8 (byte "), (binary, "is a binary file")] {
        let (home, model) = (Home::new(), Model::start(GREET));
        home.write(FILE, "");
        std::fs::write(home.path(FILE), &bytes).unwrap();
        let mut command = home.command();
        command.args(["run", "simplify", &format!("{FILE}:19"), "--apply"]);
        for (name, value) in model.behind(Options::vscode()).environment {
            command.env(name, value);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{said}");
        assert_eq!(std::fs::read(home.path(FILE)).unwrap(), bytes);
    }
}
