//! `expect`: somebody is told, once, when a rule fires less often than it should, and the task is closed when it fires again.

use super::count;
use crate::automation::alerts::Alert;
use crate::automation::context::Automation;
use crate::automation::rulesets::InForce;
use crate::domain::ids::new_id;
use crate::domain::time::Timestamp;
use crate::engine::guard::{Expect, Rollout};
use crate::engine::ruleset::Rule;
use crate::store::alarms::{self, Alarm};
use crate::store::{Conn, StoreResult, runs, tasks};

/// What is known of a rule that is expected to fire.
struct Known {
    watched_since: Option<Timestamp>,
    is_silent: bool,
    fired: i64,
}

pub(super) async fn watch(automation: &Automation, in_force: &InForce, now: Timestamp) -> StoreResult<()> {
    for rule in &in_force.ruleset.rules {
        let Some(expect) = rule.guard.expect else { continue };
        let is_on = rule.enabled && in_force.overrides.find_off(&rule.id).is_none() && rule.guard.rollout != Rollout::Shadow;
        if is_on {
            look_at(automation, rule, expect, now).await?;
        } else {
            forget(automation, rule).await?;
        }
    }
    Ok(())
}

async fn look_at(automation: &Automation, rule: &Rule, expect: Expect, now: Timestamp) -> StoreResult<()> {
    let id = rule.id.clone();
    let known = automation.store.read(move |conn| know(conn, &id, now - expect.within)).await?;
    let is_short = known.fired < i64::from(expect.at_least);
    match known.watched_since {
        None => {
            let id = rule.id.clone();
            automation.store.write(move |tx| alarms::raise(tx, &id, Alarm::Watched, now)).await?;
        }
        Some(since) if is_short && !known.is_silent && now - since >= expect.within => {
            raise(automation, rule, expect, known.fired, now).await?;
        }
        Some(_) if !is_short && known.is_silent => recover(automation, rule, now).await?,
        Some(_) => {}
    }
    Ok(())
}

fn know(conn: &mut Conn, rule_id: &str, since: Timestamp) -> StoreResult<Known> {
    Ok(Known {
        watched_since: alarms::find(conn, rule_id, Alarm::Watched)?,
        is_silent: alarms::find(conn, rule_id, Alarm::Silent)?.is_some(),
        fired: runs::count_fired(conn, rule_id, since)?,
    })
}

async fn raise(automation: &Automation, rule: &Rule, expect: Expect, fired: i64, now: Timestamp) -> StoreResult<()> {
    let alert = alert(rule, expect, fired);
    let task = alert.task(new_id(now), &automation.clinic, now);
    let id = rule.id.clone();
    let is_new = automation
        .store
        .write(move |tx| {
            let is_new = alarms::raise(tx, &id, Alarm::Silent, now)?;
            if is_new {
                tasks::open_once(tx, &task)?;
            }
            StoreResult::Ok(is_new)
        })
        .await?;
    if is_new {
        tracing::error!(rule = %rule.id, fired, at_least = expect.at_least, "rule has fallen silent");
        count("silent");
    }
    Ok(())
}

async fn recover(automation: &Automation, rule: &Rule, now: Timestamp) -> StoreResult<()> {
    let (id, key) = (rule.id.clone(), format!("{}:silent:{}", super::super::alerts::RULE_ALERT, rule.id));
    automation
        .store
        .write(move |tx| {
            if alarms::clear(tx, &id, Alarm::Silent)? {
                tasks::close_by_key(tx, &key, "It fires again", now)?;
            }
            StoreResult::Ok(())
        })
        .await
}

/// A rule that is off is expected to be silent; when it is on again, its time begins anew.
async fn forget(automation: &Automation, rule: &Rule) -> StoreResult<()> {
    let id = rule.id.clone();
    automation
        .store
        .write(move |tx| {
            alarms::clear(tx, &id, Alarm::Watched)?;
            alarms::clear(tx, &id, Alarm::Silent)?;
            StoreResult::Ok(())
        })
        .await
}

fn alert(rule: &Rule, expect: Expect, fired: i64) -> Alert {
    let (hours, at_least) = (expect.within.0 / crate::domain::time::Millis::HOUR.0, expect.at_least);
    Alert {
        key: format!("silent:{}", rule.id),
        title: format!("Rule {} has fallen silent", rule.id),
        because: format!("It fired {fired} times in the last {hours} h; {}:{} expects at least {at_least}", rule.file, rule.line),
        owner: rule.owner.clone(),
        contact_id: None,
        run_id: None,
    }
}
