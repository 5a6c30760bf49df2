use std::fmt;

use serde::Serialize;

/// Something wrong in a configuration: where, and what would be right.
///
/// It never quotes a value, because a value may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file as its source was named; for what has no file, a name such as `editor settings`.
    pub file: String,
    /// The line, counted from 1; 0 where there are no lines.
    pub line: u32,
    /// The column in characters, counted from 1; 0 where there are no lines.
    pub column: u32,
    /// The dotted key; empty if the whole file cannot be read.
    pub key: String,
    /// What is wrong and what is valid, without a final dot.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The line and column, counted from 1, of a byte offset; columns are characters.
pub(super) fn position(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or("").chars().count() + 1;
    (
        u32::try_from(line).unwrap_or(u32::MAX),
        u32::try_from(column).unwrap_or(u32::MAX),
    )
}

/// The candidate that `word` is most likely a misspelling of, if any is near enough.
pub(super) fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(from != *to))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("a = 1\nä = 2", 9), (2, 3));
        assert_eq!(position("a", 99), (1, 2));
    }

    #[test]
    fn near_misses_are_recognised() {
        let keys = ["per_run", "per_day", "per_month", "per_session"];
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(closest("per_runs", &keys), Some("per_run"));
        assert_eq!(closest("perday", &keys), Some("per_day"));
        assert_eq!(closest("colour", &keys), None);
    }
}
