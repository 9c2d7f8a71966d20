//! What is told after a commit: workers are woken, and listeners hear what changed. For workers polling is the truth; this only makes it
//! fast.

use super::changes::{Changes, Gathered};
use super::notify::Notifier;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::Notify;

/// One bell for each queue.
pub struct Wakeups {
    bells: Mutex<BTreeMap<String, Arc<Notify>>>,
    /// Tells the other nodes, where there can be some.
    others: OnceLock<Notifier>,
    changes: Arc<Changes>,
}

/// More workers than this are not woken at once: those that are find the rest.
const WAKES_MAX: u32 = 64;

impl Wakeups {
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { bells: Mutex::default(), others: OnceLock::new(), changes: Arc::new(Changes::new(now)) }
    }

    /// Where listeners hear what has changed.
    pub const fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    /// The bell of a queue: each waiting worker is woken by one `notify_one`.
    pub fn bell(&self, queue: &str) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(queue) {
            return Arc::clone(bell);
        }
        Arc::clone(bells.entry(queue.to_owned()).or_default())
    }

    pub(in crate::store) fn tell_others(&self, notifier: Notifier) {
        drop(self.others.set(notifier));
    }

    /// After a commit: workers here and on other nodes.
    pub(in crate::store) fn committed(&self, queue: &str, jobs: u32) {
        self.wake(queue, jobs);
        if let Some(others) = self.others.get() {
            others.announce(queue, jobs);
        }
    }

    /// After a commit: listeners here and on other nodes.
    pub(in crate::store) fn changed(&self, gathered: Gathered) {
        if gathered.is_empty() {
            return;
        }
        if let Some(others) = self.others.get() {
            others.tell(&gathered);
        }
        self.changes.tell(gathered);
    }

    /// Wakes one worker here for each of `jobs` new jobs.
    pub fn wake(&self, queue: &str, jobs: u32) {
        let bell = self.bell(queue);
        for _ in 0..jobs.min(WAKES_MAX) {
            bell.notify_one();
        }
    }
}
