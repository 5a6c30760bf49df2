//! Hunks that wait: staged ones, the way from one to the next, and what is left of them after a restart.

use serde_json::{Value, json};

use crate::harness::{Applying, Editor, Home, Options};
use crate::model::Model;
use crate::steps::{
    AFTER, BEFORE, FILE, GREET, SHOP, SIMPLIFY, greeted, open, open_with, shop, text,
};

fn staged(mut options: Options) -> Options {
    options.initialization = json!({"review": {"mode": "staged"}});
    options.settings = json!({"farthing": {"review": {"mode": "staged"}}});
    options
}

fn tempers() -> [Options; 4] {
    [
        Options::vscode(),
        Options::neovim(),
        Options::helix(),
        Options::eglot(),
    ]
}

/// An editor in which the run has ended.
fn after_the_run(home: &Home, model: &Model, options: Options) -> Editor {
    let mut editor = open_with(home, model, options);
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    editor
}

#[test]
fn staged_changes_wait_until_they_are_applied() {
    for options in tempers() {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = after_the_run(&home, &model, staged(options));
        assert_eq!(
            (editor.text(FILE), editor.edits_asked()),
            (SHOP.to_owned(), 0)
        );
        let hunks = editor.hunks(FILE, 1);
        let message = text(&hunks[0]["message"]);
        assert!(message.contains("proposed: it sounds better"), "{message}");
        let hover = editor.hover(FILE, BEFORE).unwrap();
        assert!(
            hover.contains("Proposed: nothing is changed until you apply it.")
                && hover.contains("+    text.push_str(\"Good day, \");"),
            "{hover}"
        );
        // More than the server remembers of what was typed.
        for _ in 0..600 {
            editor.type_before(FILE, "/// What is bought", "// é𝒳\n");
        }
        editor.pick(FILE, BEFORE, "Apply this hunk");
        editor.hunks(FILE, 0);
        let typed = "// é𝒳\n".repeat(600) + "/// What is bought";
        let typed = |text: String| text.replacen("/// What is bought", &typed, 1);
        assert_eq!(editor.text(FILE), typed(greeted()));
        assert_eq!(editor.edits_asked(), 1);
        // One hunk is one step back.
        editor.undo(FILE);
        assert_eq!(editor.text(FILE), typed(SHOP.to_owned()));
        editor.shutdown();
    }
}

#[test]
fn a_staged_change_whose_place_is_typed_in_says_so_and_stays_out() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = after_the_run(&home, &model, staged(Options::vscode()));
    editor.hunks(FILE, 1);
    editor.replace(FILE, BEFORE, "Howdy, ");
    editor.wait_until("the conflict", |editor| {
        let items = editor.diagnostics(FILE).items;
        let says = |item: &Value| text(&item["message"]).contains("not applied: the text there");
        items.iter().any(says).then_some(())
    });
    editor.pick(FILE, "Howdy", "Apply this hunk");
    editor.told("was changed meanwhile");
    editor.pick(FILE, "Howdy", "Discard this hunk");
    editor.hunks(FILE, 0);
    assert_eq!(editor.text(FILE), SHOP.replacen(BEFORE, "Howdy, ", 1));
    editor.shutdown();
}

#[test]
fn all_staged_changes_of_a_file_are_applied_or_taken_back_at_once() {
    for (command, left) in [("keep", true), ("undo", false)] {
        let (home, model) = (shop(), Model::start(EVERYWHERE));
        let mut editor = after_the_run(&home, &model, staged(Options::vscode()));
        editor.hunks(FILE, 2);
        if command == "keep" {
            let uri = editor.uri(FILE);
            editor.command("farthing.hunk.keepFile", json!({"uri": uri}));
        } else {
            editor.command("farthing.run.undo", json!({}));
        }
        editor.hunks(FILE, 0);
        assert_eq!(
            editor.text(FILE),
            if left { everywhere() } else { SHOP.to_owned() }
        );
        editor.shutdown();
    }
}

