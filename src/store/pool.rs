//! The pool of reading connections, with a limit on how many may wait for one.

use super::db::{Conn, on};
use super::dialect;
use super::error::{StoreError, StoreResult};
use super::options::Target;
use diesel::connection::SimpleConnection;
use r2d2::{ManageConnection, Pool};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// More reads than this may not wait for a connection.
pub const READS_WAITING_MAX: usize = 1_024;
/// A read that gets no connection in this time is refused.
const CONNECTION_WAIT_MS_MAX: u64 = 5_000;

/// Reading connections, opened when needed.
pub(in crate::store) struct Readers {
    pool: Pool<Manager>,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Readers {
    pub(in crate::store) fn open(target: &Target, size: u32) -> Self {
        let size = size.max(1);
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .test_on_check_out(matches!(target, Target::Pg { .. }))
            .connection_timeout(Duration::from_millis(CONNECTION_WAIT_MS_MAX))
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Manager { target: target.clone() });
        Self { pool, turns: Arc::new(Semaphore::new(size as usize)), waiting: AtomicUsize::new(0) }
    }

    /// Waits for a turn, so that no thread is blocked meanwhile.
    pub(in crate::store) async fn admit(&self) -> StoreResult<OwnedSemaphorePermit> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= READS_WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(StoreError::Unavailable { reason: "too many reads are waiting".into() });
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        turn.map_err(|_| StoreError::Unavailable { reason: "the store is closed".into() })
    }

    pub(in crate::store) fn run<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        let taken = self.pool.get();
        let mut conn = taken.map_err(|_| StoreError::Unavailable { reason: "no reading connection".into() })?;
        work(&mut conn)
    }
}

struct Manager {
    target: Target,
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = StoreError;

    fn connect(&self) -> Result<Conn, StoreError> {
        dialect::open_reader(&self.target)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), StoreError> {
        on!(conn, c => c.batch_execute("SELECT 1"))?;
        Ok(())
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}
