//! This process among the workers: its row, and a thread that keeps it alive whatever the jobs do.

use super::runner::RunnerOptions;
use crate::domain::clock::SharedClock;
use crate::store::{Store, StoreError, StoreResult, jobs, workers};
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One life of this process as a worker; a new one begins when it was declared dead.
#[derive(Clone)]
pub(super) struct Life {
    pub worker_id: i64,
    /// Cancelled when this life is over: its jobs belong to others.
    pub dead: CancellationToken,
}

pub(super) struct Presence {
    life: Arc<Mutex<Life>>,
    wishes: watch::Receiver<BTreeSet<i64>>,
    /// Dropped to end the thread.
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Presence {
    /// Registers this process. What a former process of the same node left behind can be rescued at once.
    pub(super) async fn begin(store: &Store, clock: &SharedClock, options: &RunnerOptions) -> StoreResult<Self> {
        let (node, lease, now) = (options.node.clone(), options.lease, clock.now());
        let worker_id = store
            .write(move |tx| {
                workers::retire_node(tx, &node, now)?;
                workers::register(tx, &node, std::process::id(), lease, now)
            })
            .await?;
        let life = Arc::new(Mutex::new(Life { worker_id, dead: CancellationToken::new() }));
        let (stop, stopped) = channel();
        let (wished, wishes) = watch::channel(BTreeSet::new());
        let heart =
            Heart { store: store.clone(), clock: Arc::clone(clock), options: options.clone(), life: Arc::clone(&life), wished };
        let thread = std::thread::Builder::new().name("jobs-heartbeat".into()).spawn(move || heart.beat(&stopped)).ok();
        Ok(Self { life, wishes, stop, thread })
    }

    pub(super) fn life(&self) -> Life {
        lock(&self.life).clone()
    }

    /// Running jobs of this process that somebody wants to end.
    pub(super) fn wishes(&self) -> watch::Receiver<BTreeSet<i64>> {
        self.wishes.clone()
    }

    /// Ends the thread and marks the row dead.
    pub(super) async fn end(self, store: &Store, clock: &SharedClock) {
        let worker_id = self.life().worker_id;
        drop(self.stop);
        if let Some(thread) = self.thread {
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
        let now = clock.now();
        let retired = store.write(move |tx| workers::retire(tx, worker_id, now)).await;
        if let Err(error) = retired {
            tracing::warn!(%error, "worker not retired");
        }
    }
}

struct Heart {
    store: Store,
    clock: SharedClock,
    options: RunnerOptions,
    life: Arc<Mutex<Life>>,
    wished: watch::Sender<BTreeSet<i64>>,
}

impl Heart {
    fn beat(&self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(self.options.heartbeat) == Err(RecvTimeoutError::Timeout) {
            if let Err(error) = self.beat_once() {
                tracing::warn!(%error, "heartbeat failed");
            }
        }
    }

    fn beat_once(&self) -> StoreResult<()> {
        let (worker_id, lease) = (lock(&self.life).worker_id, self.options.lease);
        // The time is read when the statement runs: a beat that had to wait is worth as much as a prompt one.
        let clock = Arc::clone(&self.clock);
        let (alive, wishes) = self.store.write_first_now(move |tx| {
            let alive = workers::heartbeat(tx, worker_id, lease, clock.now())?;
            Ok::<_, StoreError>((alive, jobs::cancel_wishes(tx, worker_id)?))
        })?;
        if alive {
            self.hear(wishes);
            return Ok(());
        }
        tracing::warn!(worker = worker_id, "declared dead; its jobs are dropped and a new life begins");
        let (node, clock) = (self.options.node.clone(), Arc::clone(&self.clock));
        let fresh = self.store.write_first_now(move |tx| workers::register(tx, &node, std::process::id(), lease, clock.now()))?;
        let next = Life { worker_id: fresh, dead: CancellationToken::new() };
        let former = std::mem::replace(&mut *lock(&self.life), next);
        // Only now: whoever is woken by this finds the new life.
        former.dead.cancel();
        Ok(())
    }

    fn hear(&self, wishes: Vec<i64>) {
        let wishes: BTreeSet<i64> = wishes.into_iter().collect();
        self.wished.send_if_modified(|known| {
            let changed = *known != wishes;
            *known = wishes;
            changed
        });
    }
}

fn lock(life: &Mutex<Life>) -> std::sync::MutexGuard<'_, Life> {
    life.lock().unwrap_or_else(PoisonError::into_inner)
}
