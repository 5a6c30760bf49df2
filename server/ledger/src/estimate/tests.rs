#![allow(clippy::unwrap_used, clippy::needless_raw_string_hashes)]

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::Prices;

fn row(model: &str) -> PriceRow {
    let at = "2026-11-21T12:00:00Z".parse().unwrap();
    Prices::shipped().lookup(model, at).unwrap().clone()
}

const TASK: Task<'static> = Task {
    kind: "fix",
    variant: "medium/1",
    prefix_tokens: 2_000,
    pack_tokens: 2_300,
    target_tokens: 400,
    max_turns: 8,
    cache: Cache::Cold,
};

fn line(task: &Task<'_>, price: &PriceRow) -> String {
    let estimate = estimate(task, price, &History::default());
    format!(
        "{:9} {:17} {:?}: {} ({} in, {} out, {} turns)\n",
        task.kind,
        price.model(),
        task.cache,
        estimate.title(),
        estimate.input_tokens,
        estimate.output_tokens,
        estimate.turns,
    )
}

fn check(lines: &[String], expected: Expect) {
    expected.assert_eq(&lines.concat());
}

#[test]
fn every_kind_has_a_price_on_the_label() {
    let sonnet = row("claude-sonnet-5-5");
    let kinds = [
        "simplify",
        "extract",
        "faster",
        "harden",
        "tests",
        "document",
        "fix",
        "comment",
        "review",
        "unheard-of",
    ];
    let lines = kinds.map(|kind| line(&Task { kind, ..TASK }, &sonnet));
    check(
        &lines,
        expect![[r#"
            simplify  claude-sonnet-5-5 Cold: est. $0.016–0.11 (23280 in, 1680 out, 3 turns)
            extract   claude-sonnet-5-5 Cold: est. $0.02–0.12 (23613 in, 2013 out, 3 turns)
            faster    claude-sonnet-5-5 Cold: est. $0.017–0.12 (23490 in, 1890 out, 3 turns)
            harden    claude-sonnet-5-5 Cold: est. $0.015–0.10 (22983 in, 1383 out, 3 turns)
            tests     claude-sonnet-5-5 Cold: est. $0.017–0.11 (23400 in, 1800 out, 3 turns)
            document  claude-sonnet-5-5 Cold: est. $0.014–0.044 (13433 in, 616 out, 2 turns)
            fix       claude-sonnet-5-5 Cold: est. $0.014–0.093 (22353 in, 1203 out, 3 turns)
            comment   claude-sonnet-5-5 Cold: est. $0.015–0.10 (23040 in, 1440 out, 3 turns)
            review    claude-sonnet-5-5 Cold: est. $0.03–0.08 (15225 in, 2250 out, 2 turns)
            unheard-of claude-sonnet-5-5 Cold: est. $0.02–0.14 (35478 in, 2252 out, 4 turns)
        "#]],
    );
}

#[test]
fn every_model_has_its_own_price() {
    let models = [
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "gpt-6.1-sol",
        "gpt-6-luna",
        "gemini-3.8-flash",
    ];
    let mut lines: Vec<_> = models.map(|model| line(&TASK, &row(model))).into();
    lines.push(line(&TASK, &PriceRow::local("qwen3")));
    check(
        &lines,
        expect![[r#"
        fix       claude-opus-5-5   Cold: est. $0.03–0.19 (22353 in, 1203 out, 3 turns)
        fix       claude-sonnet-5-5 Cold: est. $0.014–0.093 (22353 in, 1203 out, 3 turns)
        fix       claude-haiku-5-5  Cold: est. $0.0007–0.0049 (22353 in, 1203 out, 3 turns)
        fix       gpt-6.1-sol       Cold: est. $0.009–0.062 (14901 in, 801 out, 3 turns)
        fix       gpt-6-luna        Cold: est. $0.0005–0.0032 (14901 in, 801 out, 3 turns)
        fix       gemini-3.8-flash  Cold: est. $0.004–0.026 (17880 in, 960 out, 3 turns)
        fix       qwen3             Cold: est. 18.8k tok (17880 in, 960 out, 3 turns)
    "#]],
    );
}

#[test]
fn a_warm_cache_is_cheaper() {
    let warm = Task {
        cache: Cache::Warm,
        ..TASK
    };
    let (cold_estimate, warm_estimate) = (
        estimate(&TASK, &row("claude-opus-5-5"), &History::default()),
        estimate(&warm, &row("claude-opus-5-5"), &History::default()),
    );
    // 3,000 tokens are read for 0.20 instead of written for 5 dollars a million.
    let saved = cold_estimate.point.saturating_sub(warm_estimate.point);
    assert_eq!(saved.exact(), "$0.0144");
    assert_eq!(cold_estimate.input_tokens, warm_estimate.input_tokens);
}

#[test]
fn a_prefix_below_the_minimum_is_not_cached() {
    let short = Task {
        prefix_tokens: 100,
        pack_tokens: 200,
        max_turns: 1,
        ..TASK
    };
    let haiku = row("claude-haiku-4-5");
    let of = |cache| estimate(&Task { cache, ..short }, &haiku, &History::default());
    assert_eq!(of(Cache::Cold), of(Cache::Warm));
}

#[test]
fn one_turn_computes_by_hand() {
    let task = Task {
        kind: "review",
        prefix_tokens: 1_000,
        pack_tokens: 3_000,
        max_turns: 1,
        ..TASK
    };
    let sol = row("gpt-6.1-sol");
    let of = |cache| {
        estimate(&Task { cache, ..task }, &sol, &History::default())
            .point
            .exact()
    };
    // 4,000 tokens at $2 and 1,500 at $10; 1,000 tokens alone are too few to be cached.
    assert_eq!(of(Cache::Cold), "$0.023");
    let longer = Task {
        prefix_tokens: 2_000,
        pack_tokens: 2_000,
        ..task
    };
    let warm = estimate(
        &Task {
            cache: Cache::Warm,
            ..longer
        },
        &sol,
        &History::default(),
    );
    // 2,000 read at $0.10, 2,000 at $2, 1,500 at $10.
    assert_eq!(warm.point.exact(), "$0.0192");
}

#[test]
fn titles_of_free_models_count_tokens() {
    let lines = [
        0, 830, 999, 1_000, 4_060, 99_949, 99_950, 123_456, 999_499, 999_500, 1_250_000,
    ]
    .map(|tokens| format!("{tokens} {}\n", short_count(tokens)));
    check(
        &lines,
        expect![[r#"
        0 0
        830 830
        999 999
        1000 1.0k
        4060 4.1k
        99949 99.9k
        99950 100k
        123456 123k
        999499 999k
        999500 1.0M
        1250000 1.3M
    "#]],
    );
}

#[test]
fn an_estimate_can_be_kept_as_json() {
    let estimate = estimate(&TASK, &row("claude-haiku-5-5"), &History::default());
    let json = serde_json::to_string(&estimate).unwrap();
    expect![[r#"{"point":1797010000,"low":718804000,"expected":2336113000,"high":4851927000,"input_tokens":22353,"output_tokens":1203,"turns":3,"basis":{"from":"prior"}}"#]].assert_eq(&json);
}

proptest! {
    #[test]
    fn an_estimate_is_ordered_and_within_what_would_be_reserved(
        prefix_tokens in 0..20_000_u64,
        pack_tokens in 0..200_000_u64,
        target_tokens in 0..20_000_u64,
        max_turns in 0..12_u32,
        warm: bool,
        model in proptest::sample::select(vec!["claude-opus-5-5", "claude-haiku-5-5", "gpt-6-luna", "gemini-2.5-pro"]),
    ) {
        let cache = if warm { Cache::Warm } else { Cache::Cold };
        let task = Task { prefix_tokens, pack_tokens, target_tokens, max_turns, cache, ..TASK };
        let price = row(model);
        let estimate = estimate(&task, &price, &History::default());
        prop_assert!(Money::ZERO <= estimate.low && estimate.low <= estimate.expected && estimate.expected <= estimate.high);
        prop_assert!(estimate.turns >= 1 && estimate.turns <= max_turns.max(1));
        let worst = price.worst(estimate.input_tokens, estimate.output_tokens);
        // One request with the tokens of all turns falls into the dearest tier that any of them could.
        prop_assert!(estimate.point <= worst.saturating_add(Money::from_picodollars(1_000_000)));
        prop_assert!(estimate.title().starts_with("est. "));
    }
}
