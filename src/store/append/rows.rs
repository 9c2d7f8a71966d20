//! The rows of an intake batch.

use super::Appended;
use crate::domain::event::{Delivery, EventStatus};
use crate::domain::ids::new_id;
use crate::domain::job::NewJob;
use crate::domain::time::{Millis, Timestamp};
use crate::store::changes::Topic;
use crate::store::db::Tx;
use crate::store::error::{StoreError, StoreResult};
use crate::store::jobs::enqueue_many;
use crate::store::sql::{Value, in_classes, marks, sql};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use std::collections::{BTreeMap, BTreeSet};

/// The kind of the job that works on an event, and its queue.
pub const RUN_EVENT: &str = "run_event";
pub const RUN_EVENT_QUEUE: &str = "automation";
const RUN_EVENT_PRIORITY: i32 = 1;
const RUN_EVENT_ATTEMPTS_MAX: i32 = 10;
const RUN_EVENT_TIMEOUT: Millis = Millis::seconds(60);

/// What led to an event of this program's own; empty for what came from outside.
#[derive(Clone, Debug, Default)]
pub struct Cause {
    pub causation_id: Option<String>,
    /// How many events led to this one.
    pub depth: i32,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
}

/// One event, ready to be written.
pub(super) struct Row {
    id: String,
    delivery: Delivery,
    payload: String,
    received: Timestamp,
    cause: Cause,
}

impl Row {
    pub(super) fn new(mut delivery: Delivery, received: Timestamp, cause: Cause) -> StoreResult<Self> {
        let payload = serde_json::to_string(&delivery.payload).map_err(|e| StoreError::Statement(e.to_string()))?;
        for text in [&mut delivery.dedupe_key, &mut delivery.raw_payload, &mut delivery.event_type] {
            without_nul(text);
        }
        delivery.lane_key.iter_mut().chain(&mut delivery.quarantine_reason).for_each(without_nul);
        Ok(Self { id: new_id(received), delivery, payload, received, cause })
    }

    fn key(&self) -> (&str, &str) {
        (&self.delivery.source, &self.delivery.dedupe_key)
    }

    fn event_values(&self) -> [Value<'_>; EVENT_COLUMNS] {
        let d = &self.delivery;
        let status = if d.quarantine_reason.is_some() { EventStatus::Quarantined } else { EventStatus::Accepted };
        [
            self.id.as_str().into(),
            d.event_type.as_str().into(),
            d.source.as_str().into(),
            d.dedupe_key.as_str().into(),
            self.received.into(),
            d.occurred_at.into(),
            d.actor.as_str().into(),
            d.signature_state.as_str().into(),
            self.payload.as_str().into(),
            d.lane_key.as_deref().into(),
            self.cause.contact_id.as_deref().into(),
            self.cause.booking_id.as_deref().into(),
            self.cause.causation_id.as_deref().into(),
            self.cause.depth.into(),
            status.as_str().into(),
            d.quarantine_reason.as_deref().into(),
            0.into(),
        ]
    }

    fn payload_values(&self) -> [Value<'_>; 3] {
        let d = &self.delivery;
        [self.id.as_str().into(), d.raw_payload.as_str().into(), d.raw_sha256.as_str().into()]
    }

    fn job(&self) -> NewJob {
        NewJob {
            queue: RUN_EVENT_QUEUE,
            kind: RUN_EVENT,
            priority: RUN_EVENT_PRIORITY,
            run_at: self.received,
            max_attempts: RUN_EVENT_ATTEMPTS_MAX,
            timeout: RUN_EVENT_TIMEOUT,
            lane_key: self.delivery.lane_key.clone(),
            unique_key: None,
            event_id: Some(self.id.clone()),
            payload: "{}".into(),
        }
    }
}

