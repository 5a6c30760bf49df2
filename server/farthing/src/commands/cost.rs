//! `farthing cost`: what was spent.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use engine::Purse;
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date};
use ledger::{By, Ledger};
use serde_json::json;

use crate::setup::{Places, configuration};
use crate::ui;

/// What to show of the ledger.
#[derive(Args)]
pub(crate) struct CostArgs {
    /// What to add up by.
    #[arg(long, value_enum, default_value_t = Key::Action)]
    by: Key,
    /// Count only from this day on, such as 2026-11-01.
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,
    /// Accept what cost more than was held for it, so that spending may go on.
    #[arg(long)]
    acknowledge: bool,
    /// Begin a new ledger with what can be read of a damaged one, which is kept beside it.
    #[arg(long, conflicts_with = "acknowledge")]
    rescue: bool,
    /// Print one JSON object instead of a table. Money is in picodollars there.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Key {
    Action,
    Symbol,
    File,
    Model,
    Day,
    Run,
}

impl From<Key> for By {
    fn from(key: Key) -> By {
        match key {
            Key::Action => By::Action,
            Key::Symbol => By::Symbol,
            Key::File => By::File,
            Key::Model => By::Model,
            Key::Day => By::Day,
            Key::Run => By::Run,
        }
    }
}

/// Prints the sums of the ledger.
pub(crate) fn cost(args: &CostArgs) -> anyhow::Result<ExitCode> {
    let places = Places::find()?;
    let (config, _) = configuration(&places, None, &[]);
    if args.rescue {
        let rescue = Ledger::rescue(&places.ledger(), Timestamp::now())?;
        ui::line(format!(
            "{} rows were rescued, {} could not be read; the damaged file is {}",
            rescue.kept,
            rescue.lost,
            rescue.damaged.display()
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    let purse = Purse::open(&places.ledger(), config.prices.as_deref());
    let ledger = purse.ledger().map_err(anyhow::Error::msg)?;
    if args.acknowledge {
        for overrun in ledger.overruns()? {
            ui::line(format!(
                "{}: {} was held, it cost {}",
                overrun.model, overrun.held, overrun.cost
            ))?;
        }
        ui::line(format!(
            "{} accepted",
            ledger.acknowledge_overruns(Timestamp::now())?
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = Zoned::now();
    let since: Option<Timestamp> = match args.since {
        Some(day) => Some(day.to_zoned(now.time_zone().clone())?.timestamp()),
        None => None,
    };
    let until = now.checked_add(1.minute())?.timestamp();
    let rows = ledger.report(args.by.into(), since, Some(until))?;
    let totals = ledger.totals(&now)?;
    if args.json {
        ui::json(
            &json!({"rows": rows, "today": totals.today, "month": totals.month, "limits": {"run": config.budget.overall().run, "day": config.budget.overall().day, "month": config.budget.overall().month}}),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        ui::line("nothing was spent yet")?;
        return Ok(ExitCode::SUCCESS);
    }
    let heading = [
        "",
        "runs",
        "requests",
        "input",
        "cache",
        "output",
        "estimated",
        "cost",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut table = vec![heading];
    for row in &rows {
        table.push(vec![
            row.key.clone(),
            row.runs.to_string(),
            row.attempts.to_string(),
            row.usage.input.to_string(),
            (row.usage.prompt() - row.usage.input).to_string(),
            row.usage.output.to_string(),
            if row.estimated_runs > 0 {
                row.estimated_expected.to_string()
            } else {
                String::new()
            },
            row.cost.to_string(),
        ]);
    }
    let right = [false, true, true, true, true, true, true, true];
    ui::line(ui::table(&table, &right))?;
    let of = |limit: Option<ledger::Money>| {
        limit.map_or_else(String::new, |limit| format!(" of {limit}"))
    };
    ui::line(format!(
        "today {}{}, this month {}{}",
        totals.today.total(),
        of(config.budget.overall().day),
        totals.month.total(),
        of(config.budget.overall().month)
    ))?;
    Ok(ExitCode::SUCCESS)
}
