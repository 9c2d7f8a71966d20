//! What is replayed: the log's root events, the people who were known before it, and the real texts and tasks that they speak of.

use crate::automation::load::BOOKINGS_PAST_MAX;
use crate::automation::world::World;
use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::contact::Contact;
use crate::domain::event::{Event, EventStatus, SignatureState};
use crate::domain::sms::SmsMessage;
use crate::domain::task::{Task, TaskStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::store::{Conn, StoreResult, bookings, contacts, events, history, sms, tasks};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Events before the window that are worked through first: as long ago as bookings play a part in rules.
pub const WARM_UP: Millis = BOOKINGS_PAST_MAX;
/// Events of one replay, with those before the window.
pub const REPLAY_EVENTS_MAX: usize = 500_000;
/// People from before the log that is replayed.
const SEEDS_MAX: usize = 100_000;
const PAGE_ROWS: i64 = 1_000;
/// Ids in one query.
const IDS_PER_QUERY: usize = 500;

/// Everything that a replay starts from.
#[derive(Default)]
pub struct History {
    /// Since when events are worked through at all.
    pub known_since: Timestamp,
    /// The window.
    pub since: Timestamp,
    pub until: Timestamp,
    /// Events before the window, then those in it; in the order of arrival.
    pub before: Vec<Event>,
    pub window: Vec<Event>,
    /// People known since longer, as they were then, as far as that can be told.
    pub seeds: Vec<World>,
    /// Real texts, for receipts and replies.
    pub texts: Vec<SmsMessage>,
    /// Real tasks that staff have done.
    pub tasks: Vec<Task>,
    /// There were more events than a replay takes; the newest are left out.
    pub is_cut: bool,
}

/// Reads the history of a window from the database.
pub fn load(conn: &mut Conn, since: Timestamp, until: Timestamp) -> StoreResult<History> {
    let known_since = since - WARM_UP;
    let (all, is_cut) = roots(conn, known_since, until)?;
    let texts = real_texts(conn, &all)?;
    let tasks = real_tasks(conn, &all)?;
    let seeds = seeds(conn, known_since)?;
    // Nobody was known before the first event: no time has to pass until then.
    let first = all.first().map_or(since, |event| event.timestamp.min(since));
    let known_since = if seeds.is_empty() { first } else { known_since };
    let (before, window) = all.into_iter().map(as_it_arrived).partition(|event| event.timestamp < since);
    Ok(History { known_since, since, until, before, window, seeds, texts, tasks, is_cut })
}

fn roots(conn: &mut Conn, from: Timestamp, until: Timestamp) -> StoreResult<(Vec<Event>, bool)> {
    let (mut all, mut after): (Vec<Event>, String) = (Vec::new(), String::new());
    loop {
        let page = events::list_roots_after(conn, from, &after, PAGE_ROWS)?;
        let is_last = (page.len() as i64) < PAGE_ROWS;
        if let Some(last) = page.last() {
            after.clone_from(&last.id);
        }
        all.extend(page.into_iter().filter(|event| event.timestamp <= until));
        if is_last || all.len() > REPLAY_EVENTS_MAX {
            let is_cut = all.len() > REPLAY_EVENTS_MAX;
            all.truncate(REPLAY_EVENTS_MAX);
            all.sort_by(|a, b| (a.timestamp, &a.id).cmp(&(b.timestamp, &b.id)));
            return Ok((all, is_cut));
        }
    }
}

/// The event as it was before anybody had worked on it. What staff and the program itself record is about somebody from the
/// start; whom a delivery is about was found out.
#[must_use]
pub fn as_it_arrived(mut event: Event) -> Event {
    if event.signature_state != SignatureState::Internal {
        event.contact_id = None;
        event.booking_id = None;
    }
    event.revision = None;
    event.processed_at = None;
    if event.status != EventStatus::Quarantined {
        event.status = EventStatus::Accepted;
        event.status_reason = None;
    }
    event
}

fn real_texts(conn: &mut Conn, all: &[Event]) -> StoreResult<Vec<SmsMessage>> {
    let (mut own, mut elsewhere): (BTreeSet<String>, BTreeSet<(String, String)>) = Default::default();
    for payload in all.iter().map(|e| &e.payload) {
        let (id, provider, named) = match (&payload.receipt, &payload.message) {
            (Some(r), _) => (&r.sms_id, &r.provider, &r.provider_message_id),
            (None, Some(m)) => (&m.reply_to_sms_id, &m.provider, &m.in_reply_to),
            (None, None) => continue,
        };
        match (id, named) {
            (Some(id), _) => drop(own.insert(id.clone())),
            (None, Some(named)) => drop(elsewhere.insert((provider.clone(), named.clone()))),
            (None, None) => {}
        }
    }
    let mut texts = Vec::new();
    for ids in own.into_iter().collect::<Vec<_>>().chunks(IDS_PER_QUERY) {
        texts.extend(sms::list_by_ids(conn, ids)?);
    }
    for (provider, id) in elsewhere {
        texts.extend(sms::find_by_provider_id(conn, &provider, &id)?);
    }
    Ok(texts)
}

fn real_tasks(conn: &mut Conn, all: &[Event]) -> StoreResult<Vec<Task>> {
    let ids: BTreeSet<&String> = all.iter().filter_map(|e| e.payload.task_id.as_ref()).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    let mut found = Vec::new();
    for ids in ids.chunks(IDS_PER_QUERY) {
        found.extend(tasks::list_by_ids(conn, ids)?);
    }
    Ok(found)
}

/// Contacts from before `from`, with what has happened to them since undone.
fn seeds(conn: &mut Conn, from: Timestamp) -> StoreResult<Vec<World>> {
    let (mut seeds, mut after) = (Vec::new(), String::new());
    while seeds.len() < SEEDS_MAX {
        let ids = contacts::list_ids_after(conn, &after, IDS_PER_QUERY as i64)?;
        let Some(last) = ids.last() else { break };
        after.clone_from(last);
        let old: Vec<Contact> = contacts::list_by_ids(conn, &ids)?.into_iter().filter(|c| c.created_at < from).collect();
        let old_ids: Vec<String> = old.iter().map(|c| c.id.clone()).collect();
        let mut identities = contacts::list_identities(conn, &old_ids)?;
        let mut open = open_tasks_then(conn, &old_ids, from)?;
        let mut booked: HashMap<String, Vec<Booking>> = HashMap::new();
        for booking in bookings::list_of_contacts(conn, &old_ids, from - BOOKINGS_PAST_MAX)? {
            booked.entry(booking.contact_id.clone()).or_default().push(booking);
        }
        for contact in old {
            let id = contact.id.clone();
            let world = World {
                contact: Some(contact_then(conn, contact, from)?),
                identities: identities.remove(&id).unwrap_or_default(),
                bookings: booked.remove(&id).unwrap_or_default().into_iter().filter_map(|b| booking_then(b, from)).collect(),
                open_tasks: open.remove(&id).unwrap_or_default(),
                ..World::default()
            };
            seeds.push(world);
        }
    }
    Ok(seeds)
}

/// Tasks that were open then, by contact. When they were due is known as of now only.
fn open_tasks_then(conn: &mut Conn, contact_ids: &[String], from: Timestamp) -> StoreResult<HashMap<String, Vec<Arc<Task>>>> {
    let mut open: HashMap<String, Vec<Arc<Task>>> = HashMap::new();
    for mut task in tasks::list_open_at(conn, contact_ids, from)? {
        (task.status, task.completed_at) = (TaskStatus::Todo, None);
        open.entry(task.contact_id.clone().unwrap_or_default()).or_default().push(Arc::new(task));
    }
    Ok(open)
}

/// The stage of then is known from the moves since; the other fields that have changed since are taken back to nothing.
pub(in crate::automation) fn contact_then(conn: &mut Conn, mut contact: Contact, from: Timestamp) -> StoreResult<Contact> {
    let since = |at: Option<Timestamp>| at.is_some_and(|at| at >= from);
    if since(contact.stage_entered_at) {
        let moves = history::list_transitions(conn, &contact.id, MOVES_MAX)?;
        let first = moves.into_iter().filter(|m| m.at >= from).min_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        let (pipeline, stage) = first.map_or((None, None), |m| (m.from_pipeline, m.from_stage));
        contact.stage_entered_at = stage.as_ref().map(|_| from);
        (contact.current_pipeline, contact.current_stage) = (pipeline, stage);
    }
    if since(contact.warmness_at) {
        (contact.warmness, contact.warmness_at) = (0, None);
    }
    for field in
        [&mut contact.opted_out_at, &mut contact.last_inbound_at, &mut contact.last_outbound_at, &mut contact.last_visit_at]
    {
        *field = field.filter(|at| *at < from);
    }
    Ok(contact)
}

/// Moves of one contact that are looked at to find the stage of then.
const MOVES_MAX: i64 = 1_000;

/// `None` for bookings made since: the log makes them.
pub(in crate::automation) fn booking_then(mut booking: Booking, from: Timestamp) -> Option<Booking> {
    if booking.created_at >= from {
        return None;
    }
    if booking.updated_at >= from {
        // What has been said since will be said again.
        (booking.provider_sequence, booking.provider_revision) = (0, 0);
        let ended = [booking.cancelled_at, booking.no_show_at, booking.checked_in_at, booking.completed_at];
        if ended.into_iter().chain([booking.patient_confirmed_at]).flatten().any(|at| at >= from) {
            let confirmed = booking.patient_confirmed_at.is_some_and(|at| at < from);
            booking.status = if confirmed { BookingStatus::Confirmed } else { BookingStatus::Scheduled };
        }
    }
    for field in [
        &mut booking.cancelled_at,
        &mut booking.no_show_at,
        &mut booking.checked_in_at,
        &mut booking.completed_at,
        &mut booking.patient_confirmed_at,
    ] {
        *field = field.filter(|at| *at < from);
    }
    Some(booking)
}