/// Two places of `greet`, far enough apart to be two hunks, once there is something between them.
const EVERYWHERE: &str = r#"
[[turn]]
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "greet"
base = "{{hash:greet}}"
reason = "it sounds better"
[[turn.tool.input.edits]]
old_text = '/// Says hello.'
new_text = '/// Says good day.'
[[turn.tool]]
name = "add_symbol"
[turn.tool.input]
anchor = "greet"
position = "after"
text = "/// Says goodbye.\nfn part() {}"
reason = "who greets must part"

[[turn]]
text = "Done."
"#;

fn everywhere() -> String {
    let changed = SHOP.replacen("/// Says hello.", "/// Says good day.", 1);
    changed + "\n/// Says goodbye.\nfn part() {}\n"
}

#[test]
fn the_next_and_the_previous_hunk_are_shown() {
    for options in tempers() {
        let (home, model) = (shop(), Model::start(EVERYWHERE));
        let mut editor = after_the_run(&home, &model, options);
        editor.hunks(FILE, 2);
        let uri = editor.uri(FILE);
        let go = |editor: &mut Editor, way: &str, arguments: Value| -> String {
            let found = editor.command(&format!("farthing.hunk.{way}"), arguments);
            assert_eq!(found["uri"], json!(uri));
            let shown = editor.wait_for_method("window/showDocument");
            assert_eq!(shown["params"]["uri"], json!(uri));
            assert_eq!(shown["params"]["takeFocus"], json!(true));
            assert_eq!(shown["params"]["selection"], found["range"]);
            editor.text_of(FILE, &found["range"])
        };
        let at = |line: u64| json!({"uri": uri, "position": {"line": line, "character": 0}});
        let first = go(&mut editor, "next", at(0));
        assert!("good day".contains(first.trim()), "{first:?}");
        // Without a place, from the one that was shown last; after the last one comes the first.
        let second = go(&mut editor, "next", json!({}));
        assert!(second.contains("Says goodbye"), "{second:?}");
        assert_eq!(go(&mut editor, "next", json!({})), first);
        assert_eq!(go(&mut editor, "previous", json!({})), second);
        assert_eq!(go(&mut editor, "previous", at(25)), first);
        // In the menu as well.
        let action = editor.action(FILE, "Says goodbye", "Previous hunk");
        editor.execute(&action);
        editor.wait_for_method("window/showDocument");
        editor.shutdown();
    }
}

#[test]
fn where_no_hunk_waits_there_is_nothing_to_show() {
    let home = shop();
    let mut editor = open(&home, Options::vscode());
    assert_eq!(editor.command("farthing.hunk.next", json!({})), json!({}));
    editor.told("no hunk waits for a decision");
    editor.shutdown();
}

/// The one file in which hunks are kept, once it says this.
fn kept(home: &Home, editor: &mut Editor, part: &str) -> std::path::PathBuf {
    for _ in 0..10_000 {
        let files = std::fs::read_dir(home.state().join("hunks"));
        let files = files.into_iter().flatten().flatten();
        let found = files
            .map(|entry| entry.path())
            .find(|path| std::fs::read_to_string(path).is_ok_and(|kept| kept.contains(part)));
        if let Some(path) = found {
            return path;
        }
        editor.settle();
    }
    panic!("no hunk is kept in {}", home.state().display());
}

/// A new server for a text that may be another by now.
fn again(home: &Home, text: &str) -> Editor {
    let mut editor = Editor::start(home, Options::vscode());
    editor.initialize();
    editor.open_as(FILE, text);
    editor
}

#[test]
fn a_server_that_was_killed_is_followed_by_one_that_knows_the_hunks() {
    let (home, model) = (shop(), Model::start(EVERYWHERE));
    let mut editor = after_the_run(&home, &model, Options::vscode());
    editor.hunks(FILE, 2);
    kept(&home, &mut editor, "who greets must part");
    editor.kill();
    // The editor has been typed in since.
    let typed = |text: &str| format!("// typed\n{}", text.replacen("sum", "all", 3));
    let mut editor = again(&home, &typed(&everywhere()));
    let hunks = editor.hunks(FILE, 2);
    assert!(text(&hunks[0]["message"]).contains(SIMPLIFY), "{hunks:?}");
    editor.command("farthing.run.undo", json!({}));
    editor.hunks(FILE, 0);
    assert_eq!(editor.text(FILE), typed(SHOP));
    editor.shutdown();
    // What was decided stays decided.
    let mut editor = again(&home, &typed(SHOP));
    editor.settle();
    editor.hunks(FILE, 0);
    editor.shutdown();
}

