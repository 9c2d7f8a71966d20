//! Runs all workers of a process, from the first claim to the orderly stop.

use super::maintenance;
use super::presence::Presence;
use super::registry::Registry;
use super::worker::Worker;
use crate::domain::clock::SharedClock;
use crate::domain::time::Millis;
use crate::store::{Store, StoreResult};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One queue and who works on it.
#[derive(Clone, Debug)]
pub struct QueueOptions {
    pub name: String,
    pub workers: usize,
    /// Jobs that one worker claims at once.
    pub batch: usize,
}

/// How a process works on jobs.
#[derive(Clone, Debug)]
pub struct RunnerOptions {
    /// Unique among the processes of one database: when it starts, the jobs of its former life are rescued.
    pub node: String,
    pub queues: Vec<QueueOptions>,
    /// A process that is not heard of for so long is declared dead.
    pub lease: Millis,
    pub heartbeat: Duration,
    /// Workers look for work so often even when nobody wakes them.
    pub poll: Duration,
    /// At a stop, running jobs have so long to end before they are handed back.
    pub grace: Duration,
    /// How long finished jobs stay in the history.
    pub keep_history: Millis,
}

impl RunnerOptions {
    /// The usual figures for one node: a dead process has its jobs running elsewhere within 10 s.
    #[must_use]
    pub fn new(node: impl Into<String>, queues: Vec<QueueOptions>) -> Self {
        Self {
            node: node.into(),
            queues,
            lease: Millis::seconds(7),
            heartbeat: Duration::from_secs(2),
            poll: Duration::from_secs(1),
            grace: Duration::from_secs(5),
            keep_history: Millis::days(30),
        }
    }
}

/// The workers of a process.
pub struct Runner {
    store: Store,
    clock: SharedClock,
    registry: Registry,
    options: RunnerOptions,
}

impl Runner {
    #[must_use]
    pub fn new(store: Store, clock: SharedClock, registry: Registry, options: RunnerOptions) -> Self {
        Self { store, clock, registry, options }
    }

    /// Works until `stop` is cancelled; then hands back what is not finished within the grace.
    pub async fn run(self, stop: CancellationToken) -> StoreResult<()> {
        let presence = Arc::new(Presence::begin(&self.store, &self.clock, &self.options).await?);
        let mut tasks = JoinSet::new();
        for queue in &self.options.queues {
            for _ in 0..queue.workers {
                tasks.spawn(self.worker(queue, &presence).run(stop.clone()));
            }
        }
        let keep = self.options.keep_history;
        tasks.spawn(maintenance::run(self.store.clone(), Arc::clone(&self.clock), keep, stop.clone()));
        while let Some(ended) = tasks.join_next().await {
            if ended.is_err() {
                tracing::error!("a worker ended by a panic");
            }
        }
        if let Some(presence) = Arc::into_inner(presence) {
            presence.end(&self.store, &self.clock).await;
        }
        Ok(())
    }

    fn worker(&self, queue: &QueueOptions, presence: &Arc<Presence>) -> Worker {
        Worker {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            registry: self.registry.clone(),
            queue: queue.clone(),
            presence: Arc::clone(presence),
            poll: self.options.poll,
            grace: self.options.grace,
        }
    }
}
