use std::sync::Arc;

use index::Facts;
use serde::{Deserialize, Serialize};
use text::{FilePath, Range, Text};

use super::check::Verdict;
use super::evidence::{Evidence, Subject};
use super::{Anchor, Claim, Dropped, Metric, Predicate};
use crate::check::{Finding, Related, Severity};
use crate::rule::RuleId;

/// The most characters of code that a second look is shown of one anchor.
const MOST_CODE: usize = 6_000;

/// A claim that has passed: every place in it is there, and nothing of it is known to be false.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    claim: Claim,
    /// Whether the index proves all of it, and it tells of a problem by itself. Otherwise somebody has to judge it.
    proved: bool,
}

/// Where an anchor is.
struct Spot {
    file: FilePath,
    symbol: Arc<str>,
    range: Range,
    /// Whether the quote still stands there; else the range is the name of the symbol.
    quoted: bool,
}

impl Opinion {
    /// Holds a claim against the workspace. What names a place that is not there, or says something false, is dropped.
    pub fn of(
        mut claim: Claim,
        evidence: &Evidence<'_>,
        subject: &Subject,
    ) -> Result<Opinion, Dropped> {
        for anchor in &mut claim.anchors {
            let spot = evidence.spot(anchor).filter(|spot| spot.quoted);
            let spot = spot.ok_or(Dropped::Fabricated)?;
            anchor.symbol = spot.symbol.to_string();
        }
        let first = claim.anchors.first().ok_or(Dropped::Garbled)?;
        let file = evidence.file(&first.file).ok_or(Dropped::Fabricated)?;
        if !subject.files.contains(&file) || !claim.is_about_its_anchors() {
            return Err(Dropped::Elsewhere);
        }
        if !evidence.knows_the_names_in(&claim) {
            return Err(Dropped::Fabricated);
        }
        let mut proved = claim.predicates.iter().any(Predicate::is_telling);
        for predicate in &claim.predicates {
            match evidence.verdict(predicate) {
                Verdict::Proved(_) => {}
                Verdict::Open(_) => proved = false,
                Verdict::False => return Err(Dropped::False),
            }
        }
        Ok(Opinion { claim, proved })
    }

    /// The rule that reports it.
    pub fn rule(&self) -> RuleId {
        self.claim.rule()
    }

    /// Whether the index proves it. Otherwise somebody has to judge.
    pub fn is_proved(&self) -> bool {
        self.proved
    }

    /// What to do about it.
    pub fn fix(&self) -> &str {
        &self.claim.fix
    }

