//! What became of jobs: append-only.

use crate::domain::time::Timestamp;
use crate::store::db::Tx;
use crate::store::error::StoreResult;
use crate::store::sql::{Value, in_classes, marks, sql};

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
    for piece in in_classes(jobs) {
        let text = format!(
            "INSERT INTO job_history (id, queue, kind, outcome, attempts, rescues, event_id, created_at, finished_at) VALUES {}",
            marks(piece.len(), 9)
        );
        let values = piece.iter().flat_map(|job| -> [Value; 9] {
            [
                job.id.into(),
                job.queue.into(),
                job.kind.into(),
                job.outcome.into(),
                job.attempts.into(),
                job.rescues.into(),
                job.event_id.map(ToOwned::to_owned).into(),
                job.created_at.into(),
                now.into(),
            ]
        });
        sql(text).bind_all(values).execute(tx)?;
    }
    Ok(())
}

pub(super) fn record_attempts(tx: &mut Tx<'_>, attempts: &[Attempt<'_>], now: Timestamp) -> StoreResult<()> {
    for piece in in_classes(attempts) {
        let text = format!(
            "INSERT INTO job_attempts (job_id, lease_token, started_at, finished_at, worker_id, outcome, error) VALUES {}",
            marks(piece.len(), 7)
        );
        let values = piece.iter().flat_map(|attempt| -> [Value; 7] {
            [
                attempt.job_id.into(),
                attempt.lease_token.into(),
                attempt.started_at.into(),
                now.into(),
                attempt.worker_id.into(),
                attempt.outcome.into(),
                attempt.error.map(cut).into(),
            ]
        });
        sql(text).bind_all(values).execute(tx)?;
    }
    Ok(())
}

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
