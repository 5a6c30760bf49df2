use std::fmt;

use serde::{Serialize, Serializer};

/// What there is to know about a rule.
struct Rule {
    code: &'static str,
    title: &'static str,
    /// The highest figure that passes; zero for a rule without a figure.
    threshold: u32,
    on: bool,
    page: &'static str,
    text: &'static str,
}

/// The rules, each with its code, page, title, threshold, and whether it is on by itself; in the order of the
/// documentation.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $code:literal, $page:literal, $title:literal, $threshold:literal, $on:literal;)*) => {
        /// One architecture rule. Its code is stable: configuration, baselines and silencing comments name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId {
            $($(#[$doc])* $name,)*
        }

        static ALL: &[RuleId] = &[$(RuleId::$name),*];

        /// In the order of the identifiers.
        static RULES: &[Rule] = &[$(Rule {
            code: $code,
            title: $title,
            threshold: $threshold,
            on: $on,
            page: concat!("docs/rules/", $page, ".md"),
            text: include_str!(concat!("../../../docs/rules/", $page, ".md")),
        }),*];

        const RULE_COUNT: usize = [$(RuleId::$name),*].len();
    };
}

rules! {
    /// A function with too many lines.
    TooLong: "fn/too-long", "fn-too-long", "Function too long", 80, true;
    /// A function with control flow nested too deeply.
    DeepNesting: "fn/deep-nesting", "fn-deep-nesting", "Control flow nested too deeply", 4, true;
    /// A function that is too hard to follow, by cognitive complexity.
    TooComplex: "fn/too-complex", "fn-too-complex", "Function too complex", 24, true;
    /// Files that import each other in a circle while they are loaded.
    LoadCycle: "cycle/load-time", "cycle-load-time", "Imports in a circle at load time", 0, true;
    /// Files that import each other in a circle, but not while they are loaded.
    DeferredCycle: "cycle/deferred", "cycle-deferred", "Imports in a circle that loading does not see", 0, false;
    /// Folders that import each other in a circle.
    PackageCycle: "cycle/package", "cycle-package", "Folders that import each other in a circle", 0, false;
    /// A file that imports much and is imported much.
    Hub: "module/hub", "module-hub", "Everything goes through here", 0, false;
    /// A file or a type that holds several things, and is changed all the time.
    God: "module/god", "module-god", "Several things in one place", 30, false;
    /// An import against the direction of nearly all others between two folders.
    InferredDrift: "layer/inferred-drift", "layer-inferred-drift", "Import against the usual direction", 0, true;
    /// An import into the workspace that leads nowhere.
    Unresolved: "graph/unresolved", "graph-unresolved", "Import that leads nowhere", 0, true;
    /// An import from a lower layer into a higher one.
    LayerViolation: "layer/violation", "layer-violation", "Import against the layers", 0, true;
    /// An import of what a layer does not offer.
    Bypass: "interface/bypass", "interface-bypass", "Import past a layer's public files", 0, true;
    /// An import that the team has forbidden there.
    ForbiddenImport: "ctx/forbidden-import", "ctx-forbidden-import", "Import that the team forbids", 0, true;
    /// A library for a job that the team does with another.
    SecondLibrary: "ctx/second-library", "ctx-second-library", "Second library for one job", 0, true;
    /// A technology that nobody on the team knows.
    UnknownTechnology: "ctx/unknown-technology", "ctx-unknown-technology", "Technology that the team does not know", 0, true;
    /// More things to deploy than the team wants.
    Deployables: "ctx/too-many-deployables", "ctx-too-many-deployables", "More deployables than agreed", 0, true;
    /// More kinds of data store than the team wants.
    Datastores: "ctx/too-many-datastores", "ctx-too-many-datastores", "More data stores than agreed", 0, true;
    /// More languages than the team wants.
    Languages: "ctx/too-many-languages", "ctx-too-many-languages", "More languages than agreed", 0, true;
    /// A decision whose document is gone.
    StaleDecision: "ctx/stale-decision", "ctx-stale-decision", "Decision whose document is gone", 0, true;
    /// A private symbol that nobody mentions.
    Unreferenced: "code/unreferenced", "code-unreferenced", "Private and never mentioned", 0, false;
    /// A function that says the same as another.
    Duplicate: "code/duplicate", "code-duplicate", "Says what another function says", 50, true;
    /// A new function that says the same as one that was there before.
    DuplicateOfExisting: "code/duplicate-of-existing", "code-duplicate-of-existing", "New, and says what another function says", 50, true;
    /// A function that is hard to follow in a file that changes often.
    Hotspot: "fn/complexity-hotspot", "fn-complexity-hotspot", "Hard to follow and often changed", 0, true;
    /// Files that change together and do not import each other.
    ChangeCoupling: "git/change-coupling", "git-change-coupling", "Files that change together", 0, false;
    /// A file that has changed without the one that it mostly changes with.
    MirrorEdit: "git/mirror-edit", "git-mirror-edit", "Changed on one side only", 0, false;
    /// An interface with one implementation.
    SingleImpl: "abs/single-impl", "abs-single-impl", "Interface with one implementation", 0, false;
    /// A function that only calls another with what it was given.
    PassThrough: "abs/pass-through", "abs-pass-through", "Only passes on what it gets", 0, false;
    /// Two libraries for one job.
    TwoForOne: "dep/two-for-one", "dep-two-for-one", "Two libraries for one job", 0, false;
    /// An error that says less than the others of the repository.
    ErrorHandling: "style/error-handling", "style-error-handling", "Says less of errors than the rest", 0, true;
    /// A print amid loggers.
    Logging: "style/logging", "style-logging", "Prints where the rest logs", 0, false;
    /// A name that is written otherwise than those around it.
    Naming: "style/naming", "style-naming", "Written otherwise than the rest", 0, false;
    /// A dependency that nothing mentions.
    UnusedDependency: "dep/unused", "dep-unused", "Declared and not used", 0, false;
    /// An import of a package that no manifest declares.
    UndeclaredDependency: "dep/undeclared", "dep-undeclared", "Imported and not declared", 0, true;
    /// A constant pattern that is compiled again in each round of a loop.
    RegexInLoop: "perf/regex-in-loop", "perf-regex-in-loop", "Pattern compiled again and again", 0, true;
    /// A database that is asked once in each round of a loop.
    QueryInLoop: "perf/query-in-loop", "perf-query-in-loop", "Query in a loop", 0, true;
    /// A call that stops the whole thread in an asynchronous function.
    BlockingInAsync: "perf/sync-io-in-async", "perf-sync-io-in-async", "Blocking call in an asynchronous function", 0, false;
    /// Rounds of a loop that wait for each other.
    AwaitInLoop: "perf/await-in-loop", "perf-await-in-loop", "Rounds of a loop that wait for each other", 0, false;
    /// A text that is copied to be made longer, in each round of a loop.
    ConcatInLoop: "perf/concat-in-loop", "perf-concat-in-loop", "Text put together in a loop", 0, false;
    /// A list that is searched from its start in each round of a loop.
    SearchInLoop: "perf/membership-quadratic", "perf-membership-quadratic", "List searched again and again", 0, false;
    /// A lock that is held while others run.
    LockAcrossAwait: "perf/lock-across-await", "perf-lock-across-await", "Lock held while others run", 0, false;
    /// Something that could be made once, made in each round of a loop.
    AllocInLoop: "perf/alloc-in-loop", "perf-alloc-in-loop", "Made anew in each round", 0, false;
    /// A query for all that a database has.
    UnboundedQuery: "perf/unbounded-query", "perf-unbounded-query", "Query for everything", 0, false;
    /// A shell that reads a text put together from values.
    DynamicShell: "sec/shell-true-dynamic", "sec-shell-true-dynamic", "Shell reads what is put together", 0, false;
    /// Data that can run code.
    UnsafeDeserialise: "sec/unsafe-deserialise", "sec-unsafe-deserialise", "Data that can run code", 0, false;
    /// A text that is run as code.
    DynamicEval: "sec/eval-dynamic", "sec-eval-dynamic", "Text that is run as code", 0, false;
    /// An encrypted connection whose other end is not checked.
    TlsOff: "sec/tls-off", "sec-tls-off", "Connection to whoever answers", 0, false;
    /// A statement for a database that is put together from values.
    SqlFormat: "sec/sql-format", "sec-sql-format", "Statement put together from values", 0, false;
    /// An import, a call or a circle that a model takes for harmful.
    ModelDependency: "model/dependency", "model-dependency", "Dependency that does harm", 0, true;
    /// An abstraction that a model takes for needless.
    ModelAbstraction: "model/abstraction", "model-abstraction", "Abstraction without a use", 0, true;
    /// Code or a package that a model takes for a second of its kind.
    ModelDuplicate: "model/duplicate", "model-duplicate", "Two of a kind", 0, true;
    /// A figure that a model takes for too high.
    ModelSize: "model/size", "model-size", "More than one place should hold", 0, true;
    /// Work that a model takes for needless.
    ModelPerformance: "model/performance", "model-performance", "Work that grows faster than its input", 0, true;
    /// Something that goes against what the team has said, as a model sees it.
    ModelDecision: "model/decision", "model-decision", "Against what the team decided", 0, true;
    /// Something that a model misses.
    ModelGap: "model/gap", "model-gap", "Something is missing", 0, true;
    /// What a model thinks and nothing can prove.
    ModelJudgement: "model/judgement", "model-judgement", "Judged to be a problem", 0, true;
    /// A silencing comment that silences nothing.
    UnusedIgnore: "ignore/unused", "ignore-unused", "Comment that silences nothing", 0, true;
    /// A silencing comment without a reason.
    UnreasonedIgnore: "ignore/unreasoned", "ignore-unreasoned", "Silenced without a reason", 0, true;
}

