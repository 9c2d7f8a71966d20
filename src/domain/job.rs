//! The words of the job queue that other rooms need.

use super::time::{Millis, Timestamp};

/// A job to be enqueued inside the transaction that causes it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    pub queue: &'static str,
    pub kind: &'static str,
    /// 0 (first) to 3 (last).
    pub priority: i32,
    pub run_at: Timestamp,
    pub max_attempts: i32,
    pub timeout: Millis,
    /// Jobs with equal keys run in order and never two at once. Never together with a future `run_at`.
    pub lane_key: Option<String>,
    /// At most one waiting job has it; cleared at the first claim.
    pub unique_key: Option<String>,
    pub event_id: Option<String>,
    /// JSON.
    pub payload: String,
}

/// A job in the hands of a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedJob {
    pub id: i64,
    pub queue: String,
    pub kind: String,
    pub attempt: i32,
    pub max_attempts: i32,
    pub rescues: i32,
    /// The fence: a worker may finish the job only while this is still the job's token.
    pub lease_token: i64,
    pub lane_key: Option<String>,
    pub event_id: Option<String>,
    pub payload: String,
    /// How long one attempt may take.
    pub timeout: Millis,
    pub created_at: Timestamp,
}
