//! The protocol: the only user of tower-lsp and lsp-types.
