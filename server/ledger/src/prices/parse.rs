//! Reading price rows. Errors name the line, the key and what would be valid.

use jiff::civil::Date;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{PriceRow, Rates, Tier};
use crate::{Tokenizer, money::scaled};

/// What is wrong with a price table, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {key}: {problem}; {valid}")]
pub struct PricesError {
    /// The line, counted from 1.
    pub line: usize,
    /// The key, like `price.input`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub valid: String,
}

/// The rows of `text`. The ids of the rows begin with `prefix`.
pub(super) fn rows(text: &str, prefix: &str) -> Result<Vec<PriceRow>, PricesError> {
    let source = Source { text };
    let document = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        source.error(
            start,
            "the file",
            error.message(),
            "write it as TOML with [[price]] tables",
        )
    })?;
    let document = document.into_inner();
    if let Some((key, _)) = document.iter().find(|(key, _)| key.get_ref() != "price") {
        let name = key.get_ref().clone();
        return Err(source.error(
            key.span().start,
            &name,
            "unknown key",
            "the only key here is [[price]]",
        ));
    }
    let Some(list) = document.get("price") else {
        return Ok(Vec::new());
    };
    let Some(list_items) = list.get_ref().as_array() else {
        return Err(source.error(
            list.span().start,
            "price",
            "not a list of tables",
            "begin each row with [[price]]",
        ));
    };
    list_items
        .iter()
        .map(|item| source.row(item, prefix))
        .collect()
}

const ROW_KEYS: [&str; 16] = [
    "provider",
    "model",
    "aliases",
    "match",
    "from",
    "to",
    "input",
    "write_5m",
    "write_1h",
    "read",
    "output",
    "tiers",
    "min_cache_tokens",
    "tokenizer",
    "source",
    "checked_at",
];
const TIER_KEYS: [&str; 6] = ["above", "input", "write_5m", "write_1h", "read", "output"];
const AMOUNT: &str = "write dollars for a million tokens in quotes, such as \"0.10\"";
const DATE: &str = "write a date in quotes, such as \"2026-11-21\"";
const TEXT: &str = "write a text in quotes";

struct Source<'a> {
    text: &'a str,
}

impl Source<'_> {
    fn row(&self, item: &Spanned<DeValue<'_>>, prefix: &str) -> Result<PriceRow, PricesError> {
        let table = self.table(item, "price", &ROW_KEYS)?;
        let provider = table.required_text("provider")?;
        let model = table.required_text("model")?;
        let family = match table.text("match")?.as_deref() {
            None | Some("exact") => false,
            Some("family") => true,
            Some(_) => {
                return Err(table.error(
                    "match",
                    "unknown value",
                    "valid values are \"exact\" and \"family\"",
                ));
            }
        };
        let (from, to) = (table.date("from")?, table.date("to")?);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(table.error(
                "to",
                "not after `from`",
                "the price holds until the start of this day",
            ));
        }
        let since = from.map(|from| format!("@{from}")).unwrap_or_default();
        Ok(PriceRow {
            id: format!("{prefix}{provider}/{model}{since}"),
            aliases: table.texts("aliases")?,
            family,
            from,
            to,
            tiers: self.tiers(&table)?,
            min_cache_tokens: table.count("min_cache_tokens")?,
            tokenizer: table.tokenizer()?,
            source: table.text("source")?.unwrap_or_default(),
            checked_at: table
                .date("checked_at")?
                .ok_or_else(|| table.missing("checked_at", DATE))?,
            provider,
            model,
        })
    }

    fn tiers(&self, row: &Table<'_, '_>) -> Result<Vec<Tier>, PricesError> {
        let mut tiers = vec![Tier {
            above: 0,
            rates: row.rates()?,
        }];
        let shape =
            "write a list such as [{ above = 100_000, input = \"0.50\", output = \"2.50\" }]";
        let Some(value) = row.get("tiers") else {
            return Ok(tiers);
        };
        let Some(items) = value.get_ref().as_array() else {
            return Err(row.error("tiers", "not a list", shape));
        };
        for item in items {
            let tier = self.table(item, "price.tiers", &TIER_KEYS)?;
            let above = tier
                .count("above")?
                .ok_or_else(|| tier.missing("above", shape))?;
            if tiers.last().is_some_and(|last| above <= last.above) {
                return Err(tier.error(
                    "above",
                    "not larger than the tier before",
                    "list the tiers from small to large",
                ));
            }
            tiers.push(Tier {
                above,
                rates: tier.rates()?,
            });
        }
        Ok(tiers)
    }

    fn table<'t, 'i>(
        &'t self,
        item: &'t Spanned<DeValue<'i>>,
        name: &'static str,
        keys: &[&str],
    ) -> Result<Table<'t, 'i>, PricesError> {
        let start = item.span().start;
        let Some(entries) = item.get_ref().as_table() else {
            return Err(self.error(start, name, "not a table", "begin each row with [[price]]"));
        };
        for (key, _) in entries {
            let key_name: &str = key.get_ref();
            if !keys.contains(&key_name) {
                let valid = format!("valid keys are {}", keys.join(", "));
                return Err(self.error(
                    key.span().start,
                    &format!("{name}.{key_name}"),
                    "unknown key",
                    &valid,
                ));
            }
        }
        Ok(Table {
            source: self,
            name,
            start,
            entries,
        })
    }

    fn error(&self, offset: usize, key: &str, problem: &str, valid: &str) -> PricesError {
        let before = self.text.get(..offset).unwrap_or_default();
        PricesError {
            line: 1 + before.matches('\n').count(),
            key: key.to_owned(),
            problem: problem.to_owned(),
            valid: valid.to_owned(),
        }
    }
}

