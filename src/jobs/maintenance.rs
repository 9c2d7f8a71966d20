//! Duties of which each is done by some node: rescue, schedules, pruning.

use crate::domain::clock::SharedClock;
use crate::domain::time::{Millis, Timestamp};
use crate::store::{Store, StoreResult, duties, jobs, once, schedules, tasks, waiting};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_secs(1);
const RESCUE_EVERY: Millis = Millis::SECOND;
const PRUNE_EVERY: Millis = Millis::hours(1);
/// What became of waits and overdue tasks is known for so long.
const FORGOTTEN_AFTER: Millis = Millis::days(90);
/// So many rows go in one transaction.
const PRUNE_ROWS_MAX: usize = 1_000;
/// Portions of one pruning; the rest waits for the next.
const PRUNE_PORTIONS_MAX: u32 = 100;

/// Ticks until the stop.
pub(super) async fn run(store: Store, clock: SharedClock, keep: Millis, stop: CancellationToken) {
    loop {
        if let Err(error) = tick(&store, clock.now(), keep).await {
            tracing::warn!(%error, "maintenance failed");
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Everything that is due.
pub(super) async fn tick(store: &Store, now: Timestamp, keep: Millis) -> StoreResult<()> {
    rescue(store, now).await?;
    fire_schedules(store, now).await?;
    prune(store, now, keep).await
}

async fn rescue(store: &Store, now: Timestamp) -> StoreResult<()> {
    let rescued = store
        .write(move |tx| if duties::take(tx, "rescue_jobs", RESCUE_EVERY, now)? { jobs::rescue(tx, now) } else { Ok(Vec::new()) })
        .await?;
    for job in rescued {
        tracing::warn!(job = job.id, kind = %job.kind, parked = job.parked, "job taken from its worker");
    }
    Ok(())
}

async fn fire_schedules(store: &Store, now: Timestamp) -> StoreResult<()> {
    let fired = store.write(move |tx| schedules::fire_due(tx, now)).await?;
    for slot in fired {
        tracing::debug!(schedule = %slot.name, job = slot.job_id, "schedule fired");
    }
    Ok(())
}

async fn prune(store: &Store, now: Timestamp, keep: Millis) -> StoreResult<()> {
    if !store.write(move |tx| duties::take(tx, "prune_jobs", PRUNE_EVERY, now)).await? {
        return Ok(());
    }
    for _ in 0..PRUNE_PORTIONS_MAX {
        if store.write(move |tx| jobs::prune(tx, now - keep, PRUNE_ROWS_MAX)).await? < PRUNE_ROWS_MAX {
            break;
        }
    }
    for _ in 0..PRUNE_PORTIONS_MAX {
        if store.write(move |tx| once::prune(tx, now - once::KEEP, PRUNE_ROWS_MAX)).await? < PRUNE_ROWS_MAX {
            break;
        }
    }
    forget(store, now - FORGOTTEN_AFTER).await
}

/// Of waits that are over, and of overdue tasks that are closed, the rest waits for the next pruning.
async fn forget(store: &Store, before: Timestamp) -> StoreResult<()> {
    store.write(move |tx| waiting::prune(tx, before, PRUNE_ROWS_MAX)).await?;
    store.write(move |tx| tasks::prune_overdue_told(tx, before, PRUNE_ROWS_MAX)).await?;
    Ok(())
}
