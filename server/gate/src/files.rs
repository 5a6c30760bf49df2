//! Whole files: those that come, get another name or go, and the way back of each.
//!
//! None of it happens without the user's word, so that what is judged here is what the user is asked.

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

/// What waits for the user's word.
#[derive(Debug)]
pub struct FileQuestion<T> {
    /// What there is to know beside the name of the file, as a sentence of its own; empty if nothing.
    pub warning: String,
    asked: T,
}

impl<T> FileQuestion<T> {
    /// The user said yes.
    pub fn approve(self) -> T {
        self.asked
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
) -> Refusable<FileQuestion<NewFile>> {
    let warning = addressed(policy, &file, name, "made", "new files go into its folders")?;
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
    Ok(FileQuestion {
        warning,
        asked: file,
    })
}

/// What there is under the name of a file that is to be renamed or deleted, as far as that matters.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// What it is.
    pub kind: FileKind,
    /// Whether a link leads to it from inside the workspace to the outside.
    pub leads_out: bool,
    /// Whether the user may not write it.
    pub read_only: bool,
    /// Whether an editor has changes of it that the disk has not.
    pub unsaved: bool,
    /// The run that works in it, by the words of the menu; empty for the run that asks.
    pub worked_in: Option<String>,
    /// Whether the user is still to decide on something in it, or on the whole of it.
    pub undecided: bool,
    /// In bytes.
    pub size: u64,
}

/// What is under a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileKind {
    /// Nothing.
    #[default]
    Nothing,
    /// An ordinary file.
    Ordinary,
    /// A symbolic link.
    Link,
    /// A folder, a device or the like.
    Other,
}

/// A file that gets another name.
///
/// There is no way to make one outside this crate; see [`rename`] and [`bring_back`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    from: FilePath,
    to: FilePath,
    reason: String,
}

impl Move {
    /// Where it is.
    pub fn from(&self) -> &FilePath {
        &self.from
    }

    /// Where it goes; nothing is there.
    pub fn to(&self) -> &FilePath {
        &self.to
    }

    /// Why, in the model's words.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A file as a run names it, and as it is.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The path.
    pub file: &'a FilePath,
    /// The name in the words of the run.
    pub name: &'a str,
}

