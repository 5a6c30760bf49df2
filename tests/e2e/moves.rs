//! Other files that a run renames or deletes: each with the user's word, and as before again when that is undone.

use std::fmt::Write as _;

use serde_json::json;

use crate::harness::{Applying, Editor, Home, Moment, Options};
use crate::model::Model;
use crate::steps::{FILE, SHOP, open_with, shop, text, token};

const OLD: &str = "src/misc.rs";
const NEW: &str = "src/prices.rs";
/// Nothing that an editor would write of its own accord: its ends of lines, its last line, its blanks.
const PRICES: &str =
    "\u{feff}/// Prices.\r\npub const ONE: u64 = 1; \t\r\n\rpub const TWO: u64 = 2;";
const COMMENT: &str = "    // farthing: tidy up the other file\n";
const ACTION: &str = "Do what the comment says: “tidy up the other file”";

fn renames(from: &str, to: &str) -> String {
    calls(
        "rename_file",
        &format!("old_file = {from:?}\nnew_file = {to:?}"),
    )
}

fn deletes(file: &str) -> String {
    calls("delete_file", &format!("old_file = {file:?}"))
}

/// A model that makes one call, and is done.
fn calls(tool: &str, input: &str) -> String {
    format!(
        "[[turn]]\n[[turn.tool]]\nname = {tool:?}\n[turn.tool.input]\n{input}\nreason = \"it says what it is\"\n\n[[turn]]\ntext = \"Done.\"\n"
    )
}

/// The shop with another file, and a comment in its own that asks for something to be done with that.
#[expect(clippy::disallowed_methods, reason = "the test is the user")]
fn two_files() -> Home {
    let home = shop();
    home.write(FILE, &commented());
    std::fs::write(home.path(OLD), PRICES).unwrap();
    home
}

fn commented() -> String {
    SHOP.replacen("    let mut text", &format!("{COMMENT}    let mut text"), 1)
}

fn bytes(home: &Home, path: &str) -> Option<String> {
    let bytes = std::fs::read(home.path(path)).ok()?;
    Some(String::from_utf8(bytes).unwrap())
}

/// An editor after a run that the user allows what it asks for.
fn after_the_run(home: &Home, script: &str, options: Options, open: &[&str]) -> Editor {
    let model = Model::start(script);
    let mut editor = open_with(home, &model, options);
    for file in open {
        editor.open(file);
    }
    run(&mut editor);
    editor
}

fn run(editor: &mut Editor) {
    editor.next_choice("Allow");
    let run = editor.launch(FILE, "farthing: tidy", ACTION);
    editor.end_of(&run);
}

fn questions(editor: &Editor) -> Vec<String> {
    let asked = editor.sent_by_server("window/showMessageRequest");
    let asked = asked.iter().map(|asked| text(&asked["params"]["message"]));
    asked.collect()
}

fn until(home: &Home, editor: &mut Editor, file: &str, there: bool) {
    editor.wait_until(&format!("{file}: {there}"), |_| {
        (home.path(file).exists() == there).then_some(())
    });
}

#[test]
fn a_file_gets_another_name_and_its_own_again() {
    for options in [Options::vscode(), Options::neovim(), Options::helix()] {
        for open in [&[][..], &[OLD][..]] {
            let home = two_files();
            let mut editor = after_the_run(&home, &renames(OLD, NEW), options.clone(), open);
            let question = format!("“{ACTION}” asks to rename {OLD} to {NEW}: it says what it is");
            assert_eq!(questions(&editor), [question]);
            assert_eq!(bytes(&home, NEW).as_deref(), Some(PRICES));
            assert_eq!(bytes(&home, OLD), None);
            let hunks = editor.hunks(FILE, 1);
            let message = text(&hunks[0]["message"]);
            assert!(
                message.contains(&format!("renamed {OLD} to {NEW}: it says")),
                "{message}"
            );
            // Changes since go along.
            if !open.is_empty() {
                editor.replace(NEW, "= 1", "= 11");
            }
            editor.command("farthing.run.undo", json!({}));
            until(&home, &mut editor, OLD, true);
            editor.hunks(FILE, 0);
            assert_eq!(bytes(&home, OLD).as_deref(), Some(PRICES));
            assert_eq!(bytes(&home, NEW), None);
            if !open.is_empty() {
                assert_eq!(editor.text(OLD), PRICES.replace("= 1", "= 11"));
            }
            assert_eq!(editor.text(FILE), commented());
            editor.shutdown();
        }
    }
}

#[test]
fn a_deleted_file_comes_back_byte_for_byte_and_is_shown_again() {
    for options in [Options::vscode(), Options::neovim(), Options::helix()] {
        for open in [&[][..], &[OLD][..]] {
            let home = two_files();
            let mut editor = after_the_run(&home, &deletes(OLD), options.clone(), open);
            let size = PRICES.len();
            let question =
                format!("“{ACTION}” asks to delete {OLD}, of {size} bytes: it says what it is");
            assert_eq!(questions(&editor), [question]);
            assert_eq!(bytes(&home, OLD), None);
            editor.hunks(FILE, 1);
            editor.pick(FILE, "fn greet", "Undo: deleted src/misc.rs");
            until(&home, &mut editor, OLD, true);
            editor.hunks(FILE, 0);
            assert_eq!(bytes(&home, OLD).as_deref(), Some(PRICES));
            let shown = editor.sent_by_server("window/showDocument").len();
            assert_eq!(shown, open.len());
            editor.shutdown();
        }
    }
}

