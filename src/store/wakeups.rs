//! Waking workers after a commit. Polling is the truth; this only makes it fast.

use super::notify::Notifier;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::Notify;

/// One bell for each queue.
#[derive(Default)]
pub struct Wakeups {
    bells: Mutex<BTreeMap<String, Arc<Notify>>>,
    /// Tells the other nodes, where there can be some.
    others: OnceLock<Notifier>,
}

/// More workers than this are not woken at once: those that are find the rest.
const WAKES_MAX: u32 = 64;

impl Wakeups {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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

    /// Wakes one worker here for each of `jobs` new jobs.
    pub fn wake(&self, queue: &str, jobs: u32) {
        let bell = self.bell(queue);
        for _ in 0..jobs.min(WAKES_MAX) {
            bell.notify_one();
        }
    }
}
