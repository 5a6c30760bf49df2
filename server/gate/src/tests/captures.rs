//! Ends of an edit that would take in what follows, in every language that has such.

use super::escapes::{outcome, replaced};
use super::*;

/// What is let through, or the rule that it is refused by.
fn rule(outcome: &str) -> &str {
    let rule = outcome.split(':').next().unwrap_or_default();
    match rule {
        "Scope" | "Parse" | "Size" | "Match" => rule,
        _ => "let through",
    }
}

/// A text with an item and what follows it, and ways for the item to end.
struct Case {
    language: &'static str,
    before: &'static str,
    /// The name path of the item and what it looks like, at its indentation.
    symbol: &'static str,
    item: &'static str,
    behind: &'static str,
    /// Ends that take in what follows.
    caught: &'static [&'static str],
    /// Ends that stand for themselves.
    fine: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        language: "typescript",
        before: "",
        symbol: "a",
        item: "function a() {}",
        behind: "\nfunction b() {}\n",
        caught: &[
            "export",
            "export // c",
            "export default",
            "declare",
            "async",
            "if (0)",
            "while (0)",
            "for (;;)",
            "label:",
            "x =",
            "x = async",
            "!",
            "void",
            "new",
            "export =",
            "a(",
            "`",
            "/*",
            "@b",
            "try {",
            "export { a }; export",
            "with (a)",
            "do",
            "throw",
            "await",
            "typeof",
            "const x =",
            "namespace x {",
            "declare global {",
            "function",
            "async function",
            "export const f =",
            "({",
            "[",
        ],
        fine: &[
            "a.b = 1;",
            "export { a };",
            "// b",
            "export default a;",
            "const asynchronous = 1;",
            "a()",
            "x",
        ],
    },
    Case {
        language: "typescript",
        before: "",
        symbol: "a",
        item: "function a() {}",
        behind: "\nclass B {}\n",
        caught: &[
            "export",
            "export default",
            "declare",
            "abstract",
            "export abstract",
            "@b",
            "@b()",
            "x =",
            "if (0)",
        ],
        fine: &["a.b = 1;", "const t = 1;"],
    },
    Case {
        language: "typescript",
        before: "",
        symbol: "a",
        item: "function a() {}",
        behind: "\n(function () {})();\n",
        caught: &["a", "a.b", "x = a", "export"],
        fine: &["a;"],
    },
    Case {
        language: "typescript",
        before: "class A {\n",
        symbol: "A/a",
        item: "  a() {}",
        behind: "\n  b() {}\n}\n",
        caught: &[
            "  static",
            "  async",
            "  get",
            "  set",
            "  private",
            "  abstract",
            "  readonly",
            "  override",
            "  *",
            "  @b",
            "  x =",
            "}\nclass C {",
            "  static {",
        ],
        fine: &["  c = 1;", "  get c() { return 1; }", "  // c"],
    },
    Case {
        language: "javascript",
        before: "",
        symbol: "a",
        item: "function a() {}",
        behind: "\nconst b = 1;\n",
        caught: &["export", "export // c", "if (0)", "label:", "for (;;)"],
        fine: &["a.b = 1;", "export { a };", "module.exports = a;"],
    },
    Case {
        language: "tsx",
        before: "",
        symbol: "A",
        item: "function A() { return <b /> }",
        behind: "\nfunction B() { return <b /> }\n",
        caught: &["export", "export default", "declare", "async", "x =", "<b>"],
        fine: &["A.displayName = 'A';", "export { A };"],
    },
    Case {
        language: "python",
        before: "",
        symbol: "a",
        item: "def a():\n    pass",
        behind: "\n\ndef b():\n    pass\n",
        caught: &[
            "if False:",
            "if False: # c",
            "try:",
            "while 0:",
            "with x:",
            "for x in y:",
            "else:",
            "elif x:",
            "except:",
            "finally:",
            "async",
            "@b",
            "@b(",
            "x =",
            "x = \\",
            "lambda:",
            "def c():",
            "class C:",
            "match x:",
            "'''",
            "(",
            "[",
            "if x:\n    pass\nelse:",
            "try:\n    pass\nfinally:",
            "async def c():",
            "class C: # c",
        ],
        fine: &[
            "a.short = 1",
            "# b",
            "x = 1",
            "if x: pass",
            "if x:\n    pass",
            "def c(): pass",
            "class C: ...",
            "a()",
        ],
    },
    Case {
        language: "python",
        before: "class A:\n",
        symbol: "A/a",
        item: "    def a(self):\n        pass",
        behind: "\n    def b(self):\n        pass\n\nc = 1\n",
        caught: &[
            "    if x:",
            "    @b",
            "    @property",
            "if x:",
            "class C:",
            "    class C:",
            "    def c(self):",
            "    try:",
        ],
        fine: &["    x = 1", "    @property\n    def c(self): pass"],
    },
    Case {
        language: "python",
        before: "if x:\n    y = 1\n\n\n",
        symbol: "a",
        item: "def a():\n    pass",
        behind: "\n\ndef b():\n    pass\n",
        caught: &["if False:", "else:"],
        fine: &["a.short = 1"],
    },
    Case {
        language: "rust",
        before: "",
        symbol: "a",
        item: "fn a() {}",
        behind: "\nfn b() {}\n",
        caught: &[
            "pub",
            "pub(crate)",
            "async",
            "unsafe",
            "const",
            "default",
            "extern",
            "extern \"C\"",
            "#[cfg(any())]",
            "#[test]",
            "/// b",
            "mod x {",
            "impl X {",
            "macro_rules! m {",
            "/*",
            "r#\"",
            "const X: () = {",
            "pub // c",
            "fn",
            "static",
            "type X =",
            "#![allow(x)]\n#[",
            "use x::",
            "where",
            "struct X",
        ],
        fine: &[
            "// b",
            "const X: u8 = 1;",
            "x!{}",
            "struct X;",
            "fn c() {}",
            "#[cfg(x)]\nmod c;",
        ],
    },
    Case {
        language: "c",
        before: "",
        symbol: "a",
        item: "int a(void) {}",
        behind: "\nint b(void) {}\n",
        caught: &[
            "static",
            "extern",
            "extern \"C\"",
            "extern \"C\" {",
            "typedef",
            "__attribute__((weak))",
            "inline",
            "#if 0",
            "#ifdef X",
            "/*",
            "struct x {",
            "union",
            "const",
            "struct x",
        ],
        fine: &["static int c;", "#define C 1", "struct x;", "// b"],
    },
    Case {
        language: "c",
        before: "#ifndef H\n#define H 1\n\n",
        symbol: "a",
        item: "int a(void) {}",
        behind: "\nint b(void) {}\n\n#endif\n",
        caught: &["#else", "#endif\n#if 0", "#if 0", "#elif X", "static"],
        fine: &["static int c;", "#if X\nint c;\n#endif"],
    },
    Case {
        language: "c",
        before: "",
        symbol: "a",
        item: "int a(void) {}",
        behind: "int b(void) {}\n",
        caught: &["// d \\", "#define C \\", "/* c"],
        fine: &["#define C 1"],
    },
    Case {
        language: "cpp",
        before: "",
        symbol: "a",
        item: "int a() {}",
        behind: "\nint b() {}\n",
        caught: &[
            "template <class T>",
            "static",
            "extern \"C\"",
            "namespace x {",
            "[[noreturn]]",
            "constexpr",
            "inline",
            "class X : public",
            "#if 0",
            "auto x =",
            "virtual",
            "using x =",
            "friend",
        ],
        fine: &["static int c;", "using x = int;"],
    },
    Case {
        language: "java",
        before: "class A {\n",
        symbol: "A/a",
        item: "  void a() {}",
        behind: "\n  void b() {}\n}\n",
        caught: &[
            "  @B",
            "  public",
            "  static",
            "  final",
            "  synchronized",
            "  default",
            "}\nclass C {",
            "  /*",
            "  static {",
        ],
        fine: &["  int c;", "  void c() {}", "  // c"],
    },
    Case {
        language: "csharp",
        before: "class A {\n",
        symbol: "A/a",
        item: "  void a() {}",
        behind: "\n  void b() {}\n}\n",
        caught: &[
            "  [B]",
            "  public",
            "  static",
            "  async",
            "  unsafe",
            "  partial",
            "}\nclass C {",
            "#if X",
            "  /*",
        ],
        fine: &["  int c;", "  void c() {}", "  // c"],
    },
    Case {
        language: "kotlin",
        before: "",
        symbol: "a",
        item: "fun a() {}",
        behind: "\nclass B(val x: Int)\n",
        caught: &[
            "private",
            "data",
            "sealed",
            "abstract",
            "open",
            "@B",
            "enum",
            "annotation",
            "inner",
            "object C {",
            "/*",
            "val x =",
        ],
        fine: &["val c = 1", "fun c() {}", "// c"],
    },
    Case {
        language: "swift",
        before: "",
        symbol: "a",
        item: "func a() {}",
        behind: "\nfunc b() {}\n",
        caught: &[
            "public",
            "private",
            "@discardableResult",
            "static",
            "@objc",
            "struct C {",
            "/*",
            "final",
        ],
        fine: &["let c = 1", "func c() {}", "// c"],
    },
    Case {
        language: "scala",
        before: "object A {\n",
        symbol: "A/a",
        item: "  def a = 1",
        behind: "\n  def b = 2\n}\n",
        caught: &[
            "  private",
            "  implicit",
            "  override",
            "  @B",
            "  lazy",
            "  final",
            "  def c =",
            "  if (x)",
            "}\nobject C {",
            "  /*",
        ],
        fine: &["  val c = 1", "  def c = 1", "  // c"],
    },
    Case {
        language: "go",
        before: "package x\n\n",
        symbol: "a",
        item: "func a() {}",
        behind: "\nfunc b() {}\n",
        caught: &[
            "type",
            "var x =",
            "var x = 1 +",
            "/*",
            "`",
            "type X",
            "type X =",
        ],
        fine: &["var c = 1", "type X int", "// b"],
    },
    Case {
        language: "php",
        before: "<?php\n",
        symbol: "a",
        item: "function a() {}",
        behind: "\nclass B {}\n",
        caught: &[
            "abstract",
            "final",
            "readonly",
            "#[B]",
            "if (0):",
            "if (0)",
            "namespace x {",
            "/*",
            "<<<X",
            "?>",
            "while (0)",
        ],
        fine: &["const C = 1;", "// b", "$x = 1;"],
    },
    Case {
        language: "ruby",
        before: "",
        symbol: "a",
        item: "def a\nend",
        behind: "\ndef b\nend\n",
        caught: &[
            "class C", "module C", "if x", "begin", "x =", "=begin", "__END__", "<<X", "while x",
            "x ||", "->", "loop do",
        ],
        fine: &["C = 1", "# b", "private :a"],
    },
    Case {
        language: "lua",
        before: "",
        symbol: "a",
        item: "function a() end",
        behind: "\nfunction b() end\n",
        caught: &[
            "local",
            "if x then",
            "do",
            "while x do",
            "--[[",
            "x =",
            "return",
            "for i = 1, 2 do",
            "function c()",
            "repeat",
        ],
        fine: &["x = 1", "-- b", "a.x = 1"],
    },
    Case {
        language: "bash",
        before: "",
        symbol: "a",
        item: "a() { :; }",
        behind: "\nb() { :; }\n",
        caught: &[
            "function",
            "if x; then",
            "while x; do",
            "cat <<X",
            "x &&",
            "x |",
            "(",
            "{",
            "!",
            "case x in",
            "'",
        ],
        fine: &["x=1", "# b", "readonly c=1"],
    },
    Case {
        language: "elixir",
        before: "defmodule A do\n",
        symbol: "A/a",
        item: "  def a, do: 1",
        behind: "\n  def b, do: 2\nend\n",
        caught: &[
            "  if x do",
            "  x =",
            "  defmodule C do",
            "  @x (",
            "  x |>",
            "  \"\"\"",
            "  quote do",
        ],
        fine: &["  @c 1", "  # b"],
    },
    Case {
        language: "haskell",
        before: "module A where\n\n",
        symbol: "f",
        item: "f = 1",
        behind: "\ng = 2\n",
        caught: &["{-", "h = (", "class C a where {", "h = do {", "h = let {"],
        fine: &["h :: Int\nh = 3", "-- g", "h = 3"],
    },
    Case {
        language: "ocaml",
        before: "",
        symbol: "a",
        item: "let a = 1",
        behind: "\nlet b = 2\n",
        caught: &[
            "module M = struct",
            "(*",
            "let c =",
            "let c = 1 in",
            "open struct",
            "let c = fun x ->",
            "let c = if x then",
        ],
        fine: &["let c = 3", "(* b *)"],
    },
    Case {
        language: "zig",
        before: "",
        symbol: "a",
        item: "fn a() void {}",
        behind: "\nfn b() void {}\n",
        caught: &[
            "pub",
            "export",
            "inline",
            "extern",
            "/// b",
            "const x = struct {",
            "test {",
        ],
        fine: &["const c = 1;", "// b"],
    },
    Case {
        language: "css",
        before: "",
        symbol: "a",
        item: "a { x: y; }",
        behind: "\nb { x: y; }\n",
        caught: &["c,", "c >", "@media print {", "/*", "c {", "c"],
        fine: &["c { x: y; }"],
    },
    Case {
        language: "yaml",
        before: "x:\n",
        symbol: "x/a",
        item: "  a: 1",
        behind: "  b: 2\n",
        caught: &["  c: '", "  c: [", "  c: {d: e"],
        fine: &["  c: 3", "  c:"],
    },
    Case {
        language: "toml",
        before: "[x]\n",
        symbol: "x/a",
        item: "a = 1",
        behind: "b = 2\n",
        caught: &["[y]", "c = [", "c = '''", "[[y]]"],
        fine: &["c = 3"],
    },
    Case {
        language: "json",
        before: "{\n",
        symbol: "a",
        item: "  \"a\": 1",
        behind: ",\n  \"b\": 2\n}\n",
        caught: &[",\n  \"c\": {\"d\": 3", ",\n  \"c\": [1", "},\n{\"c\": 1"],
        fine: &[",\n  \"c\": 3"],
    },
    Case {
        language: "markdown",
        before: "# x\n\n",
        symbol: "x/a",
        item: "## a\n\ntext\n",
        behind: "\n## b\n\ntext\n",
        caught: &["# y", "```", "<!--"],
        fine: &["### c", "more"],
    },
    Case {
        language: "html",
        before: "<main>\n",
        symbol: "main/a",
        item: "<p id=\"a\">x</p>",
        behind: "<p id=\"b\">x</p>\n</main>\n",
        caught: &["<!--", "<div>", "<script>", "</main><main>", "<template>"],
        fine: &["<b>x</b>"],
    },
    Case {
        language: "html",
        before: "<script>\n",
        symbol: "script/a",
        item: "function a() {}",
        behind: "\nfunction b() {}\n</script>\n",
        caught: &["export", "x =", "if (0)", "label:", "</script><script>"],
        fine: &["a.b = 1;", "// b"],
    },
    Case {
        language: "sql",
        before: "",
        symbol: "a",
        item: "CREATE TABLE a (x INT)",
        behind: ";\nCREATE TABLE b (x INT);\n",
        caught: &["/*", ";\nEXPLAIN", "'"],
        fine: &["-- b"],
    },
];

