//! `/api/pipelines/{name}/board`: who is where, and who needs somebody first.

use super::listing::Wall;
use crate::domain::pipeline::Stage;
use crate::domain::time::Millis;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::{Query, encode_cursor};
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::board::{self, BoardRequest};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const BOARD: Route = Route::get("/api/pipelines/{id}/board", Permission::Clinic);

/// Cards of a column, when the caller does not say.
const CARDS_DEFAULT: i64 = 30;
/// Medians are taken of moves of so many days.
const WINDOW_DAYS: i64 = 30;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = Doc::new("Pipelines", "Shows a pipeline as columns of cards: late ones first, then the warmest.");
    vec![reading(BOARD, shared, show).doc(doc.query(FILTERS).answers::<Board>())]
}

const FILTERS: &[(&str, &str)] = &[
    ("column", "one stage only; goes with cursor"),
    ("cursor", "where the column's page begins: the next_cursor of the page before"),
    ("limit", "cards of each column, 1 to 200; 30 unless given"),
];

#[derive(Serialize, ToSchema)]
struct Board {
    name: String,
    label: String,
    /// The median times are of people who left a stage in the last so many days.
    median_window_days: i64,
    /// From this warmness on a person counts as hot.
    hot_from: i32,
    columns: Vec<Column>,
}

#[derive(Serialize, ToSchema)]
struct Column {
    stage: String,
    label: String,
    terminal: bool,
    /// After so long staff sees a warning.
    sla_hours: Option<u32>,
    /// People in the stage, on all pages.
    total: i64,
    hot: i64,
    /// How long people stay; `null` when nobody left the stage in that time.
    median_seconds: Option<i64>,
    /// People that the median is taken of.
    left: i64,
    cards: Vec<Card>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Card {
    contact_id: String,
    name: String,
    warmness: i32,
    /// A task of this person is overdue.
    late: bool,
    next: Option<NextThing>,
    /// The last message in or out.
    last_contact_at: Option<String>,
    stage_entered_at: Option<String>,
    version: i64,
}

#[derive(Serialize, ToSchema)]
struct NextThing {
    /// `task` or `timer`.
    kind: &'static str,
    /// The task's title, the rule's id.
    what: String,
    at: String,
    late: bool,
}

async fn show(call: Call) -> Result<Response, ApiError> {
    let pipelines = Arc::clone(&call.context.pipelines);
    let pipeline = pipelines.find(&call.parameter).ok_or_else(ApiError::not_found)?;
    let mut query = Query::parse(&call.query);
    let stage_of = |name: &str| pipeline.find_stage(name).cloned();
    let column = query.parsed("column", "a stage of this pipeline", stage_of);
    let page = query.page_of::<2>(CARDS_DEFAULT);
    query.finish()?;
    if page.after.is_some() && column.is_none() {
        return Err(ApiError::bad_request("`cursor` goes with `column`: each column has pages of its own."));
    }
    let stages: Vec<Stage> = column.map_or_else(|| pipeline.stages.clone(), |one| vec![one]);
    let now = call.context.clock.now();
    let request = BoardRequest {
        pipeline: pipeline.name.clone(),
        stages: stages.iter().map(|stage| stage.name.clone()).collect(),
        page,
        now: now.0,
        moved_since: (now - Millis::days(WINDOW_DAYS)).0,
    };
    let found = call.context.store.read(move |conn| board::columns(conn, &request)).await?;
    let wall = Wall::of(&call);
    let columns = stages.into_iter().zip(found).map(|(stage, found)| column_of(stage, found, now.0, wall)).collect();
    Ok(reply::json(&Board {
        name: pipeline.name.clone(),
        label: pipeline.label.clone(),
        median_window_days: WINDOW_DAYS,
        hot_from: board::HOT_MIN,
        columns,
    }))
}

fn column_of(stage: Stage, found: board::Column, now: i64, wall: Wall) -> Column {
    Column {
        stage: stage.name,
        label: stage.label,
        terminal: stage.terminal,
        sla_hours: stage.sla_hours,
        total: found.cards.total,
        hot: found.hot,
        median_seconds: found.median_ms.map(|ms| ms / 1_000),
        left: found.left,
        next_cursor: found.cards.next.as_ref().map(encode_cursor),
        cards: found.cards.items.into_iter().map(|card| card_of(card, now, wall)).collect(),
    }
}

fn card_of(card: board::Card, now: i64, wall: Wall) -> Card {
    let contact = card.contact;
    let next = card.next.map(|next| NextThing {
        kind: next.kind,
        what: next.what,
        at: wall.time(next.at),
        late: next.kind == "task" && next.at < now,
    });
    Card {
        late: card.is_late,
        next,
        last_contact_at: wall.optional(contact.last_inbound_at.max(contact.last_outbound_at)),
        stage_entered_at: wall.optional(contact.stage_entered_at),
        contact_id: contact.id,
        name: contact.name,
        warmness: contact.warmness,
        version: contact.version,
    }
}
