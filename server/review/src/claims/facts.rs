//! What a model is told before it reviews: facts, each with a number, and the code that matters most.
//!
//! All of it comes from the index, so that the same workspace gives the same text.

use std::fmt::Write as _;

use index::{Place, Symbol, SymbolKind};
use text::FilePath;

use super::evidence::{Evidence, Subject};
use crate::check::Finding;

/// The most symbols of which it is looked up who uses them.
const MOST_LOOKED_UP: usize = 24;
/// A name that so many files have says little about who uses it, and takes long to look up.
const MOST_FILES: usize = 64;
/// The most edges, and the most of each other kind of fact.
const MOST_EDGES: usize = 60;
const MOST_OTHERS: usize = 24;
/// The part of the room, in percent, that is left to code.
const CODE_SHARE: u64 = 55;

/// How much there may be of it.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// Tokens of all of it.
    pub most: u64,
    /// Counts tokens.
    pub count: &'a dyn Fn(&str) -> u64,
}

/// What a model is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactSheet {
    /// The text.
    pub text: String,
    /// How many facts are in it, numbered from 1.
    pub facts: usize,
}

/// Puts the facts about `subject` together, up to a number of tokens. `findings` are those that are reported already;
/// `told` is what the team says in its own words.
pub fn fact_sheet(
    subject: &Subject,
    evidence: &Evidence<'_>,
    findings: &[Finding],
    told: Option<&str>,
    room: Room<'_>,
) -> FactSheet {
    let mut sheet = Sheet {
        evidence,
        subject,
        room,
        used: 0,
        text: String::new(),
        facts: 0,
    };
    let what = match (subject.folder, subject.path.as_str()) {
        (true, "") => "the whole workspace".to_owned(),
        (true, path) => format!("the folder {path}"),
        (false, path) => format!("the file {path}"),
    };
    let count = subject.files.len();
    let files = if count == 1 { "" } else { "s" };
    sheet.line(&format!("Review {what}: {count} file{files}."));
    sheet.context(told);
    let heavy = sheet.heavy();
    let limit = room.most * (100 - CODE_SHARE) / 100;
    sheet.line("<facts>");
    sheet.files(limit);
    sheet.edges(limit);
    sheet.symbols(&heavy, limit);
    sheet.reported(findings, limit);
    sheet.line("</facts>");
    sheet.code(&heavy);
    FactSheet {
        text: sheet.text,
        facts: sheet.facts,
    }
}

struct Sheet<'a> {
    evidence: &'a Evidence<'a>,
    subject: &'a Subject,
    room: Room<'a>,
    used: u64,
    text: String,
    facts: usize,
}

