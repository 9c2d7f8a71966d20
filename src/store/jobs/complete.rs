//! Finishing jobs. The fence comes first: whoever lost the lease writes nothing.

use super::history::{Attempt, Finished, record_attempts, record_history};
use super::lanes::{lock_lanes_of, promote};
use crate::domain::job::ClaimedJob;
use crate::domain::time::Timestamp;
use crate::store::db::Tx;
use crate::store::error::{StoreError, StoreResult};
use crate::store::sql::{Value, in_classes, marks, sql};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use std::collections::BTreeSet;

/// Finishes one job, as the first statement of the transaction that applies its effects.
/// [`StoreError::LeaseLost`] when it belongs to somebody else by now: let the transaction fail.
pub fn complete(tx: &mut Tx<'_>, job: &ClaimedJob, now: Timestamp) -> StoreResult<()> {
    match complete_many(tx, &[job], now)?.as_slice() {
        [true] => Ok(()),
        _ => Err(StoreError::LeaseLost),
    }
}

/// Finishes several jobs; `false` for those whose lease is lost.
pub fn complete_many(tx: &mut Tx<'_>, jobs: &[&ClaimedJob], now: Timestamp) -> StoreResult<Vec<bool>> {
    lock_lanes_of(tx, jobs)?;
    let mut rows: Vec<Row> = Vec::with_capacity(jobs.len());
    for piece in in_classes(jobs) {
        let fence = piece.iter().flat_map(|job| [Value::Big(job.id), Value::Big(job.lease_token)]);
        rows.extend(sql(fence_text(piece.len())).bind_all(fence).load::<Row>(tx)?);
    }
    let finished: Vec<Finished<'_>> = rows.iter().map(|row| row.finished("done")).collect();
    record_history(tx, &finished, now)?;
    let late: Vec<Attempt<'_>> = rows.iter().filter(|r| r.attempt > 1 || r.rescues > 0).map(|r| r.attempt("done")).collect();
    record_attempts(tx, &late, now)?;
    let lanes: BTreeSet<&str> = rows.iter().filter_map(|row| row.lane_key.as_deref()).collect();
    promote(tx, &lanes, now)?;
    let gone: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
    Ok(jobs.iter().map(|job| gone.contains(&job.id)).collect())
}

const RETURNING: &str =
    "RETURNING id, queue, kind, attempt, rescues, lease_token, worker_id, lane_key, event_id, created_at, updated_at";

/// Deletes running jobs whose lease token is still the given one.
pub(in crate::store) fn fence_text(jobs: usize) -> String {
    if jobs == 1 {
        return format!("DELETE FROM jobs WHERE id = ? AND lease_token = ? AND state = 'running' {RETURNING}");
    }
    format!("DELETE FROM jobs WHERE (id, lease_token) IN (VALUES {}) AND state = 'running' {RETURNING}", marks(jobs, 2))
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Integer)]
    rescues: i32,
    #[diesel(sql_type = BigInt)]
    lease_token: i64,
    #[diesel(sql_type = BigInt)]
    worker_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    lane_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    event_id: Option<String>,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    /// When it was claimed: nothing else changes it while the job runs.
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
}

impl Row {
    fn finished<'a>(&'a self, outcome: &'a str) -> Finished<'a> {
        Finished {
            id: self.id,
            queue: &self.queue,
            kind: &self.kind,
            outcome,
            attempts: self.attempt,
            rescues: self.rescues,
            event_id: self.event_id.as_deref(),
            created_at: self.created_at,
        }
    }

    fn attempt<'a>(&self, outcome: &'a str) -> Attempt<'a> {
        Attempt {
            job_id: self.id,
            lease_token: self.lease_token,
            started_at: self.updated_at,
            worker_id: self.worker_id,
            outcome,
            error: None,
        }
    }
}
