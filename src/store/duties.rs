//! Maintenance without a leader: whoever moves a duty's time on does the work.

use super::db::Tx;
use super::error::StoreResult;
use super::sql::{Number, sql};
use crate::domain::time::{Millis, Timestamp};

/// True for one caller over all nodes, once in `every`. The work belongs into the same transaction, or must bear repetition.
pub fn take(tx: &mut Tx<'_>, name: &str, every: Millis, now: Timestamp) -> StoreResult<bool> {
    let text = "INSERT INTO duties (name, next_at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at \
         WHERE duties.next_at <= ? RETURNING next_at AS n";
    Ok(sql(text).bind(name).bind(now + every).bind(now).first::<Number>(tx)?.is_some())
}
