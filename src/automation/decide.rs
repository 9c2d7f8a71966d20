//! Decides what one event does: projection, rules, plans, the events that follow. No I/O: a loaded world goes in, a world with
//! all its changes comes out.

use super::apply::{self, Applied, Applying};
use super::project::{self, Projected, Projection};
use super::timer_diff;
use super::world::World;
use crate::domain::booking::Booking;
use crate::domain::clinic::Clinic;
use crate::domain::event::{Actor, Event, EventPayload, EventStatus, Run, RunOutcome, SCHEDULE_DUE, SignatureState, TIMER_DUE};
use crate::domain::ids::derived_id;
use crate::domain::pipeline::Pipelines;
use crate::domain::sms::SmsStatus;
use crate::domain::time::Timestamp;
use crate::engine::facts::{ContactFacts, EventFacts, Facts, FiredBefore, MessageFacts, TOUCHPOINTS_MAX};
use crate::engine::plan::{Outcome, RuleRun, StopReason, StoppedAt};
use crate::engine::timers::{DesiredTimer, TimerVerdict, find_date_trigger, timer_still_due};
use crate::engine::{Ruleset, evaluate};
use crate::store::events::EventResult;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Events that lead to one another, beyond which the chain is cut.
pub const CHAIN_DEPTH_MAX: i32 = 5;
/// Events in all that one delivery may lead to.
pub const CHAIN_EVENTS_MAX: usize = 50;

/// What deciding may look at.
#[derive(Clone, Copy)]
pub struct Deciding<'a> {
    pub ruleset: &'a Ruleset,
    pub revision: i64,
    pub clinic: &'a Clinic,
    pub pipelines: &'a Pipelines,
    pub now: Timestamp,
    /// Everything that comes in belongs to the demo.
    pub is_demo: bool,
}

/// A run's trace as it is stored: what the engine decided, and what became of each step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTrace {
    #[serde(flatten)]
    pub run: RuleRun,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<Applied>,
}

/// One event on its way through the rules.
struct Step {
    event: Event,
    booking_id: Option<String>,
    message: Option<MessageFacts>,
    /// Recorded by somebody else already (the delivered event), or to be inserted.
    is_root: bool,
}

/// Works one event into the world.
pub fn decide(world: &mut World, root: &Event, with: Deciding<'_>) {
    let projected = meaning(world, root, with);
    let booking_id = projected.booking_id.clone().or_else(|| root.booking_id.clone());
    let mut queue: VecDeque<Step> = VecDeque::new();
    for name in &projected.names {
        let is_root = *name == root.event_type;
        let event = if is_root { root.clone() } else { chained(root, name, world, booking_id.as_deref(), queue.len(), with.now) };
        let step = Step { event, booking_id: booking_id.clone(), message: projected.message.clone(), is_root };
        queue.push_back(step);
    }
    let mut total = queue.len();
    while let Some(step) = queue.pop_front() {
        let caused = evaluate_event(world, &step, with);
        for (name, booking) in caused {
            if !with.ruleset.by_event.contains_key(&name) || total >= CHAIN_EVENTS_MAX {
                continue;
            }
            total += 1;
            let event = chained(&step.event, &name, world, booking.as_deref(), total, with.now);
            queue.push_back(Step { event, booking_id: booking, message: None, is_root: false });
        }
        finish(world, step, with);
    }
    finish_root(world, root, &projected, booking_id, with);
    queue_new_sms(world, with.now);
    timer_diff::derive(world, with.ruleset, with.now);
    if world.changes.contact
        && let Some(contact) = &mut world.contact
    {
        contact.version += 1;
    }
}

/// What the event means; a timer means what its rule says it still does.
fn meaning(world: &mut World, root: &Event, with: Deciding<'_>) -> Projected {
    match (root.event_type.as_str(), &root.payload.timer) {
        (TIMER_DUE, Some(_)) => due_timer(world, root, with),
        (SCHEDULE_DUE, _) => {
            Projected { names: vec![SCHEDULE_DUE.into()], booking_id: root.booking_id.clone(), ..Projected::default() }
        }
        _ => project::project(world, Projection { clinic: with.clinic, event: root, now: with.now, is_demo: with.is_demo }),
    }
}