/// Every rule, in the order of the documentation.
pub fn all_rules() -> &'static [RuleId] {
    ALL
}

impl RuleId {
    fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }

    /// The stable code, such as `fn/too-long`.
    pub fn code(self) -> &'static str {
        self.rule().code
    }

    /// The rule with this code.
    pub fn from_code(code: &str) -> Option<RuleId> {
        all_rules().iter().copied().find(|rule| rule.code() == code)
    }

    /// What the rule finds, in a few words.
    pub fn title(self) -> &'static str {
        self.rule().title
    }

    /// The highest figure that the rule lets pass when nobody has configured it; zero for a rule without a figure.
    ///
    /// The rule's page says where the figure comes from.
    pub fn default_threshold(self) -> u32 {
        self.rule().threshold
    }

    /// Whether the rule reports anything when nobody has configured it: if its precision has been measured.
    pub fn is_on(self) -> bool {
        self.rule().on
    }

    /// Whether an agent can repair what it finds by changing the symbol that the finding is about.
    pub fn is_repaired_in_a_symbol(self) -> bool {
        self.is_about_one_file()
            || matches!(
                self,
                RuleId::Unreferenced
                    | RuleId::Duplicate
                    | RuleId::DuplicateOfExisting
                    | RuleId::SingleImpl
                    | RuleId::PassThrough
                    | RuleId::ErrorHandling
                    | RuleId::Logging
            )
            || self.is_by_model()
    }

    /// Whether a text tells what the rule finds in it, whatever it imports and whatever a model has said.
    pub fn is_seen_in_one_file(self) -> bool {
        self.is_repaired_in_a_symbol() && !self.is_by_model()
    }

    /// Whether it takes all places of a finding together to make it, so that it is new if one of them is.
    pub(crate) fn is_about_all_places(self) -> bool {
        matches!(
            self,
            RuleId::LoadCycle
                | RuleId::DeferredCycle
                | RuleId::PackageCycle
                | RuleId::ChangeCoupling
        )
    }

    /// Whether it reports what a model has claimed, and so finds nothing before somebody asks for a review.
    pub fn is_by_model(self) -> bool {
        matches!(
            self,
            RuleId::ModelDependency
                | RuleId::ModelAbstraction
                | RuleId::ModelDuplicate
                | RuleId::ModelSize
                | RuleId::ModelPerformance
                | RuleId::ModelDecision
                | RuleId::ModelGap
                | RuleId::ModelJudgement
        )
    }

    /// Whether the rule needs nothing but the file.
    pub(crate) fn is_about_one_file(self) -> bool {
        matches!(
            self,
            RuleId::TooLong
                | RuleId::DeepNesting
                | RuleId::TooComplex
                | RuleId::Hotspot
                | RuleId::RegexInLoop
                | RuleId::QueryInLoop
                | RuleId::BlockingInAsync
                | RuleId::AwaitInLoop
                | RuleId::ConcatInLoop
                | RuleId::SearchInLoop
                | RuleId::LockAcrossAwait
                | RuleId::AllocInLoop
                | RuleId::UnboundedQuery
                | RuleId::DynamicShell
                | RuleId::UnsafeDeserialise
                | RuleId::DynamicEval
                | RuleId::TlsOff
                | RuleId::SqlFormat
        )
    }

    /// The path of the rule's page from the root of the project.
    pub fn page(self) -> &'static str {
        self.rule().page
    }

    /// The text of the rule's page, in Markdown.
    pub fn page_text(self) -> &'static str {
        self.rule().text
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// For each rule, the highest figure that passes, or that the rule is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thresholds([Option<u32>; RULE_COUNT]);

