//! The rules as the HTTP interface shows them.

use crate::automation::rulesets::RulesetHost;
use crate::domain::rule_override::RuleOverride;
use crate::engine::ruleset::Trigger;
use crate::http::{DraftStatus, RuleSummary, RulesStatus, RulesView};
use std::sync::Arc;

pub struct HostView(pub Arc<RulesetHost>);

impl RulesView for HostView {
    fn status(&self) -> RulesStatus {
        let current = self.0.current();
        let draft = self.0.draft();
        RulesStatus {
            revision: current.as_ref().map(|c| format!("r{}", c.number)),
            hash: current.as_ref().map(|c| c.ruleset.hash.clone()),
            published_at: current.as_ref().map(|c| c.published_at.0),
            draft: DraftStatus { clean: draft.clean, diagnostics: draft.diagnostics, timers: draft.timers },
        }
    }

    fn rules(&self) -> Vec<RuleSummary> {
        let Some(current) = self.0.current() else { return Vec::new() };
        let rules = current.ruleset.rules.iter();
        rules
            .map(|rule| (rule, current.overrides.find_off(&rule.id)))
            .map(|(rule, off)| RuleSummary {
                id: rule.id.clone(),
                name: rule.name.clone(),
                about: rule.about.clone(),
                owner: rule.owner.clone(),
                enabled: rule.enabled,
                state: state(rule.enabled, off),
                switched_by: off.map(|o| o.by.clone()),
                switched_because: off.map(|o| o.reason.clone()),
                rollout: rule.guard.rollout.text(),
                file: rule.file.to_string(),
                line: rule.line,
                events: rule
                    .triggers
                    .iter()
                    .flat_map(|t| match t {
                        Trigger::Event { names, .. } => names.clone(),
                        Trigger::Date { .. } | Trigger::Holds { .. } => vec!["timer_due".to_owned()],
                        Trigger::Manual { .. } => vec!["manual_run".to_owned()],
                        Trigger::Webhook { source } => vec![format!("any of {source}")],
                        Trigger::Every { .. } => vec!["schedule_due".to_owned()],
                    })
                    .collect(),
            })
            .collect()
    }

    fn host(&self) -> Option<Arc<RulesetHost>> {
        Some(Arc::clone(&self.0))
    }
}

fn state(enabled: bool, off: Option<&RuleOverride>) -> &'static str {
    match off {
        Some(off) => off.state.as_str(),
        None if enabled => "on",
        None => "off",
    }
}