#[test]
fn a_staged_change_is_applied_after_a_restart() {
    let (home, model) = (shop(), Model::start(GREET));
    let editor = after_the_run(&home, &model, staged(Options::vscode()));
    editor.shutdown();
    let mut editor = again(&home, SHOP);
    let hunks = editor.hunks(FILE, 1);
    assert!(text(&hunks[0]["message"]).contains("proposed"), "{hunks:?}");
    editor.pick(FILE, BEFORE, "Apply this hunk");
    editor.hunks(FILE, 0);
    assert_eq!(editor.text(FILE), greeted());
    editor.shutdown();
}

#[test]
fn a_hunk_whose_place_was_changed_while_no_server_ran_is_given_up_and_said() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = after_the_run(&home, &model, Options::vscode());
    editor.hunks(FILE, 1);
    editor.shutdown();
    let mut editor = again(&home, &SHOP.replacen(BEFORE, "Howdy, ", 1));
    editor.told("1 hunk in lib.rs can no longer be kept or undone");
    editor.hunks(FILE, 0);
    editor.shutdown();
}

#[test]
fn a_proposal_whose_place_was_changed_survives_to_be_read_and_discarded() {
    let howdy = SHOP.replacen(BEFORE, "Howdy, ", 1);
    // Typed in while a server ran, and while none did.
    for typed_before in [true, false] {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = after_the_run(&home, &model, staged(Options::vscode()));
        editor.hunks(FILE, 1);
        if typed_before {
            editor.replace(FILE, BEFORE, "Howdy, ");
            // More than the server remembers of what was typed.
            for _ in 0..600 {
                editor.type_before(FILE, "Howdy", "H");
            }
        }
        editor.settle();
        editor.shutdown();
        for _ in 0..2 {
            let mut editor = again(&home, &howdy);
            let hunks = editor.hunks(FILE, 1);
            let message = text(&hunks[0]["message"]);
            assert!(
                message.contains("not applied: the text there was changed"),
                "{message}"
            );
            let hover = editor.hover(FILE, "Howdy").unwrap();
            assert!(
                hover.contains("+    text.push_str(\"Good day, \");"),
                "{hover}"
            );
            let titles = editor.menu(FILE, "Howdy");
            assert!(
                !titles.iter().any(|title| title.starts_with("Apply")),
                "{titles:?}"
            );
            editor.shutdown();
        }
        let mut editor = again(&home, &howdy);
        editor.hunks(FILE, 1);
        editor.pick(FILE, "Howdy", "Discard this hunk");
        editor.hunks(FILE, 0);
        assert_eq!(editor.text(FILE), howdy);
        editor.shutdown();
    }
}

#[test]
fn two_servers_with_one_file_keep_their_hunks_apart() {
    let home = shop();
    let (model, other_model) = (Model::start(GREET), Model::start(EVERYWHERE));
    let mut editor = after_the_run(&home, &model, Options::vscode());
    editor.hunks(FILE, 1);
    kept(&home, &mut editor, "it sounds better");
    // What the first server has kept is its own as long as it lives.
    let mut other = after_the_run(&home, &other_model, Options::neovim());
    other.hunks(FILE, 2);
    kept(&home, &mut other, "who greets must part");
    other.command("farthing.run.undo", json!({}));
    other.hunks(FILE, 0);
    other.shutdown();
    editor.settle();
    editor.hunks(FILE, 1);
    editor.kill();
    let mut editor = again(&home, &greeted());
    let hunks = editor.hunks(FILE, 1);
    assert!(
        text(&hunks[0]["message"]).contains("it sounds better"),
        "{hunks:?}"
    );
    // And what it has taken over, nobody else takes.
    let mut other = again(&home, &greeted());
    other.settle();
    other.hunks(FILE, 0);
    other.shutdown();
    editor.pick(FILE, AFTER, "Undo this hunk");
    editor.hunks(FILE, 0);
    assert_eq!(editor.text(FILE), SHOP);
    editor.shutdown();
}

