use std::sync::Arc;

use index::{Facts, Instruction, Symbol, SymbolId};
use serde::Serialize;
use text::{FilePath, Range};

use crate::rule::{RuleId, Thresholds, all_rules};

/// One thing that a rule has to say about one symbol, or one place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// How much it weighs.
    pub severity: Severity,
    /// The file.
    pub file: FilePath,
    /// The path of the symbol in the file; empty if it is about no symbol. With file, rule and key it is the finding's
    /// identity.
    pub symbol: Arc<str>,
    /// The symbol's name in the text, or the import, in bytes.
    pub range: Range,
    /// The figure, the threshold and the symbol in one sentence that stands alone, without a final dot.
    pub message: String,
    /// What tells it from other findings of its rule in its file and symbol, whatever the line.
    pub key: Arc<str>,
    /// The other places that belong to it.
    pub related: Vec<Related>,
}

/// Another place that belongs to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// The file.
    pub file: FilePath,
    /// Where in it, in bytes.
    pub range: Range,
    /// What it has to do with the finding.
    pub message: String,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// An observation: the decision is the user's.
    Information,
    /// Something that works by luck or not at all.
    Warning,
}

/// Applies every rule to one file: the findings in the order of the text, then of the rules.
///
/// Takes time linear in the number of symbols. Generated files have no findings, because nobody edits them.
pub fn check_file(file: &FilePath, facts: &Facts, thresholds: &Thresholds) -> Vec<Finding> {
    if facts.generated {
        return Vec::new();
    }
    let mut silenced: Vec<(SymbolId, RuleId)> = facts
        .comments
        .iter()
        .filter_map(|comment| Some((comment.symbol?, comment)))
        .flat_map(|(symbol, comment)| {
            silenced_by(comment)
                .into_iter()
                .map(move |rule| (symbol, rule))
        })
        .collect();
    silenced.sort_unstable();

    let mut findings = Vec::new();
    for (id, symbol) in facts.enumerate() {
        for rule in all_rules() {
            let Some((metric, threshold)) = measure(*rule, symbol).zip(thresholds.get(*rule))
            else {
                continue;
            };
            if metric > threshold && silenced.binary_search(&(id, *rule)).is_err() {
                findings.push(Finding {
                    rule: *rule,
                    severity: Severity::Information,
                    file: file.clone(),
                    symbol: symbol.path.clone(),
                    range: symbol.name_range,
                    message: message(*rule, &symbol.name, metric, threshold),
                    key: "".into(),
                    related: Vec::new(),
                });
            }
        }
    }
    findings
}

/// Whether a comment directly above or behind the import at `range` silences the rule for it.
pub(crate) fn is_import_silenced(facts: &Facts, rule: RuleId, range: Range) -> bool {
    let comments = facts.comments.iter();
    let mut fitting = comments.filter(|comment| silenced_by(comment).contains(&rule));
    fitting.any(|comment| {
        let between = |a: usize, b: usize| {
            let mut imports = facts.imports.iter().map(|import| import.range);
            imports.any(|other| other != range && other.start >= a && other.end <= b)
        };
        let above = comment.range.end <= range.start && !between(comment.range.end, range.start);
        let behind = comment.range.start >= range.end && !between(range.end, comment.range.start);
        above || behind
    })
}

/// Whether the comment silences rules, and so asks nothing of an agent.
pub fn is_silencing(comment: &Instruction) -> bool {
    codes(&comment.text).is_some()
}

/// The figure that the rule judges; `None` if the rule does not apply to the symbol.
fn measure(rule: RuleId, symbol: &Symbol) -> Option<u32> {
    let metrics = symbol.metrics?;
    match rule {
        // A test is often one long list of expectations, and reads well that way.
        RuleId::TooLong if symbol.test => None,
        RuleId::TooLong => Some(metrics.lines),
        RuleId::DeepNesting => Some(metrics.nesting),
        RuleId::TooComplex => Some(metrics.cognitive),
        RuleId::LoadCycle | RuleId::DeferredCycle | RuleId::Unresolved => None,
    }
}

fn message(rule: RuleId, name: &str, metric: u32, threshold: u32) -> String {
    let s = if metric == 1 { "" } else { "s" };
    match rule {
        RuleId::TooLong => format!("`{name}` is {metric} line{s} long (limit {threshold})"),
        RuleId::DeepNesting => {
            format!("`{name}` nests control flow {metric} level{s} deep (limit {threshold})")
        }
        RuleId::TooComplex => {
            format!("`{name}` has a cognitive complexity of {metric} (limit {threshold})")
        }
        // These measure nothing.
        RuleId::LoadCycle | RuleId::DeferredCycle | RuleId::Unresolved => String::new(),
    }
}

fn silenced_by(comment: &Instruction) -> Vec<RuleId> {
    let codes = codes(&comment.text).unwrap_or("");
    codes
        .split(',')
        .filter_map(|code| RuleId::from_code(code.trim()))
        .collect()
}