/// The two ways to put an end behind an item.
fn ways(case: &Case, end: &str) -> [String; 2] {
    let source = format!("{}{}\n{}", case.before, case.item, case.behind);
    let text = format!("{}\n{end}", case.item);
    let beside = Operation::AddSymbol {
        anchor: case.symbol.to_owned(),
        place: Place::After,
        text: end.to_owned(),
    };
    [
        replaced(case.language, &source, case.symbol, &text),
        outcome(case.language, &source, case.symbol, beside),
    ]
}

#[test]
fn no_end_of_an_edit_takes_in_what_follows() {
    let mut wrong = Vec::new();
    for case in CASES {
        for end in case.caught {
            for outcome in ways(case, end) {
                if rule(&outcome) == "let through" {
                    wrong.push(format!(
                        "{} {end:?} is let through:\n{outcome}",
                        case.language
                    ));
                }
            }
        }
        for end in case.fine {
            let [outcome, _] = ways(case, end);
            if rule(&outcome) != "let through" {
                wrong.push(format!("{} {end:?} is refused: {outcome}", case.language));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What lies in the target is in scope, whichever part of it the edit is addressed to.
#[test]
fn inside_of_the_target_an_edit_may_take_in_what_follows() {
    let source = "class A {\n  a() {}\n\n  b() {}\n}\n\nfunction c() {}\n";
    let grammar = grammars::by_name("typescript").unwrap();
    let text = Text::from(source);
    let parsed = Parsed::parse(grammar, &text);
    let file = FilePath::new(FILE).unwrap();
    let view = View {
        file: &file,
        text: &text,
        version: None,
        parsed: &parsed,
    };
    let policy = Policy::new(vec![FilePath::new("/w").unwrap()]);
    let said = |symbol: &str, stands: &str, text: &str| {
        let proposal = Proposal {
            file: file.clone(),
            operation: Operation::ReplaceSymbol {
                symbol: symbol.to_owned(),
                base: Hash::of(stands),
                text: text.to_owned(),
            },
            reason: String::new(),
        };
        match decide(&view, &Scope::symbol(file.clone(), "A"), &policy, &proposal) {
            Verdict::Approved { edit, .. } => edit.want().unwrap().to_string(),
            Verdict::NeedsApproval(question) => question.text,
            Verdict::Refused(refusal) => refusal.message,
        }
    };
    let class = "class A {\n  a() {}\n\n  b() {}\n}";
    assert_eq!(
        said("A/a", "a() {}", "a() {}\n  static"),
        source.replace("a() {}", "a() {}\n  static")
    );
    assert_eq!(
        said("A", class, &format!("{class}\nexport")),
        "this would make something else of line 8, which is outside the scope; end it with the item itself"
    );
}

/// What holds an item ends with it where no sign closes it, and goes on to do so.
#[test]
fn the_first_and_the_last_of_a_block_can_come_and_go() {
    let part = |name: &str| format!("    def {name}(self):\n        pass\n");
    let class = |names: &[&str]| {
        let parts: Vec<String> = names.iter().map(|name| part(name)).collect();
        format!("class A:\n{}\n\nc = 1\n", parts.join("\n"))
    };
    let source = class(&["a", "b"]);
    let add = |place, symbol: &str| {
        let operation = Operation::AddSymbol {
            anchor: symbol.to_owned(),
            place,
            text: "def x(self):\n    pass".to_owned(),
        };
        outcome("python", &source, symbol, operation)
    };
    let replace = |symbol: &str, text: &str| replaced("python", &source, symbol, text);
    let check = |outcome: String, names: &[&str]| {
        let written = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(str::to_owned).collect()
        };
        assert_eq!(written(&outcome), written(&class(names)));
    };
    check(replace("A/a", ""), &["b"]);
    check(replace("A/b", ""), &["a"]);
    check(
        replace("A/b", &[part("x"), part("y")].join("\n")),
        &["a", "x", "y"],
    );
    check(add(Place::Before, "A/a"), &["x", "a", "b"]);
    check(add(Place::After, "A/b"), &["a", "b", "x"]);
    check(add(Place::Inside, "A"), &["a", "b", "x"]);
}
