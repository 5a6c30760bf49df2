//! Files that a run makes: each with the user's word, and gone again when it is undone.

use crate::harness::{Editor, Home, Options};
use crate::model::Model;
use crate::steps::{FILE, SHOP, open_with, shop, text};

const NEW: &str = "src/greeting.rs";
const GREETING: &str =
    "/// Says it politely.\npub fn good_day() -> &'static str {\n    \"Good day\"\n}\n";
const ACTION: &str = "Add tests for `greet`";

/// A model that makes this file, and is done.
fn makes(file: &str, text: &str) -> String {
    format!(
        "[[turn]]\n[[turn.tool]]\nname = \"create_file\"\n[turn.tool.input]\nnew_file = {file:?}\ntext = {text:?}\nreason = \"greetings are a matter of their own\"\n\n[[turn]]\ntext = \"Done.\"\n"
    )
}

/// An editor after a run of a model that makes a file, which the user has allowed or not.
fn after_the_run(home: &Home, script: &str, options: Options, allowed: bool) -> Editor {
    let model = Model::start(script);
    let mut editor = open_with(home, &model, options);
    if allowed {
        editor.next_choice("Allow");
    }
    let run = editor.launch(FILE, "greet(", ACTION);
    editor.end_of(&run);
    editor
}

fn until_it_is_gone(home: &Home, editor: &mut Editor) {
    editor.wait_until("the end of the new file", |_| {
        (!home.path(NEW).exists()).then_some(())
    });
}

fn questions(editor: &Editor) -> Vec<String> {
    let asked = editor.sent_by_server("window/showMessageRequest");
    let asked = asked.iter().map(|asked| text(&asked["params"]["message"]));
    asked.collect()
}

#[test]
fn a_new_file_comes_with_the_users_word_and_goes_again() {
    for options in [Options::vscode(), Options::neovim(), Options::helix()] {
        let home = shop();
        let mut editor = after_the_run(&home, &makes(NEW, GREETING), options, true);
        assert_eq!(
            questions(&editor),
            [format!(
                "“{ACTION}” asks to make the file {NEW}, of 4 lines: greetings are a matter of their own"
            )]
        );
        assert_eq!(editor.text(NEW), GREETING);
        let hunks = editor.hunks(NEW, 1);
        assert!(
            text(&hunks[0]["message"]).contains("new file: greetings are"),
            "{hunks:?}"
        );
        editor.command("farthing.run.undo", serde_json::json!({}));
        until_it_is_gone(&home, &mut editor);
        assert_eq!(editor.text(FILE), SHOP);
        editor.shutdown();
    }
}

#[test]
fn a_new_file_that_somebody_has_changed_stays() {
    let home = shop();
    let script = makes(NEW, GREETING);
    let mut editor = after_the_run(&home, &script, Options::vscode(), true);
    editor.hunks(NEW, 1);
    editor.replace(NEW, "Good day", "Howdy");
    editor.pick(NEW, "Howdy", "Undo this hunk");
    editor.told("has been changed since the run made it");
    assert_eq!(editor.text(NEW), GREETING.replace("Good day", "Howdy"));
    editor.pick(NEW, "Howdy", "Keep this hunk");
    editor.hunks(NEW, 0);
    assert!(home.path(NEW).exists());
    editor.shutdown();
}

#[test]
fn a_new_file_can_be_undone_after_a_restart() {
    let home = shop();
    let script = makes(NEW, GREETING);
    let mut editor = after_the_run(&home, &script, Options::vscode(), true);
    editor.hunks(NEW, 1);
    editor.save(NEW);
    editor.shutdown();
    let mut editor = Editor::start(&home, Options::vscode());
    editor.initialize();
    editor.open(NEW);
    editor.hunks(NEW, 1);
    editor.pick(NEW, "good_day", "Undo this hunk");
    until_it_is_gone(&home, &mut editor);
    editor.shutdown();
}

#[test]
fn without_the_users_word_or_a_client_that_can_no_file_comes() {
    for (options, asked) in [(Options::vscode(), 1), (Options::eglot(), 0)] {
        let home = shop();
        let mut editor = after_the_run(&home, &makes(NEW, GREETING), options, false);
        assert_eq!(questions(&editor).len(), asked);
        assert_eq!(editor.edits_asked(), 0);
        assert!(!home.path(NEW).exists());
        editor.settle();
        editor.shutdown();
    }
}

#[test]
fn what_no_file_may_be_is_not_even_asked_for() {
    let broken = "pub fn good_day( {\n";
    for (file, text) in [
        ("../greeting.rs", GREETING),
        ("/tmp/greeting.rs", GREETING),
        (".github/workflows/greeting.yml", "on: push\n"),
        ("src/.cargo/config.toml", "[build]\n"),
        (FILE, GREETING),
        ("src", GREETING),
        ("out/greeting.rs", GREETING),
        (NEW, broken),
        (NEW, " \n"),
    ] {
        let (home, elsewhere) = (shop(), Home::new());
        #[cfg(unix)]
        std::os::unix::fs::symlink(elsewhere.workspace(), home.path("out")).unwrap();
        let mut editor = after_the_run(&home, &makes(file, text), Options::vscode(), true);
        assert_eq!(questions(&editor), [""; 0], "{file}");
        assert_eq!(editor.edits_asked(), 0, "{file}");
        assert!(!elsewhere.path("greeting.rs").exists() && !home.path(NEW).exists());
        assert_eq!(home.read(FILE), SHOP);
        editor.settle();
        editor.shutdown();
    }
}
