//! Why an event did what it did, and why other rules did not fire.

use super::decide::StoredTrace;
use super::rulesets::RulesetHost;
use crate::domain::event::{Event, Run, RunOutcome};
use crate::engine::plan::{Action, FieldValue, Outcome, StopReason};
use crate::store::{Conn, Store, StoreResult, events, runs, sms};

/// Events that one event led to, beyond which the answer stops.
const FOLLOWED_MAX: usize = 100;

/// The whole story of one event.
#[derive(Debug)]
pub struct Story {
    pub event: Event,
    pub rules: Vec<RuleStory>,
    /// Rules of the ruleset in force that listen to other events.
    pub listening_elsewhere: usize,
    /// The events that this one led to.
    pub followed_by: Vec<Story>,
}

/// What one rule made of the event.
#[derive(Debug)]
pub struct RuleStory {
    pub run: Run,
    pub trace: Option<StoredTrace>,
    /// One line: what was done, or what stopped the rule and the value it saw.
    pub line: String,
    /// `rules/bookings.yaml:16:9`.
    pub place: String,
}

/// Tells the story of an event; `reference` is its id or the unambiguous beginning of one.
pub async fn why(store: &Store, rules: &RulesetHost, reference: &str) -> StoreResult<Option<Story>> {
    let reference = reference.to_owned();
    let mut story = store.read(move |conn| find(conn, &reference)).await?;
    if let (Some(story), Some(in_force)) = (&mut story, rules.current()) {
        let listening = in_force.ruleset.by_event.get(&story.event.event_type).map_or(0, Vec::len);
        story.listening_elsewhere = in_force.ruleset.rules.len().saturating_sub(listening);
    }
    Ok(story)
}

fn find(conn: &mut Conn, reference: &str) -> StoreResult<Option<Story>> {
    let id = match events::find_ids_by_prefix(conn, reference)?.as_slice() {
        [one] => one.clone(),
        _ => return Ok(None),
    };
    let mut budget = FOLLOWED_MAX;
    tell(conn, &id, &mut budget)
}

fn tell(conn: &mut Conn, id: &str, budget: &mut usize) -> StoreResult<Option<Story>> {
    let Some(event) = events::find(conn, id)? else { return Ok(None) };
    let mut rules = Vec::new();
    for run in runs::list_of_event(conn, id)? {
        rules.push(rule_story(conn, run)?);
    }
    // As the rules stand in their files, which is the order they were asked in.
    rules.sort_by(|a: &RuleStory, b| position(a).cmp(&position(b)));
    let mut followed_by = Vec::new();
    for caused in events::list_caused_by(conn, id)? {
        if *budget == 0 {
            break;
        }
        *budget -= 1;
        followed_by.extend(tell(conn, &caused.id, budget)?);
    }
    Ok(Some(Story { event, rules, listening_elsewhere: 0, followed_by }))
}

fn position(story: &RuleStory) -> Option<(&str, usize)> {
    story.trace.as_ref().map(|t| (t.run.file.as_str(), t.run.line))
}

fn rule_story(conn: &mut Conn, run: Run) -> StoreResult<RuleStory> {
    let trace: Option<StoredTrace> = serde_json::from_str(&run.trace).ok();
    let Some(told) = &trace else {
        return Ok(RuleStory { run, trace: None, line: "the trace is no longer kept".into(), place: String::new() });
    };
    let line = match run.outcome {
        RunOutcome::Fired => done(conn, told)?,
        RunOutcome::Skipped | RunOutcome::Failed => stopped(told),
    };
    let place = match &told.run.stopped_at {
        Some(at) => format!("{}:{}:{}", at.file, at.line, at.column),
        None => format!("{}:{}", told.run.file, told.run.line),
    };
    Ok(RuleStory { run, trace, line, place })
}

/// `contact.is_existing_patient was true, needs not contact.is_existing_patient`.
pub(super) fn stopped(trace: &StoredTrace) -> String {
    let Some(at) = &trace.run.stopped_at else { return String::new() };
    let seen: Vec<String> = at.values.iter().map(|v| format!("{} was {}", v.path, v.value)).collect();
    let seen = if seen.is_empty() { String::new() } else { format!("{}; ", seen.join(", ")) };
    match at.reason {
        StopReason::While | StopReason::If => format!("{seen}needs {}", at.text),
        StopReason::Limited => format!("limited: {}", at.text),
        StopReason::Disabled => "the rule is switched off".into(),
        StopReason::Unhandled => "another rule dealt with it".into(),
        StopReason::Late => format!("too late: {}", at.text),
        StopReason::Error => format!("failed: {}", at.text),
    }
}

/// `moved to booking_confirmed, text booking_confirmation (delivered), task welcome_call`.
fn done(conn: &mut Conn, trace: &StoredTrace) -> StoreResult<String> {
    let mut parts = Vec::new();
    for step in &trace.run.steps {
        let Some(action) = &step.action else { continue };
        let applied = trace.applied.iter().find(|a| a.path == step.path);
        let mut part = name_of(action);
        match applied.map(|a| (a.result.as_str(), a.detail.as_deref())) {
            Some(("done" | "scheduled", Some(id))) if matches!(action, Action::Sms { .. }) => {
                let status = sms::find(conn, id)?.map_or("planned", |s| s.status.as_str());
                part = format!("{part} ({status})");
            }
            Some(("done", _)) | None => {}
            Some((result, Some(detail))) if result != "scheduled" => part = format!("{part} ({result}: {detail})"),
            Some((result, _)) => part = format!("{part} ({result})"),
        }
        parts.push(part);
    }
    let line = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
    Ok(if trace.run.outcome == Outcome::Fired { line } else { String::new() })
}

fn name_of(action: &Action) -> String {
    match action {
        Action::Move { pipeline, stage } => format!("move to {pipeline}/{stage}"),
        Action::Sms { template, .. } => format!("text {template}"),
        Action::Task { task_type, .. } => format!("task {task_type}"),
        Action::CloseTasks { task_type, .. } => format!("close {} tasks", task_type.as_deref().unwrap_or("all")),
        Action::Set { field, value } => format!("set {field} = {}", value_text(value)),
        Action::Note { .. } => "note".into(),
        Action::CancelSms { template } => format!("withdraw {} texts", template.as_deref().unwrap_or("unsent")),
    }
}

fn value_text(value: &FieldValue) -> String {
    match value {
        FieldValue::Nothing => "nothing".into(),
        FieldValue::Bool(b) => b.to_string(),
        FieldValue::Int(i) => i.to_string(),
        FieldValue::Text(t) => t.clone(),
        FieldValue::Time { time } => time.to_rfc3339(),
    }
}
