//! Handing ready jobs to a worker.

use crate::domain::job::ClaimedJob;
use crate::domain::time::{Millis, Timestamp};
use crate::store::db::Tx;
use crate::store::error::StoreResult;
use crate::store::sql::{Number, Sql, sql};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// What a worker asks for.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    pub queue: &'a str,
    /// At most so many jobs.
    pub limit: usize,
    /// Counts the worker's claims: every [`LOW_FIRST_EVERY`]th looks at the low priorities first, so that nothing starves.
    pub turn: u64,
}

/// Every so many claims, priority 3 comes before priority 0.
pub const LOW_FIRST_EVERY: u64 = 16;
/// A job is taken from its worker so long after its time is up: the worker itself ends it before.
pub const DEADLINE_GRACE: Millis = Millis::seconds(2);
const PRIORITIES: [i32; 4] = [0, 1, 2, 3];

/// Takes ready jobs: they are running now, their attempt counted, their fence raised, their unique key free again.
/// In the order in which they are to be worked on. Nothing of a paused queue,
/// and nothing for a worker that was declared dead.
pub fn claim(tx: &mut Tx<'_>, worker_id: i64, request: &ClaimRequest<'_>, now: Timestamp) -> StoreResult<Vec<ClaimedJob>> {
    let mut claimed = Vec::new();
    if is_barred(tx, worker_id, request.queue)? {
        return Ok(claimed);
    }
    let low_first = request.turn % LOW_FIRST_EVERY == LOW_FIRST_EVERY - 1;
    for step in 0..PRIORITIES.len() {
        let priority = PRIORITIES[if low_first { PRIORITIES.len() - 1 - step } else { step }];
        let room = request.limit - claimed.len();
        if room == 0 {
            break;
        }
        let mut rows: Vec<Row> = probe(tx, worker_id, request.queue, priority, room, now).load(tx)?;
        rows.sort_by_key(|row| (row.run_at, row.id));
        claimed.extend(rows.into_iter().map(ClaimedJob::from));
    }
    Ok(claimed)
}

/// One range of `jobs_ready`: what is due of one priority. Future jobs of a better priority never stand in front.
fn probe<'a>(tx: &Tx<'_>, worker_id: i64, queue: &'a str, priority: i32, limit: usize, now: Timestamp) -> Sql<'a> {
    if tx.is_postgres() {
        let pick = sql(PROBE_PG).bind(queue).bind(priority).bind(now).bind(limit as i64);
        pick.bind(worker_id).bind(now + DEADLINE_GRACE).bind(now)
    } else {
        let set = sql(PROBE_LITE).bind(worker_id).bind(now + DEADLINE_GRACE).bind(now);
        set.bind(queue).bind(priority).bind(now).bind(limit as i64)
    }
}

pub(in crate::store) const PROBE_LITE: &str = "UPDATE jobs SET state = 'running', worker_id = ?, attempt = attempt + 1, \
     lease_token = lease_token + 1, deadline_at = ? + timeout_ms, unique_key = NULL, updated_at = ? \
     WHERE id IN (SELECT id FROM jobs WHERE queue = ? AND priority = ? AND state = 'ready' AND run_at <= ? \
     ORDER BY run_at, id LIMIT ?) \
     RETURNING id, queue, kind, run_at, attempt, max_attempts, rescues, lease_token, lane_key, event_id, payload, timeout_ms, created_at";

pub(in crate::store) const PROBE_PG: &str = "WITH pick AS MATERIALIZED (SELECT id FROM jobs WHERE queue = ? AND priority = ? \
     AND state = 'ready' AND run_at <= ? ORDER BY run_at, id LIMIT ? FOR UPDATE SKIP LOCKED) \
     UPDATE jobs SET state = 'running', worker_id = ?, attempt = attempt + 1, lease_token = lease_token + 1, \
     deadline_at = ? + timeout_ms, unique_key = NULL, updated_at = ? FROM pick WHERE jobs.id = pick.id \
     RETURNING jobs.id, queue, kind, run_at, attempt, max_attempts, rescues, lease_token, lane_key, event_id, payload, timeout_ms, created_at";

/// The queue is paused, or this worker was declared dead and does not know yet.
fn is_barred(tx: &mut Tx<'_>, worker_id: i64, queue: &str) -> StoreResult<bool> {
    let bars: Option<Number> = sql(BARS).bind(queue).bind(worker_id).first(tx)?;
    Ok(bars.is_none_or(|bars| bars.n > 0))
}

const BARS: &str = "SELECT (SELECT count(*) FROM queues WHERE name = ? AND paused_at IS NOT NULL) \
     + 1 - (SELECT count(*) FROM workers WHERE id = ? AND dead_at IS NULL) AS n";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    run_at: i64,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Integer)]
    max_attempts: i32,
    #[diesel(sql_type = Integer)]
    rescues: i32,
    #[diesel(sql_type = BigInt)]
    lease_token: i64,
    #[diesel(sql_type = Nullable<Text>)]
    lane_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    event_id: Option<String>,
    #[diesel(sql_type = Text)]
    payload: String,
    #[diesel(sql_type = BigInt)]
    timeout_ms: i64,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
}

impl From<Row> for ClaimedJob {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            queue: row.queue,
            kind: row.kind,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            rescues: row.rescues,
            lease_token: row.lease_token,
            lane_key: row.lane_key,
            event_id: row.event_id,
            payload: row.payload,
            timeout: Millis(row.timeout_ms),
            created_at: Timestamp(row.created_at),
        }
    }
}
