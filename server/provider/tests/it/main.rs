//! The provider over real sockets: every test sends through reqwest to a server on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_raw_string_hashes
)]

mod chat;
mod faults;
mod fixtures;
#[path = "../../../../tests/faults/list.rs"]
mod list;
mod requests;
mod scripts;
mod secrets;
mod support;
mod traps;
mod wires;
