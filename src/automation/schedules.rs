//! `every` triggers: slots of time become evaluations, for the clinic as a whole or for each contact or booking.

use super::commit::{Decision, commit};
use super::context::Automation;
use super::load::load;
use super::promises;
use super::rulesets::InForce;
use super::run::{Worked, decide_one};
use super::skips;
use super::world::World;
use crate::domain::event::{Event, EventPayload, EventStatus, SCHEDULE_DUE, SubjectKind, TimerInput};
use crate::domain::ids::derived_id;
use crate::domain::job::{ClaimedJob, NewJob};
use crate::domain::skip::{SkippedEvent, SkippedRule};
use crate::domain::time::{Millis, Timestamp};
use crate::engine::Ruleset;
use crate::engine::ruleset::Every;
use crate::engine::timers::{RuleSchedule, schedules};
use crate::store::{Conn, StoreError, StoreResult, Tx, bookings, contacts, jobs, schedules as stored};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

pub const KIND: &str = "run_schedule";
/// Subjects that are evaluated and written together.
const PAGE_MAX: i64 = 200;
/// Schedules of rules have this prefix; others belong to the program.
const PREFIX: &str = "rule:";

/// A schedule that a ruleset asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    name: String,
    pub(super) expression: String,
    pub(super) zone: String,
    payload: String,
}

/// What a job of this kind carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    data: Payload,
    /// Epoch milliseconds.
    slot: i64,
}

/// Which rule's trigger, and where its walk over the subjects is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Payload {
    rule_id: String,
    trigger: i32,
    #[serde(default)]
    each: Option<SubjectKind>,
    #[serde(default)]
    late_ms: i64,
    /// The last subject of the page before.
    #[serde(default)]
    after: String,
}

/// The schedules that a ruleset asks for.
pub fn wanted(ruleset: &Ruleset) -> Vec<Wanted> {
    schedules(ruleset).into_iter().map(|s| wanted_one(&s)).collect()
}

pub(super) fn wanted_one(schedule: &RuleSchedule) -> Wanted {
    let (expression, zone) = match &schedule.every {
        Every::Cron { expression, tz } => (expression.clone(), tz.name().to_owned()),
        Every::Interval(span) => (format!("@every {}s", span.0 / 1_000), "UTC".to_owned()),
    };
    let payload = payload_of(schedule);
    Wanted { name: schedule.name.clone(), expression, zone, payload: serde_json::to_string(&payload).unwrap_or_default() }
}

fn payload_of(schedule: &RuleSchedule) -> Payload {
    Payload {
        rule_id: schedule.rule_id.clone(),
        trigger: schedule.trigger,
        each: schedule.each,
        late_ms: schedule.late.0,
        after: String::new(),
    }
}

/// Makes the stored schedules of rules equal to what is wanted.
pub fn store(tx: &mut Tx<'_>, wanted: &[Wanted], now: Timestamp) -> StoreResult<()> {
    for known in stored::list(tx)? {
        if known.name.starts_with(PREFIX) && !wanted.iter().any(|w| w.name == known.name) {
            stored::remove(tx, &known.name)?;
        }
    }
    for schedule in wanted {
        let row = stored::ScheduleSpec {
            name: schedule.name.clone(),
            expr: schedule.expression.clone(),
            tz: schedule.zone.clone(),
            misfire: stored::Misfire::Once,
            queue: "maintenance".to_owned(),
            kind: KIND.to_owned(),
            payload: schedule.payload.clone(),
        };
        stored::upsert(tx, &row, now)?;
    }
    Ok(())
}

/// Works one page of a slot, and leaves the next page to a new job.
pub async fn run(context: &Automation, job: ClaimedJob) -> (ClaimedJob, Worked) {
    let worked = match page(context, &job).await {
        Ok(()) => Worked::Completed,
        Err(error) => super::derive::not_worked(&error),
    };
    (job, worked)
}

async fn page(context: &Automation, job: &ClaimedJob) -> StoreResult<()> {
    let payload: Slot = serde_json::from_str(&job.payload).map_err(|e| StoreError::Statement(e.to_string()))?;
    // Whoever published may have been another process, a moment ago.
    context.rules.follow().await?;
    let Some(in_force) = context.rules.current() else { return Err(StoreError::NotFound { what: "ruleset" }) };
    let now = context.clock.now();
    let (owned, held) = (context.clone(), job.clone());
    let decided = context
        .store
        .read(move |conn| decide_page(conn, &owned, &in_force, &payload.data, Timestamp(payload.slot), held, now))
        .await?;
    let broken: Vec<String> = decided.0.iter().flat_map(|d| d.world.changes.promises_broken.iter().cloned()).collect();
    context
        .store
        .write(move |tx| {
            commit(tx, &decided.0, now)?;
            if let Some(next) = decided.1 {
                jobs::enqueue(tx, &next, now)?;
            }
            StoreResult::Ok(())
        })
        .await?;
    promises::count_broken(&broken);
    Ok(())
}

