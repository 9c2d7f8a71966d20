//! What a kind of job has to offer.

use crate::domain::job::ClaimedJob;
use crate::domain::time::Timestamp;
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

/// Each job that was handed over, with what became of it.
pub type Outcomes = Vec<(ClaimedJob, JobOutcome)>;

/// Works on jobs of one kind. A panic, or passing the deadline, is a failed attempt.
pub trait JobHandler: Send + Sync + 'static {
    /// `verb_noun`.
    fn kind(&self) -> &'static str;

    /// How many jobs it takes at once.
    fn batch_max(&self) -> usize {
        1
    }

    /// Works on 1 to [`JobHandler::batch_max`] jobs. When `stop` is cancelled it should end soon; what it has not finished is
    /// [`JobOutcome::Release`]. A job missing from the answer counts as failed.
    fn run(&self, jobs: Vec<ClaimedJob>, stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>>;
}

/// What became of a job. Errors hold no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// The handler completed it inside of its own transaction.
    Completed,
    /// There is nothing to write: the runtime completes it.
    Done,
    /// Failed; try again later, unless this was the last attempt.
    Retry(String),
    /// Failed for good.
    Fail(String),
    /// Not yet: this attempt does not count.
    Snooze(Timestamp),
    /// Unfinished because of a stop: this attempt does not count.
    Release,
    /// Somebody else owns it now.
    LeaseLost,
}
