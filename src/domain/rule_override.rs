//! Rules that somebody, or the program itself, has switched off: it counts beside what their file says.

use super::time::Timestamp;
use std::collections::BTreeMap;

/// The state that somebody gave a rule last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOverride {
    pub rule_id: String,
    pub state: OverrideState,
    /// `cli`, `key:NAME`, or `program`.
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideState {
    /// As the file says.
    Enabled,
    /// A person has switched it off.
    Disabled,
    /// The program has switched it off, until a person has looked.
    Paused,
}

impl OverrideState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Paused => "paused",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled, Self::Paused].into_iter().find(|s| s.as_str() == text)
    }
}

/// The last word on each rule that anybody had one on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    by_rule: BTreeMap<String, RuleOverride>,
}

impl Overrides {
    #[must_use]
    pub fn new(all: Vec<RuleOverride>) -> Self {
        Self { by_rule: all.into_iter().map(|o| (o.rule_id.clone(), o)).collect() }
    }

    /// What keeps the rule from running; `None` when nothing does.
    #[must_use]
    pub fn find_off(&self, rule_id: &str) -> Option<&RuleOverride> {
        self.find(rule_id).filter(|o| o.state != OverrideState::Enabled)
    }

    #[must_use]
    pub fn find(&self, rule_id: &str) -> Option<&RuleOverride> {
        self.by_rule.get(rule_id)
    }
}
