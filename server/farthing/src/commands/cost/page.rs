//! `farthing cost --html`: one page that needs nothing but itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};
use ledger::{ActionRow, By, Money, ReportRow, RequestRow, RunEnd, Unbilled, Usage, short_count};

use super::plot::{Bars, COLOURS, Point, scatter};
use super::{Story, spent};

/// Bars of single days up to so many, then of months.
const MOST_DAYS: usize = 62;
/// The newest runs that the plot and the table of runs show.
const NEWEST_RUNS: usize = 120;
const LISTED_RUNS: usize = 40;
/// Rows of a table of groups; the rest is one row.
const LISTED_GROUPS: usize = 12;

/// The page.
pub(super) fn page(story: &Story<'_>) -> String {
    let mut body = String::new();
    body.push_str(&tiles(story));
    let _ = write!(
        body,
        "<section><h2>{}</h2>{}</section>",
        if story.is_unbilled() {
            "Tokens over time"
        } else {
            "Spend over time"
        },
        over_time(story)
    );
    let _ = write!(
        body,
        "<section><h2>By action</h2><p class=\"note\">The bar is the cost; the stroke is what was expected.</p>{}</section>",
        table(story, By::Action)
    );
    let _ = write!(
        body,
        "<div class=\"pair\"><section><h2>Estimate against actual</h2>{}</section>\
         <section><h2>Cache</h2>{}</section></div>",
        estimates(story),
        cache(story)
    );
    let _ = write!(
        body,
        "<div class=\"pair\"><section><h2>By model</h2>{}</section><section><h2>By file</h2>{}</section></div>",
        table(story, By::Model),
        table(story, By::File)
    );
    let _ = write!(
        body,
        "<section><h2>By symbol</h2>{}</section>",
        table(story, By::Symbol)
    );
    let _ = write!(
        body,
        "<section><h2>Newest runs</h2>{}</section>",
        runs(story)
    );
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <title>Farthing · what was spent</title><style>\n{}</style></head>\n<body><main>\
         <header><h1>What was spent</h1><p>{}</p></header>\n{body}\n\
         <footer>Amounts are Farthing's own, by its price table; a provider's bill can differ. \
         Where the usage of a request is not known, its whole reservation counts.</footer></main></body></html>\n",
        include_str!("page.css"),
        period(story),
    )
}

/// Text as inert HTML, in an attribute too.
pub(in crate::commands) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

fn period(story: &Story<'_>) -> String {
    let day = |row: &RequestRow| row.day.clone();
    let (first, last) = (
        story.requests.first().map(day),
        story.requests.last().map(day),
    );
    let made = story.now.strftime("%Y-%m-%d %H:%M");
    match (first, last) {
        (Some(first), Some(last)) => format!("{first} to {last} · made {made}"),
        _ => format!("made {made}"),
    }
}

fn tiles(story: &Story<'_>) -> String {
    let cost: Money = story.requests.iter().map(|row| row.charge).sum();
    let mut unbilled = Unbilled::default();
    for row in &story.actions {
        unbilled += row.unbilled;
    }
    let (held, ended) = story.held();
    let mut tiles = String::from("<div class=\"tiles\">");
    let mut tile = |amount: String, says: String, extra: String| {
        let _ = write!(
            tiles,
            "<div class=\"tile\"><b>{}</b><span>{}</span>{extra}</div>",
            escape(&amount),
            escape(&says)
        );
    };
    let plural = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    let only_unbilled = story.is_unbilled();
    tile(
        if only_unbilled {
            format!("{} tok", short_count(unbilled.tokens))
        } else {
            cost.to_string()
        },
        format!(
            "in {}, {}",
            plural(story.actions.len(), "action"),
            plural(story.requests.len(), "request")
        ),
        String::new(),
    );
    if !unbilled.is_nothing() {
        let (says, amount) = unbilled_tile(unbilled, only_unbilled);
        tile(amount, says, String::new());
    }
    let limits = story.budget.overall();
    for (says, cost, limit) in [
        ("today", story.totals.today.total(), limits.day),
        ("this month", story.totals.month.total(), limits.month),
    ] {
        let (says, extra) = match limit {
            Some(limit) => (format!("{says}, of {limit}"), meter(cost, limit)),
            None => (says.to_owned(), String::new()),
        };
        if !only_unbilled {
            tile(cost.to_string(), says, extra);
        }
    }
    if ended > 0 {
        tile(
            format!("{} %", percent(held, ended)),
            format!("of {ended} estimates held; 80 % is the aim"),
            String::new(),
        );
    }
    let (saved, read, prompt) = story.cache();
    if prompt > 0 && !only_unbilled {
        tile(
            saved.to_string(),
            format!(
                "saved by the cache, which gave {} % of the prompts",
                percent(read, prompt)
            ),
            String::new(),
        );
    }
    tiles.push_str("</div>");
    tiles
}

