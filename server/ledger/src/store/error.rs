//! What can go wrong, in sentences that say what to do.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

use super::{LimitKind, Overrun};
use crate::{AttemptId, Money, RunId};

/// The ledger cannot be used. While this lasts nothing may be spent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The file is not a whole ledger. It has been left as it is.
    #[error(
        "the ledger {0} is damaged ({detail}); nothing is spent until this is repaired, and the file is kept as it is: \
         stop every Farthing server, then put a backup in its place, or keep what can be read with \
         `farthing cost --rescue`; to begin anew, which forgets what was spent, move {0} and {1} away",
        path.display(), marker(path).display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The file was written by a later version.
    #[error(
        "the ledger {} has version {found} and this server knows {known}; nothing is spent until Farthing is updated",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The latest version that this server understands.
        known: u32,
    },
    /// Another process has kept the file locked for five seconds.
    #[error("the ledger {} is in use by another process; try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written: permissions, a full disk, a file system without locks.
    #[error("the ledger {} cannot be used: {detail}; nothing is spent until it can", path.display())]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The caller asked for something that makes no sense, such as settling an attempt that was never reserved.
    #[error("{0}")]
    Misuse(String),
}

impl LedgerError {
    pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    pub(super) fn unavailable(path: &Path, detail: impl fmt::Display) -> Self {
        Self::Unavailable {
            path: path.to_owned(),
            detail: detail.to_string(),
        }
    }
}

/// The file that says that a ledger was once created here.
pub(super) fn marker(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// What an error of SQLite means for the ledger.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            LedgerError::damaged(path, error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy {
            path: path.to_owned(),
        },
        // A stored value that cannot be what the schema says it is.
        None => LedgerError::damaged(path, error.to_string()),
        Some(_) => LedgerError::unavailable(path, error),
    }
}

/// Why a request may not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// It could exceed a limit.
    #[error(transparent)]
    OverLimit(#[from] OverLimit),
    /// An earlier request cost more than what was held for it, so the price table or a token bound is wrong.
    ///
    /// Blocking is the safe answer: with a wrong price no limit holds. It lasts until
    /// [`super::Ledger::acknowledge_overruns`].
    #[error(
        "spending is stopped: a request to {} cost {} although only {} was held for it, so its price is probably wrong; \
         compare the price table with the provider's prices, then allow spending again with `farthing cost --acknowledge`",
        .0.model, .0.cost.exact(), .0.held.exact()
    )]
    Overrun(Overrun),
    /// The run has ended, so it must not send anything.
    #[error("run {0} has ended; nothing more may be spent for it")]
    RunEnded(RunId),
    /// The attempt was reserved before; each attempt, retries too, needs an id of its own.
    #[error("attempt {0} was reserved before; each attempt needs its own id")]
    Repeated(AttemptId),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A limit that would be exceeded, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverLimit {
    /// Which limit.
    pub which: LimitKind,
    /// The model that was asked for, without a date.
    pub model: String,
    /// The limit.
    pub limit: Money,
    /// What has been spent under it.
    pub spent: Money,
    /// What is held for requests in flight.
    pub reserved: Money,
    /// The most that the request can cost.
    pub asked: Money,
}

impl OverLimit {
    /// What is left under the limit; never below zero.
    pub fn left(&self) -> Money {
        self.limit
            .saturating_sub(self.spent)
            .saturating_sub(self.reserved)
            .max(Money::ZERO)
    }
}

impl std::error::Error for OverLimit {}

impl fmt::Display for OverLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, "config.toml")
    }
}

impl OverLimit {
    /// The refusal as a sentence, for a limit that is not set in `config.toml` but in `place`.
    pub fn set_in(&self, place: &str) -> String {
        let mut sentence = String::new();
        // Writing to a text cannot fail.
        let _ = self.write(&mut sentence, place);
        sentence
    }

    fn write(&self, formatter: &mut dyn fmt::Write, place: &str) -> fmt::Result {
        let scope = self.which.scope();
        if self.limit.is_zero() {
            write!(
                formatter,
                "nothing may be spent: the limit {scope} is $0.00"
            )?;
        } else {
            let [limit, left, spent, held, asked] = self.shown();
            write!(
                formatter,
                "{left} is left of the {limit} {scope} ({spent} spent"
            )?;
            if !self.reserved.is_zero() {
                write!(formatter, ", {held} held for requests in flight")?;
            }
            write!(formatter, "), and this request can cost {asked}")?;
        }
        match self.which.key() {
            Some(key) => {
                let enough = self
                    .spent
                    .saturating_add(self.reserved)
                    .saturating_add(self.asked);
                let example = to_the_cent(enough).exact();
                let table = match self.which {
                    LimitKind::ModelDay | LimitKind::ModelMonth => {
                        format!("[budget.per_model.\"{}\"]", self.model)
                    }
                    _ => "[budget]".to_owned(),
                };
                write!(
                    formatter,
                    "; to allow it, set {key} = \"{example}\" under {table} in {place}"
                )
            }
            None => formatter.write_str("; start the run with a larger budget"),
        }
    }

    /// Limit, left, spent, reserved and asked: rounded for reading, unless the sentence would then contradict itself.
    fn shown(&self) -> [String; 5] {
        let amounts = [
            self.limit,
            self.left(),
            self.spent,
            self.reserved,
            self.asked,
        ];
        let rounded = amounts.map(|amount| amount.to_string());
        let read = |index: usize| {
            rounded
                .get(index)
                .and_then(|text| text.parse::<Money>().ok())
        };
        let adds_up = match (read(0), read(1), read(2), read(3), read(4)) {
            (Some(limit), Some(left), Some(spent), Some(reserved), Some(asked)) => {
                limit.saturating_sub(spent).saturating_sub(reserved) == left && asked > left
            }
            _ => false,
        };
        if adds_up {
            rounded
        } else {
            amounts.map(Money::exact)
        }
    }
}

/// Up to the next whole cent.
fn to_the_cent(amount: Money) -> Money {
    const CENT: i64 = 10_000_000_000;
    let cents = amount.picodollars().max(0).saturating_add(CENT - 1) / CENT;
    Money::from_picodollars(cents.saturating_mul(CENT))
}
