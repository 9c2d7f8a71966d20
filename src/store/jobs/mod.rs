//! The job table. Every function works inside of the caller's transaction.

mod claim;
mod complete;
mod enqueue;
mod fail;
mod held;
mod history;
mod lanes;
mod leave;
mod list;
mod queues;
mod rescue;
mod stats;

pub use claim::{ClaimRequest, DEADLINE_GRACE, LOW_FIRST_EVERY, claim};
pub(in crate::store) use claim::{PROBE_LITE, PROBE_PG};
pub(in crate::store) use complete::fence_text;
pub use complete::{complete, complete_many};
pub(in crate::store) use enqueue::enqueue_named;
pub use enqueue::{enqueue, enqueue_many};
pub use fail::{Failed, fail, release, snooze};
pub use held::hold_many;
pub use history::{ERROR_CHARS_MAX, prune};
pub(in crate::store) use lanes::promote_text;
pub use leave::{Cancelled, DEAD_PER_CALL_MAX, cancel, cancel_wishes, discard, retry_dead};
pub use list::{
    FinishedJob, JOBS_PER_PAGE_MAX, Job, JobAttempt, JobDetail, JobFilter, count_dead, list, list_parked_since, show,
};
pub use queues::{pause, paused, resume};
pub(in crate::store) use rescue::stale_text;
pub use rescue::{RESCUED_PER_CALL_MAX, RESCUES_MAX, Rescued, rescue};
pub use stats::{QueueStats, next_due, stats};
