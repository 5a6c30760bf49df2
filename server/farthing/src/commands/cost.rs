//! `farthing cost`: what was spent, for people, for programs and as a page.

mod page;
mod plot;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) use self::page::escape;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use engine::Purse;
use engine::config::Budget;
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date};
use ledger::{
    ActionRow, By, Ledger, Money, Prices, ReportRow, RequestRow, Settlement, Totals, Unbilled,
    short_count,
};
use serde::Serialize;
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
    /// List the requests that count at what was held for them, because nobody has said what they did cost.
    #[arg(long, conflicts_with = "acknowledge")]
    unknown: bool,
    /// Say what such a request did cost by the provider's own records, such as 0198f3…=$0.013.
    #[arg(long, value_name = "REQUEST=AMOUNT", conflicts_with_all = ["acknowledge", "unknown"])]
    reconcile: Vec<String>,
    /// Begin a new ledger with what can be read of a damaged one, which is kept beside it.
    #[arg(long, conflicts_with = "acknowledge")]
    rescue: bool,
    /// Print one JSON object instead of a table. Money is in picodollars there.
    #[arg(long)]
    json: bool,
    /// Print comma-separated values instead of a table. Money is in dollars there, with every digit.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Write a page with plots to this file, which needs nothing but a browser.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"])]
    html: Option<PathBuf>,
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
        return acknowledge(ledger);
    }
    if args.unknown {
        return unknown(ledger);
    }
    if !args.reconcile.is_empty() {
        return reconcile(ledger, &args.reconcile);
    }
    let prices = purse
        .prices()
        .cloned()
        .unwrap_or_else(|_| Prices::shipped());
    let story = Story::read(ledger, &prices, &config.budget, args.since)?;
    let by = args.by.into();
    if let Some(path) = &args.html {
        replace(path, &page::page(&story))
            .with_context(|| format!("cannot write {}", path.display()))?;
        ui::line(path.display())?;
    } else if args.json {
        story.json(by)?;
    } else if args.csv {
        ui::line(story.csv(by).trim_end())?;
    } else {
        story.print(by)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file whole or not at all. Only its owner can read it: it names files and symbols.
pub(super) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn acknowledge(ledger: &Ledger) -> anyhow::Result<ExitCode> {
    for overrun in ledger.overruns()? {
        ui::line(format!(
            "{}: {} was held, it cost {}",
            overrun.model, overrun.held, overrun.cost
        ))?;
    }
    let accepted = ledger.acknowledge_overruns(Timestamp::now())?;
    ui::line(format!("{accepted} accepted"))?;
    Ok(ExitCode::SUCCESS)
}

fn unknown(ledger: &Ledger) -> anyhow::Result<ExitCode> {
    let requests = ledger.requests(None, None)?;
    let unknown: Vec<&RequestRow> = requests.iter().filter(|row| row.is_unknown()).collect();
    if unknown.is_empty() {
        ui::line("the cost of every request is known")?;
        return Ok(ExitCode::SUCCESS);
    }
    let heading = ["request", "at", "model", "the provider's id", "counts as"];
    let mut table = vec![heading.map(str::to_owned).to_vec()];
    table.extend(unknown.iter().map(|row| {
        vec![
            row.attempt.clone(),
            row.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            row.model.clone(),
            row.request_id.clone().unwrap_or_default(),
            row.charge.to_string(),
        ]
    }));
    ui::line(ui::table(&table, &[false, false, false, false, true]))?;
    Ok(ExitCode::SUCCESS)
}

/// Replaces whole reservations by what the provider says that the requests did cost.
fn reconcile(ledger: &Ledger, said: &[String]) -> anyhow::Result<ExitCode> {
    let requests = ledger.requests(None, None)?;
    let corrections = said.iter().map(|said| {
        let (request, amount) = said.split_once('=').with_context(|| {
            format!("{said}: write a request and an amount, such as 0198f3…=$0.013")
        })?;
        let cost: Money = amount
            .parse()
            .with_context(|| format!("{said}: the amount is not one"))?;
        let found = requests.iter().find(|row| row.attempt == request);
        let row = found.filter(|row| row.is_unknown()).with_context(|| {
            format!("{request} is not among the requests of `farthing cost --unknown`")
        })?;
        anyhow::ensure!(
            cost <= row.charge,
            "{request} counts as {} already, and cannot have cost more",
            row.charge
        );
        Ok((row, cost))
    });
    // All or none, as far as what was written is concerned.
    for (row, cost) in corrections.collect::<anyhow::Result<Vec<_>>>()? {
        let settlement = Settlement {
            usage: row.usage.unwrap_or_default(),
            cost,
            model: None,
            price: None,
            request_id: row.request_id.as_deref(),
            at: Timestamp::now(),
        };
        ledger.settle(row.attempt.parse()?, &settlement)?;
        ui::line(format!(
            "{}: {} instead of {}",
            row.attempt,
            cost.exact(),
            row.charge
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the ledger tells about a time.
struct Story<'a> {
    ledger: &'a Ledger,
    prices: &'a Prices,
    budget: &'a Budget,
    now: Zoned,
    since: Option<Timestamp>,
    until: Timestamp,
    totals: Totals,
    /// What was done today and this month by models that nobody bills.
    unbilled: (Unbilled, Unbilled),
    actions: Vec<ActionRow>,
    requests: Vec<RequestRow>,
}

/// One group of a report, and what the cache saved in it.
#[derive(Serialize)]
struct Group {
    #[serde(flatten)]
    row: ReportRow,
    /// In picodollars; below zero where writing to the cache cost more than reading from it brought in.
    cache_saved: Money,
}

impl Story<'_> {
    fn read<'a>(
        ledger: &'a Ledger,
        prices: &'a Prices,
        budget: &'a Budget,
        since: Option<Date>,
    ) -> anyhow::Result<Story<'a>> {
        let now = Zoned::now();
        let since = match since {
            Some(day) => Some(day.to_zoned(now.time_zone().clone())?.timestamp()),
            None => None,
        };
        let until = now.checked_add(1.minute())?.timestamp();
        Ok(Story {
            ledger,
            prices,
            budget,
            since,
            until,
            totals: ledger.totals(&now)?,
            unbilled: ledger.unbilled(&now)?,
            actions: ledger.actions(since, Some(until))?,
            requests: ledger.requests(since, Some(until))?,
            now,
        })
    }

    fn groups(&self, by: By) -> anyhow::Result<Vec<Group>> {
        let mut saved: BTreeMap<(String, Option<String>), Money> = BTreeMap::new();
        for request in &self.requests {
            let sum = saved.entry(request.group(by)).or_default();
            *sum = sum.saturating_add(self.saved(request));
        }
        let rows = self.ledger.report(by, self.since, Some(self.until))?;
        let with_savings = rows.into_iter().map(|row| {
            let group = (row.key.clone(), row.workspace.clone());
            let cache_saved = saved.get(&group).copied().unwrap_or_default();
            Group { row, cache_saved }
        });
        Ok(with_savings.collect())
    }

    /// What the cache saved in one request, by the prices that it was settled at.
    fn saved(&self, request: &RequestRow) -> Money {
        let price = self.prices.row(&request.price);
        (price.zip(request.usage)).map_or(Money::ZERO, |(price, usage)| price.saved(&usage))
    }

    /// Whether nothing was billed, so that tokens and time are all there is to tell.
    fn is_unbilled(&self) -> bool {
        self.requests.iter().all(|row| row.charge.is_zero())
            && (self.actions.iter()).any(|row| !row.unbilled.is_nothing())
    }

    /// Estimates that held, and ended actions with an estimate.
    fn held(&self) -> (u64, u64) {
        let ended = self.actions.iter().filter_map(ActionRow::held);
        ended.fold((0, 0), |(held, ended), inside| {
            (held + u64::from(inside), ended + 1)
        })
    }

    /// What the cache saved, the prompt tokens that it gave, and all prompt tokens.
    fn cache(&self) -> (Money, u64, u64) {
        let saved = self.requests.iter().map(|row| self.saved(row)).sum();
        let usages = self.requests.iter().filter_map(|row| row.usage);
        let usage: ledger::Usage = usages.sum();
        (saved, usage.cache_read, usage.prompt())
    }

    fn json(&self, by: By) -> anyhow::Result<()> {
        let limits = self.budget.overall();
        let (held, ended) = self.held();
        let (saved, read, prompt) = self.cache();
        let models: BTreeMap<&str, _> = (self.budget.models().into_iter())
            .map(|(id, of)| (id, json!({"day": of.model_day, "month": of.model_month})))
            .collect();
        ui::json(&json!({
            "rows": self.groups(by)?,
            "today": self.totals.today,
            "month": self.totals.month,
            "unbilled": {"today": self.unbilled.0, "month": self.unbilled.1},
            "limits": {
                "run": limits.run,
                "session": limits.session,
                "workspace": limits.workspace,
                "day": limits.day,
                "month": limits.month,
                "models": models,
            },
            "estimates": {"ended": ended, "held": held},
            "cache": {"saved": saved, "read_tokens": read, "prompt_tokens": prompt},
        }))
    }

    fn csv(&self, by: By) -> String {
        let mut text = format!(
            "{},workspace,runs,requests,input,cache_write_5m,cache_write_1h,cache_read,output,estimated_runs,held,\
             estimated,estimated_actual,cache_saved,unknown,cost,unbilled_estimated,unbilled_tokens,unbilled_seconds\n",
            by.name()
        );
        for Group { row, cache_saved } in self.groups(by).unwrap_or_default() {
            let dollars = |amount: Money| amount.exact().replace('$', "");
            let cells = [
                quoted(&row.key),
                quoted(row.workspace.as_deref().unwrap_or_default()),
                row.runs.to_string(),
                row.attempts.to_string(),
                row.usage.input.to_string(),
                row.usage.cache_write_5m.to_string(),
                row.usage.cache_write_1h.to_string(),
                row.usage.cache_read.to_string(),
                row.usage.output.to_string(),
                row.estimated_runs.to_string(),
                row.within_estimate.to_string(),
                dollars(row.estimated_expected),
                dollars(row.estimated_actual),
                dollars(cache_saved),
                dollars(row.unknown),
                dollars(row.cost),
                row.unbilled_expected.to_string(),
                row.unbilled.tokens.to_string(),
                format!("{:.3}", row.unbilled.time_ms as f64 / 1_000.0),
            ];
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }

    fn print(&self, by: By) -> anyhow::Result<()> {
        let groups = self.groups(by)?;
        if groups.is_empty() {
            ui::line("nothing was spent yet")?;
            return Ok(());
        }
        let heading = [
            by.name(),
            "runs",
            "requests",
            "input",
            "cache",
            "output",
            "estimated",
            "held",
            "saved",
            "cost",
            "",
        ];
        let mut table = vec![heading.map(str::to_owned).to_vec()];
        let largest = groups
            .iter()
            .map(|group| group.row.cost)
            .max()
            .unwrap_or_default();
        for Group { row, cache_saved } in &groups {
            let if_estimated = |text: String| {
                if row.estimated_runs > 0 {
                    text
                } else {
                    String::new()
                }
            };
            let estimated = match (row.estimated_runs, row.unbilled_expected) {
                (0, 0) => String::new(),
                (0, tokens) => format!("{} tok", short_count(tokens)),
                _ => row.estimated_expected.to_string(),
            };
            table.push(vec![
                row.key.clone(),
                row.runs.to_string(),
                row.attempts.to_string(),
                row.usage.input.to_string(),
                (row.usage.prompt() - row.usage.input).to_string(),
                row.usage.output.to_string(),
                estimated,
                if_estimated(format!("{}/{}", row.within_estimate, row.estimated_runs)),
                if cache_saved.is_zero() {
                    String::new()
                } else {
                    cache_saved.to_string()
                },
                spent(row.cost, row.unbilled),
                bar(row.cost, largest),
            ]);
        }
        let right = [
            false, true, true, true, true, true, true, true, true, true, false,
        ];
        ui::line(ui::table(&table, &right))?;
        let limits = self.budget.overall();
        // A limit of money says nothing where nobody bills.
        let of = |limit: Option<Money>| match limit {
            Some(limit) if !self.is_unbilled() => format!(" of {limit}"),
            Some(_) | None => String::new(),
        };
        ui::line(format!(
            "today {}{}, this month {}{}",
            spent(self.totals.today.total(), self.unbilled.0),
            of(limits.day),
            spent(self.totals.month.total(), self.unbilled.1),
            of(limits.month)
        ))?;
        let (held, ended) = self.held();
        if let Some(share) = (held * 100 + ended / 2).checked_div(ended) {
            ui::line(format!(
                "{held} of {ended} estimates held, {share} %; 80 % is the aim"
            ))?;
        }
        Ok(())
    }
}

/// Money, and tokens and time where nobody bills; what there is none of is left out.
fn spent(cost: Money, unbilled: Unbilled) -> String {
    match (cost.is_zero(), unbilled.is_nothing()) {
        (_, true) => cost.to_string(),
        (true, false) => unbilled.to_string(),
        (false, false) => format!("{cost} and {unbilled}"),
    }
}

/// A bar of at most a dozen cells.
fn bar(amount: Money, largest: Money) -> String {
    const CELLS: f64 = 12.0;
    if largest <= Money::ZERO {
        return String::new();
    }
    let part = amount.picodollars() as f64 / largest.picodollars() as f64;
    let eighths = (part * CELLS * 8.0).round() as usize;
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let end = partial.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{end}", "█".repeat(eighths / 8))
}

/// A cell of text. One that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if guard.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
