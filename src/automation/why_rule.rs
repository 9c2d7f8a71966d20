//! Why a rule did, or did not do, something for one contact: its last runs, and what keeps it from running at all.

use super::rulesets::InForce;
use super::why::{RuleStory, rule_story};
use crate::domain::event::Event;
use crate::domain::skip::SkippedRule;
use crate::domain::time::Timestamp;
use crate::store::{Conn, StoreResult, contacts, events, runs, skips};
use chrono_tz::Tz;

/// Runs that are told.
const RUNS_MAX: i64 = 10;
/// Slots of a schedule that are told.
const SLOTS_MAX: i64 = 3;

#[derive(Debug)]
pub struct RuleHistory {
    pub rule_id: String,
    /// Newest first, each with the event that it looked at.
    pub runs: Vec<(RuleStory, Option<Event>)>,
    /// What the last slots of its schedule came to for all who were skipped, newest first.
    pub slots: Vec<(Timestamp, SkippedRule)>,
    /// What keeps the rule from running for this contact just now.
    pub held: Option<String>,
    pub is_in_force: bool,
}

/// The last runs of a rule for a contact.
pub fn why_rule(
    conn: &mut Conn,
    in_force: Option<&InForce>,
    contact_id: &str,
    rule_id: &str,
    tz: Tz,
) -> StoreResult<RuleHistory> {
    let mut found = runs::list_of_contact(conn, contact_id, rule_id, RUNS_MAX)?;
    found.extend(skips::list_of_contact(conn, contact_id, rule_id, RUNS_MAX)?);
    found.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    found.truncate(usize::try_from(RUNS_MAX).unwrap_or(0));
    let mut told = Vec::with_capacity(found.len());
    for run in found {
        let event = events::find(conn, &run.event_id)?;
        told.push((rule_story(conn, run, tz)?, event));
    }
    let rule = in_force.and_then(|f| f.ruleset.by_id.get(rule_id).and_then(|index| f.ruleset.rules.get(*index)));
    let contact = contacts::find(conn, contact_id)?;
    Ok(RuleHistory {
        rule_id: rule_id.to_owned(),
        runs: told,
        slots: skips::list_slots(conn, rule_id, SLOTS_MAX)?,
        held: rule.zip(in_force).and_then(|(rule, in_force)| super::next::held(rule, in_force, contact.as_ref())),
        is_in_force: rule.is_some(),
    })
}