#[test]
fn a_buffer_that_was_never_saved_takes_its_hunks_with_it_without_a_word() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = after_the_run(&home, &model, Options::vscode());
    editor.hunks(FILE, 1);
    editor.close(FILE);
    editor.open(FILE);
    editor.settle();
    editor.hunks(FILE, 0);
    editor.shutdown();
}

#[test]
fn a_file_that_is_saved_closed_and_opened_again_has_its_hunks() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = after_the_run(&home, &model, Options::vscode());
    editor.hunks(FILE, 1);
    editor.save(FILE);
    editor.close(FILE);
    editor.open(FILE);
    editor.hunks(FILE, 1);
    editor.pick(FILE, AFTER, "Undo this hunk");
    editor.hunks(FILE, 0);
    assert_eq!(editor.text(FILE), SHOP);
    editor.shutdown();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is the disk")]
fn damage_costs_the_hunks_and_nothing_else() {
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let damages: [Damage; 4] = [
        |mut bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        },
        |bytes| bytes[..bytes.len() - 1].to_vec(),
        |_| b"\xff\xfe nonsense".to_vec(),
        |_| Vec::new(),
    ];
    for damage in damages {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = after_the_run(&home, &model, Options::vscode());
        editor.hunks(FILE, 1);
        let path = kept(&home, &mut editor, AFTER);
        editor.shutdown();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, damage(bytes)).unwrap();
        let mut editor = again(&home, &greeted());
        editor.told("what was kept of the hunks in lib.rs is damaged");
        editor.hunks(FILE, 0);
        assert!(!path.exists());
        editor.shutdown();
    }
}

#[test]
fn the_editors_own_preview_makes_what_is_picked_in_it() {
    for (pick, left, text_after) in [
        (Applying::AsUsual, 0, everywhere()),
        (
            Applying::Pick("2"),
            1,
            SHOP.to_owned() + "\n/// Says goodbye.\nfn part() {}\n",
        ),
        (Applying::Pick("none"), 2, SHOP.to_owned()),
    ] {
        let (home, model) = (shop(), Model::start(EVERYWHERE));
        let mut editor = after_the_run(&home, &model, staged(Options::vscode()));
        editor.hunks(FILE, 2);
        editor.type_before(FILE, "//! A shop.", "// é𝒳\n");
        editor.next_edits([pick]);
        let title = "Pick from all 2 hunks of this run in a preview";
        editor.pick(FILE, "Says hello", title);
        let asked = editor.wait_for_method("workspace/applyEdit");
        let annotations = &asked["params"]["edit"]["changeAnnotations"];
        assert_eq!(annotations["1"]["needsConfirmation"], json!(true));
        assert_eq!(
            annotations["2"]["description"],
            json!("who greets must part")
        );
        editor.hunks(FILE, left);
        assert_eq!(editor.text(FILE), format!("// é𝒳\n{text_after}"));
        assert_eq!(editor.edits_asked(), 1);
        // What was not picked is still there to be applied.
        if left == 1 {
            editor.pick(FILE, "Says hello", "Apply this hunk");
            editor.hunks(FILE, 0);
            assert_eq!(editor.text(FILE), format!("// é𝒳\n{}", everywhere()));
        }
        editor.shutdown();
    }
}

#[test]
fn an_editor_that_would_lie_about_a_preview_is_not_asked_for_one() {
    let (home, model) = (shop(), Model::start(EVERYWHERE));
    let mut editor = after_the_run(&home, &model, staged(Options::neovim()));
    editor.hunks(FILE, 2);
    let titles = editor.menu(FILE, "Says hello");
    assert!(
        titles
            .iter()
            .any(|title| title.starts_with("Apply this hunk"))
    );
    assert!(
        !titles.iter().any(|title| title.contains("preview")),
        "{titles:?}"
    );
    editor.command("farthing.run.preview", json!({}));
    editor.told("this editor has no preview");
    assert_eq!(editor.text(FILE), SHOP);
    editor.shutdown();
}
