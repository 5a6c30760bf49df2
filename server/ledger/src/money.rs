//! Money: a signed whole number of picodollars, one millionth of a millionth of a dollar.
//!
//! The smallest price in use is a batch cache read of half a cent per million tokens, which is 5,000 picodollars a
//! token, and multipliers stack below that; an `i64` of them reaches 9.2 million dollars. No float ever holds money that
//! was spent or is limited; only estimates are computed in floats.

use std::{fmt, iter, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount of money in US dollars, exact to the picodollar.
///
/// Addition is `checked_` where a wrong sum would let money be spent, and `saturating_` where it is only shown.
/// It serialises as the integer count of picodollars; see [`dollars`] for what people write in configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

const PICO: u64 = 1_000_000_000_000;
/// A hundredth of a cent: the smallest amount that is shown as a number.
const SMALLEST_SHOWN: u64 = PICO / 10_000;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount, about 9.2 million dollars; saturating arithmetic stops here.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount from its count of picodollars.
    pub const fn from_picodollars(picodollars: i64) -> Self {
        Self(picodollars)
    }

    /// An amount from a count of picodollars that may be beyond reach; then the nearest end of the range.
    pub fn saturating_from(picodollars: i128) -> Self {
        let nearest_end = if picodollars < 0 { i64::MIN } else { i64::MAX };
        Self(i64::try_from(picodollars).unwrap_or(nearest_end))
    }

    /// The count of picodollars.
    pub const fn picodollars(self) -> i64 {
        self.0
    }

    /// The sum, or `None` if it is beyond reach.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` if it is beyond reach.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The sum, or the nearest end of the range.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or the nearest end of the range.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether this is no money at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Every digit: `$0.000005`, `$12.40`. At least two decimals; reads back as the same amount.
    pub fn exact(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        format!("{sign}${}", decimals(self.0.unsigned_abs(), 12))
    }
}

impl fmt::Display for Money {
    /// Readable at every size: `$12.40`, `$0.021`, `$0.0004`, `<$0.0001`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let shown = match size {
            0 => "$0.00".to_owned(),
            _ if size < SMALLEST_SHOWN && self.0 < 0 => ">-$0.0001".to_owned(),
            _ if size < SMALLEST_SHOWN => "<$0.0001".to_owned(),
            _ => format!("{sign}${}", decimals(size, shown_decimals(size))),
        };
        formatter.pad(&shown)
    }
}

/// How many decimals leave about two significant digits.
fn shown_decimals(size: u64) -> u32 {
    match size {
        _ if size >= PICO / 10 => 2,
        _ if size >= PICO / 100 => 3,
        _ => 4,
    }
}

/// `low–high`, rounded as far as an estimate deserves: `$0.02–0.05`, `$0.014–0.048`, `$12–31`, `up to $0.0004`.
///
/// One significant digit where that moves the lower end by little, else two; one amount where both ends round to it.
pub(crate) fn range(low: Money, high: Money) -> String {
    let size = |amount: Money| u64::try_from(amount.0).unwrap_or(0);
    let (low, high) = (size(low), size(high).max(size(low)));
    if high < SMALLEST_SHOWN {
        return Money(high as i64).to_string();
    }
    if low < SMALLEST_SHOWN {
        return format!("up to ${}", decimals(significant(high, 2), 4));
    }
    for digits in [1, 2] {
        let rounded = significant(low, digits);
        let close = rounded.abs_diff(low) <= low / 100 * 15;
        let places = places(rounded, digits);
        let (from, to) = (
            decimals(rounded, places),
            decimals(significant(high, 2), places),
        );
        if close && from != to {
            return format!("${from}–{to}");
        }
    }
    let rounded = significant(high, 2);
    format!("${}", decimals(rounded, places(rounded, 2)))
}

/// `size` rounded half up to so many significant digits.
fn significant(size: u64, digits: u32) -> u64 {
    let step = 10_u64.pow((size.max(1).ilog10() + 1).saturating_sub(digits));
    (size + step / 2) / step * step
}

