//! `farthing prices`: the price table, and whether it can be relied on.

use std::process::ExitCode;

use clap::Args;
use engine::Purse;
use engine::config::{Config, ProviderSetup};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use ledger::{MillionRates, Money, PriceRow, Prices};
use serde_json::{Value, json};

use crate::setup::{Places, configuration};
use crate::ui;

/// How long before a price changes `--check` says so.
const NOTICE_DAYS: i64 = 60;

/// What to show of the price table.
#[derive(Args)]
pub(crate) struct PricesArgs {
    /// Only models whose name holds this.
    model: Option<String>,
    /// Prices that held before or will hold later, too.
    #[arg(long)]
    all: bool,
    /// Say what is wrong with the table: models in use without a price, old figures, changes that are near.
    #[arg(long, conflicts_with_all = ["model", "all"])]
    check: bool,
    /// Print a JSON array instead of a table. Amounts are dollars for a million tokens, in quotes.
    #[arg(long, conflicts_with = "check")]
    json: bool,
}

/// Shows or checks the price table.
pub(crate) fn prices(args: &PricesArgs) -> anyhow::Result<ExitCode> {
    let places = Places::find()?;
    let (config, _) = configuration(&places, None, &[]);
    let purse = Purse::open(&places.ledger(), config.prices.as_deref());
    let now = Timestamp::now();
    let table = purse.prices();
    if args.check {
        let notices = check(&config, table.clone(), now);
        for notice in &notices {
            let (word, style) = match notice {
                Notice::Problem(_) => ("problem", ui::RED),
                Notice::News(_) => ("note", ui::CYAN),
            };
            ui::line(format!("{}: {}", ui::paint(style, word), notice.text()))?;
        }
        let problems = notices
            .iter()
            .filter(|notice| matches!(notice, Notice::Problem(_)));
        if problems.count() > 0 {
            return Ok(ExitCode::from(1));
        }
        ui::line("every model in use has a price that was looked up lately")?;
        return Ok(ExitCode::SUCCESS);
    }
    let table = table.map_err(anyhow::Error::msg)?;
    let wanted = |row: &&PriceRow| {
        (args.all || row.holds(now))
            && args.model.as_deref().is_none_or(|part| {
                row.model().contains(part) || row.aliases().iter().any(|name| name.contains(part))
            })
    };
    let rows: Vec<&PriceRow> = table.rows().iter().filter(wanted).collect();
    if args.json {
        ui::json(&Value::Array(
            rows.iter().map(|row| described(row, now)).collect(),
        ))?;
    } else if rows.is_empty() {
        ui::line("no model has such a name; `farthing prices` lists all of them")?;
    } else {
        ui::line(shown(&rows, now))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(rows: &[&PriceRow], now: Timestamp) -> String {
    let heading = [
        "model",
        "",
        "input",
        "write",
        "long write",
        "read",
        "output",
        "holds",
        "looked up",
    ];
    let mut table = vec![heading.map(str::to_owned).to_vec()];
    for row in rows {
        for (index, rates) in row.rates_by_prompt().iter().enumerate() {
            let amounts = [
                rates.input,
                rates.write_5m,
                rates.write_1h,
                rates.read,
                rates.output,
            ];
            let mut cells = match index {
                0 => vec![row.model().to_owned(), row.provider().to_owned()],
                _ => vec![format!("  above {} tokens", rates.above), String::new()],
            };
            cells.extend(amounts.map(Money::exact));
            if index == 0 {
                cells.push(period(row));
                let stale = if row.is_stale(now) { ", long ago" } else { "" };
                cells.push(format!("{}{stale}", row.checked_at()));
            }
            table.push(cells);
        }
    }
    let right = [false, false, true, true, true, true, true, false, false];
    format!(
        "{}\nDollars for a million tokens; docs/cost.md says how to add or change one.",
        ui::table(&table, &right)
    )
}

fn period(row: &PriceRow) -> String {
    match row.period() {
        (None, None) => String::new(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("until {to}"),
        (Some(from), Some(to)) => format!("{from} until {to}"),
    }
}

fn described(row: &PriceRow, now: Timestamp) -> Value {
    let (from, to) = row.period();
    let tiers: Vec<Value> = (row.rates_by_prompt().iter())
        .map(|rates| {
            let MillionRates {
                above,
                input,
                write_5m,
                write_1h,
                read,
                output,
            } = *rates;
            let dollars = |amount: Money| amount.exact().replace('$', "");
            json!({
                "above": above,
                "input": dollars(input),
                "write_5m": dollars(write_5m),
                "write_1h": dollars(write_1h),
                "read": dollars(read),
                "output": dollars(output),
            })
        })
        .collect();
    json!({
        "id": row.id(),
        "provider": row.provider(),
        "model": row.model(),
        "aliases": row.aliases(),
        "from": from,
        "to": to,
        "holds": row.holds(now),
        "tiers": tiers,
        "min_cache_tokens": row.min_cache_tokens(),
        "tokenizer": row.tokenizer(),
        "source": row.source(),
        "checked_at": row.checked_at(),
        "stale": row.is_stale(now),
    })
}

/// What `--check` has to say.
enum Notice {
    /// Something to mend.
    Problem(String),
    /// Something to know.
    News(String),
}

impl Notice {
    fn text(&self) -> &str {
        match self {
            Notice::Problem(text) | Notice::News(text) => text,
        }
    }
}

fn check(config: &Config, table: Result<&Prices, String>, now: Timestamp) -> Vec<Notice> {
    let table = match table {
        Ok(table) => table,
        Err(error) => return vec![Notice::Problem(error)],
    };
    let mut notices = Vec::new();
    let mut in_use = Vec::new();
    if matches!(config.provider, ProviderSetup::Ready(_)) && !config.is_free() {
        in_use = vec![
            &config.models.default,
            &config.models.small,
            &config.models.large,
        ];
        in_use.sort_unstable();
        in_use.dedup();
    }
    for model in &in_use {
        match table.lookup(model, now) {
            None => notices.push(Notice::Problem(format!(
                "{model} has no price, so nothing can be asked of it; add a [[price]] to the file that `[prices] file` names"
            ))),
            Some(row) if row.is_stale(now) => notices.push(Notice::Problem(format!(
                "the price of {model} was looked up on {}; compare it with {}",
                row.checked_at(),
                row.source()
            ))),
            Some(_) => {}
        }
    }
    let stale: Vec<&str> = (table.rows().iter())
        .filter(|row| row.holds(now) && row.is_stale(now))
        .map(PriceRow::model)
        .filter(|model| !in_use.iter().any(|used| used.as_str() == *model))
        .collect();
    if !stale.is_empty() {
        notices.push(Notice::News(format!(
            "looked up more than 45 days ago, and not in use: {}",
            stale.join(", ")
        )));
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    let soon = today.saturating_add(NOTICE_DAYS.days());
    for row in table.rows().iter().filter(|row| row.holds(now)) {
        let Some(to) = row.period().1.filter(|to| *to <= soon) else {
            continue;
        };
        let next = (to.to_zoned(TimeZone::UTC).ok())
            .and_then(|start| table.lookup(row.model(), start.timestamp()));
        notices.push(Notice::News(match (next.map(first), first(row)) {
            (Some(next), rates) => format!(
                "{} costs {} for input and {} for output from {to} on; now {} and {}",
                row.model(),
                next.input.exact(),
                next.output.exact(),
                rates.input.exact(),
                rates.output.exact()
            ),
            (None, _) => format!("{} has no price from {to} on", row.model()),
        }));
    }
    notices
}

fn first(row: &PriceRow) -> MillionRates {
    let none = MillionRates {
        above: 0,
        input: Money::ZERO,
        write_5m: Money::ZERO,
        write_1h: Money::ZERO,
        read: Money::ZERO,
        output: Money::ZERO,
    };
    row.rates_by_prompt().first().copied().unwrap_or(none)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::needless_raw_string_hashes)]

    use std::fmt::Write as _;

    use engine::config::{Source, Sources};
    use expect_test::{Expect, expect};

    use super::*;

    fn at(day: &str) -> Timestamp {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    fn check_at(day: &str, machine: &str, own: &str, expected: Expect) {
        let (config, _) = Config::resolve(&Sources {
            machine: Some(Source {
                name: "config.toml",
                text: machine,
            }),
            workspace: None,
            settings: None,
            env: &|name| (name == "ANTHROPIC_API_KEY").then(|| "k".to_owned()),
        });
        let table = Prices::shipped().with_overrides(own);
        let table = table.as_ref().map_err(ToString::to_string);
        let mut shown = String::new();
        for notice in check(&config, table, at(day)) {
            let word = if matches!(notice, Notice::Problem(_)) {
                "problem"
            } else {
                "note"
            };
            let _ = writeln!(shown, "{word}: {}", notice.text());
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn what_is_wrong_with_the_table_is_said() {
        check_at(
            "2026-11-22",
            "",
            "",
            expect![[r#"
            note: gemini-3.8-flash costs $1.50 for input and $7.50 for output from 2027-01-01 on; now $0.75 and $3.75
        "#]],
        );
        check_at(
            "2026-11-22",
            "[models]\ndefault = \"claude-sonnet-9\"",
            "",
            expect![[r#"
                problem: claude-sonnet-9 has no price, so nothing can be asked of it; add a [[price]] to the file that `[prices] file` names
                note: gemini-3.8-flash costs $1.50 for input and $7.50 for output from 2027-01-01 on; now $0.75 and $3.75
            "#]],
        );
        check_at(
            "2027-03-01",
            "",
            "",
            expect![[r#"
            problem: the price of claude-haiku-5-5 was looked up on 2026-11-21; compare it with https://platform.claude.com/docs/en/about-claude/models/claude-haiku-5-5
            problem: the price of claude-opus-5-5 was looked up on 2026-11-21; compare it with https://platform.claude.com/docs/en/about-claude/pricing
            problem: the price of claude-sonnet-5-5 was looked up on 2026-11-21; compare it with https://platform.claude.com/docs/en/about-claude/pricing
            note: looked up more than 45 days ago, and not in use: claude-fable-5-1, claude-fable-5, claude-opus-5, claude-opus-4-8, claude-opus-4-7, claude-opus-4-6, claude-sonnet-5, claude-sonnet-4-6, claude-haiku-4-5, gpt-6-astra, gpt-6.1-sol, gpt-6-sol, gpt-6.1-terra, gpt-6-luna, gpt-5.6-sol, gpt-5.6-terra, gpt-5.6-luna, gemini-3.8-flash, gemini-3.5-flash, gemini-3.5-flash-lite, gemini-3.1-pro-preview, gemini-2.5-pro
        "#]],
        );
        check_at(
            "2026-11-22",
            "",
            "[[price]]\nmodel = 3",
            expect![[r#"
            problem: line 1: price.provider: missing; write a text in quotes
        "#]],
        );
        // Nobody bills what runs on this machine, so its models need no price.
        check_at(
            "2026-11-01",
            "[provider]\nkind = \"ollama\"\n[models]\ndefault = \"qwen\"",
            "",
            expect![[r#"
                note: gpt-5.6-sol costs $5.00 for input and $30.00 for output from 2026-11-22 on; now $4.00 and $20.00
            "#]],
        );
    }

    #[test]
    fn a_price_is_shown_with_its_tiers() {
        let table = Prices::shipped();
        let rows: Vec<&PriceRow> = (table.rows().iter())
            .filter(|row| ["claude-haiku-5-5", "gpt-6.1-terra"].contains(&row.model()))
            .collect();
        expect![[r#"
            model                             input   write  long write   read  output  holds            looked up
            claude-haiku-5-5       anthropic  $0.10  $0.125       $0.20  $0.01   $0.50  from 2026-10-07  2026-11-21
              above 100000 tokens             $0.50  $0.625       $1.00  $0.05   $2.50
            gpt-6.1-terra          openai     $1.00   $1.25       $2.50  $0.05   $5.00  from 2026-10-26  2026-11-21
              above 272000 tokens             $2.00   $2.50       $5.00  $0.10   $7.50

            Dollars for a million tokens; docs/cost.md says how to add or change one."#]]
            .assert_eq(&anstream::adapter::strip_str(&shown(&rows, at("2026-11-22"))).to_string());
    }
}
