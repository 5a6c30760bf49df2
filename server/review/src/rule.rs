use std::fmt;

use serde::{Serialize, Serializer};

/// One architecture rule. Its code is stable: configuration, baselines and silencing comments name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleId {
    /// A function with too many lines.
    TooLong,
    /// A function with control flow nested too deeply.
    DeepNesting,
    /// A function that is too hard to follow, by cognitive complexity.
    TooComplex,
    /// Files that import each other in a circle while they are loaded.
    LoadCycle,
    /// Files that import each other in a circle, but not while they are loaded.
    DeferredCycle,
    /// An import into the workspace that leads nowhere.
    Unresolved,
}

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

/// A rule and its page, whose name follows from the code.
macro_rules! rule {
    ($code:literal, $page:literal, $title:literal, $threshold:literal, $on:literal) => {
        Rule {
            code: $code,
            title: $title,
            threshold: $threshold,
            on: $on,
            page: concat!("docs/rules/", $page, ".md"),
            text: include_str!(concat!("../../../docs/rules/", $page, ".md")),
        }
    };
}

/// In the order of the identifiers.
static RULES: [Rule; RULE_COUNT] = [
    rule!("fn/too-long", "fn-too-long", "Function too long", 80, true),
    rule!(
        "fn/deep-nesting",
        "fn-deep-nesting",
        "Control flow nested too deeply",
        4,
        true
    ),
    rule!(
        "fn/too-complex",
        "fn-too-complex",
        "Function too complex",
        24,
        true
    ),
    rule!(
        "cycle/load-time",
        "cycle-load-time",
        "Imports in a circle at load time",
        0,
        true
    ),
    rule!(
        "cycle/deferred",
        "cycle-deferred",
        "Imports in a circle that loading does not see",
        0,
        false
    ),
    rule!(
        "graph/unresolved",
        "graph-unresolved",
        "Import that leads nowhere",
        0,
        true
    ),
];

const RULE_COUNT: usize = 6;

/// Every rule, in the order of the documentation.
pub fn all_rules() -> &'static [RuleId] {
    &[
        RuleId::TooLong,
        RuleId::DeepNesting,
        RuleId::TooComplex,
        RuleId::LoadCycle,
        RuleId::DeferredCycle,
        RuleId::Unresolved,
    ]
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

    #[test]
    fn a_rule_can_be_turned_off_alone() {
        let mut thresholds = Thresholds::default();
        thresholds.set(RuleId::DeepNesting, None);
        let left: Vec<_> = all_rules()
            .iter()
            .map(|rule| thresholds.get(*rule))
            .collect();
        let by_itself = [Some(0), None, Some(0)];
        assert_eq!(left[..3], [Some(80), None, Some(24)]);
        assert_eq!(left[3..], by_itself);
    }
}