/// How many decimals show so many significant digits of `size`: none from ten dollars on, never a single one, and at
/// most four.
fn places(size: u64, digits: u32) -> u32 {
    let before_the_point = size.max(1).ilog10() + 1;
    match (12 + digits).saturating_sub(before_the_point) {
        _ if before_the_point >= 14 => 0,
        decimals => decimals.clamp(2, 4),
    }
}

/// `size` picodollars with at most `places` decimals, rounded half up, without zeros beyond the second decimal.
fn decimals(size: u64, places: u32) -> String {
    let step = 10_u128.pow(12 - places);
    let rounded = (u128::from(size) + step / 2) / step;
    if places == 0 {
        return rounded.to_string();
    }
    let unit = 10_u128.pow(places);
    let mut text = format!(
        "{}.{:0width$}",
        rounded / unit,
        rounded % unit,
        width = places as usize
    );
    while text.ends_with('0') && text.find('.').is_some_and(|dot| text.len() - dot > 3) {
        text.pop();
    }
    text
}

impl iter::Sum for Money {
    /// Saturating: for totals that are shown, never for the comparison with a limit.
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

/// Why a text is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a decimal number with an optional dollar sign.
    #[error("not an amount in dollars; write it like \"$0.50\" or \"0.50\"")]
    NotAnAmount,
    /// More than twelve decimals.
    #[error("finer than a picodollar; at most twelve decimals are kept")]
    TooFine,
    /// Beyond about 9.2 million dollars.
    #[error("too large; the largest amount is about $9.2 million")]
    TooLarge,
    /// Below zero where that means nothing.
    #[error("an amount cannot be negative; 0 means that nothing may be spent")]
    Negative,
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads `$0.50`, `0.50`, `3`, and the negative of each. Exact: no float in between.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (negative, unsigned) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        let number = unsigned.strip_prefix('$').unwrap_or(unsigned);
        let size = scaled(number, 12)?;
        let signed = if negative { -size } else { size };
        i64::try_from(signed)
            .map(Self)
            .map_err(|_| MoneyError::TooLarge)
    }
}

