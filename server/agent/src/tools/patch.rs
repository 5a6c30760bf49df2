//! Patches as some model families were trained to write them, read as changes of symbols.
//!
//! ```text
//! *** Begin Patch
//! *** Update File: src/cart.rs
//! @@ impl Cart
//!      fn total(&self) -> u32 {
//! -        0
//! +        self.lines.iter().sum()
//!      }
//! *** End Patch
//! ```
//!
//! A patch has no hashes. Its context takes their place: each hunk has to be found exactly once in the file as it is now,
//! and becomes an operation on the symbol that holds what it changes, which the gate judges like any other.

mod locate;
mod translate;

pub(super) use translate::translate;

/// The tool's name.
pub(crate) const NAME: &str = "apply_patch";
/// The most hunks of one patch.
const MAX_HUNKS: usize = 64;

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const UPDATE: &str = "*** Update File:";
const END_OF_FILE: &str = "*** End of File";

/// A patch of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    /// The file as the patch names it.
    pub(super) file: String,
    /// At least one.
    pub(super) hunks: Vec<Hunk>,
}

/// One place of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Lines that stand above it, the outermost first.
    pub(super) anchors: Vec<String>,
    /// What it shows, at least one line of which comes or goes.
    pub(super) lines: Vec<Line>,
    /// Whether its last line is the file's.
    pub(super) at_end: bool,
}

/// A line of a hunk, without its line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Same(String),
    Gone(String),
    New(String),
}

impl Hunk {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.anchors.is_empty()
    }

    fn changes(&self) -> bool {
        let mut lines = self.lines.iter();
        lines.any(|line| !matches!(line, Line::Same(_)))
    }

    /// The lines that stand there.
    pub(super) fn old(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Same(text) | Line::Gone(text) => Some(text.as_str()),
            Line::New(_) => None,
        })
    }
}

impl Patch {
    /// Reads a patch, or says in a sentence for the model what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Patch, String> {
        let text = text.replace("\r\n", "\n");
        let mut lines = text.trim_matches('\n').split('\n').enumerate();
        if lines.next().map(|(_, line)| line.trim()) != Some(BEGIN) {
            return Err(format!(
                "a patch begins with `{BEGIN}` on a line of its own"
            ));
        }
        let mut reading = Reading::default();
        for (number, line) in lines.by_ref() {
            if line.trim_end() == END {
                return match lines.next() {
                    None => reading.finish(),
                    Some(_) => Err(format!(
                        "something comes after `{END}`; send one patch a call"
                    )),
                };
            }
            reading.take(number + 1, line)?;
        }
        Err(format!(
            "the patch has no `{END}`, so it may not have come whole; send it again"
        ))
    }
}

/// A patch as far as it has been read.
#[derive(Default)]
struct Reading {
    file: Option<String>,
    hunks: Vec<Hunk>,
    open: Option<Hunk>,
}

impl Reading {
    fn take(&mut self, number: usize, line: &str) -> Result<(), String> {
        if let Some(name) = line.strip_prefix(UPDATE) {
            self.close()?;
            let name = name.trim();
            return match &self.file {
                Some(file) if file != name => Err(format!(
                    "a patch changes one file, the one you work in; this one names {file:?} and {name:?}"
                )),
                _ => {
                    self.file = Some(name.to_owned());
                    Ok(())
                }
            };
        }
        if line.trim_end() == END_OF_FILE {
            return match &mut self.open {
                Some(hunk) => {
                    hunk.at_end = true;
                    self.close()
                }
                None => Err(format!(
                    "line {number}: `{END_OF_FILE}` belongs below a hunk"
                )),
            };
        }
        if line.starts_with("*** ") {
            return Err(format!(
                "line {number}: {line:?} is not possible here; a patch updates the file you work in, and does not add, \
                 delete or move files"
            ));
        }
        if self.file.is_none() {
            return Err(format!(
                "line {number}: say which file with `{UPDATE} …` first"
            ));
        }
        if let Some(anchor) = line.strip_prefix("@@") {
            // Two anchors in a row narrow the place down; one after lines begins the next hunk.
            if self
                .open
                .as_ref()
                .is_some_and(|hunk| !hunk.lines.is_empty())
            {
                self.close()?;
            }
            let anchor = without_numbers(anchor).trim();
            let hunk = self.open.get_or_insert_with(Hunk::new);
            if !anchor.is_empty() {
                hunk.anchors.push(anchor.to_owned());
            }
            return Ok(());
        }
        if line.starts_with("\\ No newline") {
            return Ok(());
        }
        let read = match line.split_at_checked(1) {
            None => Line::Same(String::new()),
            Some((" ", rest)) => Line::Same(rest.to_owned()),
            Some(("-", rest)) => Line::Gone(rest.to_owned()),
            Some(("+", rest)) => Line::New(rest.to_owned()),
            _ => {
                return Err(format!(
                    "line {number} begins with neither a blank, nor `-`, nor `+`: {:?}",
                    line.chars().take(60).collect::<String>()
                ));
            }
        };
        self.open.get_or_insert_with(Hunk::new).lines.push(read);
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(mut hunk) = self.open.take() else {
            return Ok(());
        };
        if hunk.is_empty() {
            return Ok(());
        }
        if !hunk.changes() {
            return Err(format!(
                "hunk {} changes nothing; lines that go begin with `-`, lines that come with `+`",
                self.hunks.len() + 1
            ));
        }
        // An empty line before the next hunk is the writer's, not the file's.
        while hunk.lines.last() == Some(&Line::Same(String::new())) {
            hunk.lines.pop();
        }
        self.hunks.push(hunk);
        if self.hunks.len() > MAX_HUNKS {
            return Err(format!(
                "a patch has at most {MAX_HUNKS} hunks; send several"
            ));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Patch, String> {
        self.close()?;
        match self.file {
            Some(file) if !self.hunks.is_empty() => Ok(Patch {
                file,
                hunks: self.hunks,
            }),
            _ => Err("the patch changes nothing".to_owned()),
        }
    }
}

impl Hunk {
    fn new() -> Hunk {
        Hunk {
            anchors: Vec::new(),
            lines: Vec::new(),
            at_end: false,
        }
    }
}

/// What stands after `@@ -1,2 +1,3 @@`, or after a bare `@@`. The numbers of models are seldom right.
fn without_numbers(anchor: &str) -> &str {
    match anchor.trim_start().strip_prefix('-') {
        Some(rest) => match rest.split_once("@@") {
            Some((numbers, rest)) if numbers.contains('+') => rest,
            _ => anchor,
        },
        None => anchor,
    }
}

#[cfg(test)]
mod tests;