#[test]
fn a_deleted_file_comes_back_after_a_restart() {
    let home = two_files();
    let mut editor = after_the_run(&home, &deletes(OLD), Options::vscode(), &[]);
    editor.hunks(FILE, 1);
    editor.shutdown();
    let mut editor = Editor::start(&home, Options::vscode());
    editor.initialize();
    editor.open(FILE);
    editor.hunks(FILE, 1);
    editor.command("farthing.run.undo", json!({}));
    until(&home, &mut editor, OLD, true);
    assert_eq!(bytes(&home, OLD).as_deref(), Some(PRICES));
    editor.shutdown();
}

#[test]
fn what_is_kept_is_gone_for_good() {
    let home = two_files();
    let mut editor = after_the_run(&home, &deletes(OLD), Options::vscode(), &[]);
    editor.hunks(FILE, 1);
    let kept = home.state().join("hunks/deleted");
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 1);
    let uri = editor.uri(FILE);
    editor.command("farthing.hunk.keepFile", json!({"uri": uri}));
    editor.hunks(FILE, 0);
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
    assert_eq!(bytes(&home, OLD), None);
    editor.shutdown();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is the user")]
fn nothing_comes_back_over_what_came_since() {
    let home = two_files();
    let mut editor = after_the_run(&home, &deletes(OLD), Options::vscode(), &[]);
    editor.hunks(FILE, 1);
    home.write(OLD, "// somebody else's\n");
    editor.command("farthing.run.undo", json!({}));
    let told = editor.told("is there again; what was deleted is at ");
    let kept = told.rsplit(' ').next().unwrap();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), PRICES);
    assert_eq!(home.read(OLD), "// somebody else's\n");
    editor.hunks(FILE, 1);
    editor.shutdown();

    let home = two_files();
    let mut editor = after_the_run(&home, &renames(OLD, NEW), Options::vscode(), &[]);
    editor.hunks(FILE, 1);
    std::fs::write(home.path(OLD), "// somebody else's\n").unwrap();
    editor.command("farthing.run.undo", json!({}));
    editor.told("is there again, so that src/prices.rs keeps its name");
    assert_eq!(home.read(OLD), "// somebody else's\n");
    assert_eq!(bytes(&home, NEW).as_deref(), Some(PRICES));
    editor.shutdown();
}

#[test]
fn an_editor_that_does_not_do_it_or_lies_is_found_out() {
    for (script, applying) in [
        (renames(OLD, NEW), Applying::Lie),
        (renames(OLD, NEW), Applying::Refuse),
        (deletes(OLD), Applying::Lie),
        (deletes(OLD), Applying::Fail),
    ] {
        let (home, model) = (two_files(), Model::start(&script));
        let mut editor = open_with(&home, &model, Options::vscode());
        editor.next_edits([applying]);
        run(&mut editor);
        assert_eq!(bytes(&home, OLD).as_deref(), Some(PRICES));
        assert_eq!(bytes(&home, NEW), None);
        assert_eq!(editor.edits_asked(), 1);
        editor.hunks(FILE, 0);
        let kept = home.state().join("hunks/deleted");
        assert!(std::fs::read_dir(kept).map_or(0, Iterator::count) == 0);
        editor.shutdown();
    }
}

#[test]
fn a_file_that_the_editor_cannot_fetch_is_written_again() {
    let home = two_files();
    let mut editor = after_the_run(&home, &deletes(OLD), Options::vscode(), &[]);
    editor.hunks(FILE, 1);
    // As where the state folder is on another disk.
    editor.next_edits([Applying::Refuse]);
    editor.command("farthing.run.undo", json!({}));
    editor.hunks(FILE, 0);
    assert_eq!(editor.text(OLD), PRICES);
    editor.shutdown();
}

#[test]
fn without_the_users_word_or_a_client_that_can_all_stays() {
    for (options, asked) in [(Options::vscode(), 1), (Options::eglot(), 0)] {
        for script in [renames(OLD, NEW), deletes(OLD)] {
            let (home, model) = (two_files(), Model::start(&script));
            let mut editor = open_with(&home, &model, options.clone());
            let run = editor.launch(FILE, "farthing: tidy", ACTION);
            editor.end_of(&run);
            assert_eq!(questions(&editor).len(), asked);
            assert_eq!(editor.edits_asked(), 0);
            assert_eq!(bytes(&home, OLD).as_deref(), Some(PRICES));
            editor.shutdown();
        }
    }
}

