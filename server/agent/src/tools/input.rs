//! What the arguments of each tool look like; what else is in them is an error.

use gate::Place;
use serde::Deserialize;
use text::Hash;

use super::{Relation, View};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EditSymbol {
    pub(super) symbol: String,
    pub(super) base: Hash,
    pub(super) edits: Vec<TextEdit>,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextEdit {
    pub(super) old_text: String,
    pub(super) new_text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplaceSymbol {
    pub(super) symbol: String,
    pub(super) base: Hash,
    pub(super) text: String,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddSymbol {
    pub(super) anchor: String,
    pub(super) position: Place,
    pub(super) text: String,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EditImports {
    #[serde(default)]
    pub(super) add: Vec<String>,
    #[serde(default)]
    pub(super) remove: Vec<String>,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadSymbol {
    pub(super) symbol: String,
    #[serde(default)]
    pub(super) file: Option<String>,
    #[serde(default = "View::body")]
    pub(super) view: View,
}

impl View {
    fn body() -> View {
        View::Body
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Find {
    pub(super) query: String,
    pub(super) kind: Relation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateFile {
    pub(super) new_file: String,
    pub(super) text: String,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameFile {
    pub(super) old_file: String,
    pub(super) new_file: String,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteFile {
    pub(super) old_file: String,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplyPatch {
    pub(super) input: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestScope {
    pub(super) symbols: Vec<String>,
    #[serde(default)]
    pub(super) reason: String,
}
