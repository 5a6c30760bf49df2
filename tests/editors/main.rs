//! Stories that a real Neovim plays in a real crate with the shipped binary: what the buffer holds at the end, what was
//! shown on the way, and what the ledger says it did cost, to the picodollar. The model is a script.
//!
//! `nvim/run` calls these; plain `cargo test` leaves them out, because `install-nvim` has to bring the editor first.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test states what it expects bluntly"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a test starts the editor and writes its own folder"
)]

mod crates;
mod play;
mod scripts;

use ledger::{AttemptState, Money};
use serde_json::{Value, json};

use self::play::{Theatre, list, price, text};
use self::scripts::{
    BARE, FASTER, FASTER_USAGE, HELPER, IMPORT, Piece, STALLED, TERSE, faster, terse,
};

const CORE: &str = "src/output/textwrap/core.rs";
const HELP: &str = "src/output/help_template.rs";

const ABOVE: &str = "// typed é𝒳 before anything landed: <here>\n";
const BETWEEN: &str = "// typed between two answers, and on\n";

/// The source with what the user typed.
fn typed(source: &str) -> String {
    let above = Piece {
        old: "#[cfg(not(feature = \"unicode\"))]\nfn ch_width",
        new: "",
    };
    let between = Piece {
        old: "#[cfg(test)]\nmod tests",
        new: "",
    };
    above.put_before(&between.put_before(source, BETWEEN), ABOVE)
}