impl Sheet<'_> {
    fn line(&mut self, line: &str) {
        self.used += (self.room.count)(line) + 1;
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds a fact if it fits. Says whether it did.
    fn fact(&mut self, fact: &str, limit: u64) -> bool {
        let line = format!("F{}: {fact}", self.facts + 1);
        if self.used + (self.room.count)(&line) > limit {
            return false;
        }
        self.facts += 1;
        self.line(&line);
        true
    }

    /// What the team has said, quoted line by line: nothing in it is an instruction.
    fn context(&mut self, told: Option<&str>) {
        let keys = self.evidence.project.team.keys();
        if told.is_none() && keys.is_empty() {
            return;
        }
        self.line("<context>");
        for key in keys.iter().take(MOST_OTHERS) {
            self.line(&format!("key: {key}"));
        }
        let limit = self.room.most / 4;
        for line in told.unwrap_or_default().lines() {
            if self.used + (self.room.count)(line) > limit {
                break;
            }
            self.line(&format!("> {line}"));
        }
        self.line("</context>");
    }

    /// The functions and types, those first that are the hardest to follow.
    fn heavy(&self) -> Vec<(Place, Symbol)> {
        let mut found: Vec<(Place, Symbol)> = Vec::new();
        for file in &self.subject.files {
            let Some(facts) = self.evidence.project.index.file(file) else {
                continue;
            };
            if facts.generated || facts.grammar.is_test_path(&self.evidence.name(file)) {
                continue;
            }
            let symbols = facts.enumerate().filter(|(_, symbol)| {
                let callable = symbol.kind.is_callable() && symbol.body.is_some();
                !symbol.test && (callable || symbol.kind == SymbolKind::Interface)
            });
            found.extend(symbols.map(|(id, symbol)| {
                let file = file.clone();
                (Place { file, symbol: id }, symbol.clone())
            }));
        }
        let weight = |symbol: &Symbol| {
            let metrics = symbol.metrics.unwrap_or_default();
            (metrics.cognitive, metrics.lines)
        };
        // A stable sort: the files and their symbols are in order already.
        found.sort_by_key(|(_, symbol)| std::cmp::Reverse(weight(symbol)));
        found
    }

    fn files(&mut self, limit: u64) {
        for file in self.subject.files.iter().take(MOST_OTHERS) {
            let Some(facts) = self.evidence.project.index.file(file) else {
                continue;
            };
            let fact = format!(
                "{} ({}) has {} lines and {} symbols; {} files import it, it imports {}",
                self.evidence.name(file),
                facts.grammar.title,
                facts.lines,
                facts.symbols.len(),
                self.evidence.importers(file).len(),
                self.evidence.imported(file).len(),
            );
            if !self.fact(&fact, limit) {
                return;
            }
        }
    }

    fn edges(&mut self, limit: u64) {
        let inside = |file: &FilePath| self.subject.files.contains(file);
        let mut facts = Vec::new();
        for (from, links) in self.evidence.graph.files() {
            if (self.evidence.closed)(from) {
                continue;
            }
            for edge in links.edges.iter().filter(|edge| !edge.test) {
                if (inside(from) || inside(&edge.to)) && !(self.evidence.closed)(&edge.to) {
                    let names: Vec<&str> = edge.names.iter().take(6).map(|name| &**name).collect();
                    let what = if names.is_empty() {
                        String::new()
                    } else {
                        format!(" ({})", names.join(", "))
                    };
                    let (from, to) = (self.evidence.name(from), self.evidence.name(&edge.to));
                    facts.push(format!("{from} imports {to}{what}"));
                }
            }
            if inside(from) {
                let name = self.evidence.name(from);
                let packages = links.externals.iter().filter(|one| !one.test);
                let mut packages: Vec<&str> = packages.map(|one| &*one.package).collect();
                packages.sort_unstable();
                packages.dedup();
                if !packages.is_empty() {
                    facts.push(format!("{name} uses the packages {}", packages.join(", ")));
                }
            }
        }
        facts.dedup();
        for fact in facts.iter().take(MOST_EDGES) {
            if !self.fact(fact, limit) {
                return;
            }
        }
    }

    fn symbols(&mut self, heavy: &[(Place, Symbol)], limit: u64) {
        let index = self.evidence.project.index;
        for (place, symbol) in heavy.iter().take(MOST_LOOKED_UP) {
            let mut fact = format!("`{}` in {}", symbol.path, self.evidence.name(&place.file));
            if let Some(metrics) = symbol.metrics {
                // Writing to a string cannot fail.
                _ = write!(
                    fact,
                    ": {} lines, nesting {}, complexity {}, {} parameters",
                    metrics.lines, metrics.nesting, metrics.cognitive, metrics.parameters
                );
            }
            if index.files_with(&symbol.name).len() <= MOST_FILES {
                if symbol.kind == SymbolKind::Interface {
                    let implementors = index.implementors(place).len();
                    _ = write!(fact, ", {implementors} implementations");
                } else {
                    let (callers, tests) = (index.callers(place), index.nearest_tests(place));
                    let tested = if tests.is_empty() {
                        "no test"
                    } else {
                        "tested"
                    };
                    _ = write!(fact, ", {} callers, {tested}", callers.len());
                }
            }
            if !self.fact(&fact, limit) {
                return;
            }
        }
    }

    fn reported(&mut self, findings: &[Finding], limit: u64) {
        let here = |finding: &&Finding| self.subject.files.contains(&finding.file);
        let facts: Vec<String> = findings
            .iter()
            .filter(here)
            .take(MOST_OTHERS)
            .map(|finding| {
                let name = self.evidence.name(&finding.file);
                format!(
                    "reported already in {name}: {} [{}]",
                    finding.message, finding.rule
                )
            })
            .collect();
        for fact in facts {
            if !self.fact(&fact, limit) {
                return;
            }
        }
    }

    /// The code of the heaviest symbols, as far as there is room. Each stands whole, or not at all.
    fn code(&mut self, heavy: &[(Place, Symbol)]) {
        self.line("<code>");
        for (place, symbol) in heavy {
            let Some((_, text)) = self.evidence.read(&place.file) else {
                continue;
            };
            let name = self.evidence.name(&place.file);
            let shown = format!(
                "file: {name} · symbol: {}\n{}",
                symbol.path,
                text.slice(symbol.item)
            );
            let tokens = (self.room.count)(&shown);
            if self.used + tokens + 8 <= self.room.most {
                self.line(&shown);
            }
            // Nothing worth showing is shorter than this.
            if self.used + 40 > self.room.most {
                break;
            }
        }
        self.line("</code>");
    }
}
