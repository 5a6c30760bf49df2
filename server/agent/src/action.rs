use std::fmt;

use index::{Grammar, Symbol, SymbolKind};
use serde::{Deserialize, Serialize};
use text::{FilePath, Range};

/// What the user can ask for at a place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make it easier to read.
    Simplify,
    /// Break a function into named steps.
    Extract,
    /// Make it use less time or memory.
    Faster,
    /// Make it deal with what can go wrong.
    Harden,
    /// Write tests for it.
    Tests,
    /// Write its documentation.
    Document,
    /// Repair what a diagnostic or a finding reports.
    Fix,
    /// Do what a comment in it asks for.
    Comment,
    /// Say what is wrong with the structure of a file or a folder; changes nothing.
    Review,
}

/// An action bound to a place: what one run is started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What to do.
    pub action: Action,
    /// The file.
    pub file: FilePath,
    /// Name path of the symbol to do it to.
    pub symbol: String,
    /// What the user had selected, when that is less than the symbol.
    pub selection: Option<Range>,
    /// The words of the diagnostic, the comment or the finding to act on.
    pub instruction: Option<String>,
    /// What other tools report inside the symbol.
    pub diagnostics: Vec<Note>,
    /// What the team wants to be kept to in this file, each piece on its own.
    pub conventions: Vec<String>,
}

/// What another tool reports about a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The line, counted from 1.
    pub line: usize,
    /// Who reports it.
    pub source: Option<String>,
    /// Its code there.
    pub code: Option<String>,
    /// What it says.
    pub message: String,
}

impl Action {
    /// Whether what it makes may belong into a file of its own.
    pub fn may_create(self) -> bool {
        matches!(self, Action::Extract | Action::Tests | Action::Comment)
    }

    /// Whether it may take other files than its own to be renamed or deleted: only where the user's words can ask for that.
    pub fn may_move(self) -> bool {
        matches!(self, Action::Comment)
    }

    const ALL: [Action; 9] = [
        Action::Simplify,
        Action::Extract,
        Action::Faster,
        Action::Harden,
        Action::Tests,
        Action::Document,
        Action::Fix,
        Action::Comment,
        Action::Review,
    ];

    /// Every action, in the order of a menu.
    pub fn all() -> &'static [Action] {
        &Action::ALL
    }

    /// The name in settings, in the ledger and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Action::Simplify => "simplify",
            Action::Extract => "extract",
            Action::Faster => "faster",
            Action::Harden => "harden",
            Action::Tests => "tests",
            Action::Document => "document",
            Action::Fix => "fix",
            Action::Comment => "comment",
            Action::Review => "review",
        }
    }

    /// The action of that name.
    pub fn from_id(id: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.id() == id)
    }

    /// The words of the menu, for the symbol of that name path and, where it acts on them, the words of a diagnostic or a
    /// comment.
    pub fn title(self, symbol: &str, instruction: Option<&str>) -> String {
        let name = last_name(symbol);
        let words = || one_line(instruction.unwrap_or(name), 60);
        match self {
            Action::Simplify => format!("Simplify `{name}`"),
            Action::Extract => format!("Extract functions from `{name}`"),
            Action::Faster => format!("Make `{name}` faster"),
            Action::Harden => format!("Harden errors in `{name}`"),
            Action::Tests => format!("Add tests for `{name}`"),
            Action::Document => format!("Document `{name}`"),
            Action::Fix => format!("Fix: {}", words()),
            Action::Comment => format!("Do what the comment says: “{}”", words()),
            Action::Review if name.is_empty() => "Review the workspace with the model".to_owned(),
            Action::Review => format!("Review `{name}` with the model"),
        }
    }

    /// Whether a menu offers it on `symbol` without a diagnostic or a comment to act on.
    pub fn is_offered_on(self, symbol: &Symbol, grammar: &Grammar) -> bool {
        match self {
            Action::Fix | Action::Comment | Action::Review => false,
            Action::Simplify
            | Action::Extract
            | Action::Faster
            | Action::Harden
            | Action::Tests
            | Action::Document => self.applies_to(symbol, grammar),
        }
    }

    /// Whether it makes sense for `symbol` of a file in the language of `grammar`.
    pub fn applies_to(self, symbol: &Symbol, grammar: &Grammar) -> bool {
        if !grammar.allows(self.id(), symbol.kind) {
            return false;
        }
        let has_code = symbol.kind.is_callable() && symbol.body.is_some();
        let is_part = matches!(symbol.kind, SymbolKind::Field | SymbolKind::Variant);
        match self {
            Action::Extract | Action::Faster => has_code && !symbol.test,
            Action::Harden => (has_code || holds_code(symbol)) && !symbol.test,
            Action::Simplify => has_code || holds_code(symbol),
            Action::Tests => !symbol.test && (has_code || holds_code(symbol)),
            Action::Document => !symbol.test,
            Action::Fix | Action::Comment => !is_part,
            // It is about a file or a folder.
            Action::Review => false,
        }
    }
}

