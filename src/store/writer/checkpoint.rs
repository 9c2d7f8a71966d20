//! Copies the write-ahead log into the database file while the writer goes on writing. SQLite would do it inside of a commit, and
//! everybody would wait for tens of megabytes to be written.
//!
//! The log begins anew only when all of it is copied at the moment of a write. Under load that moment never comes by itself, so
//! when the log has become long the writer copies the little that is left itself.

use crate::store::db::Conn;
use crate::store::dialect::sqlite::{self, LogState};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// So many pages (of 4 KiB) in the log that are not in the file are copied.
const PAGES_UNCOPIED_MIN: i32 = 4_096;
/// A log of so many pages is to begin anew.
const LOG_PAGES_MAX: i32 = 16_384;
/// The log is looked at no more often than this.
const PAUSE: Duration = Duration::from_millis(20);

/// The thread that copies.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the writer tells the thread, and the other way round.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// The writer is to copy the rest, so that the log can begin anew.
    log_is_long: AtomicBool,
}

#[derive(Default)]
struct State {
    has_committed: bool,
    is_closed: bool,
}

impl Checkpointer {
    /// Without the thread the writer copies by itself, later: see the pragmas of its connection.
    pub(super) fn start(path: &Path) -> Self {
        let shared = Arc::new(Shared::default());
        let copier = sqlite::open_checkpointer(path).ok().map(|conn| Copier { conn, shared: Arc::clone(&shared) });
        let builder = std::thread::Builder::new().name("store-checkpoint".to_owned());
        let thread = copier.and_then(|mut copier| builder.spawn(move || copier.run()).ok());
        Self { shared, thread }
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    /// The writer has committed.
    pub(super) fn committed(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).has_committed = true;
        self.changed.notify_one();
    }

    /// True once each time the log has become long.
    pub(super) fn take_log_is_long(&self) -> bool {
        self.log_is_long.load(Ordering::Relaxed) && self.log_is_long.swap(false, Ordering::Relaxed)
    }

    fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.changed.notify_one();
    }

    /// Waits for a commit, and then for the pause; false at the end.
    fn wait(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.has_committed && !state.is_closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let paused = self.changed.wait_timeout_while(state, PAUSE, |state| !state.is_closed);
        let (mut state, _) = paused.unwrap_or_else(PoisonError::into_inner);
        state.has_committed = false;
        !state.is_closed
    }
}

struct Copier {
    conn: Conn,
    shared: Arc<Shared>,
}

impl Copier {
    fn run(&mut self) {
        while self.shared.wait() {
            // What fails now, because the disk is full or somebody else copies, is tried after the next commit.
            if let Ok(log) = sqlite::log_state(&mut self.conn) {
                self.look(&log);
            }
        }
    }

    fn look(&mut self, log: &LogState) {
        if log.pages - log.copied >= PAGES_UNCOPIED_MIN {
            drop(sqlite::copy_log(&mut self.conn));
        }
        if log.pages >= LOG_PAGES_MAX {
            self.shared.log_is_long.store(true, Ordering::Relaxed);
        }
    }
}
