//! What the history of a repository tells is shown where the code is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Editor, Home, Options};
use crate::steps::text;

const HOT: &str = "src/hot.ts";
const LEFT: &str = "src/left.ts";
const RIGHT: &str = "src/right.ts";
const GOD: &str = "src/all.ts";
const CALM: &str = "src/calm.ts";

const HOTSPOT: &str = "fn/complexity-hotspot";
const COMPLEX: &str = "fn/too-complex";
const COUPLING: &str = "git/change-coupling";
const MIRROR: &str = "git/mirror-edit";
const SEVERAL: &str = "module/god";

const INFORMATION: u64 = 3;
const HINT: u64 = 4;

const RULES: &str = "[rules.\"fn/too-complex\"]\nthreshold = 2\n\n[rules.\"git/change-coupling\"]\nenabled = true\n\n\
    [rules.\"git/mirror-edit\"]\nenabled = true\n\n[rules.\"module/god\"]\nenabled = true\nthreshold = 8\n";

/// A function that is hard to follow, by the limit of [`RULES`].
fn complex(name: &str) -> String {
    format!(
        "export function {name}(rows: number[]): number {{\n  for (const row of rows) {{\n    if (row > 1) {{\n      \
         return row;\n    }}\n  }}\n  return 0;\n}}\n"
    )
}

/// Two groups of functions that have nothing to do with each other.
fn several() -> String {
    let group = |name: &str| -> String {
        let one = |number: u32| {
            let next = (number + 1) % 6;
            format!(
                "export function {name}{number}(): number {{\n  return {name}{next}() + {number};\n}}\n"
            )
        };
        (0..6).map(one).collect()
    };
    group("date") + &group("mail")
}

/// Changes files so often, each time all of them in one commit, and leaves them as they were.
fn change(home: &Home, files: &[(&str, &str)], times: u32) {
    for round in 1..=times {
        for (file, text) in files {
            let more = format!("export const round = {round};\n");
            home.write(
                file,
                &format!("{text}{}", if round == times { "" } else { &more }),
            );
        }
        home.commit();
    }
}

/// A repository in which one file is calm.
fn repository() -> Home {
    let home = Home::new();
    home.write("farthing.toml", RULES);
    home.write(CALM, &complex("calm"));
    home.git(&["init", "-q", "-b", "main"]);
    home.commit();
    home
}

fn start(home: &Home, options: Options, files: &[&str]) -> Editor {
    let mut editor = Editor::start(home, options);
    editor.initialize();
    for file in files {
        editor.open(file);
    }
    editor
}

fn has(editor: &Editor, file: &str, rule: &str, severity: u64) -> bool {
    let items = editor.diagnostics(file).items;
    let fits = |item: &Value| item["code"] == rule && item["severity"] == severity;
    items.iter().any(fits)
}

fn found(editor: &mut Editor, file: &str, rule: &str, severity: u64) {
    editor.wait_until(&format!("{rule} as {severity} in {file}"), |editor| {
        has(editor, file, rule, severity).then_some(())
    });
}

fn gone(editor: &mut Editor, file: &str, rule: &str) {
    editor.wait_until(&format!("no {rule} in {file}"), |editor| {
        let items = editor.diagnostics(file).items;
        let none = items.iter().all(|item| item["code"] != rule);
        none.then_some(())
    });
}

/// How often the client was told what is to be said about a file.
fn published(editor: &Editor, file: &str) -> usize {
    let sent = editor.sent_by_server("textDocument/publishDiagnostics");
    let uri = editor.uri(file);
    sent.iter()
        .filter(|sent| sent["params"]["uri"] == uri.as_str())
        .count()
}

#[test]
fn what_changes_together_is_shown_and_follows_the_keys() {
    let home = repository();
    let (left, right) = (complex("left"), complex("right"));
    change(&home, &[(LEFT, &left), (RIGHT, &right)], 12);
    let mut editor = start(&home, Options::vscode(), &[LEFT, CALM]);
    found(&mut editor, LEFT, COUPLING, HINT);
    found(&mut editor, LEFT, HOTSPOT, HINT);
    found(&mut editor, CALM, COMPLEX, HINT);
    gone(&mut editor, LEFT, MIRROR);
    let before = published(&editor, CALM);
    // Typed and not saved, only one side has changed.
    editor.type_before(LEFT, "export", "// typed\n");
    found(&mut editor, LEFT, MIRROR, INFORMATION);
    found(&mut editor, LEFT, COUPLING, INFORMATION);
    // Until the other side has as well.
    editor.open(RIGHT);
    editor.type_before(RIGHT, "export", "// typed\n");
    gone(&mut editor, LEFT, MIRROR);
    editor.undo(RIGHT);
    found(&mut editor, LEFT, MIRROR, INFORMATION);
    // An import is no secret.
    editor.type_before(RIGHT, "export", "import { left } from \"./left\";\n");
    gone(&mut editor, LEFT, COUPLING);
    editor.undo(RIGHT);
    found(&mut editor, LEFT, COUPLING, INFORMATION);
    editor.undo(LEFT);
    gone(&mut editor, LEFT, MIRROR);
    found(&mut editor, LEFT, COUPLING, HINT);
    assert_eq!(published(&editor, CALM), before);
    editor.shutdown();
}

