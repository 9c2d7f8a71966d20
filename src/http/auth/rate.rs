//! How many requests one address, and one caller, may make: buckets that fill steadily and hold a burst.

use crate::domain::time::{Millis, Timestamp};
use crate::http::access::Rate;
use crate::http::problem::ApiError;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Buckets that are remembered at once.
const BUCKETS_MAX: usize = 10_000;
/// A bucket is full again after so long, whatever its rate: it can be forgotten.
const FORGOTTEN_AFTER: Millis = Millis::MINUTE;

#[derive(Default)]
pub(super) struct Rates {
    addresses: Buckets,
    callers: Buckets,
}

impl Rates {
    /// This machine, and proxies that do not say for whom they speak, are many clients.
    pub(super) fn of_address(&self, ip: Option<IpAddr>, rate: Rate, now: Timestamp) -> Result<(), ApiError> {
        match ip.filter(|ip| !ip.is_loopback()) {
            Some(ip) => self.addresses.take(&ip.to_string(), rate, now),
            None => Ok(()),
        }
    }

    pub(super) fn of_caller(&self, id: &str, rate: Rate, now: Timestamp) -> Result<(), ApiError> {
        self.callers.take(id, rate, now)
    }
}

#[derive(Default)]
struct Buckets(Mutex<HashMap<String, Bucket>>);

#[derive(Clone, Copy)]
struct Bucket {
    /// In thousandths of a request.
    level: i64,
    at: Timestamp,
}

impl Buckets {
    fn take(&self, name: &str, rate: Rate, now: Timestamp) -> Result<(), ApiError> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(name) {
            make_room(&mut buckets, now);
        }
        let full = i64::from(rate.burst) * 1_000;
        let bucket = buckets.entry(name.to_owned()).or_insert(Bucket { level: full, at: now });
        let passed = (now - bucket.at).0.max(0);
        bucket.level = full.min(bucket.level.saturating_add(passed.saturating_mul(i64::from(rate.per_second))));
        bucket.at = now;
        if bucket.level >= 1_000 {
            bucket.level -= 1_000;
            return Ok(());
        }
        let missing = 1_000 - bucket.level;
        Err(ApiError::too_many_for(Millis(missing / i64::from(rate.per_second.max(1)) + 1)))
    }
}

fn make_room(buckets: &mut HashMap<String, Bucket>, now: Timestamp) {
    buckets.retain(|_, bucket| now - bucket.at < FORGOTTEN_AFTER);
    if buckets.len() >= BUCKETS_MAX {
        // So many at once are an attack: whoever is emptiest stays remembered.
        let mut levels: Vec<i64> = buckets.values().map(|bucket| bucket.level).collect();
        levels.sort_unstable();
        let middle = levels[levels.len() / 2];
        let mut keep = BUCKETS_MAX / 2;
        buckets.retain(|_, bucket| {
            let stays = bucket.level <= middle && keep > 0;
            keep -= usize::from(stays);
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 20 };

    #[test]
    fn a_burst_is_let_in_and_then_so_many_a_second() {
        let buckets = Buckets::default();
        let let_in = |at: i64| (0..100).filter(|_| buckets.take("kim", RATE, Timestamp(at)).is_ok()).count();
        assert_eq!(let_in(0), 20);
        assert_eq!(let_in(1_000), 10);
        assert_eq!(let_in(1_050), 0);
        assert_eq!(let_in(1_100), 1);
        assert_eq!(let_in(60_000), 20);
        assert_eq!(let_in(1_000), 0, "a clock that goes back gives nothing");
        assert!(buckets.take("lee", RATE, Timestamp(0)).is_ok(), "others are not held up");
    }

    #[test]
    fn memory_is_bounded() {
        let buckets = Buckets::default();
        for number in 0..3 * BUCKETS_MAX {
            buckets.take(&number.to_string(), RATE, Timestamp(0)).expect("a new caller");
        }
        assert!(buckets.0.lock().expect("not poisoned").len() <= BUCKETS_MAX);
    }
}
