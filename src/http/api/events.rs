//! `/api/events`: what happened, and what every rule made of it.

use super::listing::{CURSOR, LIMIT, Listing, Parameter, Wall, one, page};
use super::runs::{Run, revision, run};
use super::words;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::events::list_caused_by;
use crate::store::views::events::{self, EventFilter, EventView};
use crate::store::views::runs;
use crate::store::{Conn, StoreResult};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/events", Permission::Automation);
const ONE: Route = Route::get("/api/events/{id}", Permission::Automation);

pub(super) const STATUSES: &[&str] = &["accepted", "processed", "ignored", "failed", "quarantined"];

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list).doc(
            Doc::new("Events", "Lists what happened, the newest first.")
                .query(FILTERS)
                .one_of("status", STATUSES)
                .answers::<Listing<Event>>(),
        ),
        reading(ONE, shared, show)
            .doc(Doc::new("Events", "Shows an event and what every rule made of it.").answers::<EventInFull>()),
    ]
}

const FILTERS: &[Parameter] = &[
    ("type", "such as booking_created"),
    ("source", "wix, manychat, sms, staff …"),
    ("contact_id", "about one contact"),
    ("status", "accepted, processed, ignored, failed or quarantined"),
    CURSOR,
    LIMIT,
];

#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field's public name")]
struct Event {
    id: String,
    event_type: String,
    source: String,
    timestamp: String,
    occurred_at: Option<String>,
    #[schema(value_type = words::Actor)]
    actor: String,
    signature_state: String,
    #[schema(value_type = words::EventStatus)]
    status: String,
    status_reason: Option<String>,
    duplicates: i32,
    contact_id: Option<String>,
    booking_id: Option<String>,
    /// The event that led to this one.
    causation_id: Option<String>,
    depth: i32,
    /// Of the ruleset that looked at it.
    revision: Option<String>,
    processed_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct EventInFull {
    #[serde(flatten)]
    event: Event,
    /// Every rule that looked at it, whatever came of it.
    runs: Vec<Run>,
    /// How many rules in force listen to other events only.
    listening_elsewhere: usize,
    /// The events that this one led to.
    followed_by: Vec<Followed>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FollowedBy)]
struct Followed {
    id: String,
    event_type: String,
}

fn event(view: EventView, wall: Wall) -> Event {
    Event {
        id: view.id,
        event_type: view.event_type,
        source: view.source,
        timestamp: wall.time(view.timestamp),
        occurred_at: wall.optional(view.occurred_at),
        actor: view.actor,
        signature_state: view.signature_state,
        status: view.status,
        status_reason: view.status_reason,
        duplicates: view.duplicates,
        contact_id: view.contact_id,
        booking_id: view.booking_id,
        causation_id: view.causation_id,
        depth: view.depth,
        revision: view.revision.map(revision),
        processed_at: wall.optional(view.processed_at),
    }
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let filter = EventFilter {
        event_type: query.text("type"),
        source: query.text("source"),
        contact_id: query.text("contact_id"),
        status: query.one_of("status", STATUSES),
    };
    let request = query.page();
    query.finish()?;
    let rows = call.context.store.read(move |conn| events::list(conn, &filter, &request)).await?;
    let wall = Wall::of(&call);
    Ok(page(rows, |view| event(view, wall)))
}

async fn show(call: Call) -> Result<Response, ApiError> {
    let find = |conn: &mut Conn, id: &str| {
        let Some(view) = events::find(conn, id)? else { return Ok(None) };
        StoreResult::Ok(Some((view, runs::of_event(conn, id)?, list_caused_by(conn, id)?)))
    };
    let (view, of_rules, caused) = one(&call, find).await?;
    let wall = Wall::of(&call);
    let mut runs: Vec<Run> = of_rules.into_iter().map(|view| run(view, wall)).collect();
    // As the rules stand in their files, which is the order they were asked in.
    runs.sort_by(|a, b| a.place().cmp(&b.place()));
    let rules = call.context.rules.rules();
    let listening_elsewhere = rules.iter().filter(|rule| !rule.events.contains(&view.event_type)).count();
    let followed_by = caused.into_iter().map(|e| Followed { id: e.id, event_type: e.event_type }).collect();
    Ok(reply::json(&EventInFull { event: event(view, wall), runs, listening_elsewhere, followed_by }))
}
