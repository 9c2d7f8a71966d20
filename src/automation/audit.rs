//! The log of what people did: written in the transaction that does it, and checked link by link.

use crate::domain::audit::Entry;
use crate::domain::clock::SharedClock;
use crate::store::{Conn, Store, StoreResult, Tx, audit};
use serde::Serialize;

/// Rows that are checked at a time.
const ROWS_AT_ONCE: i64 = 1_000;

/// Writes down what the transaction does. On PostgreSQL the end of the log is locked until the transaction ends: call it last,
/// after every other write, so that two transactions never wait for each other.
pub fn note(tx: &mut Tx<'_>, entry: &Entry, now: crate::domain::time::Timestamp) -> StoreResult<()> {
    audit::append(tx, entry, now).map(drop)
}

/// Writes down something that changes nothing else, such as a reading.
pub async fn note_alone(store: &Store, clock: &SharedClock, entry: Entry) -> StoreResult<()> {
    let now = clock.now();
    store.write(move |tx| note(tx, &entry, now)).await
}

/// What a check of the whole log finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Rows that are in order.
    pub rows: i64,
    /// The hash that the log ends with: keep it elsewhere, and a later check can be held against it.
    pub head: String,
    /// The first row that is not as it was written.
    pub broken: Option<BrokenLink>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenLink {
    pub seq: i64,
    pub reason: &'static str,
}

/// Walks the chain from its beginning. Run it in one reading: rows that come meanwhile are not seen.
pub fn verify(conn: &mut Conn) -> StoreResult<Verified> {
    let (end, head) = audit::find_head(conn)?;
    let (mut seq, mut hash) = (0, String::new());
    loop {
        let rows = audit::list_after(conn, seq, ROWS_AT_ONCE)?;
        let is_last = (rows.len() as i64) < ROWS_AT_ONCE;
        for row in rows.into_iter().filter(|row| row.seq <= end) {
            if let Some(reason) = fault(&row, seq, &hash) {
                return Ok(Verified { rows: seq, head, broken: Some(BrokenLink { seq: row.seq, reason }) });
            }
            (seq, hash) = (row.seq, row.hash);
        }
        if is_last || seq >= end {
            break;
        }
    }
    let broken = (seq != end || hash != head).then_some(BrokenLink { seq: end, reason: "rows at the end are missing" });
    Ok(Verified { rows: seq, head, broken })
}

fn fault(row: &crate::domain::audit::AuditRow, seq: i64, hash: &str) -> Option<&'static str> {
    if row.seq != seq + 1 {
        Some("a row before it is missing")
    } else if row.prev_hash != hash {
        Some("it does not follow the row before it")
    } else if row.hash != row.true_hash() {
        Some("it was changed")
    } else {
        None
    }
}
