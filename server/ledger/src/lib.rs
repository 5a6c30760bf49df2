//! Prices, estimates, budgets, reservations, usage; the journal. Does not know how any of them came about.

mod estimate;
mod history;
mod id;
mod money;
mod prices;
mod tokens;
mod usage;

pub use estimate::{Basis, Cache, Estimate, Task, estimate};
pub use history::{Coverage, History, Outcome};
pub use id::{AttemptId, RunId, RunIdError};
pub use money::{Money, MoneyError, dollars};
pub use prices::{PriceRow, Prices, PricesError};
pub use tokens::{Tokenizer, tokens};
pub use usage::Usage;
