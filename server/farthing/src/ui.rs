//! Text for people: colours where the terminal has them, plain text elsewhere.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};

/// What is not the point.
pub(crate) const DIM: Style = Style::new().dimmed();
/// What is the point.
pub(crate) const BOLD: Style = Style::new().bold();
/// What came, or went well.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// What went, or failed.
pub(crate) const RED: Style = AnsiColor::Red.on_default();
/// Money.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// Where things are.
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// `text` in a style.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a line to standard output, with colours if it is a terminal that has them.
pub(crate) fn line(text: impl std::fmt::Display) -> io::Result<()> {
    writeln!(anstream::stdout(), "{text}")
}

/// Writes a value to standard output as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?)?;
    Ok(())
}

/// Writes a line to standard error; what cannot be written there has nowhere else to go.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _unwritten = writeln!(anstream::stderr(), "{text}");
}

/// Reports the one error that ends a command, with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    note(format!("{}: {error:#}", paint(RED.bold(), "error")));
}

/// A diff with coloured lines.
pub(crate) fn diff(diff: &str) -> String {
    let mut shown = String::new();
    for line in diff.lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => GREEN,
            Some(b'-') => RED,
            Some(b'@') => CYAN,
            _ => Style::new(),
        };
        shown.push_str(&paint(style, line));
        shown.push('\n');
    }
    shown
}

/// Rows in columns that line up. The first row is the heading; columns after the first are set to the right where
/// `right` says so.
pub(crate) fn table(rows: &[Vec<String>], right: &[bool]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut shown = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                let blanks = " ".repeat(width.saturating_sub(cell.chars().count()));
                if right.get(column).copied().unwrap_or(false) {
                    format!("{blanks}{cell}")
                } else {
                    format!("{cell}{blanks}")
                }
            });
        let line = cells.collect::<Vec<_>>().join("  ");
        let line = line.trim_end();
        shown.push_str(&if at == 0 {
            paint(DIM, line)
        } else {
            line.to_owned()
        });
        shown.push('\n');
    }
    shown
}
