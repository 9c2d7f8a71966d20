//! `make_report`: counts the report of the week or month that is over.

use super::outcome;
use crate::automation::Automation;
use crate::automation::reports::schedule;
use crate::domain::job::ClaimedJob;
use crate::jobs::handler::{JobHandler, Outcomes};
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

pub struct MakeReport(pub Automation);

impl JobHandler for MakeReport {
    fn kind(&self) -> &'static str {
        schedule::KIND
    }

    fn run(&self, jobs: Vec<ClaimedJob>, _stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>> {
        let automation = self.0.clone();
        Box::pin(async move {
            let mut outcomes = Outcomes::with_capacity(jobs.len());
            for job in jobs {
                let (job, worked) = schedule::run(&automation, job).await;
                outcomes.push((job, outcome(worked)));
            }
            outcomes
        })
    }
}
