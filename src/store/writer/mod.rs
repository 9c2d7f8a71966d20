//! All writes go through here. On SQLite one thread owns the only write connection and commits whatever is waiting at once
//! (group commit), each unit of work in its own savepoint. On PostgreSQL several threads do one transaction per unit, and
//! gather deliveries likewise. Callers are answered after the commit.

mod checkpoint;
mod queue;
mod run;
mod unit;

use super::append::{Append, Appended};
use super::db::{Conn, Tx};
use super::error::{StoreError, StoreResult};
use super::options::Target;
use super::wakeups::Wakeups;
use crate::domain::event::Delivery;
use crate::domain::time::Timestamp;
use checkpoint::Checkpointer;
use queue::{BATCH_MAX, Queue, Request};
use run::Runner;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use unit::{Reply, Task};

/// The stack of a writer thread: rules are evaluated inside of units.
const STACK_BYTES: usize = 8 * 1024 * 1024;
/// Threads that gather deliveries on PostgreSQL.
const APPENDERS_PG: u32 = 2;

/// The write side of a store.
pub(in crate::store) struct Writer {
    units: Arc<Queue>,
    appends: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    /// Ends when it is dropped, after the writer.
    _checkpointer: Option<Checkpointer>,
}

impl Writer {
    pub(in crate::store) fn start(target: &Target, first: Conn, writers_pg: u32, wakeups: &Arc<Wakeups>) -> StoreResult<Self> {
        let units = Arc::new(Queue::new());
        let runner =
            |queue: &Arc<Queue>, conn, max| Runner::new(target.clone(), conn, Arc::clone(queue), max, Arc::clone(wakeups));
        if let Target::Lite { path } = target {
            let checkpointer = Checkpointer::start(path);
            let writer = runner(&units, Some(first), BATCH_MAX).with_log(checkpointer.shared());
            let threads = vec![spawn("store-writer", writer)?];
            return Ok(Self { appends: Arc::clone(&units), units, threads, _checkpointer: Some(checkpointer) });
        }
        let appends = Arc::new(Queue::new());
        let mut threads = vec![spawn("store-writer", runner(&units, Some(first), 1))?];
        for _ in 1..writers_pg.max(1) {
            threads.push(spawn("store-writer", runner(&units, None, 1))?);
        }
        for _ in 0..APPENDERS_PG {
            threads.push(spawn("store-append", runner(&appends, None, BATCH_MAX))?);
        }
        Ok(Self { units, appends, threads, _checkpointer: None })
    }

    pub(in crate::store) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.units.push(Request::Unit(Task::boxed(work, Reply::Later(reply))))?;
        answer.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// `first` passes by the line, and its limit.
    pub(in crate::store) fn write_now<T, E, F>(&self, work: F, first: bool) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = mpsc::sync_channel(1);
        let request = Request::Unit(Task::boxed(work, Reply::Now(reply)));
        if first { self.units.push_first(request) } else { self.units.push(request) }?;
        answer.recv().unwrap_or_else(|_| Err(closed().into()))
    }

    pub(in crate::store) async fn append(&self, delivery: Delivery, received: Timestamp) -> StoreResult<Appended> {
        let (reply, answer) = oneshot::channel();
        self.appends.push(Request::Append(Append::new(delivery, received, reply)))?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

/// What is waiting is still written; then the threads end. The last clone of a store may be dropped by a writer itself.
impl Drop for Writer {
    fn drop(&mut self) {
        self.units.close();
        self.appends.close();
        let me = std::thread::current().id();
        for thread in self.threads.drain(..) {
            if thread.thread().id() != me {
                drop(thread.join());
            }
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable { reason: "the store is closed".into() }
}

fn spawn(name: &str, mut runner: Runner) -> StoreResult<JoinHandle<()>> {
    let builder = std::thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    builder.spawn(move || runner.run()).map_err(|e| StoreError::Unavailable { reason: e.kind().to_string() })
}
