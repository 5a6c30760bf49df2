//! `farthing review --html`: the module graph, circles and hotspots, as one page that needs nothing but itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) use crate::commands::cost::escape;
use index::Index;
use review::{Circle, Finding, History, Review, RuleId, Severity};
use text::FilePath;

use super::picture::Modules;

/// Rows of a table; the rest is counted.
const ROWS: usize = 25;

/// What the page shows.
pub(super) struct Reviewed<'a> {
    pub(super) root: &'a FilePath,
    pub(super) index: &'a Index,
    pub(super) review: &'a Review,
    pub(super) history: &'a History,
    pub(super) findings: &'a [Finding],
    /// The line of a finding, counted from 1.
    pub(super) line: &'a dyn Fn(&Finding) -> usize,
}

/// The page.
pub(super) fn page(reviewed: &Reviewed<'_>) -> String {
    let circles = reviewed.review.circles();
    let name = reviewed
        .root
        .as_str()
        .rsplit('/')
        .next()
        .unwrap_or("workspace");
    let mut body = tiles(reviewed, &circles);
    let modules = Modules::of(reviewed.root, reviewed.review.graph());
    if !modules.is_empty() {
        let _ = write!(
            body,
            "<section><h2>Folders</h2><p class=\"note\">{} folders, each above what it imports; the thicker the line, the more imports. \
             A red line leads back up: it closes a circle, and without the red lines there would be none. Tests and imports of types are left out.</p>{}</section>",
            modules.len(),
            modules.svg()
        );
    }
    let _ = write!(
        body,
        "<section><h2>Circles at load time</h2>{}</section>",
        circles_of(reviewed, &circles)
    );
    let _ = write!(
        body,
        "<section><h2>Hotspots</h2><p class=\"note\">What is hard to follow and changes often: the sum of the cognitive complexity of a file's functions, \
         times the commits that changed it.</p>{}</section>",
        hotspots(reviewed)
    );
    let _ = write!(
        body,
        "<section><h2>Findings</h2>{}</section>",
        findings(reviewed)
    );
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <title>Farthing · {0}</title><style>\n{1}</style></head>\n<body><main>\
         <header><h1>The architecture of {0}</h1></header>\n{body}\n\
         <footer>Computed from the source text alone; nothing was run and nothing was sent.</footer></main></body></html>\n",
        escape(name),
        include_str!("page.css"),
    )
}

impl Reviewed<'_> {
    fn name<'p>(&self, file: &'p FilePath) -> &'p str {
        file.relative_to(self.root).unwrap_or(file.as_str())
    }
}

fn tiles(reviewed: &Reviewed<'_>, circles: &[Circle]) -> String {
    let edges = reviewed.review.graph().edges().count();
    let warnings = reviewed.findings.iter();
    let warnings = warnings.filter(|finding| finding.severity == Severity::Warning);
    let inside: usize = circles.iter().map(|circle| circle.files.len()).sum();
    let tiles = [
        (reviewed.index.stats().files, "files"),
        (edges, "imports between them"),
        (circles.len(), "circles at load time"),
        (inside, "files in them"),
        (warnings.count(), "warnings"),
        (reviewed.history.commits() as usize, "commits read"),
    ];
    let shown = tiles.iter().map(|(count, says)| {
        format!("<div class=\"tile\"><b>{count}</b><span>{says}</span></div>")
    });
    format!("<div class=\"tiles\">{}</div>", shown.collect::<String>())
}

fn circles_of(reviewed: &Reviewed<'_>, circles: &[Circle]) -> String {
    if circles.is_empty() {
        return "<p class=\"note\">There is none.</p>".to_owned();
    }
    let mut out = String::new();
    for circle in circles {
        let cut: Vec<String> = circle
            .cut
            .iter()
            .map(|(from, to)| {
                format!(
                    "<li class=\"cut\"><code>{}</code> imports <code>{}</code></li>",
                    escape(reviewed.name(from)),
                    escape(reviewed.name(to))
                )
            })
            .collect();
        let files = circle.files.iter().map(|file| {
            let name = escape(reviewed.name(file));
            format!("<li><code>{name}</code></li>")
        });
        let s = if cut.len() == 1 { "" } else { "s" };
        let _ = write!(
            out,
            "<details{}><summary>{} files, {} import{s} to remove</summary><h3>Imports whose removal ends it</h3><ul>{}</ul>\
             <h3>Files</h3><ul class=\"files\">{}</ul></details>",
            if circle.files.len() <= 12 {
                " open"
            } else {
                ""
            },
            circle.files.len(),
            cut.len(),
            cut.concat(),
            files.collect::<String>()
        );
    }
    out
}

fn hotspots(reviewed: &Reviewed<'_>) -> String {
    let mut rows: Vec<(u64, u32, u32, &FilePath)> = Vec::new();
    for file in reviewed.index.paths() {
        let Some(commits) = reviewed.history.churn(file) else {
            continue;
        };
        let Some(facts) = reviewed.index.file(file).filter(|facts| !facts.generated) else {
            continue;
        };
        let metrics = facts.symbols.iter().filter_map(|symbol| symbol.metrics);
        let complexity: u32 = metrics.map(|metrics| metrics.cognitive).sum();
        let score = u64::from(complexity) * u64::from(commits);
        if score > 0 {
            rows.push((score, complexity, commits, file));
        }
    }
    rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.3.cmp(b.3)));
    let Some(most) = rows.first().map(|row| row.0) else {
        return "<p class=\"note\">There is no history to tell.</p>".to_owned();
    };
    let lines = rows.iter().take(ROWS).map(|(score, complexity, commits, file)| {
        format!(
            "<tr><td><code>{}</code></td><td class=\"number\">{complexity}</td><td class=\"number\">{commits}</td>\
             <td class=\"bar\"><svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect width=\"{}\" height=\"8\"/></svg></td></tr>",
            escape(reviewed.name(file)),
            score * 100 / most
        )
    });
    format!(
        "<table><thead><tr><th>File</th><th class=\"number\">Complexity</th><th class=\"number\">Commits</th><th></th></tr></thead><tbody>{}</tbody></table>{}",
        lines.collect::<String>(),
        more(rows.len())
    )
}

fn findings(reviewed: &Reviewed<'_>) -> String {
    let mut by_rule: BTreeMap<(bool, RuleId), Vec<&Finding>> = BTreeMap::new();
    for finding in reviewed.findings {
        let quiet = finding.severity < Severity::Warning;
        by_rule
            .entry((quiet, finding.rule))
            .or_default()
            .push(finding);
    }
    if by_rule.is_empty() {
        return "<p class=\"note\">There is none.</p>".to_owned();
    }
    let mut out = String::new();
    for ((_, rule), findings) in by_rule {
        let rows = findings.iter().take(ROWS).map(|finding| {
            format!(
                "<tr><td><code>{}:{}</code></td><td>{}</td></tr>",
                escape(reviewed.name(&finding.file)),
                (reviewed.line)(finding),
                escape(&finding.message)
            )
        });
        let _ = write!(
            out,
            "<details><summary>{} · <code>{}</code> · {}</summary><table><tbody>{}</tbody></table>{}</details>",
            escape(rule.title()),
            rule.code(),
            findings.len(),
            rows.collect::<String>(),
            more(findings.len())
        );
    }
    out
}

fn more(count: usize) -> String {
    match count.saturating_sub(ROWS) {
        0 => String::new(),
        more => format!("<p class=\"note\">and {more} more</p>"),
    }
}
