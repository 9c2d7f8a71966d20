//! The only place that reads the system clock. Everything else is handed a [`Clock`].

use super::time::{Millis, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time. Shared by all parts of a process, so that a test can move it.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system clock is read")]
    fn now(&self) -> Timestamp {
        Timestamp(chrono::Utc::now().timestamp_millis())
    }
}

/// A clock that stands still until it is moved: for tests and simulations.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    #[must_use]
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(start.0)))
    }
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.0, Ordering::SeqCst);
    }
    pub fn advance(&self, by: Millis) {
        self.0.fetch_add(by.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Stands at the time it was set to until [`BackfillClock::go_live`]; then it is the machine's clock. For filling a database with
/// a past that leads up to now.
#[derive(Debug)]
pub struct BackfillClock(AtomicI64);

/// No time that anybody sets.
const LIVE: i64 = i64::MIN;

impl BackfillClock {
    #[must_use]
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(start.0)))
    }

    /// Moves the standing clock. A clock that went live stays so.
    pub fn set(&self, to: Timestamp) {
        let moved = |at: i64| (at != LIVE).then_some(to.0);
        // An error only says that the clock is live.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }

    pub fn go_live(&self) {
        self.0.store(LIVE, Ordering::SeqCst);
    }

    pub fn is_live(&self) -> bool {
        self.0.load(Ordering::SeqCst) == LIVE
    }
}

impl Clock for BackfillClock {
    fn now(&self) -> Timestamp {
        match self.0.load(Ordering::SeqCst) {
            LIVE => SystemClock.now(),
            standing => Timestamp(standing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backfill_clock_stands_until_it_goes_live_for_good() {
        let clock = BackfillClock::at(Timestamp(5));
        clock.set(Timestamp(9));
        assert_eq!(clock.now(), Timestamp(9));
        let before = SystemClock.now();
        clock.go_live();
        clock.set(Timestamp(1));
        assert!(clock.is_live() && clock.now() >= before);
    }
}
