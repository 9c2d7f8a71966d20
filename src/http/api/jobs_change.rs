//! `POST /api/jobs/retry|discard`: what failed for good, by filter. `/api/queues`: how much waits, and stopping it.

use super::listing::{Listing, whole};
use crate::automation::queues::{self, NAMES, Verb};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::jobs::{JobFilter, QueueStats, stats};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const RETRY: Route = Route::post("/api/jobs/retry", Permission::Automation);
const DISCARD: Route = Route::post("/api/jobs/discard", Permission::Automation);
const QUEUES: Route = Route::get("/api/queues", Permission::Automation);
const PAUSE: Route = Route::post("/api/queues/{name}/pause", Permission::Automation);
const RESUME: Route = Route::post("/api/queues/{name}/resume", Permission::Automation);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        writing(RETRY, shared, retry).doc(
            Doc::new("Jobs", "Puts jobs back that failed for good, with all their attempts.")
                .takes::<Selection>()
                .answers::<Changed>(),
        ),
        writing(DISCARD, shared, discard)
            .doc(Doc::new("Jobs", "Throws jobs away that failed for good.").takes::<Selection>().answers::<Changed>()),
        reading(QUEUES, shared, list)
            .doc(Doc::new("Jobs", "Lists the queues and how much waits in them.").answers::<Listing<Queue>>()),
        writing(PAUSE, shared, pause)
            .doc(Doc::new("Jobs", "Stops a queue: nothing of it begins until it is resumed.").answers::<Switched>()),
        writing(RESUME, shared, resume).doc(Doc::new("Jobs", "Lets a queue go on.").answers::<Switched>()),
    ]
}

/// Which of the jobs that failed for good; every field that is given must match.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = JobSelection)]
struct Selection {
    id: Option<i64>,
    queue: Option<String>,
    kind: Option<String>,
    event_id: Option<String>,
    /// Part of the last error.
    error: Option<String>,
    /// Needed when no other field is given.
    all: bool,
    /// Only count.
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChangedJobs)]
struct Changed {
    /// Jobs that failed for good and match.
    matched: usize,
    /// 0 in a dry run.
    changed: usize,
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
struct Queue {
    name: String,
    paused: bool,
    /// Including those that wait for their time.
    ready: i64,
    lane_blocked: i64,
    running: i64,
    /// Failed for good.
    dead: i64,
    /// How long the oldest that could run has waited, in ms.
    oldest_ready_ms: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SwitchedQueue)]
struct Switched {
    name: &'static str,
    paused: bool,
}

async fn retry(call: Call) -> Result<Response, ApiError> {
    change(call, Verb::Retry).await
}

async fn discard(call: Call) -> Result<Response, ApiError> {
    change(call, Verb::Discard).await
}

async fn change(call: Call, verb: Verb) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let Selection { id, queue, kind, event_id, error, all, dry_run } = call.json()?;
    let filter = JobFilter { id, queue, kind, event_id, error: error.filter(|text| !text.is_empty()), state: None };
    if filter.is_empty() && !all {
        return Err(ApiError::refused("/body", "say which jobs, or `all: true`"));
    }
    let given = [&filter.queue, &filter.kind, &filter.event_id, &filter.error];
    if given.into_iter().flatten().any(|text| text.contains('\0')) {
        return Err(ApiError::refused("/body", "a text has characters that no job has"));
    }
    let (store, clock) = (&call.context.store, &call.context.clock);
    let matched = queues::count(store, filter.clone()).await?;
    let changed = if dry_run { 0 } else { queues::change_dead(store, clock, filter, verb, call.who()).await? };
    Ok(reply::json(&Changed { matched, changed, dry_run }))
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let now = call.context.clock.now();
    let counted = call.context.store.read(move |conn| stats(conn, now)).await?;
    let of = |name: &str| {
        let known = counted.iter().find(|stats| stats.queue == name).cloned();
        queue(known.unwrap_or_else(|| QueueStats { queue: name.to_owned(), ..QueueStats::default() }))
    };
    Ok(whole(NAMES.into_iter().map(of).collect()))
}

fn queue(stats: QueueStats) -> Queue {
    Queue {
        name: stats.queue,
        paused: stats.paused,
        ready: stats.ready,
        lane_blocked: stats.lane_blocked,
        running: stats.running,
        dead: stats.dead,
        oldest_ready_ms: stats.oldest_ready_age.0,
    }
}

fn known(call: &Call) -> Result<&'static str, ApiError> {
    Query::parse(&call.query).finish()?;
    NAMES.into_iter().find(|name| *name == call.parameter).ok_or_else(ApiError::not_found)
}

async fn pause(call: Call) -> Result<Response, ApiError> {
    let name = known(&call)?;
    queues::hold(&call.context.store, &call.context.clock, name, call.who()).await?;
    Ok(reply::json(&Switched { name, paused: true }))
}

async fn resume(call: Call) -> Result<Response, ApiError> {
    let name = known(&call)?;
    queues::let_go(&call.context.store, &call.context.clock, name, call.who()).await?;
    Ok(reply::json(&Switched { name, paused: false }))
}
