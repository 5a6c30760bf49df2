//! From what the rules find in a file to what is shown: without what is silenced or excused, and with what is wrong in
//! the comments that silence.

use std::sync::Arc;

use index::{Facts, Index, Instruction, Whiff};
use text::{FilePath, Range};

use crate::abstractions;
use crate::check::{Finding, Severity, check_file, check_smells, is_of_others};
use crate::customs::Customs;
use crate::duplicates;
use crate::god;
use crate::history::History;
use crate::rule::{RuleId, Thresholds};
use crate::team::{Excuse, Team};
use crate::unreferenced;

/// What findings are held to.
#[derive(Clone, Copy)]
pub struct Bar<'a> {
    /// The rules' thresholds.
    pub thresholds: &'a Thresholds,
    /// What the team has said.
    pub team: &'a Team,
    /// The day, as `2027-03-01`.
    pub today: &'a str,
    /// How the files changed.
    pub history: &'a History,
    /// All files, for what takes a look at the others.
    pub index: &'a Index,
    /// What is done in one way nearly everywhere.
    pub customs: &'a Customs,
    /// What is new; nobody knows if it is none, and then everything weighs the same.
    pub fresh: Option<Fresh<'a>>,
}

/// Whether a symbol, or else a place, of a file has changed since the revision that new code is told by. An empty place
/// stands for the whole file.
pub type Fresh<'a> = &'a dyn Fn(&FilePath, &str, Range) -> bool;

/// What is known of one file.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// What it says about itself.
    pub facts: &'a Facts,
    /// The places with a smell.
    pub smells: &'a [Whiff],
    /// The findings about it as a part of the workspace, silenced or not; none while nobody knows them.
    pub others: Option<&'a [Finding]>,
}

/// All findings of one file, in the order of the text, then of the rules.
///
/// `path` is the file's from the root of the workspace.
/// Takes time linear in the number of symbols. Generated files have no findings, and what is written elsewhere neither,
/// because nobody edits them here.
pub fn judge(bar: &Bar<'_>, file: &FilePath, path: &str, seen: &Seen<'_>) -> Vec<Finding> {
    let Seen {
        facts,
        smells,
        others,
    } = *seen;
    if facts.generated || is_of_others(path) {
        return Vec::new();
    }
    let mut findings = check_file(file, facts, bar.thresholds);
    findings.extend(check_smells(file, path, facts, smells, bar.thresholds));
    findings.extend(hotspots(bar, file, &findings));
    let whole = others.is_some();
    let test = facts.grammar.is_test_path(path);
    if whole && !test && bar.thresholds.get(RuleId::Unreferenced).is_some() {
        findings.extend(unreferenced::check(file, facts, bar.index));
    }
    if whole {
        findings.extend(duplicates::check(bar, file, path, facts));
        findings.extend(abstractions::pass_through(bar, file, path, facts, smells));
    }
    if whole && !test {
        findings.extend(abstractions::single(bar, file, path, facts));
        findings.extend(god::check(bar, file, path, facts));
        findings.extend(bar.customs.check(bar, file, path, facts));
    }
    findings.extend(others.unwrap_or(&[]).iter().cloned());
    let mut ignores: Vec<Ignore<'_>> = facts.comments.iter().filter_map(Ignore::read).collect();
    findings.retain(|finding| {
        let mut silenced = false;
        for ignore in &mut ignores {
            silenced |= ignore.silences(facts, finding);
        }
        !silenced
    });
    one_for_complexity(&mut findings);
    findings.extend(
        ignores
            .iter()
            .flat_map(|ignore| ignore.problems(bar.thresholds, whole, file, facts)),
    );
    findings.retain_mut(|finding| excused(bar, finding, path));
    quieten(bar, &mut findings);
    findings.sort_by_key(|finding| (finding.range.start, finding.rule));
    findings
}

/// The same for a file without a grammar: only the team can excuse something there.
pub fn judge_other(bar: &Bar<'_>, path: &str, findings: &[Finding]) -> Vec<Finding> {
    let mut findings = findings.to_vec();
    findings.retain_mut(|finding| excused(bar, finding, path));
    quieten(bar, &mut findings);
    findings
}