    /// The files that it is about, by their paths from the root.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let anchors = self.claim.anchors.iter().map(|anchor| &*anchor.file);
        anchors.chain(self.claim.predicates.iter().flat_map(Predicate::paths))
    }

    /// The file that it is shown in, by its path from the root.
    pub fn home(&self) -> &str {
        self.claim.anchors.first().map_or("", |first| &first.file)
    }

    /// The finding as things are now; none if it does not hold any more.
    ///
    /// What is proved holds as long as the proof does; what was judged, as long as the code that was judged stands.
    pub fn finding(&self, evidence: &Evidence<'_>) -> Option<Finding> {
        let mut shown = Vec::new();
        for predicate in &self.claim.predicates {
            match evidence.verdict(predicate) {
                Verdict::Proved(what) => shown.push(what),
                Verdict::Open(_) if self.proved => return None,
                Verdict::Open(_) => {}
                Verdict::False => return None,
            }
        }
        let mut spots = Vec::new();
        for anchor in &self.claim.anchors {
            let spot = evidence.spot(anchor)?;
            if !spot.quoted && !self.proved {
                return None;
            }
            spots.push(spot);
        }
        let mut spots = spots.into_iter();
        let first = spots.next()?;
        let mut message = plain(&self.claim.why);
        if !shown.is_empty() {
            message = format!("{message} ({})", shown.join("; "));
        }
        let related = spots.map(|spot| Related {
            file: spot.file,
            range: spot.range,
            message: "belongs to it".to_owned(),
        });
        Some(Finding {
            rule: self.rule(),
            severity: if self.proved && self.claim.fault {
                Severity::Warning
            } else {
                Severity::Information
            },
            file: first.file,
            symbol: first.symbol,
            range: first.range,
            message,
            key: self.key().into(),
            related: related.collect(),
        })
    }

    /// What tells it from other opinions of its rule about its symbol: what it claims, and not in which words.
    fn key(&self) -> String {
        let claimed = serde_json::to_string(&self.claim.predicates).unwrap_or_default();
        text::Hash::of(&claimed).to_string()
    }

    /// Whether one of `findings` says so already. `finding` is this opinion's.
    pub fn is_said_by(&self, finding: &Finding, findings: &[Finding]) -> bool {
        let covering: Vec<RuleId> = (self.claim.predicates.iter())
            .flat_map(Predicate::rules_that_say_so)
            .copied()
            .chain([self.rule()])
            .collect();
        let places = |one: &Finding| {
            let others = one.related.iter();
            let others = others.map(|related| (related.file.clone(), related.range));
            others
                .chain([(one.file.clone(), one.range)])
                .collect::<Vec<_>>()
        };
        let mine = places(finding);
        let packages: Vec<&str> = (self.claim.predicates.iter())
            .flat_map(|predicate| match predicate {
                Predicate::SameJob { one, other } => vec![one.as_str(), other],
                _ => Vec::new(),
            })
            .collect();
        findings.iter().any(|other| {
            let same_symbol = !finding.symbol.is_empty()
                && finding.symbol == other.symbol
                && finding.file == other.file;
            // Which of the files is blamed for a second library, makes no difference.
            let same_job = other.rule == RuleId::SecondLibrary && packages.contains(&&*other.key);
            let meets = |(file, range): &(FilePath, Range)| {
                mine.iter()
                    .any(|(own, place)| own == file && place.meets(*range))
            };
            covering.contains(&other.rule)
                && (same_symbol || same_job || places(other).iter().any(meets))
        })
    }

    /// What somebody who is to refute it has to know: the claim, what is proved of it, what is not, and the code.
    pub fn case(&self, number: usize, evidence: &Evidence<'_>) -> String {
        let mut lines = vec![
            format!("<claim number=\"{number}\">"),
            format!("Claimed: {}", plain(&self.claim.why)),
        ];
        for predicate in &self.claim.predicates {
            match evidence.verdict(predicate) {
                Verdict::Proved(what) => lines.push(format!("Proved: {what}")),
                Verdict::Open(what) => lines.push(format!("Not proved: {what}")),
                Verdict::False => {}
            }
        }
        for anchor in &self.claim.anchors {
            let Some((name, code)) = evidence.code_at(anchor) else {
                continue;
            };
            lines.push(format!("{name}\n{code}"));
        }
        lines.push("</claim>".to_owned());
        lines.join("\n")
    }
}

impl Claim {
    /// Whether each predicate that names files names one that the claim shows something of.
    fn is_about_its_anchors(&self) -> bool {
        self.predicates.iter().all(|predicate| {
            let paths = predicate.paths();
            let shown = |path: &&str| {
                let inside = format!("{}/", path.trim_end_matches('/'));
                let mut anchors = self.anchors.iter();
                anchors.any(|anchor| anchor.file == **path || anchor.file.starts_with(&inside))
            };
            paths.is_empty() || paths.iter().any(shown)
        })
    }
}

impl Predicate {
    /// The rules that need no model and may have said the same.
    fn rules_that_say_so(&self) -> &'static [RuleId] {
        match self {
            Predicate::Cycle { .. } => &[
                RuleId::LoadCycle,
                RuleId::DeferredCycle,
                RuleId::PackageCycle,
            ],
            Predicate::Imports { .. } | Predicate::Violates { .. } | Predicate::SameJob { .. } => {
                &[
                    RuleId::LayerViolation,
                    RuleId::Bypass,
                    RuleId::ForbiddenImport,
                    RuleId::SecondLibrary,
                    RuleId::UnknownTechnology,
                ]
            }
            Predicate::Exceeds { metric, .. } => match metric {
                Metric::Lines => &[RuleId::TooLong],
                Metric::Nesting => &[RuleId::DeepNesting],
                Metric::Complexity => &[RuleId::TooComplex, RuleId::Hotspot],
                _ => &[],
            },
            Predicate::NoCaller { .. } => &[RuleId::Unreferenced],
            Predicate::Duplicates { .. } => &[RuleId::Duplicate, RuleId::DuplicateOfExisting],
            Predicate::CallsInLoop { .. } => &[
                RuleId::QueryInLoop,
                RuleId::RegexInLoop,
                RuleId::AwaitInLoop,
                RuleId::SearchInLoop,
            ],
            _ => &[],
        }
    }
}

