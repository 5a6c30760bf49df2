//! The price table: what a token of each class costs, for which model, from when until when.
//!
//! The rows are data (`prices.toml`), compiled in, and a user's own rows come before them. A model without a row has
//! no price, which is not the same as a price of zero: without a [`PriceRow`] nothing can be reserved.
//!
//! ```
//! use ledger::{Prices, Usage};
//! let at = "2026-11-21T12:00:00Z".parse()?;
//! let prices = Prices::shipped();
//! let row = prices.lookup("claude-sonnet-5-5-20260928", at).ok_or("no price")?;
//! let usage = Usage { input: 3_500, cache_read: 3_000, output: 1_300, ..Usage::default() };
//! assert_eq!(row.cost(&usage).to_string(), "$0.02");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod parse;

use std::sync::{Arc, LazyLock};

use jiff::{Span, Timestamp, ToSpan, civil::Date, tz::TimeZone};

use crate::{Money, Tokenizer, Usage};

pub use parse::PricesError;

/// The rows in force, the user's own first. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Prices {
    rows: Arc<[PriceRow]>,
}

impl Prices {
    /// The table that is compiled in.
    pub fn shipped() -> Self {
        static SHIPPED: LazyLock<Prices> = LazyLock::new(|| {
            let rows = parse::rows(include_str!("prices.toml"), "").unwrap_or_else(|error| {
                debug_assert!(false, "the shipped price table: {error}");
                tracing::error!(%error, "the shipped price table cannot be read; no model has a price");
                Vec::new()
            });
            Prices { rows: rows.into() }
        });
        SHIPPED.clone()
    }

    /// This table with the `[[price]]` rows of `text` before its own.
    ///
    /// The user's rows take the form of the shipped ones; of those, a row for the same model never shows again at a
    /// time that a user's row covers.
    pub fn with_overrides(&self, text: &str) -> Result<Self, PricesError> {
        let mut rows = parse::rows(text, "user:")?;
        rows.extend_from_slice(&self.rows);
        Ok(Self { rows: rows.into() })
    }

    /// The price of `model` for a request that starts at `at`. `None`: it has no price and must not be used under a
    /// money budget.
    ///
    /// A full id wins over a family, and the first row wins among equals.
    pub fn lookup(&self, model: &str, at: Timestamp) -> Option<&PriceRow> {
        let in_force = || self.rows.iter().filter(|row| row.in_force(at));
        in_force()
            .find(|row| row.names().any(|name| name == model))
            .or_else(|| in_force().find(|row| row.covers_dated(model)))
    }

    /// The row of that [`PriceRow::id`], as ledger rows name it.
    pub fn row(&self, id: &str) -> Option<&PriceRow> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Every row, the user's own first.
    pub fn rows(&self) -> &[PriceRow] {
        &self.rows
    }

    /// The models that have a price at `at`, for messages and completions.
    pub fn models(&self, at: Timestamp) -> Vec<&str> {
        let mut models: Vec<_> = self
            .rows
            .iter()
            .filter(|row| row.in_force(at))
            .flat_map(PriceRow::names)
            .collect();
        models.sort_unstable();
        models.dedup();
        models
    }
}

/// The price of one model during one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    id: String,
    provider: String,
    model: String,
    aliases: Vec<String>,
    family: bool,
    from: Option<Date>,
    to: Option<Date>,
    /// Sorted by `above`; the first is above 0, so that every prompt has a tier.
    tiers: Vec<Tier>,
    min_cache_tokens: Option<u64>,
    tokenizer: Tokenizer,
    source: String,
    checked_at: Date,
}

/// The rates for prompts of more than `above` tokens. They cover the whole request, output included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tier {
    above: u64,
    rates: Rates,
}

/// Picodollars for one token of each class; none is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    input: i64,
    write_5m: i64,
    write_1h: i64,
    read: i64,
    output: i64,
}

/// What a million tokens of each class cost where the prompt has more than `above` tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MillionRates {
    /// The prompt has more tokens than this.
    pub above: u64,
    /// A prompt token that is neither written to a cache nor read from one.
    pub input: Money,
    /// A prompt token written to the short-lived cache.
    pub write_5m: Money,
    /// A prompt token written to the long-lived cache.
    pub write_1h: Money,
    /// A prompt token read from a cache.
    pub read: Money,
    /// A token produced, thinking included.
    pub output: Money,
}

/// A row is reported as stale when its price was last checked longer ago than this.
fn stale_after() -> Span {
    45.days()
}

impl PriceRow {
    /// The price of a model that costs nothing because it runs on the user's own machine.
    ///
    /// Only for a provider that the machine-level configuration says is free: never a fallback for an unknown model.
    pub fn local(model: &str) -> Self {
        Self {
            id: format!("local/{model}"),
            provider: "local".to_owned(),
            model: model.to_owned(),
            aliases: Vec::new(),
            family: false,
            from: None,
            to: None,
            tiers: vec![Tier {
                above: 0,
                rates: Rates::default(),
            }],
            min_cache_tokens: None,
            tokenizer: Tokenizer::Other,
            source: "runs on this machine".to_owned(),
            checked_at: Date::ZERO,
        }
    }

    /// What `usage` of one request costs. Saturating, far beyond any real request.
    pub fn cost(&self, usage: &Usage) -> Money {
        let rates = self.rates(usage.prompt());
        let price = |tokens: u64, rate: i64| i128::from(tokens) * i128::from(rate);
        Money::saturating_from(
            price(usage.input, rates.input)
                + price(usage.cache_write_5m, rates.write_5m)
                + price(usage.cache_write_1h, rates.write_1h)
                + price(usage.cache_read, rates.read)
                + price(usage.output, rates.output),
        )
    }

