//! Decides what one event does: projection, rules, plans, the events that follow. No I/O: a loaded world goes in, a world with
//! all its changes comes out.

use super::apply::{self, Applied, Applying, Caused};
use super::guard;
use super::opt_out;
use super::project::{self, Projected, Projection};
use super::skips;
use super::staff_work;
use super::timer_diff;
use super::waits::{self, Memory, Origin, Part, Pinned};
use super::world::World;
use crate::domain::booking::Booking;
use crate::domain::clinic::Clinic;
use crate::domain::event::{
    Actor, Event, EventPayload, EventStatus, MANUAL_RUN, Run, RunOutcome, SCHEDULE_DUE, SignatureState, TIMER_DUE, WAIT_DUE,
    WAIT_OVER,
};
use crate::domain::ids::derived_id;
use crate::domain::pipeline::Pipelines;
use crate::domain::rule_override::Overrides;
use crate::domain::skip::{self, SkippedEvent};
use crate::domain::sms::SmsStatus;
use crate::domain::time::Timestamp;
use crate::engine::facts::{Asked, EventFacts, Facts, FiredBefore, MessageFacts, RunningNow};
use crate::engine::plan::{Outcome, RuleRun, StopReason, StoppedAt};
use crate::engine::timers::{DesiredTimer, TimerVerdict, find_date_trigger, still_due};
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
    /// Rules that are switched off whatever their file says.
    pub overrides: &'a Overrides,
    pub revision: i64,
    pub clinic: &'a Clinic,
    pub pipelines: &'a Pipelines,
    pub now: Timestamp,
    /// Everything that comes in belongs to the demo.
    pub is_demo: bool,
    /// The rulesets that waiting runs of this contact began with.
    pub pinned: &'a Pinned,
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
    task_id: Option<String>,
    asked: Asked,
    /// The waiting run that goes on, and what it waited for.
    goes_on: Option<(String, &'static str)>,
}

impl Step {
    fn new(event: Event, booking_id: Option<String>, is_root: bool) -> Self {
        let task_id = event.payload.task_id.clone();
        Self { event, booking_id, message: None, is_root, task_id, asked: Asked::Listening, goes_on: None }
    }
}

/// An event that a step leads to, and what it is about.
struct Next {
    caused: Caused,
    booking_id: Option<String>,
    /// The waiting run that goes on by it.
    goes_on: Option<String>,
}

/// Works one event into the world.
pub fn decide(world: &mut World, root: &Event, with: Deciding<'_>) {
    let projected = meaning(world, root, with);
    let booking_id = projected.booking_id.clone().or_else(|| root.booking_id.clone());
    let mut queue = first_steps(world, root, &projected, booking_id.as_deref(), with.now);
    let is_understood = !projected.ignored && root.status != EventStatus::Quarantined;
    if is_understood && !projected.names.contains(&root.event_type) && with.ruleset.by_source.contains_key(&root.source) {
        // Listened to by its source, whatever it turned out to mean.
        queue.push_front(Step { asked: Asked::BySource, ..Step::new(root.clone(), booking_id.clone(), true) });
    }
    let mut total = queue.len();
    while let Some(step) = queue.pop_front() {
        for next in evaluate_event(world, &step, with) {
            if total >= CHAIN_EVENTS_MAX {
                continue;
            }
            total += 1;
            let mut event = chained(&step.event, &next.caused.name, world, next.booking_id.as_deref(), total, with.now);
            event.payload.data.extend(next.caused.data);
            event.payload.task_id = next.caused.task_id;
            let goes_on = next.goes_on.map(|id| (id, "event"));
            queue.push_back(Step { goes_on, ..Step::new(event, next.booking_id, false) });
        }
        finish(world, step, with);
    }
    opt_out::acknowledge(world, root, with);
    finish_root(world, root, &projected, booking_id, with);
    queue_new_sms(world, with.now);
    waits::settle(world, with.ruleset, with.now);
    timer_diff::derive(world, with.ruleset, with.now);
    world.raise_version();
}

/// The events that the delivered one turned out to be.
fn first_steps(world: &World, root: &Event, projected: &Projected, booking_id: Option<&str>, now: Timestamp) -> VecDeque<Step> {
    let mut queue: VecDeque<Step> = VecDeque::new();
    for name in &projected.names {
        let is_root = *name == root.event_type;
        let mut event = if is_root { root.clone() } else { chained(root, name, world, booking_id, queue.len(), now) };
        event.payload.data.extend(projected.data.clone());
        let mut step = Step { message: projected.message.clone(), ..Step::new(event, booking_id.map(str::to_owned), is_root) };
        match (root.event_type.as_str(), &root.payload.waiting_id, &root.payload.rule_id) {
            (WAIT_DUE, Some(id), _) => step.goes_on = Some((id.clone(), "time")),
            (MANUAL_RUN, _, Some(rule)) => step.asked = Asked::One(rule.clone()),
            _ => {}
        }
        queue.push_back(step);
    }
    queue
}