impl Default for Thresholds {
    /// Every rule that is on by itself, at its own default.
    fn default() -> Thresholds {
        let mut thresholds = Thresholds([None; RULE_COUNT]);
        for rule in all_rules() {
            thresholds.set(*rule, rule.is_on().then_some(rule.default_threshold()));
        }
        thresholds
    }
}

impl Thresholds {
    /// The highest figure that passes; `None` if the rule is off.
    pub fn get(&self, rule: RuleId) -> Option<u32> {
        self.0[rule as usize]
    }

    /// Sets the highest figure that passes, or turns the rule off.
    pub fn set(&mut self, rule: RuleId, threshold: Option<u32>) {
        self.0[rule as usize] = threshold;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn codes_pages_and_slots_belong_together() {
        for (slot, rule) in all_rules().iter().enumerate() {
            assert_eq!(*rule as usize, slot);
            assert_eq!(RuleId::from_code(rule.code()), Some(*rule));
            let slug = rule.code().replace('/', "-");
            assert_eq!(rule.page(), format!("docs/rules/{slug}.md"));
            let heading = format!("# {} (`{}`)\n", rule.title(), rule.code());
            assert!(
                rule.page_text().starts_with(&heading),
                "{} starts with {heading}",
                rule.page()
            );
            let threshold = match rule.default_threshold() {
                0 => format!("enabled = {}", !rule.is_on()),
                figure => format!("threshold = {figure}"),
            };
            assert!(
                rule.page_text().contains(&threshold),
                "{} shows {threshold}",
                rule.page()
            );
        }
        assert_eq!(RuleId::from_code("fn/too-short"), None);
    }

    /// What people have read and judged, and what has become of it.
    const LABELS: &str = include_str!("../../../tests/precision/labels.tsv");

    #[test]
    fn pages_say_how_many_reports_were_true_and_what_is_on_is_mostly_right() {
        let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for line in LABELS.lines().skip(1) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [rule, _, _, _, verdict, now, _] = fields[..] else {
                panic!("seven fields: {line}");
            };
            let at = match (verdict, now) {
                ("true", "reported") => 0,
                ("false", "reported") => 1,
                ("true" | "false", "gone") => 2,
                _ => panic!("no such verdict or state: {line}"),
            };
            counts.entry(rule).or_default()[at] += 1;
        }
        assert!(!counts.is_empty());
        for (code, [good, bad, gone]) in counts {
            let rule = RuleId::from_code(code).expect(code);
            let all = good + bad;
            let of = match all {
                0 => format!("Precision: none of the {gone} reports"),
                _ => format!("Precision: {good} of {all} reports"),
            };
            let text = rule.page_text();
            assert!(text.contains(&of), "{} says: {of}", rule.page());
            assert!(
                gone == 0 || all == 0 || text.contains(&format!("{gone} more")),
                "{} says: {gone} more",
                rule.page()
            );
            // The figure is right; where too much begins is a convention.
            let states_a_figure = matches!(rule, RuleId::TooLong | RuleId::TooComplex);
            assert!(
                !rule.is_on() || states_a_figure || good * 4 >= all * 3,
                "{code} is on and right in {good} of {all}"
            );
        }
    }

    #[test]
    fn a_rule_can_be_turned_off_alone() {
        let mut thresholds = Thresholds::default();
        thresholds.set(RuleId::DeepNesting, None);
        assert_eq!(thresholds.get(RuleId::DeepNesting), None);
        for rule in all_rules() {
            let by_itself = rule.is_on().then_some(rule.default_threshold());
            if *rule != RuleId::DeepNesting {
                assert_eq!(thresholds.get(*rule), by_itself, "{rule}");
            }
        }
    }
}