/// A timer is asked again when it is due: an appointment that moved, a rule that changed, are seen here.
fn due_timer(world: &mut World, root: &Event, with: Deciding<'_>) -> Projected {
    let Some(timer) = &root.payload.timer else { return Projected::default() };
    let gone = |reason: &str| Projected {
        ignored: true,
        nothing_because: Some(reason.to_owned()),
        booking_id: root.booking_id.clone(),
        ..Projected::default()
    };
    let Some(contact) = &world.contact else { return gone("the contact is gone") };
    let bookings: Vec<Arc<Booking>> = world.bookings.iter().cloned().map(Arc::new).collect();
    match timer_still_due(with.ruleset, contact, &bookings, timer, with.now) {
        TimerVerdict::Due => {
            Projected { names: vec![TIMER_DUE.into()], booking_id: root.booking_id.clone(), ..Projected::default() }
        }
        TimerVerdict::Gone => gone("nothing is pending any more: the record or the rule has changed"),
        TimerVerdict::Moved(to) => {
            let contact_id = contact.id.clone();
            if to.occurrence == timer.occurrence || !has_fired(world, &to) {
                world.changes.timers.push(timer_diff::pending(&to, contact_id, with.now));
            }
            gone("the time has moved")
        }
        TimerVerdict::Late => {
            record_late(world, root, with);
            gone("too late")
        }
    }
}

/// Another day may have had its reminder already: the appointment had been there before.
fn has_fired(world: &World, wanted: &DesiredTimer) -> bool {
    world.timers.iter().any(|timer| timer.state == "fired" && timer_diff::same(timer, wanted))
}

fn record_late(world: &mut World, root: &Event, with: Deciding<'_>) {
    let Some(timer) = &root.payload.timer else { return };
    let Some(rule) = with.ruleset.by_id.get(&timer.rule_id).and_then(|i| with.ruleset.rules.get(*i)) else { return };
    let index = find_date_trigger(rule, timer.trigger).map_or(0, |(index, _)| index);
    let run = RuleRun {
        rule_id: rule.id.clone(),
        file: rule.file.to_string(),
        line: rule.line,
        outcome: Outcome::Skipped,
        stopped_at: Some(StoppedAt {
            reason: StopReason::Late,
            path: format!("when/{index}"),
            file: rule.file.to_string(),
            line: rule.line,
            column: 1,
            text: format!("was due {}", timer.due_at.to_rfc3339_in(with.clinic.calendar.tz)),
            values: Vec::new(),
        }),
        steps: Vec::new(),
        ops: 0,
    };
    let booking = root.booking_id.clone();
    record(world, root, booking.as_deref(), run, Vec::new(), with);
}

/// Runs all rules that listen, applies what they planned, and names the events that follow.
fn evaluate_event(world: &mut World, step: &Step, with: Deciding<'_>) -> Vec<(String, Option<String>)> {
    if step.event.depth > CHAIN_DEPTH_MAX {
        return Vec::new();
    }
    let facts = facts(world, step, with.now);
    let mut caused = Vec::new();
    for run in evaluate::evaluate(with.ruleset, &facts, with.now) {
        let run_id = run_id(&step.event, &run.rule_id);
        let name = with
            .ruleset
            .by_id
            .get(&run.rule_id)
            .and_then(|i| with.ruleset.rules.get(*i))
            .map_or(run.rule_id.as_str(), |r| r.name.as_str());
        let applying = Applying {
            clinic: with.clinic,
            pipelines: with.pipelines,
            event: &step.event,
            booking_id: step.booking_id.as_deref(),
            rule_id: &run.rule_id,
            rule_name: name,
            run_id: &run_id,
            revision: with.revision,
            now: with.now,
        };
        let mut applied = Vec::with_capacity(run.steps.len());
        for planned in &run.steps {
            let mut result = apply::apply(world, applying, planned);
            caused.extend(std::mem::take(&mut result.causes).into_iter().map(|name| (name, step.booking_id.clone())));
            applied.push(result);
        }
        record(world, &step.event, step.booking_id.as_deref(), run, applied, with);
    }
    caused
}

fn record(world: &mut World, event: &Event, booking_id: Option<&str>, run: RuleRun, applied: Vec<Applied>, with: Deciding<'_>) {
    let contact_id = world.contact.as_ref().map(|c| c.id.clone());
    let outcome = match run.outcome {
        Outcome::Fired => RunOutcome::Fired,
        Outcome::Skipped => RunOutcome::Skipped,
        Outcome::Failed => RunOutcome::Failed,
    };
    if outcome == RunOutcome::Fired {
        let before = FiredBefore {
            rule_id: run.rule_id.clone(),
            contact_id: contact_id.clone(),
            booking_id: booking_id.map(str::to_owned),
            at: with.now,
        };
        world.fired.insert(0, before);
    }
    let trace = StoredTrace { run, applied };
    world.changes.runs.push(Run {
        id: run_id(event, &trace.run.rule_id),
        event_id: event.id.clone(),
        rule_id: trace.run.rule_id.clone(),
        revision: with.revision,
        outcome,
        contact_id,
        booking_id: booking_id.map(str::to_owned),
        at: with.now,
        trace: serde_json::to_string(&trace).unwrap_or_else(|_| "{}".to_owned()),
    });
}

