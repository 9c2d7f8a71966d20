//! `/api/tasks`: what staff has to do.

use super::assignees::whose;
use super::contacts::survivor_of;
use super::listing::{CURSOR, LIMIT, Parameter, Wall};
use super::words;
use crate::domain::time::{Millis, Timestamp};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::{Query, encode_cursor};
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::PageRequest;
use crate::store::views::tasks::{self, Day, DayPart, TaskFilter, TaskView};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/tasks", Permission::Clinic);
const ONE: Route = Route::get("/api/tasks/{id}", Permission::Clinic);

/// Whoever takes longer from page to page sees the parts of the day as they are by then.
const PAGED_WITHIN: Millis = Millis::DAY;

pub(super) const TIMEFRAMES: &[&str] = &["overdue", "today", "upcoming"];
pub(super) const STATUSES: &[&str] = &["todo", "in_progress", "done", "cancelled"];

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list).doc(
            Doc::new("Tasks", "Lists tasks: overdue, today, upcoming, closed; in each the most pressing first.")
                .query(FILTERS)
                .one_of("timeframe", TIMEFRAMES)
                .one_of("status", STATUSES)
                .answers::<Tasks>(),
        ),
        reading(ONE, shared, show).doc(Doc::new("Tasks", "Shows a task.").answers::<Task>()),
    ]
}

const FILTERS: &[Parameter] = &[
    ("timeframe", "overdue, today or upcoming, by the clinic's clock"),
    ("assigned_to", "a member of staff; me: whoever asks"),
    ("status", "todo, in_progress, done or cancelled"),
    ("contact_id", "of one contact"),
    ("type", "such as welcome_call"),
    CURSOR,
    LIMIT,
];

#[derive(Serialize, ToSchema)]
pub(super) struct Task {
    id: String,
    contact_id: Option<String>,
    booking_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    #[schema(value_type = words::TaskStatus)]
    status: String,
    due_datetime: String,
    priority_score: i32,
    assigned_to: Option<String>,
    because: String,
    note: Option<String>,
    run_id: Option<String>,
    completed_at: Option<String>,
    /// What came of it: `spoke`, `voicemail`, `no_answer`, `wrong_number` or `done`.
    #[schema(value_type = Option<words::TaskOutcome>)]
    outcome: Option<String>,
    /// Who has done it: `staff:ID`, `key:NAME`.
    completed_by: Option<String>,
    /// Of an open task: `overdue`, `today` or `upcoming`.
    #[schema(value_type = Option<words::Timeframe>)]
    timeframe: Option<&'static str>,
    pub(super) version: i64,
    created_at: String,
    updated_at: String,
}

/// The task with this id, as everybody sees it.
pub(super) async fn shown(call: &Call, id: &str) -> Result<Task, ApiError> {
    let id = id.to_owned();
    let view = call.context.store.read(move |conn| tasks::find(conn, &id)).await?.ok_or_else(ApiError::not_found)?;
    let day = day_of(call, call.context.clock.now());
    Ok(task(view, Wall::of(call), day))
}

fn task(view: TaskView, wall: Wall, day: Day) -> Task {
    let is_open = matches!(view.status.as_str(), "todo" | "in_progress");
    Task {
        timeframe: is_open.then(|| name(DayPart::of_open(view.due_datetime, day))),
        id: view.id,
        contact_id: view.contact_id,
        booking_id: view.booking_id,
        kind: view.task_type,
        title: view.title,
        status: view.status,
        due_datetime: wall.time(view.due_datetime),
        priority_score: view.priority_score,
        assigned_to: view.assigned_to,
        because: view.because,
        note: view.note,
        run_id: view.run_id,
        completed_at: wall.optional(view.completed_at),
        outcome: view.outcome,
        completed_by: view.completed_by,
        version: view.version,
        created_at: wall.time(view.created_at),
        updated_at: wall.time(view.updated_at),
    }
}

#[derive(Serialize, ToSchema)]
struct Tasks {
    items: Vec<Task>,
    /// Rows on all pages.
    total: i64,
    /// `null` on the last page.
    next_cursor: Option<String>,
    /// Open tasks of every timeframe, by the other filters.
    counts: Counts,
}

#[derive(Serialize, ToSchema)]
struct Counts {
    overdue: i64,
    today: i64,
    upcoming: i64,
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let mut filter = TaskFilter {
        assigned_to: query.text("assigned_to").map(|who| whose(who, &call)),
        status: query.one_of("status", STATUSES),
        contact_id: query.text("contact_id"),
        task_type: query.text("type"),
        ..TaskFilter::default()
    };
    let only = query.parsed("timeframe", "one of overdue, today, upcoming", parse);
    let request: PageRequest<4> = query.page();
    query.finish()?;
    filter.contact_id = survivor_of(&call, filter.contact_id).await?;
    let now = call.context.clock.now();
    let asked_at = request.after.as_ref().map_or(now, |cursor| Timestamp(cursor.keys[0]).clamp(now - PAGED_WITHIN, now));
    let day = day_of(&call, asked_at);
    let (rows, counts) = call.context.store.read(move |conn| tasks::list(conn, &filter, day, only, &request)).await?;
    let wall = Wall::of(&call);
    Ok(reply::json(&Tasks {
        total: rows.total,
        next_cursor: rows.next.as_ref().map(encode_cursor),
        items: rows.items.into_iter().map(|view| task(view, wall, day)).collect(),
        counts: Counts { overdue: counts.overdue, today: counts.today, upcoming: counts.upcoming },
    }))
}

async fn show(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let task = shown(&call, &call.parameter).await?;
    Ok(reply::with_etag(reply::json(&task), task.version))
}

fn day_of(call: &Call, now: Timestamp) -> Day {
    let calendar = &call.context.clinic.calendar;
    let tomorrow = calendar.date_of(now).succ_opt();
    Day { now: now.0, midnight: tomorrow.map_or(now, |day| calendar.at_minute(day, 0)).0 }
}

const fn name(part: DayPart) -> &'static str {
    match part {
        DayPart::Overdue => "overdue",
        DayPart::Today => "today",
        DayPart::Upcoming => "upcoming",
        DayPart::Closed => "closed",
    }
}

fn parse(text: &str) -> Option<DayPart> {
    DayPart::ALL.into_iter().find(|part| *part != DayPart::Closed && name(*part) == text)
}
