//! `run_schedule`: one slot of an `every` trigger, a page of subjects at a time.

use super::outcome;
use crate::automation::{Automation, schedules};
use crate::domain::job::ClaimedJob;
use crate::jobs::handler::{JobHandler, Outcomes};
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

pub struct RunSchedule(pub Automation);

impl JobHandler for RunSchedule {
    fn kind(&self) -> &'static str {
        schedules::KIND
    }

    fn run(&self, jobs: Vec<ClaimedJob>, _stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>> {
        let automation = self.0.clone();
        Box::pin(async move {
            let mut outcomes = Outcomes::with_capacity(jobs.len());
            for job in jobs {
                let (job, worked) = schedules::run(&automation, job).await;
                outcomes.push((job, outcome(worked)));
            }
            outcomes
        })
    }
}
