//! `/api/jobs`: the live jobs.

use super::listing::{CURSOR, LIMIT, Listing, Parameter, Wall, page};
use super::words;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::Response;
use crate::http::route::{Permission, Route};
use crate::store::views::jobs::{self, JobFilter, JobView};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/jobs", Permission::Automation);

pub(super) const STATES: &[&str] = &["ready", "lane_blocked", "running", "dead"];

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list).doc(
            Doc::new("Jobs", "Lists jobs that are not done, the newest first.")
                .query(FILTERS)
                .one_of("state", STATES)
                .answers::<Listing<Job>>(),
        ),
    ]
}

const FILTERS: &[Parameter] = &[
    ("state", "ready, lane_blocked, running or dead (failed for good)"),
    ("queue", "of one queue"),
    ("error", "part of the last error"),
    CURSOR,
    LIMIT,
];

#[derive(Serialize, ToSchema)]
struct Job {
    id: i64,
    queue: String,
    kind: String,
    #[schema(value_type = words::JobState)]
    state: String,
    priority: i32,
    run_at: String,
    attempt: i32,
    max_attempts: i32,
    rescues: i32,
    worker_id: Option<i64>,
    deadline_at: Option<String>,
    event_id: Option<String>,
    last_error: Option<String>,
    created_at: String,
    updated_at: String,
}

fn job(view: JobView, wall: Wall) -> Job {
    Job {
        id: view.id,
        queue: view.queue,
        kind: view.kind,
        state: view.state,
        priority: view.priority,
        run_at: wall.time(view.run_at),
        attempt: view.attempt,
        max_attempts: view.max_attempts,
        rescues: view.rescues,
        worker_id: view.worker_id,
        deadline_at: wall.optional(view.deadline_at),
        event_id: view.event_id,
        last_error: view.last_error,
        created_at: wall.time(view.created_at),
        updated_at: wall.time(view.updated_at),
    }
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let filter = JobFilter { state: query.one_of("state", STATES), queue: query.text("queue"), error: query.text("error") };
    let request = query.page();
    query.finish()?;
    let rows = call.context.store.read(move |conn| jobs::list(conn, &filter, &request)).await?;
    let wall = Wall::of(&call);
    Ok(page(rows, |view| job(view, wall)))
}