/// Whether it is a body of members that may have code.
fn holds_code(symbol: &Symbol) -> bool {
    let kind = matches!(
        symbol.kind,
        SymbolKind::Class | SymbolKind::Interface | SymbolKind::Impl | SymbolKind::Macro
    );
    kind && (symbol.body.is_some() || symbol.kind == SymbolKind::Macro)
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Task {
    /// A task without selection, words, diagnostics and conventions.
    pub fn new(action: Action, file: FilePath, symbol: impl Into<String>) -> Task {
        Task {
            action,
            file,
            symbol: symbol.into(),
            selection: None,
            instruction: None,
            diagnostics: Vec::new(),
            conventions: Vec::new(),
        }
    }

    /// The words of the menu.
    pub fn title(&self) -> String {
        self.action.title(&self.symbol, self.instruction.as_deref())
    }
}

/// The last name of a name path, without the ordinal that tells namesakes apart.
pub(crate) fn last_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('#') {
        Some((name, ordinal))
            if !name.is_empty()
                && !ordinal.is_empty()
                && ordinal.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => name,
    }
}

/// `text` on one line and no longer than `most` characters, fit to show: without control or invisible characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .map(visible)
        .filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    if line.chars().nth(most).is_none() {
        return line;
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The word without characters that change how text around them looks and are not seen themselves.
fn visible(word: &str) -> String {
    let invisible = |c: &char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    word.chars().filter(|c| !invisible(c)).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[test]
    fn an_action_is_known_by_its_id_everywhere() {
        for action in Action::all() {
            assert_eq!(Action::from_id(action.id()), Some(*action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.id());
        }
        assert_eq!(Action::from_id("explode"), None);
    }

    #[test]
    fn every_action_has_a_shipped_guess_of_its_cost() {
        let unknown = Action::all()
            .iter()
            .filter(|action| !ledger::is_known_kind(action.id()));
        assert_eq!(unknown.count(), 0);
    }

    #[test]
    fn titles_say_what_happens_to_what() {
        let file = FilePath::new("/w/a.x").unwrap();
        let mut task = Task::new(Action::Faster, file, "Parser/parse#2");
        assert_eq!(task.title(), "Make `parse` faster");
        task.action = Action::Fix;
        task.instruction = Some("mismatched types\n  expected `u32`, found `String` because of the return type of the function".to_owned());
        assert_eq!(
            task.title(),
            "Fix: mismatched types expected `u32`, found `String` because of…"
        );
        task.action = Action::Comment;
        task.instruction = Some("use\u{202e} a map".to_owned());
        assert_eq!(task.title(), "Do what the comment says: “use a map”");
    }

    #[test]
    fn what_is_offered_depends_on_what_the_cursor_is_in() {
        let check = |path: &str, source: &str, expected: Expect| {
            let facts = index::Facts::of(grammars::for_path(path).unwrap(), source);
            let offered = facts.symbols.iter().map(|symbol| {
                let actions = Action::all().iter();
                let actions = actions.filter(|action| action.is_offered_on(symbol, facts.grammar));
                let actions: Vec<&str> = actions.map(|action| action.id()).collect();
                format!("{}: {}\n", symbol.path, actions.join(" "))
            });
            expected.assert_eq(&offered.collect::<String>());
        };
        check(
            "a.json",
            r#"{ "scripts": { "test": "run" } }"#,
            expect![[r#"
                scripts: 
                scripts/test: 
            "#]],
        );
        check(
            "a.toml",
            "[package]\nname = 1\n",
            expect![[r#"
            package: document
            package/name: document
        "#]],
        );
        check(
            "a.md",
            "# One\n\nText.\n",
            expect![[r#"
            One: 
        "#]],
        );
        check(
            "a.css",
            ".a { color: red }",
            expect![[r#"
            .a: document
        "#]],
        );
        check(
            "a.html",
            "<main id=\"top\"><script>function add() { go(); }</script></main>",
            expect![[r#"
                top: 
                top/script: 
                top/script/add: simplify extract faster harden tests document
            "#]],
        );
        check(
            "a.py",
            "def add():\n    go()\n",
            expect![[r#"
            add: simplify extract faster harden tests document
        "#]],
        );
    }

    /// The languages say which of them make sense on their data.
    #[test]
    fn every_language_names_actions_that_there_are() {
        for grammar in grammars::all() {
            for action in grammar.data_actions {
                assert!(Action::from_id(action).is_some(), "{action}");
            }
        }
    }

    #[test]
    fn an_ordinal_is_no_part_of_a_name() {
        assert_eq!(last_name("a/b#12"), "b");
        assert_eq!(last_name("a/c#"), "c#");
        assert_eq!(last_name("#1"), "#1");
    }
}
