//! From the menu to the last decision, in every temper of editor.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use ledger::Usage;
use serde_json::{Value, json};

use crate::harness::{Editor, Home, Moment, Options, Told};
use crate::model::Model;
use crate::steps::{
    self, AFTER, BEFORE, FILE, GREET, GREET_USAGE, SHOP, SIMPLIFY, booked, greeted, open,
    open_with, price, shop, text,
};

const CORE: &str = "src/output/textwrap/core.rs";

const FASTER: &str = r#"
[expect]
key = "a-test-key"

[[turn]]
expect = { contains = "symbol: display_width", cache_breakpoints = 2 }
usage = { input = 1450, cache_write_5m = 2610, output = 640 }
text = "Three places."
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "display_width"
base = "{{hash:display_width}}"
reason = "less is counted *twice*"
[[turn.tool.input.edits]]
old_text = "let mut width = 0;"
new_text = "let mut width = 0_usize;"
[[turn.tool.input.edits]]
old_text = "if ch.is_ascii_control() {"
new_text = "if ch < ' ' {"
[[turn.tool.input.edits]]
old_text = "width += ch_width(ch);"
new_text = "width = width.saturating_add(ch_width(ch));"

[[turn]]
expect = { tool_result_contains = "landed" }
usage = { input = 420, cache_read = 4060, cache_write_5m = 700, output = 45 }
text = "It is faster now."
"#;

const FASTER_USAGE: [Usage; 2] = [
    Usage {
        input: 1450,
        cache_write_5m: 2610,
        cache_write_1h: 0,
        cache_read: 0,
        output: 640,
    },
    Usage {
        input: 420,
        cache_write_5m: 700,
        cache_write_1h: 0,
        cache_read: 4060,
        output: 45,
    },
];

/// A real crate: the sources of `clap_builder` as the lock file pins it.
#[expect(
    clippy::disallowed_methods,
    reason = "Cargo knows where the sources are"
)]
fn clap_builder() -> Home {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("cargo metadata");
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == "clap_builder")
        .unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let home = Home::new();
    let files = steps::copy(&home, &manifest.with_file_name("src"), "src");
    assert!(files >= 50, "{files} files");
    home
}

/// Types where the hunks are not, at the worst moments: while two edits are on their way, and right after a third.
fn type_between_the_edits(editor: &mut Editor) {
    let mut edit = 0;
    editor.at(Moment::BeforeApply, move |editor, _| {
        edit += 1;
        match edit {
            1 => editor.type_before(CORE, "/// Compute the display", "// é𝒳 typed first\n"),
            3 => editor.type_before(
                CORE,
                "    let control_terminate",
                "    // typed between the hunks: ü\n",
            ),
            _ => {}
        }
    });
    let mut edit = 0;
    editor.at(Moment::AfterApply, move |editor, _| {
        edit += 1;
        if edit == 5 {
            editor.type_before(CORE, "#[cfg(test)]\nmod tests", "// typed below\n");
        }
    });
}

fn typed(original: &str) -> String {
    original
        .replacen(
            "/// Compute the display",
            "// é𝒳 typed first\n/// Compute the display",
            1,
        )
        .replacen(
            "    let control_terminate",
            "    // typed between the hunks: ü\n    let control_terminate",
            1,
        )
        .replacen(
            "#[cfg(test)]\nmod tests",
            "// typed below\n#[cfg(test)]\nmod tests",
            1,
        )
}

