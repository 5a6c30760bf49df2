//! The architecture rules, over index facts. Pure.
//!
//! A rule turns the facts of a file into findings without reading the file, the disk or the clock, so the same facts
//! give the same findings in an editor, on the command line and in a test.
//! It judges nothing that is generated, and stays silent where a comment says `farthing: ignore[code] reason`.

mod check;
pub mod graph;
mod manifest;
mod rule;

pub use check::{Finding, Severity, check_file, is_silencing};
pub use manifest::{Dependency, Deployable, Kind, Manifests, Scope, Store, is_manifest};
pub use rule::{RuleId, Thresholds, all_rules};