/// What stands between the brackets of `ignore[fn/too-long, fn/too-complex] reason`.
fn codes(text: &str) -> Option<&str> {
    text.strip_prefix("ignore")?
        .trim_start()
        .strip_prefix('[')?
        .split_once(']')
        .map(|(codes, _)| codes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use expect_test::{Expect, expect};
    use index::Parsed;
    use text::Text;

    use super::*;

    fn check(source: &str, thresholds: [u32; 3], expected: Expect) {
        let mut limits = Thresholds::default();
        for (rule, threshold) in all_rules().iter().zip(thresholds) {
            limits.set(*rule, Some(threshold));
        }
        let text = Text::from(source);
        let parsed = Parsed::parse(grammars::by_name("rust").unwrap(), &text);
        let file = FilePath::new("/a.rs").unwrap();
        let found = check_file(&file, parsed.facts(), &limits);
        let lines: Vec<String> = found
            .iter()
            .map(|finding| {
                let line = text.line_of(finding.range.start) + 1;
                assert_eq!(
                    finding.symbol.rsplit('/').next(),
                    Some(&*text.slice(finding.range))
                );
                format!(
                    "{line} {} {}: {}\n",
                    finding.rule, finding.symbol, finding.message
                )
            })
            .collect();
        expected.assert_eq(&lines.concat());
    }

    const TANGLED: &str = r"
/// Counts.
pub fn count(rows: &[Vec<i32>]) -> i32 {
    let mut sum = 0;
    for row in rows {
        for cell in row {
            if *cell > 0 && sum < 100 {
                while sum < *cell {
                    sum += 1;
                }
            }
        }
    }
    sum
}

struct Table;

impl Table {
    fn small(&self) {}
}
";

    #[test]
    fn a_figure_above_its_threshold_is_a_finding() {
        check(
            TANGLED,
            [12, 3, 10],
            expect![[r#"
            3 fn/too-long count: `count` is 13 lines long (limit 12)
            3 fn/deep-nesting count: `count` nests control flow 4 levels deep (limit 3)
            3 fn/too-complex count: `count` has a cognitive complexity of 11 (limit 10)
        "#]],
        );
    }

    #[test]
    fn a_figure_at_its_threshold_passes() {
        check(TANGLED, [13, 4, 11], expect![""]);
    }

    #[test]
    fn methods_are_named_by_their_type() {
        check(
            "impl Table {\n    fn large(&self) {\n        a();\n    }\n}\n",
            [2, 9, 9],
            expect![[r#"
                2 fn/too-long Table/large: `large` is 3 lines long (limit 2)
            "#]],
        );
    }

    #[test]
    fn tests_may_be_long_but_not_tangled() {
        let source = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn long() {\n        if a { b(); }\n    }\n}\n";
        check(
            source,
            [1, 0, 0],
            expect![[r#"
                4 fn/deep-nesting tests/long: `long` nests control flow 1 level deep (limit 0)
                4 fn/too-complex tests/long: `long` has a cognitive complexity of 1 (limit 0)
            "#]],
        );
    }

    #[test]
    fn generated_files_have_no_findings() {
        check(
            &format!("// @generated by a tool. DO NOT EDIT.\n{TANGLED}"),
            [0, 0, 0],
            expect![""],
        );
    }

    #[test]
    fn a_comment_silences_one_rule_for_one_function() {
        let source = "\
// farthing: ignore[fn/too-long] one arm per message
fn above() {
    if a { b(); }
}

fn inside() {
    // farthing: ignore[fn/too-complex, fn/deep-nesting] mirrors the protocol
    if a { b(); }
}

fn neither() {
    // farthing: make this shorter
    if a { b(); }
}
";
        check(
            source,
            [1, 0, 0],
            expect![[r#"
                2 fn/deep-nesting above: `above` nests control flow 1 level deep (limit 0)
                2 fn/too-complex above: `above` has a cognitive complexity of 1 (limit 0)
                6 fn/too-long inside: `inside` is 4 lines long (limit 1)
                11 fn/too-long neither: `neither` is 4 lines long (limit 1)
                11 fn/deep-nesting neither: `neither` nests control flow 1 level deep (limit 0)
                11 fn/too-complex neither: `neither` has a cognitive complexity of 1 (limit 0)
            "#]],
        );
    }

    #[test]
    fn broken_code_is_judged_as_far_as_it_goes() {
        check(
            "fn a() {\n    if b { c(); }\n}\n\nfn d(\n",
            [0, 0, 0],
            expect![[r#"
                1 fn/too-long a: `a` is 3 lines long (limit 0)
                1 fn/deep-nesting a: `a` nests control flow 1 level deep (limit 0)
                1 fn/too-complex a: `a` has a cognitive complexity of 1 (limit 0)
            "#]],
        );
    }

    #[test]
    fn only_a_silencing_comment_is_one() {
        for (text, expected) in [
            ("ignore[fn/too-long] why", Some("fn/too-long")),
            ("ignore [a,b]", Some("a,b")),
            ("ignore the errors [here]", None),
            ("make this faster", None),
            ("ignore[", None),
        ] {
            assert_eq!(codes(text), expected, "{text}");
        }
    }
}