#[test]
fn another_branch_has_another_history() {
    for options in [Options::vscode(), Options::neovim()] {
        let home = repository();
        let (hot, several) = (complex("hot"), several());
        change(&home, &[(HOT, &hot), (GOD, &several)], 9);
        home.git(&["checkout", "-q", "-b", "later"]);
        change(&home, &[(HOT, &hot), (GOD, &several)], 2);
        home.git(&["checkout", "-q", "main"]);
        let mut editor = start(&home, options, &[HOT, GOD, CALM]);
        found(&mut editor, HOT, COMPLEX, HINT);
        found(&mut editor, CALM, COMPLEX, HINT);
        assert!(!has(&editor, HOT, HOTSPOT, HINT));
        // Every file is the same there, so that nothing but the history changes.
        home.git(&["checkout", "-q", "later"]);
        editor.wait_until("the hotspot", |editor| {
            let items = editor.diagnostics(HOT).items;
            items
                .iter()
                .any(|item| item["code"] == HOTSPOT)
                .then_some(())
        });
        gone(&mut editor, HOT, COMPLEX);
        editor.wait_until("several things in one place", |editor| {
            let items = editor.diagnostics(GOD).items;
            items
                .iter()
                .any(|item| item["code"] == SEVERAL)
                .then_some(())
        });
        let before = published(&editor, CALM);
        home.git(&["checkout", "-q", "main"]);
        gone(&mut editor, HOT, HOTSPOT);
        gone(&mut editor, GOD, SEVERAL);
        editor.settle();
        assert_eq!(published(&editor, CALM), before);
        editor.shutdown();
    }
}

#[test]
fn the_editor_says_what_the_command_line_says() {
    let home = repository();
    let files = [(HOT, complex("hot")), (GOD, several())];
    let twins = [(LEFT, complex("left")), (RIGHT, complex("right"))];
    let pairs =
        |files: &[(&'static str, String)]| -> Vec<(&'static str, String)> { files.to_vec() };
    for group in [pairs(&files), pairs(&twins)] {
        let group: Vec<(&str, &str)> = group
            .iter()
            .map(|(file, text)| (*file, text.as_str()))
            .collect();
        change(&home, &group, 12);
    }
    home.git(&["checkout", "-q", "-b", "work"]);
    home.write(LEFT, &(complex("left") + &complex("new")));
    home.write(
        HOT,
        &(complex("hot") + "import { gone } from \"./gone\";\n"),
    );
    home.write(GOD, &("// Dates.\n".to_owned() + &several()));
    home.commit();
    // And something that is not committed.
    home.write(GOD, &("// Dates, and mail.\n".to_owned() + &several()));
    let output = home
        .command()
        .args(["review", "--format", "json"])
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = said["findings"].as_array().unwrap().iter();
    let findings: BTreeSet<(String, u64, String, String)> = findings
        .map(|finding| {
            let at = &finding["at"];
            (
                text(&at["file"]),
                at["line"].as_u64().unwrap(),
                text(&finding["rule"]),
                text(&finding["message"]),
            )
        })
        .collect();
    for rule in [HOTSPOT, COUPLING, MIRROR, SEVERAL] {
        assert!(
            findings.iter().any(|finding| finding.2 == rule),
            "{rule}: {findings:?}"
        );
    }
    // The second start takes what the first has kept.
    for options in [Options::vscode(), Options::neovim()] {
        let all = [HOT, LEFT, RIGHT, GOD, CALM];
        let mut editor = start(&home, options, &all);
        let shown = |editor: &mut Editor| -> BTreeSet<(String, u64, String, String)> {
            let mut shown = BTreeSet::new();
            for file in all {
                for item in editor.diagnostics(file).items {
                    if item["severity"].as_u64().unwrap() < HINT {
                        let line = item["range"]["start"]["line"].as_u64().unwrap() + 1;
                        let (code, message) = (text(&item["code"]), text(&item["message"]));
                        shown.insert((file.to_owned(), line, code, message));
                    }
                }
            }
            shown
        };
        let mut last = BTreeSet::new();
        editor.wait_until("the findings of the command line", |editor| {
            last = shown(editor);
            (last == findings).then_some(())
        });
        editor.shutdown();
    }
}

#[test]
fn a_history_that_cannot_be_read_is_said_in_the_log_and_costs_nothing_else() {
    let home = Home::new();
    home.write("farthing.toml", RULES);
    home.write(CALM, &complex("calm"));
    home.write(".git/HEAD", "nonsense\n");
    let mut editor = start(&home, Options::vscode(), &[CALM]);
    found(&mut editor, CALM, COMPLEX, INFORMATION);
    editor.wait_for("a line in the log", |message| {
        message["method"] == "window/logMessage"
            && text(&message["params"]["message"]).contains("the history of")
    });
    editor.shutdown();
    let output = home.command().arg("review").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the history cannot be read"), "{said}");
    assert_eq!(output.status.code(), Some(0));
}
