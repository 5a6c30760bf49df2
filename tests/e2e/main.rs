//! The shipped binary, driven over its standard streams as an editor drives it; the model is a script.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test states what it expects bluntly"
)]

mod apply;
mod bad_input;
mod disk;
mod files;
mod harness;
mod history;
mod judging;
mod life;
mod model;
mod money;
mod moves;
mod news;
mod pages;
mod prices;
mod providers;
mod races;
mod review;
mod several;
mod steps;
mod story;
mod tls;
mod transport;