fn tell(options: Options) {
    let home = clap_builder();
    let original = home.read(CORE);
    let model = Model::start(FASTER);
    let mut editor = Editor::start(&home, model.behind(options));
    editor.initialize();
    editor.open(CORE);

    let menu = editor.menu(CORE, "display_width(text");
    let faster = menu
        .iter()
        .find(|title| title.starts_with("Make `display_width` faster · est. $"));
    assert!(faster.is_some(), "{menu:?}");
    assert!(
        menu.iter().all(|title| title.contains(" · est. $")),
        "{menu:?}"
    );

    type_between_the_edits(&mut editor);
    let run = editor.launch(CORE, "display_width(text", "Make `display_width` faster");
    let end = editor.end_of(&run);
    let cost = price(&FASTER_USAGE);
    assert!(
        end.starts_with(&format!(
            "Make `display_width` faster: 3 hunks, {cost} (est. "
        )),
        "{end}"
    );

    let all = typed(&original)
        .replacen("let mut width = 0;", "let mut width = 0_usize;", 1)
        .replacen("if ch.is_ascii_control() {", "if ch < ' ' {", 1)
        .replacen(
            "width += ch_width(ch);",
            "width = width.saturating_add(ch_width(ch));",
            1,
        );
    assert_eq!(editor.text(CORE), all);
    let hunks = editor.hunks(CORE, 3);
    let places: Vec<String> = hunks
        .iter()
        .map(|hunk| editor.text_of(CORE, &hunk["range"]))
        .collect();
    // A hunk is the characters that changed, not the line around them.
    assert_eq!(places.len(), 3);
    for (place, part) in places.iter().zip(["_usize", " < ' '", "saturating_add"]) {
        assert!(place.contains(part), "{place:?} has no {part:?}");
    }

    // Each hunk has its own share of the cost, and the shares come to all of it but for the rounding of what is shown.
    let shares: Vec<ledger::Money> = hunks
        .iter()
        .map(|hunk| hunk["message"].as_str().unwrap())
        .map(|message| message.rsplit(" · ").next().unwrap().parse().unwrap())
        .collect();
    assert!(
        shares
            .iter()
            .all(|share| *share > ledger::Money::ZERO && *share < cost)
    );
    let sum: ledger::Money = shares.iter().copied().sum();
    let off = sum.saturating_sub(cost).picodollars().abs();
    assert!(off < 3 * 50_000_000, "{shares:?} come to {sum}, not {cost}");

    let hover = editor.hover(CORE, "let mut width").unwrap();
    for part in [
        "```diff\n",
        "-    let mut width = 0;\n",
        "+    let mut width = 0_usize;\n",
        r"less is counted \*twice\*",
        &format!("The whole run: {cost} (est. $"),
    ] {
        assert!(hover.contains(part), "{part:?} is missing in {hover}");
    }

    editor.pick(CORE, "0_usize", &format!("Keep this hunk · {}", shares[0]));
    editor.hunks(CORE, 2);
    editor.pick(CORE, "if ch < ' '", "Undo this hunk");
    editor.hunks(CORE, 1);
    assert_eq!(
        editor.text(CORE),
        all.replacen("if ch < ' ' {", "if ch.is_ascii_control() {", 1)
    );
    editor.pick(
        CORE,
        "width = width.saturating_add",
        "Undo run: Make `display_width` faster (1 hunk)",
    );
    editor.hunks(CORE, 0);
    let kept = typed(&original).replacen("let mut width = 0;", "let mut width = 0_usize;", 1);
    assert_eq!(editor.text(CORE), kept);
    assert_eq!(editor.ends_of(&run), 1);
    editor.shutdown();

    let row = booked(&home);
    assert_eq!(
        (row.cost, row.reserved, row.attempts, row.runs),
        (cost, ledger::Money::ZERO, 2, 1)
    );
    let [first, second] = FASTER_USAGE;
    assert_eq!(row.usage, first.saturating_add(second));
}

#[test]
fn a_strict_editor_while_the_user_types() {
    tell(Options::vscode());
}

#[test]
fn a_lenient_editor_while_the_user_types() {
    tell(Options::neovim());
}

#[test]
fn an_editor_that_tells_of_edits_after_its_answer() {
    tell(Options::vscode().told(Told::AfterTheReply));
}

#[test]
fn helix_and_eglot_run_and_undo() {
    for options in [Options::helix(), Options::eglot()] {
        let (home, model) = (shop(), Model::start(GREET));
        let mut editor = open_with(&home, &model, options);
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        editor.end_of(&run);
        assert_eq!(editor.text(FILE), greeted());
        editor.hunks(FILE, 1);
        editor.pick(FILE, AFTER, "Undo this hunk");
        editor.hunks(FILE, 0);
        assert_eq!(editor.text(FILE), SHOP);
        editor.shutdown();
    }
}

