//! What the clinic's own people do in the story: see patients, miss some, and work off their tasks.

use super::random::Random;
use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::contact::Contact;
use crate::domain::event::{Actor, Delivery, EventPayload, SignatureState};
use crate::domain::task::{Task, TaskStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::store::{Cause, StoreResult, Tx, bookings, contacts, record, tasks};
use std::collections::BTreeMap;

/// Of patients who were expected.
const NO_SHOW: f64 = 0.045;
/// Of tasks that are due; the rest is looked at again an hour later.
const TASK_DONE: f64 = 0.7;
/// Some tasks stay for everybody to see.
const TASK_FORGOTTEN_AFTER: Millis = Millis::hours(3);
/// Patients are marked this long after their time.
const MARKED_AFTER: Millis = Millis::minutes(40);
const RECORDS_MAX: i64 = 500;

/// One hour of work. All that changes of one contact changes its version, as for every writer.
pub fn work_an_hour(tx: &mut Tx<'_>, random: &mut Random, now: Timestamp) -> StoreResult<()> {
    let mut touched: BTreeMap<String, Vec<BookingStatus>> = BTreeMap::new();
    for mut booking in bookings::list_expected_before(tx, now - MARKED_AFTER, RECORDS_MAX)? {
        let to = if random.chance(NO_SHOW) { BookingStatus::NoShow } else { BookingStatus::Completed };
        mark(&mut booking, to, now);
        bookings::upsert_many(tx, &[&booking])?;
        record(tx, marked(&booking, to, now), now, cause(&booking))?;
        touched.entry(booking.contact_id).or_default().push(to);
    }
    for mut task in tasks::list_open_due(tx, now - TASK_FORGOTTEN_AFTER, now, RECORDS_MAX)? {
        if random.chance(TASK_DONE) {
            close(&mut task, now);
            tasks::upsert_many(tx, &[&task])?;
            if let Some(contact) = task.contact_id {
                touched.entry(contact).or_default();
            }
        }
    }
    let ids: Vec<String> = touched.keys().cloned().collect();
    for mut contact in contacts::list_by_ids(tx, &ids)? {
        let seen = touched.remove(&contact.id).unwrap_or_default();
        note(&mut contact, &seen, now);
        contacts::upsert_many(tx, &[&contact])?;
    }
    Ok(())
}

fn mark(booking: &mut Booking, to: BookingStatus, now: Timestamp) {
    booking.status = to;
    match to {
        BookingStatus::NoShow => booking.no_show_at = Some(now),
        _ => booking.completed_at = Some(now),
    }
    booking.version += 1;
    booking.updated_at = now;
}

fn close(task: &mut Task, now: Timestamp) {
    task.status = TaskStatus::Done;
    task.completed_at = Some(now);
    task.version += 1;
    task.updated_at = now;
}

fn note(contact: &mut Contact, seen: &[BookingStatus], now: Timestamp) {
    for status in seen {
        if *status == BookingStatus::NoShow {
            contact.no_shows += 1;
        } else {
            contact.last_visit_at = Some(now);
            contact.is_existing_patient = true;
        }
    }
    contact.version += 1;
    contact.updated_at = now;
}

fn cause(booking: &Booking) -> Cause {
    Cause { contact_id: Some(booking.contact_id.clone()), booking_id: Some(booking.id.clone()), ..Cause::default() }
}

fn marked(booking: &Booking, to: BookingStatus, now: Timestamp) -> Delivery {
    let event_type = if to == BookingStatus::NoShow { "booking_no_show" } else { "booking_completed" };
    Delivery {
        source: "staff".into(),
        dedupe_key: format!("{event_type}:{}:{}", booking.id, booking.appointment_datetime.0),
        event_type: event_type.into(),
        occurred_at: Some(now),
        actor: Actor::Staff,
        signature_state: SignatureState::Internal,
        payload: EventPayload::default(),
        raw_payload: String::new(),
        raw_sha256: String::new(),
        lane_key: Some(format!("c:{}", booking.contact_id)),
        quarantine_reason: None,
    }
}
