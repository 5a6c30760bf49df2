//! Paths, ropes, ranges, edits and rebase: what a place and a change are.
//!
//! Everything here is a value.
//! Offsets are bytes; what the protocol counts in (UTF-8, UTF-16, UTF-32 code units) is known to `lsp` alone.
//! Line breaks are `\n`, `\r\n` and `\r`, as in LSP, and no others.

mod edit;
mod hash;
mod merge;
mod path;
mod range;
mod rope;

pub use edit::{Bias, Conflict, Edit, EditError, EditSet};
pub use hash::Hash;
pub use merge::{diff, merge3};
pub use path::{FilePath, PathError};
pub use range::Range;
pub use rope::Text;
