//! `send_sms`: hands a text to the gateway.

use crate::automation::send::{BATCH_MAX, KIND, Sending, Sent, send};
use crate::domain::job::ClaimedJob;
use crate::jobs::handler::{JobHandler, JobOutcome, Outcomes};
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

pub struct SendSms(pub Sending);

impl JobHandler for SendSms {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    fn run(&self, jobs: Vec<ClaimedJob>, _stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>> {
        let sending = self.0.clone();
        Box::pin(async move {
            let sent = send(&sending, jobs).await;
            sent.into_iter().map(|(job, sent)| (job, outcome(sent))).collect()
        })
    }
}

pub(super) fn outcome(sent: Sent) -> JobOutcome {
    match sent {
        Sent::Completed => JobOutcome::Completed,
        Sent::LeaseLost => JobOutcome::LeaseLost,
        Sent::Later(at) => JobOutcome::Snooze(at),
        Sent::Failed(reason) => JobOutcome::Retry(reason),
    }
}
