//! Ends of an attempt that do not finish the job. All of them behind the same fence.

use super::held::{Held, hold};
use super::history::{Attempt, cut, record_attempts};
use super::lanes::promote;
use super::leave::leave;
use crate::domain::job::ClaimedJob;
use crate::domain::time::Timestamp;
use crate::store::changes::Topic;
use crate::store::db::Tx;
use crate::store::error::StoreResult;
use crate::store::sql::{Value, sql};
use std::collections::BTreeSet;

/// What a failed attempt led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    Retry,
    /// Parked until a person retries or discards it. Its lane goes on.
    Dead,
    /// Somebody had asked for its end.
    Cancelled,
}

/// Ends an attempt with an error (no personal data in it). Without `retry_at`, or after the last attempt, the job is dead.
pub fn fail(tx: &mut Tx<'_>, job: &ClaimedJob, error: &str, retry_at: Option<Timestamp>, now: Timestamp) -> StoreResult<Failed> {
    let held = hold(tx, job)?;
    if held.cancel_at.is_some() {
        return end_cancelled(tx, &held, now);
    }
    let retry_at = retry_at.filter(|_| held.attempt < held.max_attempts);
    let (state, outcome, failed) =
        if retry_at.is_some() { ("ready", "retry", Failed::Retry) } else { ("dead", "dead", Failed::Dead) };
    note(tx, &held, outcome, Some(error), now)?;
    let text = "UPDATE jobs SET state = ?, run_at = ?, last_error = ?, worker_id = NULL, deadline_at = NULL, updated_at = ? WHERE id = ?";
    let values: [Value; 5] = [state.into(), retry_at.unwrap_or(now).into(), cut(error).into(), now.into(), held.id.into()];
    sql(text).bind_all(values).execute(tx)?;
    tx.changed(Topic::Jobs, &held.id.to_string());
    if failed == Failed::Dead {
        promote(tx, &held.lane(), now)?;
    }
    Ok(failed)
}

/// The job is to run again at `until`; this attempt does not count. It keeps its place in its lane.
pub fn snooze(tx: &mut Tx<'_>, job: &ClaimedJob, until: Timestamp, now: Timestamp) -> StoreResult<()> {
    hand_back(tx, job, "snoozed", Some(until), now)
}

/// The worker stops: the job is ready again at once, and this attempt does not count.
pub fn release(tx: &mut Tx<'_>, job: &ClaimedJob, now: Timestamp) -> StoreResult<()> {
    hand_back(tx, job, "released", None, now)
}

fn hand_back(tx: &mut Tx<'_>, job: &ClaimedJob, outcome: &str, run_at: Option<Timestamp>, now: Timestamp) -> StoreResult<()> {
    let held = hold(tx, job)?;
    if held.cancel_at.is_some() {
        return end_cancelled(tx, &held, now).map(drop);
    }
    note(tx, &held, outcome, None, now)?;
    let text = "UPDATE jobs SET state = 'ready', run_at = ?, attempt = attempt - 1, lease_token = lease_token + 1, \
         worker_id = NULL, deadline_at = NULL, updated_at = ? WHERE id = ?";
    sql(text).bind(run_at.map_or(held.run_at, |t| t.0)).bind(now).bind(held.id).execute(tx)?;
    tx.wake(&held.queue);
    Ok(())
}

fn end_cancelled(tx: &mut Tx<'_>, held: &Held, now: Timestamp) -> StoreResult<Failed> {
    note(tx, held, "cancelled", None, now)?;
    leave(tx, held.id, "cancelled", now)?;
    promote(tx, &held.lane(), now)?;
    Ok(Failed::Cancelled)
}

fn note(tx: &mut Tx<'_>, held: &Held, outcome: &str, error: Option<&str>, now: Timestamp) -> StoreResult<()> {
    let attempt = Attempt {
        job_id: held.id,
        lease_token: held.lease_token,
        started_at: held.updated_at,
        worker_id: held.worker_id.unwrap_or_default(),
        outcome,
        error,
    };
    record_attempts(tx, &[attempt], now)
}

impl Held {
    pub(super) fn lane(&self) -> BTreeSet<&str> {
        self.lane_key.as_deref().into_iter().collect()
    }
}
