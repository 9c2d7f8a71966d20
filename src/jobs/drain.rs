//! Working off a queue on the spot: for tests with a standing clock, and for commands that work once and end.

use super::handler::Outcomes;
use super::registry::Registry;
use super::settle::settle;
use super::work::{Signals, run_all};
use crate::domain::time::Millis;
use crate::store::jobs::ClaimRequest;
use crate::store::{Store, StoreResult, jobs, workers};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// More attempts than this are not made in one call: jobs that make jobs may never end.
pub const DRAIN_JOBS_MAX: usize = 100_000;
const BATCH: usize = 64;
const LEASE: Millis = Millis::HOUR;

/// Works until nothing of `queue` is ready at the store's clock, without waiting; how many attempts that took.
/// Deterministic: one worker, jobs in their order.
pub async fn work_available(store: &Store, registry: &Registry, queue: &str) -> StoreResult<usize> {
    let now = store.clock().now();
    let worker_id = store.write(move |tx| workers::register(tx, "drain", std::process::id(), LEASE, now)).await?;
    let (_, wishes) = watch::channel(BTreeSet::new());
    let signals = Signals { stop: CancellationToken::new(), grace: Duration::ZERO, dead: CancellationToken::new(), wishes };
    let mut outcomes: Arc<Outcomes> = Arc::default();
    let mut attempts = 0;
    loop {
        let (now, queue, last) = (store.clock().now(), queue.to_owned(), Arc::clone(&outcomes));
        let limit = BATCH.min(DRAIN_JOBS_MAX - attempts);
        let claimed = store
            .write(move |tx| {
                settle(tx, &last, now)?;
                jobs::claim(tx, worker_id, &ClaimRequest { queue: &queue, limit, turn: 0 }, now)
            })
            .await?;
        if claimed.is_empty() {
            break;
        }
        attempts += claimed.len();
        outcomes = Arc::new(run_all(registry, claimed, &signals).await);
    }
    let now = store.clock().now();
    store.write(move |tx| workers::retire(tx, worker_id, now)).await?;
    Ok(attempts)
}
