//! The state, the loop, snapshots; commands in, events out. No protocol type, no HTTP.
