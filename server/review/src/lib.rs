//! The architecture rules, over index facts. Pure.
//!
//! A rule turns the facts of a file into findings without reading the file, the disk or the clock, so the same facts
//! give the same findings in an editor, on the command line and in a test.

mod rule;

pub use rule::{RuleId, Thresholds, all_rules};
