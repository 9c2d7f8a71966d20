//! Works events through the rules: load, decide, commit. A batch is decided together and written in one transaction; when that
//! cannot be, each event is worked on its own, so that one bad event spoils only itself.

use super::commit::{Decision, commit};
use super::context::Automation;
use super::decide::{Deciding, decide};
use super::load::{Loaded, load};
use super::privacy;
use super::project;
use super::promises;
use super::rulesets::InForce;
use super::waits::Pinned;
use super::withheld;
use super::world::World;
use crate::domain::event::{Event, EventStatus, RunOutcome};
use crate::domain::job::ClaimedJob;
use crate::domain::time::{Millis, Timestamp};
use crate::store::events::EventResult;
use crate::store::privacy::ERASED;
use crate::store::{Conn, StoreError, StoreResult, events};
use crate::telemetry::{Metric, metrics};
use futures_util::future::join_all;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use crate::store::RUN_EVENT as KIND;

/// Events that are decided and written together.
pub const BATCH_MAX: usize = 64;
/// How often one event is decided anew because a record changed under it, before its job goes back to the queue.
const CONFLICTS_MAX: usize = 4;

/// How long a job rests that found the database unavailable.
const UNAVAILABLE_PAUSE: Millis = Millis::seconds(3);

/// What became of one job.
#[derive(Debug)]
pub enum Worked {
    /// Everything is written and the job is complete.
    Completed,
    /// Somebody else owns the job now; nothing is written.
    LeaseLost,
    /// Not this time, and not the job's fault: it goes back as it was.
    Again,
    /// The database cannot take it now: not the job's fault either, but no use trying at once.
    Later(Timestamp),
    Failed(String),
}

/// Works a batch of `run_event` jobs.
pub async fn run_events(context: &Automation, jobs: Vec<ClaimedJob>) -> Vec<(ClaimedJob, Worked)> {
    let Some(in_force) = context.rules.current() else {
        return jobs.into_iter().map(|job| (job, Worked::Failed("no ruleset is in force".into()))).collect();
    };
    if jobs.len() > 1 {
        match attempt(context, &in_force, jobs.clone()).await {
            Ok(deferred) => return together(jobs, &deferred),
            Err(error) => tracing::debug!(%error, count = jobs.len(), "batch worked one by one"),
        }
    }
    let each = jobs.into_iter().map(|job| {
        let in_force = Arc::clone(&in_force);
        async move {
            let worked = run_one(context, &in_force, &job).await;
            (job, worked)
        }
    });
    join_all(each).await
}

fn together(jobs: Vec<ClaimedJob>, deferred: &HashSet<i64>) -> Vec<(ClaimedJob, Worked)> {
    jobs.into_iter()
        .map(|job| {
            let worked = if deferred.contains(&job.id) { Worked::Again } else { Worked::Completed };
            (job, worked)
        })
        .collect()
}

async fn run_one(context: &Automation, in_force: &Arc<InForce>, job: &ClaimedJob) -> Worked {
    for _ in 0..CONFLICTS_MAX {
        match attempt(context, in_force, vec![job.clone()]).await {
            Ok(_) => return Worked::Completed,
            Err(StoreError::LeaseLost) => return Worked::LeaseLost,
            Err(StoreError::Conflict { .. } | StoreError::Duplicate { .. }) => {}
            Err(error) if error.is_transient() => return Worked::Later(context.clock.now() + UNAVAILABLE_PAUSE),
            Err(error) => return Worked::Failed(error.to_string()),
        }
    }
    // Most likely the same would happen for ever: it counts as an attempt, and in the end somebody looks.
    Worked::Failed("the records kept changing while the event was decided".into())
}

/// Decides and writes all of the jobs; answers with those that have to wait for others of this batch.
async fn attempt(context: &Automation, in_force: &Arc<InForce>, jobs: Vec<ClaimedJob>) -> StoreResult<HashSet<i64>> {
    let now = context.clock.now();
    let decided = {
        let (context, in_force) = (context.clone(), Arc::clone(in_force));
        context.store.clone().read(move |conn| decide_all(conn, &context, &in_force, jobs, now)).await?
    };
    let (decisions, deferred) = decided;
    // They come back so that they are counted and freed here, not by the one thread that writes.
    let decisions = context.store.write(move |tx| commit(tx, &decisions, now).map(|()| decisions)).await?;
    count_decided(decisions.iter().map(|d| &d.world));
    Ok(deferred)
}

/// The metrics of what was decided and written.
pub(super) fn count_decided<'w>(worlds: impl IntoIterator<Item = &'w World>) {
    let (mut alerts, mut outcomes, mut broken, mut kept_back) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for changes in worlds.into_iter().map(|world| &world.changes) {
        alerts.extend(&changes.alerts);
        outcomes.extend(changes.runs.iter().map(|run| run.outcome));
        broken.extend(changes.promises_broken.iter().cloned());
        kept_back.extend(withheld::reasons(changes.sms.iter()));
    }
    promises::count_broken(&broken);
    withheld::count(kept_back.iter().map(String::as_str));
    for outcome in [RunOutcome::Fired, RunOutcome::Skipped, RunOutcome::Failed] {
        let count = outcomes.iter().filter(|o| **o == outcome).count();
        metrics::counter(Metric::RuleRuns, &[("outcome", outcome.as_str())], count as u64);
    }
    for rule in alerts {
        metrics::counter(Metric::StaffAlerts, &[("rule", rule)], 1);
    }
}

