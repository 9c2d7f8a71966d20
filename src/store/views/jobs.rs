//! Live jobs (waiting, running, dead): the newest first.

use super::{Cursor, Page, PageRequest, containing};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::jobs;
use diesel::prelude::*;

/// Which jobs; all conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    pub state: Option<String>,
    pub queue: Option<String>,
    /// Part of the last error.
    pub error: Option<String>,
}

/// A job without its payload, which can hold personal data.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct JobView {
    pub id: i64,
    pub queue: String,
    pub kind: String,
    pub state: String,
    pub priority: i32,
    pub run_at: i64,
    pub attempt: i32,
    pub max_attempts: i32,
    pub rescues: i32,
    pub worker_id: Option<i64>,
    pub deadline_at: Option<i64>,
    pub event_id: Option<String>,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if let Some(state) = &filter.state {
            query = query.filter(jobs::state.eq(state));
        }
        if let Some(queue) = &filter.queue {
            query = query.filter(jobs::queue.eq(queue));
        }
        if let Some(error) = &filter.error {
            query = query.filter(jobs::last_error.like(containing(error)).escape('\\'));
        }
        query
    }};
}

/// The cursor's key is the job's number; its id is empty.
pub fn list(conn: &mut Conn, filter: &JobFilter, page: &PageRequest<1>) -> StoreResult<Page<JobView, 1>> {
    let (rows, total) = on!(conn, c => {
        let total = matching!(jobs::table.count().into_boxed(), filter).get_result::<i64>(c)?;
        let mut query = matching!(jobs::table.select(JobView::as_select()).into_boxed(), filter);
        if let Some(Cursor { keys: [id], .. }) = &page.after {
            query = query.filter(jobs::id.lt(*id));
        }
        (query.order(jobs::id.desc()).limit(page.rows_wanted()).load::<JobView>(c)?, total)
    });
    Ok(page.page_of(rows, total, |j| Cursor { keys: [j.id], id: String::new() }))
}
