use std::sync::Arc;

use index::{Facts, Smell, Symbol, Whiff};
use serde::Serialize;
use text::{FilePath, Range};

use crate::rule::{RuleId, Thresholds};

/// The most places that a finding lists besides its own.
pub(crate) const MOST_RELATED: usize = 24;

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
    /// The symbol's name in the text, or the import, in bytes; empty, at the start, if it is about the whole file.
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
    /// Something about code that nobody has touched since the revision that new code is told by.
    Hint,
    /// An observation: the decision is the user's.
    Information,
    /// Something that works by luck or not at all.
    Warning,
}

/// Applies the rules about one file alone: the findings, silenced or not, in the order of the text, then of the rules.
///
/// Takes time linear in the number of symbols. Generated files have no findings, because nobody edits them.
pub(crate) fn check_file(file: &FilePath, facts: &Facts, thresholds: &Thresholds) -> Vec<Finding> {
    if facts.generated {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for symbol in &facts.symbols {
        for rule in MEASURED {
            let Some((metric, threshold)) = measure(rule, symbol).zip(thresholds.get(rule)) else {
                continue;
            };
            if metric > threshold {
                findings.push(Finding {
                    rule,
                    severity: Severity::Information,
                    file: file.clone(),
                    symbol: symbol.path.clone(),
                    range: symbol.name_range,
                    message: message(rule, &symbol.name, metric, threshold),
                    key: "".into(),
                    related: Vec::new(),
                });
            }
        }
    }
    findings
}

/// The findings about places with a smell, silenced or not. Tests are left out: they do on purpose what code must not.
pub(crate) fn check_smells(
    file: &FilePath,
    path: &str,
    facts: &Facts,
    smells: &[Whiff],
    thresholds: &Thresholds,
) -> Vec<Finding> {
    if facts.generated || facts.grammar.is_test_path(path) {
        return Vec::new();
    }
    let (once, program) = (runs_once(path), is_program(path));
    // Whoever starts a program by itself waits for nothing else, and a page of documentation for nobody.
    let alone = program || stands_alone(path);
    let in_test = |whiff: &&Whiff| {
        let symbol = facts.by_path(&whiff.symbol).and_then(|id| facts.symbol(id));
        symbol.is_some_and(|symbol| symbol.test)
    };
    let heard = smells
        .iter()
        // What a function is like takes a look at those that call it.
        .filter(|whiff| whiff.smell != Smell::PassThrough)
        .filter(|whiff| !in_test(whiff))
        .filter(|whiff| !once || !is_slow(whiff.smell))
        .filter(|whiff| {
            !program || !matches!(whiff.smell, Smell::UnboundedQuery | Smell::QueryInLoop)
        })
        .filter(|whiff| !alone || whiff.smell != Smell::BlockingInAsync);
    let on = heard.filter(|whiff| thresholds.get(rule_of(whiff.smell)).is_some());
    on.map(|whiff| {
        let (severity, says) = about(whiff.smell);
        Finding {
            rule: rule_of(whiff.smell),
            severity,
            file: file.clone(),
            symbol: whiff.symbol.clone(),
            range: whiff.range,
            message: format!("`{}` {says}", shortened(&whiff.text)),
            key: shortened(&whiff.text).into(),
            related: Vec::new(),
        }
    })
    .collect()
}

/// Whether a rule that is on is about a smell.
pub fn is_wanted(smell: Smell, thresholds: &Thresholds) -> bool {
    thresholds.get(rule_of(smell)).is_some()
}

/// Folders of what runs once, so that nobody minds how long it takes.
const RUN_ONCE: [&str; 2] = ["migrations", "scripts"];

/// Folders of what is written elsewhere, or wrong on purpose.
const NOT_OURS: [&str; 12] = [
    "vendor",
    "vendored",
    "third_party",
    "third-party",
    "thirdparty",
    "bower_components",
    "deps",
    "node_modules",
    "fixtures",
    "__fixtures__",
    "testdata",
    "test_data",
];

/// Folders of what must work without the rest, and so repeats it.
const STANDS_ALONE: [&str; 8] = [
    "examples",
    "example",
    "samples",
    "demo",
    "docs",
    "templates",
    "benches",
    "benchmarks",
];

/// Whether a file must work without the rest.
pub(crate) fn stands_alone(path: &str) -> bool {
    path.split('/').any(|folder| STANDS_ALONE.contains(&folder))
}

/// Whether a file is run once and then kept.
pub(crate) fn runs_once(path: &str) -> bool {
    path.split('/').any(|folder| RUN_ONCE.contains(&folder))
}

/// Whether a file is written elsewhere, or is what a test is about. What a program has made small was large elsewhere.
pub(crate) fn is_of_others(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    name.contains(".min.") || folders.split('/').any(|folder| NOT_OURS.contains(&folder))
}

/// Whether a file only declares what others define, for the type checker: nothing of it is ever loaded.
pub(crate) fn only_declares(name: &str) -> bool {
    [".d.ts", ".d.mts", ".d.cts", ".pyi"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Folders and files of programs that talk to whoever has started them.
const PROGRAMS: [&str; 16] = [
    "bin",
    "cli",
    "cmd",
    "cmds",
    "command",
    "commands",
    "console",
    "tools",
    "tool",
    "hack",
    "build",
    "ci",
    "demo",
    "devtools",
    "xtask",
    "playground",
];
const PROGRAM_FILES: [&str; 10] = [
    "main",
    "cli",
    "__main__",
    "setup",
    "build",
    "manage",
    "conftest",
    "console",
    "gulpfile",
    "gruntfile",
];

/// Whether a file is part of a program that talks to whoever has started it.
pub(crate) fn is_program(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let name = parts.next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    PROGRAM_FILES.contains(&stem) || parts.any(|folder| PROGRAMS.contains(&folder))
}

/// Whether the smell is one of time and not of safety.
fn is_slow(smell: Smell) -> bool {
    matches!(
        smell,
        Smell::RegexInLoop
            | Smell::QueryInLoop
            | Smell::BlockingInAsync
            | Smell::AwaitInLoop
            | Smell::ConcatInLoop
            | Smell::SearchInLoop
            | Smell::AllocInLoop
            | Smell::UnboundedQuery
    )
}

fn rule_of(smell: Smell) -> RuleId {
    match smell {
        Smell::RegexInLoop => RuleId::RegexInLoop,
        Smell::QueryInLoop => RuleId::QueryInLoop,
        Smell::BlockingInAsync => RuleId::BlockingInAsync,
        Smell::DynamicShell => RuleId::DynamicShell,
        Smell::UnsafeDeserialise => RuleId::UnsafeDeserialise,
        Smell::DynamicEval => RuleId::DynamicEval,
        Smell::TlsOff => RuleId::TlsOff,
        Smell::SqlFormat => RuleId::SqlFormat,
        Smell::AwaitInLoop => RuleId::AwaitInLoop,
        Smell::ConcatInLoop => RuleId::ConcatInLoop,
        Smell::SearchInLoop => RuleId::SearchInLoop,
        Smell::LockAcrossAwait => RuleId::LockAcrossAwait,
        Smell::AllocInLoop => RuleId::AllocInLoop,
        Smell::UnboundedQuery => RuleId::UnboundedQuery,
        Smell::PassThrough => RuleId::PassThrough,
    }
}

/// How much a smell weighs, and what there is to say about it.
fn about(smell: Smell) -> (Severity, &'static str) {
    match smell {
        Smell::RegexInLoop => (
            Severity::Information,
            "compiles the same pattern in each round of the loop; compile it once before",
        ),
        Smell::QueryInLoop => (
            Severity::Information,
            "asks the database in each round of the loop; ask once for all of them",
        ),
        Smell::AwaitInLoop => (
            Severity::Information,
            "waits in each round of the loop before the next one starts; start them all and wait for them together",
        ),
        Smell::ConcatInLoop => (
            Severity::Information,
            "copies the whole text in each round of the loop; collect the parts and join them",
        ),
        Smell::SearchInLoop => (
            Severity::Information,
            "searches the list from its start in each round of the loop; ask a set",
        ),
        Smell::LockAcrossAwait => (
            Severity::Warning,
            "lets others run while this one holds a lock that stops the thread of whoever wants it",
        ),
        Smell::AllocInLoop => (
            Severity::Information,
            "makes the same in each round of the loop; make it once before",
        ),
        Smell::UnboundedQuery => (
            Severity::Information,
            "reads all that is there, however much that comes to be; ask for a part, or in portions",
        ),
        Smell::PassThrough => (Severity::Information, "only passes on what it gets"),
        Smell::BlockingInAsync => (
            Severity::Warning,
            "blocks the thread of an asynchronous function, and all that waits on it",
        ),
        Smell::DynamicShell => (
            Severity::Warning,
            "has a shell read what is put together; pass the arguments as a list",
        ),
        Smell::UnsafeDeserialise => (
            Severity::Warning,
            "runs code that the data names; read data from elsewhere in a format that cannot",
        ),
        Smell::DynamicEval => (Severity::Warning, "runs a text as code"),
        Smell::TlsOff => (
            Severity::Warning,
            "talks to whoever answers, because the certificate is not checked",
        ),
        Smell::SqlFormat => (
            Severity::Warning,
            "puts values into the statement; pass them as parameters",
        ),
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.trim_end().to_owned(),
    }
}

/// The rules that judge a figure of a function.
const MEASURED: [RuleId; 3] = [RuleId::TooLong, RuleId::DeepNesting, RuleId::TooComplex];

/// The figure that the rule judges; `None` if the rule does not apply to the symbol.
fn measure(rule: RuleId, symbol: &Symbol) -> Option<u32> {
    let metrics = symbol.metrics?;
    match rule {
        // A test is often one long list of expectations, and reads well that way.
        RuleId::TooLong => (!symbol.test).then_some(metrics.lines),
        RuleId::DeepNesting => Some(metrics.nesting),
        RuleId::TooComplex => Some(metrics.cognitive),
        _ => None,
    }
}

fn message(rule: RuleId, name: &str, metric: u32, threshold: u32) -> String {
    let s = if metric == 1 { "" } else { "s" };
    match rule {
        RuleId::TooLong => format!("`{name}` is {metric} line{s} long (limit {threshold})"),
        RuleId::DeepNesting => {
            format!("`{name}` nests control flow {metric} level{s} deep (limit {threshold})")
        }
        _ => format!("`{name}` has a cognitive complexity of {metric} (limit {threshold})"),
    }
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
        for (rule, threshold) in MEASURED.iter().zip(thresholds) {
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
    fn a_program_may_print() {
        for path in ["src/main.rs", "cmd/x/y.go", "a/management/commands/b.py"] {
            assert!(is_program(path), "{path}");
        }
        assert!(!is_program("src/store.rs"));
    }
}
