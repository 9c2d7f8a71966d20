//! What has to happen with every change of the ruleset.

use crate::automation::schedules;
use crate::domain::job::NewJob;
use crate::domain::time::{Millis, Timestamp};
use crate::store::{StoreResult, Tx, jobs};

pub const DERIVE_TIMERS: &str = "derive_timers";
/// Decisions that began with the rules from before are written by then.
const IN_FLIGHT_MAX: Millis = Millis::seconds(5);

/// In the same transaction: schedules, and the jobs that derive all timers, now and after what is in flight.
pub(super) fn follow_up(tx: &mut Tx<'_>, plan: &[schedules::Wanted], now: Timestamp) -> StoreResult<()> {
    schedules::store(tx, plan, now)?;
    jobs::enqueue(tx, &NewJob { run_at: now, ..derive_job("") }, now)?;
    jobs::enqueue(tx, &NewJob { run_at: now + IN_FLIGHT_MAX, unique_key: None, ..derive_job("") }, now)?;
    Ok(())
}

/// The job that derives the timers of all contacts after `after`, a page at a time.
pub fn derive_job(after: &str) -> NewJob {
    NewJob {
        queue: "maintenance",
        kind: DERIVE_TIMERS,
        priority: 1,
        run_at: Timestamp(0),
        max_attempts: 20,
        timeout: Millis::seconds(120),
        lane_key: None,
        unique_key: after.is_empty().then(|| DERIVE_TIMERS.to_owned()),
        event_id: None,
        payload: serde_json::json!({ "after": after }).to_string(),
    }
}
