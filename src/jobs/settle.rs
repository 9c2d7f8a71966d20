//! Writing down what became of jobs.

use super::handler::JobOutcome;
use super::retry::retry_delay;
use crate::domain::job::ClaimedJob;
use crate::domain::time::Timestamp;
use crate::store::{StoreError, StoreResult, Tx, jobs};

/// Settles each outcome by itself: a lost lease, or a row that cannot be written, spoils none of the others.
pub(super) fn settle(tx: &mut Tx<'_>, outcomes: &[(ClaimedJob, JobOutcome)], now: Timestamp) -> StoreResult<()> {
    let done: Vec<&ClaimedJob> = outcomes.iter().filter(|(_, o)| *o == JobOutcome::Done).map(|(job, _)| job).collect();
    jobs::complete_many(tx, &done, now)?;
    for (job, outcome) in outcomes {
        match settle_one(tx, job, outcome, now) {
            Ok(()) => {}
            Err(StoreError::LeaseLost) => tracing::info!(job = job.id, kind = %job.kind, "lease lost"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A lost lease is noticed before anything is written, so no savepoint is needed.
fn settle_one(tx: &mut Tx<'_>, job: &ClaimedJob, outcome: &JobOutcome, now: Timestamp) -> StoreResult<()> {
    match outcome {
        JobOutcome::Completed | JobOutcome::Done | JobOutcome::LeaseLost => Ok(()),
        JobOutcome::Retry(error) => {
            let failed = jobs::fail(tx, job, error, Some(now + retry_delay(job.attempt)), now)?;
            tracing::warn!(job = job.id, kind = %job.kind, attempt = job.attempt, ?failed, "attempt failed");
            Ok(())
        }
        JobOutcome::Fail(error) => {
            jobs::fail(tx, job, error, None, now)?;
            tracing::error!(job = job.id, kind = %job.kind, attempt = job.attempt, "job failed for good");
            Ok(())
        }
        JobOutcome::Snooze(until) => jobs::snooze(tx, job, *until, now),
        JobOutcome::Release => jobs::release(tx, job, now),
    }
}