#[test]
fn the_editors_own_undo_takes_the_hunk_with_it() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    editor.hunks(FILE, 1);
    editor.undo(FILE);
    assert_eq!(editor.text(FILE), SHOP);
    editor.hunks(FILE, 0);
    editor.shutdown();
}

#[test]
fn what_is_typed_inside_a_hunk_survives_keep_and_stops_a_blind_undo() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    editor.hunks(FILE, 1);
    editor.type_before(FILE, "day, ", "sunny ");
    let mine = greeted().replacen("day, ", "sunny day, ", 1);
    editor.hunks(FILE, 1);
    editor.pick(FILE, "sunny day", "Undo this hunk");
    let undone = editor.wait_until("a decision", |editor| {
        let told = !editor.sent_by_server("window/showMessage").is_empty();
        let gone = editor.diagnostics(FILE).items.is_empty() && editor.text(FILE) != mine;
        (told || gone).then(|| editor.text(FILE))
    });
    // Either the user's word stays and the server says why, or it stays in the text that was taken back.
    assert!(undone.contains("sunny"), "{undone}");
    editor.shutdown();
}

#[test]
fn many_files_many_hunks_are_kept_at_once() {
    let script = r#"
        [[turn]]
        [[turn.tool]]
        name = "edit_symbol"
        [turn.tool.input]
        symbol = "greet"
        base = "{{hash:greet}}"
        reason = "one"
        [[turn.tool.input.edits]]
        old_text = "Hello, "
        new_text = "Good day, "
        [[turn.tool]]
        name = "add_symbol"
        [turn.tool.input]
        anchor = "greet"
        position = "after"
        text = "fn bye() {}"
        reason = "two"
        [[turn]]
        text = "Done."
    "#;
    let (home, model) = (shop(), Model::start(script));
    let mut editor = open_with(&home, &model, Options::neovim());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    editor.hunks(FILE, 2);
    editor.pick(FILE, AFTER, "Keep all 2 hunks in this file");
    editor.hunks(FILE, 0);
    assert_eq!(editor.text(FILE), format!("{}\nfn bye() {{}}\n", greeted()));
    editor.shutdown();
}

/// Far more control flow than the rules allow.
fn nested() -> String {
    let mut code = "/// Deep.\npub fn deep(n: u32) -> u32 {\n".to_owned();
    for depth in 0..8 {
        let _ = writeln!(code, "{}if n > {depth} {{", "    ".repeat(depth + 1));
    }
    let _ = writeln!(code, "{}return n;", "    ".repeat(9));
    for depth in (0..8).rev() {
        let _ = writeln!(code, "{}}}", "    ".repeat(depth + 1));
    }
    code + "    0\n}\n"
}

const FLAT: &str = "/// Deep.\npub fn deep(n: u32) -> u32 {\n    if n > 7 { n } else { 0 }\n}\n";

#[test]
fn a_finding_its_fix_and_its_end() {
    let script = format!(
        "[[turn]]\n[[turn.tool]]\nname = \"replace_symbol\"\n[turn.tool.input]\nsymbol = \"deep\"\nbase = \"{{{{hash:deep}}}}\"\n\
         text = '''\n{FLAT}'''\nreason = \"flat\"\n\n[[turn]]\ntext = \"Done.\"\n"
    );
    let (home, model) = (shop(), Model::start(&script));
    home.write("src/deep.rs", &nested());
    let mut editor = Editor::start(&home, model.behind(Options::vscode()));
    editor.initialize();
    editor.open("src/deep.rs");
    let found = editor.wait_until("findings", |editor| {
        let items = editor.diagnostics("src/deep.rs").items;
        (!items.is_empty()).then_some(items)
    });
    let finding = &found[0];
    assert_eq!(finding["source"], "farthing");
    let fix = editor.action("src/deep.rs", "deep(", "Fix: ");
    assert_eq!(fix["kind"], "quickfix");
    assert_eq!(fix["diagnostics"][0]["message"], finding["message"]);
    let answer = editor.execute(&fix);
    editor.end_of(&text(&answer["run"]));
    editor.wait_until("nothing but hunks", |editor| {
        let published = editor.diagnostics("src/deep.rs");
        let current = published.version == Some(editor.version("src/deep.rs"));
        (current && published.items.iter().all(|item| item["code"] == "hunk")).then_some(())
    });
    assert_eq!(editor.text("src/deep.rs"), FLAT);
    editor.pick("src/deep.rs", "if n > 7", "Keep ");
    editor.shutdown();
}

