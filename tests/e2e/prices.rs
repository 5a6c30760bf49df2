//! Prices where they show, and the cheapest way that the user allows.

use ledger::{AttemptRow, Ledger, Money, Prices, RunId};
use serde_json::{Value, json};

use crate::harness::{Editor, Home, Options};
use crate::model::Model;
use crate::steps::{
    FILE, GREET, GREET_USAGE, SIMPLIFY, greeted, open, open_with, price, shop, token,
};

/// An editor with these settings under `farthing`, from the start.
fn with(settings: &Value) -> Options {
    Options {
        initialization: settings.clone(),
        settings: json!({ "farthing": settings }),
        ..Options::vscode()
    }
}

/// The requests of a run, as the ledger has them.
fn attempts(home: &Home, run: &str) -> Vec<AttemptRow> {
    let ledger = Ledger::open(&home.state().join("ledger.db")).unwrap();
    let run: RunId = run.parse().unwrap();
    ledger.attempts(&run).unwrap()
}

/// What the progress of a run has said.
fn progress(editor: &Editor, run: &str) -> Vec<String> {
    let events = editor.progress(&json!(token(run)));
    let messages = events.iter().filter_map(|event| event["message"].as_str());
    messages.map(str::to_owned).collect()
}

fn label(hint: &Value) -> &str {
    hint["label"].as_str().unwrap_or_default()
}

#[test]
fn a_lens_above_a_symbol_has_the_price_of_the_action_that_it_starts() {
    let (home, model) = (shop(), Model::start(GREET));
    let settings = json!({"codeLens": {"actions": ["simplify"]}});
    let mut editor = open_with(&home, &model, with(&settings));
    let lenses = editor.code_lenses(FILE);
    assert_eq!(lenses.len(), 3, "{lenses:?}");
    assert!(lenses.iter().all(|lens| lens.get("command").is_none()));
    let lens = editor.request("codeLens/resolve", lenses[2].clone());
    let title = lens["command"]["title"].as_str().unwrap();
    assert!(title.starts_with("Simplify `greet` · est. $"), "{title}");
    let run = editor.execute(&lens)["run"].as_str().unwrap().to_owned();
    editor.end_of(&run);
    assert_eq!(editor.text(FILE), greeted());
    editor.shutdown();
}

#[test]
fn a_hint_behind_a_symbol_has_its_size_and_its_prices() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(
        &home,
        &model,
        with(&json!({"inlayHints": {"prices": true}})),
    );
    let hints = editor.inlay_hints(FILE);
    assert!(hints.len() >= 3, "{hints:?}");
    for hint in &hints {
        let label = label(hint);
        assert!(label.contains(" tok · est. $"), "{label}");
    }
    editor.shutdown();
}

#[test]
fn symbols_have_neither_lens_nor_hint_unless_they_are_wanted() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    assert_eq!(editor.code_lenses(FILE), Vec::<Value>::new());
    assert_eq!(editor.inlay_hints(FILE), Vec::<Value>::new());
    editor.shutdown();
}

#[test]
fn each_surface_can_be_turned_off() {
    let (home, model) = (shop(), Model::start(GREET));
    let settings = json!({
        "actions": {"prices": false}, "progress": {"cost": false}, "hover": {"enable": false},
        "codeLens": {"enable": false, "actions": ["simplify"]}, "inlayHints": {"enable": false, "prices": true},
    });
    let mut editor = open_with(&home, &model, with(&settings));
    let actions = editor.code_actions(FILE, "greet(");
    let titles: Vec<&str> = actions
        .iter()
        .filter_map(|action| action["title"].as_str())
        .collect();
    assert!(titles.contains(&SIMPLIFY), "{titles:?}");
    assert_eq!(editor.hover(FILE, "greet("), None);
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    editor.hunks(FILE, 1);
    let mut said = progress(&editor, &run);
    // The last is the end, which says what it did cost.
    assert!(said.pop().is_some_and(|end| end.contains('$')));
    assert!(
        said.iter().all(|message| !message.contains('$')),
        "{said:?}"
    );
    assert_eq!(editor.code_lenses(FILE), Vec::<Value>::new());
    assert_eq!(editor.inlay_hints(FILE), Vec::<Value>::new());
    editor.shutdown();
}

#[test]
fn progress_says_the_cost_so_far_the_estimate_and_the_tokens() {
    // Progress is told a few times a second, so the second answer waits until it has been.
    let held = format!("{GREET}\n[[turn.fault]]\nhold_after = {{ events = 0 }}\n");
    let (home, model) = (shop(), Model::start(&held));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let so_far = format!("{} of est. $", price(&GREET_USAGE[..1]));
    editor.wait_until("the cost of the first request", |editor| {
        let told = progress(editor, &run);
        let shown = |message: &String| message.contains(&so_far) && message.ends_with("1.3k tok");
        told.iter().any(shown).then_some(())
    });
    model.handle.release();
    let end = editor.end_of(&run);
    // And after the run, against the estimate.
    let cost = price(&GREET_USAGE).to_string();
    assert!(end.contains(&format!("{cost} (est. $")), "{end}");
    editor.shutdown();
}

