//! Turns due timers into events. The event asks the rules again before anything happens, so an old timer never serves a new truth.

use super::waits::Memory;
use crate::domain::contact::Contact;
use crate::domain::event::{
    Actor, ContactInput, Delivery, EventPayload, SignatureState, SubjectKind, TIMER_DUE, Timer, TimerInput, WAIT_DUE, WaitingRun,
    lane_key,
};
use crate::domain::time::Timestamp;
use crate::store::{Cause, Conn, Store, StoreResult, Tx, contacts, record, timers, waiting};
use std::collections::HashMap;

/// Timers that one transaction turns into events.
const BATCH_MAX: i64 = 256;

/// Turns every timer and every wait that is due into an event and its job; answers how many.
pub async fn fire_due(store: &Store, now: Timestamp) -> StoreResult<usize> {
    Ok(fire_timers(store, now).await? + fire_waits(store, now).await?)
}

/// The time of a run that waits is up: the event lets it go on, if it still waits.
async fn fire_waits(store: &Store, now: Timestamp) -> StoreResult<usize> {
    let mut fired = 0;
    loop {
        let due = store
            .read(move |conn| {
                let due = waiting::list_due(conn, now, BATCH_MAX)?;
                let known = contacts_of(conn, due.iter().map(|run| run.contact_id.clone()).collect())?;
                StoreResult::Ok((due, known))
            })
            .await?;
        if due.0.is_empty() {
            return Ok(fired);
        }
        let count = store.write(move |tx| fire_all_waits(tx, &due.0, &due.1, now)).await?;
        fired += count;
        if count == 0 {
            return Ok(fired);
        }
    }
}

fn fire_all_waits(tx: &mut Tx<'_>, due: &[WaitingRun], known: &HashMap<String, Contact>, now: Timestamp) -> StoreResult<usize> {
    let mut count = 0;
    for run in due {
        // Another node may have been faster.
        if waiting::mark_due(tx, run, now)? {
            let (delivery, cause) = due_wait(run, known.get(&run.contact_id));
            record(tx, delivery, now, cause)?;
            count += 1;
        }
    }
    Ok(count)
}

/// The delivery that a wait is when its time is up, and what it comes from.
pub(super) fn due_wait(run: &WaitingRun, contact: Option<&Contact>) -> (Delivery, Cause) {
    let cause = Cause {
        causation_id: Some(run.event_id.clone()),
        depth: Memory::read(run).map_or(0, |memory| memory.depth()),
        contact_id: Some(run.contact_id.clone()),
        booking_id: run.booking_id.clone(),
    };
    let payload = EventPayload { waiting_id: Some(run.id.clone()), ..EventPayload::default() };
    let key = format!("wait:{}:{}", run.id, run.due_at.0);
    (delivery(WAIT_DUE, "timer", key, run.due_at, payload, (&run.contact_id, contact)), cause)
}

fn contacts_of(conn: &mut Conn, ids: Vec<String>) -> StoreResult<HashMap<String, Contact>> {
    Ok(contacts::list_by_ids(conn, &ids)?.into_iter().map(|c| (c.id.clone(), c)).collect())
}

async fn fire_timers(store: &Store, now: Timestamp) -> StoreResult<usize> {
    let mut fired = 0;
    loop {
        let due = store
            .read(move |conn| {
                let due = timers::list_due(conn, now, BATCH_MAX)?;
                let known = contacts_of(conn, due.iter().map(|t| t.contact_id.clone()).collect())?;
                StoreResult::Ok((due, known))
            })
            .await?;
        if due.0.is_empty() {
            return Ok(fired);
        }
        let count = store.write(move |tx| fire(tx, &due.0, &due.1, now)).await?;
        fired += count;
        if count == 0 {
            return Ok(fired);
        }
    }
}

fn fire(tx: &mut Tx<'_>, due: &[Timer], known: &HashMap<String, Contact>, now: Timestamp) -> StoreResult<usize> {
    let mut count = 0;
    for timer in due {
        // Another node may have been faster.
        if timers::mark_fired(tx, timer, now)? {
            record(tx, event_of(timer, known.get(&timer.contact_id)), now, cause_of(timer))?;
            count += 1;
        }
    }
    Ok(count)
}

fn cause_of(timer: &Timer) -> Cause {
    Cause {
        contact_id: Some(timer.contact_id.clone()),
        booking_id: (timer.subject_kind == SubjectKind::Booking).then(|| timer.subject_id.clone()),
        ..Cause::default()
    }
}

/// One event for each time that the timer was set: it may be set twice for the same time, when an appointment moves to and fro.
fn dedupe_key(timer: &Timer) -> String {
    let Timer { rule_id, trigger, subject_id, occurrence, .. } = timer;
    format!("{rule_id}:{trigger}:{subject_id}:{occurrence}:{}:{}", timer.due_at.0, timer.updated_at.0)
}

/// The delivery that a due timer is.
pub(super) fn event_of(timer: &Timer, contact: Option<&Contact>) -> Delivery {
    let input = TimerInput {
        rule_id: timer.rule_id.clone(),
        trigger: timer.trigger,
        subject_kind: timer.subject_kind,
        subject_id: Some(timer.subject_id.clone()),
        contact_id: Some(timer.contact_id.clone()),
        occurrence: timer.occurrence.clone(),
        due_at: timer.due_at,
    };
    let payload = EventPayload { timer: Some(input), ..EventPayload::default() };
    delivery(TIMER_DUE, "timer", dedupe_key(timer), timer.due_at, payload, (&timer.contact_id, contact))
}

/// An event of the program's own about a contact, in the lane of everything else about them.
pub(super) fn delivery(
    event_type: &str,
    source: &str,
    dedupe_key: String,
    at: Timestamp,
    payload: EventPayload,
    (contact_id, contact): (&str, Option<&Contact>),
) -> Delivery {
    let who = contact.map(|c| ContactInput { id: Some(c.id.clone()), phone: c.phone.clone(), ..ContactInput::default() });
    Delivery {
        source: source.into(),
        dedupe_key,
        event_type: event_type.into(),
        occurred_at: Some(at),
        actor: Actor::System,
        signature_state: SignatureState::Internal,
        payload,
        raw_payload: String::new(),
        raw_sha256: String::new(),
        lane_key: lane_key(who.as_ref(), None).or_else(|| Some(format!("c:{contact_id}"))),
        quarantine_reason: None,
    }
}