/// The decimal `number` times ten to the power of `places`, exactly. No sign, exponent or separator.
pub(crate) fn scaled(number: &str, places: usize) -> Result<i128, MoneyError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(MoneyError::NotAnAmount);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return Err(MoneyError::TooFine);
    }
    let whole = whole.trim_start_matches('0');
    // 20 digits and 12 decimals stay far inside an i128.
    if whole.len() > 20 {
        return Err(MoneyError::TooLarge);
    }
    let padded = format!("{whole:0>1}{fraction:0<places$}");
    padded.parse().map_err(|_| MoneyError::TooLarge)
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    /// An integer is picodollars; a text is dollars. A float is refused.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Money;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .write_str("a whole number of picodollars, or dollars in quotes like \"$0.50\"")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Money, E> {
                Ok(Money(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Money, E> {
                i64::try_from(value)
                    .map(Money)
                    .map_err(|_| E::custom(MoneyError::TooLarge))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Money, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// For configuration: `#[serde(with = "ledger::dollars")]` on an `Option<Money>` accepts only dollars in quotes.
///
/// A bare number is refused, because `per_run = 1` could mean a dollar, a cent or a picodollar.
pub mod dollars {
    use super::{Deserialize, Deserializer, Money, MoneyError, Serializer, de, fmt};

    /// Writes the exact amount, like `"$0.50"`.
    pub fn serialize<S: Serializer>(
        amount: &Option<Money>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match amount {
            Some(amount) => serializer.serialize_str(&amount.exact()),
            None => serializer.serialize_none(),
        }
    }

    /// Reads `"$0.50"` or `"0.50"`; anything but a text, and anything below zero, is an error.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Money>, D::Error> {
        struct Dollars(Money);
        impl<'de> Deserialize<'de> for Dollars {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Visitor)
            }
        }
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Dollars;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an amount in quotes, such as \"$0.50\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dollars, E> {
                match text.parse::<Money>() {
                    Ok(amount) if amount < Money::ZERO => Err(E::custom(MoneyError::Negative)),
                    Ok(amount) => Ok(Dollars(amount)),
                    Err(error) => Err(E::custom(error)),
                }
            }
        }
        Option::<Dollars>::deserialize(deserializer)
            .map(|amount| amount.map(|Dollars(money)| money))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::needless_raw_string_hashes)]

    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(amounts: &[&str], expected: Expect) {
        let lines: Vec<_> = amounts
            .iter()
            .map(|text| match text.parse::<Money>() {
                Ok(amount) => format!("{text} -> {amount} | {}\n", amount.exact()),
                Err(error) => format!("{text} -> {error}\n"),
            })
            .collect();
        expected.assert_eq(&lines.concat());
    }

    #[test]
    fn amounts_are_readable_at_every_size() {
        check(
            &[
                "0",
                "12.4",
                "$12.40",
                "1234.567",
                "0.9999",
                "0.5",
                "0.05",
                "0.021",
                "0.0204",
                "0.00999",
                "0.0004",
                "0.00043",
                "0.0001",
                "0.00009999",
                "0.000000000001",
                "-0.021",
                "-0.00000001",
            ],
            expect![[r#"
                0 -> $0.00 | $0.00
                12.4 -> $12.40 | $12.40
                $12.40 -> $12.40 | $12.40
                1234.567 -> $1234.57 | $1234.567
                0.9999 -> $1.00 | $0.9999
                0.5 -> $0.50 | $0.50
                0.05 -> $0.05 | $0.05
                0.021 -> $0.021 | $0.021
                0.0204 -> $0.02 | $0.0204
                0.00999 -> $0.01 | $0.00999
                0.0004 -> $0.0004 | $0.0004
                0.00043 -> $0.0004 | $0.00043
                0.0001 -> $0.0001 | $0.0001
                0.00009999 -> <$0.0001 | $0.00009999
                0.000000000001 -> <$0.0001 | $0.000000000001
                -0.021 -> -$0.021 | -$0.021
                -0.00000001 -> >-$0.0001 | -$0.00000001
            "#]],
        );
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        check(
            &[
                "",
                "$",
                ".5",
                "5.",
                "1e3",
                "1,000",
                "1_000",
                "NaN",
                "inf",
                "$-1",
                "0.0000000000001",
                "9223373",
                "99999999999999999999999",
            ],
            expect![[r#"
                 -> not an amount in dollars; write it like "$0.50" or "0.50"
                $ -> not an amount in dollars; write it like "$0.50" or "0.50"
                .5 -> not an amount in dollars; write it like "$0.50" or "0.50"
                5. -> not an amount in dollars; write it like "$0.50" or "0.50"
                1e3 -> not an amount in dollars; write it like "$0.50" or "0.50"
                1,000 -> not an amount in dollars; write it like "$0.50" or "0.50"
                1_000 -> not an amount in dollars; write it like "$0.50" or "0.50"
                NaN -> not an amount in dollars; write it like "$0.50" or "0.50"
                inf -> not an amount in dollars; write it like "$0.50" or "0.50"
                $-1 -> not an amount in dollars; write it like "$0.50" or "0.50"
                0.0000000000001 -> finer than a picodollar; at most twelve decimals are kept
                9223373 -> too large; the largest amount is about $9.2 million
                99999999999999999999999 -> too large; the largest amount is about $9.2 million
            "#]],
        );
    }

    #[test]
    fn ranges_are_short_and_never_look_like_nothing() {
        let lines: String = [
            ("0.0213", "0.0492"),
            ("0.0196", "0.0512"),
            ("0.0140", "0.0480"),
            ("0.0012", "0.0083"),
            ("0.00043", "0.0031"),
            ("0.00002", "0.00043"),
            ("0.00002", "0.00003"),
            ("0", "0.0000001"),
            ("0.021", "0.0214"),
            ("0.0200001", "0.0200002"),
            ("0.31", "1.237"),
            ("1.21", "3.46"),
            ("9.7", "10.4"),
            ("12.4", "31.2"),
            ("0.004", "120"),
            ("0.5", "0.4"),
        ]
        .map(|(low, high)| {
            format!(
                "{low} {high} -> {}\n",
                range(low.parse().unwrap(), high.parse().unwrap())
            )
        })
        .concat();
        expect![[r#"
            0.0213 0.0492 -> $0.02–0.05
            0.0196 0.0512 -> $0.02–0.05
            0.0140 0.0480 -> $0.014–0.048
            0.0012 0.0083 -> $0.0012–0.0083
            0.00043 0.0031 -> $0.0004–0.0031
            0.00002 0.00043 -> up to $0.0004
            0.00002 0.00003 -> <$0.0001
            0 0.0000001 -> <$0.0001
            0.021 0.0214 -> $0.021
            0.0200001 0.0200002 -> $0.02
            0.31 1.237 -> $0.30–1.20
            1.21 3.46 -> $1.20–3.50
            9.7 10.4 -> $9.70–10.00
            12.4 31.2 -> $12–31
            0.004 120 -> $0.004–120.00
            0.5 0.4 -> $0.50
        "#]]
        .assert_eq(&lines);
    }

    #[derive(Debug, Deserialize, Serialize)]
    struct Budget {
        #[serde(default, with = "super::dollars")]
        per_run: Option<Money>,
    }

    #[test]
    fn configuration_takes_dollars_in_quotes_only() {
        let read = |text: &str| match toml::from_str::<Budget>(text) {
            Ok(budget) => format!("{:?}", budget.per_run.map(Money::exact)),
            Err(error) => error.message().to_owned(),
        };
        assert_eq!(read("per_run = \"$0.50\""), r#"Some("$0.50")"#);
        assert_eq!(read("per_run = \"0\""), r#"Some("$0.00")"#);
        assert_eq!(read(""), "None");
        for wrong in ["0.5", "1", "nan", "true", "[]"] {
            let message = read(&format!("per_run = {wrong}"));
            assert!(
                message.contains("an amount in quotes"),
                "{wrong}: {message}"
            );
        }
        assert!(read("per_run = \"-1\"").contains("cannot be negative"));
        let written = toml::to_string(&Budget {
            per_run: Some(Money(20_000_000_000)),
        })
        .unwrap();
        assert_eq!(written, "per_run = \"$0.02\"\n");
    }

    proptest! {
        #[test]
        fn exact_reads_back(picodollars in proptest::num::i64::ANY) {
            let amount = Money(picodollars.max(-i64::MAX));
            prop_assert_eq!(amount.exact().parse::<Money>(), Ok(amount));
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
        }

        #[test]
        fn what_is_shown_is_close(picodollars in 100_000_000..i64::MAX) {
            let amount = Money(picodollars);
            let shown: Money = amount.to_string().parse().unwrap_or(Money::MAX);
            let off = (i128::from(shown.0) - i128::from(amount.0)).abs();
            // Half of the last digit shown, which is never worse than half of what is shown.
            prop_assert!(off * 2 <= i128::from(amount.0));
            prop_assert!(off <= 5_000_000_000);
        }

        #[test]
        fn a_range_is_never_nothing(low in 0..2_000_000_000_000_i64, more in 0..2_000_000_000_000_i64) {
            let text = range(Money(low), Money(low + more.max(1)));
            prop_assert!(text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)), "{text}");
            prop_assert!(text.chars().count() <= 14, "{text}");
        }

        #[test]
        fn larger_is_never_shown_smaller(a in 100_000_000..10_000_000_000_000_i64, b in 100_000_000..10_000_000_000_000_i64) {
            let shown = |picodollars| Money(picodollars).to_string().parse::<Money>().unwrap();
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(shown(low) <= shown(high));
        }
    }
}
