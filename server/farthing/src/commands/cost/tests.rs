#![allow(
    clippy::unwrap_used,
    clippy::needless_raw_string_hashes,
    clippy::disallowed_methods
)]

use expect_test::{Expect, expect};
use jiff::Zoned;
use ledger::{
    AttemptId, Basis, Estimate, Limits, Reserve, RunEnd, RunId, RunStart, Settlement, Usage,
};

use super::*;

/// A ledger with a fortnight of made-up work, the same every time.
fn fortnight() -> Ledger {
    let ledger = Ledger::in_memory().unwrap();
    let prices = Prices::shipped();
    let places = [
        ("fix", "src/cart.rs", "Cart/total", "claude-sonnet-5-5"),
        ("test", "src/cart.rs", "Cart/apply", "claude-sonnet-5-5"),
        ("refactor", "src/tax.rs", "<b>rate</b>", "claude-opus-5-5"),
        ("document", "=cmd.rs", "main", "claude-haiku-5-5"),
    ];
    for number in 0..42_u32 {
        let (action, file, symbol, model) = places[(number as usize * 7 / 3) % places.len()];
        let now: Zoned = "2026-11-07T09:00:00[Europe/Berlin]".parse().unwrap();
        let now = now.checked_add((i64::from(number) * 8).hours()).unwrap();
        let price = prices.lookup(model, now.timestamp()).unwrap();
        let run: RunId = format!("r{number}").parse().unwrap();
        let usage = Usage {
            input: 800 + u64::from(number % 5) * 400,
            cache_read: if number % 3 == 0 { 0 } else { 3_000 },
            cache_write_5m: if number % 3 == 0 { 3_000 } else { 400 },
            output: 500 + u64::from(number % 7) * 300,
            ..Usage::default()
        };
        let cost = price.cost(&usage);
        let times = |percent: i64| Money::from_picodollars(cost.picodollars() / 100 * percent);
        let (low, expected, high) = if number % 6 == 5 {
            (30, 50, 90)
        } else {
            (60, 95, 170)
        };
        let estimate = Estimate {
            point: times(expected),
            low: times(low),
            expected: times(expected),
            high: times(high),
            input_tokens: 4_000,
            output_tokens: 1_200,
            turns: 2,
            basis: Basis::Prior,
        };
        let start = RunStart {
            run: &run,
            parent: None,
            session: "s",
            workspace: "/home/ada/shop",
            action,
            agent: action,
            variant: "",
            file: Some(file),
            symbol: Some(symbol),
            model,
            budget: None,
            estimate: Some(&estimate),
            at: &now,
        };
        ledger.start_run(&start).unwrap();
        let attempt = AttemptId::new(now.timestamp());
        let reserve = Reserve {
            attempt,
            run: &run,
            turn: 1,
            model,
            price,
            amount: price.worst(40_000, 8_000),
            predicted_input: None,
            limits: &Limits::default(),
            at: &now,
        };
        let _ = ledger.reserve(&reserve).unwrap();
        let at = now.timestamp();
        let settlement = Settlement {
            usage,
            cost,
            model: None,
            price: None,
            request_id: None,
            at,
        };
        ledger.settle(attempt, &settlement).unwrap();
        ledger.end_run(&run, RunEnd::Completed, at).unwrap();
    }
    ledger
}

