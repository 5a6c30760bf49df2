//! What the model answers in each story, and what that uses.

use ledger::Usage;

/// A change of a text that stands once in a file.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
}

impl Piece {
    pub(crate) fn apply(&self, source: &str) -> String {
        once(source, self.old);
        source.replacen(self.old, self.new, 1)
    }

    pub(crate) fn revert(&self, source: &str) -> String {
        once(source, self.new);
        source.replacen(self.new, self.old, 1)
    }

    /// Leaves the piece and puts a text before it.
    pub(crate) fn put_before(&self, source: &str, text: &str) -> String {
        once(source, self.old);
        source.replacen(self.old, &format!("{text}{}", self.old), 1)
    }
}

fn once(source: &str, part: &str) {
    assert_eq!(
        source.matches(part).count(),
        1,
        "{part:?} is there not exactly once"
    );
}

/// The documentation, the way out for plain text, and, in the second answer, the sum.
pub(crate) const FASTER: [Piece; 3] = [
    Piece {
        old: "/// Compute the display width of `text`\n",
        new: "/// Compute the display width of `text`, at once where it is plain\n",
    },
    Piece {
        old: "    let mut width = 0;\n",
        new: "    if is_plain(text) {\n        return text.len();\n    }\n    let mut width = 0_usize;\n",
    },
    Piece {
        old: "            width += ch_width(ch);\n",
        new: "            width = width.saturating_add(ch_width(ch));\n",
    },
];

/// What follows the function in the file, so that the helper is put before it.
pub(crate) const BARE: Piece = Piece {
    old: "#[cfg(feature = \"unicode\")]\nfn ch_width",
    new: "",
};

pub(crate) const IMPORT: &str = "use std::ops::RangeInclusive;\n";

pub(crate) const HELPER: &str = "\
/// Whether every character takes one column and none begins a control sequence.
fn is_plain(text: &str) -> bool {
    const PLAIN: RangeInclusive<u8> = b' '..=b'~';
    text.bytes().all(|byte| PLAIN.contains(&byte))
}

";

pub(crate) const FASTER_USAGE: [Usage; 3] = [
    Usage {
        input: 1453,
        cache_write_5m: 2617,
        cache_write_1h: 0,
        cache_read: 0,
        output: 641,
    },
    Usage {
        input: 421,
        cache_write_5m: 709,
        cache_write_1h: 0,
        cache_read: 4070,
        output: 149,
    },
    Usage {
        input: 97,
        cache_write_5m: 223,
        cache_write_1h: 0,
        cache_read: 5200,
        output: 43,
    },
];

/// Each of the two answers with edits waits in its middle for the user to have typed.
pub(crate) fn faster() -> String {
    let [doc, plain, sum] = FASTER;
    let [first, second, third] = FASTER_USAGE.map(usage);
    format!(
        r#"
chunk_bytes = 64

[expect]
model = "claude-sonnet-5-5"
key = "story-key"

[[turn]]
expect = {{ contains = ["Make `display_width` faster", "symbol: display_width"], tools = ["edit_symbol", "add_symbol", "edit_imports", "find"], cache_breakpoints = 2 }}
usage = {first}
text = "Most text is plain."
[[turn.fault]]
hold_after = {{ events = 3 }}
times = 1
[[turn.tool]]
name = "edit_imports"
input = {{ add = ["{import}"], remove = [], reason = "names the range of plain characters" }}
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "display_width"
base = "{{{{hash:display_width}}}}"
reason = "plain text is as wide as it is long"
edits = [{doc}, {plain}]
[[turn.tool]]
name = "add_symbol"
[turn.tool.input]
anchor = "display_width"
position = "after"
text = '''
{helper}'''
reason = "one pass over the bytes tells plain text"

[[turn]]
expect = {{ tool_result_contains = "landed" }}
usage = {second}
[[turn.fault]]
hold_after = {{ events = 2 }}
times = 1
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "display_width"
base = "{{{{hash:display_width}}}}"
reason = "a sum that cannot overflow needs no check"
edits = [{sum}]

[[turn]]
expect = {{ tool_result_contains = "landed" }}
usage = {third}
text = "Plain text is measured in one pass now."
"#,
        import = IMPORT.trim_end(),
        helper = HELPER.trim_end(),
        doc = edit(&doc),
        plain = edit(&plain),
        sum = edit(&sum),
    )
}

/// An answer that begins and never ends.
pub(crate) const STALLED: &str = r#"
[[turn]]
expect = { contains = "Simplify `display_width`" }
usage = { input = 1453, cache_write_5m = 2617, output = 641 }
text = "I will look at it for a long time."
[[turn.fault]]
hold_after = { events = 3 }
times = 1
[[turn]]
text = "Nobody waits for this."
"#;

/// Arms of one statement, on one line each.
pub(crate) const TERSE: Piece = Piece {
    old: r#"                    "version" => {
                        self.write_version();
                    }
                    "author" => {
                        self.write_author(false, false);
                    }
                    "author-with-newline" => {
                        self.write_author(false, true);
                    }
                    "author-section" => {
                        self.write_author(true, true);
                    }
                    "about" => {
                        self.write_about(false, false);
                    }
                    "about-with-newline" => {
                        self.write_about(false, true);
                    }
                    "about-section" => {
                        self.write_about(true, true);
                    }
"#,
    new: r#"                    "version" => self.write_version(),
                    "author" => self.write_author(false, false),
                    "author-with-newline" => self.write_author(false, true),
                    "author-section" => self.write_author(true, true),
                    "about" => self.write_about(false, false),
                    "about-with-newline" => self.write_about(false, true),
                    "about-section" => self.write_about(true, true),
"#,
};

pub(crate) const TERSE_USAGE: [Usage; 2] = [
    Usage {
        input: 3001,
        cache_write_5m: 2617,
        cache_write_1h: 0,
        cache_read: 0,
        output: 401,
    },
    Usage {
        input: 131,
        cache_write_5m: 611,
        cache_write_1h: 0,
        cache_read: 5618,
        output: 29,
    },
];

pub(crate) fn terse() -> String {
    let [first, second] = TERSE_USAGE.map(usage);
    format!(
        r#"
[[turn]]
expect = {{ contains = "`write_templated_help` is 91 lines long" }}
usage = {first}
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "HelpTemplate/write_templated_help"
base = "{{{{hash:HelpTemplate/write_templated_help}}}}"
reason = "an arm of one statement needs no block"
edits = [{edit}]

[[turn]]
expect = {{ tool_result_contains = "landed" }}
usage = {second}
text = "It is shorter by fourteen lines."
"#,
        edit = edit(&TERSE),
    )
}

fn usage(usage: Usage) -> String {
    let Usage {
        input,
        cache_write_5m,
        cache_write_1h,
        cache_read,
        output,
    } = usage;
    format!(
        "{{ input = {input}, cache_write_5m = {cache_write_5m}, cache_write_1h = {cache_write_1h}, cache_read = {cache_read}, output = {output} }}"
    )
}

/// An edit as a tool takes it; a JSON string is a TOML string.
fn edit(piece: &Piece) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    format!(
        "{{ old_text = {}, new_text = {} }}",
        quoted(piece.old),
        quoted(piece.new)
    )
}
