//! The event log.

use super::changes::Topic;
use super::db::on;
use super::one_of::one_of;
use super::privacy::ERASED;
use super::row::{Stored, domain_rows, row};
use super::schema::{event_log, event_payloads};
use super::sql::{Value, sql};
use super::{Conn, StoreResult, Tx};
use crate::domain::event::{Actor, Event, EventPayload, EventStatus, OWN_SOURCES, SignatureState};
use crate::domain::time::Timestamp;
use diesel::prelude::*;

impl Stored for EventPayload {
    type Raw = String;
    const NULL: Value<'static> = Value::MaybeText(None);
    fn value(&self) -> Value<'_> {
        // A map of text keys and plain values always serialises.
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned()).into()
    }
    fn from_raw(raw: String) -> Option<Self> {
        serde_json::from_str(&raw).ok()
    }
}

row!(event_log, EventRow, Event, id, insert {
    id => id: String, event_type => event_type: String, source => source: String, dedupe_key => dedupe_key: String,
    timestamp => timestamp: Timestamp, occurred_at => occurred_at: Option<Timestamp>, actor => actor: Actor,
    signature_state => signature_state: SignatureState, payload => payload: EventPayload,
    lane_key => lane_key: Option<String>, contact_id => contact_id: Option<String>,
    booking_id => booking_id: Option<String>, causation_id => causation_id: Option<String>, depth => depth: i32,
    status => status: EventStatus, status_reason => status_reason: Option<String>, duplicates => duplicates: i32,
    revision => revision: Option<i64>, processed_at => processed_at: Option<Timestamp>,
});

/// What processing says about an event in the end.
#[derive(Clone, Debug)]
pub struct EventResult {
    pub event_id: String,
    pub status: EventStatus,
    pub status_reason: Option<String>,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub revision: i64,
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<Event>> {
    let row: Option<EventRow> = on!(conn, c => event_log::table.find(id).select(EventRow::as_select()).first(c).optional())?;
    row.map(EventRow::into_domain).transpose()
}

/// Ids of events that begin with `prefix`, at most two: enough to tell unique from ambiguous.
pub fn find_ids_by_prefix(conn: &mut Conn, prefix: &str) -> StoreResult<Vec<String>> {
    let end = format!("{prefix}\u{7f}");
    Ok(on!(conn, c => event_log::table
        .filter(event_log::id.ge(prefix))
        .filter(event_log::id.lt(&end))
        .select(event_log::id)
        .limit(2)
        .load(c))?)
}

/// The newest event's id; empty when there is none.
pub fn find_newest_id(conn: &mut Conn) -> StoreResult<String> {
    let id: Option<String> =
        on!(conn, c => event_log::table.order(event_log::id.desc()).select(event_log::id).first(c).optional())?;
    Ok(id.unwrap_or_default())
}

pub fn list_by_ids(conn: &mut Conn, ids: &[String]) -> StoreResult<Vec<Event>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<EventRow> =
        on!(conn, c => event_log::table.filter(one_of(event_log::id, ids)).select(EventRow::as_select()).load(c))?;
    domain_rows!(rows)
}

/// The newest events after `(since, after_id)`, oldest first: for following the log.
pub fn list_after(conn: &mut Conn, since: Timestamp, after_id: &str, limit: i64) -> StoreResult<Vec<Event>> {
    let rows: Vec<EventRow> = on!(conn, c => event_log::table
        .filter(event_log::id.gt(after_id))
        .filter(event_log::timestamp.ge(since.0))
        .order(event_log::id)
        .select(EventRow::as_select())
        .limit(limit)
        .load(c))?;
    domain_rows!(rows)
}

/// Events that came by themselves (no timer, no slot, no late task, nothing that another event led to; nothing of people who were erased) after `(since, after_id)`, oldest
/// first, at most `limit`.
pub fn list_roots_after(conn: &mut Conn, since: Timestamp, after_id: &str, limit: i64) -> StoreResult<Vec<Event>> {
    let rows: Vec<EventRow> = on!(conn, c => event_log::table
        .filter(event_log::id.gt(after_id))
        .filter(event_log::timestamp.ge(since.0))
        .filter(event_log::causation_id.is_null())
        .filter(event_log::source.ne_all(OWN_SOURCES))
        .filter(event_log::status_reason.is_null().or(event_log::status_reason.ne(ERASED)))
        .order(event_log::id)
        .select(EventRow::as_select())
        .limit(limit)
        .load(c))?;
    domain_rows!(rows)
}

/// The events that one event led to directly.
pub fn list_caused_by(conn: &mut Conn, id: &str) -> StoreResult<Vec<Event>> {
    let rows: Vec<EventRow> = on!(conn, c => event_log::table
        .filter(event_log::causation_id.eq(id))
        .order(event_log::id)
        .select(EventRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// The provider's own words, unless they were redacted.
pub fn find_raw_payload(conn: &mut Conn, event_id: &str) -> StoreResult<Option<String>> {
    Ok(on!(conn, c => event_payloads::table.find(event_id).select(event_payloads::raw_payload).first(c).optional())?)
}

/// Records chained events; their keys are derived from their cause, so a repeated one is an error.
pub fn insert_chained(tx: &mut Tx<'_>, events: &[&Event]) -> StoreResult<()> {
    EventRow::insert_all(tx, events)?;
    for event in events {
        tx.changed(Topic::Events, &event.id);
    }
    Ok(())
}

/// Writes how the processing of events ended.
pub fn finish_many(tx: &mut Tx<'_>, results: &[&EventResult], now: Timestamp) -> StoreResult<()> {
    for result in results {
        sql(FINISH)
            .bind(result.status.as_str())
            .bind(result.status_reason.as_deref())
            .bind(result.contact_id.as_deref())
            .bind(result.booking_id.as_deref())
            .bind(result.revision)
            .bind(now)
            .bind(result.event_id.as_str())
            .execute(tx)?;
        tx.changed(Topic::Events, &result.event_id);
    }
    Ok(())
}

const FINISH: &str = "UPDATE event_log SET status = ?, status_reason = ?, contact_id = ?, booking_id = ?, revision = ?, processed_at = ? WHERE id = ?";