struct Table<'t, 'i> {
    source: &'t Source<'t>,
    name: &'static str,
    start: usize,
    entries: &'t DeTable<'i>,
}

impl<'i> Table<'_, 'i> {
    fn get(&self, key: &str) -> Option<&Spanned<DeValue<'i>>> {
        self.entries.get(key)
    }

    fn error(&self, key: &str, problem: &str, valid: &str) -> PricesError {
        let start = self.get(key).map_or(self.start, |value| value.span().start);
        self.source
            .error(start, &format!("{}.{key}", self.name), problem, valid)
    }

    fn missing(&self, key: &str, valid: &str) -> PricesError {
        self.error(key, "missing", valid)
    }

    fn text(&self, key: &str) -> Result<Option<String>, PricesError> {
        match self.get(key).map(|value| value.get_ref().as_str()) {
            None => Ok(None),
            Some(Some(text)) if !text.trim().is_empty() => Ok(Some(text.to_owned())),
            Some(_) => Err(self.error(key, "not a text", TEXT)),
        }
    }

    fn required_text(&self, key: &str) -> Result<String, PricesError> {
        self.text(key)?.ok_or_else(|| self.missing(key, TEXT))
    }

    fn texts(&self, key: &str) -> Result<Vec<String>, PricesError> {
        let valid = "write a list such as [\"one\", \"two\"]";
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let items = value
            .get_ref()
            .as_array()
            .ok_or_else(|| self.error(key, "not a list of texts", valid))?;
        items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| self.error(key, "not a list of texts", valid))
    }

    fn count(&self, key: &str) -> Result<Option<u64>, PricesError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        value
            .get_ref()
            .as_integer()
            .filter(|number| number.radix() == 10)
            .and_then(|number| number.as_str().parse().ok())
            .filter(|count| *count > 0)
            .map(Some)
            .ok_or_else(|| {
                self.error(
                    key,
                    "not a count of tokens",
                    "write a whole number above 0, such as 1024",
                )
            })
    }

    fn date(&self, key: &str) -> Result<Option<Date>, PricesError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        value
            .get_ref()
            .as_str()
            .and_then(|text| text.parse().ok())
            .map(Some)
            .ok_or_else(|| self.error(key, "not a date", DATE))
    }

    fn tokenizer(&self) -> Result<Tokenizer, PricesError> {
        let Some(name) = self.text("tokenizer")? else {
            return Ok(Tokenizer::Other);
        };
        Tokenizer::from_name(&name).ok_or_else(|| {
            let names: Vec<_> = Tokenizer::ALL.map(Tokenizer::name).into();
            self.error(
                "tokenizer",
                "unknown value",
                &format!("valid values are {}", names.join(", ")),
            )
        })
    }

    /// The rate of `key` in picodollars for a token; dollars for a million tokens times ten to the power of six.
    fn rate(&self, key: &str) -> Result<Option<i64>, PricesError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let Some(text) = value.get_ref().as_str() else {
            return Err(self.error(key, "not an amount in quotes", AMOUNT));
        };
        let number = text.strip_prefix('$').unwrap_or(text);
        // Twelve digits before the point keep every product of a rate and a token count inside an i128.
        scaled(number, 6)
            .ok()
            .and_then(|rate| i64::try_from(rate).ok())
            .map(Some)
            .ok_or_else(|| self.error(key, "not an amount with at most six decimals", AMOUNT))
    }

    fn rates(&self) -> Result<Rates, PricesError> {
        let required = |key| self.rate(key)?.ok_or_else(|| self.missing(key, AMOUNT));
        let input = required("input")?;
        let output = required("output")?;
        let write_5m = self.rate("write_5m")?.unwrap_or(input);
        Ok(Rates {
            input,
            write_5m,
            write_1h: self.rate("write_1h")?.unwrap_or(write_5m),
            read: self.rate("read")?.unwrap_or(input),
            output,
        })
    }
}
