//! Rules switched off or on again, and who changed what about the rules in force.

use super::changes::Topic;
use super::db::on;
use super::rulesets::set_value;
use super::schema::{rule_history, rule_overrides, system_values};
use super::{Conn, StoreError, StoreResult, Tx};
use crate::domain::ids::new_id;
use crate::domain::rule_override::{OverrideState, RuleOverride};
use crate::domain::time::Timestamp;
use diesel::prelude::*;

/// Rises with every change, so that nodes see at one glance whether they are up to date.
const VERSION_KEY: &str = "rule_overrides_version";

/// One change of the rules in force. Append-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub action: Action,
    /// Of changes of one rule.
    pub rule_id: Option<String>,
    /// Of changes of the whole ruleset.
    pub revision: Option<i64>,
    pub by: String,
    pub reason: Option<String>,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Published,
    RolledBack,
    Enabled,
    Disabled,
    Paused,
    Recalled,
}

impl Action {
    const ALL: [Self; 6] = [Self::Published, Self::RolledBack, Self::Enabled, Self::Disabled, Self::Paused, Self::Recalled];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::RolledBack => "rolled_back",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Paused => "paused",
            Self::Recalled => "recalled",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

/// Which change of the overrides is the newest; 0 before the first.
pub fn find_version(conn: &mut Conn) -> StoreResult<i64> {
    let value: Option<String> =
        on!(conn, c => system_values::table.find(VERSION_KEY).select(system_values::value).first(c).optional())?;
    let corrupt = |_| StoreError::Corrupt { table: "system_values", column: "value" };
    value.map_or(Ok(0), |text| text.parse().map_err(corrupt))
}

/// The last word on every rule that anybody had one on.
pub fn list(conn: &mut Conn) -> StoreResult<Vec<RuleOverride>> {
    let rows: Vec<(String, String, String, String, i64)> =
        on!(conn, c => rule_overrides::table.order(rule_overrides::rule_id).select(rule_overrides::all_columns).load(c))?;
    rows.into_iter()
        .map(|(rule_id, state, by, reason, at)| {
            let state = OverrideState::parse(&state).ok_or(StoreError::Corrupt { table: "rule_overrides", column: "state" })?;
            Ok(RuleOverride { rule_id, state, by, reason, at: Timestamp(at) })
        })
        .collect()
}

/// Gives a rule a state, with a line of its history. False when the rule is in that state already. Nodes see it at their next
/// look.
pub fn put(tx: &mut Tx<'_>, wanted: &RuleOverride) -> StoreResult<bool> {
    // The version's row is the lock: two nodes that pause one rule do so one after the other.
    let version = next_version(tx, wanted.at)?;
    let is_same = |o: &RuleOverride| o.rule_id == wanted.rule_id && o.state == wanted.state;
    if list(tx)?.iter().any(is_same) {
        return Ok(false);
    }
    let values = (
        rule_overrides::state.eq(wanted.state.as_str()),
        rule_overrides::by.eq(&wanted.by),
        rule_overrides::reason.eq(&wanted.reason),
        rule_overrides::at.eq(wanted.at.0),
    );
    on!(tx, c => diesel::insert_into(rule_overrides::table)
        .values((rule_overrides::rule_id.eq(&wanted.rule_id), values))
        .on_conflict(rule_overrides::rule_id)
        .do_update()
        .set(values)
        .execute(c))?;
    set_value(tx, VERSION_KEY, &version.to_string(), wanted.at)?;
    let action = match wanted.state {
        OverrideState::Enabled => Action::Enabled,
        OverrideState::Disabled => Action::Disabled,
        OverrideState::Paused => Action::Paused,
    };
    let change = Change {
        action,
        rule_id: Some(wanted.rule_id.clone()),
        revision: None,
        by: wanted.by.clone(),
        reason: Some(wanted.reason.clone()),
        at: wanted.at,
    };
    note_change(tx, &change)?;
    Ok(true)
}

fn next_version(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<i64> {
    on!(tx, c => diesel::insert_into(system_values::table)
        .values((system_values::key.eq(VERSION_KEY), system_values::value.eq("0"), system_values::updated_at.eq(now.0)))
        .on_conflict(system_values::key)
        .do_update()
        .set(system_values::updated_at.eq(now.0))
        .execute(c))?;
    Ok(find_version(tx)? + 1)
}

/// Adds a line to the history of the rules.
pub fn note_change(tx: &mut Tx<'_>, change: &Change) -> StoreResult<()> {
    on!(tx, c => diesel::insert_into(rule_history::table)
        .values((
            rule_history::id.eq(new_id(change.at)),
            rule_history::action.eq(change.action.as_str()),
            rule_history::rule_id.eq(change.rule_id.as_deref()),
            rule_history::revision.eq(change.revision),
            rule_history::by.eq(&change.by),
            rule_history::reason.eq(change.reason.as_deref()),
            rule_history::at.eq(change.at.0),
        ))
        .execute(c))?;
    tx.changed(Topic::Rules, change.rule_id.as_deref().unwrap_or_default());
    Ok(())
}

type Columns = (String, Option<String>, Option<i64>, String, Option<String>, i64);

/// The newest changes, newest first; of one rule also those of the whole ruleset are left out.
pub fn list_changes(conn: &mut Conn, rule_id: Option<&str>, limit: i64) -> StoreResult<Vec<Change>> {
    use rule_history::dsl as h;
    let rows: Vec<Columns> = on!(conn, c => {
        let mut query = h::rule_history.select((h::action, h::rule_id, h::revision, h::by, h::reason, h::at)).into_boxed();
        if let Some(rule_id) = rule_id {
            query = query.filter(h::rule_id.eq(rule_id));
        }
        query.order((h::at.desc(), h::id.desc())).limit(limit).load(c)
    })?;
    let change = |(action, rule_id, revision, by, reason, at): Columns| {
        let action = Action::parse(&action).ok_or(StoreError::Corrupt { table: "rule_history", column: "action" })?;
        Ok(Change { action, rule_id, revision, by, reason, at: Timestamp(at) })
    };
    rows.into_iter().map(change).collect()
}