/// What the command line says.
fn cost(home: &Home, arguments: &[&str]) -> String {
    let output = home.command().arg("cost").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_model_that_nobody_bills_costs_tokens_and_time_everywhere() {
    let (home, model) = (shop(), Model::start(GREET));
    home.configure("[models]\ndefault = \"qwen3-coder:30b\"\n");
    let settings = json!({"codeLens": {"actions": ["simplify"]}, "inlayHints": {"prices": true}});
    let options = with(&settings)
        .env("OLLAMA_HOST", &model.handle.base_url())
        .env("NO_PROXY", "127.0.0.1");
    let mut editor = open(&home, options);
    let mut said: Vec<String> = Vec::new();
    let actions = editor.code_actions(FILE, "greet(");
    said.extend(actions.iter().map(|action| action["title"].to_string()));
    said.extend(editor.hover(FILE, "greet("));
    let lens = editor.code_lenses(FILE).pop().unwrap();
    said.push(editor.request("codeLens/resolve", lens)["command"]["title"].to_string());
    said.extend(
        editor
            .inlay_hints(FILE)
            .iter()
            .map(|hint| label(hint).to_owned()),
    );
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    assert!(end.contains("2.6k tok in ") && end.contains(" s"), "{end}");
    said.extend(progress(&editor, &run));
    said.extend(editor.hunks(FILE, 1).iter().map(Value::to_string));
    said.extend(editor.hover(FILE, "greet("));
    said.extend(editor.code_lenses(FILE).iter().map(Value::to_string));
    said.extend(editor.hover(FILE, "Good day"));
    editor.shutdown();
    for by in ["action", "symbol", "model", "run"] {
        let table = cost(&home, &["--by", by]);
        assert!(table.contains("2.6k tok in "), "{table}");
        said.push(table);
    }
    let page = home.state().join("page.html");
    cost(&home, &["--html", page.to_str().unwrap()]);
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.contains("2.6k tok"), "{page}");
    said.push(page);
    let dear: Vec<&String> = said.iter().filter(|text| text.contains('$')).collect();
    assert_eq!(dear, Vec::<&String>::new());
    let csv = cost(&home, &["--csv"]);
    let (heading, row) = csv.trim_end().split_once('\n').unwrap();
    assert!(
        heading.ends_with(",unbilled_estimated,unbilled_tokens,unbilled_seconds"),
        "{heading}"
    );
    assert!(row.contains(",2560,0."), "{row}");
    let json: Value = serde_json::from_str(&cost(&home, &["--json"])).unwrap();
    assert_eq!(json["rows"][0]["unbilled"]["tokens"], 2_560);
    assert_eq!(json["unbilled"]["today"]["tokens"], 2_560);
    assert_eq!(
        json["estimates"]["ended"], 0,
        "no cost of nothing holds an estimate"
    );
}

#[test]
fn a_counted_prompt_is_held_at_its_count() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    assert_eq!(
        model.handle.counts(),
        0,
        "nothing is sent before the user has started something"
    );
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    editor.end_of(&run);
    editor.shutdown();
    assert_eq!(
        (model.handle.counts(), model.handle.requests().len()),
        (2, 2)
    );
    let prices = Prices::shipped();
    let row = prices
        .lookup("claude-sonnet-5-5", jiff::Timestamp::now())
        .unwrap();
    let output = row.worst(0, 16_000);
    for (attempt, request) in attempts(&home, &run).iter().zip(model.handle.requests()) {
        let bytes = row.worst(request.body_bytes as u64, 16_000);
        let (held, uncounted) = (
            attempt.reserved.saturating_sub(output),
            bytes.saturating_sub(output),
        );
        let third = Money::from_picodollars(uncounted.picodollars() / 3);
        assert!(
            held < third,
            "{held} is held for the prompt, {uncounted} by its bytes"
        );
        assert!(attempt.charge <= attempt.reserved);
    }
}

#[test]
fn a_counter_that_fails_or_hangs_holds_no_run_up() {
    for count in [
        "{ status = 404 }",
        "{ status = 500 }",
        "\"drop\"",
        "\"hang\"",
    ] {
        let (home, model) = (shop(), Model::start(&format!("count = {count}\n{GREET}")));
        let mut editor = open_with(&home, &model, Options::vscode());
        let began = std::time::Instant::now();
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        let end = editor.end_of(&run);
        assert!(
            began.elapsed().as_secs() < 10,
            "{count}: {:?}",
            began.elapsed()
        );
        assert_eq!(editor.text(FILE), greeted(), "{count}: {end}");
        editor.shutdown();
        // Not asked again in this run.
        assert_eq!(
            (model.handle.counts(), model.handle.requests().len()),
            (1, 2),
            "{count}"
        );
    }
}