/// PostgreSQL has no NUL in text; both databases shall hold the same.
fn without_nul(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

const EVENT_COLUMNS: usize = 17;
const INSERT_EVENTS: &str = "INSERT INTO event_log (id, event_type, source, dedupe_key, timestamp, occurred_at, actor, \
     signature_state, payload, lane_key, contact_id, booking_id, causation_id, depth, status, status_reason, duplicates) VALUES ";
const INSERT_PAYLOADS: &str = "INSERT INTO event_payloads (event_id, raw_payload, raw_sha256) VALUES ";
pub(in crate::store) const COUNT_DUPLICATE: &str =
    "UPDATE event_log SET duplicates = duplicates + ? WHERE source = ? AND dedupe_key = ? RETURNING id";

/// Writes the rows and answers for each, in their order.
pub(super) fn insert(tx: &mut Tx<'_>, rows: &[&Row]) -> StoreResult<Vec<Appended>> {
    let firsts = first_of_each_key(rows);
    let fresh = insert_events(tx, &firsts)?;
    let ids = count_duplicates(tx, rows, &fresh)?;
    let new: Vec<&Row> = rows.iter().copied().filter(|r| fresh.contains(&r.id)).collect();
    insert_payloads(tx, &new)?;
    for row in &new {
        tx.changed(Topic::Events, &row.id);
    }
    let jobs: Vec<NewJob> = new.iter().map(|row| row.job()).collect();
    if let Some(received) = new.iter().map(|row| row.received).max() {
        enqueue_many(tx, &jobs, received)?;
    }
    rows.iter().map(|row| answer(row, &fresh, &ids)).collect()
}

/// In the order of their keys, so that two batches that overlap never wait for each other crosswise.
fn first_of_each_key<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    let mut firsts: BTreeMap<(&str, &str), &Row> = BTreeMap::new();
    for row in rows {
        firsts.entry(row.key()).or_insert(row);
    }
    firsts.into_values().collect()
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// The ids of those that were not known yet.
fn insert_events(tx: &mut Tx<'_>, rows: &[&Row]) -> StoreResult<BTreeSet<String>> {
    let mut fresh = BTreeSet::new();
    for piece in in_classes(rows) {
        let text = format!("{INSERT_EVENTS}{} ON CONFLICT DO NOTHING RETURNING id", marks(piece.len(), EVENT_COLUMNS));
        let inserted: Vec<Id> = sql(text).bind_all(piece.iter().flat_map(|row| row.event_values())).load(tx)?;
        fresh.extend(inserted.into_iter().map(|row| row.id));
    }
    Ok(fresh)
}

fn insert_payloads(tx: &mut Tx<'_>, rows: &[&Row]) -> StoreResult<()> {
    for piece in in_classes(rows) {
        let text = format!("{INSERT_PAYLOADS}{}", marks(piece.len(), 3));
        sql(text).bind_all(piece.iter().flat_map(|row| row.payload_values())).execute(tx)?;
    }
    Ok(())
}

/// Counts what came again, and finds the first event's id of each such key.
fn count_duplicates<'a>(
    tx: &mut Tx<'_>,
    rows: &[&'a Row],
    fresh: &BTreeSet<String>,
) -> StoreResult<BTreeMap<(&'a str, &'a str), String>> {
    let mut again: BTreeMap<(&str, &str), i32> = BTreeMap::new();
    for row in rows.iter().filter(|row| !fresh.contains(&row.id)) {
        *again.entry(row.key()).or_default() += 1;
    }
    let mut ids = BTreeMap::new();
    for ((source, key), count) in again {
        let found: Option<Id> = sql(COUNT_DUPLICATE).bind(count).bind(source).bind(key).first(tx)?;
        let found = found.ok_or(StoreError::Conflict { what: "event" })?;
        ids.insert((source, key), found.id);
    }
    Ok(ids)
}

fn answer(row: &Row, fresh: &BTreeSet<String>, ids: &BTreeMap<(&str, &str), String>) -> StoreResult<Appended> {
    if fresh.contains(&row.id) {
        return Ok(Appended { event_id: row.id.clone(), duplicate: false });
    }
    let first = ids.get(&row.key()).ok_or(StoreError::Conflict { what: "event" })?;
    Ok(Appended { event_id: first.clone(), duplicate: true })
}
