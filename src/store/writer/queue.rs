//! The bounded line in front of the writers.

use super::unit::Unit;
use crate::store::append::Append;
use crate::store::error::{StoreError, StoreResult};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// More requests than this may not wait for a writer; further ones are refused at once.
pub const WRITES_WAITING_MAX: usize = 4_096;
/// At most so many requests share one commit.
pub const BATCH_MAX: usize = 256;

pub(super) enum Request {
    Unit(Box<dyn Unit>),
    Append(Append),
}

#[derive(Default)]
pub(super) struct Queue {
    line: Mutex<Line>,
    arrived: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Request>,
    closed: bool,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn push(&self, request: Request) -> StoreResult<()> {
        let mut line = self.lock();
        if line.closed {
            return Err(super::closed());
        }
        if line.waiting.len() >= WRITES_WAITING_MAX {
            return Err(StoreError::Unavailable { reason: "too many writes are waiting".into() });
        }
        line.waiting.push_back(request);
        drop(line);
        self.arrived.notify_one();
        Ok(())
    }

    /// To the front, whatever the length: only for the few signs of life of this process.
    pub(super) fn push_first(&self, request: Request) -> StoreResult<()> {
        let mut line = self.lock();
        if line.closed {
            return Err(super::closed());
        }
        line.waiting.push_front(request);
        drop(line);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for work and takes up to `max` requests; `None` when the queue is closed and empty.
    pub(super) fn take(&self, max: usize) -> Option<Vec<Request>> {
        let mut line = self.lock();
        while line.waiting.is_empty() {
            if line.closed {
                return None;
            }
            line = self.arrived.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        let count = line.waiting.len().min(max);
        Some(line.waiting.drain(..count).collect())
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
