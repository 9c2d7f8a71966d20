//! The only SQL. Callers see domain types, an opaque [`Conn`] to read and an opaque [`Tx`] to write.

pub mod alarms;
mod append;
pub mod audit;
pub mod backup;
pub mod changes;
mod db;
mod dialect;
pub mod duties;
mod error;
pub mod handovers;
pub mod holds;
pub mod jobs;
mod migrate;
mod notify;
mod one_of;
mod options;
pub mod plans;
mod pool;
pub mod rate;
mod row;
pub mod schedules;
mod schema;
mod schema_gateways;
mod schema_guard;
mod schema_search;
mod schema_staff;
mod schema_work;
pub mod search;
mod sql;
pub mod staff;
pub mod views;
mod wakeups;
pub mod workers;
mod writer;

pub mod bookings;
pub mod consents;
pub mod contacts;
pub mod departures;
pub mod events;
pub mod history;
pub mod inbox;
pub mod invariants;
pub mod merges;
pub mod numbers;
pub mod once;
pub mod overrides;
pub mod privacy;
pub mod recall;
pub mod reports;
pub mod retention;
pub mod rulesets;
pub mod runs;
pub mod skips;
pub mod sms;
pub mod system_values;
pub mod tasks;
pub mod timers;
pub mod waiting;

pub use append::{Appended, Cause, RUN_EVENT, RUN_EVENT_QUEUE, record};
pub use db::{Conn, Tx};
pub use error::{StoreError, StoreResult};
pub use migrate::describe_schema;
pub use options::StoreOptions;
pub use wakeups::Wakeups;

use crate::domain::clock::SharedClock;
use crate::domain::event::Delivery;
use crate::domain::time::Timestamp;
use options::Target;
use std::sync::Arc;

/// A larger file is not written anew while people work: it would hold up everybody for seconds.
const SCRUB_BYTES_MAX: i64 = 256 * 1024 * 1024;

/// The database of one installation. Cheap to clone; all clones share one writer and one pool of readers.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    clock: SharedClock,
    readers: pool::Readers,
    writer: writer::Writer,
    wakeups: Arc<Wakeups>,
}

impl Store {
    /// Opens the database and checks that it is fit: version, durability settings, no migration that this program lacks.
    /// It does not migrate. Blocks; call it outside of the async runtime or before it has work.
    pub fn open(options: StoreOptions, clock: SharedClock) -> StoreResult<Self> {
        let target = Target::parse(&options.url)?;
        let mut first = dialect::open_writer(&target)?;
        dialect::check_fitness(&mut first)?;
        migrate::refuse_unknown(&mut first)?;
        let wakeups = Arc::new(Wakeups::new(clock.now()));
        if let Target::Pg { url } = &target {
            wakeups.tell_others(notify::Notifier::start(url, &wakeups)?);
        }
        let writer = writer::Writer::start(&target, first, options.writers_pg, &wakeups)?;
        let readers = pool::Readers::open(&target, options.readers);
        Ok(Self { inner: Arc::new(Inner { target, clock, readers, writer, wakeups }) })
    }

    /// Runs `work` on a reading connection, away from the async threads.
    pub async fn read<T, E>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = self.inner.readers.admit().await?;
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            inner.readers.run(work)
        });
        done.await.unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    /// Like [`Store::read`], on the calling thread.
    pub fn read_now<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        self.inner.readers.run(work)
    }

    /// Runs `work` in a transaction of its own and answers after the commit. An error of `work` undoes everything it wrote.
    /// On SQLite it runs on the one writer thread: keep it short, and never wait for another write inside it.
    /// Work that stands in line is done even when nobody waits for the answer any more.
    pub async fn write<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let attempt = once::current();
        let noted = move |tx: &mut Tx<'_>| {
            if let Some(attempt) = &attempt {
                once::note_change(tx, attempt)?;
            }
            work(tx)
        };
        self.inner.writer.write(noted).await
    }

    /// Like [`Store::write`], blocking the calling thread. Not for async code.
    pub fn write_now<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.writer.write_now(work, false)
    }

    /// Like [`Store::write_now`], in front of everything that waits: a heartbeat must not stand in the line that it is to outlive.
    pub(crate) fn write_first_now<T, E>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.writer.write_now(work, true)
    }

    /// Records a delivery and the job that will work on it. After `Ok`, both are on stable storage.
    /// A delivery that is known already (same source and dedupe key) answers with the first event's id and adds no job.
    pub async fn append(&self, delivery: Delivery, received: Timestamp) -> StoreResult<Appended> {
        if let Some(attempt) = once::current() {
            self.inner.writer.write(move |tx| once::note_change(tx, &attempt)).await?;
        }
        self.inner.writer.append(delivery, received).await
    }

    /// Applies the migrations that are missing and answers with their names.
    pub fn migrate(&self) -> StoreResult<Vec<String>> {
        migrate::run_pending(&mut self.migration_conn()?)
    }

    /// Every migration that this program knows, with whether it is applied.
    pub fn migration_status(&self) -> StoreResult<Vec<(String, bool)>> {
        migrate::status(&mut self.migration_conn()?)
    }

    /// Undoes every migration: all data is gone. For tests.
    pub fn revert_all(&self) -> StoreResult<Vec<String>> {
        migrate::revert_all(&mut self.migration_conn()?)
    }

    /// Where workers wait for news of their queue.
    pub fn wakeups(&self) -> &Arc<Wakeups> {
        &self.inner.wakeups
    }

    /// Where listeners hear what has changed.
    pub fn changes(&self) -> &Arc<changes::Changes> {
        self.inner.wakeups.changes()
    }

    pub fn clock(&self) -> &SharedClock {
        &self.inner.clock
    }

    /// True when several nodes can share this database.
    pub fn is_postgres(&self) -> bool {
        matches!(self.inner.target, Target::Pg { .. })
    }

    /// Destroys what deleted rows have left in the file of the database. False when that has to wait: the file is large, or somebody reads an
    /// old state of it. PostgreSQL does it by itself. Blocks.
    pub fn scrub(&self) -> StoreResult<bool> {
        let Target::Lite { path } = &self.inner.target else { return Ok(false) };
        let mut conn = dialect::sqlite::open_writer(path)?;
        Ok(dialect::sqlite::file_bytes(&mut conn)? <= SCRUB_BYTES_MAX && dialect::sqlite::vacuum(&mut conn)?)
    }

    /// Like [`Store::scrub`], whatever it takes: nobody can write meanwhile.
    pub fn vacuum(&self) -> StoreResult<bool> {
        let Target::Lite { path } = &self.inner.target else { return Ok(false) };
        dialect::sqlite::vacuum(&mut dialect::sqlite::open_writer(path)?)
    }

    fn migration_conn(&self) -> StoreResult<Conn> {
        dialect::open_writer(&self.inner.target)
    }
}
