//! `run_event`: works one event through the rules.

use super::outcome;
use crate::automation::Automation;
use crate::automation::run::{BATCH_MAX, KIND, run_events};
use crate::domain::job::ClaimedJob;
use crate::jobs::handler::{JobHandler, Outcomes};
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

pub struct RunEvent(pub Automation);

impl JobHandler for RunEvent {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn batch_max(&self) -> usize {
        BATCH_MAX
    }

    fn run(&self, jobs: Vec<ClaimedJob>, _stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>> {
        let automation = self.0.clone();
        Box::pin(async move {
            let worked = run_events(&automation, jobs).await;
            worked.into_iter().map(|(job, worked)| (job, outcome(worked))).collect()
        })
    }
}
