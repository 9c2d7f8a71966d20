//! `/api/runs`: what each rule did with each event, and why.

use super::listing::{CURSOR, LIMIT, Listing, Parameter, Wall, one, page};
use super::words;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::runs::{self, RunFilter, RunView};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/runs", Permission::Automation);
const ONE: Route = Route::get("/api/runs/{id}", Permission::Automation);

pub(super) const OUTCOMES: &[&str] = &["fired", "skipped", "failed"];

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list).doc(
            Doc::new("Events", "Lists what rules did, the newest first.")
                .query(FILTERS)
                .one_of("outcome", OUTCOMES)
                .answers::<Listing<Run>>(),
        ),
        reading(ONE, shared, show).doc(Doc::new("Events", "Shows what a rule did with an event.").answers::<Run>()),
    ]
}

const FILTERS: &[Parameter] = &[
    ("event_id", "about one event"),
    ("contact_id", "about one contact"),
    ("rule", "of one rule"),
    ("outcome", "fired, skipped or failed; without it all but skipped"),
    CURSOR,
    LIMIT,
];

#[derive(Serialize, ToSchema)]
pub(super) struct Run {
    id: String,
    event_id: String,
    rule_id: String,
    /// `r3`.
    revision: String,
    #[schema(value_type = words::RunOutcome)]
    outcome: String,
    /// Where the rule begins; empty when the trace is no longer kept.
    file: String,
    line: usize,
    /// The first condition that was false, with the values it saw; `null` when the rule fired.
    #[schema(value_type = Option<Object>)]
    stopped_at: Option<Box<RawValue>>,
    contact_id: Option<String>,
    booking_id: Option<String>,
    at: String,
    /// As the engine wrote it: rule, outcome, where it stopped, steps.
    #[schema(value_type = Option<Object>)]
    trace: Option<Box<RawValue>>,
}

/// The one part of a trace that is shown beside it.
#[derive(Default, Deserialize)]
struct TraceStop {
    #[serde(default)]
    stopped_at: Option<Box<RawValue>>,
    #[serde(default)]
    file: String,
    #[serde(default)]
    line: usize,
}

impl Run {
    /// Where its rule stands.
    pub(super) fn place(&self) -> (&str, usize) {
        (&self.file, self.line)
    }
}

pub(super) fn run(view: RunView, wall: Wall) -> Run {
    let TraceStop { stopped_at, file, line } = serde_json::from_str::<TraceStop>(&view.trace).unwrap_or_default();
    Run {
        id: view.id,
        event_id: view.event_id,
        rule_id: view.rule_id,
        revision: revision(view.revision),
        outcome: view.outcome,
        file,
        line,
        stopped_at,
        contact_id: view.contact_id,
        booking_id: view.booking_id,
        at: wall.time(view.at),
        trace: RawValue::from_string(view.trace).ok(),
    }
}

/// Revisions are numbered r1, r2 …
pub(super) fn revision(number: i64) -> String {
    format!("r{number}")
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let filter = RunFilter {
        event_id: query.text("event_id"),
        contact_id: query.text("contact_id"),
        rule_id: query.text("rule"),
        outcome: query.one_of("outcome", OUTCOMES),
    };
    let request = query.page();
    query.finish()?;
    // There are so many of them that they are kept apart, and listed only when asked for.
    let list = if filter.outcome.as_deref() == Some("skipped") { runs::list_skips } else { runs::list };
    let rows = call.context.store.read(move |conn| list(conn, &filter, &request)).await?;
    let wall = Wall::of(&call);
    Ok(page(rows, |view| run(view, wall)))
}

async fn show(call: Call) -> Result<Response, ApiError> {
    let view = one(&call, runs::find).await?;
    Ok(reply::json(&run(view, Wall::of(&call))))
}
