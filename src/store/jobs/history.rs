//! What became of jobs: append-only.

use crate::domain::time::Timestamp;
use crate::store::db::Tx;
use crate::store::error::StoreResult;
use crate::store::row::log_row;
use crate::store::sql::sql;

/// A job that left the table.
pub(super) struct Finished<'a> {
    pub id: i64,
    pub queue: &'a str,
    pub kind: &'a str,
    /// `done`, `cancelled` or `discarded`.
    pub outcome: &'a str,
    pub attempts: i32,
    pub rescues: i32,
    pub event_id: Option<&'a str>,
    pub created_at: i64,
}

/// An attempt that did not simply succeed, or the success after one.
pub(super) struct Attempt<'a> {
    pub job_id: i64,
    pub lease_token: i64,
    pub started_at: i64,
    pub worker_id: i64,
    /// `done`, `retry`, `dead`, `snoozed`, `released`, `rescued` or `cancelled`.
    pub outcome: &'a str,
    pub error: Option<&'a str>,
}

/// Longer errors are cut.
pub const ERROR_CHARS_MAX: usize = 2_000;

pub(super) fn record_history(tx: &mut Tx<'_>, jobs: &[Finished<'_>], now: Timestamp) -> StoreResult<()> {
    let row = |job: &Finished<'_>| HistoryRow {
        id: job.id,
        queue: job.queue.to_owned(),
        kind: job.kind.to_owned(),
        outcome: job.outcome.to_owned(),
        attempts: job.attempts,
        rescues: job.rescues,
        event_id: job.event_id.map(ToOwned::to_owned),
        created_at: job.created_at,
        finished_at: now,
    };
    HistoryRow::insert_these(tx, &jobs.iter().map(row).collect::<Vec<_>>())
}

log_row!(job_history, HistoryRow {
    id: i64, queue: String, kind: String, outcome: String, attempts: i32, rescues: i32, event_id: Option<String>,
    created_at: i64, finished_at: Timestamp,
});

pub(super) fn record_attempts(tx: &mut Tx<'_>, attempts: &[Attempt<'_>], now: Timestamp) -> StoreResult<()> {
    let row = |attempt: &Attempt<'_>| AttemptRow {
        job_id: attempt.job_id,
        lease_token: attempt.lease_token,
        started_at: attempt.started_at,
        finished_at: now,
        worker_id: attempt.worker_id,
        outcome: attempt.outcome.to_owned(),
        error: attempt.error.map(cut),
    };
    AttemptRow::insert_these(tx, &attempts.iter().map(row).collect::<Vec<_>>())
}

log_row!(job_attempts, AttemptRow {
    job_id: i64, lease_token: i64, started_at: i64, finished_at: Timestamp, worker_id: i64, outcome: String,
    error: Option<String>,
});

pub(super) fn cut(error: &str) -> String {
    error.chars().filter(|c| *c != '\0').take(ERROR_CHARS_MAX).collect()
}

/// Deletes up to `limit` finished jobs and attempts of each table from before `before`; how many went.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp, limit: usize) -> StoreResult<usize> {
    let limit = limit as i64;
    let attempts = "DELETE FROM job_attempts WHERE job_id IN (SELECT id FROM job_history WHERE finished_at < ? ORDER BY finished_at LIMIT ?)";
    sql(attempts).bind(before).bind(limit).execute(tx)?;
    let history =
        "DELETE FROM job_history WHERE id IN (SELECT id FROM job_history WHERE finished_at < ? ORDER BY finished_at LIMIT ?)";
    let gone = sql(history).bind(before).bind(limit).execute(tx)?;
    sql("DELETE FROM schedule_fires WHERE fired_at < ?").bind(before).execute(tx)?;
    let workers = "DELETE FROM workers WHERE dead_at < ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.worker_id = workers.id AND jobs.state = 'running')";
    sql(workers).bind(before).execute(tx)?;
    Ok(gone)
}
