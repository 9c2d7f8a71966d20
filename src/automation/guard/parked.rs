//! A job that failed for good waits for a person, so a person has to hear of it: behind it may be a STOP that was never worked.

use super::count;
use crate::automation::alerts::Alert;
use crate::automation::context::Automation;
use crate::domain::ids::new_id;
use crate::domain::time::{Millis, Timestamp};
use crate::store::jobs::{self, Job};
use crate::store::{StoreResult, tasks};

/// Jobs that failed within this time are told of. Longer than the time between two looks, so that a look may fail.
const LOOKS_BACK: Millis = Millis::minutes(15);
/// Tasks that one look opens: when everything fails, a few are enough to be noticed.
const TOLD_MAX: usize = 20;

pub(super) async fn watch(automation: &Automation, now: Timestamp) -> StoreResult<()> {
    let parked = automation.store.read(move |conn| jobs::list_parked_since(conn, now - LOOKS_BACK, TOLD_MAX)).await?;
    for job in parked {
        let task = alert(&job).task(new_id(now), &automation.clinic, now);
        if automation.store.write(move |tx| tasks::open_once(tx, &task)).await? {
            count("parked");
        }
    }
    Ok(())
}

fn alert(job: &Job) -> Alert {
    let event = job.event_id.as_ref().map(|id| format!("Event {id}: ")).unwrap_or_default();
    let error = job.last_error.as_deref().unwrap_or("it kept ending with its worker");
    Alert {
        key: format!("parked:{}", job.id),
        title: format!("Job {} ({}) failed for good", job.id, job.kind),
        because: format!("{event}{error}. When the cause is gone: avatar jobs retry {}", job.id),
        owner: None,
        contact_id: None,
        run_id: None,
    }
}