fn decide_page(
    conn: &mut Conn,
    context: &Automation,
    in_force: &Arc<InForce>,
    payload: &Payload,
    slot: Timestamp,
    job: ClaimedJob,
    now: Timestamp,
) -> StoreResult<(Vec<Decision>, Option<NewJob>)> {
    let (subjects, has_more) = one_of_each_contact(subjects(conn, payload, now)?);
    let next = has_more.then(|| next_page(payload, slot, &subjects));
    let events = subjects.iter().map(|(id, contact)| event_of(payload, slot, id.as_deref(), contact.as_deref())).collect();
    let mut skipped = Vec::new();
    let mut decisions = Vec::new();
    let loaded = load(conn, events, &in_force.ruleset, now)?;
    let pinned = context.rules.pinned(conn, in_force, loaded.iter().flat_map(|l| &l.world.waiting))?;
    for loaded in loaded {
        let event = loaded.event.clone();
        let mut world = decide_one(loaded, context, in_force, &pinned, now);
        // Subjects that the rule had nothing to do with are only counted: there may be thousands of them every day.
        if world.changes.are_only_skips() {
            skips::fold(&mut skipped, world.changes.skips.into_iter().flat_map(|s| s.rules).collect());
            continue;
        }
        world.changes.results.clear();
        world.changes.events.insert(0, recorded(event, in_force.number, &world, now));
        decisions.push(Decision { job: None, world });
    }
    decisions.insert(0, Decision { job: Some(job), world: page_of_skips(payload, slot, skipped, in_force.number, now) });
    Ok((decisions, next))
}

/// A world in which nothing happened, but for the skips of one page of a slot.
fn page_of_skips(payload: &Payload, slot: Timestamp, rules: Vec<SkippedRule>, revision: i64, now: Timestamp) -> World {
    let mut world = World::default();
    if !rules.is_empty() {
        let event_id = derived_id(slot, &["skipped", &payload.rule_id, &payload.trigger.to_string(), &payload.after]);
        world.changes.skip(SkippedEvent { event_id, revision, contact_id: None, booking_id: None, at: now, rules });
    }
    world
}

/// A page ends before a contact comes a second time: its second evaluation must see what the first one wrote.
fn one_of_each_contact(mut subjects: Vec<Subject>) -> (Vec<Subject>, bool) {
    let mut seen = HashSet::new();
    let found = subjects.len();
    let count = subjects.iter().take_while(|(_, contact)| contact.as_ref().is_none_or(|c| seen.insert(c.clone()))).count();
    subjects.truncate(count);
    (subjects, count < found || found as i64 == PAGE_MAX)
}

type Subject = (Option<String>, Option<String>);

fn subjects(conn: &mut Conn, payload: &Payload, now: Timestamp) -> StoreResult<Vec<Subject>> {
    match payload.each {
        Some(SubjectKind::Contact) => {
            let ids = contacts::list_ids_after(conn, &payload.after, PAGE_MAX)?;
            Ok(ids.into_iter().map(|id| (Some(id.clone()), Some(id))).collect())
        }
        Some(SubjectKind::Booking) => {
            let ids = bookings::list_ids_after(conn, now - super::load::BOOKINGS_PAST_MAX, &payload.after, PAGE_MAX)?;
            Ok(ids.into_iter().map(|(id, contact)| (Some(id), Some(contact))).collect())
        }
        _ => Ok(vec![(None, None)]),
    }
}

fn next_page(payload: &Payload, slot: Timestamp, subjects: &[Subject]) -> NewJob {
    let after = subjects.last().and_then(|(id, _)| id.clone()).unwrap_or_default();
    let next = Slot { data: Payload { after, ..payload.clone() }, slot: slot.0 };
    NewJob {
        queue: "maintenance",
        kind: KIND,
        priority: 2,
        run_at: Timestamp(0),
        max_attempts: 10,
        timeout: Millis::seconds(120),
        lane_key: None,
        unique_key: None,
        event_id: None,
        payload: serde_json::to_string(&next).unwrap_or_default(),
    }
}

/// The event of a schedule's slot for one subject.
pub(super) fn slot_event(schedule: &RuleSchedule, slot: Timestamp, subject: Option<&str>, contact: Option<&str>) -> Event {
    event_of(&payload_of(schedule), slot, subject, contact)
}

fn event_of(payload: &Payload, slot: Timestamp, subject: Option<&str>, contact: Option<&str>) -> Event {
    let key = format!("{}:{}:{}:{}", payload.rule_id, payload.trigger, subject.unwrap_or("-"), slot.0);
    let kind = payload.each.unwrap_or(SubjectKind::Clinic);
    Event {
        source: "schedule".into(),
        dedupe_key: key.clone(),
        occurred_at: Some(slot),
        payload: EventPayload {
            timer: Some(TimerInput {
                rule_id: payload.rule_id.clone(),
                trigger: payload.trigger,
                subject_kind: kind,
                subject_id: subject.map(str::to_owned),
                contact_id: contact.map(str::to_owned),
                occurrence: slot.to_rfc3339(),
                due_at: slot,
            }),
            ..EventPayload::default()
        },
        contact_id: contact.map(str::to_owned),
        booking_id: (kind == SubjectKind::Booking).then(|| subject.map(str::to_owned)).flatten(),
        status: EventStatus::Processed,
        ..Event::accepted(derived_id(slot, &["schedule", &key]), SCHEDULE_DUE, slot)
    }
}

fn recorded(mut event: Event, revision: i64, world: &super::world::World, now: Timestamp) -> Event {
    event.revision = Some(revision);
    event.processed_at = Some(now);
    event.contact_id = world.contact.as_ref().map(|c| c.id.clone());
    event
}
