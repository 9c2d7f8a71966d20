//! Ids are UUIDv7 text: 36 characters, lower case, sortable by time.

use super::time::Timestamp;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// A fresh id: the time of `now`, the rest random.
#[must_use]
pub fn new_id(now: Timestamp) -> String {
    let mut random = [0u8; 10];
    fill_random(&mut random);
    v7(now, &random)
}

/// An id that is a pure function of its arguments: the time of `now`, the rest from a hash of `parts`.
/// Retrying the same action gives the same id, so it cannot happen twice.
#[must_use]
pub fn derived_id(now: Timestamp, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut tail = [0u8; 10];
    tail.copy_from_slice(&digest[..10]);
    v7(now, &tail)
}

/// The time that an id begins with.
#[must_use]
pub fn time_of(id: &str) -> Option<Timestamp> {
    let (high, low) = (id.get(..8)?, id.get(9..13)?);
    i64::from_str_radix(&format!("{high}{low}"), 16).ok().map(Timestamp)
}

/// What every id of that time begins with: no id of an earlier time comes after it, none of a later one before.
#[must_use]
pub fn id_prefix(at: Timestamp) -> String {
    v7(at, &[0; 10]).chars().take(PREFIX_CHARS).collect()
}

/// Of an id, the characters that hold its time.
const PREFIX_CHARS: usize = 13;

/// True for the text form of a UUID.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// Fills `bytes` from the operating system's random source. The program cannot go on without one.
pub fn fill_random(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        std::process::abort();
    }
}

fn v7(now: Timestamp, tail: &[u8; 10]) -> String {
    let millis = u64::try_from(now.0).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, tail).into_uuid().hyphenated().to_string()
}
