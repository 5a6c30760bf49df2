//! What users do with Farthing, in their words; and the small project most tests do it in.

use std::path::Path;

use jiff::Timestamp;
use ledger::{By, Ledger, Money, Prices, ReportRow, Usage};
use serde_json::{Value, json};

use crate::harness::{Editor, Home, Options};
use crate::model::Model;

pub(crate) const FILE: &str = "src/lib.rs";

pub(crate) const SHOP: &str = r#"//! A shop.

/// What is bought together.
pub struct Cart {
    pub items: Vec<u64>,
}

impl Cart {
    /// Adds everything up.
    pub fn total(&self) -> u64 {
        let mut sum = 0;
        for item in &self.items {
            sum += item;
        }
        sum
    }
}

/// Says hello.
pub fn greet(name: &str) -> String {
    let mut text = String::new();
    text.push_str("Hello, ");
    text.push_str(name);
    text
}
"#;

/// What the model changes in [`SHOP`], once.
pub(crate) const BEFORE: &str = "Hello, ";
pub(crate) const AFTER: &str = "Good day, ";

/// The model changes one line of `greet` and is done.
pub(crate) const GREET: &str = r#"
[[turn]]
usage = { input = 1000, cache_write_5m = 200, output = 100 }
[[turn.tool]]
name = "edit_symbol"
[turn.tool.input]
symbol = "greet"
base = "{{hash:greet}}"
reason = "it sounds better"
[[turn.tool.input.edits]]
old_text = 'text.push_str("Hello, ");'
new_text = 'text.push_str("Good day, ");'

[[turn]]
usage = { input = 50, cache_read = 1200, output = 10 }
text = "It is politer now."
"#;

/// What [`GREET`] uses.
pub(crate) const GREET_USAGE: [Usage; 2] = [
    Usage {
        input: 1000,
        cache_write_5m: 200,
        cache_write_1h: 0,
        cache_read: 0,
        output: 100,
    },
    Usage {
        input: 50,
        cache_write_5m: 0,
        cache_write_1h: 0,
        cache_read: 1200,
        output: 10,
    },
];

/// The words of the menu for the action that the scripts are about.
pub(crate) const SIMPLIFY: &str = "Simplify `greet`";

