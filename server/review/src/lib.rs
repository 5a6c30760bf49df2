//! The architecture rules, over index facts. Pure.
