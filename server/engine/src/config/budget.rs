use ledger::{LimitKind, Limits, Money, undated};

use super::{NOTHING, SHIPPED};

/// What may be spent, and where the limits that hold were set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// The limits that hold whichever model is asked.
    pub(super) limits: Limits,
    /// By the id of a model: what it alone may spend. An id may come more than once, and with a date.
    pub(super) models: Vec<(String, Limits)>,
}

impl Budget {
    /// Nothing may be spent.
    pub(super) fn nothing() -> Budget {
        Budget {
            limits: NOTHING,
            models: Vec::new(),
        }
    }

    /// These limits, and the shipped one of each kind that has none here.
    pub(super) fn or_shipped(self) -> Budget {
        let limits = self.limits;
        Budget {
            limits: Limits {
                run: limits.run.or(SHIPPED.run),
                day: limits.day.or(SHIPPED.day),
                month: limits.month.or(SHIPPED.month),
                ..limits
            },
            ..self
        }
    }

    /// The limits that hold when both `self` and `other` do.
    pub(super) fn narrow(self, other: Budget) -> Budget {
        Budget {
            limits: self.limits.narrow(other.limits),
            models: self.models.into_iter().chain(other.models).collect(),
        }
    }

    /// The limits that hold whichever model is asked.
    pub fn overall(&self) -> Limits {
        self.limits
    }

    /// The limits that hold for a request to `model`.
    pub fn of(&self, model: &str) -> Limits {
        let own = (self.models.iter())
            .filter(|(id, _)| undated(id) == undated(model))
            .map(|(_, limits)| *limits);
        own.fold(self.limits, Limits::narrow)
    }

    /// The models that have limits of their own, each once, and those limits.
    pub fn models(&self) -> Vec<(&str, Limits)> {
        let mut ids: Vec<&str> = self.models.iter().map(|(id, _)| undated(id)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| (id, self.of(id))).collect()
    }
}

/// The amount of one of the limits, if it is set.
pub(super) fn limit(limits: &Limits, which: LimitKind) -> Option<Money> {
    match which {
        LimitKind::Run => limits.run,
        LimitKind::Share => None,
        LimitKind::Session => limits.session,
        LimitKind::Workspace => limits.workspace,
        LimitKind::Day => limits.day,
        LimitKind::Month => limits.month,
        LimitKind::ModelDay => limits.model_day,
        LimitKind::ModelMonth => limits.model_month,
    }
}
