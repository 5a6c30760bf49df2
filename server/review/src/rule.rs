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
}

/// Every rule, in the order of the documentation.
pub fn all_rules() -> &'static [RuleId] {
    &[RuleId::TooLong, RuleId::DeepNesting, RuleId::TooComplex]
}

impl RuleId {
    /// The stable code, such as `fn/too-long`.
    pub fn code(self) -> &'static str {
        match self {
            RuleId::TooLong => "fn/too-long",
            RuleId::DeepNesting => "fn/deep-nesting",
            RuleId::TooComplex => "fn/too-complex",
        }
    }

    /// The rule with this code.
    pub fn from_code(code: &str) -> Option<RuleId> {
        all_rules().iter().copied().find(|rule| rule.code() == code)
    }

    /// What the rule finds, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            RuleId::TooLong => "Function too long",
            RuleId::DeepNesting => "Control flow nested too deeply",
            RuleId::TooComplex => "Function too complex",
        }
    }

    /// The highest figure that the rule lets pass when nobody has configured it.
    ///
    /// The rule's page says where the figure comes from.
    pub fn default_threshold(self) -> u32 {
        match self {
            RuleId::TooLong => 80,
            RuleId::DeepNesting => 4,
            RuleId::TooComplex => 24,
        }
    }

    /// The path of the rule's page from the root of the project.
    pub fn page(self) -> &'static str {
        match self {
            RuleId::TooLong => "docs/rules/fn-too-long.md",
            RuleId::DeepNesting => "docs/rules/fn-deep-nesting.md",
            RuleId::TooComplex => "docs/rules/fn-too-complex.md",
        }
    }

    /// The text of the rule's page, in Markdown.
    pub fn page_text(self) -> &'static str {
        match self {
            RuleId::TooLong => include_str!("../../../docs/rules/fn-too-long.md"),
            RuleId::DeepNesting => include_str!("../../../docs/rules/fn-deep-nesting.md"),
            RuleId::TooComplex => include_str!("../../../docs/rules/fn-too-complex.md"),
        }
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
pub struct Thresholds([Option<u32>; 3]);

impl Default for Thresholds {
    /// Every rule on, at its own default.
    fn default() -> Thresholds {
        let mut thresholds = Thresholds([None; 3]);
        for rule in all_rules() {
            thresholds.set(*rule, Some(rule.default_threshold()));
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
            let threshold = format!("threshold = {}", rule.default_threshold());
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
        assert_eq!(left, [Some(80), None, Some(24)]);
    }
}
