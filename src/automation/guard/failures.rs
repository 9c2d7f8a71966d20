//! Rules that fail at run time: told at once, paused when they keep failing.

use super::super::alerts::Alert;
use super::{count, pause};
use crate::domain::clinic::Clinic;
use crate::domain::ids::derived_id;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use crate::engine::guard::{AfterErrors, OnError};
use crate::engine::plan::RuleRun;
use crate::engine::ruleset::Rule;
use crate::store::{StoreResult, Tx, overrides, runs, tasks};
use std::collections::HashSet;

/// One failed run, and what it may lead to.
#[derive(Clone, Debug)]
pub struct RuleFailure {
    rule_id: String,
    revision: i64,
    on_error: OnError,
    alert: Task,
    paused: Task,
}

/// What a failed run of `rule` leads to when it is written.
pub fn failure(rule: &Rule, run: &RuleRun, run_id: &str, revision: i64, clinic: &Clinic, now: Timestamp) -> RuleFailure {
    let place = run
        .stopped_at
        .as_ref()
        .map_or_else(|| format!("{}:{}", run.file, run.line), |at| format!("{}:{}:{}: {}", at.file, at.line, at.column, at.text));
    let task = |what: &str, title: String, because: String| {
        let alert = Alert {
            key: format!("{what}:{}", rule.id),
            title,
            because,
            owner: rule.owner.clone(),
            contact_id: None,
            run_id: Some(run_id.to_owned()),
        };
        alert.task(derived_id(now, &[run_id, what]), clinic, now)
    };
    let enable = format!("When it is put right: avatar rules enable {}", rule.id);
    let times = rule.guard.on_error.failures_max;
    RuleFailure {
        rule_id: rule.id.clone(),
        revision,
        on_error: rule.guard.on_error,
        alert: task("failing", format!("Rule {} failed", rule.id), place.clone()),
        paused: task(
            "paused",
            format!("Rule {} is paused", rule.id),
            format!("It failed {times} times in a row. {enable}. {place}"),
        ),
    }
}

/// In the transaction that writes the failed runs.
pub fn after_failures<'a>(tx: &mut Tx<'_>, failures: impl Iterator<Item = &'a RuleFailure>, now: Timestamp) -> StoreResult<()> {
    let mut seen = HashSet::new();
    for failure in failures.filter(|f| seen.insert(f.rule_id.as_str())) {
        count("failed");
        tasks::open_once(tx, &failure.alert)?;
        if failure.on_error.then == AfterErrors::Pause && keeps_failing(tx, failure)? {
            let reason = format!("failed {} times in a row", failure.on_error.failures_max);
            if pause(tx, &failure.rule_id, &reason, &failure.paused, now)? {
                count("paused");
            }
        }
    }
    Ok(())
}

/// Since it was last published or switched on, its last runs all failed, as many as it may.
fn keeps_failing(tx: &mut Tx<'_>, failure: &RuleFailure) -> StoreResult<bool> {
    let known = overrides::list(tx)?;
    let since = known.iter().find(|o| o.rule_id == failure.rule_id).map_or(Timestamp(0), |o| o.at);
    let wanted = i64::from(failure.on_error.failures_max);
    let last = runs::list_last_outcomes(tx, &failure.rule_id, failure.revision, since, wanted)?;
    Ok(last.len() as i64 == wanted && last.iter().all(|outcome| outcome == "failed"))
}
