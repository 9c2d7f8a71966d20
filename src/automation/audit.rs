//! The log of what people did: written in the transaction that does it, and checked link by link.

use crate::domain::audit::Entry;
use crate::domain::clock::SharedClock;
use crate::domain::time::Timestamp;
pub use crate::store::audit::{BrokenLink, Verified, verify};
use crate::store::{Store, StoreResult, Tx, audit};

/// Writes down what the transaction does. On PostgreSQL the end of the log is locked until the transaction ends: call it last,
/// after every other write, so that two transactions never wait for each other.
pub fn note(tx: &mut Tx<'_>, entry: &Entry, now: Timestamp) -> StoreResult<()> {
    audit::append(tx, entry, now).map(drop)
}

/// Writes down something that changes nothing else, such as a reading.
pub async fn note_alone(store: &Store, clock: &SharedClock, entry: Entry) -> StoreResult<()> {
    let now = clock.now();
    store.write(move |tx| note(tx, &entry, now)).await
}
