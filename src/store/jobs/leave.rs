//! Taking jobs out of the queue by hand, and putting dead ones back.

use super::held::{Held, hold_any};
use super::history::{Finished, record_history};
use super::lanes::promote;
use super::list::JobFilter;
use crate::domain::time::Timestamp;
use crate::store::changes::Topic;
use crate::store::db::Tx;
use crate::store::error::{StoreError, StoreResult};
use crate::store::sql::{Number, Value, sql};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// More dead jobs than this are not retried or discarded in one transaction; call again for the rest.
pub const DEAD_PER_CALL_MAX: usize = 1_000;

/// What a wish to cancel came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It is gone.
    Gone,
    /// It is running: it may still finish, but it will not run again.
    Asked,
}

/// Ends a job. A running one is asked to stop and is not retried.
pub fn cancel(tx: &mut Tx<'_>, id: i64, now: Timestamp) -> StoreResult<Cancelled> {
    let held = hold_any(tx, id)?.ok_or(StoreError::NotFound { what: "job" })?;
    if held.state == "running" {
        sql("UPDATE jobs SET cancel_at = ? WHERE id = ?").bind(now).bind(id).execute(tx)?;
        return Ok(Cancelled::Asked);
    }
    leave(tx, id, "cancelled", now)?;
    if held.state == "ready" {
        promote(tx, &held.lane(), now)?;
    }
    Ok(Cancelled::Gone)
}

/// Running jobs of a worker that somebody wants to end.
pub fn cancel_wishes(tx: &mut Tx<'_>, worker_id: i64) -> StoreResult<Vec<i64>> {
    let text = "SELECT id AS n FROM jobs WHERE worker_id = ? AND state = 'running' AND cancel_at IS NOT NULL";
    let rows: Vec<Number> = sql(text).bind(worker_id).load(tx)?;
    Ok(rows.into_iter().map(|row| row.n).collect())
}

/// Puts dead jobs back with all their attempts; how many.
pub fn retry_dead(tx: &mut Tx<'_>, filter: &JobFilter, now: Timestamp) -> StoreResult<usize> {
    let dead = dead_jobs(tx, filter)?;
    let mut count = 0;
    for id in dead {
        let Some(held) = hold_any(tx, id)?.filter(|held| held.state == "dead") else { continue };
        let state = if lane_is_free(tx, &held)? { "ready" } else { "lane_blocked" };
        let text =
            "UPDATE jobs SET state = ?, run_at = ?, attempt = 0, rescues = 0, cancel_at = NULL, updated_at = ? WHERE id = ?";
        sql(text).bind(state).bind(now).bind(now).bind(id).execute(tx)?;
        tx.wake(&held.queue);
        tx.changed(Topic::Jobs, &id.to_string());
        count += 1;
    }
    Ok(count)
}

/// Throws dead jobs away; how many. Their history stays.
pub fn discard(tx: &mut Tx<'_>, filter: &JobFilter, now: Timestamp) -> StoreResult<usize> {
    let dead = dead_jobs(tx, filter)?;
    let mut count = 0;
    for id in dead {
        if hold_any(tx, id)?.is_some_and(|held| held.state == "dead") {
            leave(tx, id, "discarded", now)?;
            count += 1;
        }
    }
    Ok(count)
}

fn lane_is_free(tx: &mut Tx<'_>, held: &Held) -> StoreResult<bool> {
    let Some(lane) = &held.lane_key else { return Ok(true) };
    let text = "SELECT id AS n FROM jobs WHERE lane_key = ? AND state IN ('ready', 'running')";
    Ok(sql(text).bind(lane.as_str()).first::<Number>(tx)?.is_none())
}

/// Oldest first, so that a lane's jobs come back in their order.
fn dead_jobs(tx: &mut Tx<'_>, filter: &JobFilter) -> StoreResult<Vec<i64>> {
    let (conditions, values) = filter.conditions();
    let text = format!("SELECT id AS n FROM jobs WHERE state = 'dead'{conditions} ORDER BY id LIMIT ?");
    let rows: Vec<Number> = sql(text).bind_all(values).bind(Value::Big(DEAD_PER_CALL_MAX as i64)).load(tx)?;
    Ok(rows.into_iter().map(|row| row.n).collect())
}

#[derive(QueryableByName)]
struct Gone {
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Integer)]
    rescues: i32,
    #[diesel(sql_type = Nullable<Text>)]
    event_id: Option<String>,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
}

/// Moves a row to the history. The caller holds it, and sees to its lane.
pub(super) fn leave(tx: &mut Tx<'_>, id: i64, outcome: &str, now: Timestamp) -> StoreResult<()> {
    let text = "DELETE FROM jobs WHERE id = ? RETURNING queue, kind, attempt, rescues, event_id, created_at";
    let gone: Option<Gone> = sql(text).bind(id).first(tx)?;
    let gone = gone.ok_or(StoreError::NotFound { what: "job" })?;
    let finished = Finished {
        id,
        queue: &gone.queue,
        kind: &gone.kind,
        outcome,
        attempts: gone.attempt,
        rescues: gone.rescues,
        event_id: gone.event_id.as_deref(),
        created_at: gone.created_at,
    };
    tx.changed(Topic::Jobs, &id.to_string());
    record_history(tx, &[finished], now)
}
