//! The ways to print findings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use review::graph::Graph;
use review::{Finding, Severity, all_rules};
use serde_json::{Value, json};
use text::{FilePath, Range, Text};

use super::baseline::identity;
use crate::ui;

/// Findings with what it takes to say where they are.
pub(super) struct Shown<'f> {
    root: &'f FilePath,
    findings: &'f [Finding],
    owners: &'f dyn Fn(&FilePath) -> Vec<String>,
    texts: BTreeMap<&'f FilePath, Text>,
}

/// A place, counted from 1; columns in characters.
struct At {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl<'f> Shown<'f> {
    pub(super) fn new(
        root: &'f FilePath,
        findings: &'f [Finding],
        owners: &'f dyn Fn(&FilePath) -> Vec<String>,
    ) -> Shown<'f> {
        let own = findings.iter().map(|finding| &finding.file);
        let related = findings.iter().flat_map(|finding| &finding.related);
        let files = own.chain(related.map(|related| &related.file));
        let mut texts = BTreeMap::new();
        for file in files {
            if !texts.contains_key(file)
                && let Ok(text) = workspace::read(file)
            {
                texts.insert(file, text);
            }
        }
        Shown {
            root,
            findings,
            owners,
            texts,
        }
    }

    fn at(&self, file: &FilePath, range: Range) -> At {
        let Some(text) = self.texts.get(file) else {
            return At {
                line: 1,
                column: 1,
                end_line: 1,
                end_column: 1,
            };
        };
        let place = |offset: usize| {
            let line = text.line_of(offset);
            let before = text.slice(Range::new(text.line_start(line), offset));
            (line + 1, before.chars().count() + 1)
        };
        let ((line, column), (end_line, end_column)) = (place(range.start), place(range.end));
        At {
            line,
            column,
            end_line,
            end_column,
        }
    }

    /// The line of a finding, counted from 1.
    pub(super) fn line(&self, finding: &Finding) -> usize {
        self.at(&finding.file, finding.range).line
    }

    fn name<'p>(&self, file: &'p FilePath) -> &'p str {
        file.relative_to(self.root).unwrap_or(file.as_str())
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Hint => "hint",
        Severity::Information => "info",
        Severity::Warning => "warning",
    }
}

pub(super) fn text(shown: &Shown<'_>, files: usize, took: Duration) -> anyhow::Result<()> {
    for finding in shown.findings {
        let at = shown.at(&finding.file, finding.range);
        let style = match finding.severity {
            Severity::Hint => ui::DIM,
            Severity::Information => ui::CYAN,
            Severity::Warning => ui::YELLOW,
        };
        ui::line(format!(
            "{}:{}:{}: {} {} {}",
            shown.name(&finding.file),
            at.line,
            at.column,
            ui::paint(style, word(finding.severity)),
            finding.message,
            ui::paint(ui::DIM, format!("[{}]", finding.rule)),
        ))?;
        for related in &finding.related {
            let at = shown.at(&related.file, related.range);
            let place = format!("{}:{}", shown.name(&related.file), at.line);
            ui::line(ui::paint(
                ui::DIM,
                format!("    {place}: {}", related.message),
            ))?;
        }
    }
    let warnings = |finding: &&Finding| finding.severity == Severity::Warning;
    let count = shown.findings.iter().filter(warnings).count();
    ui::note(format!(
        "{count} warnings and {} observations in {files} files, {:.2} s",
        shown.findings.len() - count,
        took.as_secs_f64()
    ));
    Ok(())
}

