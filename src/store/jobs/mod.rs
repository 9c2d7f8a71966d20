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
pub use complete::{complete, complete_many};
pub(in crate::store) use enqueue::enqueue_named;
pub use enqueue::{enqueue, enqueue_many};
pub use fail::{Failed, fail, release, snooze};
pub use history::{ERROR_CHARS_MAX, prune};
pub use leave::{Cancelled, DEAD_PER_CALL_MAX, cancel, cancel_wishes, discard, retry_dead};
pub use list::{FinishedJob, JOBS_PER_PAGE_MAX, Job, JobAttempt, JobDetail, JobFilter, list, next_due, show};
pub use queues::{pause, paused, resume};
pub use rescue::{RESCUED_PER_CALL_MAX, RESCUES_MAX, Rescued, rescue};
pub use stats::{QueueStats, stats};
