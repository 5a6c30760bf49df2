//! The protocol: the only user of tower-lsp and lsp-types.

pub mod ordered;
pub mod transport;
