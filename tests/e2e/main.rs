//! The shipped binary, driven over its standard streams as an editor drives it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test states what it expects bluntly"
)]

mod harness;
