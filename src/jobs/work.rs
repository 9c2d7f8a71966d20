//! Running claimed jobs: grouped by kind, each group under its deadline, panics caught.

use super::handler::{JobHandler, JobOutcome, Outcomes};
use super::registry::Registry;
use crate::domain::job::ClaimedJob;
use crate::domain::time::Millis;
use crate::telemetry::{Metric, metrics};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The signals a worker listens to while jobs run.
#[derive(Clone)]
pub(super) struct Signals {
    /// The process stops; handlers are asked to end soon.
    pub stop: CancellationToken,
    /// Time given to handlers after the stop.
    pub grace: Duration,
    /// This process was declared dead: its jobs belong to others.
    pub dead: CancellationToken,
    /// Running jobs that somebody wants to end.
    pub wishes: watch::Receiver<BTreeSet<i64>>,
}

/// Works on all of them, group after group, in their order.
pub(super) async fn run_all(registry: &Registry, claimed: Vec<ClaimedJob>, signals: &Signals) -> Outcomes {
    let mut outcomes = Vec::with_capacity(claimed.len());
    for group in groups(registry, claimed) {
        let started = tokio::time::Instant::now();
        let done = run_group(registry, group, signals).await;
        count(registry, &done, started.elapsed());
        outcomes.extend(done);
    }
    outcomes
}

/// Time and outcome of a group's jobs. A kind that this program does not know is no label: it could be anything.
fn count(registry: &Registry, done: &Outcomes, took: Duration) {
    for (job, outcome) in done {
        let kind = registry.find(&job.kind).map_or("unknown", |handler| handler.kind());
        let result = match outcome {
            JobOutcome::Completed | JobOutcome::Done => "completed",
            JobOutcome::Retry(_) => "retried",
            JobOutcome::Fail(_) => "failed",
            JobOutcome::Snooze(_) => "snoozed",
            JobOutcome::Release => "released",
            JobOutcome::LeaseLost => "lost",
        };
        metrics::observe(Metric::JobSeconds, &[("kind", kind)], took.as_secs_f64());
        metrics::counter(Metric::JobsFinished, &[("kind", kind), ("outcome", result)], 1);
    }
}

/// Neighbours of one kind, no more than its handler takes at once.
fn groups(registry: &Registry, claimed: Vec<ClaimedJob>) -> Vec<Vec<ClaimedJob>> {
    let mut groups: Vec<Vec<ClaimedJob>> = Vec::new();
    for job in claimed {
        let max = registry.find(&job.kind).map_or(1, |handler| handler.batch_max());
        match groups.iter_mut().find(|g| g.len() < max && g.first().is_some_and(|first| first.kind == job.kind)) {
            Some(group) => group.push(job),
            None => groups.push(vec![job]),
        }
    }
    groups
}

async fn run_group(registry: &Registry, group: Vec<ClaimedJob>, signals: &Signals) -> Outcomes {
    if signals.dead.is_cancelled() {
        return all(group, &JobOutcome::LeaseLost);
    }
    if signals.stop.is_cancelled() {
        return all(group, &JobOutcome::Release);
    }
    let Some(handler) = group.first().and_then(|job| registry.find(&job.kind)) else {
        return all(group, &JobOutcome::Retry("no handler for this kind of job".into()));
    };
    match attempt(&handler, group.clone(), signals).await {
        Err(JobOutcome::Retry(_)) if group.len() > 1 => one_by_one(&handler, group, signals).await,
        Err(outcome) => all(group, &outcome),
        Ok(outcomes) => complete_answer(group, outcomes),
    }
}

/// One job made the group fail: alone it spoils nobody.
async fn one_by_one(handler: &Arc<dyn JobHandler>, group: Vec<ClaimedJob>, signals: &Signals) -> Outcomes {
    let mut outcomes = Vec::with_capacity(group.len());
    for job in group {
        match attempt(handler, vec![job.clone()], signals).await {
            Err(outcome) => outcomes.push((job, outcome)),
            Ok(answer) => outcomes.extend(complete_answer(vec![job], answer)),
        }
    }
    outcomes
}

/// Runs the handler in a task of its own. `Err` when it did not answer: what that means for all of the jobs.
async fn attempt(handler: &Arc<dyn JobHandler>, jobs: Vec<ClaimedJob>, signals: &Signals) -> Result<Outcomes, JobOutcome> {
    let timeout = jobs.iter().map(|job| job.timeout).min().unwrap_or(Millis::MINUTE);
    let ids: Vec<i64> = jobs.iter().map(|job| job.id).collect();
    let work = handler.run(jobs, signals.stop.child_token());
    let mut task = tokio::spawn(work);
    let outcome = tokio::select! {
        done = &mut task => return done.map_err(|_| JobOutcome::Retry("the handler panicked".into())),
        () = tokio::time::sleep(Duration::from_millis(u64::try_from(timeout.0).unwrap_or(0))) =>
            JobOutcome::Retry("the handler passed its deadline".into()),
        () = signals.dead.cancelled() => JobOutcome::LeaseLost,
        // Handing back ends those that are not wanted any more, and puts the others of the group back as they were.
        () = unwanted(&ids, signals.wishes.clone()) => JobOutcome::Release,
        () = grace_over(signals) => JobOutcome::Release,
    };
    task.abort();
    drop(task.await);
    Err(outcome)
}

async fn unwanted(ids: &[i64], mut wishes: watch::Receiver<BTreeSet<i64>>) {
    let one_is = |wishes: &BTreeSet<i64>| ids.iter().any(|id| wishes.contains(id));
    if wishes.wait_for(one_is).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn grace_over(signals: &Signals) {
    signals.stop.cancelled().await;
    tokio::time::sleep(signals.grace).await;
}

fn all(jobs: Vec<ClaimedJob>, outcome: &JobOutcome) -> Outcomes {
    jobs.into_iter().map(|job| (job, outcome.clone())).collect()
}

/// Only jobs that were handed over count, and those the handler forgot have failed.
fn complete_answer(handed: Vec<ClaimedJob>, mut answer: Outcomes) -> Outcomes {
    let ids: BTreeSet<i64> = handed.iter().map(|job| job.id).collect();
    answer.retain(|(job, _)| ids.contains(&job.id));
    let answered: BTreeSet<i64> = answer.iter().map(|(job, _)| job.id).collect();
    let forgotten = handed.into_iter().filter(|job| !answered.contains(&job.id)).collect();
    answer.extend(all(forgotten, &JobOutcome::Retry("the handler gave no answer for this job".into())));
    answer
}
