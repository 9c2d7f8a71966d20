//! `/api/tasks`: what staff has to do.

use super::listing::{CURSOR, LIMIT, Listing, Parameter, Wall, one, page};
use crate::domain::calendar::Calendar;
use crate::domain::time::Timestamp;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::tasks::{self, TaskFilter, TaskView};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/tasks", Permission::Clinic);
const ONE: Route = Route::get("/api/tasks/{id}", Permission::Clinic);

const STATUSES: &[&str] = &["todo", "in_progress", "done", "cancelled"];

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list).doc(
            Doc::new("Tasks", "Lists tasks.")
                .query(FILTERS)
                .one_of("timeframe", &["overdue", "today", "upcoming"])
                .one_of("status", STATUSES)
                .answers::<Listing<Task>>(),
        ),
        reading(ONE, shared, show).doc(Doc::new("Tasks", "Shows a task.").answers::<Task>()),
    ]
}

const FILTERS: &[Parameter] = &[
    ("timeframe", "overdue, today or upcoming, by the clinic's clock"),
    ("assigned_to", "a member of staff"),
    ("status", "todo, in_progress, done or cancelled"),
    ("contact_id", "of one contact"),
    ("type", "such as welcome_call"),
    CURSOR,
    LIMIT,
];

#[derive(Serialize, ToSchema)]
struct Task {
    id: String,
    contact_id: Option<String>,
    booking_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: String,
    due_datetime: String,
    priority_score: i32,
    assigned_to: Option<String>,
    because: String,
    note: Option<String>,
    run_id: Option<String>,
    completed_at: Option<String>,
    version: i64,
    created_at: String,
    updated_at: String,
}

fn task(view: TaskView, wall: Wall) -> Task {
    Task {
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
        version: view.version,
        created_at: wall.time(view.created_at),
        updated_at: wall.time(view.updated_at),
    }
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let mut filter = TaskFilter {
        assigned_to: query.text("assigned_to"),
        status: query.one_of("status", STATUSES),
        contact_id: query.text("contact_id"),
        task_type: query.text("type"),
        ..TaskFilter::default()
    };
    if let Some(timeframe) = query.parsed("timeframe", "one of overdue, today, upcoming", Timeframe::parse) {
        timeframe.narrow(&mut filter, call.context.clock.now(), &call.context.clinic.calendar);
    }
    let request = query.page();
    query.finish()?;
    let rows = call.context.store.read(move |conn| tasks::list(conn, &filter, &request)).await?;
    let wall = Wall::of(&call);
    Ok(page(rows, |view| task(view, wall)))
}

async fn show(call: Call) -> Result<Response, ApiError> {
    let view = one(&call, tasks::find).await?;
    let version = view.version;
    Ok(reply::with_etag(reply::json(&task(view, Wall::of(&call))), version))
}

/// The three parts of the day's list. A task is in exactly one of them.
#[derive(Clone, Copy)]
enum Timeframe {
    /// Due already.
    Overdue,
    /// Due later on this day of the clinic.
    Today,
    /// Due on a later day.
    Upcoming,
}

impl Timeframe {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "overdue" => Some(Self::Overdue),
            "today" => Some(Self::Today),
            "upcoming" => Some(Self::Upcoming),
            _ => None,
        }
    }

    fn narrow(self, filter: &mut TaskFilter, now: Timestamp, calendar: &Calendar) {
        let today = calendar.date_of(now);
        let midnight = today.succ_opt().map_or(now, |tomorrow| calendar.at_minute(tomorrow, 0));
        filter.is_open = true;
        (filter.due_from, filter.due_before) = match self {
            Self::Overdue => (None, Some(now.0)),
            Self::Today => (Some(now.0), Some(midnight.0)),
            Self::Upcoming => (Some(midnight.0), None),
        };
    }
}
