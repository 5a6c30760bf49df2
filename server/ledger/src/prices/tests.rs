#![allow(clippy::unwrap_used, clippy::needless_raw_string_hashes)]

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    let with_time = if text.len() == 10 {
        format!("{text}T12:00:00Z")
    } else {
        text.to_owned()
    };
    with_time.parse().unwrap()
}

/// A million tokens of each class: input, write 5m, write 1h, read, output.
fn line(prices: &Prices, model: &str, day: &str) -> String {
    let Some(row) = prices.lookup(model, at(day)) else {
        return format!("{model} {day}: no price\n");
    };
    let tiers: Vec<_> = row
        .tiers
        .iter()
        .map(|tier| {
            let dollars = |rate: i64| Money::from_picodollars(rate * 1_000_000).exact();
            let Rates {
                input,
                write_5m,
                write_1h,
                read,
                output,
            } = tier.rates;
            let rates = [input, write_5m, write_1h, read, output]
                .map(dollars)
                .join(" ");
            format!(">{} {rates}", tier.above)
        })
        .collect();
    let minimum = row
        .min_cache_tokens
        .map_or("-".to_owned(), |tokens| tokens.to_string());
    format!(
        "{model} {day}: {} [{minimum}, {}]\n",
        tiers.join(" | "),
        row.tokenizer.name()
    )
}

fn check(queries: &[(&str, &str)], expected: Expect) {
    let prices = Prices::shipped();
    let lines: String = queries
        .iter()
        .map(|(model, day)| line(&prices, model, day))
        .collect();
    expected.assert_eq(&lines);
}

const TODAY: &str = "2026-11-21";

