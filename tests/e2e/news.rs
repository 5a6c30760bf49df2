//! What is new in a repository weighs more than what was there before.

use serde_json::Value;

use crate::harness::{Editor, Home, Options};

const APP: &str = "src/app.ts";
const UNRESOLVED: &str = "graph/unresolved";
const COPY: &str = "code/duplicate-of-existing";

const WARNING: u64 = 2;
const INFORMATION: u64 = 3;
const HINT: u64 = 4;

fn sum(name: &str, list: &str) -> String {
    format!(
        "export function {name}({list}: Row[], rate: number): number {{\n  let sum = 0;\n  for (const row of {list}) {{\n    \
         if (row.taxed && row.price > 10) {{\n      sum += Math.round(row.price * rate);\n    }} else {{\n      \
         sum += row.price;\n    }}\n  }}\n  return sum / {list}.length;\n}}\n"
    )
}

/// Waits for a finding of that weight and rule; the others of the rule do not matter.
fn found(editor: &mut Editor, rule: &str, severity: u64) {
    editor.wait_until(&format!("{rule} as {severity}"), |editor| {
        let items = editor.diagnostics(APP).items;
        let fits = |item: &Value| item["code"] == rule && item["severity"] == severity;
        items.iter().any(fits).then_some(())
    });
}

#[test]
fn what_nobody_has_touched_is_a_hint() {
    let home = Home::new();
    let app = "import { total } from \"./lib/total\";\nexport const all = total();\n";
    home.write(APP, app);
    home.write("src/sums.ts", &sum("orders", "rows"));
    home.git(&["init", "-q", "-b", "main"]);
    home.commit();
    let mut editor = Editor::start(&home, Options::vscode());
    editor.initialize();
    editor.open(APP);
    found(&mut editor, UNRESOLVED, HINT);
    // Typed and not saved, the line is new.
    editor.replace(APP, "./lib/total", "./lib/sum");
    found(&mut editor, UNRESOLVED, WARNING);
    editor.undo(APP);
    found(&mut editor, UNRESOLVED, HINT);
    // Something new elsewhere in the file changes nothing about it.
    editor.type_before(APP, "export const", &sum("invoices", "lines"));
    found(&mut editor, COPY, INFORMATION);
    found(&mut editor, UNRESOLVED, HINT);
    editor.shutdown();
}

#[test]
fn the_command_line_counts_what_is_old() {
    let home = Home::new();
    home.write(APP, "import { total } from \"./lib/total\";\n");
    home.git(&["init", "-q", "-b", "main"]);
    home.commit();
    let review = |arguments: &[&str]| {
        let output = home
            .command()
            .arg("review")
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = text(&output.stdout).contains(UNRESOLVED);
        (shown, output.status.code(), text(&output.stderr))
    };
    let (shown, code, said) = review(&[]);
    assert_eq!((shown, code), (false, Some(0)), "{said}");
    assert!(
        said.contains("1 more about code that has not changed since"),
        "{said}"
    );
    assert!(matches!(review(&["--all"]), (true, Some(1), _)));
    home.write("src/new.ts", "import { total } from \"./lib/total\";\n");
    assert!(matches!(review(&[]), (true, Some(1), _)));
    home.commit();
    assert!(matches!(review(&[]), (false, Some(0), _)));
    assert!(matches!(
        review(&["--new-since", "HEAD~1"]),
        (true, Some(1), _)
    ));
    home.write("farthing.toml", "[review]\nnew_code = false\n");
    assert!(matches!(review(&[]), (true, Some(1), _)));
}