/// Judges the wish for another name. `is_there` says whether something else has that name already.
pub fn rename(
    policy: &Policy,
    (from, standing): (Named<'_>, &Standing),
    (to, is_there): (Named<'_>, bool),
    reason: &str,
) -> Refusable<FileQuestion<Move>> {
    let warning = whole(policy, from, standing, "renamed")?;
    let there = addressed(policy, to.file, to.name, "made", "its files stay in it")?;
    if from.file == to.file {
        return refuse(Rule::Path, format!("{} has that name already", from.name));
    }
    if to.file.is_inside(from.file) {
        let (from, to) = (from.name, to.name);
        return refuse(
            Rule::Path,
            format!("{to} would be inside {from}, which is no folder"),
        );
    }
    if is_there {
        let name = to.name;
        return refuse(
            Rule::Path,
            format!("{name} is there already; a file takes no other's place"),
        );
    }
    let asked = Move {
        from: from.file.clone(),
        to: to.file.clone(),
        reason: reason.to_owned(),
    };
    let warning = if warning.is_empty() { there } else { warning };
    Ok(FileQuestion { warning, asked })
}

/// Judges the wish that a file goes, of at most `most` bytes: so many are kept for the way back.
pub fn delete(
    policy: &Policy,
    (file, standing): (Named<'_>, &Standing),
    most: u64,
    reason: &str,
) -> Refusable<FileQuestion<Removal>> {
    let warning = whole(policy, file, standing, "deleted")?;
    if standing.size > most {
        let (name, size) = (file.name, standing.size);
        return refuse(
            Rule::Size,
            format!("{name} has {size} bytes, and a run deletes files of at most {most}; it stays"),
        );
    }
    let asked = Removal {
        file: file.file.clone(),
        reason: reason.to_owned(),
    };
    Ok(FileQuestion { warning, asked })
}

/// A file that goes.
///
/// There is no way to make one outside this crate; see [`delete`] and [`take_away`].
#[derive(Clone, Debug)]
pub struct Removal {
    file: FilePath,
    reason: String,
}

impl Removal {
    /// Which.
    pub fn file(&self) -> &FilePath {
        &self.file
    }

    /// Why, in the model's words; empty where it is taken back.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// The way back for a file that a run has made, which reads `now`. Refuses when anybody has changed it since.
pub fn take_away(file: &FilePath, now: &Text, made: &Landed) -> Result<Removal, Conflict> {
    let as_made = made.old.is_empty() && made.range == Range::new(0, now.len());
    if as_made && now.to_string() == made.new {
        Ok(Removal {
            file: file.clone(),
            reason: String::new(),
        })
    } else {
        Err(Conflict(made.range))
    }
}

/// The way back for a file that a run has renamed or deleted, from where it is now, or is kept. None if something has its
/// name by now.
pub fn bring_back(from: &FilePath, to: &FilePath, is_there: bool) -> Option<Move> {
    (!is_there).then(|| Move {
        from: from.clone(),
        to: to.clone(),
        reason: String::new(),
    })
}

/// The way back for a deleted file whose bytes no editor can fetch from where they are kept: its text, to be written anew.
pub fn write_again(file: &FilePath, text: &Text, is_there: bool) -> Option<NewFile> {
    (!is_there).then(|| NewFile {
        file: file.clone(),
        text: text.clone(),
        reason: String::new(),
    })
}

/// Whether a run may have a file of that name `made`, `renamed` or `deleted`. Answers what the user has to know.
fn addressed(
    policy: &Policy,
    file: &FilePath,
    name: &str,
    done: &str,
    inside: &str,
) -> Refusable<String> {
    let is_inside = policy.roots.iter().any(|root| file.is_inside(root));
    if !is_inside || file.file_name().is_empty() {
        return refuse(
            Rule::Path,
            format!("{name} is outside the workspace; {inside}"),
        );
    }
    match policy.protection(file) {
        Protection::Deny => refuse(
            Rule::Protected,
            format!("{name} is protected and never {done} by a run"),
        ),
        Protection::Confirm => Ok("Builds execute or pin such a file.".to_owned()),
        Protection::None => Ok(String::new()),
    }
}

/// Whether a file that is there can be `renamed` or `deleted` as a whole.
fn whole(
    policy: &Policy,
    Named { file, name }: Named<'_>,
    standing: &Standing,
    done: &str,
) -> Refusable<String> {
    let warning = addressed(policy, file, name, done, "others are no business of a run")?;
    let trouble = match standing {
        Standing {
            kind: FileKind::Nothing,
            ..
        } => format!("there is no {name}"),
        Standing {
            kind: FileKind::Link,
            ..
        } => format!("{name} is a link, and runs leave links as they are"),
        Standing {
            kind: FileKind::Other,
            ..
        } => format!("{name} is not an ordinary file"),
        Standing {
            leads_out: true, ..
        } => format!("{name} leads out of the workspace by a link"),
        Standing {
            worked_in: Some(run),
            ..
        } if run.is_empty() => {
            format!("{name} is the file you work in; it can be {done} by the user afterwards")
        }
        Standing {
            worked_in: Some(run),
            ..
        } => format!("another run, “{run}”, works in {name}; it stays as it is"),
        Standing {
            undecided: true, ..
        } => {
            format!("the user has not decided yet on what was changed of {name}; it stays as it is")
        }
        Standing { unsaved: true, .. } => {
            format!("{name} has changes that the user has not saved; it stays as it is")
        }
        Standing {
            read_only: true, ..
        } => format!("{name} is read-only; it stays as it is"),
        Standing { .. } => return Ok(warning),
    };
    refuse(Rule::Path, trouble)
}