/// What the event means; a timer means what its rule says it still does.
fn meaning(world: &mut World, root: &Event, with: Deciding<'_>) -> Projected {
    if let Some(action) = &root.payload.action {
        return staff_work::carry_out(world, root, action, with);
    }
    match (root.event_type.as_str(), &root.payload.timer) {
        (TIMER_DUE, Some(_)) => due_timer(world, root, with),
        (SCHEDULE_DUE, _) => Projected::of(root),
        (WAIT_DUE, _) => waits_still(world, root),
        (MANUAL_RUN, _) => asked_by_hand(root, with.ruleset),
        _ => project::project(world, Projection { clinic: with.clinic, event: root, now: with.now, is_demo: with.is_demo }),
    }
}

/// The run may have gone on, or ended, since its time was up.
fn waits_still(world: &World, root: &Event) -> Projected {
    let waits = |id: &String| world.waiting.iter().any(|w| w.id == *id && w.state.is_running());
    if root.payload.waiting_id.as_ref().is_some_and(waits) {
        Projected::of(root)
    } else {
        Projected::ignored("nobody waits any more")
    }
}

/// The rule may be another one since somebody asked for it.
fn asked_by_hand(root: &Event, ruleset: &Ruleset) -> Projected {
    let rule = root.payload.rule_id.as_deref().and_then(|id| ruleset.find_rule(id));
    match rule.map(|rule| rule.manual().is_some()) {
        Some(true) => Projected::of(root),
        Some(false) => Projected::ignored("the rule cannot be set off by hand"),
        None => Projected::ignored("there is no such rule"),
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
    let Some(contact) = world.contact_facts(with.now) else { return gone("the contact is gone") };
    let bookings: Vec<Arc<Booking>> = world.bookings.iter().cloned().map(Arc::new).collect();
    let stored = world.timers.iter().find(|t| timer_diff::is_of(t, timer));
    match still_due(with.ruleset, &contact, &bookings, timer, stored.map(|t| t.due_at), with.now) {
        TimerVerdict::Due => Projected::of(root),
        TimerVerdict::Gone => gone("nothing is pending any more: the record or the rule has changed"),
        TimerVerdict::Moved(to) => {
            let contact_id = contact.contact.id.clone();
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
        waiting: None,
        resumes: None,
        trigger: String::new(),
        ops: 0,
    };
    let booking = root.booking_id.clone();
    record(world, root, booking.as_deref(), run, Vec::new(), with.revision, with);
}

/// Runs all rules that listen, applies what they planned, and names the events that follow.
fn evaluate_event(world: &mut World, step: &Step, with: Deciding<'_>) -> Vec<Next> {
    if step.event.depth > CHAIN_DEPTH_MAX {
        return Vec::new();
    }
    if let Some((id, waited)) = &step.goes_on {
        return match waits::go_on(world, id, waited, &step.event, with) {
            Some(part) => carry_out(world, step, part, with),
            None => Vec::new(),
        };
    }
    let awaiting = waits::awaiting(world, &step.event, step.booking_id.as_deref());
    let facts = event_facts(world, step, with.now);
    let mut caused = Vec::new();
    for run in evaluate::evaluate_with(with.ruleset, with.overrides, &facts, with.now) {
        let origin = Origin {
            memory: Memory::of(&facts),
            event_id: step.event.id.clone(),
            first_run_id: run_id(&step.event, &run.rule_id),
            revision: with.revision,
            booking_id: step.booking_id.clone(),
        };
        caused.extend(carry_out(world, step, Part { run, origin }, with));
    }
    for id in awaiting {
        let booking_id = world.waiting.iter().find(|w| w.id == id).and_then(|w| w.booking_id.clone());
        caused.push(Next { caused: Caused::named(WAIT_OVER), booking_id, goes_on: Some(id) });
    }
    caused
}

/// Applies what a run planned, writes it down, and names the events that follow.
fn carry_out(world: &mut World, step: &Step, part: Part, with: Deciding<'_>) -> Vec<Next> {
    let Part { run, origin } = part;
    let run_id = run_id(&step.event, &run.rule_id);
    let name = with.ruleset.find_rule(&run.rule_id).map_or_else(|| run.rule_id.clone(), |rule| rule.name.clone());
    let booking_id = origin.booking_id.clone();
    if run.outcome == Outcome::Fired && run.resumes.is_none() && waits::restarts(with.ruleset, &run.rule_id) {
        waits::restart(world, &run.rule_id, booking_id.as_deref(), with.now);
    }
    let applying = Applying {
        ruleset: with.ruleset,
        clinic: with.clinic,
        pipelines: with.pipelines,
        event: &step.event,
        booking_id: booking_id.as_deref(),
        task_id: origin.memory.task_id(),
        rule_id: &run.rule_id,
        rule_name: &name,
        run_id: &run_id,
        revision: origin.revision,
        now: with.now,
    };
    let mut caused: Vec<Next> = Vec::new();
    // A plan in the shadow is only told.
    let steps = if run.outcome == Outcome::Fired { run.steps.as_slice() } else { &[] };
    let mut applied = Vec::with_capacity(steps.len());
    for planned in steps {
        let about = planned.booking_id.as_deref().or(booking_id.as_deref());
        let mut result = apply::apply(world, Applying { booking_id: about, ..applying }, planned);
        let causes = std::mem::take(&mut result.causes).into_iter();
        caused.extend(causes.map(|caused| Next { caused, booking_id: about.map(str::to_owned), goes_on: None }));
        applied.push(result);
    }
    waits::begin(world, &run, &run_id, &origin, with.now);
    let stands_in_line = run.stopped_at.as_ref().is_some_and(|at| at.reason == StopReason::Running);
    if stands_in_line && waits::queues(with.ruleset, &run.rule_id) {
        waits::queue(world, &run, &run_id, &origin, with.now);
    }
    record(world, &step.event, booking_id.as_deref(), run, applied, origin.revision, with);
    let is_heard = |name: &str| with.ruleset.by_event.contains_key(name) || waits::is_awaited(world, name);
    caused.retain(|next| next.caused.of_rule || is_heard(&next.caused.name));
    caused
}

fn record(
    world: &mut World,
    event: &Event,
    booking_id: Option<&str>,
    run: RuleRun,
    applied: Vec<Applied>,
    revision: i64,
    with: Deciding<'_>,
) {
    let contact_id = world.contact.as_ref().map(|c| c.id.clone());
    let outcome = match run.outcome {
        Outcome::Fired => RunOutcome::Fired,
        Outcome::Skipped => RunOutcome::Skipped,
        Outcome::Failed => RunOutcome::Failed,
    };
    // What is planned in the shadow counts for the rule's limit, as it would if it were done.
    let is_shadow = run.stopped_at.as_ref().is_some_and(|s| s.reason == StopReason::Shadow);
    if (outcome == RunOutcome::Fired || is_shadow) && run.resumes.is_none() {
        let before = FiredBefore {
            rule_id: run.rule_id.clone(),
            contact_id: contact_id.clone(),
            booking_id: booking_id.map(str::to_owned),
            at: with.now,
        };
        world.fired.insert(0, Arc::new(before));
    }
    if outcome == RunOutcome::Failed
        && let Some(rule) = with.ruleset.by_id.get(&run.rule_id).and_then(|i| with.ruleset.rules.get(*i))
    {
        let id = run_id(event, &run.rule_id);
        world.changes.failures.push(guard::failure(rule, &run, &id, revision, with.clinic, with.now));
    }
    // What stands in line will go on from here.
    let is_awaited = world.waiting.iter().any(|w| w.run_id == run_id(event, &run.rule_id));
    if let Some(rule) = skips::compact(&run).filter(|_| !is_awaited) {
        world.changes.skip(SkippedEvent {
            event_id: event.id.clone(),
            revision,
            contact_id: contact_id.clone(),
            booking_id: booking_id.map(str::to_owned),
            at: with.now,
            rules: vec![rule],
        });
    }
    let trace = StoredTrace { run, applied };
    world.changes.runs.push(Run {
        id: run_id(event, &trace.run.rule_id),
        event_id: event.id.clone(),
        rule_id: trace.run.rule_id.clone(),
        revision,
        outcome,
        contact_id,
        booking_id: booking_id.map(str::to_owned),
        at: with.now,
        trace: serde_json::to_string(&trace).unwrap_or_else(|_| "{}".to_owned()),
        resumes: trace.run.resumes,
    });
}

fn run_id(event: &Event, rule_id: &str) -> String {
    skip::run_id(&event.id, rule_id)
}

fn event_facts(world: &World, step: &Step, now: Timestamp) -> Facts {
    let event = &step.event;
    let seen = EventFacts {
        id: event.id.clone(),
        event_type: event.event_type.clone(),
        source: event.source.clone(),
        actor: event.actor,
        timestamp: event.timestamp,
        occurred_at: event.occurred_at,
        depth: u32::try_from(event.depth).unwrap_or(0),
        data: event.payload.data.clone(),
    };
    let facts = facts(world, seen, step.booking_id.as_deref(), step.message.clone(), step.task_id.as_deref(), now);
    Facts { timer: event.payload.timer.clone(), asked: step.asked.clone(), ..facts }
}

/// What rules see of an event and of the records as they are now.
pub(super) fn facts(
    world: &World,
    event: EventFacts,
    booking_id: Option<&str>,
    message: Option<MessageFacts>,
    task_id: Option<&str>,
    now: Timestamp,
) -> Facts {
    let running = world.waiting.iter().filter(|w| w.state.is_running());
    Facts {
        event,
        contact: world.contact_facts(now),
        booking: booking_id.and_then(|id| world.find_booking(id)).cloned().map(Arc::new),
        message,
        task: task_id.and_then(|id| world.find_task(id)).cloned().map(Arc::new),
        timer: None,
        fired: world.fired.clone(),
        running: running.map(|w| RunningNow { rule_id: w.rule_id.clone(), booking_id: w.booking_id.clone() }).collect(),
        asked: Asked::Listening,
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
