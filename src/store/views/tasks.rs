//! Staff tasks: the most pressing first.

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

/// Higher priority first, then sooner due.
pub fn list(conn: &mut Conn, filter: &TaskFilter, page: &PageRequest<2>) -> StoreResult<Page<TaskView, 2>> {
    let (rows, total) = on!(conn, c => {
        let total = matching!(tasks::table.count().into_boxed(), filter).get_result::<i64>(c)?;
        let mut query = matching!(tasks::table.select(TaskView::as_select()).into_boxed(), filter);
        if let Some(Cursor { keys: [priority, due], id }) = &page.after {
            let priority = *priority as i32;
            query = query.filter(
                tasks::priority_score.lt(priority).or(tasks::priority_score.eq(priority).and(
                    tasks::due_datetime.gt(*due).or(tasks::due_datetime.eq(*due).and(tasks::id.gt(id))),
                )),
            );
        }
        let order = (tasks::priority_score.desc(), tasks::due_datetime.asc(), tasks::id.asc());
        (query.order(order).limit(page.rows_wanted()).load::<TaskView>(c)?, total)
    });
    Ok(page.page_of(rows, total, |t| Cursor { keys: [i64::from(t.priority_score), t.due_datetime], id: t.id.clone() }))
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<TaskView>> {
    Ok(on!(conn, c => tasks::table.find(id).select(TaskView::as_select()).first(c).optional())?)
}
