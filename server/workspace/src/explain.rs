//! Why a file is in the index, or is not.

use std::fmt;

use ignore::gitignore::GitignoreBuilder;
use index::{Counts, Facts, Incomplete};
use serde::Serialize;
use text::FilePath;

use crate::scan::worth_reading;
use crate::walk::{is_internal, root_of};
use crate::{SkipReason, is_ignored};

/// Why a file is in the index, or is not. Shown as sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Explanation {
    /// It is.
    Indexed {
        /// Its language.
        language: &'static str,
        /// How much is known.
        counts: Counts,
        /// Whether it says that a program wrote it.
        generated: bool,
        /// Whether its folder holds the code of others.
        vendored: bool,
        /// Why there is less known than there is.
        incomplete: Option<Incomplete>,
    },
    /// It is in none of the workspace folders.
    Outside,
    /// Version control keeps it for itself.
    Internal,
    /// An ignore file leaves it out.
    Ignored {
        /// The ignore file and its line, if it is one of the workspace.
        by: Option<(FilePath, String)>,
    },
    /// No language is known for it.
    NoGrammar,
    /// It is left out for what it is.
    LeftOut {
        /// Why.
        reason: SkipReason,
    },
}

/// Folders that hold the code of others, by the customs of many languages.
const VENDORED: &[&str] = &[
    "node_modules",
    "vendor",
    "vendored",
    "third_party",
    "third-party",
    "thirdparty",
    "site-packages",
    "bower_components",
];

/// Finds out why a file is in the index of these workspace folders, or is not. Reads it, and the ignore files above it.
pub fn explain(roots: &[FilePath], file: &FilePath) -> Explanation {
    let Some(root) = root_of(roots, file) else {
        return Explanation::Outside;
    };
    let inside = file.relative_to(root).unwrap_or("");
    if inside.split('/').any(|part| is_internal(part.as_ref())) {
        return Explanation::Internal;
    }
    let Some(grammar) = grammars::for_path(file.file_name()) else {
        return Explanation::NoGrammar;
    };
    if is_ignored(roots, file) && file.as_path().is_file() {
        return Explanation::Ignored {
            by: ignored_by(root, file),
        };
    }
    let text = match worth_reading(file, grammar) {
        Ok(text) => text,
        Err(reason) => return Explanation::LeftOut { reason },
    };
    let facts = Facts::of(grammar, &text);
    Explanation::Indexed {
        language: grammar.title,
        counts: facts.counts(),
        generated: facts.generated,
        vendored: inside.split('/').any(|part| VENDORED.contains(&part)),
        incomplete: facts.incomplete,
    }
}

/// Whether the ignore files of the workspace leave a path out, be there such a file or not.
///
/// Reads the ignore files above it.
pub fn is_left_out(roots: &[FilePath], file: &FilePath) -> bool {
    root_of(roots, file).is_some_and(|root| ignored_by(root, file).is_some())
}

/// The line of an ignore file that leaves a file out: the last that fits in the deepest folder that has one.
fn ignored_by(root: &FilePath, file: &FilePath) -> Option<(FilePath, String)> {
    let mut deepest = None;
    let mut path = root.as_path().to_owned();
    for part in file.relative_to(root)?.split('/') {
        let mut above = path.clone();
        path.push(part);
        let is_folder = path != file.as_path();
        // A folder that is left out takes everything in it along.
        let mut found = None;
        loop {
            for name in [".ignore", ".gitignore"] {
                let mut builder = GitignoreBuilder::new(&above);
                if builder.add(above.join(name)).is_none()
                    && let Ok(rules) = builder.build()
                    && let ignore::Match::Ignore(glob) = rules.matched(&path, is_folder)
                {
                    let by = FilePath::new(above.join(name)).ok()?;
                    found.get_or_insert((by, glob.original().to_owned()));
                }
            }
            if found.is_some() || above == root.as_path() || !above.pop() {
                break;
            }
        }
        if found.is_some() {
            deepest = found;
            break;
        }
    }
    deepest
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Explanation::Indexed {
                language,
                counts,
                generated,
                vendored,
                incomplete,
            } => {
                write!(
                    f,
                    "indexed as {language}: {} symbols, {} references, {} imports, {} syntax errors",
                    counts.symbols, counts.references, counts.imports, counts.errors
                )?;
                if *generated {
                    f.write_str("; it says that a program wrote it")?;
                }
                if *vendored {
                    f.write_str("; its folder holds the code of others")?;
                }
                match incomplete {
                    Some(why) => write!(f, "; less than there is: {why}"),
                    None => Ok(()),
                }
            }
            Explanation::Outside => f.write_str("not indexed: it is in no workspace folder"),
            Explanation::Internal => {
                f.write_str("not indexed: version control keeps it for itself")
            }
            Explanation::Ignored {
                by: Some((by, line)),
            } => {
                write!(f, "not indexed: {by} leaves it out with `{line}`")
            }
            Explanation::Ignored { by: None } => {
                f.write_str("not indexed: an ignore file outside of the folder leaves it out")
            }
            Explanation::NoGrammar => f.write_str("not indexed: no language is known for its name"),
            Explanation::LeftOut { reason } => write!(f, "not indexed: {reason}"),
        }
    }
}
