//! The architecture rules, over index facts. Pure.
//!
//! A rule turns facts into findings without reading the file, the disk or the clock, so the same facts give the same
//! findings in an editor, on the command line and in a test.
//! [`check_file`] applies the rules about one file alone; [`Review`] those about how files import each other.
//! It judges nothing that is generated, and stays silent where a comment says `farthing: ignore[code] reason`.

mod check;
pub mod graph;
mod manifest;
mod review;
mod rule;

pub use check::{Finding, Related, Severity, check_file, is_silencing};
pub use manifest::{MANIFESTS, Manifests, is_manifest};
pub use review::Review;
pub use rule::{RuleId, Thresholds, all_rules};