/// The answers of a model that is asked to make a function flat, and leaves it as deep as it was.
fn still_deep() -> String {
    let still = nested().replace("    0\n", "    1\n");
    format!(
        "[[turn]]\n[[turn.tool]]\nname = \"replace_symbol\"\n[turn.tool.input]\nsymbol = \"deep\"\nbase = \"{{{{hash:deep}}}}\"\n\
         text = '''\n{still}'''\nreason = \"flat\"\n\n[[turn]]\ntext = \"Done.\"\n"
    )
}

#[test]
fn a_repair_that_leaves_the_finding_is_undone() {
    for is_staged in [false, true] {
        let (home, model) = (shop(), Model::start(&still_deep()));
        home.write("src/deep.rs", &nested());
        let mut options = model.behind(Options::vscode());
        if is_staged {
            options.initialization = json!({"review": {"mode": "staged"}});
            options.settings = json!({"farthing": {"review": {"mode": "staged"}}});
        }
        let mut editor = Editor::start(&home, options);
        editor.initialize();
        editor.open("src/deep.rs");
        let fix = editor.action("src/deep.rs", "deep(", "Fix: ");
        editor.execute(&fix);
        let told = editor.wait_for_method("window/showMessage");
        let says = text(&told["params"]["message"]);
        assert!(
            says.contains("not repaired")
                && says.contains("`deep` still has the finding")
                && says.contains("its changes are undone"),
            "{says}"
        );
        assert_eq!(editor.text("src/deep.rs"), nested());
        let menu = editor.menu("src/deep.rs", "deep(");
        let about_hunks =
            |title: &&String| title.starts_with("Keep ") || title.starts_with("Apply ");
        assert!(!menu.iter().any(|title| about_hunks(&title)), "{menu:?}");
        editor.shutdown();
    }
}

#[test]
fn an_edit_that_changes_no_finding_publishes_nothing() {
    let home = shop();
    home.write("src/deep.rs", &nested());
    let mut editor = Editor::start(&home, Options::vscode());
    editor.initialize();
    editor.open("src/deep.rs");
    editor.wait_until("findings", |editor| {
        let items = editor.diagnostics("src/deep.rs").items;
        (!items.is_empty()).then_some(())
    });
    let uri = editor.uri("src/deep.rs");
    let published = |editor: &Editor| {
        let all = editor.sent_by_server("textDocument/publishDiagnostics");
        let mut about = all
            .into_iter()
            .filter(|message| message["params"]["uri"] == *uri);
        about.by_ref().count()
    };
    let before = published(&editor);
    editor.replace("src/deep.rs", "return n;", "return m;");
    // What is due for the one file is sent before or with what is due later for the other.
    editor.open(FILE);
    editor.wait_until("the other file", |editor| {
        editor.diagnostics(FILE).version.is_some().then_some(())
    });
    assert_eq!(published(&editor), before);
    editor.replace("src/deep.rs", "    if n > 0 {", "\n    if n > 0 {");
    editor.type_before("src/deep.rs", "/// Deep.", "// Above.\n\n");
    editor.wait_until("the findings that moved", |editor| {
        (published(editor) > before).then_some(())
    });
    editor.shutdown();
}

