//! `derive_timers`: brings all timers in line with a new ruleset, a page of contacts at a time.

use super::outcome;
use crate::automation::{Automation, derive, rulesets};
use crate::domain::job::ClaimedJob;
use crate::jobs::handler::{JobHandler, Outcomes};
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

pub struct DeriveTimers(pub Automation);

impl JobHandler for DeriveTimers {
    fn kind(&self) -> &'static str {
        rulesets::DERIVE_TIMERS
    }

    fn run(&self, jobs: Vec<ClaimedJob>, _stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>> {
        let automation = self.0.clone();
        Box::pin(async move {
            let mut outcomes = Outcomes::with_capacity(jobs.len());
            for job in jobs {
                let (job, worked) = derive::run(&automation, job).await;
                outcomes.push((job, outcome(worked)));
            }
            outcomes
        })
    }
}
