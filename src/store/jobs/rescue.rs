//! Taking jobs from workers that died, hang, or lost their connection.

use super::history::{Attempt, record_attempts};
use super::lanes::promote;
use crate::domain::time::Timestamp;
use crate::store::db::Tx;
use crate::store::dialect;
use crate::store::error::StoreResult;
use crate::store::sql::sql;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
use std::collections::BTreeSet;

/// A job that has been taken from a worker so often is parked.
pub const RESCUES_MAX: i32 = 3;
/// More jobs than this are not rescued in one transaction.
pub const RESCUED_PER_CALL_MAX: usize = 256;

/// One job that was taken from its worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    pub id: i64,
    pub kind: String,
    /// It will not run again by itself.
    pub parked: bool,
}

#[derive(QueryableByName)]
struct Stale {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    lease_token: i64,
    #[diesel(sql_type = BigInt)]
    worker_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    lane_key: Option<String>,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    cancel_at: Option<i64>,
}

/// Past its deadline, or without a live worker: a missing worker row counts as dead.
const STALE: &str = "state = 'running' AND (deadline_at < ? OR NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = jobs.worker_id \
     AND workers.dead_at IS NULL AND workers.expires_at > ?))";
const RESCUE: &str = "UPDATE jobs SET state = CASE WHEN rescues + 1 >= ? OR attempt >= max_attempts THEN 'dead' ELSE 'ready' END, \
     rescues = rescues + 1, lease_token = lease_token + 1, worker_id = NULL, deadline_at = NULL, run_at = ?, \
     last_error = 'taken from a worker that did not answer', updated_at = ? WHERE id = ? AND ";

/// In the order of `jobs_running`: ordered by id, SQLite would walk through the whole table.
pub(in crate::store) fn stale_text() -> String {
    format!("SELECT id, lease_token, worker_id, lane_key, updated_at FROM jobs WHERE {STALE} ORDER BY worker_id LIMIT ?")
}

/// Makes the jobs of dead workers ready again, or parks those that were rescued too often.
pub fn rescue(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<Vec<Rescued>> {
    crate::store::workers::bury_expired(tx, now)?;
    let stale: Vec<Stale> = sql(stale_text()).bind(now).bind(now).bind(RESCUED_PER_CALL_MAX as i64).load(tx)?;
    let lanes: BTreeSet<&str> = stale.iter().filter_map(|job| job.lane_key.as_deref()).collect();
    dialect::lock_lanes(tx, &lanes)?;
    let mut rescued = Vec::new();
    for job in &stale {
        rescued.extend(rescue_one(tx, job, now)?);
    }
    Ok(rescued)
}

/// The update repeats the test: what was finished meanwhile is not revived.
fn rescue_one(tx: &mut Tx<'_>, job: &Stale, now: Timestamp) -> StoreResult<Option<Rescued>> {
    let update = sql(format!("{RESCUE}{STALE} RETURNING id, queue, kind, state, cancel_at"));
    let update = update.bind(RESCUES_MAX).bind(now).bind(now).bind(job.id).bind(now).bind(now);
    let Some(row) = update.first::<Row>(tx)? else { return Ok(None) };
    let attempt = Attempt {
        job_id: job.id,
        lease_token: job.lease_token,
        started_at: job.updated_at,
        worker_id: job.worker_id,
        outcome: "rescued",
        error: None,
    };
    record_attempts(tx, &[attempt], now)?;
    let parked = row.state == "dead";
    if parked {
        promote(tx, &job.lane_key.as_deref().into_iter().collect(), now)?;
    }
    if row.cancel_at.is_some() {
        super::leave::cancel(tx, row.id, now)?;
    }
    tx.wake(&row.queue);
    Ok(Some(Rescued { id: row.id, kind: row.kind, parked }))
}