#[test]
fn what_another_server_reports_can_be_fixed() {
    let script =
        format!("{GREET}\n").replacen("[[turn]]", "[[turn]]\nexpect = { contains = \"E0308\" }", 1);
    let (home, model) = (shop(), Model::start(&script));
    let mut editor = open_with(&home, &model, Options::vscode());
    let range = editor.range(FILE, "text.push_str(name)");
    let foreign = json!({
        "range": range, "severity": 1, "source": "rustc", "code": "E0308", "message": "mismatched types: expected `&str`",
    });
    let params = json!({
        "textDocument": {"uri": editor.uri(FILE)}, "range": range, "context": {"diagnostics": [foreign], "triggerKind": 1},
    });
    let actions = editor.request("textDocument/codeAction", params);
    let actions = actions.as_array().unwrap();
    let fix = actions
        .iter()
        .find(|action| text(&action["title"]).starts_with("Fix: mismatched types"))
        .unwrap();
    assert_eq!(
        (&fix["kind"], &fix["diagnostics"]),
        (&json!("quickfix"), &json!([foreign]))
    );
    let answer = editor.execute(fix);
    editor.end_of(&text(&answer["run"]));
    assert_eq!(editor.text(FILE), greeted());
    editor.shutdown();
}

#[test]
fn a_comment_is_an_action() {
    let script = format!("{GREET}\n").replacen(
        "[[turn]]",
        "[[turn]]\nexpect = { contains = \"be politer\" }",
        1,
    );
    let (home, model) = (shop(), Model::start(&script));
    let mut editor = open_with(&home, &model, Options::neovim());
    editor.type_before(FILE, "    let mut text", "    // farthing: be politer\n");
    let run = editor.launch(
        FILE,
        "farthing: be",
        "Do what the comment says: “be politer” · est. $",
    );
    editor.end_of(&run);
    let commented = greeted().replacen(
        "    let mut text",
        "    // farthing: be politer\n    let mut text",
        1,
    );
    assert_eq!(editor.text(FILE), commented);
    editor.shutdown();
}

#[test]
fn without_a_key_the_menu_says_how_to_get_one() {
    let home = shop();
    let mut editor = open(&home, Options::vscode());
    assert_eq!(
        editor.menu(FILE, "greet("),
        ["Set up a model for Farthing…"]
    );
    editor.pick(FILE, "greet(", "Set up");
    let how = editor.told("ANTHROPIC_API_KEY");
    assert!(how.contains("config.toml"), "{how}");
    let answer = editor.command_run(FILE, "greet");
    assert!(
        text(&answer["reason"]).contains("ANTHROPIC_API_KEY"),
        "{answer}"
    );
    editor.shutdown();
    assert!(!home.state().join("runs").read_dir().unwrap().any(|_| true));
}

#[test]
fn the_estimate_is_there_before_and_the_cost_after() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    let hover = editor.hover(FILE, "greet(").unwrap();
    assert!(hover.contains("| Simplify `greet` | est. $"), "{hover}");
    assert!(
        hover.contains("Nothing spent here so far · $5.00 left today"),
        "{hover}"
    );
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    editor.command("farthing.cost", json!({}));
    let told = editor.told("today");
    let cost = price(&GREET_USAGE);
    assert!(told.contains(&format!("{cost} today")), "{told}");
    let hover = editor.hover(FILE, "greet(").unwrap();
    assert!(
        hover.contains(&format!("Spent here so far: {cost} · $5.00 left today")),
        "{hover}"
    );
    assert_eq!(editor.text(FILE).matches(BEFORE).count(), 0);
    editor.shutdown();
}

#[test]
fn a_server_with_nothing_to_do_does_nothing() {
    let home = shop();
    let mut editor = open(&home, Options::vscode());
    editor.type_before(FILE, "/// Says", "// typed\n");
    editor.hover(FILE, "greet(");
    editor.settle();
    // It may be busy with the first pass over the disk for a moment yet.
    let idle = (0..20).any(|_| {
        let before = editor.processor_time();
        std::thread::park_timeout(std::time::Duration::from_secs(1));
        let after = editor.processor_time();
        before.zip(after).is_none_or(|(before, after)| {
            after.saturating_sub(before) < std::time::Duration::from_millis(100)
        })
    });
    assert!(idle, "the server is busy and nobody asked for anything");
    editor.shutdown();
}
