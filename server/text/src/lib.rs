//! Paths, ropes, positions, ranges, edits, rebase. Knows nothing else.