/// The shop on disk.
pub(crate) fn shop() -> Home {
    let home = Home::new();
    home.write(
        "Cargo.toml",
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    home.write(FILE, SHOP);
    home
}

/// An editor with the shop's file open.
pub(crate) fn open(home: &Home, options: Options) -> Editor {
    let mut editor = Editor::start(home, options);
    editor.initialize();
    editor.open(FILE);
    editor
}

/// An editor with the shop's file open, and a model behind it.
pub(crate) fn open_with(home: &Home, model: &Model, options: Options) -> Editor {
    open(home, model.behind(options))
}

/// The shop as [`GREET`] leaves it.
pub(crate) fn greeted() -> String {
    SHOP.replacen(BEFORE, AFTER, 1)
}

/// What the ledger of a home says in all; nobody else may have it open for writing at the moment.
pub(crate) fn booked(home: &Home) -> ReportRow {
    let ledger = Ledger::open(&home.state().join("ledger.db")).unwrap();
    let rows = ledger.report(By::Workspace, None, None).unwrap();
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    row.clone()
}

/// What this costs at the shipped price of the usual model.
pub(crate) fn price(usages: &[Usage]) -> Money {
    let prices = Prices::shipped();
    let row = prices
        .lookup("claude-sonnet-5-5", Timestamp::now())
        .unwrap();
    usages.iter().fold(Money::ZERO, |sum, usage| {
        sum.saturating_add(row.cost(usage))
    })
}

/// Copies a folder of Rust code into the workspace; answers with how many files there are.
pub(crate) fn copy(home: &Home, from: &Path, to: &str) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{to}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files += copy(home, &entry.path(), &name);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            home.write(&name, &text);
            files += 1;
        }
    }
    files
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Editor {
    /// The titles of the menu.
    pub(crate) fn menu(&mut self, path: &str, needle: &str) -> Vec<String> {
        self.code_actions(path, needle)
            .iter()
            .map(|action| text(&action["title"]))
            .collect()
    }

    /// The first entry of the menu whose title begins so.
    pub(crate) fn action(&mut self, path: &str, needle: &str, title: &str) -> Value {
        let actions = self.code_actions(path, needle);
        let found = actions
            .iter()
            .find(|action| text(&action["title"]).starts_with(title));
        let titles: Vec<&Value> = actions.iter().map(|action| &action["title"]).collect();
        found
            .unwrap_or_else(|| panic!("no {title:?} in {titles:?}"))
            .clone()
    }

    /// Picks an entry of the menu.
    pub(crate) fn pick(&mut self, path: &str, needle: &str, title: &str) -> Value {
        let action = self.action(path, needle, title);
        self.execute(&action)
    }

    /// Picks an entry that starts a run; answers with the run.
    pub(crate) fn launch(&mut self, path: &str, needle: &str, title: &str) -> String {
        let answer = self.pick(path, needle, title);
        let run = answer["run"].as_str();
        run.unwrap_or_else(|| panic!("no run began: {answer}"))
            .to_owned()
    }

    /// Runs a command of ours.
    pub(crate) fn command(&mut self, command: &str, arguments: Value) -> Value {
        self.execute(&json!({"command": command, "arguments": [arguments]}))
    }

    /// Asks for a run at once, without a menu.
    pub(crate) fn command_run(&mut self, path: &str, symbol: &str) -> Value {
        let launch = json!({"action": "simplify", "symbol": symbol});
        let uri = self.uri(path);
        self.command("farthing.run", json!({"uri": uri, "launch": launch}))
    }

    /// Waits for the one end of a run; answers with its last words.
    pub(crate) fn end_of(&mut self, run: &str) -> String {
        let token = json!(token(run));
        let end = self.wait_for(&format!("end of run {run}"), |message| {
            message["method"] == "$/progress"
                && message["params"]["token"] == token
                && message["params"]["value"]["kind"] == "end"
        });
        text(&end["params"]["value"]["message"])
    }

    /// How many ends of a run were told so far.
    pub(crate) fn ends_of(&self, run: &str) -> usize {
        let told = self.progress(&json!(token(run)));
        told.iter().filter(|event| event["kind"] == "end").count()
    }

    /// Waits until the current version of a document has so many hunks; answers with their diagnostics.
    pub(crate) fn hunks(&mut self, path: &str, count: usize) -> Vec<Value> {
        self.markers(path, "hunk", count)
    }

    /// Waits until the current version of a document has so many diagnostics with this code.
    pub(crate) fn markers(&mut self, path: &str, code: &str, count: usize) -> Vec<Value> {
        self.wait_until(&format!("{count} diagnostics {code} in {path}"), |editor| {
            let published = editor.diagnostics(path);
            let items = published
                .items
                .into_iter()
                .filter(|item| item["code"] == code);
            let items: Vec<Value> = items.collect();
            // That there is still nothing to show is not said again for each version.
            let current = count == 0 || published.version == Some(editor.version(path));
            (current && items.len() == count).then_some(items)
        })
    }

    /// Waits for a message to the user that contains this, and takes it.
    pub(crate) fn told(&mut self, part: &str) -> String {
        let message = self.wait_for(&format!("message with {part:?}"), |message| {
            message["method"] == "window/showMessage"
                && text(&message["params"]["message"]).contains(part)
        });
        let message = text(&message["params"]["message"]);
        let mut errors = self.take_errors();
        errors.retain(|error| *error != message);
        assert_eq!(errors, Vec::<String>::new(), "besides {message}");
        message
    }

    /// How many edits the server has asked for.
    pub(crate) fn edits_asked(&self) -> usize {
        self.sent_by_server("workspace/applyEdit").len()
    }
}

pub(crate) fn token(run: &str) -> String {
    format!("farthing/run/{run}")
}