#[test]
fn anthropic() {
    check(
        &[
            ("claude-fable-5-1", TODAY),
            ("claude-mythos-5-1", TODAY),
            ("claude-fable-5", TODAY),
            ("claude-opus-5-5", TODAY),
            ("claude-opus-5", TODAY),
            ("claude-opus-4-8", TODAY),
            ("claude-opus-4-7", TODAY),
            ("claude-opus-4-6", TODAY),
            ("claude-opus-4-5", TODAY),
            ("claude-sonnet-5-5", "2026-10-06"),
            ("claude-sonnet-5-5", "2026-10-07"),
            ("claude-sonnet-5", TODAY),
            ("claude-sonnet-4-6", TODAY),
            ("claude-sonnet-4-5", TODAY),
            ("claude-haiku-5-5", TODAY),
            ("claude-haiku-4-5", TODAY),
        ],
        expect![[r#"
            claude-fable-5-1 2026-11-21: >0 $10.00 $12.50 $20.00 $0.25 $50.00 [512, claude-5]
            claude-mythos-5-1 2026-11-21: >0 $10.00 $12.50 $20.00 $0.25 $50.00 [512, claude-5]
            claude-fable-5 2026-11-21: >0 $10.00 $12.50 $20.00 $1.00 $50.00 [512, claude-5]
            claude-opus-5-5 2026-11-21: >0 $4.00 $5.00 $8.00 $0.20 $20.00 [512, claude-5]
            claude-opus-5 2026-11-21: >0 $5.00 $6.25 $10.00 $0.50 $25.00 [512, claude-5]
            claude-opus-4-8 2026-11-21: >0 $5.00 $6.25 $10.00 $0.50 $25.00 [1024, claude-5]
            claude-opus-4-7 2026-11-21: >0 $5.00 $6.25 $10.00 $0.50 $25.00 [2048, claude-5]
            claude-opus-4-6 2026-11-21: >0 $5.00 $6.25 $10.00 $0.50 $25.00 [4096, claude-3]
            claude-opus-4-5 2026-11-21: >0 $5.00 $6.25 $10.00 $0.50 $25.00 [4096, claude-3]
            claude-sonnet-5-5 2026-10-06: >0 $2.00 $2.50 $4.00 $0.20 $10.00 [512, claude-5]
            claude-sonnet-5-5 2026-10-07: >0 $2.00 $2.50 $4.00 $0.10 $10.00 [512, claude-5]
            claude-sonnet-5 2026-11-21: >0 $2.00 $2.50 $4.00 $0.20 $10.00 [1024, claude-5]
            claude-sonnet-4-6 2026-11-21: >0 $3.00 $3.75 $6.00 $0.30 $15.00 [1024, claude-3]
            claude-sonnet-4-5 2026-11-21: >0 $3.00 $3.75 $6.00 $0.30 $15.00 [1024, claude-3]
            claude-haiku-5-5 2026-11-21: >0 $0.10 $0.125 $0.20 $0.01 $0.50 | >100000 $0.50 $0.625 $1.00 $0.05 $2.50 [512, claude-5]
            claude-haiku-4-5 2026-11-21: >0 $1.00 $1.25 $2.00 $0.10 $5.00 [4096, claude-3]
        "#]],
    );
}

#[test]
fn openai() {
    check(
        &[
            ("gpt-6-astra", TODAY),
            ("gpt-6.1-sol", TODAY),
            ("gpt-6-sol", TODAY),
            ("gpt-6.1-terra", TODAY),
            ("gpt-6-luna", TODAY),
            ("gpt-5.6-sol", TODAY),
            ("gpt-5.6-sol", "2026-11-22"),
            ("gpt-5.6-terra", TODAY),
            ("gpt-5.6-luna", TODAY),
        ],
        expect![[r#"
            gpt-6-astra 2026-11-21: >0 $10.00 $12.50 $25.00 $1.00 $50.00 | >272000 $20.00 $25.00 $50.00 $2.00 $75.00 [1024, o200k]
            gpt-6.1-sol 2026-11-21: >0 $2.00 $2.50 $5.00 $0.10 $10.00 | >272000 $4.00 $5.00 $10.00 $0.20 $15.00 [1024, o200k]
            gpt-6-sol 2026-11-21: >0 $2.00 $2.50 $5.00 $0.20 $10.00 | >272000 $4.00 $5.00 $10.00 $0.40 $15.00 [1024, o200k]
            gpt-6.1-terra 2026-11-21: >0 $1.00 $1.25 $2.50 $0.05 $5.00 | >272000 $2.00 $2.50 $5.00 $0.10 $7.50 [1024, o200k]
            gpt-6-luna 2026-11-21: >0 $0.10 $0.125 $0.25 $0.01 $0.50 | >272000 $0.20 $0.25 $0.50 $0.02 $0.75 [1024, o200k]
            gpt-5.6-sol 2026-11-21: >0 $4.00 $5.00 $10.00 $0.40 $20.00 | >272000 $8.00 $10.00 $20.00 $0.80 $30.00 [1024, o200k]
            gpt-5.6-sol 2026-11-22: >0 $5.00 $6.25 $12.50 $0.50 $30.00 | >272000 $10.00 $12.50 $25.00 $1.00 $45.00 [1024, o200k]
            gpt-5.6-terra 2026-11-21: >0 $2.00 $2.50 $5.00 $0.20 $12.00 | >272000 $4.00 $5.00 $10.00 $0.40 $18.00 [1024, o200k]
            gpt-5.6-luna 2026-11-21: >0 $0.20 $0.25 $0.50 $0.02 $1.20 | >272000 $0.40 $0.50 $1.00 $0.04 $1.80 [1024, o200k]
        "#]],
    );
}

#[test]
fn google() {
    check(
        &[
            ("gemini-3.8-flash", "2026-12-31"),
            ("gemini-3.8-flash", "2027-01-01"),
            ("gemini-3.5-flash", TODAY),
            ("gemini-3.5-flash-lite", TODAY),
            ("gemini-3.1-pro-preview", TODAY),
            ("gemini-2.5-pro", TODAY),
        ],
        expect![[r#"
            gemini-3.8-flash 2026-12-31: >0 $0.75 $0.75 $0.75 $0.075 $3.75 [4096, gemini]
            gemini-3.8-flash 2027-01-01: >0 $1.50 $1.50 $1.50 $0.15 $7.50 [4096, gemini]
            gemini-3.5-flash 2026-11-21: >0 $1.50 $1.50 $1.50 $0.15 $9.00 [4096, gemini]
            gemini-3.5-flash-lite 2026-11-21: >0 $0.30 $0.30 $0.30 $0.03 $2.50 [4096, gemini]
            gemini-3.1-pro-preview 2026-11-21: >0 $2.00 $2.00 $2.00 $0.20 $12.00 | >200000 $4.00 $4.00 $4.00 $0.40 $18.00 [4096, gemini]
            gemini-2.5-pro 2026-11-21: >0 $1.25 $1.25 $1.25 $0.125 $10.00 | >200000 $2.50 $2.50 $2.50 $0.25 $15.00 [2048, gemini]
        "#]],
    );
}

#[test]
fn a_dated_id_belongs_to_its_family_and_an_unknown_model_has_no_price() {
    check(
        &[
            ("claude-sonnet-5-5-20260928", TODAY),
            ("gpt-6-sol-2026-09-22", TODAY),
            ("claude-opus-5-20260801", TODAY),
            ("claude-opus-5-7", TODAY),
            ("claude-opus-5-123", TODAY),
            ("claude-sonnet-5-5-latest", TODAY),
            ("claude-sonnet-5-5-2026092x", TODAY),
            ("claude-sonnet-5-5-", TODAY),
            ("claude-sonnet", TODAY),
            ("claude-opus-5-5", "2026-09-21"),
            ("llama-4", TODAY),
            ("", TODAY),
        ],
        expect![[r#"
            claude-sonnet-5-5-20260928 2026-11-21: >0 $2.00 $2.50 $4.00 $0.10 $10.00 [512, claude-5]
            gpt-6-sol-2026-09-22 2026-11-21: >0 $2.00 $2.50 $5.00 $0.20 $10.00 | >272000 $4.00 $5.00 $10.00 $0.40 $15.00 [1024, o200k]
            claude-opus-5-20260801 2026-11-21: >0 $5.00 $6.25 $10.00 $0.50 $25.00 [512, claude-5]
            claude-opus-5-7 2026-11-21: no price
            claude-opus-5-123 2026-11-21: no price
            claude-sonnet-5-5-latest 2026-11-21: no price
            claude-sonnet-5-5-2026092x 2026-11-21: no price
            claude-sonnet-5-5- 2026-11-21: no price
            claude-sonnet 2026-11-21: no price
            claude-opus-5-5 2026-09-21: no price
            llama-4 2026-11-21: no price
             2026-11-21: no price
        "#]],
    );
}

#[test]
fn a_price_changes_at_midnight_utc() {
    let prices = Prices::shipped();
    let read = |time| {
        prices.lookup("claude-sonnet-5-5", at(time)).unwrap().tiers[0]
            .rates
            .read
    };
    assert_eq!(read("2026-10-06T23:59:59.999Z"), 200_000);
    assert_eq!(read("2026-10-07T00:00:00Z"), 100_000);
    assert_eq!(read("2026-10-07T01:00:00+02:00"), 200_000);
}

fn row(model: &str) -> PriceRow {
    Prices::shipped().lookup(model, at(TODAY)).unwrap().clone()
}

#[test]
fn a_tier_covers_the_whole_request() {
    let haiku = row("claude-haiku-5-5");
    let usage = |input, cache_read, cache_write_5m| Usage {
        input,
        cache_read,
        cache_write_5m,
        output: 1_000,
        ..Usage::default()
    };
    assert_eq!(haiku.cost(&usage(100_000, 0, 0)).exact(), "$0.0105");
    assert_eq!(haiku.cost(&usage(100_001, 0, 0)).exact(), "$0.0525005");
    // Cached tokens count towards the threshold.
    assert_eq!(haiku.cost(&usage(1, 50_000, 50_000)).exact(), "$0.0362505");
}

#[test]
fn the_worst_case_looks_over_the_cliff() {
    let haiku = row("claude-haiku-5-5");
    // The dearest class is the one-hour cache write.
    assert_eq!(haiku.worst(100_000, 1_000).exact(), "$0.0205");
    assert_eq!(haiku.worst(100_001, 1_000).exact(), "$0.102501");
    assert_eq!(row("claude-opus-5-5").worst(10_000, 4_000).exact(), "$0.16");
    // No tier is dearer than an earlier one for a small prompt.
    assert_eq!(row("gpt-6-luna").worst(0, 0), Money::ZERO);
    assert_eq!(row("claude-opus-5-5").worst(u64::MAX, u64::MAX), Money::MAX);
}

#[test]
fn the_shape_of_a_scoped_action_costs_what_the_anchors_say() {
    let cold = Usage {
        cache_write_5m: 3_000,
        input: 3_500,
        output: 1_300,
        ..Usage::default()
    };
    let warm = Usage {
        cache_read: 3_000,
        input: 3_500,
        output: 1_300,
        ..Usage::default()
    };
    let lines: String = [
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "gpt-6.1-sol",
        "gpt-6.1-terra",
        "claude-haiku-5-5",
        "gpt-6-luna",
    ]
    .map(|model| {
        format!(
            "{model} cold {} warm {}\n",
            row(model).cost(&cold).exact(),
            row(model).cost(&warm).exact()
        )
    })
    .concat();
    expect![[r#"
        claude-opus-5-5 cold $0.055 warm $0.0406
        claude-sonnet-5-5 cold $0.0275 warm $0.0203
        gpt-6.1-sol cold $0.0275 warm $0.0203
        gpt-6.1-terra cold $0.01375 warm $0.01015
        claude-haiku-5-5 cold $0.001375 warm $0.00103
        gpt-6-luna cold $0.001375 warm $0.00103
    "#]]
    .assert_eq(&lines);
}

#[test]
fn a_stale_row_is_known_to_be_stale() {
    let sonnet = row("claude-sonnet-5-5");
    assert!(!sonnet.is_stale(at("2027-01-05")));
    assert!(sonnet.is_stale(at("2027-01-06")));
    assert!(!PriceRow::local("qwen").is_stale(at(TODAY)));
}

#[test]
fn a_local_model_is_free_and_no_shipped_model_is() {
    assert!(PriceRow::local("qwen").is_free());
    assert_eq!(
        PriceRow::local("qwen").worst(1_000_000, 100_000),
        Money::ZERO
    );
    assert!(Prices::shipped().rows().iter().all(|row| !row.is_free()));
}

#[test]
fn every_row_says_where_it_comes_from_and_is_named_once() {
    let prices = Prices::shipped();
    let mut ids: Vec<_> = prices.rows().iter().map(PriceRow::id).collect();
    assert!(prices.rows().iter().all(|row| !row.source().is_empty()));
    assert!(ids.len() >= 25);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), prices.rows().len());
}

const OVERRIDE: &str = r#"
[[price]]
provider = "gateway"
model = "claude-sonnet-5-5"
input = "3"
output = "12.5"
checked_at = "2026-11-20"
"#;

#[test]
fn the_users_rows_come_first() {
    let prices = Prices::shipped().with_overrides(OVERRIDE).unwrap();
    let own = prices.lookup("claude-sonnet-5-5", at(TODAY)).unwrap();
    assert_eq!(own.id(), "user:gateway/claude-sonnet-5-5");
    // What is not said costs what input costs, never nothing.
    let usage = Usage {
        cache_read: 1_000_000,
        cache_write_1h: 1_000_000,
        ..Usage::default()
    };
    assert_eq!(own.cost(&usage).exact(), "$6.00");
    // An exact row leaves the family to the shipped one.
    let dated = prices
        .lookup("claude-sonnet-5-5-20260928", at(TODAY))
        .unwrap();
    assert_eq!(dated.provider(), "anthropic");
    assert!(Prices::shipped().with_overrides("").is_ok());
}

#[test]
fn mistakes_are_named_with_their_line() {
    let wrong = |from: &str, to: &str| {
        let text = OVERRIDE.replace(from, to);
        match Prices::shipped().with_overrides(&text) {
            Ok(_) => "accepted\n".to_owned(),
            Err(error) => format!("{error}\n"),
        }
    };
    let lines = [
        wrong("\"3\"", "3.0"),
        wrong("\"3\"", "\"nan\""),
        wrong("\"3\"", "\"-3\""),
        wrong("\"3\"", "\"0.0000001\""),
        wrong("input = \"3\"\n", ""),
        wrong("input", "inptu"),
        wrong("provider", "match = \"regex\"\nprovider"),
        wrong("provider", "tokenizer = \"bpe\"\nprovider"),
        wrong("2026-11-20", "yesterday"),
        wrong("checked_at = \"2026-11-20\"\n", ""),
        wrong("provider", "min_cache_tokens = 0\nprovider"),
        wrong("provider", "from = \"2027-01-01\"\nto = \"2026-01-01\"\nprovider"),
        wrong("provider", "tiers = [{ above = 10, input = \"1\", output = \"1\" }, { above = 10, input = \"1\", output = \"1\" }]\nprovider"),
        wrong("[[price]]", "[price]"),
        wrong("[[price]]", "[[prices]]"),
        wrong("output = ", "output "),
    ]
    .concat();
    expect![[r#"
        line 5: price.input: not an amount in quotes; write dollars for a million tokens in quotes, such as "0.10"
        line 5: price.input: not an amount with at most six decimals; write dollars for a million tokens in quotes, such as "0.10"
        line 5: price.input: not an amount with at most six decimals; write dollars for a million tokens in quotes, such as "0.10"
        line 5: price.input: not an amount with at most six decimals; write dollars for a million tokens in quotes, such as "0.10"
        line 2: price.input: missing; write dollars for a million tokens in quotes, such as "0.10"
        line 5: price.inptu: unknown key; valid keys are provider, model, aliases, match, from, to, input, write_5m, write_1h, read, output, tiers, min_cache_tokens, tokenizer, source, checked_at
        line 3: price.match: unknown value; valid values are "exact" and "family"
        line 3: price.tokenizer: unknown value; valid values are o200k, claude-3, claude-5, gemini, other
        line 7: price.checked_at: not a date; write a date in quotes, such as "2026-11-21"
        line 2: price.checked_at: missing; write a date in quotes, such as "2026-11-21"
        line 3: price.min_cache_tokens: not a count of tokens; write a whole number above 0, such as 1024
        line 4: price.to: not after `from`; the price holds until the start of this day
        line 3: price.tiers.above: not larger than the tier before; list the tiers from small to large
        line 2: price: not a list of tables; begin each row with [[price]]
        line 2: prices: unknown key; the only key here is [[price]]
        line 6: the file: key with no value, expected `=`; write it as TOML with [[price]] tables
    "#]].assert_eq(&lines);
}

proptest! {
    /// A request within its bounds never costs more than was reserved for it, whatever the model and the classes.
    #[test]
    fn worst_bounds_cost(
        index in 0..64_usize,
        upper in 0..400_000_u64,
        max_tokens in 0..64_000_u64,
        parts in proptest::array::uniform4(0..100_u64),
        output in 0..=100_u64,
    ) {
        let prices = Prices::shipped();
        let row = &prices.rows()[index % prices.rows().len()];
        let share = |part: u64| upper / 4 * part / 100;
        let usage = Usage {
            input: share(parts[0]),
            cache_write_5m: share(parts[1]),
            cache_write_1h: share(parts[2]),
            cache_read: share(parts[3]),
            output: max_tokens * output / 100,
        };
        prop_assert!(row.cost(&usage) <= row.worst(upper, max_tokens));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
        let _ = Prices::shipped().with_overrides(&text);
        let _ = Prices::shipped().with_overrides(&format!("[[price]]\n{text}"));
    }
}
