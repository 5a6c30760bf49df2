//! Reading and writing quoted strings.

pub mod quote;
