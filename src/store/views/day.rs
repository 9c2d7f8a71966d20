//! What a day sheet shows beside the appointments: whose they are, which reminders went out and will, what is missing.

use super::bookings::{BookingFilter, BookingView};
use super::contacts::{ContactView, views_of};
use crate::domain::event::{SubjectKind, Timer};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::one_of::one_of;
use crate::store::schema::{bookings, sms_messages, tasks};
use crate::store::timers;
use diesel::dsl::sql as literal;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::HashMap;

/// Further facts about some bookings.
#[derive(Debug, Default)]
pub struct Sheet {
    /// By contact.
    pub people: HashMap<String, ContactView>,
    /// Texts about each booking, oldest first.
    pub texts: HashMap<String, Vec<TextAbout>>,
    /// Pending timers of each booking, soonest first.
    pub timers: HashMap<String, Vec<Timer>>,
    /// Open tasks about each booking.
    pub open_tasks: HashMap<String, i64>,
}

/// A text to the patient.
#[derive(Clone, Debug)]
pub struct TextAbout {
    pub id: String,
    pub template: Option<String>,
    pub status: String,
    /// When it left, or else when it will or was to. Epoch ms.
    pub at: i64,
}

type TextRow = (Option<String>, String, Option<String>, String, Option<i64>, Option<i64>, i64);

pub fn sheet(conn: &mut Conn, rows: &[BookingView]) -> StoreResult<Sheet> {
    let ids: Vec<String> = rows.iter().map(|b| b.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Sheet::default());
    }
    let mut owners: Vec<String> = rows.iter().map(|b| b.contact_id.clone()).collect();
    owners.sort_unstable();
    owners.dedup();
    let people = views_of(conn, &owners)?.into_iter().map(|view| (view.id.clone(), view)).collect();
    let mut sheet = Sheet { people, texts: texts(conn, &ids)?, open_tasks: open_tasks(conn, &ids, &owners)?, ..Sheet::default() };
    let mut pending = timers::list_of_contacts(conn, &owners)?;
    pending.retain(|timer| timer.state == "pending" && timer.subject_kind == SubjectKind::Booking);
    pending.sort_by(|a, b| (a.due_at, &a.rule_id).cmp(&(b.due_at, &b.rule_id)));
    for timer in pending {
        sheet.timers.entry(timer.subject_id.clone()).or_default().push(timer);
    }
    Ok(sheet)
}

fn texts(conn: &mut Conn, ids: &[String]) -> StoreResult<HashMap<String, Vec<TextAbout>>> {
    use sms_messages::dsl as s;
    let rows: Vec<TextRow> = on!(conn, c => s::sms_messages
        .filter(one_of(s::booking_id, ids))
        .filter(s::direction.eq("out"))
        .order(s::id)
        .select((s::booking_id, s::id, s::template, s::status, s::accepted_at, s::scheduled_at, s::created_at))
        .load(c))?;
    let mut found: HashMap<String, Vec<TextAbout>> = HashMap::new();
    for (booking, id, template, status, accepted, scheduled, created) in rows {
        let text = TextAbout { id, template, status, at: accepted.or(scheduled).unwrap_or(created) };
        found.entry(booking.unwrap_or_default()).or_default().push(text);
    }
    Ok(found)
}

fn open_tasks(conn: &mut Conn, ids: &[String], owners: &[String]) -> StoreResult<HashMap<String, i64>> {
    // By the people: they are what tasks are found by.
    let rows: Vec<Option<String>> = on!(conn, c => tasks::table
        .filter(one_of(tasks::contact_id, owners))
        .filter(literal::<Bool>("status IN ('todo', 'in_progress')"))
        .select(tasks::booking_id)
        .load(c))?;
    let mut counts: HashMap<String, i64> = HashMap::new();
    for id in rows.into_iter().flatten().filter(|id| ids.contains(id)) {
        *counts.entry(id).or_default() += 1;
    }
    Ok(counts)
}

/// How many bookings are in each state, whatever state the filter asks for.
pub fn counts(conn: &mut Conn, filter: &BookingFilter) -> StoreResult<Vec<(String, i64)>> {
    let (from, to) = (filter.from.unwrap_or(i64::MIN), filter.to.unwrap_or(i64::MAX));
    let rows: Vec<(String, i64)> = on!(conn, c => {
        let mut query = bookings::table
            .group_by(bookings::status)
            .select((bookings::status, diesel::dsl::count_star()))
            .filter(bookings::appointment_datetime.ge(from))
            .filter(bookings::appointment_datetime.lt(to))
            .into_boxed();
        if let Some(contact) = &filter.contact_id {
            query = query.filter(bookings::contact_id.eq(contact));
        }
        query.load(c)
    })?;
    Ok(rows)
}
