//! A migrated, empty database with a clock that stands still.

use super::pg;
use avatar::domain::clock::ManualClock;
use avatar::domain::time::Timestamp;
use avatar::store::{Store, StoreOptions};
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
        pg::fresh_database().map(|url| Self::migrated(url, None))
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
        use avatar::domain::clock::Clock;
        self.clock.now()
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if self.store.is_postgres() {
            pg::drop_database(&self.url);
        }
    }
}