/// What is said of models that nobody bills, and the figure above it: their time where their tokens are told already.
fn unbilled_tile(unbilled: Unbilled, only: bool) -> (String, String) {
    let shown = unbilled.to_string();
    let (tokens, time) = shown.split_once(" in ").unwrap_or((&shown, ""));
    if only {
        (
            "that models took which nobody bills".to_owned(),
            time.to_owned(),
        )
    } else {
        (format!("that nobody bills, in {time}"), tokens.to_owned())
    }
}

fn meter(spent: Money, limit: Money) -> String {
    let part = if limit.is_zero() {
        1.0
    } else {
        (spent.picodollars() as f64 / limit.picodollars() as f64).clamp(0.0, 1.0)
    };
    let near = if part >= 0.9 { " class=\"near\"" } else { "" };
    format!(
        "<div class=\"meter\"><i{near} style=\"width:{:.1}%\"></i></div>",
        part * 100.0
    )
}

/// The bars along the time: each with its label and what of `rows` falls into it.
fn periods<'a>(rows: &'a [RequestRow], now: &Zoned) -> Vec<(String, Vec<&'a RequestRow>)> {
    let mut days: BTreeMap<&str, Vec<&RequestRow>> = BTreeMap::new();
    for row in rows {
        days.entry(&row.day).or_default().push(row);
    }
    let date = |day: &str| day.parse::<Date>().ok();
    let (Some(first), Some(last)) = (
        days.keys().next().and_then(|day| date(day)),
        days.keys().next_back().and_then(|day| date(day)),
    ) else {
        return Vec::new();
    };
    // A fortnight at least, so that the first day of use is not one bar as wide as the page.
    let last = last.max(now.date().min(last.saturating_add(14.days())));
    let first = first.min(last.saturating_sub(13.days()));
    let length = first
        .until(last)
        .map_or(0, |span| span.get_days().unsigned_abs() as usize + 1);
    if length <= MOST_DAYS {
        return (0..length)
            .map(|offset| {
                let day = first.saturating_add(i64::try_from(offset).unwrap_or(0).days());
                let rows = days.remove(day.to_string().as_str()).unwrap_or_default();
                (day.strftime("%b %-d").to_string(), rows)
            })
            .collect();
    }
    let mut months: BTreeMap<String, Vec<&RequestRow>> = BTreeMap::new();
    let mut month = first.first_of_month();
    while month <= last {
        months.insert(month.strftime("%Y-%m").to_string(), Vec::new());
        month = month.saturating_add(1.month());
    }
    for (day, rows) in days {
        let month = day.get(..7).unwrap_or(day).to_owned();
        months.entry(month).or_default().extend(rows);
    }
    months.into_iter().collect()
}

fn over_time(story: &Story<'_>) -> String {
    let in_tokens = story.is_unbilled();
    let weight = |row: &RequestRow| match row.usage {
        Some(usage) if in_tokens => i128::from(usage.total()),
        None if in_tokens => 0,
        Some(_) | None => i128::from(row.charge.picodollars()),
    };
    let mut by_model: BTreeMap<&str, i128> = BTreeMap::new();
    for row in &story.requests {
        *by_model.entry(&row.model).or_default() += weight(row);
    }
    let mut models: Vec<(&str, i128)> = by_model.into_iter().collect();
    models.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut series: Vec<String> = models
        .iter()
        .map(|(model, _)| (*model).to_owned())
        .collect();
    if series.len() > COLOURS {
        series.truncate(COLOURS - 1);
        series.push("others".to_owned());
    }
    let place = |model: &str| {
        series
            .iter()
            .position(|known| known == model)
            .unwrap_or(series.len().saturating_sub(1))
    };
    let stacks = periods(&story.requests, &story.now)
        .into_iter()
        .map(|(label, rows)| {
            let mut amounts = vec![0.0; series.len()];
            for row in rows {
                if let Some(amount) = amounts.get_mut(place(&row.model)) {
                    *amount += weight(row) as f64;
                }
            }
            (label, amounts)
        })
        .collect();
    let bars = Bars {
        stacks,
        series: &series,
        amount: if in_tokens { tokens } else { dollars },
        top: None,
        width: 1000.0,
        height: 270.0,
    };
    let legend: Vec<(String, String)> = series
        .iter()
        .enumerate()
        .map(|(index, name)| (format!("b{index}"), name.clone()))
        .collect();
    format!(
        "<div class=\"scroll\">{}</div>{}",
        bars.svg("Spend over time, by model"),
        self::legend(&legend)
    )
}