#[test]
fn what_must_stay_is_not_even_asked_for() {
    let moves = [
        (OLD, FILE),
        (OLD, "src"),
        (OLD, "../prices.rs"),
        (OLD, "/tmp/prices.rs"),
        (OLD, ".github/prices.rs"),
        (OLD, "out/prices.rs"),
        (OLD, "secret/prices.rs"),
        (OLD, "open.rs"),
        (OLD, OLD),
    ];
    let all = [
        FILE,
        "src/none.rs",
        "src",
        "link.rs",
        "out/theirs.rs",
        "secret/key.rs",
        "readonly.rs",
        "typed.rs",
        "Cargo.toml/a",
        "farthing.toml",
    ];
    let mut script = String::from("[[turn]]\n");
    for (from, to) in moves.into_iter().chain(all.map(|file| (file, NEW))) {
        let _ = write!(
            script,
            "[[turn.tool]]\nname = \"rename_file\"\ninput = {{ old_file = {from:?}, new_file = {to:?} }}\n"
        );
    }
    for file in all {
        let _ = write!(
            script,
            "[[turn.tool]]\nname = \"delete_file\"\ninput = {{ old_file = {file:?} }}\n"
        );
    }
    script.push_str("\n[[turn]]\ntext = \"Done.\"\n");

    let (home, elsewhere) = (two_files(), Home::new());
    elsewhere.write("theirs.rs", "// theirs\n");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(elsewhere.workspace(), home.path("out")).unwrap();
        std::os::unix::fs::symlink(home.path(OLD), home.path("link.rs")).unwrap();
    }
    home.write("secret/key.rs", "// secret\n");
    home.write("farthing.toml", "[scope]\ndeny = [\"secret/**\"]\n");
    home.write("typed.rs", "// typed\n");
    home.write("readonly.rs", "// read only\n");
    let readonly = home.path("readonly.rs");
    let mut permissions = std::fs::metadata(&readonly).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(readonly, permissions).unwrap();
    let model = Model::start(&script);
    let mut editor = open_with(&home, &model, Options::vscode());
    editor.open("typed.rs");
    editor.type_before("typed.rs", "typed", "un");
    // It is on no disk yet.
    editor.open_as("open.rs", "// new\n");
    run(&mut editor);
    assert_eq!(questions(&editor), [""; 0]);
    assert_eq!(editor.edits_asked(), 0);
    assert_eq!(bytes(&home, OLD).as_deref(), Some(PRICES));
    assert_eq!(elsewhere.read("theirs.rs"), "// theirs\n");
    assert_eq!(editor.text("typed.rs"), "// untyped\n");
    editor.settle();
    editor.shutdown();
}

#[test]
fn what_changes_while_the_user_is_asked_is_looked_at_again() {
    let (home, model) = (two_files(), Model::start(&deletes(OLD)));
    let mut editor = open_with(&home, &model, Options::vscode());
    editor.open(OLD);
    editor.once(Moment::On("window/showMessageRequest"), |editor, _| {
        editor.type_before(OLD, "/// Prices", "// mine\n");
    });
    run(&mut editor);
    assert_eq!(questions(&editor).len(), 1);
    assert_eq!(editor.edits_asked(), 0);
    assert_eq!(bytes(&home, OLD).as_deref(), Some(PRICES));
    assert!(editor.text(OLD).contains("// mine"));
    editor.shutdown();
}

/// One run works in another file and is held; then one wants that file gone, and a file that it has made itself.
const BUSY: &str = r#"
[[conversation]]
when_contains = "symbol: hello ·"
[[conversation.turn]]
text = "I think about it for a while."
[[conversation.turn.fault]]
hold_after = { events = 1 }

[[conversation]]
when_contains = "symbol: greet ·"
[[conversation.turn]]
[[conversation.turn.tool]]
name = "delete_file"
input = { old_file = "src/hello.rs" }
[[conversation.turn]]
expect = { tool_result_contains = "another run, “Simplify `hello`”, works in src/hello.rs" }
[[conversation.turn.tool]]
name = "create_file"
input = { new_file = "src/new.rs", text = "pub fn new() {}\n" }
[[conversation.turn.tool]]
name = "rename_file"
input = { old_file = "src/new.rs", new_file = "src/newer.rs" }
[[conversation.turn]]
expect = { tool_result_contains = "the user has not decided yet on what was changed of src/new.rs" }
text = "Done."
"#;

#[test]
fn a_file_that_a_run_works_in_or_that_waits_for_a_decision_stays() {
    let home = two_files();
    home.write("src/hello.rs", "pub fn hello() -> u32 {\n    1\n}\n");
    let model = Model::start(BUSY);
    let mut editor = open_with(&home, &model, Options::vscode());
    editor.open("src/hello.rs");
    let busy = editor.launch("src/hello.rs", "hello(", "Simplify `hello`");
    model.until("held answer", |progress| progress.held == 1);
    run(&mut editor);
    assert_eq!(questions(&editor).len(), 1);
    assert!(home.path("src/hello.rs").exists() && home.path("src/new.rs").exists());
    editor.cancel_progress(&json!(token(&busy)));
    editor.end_of(&busy);
    model.handle.release();
    editor.shutdown();
}
