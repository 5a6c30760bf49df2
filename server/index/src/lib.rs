//! Facts of one file and how they join. No I/O, no async, no clock, no editor, no model.
//!
//! [`Facts`] is what one text says about itself: symbols, references, imports, metrics.
//! [`Parsed`] keeps the tree beside the facts, so that the next version of the text is read in less time.
//! [`Packed`] is the same in a few bytes, for the many files that nobody looks at.
//! [`Index`] holds the facts of many files, and answers what a name in one most likely means in the others.
//!
//! Nothing here knows a language: what a node means is data of the `grammars` room.
//! Broken code is the normal case: there are always facts, and a count of what made no sense.

mod base;
mod bytes;
mod candidates;
mod embed;
mod facts;
mod find;
mod imports;
mod instructions;
mod join;
mod lead;
mod links;
mod metrics;
mod names;
mod outline;
mod pack;
mod parse;
mod part;
mod paths;
mod posting;
mod recent;
mod references;
mod resolve;
mod shape;
mod skim;
mod smells;
mod stray;
mod symbols;
mod table;
mod walk;

pub use base::{Base, Counts, Kept, Shelf};
pub use facts::{
    Facts, Import, ImportKind, ImportedName, Incomplete, Instruction, Metrics, Reference, Symbol,
    SymbolId,
};
pub use grammars::{Grammar, Role, Smell, SymbolKind};
pub use join::{Index, Mention, Place, Stats};
pub use links::{Link, Use};
pub use outline::{OutlineItem, doc_line, header_text, outline, outline_of};
pub use pack::{Packed, form};
pub use parse::Parsed;
pub use part::Part;
pub use recent::{Recent, Weigh};
pub use resolve::Confidence;
pub use shape::Shape;
pub use smells::Whiff;
pub use stray::{Changed, Stray};

/// The longest text that is read, in bytes. What is longer is data or generated, and its tree takes 20 to 80 times its
/// size.
pub const MAX_BYTES: usize = 1 << 20;
/// The same for a text that somebody has open.
pub const MAX_OPEN_BYTES: usize = 8 << 20;
/// How deep symbols may lie in each other.
pub const MAX_DEPTH: usize = 32;
/// The longest path of a symbol, in bytes.
pub const MAX_PATH: usize = 512;

/// How often the parser may ask whether to go on, whatever the length of the text.
const STEPS_PER_FILE: usize = 20_000;
/// And how much more often for each byte.
const STEPS_PER_BYTE: usize = 1;
