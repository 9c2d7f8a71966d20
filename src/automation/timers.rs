//! Turns due timers into events. The event asks the rules again before anything happens, so an old timer never serves a new truth.

use crate::domain::contact::Contact;
use crate::domain::event::{
    Actor, ContactInput, Delivery, EventPayload, SignatureState, SubjectKind, TIMER_DUE, Timer, TimerInput, lane_key,
};
use crate::domain::time::Timestamp;
use crate::store::{Cause, Store, StoreResult, Tx, contacts, record, timers};
use std::collections::HashMap;

/// Timers that one transaction turns into events.
const BATCH_MAX: i64 = 256;

/// Turns every timer that is due into an event and its job; answers how many.
pub async fn fire_due(store: &Store, now: Timestamp) -> StoreResult<usize> {
    let mut fired = 0;
    loop {
        let due = store
            .read(move |conn| {
                let due = timers::list_due(conn, now, BATCH_MAX)?;
                let ids: Vec<String> = due.iter().map(|t| t.contact_id.clone()).collect();
                let known: HashMap<String, Contact> =
                    contacts::list_by_ids(conn, &ids)?.into_iter().map(|c| (c.id.clone(), c)).collect();
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
    let who = contact.map(|c| ContactInput { id: Some(c.id.clone()), phone: c.phone.clone(), ..ContactInput::default() });
    let lane = lane_key(who.as_ref(), None).or_else(|| Some(format!("c:{}", timer.contact_id)));
    let input = TimerInput {
        rule_id: timer.rule_id.clone(),
        trigger: timer.trigger,
        subject_kind: timer.subject_kind,
        subject_id: Some(timer.subject_id.clone()),
        contact_id: Some(timer.contact_id.clone()),
        occurrence: timer.occurrence.clone(),
        due_at: timer.due_at,
    };
    Delivery {
        source: "timer".into(),
        dedupe_key: dedupe_key(timer),
        event_type: TIMER_DUE.into(),
        occurred_at: Some(timer.due_at),
        actor: Actor::System,
        signature_state: SignatureState::Internal,
        payload: EventPayload { timer: Some(input), ..EventPayload::default() },
        raw_payload: String::new(),
        raw_sha256: String::new(),
        lane_key: lane,
        quarantine_reason: None,
    }
}
