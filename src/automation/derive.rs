//! After a ruleset came in force: derives the timers of all contacts anew, a page at a time.

use super::commit::{Decision, commit};
use super::context::Automation;
use super::load::load;
use super::rulesets::{InForce, derive_job};
use super::run::Worked;
use super::world::World;
use super::{timer_diff, waits};
use crate::domain::event::Event;
use crate::domain::job::{ClaimedJob, NewJob};
use crate::domain::time::Timestamp;
use crate::store::{Conn, StoreError, StoreResult, Tx, contacts, jobs};
use serde::Deserialize;
use std::sync::Arc;

/// Contacts that are derived and written together.
const PAGE_MAX: i64 = 200;
/// How often those are looked at again who were busy; then the job waits like any other that failed.
const ROUNDS_MAX: u32 = 4;

#[derive(Deserialize)]
struct Payload {
    after: String,
}

/// Works one page, and leaves the next page to a new job.
pub async fn run(context: &Automation, job: ClaimedJob) -> (ClaimedJob, Worked) {
    let worked = match page(context, &job).await {
        Ok(()) => Worked::Completed,
        Err(error) => not_worked(&error),
    };
    (job, worked)
}

/// What becomes of a page that could not be written. Only an unavailable database is tried again at once: what keeps
/// conflicting would keep a worker busy for ever.
pub(super) fn not_worked(error: &StoreError) -> Worked {
    match error {
        StoreError::LeaseLost => Worked::LeaseLost,
        StoreError::Unavailable { .. } => Worked::Again,
        StoreError::Conflict { .. } | StoreError::Duplicate { .. } => Worked::Failed("kept conflicting".into()),
        error => Worked::Failed(error.to_string()),
    }
}

async fn page(context: &Automation, job: &ClaimedJob) -> StoreResult<()> {
    let payload: Payload = serde_json::from_str(&job.payload).map_err(|e| StoreError::Statement(e.to_string()))?;
    // Whoever published may have been another process, a moment ago.
    context.rules.follow().await?;
    let Some(in_force) = context.rules.current() else { return Err(StoreError::NotFound { what: "ruleset" }) };
    let mut ids = context.store.read(move |conn| contacts::list_ids_after(conn, &payload.after, PAGE_MAX)).await?;
    let next = (ids.len() as i64 == PAGE_MAX).then(|| derive_job(ids.last().map_or("", String::as_str)));
    let mut rounds = 0;
    loop {
        match derive(context, &in_force, ids.clone(), Some((job.clone(), next.clone()))).await {
            Err(StoreError::Conflict { .. }) if rounds < ROUNDS_MAX => ids = one_by_one(context, &in_force, ids).await?,
            done => return done,
        }
        rounds += 1;
    }
}

/// On a busy clinic somebody of a page is always being worked on: the others do not wait for them. Returns who was busy.
async fn one_by_one(context: &Automation, in_force: &Arc<InForce>, ids: Vec<String>) -> StoreResult<Vec<String>> {
    let mut busy = Vec::new();
    for id in ids {
        match derive(context, in_force, vec![id.clone()], None).await {
            Err(StoreError::Conflict { .. }) => busy.push(id),
            done => done?,
        }
    }
    Ok(busy)
}

/// Derives and writes the timers of `ids`. `last`: the job that this ends, and the one after it.
async fn derive(
    context: &Automation,
    in_force: &Arc<InForce>,
    ids: Vec<String>,
    last: Option<(ClaimedJob, Option<NewJob>)>,
) -> StoreResult<()> {
    let now = context.clock.now();
    let in_force = in_force.clone();
    let mut decisions = context.store.read(move |conn| decide(conn, &in_force, &ids, now)).await?;
    let (job, next) = last.unzip();
    decisions.extend(job.map(|job| Decision { job: Some(job), world: World::default() }));
    let write = move |tx: &mut Tx<'_>| {
        commit(tx, &decisions, now)?;
        next.flatten().map_or(Ok(()), |next| jobs::enqueue(tx, &next, now).map(drop))
    };
    context.store.write(write).await
}

fn decide(conn: &mut Conn, in_force: &Arc<InForce>, ids: &[String], now: Timestamp) -> StoreResult<Vec<Decision>> {
    let events = ids.iter().map(|id| about(id, now)).collect();
    let mut decisions = Vec::new();
    for mut loaded in load(conn, events, &in_force.ruleset, now)? {
        waits::settle(&mut loaded.world, &in_force.ruleset, now);
        timer_diff::derive_all(&mut loaded.world, &in_force.ruleset, now);
        loaded.world.raise_version();
        let changes = &loaded.world.changes;
        if changes.contact || !changes.timers.is_empty() || !changes.timers_gone.is_empty() {
            decisions.push(Decision { job: None, world: loaded.world });
        }
    }
    Ok(decisions)
}

/// Loading is by event; this one is never recorded.
fn about(contact_id: &str, now: Timestamp) -> Event {
    Event { contact_id: Some(contact_id.to_owned()), ..Event::accepted(contact_id.to_owned(), "derive", now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unavailable_database_is_no_attempt() {
        let of = |error: StoreError| not_worked(&error);
        assert!(matches!(of(StoreError::Unavailable { reason: "locked".into() }), Worked::Again));
        assert!(matches!(of(StoreError::LeaseLost), Worked::LeaseLost));
        for error in [StoreError::Conflict { what: "contact" }, StoreError::Duplicate { constraint: "events".into() }] {
            assert!(matches!(of(error), Worked::Failed(why) if why == "kept conflicting"));
        }
        assert!(matches!(of(StoreError::Panicked), Worked::Failed(_)));
    }
}
