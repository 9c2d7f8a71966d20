//! Jobs that failed for good are put back or thrown away; queues are stopped and let go again. By people, for people.

use super::{audit, reconcile, send};
use crate::domain::audit::{Entry, Who, action};
use crate::domain::clock::SharedClock;
use crate::domain::time::Timestamp;
use crate::store::jobs::{DEAD_PER_CALL_MAX, JobFilter, count_dead, discard, pause, resume, retry_dead};
use crate::store::{RUN_EVENT_QUEUE, Store, StoreResult, Tx};

/// The queues that there are.
pub const NAMES: [&str; 4] = [RUN_EVENT_QUEUE, send::QUEUE, reconcile::QUEUE, "maintenance"];

type Work = fn(&mut Tx<'_>, &JobFilter, Timestamp) -> StoreResult<usize>;

/// What is done with jobs that failed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// They are tried again, with all their attempts.
    Retry,
    /// They leave; their history stays.
    Discard,
}

/// How many jobs match that failed for good.
pub async fn count(store: &Store, filter: JobFilter) -> StoreResult<usize> {
    store.read(move |conn| count_dead(conn, &filter)).await
}

/// Does it with all that match; how many. In steps, so that no transaction is long; a job that fails again meanwhile is not taken
/// again.
pub async fn change_dead(store: &Store, clock: &SharedClock, filter: JobFilter, verb: Verb, who: Who) -> StoreResult<usize> {
    let (work, name): (Work, _) = match verb {
        Verb::Retry => (retry_dead, action::JOBS_RETRIED),
        Verb::Discard => (discard, action::JOBS_DISCARDED),
    };
    let matching = count(store, filter.clone()).await?;
    let mut changed = 0;
    while changed < matching {
        let (filter, now, entry) = (filter.clone(), clock.now(), Entry::new(who.clone(), name));
        let portion = store
            .write(move |tx| {
                let count = work(tx, &filter, now)?;
                audit::note(tx, &entry.with_number("jobs", count as i64), now)?;
                StoreResult::Ok(count)
            })
            .await?;
        changed += portion;
        if portion < DEAD_PER_CALL_MAX {
            break;
        }
    }
    Ok(changed)
}

/// From now on nothing of the queue begins, until it is let go again.
pub async fn hold(store: &Store, clock: &SharedClock, queue: &'static str, who: Who) -> StoreResult<()> {
    let (now, entry) = (clock.now(), Entry::new(who, action::QUEUE_PAUSED).of("queue", queue));
    store
        .write(move |tx| {
            pause(tx, queue, now)?;
            audit::note(tx, &entry, now)
        })
        .await
}

pub async fn let_go(store: &Store, clock: &SharedClock, queue: &'static str, who: Who) -> StoreResult<()> {
    let (now, entry) = (clock.now(), Entry::new(who, action::QUEUE_RESUMED).of("queue", queue));
    store
        .write(move |tx| {
            resume(tx, queue)?;
            audit::note(tx, &entry, now)
        })
        .await
}
