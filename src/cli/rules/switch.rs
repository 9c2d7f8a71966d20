//! `avatar rules enable` and `disable`. Serving processes follow the database by themselves.

use super::listing::find_rule;
use super::{SCHEMA, in_force, who};
use crate::cli::failure::Failure;
use crate::cli::{Context, Exit};
use crate::domain::rule_override::{OverrideState, RuleOverride};
use serde_json::json;

pub(super) fn switch(context: &Context, id: &str, state: OverrideState, why: Option<&str>) -> Exit {
    context.on_database(async |parts| {
        let current = in_force(parts).await?;
        let rule = find_rule(&current.ruleset, id)?;
        if !rule.enabled {
            let message = format!("{}:{} says `enabled: false`", rule.file, rule.line);
            return Err(Failure::new(message).with_help("change the file, and publish it"));
        }
        let wanted = RuleOverride {
            rule_id: rule.id.clone(),
            state,
            by: who(context),
            reason: why.unwrap_or("no reason given").to_owned(),
            at: parts.clock.now(),
        };
        let is_on = current.overrides.find_off(id).is_none();
        let changed = !(is_on && state == OverrideState::Enabled) && parts.automation.rules.switch(wanted, None).await?;
        if context.output.json {
            context.output.object(&json!({ "schema": SCHEMA, "id": id, "state": state.as_str(), "changed": changed }));
        } else {
            context.output.line(&format!("{id} {}{}", if changed { "" } else { "already " }, state.as_str()));
        }
        if changed && state == OverrideState::Disabled {
            context.output.hint(&format!(
                "it does nothing more; what it has planned already stays: avatar rules recall --rule {id} --since 24h"
            ));
        }
        Ok(Exit::Done)
    })
}
