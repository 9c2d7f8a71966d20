//! What rules did, as people speak of it: moves, texts, tasks, changed fields.

use super::{Ran, Simulation};
use crate::automation::apply::Applied;
use crate::automation::decide::StoredTrace;
use crate::automation::world::World;
use crate::domain::event::{Event, OWN_SOURCES, Run, RunOutcome};
use crate::domain::time::Timestamp;
use crate::engine::plan::{Action, PlannedStep, RuleRun};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// One step of a rule that was carried out, at the time it took effect: a text when it leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    pub at: Timestamp,
    pub rule_id: String,
    pub file: String,
    /// Of the step.
    pub line: usize,
    pub cause: Cause,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    /// The step's name as it is written in rules: `move`, `sms`, `task` …
    pub kind: String,
    /// The step's values as they were planned, by the names they have in rules.
    pub fields: BTreeMap<String, Worth>,
    pub landed: Landed,
}

/// What set a rule off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    pub event_id: String,
    pub event_type: String,
    pub at: Timestamp,
    /// False when the event came by itself: a timer, a wait, a slot, a late task.
    pub from_outside: bool,
}

/// A planned value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    Nothing,
    Bool(bool),
    Int(i64),
    Text(String),
    Time(Timestamp),
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landed {
    Done,
    /// There was nothing to do: already so, nothing to close, nothing to withdraw.
    Nothing,
    /// A text that must not be sent; why.
    Withheld(String),
    /// The records do not allow it; why.
    Refused(String),
}

/// A text that waits in the outbox, as it will be told.
pub(super) type Planned = Happening;

impl Cause {
    pub(super) fn of(event: &Event, schedule_of: Option<&str>) -> Self {
        let by_itself = schedule_of.is_some() || OWN_SOURCES.contains(&event.source.as_str());
        Self { event_id: event.id.clone(), event_type: event.event_type.clone(), at: event.timestamp, from_outside: !by_itself }
    }
}

impl Simulation<'_> {
    /// Notes what the rules of one decision did, and keeps the runs if they are wanted.
    pub(super) fn note_effects(&mut self, root: &Cause, world: &mut World) {
        let open_already = self.records.late.drop_open_already(&mut world.changes);
        for run in std::mem::take(&mut world.changes.runs) {
            if run.outcome != RunOutcome::Fired && self.ran.is_none() {
                continue;
            }
            let Ok(mut trace) = serde_json::from_str::<StoredTrace>(&run.trace) else { continue };
            let is_open = |a: &&mut Applied| a.detail.as_ref().is_some_and(|id| open_already.contains(id));
            trace.applied.iter_mut().filter(is_open).for_each(|applied| "already".clone_into(&mut applied.result));
            let cause = cause_of(root, world, &run);
            for step in &trace.run.steps {
                self.note_step(&cause, &run, &trace, step);
            }
            if let Some(ran) = &mut self.ran {
                ran.push(Ran { at: run.at, cause, contact_id: run.contact_id, trace });
            }
        }
    }

    fn note_step(&mut self, cause: &Cause, run: &Run, trace: &StoredTrace, step: &PlannedStep) {
        let Some(action) = &step.action else { return };
        let applied = trace.applied.iter().find(|a| a.path == step.path);
        let happening = happening(cause, run, &trace.run, step, action, applied);
        let is_text = matches!(action, Action::Sms { .. });
        match applied.and_then(|a| a.detail.clone()).filter(|_| is_text && happening.landed == Landed::Done) {
            Some(sms_id) => drop(self.planned.insert(sms_id, happening)),
            None => self.happened.push(happening),
        }
    }

    pub(super) fn tell_sent(&mut self, sms_id: &str) {
        if let Some(mut sent) = self.planned.remove(sms_id) {
            sent.at = self.now;
            self.happened.push(sent);
        }
    }

    pub(super) fn tell_withheld(&mut self, sms_id: &str, reason: &str) {
        if let Some(mut text) = self.planned.remove(sms_id) {
            text.at = self.now;
            text.landed = Landed::Withheld(reason.to_owned());
            self.happened.push(text);
        }
    }
}

/// The event that the rule looked at: the delivered one, or one that it led to.
fn cause_of(root: &Cause, world: &World, run: &Run) -> Cause {
    let chained = world.changes.events.iter().find(|e| e.id == run.event_id);
    let event_type = chained.map_or_else(|| root.event_type.clone(), |e| e.event_type.clone());
    Cause { event_type, ..root.clone() }
}

fn happening(
    cause: &Cause,
    run: &Run,
    rule: &RuleRun,
    step: &PlannedStep,
    action: &Action,
    applied: Option<&Applied>,
) -> Happening {
    let (kind, fields) = named(action);
    let landed = landed(&kind, applied);
    Happening {
        at: run.at,
        rule_id: rule.rule_id.clone(),
        file: rule.file.clone(),
        line: step.line,
        cause: cause.clone(),
        contact_id: run.contact_id.clone(),
        booking_id: step.booking_id.clone().or_else(|| run.booking_id.clone()),
        kind,
        fields,
        landed,
    }
}

fn landed(kind: &str, applied: Option<&Applied>) -> Landed {
    let Some(applied) = applied else { return Landed::Nothing };
    let detail = || applied.detail.clone().unwrap_or_default();
    match applied.result.as_str() {
        "done" if matches!(kind, "close_tasks" | "cancel") && detail().starts_with("0 ") => Landed::Nothing,
        "done" | "scheduled" => Landed::Done,
        "suppressed" => Landed::Withheld(detail()),
        "refused" => Landed::Refused(detail()),
        _ => Landed::Nothing,
    }
}

/// The action by the names it has in rules. Works on its stored form, so that a new kind of step is understood as it comes.
fn named(action: &Action) -> (String, BTreeMap<String, Worth>) {
    let Ok(Json::Object(mut stored)) = serde_json::to_value(action) else { return Default::default() };
    let kind = stored.remove("action").and_then(|k| k.as_str().map(str::to_owned)).unwrap_or_default();
    if kind == "set" {
        let field = stored.remove("field").and_then(|f| f.as_str().map(str::to_owned)).unwrap_or_default();
        let value = stored.remove("value").map_or(Worth::Nothing, |v| worth("value", &v));
        return (kind, [(field, value)].into());
    }
    let kind = if kind == "cancel_sms" { "cancel".to_owned() } else { kind };
    let fields = stored.iter().map(|(name, value)| (rule_name(name).to_owned(), worth(name, value))).collect();
    (kind, fields)
}

fn rule_name(stored: &str) -> &str {
    if stored == "task_type" { "type" } else { stored }
}

/// Stored values that are times, although they look like numbers.
const TIMES: &[&str] = &["due", "until"];

fn worth(name: &str, value: &Json) -> Worth {
    match value {
        Json::Null => Worth::Nothing,
        Json::Bool(b) => Worth::Bool(*b),
        Json::Number(n) if TIMES.contains(&name) => Worth::Time(Timestamp(n.as_i64().unwrap_or_default())),
        Json::Number(n) => Worth::Int(n.as_i64().unwrap_or_default()),
        Json::String(text) => Worth::Text(text.clone()),
        Json::Object(map) => map.get("time").and_then(Json::as_i64).map_or(Worth::Nothing, |t| Worth::Time(Timestamp(t))),
        Json::Array(items) => Worth::Text(items.iter().map(Json::to_string).collect::<Vec<_>>().join(", ")),
    }
}