fn with_story<T>(tell: impl FnOnce(&Story<'_>) -> T) -> T {
    let ledger = fortnight();
    let (prices, budget) = (Prices::shipped(), Budget::default());
    let mut story = Story::read(&ledger, &prices, &budget, None).unwrap();
    story.now = "2026-11-21T18:00:00[Europe/Berlin]".parse().unwrap();
    tell(&story)
}

fn check_csv(by: By, expected: Expect) {
    expected.assert_eq(&with_story(|story| story.csv(by)));
}

#[test]
fn values_are_exact_and_no_formula_is_among_them() {
    check_csv(
        By::File,
        expect![[r#"
            file,workspace,runs,requests,input,cache_write_5m,cache_write_1h,cache_read,output,estimated_runs,held,estimated,estimated_actual,cache_saved,unknown,cost,unbilled_estimated,unbilled_tokens,unbilled_seconds
            src/tax.rs,/home/ada/shop,10,10,14000,11800,0,21000,15800,10,10,0.41344,0.4352,0.068,0.00,0.4352,0,0,0.000
            src/cart.rs,/home/ada/shop,21,21,34400,26600,0,42000,25800,21,18,0.35742,0.3975,0.0665,0.00,0.3975,0,0,0.000
            "'=cmd.rs",/home/ada/shop,11,11,17600,14800,0,21000,17200,11,7,0.0099225,0.01242,0.00152,0.00,0.01242,0,0,0.000
        "#]],
    );
    check_csv(
        By::Model,
        expect![[r#"
            model,workspace,runs,requests,input,cache_write_5m,cache_write_1h,cache_read,output,estimated_runs,held,estimated,estimated_actual,cache_saved,unknown,cost,unbilled_estimated,unbilled_tokens,unbilled_seconds
            claude-opus-5-5,,10,10,14000,11800,0,21000,15800,10,10,0.41344,0.4352,0.068,0.00,0.4352,0,0,0.000
            claude-sonnet-5-5,,21,21,34400,26600,0,42000,25800,21,18,0.35742,0.3975,0.0665,0.00,0.3975,0,0,0.000
            claude-haiku-5-5,,11,11,17600,14800,0,21000,17200,11,7,0.0099225,0.01242,0.00152,0.00,0.01242,0,0,0.000
        "#]],
    );
}

#[test]
fn groups_add_up_to_the_same_savings_and_costs() {
    with_story(|story| {
        let (saved, ..) = story.cache();
        assert!(saved > Money::ZERO);
        let spent: Money = story.requests.iter().map(|row| row.charge).sum();
        for by in By::ALL {
            let groups = story.groups(by).unwrap();
            let sum: Money = groups.iter().map(|group| group.cache_saved).sum();
            let cost: Money = groups.iter().map(|group| group.row.cost).sum();
            assert_eq!((sum, cost), (saved, spent), "{}", by.name());
        }
        let held: u64 = story
            .groups(By::Day)
            .unwrap()
            .iter()
            .map(|group| group.row.within_estimate)
            .sum();
        assert_eq!(story.held(), (held, 42));
    });
}

/// `FARTHING_PAGE=page.html` keeps the page, to be looked at.
#[test]
fn the_page_needs_nothing_but_itself_and_runs_nothing() {
    let page = with_story(page::page);
    if let Ok(path) = std::env::var("FARTHING_PAGE") {
        std::fs::write(path, &page).unwrap();
    }
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    assert!(!page.contains("src=") && !page.contains("href=") && !page.contains("url("));
    // Names come from a workspace and mean nothing here.
    assert!(!page.contains("<b>rate") && page.contains("&lt;b&gt;rate&lt;/b&gt;"));
    assert!(!page.contains("NaN") && !page.contains("inf\""));
    for part in [
        "Spend over time",
        "By action",
        "Estimate against actual",
        "Cache",
        "By symbol",
        "Newest runs",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<svg").count(), 3);
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert_eq!(
        page.matches("class=\"held\"").count() + page.matches("class=\"missed\"").count(),
        42
    );
}

#[test]
fn the_page_of_an_empty_ledger_is_a_page() {
    let ledger = Ledger::in_memory().unwrap();
    let (prices, budget) = (Prices::shipped(), Budget::default());
    let story = Story::read(&ledger, &prices, &budget, None).unwrap();
    let page = page::page(&story);
    assert!(page.ends_with("</html>\n") && !page.contains("NaN"));
}

#[test]
fn bars_are_as_long_as_their_share() {
    let dollars = |text: &str| text.parse::<Money>().unwrap();
    assert_eq!(bar(dollars("1"), dollars("1")), "████████████");
    assert_eq!(bar(dollars("0.5"), dollars("1")), "██████");
    assert_eq!(bar(dollars("0.01"), dollars("1")), "▏");
    assert_eq!(bar(Money::ZERO, dollars("1")), "");
    assert_eq!(bar(Money::ZERO, Money::ZERO), "");
}