#[tokio::test(flavor = "multi_thread")]
async fn hunks_land_while_the_user_types_and_are_kept_and_undone() {
    let theatre = Theatre::new(&faster()).await;
    let original = theatre.read(CORE);
    let at = "display_width(text: &str)";
    let seen = theatre
        .play(vec![
            json!({"do": "open", "file": CORE}),
            json!({"do": "wait", "indexed": true, "spending": true}),
            json!({"do": "hover", "at": at, "as": "estimates"}),
            json!({"do": "pick", "at": at, "title": "Make `display_width` faster", "as": "picked"}),
            json!({"do": "wait", "running": true}),
            json!({"do": "keys", "at": "#[cfg(not(", "keys": "O// typed é𝒳 before anything landed: <lt>here><Esc>"}),
            json!({"do": "look", "as": "before"}),
            theatre.go_on(),
            json!({"do": "wait", "hunks": 4, "running": true}),
            json!({"do": "keys", "at": "#[cfg(test)]", "keys": "O// typed between two answers"}),
            theatre.go_on(),
            json!({"do": "wait", "hunks": 5, "ended": 1}),
            json!({"do": "keys", "keys": ", and on<Esc>"}),
            json!({"do": "wait", "last_run": "completed", "text": BETWEEN}),
            json!({"do": "look", "as": "landed"}),
            json!({"do": "hover", "at": "saturating_add", "as": "difference"}),
            json!({"do": "keep", "nth": 4, "as": "kept"}),
            json!({"do": "wait", "hunks": 4}),
            json!({"do": "undo", "nth": 2, "via": "map", "as": "undone"}),
            json!({"do": "wait", "hunks": 3}),
            json!({"do": "look", "as": "judged"}),
            json!({"do": "command", "line": "Farthing undo-run"}),
            json!({"do": "wait", "hunks": 0, "lacks": "is_plain"}),
        ])
        .await;
    let cost = price(&FASTER_USAGE);

    assert!(
        text(&seen["last"]["neovim"]).starts_with("0.12."),
        "{}",
        seen["last"]["neovim"]
    );
    for title in list(&seen["named"]["picked"]["titles"]) {
        assert!(is_priced(&title), "{title}");
    }
    let estimates = text(&seen["named"]["estimates"]);
    let named = text(&seen["named"]["picked"]["title"])
        .split_once(" · ")
        .unwrap()
        .1
        .to_owned();
    assert!(
        estimates.contains(&format!("| Make `display_width` faster | {named} ")),
        "{named} is not in {estimates}"
    );

    let above = ABOVE.trim_end();
    assert!(text(&seen["named"]["before"]["text"]).contains(above));
    assert!(hunks(&seen["named"]["before"]).is_empty());

    let all = FASTER
        .iter()
        .fold(typed(&original), |source, piece| piece.apply(&source));
    let all = BARE.put_before(&format!("{IMPORT}\n{all}"), HELPER);
    assert_eq!(text(&seen["named"]["landed"]["text"]), all);
    let shown = hunks(&seen["named"]["landed"]);
    assert_eq!(shown.len(), 5, "{shown:?}");
    let share = |hunk: &String| -> Money {
        let said = hunk.rsplit(" · ").next().unwrap_or_default();
        said.trim()
            .parse()
            .unwrap_or_else(|_| panic!("{hunk} does not say its share"))
    };
    let sum: Money = shown.iter().map(share).sum();
    let off = sum.saturating_sub(cost).picodollars().abs();
    // Two digits are shown, so each share is within a twentieth of the exact one.
    assert!(
        off <= cost.picodollars() / 20,
        "{shown:?} come to {sum}, not {cost}"
    );

    let difference = text(&seen["named"]["difference"]);
    for part in [
        "-            width += ch_width(ch);\n",
        "+            width = width.saturating_add(ch_width(ch));\n",
        "a sum that cannot overflow needs no check",
        &format!("The whole run: {cost}"),
    ] {
        assert!(difference.contains(part), "{part:?} is not in {difference}");
    }
    assert!(
        text(&seen["named"]["kept"]["message"]).contains("cannot overflow"),
        "{}",
        seen["named"]["kept"]
    );

    let [doc, ..] = FASTER;
    assert_eq!(text(&seen["named"]["judged"]["text"]), doc.revert(&all));
    let [.., sum] = FASTER;
    assert_eq!(text(&seen["last"]["text"]), sum.apply(&typed(&original)));
    assert_eq!(hunks(&seen["last"]), Vec::<String>::new());
    assert_eq!(seen["last"]["notices"], json!([]));
    assert_eq!(
        theatre.read(CORE),
        original,
        "the run wrote to disk what was never saved"
    );

    let end = ends(&seen).pop().unwrap();
    assert!(end.contains(&format!("5 hunks, {cost} (est. $")), "{end}");

    let [run] = theatre.runs().try_into().unwrap();
    let charges: Vec<Money> = run.attempts.iter().map(|attempt| attempt.charge).collect();
    let each: Vec<Money> = FASTER_USAGE.iter().map(|usage| price(&[*usage])).collect();
    assert_eq!(charges, each);
    let usages: Vec<_> = run
        .attempts
        .iter()
        .filter_map(|attempt| attempt.usage)
        .collect();
    assert_eq!(usages, FASTER_USAGE);
    assert_eq!(
        (run.row.cost, run.row.reserved, run.row.unknown),
        (cost, Money::ZERO, Money::ZERO)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_changes_nothing_and_is_booked_in_full() {
    let theatre = Theatre::new(STALLED).await;
    let original = theatre.read(CORE);
    let at = "display_width(text: &str)";
    let seen = theatre
        .play(vec![
            json!({"do": "open", "file": CORE}),
            json!({"do": "wait", "indexed": true, "spending": true}),
            json!({"do": "pick", "at": at, "title": "Simplify `display_width`"}),
            json!({"do": "wait", "running": true}),
            theatre.held(),
            json!({"do": "menu", "at": at, "as": "menu"}),
            json!({"do": "command", "line": "Farthing cancel"}),
            json!({"do": "wait", "ended": 1, "idle": true, "last_run": "cancelled"}),
        ])
        .await;
    assert!(
        list(&seen["named"]["menu"])
            .iter()
            .any(|title| title.starts_with("Cancel: Simplify `display_width`"))
    );
    assert_eq!(text(&seen["last"]["text"]), original);
    assert_eq!(seen["last"]["undo"], 0);
    assert_eq!(seen["last"]["diagnostics"], json!([]));

    // What the request did cost is not known any more, so all that was held for it counts.
    let [run] = theatre.runs().try_into().unwrap();
    let [attempt] = run.attempts.try_into().unwrap();
    assert_eq!(attempt.state, AttemptState::Booked);
    assert_eq!(attempt.charge, attempt.reserved);
    assert!(attempt.charge >= price(&attempt.usage.into_iter().collect::<Vec<_>>()));
    assert_eq!(
        (run.row.cost, run.row.reserved),
        (attempt.charge, Money::ZERO)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_goes_with_its_quick_fix() {
    let theatre = Theatre::new(&terse()).await;
    let original = theatre.read(HELP);
    let seen = theatre
        .play(vec![
            json!({"do": "open", "file": HELP}),
            json!({"do": "wait", "indexed": true, "findings": 7}),
            json!({"do": "look", "as": "found"}),
            json!({
                "do": "pick", "at": "write_templated_help(&mut self", "as": "picked",
                "title": "Fix: `write_templated_help` is 91 lines long (limit 80) · est. $",
            }),
            json!({"do": "wait", "ended": 1, "hunks": 1, "findings": 6}),
            json!({"do": "look", "as": "landed"}),
            json!({"do": "keep", "nth": 1}),
            json!({"do": "command", "line": "write"}),
            json!({"do": "wait", "hunks": 0, "findings": 6}),
        ])
        .await;
    let about = |look: &Value| {
        let diagnostics = look["diagnostics"].as_array().unwrap();
        diagnostics
            .iter()
            .filter(|item| text(&item["message"]).contains("`write_templated_help`"))
            .count()
    };
    assert_eq!(about(&seen["named"]["found"]), 1);
    assert_eq!(about(&seen["last"]), 0);
    assert!(is_priced(&text(&seen["named"]["picked"]["title"])));
    assert_eq!(hunks(&seen["named"]["landed"]).len(), 1);
    let want = TERSE.apply(&original);
    assert_eq!(text(&seen["last"]["text"]), want);
    assert_eq!(theatre.read(HELP), want);
    let [run] = theatre.runs().try_into().unwrap();
    assert_eq!(
        (run.row.cost, run.row.attempts),
        (price(&scripts::TERSE_USAGE), 2)
    );
}

/// Whether a title ends in an estimate, such as `Document `f` · est. $0.011–0.018`.
fn is_priced(title: &str) -> bool {
    let amount = |text: &str| text.parse::<f64>().is_ok_and(|amount| amount > 0.0);
    let price = title.rsplit_once(" · est. $").map(|(_, price)| price);
    price.is_some_and(|price| {
        price
            .split_once('–')
            .map_or_else(|| amount(price), |(low, high)| amount(low) && amount(high))
    })
}

/// The messages of the hunks that a look shows.
fn hunks(look: &Value) -> Vec<String> {
    let diagnostics = look["diagnostics"].as_array().into_iter().flatten();
    diagnostics
        .filter(|item| item["code"] == "hunk")
        .map(|item| text(&item["message"]))
        .collect()
}

/// What was said at the end of each run.
fn ends(seen: &Value) -> Vec<String> {
    let progress = seen["last"]["progress"].as_array().unwrap();
    let of_runs = progress
        .iter()
        .filter(|message| text(&message["token"]).starts_with("farthing/run/"));
    of_runs
        .filter(|message| message["kind"] == "end")
        .map(|message| text(&message["message"]))
        .collect()
}