/// Makes hints of what is about code that was there before.
fn quieten(bar: &Bar<'_>, findings: &mut [Finding]) {
    let Some(fresh) = bar.fresh else {
        return;
    };
    // Who asks a model means the code as it is.
    let counted = findings.iter_mut();
    for finding in counted.filter(|finding| !finding.rule.is_by_model()) {
        let related = finding.related.iter();
        let of_several = finding.rule.is_about_all_places();
        let mut places = related.take_while(|_| of_several);
        let is_new = fresh(&finding.file, &finding.symbol, finding.range)
            || places.any(|place| fresh(&place.file, "", place.range));
        if !is_new {
            finding.severity = Severity::Hint;
        }
    }
}

/// Functions that are hard to follow in a file that changes often.
fn hotspots(bar: &Bar<'_>, file: &FilePath, findings: &[Finding]) -> Vec<Finding> {
    let Some(commits) = bar.history.heat(file) else {
        return Vec::new();
    };
    if bar.thresholds.get(RuleId::Hotspot).is_none() {
        return Vec::new();
    }
    let complex = findings.iter();
    let complex = complex.filter(|finding| finding.rule == RuleId::TooComplex);
    complex
        .map(|finding| Finding {
            rule: RuleId::Hotspot,
            message: format!(
                "{}, and its file changed in {commits} of the last {} commits",
                finding.message,
                bar.history.commits()
            ),
            ..finding.clone()
        })
        .collect()
}

/// Of a function that is both too complex and a hotspot, one finding stays: none if a comment silences its complexity.
fn one_for_complexity(findings: &mut Vec<Finding>) {
    let of = |rule: RuleId, findings: &[Finding]| -> Vec<Arc<str>> {
        let those = findings.iter().filter(|finding| finding.rule == rule);
        those.map(|finding| Arc::clone(&finding.symbol)).collect()
    };
    let complex = of(RuleId::TooComplex, findings);
    findings.retain(|finding| finding.rule != RuleId::Hotspot || complex.contains(&finding.symbol));
    let hot = of(RuleId::Hotspot, findings);
    findings.retain(|finding| finding.rule != RuleId::TooComplex || !hot.contains(&finding.symbol));
}

/// Whether a finding stays. It says so if an exception would have held longer.
fn excused(bar: &Bar<'_>, finding: &mut Finding, path: &str) -> bool {
    match bar.team.excuse(finding, path, bar.today) {
        Excuse::None => true,
        Excuse::Holds => false,
        Excuse::Ended(day) => {
            let ended = format!("; the exception until {day} has ended");
            finding.message.push_str(&ended);
            true
        }
    }
}

/// Whether the comment silences rules, and so asks nothing of an agent.
pub fn is_silencing(comment: &Instruction) -> bool {
    parts(&comment.text).is_some()
}

/// A comment that silences rules: `ignore[fn/too-long, fn/too-complex] reason`.
struct Ignore<'f> {
    comment: &'f Instruction,
    codes: Vec<&'f str>,
    used: Vec<RuleId>,
    reason: &'f str,
}

