//! What other programs do to the files while the editor is open.

use serde_json::json;

use crate::harness::{Editor, Home, Options};

const APP: &str = "src/app.ts";
const UNRESOLVED: &str = "graph/unresolved";

/// An editor that shows a file which imports another that is not there yet.
fn waiting(options: Options) -> (Home, Editor) {
    let home = Home::new();
    home.write(
        APP,
        "import { total } from \"./lib/total\";\nexport const sum = total();\n",
    );
    home.write("src/other.ts", "export const other = 1;\n");
    let mut editor = Editor::start(&home, options);
    editor.initialize();
    editor.open(APP);
    editor.markers(APP, UNRESOLVED, 1);
    (home, editor)
}

const TOTAL: &str = "export function total(): number { return 1; }\n";

#[test]
fn a_folder_that_comes_and_goes_is_noticed_where_the_client_watches_nothing() {
    let (home, mut editor) = waiting(Options::neovim());
    assert!(
        editor
            .registration("workspace/didChangeWatchedFiles")
            .is_none()
    );
    home.write("src/lib/total.ts", TOTAL);
    editor.markers(APP, UNRESOLVED, 0);
    std::fs::remove_dir_all(home.path("src/lib")).unwrap();
    editor.markers(APP, UNRESOLVED, 1);
    home.write("made/total.ts", TOTAL);
    std::fs::rename(home.path("made"), home.path("src/lib")).unwrap();
    editor.markers(APP, UNRESOLVED, 0);
    editor.shutdown();
}

#[test]
fn a_great_many_files_at_once_are_taken_in() {
    let (home, mut editor) = waiting(Options::neovim());
    for number in 0..300 {
        home.write(&format!("src/lib/{number}.ts"), TOTAL);
    }
    home.write("src/lib/total.ts", TOTAL);
    editor.markers(APP, UNRESOLVED, 0);
    std::fs::remove_dir_all(home.path("src/lib")).unwrap();
    editor.markers(APP, UNRESOLVED, 1);
    editor.shutdown();
}

#[test]
fn a_manifest_that_comes_says_what_is_ours() {
    let home = Home::new();
    home.write(
        "main.go",
        "package main\n\nimport \"example.com/shop/gone\"\n\nfunc main() { gone.Do() }\n",
    );
    let mut editor = Editor::start(&home, Options::neovim());
    editor.initialize();
    editor.open("main.go");
    editor.wait_for_progress("end");
    editor.markers("main.go", UNRESOLVED, 0);
    home.write("go.mod", "module example.com/shop\n\ngo 1.23\n");
    editor.markers("main.go", UNRESOLVED, 1);
    editor.shutdown();
}

#[test]
fn a_client_that_watches_is_asked_for_manifests_and_ignore_files_too() {
    let (home, mut editor) = waiting(Options::vscode());
    let asked = editor
        .registration("workspace/didChangeWatchedFiles")
        .unwrap()
        .to_string();
    for pattern in [
        "**/*.ts",
        "**/.gitignore",
        "**/package.json",
        "**/tsconfig*.json",
    ] {
        assert!(asked.contains(pattern), "{pattern} in {asked}");
    }
    home.write("src/lib/total.ts", TOTAL);
    let change = json!({"uri": home.uri("src/lib/total.ts"), "type": 1});
    editor.notify(
        "workspace/didChangeWatchedFiles",
        json!({"changes": [change]}),
    );
    editor.markers(APP, UNRESOLVED, 0);
    editor.shutdown();
}
