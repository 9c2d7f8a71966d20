//! What rules did with events: the newest first.

use super::{Cursor, Page, PageRequest};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::automation_runs;
use diesel::prelude::*;

/// Which runs; all conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    pub event_id: Option<String>,
    pub contact_id: Option<String>,
    pub rule_id: Option<String>,
    pub outcome: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = automation_runs)]
pub struct RunView {
    pub id: String,
    pub event_id: String,
    pub rule_id: String,
    pub revision: i64,
    pub outcome: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub at: i64,
    /// JSON as the engine's `RuleRun` is written.
    pub trace: String,
}

/// One event has at most so many runs: as many as there are rules.
const RUNS_PER_EVENT_MAX: i64 = 1_000;

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if let Some(event) = &filter.event_id {
            query = query.filter(automation_runs::event_id.eq(event));
        }
        if let Some(contact) = &filter.contact_id {
            query = query.filter(automation_runs::contact_id.eq(contact));
        }
        if let Some(rule) = &filter.rule_id {
            query = query.filter(automation_runs::rule_id.eq(rule));
        }
        if let Some(outcome) = &filter.outcome {
            query = query.filter(automation_runs::outcome.eq(outcome));
        }
        query
    }};
}

/// Ids begin with their time, so their order is that of the runs.
pub fn list(conn: &mut Conn, filter: &RunFilter, page: &PageRequest<0>) -> StoreResult<Page<RunView, 0>> {
    let (rows, total) = on!(conn, c => {
        let total = matching!(automation_runs::table.count().into_boxed(), filter).get_result::<i64>(c)?;
        let mut query = matching!(automation_runs::table.select(RunView::as_select()).into_boxed(), filter);
        if let Some(after) = &page.after {
            query = query.filter(automation_runs::id.lt(&after.id));
        }
        (query.order(automation_runs::id.desc()).limit(page.rows_wanted()).load::<RunView>(c)?, total)
    });
    Ok(page.page_of(rows, total, |r| Cursor { keys: [], id: r.id.clone() }))
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<RunView>> {
    Ok(on!(conn, c => automation_runs::table.find(id).select(RunView::as_select()).first(c).optional())?)
}

/// Every rule that looked at the event, in the order of the rules.
pub fn of_event(conn: &mut Conn, event_id: &str) -> StoreResult<Vec<RunView>> {
    Ok(on!(conn, c => {
        automation_runs::table
            .filter(automation_runs::event_id.eq(event_id))
            .order(automation_runs::id.asc())
            .limit(RUNS_PER_EVENT_MAX)
            .select(RunView::as_select())
            .load(c)
    })?)
}
