//! The architecture rules, over index facts. Pure.
//!
//! A rule turns facts into findings without reading the file, the disk or the clock, so the same facts give the same
//! findings in an editor, on the command line and in a test.
//! [`Review`] applies the rules about how files belong together; [`judge`] those about one file alone, and then leaves
//! out what a comment silences with `farthing: ignore[code] reason` or the [`Team`] has excused.

mod abstractions;
mod check;
pub mod claims;
mod context;
mod customs;
mod dependencies;
mod drift;
mod duplicates;
mod god;
pub mod graph;
mod history;
mod hubs;
mod jobs;
mod judge;
mod manifest;
mod packages;
mod review;
mod rule;
mod team;
mod unreferenced;

pub use check::{Finding, Related, Severity, is_wanted};
pub use customs::Customs;
pub use dependencies::unused_dependencies;
pub use history::{History, LogReader, WrittenHistory};
pub use judge::{Bar, Fresh, Seen, is_silencing, judge, judge_other};
pub use manifest::{MANIFESTS, Manifests, is_manifest};
pub use review::{Circle, Review};
pub use rule::{RuleId, Thresholds, all_rules};
pub use team::{
    Decision, Exception, Forbidden, Job, Layer, Layers, Owner, Paths, Shape, Skills, Team,
    path_pattern,
};
