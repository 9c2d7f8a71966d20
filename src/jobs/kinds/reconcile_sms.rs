//! `reconcile_sms`: asks the provider about a text of unknown fate.

use super::send_sms;
use crate::automation::reconcile::{BATCH_MAX, KIND, reconcile};
use crate::automation::send::Sending;
use crate::domain::job::ClaimedJob;
use crate::jobs::handler::{JobHandler, Outcomes};
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

pub struct ReconcileSms(pub Sending);

impl JobHandler for ReconcileSms {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    fn run(&self, jobs: Vec<ClaimedJob>, _stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>> {
        let sending = self.0.clone();
        Box::pin(async move {
            let asked = reconcile(&sending, jobs).await;
            asked.into_iter().map(|(job, sent)| (job, send_sms::outcome(sent))).collect()
        })
    }
}