fn run_id(event: &Event, rule_id: &str) -> String {
    derived_id(event.timestamp, &[&event.id, rule_id, "run"])
}

fn facts(world: &World, step: &Step, now: Timestamp) -> Facts {
    let event = &step.event;
    let next = world.next_booking(now).cloned().map(Arc::new);
    let booking = step.booking_id.as_deref().and_then(|id| world.find_booking(id)).cloned().map(Arc::new);
    Facts {
        event: EventFacts {
            id: event.id.clone(),
            event_type: event.event_type.clone(),
            source: event.source.clone(),
            actor: event.actor,
            timestamp: event.timestamp,
            occurred_at: event.occurred_at,
            depth: u32::try_from(event.depth).unwrap_or(0),
            data: event.payload.data.clone(),
        },
        contact: world.contact.as_ref().map(|contact| {
            Arc::new(ContactFacts {
                contact: contact.clone(),
                touchpoints: world.touchpoints.iter().take(TOUCHPOINTS_MAX).cloned().collect(),
                next_booking: next,
            })
        }),
        booking,
        message: step.message.clone(),
        task: None,
        timer: event.payload.timer.clone(),
        fired: world.fired.clone(),
    }
}

/// An event that another one led to.
fn chained(cause: &Event, name: &str, world: &World, booking_id: Option<&str>, ordinal: usize, now: Timestamp) -> Event {
    let key = format!("{}:{name}:{ordinal}", cause.id);
    Event {
        id: derived_id(cause.timestamp, &[&key]),
        event_type: name.to_owned(),
        source: "rule".into(),
        dedupe_key: key,
        timestamp: cause.timestamp,
        occurred_at: cause.occurred_at,
        actor: if cause.depth == 0 { cause.actor } else { Actor::System },
        signature_state: SignatureState::Internal,
        payload: EventPayload { data: cause.payload.data.clone(), ..EventPayload::default() },
        lane_key: None,
        contact_id: world.contact.as_ref().map(|c| c.id.clone()),
        booking_id: booking_id.map(str::to_owned),
        causation_id: Some(cause.id.clone()),
        depth: cause.depth + 1,
        status: EventStatus::Processed,
        status_reason: None,
        duplicates: 0,
        revision: None,
        processed_at: Some(now),
    }
}

/// Chained events are recorded as they end; the delivered one has its row already.
fn finish(world: &mut World, step: Step, with: Deciding<'_>) {
    if step.is_root {
        return;
    }
    let mut event = step.event;
    if event.depth > CHAIN_DEPTH_MAX {
        event.status = EventStatus::Failed;
        event.status_reason = Some(format!("events led to one another more than {CHAIN_DEPTH_MAX} times"));
    }
    event.revision = Some(with.revision);
    event.contact_id = world.contact.as_ref().map(|c| c.id.clone());
    world.changes.events.push(event);
}

fn finish_root(world: &mut World, root: &Event, projected: &Projected, booking_id: Option<String>, with: Deciding<'_>) {
    let status = match (root.status, projected.ignored) {
        (EventStatus::Quarantined, _) => EventStatus::Quarantined,
        (_, true) => EventStatus::Ignored,
        _ => EventStatus::Processed,
    };
    world.changes.results.push(EventResult {
        event_id: root.id.clone(),
        status,
        status_reason: projected.nothing_because.clone().or_else(|| root.status_reason.clone()),
        contact_id: world.contact.as_ref().map(|c| c.id.clone()),
        booking_id,
        revision: with.revision,
    });
}

/// One job for each new text that may leave.
fn queue_new_sms(world: &mut World, now: Timestamp) {
    for sms in &world.changes.sms {
        if matches!(sms.status, SmsStatus::Queued | SmsStatus::Scheduled) {
            let at = sms.scheduled_at.unwrap_or(now);
            world.changes.jobs.push(super::send::job_for(&sms.id, at));
        }
    }
}
