//! Jobs that failed for good are put back or thrown away; queues are stopped and let go again. By people, for people.

use super::{reconcile, send};
use crate::domain::clock::SharedClock;
use crate::domain::time::Timestamp;
use crate::store::jobs::{DEAD_PER_CALL_MAX, JobFilter, count_dead, discard, pause, resume, retry_dead};
use crate::store::{RUN_EVENT_QUEUE, Store, StoreResult, Tx};

/// The queues that there are.
pub const NAMES: [&str; 4] = [RUN_EVENT_QUEUE, send::QUEUE, reconcile::QUEUE, "maintenance"];

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
pub async fn change_dead(store: &Store, clock: &SharedClock, filter: JobFilter, verb: Verb) -> StoreResult<usize> {
    let work: fn(&mut Tx<'_>, &JobFilter, Timestamp) -> StoreResult<usize> = match verb {
        Verb::Retry => retry_dead,
        Verb::Discard => discard,
    };
    let matching = count(store, filter.clone()).await?;
    let mut changed = 0;
    while changed < matching {
        let (filter, now) = (filter.clone(), clock.now());
        let portion = store.write(move |tx| work(tx, &filter, now)).await?;
        changed += portion;
        if portion < DEAD_PER_CALL_MAX {
            break;
        }
    }
    Ok(changed)
}

/// From now on nothing of the queue begins, until it is let go again.
pub async fn hold(store: &Store, clock: &SharedClock, queue: &'static str) -> StoreResult<()> {
    let now = clock.now();
    store.write(move |tx| pause(tx, queue, now)).await
}

pub async fn let_go(store: &Store, queue: &'static str) -> StoreResult<()> {
    store.write(move |tx| resume(tx, queue)).await
}
