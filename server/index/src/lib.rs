//! Facts of one file and how they join. No I/O, no async, no clock, no editor, no model.
