use std::fmt;

use ledger::Money;
use serde::{Deserialize, Serialize};

/// What something did cost, as people read it: money, or tokens where nobody bills them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The money.
    pub cost: Money,
    /// The tokens, all classes.
    pub tokens: u64,
    /// Whether nobody bills what the model does.
    pub free: bool,
}

impl Charge {
    /// Whether nothing has been spent yet.
    pub fn is_nothing(&self) -> bool {
        self.cost.is_zero() && (self.tokens == 0 || !self.free)
    }

    /// The part of this from `before` to `before + weight` out of `whole`. Parts that follow each other add up to all of
    /// it, to the last picodollar and token.
    pub(crate) fn part(&self, before: u64, weight: u64, whole: u64) -> Charge {
        let of = |amount: i128| {
            let upto =
                |weight: u64| amount * i128::from(weight.min(whole)) / i128::from(whole.max(1));
            upto(before.saturating_add(weight)) - upto(before)
        };
        Charge {
            cost: Money::saturating_from(of(i128::from(self.cost.picodollars()))),
            tokens: u64::try_from(of(i128::from(self.tokens))).unwrap_or(0),
            free: self.free,
        }
    }
}

impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.free {
            f.pad(&tokens(self.tokens))
        } else {
            self.cost.fmt(f)
        }
    }
}

/// Tokens as people read them: `830 tok`, `9.1k tok`.
pub(crate) fn tokens(tokens: u64) -> String {
    format!("{} tok", ledger::short_count(tokens))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(
            cost in 0_i64..i64::MAX,
            tokens in any::<u64>(),
            weights in prop::collection::vec(1_u64..1_000_000, 1..20),
        ) {
            let charge = Charge { cost: Money::from_picodollars(cost), tokens, free: false };
            let whole = weights.iter().sum();
            let (mut before, mut sum) = (0, Charge::default());
            for weight in weights {
                let part = charge.part(before, weight, whole);
                prop_assert!(part.cost >= Money::ZERO);
                sum.cost = sum.cost.saturating_add(part.cost);
                sum.tokens += part.tokens;
                before += weight;
            }
            prop_assert_eq!(sum, charge);
        }
    }

    #[test]
    fn what_nobody_bills_is_shown_in_tokens() {
        let charge = Charge {
            cost: Money::ZERO,
            tokens: 9_140,
            free: true,
        };
        assert_eq!(charge.to_string(), "9.1k tok");
        assert!(!charge.is_nothing() && Charge::default().is_nothing());
        assert_eq!(Charge::default().to_string(), "$0.00");
    }
}