pub(super) fn json(shown: &Shown<'_>) -> anyhow::Result<()> {
    let place = |file: &FilePath, range: Range| {
        let at = shown.at(file, range);
        json!({
            "file": shown.name(file), "line": at.line, "column": at.column,
            "end_line": at.end_line, "end_column": at.end_column,
        })
    };
    let findings = shown.findings.iter().map(|finding| {
        let related = finding.related.iter().map(|related| {
            json!({"at": place(&related.file, related.range), "message": related.message})
        });
        json!({
            "rule": finding.rule, "severity": word(finding.severity), "message": finding.message,
            "at": place(&finding.file, finding.range), "symbol": finding.symbol,
            "identity": identity(shown.root, finding), "owners": (shown.owners)(&finding.file), "related": related.collect::<Vec<_>>(),
        })
    });
    ui::json(&json!({"findings": findings.collect::<Vec<_>>()}))
}

pub(super) fn sarif(shown: &Shown<'_>) -> anyhow::Result<()> {
    let place = |file: &FilePath, range: Range| {
        let at = shown.at(file, range);
        json!({
            "artifactLocation": {"uri": uri(shown.name(file)), "uriBaseId": "ROOT"},
            "region": {
                "startLine": at.line, "startColumn": at.column,
                "endLine": at.end_line, "endColumn": at.end_column,
            },
        })
    };
    let rules = all_rules().iter().map(|rule| {
        json!({
            "id": rule.code(), "shortDescription": {"text": rule.title()},
            "help": {"text": rule.page_text(), "markdown": rule.page_text()},
        })
    });
    let results = shown.findings.iter().map(|finding| {
        let level = match finding.severity {
            Severity::Hint | Severity::Information => "note",
            Severity::Warning => "warning",
        };
        let related: Vec<Value> = finding
            .related
            .iter()
            .map(|related| {
                json!({
                    "physicalLocation": place(&related.file, related.range),
                    "message": {"text": related.message},
                })
            })
            .collect();
        json!({
            "ruleId": finding.rule.code(), "level": level, "message": {"text": finding.message},
            "locations": [{"physicalLocation": place(&finding.file, finding.range)}],
            "relatedLocations": related,
            "partialFingerprints": {"farthing/v1": identity(shown.root, finding)},
        })
    });
    ui::json(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "farthing", "version": env!("CARGO_PKG_VERSION"), "rules": rules.collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    }))
}

/// A relative path as the path of a URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => {
                // Writing to a string cannot fail.
                _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

pub(super) fn github(shown: &Shown<'_>) -> anyhow::Result<()> {
    for finding in shown.findings {
        let at = shown.at(&finding.file, finding.range);
        let command = match finding.severity {
            Severity::Hint | Severity::Information => "notice",
            Severity::Warning => "warning",
        };
        ui::line(format!(
            "::{command} file={},line={},endLine={},col={},title={}::{}",
            escaped(shown.name(&finding.file), true),
            at.line,
            at.end_line,
            at.column,
            escaped(finding.rule.code(), true),
            escaped(&finding.message, false),
        ))?;
    }
    Ok(())
}

/// What would end a workflow command, or a property of it, spelt otherwise.
fn escaped(text: &str, property: bool) -> String {
    let text = text
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    if property {
        return text.replace(':', "%3A").replace(',', "%2C");
    }
    text
}

pub(super) fn edges(root: &FilePath, graph: &Graph) -> anyhow::Result<()> {
    let name = |file: &FilePath| file.relative_to(root).unwrap_or(file.as_str()).to_owned();
    // Several imports of one file are one edge, which happens when the first of them does.
    let mut edges = BTreeMap::new();
    for (from, edge) in graph.edges() {
        let kind = edges
            .entry((name(from), name(&edge.to)))
            .or_insert(edge.kind);
        *kind = (*kind).max(edge.kind);
    }
    for ((from, to), kind) in edges {
        let kind = serde_json::to_value(kind)?;
        ui::line(format!("{from} {to} {}", kind.as_str().unwrap_or("")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_cannot_end_the_command_it_is_in() {
        assert_eq!(escaped("a:b,c\n%", true), "a%3Ab%2Cc%0A%25");
        assert_eq!(escaped("a:b\r\n", false), "a:b%0D%0A");
        assert_eq!(uri("a b/ü.py"), "a%20b/%C3%BC.py");
    }
}