impl Evidence<'_> {
    /// Where the anchor is now: in its symbol, or at the one other place in the file that reads the same.
    fn spot(&self, anchor: &Anchor) -> Option<Spot> {
        let file = self.file(&anchor.file)?;
        let (facts, text) = self.read(&file)?;
        let whole = Range::new(0, text.len());
        let quote = |range| quoted(&text, range, &anchor.quote);
        let symbol = match anchor.symbol.as_str() {
            "" => None,
            path => Some(facts.symbol(facts.by_path(path)?)?),
        };
        let spot = |symbol: Arc<str>, range, quoted| Spot {
            file: file.clone(),
            symbol,
            range,
            quoted,
        };
        if let Some(symbol) = symbol
            && let Some(range) = quote(symbol.range).first()
        {
            return Some(spot(symbol.path.clone(), *range, true));
        }
        match (quote(whole).as_slice(), symbol) {
            ([range], _) => Some(spot(symbol_around(&facts, *range), *range, true)),
            (_, Some(symbol)) => Some(spot(symbol.path.clone(), symbol.name_range, false)),
            (_, None) => None,
        }
    }

    /// The code around an anchor, for somebody who is to judge it.
    fn code_at(&self, anchor: &Anchor) -> Option<(String, String)> {
        let spot = self.spot(anchor)?;
        let (facts, text) = self.read(&spot.file)?;
        let symbol = facts.by_path(&spot.symbol).and_then(|id| facts.symbol(id));
        let code = match symbol {
            Some(symbol) if symbol.range.len() <= MOST_CODE => text.slice(symbol.range),
            _ => text.slice(text.full_lines(spot.range)),
        };
        let name = match symbol {
            Some(symbol) => format!("{} · {}", anchor.file, symbol.path),
            None => anchor.file.clone(),
        };
        Some((name, code))
    }

    /// Whether every name between backquotes in the reason is one that the workspace has, or stands in a file that is
    /// quoted, as words of the language do.
    fn knows_the_names_in(&self, claim: &Claim) -> bool {
        let quoted = claim.anchors.iter();
        let texts: Vec<String> = quoted
            .filter_map(|anchor| Some(self.read(&self.file(&anchor.file)?)?.1.to_string()))
            .collect();
        let mut names = claim.why.split('`').skip(1).step_by(2);
        names.all(|name| {
            let bare = name.trim().trim_end_matches("()");
            let last = bare.rsplit(['/', '.', ':']).next().unwrap_or(bare);
            let index = self.project.index;
            let is_package = || {
                let mut links = self.graph.files().map(|(_, links)| links);
                links.any(|links| links.externals.iter().any(|one| &*one.package == bare))
            };
            texts.iter().any(|text| text.contains(bare))
                || !index.files_with(last).is_empty()
                || !self.files(bare).is_empty()
                || is_package()
                || self.project.team.keys().iter().any(|key| key == bare)
        })
    }
}

fn symbol_around(facts: &Facts, range: Range) -> Arc<str> {
    let around = facts.symbol_at(range.start).and_then(|id| facts.symbol(id));
    let around = around.filter(|symbol| symbol.range.contains_range(range));
    around.map_or_else(|| "".into(), |symbol| symbol.path.clone())
}

/// Where a quote stands in a part of a text: at most two places, whatever line breaks the text has.
fn quoted(text: &Text, within: Range, quote: &str) -> Vec<Range> {
    let part = text.slice(within);
    let quote = quote.trim_matches(['\n', '\r']);
    let windows = quote.replace("\r\n", "\n").replace('\n', "\r\n");
    let wanted = if part.contains(quote) {
        quote
    } else {
        &windows
    };
    if wanted.is_empty() {
        return Vec::new();
    }
    let places = part.match_indices(wanted).take(2);
    let places = places.map(|(at, found)| {
        let start = within.start + at;
        Range::new(start, start + found.len())
    });
    places.collect()
}

/// A model's words on one line, without what could not be seen or would turn the line around, and without a final dot.
fn plain(text: &str) -> String {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let text: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !invisible(*c))
        .collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    line.trim_end_matches(['.', ' ']).to_owned()
}
