//! The state of one server: documents, runs, hunks, money. Commands come in, events go out through [`Editor`].
//!
//! All state has one writer, [`Engine`]'s own lock, whose methods are synchronous and return owned values; readers
//! take a [`workspace::Snapshot`].
//! A document change is therefore visible to whatever request follows it, and no lock is ever held while waiting.
//!
//! Knows no protocol type and no HTTP.

mod charge;
pub mod config;
mod editor;
mod files;
mod findings;
mod headless;
mod history;
mod host;
mod hover;
mod hunks;
mod indexer;
mod kept;
mod landing;
mod launch;
mod lease;
mod markers;
mod menu;
mod opinions;
mod pages;
mod preview;
mod purse;
mod queue;
mod repair;
mod review;
mod reviewer;
mod runs;
mod shelf;
mod state;
mod tags;

pub use charge::Charge;
pub use editor::{Editor, Event, LastRun, Level, Planned, Reply, Spending};
pub use files::Whole;
pub use findings::{News, findings_of, manifests_of, read_manifests};
pub use headless::{FileStep, HeadlessEditor};
pub use history::{Told, history_of};
pub use hunks::{Hunk, HunkId, HunkState, Waits};
pub use indexer::watched_patterns;
pub use launch::{Launch, LaunchError};
pub use ledger::RunId;
pub use markers::{Marker, MarkerKind, Markers, RelatedPlace};
pub use menu::{ForeignDiagnostic, Item, ItemKind, Menu, Pick, Repairs};
pub use opinions::{Dismissal, Tally, recorded_tallies};
pub use pages::Page;
pub use purse::Purse;
pub use review::{ReviewError, Way};
pub use runs::RunSummary;
pub use state::{Engine, Resolve, Setup, Timing};
pub use tags::Tag;