    /// What the cache saved: the cost of `usage` if every prompt token had been an ordinary one, less its cost. Below
    /// zero where more was paid for writing than reading has brought in.
    pub fn saved(&self, usage: &Usage) -> Money {
        let plain = Usage {
            input: usage.prompt(),
            output: usage.output,
            ..Usage::default()
        };
        self.cost(&plain).saturating_sub(self.cost(usage))
    }

    /// The most that one request can cost: what to reserve for it.
    ///
    /// Every prompt token is taken in its dearest class, and every tier that a prompt of up to `input_upper` tokens
    /// can fall into is tried, so neither a cache miss nor a price cliff exceeds it.
    ///
    /// `input_upper` must be a true upper bound (the bytes of the request body are one, an estimate is not);
    /// `max_tokens` is the limit sent with the request, thinking included.
    pub fn worst(&self, input_upper: u64, max_tokens: u64) -> Money {
        let tops = self
            .tiers
            .iter()
            .skip(1)
            .map(|tier| tier.above)
            .chain([u64::MAX]);
        self.tiers
            .iter()
            .zip(tops)
            .filter(|(tier, _)| tier.above == 0 || tier.above < input_upper)
            .map(|(tier, top)| {
                let rates = tier.rates;
                let dearest = rates
                    .input
                    .max(rates.write_5m)
                    .max(rates.write_1h)
                    .max(rates.read);
                let prompt = i128::from(input_upper.min(top)) * i128::from(dearest);
                Money::saturating_from(prompt + i128::from(max_tokens) * i128::from(rates.output))
            })
            .max()
            .unwrap_or(Money::MAX)
    }

    /// What a million tokens of each class cost, by the length of the prompt.
    pub fn rates_by_prompt(&self) -> Vec<MillionRates> {
        let million = |rate: i64| Money::saturating_from(i128::from(rate) * 1_000_000);
        (self.tiers.iter())
            .map(|tier| MillionRates {
                above: tier.above,
                input: million(tier.rates.input),
                write_5m: million(tier.rates.write_5m),
                write_1h: million(tier.rates.write_1h),
                read: million(tier.rates.read),
                output: million(tier.rates.output),
            })
            .collect()
    }

    /// The days from whose start, and until whose start, the price holds (UTC).
    pub fn period(&self) -> (Option<Date>, Option<Date>) {
        (self.from, self.to)
    }

    /// Other ids with the same price.
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// Whether the price holds at `at`.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.in_force(at)
    }

    /// Whether no token costs anything.
    pub fn is_free(&self) -> bool {
        self.tiers.iter().all(|tier| tier.rates == Rates::default())
    }

    /// The name of the row in the ledger: provider, model, and the day from which it holds.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who serves the model.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The model's id, without a date.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The shortest prefix that is cached; `None` if nothing is.
    pub fn min_cache_tokens(&self) -> Option<u64> {
        self.min_cache_tokens
    }

    /// How the model counts tokens.
    pub fn tokenizer(&self) -> Tokenizer {
        self.tokenizer
    }

    /// Where the price was found.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The day on which the price was last compared with its source.
    pub fn checked_at(&self) -> Date {
        self.checked_at
    }

    /// Whether the price was checked so long ago that it may have changed.
    pub fn is_stale(&self, at: Timestamp) -> bool {
        let today = at.to_zoned(TimeZone::UTC).date();
        self.provider != "local"
            && self
                .checked_at
                .checked_add(stale_after())
                .is_ok_and(|end| end < today)
    }

    fn rates(&self, prompt: u64) -> Rates {
        let reached = self
            .tiers
            .iter()
            .rev()
            .find(|tier| tier.above == 0 || prompt > tier.above);
        reached.map(|tier| tier.rates).unwrap_or_default()
    }

    fn in_force(&self, at: Timestamp) -> bool {
        let day = at.to_zoned(TimeZone::UTC).date();
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day < to)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        [self.model.as_str()]
            .into_iter()
            .chain(self.aliases.iter().map(String::as_str))
    }

    /// Whether `model` is one of the names with a date after it. Only a date: `claude-opus-5-7` is not a dated
    /// `claude-opus-5` but another model, whose price is not known.
    fn covers_dated(&self, model: &str) -> bool {
        self.family
            && self.names().any(|name| {
                model
                    .strip_prefix(name)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(is_date)
            })
    }
}

/// The id of a model without the date that a provider may put at its end: two ids with the same one are one model.
pub fn undated(model: &str) -> &str {
    [9, 11]
        .into_iter()
        .filter_map(|length| model.split_at_checked(model.len().checked_sub(length)?))
        .find(|(name, suffix)| !name.is_empty() && suffix.strip_prefix('-').is_some_and(is_date))
        .map_or(model, |(name, _)| name)
}

/// `20260928` or `2026-09-28`.
fn is_date(suffix: &str) -> bool {
    let dashes_fit = match suffix.len() {
        8 => !suffix.contains('-'),
        10 => suffix.as_bytes().get(4) == Some(&b'-') && suffix.as_bytes().get(7) == Some(&b'-'),
        _ => false,
    };
    let digits = suffix.bytes().filter(u8::is_ascii_digit).count();
    dashes_fit && digits == 8
}

#[cfg(test)]
mod tests;
