//! Putting jobs into the queue, in the transaction that causes them.

use crate::domain::job::NewJob;
use crate::domain::time::{Millis, Timestamp};
use crate::store::db::Tx;
use crate::store::dialect;
use crate::store::error::{StoreError, StoreResult};
use crate::store::sql::{Number, Value, in_classes, marks, sql};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
use std::collections::BTreeSet;

/// Adds a job; its id, or `None` when a waiting job has the same unique key.
pub fn enqueue(tx: &mut Tx<'_>, job: &NewJob, now: Timestamp) -> StoreResult<Option<i64>> {
    Ok(enqueue_many(tx, std::slice::from_ref(job), now)?.pop().flatten())
}

/// Adds jobs in their order, with few statements. Answers like [`enqueue`] for each.
pub fn enqueue_many(tx: &mut Tx<'_>, jobs: &[NewJob], now: Timestamp) -> StoreResult<Vec<Option<i64>>> {
    let lanes: BTreeSet<&str> = jobs.iter().filter_map(|job| job.lane_key.as_deref()).collect();
    dialect::lock_lanes(tx, &lanes)?;
    let mut ids = Vec::with_capacity(jobs.len());
    for piece in in_classes(jobs) {
        ids.extend(insert_ready(tx, piece, now)?);
    }
    for (job, id) in jobs.iter().zip(&mut ids) {
        match id {
            Some(_) => tx.wake(job.queue),
            None if job.lane_key.is_some() => *id = insert_blocked(tx, job, now)?,
            None => {}
        }
    }
    Ok(ids)
}

const COLUMNS: usize = 18;
const INSERT: &str = "INSERT INTO jobs (queue, kind, state, priority, run_at, attempt, max_attempts, rescues, lease_token, \
     timeout_ms, lane_key, unique_key, event_id, payload, created_at, updated_at, worker_id, deadline_at) VALUES ";

fn values<'a>(job: &'a NewJob, state: &'static str, now: Timestamp) -> [Value<'a>; COLUMNS] {
    let run_at = if job.lane_key.is_some() { now.min(job.run_at) } else { job.run_at };
    [
        job.queue.into(),
        job.kind.into(),
        state.into(),
        job.priority.into(),
        run_at.into(),
        0.into(),
        job.max_attempts.into(),
        0.into(),
        0i64.into(),
        job.timeout.into(),
        job.lane_key.as_deref().into(),
        job.unique_key.as_deref().into(),
        job.event_id.as_deref().into(),
        job.payload.as_str().into(),
        now.into(),
        now.into(),
        None::<i64>.into(),
        None::<i64>.into(),
    ]
}

#[derive(QueryableByName)]
struct Inserted {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    lane_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    unique_key: Option<String>,
}

/// Inserts what no lane and no unique key stands against.
fn insert_ready(tx: &mut Tx<'_>, jobs: &[NewJob], now: Timestamp) -> StoreResult<Vec<Option<i64>>> {
    let text = format!("{INSERT}{} ON CONFLICT DO NOTHING RETURNING id, lane_key, unique_key", marks(jobs.len(), COLUMNS));
    let mut rows: Vec<Inserted> = sql(text).bind_all(jobs.iter().flat_map(|job| values(job, "ready", now))).load(tx)?;
    rows.sort_by_key(|row| row.id);
    Ok(in_order_of(jobs, rows))
}

/// Ids rise in the order of the rows, and of several rows with one key only the first can be in: so each inserted row belongs
/// to the next job with its keys.
fn in_order_of(jobs: &[NewJob], rows: Vec<Inserted>) -> Vec<Option<i64>> {
    let mut rows = rows.into_iter().peekable();
    jobs.iter()
        .map(|job| rows.next_if(|row| row.lane_key == job.lane_key && row.unique_key == job.unique_key).map(|row| row.id))
        .collect()
}

/// Somebody is in the lane, or a job with the same unique key waits.
fn insert_blocked(tx: &mut Tx<'_>, job: &NewJob, now: Timestamp) -> StoreResult<Option<i64>> {
    let text = format!("{INSERT}{} ON CONFLICT DO NOTHING RETURNING id AS n", marks(1, COLUMNS));
    let row: Option<Number> = sql(text).bind_all(values(job, "lane_blocked", now)).first(tx)?;
    Ok(row.map(|row| row.n))
}

/// Adds an unlaned job whose queue and kind are known only at run time. `limits`: priority, attempts, time for one attempt.
pub(in crate::store) fn enqueue_named(
    tx: &mut Tx<'_>,
    (queue, kind): (&str, &str),
    (priority, max_attempts, timeout): (i32, i32, Millis),
    payload: String,
    now: Timestamp,
) -> StoreResult<i64> {
    let text = "INSERT INTO jobs (queue, kind, state, priority, run_at, attempt, max_attempts, rescues, lease_token, timeout_ms, \
         payload, created_at, updated_at) VALUES (?, ?, 'ready', ?, ?, 0, ?, 0, 0, ?, ?, ?, ?) RETURNING id AS n";
    let row: Option<Number> = sql(text)
        .bind(queue)
        .bind(kind)
        .bind(priority)
        .bind(now)
        .bind(max_attempts)
        .bind(timeout)
        .bind(payload)
        .bind(now)
        .bind(now)
        .first(tx)?;
    tx.wake(queue);
    Ok(row.ok_or(StoreError::NotFound { what: "job" })?.n)
}
