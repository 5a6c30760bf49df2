use serde::{Deserialize, Serialize};
use text::{FilePath, Hash};

/// An edit that a run wants: addressed by symbol, not by position, so that it survives typing elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The file to change.
    pub file: FilePath,
    /// What to change in it.
    pub operation: Operation,
    /// Why, in the model's words; shown to the user beside the hunk.
    pub reason: String,
}

/// What a proposal does to its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Operation {
    /// Replaces pieces inside a symbol.
    EditSymbol {
        /// Name path of the symbol.
        symbol: String,
        /// Hash of the symbol's text as the run read it.
        base: Hash,
        /// The pieces; each old text must be found exactly once inside the symbol.
        edits: Vec<Replacement>,
    },
    /// Replaces a symbol whole, with its doc comment and attributes. An empty text deletes it.
    ReplaceSymbol {
        /// Name path of the symbol.
        symbol: String,
        /// Hash of the symbol's text as the run read it.
        base: Hash,
        /// The new text.
        text: String,
    },
    /// Adds a new item beside an existing one.
    AddSymbol {
        /// Name path of the existing symbol.
        anchor: String,
        /// Where, as seen from the anchor.
        place: Place,
        /// The new item.
        text: String,
    },
    /// Changes the imports of the file, line by line.
    EditImports {
        /// Whole import statements to add.
        add: Vec<String>,
        /// Whole import statements to remove, as they stand in the file.
        remove: Vec<String>,
    },
}

/// One piece of text and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// What stands there, copied exactly.
    pub old: String,
    /// What shall stand there.
    pub new: String,
}

/// On which side of its anchor a new item goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Directly above.
    Before,
    /// Directly below.
    After,
    /// As the last item inside the anchor.
    Inside,
}

/// How closely an old text had to be read to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Byte for byte.
    Exact,
    /// Apart from blanks at the ends of lines.
    TrailingBlanks,
    /// Apart from blanks at both ends of lines; the new text was indented anew.
    Reindented,
}
