use serde::Serialize;

/// How a run ended. There are no other ways, and each run ends in exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum End {
    /// The model said that it was done.
    Completed {
        /// What it says it did.
        summary: String,
        /// Hunks that landed.
        hunks: usize,
    },
    /// It could not go on.
    Failed {
        /// Why, what to do, and what landed all the same.
        reason: String,
    },
    /// Someone stopped it.
    Cancelled,
    /// The budget had no room for another request.
    OutOfBudget {
        /// Which limit holds, and what landed all the same.
        reason: String,
    },
}

impl End {
    /// The state in a word: `completed`, `failed`, `cancelled` or `out_of_budget`.
    pub fn state(&self) -> &'static str {
        match self {
            End::Completed { .. } => "completed",
            End::Failed { .. } => "failed",
            End::Cancelled => "cancelled",
            End::OutOfBudget { .. } => "out_of_budget",
        }
    }

    /// The summary or the reason; empty for a run that was cancelled.
    pub fn message(&self) -> &str {
        match self {
            End::Completed { summary, .. } => summary,
            End::Failed { reason } | End::OutOfBudget { reason } => reason,
            End::Cancelled => "",
        }
    }
}
