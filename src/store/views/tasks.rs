//! Staff tasks: what is late, what is due today, what comes later; the most pressing first.

use super::{Cursor, Page, PageRequest};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::tasks;
use diesel::prelude::*;

/// Which tasks; all conditions hold together. Times are epoch ms.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Only tasks that are still to be done.
    pub is_open: bool,
    /// Only tasks that are done or cancelled.
    pub is_closed: bool,
    pub due_from: Option<i64>,
    pub due_before: Option<i64>,
    pub assigned_to: Option<String>,
    pub status: Option<String>,
    pub contact_id: Option<String>,
    pub task_type: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = tasks)]
pub struct TaskView {
    pub id: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub task_type: String,
    pub title: String,
    pub status: String,
    pub due_datetime: i64,
    pub priority_score: i32,
    pub assigned_to: Option<String>,
    pub because: String,
    pub note: Option<String>,
    pub run_id: Option<String>,
    pub completed_at: Option<i64>,
    pub outcome: Option<String>,
    pub completed_by: Option<String>,
    pub version: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if filter.is_open {
            query = query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("status IN ('todo', 'in_progress')"));
        }
        if filter.is_closed {
            query = query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("status IN ('done', 'cancelled')"));
        }
        if let Some(from) = filter.due_from {
            query = query.filter(tasks::due_datetime.ge(from));
        }
        if let Some(before) = filter.due_before {
            query = query.filter(tasks::due_datetime.lt(before));
        }
        if let Some(who) = &filter.assigned_to {
            query = query.filter(tasks::assigned_to.eq(who));
        }
        if let Some(status) = &filter.status {
            query = query.filter(tasks::status.eq(status));
        }
        if let Some(contact) = &filter.contact_id {
            query = query.filter(tasks::contact_id.eq(contact));
        }
        if let Some(task_type) = &filter.task_type {
            query = query.filter(tasks::task_type.eq(task_type));
        }
        query
    }};
}

/// The parts of a day's list, in their order; a task is in exactly one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayPart {
    /// Due already.
    Overdue,
    /// Due later on this day of the clinic.
    Today,
    /// Due on a later day.
    Upcoming,
    /// Done or cancelled.
    Closed,
}

impl DayPart {
    pub const ALL: [Self; 4] = [Self::Overdue, Self::Today, Self::Upcoming, Self::Closed];

    /// Where a task is that is due then, in a day that ends at `midnight`.
    #[must_use]
    pub const fn of_open(due: i64, day: Day) -> Self {
        if due < day.now {
            Self::Overdue
        } else if due < day.midnight {
            Self::Today
        } else {
            Self::Upcoming
        }
    }

    fn narrow(self, filter: &TaskFilter, day: Day) -> TaskFilter {
        let (due_from, due_before) = match self {
            Self::Overdue => (None, Some(day.now)),
            Self::Today => (Some(day.now), Some(day.midnight)),
            Self::Upcoming => (Some(day.midnight), None),
            Self::Closed => (None, None),
        };
        let is_closed = matches!(self, Self::Closed);
        TaskFilter { is_open: !is_closed, is_closed, due_from, due_before, ..filter.clone() }
    }

    /// No task of this state is in this part.
    fn excludes(self, status: Option<&str>) -> bool {
        let is_closed = |status: &str| matches!(status, "done" | "cancelled");
        status.is_some_and(|status| is_closed(status) != matches!(self, Self::Closed))
    }
}

/// When a list was asked for, and when the clinic's day ends then: epoch ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub now: i64,
    pub midnight: i64,
}

/// How many open tasks are in each part, whatever part is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCounts {
    pub overdue: i64,
    pub today: i64,
    pub upcoming: i64,
}

/// The parts one after the other (or `only` one); in each the higher priority first, then what is due sooner. A cursor begins with
/// the moment that the first page was asked for, so that no task changes its part from page to page.
pub fn list(
    conn: &mut Conn,
    filter: &TaskFilter,
    day: Day,
    only: Option<DayPart>,
    page: &PageRequest<4>,
) -> StoreResult<(Page<TaskView, 4>, DayCounts)> {
    let mut counted = [0; 4];
    for (part, count) in DayPart::ALL.into_iter().zip(&mut counted) {
        if !part.excludes(filter.status.as_deref()) {
            *count = count_part(conn, &part.narrow(filter, day))?;
        }
    }
    let is_wanted = |part: DayPart| only.is_none_or(|only| only == part);
    let total = DayPart::ALL.into_iter().zip(counted).filter(|(part, _)| is_wanted(*part)).map(|(_, count)| count).sum();
    let mut rows: Vec<(i64, TaskView)> = Vec::new();
    for (index, part) in (0..).zip(DayPart::ALL) {
        let after = page.after.as_ref().map(|cursor| (cursor.keys[1], cursor));
        let wanted = page.rows_wanted() - rows.len() as i64;
        let is_over = after.is_some_and(|(place, _)| place > index);
        if wanted <= 0 || is_over || !is_wanted(part) || part.excludes(filter.status.as_deref()) {
            continue;
        }
        let after = after.filter(|(place, _)| *place == index).map(|(_, cursor)| cursor);
        let found = list_part(conn, &part.narrow(filter, day), after, wanted)?;
        rows.extend(found.into_iter().map(|task| (index, task)));
    }
    let Page { items, total, next } = page.page_of(rows, total, |(part, task)| place(task, day.now, *part));
    let [overdue, today, upcoming, _] = counted;
    let items = items.into_iter().map(|(_, task)| task).collect();
    Ok((Page { items, total, next }, DayCounts { overdue, today, upcoming }))
}

/// All open ones, whenever they are due: the higher priority first, then what is due sooner.
pub fn list_open(conn: &mut Conn, filter: &TaskFilter, page: &PageRequest<4>) -> StoreResult<Page<TaskView, 4>> {
    let filter = TaskFilter { is_open: true, ..filter.clone() };
    let total = count_part(conn, &filter)?;
    let rows = list_part(conn, &filter, page.after.as_ref(), page.rows_wanted())?;
    Ok(page.page_of(rows, total, |task| place(task, 0, 0)))
}

/// Where a page may end: the moment and the part of the day that the list speaks of, then the order inside of the part.
fn place(task: &TaskView, now: i64, part: i64) -> Cursor<4> {
    Cursor { keys: [now, part, i64::from(task.priority_score), task.due_datetime], id: task.id.clone() }
}

fn count_part(conn: &mut Conn, filter: &TaskFilter) -> StoreResult<i64> {
    Ok(on!(conn, c => matching!(tasks::table.count().into_boxed(), filter).get_result(c))?)
}

fn list_part(conn: &mut Conn, filter: &TaskFilter, after: Option<&Cursor<4>>, limit: i64) -> StoreResult<Vec<TaskView>> {
    Ok(on!(conn, c => {
        let mut query = matching!(tasks::table.select(TaskView::as_select()).into_boxed(), filter);
        if let Some(Cursor { keys: [_, _, priority, due], id }) = after {
            let priority = i32::try_from(*priority).unwrap_or(0);
            query = query.filter(
                tasks::priority_score.lt(priority).or(tasks::priority_score.eq(priority).and(
                    tasks::due_datetime.gt(*due).or(tasks::due_datetime.eq(*due).and(tasks::id.gt(id))),
                )),
            );
        }
        let order = (tasks::priority_score.desc(), tasks::due_datetime.asc(), tasks::id.asc());
        query.order(order).limit(limit).load::<TaskView>(c)
    })?)
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<TaskView>> {
    Ok(on!(conn, c => tasks::table.find(id).select(TaskView::as_select()).first(c).optional())?)
}
