//! A handler that does what its job's payload says, and keeps a ledger of what it was given.

use avatar::domain::job::ClaimedJob;
use avatar::domain::time::Timestamp;
use avatar::jobs::{JobHandler, JobOutcome, Outcomes};
use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Default)]
pub struct Scripted {
    /// The payloads of each call.
    pub calls: Arc<Mutex<Vec<Vec<String>>>>,
    pub called: Arc<Notify>,
    pub batch: usize,
}

impl JobHandler for Scripted {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    fn batch_max(&self) -> usize {
        self.batch.max(1)
    }

    fn run(&self, jobs: Vec<ClaimedJob>, stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>> {
        self.calls.lock().unwrap().push(jobs.iter().map(|job| job.payload.clone()).collect());
        self.called.notify_one();
        Box::pin(async move {
            let mut outcomes = Vec::new();
            for job in jobs {
                let outcome = match job.payload.as_str() {
                    "retry" => JobOutcome::Retry("no answer".into()),
                    "fail" => JobOutcome::Fail("rejected".into()),
                    "snooze" => JobOutcome::Snooze(Timestamp(i64::MAX / 2)),
                    "panic" => panic!("a bug in the handler"),
                    "forget" => continue,
                    "hang" => pending().await,
                    "polite" => {
                        stop.cancelled().await;
                        JobOutcome::Release
                    }
                    _ => JobOutcome::Done,
                };
                outcomes.push((job, outcome));
            }
            outcomes
        })
    }
}