impl<'f> Ignore<'f> {
    fn read(comment: &'f Instruction) -> Option<Ignore<'f>> {
        let (codes, reason) = parts(&comment.text)?;
        let codes = codes.split(',').map(str::trim);
        Some(Ignore {
            comment,
            codes: codes.filter(|code| !code.is_empty()).collect(),
            used: Vec::new(),
            reason: reason.trim_start_matches([':', '-', '–']).trim(),
        })
    }

    /// Whether it silences the finding; if so, it is of use.
    fn silences(&mut self, facts: &Facts, finding: &Finding) -> bool {
        let named = self.codes.contains(&finding.rule.code());
        let silences = named && stands_at(facts, self.comment, finding);
        if silences && !self.used.contains(&finding.rule) {
            self.used.push(finding.rule);
        }
        silences
    }

    fn problems(
        &self,
        thresholds: &Thresholds,
        whole: bool,
        file: &FilePath,
        facts: &Facts,
    ) -> Vec<Finding> {
        let symbol = self.comment.symbol.and_then(|id| facts.symbol(id));
        let symbol = symbol.map_or_else(|| "".into(), |symbol| symbol.path.clone());
        let finding = |rule: RuleId, key: &str, message: String| Finding {
            rule,
            severity: Severity::Information,
            file: file.clone(),
            symbol: Arc::clone(&symbol),
            range: self.comment.range,
            message,
            key: key.into(),
            related: Vec::new(),
        };
        let mut found = Vec::new();
        if thresholds.get(RuleId::UnusedIgnore).is_some() {
            for code in &self.codes {
                let Some(rule) = RuleId::from_code(code) else {
                    let message = format!("no rule is called `{code}`, so nothing is silenced");
                    found.push(finding(RuleId::UnusedIgnore, code, message));
                    continue;
                };
                // What a model has not looked at, or no longer says, may be silenced for the next time.
                let looked = thresholds.get(rule).is_some()
                    && !rule.is_by_model()
                    && (whole || rule.is_about_one_file());
                if looked && !self.used.contains(&rule) {
                    let message = format!("there is no `{code}` to silence here");
                    found.push(finding(RuleId::UnusedIgnore, code, message));
                }
            }
        }
        if self.reason.is_empty() && thresholds.get(RuleId::UnreasonedIgnore).is_some() {
            let codes = self.codes.join(", ");
            let message =
                format!("`{codes}` is silenced without a reason; say why behind the bracket");
            found.push(finding(RuleId::UnreasonedIgnore, &codes, message));
        }
        found
    }
}

/// Whether a comment stands where it silences a finding: at the symbol that the finding is about, at the import, or
/// anywhere if the finding is about the file.
fn stands_at(facts: &Facts, comment: &Instruction, finding: &Finding) -> bool {
    if !finding.symbol.is_empty() {
        return comment.symbol.is_some() && comment.symbol == facts.by_path(&finding.symbol);
    }
    if finding.range.is_empty() {
        return true;
    }
    let range = finding.range;
    let between = |start: usize, end: usize| {
        let mut imports = facts.imports.iter().map(|import| import.range);
        imports.any(|other| other != range && other.start >= start && other.end <= end)
    };
    let Range { start, end } = comment.range;
    let above = end <= range.start && !between(end, range.start);
    let behind = start >= range.end && !between(range.end, start);
    above || behind
}

/// What stands between the brackets of `ignore[fn/too-long, fn/too-complex] reason`, and what follows them.
fn parts(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("ignore")?
        .trim_start()
        .strip_prefix('[')?
        .split_once(']')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use expect_test::{Expect, expect};
    use index::Parsed;
    use text::Text;

    use super::*;
    use crate::team::{Exception, Paths};

    fn check_with(source: &str, team: &Team, expected: Expect) {
        let mut thresholds = Thresholds::default();
        thresholds.set(RuleId::TooLong, Some(1));
        thresholds.set(RuleId::DeepNesting, Some(0));
        thresholds.set(RuleId::TooComplex, None);
        thresholds.set(RuleId::BlockingInAsync, Some(0));
        let text = Text::from(source);
        let parsed = Parsed::parse(grammars::by_name("rust").unwrap(), &text);
        let file = FilePath::new("/w/a.rs").unwrap();
        let bar = Bar {
            thresholds: &thresholds,
            team,
            today: "2027-03-02",
            history: &History::default(),
            index: &Index::new(),
            customs: &Customs::default(),
            fresh: None,
        };
        let seen = Seen {
            facts: parsed.facts(),
            smells: &parsed.smells(),
            others: None,
        };
        let found = judge(&bar, &file, "a.rs", &seen);
        let lines = found.iter().map(|finding| {
            let line = text.line_of(finding.range.start) + 1;
            format!("{line} {}: {}\n", finding.rule, finding.message)
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn what_is_written_elsewhere_is_not_judged() {
        let found = |path: &str| {
            let text = Text::from("fn f() {\n    1;\n}\n");
            let parsed = Parsed::parse(grammars::by_name("rust").unwrap(), &text);
            let mut thresholds = Thresholds::default();
            thresholds.set(RuleId::TooLong, Some(1));
            let bar = Bar {
                thresholds: &thresholds,
                team: &Team::default(),
                today: "2027-03-02",
                history: &History::default(),
                index: &Index::new(),
                customs: &Customs::default(),
                fresh: None,
            };
            let seen = Seen {
                facts: parsed.facts(),
                smells: &[],
                others: None,
            };
            let file = FilePath::new(format!("/w/{path}")).unwrap();
            judge(&bar, &file, path, &seen).len()
        };
        for (path, count) in [
            ("src/a.rs", 1),
            ("src/vendor/a.rs", 0),
            ("deps/lua/a.rs", 0),
            ("src/deps.rs", 1),
            ("js/select.min.rs", 0),
        ] {
            assert_eq!(found(path), count, "{path}");
        }
    }

    fn check(source: &str, expected: Expect) {
        check_with(source, &Team::default(), expected);
    }

    #[test]
    fn a_comment_silences_one_rule_for_one_function() {
        let source = "\
// farthing: ignore[fn/too-long] one arm per message
fn above() {
    if a { b(); }
}

fn inside() {
    // farthing: ignore[fn/deep-nesting] mirrors the protocol
    if a { b(); }
}

fn neither() {
    // farthing: make this shorter
    if a { b(); }
}
";
        check(
            source,
            expect![[r#"
            2 fn/deep-nesting: `above` nests control flow 1 level deep (limit 0)
            6 fn/too-long: `inside` is 4 lines long (limit 1)
            11 fn/too-long: `neither` is 4 lines long (limit 1)
            11 fn/deep-nesting: `neither` nests control flow 1 level deep (limit 0)
        "#]],
        );
    }

    #[test]
    fn a_comment_that_silences_nothing_or_says_no_reason_is_a_finding() {
        let source = "\
// farthing: ignore[fn/too-long, fn/deep-nesting] one arm per message
fn short() { a(); }

// farthing: ignore[fn/too-long]
fn long() {
    a();
}

// farthing: ignore[fn/too-short, fn/too-complex, graph/unresolved] no such rule, one that is off, one not looked at
fn other() { a(); }
";
        check(
            source,
            expect![[r#"
            1 ignore/unused: there is no `fn/too-long` to silence here
            1 ignore/unused: there is no `fn/deep-nesting` to silence here
            4 ignore/unreasoned: `fn/too-long` is silenced without a reason; say why behind the bracket
            9 ignore/unused: no rule is called `fn/too-short`, so nothing is silenced
        "#]],
        );
    }

    #[test]
    fn a_smell_is_a_finding_of_its_function() {
        let source = "\
async fn poll() { thread::sleep(d); }
// farthing: ignore[perf/sync-io-in-async] a test of the clock
async fn silent() { thread::sleep(d); }
#[test]
fn tested() { async { thread::sleep(d) }; }
";
        check(
            source,
            expect![[r#"
            1 perf/sync-io-in-async: `thread::sleep(d)` blocks the thread of an asynchronous function, and all that waits on it
        "#]],
        );
    }

    #[test]
    fn an_exception_holds_until_its_last_day() {
        let source = "fn long() {\n    a();\n}\n";
        let team = |until: &str, matching: &str| Team {
            exceptions: vec![Exception {
                rule: "fn/too-long".to_owned(),
                matching: Some(matching.to_owned()),
                paths: Some(Paths::new([matching])),
                until: Some(until.to_owned()),
            }],
            ..Team::default()
        };
        check_with(source, &team("2027-03-02", "*.rs"), expect![[""]]);
        check_with(
            source,
            &team("2027-03-02", "b.rs"),
            expect![[r#"
            1 fn/too-long: `long` is 3 lines long (limit 1)
        "#]],
        );
        check_with(
            source,
            &team("2027-03-01", "a.rs"),
            expect![[r#"
            1 fn/too-long: `long` is 3 lines long (limit 1); the exception until 2027-03-01 has ended
        "#]],
        );
    }

    #[test]
    fn only_a_silencing_comment_is_one() {
        for (text, expected) in [
            ("ignore[fn/too-long] why", Some(("fn/too-long", " why"))),
            ("ignore [a,b]", Some(("a,b", ""))),
            ("ignore the errors [here]", None),
            ("make this faster", None),
            ("ignore[", None),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