/// Runs `greet` with this configuration: how it ended, and the model of each request.
fn models(config: &str) -> (String, Vec<String>) {
    let (home, model) = (shop(), Model::start(GREET));
    home.configure(config);
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    editor.shutdown();
    let asked = model.handle.requests();
    let asked = asked.iter().map(|request| {
        request.body["model"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    });
    (end, asked.collect())
}

#[test]
fn a_request_that_no_budget_has_room_for_goes_to_the_small_model_if_the_user_allows_it() {
    let budget = "[budget]\nper_run = \"$0.01\"\n";
    let (end, asked) = models(budget);
    assert!(end.contains("per_run") && asked.is_empty(), "{end}");
    let (end, asked) = models(&format!("{budget}[models]\nsmall_when_short = true\n"));
    assert_eq!(asked, ["claude-haiku-5-5"; 2], "{end}");
    // A limit that is not that of the larger model alone holds for both.
    let (end, asked) = models("[budget]\nper_run = \"0\"\n[models]\nsmall_when_short = true\n");
    assert!(
        end.contains("nothing may be spent") && asked.is_empty(),
        "{end}"
    );
}

#[test]
fn the_small_model_is_asked_first_for_the_actions_that_the_user_names() {
    let (end, asked) = models("[models]\nsmall_first = [\"simplify\"]\n");
    assert_eq!(asked, ["claude-haiku-5-5"; 2], "{end}");
    let (end, asked) = models("[models]\nsmall_first = [\"document\"]\n");
    assert_eq!(asked, ["claude-sonnet-5-5"; 2], "{end}");
}

#[test]
fn a_failure_without_usage_counts_as_its_reservation_until_it_is_reconciled() {
    let faults = "\n[[turn.fault]]\ntimes = 1\nstatus = 500\n";
    let script = GREET.replacen("[[turn.tool]]", &format!("{faults}[[turn.tool]]"), 1);
    let (home, model) = (shop(), Model::start(&script));
    let mut editor = open_with(&home, &model, Options::vscode());
    let run = editor.launch(FILE, "greet(", SIMPLIFY);
    let end = editor.end_of(&run);
    assert_eq!(editor.text(FILE), greeted(), "{end}");
    editor.shutdown();
    let before = attempts(&home, &run);
    let known = price(&GREET_USAGE);
    let booked: Money = before.iter().take(1).map(|row| row.reserved).sum();
    assert_eq!(
        before.iter().map(|row| row.charge).sum::<Money>(),
        known.saturating_add(booked)
    );
    let listed = cost(&home, &["--unknown"]);
    for row in before.iter().take(1) {
        assert!(listed.contains(&row.attempt), "{listed}");
        let said = format!("{}=$0.001", row.attempt);
        cost(&home, &["--reconcile", &said]);
        // Once.
        let again = home
            .command()
            .args(["cost", "--reconcile", &said])
            .output()
            .unwrap();
        assert!(!again.status.success());
    }
    let after: Money = attempts(&home, &run).iter().map(|row| row.charge).sum();
    assert_eq!(after, known.saturating_add("0.001".parse().unwrap()));
    assert!(cost(&home, &["--unknown"]).contains("every request is known"));
}

#[test]
fn every_request_begins_with_what_is_cached_for_all() {
    let (home, model) = (shop(), Model::start(GREET));
    let mut editor = open_with(&home, &model, Options::vscode());
    for title in [SIMPLIFY, "Harden errors in `greet`"] {
        let run = editor.launch(FILE, "greet(", title);
        editor.end_of(&run);
    }
    editor.shutdown();
    let requests = model.handle.requests();
    assert_eq!(requests.len(), 4);
    for request in &requests {
        assert_eq!(request.body["tools"], requests[0].body["tools"]);
        assert_eq!(request.body["system"], requests[0].body["system"]);
        assert!(request.body["system"][0]["cache_control"].is_object());
        let marks = request
            .body
            .to_string()
            .matches("\"cache_control\"")
            .count();
        assert!((2..=4).contains(&marks), "{marks} breakpoints");
    }
    // A later turn begins with the whole turn before it, marks aside.
    let said = |body: &Value| -> Vec<String> {
        let mut messages = body["messages"].as_array().unwrap().clone();
        for message in &mut messages {
            for block in message["content"].as_array_mut().unwrap() {
                block.as_object_mut().unwrap().remove("cache_control");
            }
        }
        messages.iter().map(Value::to_string).collect()
    };
    for turns in requests.chunks(2) {
        let (first, second) = (said(&turns[0].body), said(&turns[1].body));
        assert!(second.starts_with(&first));
    }
}
