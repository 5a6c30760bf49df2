//! A place on the command line: `FILE:LINE` or `FILE:LINE:COLUMN`.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use text::{FilePath, Range, Text};

/// A place as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At {
    path: PathBuf,
    line: usize,
    column: Option<usize>,
}

impl At {
    /// The file, made absolute.
    pub(crate) fn file(&self) -> anyhow::Result<FilePath> {
        let path = std::path::absolute(&self.path)
            .with_context(|| format!("cannot find {}", self.path.display()))?;
        Ok(FilePath::new(path)?)
    }

    /// The cursor: at the column, or at the first letter of the line.
    pub(crate) fn range(&self, text: &Text) -> anyhow::Result<Range> {
        let lines = text.lines();
        anyhow::ensure!(
            self.line <= lines,
            "{} has {lines} lines, there is no line {}",
            self.path.display(),
            self.line
        );
        let range = text.line_range(self.line - 1);
        let line = text.slice(range);
        let offset = match self.column {
            None => line.len() - line.trim_start().len(),
            Some(column) => line
                .char_indices()
                .map(|(at, _)| at)
                .nth(column - 1)
                .unwrap_or(line.len()),
        };
        Ok(Range::at(range.start + offset))
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(s: &str) -> Result<At, String> {
        const FORM: &str = "a place is FILE:LINE or FILE:LINE:COLUMN, counted from 1";
        let number = |text: &str| text.parse::<usize>().ok().filter(|number| *number > 0);
        let (rest, last) = s.rsplit_once(':').ok_or(FORM)?;
        let last = number(last).ok_or(FORM)?;
        let at = match rest
            .rsplit_once(':')
            .and_then(|(file, line)| Some((file, number(line)?)))
        {
            Some((file, line)) => At {
                path: file.into(),
                line,
                column: Some(last),
            },
            None => At {
                path: rest.into(),
                line: last,
                column: None,
            },
        };
        if at.path.as_os_str().is_empty() {
            Err(FORM.to_owned())
        } else {
            Ok(at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_as_compilers_write_it() {
        let at = |path: &str, line, column| {
            Ok(At {
                path: path.into(),
                line,
                column,
            })
        };
        assert_eq!("src/a.rs:3".parse(), at("src/a.rs", 3, None));
        assert_eq!("src/a.rs:3:7".parse(), at("src/a.rs", 3, Some(7)));
        assert_eq!("C:/a.rs:3".parse(), at("C:/a.rs", 3, None));
        assert!("src/a.rs".parse::<At>().is_err());
        assert!("src/a.rs:0".parse::<At>().is_err());
        assert!(":3".parse::<At>().is_err());
    }

    #[test]
    fn a_column_counts_characters() {
        let text = Text::from("fn a() {}\n  fn ö() {}\n");
        let at = |s: &str| {
            s.parse::<At>()
                .unwrap()
                .range(&text)
                .map(|range| range.start)
                .map_err(|error| error.to_string())
        };
        assert_eq!(at("a.rs:2"), Ok(12));
        assert_eq!(at("a.rs:2:7"), Ok(17));
        assert_eq!(
            at("a.rs:9"),
            Err("a.rs has 3 lines, there is no line 9".to_owned())
        );
    }
}
