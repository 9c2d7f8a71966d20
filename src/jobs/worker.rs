//! One worker: settle what was run, claim what is next, in one transaction; run it; again.

use super::handler::Outcomes;
use super::presence::Presence;
use super::registry::Registry;
use super::runner::QueueOptions;
use super::settle::settle;
use super::work::{Signals, run_all};
use crate::domain::clock::SharedClock;
use crate::domain::ids::fill_random;
use crate::domain::job::ClaimedJob;
use crate::store::jobs::ClaimRequest;
use crate::store::{Store, StoreResult, jobs};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(super) struct Worker {
    pub store: Store,
    pub clock: SharedClock,
    pub registry: Registry,
    pub queue: QueueOptions,
    pub presence: Arc<Presence>,
    pub poll: Duration,
    pub grace: Duration,
}

/// A last settlement that the database does not take is tried so often; then the jobs wait to be rescued.
const SETTLE_TRIES_MAX: u32 = 5;

impl Worker {
    pub(super) async fn run(self, stop: CancellationToken) {
        let bell = self.store.wakeups().bell(&self.queue.name);
        let mut outcomes: Arc<Outcomes> = Arc::default();
        let mut turn = 0;
        while !stop.is_cancelled() {
            let life = self.presence.life();
            let claimed = match self.exchange(life.worker_id, &outcomes, turn, self.queue.batch).await {
                Ok(claimed) => {
                    outcomes = Arc::default();
                    claimed
                }
                Err(error) => {
                    tracing::warn!(%error, queue = %self.queue.name, "claim failed");
                    Vec::new()
                }
            };
            turn += 1;
            if claimed.is_empty() {
                tokio::select! {
                    () = bell.notified() => {}
                    () = tokio::time::sleep(jittered(self.poll)) => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
            let signals = Signals { stop: stop.clone(), grace: self.grace, dead: life.dead, wishes: self.presence.wishes() };
            outcomes = Arc::new(run_all(&self.registry, claimed, &signals).await);
        }
        self.settle_last(&outcomes).await;
    }

    /// One transaction: half the commits of two. When it fails, the outcomes are settled next time and nothing is claimed.
    async fn exchange(&self, worker_id: i64, outcomes: &Arc<Outcomes>, turn: u64, limit: usize) -> StoreResult<Vec<ClaimedJob>> {
        let (outcomes, queue, now) = (Arc::clone(outcomes), self.queue.name.clone(), self.clock.now());
        self.store
            .write(move |tx| {
                settle(tx, &outcomes, now)?;
                jobs::claim(tx, worker_id, &ClaimRequest { queue: &queue, limit, turn }, now)
            })
            .await
    }

    async fn settle_last(&self, outcomes: &Arc<Outcomes>) {
        for _ in 0..SETTLE_TRIES_MAX {
            match self.exchange(0, outcomes, 0, 0).await {
                Ok(_) => return,
                Err(error) => tracing::warn!(%error, queue = %self.queue.name, "jobs not settled at the stop"),
            }
            tokio::time::sleep(self.poll).await;
        }
    }
}

/// Half to one and a half times, so that workers do not ask in step.
fn jittered(poll: Duration) -> Duration {
    let mut random = [0u8; 1];
    fill_random(&mut random);
    poll / 2 + poll * u32::from(random[0]) / 255
}
