//! Why an event did what it did, and why other rules did not fire.

use super::decide::StoredTrace;
use super::rulesets::RulesetHost;
use crate::domain::contact::FieldChange;
use crate::domain::event::{Event, Run, RunOutcome, WaitState};
use crate::engine::plan::{Action, FieldValue, Outcome, StopReason, TasksOf, Waiting};
use crate::store::{Conn, Store, StoreResult, events, history, runs, skips, sms, waiting};
use chrono_tz::Tz;

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
    let tz = rules.catalogue().clinic.calendar.tz;
    let mut story = store.read(move |conn| find(conn, &reference, tz)).await?;
    if let (Some(story), Some(in_force)) = (&mut story, rules.current()) {
        let listening = in_force.ruleset.by_event.get(&story.event.event_type).map_or(0, Vec::len);
        story.listening_elsewhere = in_force.ruleset.rules.len().saturating_sub(listening);
    }
    Ok(story)
}

fn find(conn: &mut Conn, reference: &str, tz: Tz) -> StoreResult<Option<Story>> {
    let id = match events::find_ids_by_prefix(conn, reference)?.as_slice() {
        [one] => one.clone(),
        _ => return Ok(None),
    };
    let mut budget = FOLLOWED_MAX;
    tell(conn, &id, tz, &mut budget)
}

fn tell(conn: &mut Conn, id: &str, tz: Tz, budget: &mut usize) -> StoreResult<Option<Story>> {
    let Some(event) = events::find(conn, id)? else { return Ok(None) };
    let mut rules = Vec::new();
    let kept = runs::list_of_event(conn, id)?;
    for run in kept.into_iter().chain(skips::list_of_event(conn, id)?) {
        rules.push(rule_story(conn, run, tz)?);
    }
    // As the rules stand in their files, which is the order they were asked in.
    rules.sort_by(|a: &RuleStory, b| position(a).cmp(&position(b)));
    let mut followed_by = Vec::new();
    for caused in events::list_caused_by(conn, id)? {
        if *budget == 0 {
            break;
        }
        *budget -= 1;
        followed_by.extend(tell(conn, &caused.id, tz, budget)?);
    }
    Ok(Some(Story { event, rules, listening_elsewhere: 0, followed_by }))
}

fn position(story: &RuleStory) -> Option<(&str, usize)> {
    story.trace.as_ref().map(|t| (t.run.file.as_str(), t.run.line))
}

pub(super) fn rule_story(conn: &mut Conn, run: Run, tz: Tz) -> StoreResult<RuleStory> {
    let trace: Option<StoredTrace> = serde_json::from_str(&run.trace).ok();
    let Some(told) = &trace else {
        return Ok(RuleStory { run, trace: None, line: "the trace is no longer kept".into(), place: String::new() });
    };
    let line = match run.outcome {
        RunOutcome::Fired => {
            let changes = match &run.contact_id {
                Some(contact) => history::list_field_changes(conn, contact, &run.id)?,
                None => Vec::new(),
            };
            done(conn, &run.id, told, &changes, tz)?
        }
        RunOutcome::Skipped if !told.run.steps.is_empty() => {
            let planned: Vec<String> = told.run.steps.iter().filter_map(|s| s.action.as_ref().map(name_of)).collect();
            format!("{}: {}", stopped(told), planned.join(", "))
        }
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
        StopReason::Disabled | StopReason::Paused | StopReason::Rollout => at.text.clone(),
        StopReason::Shadow => "planned only (rollout: shadow)".into(),
        StopReason::Unhandled => "another rule dealt with it".into(),
        StopReason::Running => format!("not begun: {}", at.text),
        StopReason::Late => format!("too late: {}", at.text),
        StopReason::Error => format!("failed: {}", at.text),
    }
}

/// `moved to booking_confirmed, text booking_confirmation (delivered), task welcome_call`.
fn done(conn: &mut Conn, run_id: &str, trace: &StoredTrace, changes: &[FieldChange], tz: Tz) -> StoreResult<String> {
    let mut parts: Vec<String> = trace.run.resumes.iter().map(|first| format!("goes on with run {first}")).collect();
    for step in &trace.run.steps {
        let Some(action) = &step.action else { continue };
        let applied = trace.applied.iter().find(|a| a.path == step.path);
        let mut part = name_of(action);
        if let Some(booking) = &step.booking_id {
            part = format!("{part} for booking {booking}");
        }
        if let Action::Set { field, .. } = action
            && let Some(change) = changes.iter().find(|c| c.field == *field)
        {
            let value = |v: &Option<String>| v.clone().unwrap_or_else(|| "nothing".to_owned());
            part = format!("{field} {} → {}", value(&change.from), value(&change.to));
        }
        match applied.map(|a| (a.result.as_str(), a.detail.as_deref())) {
            Some(("done" | "scheduled", Some(id))) if matches!(action, Action::Sms { .. }) => {
                let status = sms::find(conn, id)?.map_or("planned", |s| s.status.as_str());
                part = format!("{part} ({status})");
            }
            Some(("done", _)) | None => {}
            Some((result, Some(detail))) if result != "scheduled" => part = format!("{part} ({result}: {detail})"),
            Some((result, _)) => part = format!("{part} ({result})"),
        }
        if let Some(broken) = applied.and_then(|a| a.promises.iter().find(|p| p.then != "block")) {
            part = format!("{part} [promise {}: {}]", broken.id, broken.then);
        }
        parts.push(part);
    }
    if let Some(waiting) = &trace.run.waiting {
        parts.push(waits(conn, run_id, waiting, tz)?);
    }
    let line = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
    Ok(if trace.run.outcome == Outcome::Fired { line } else { String::new() })
}

/// `waits for booking_created, at the latest until Tue 24 Nov 2026 10:00: went on with event 0190…`.
fn waits(conn: &mut Conn, run_id: &str, waiting: &Waiting, tz: Tz) -> StoreResult<String> {
    let event = waiting.event.as_ref().map(|name| format!("for {name}, at the latest ")).unwrap_or_default();
    let what = format!("waits {event}until {}", waiting.until.local(tz).format("%a %-d %b %Y %H:%M"));
    let stored = waiting::list_of_runs(conn, &[run_id.to_owned()])?;
    let Some(row) = stored.iter().find(|w| w.position == waiting.path) else { return Ok(what) };
    Ok(match (row.state, &row.resumed_by, &row.reason) {
        (WaitState::Resumed, Some(event), _) => format!("{what}: went on with event {event}"),
        (WaitState::Ended, _, Some(reason)) => format!("{what}: ended, {reason}"),
        _ => what,
    })
}

pub(super) fn name_of(action: &Action) -> String {
    match action {
        Action::Move { pipeline, stage } => format!("move to {pipeline}/{stage}"),
        Action::Sms { template, .. } => format!("text {template}"),
        Action::Task { task_type, .. } => format!("task {task_type}"),
        Action::CloseTasks { task_type, of, .. } => {
            let whose = if *of == TasksOf::Contact { " of the contact" } else { "" };
            format!("close {} tasks{whose}", task_type.as_deref().unwrap_or("all"))
        }
        Action::Set { field, value } => format!("set {field} = {}", value_text(value)),
        Action::Note { .. } => "note".into(),
        Action::Stop { reason: None } => "stop".into(),
        Action::Stop { reason: Some(reason) } => format!("stop: {reason}"),
        Action::Alert { assign, .. } => format!("alert {assign}"),
        Action::Emit { event, .. } => format!("send {event}"),
        Action::Tag { tag } => format!("tag {tag}"),
        Action::Untag { tag } => format!("untag {tag}"),
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
