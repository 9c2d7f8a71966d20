//! `avatar rules history`: who changed which rules are in force, when and why.

use super::SCHEMA;
use super::check::counted_word;
use crate::cli::moment::Wall;
use crate::cli::{Context, Exit};
use crate::store::overrides::{Change, list_changes};
use serde_json::json;

pub(super) fn history(context: &Context, rule: Option<&str>, limit: u32) -> Exit {
    context.on_database(async |parts| {
        let wanted = rule.map(ToOwned::to_owned);
        let changes = parts.store.read(move |conn| list_changes(conn, wanted.as_deref(), i64::from(limit))).await?;
        let wall = Wall(parts.settings.clinic.calendar.tz);
        for change in &changes {
            if context.output.json {
                context.output.object(&json!({
                    "schema": SCHEMA,
                    "at": wall.json(change.at),
                    "action": change.action.as_str(),
                    "rule_id": change.rule_id,
                    "revision": change.revision.map(|n| format!("r{n}")),
                    "by": change.by,
                    "reason": change.reason,
                }));
            } else {
                context.output.line(&line(change, wall));
            }
        }
        context.output.hint(&counted_word(changes.len(), "change"));
        Ok(Exit::Done)
    })
}

fn line(change: &Change, wall: Wall) -> String {
    let what = change.rule_id.clone().or_else(|| change.revision.map(|n| format!("r{n}"))).unwrap_or_default();
    let why = change.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}  {:<11}  {what}  by {}{why}", wall.short(change.at), change.action.as_str(), change.by)
}
