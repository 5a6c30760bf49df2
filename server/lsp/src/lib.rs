//! The protocol: the only user of tower-lsp and lsp-types.

pub mod capabilities;
pub mod ordered;
pub mod position;
pub mod transport;
pub mod uri;
