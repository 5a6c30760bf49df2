//! Prices, estimates, budgets, reservations, usage; the journal. Does not know how any of them came about.

mod estimate;
mod history;
mod id;
mod journal;
mod money;
mod prices;
mod private;
mod store;
mod tokens;
mod usage;

pub use estimate::{Basis, Cache, Estimate, Task, estimate, is_known_kind, short_count};
pub use history::{Coverage, History, Outcome};
pub use id::{AttemptId, RunId, RunIdError};
pub use journal::{Entry, Journal, JournalError, Recording};
pub use money::{Money, MoneyError, dollars};
pub use prices::{MillionRates, PriceRow, Prices, PricesError, undated};
pub use store::{
    ActionRow, AttemptRow, AttemptState, By, Ended, Headroom, LastActual, Ledger, LedgerError,
    LimitKind, Limits, OverLimit, Overrun, Place, Recovered, ReportRow, RequestRow, Rescue,
    Reservation, Reserve, ReserveError, RunCost, RunEnd, RunRow, RunStart, Settled, Settlement,
    Spent, Totals, Unbilled, Window,
};
pub use tokens::{Tokenizer, tokens};
pub use usage::Usage;
