use gate::{Operation, Replacement};
use index::{Facts, SymbolId};

use super::own::Own;
use crate::source::Source;

/// The most lines of a symbol that are repeated to the model after its own edit.
const REPEATED_LINES: usize = 8;

/// The file as it was before a proposal, as far as it takes to say what came of it.
pub(super) struct Before {
    source: Source,
}

impl Before {
    pub(super) fn new(source: Source) -> Before {
        Before { source }
    }

    /// What the model needs to know after its proposal has landed: the symbols it touched, with their hashes.
    ///
    /// The text is repeated only where it is short, or is not what the model expects.
    pub(super) fn landed(&self, operation: &Operation, after: &Source, own: &mut Own) -> String {
        match operation {
            Operation::EditSymbol { symbol, edits, .. } => {
                let expected = self
                    .text_of(symbol)
                    .and_then(|text| with_edits(text, edits));
                self.changed(symbol, expected, after, own)
            }
            Operation::ReplaceSymbol { symbol, text, .. } => {
                self.changed(symbol, Some(text.clone()), after, own)
            }
            Operation::AddSymbol { .. } => self.added(after),
            Operation::EditImports { .. } => "landed".to_owned(),
        }
    }

    fn changed(
        &self,
        path: &str,
        expected: Option<String>,
        after: &Source,
        own: &mut Own,
    ) -> String {
        let Some(symbol) = after.symbol(path) else {
            let added = self.added(after);
            return if expected.is_some_and(|text| text.trim().is_empty()) {
                format!("landed; `{path}` is gone")
            } else {
                format!("{added}\n`{path}` has another name now")
            };
        };
        let now = after.text_of(symbol);
        let as_expected = expected.is_some_and(|expected| same_code(&expected, &now));
        match self.source.symbol(path) {
            Some(before) if as_expected => {
                own.record(path, self.source.hash_of(before), after.hash_of(symbol));
            }
            _ => own.forget(path),
        }
        let added = self.added_paths(&after.facts);
        let mut text = String::from(if as_expected {
            "landed\n"
        } else {
            "landed; it does not read quite as you sent it, so here it is as it stands now\n"
        });
        if !as_expected || now.lines().count() <= REPEATED_LINES {
            text.push_str(&after.shown(symbol));
        } else {
            text.push_str(&after.header_of(symbol));
        }
        for path in added {
            if let Some(symbol) = after.symbol(&path) {
                text.push('\n');
                text.push_str(&after.header_of(symbol));
            }
        }
        text
    }

    fn added(&self, after: &Source) -> String {
        let mut text = "landed".to_owned();
        for path in self.added_paths(&after.facts) {
            if let Some(symbol) = after.symbol(&path) {
                text.push('\n');
                text.push_str(&after.header_of(symbol));
            }
        }
        text
    }

    /// Name paths that were not there before; of an item and what is inside it, the item.
    fn added_paths(&self, after: &Facts) -> Vec<String> {
        let is_new = |id: SymbolId| {
            after
                .symbol(id)
                .is_some_and(|symbol| self.source.facts.by_path(&symbol.path).is_none())
        };
        let roots = after.symbols.iter().filter(|symbol| {
            self.source.facts.by_path(&symbol.path).is_none() && !symbol.parent.is_some_and(is_new)
        });
        roots.map(|symbol| symbol.path.to_string()).collect()
    }

    fn text_of(&self, path: &str) -> Option<String> {
        self.source
            .symbol(path)
            .map(|symbol| self.source.text_of(symbol))
    }
}

/// The text with the replacements made, if each old text is found exactly once.
fn with_edits(mut text: String, edits: &[Replacement]) -> Option<String> {
    for Replacement { old, new } in edits {
        let (old, new) = (
            old.trim_matches(['\n', '\r']),
            new.trim_matches(['\n', '\r']),
        );
        let mut found = text.match_indices(old);
        let at = found.next()?.0;
        if found.next().is_some() {
            return None;
        }
        text.replace_range(at..at + old.len(), new);
    }
    Some(text)
}

/// Whether two texts are the same but for indentation, trailing blanks and blank lines.
fn same_code(a: &str, b: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    };
    lines(a) == lines(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_and_blank_lines_do_not_count_as_a_difference() {
        assert!(same_code("a\n\n  b  \n", "  a\nb"));
        assert!(!same_code("a\nb", "a b"));
    }

    #[test]
    fn edits_are_made_where_they_are_unique() {
        let edit = |old: &str, new: &str| Replacement {
            old: old.to_owned(),
            new: new.to_owned(),
        };
        let made = with_edits("a\nb\n".to_owned(), &[edit("a\n", "x\n"), edit("b", "y")]);
        assert_eq!(made.as_deref(), Some("x\ny\n"));
        assert_eq!(with_edits("aa".to_owned(), &[edit("a", "b")]), None);
    }
}
