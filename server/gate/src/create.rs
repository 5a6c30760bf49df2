//! Files that come, and that go again when that is undone.

use grammars::Grammar;
use index::Facts;
use text::{Conflict, FilePath, Range, Text};

use crate::verdict::{Refusable, refuse};
use crate::{Landed, Policy, Protection, Rule};

/// A new file that the gate let through and the user allowed.
///
/// There is no way to make one outside this crate; see [`create`].
#[derive(Clone, Debug)]
pub struct NewFile {
    file: FilePath,
    text: Text,
    reason: String,
}

impl NewFile {
    /// Where.
    pub fn file(&self) -> &FilePath {
        &self.file
    }

    /// What is in it.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Why, in the model's words.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A new file that waits for the user's word: none comes without it.
#[derive(Debug)]
pub struct NewFileQuestion {
    /// What there is to know beside the name of the file, as a sentence of its own; empty if nothing.
    pub warning: String,
    file: NewFile,
}

impl NewFileQuestion {
    /// The user said yes.
    pub fn approve(self) -> NewFile {
        self.file
    }
}

/// Judges the wish for a new file, which the model calls `name`. `is_there` says whether something has that name already.
pub fn create(
    policy: &Policy,
    grammar: Option<&'static Grammar>,
    (file, is_there): (FilePath, bool),
    name: &str,
    text: &str,
    reason: &str,
) -> Refusable<NewFileQuestion> {
    let inside = policy.roots.iter().any(|root| file.is_inside(root));
    if !inside || file.file_name().is_empty() {
        return refuse(
            Rule::Path,
            format!("{name} is outside the workspace; new files go into its folders"),
        );
    }
    let warning = match policy.protection(&file) {
        Protection::Deny => {
            return refuse(
                Rule::Protected,
                format!("{name} is protected and never made by a run"),
            );
        }
        Protection::Confirm => "Builds execute or pin such a file.".to_owned(),
        Protection::None => String::new(),
    };
    if is_there {
        return refuse(
            Rule::Path,
            format!("{name} is there already; a new file takes no other's place"),
        );
    }
    if text.trim().is_empty() {
        return refuse(Rule::Size, "the new file would be empty");
    }
    if text.contains('\0') {
        return refuse(Rule::Size, "the new file would be binary");
    }
    if text.len() > policy.max_insert {
        return refuse(
            Rule::Size,
            format!(
                "{} bytes in a new file, the limit is {}; make it smaller",
                text.len(),
                policy.max_insert
            ),
        );
    }
    let facts = grammar.map(|grammar| Facts::of(grammar, text));
    if let Some(at) = facts.and_then(|facts| Some(facts.errors().first()?.start)) {
        let text = Text::from(text);
        return refuse(
            Rule::Parse,
            format!(
                "{name} would not parse (near line {}); check brackets and indentation and send it again",
                text.line_of(at) + 1
            ),
        );
    }
    let file = NewFile {
        file,
        text: Text::from(text),
        reason: reason.to_owned(),
    };
    Ok(NewFileQuestion { warning, file })
}

/// A file that a run has made and that goes again.
///
/// There is no way to make one outside this crate; see [`take_away`].
#[derive(Clone, Debug)]
pub struct Removal(FilePath);

impl Removal {
    /// Which.
    pub fn file(&self) -> &FilePath {
        &self.0
    }
}

/// The way back for a file that a run has made, which reads `now`. Refuses when anybody has changed it since.
pub fn take_away(file: &FilePath, now: &Text, made: &Landed) -> Result<Removal, Conflict> {
    let as_made = made.old.is_empty() && made.range == Range::new(0, now.len());
    if as_made && now.to_string() == made.new {
        Ok(Removal(file.clone()))
    } else {
        Err(Conflict(made.range))
    }
}
