//! The circuit breaker: a rule that suddenly fires far more often than it ever did is paused until somebody has looked.

use super::{count, pause, pause_task};
use crate::automation::context::Automation;
use crate::automation::rulesets::InForce;
use crate::domain::rule_override::OverrideState;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::ruleset::Rule;
use crate::store::{Conn, StoreResult, runs};

/// Fired so often in an hour, a rule is worth a look.
const FLOOR_PER_HOUR: i64 = 100;
/// So many times its busiest hour is not its own history any more.
const FACTOR: i64 = 10;
/// A rule without a history may do so much in an hour.
const NEWCOMER_PER_HOUR_MAX: i64 = 1_000;
/// How far its history goes back.
const HISTORY: Millis = Millis::days(14);

/// True when so many runs in the last hour are out of all proportion to the busiest hour before (0: there was none).
#[must_use]
pub fn is_abnormal(last_hour: i64, busiest_before: i64) -> bool {
    if busiest_before == 0 {
        return last_hour > NEWCOMER_PER_HOUR_MAX;
    }
    last_hour > FLOOR_PER_HOUR && last_hour > busiest_before.saturating_mul(FACTOR)
}

pub(super) async fn watch(automation: &Automation, in_force: &InForce, now: Timestamp) -> StoreResult<()> {
    let wanted: Vec<(String, Timestamp)> = in_force
        .ruleset
        .rules
        .iter()
        .filter(|rule| rule.enabled && in_force.overrides.find_off(&rule.id).is_none())
        .map(|rule| (rule.id.clone(), window_start(in_force, rule, now)))
        .collect();
    let wild = automation.store.read(move |conn| find_wild(conn, &wanted, now)).await?;
    for (rule_id, last_hour, busiest) in wild {
        let Some(rule) = in_force.ruleset.by_id.get(&rule_id).and_then(|i| in_force.ruleset.rules.get(*i)) else { continue };
        let reason = format!("fired {last_hour} times within an hour; its busiest hour in 14 days had {busiest}");
        let task = pause_task(rule, &reason, &automation.clinic, now);
        if automation.store.write(move |tx| pause(tx, &rule_id, &reason, &task, now)).await? {
            count("volume");
        }
    }
    Ok(())
}

/// Whoever switched the rule on again has seen what was before.
fn window_start(in_force: &InForce, rule: &Rule, now: Timestamp) -> Timestamp {
    let hour_ago = now - Millis::HOUR;
    let enabled = in_force.overrides.find(&rule.id).filter(|o| o.state == OverrideState::Enabled);
    enabled.map_or(hour_ago, |o| o.at.max(hour_ago))
}

fn find_wild(conn: &mut Conn, rules: &[(String, Timestamp)], now: Timestamp) -> StoreResult<Vec<(String, i64, i64)>> {
    let mut wild = Vec::new();
    for (rule_id, since) in rules {
        let last_hour = runs::count_fired(conn, rule_id, *since)?;
        if last_hour <= FLOOR_PER_HOUR {
            continue;
        }
        let busiest = runs::find_busiest_hour(conn, rule_id, now - HISTORY, now - Millis::HOUR)?;
        if is_abnormal(last_hour, busiest) {
            wild.push((rule_id.clone(), last_hour, busiest));
        }
    }
    Ok(wild)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_measured_by_its_own_history() {
        assert!(is_abnormal(501, 50), "more than ten times its busiest hour");
        assert!(!is_abnormal(500, 50), "a busy day");
        assert!(!is_abnormal(90, 1), "few are few, whatever was before");
        assert!(!is_abnormal(1_000, 0) && is_abnormal(1_001, 0), "a new rule may do much, but not everything");
        assert!(!is_abnormal(i64::MAX, i64::MAX), "no overflow");
    }
}