fn cache(story: &Story<'_>) -> String {
    let series = ["read", "written", "fresh"].map(str::to_owned);
    let stacks = periods(&story.requests, &story.now)
        .into_iter()
        .map(|(label, rows)| {
            let usage: Usage = rows.iter().filter_map(|row| row.usage).sum();
            let whole = usage.prompt().max(1) as f64;
            let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
            let parts =
                [usage.cache_read, written, usage.input].map(|tokens| tokens as f64 / whole);
            (label, parts.to_vec())
        })
        .collect();
    let bars = Bars {
        stacks,
        series: &series,
        amount: |part| format!("{:.0} %", part * 100.0),
        top: Some(1.0),
        width: 480.0,
        height: 318.0,
    };
    let (saved, read, prompt) = story.cache();
    if prompt == 0 {
        return "<p class=\"note\">No prompt has been sent.</p>".to_owned();
    }
    let legend = [
        ("b0", "read from the cache"),
        ("b1", "written to it"),
        (
            "b2",
            if story.is_unbilled() {
                "new"
            } else {
                "at the full price"
            },
        ),
    ]
    .map(|(class, name)| (class.to_owned(), name.to_owned()));
    let saved = if story.is_unbilled() {
        String::new()
    } else {
        format!(", which saved {saved}")
    };
    format!(
        "<p class=\"note\">Where prompts came from. {} % was read from the cache{}.</p>{}{}",
        percent(read, prompt),
        escape(&saved),
        bars.svg("Where the tokens of prompts came from"),
        self::legend(&legend)
    )
}

fn estimates(story: &Story<'_>) -> String {
    let points: Vec<Point> = story
        .actions
        .iter()
        .rev()
        .filter_map(|row| {
            let (low, expected, high) = row.estimate?;
            let held = row.held()?;
            (row.cost > Money::ZERO && expected > Money::ZERO).then(|| Point {
                low: low.picodollars() as f64,
                expected: expected.picodollars() as f64,
                high: high.picodollars() as f64,
                actual: row.cost.picodollars() as f64,
                held,
                says: format!(
                    "{} · estimated {low} to {high}, cost {}",
                    target(row),
                    row.cost
                ),
            })
        })
        .take(NEWEST_RUNS)
        .collect();
    if points.is_empty() && story.is_unbilled() {
        return "<p class=\"note\">An estimate in tokens has no interval; the strokes in the tables are what was expected.</p>"
            .to_owned();
    }
    if points.is_empty() {
        return "<p class=\"note\">No run with an estimate has ended yet.</p>".to_owned();
    }
    let legend = [("bgood", "the interval held"), ("bbad", "it did not")]
        .map(|(class, name)| (class.to_owned(), name.to_owned()));
    format!(
        "<p class=\"note\">Each line is an interval, its dot what was expected. Where it crosses the dashes, it held.</p>{}{}",
        scatter("Estimates against actual costs", &points, dollars),
        self::legend(&legend)
    )
}

fn legend(entries: &[(String, String)]) -> String {
    let mut shown = String::from("<div class=\"legend\">");
    for (class, name) in entries {
        let _ = write!(
            shown,
            "<span><i class=\"{class}\"></i>{}</span>",
            escape(name)
        );
    }
    shown.push_str("</div>");
    shown
}