fn decide_all(
    conn: &mut Conn,
    context: &Automation,
    in_force: &InForce,
    jobs: Vec<ClaimedJob>,
    now: Timestamp,
) -> StoreResult<(Vec<Decision>, HashSet<i64>)> {
    let ids: Vec<String> = jobs.iter().filter_map(|j| j.event_id.clone()).collect();
    let mut job_of: HashMap<String, ClaimedJob> = HashMap::new();
    let mut decisions = Vec::with_capacity(jobs.len());
    for job in jobs {
        match &job.event_id {
            Some(id) => drop(job_of.insert(id.clone(), job)),
            None => decisions.push(Decision { job: Some(job), world: World::default() }),
        }
    }
    let waiting: Vec<Event> = events::list_by_ids(conn, &ids)?.into_iter().filter(is_waiting).collect();
    let mut seen = Seen::default();
    let mut deferred = HashSet::new();
    let loaded = load(conn, waiting, &in_force.ruleset, now)?;
    let pinned = context.rules.pinned(conn, in_force, loaded.iter().flat_map(|l| &l.world.waiting))?;
    for loaded in loaded {
        let Some(job) = job_of.remove(&loaded.event.id) else { continue };
        if seen.overlaps(&loaded) {
            deferred.insert(job.id);
            continue;
        }
        decisions.push(Decision { job: Some(job), world: decide_one(loaded, context, in_force, &pinned, now) });
    }
    // What is left has been worked on before: completing the job is all there is to do.
    decisions.extend(job_of.into_values().map(|job| Decision { job: Some(job), world: World::default() }));
    Ok((decisions, deferred))
}

fn is_waiting(event: &Event) -> bool {
    event.processed_at.is_none() && matches!(event.status, EventStatus::Accepted | EventStatus::Quarantined)
}

/// Decides one loaded event.
pub(super) fn decide_one(loaded: Loaded, context: &Automation, in_force: &InForce, pinned: &Pinned, now: Timestamp) -> World {
    decide_loaded(loaded, deciding(context, in_force, pinned, now))
}

/// What is decided with, by the rules in force.
pub(super) fn deciding<'a>(context: &'a Automation, in_force: &'a InForce, pinned: &'a Pinned, now: Timestamp) -> Deciding<'a> {
    Deciding {
        ruleset: &in_force.ruleset,
        overrides: &in_force.overrides,
        revision: in_force.number,
        clinic: &context.clinic,
        pipelines: &context.pipelines,
        now,
        is_demo: context.is_demo,
        pinned,
    }
}

/// Decides one loaded event, wherever it was loaded from.
pub(super) fn decide_loaded(loaded: Loaded, with: Deciding<'_>) -> World {
    let Loaded { event, mut world, also } = loaded;
    if world.contact.as_ref().is_some_and(privacy::is_erased) {
        return forget(event, world, with);
    }
    if !also.is_empty() {
        let projection = project::Projection { clinic: with.clinic, event: &event, now: with.now, is_demo: with.is_demo };
        project::ask_for_merge(&mut world, projection, &also);
    }
    decide(&mut world, &event, with);
    world
}

/// About somebody who was erased: nothing is done, and what the event says is destroyed, too.
fn forget(event: Event, loaded: World, with: Deciding<'_>) -> World {
    let mut world = World { contact: loaded.contact, loaded_version: loaded.loaded_version, ..World::default() };
    world.changes.erased_events.push(event.id.clone());
    world.changes.results.push(EventResult {
        event_id: event.id,
        status: EventStatus::Ignored,
        status_reason: Some(ERASED.to_owned()),
        contact_id: world.contact.as_ref().map(|contact| contact.id.clone()),
        booking_id: event.booking_id,
        revision: with.revision,
    });
    world
}

/// Whom and what earlier events of the batch are about: a later one must see what they wrote.
#[derive(Default)]
struct Seen(HashSet<String>);

impl Seen {
    fn overlaps(&mut self, loaded: &Loaded) -> bool {
        let mut keys: Vec<String> = project::identities_of(&loaded.event.payload)
            .into_iter()
            .map(|i| format!("{}={}", i.kind.as_str(), i.value))
            .collect();
        keys.extend(loaded.world.contact.as_ref().map(|c| c.id.clone()));
        keys.extend(loaded.world.referred_sms.as_ref().map(|s| s.id.clone()));
        if let Some(booking) = &loaded.event.payload.booking {
            keys.extend(booking.wix_booking_id.clone());
        }
        let overlaps = keys.iter().any(|k| self.0.contains(k));
        self.0.extend(keys);
        overlaps
    }
}
