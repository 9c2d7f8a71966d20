//! How long to wait after tries that failed: longer each time, never for good.

use crate::domain::time::{Millis, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Tries of one account that may fail before anybody has to wait.
pub(super) const FREE_OF_ACCOUNT: i64 = 5;
/// Tries from one address that may fail before: a whole front desk may sit behind it.
pub(super) const FREE_OF_ADDRESS: i64 = 10;
/// The first wait; each further one is twice as long.
const PAUSE_FIRST: Millis = Millis::SECOND;
const PAUSE_MAX: Millis = Millis::minutes(15);
/// Tries of longer ago count no more.
pub(super) const FORGOTTEN_AFTER: Millis = Millis::hours(24);

/// How long nothing is tried after `failures` in a row, of which `free` cost nothing.
pub(super) fn pause(failures: i64, free: i64) -> Option<Millis> {
    let doublings = u32::try_from((failures - free).min(62)).ok()?;
    let pause = PAUSE_FIRST.0.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX));
    Some(Millis(pause.min(PAUSE_MAX.0)))
}

/// Names (addresses, unknown accounts) whose tries are remembered at once.
const NAMES_MAX: usize = 10_000;

#[derive(Clone, Copy)]
struct Tries {
    failures: i64,
    last: Timestamp,
    blocked_until: Option<Timestamp>,
}

/// The tries of many names, in memory.
pub(super) struct Throttle {
    free: i64,
    forgotten_after: Millis,
    tries: Mutex<HashMap<String, Tries>>,
}

impl Throttle {
    pub(super) fn new(free: i64, forgotten_after: Millis) -> Self {
        Self { free, forgotten_after, tries: Mutex::default() }
    }

    /// How long `name` still has to wait.
    pub(super) fn wait(&self, name: &str, now: Timestamp) -> Option<Millis> {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let until = tries.get(name)?.blocked_until?;
        (now < until).then(|| until - now)
    }

    /// Counts a try as failed until [`Throttle::forgive`] says otherwise, so that many at once do not all find the door open.
    pub(super) fn count(&self, name: &str, now: Timestamp) -> Result<(), Millis> {
        if let Some(wait) = self.wait(name, now) {
            return Err(wait);
        }
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= NAMES_MAX && !tries.contains_key(name) {
            self.make_room(&mut tries, now);
        }
        let known = tries.get(name).filter(|t| now - t.last < self.forgotten_after);
        let failures = known.map_or(0, |t| t.failures) + 1;
        let blocked_until = pause(failures, self.free).map(|pause| now + pause);
        tries.insert(name.to_owned(), Tries { failures, last: now, blocked_until });
        Ok(())
    }

    /// Takes one counted try back: it did not fail.
    pub(super) fn forgive(&self, name: &str) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tries.get_mut(name) {
            known.failures = (known.failures - 1).max(0);
            known.blocked_until = None;
        }
    }

    /// Forgets what is old; if that is not enough, the half that was seen longest ago.
    fn make_room(&self, tries: &mut HashMap<String, Tries>, now: Timestamp) {
        tries.retain(|_, t| now - t.last < self.forgotten_after);
        if tries.len() >= NAMES_MAX {
            let mut times: Vec<Timestamp> = tries.values().map(|t| t.last).collect();
            times.sort_unstable();
            let middle = times[times.len() / 2];
            tries.retain(|_, t| t.last > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_after_the_fifth_and_ends_at_a_quarter_of_an_hour() {
        let seconds: Vec<i64> = (1..=17).map(|n| pause(n, FREE_OF_ACCOUNT).map_or(0, |p| p.0 / 1_000)).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(pause(i64::MAX, FREE_OF_ACCOUNT), Some(PAUSE_MAX));
    }

    #[test]
    fn names_are_remembered_without_growing_without_end() {
        let throttle = Throttle::new(1, Millis::MINUTE);
        for number in 0..3 * NAMES_MAX as i64 {
            throttle.count(&number.to_string(), Timestamp(number)).expect("each for the first time");
        }
        assert!(throttle.tries.lock().expect("not poisoned").len() <= NAMES_MAX);
        let last = (3 * NAMES_MAX as i64 - 1).to_string();
        assert_eq!(throttle.wait(&last, Timestamp(30_000)), Some(Millis(999)), "the newest are kept");
        throttle.forgive(&last);
        assert_eq!(throttle.wait(&last, Timestamp(30_000)), None);
    }
}
