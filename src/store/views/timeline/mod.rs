//! Everything that happened with one contact, the newest first, gathered from the tables that record it.

mod parts;
mod reasons;

pub use reasons::{change_of, is_warmness, last_warmness_before};

use super::{Cursor, Page, PageRequest};
use crate::domain::booking::Booking;
use crate::store::bookings;
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::one_of::one_of;
use crate::store::schema::automation_runs;
use diesel::prelude::*;
use std::collections::HashMap;

/// What a timeline is made of.
pub const KINDS: [&str; 9] = ["touchpoint", "note", "stage_change", "field_change", "sms", "task", "booking", "run", "action"];

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Epoch ms.
    pub at: i64,
    pub id: String,
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// What exactly: the touchpoint's kind, the task's type, the stage moved to, the text's template, the field, the event of a
    /// booking, the rule.
    pub what: Option<String>,
    /// The words of it: a text's or note's body, a task's title, a move's or field's values: `20 → 61`. Of warmness also what
    /// made the difference: `20 → 61: +41 after booking, sms_in`.
    pub text: Option<String>,
    /// `in` or `out`, of messages and touchpoints.
    pub direction: Option<String>,
    /// Of texts, tasks and runs; the pipeline of a move.
    pub status: Option<String>,
    pub booking_id: Option<String>,
    /// Until when a task was put off; when the appointment of a booking's event is now.
    pub when: Option<i64>,
    /// Who did it, as far as recorded: `rule:ID`, `staff:ID`.
    pub by: Option<String>,
    /// The event that led to it: entries with one event belong together.
    pub event_id: Option<String>,
    pub run_id: Option<String>,
}

type Part = fn(&mut Conn, &str, &PageRequest<1>) -> parts::Part;

const PARTS: [(&str, Part); 9] = [
    ("touchpoint", parts::touchpoints_of),
    ("note", parts::notes_of),
    ("stage_change", parts::moves_of),
    ("field_change", parts::changes_of),
    ("sms", parts::sms_of),
    ("task", parts::tasks_of),
    ("booking", parts::bookings_of),
    ("run", parts::runs_of),
    ("action", parts::actions_of),
];

/// A page of the contact's timeline, of these kinds, or of all when there is none. Each table is asked for a whole page, since one
/// of them may fill it alone.
pub fn list(conn: &mut Conn, contact_id: &str, kinds: &[String], page: &PageRequest<1>) -> StoreResult<Page<TimelineEntry, 1>> {
    let (mut entries, mut total) = (Vec::new(), 0);
    for (kind, part) in PARTS {
        if kinds.is_empty() || kinds.iter().any(|wanted| wanted == kind) {
            let (found, count) = part(conn, contact_id, page)?;
            entries.extend(found);
            total += count;
        }
    }
    entries.sort_unstable_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    let mut rows = page.page_of(entries, total, |e| Cursor { keys: [e.at], id: e.id.clone() });
    name_events(conn, &mut rows.items)?;
    name_bookings(conn, &mut rows.items)?;
    reasons::explain_warmness(conn, contact_id, &mut rows.items)?;
    Ok(rows)
}

/// An appointment's event says which scan it is, and when.
fn name_bookings(conn: &mut Conn, entries: &mut [TimelineEntry]) -> StoreResult<()> {
    let is_booking = |e: &&mut TimelineEntry| e.kind == "booking";
    let ids: Vec<String> = entries.iter_mut().filter(is_booking).filter_map(|e| e.booking_id.clone()).collect();
    let known: HashMap<String, Booking> =
        bookings::list_by_ids(conn, &ids)?.into_iter().map(|booking| (booking.id.clone(), booking)).collect();
    for entry in entries.iter_mut().filter(is_booking) {
        if let Some(booking) = entry.booking_id.as_ref().and_then(|id| known.get(id)) {
            entry.text.clone_from(&booking.service_name);
            entry.when = Some(booking.appointment_datetime.0);
        }
    }
    Ok(())
}

/// What a run did belongs to the event that the run looked at.
fn name_events(conn: &mut Conn, entries: &mut [TimelineEntry]) -> StoreResult<()> {
    let runs: Vec<&str> = entries.iter().filter(|e| e.event_id.is_none()).filter_map(|e| e.run_id.as_deref()).collect();
    if runs.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, String)> = on!(conn, c => automation_runs::table
        .filter(one_of(automation_runs::id, &runs))
        .select((automation_runs::id, automation_runs::event_id))
        .load(c))?;
    let events: HashMap<String, String> = rows.into_iter().collect();
    for entry in entries.iter_mut().filter(|e| e.event_id.is_none()) {
        entry.event_id = entry.run_id.as_ref().and_then(|run| events.get(run)).cloned();
    }
    Ok(())
}
