//! What stops a rule before its conditions are looked at.

use super::Stop;
use crate::domain::event::{SubjectKind, TimerInput};
use crate::domain::rule_override::{OverrideState, Overrides};
use crate::engine::facts::{Facts, FiredBefore, RunningNow};
use crate::engine::plan::{SeenValue, StopReason, StoppedAt};
use crate::engine::ruleset::{IfRunning, Limit, Rule, Trigger};
use crate::engine::script::{View, for_trace};
use rhai::Dynamic;
use std::sync::Arc;

pub(super) fn disabled(rule: &Rule) -> Stop {
    stop(rule, StopReason::Disabled, "enabled", "the rule is switched off")
}

/// Stops a rule that was switched off since its file was written.
pub(super) fn check_override(rule: &Rule, overrides: &Overrides) -> Result<(), Stop> {
    let Some(off) = overrides.find_off(&rule.id) else { return Ok(()) };
    let reason = if off.state == OverrideState::Paused { StopReason::Paused } else { StopReason::Disabled };
    Err(stop(rule, reason, "enabled", &format!("{} by {}: {}", off.state.as_str(), off.by, off.reason)))
}

/// Stops when the rule is on for others only.
pub(super) fn check_rollout(rule: &Rule, facts: &Facts, view: &View) -> Result<(), Stop> {
    let contact = facts.contact.as_ref().map(|c| &c.contact);
    if rule.guard.rollout.includes(&rule.id, contact, &view.clinic) {
        return Ok(());
    }
    Err(stop(rule, StopReason::Rollout, "rollout", &format!("rollout: {}", rule.guard.rollout.text())))
}

pub(super) fn shadow(rule: &Rule) -> Stop {
    stop(rule, StopReason::Shadow, "rollout", "rollout: shadow")
}

pub(super) fn handled_by_others(rule: &Rule) -> Stop {
    stop(rule, StopReason::Unhandled, "when", "another rule fired on this event")
}

pub(super) fn panicked(rule: &Rule) -> Stop {
    stop(rule, StopReason::Error, "do", "the rule failed unexpectedly")
}

/// Stops when the rule fired as often as its limit allows, for this contact, this booking, or at all.
pub(super) fn check_limit(rule: &Rule, facts: &Facts, view: &View) -> Result<(), Stop> {
    let Some(limit) = rule.limit else { return Ok(()) };
    let since = view.now - limit.within;
    let counts =
        |before: &&Arc<FiredBefore>| before.rule_id == rule.id && before.at > since && same_subject(limit, facts, before);
    let fired: Vec<&Arc<FiredBefore>> = facts.fired.iter().filter(counts).collect();
    if fired.len() < limit.max as usize {
        return Ok(());
    }
    let text = format!(
        "at most {} per {} in {}",
        limit.max,
        limit.per.as_str(),
        for_trace(&view.clinic.calendar, &Dynamic::from(limit.within))
    );
    let mut stop = stop(rule, StopReason::Limited, "limit", &text);
    stop.0.values.push(SeenValue { path: "fired".to_owned(), value: fired.len().to_string() });
    if let Some(last) = fired.iter().map(|before| before.at).max() {
        stop.0.values.push(SeenValue { path: "last".to_owned(), value: for_trace(&view.clinic.calendar, &Dynamic::from(last)) });
    }
    Err(stop)
}

/// Stops when a run of the rule for the same contact and booking is waiting, unless the rule says otherwise.
pub(super) fn check_running(rule: &Rule, facts: &Facts) -> Result<(), Stop> {
    let text = match rule.if_running {
        IfRunning::Skip => "an earlier run of the rule is still waiting",
        IfRunning::Queue => "an earlier run of the rule is still waiting; this one begins when it ends",
        IfRunning::Restart | IfRunning::Parallel => return Ok(()),
    };
    let booking = facts.booking.as_ref().map(|b| b.id.as_str());
    let same = |run: &RunningNow| run.rule_id == rule.id && run.booking_id.as_deref() == booking;
    if facts.running.iter().any(same) { Err(stop(rule, StopReason::Running, "if_running", text)) } else { Ok(()) }
}

fn same_subject(limit: Limit, facts: &Facts, before: &FiredBefore) -> bool {
    match limit.per {
        SubjectKind::Clinic => true,
        SubjectKind::Contact => before.contact_id.as_deref() == facts.contact.as_ref().map(|c| c.contact.id.as_str()),
        SubjectKind::Booking => before.booking_id.as_deref() == facts.booking.as_ref().map(|b| b.id.as_str()),
    }
}

/// Stops a timer or slot that comes later than its trigger allows.
pub(super) fn late(rule: &Rule, (index, trigger): (usize, &Trigger), timer: &TimerInput, view: &View) -> Option<Stop> {
    let (Trigger::Date { late, .. } | Trigger::Every { late, .. }) = trigger else { return None };
    if view.now <= timer.due_at + *late {
        return None;
    }
    let calendar = &view.clinic.calendar;
    let text = format!("it may run at most {} late", for_trace(calendar, &Dynamic::from(*late)));
    let mut stop = stop(rule, StopReason::Late, &format!("when/{index}"), &text);
    for (path, at) in [("due", timer.due_at), ("now", view.now)] {
        stop.0.values.push(SeenValue { path: path.to_owned(), value: for_trace(calendar, &Dynamic::from(at)) });
    }
    Some(stop)
}

fn stop(rule: &Rule, reason: StopReason, path: &str, text: &str) -> Stop {
    Stop::from(StoppedAt {
        reason,
        path: path.to_owned(),
        file: rule.file.to_string(),
        line: rule.line,
        column: 1,
        text: text.to_owned(),
        values: Vec::new(),
    })
}
