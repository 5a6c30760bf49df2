//! The same run over the other wire: chat completions, at a vendor and on the user's own machine.

use jiff::Timestamp;
use ledger::{Money, Prices};

use crate::harness::{Home, Options};
use crate::model::Model;
use crate::steps::{FILE, GREET, GREET_USAGE, SIMPLIFY, booked, greeted, open, shop};

/// Runs `greet`: the action's title, and what was asked, a line for each request. `BASE` stands for the server.
fn greet(home: &Home, config: &str, env: [(&str, &str); 1]) -> (String, Vec<String>) {
    let model = Model::start(GREET);
    let base_url = model.handle.base_url();
    home.configure(&config.replace("BASE", &base_url));
    let mut options = Options::vscode().env("NO_PROXY", "127.0.0.1");
    for (name, value) in env {
        options = options.env(name, &value.replace("BASE", &base_url));
    }
    let mut editor = open(home, options);
    let actions = editor.code_actions(FILE, "greet(");
    let mut titles = actions.iter().filter_map(|action| action["title"].as_str());
    let title = titles.find(|title| title.starts_with(SIMPLIFY)).unwrap();
    let title = title.to_owned();
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    assert_eq!(editor.text(FILE), greeted(), "{end}");
    editor.shutdown();
    let asked = model.handle.requests();
    let asked = asked.iter().map(|request| {
        format!(
            "{} {} {}",
            request.path,
            request.body["model"].as_str().unwrap_or_default(),
            request.header("authorization").unwrap_or("no key"),
        )
    });
    (title, asked.collect())
}

#[test]
fn a_whole_run_goes_over_chat_completions() {
    let home = shop();
    let config = "[provider]\nkind = \"openai\"\nbase_url = \"BASE/v1\"\n[models]\ndefault = \"gpt-6-luna\"\n";
    let (title, asked) = greet(&home, config, [("OPENAI_API_KEY", "a-test-key")]);
    assert!(title.contains("est. $"), "{title}");
    assert_eq!(
        asked, ["/v1/chat/completions gpt-6-luna [key]"; 2],
        "one request a turn, to this path only"
    );
    let prices = Prices::shipped();
    let row = prices.lookup("gpt-6-luna", Timestamp::now()).unwrap();
    let cost = GREET_USAGE.iter().fold(Money::ZERO, |sum, usage| {
        sum.saturating_add(row.cost(usage))
    });
    let booked = booked(&home);
    assert_eq!((booked.attempts, booked.cost), (2, cost));
    assert_eq!(booked.usage, GREET_USAGE[0].saturating_add(GREET_USAGE[1]));
}

#[test]
fn a_model_of_ones_own_needs_no_key_and_costs_tokens() {
    let home = shop();
    let config = "[models]\ndefault = \"qwen3-coder:30b\"\n";
    let (title, asked) = greet(&home, config, [("OLLAMA_HOST", "BASE")]);
    assert!(title.contains("est. ") && title.ends_with("tok"), "{title}");
    assert!(!title.contains('$'), "{title}");
    assert_eq!(asked, ["/v1/chat/completions qwen3-coder:30b no key"; 2]);
    let booked = booked(&home);
    assert_eq!((booked.attempts, booked.cost), (2, Money::ZERO));
    assert_eq!(booked.usage, GREET_USAGE[0].saturating_add(GREET_USAGE[1]));
}
