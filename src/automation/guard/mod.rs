//! Looks after the rules while they run: pauses what keeps failing or runs wild, tells when one falls silent and when a job is
//! given up. The others go on.

mod failures;
mod parked;
mod silence;
mod volume;

pub use failures::{RuleFailure, after_failures, failure};

use super::alerts::{Alert, RULE_ALERT};
use super::context::Automation;
use crate::domain::clinic::Clinic;
use crate::domain::ids::new_id;
use crate::domain::rule_override::{OverrideState, RuleOverride};
use crate::domain::task::Task;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::ruleset::Rule;
use crate::store::{StoreResult, Tx, duties, overrides, tasks};
use crate::telemetry::{Metric, metrics};

/// Who pauses rules.
pub const PROGRAM: &str = "program";
/// How often all rules are looked at.
const WATCH_EVERY: Millis = Millis::MINUTE;

/// Looks at all rules in force, if no other node has within the minute. True when it did.
pub async fn watch(automation: &Automation) -> StoreResult<bool> {
    let now = automation.clock.now();
    if !automation.store.write(move |tx| duties::take(tx, "watch_rules", WATCH_EVERY, now)).await? {
        return Ok(false);
    }
    parked::watch(automation, now).await?;
    let Some(in_force) = automation.rules.current() else { return Ok(true) };
    volume::watch(automation, &in_force, now).await?;
    silence::watch(automation, &in_force, now).await?;
    Ok(true)
}

/// Pauses a rule, and puts that in front of its owner. False when it was paused already.
fn pause(tx: &mut Tx<'_>, rule_id: &str, reason: &str, task: &Task, now: Timestamp) -> StoreResult<bool> {
    let wanted = RuleOverride {
        rule_id: rule_id.to_owned(),
        state: OverrideState::Paused,
        by: PROGRAM.to_owned(),
        reason: reason.to_owned(),
        at: now,
    };
    if !overrides::put(tx, &wanted)? {
        return Ok(false);
    }
    tasks::open_once(tx, task)?;
    tracing::error!(rule = rule_id, reason, "rule paused");
    Ok(true)
}

/// The tasks that told of a rule's failures are done when somebody switches it on again.
pub fn close_alerts(tx: &mut Tx<'_>, enabled: &RuleOverride) -> StoreResult<()> {
    for what in ["failing", "paused"] {
        let key = format!("{RULE_ALERT}:{what}:{}", enabled.rule_id);
        tasks::close_by_key(tx, &key, &format!("Switched on by {}", enabled.by), enabled.at)?;
    }
    Ok(())
}

fn pause_task(rule: &Rule, reason: &str, clinic: &Clinic, now: Timestamp) -> Task {
    let alert = Alert {
        key: format!("paused:{}", rule.id),
        title: format!("Rule {} is paused", rule.id),
        because: format!("It {reason}. When it is put right: avatar rules enable {}", rule.id),
        owner: rule.owner.clone(),
        contact_id: None,
        run_id: None,
    };
    alert.task(new_id(now), clinic, now)
}

fn count(kind: &str) {
    metrics::counter(Metric::RuleAlerts, &[("kind", kind)], 1);
}
