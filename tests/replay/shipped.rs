//! The replay of a small set that the repository brings: pairs of a file before and after, written for this purpose, in
//! several languages and with everything that makes text awkward.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test states what it expects bluntly"
)]

mod drive;
mod plan;

use std::collections::BTreeMap;

use drive::Bench;
use text::FilePath;

/// Name, file, before, after.
const PAIRS: &[(&str, &str, &str, &str)] = &[
    (
        "an expression in a function",
        "a.rs",
        "/// Adds.\nfn add(a: u32, b: u32) -> u32 {\n    a + b\n}\n\nfn main() {\n    add(1, 2);\n}\n",
        "/// Adds.\nfn add(a: u32, b: u32) -> u32 {\n    a.saturating_add(b)\n}\n\nfn main() {\n    add(1, 2);\n}\n",
    ),
    (
        "lines that are there twice",
        "a.rs",
        "fn f() {\n    step();\n    one();\n    step();\n    two();\n    step();\n}\n",
        "fn f() {\n    step();\n    one();\n    pause();\n    two();\n    step();\n}\n",
    ),
    (
        "the body of a macro",
        "a.rs",
        "macro_rules! pair {\n    ($a:expr, $b:expr) => {\n        ($a, $b)\n    };\n}\n\nthread_local! {\n    static X: u8 = 1;\n}\n",
        "macro_rules! pair {\n    ($a:expr, $b:expr) => {\n        ($b, $a)\n    };\n}\n\nthread_local! {\n    static X: u8 = 2;\n    static Y: u8 = 3;\n}\n",
    ),
    (
        "imports and a new function",
        "a.rs",
        "use std::fmt;\nuse std::io;\n\nfn a() {}\n\nfn b() {}\n",
        "use std::fmt;\nuse std::sync::Arc;\n\nfn a() {}\n\nfn b() {}\n\nfn c() -> Arc<u8> {\n    Arc::new(1)\n}\n",
    ),
    (
        "a function and the blank line after it go",
        "a.rs",
        "fn a() {}\n\n/// Gone.\nfn b() {\n    a();\n}\n\nfn c() {}\n",
        "fn a() {}\n\nfn c() {}\n",
    ),
    (
        "code that does not parse, before and after",
        "a.rs",
        "fn a() {\n    let x = ;\n}\n\n)) nonsense ((\n\nfn b() {}\n",
        "fn a() {\n    let x = = 3;\n}\n\n)) more (( nonsense ((\n\nfn b() {}\n",
    ),
    (
        "a licence at the top, and blank lines",
        "a.go",
        "package a\n\nfunc A() int {\n\treturn 1\n}\n",
        "// Copyright nobody.\n\npackage a\n\n\nfunc A() int {\n\treturn 2\n}\n",
    ),
    (
        "windows line breaks",
        "a.py",
        "import os\r\n\r\n\r\ndef f(x):\r\n\tif x:\r\n\t\treturn 1\r\n\treturn 2\r\n",
        "import os\r\nimport sys\r\n\r\n\r\ndef f(x):\r\n\tif x:\r\n\t\treturn 3\r\n\treturn 2\r\n\r\n\r\ndef g():\r\n\treturn sys\r\n",
    ),
    (
        "a byte order mark and no final line break",
        "a.ts",
        "\u{feff}export function f(): number {\n  return 1;\n}",
        "\u{feff}export function f(): number {\n  return 2;\n}\nexport const g = 3;",
    ),
    (
        "the final line break comes and goes",
        "a.js",
        "function f() {\n  return '\u{1f980}';\n}\nf()",
        "function f() {\n  return '\u{1f980}\u{1f980}';\n}\nf()\n",
    ),
    (
        "trailing blanks stay where they are",
        "a.go",
        "package a\n\nfunc A() int {   \n\treturn 1;\t\n}\n\nvar x = 1  \n\t\nvar y = 2\t\n",
        "package a\n\nfunc A() int {   \n\treturn 2;\t\n}\n\nvar x = 3  \n\t\nvar y = 2\t\n",
    ),
    (
        "a signature, so that the path changes",
        "a.ts",
        "class A {\n  size() {\n    return 1;\n  }\n\n  twice() {\n    return 2 * this.size();\n  }\n}\n",
        "class A {\n  length() {\n    return 1;\n  }\n\n  twice() {\n    return 2 * this.length();\n  }\n}\n",
    ),
    (
        "statements in no symbol",
        "a.py",
        "x = 1\nprint(x)\nif x:\n    print(2)\n",
        "x = 1\nprint(x + 1)\nif x:\n    print(2)\nelse:\n    print(3)\n",
    ),
    (
        "a name with quotes in it",
        "a.rb",
        "class T < Test\n  should \"say \\\"one\\\"\" do\n    assert one\n  end\n\n  def two\n    2\n  end\nend\n",
        "class T < Test\n  should \"say \\\"one\\\"\" do\n    refute one\n  end\n\n  def two\n    2\n  end\nend\n",
    ),
    ("an empty file", "a.rs", "", "fn a() {}\n"),
    ("a file that is emptied", "a.rs", "fn a() {}\n", ""),
];

/// A long file of which little is left, in more places than are named one by one.
fn long() -> (String, String) {
    let function = |number: usize| format!("fn f{number}() {{\n    call({number});\n}}\n\n");
    let before = (0..4_000).map(function).collect();
    let after = (0..4_000).filter(|number| number % 100 == 0).map(function);
    (before, after.collect())
}

#[tokio::test]
async fn every_pair_is_reproduced_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let root = FilePath::new(folder.path()).unwrap();
    let mut bench = Bench::new(&root, folder.path());
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    let (before, after) = long();
    let long = ("most of a long file goes", "a.rs", &*before, &*after);
    for (name, path, before, after) in PAIRS.iter().chain([&long]) {
        let file = root.join(path).unwrap();
        let grammar = grammars::for_path(path).unwrap();
        let plan = plan::plan(&root, &file, grammar, before, after)
            .unwrap_or_else(|why| panic!("{name}: no way: {why}"));
        let text = bench
            .play(&file, before, &plan)
            .await
            .unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(text == *after, "{name}: {text}");
        for call in &plan.calls {
            *ways.entry(call.way).or_default() += 1;
        }
    }
    bench.shutdown().await;
    // The set is worth something only while it takes every kind of way.
    for way in [
        "edit_symbol",
        "edit_imports",
        "add_symbol",
        "delete",
        "lines",
    ] {
        assert!(ways.contains_key(way), "{way} in {ways:?}");
    }
}
