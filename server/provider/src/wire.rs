//! The vendors' formats, a module each. What they share (sending, timeouts, cancelling, errors) is in `http`.

pub(crate) mod anthropic;