fn table(story: &Story<'_>, by: By) -> String {
    let groups: Vec<ReportRow> = match story.groups(by) {
        Ok(groups) => groups.into_iter().map(|group| group.row).collect(),
        Err(error) => return format!("<p class=\"note\">{}</p>", escape(&error.to_string())),
    };
    let in_tokens = story.is_unbilled();
    let amounts = |group: &ReportRow| {
        if in_tokens {
            (group.unbilled.tokens as f64, group.unbilled_expected as f64)
        } else {
            let expected = group.estimated_expected.picodollars() as f64;
            (group.cost.picodollars() as f64, expected)
        }
    };
    let most = |most: f64, (amount, expected): (f64, f64)| most.max(amount).max(expected);
    let largest = groups.iter().map(amounts).fold(1.0, most);
    let mut rows = String::from(
        "<div class=\"scroll\"><table><thead><tr><th></th><th class=\"n\">cost</th>\
         <th class=\"n\">estimated</th><th class=\"n\">held</th><th class=\"n\">runs</th></tr></thead><tbody>",
    );
    for group in groups.iter().take(LISTED_GROUPS) {
        let share = |amount: f64| 100.0 * amount / largest;
        let (actual, forecast) = amounts(group);
        let ReportRow {
            key, cost, runs, ..
        } = group;
        let (expected, held) = (group.estimated_expected, group.within_estimate);
        let ended = group.estimated_runs;
        let stroke = if forecast <= 0.0 {
            String::new()
        } else {
            format!("<u style=\"left:{:.2}%\"></u>", share(forecast))
        };
        let key = if key.is_empty() { "elsewhere" } else { key };
        let _ = write!(
            rows,
            "<tr><td class=\"key\">{}<div class=\"track\"><i style=\"width:{:.2}%\"></i>{stroke}</div></td>\
             <td class=\"n\">{}</td><td class=\"n soft\">{}</td><td class=\"n soft\">{}</td><td class=\"n soft\">{runs}</td></tr>",
            escape(key),
            share(actual),
            escape(&spent(*cost, group.unbilled)),
            match (ended, group.unbilled_expected) {
                (0, 0) => String::new(),
                (0, tokens) => format!("{} tok", short_count(tokens)),
                _ => escape(&expected.to_string()),
            },
            if ended > 0 {
                format!("{held} of {ended}")
            } else {
                String::new()
            },
        );
    }
    if let Some(rest) = groups.get(LISTED_GROUPS..).filter(|rest| !rest.is_empty()) {
        let cost: Money = rest.iter().map(|group| group.cost).sum();
        let _ = write!(
            rows,
            "<tr><td class=\"soft\">{} more</td><td class=\"n soft\">{}</td><td></td><td></td><td></td></tr>",
            rest.len(),
            escape(&cost.to_string())
        );
    }
    rows.push_str("</tbody></table></div>");
    rows
}

fn runs(story: &Story<'_>) -> String {
    let zone: TimeZone = story.now.time_zone().clone();
    let mut rows = String::from(
        "<div class=\"scroll runs\"><table><thead><tr><th>started</th><th>action</th><th>model</th><th>end</th>\
         <th class=\"n\">requests</th><th class=\"n\">estimate</th><th class=\"n\">cost</th></tr></thead><tbody>",
    );
    for row in story.actions.iter().rev().take(LISTED_RUNS) {
        let end = row.end.map_or("running", RunEnd::name);
        let class = match row.held() {
            Some(true) => " good",
            Some(false) => " bad",
            None => "",
        };
        let estimate = row.estimate.map_or_else(String::new, |(low, _, high)| {
            match row.expected_tokens.filter(|_| high.is_zero()) {
                Some(tokens) => format!("{} tok", short_count(tokens)),
                None => format!("{low} to {high}"),
            }
        });
        let _ = write!(
            rows,
            "<tr><td class=\"soft\">{}</td><td class=\"key\">{}</td><td class=\"soft\">{}</td><td class=\"soft\">{end}</td>\
             <td class=\"n soft\">{}</td><td class=\"n soft\">{}</td><td class=\"n{class}\">{}</td></tr>",
            row.at.to_zoned(zone.clone()).strftime("%b %-d %H:%M"),
            escape(&target(row)),
            escape(&row.model),
            row.requests,
            escape(&estimate),
            escape(&spent(row.cost, row.unbilled)),
        );
    }
    rows.push_str("</tbody></table></div>");
    rows
}

/// `fix Mill/turn`, or the file where there is no symbol.
fn target(row: &ActionRow) -> String {
    let place = &row.place;
    let at = place.symbol.as_deref().filter(|symbol| !symbol.is_empty());
    match at.or(place.file.as_deref()) {
        Some(at) => format!("{} {at}", place.action),
        None => place.action.clone(),
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    (part.saturating_mul(100) + whole / 2) / whole.max(1)
}

fn tokens(count: f64) -> String {
    format!("{} tok", short_count(count.round() as u64))
}

fn dollars(picodollars: f64) -> String {
    Money::saturating_from(picodollars.round() as i128).to_string()
}
