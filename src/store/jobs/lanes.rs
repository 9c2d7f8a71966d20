//! Lanes: jobs with one key run in their order and never two at once. At most one of them is `ready` or `running` (a unique
//! index says so); the others are `lane_blocked` until it leaves.

use crate::domain::job::ClaimedJob;
use crate::domain::time::Timestamp;
use crate::store::db::Tx;
use crate::store::dialect;
use crate::store::error::StoreResult;
use crate::store::sql::{Value, in_classes, sql};
use diesel::QueryableByName;
use diesel::sql_types::Text;
use std::collections::BTreeSet;

/// Taken before the fence: a transaction that inserts into the lane holds this lock while it waits for our row.
pub(super) fn lock_lanes_of(tx: &mut Tx<'_>, jobs: &[&ClaimedJob]) -> StoreResult<()> {
    let lanes: BTreeSet<&str> = jobs.iter().filter_map(|job| job.lane_key.as_deref()).collect();
    dialect::lock_lanes(tx, &lanes)
}

#[derive(QueryableByName)]
struct Promoted {
    #[diesel(sql_type = Text)]
    queue: String,
}

/// Lets the next job of each lane go. Only for lanes that nobody is in.
pub(super) fn promote(tx: &mut Tx<'_>, lanes: &BTreeSet<&str>, now: Timestamp) -> StoreResult<()> {
    let lanes: Vec<&str> = lanes.iter().copied().collect();
    for piece in in_classes(&lanes) {
        let keys = piece.iter().map(|lane| Value::from(*lane));
        let rows: Vec<Promoted> = sql(promote_text(piece.len())).bind(now).bind_all(keys).load(tx)?;
        for row in rows {
            tx.wake(&row.queue);
        }
    }
    Ok(())
}

pub(in crate::store) fn promote_text(lanes: usize) -> String {
    format!(
        "UPDATE jobs SET state = 'ready', updated_at = ? WHERE id IN (SELECT min(id) FROM jobs WHERE lane_key IN ({}) \
         AND state = 'lane_blocked' GROUP BY lane_key) RETURNING queue",
        vec!["?"; lanes].join(", ")
    )
}
