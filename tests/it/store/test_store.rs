//! A migrated, empty database with a clock that stands still.

use crate::support::postgres;
use avatar::domain::clock::{Clock, ManualClock};
use avatar::domain::job::{ClaimedJob, NewJob};
use avatar::domain::time::{Millis, Timestamp};
use avatar::store::jobs::{self, ClaimRequest, Failed};
use avatar::store::{Store, StoreOptions, StoreResult, workers};
use std::sync::Arc;
use tempfile::TempDir;

pub struct TestStore {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub url: String,
    _folder: Option<TempDir>,
}

/// 2026-03-02 09:00 in Sydney.
pub const START: Timestamp = Timestamp(1_772_402_400_000);

impl TestStore {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/data/avatar.db", folder.path().display());
        Self::migrated(url, Some(folder))
    }

    /// `None` when this machine has no PostgreSQL.
    pub fn postgres() -> Option<Self> {
        postgres::fresh_database().map(|url| Self::migrated(url, None))
    }

    /// On a given place.
    pub fn at(url: String) -> Self {
        Self::migrated(url, None)
    }

    fn migrated(url: String, folder: Option<TempDir>) -> Self {
        let clock = ManualClock::at(START);
        let store = Store::open(StoreOptions::new(&url), clock.clone()).unwrap();
        store.migrate().unwrap();
        Self { store, clock, url, _folder: folder }
    }

    /// A second node on the same database, with the same clock.
    pub fn another_node(&self) -> Store {
        Store::open(StoreOptions::new(&self.url), self.clock.clone()).unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// One worker of the queue `test`.
pub struct Queue<'a> {
    t: &'a TestStore,
    pub worker: i64,
}

const LEASE: Millis = Millis::seconds(7);

impl<'a> Queue<'a> {
    pub fn of(t: &'a TestStore) -> Self {
        let now = t.now();
        let worker = t.store.write_now(move |tx| workers::register(tx, "node", 1, LEASE, now)).unwrap();
        Self { t, worker }
    }

    /// A job that may fail twice.
    pub fn job(kind: &'static str) -> NewJob {
        NewJob {
            queue: "test",
            kind,
            priority: 1,
            run_at: START,
            max_attempts: 3,
            timeout: Millis::MINUTE,
            lane_key: None,
            unique_key: None,
            event_id: None,
            payload: "{}".into(),
        }
    }

    pub fn enqueue(&self, job: NewJob) -> Option<i64> {
        let now = self.t.now();
        self.t.store.write_now(move |tx| jobs::enqueue(tx, &job, now)).unwrap()
    }

    pub fn claim(&self, limit: usize) -> Vec<ClaimedJob> {
        let (worker, now) = (self.worker, self.t.now());
        let request = ClaimRequest { queue: "test", limit, turn: 0 };
        self.t.store.write_now(move |tx| jobs::claim(tx, worker, &request, now)).unwrap()
    }

    pub fn complete(&self, job: &ClaimedJob) -> StoreResult<()> {
        let (job, now) = (job.clone(), self.t.now());
        self.t.store.write_now(move |tx| jobs::complete(tx, &job, now))
    }

    pub fn fail(&self, job: &ClaimedJob, retry_after: Option<Millis>) -> StoreResult<Failed> {
        let (job, now) = (job.clone(), self.t.now());
        self.t.store.write_now(move |tx| jobs::fail(tx, &job, "no answer", retry_after.map(|d| now + d), now))
    }

    pub fn heartbeat(&self) -> bool {
        let (worker, now) = (self.worker, self.t.now());
        self.t.store.write_now(move |tx| workers::heartbeat(tx, worker, LEASE, now)).unwrap()
    }

    /// How many jobs were taken from their workers.
    pub fn rescue(&self) -> usize {
        let now = self.t.now();
        self.t.store.write_now(move |tx| jobs::rescue(tx, now)).unwrap().len()
    }
}
