//! What rules did with events: the newest first.

use super::{Cursor, Page, PageRequest};
use crate::domain::event::Run;
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::automation_runs;
use crate::store::skips::{self, SkipFilter};
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

/// Runs that did something, failed, or planned in the shadow. Ids begin with their time, so their order is that of the runs.
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

/// Also one that did nothing and is stored with others.
pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<RunView>> {
    let found: Option<RunView> =
        on!(conn, c => automation_runs::table.find(id).select(RunView::as_select()).first(c).optional())?;
    match found {
        Some(run) => Ok(Some(run)),
        None => Ok(skips::find_run(conn, id)?.map(of_run)),
    }
}

/// Runs that did nothing, newest first. A page may have a few more than asked for: those of one event stay together.
pub fn list_skips(conn: &mut Conn, filter: &RunFilter, page: &PageRequest<0>) -> StoreResult<Page<RunView, 0>> {
    let wanted =
        SkipFilter { event_id: filter.event_id.clone(), contact_id: filter.contact_id.clone(), rule_id: filter.rule_id.clone() };
    let before = page.after.as_ref().map(|cursor| cursor.id.as_str());
    let events = skips::list(conn, &wanted, before, page.rows_wanted())?;
    let (total, count) = (skips::count(conn, &wanted)?, events.len() as i64);
    let is_wanted = |run: &Run| filter.rule_id.as_ref().is_none_or(|rule| *rule == run.rule_id);
    let (mut items, mut last, mut taken) = (Vec::new(), None, 0);
    for event in events {
        if items.len() as i64 >= page.limit {
            break;
        }
        items.extend(event.runs().into_iter().filter(is_wanted).map(of_run));
        last = Some(event.event_id);
        taken += 1;
    }
    let next = last.filter(|_| taken < count).map(|id| Cursor { keys: [], id });
    Ok(Page { items, total, next })
}

/// A run that is not, or not so, in the table.
pub fn of_run(run: Run) -> RunView {
    RunView {
        id: run.id,
        event_id: run.event_id,
        rule_id: run.rule_id,
        revision: run.revision,
        outcome: run.outcome.as_str().to_owned(),
        contact_id: run.contact_id,
        booking_id: run.booking_id,
        at: run.at.0,
        trace: run.trace,
    }
}

/// Every rule that looked at the event, also those that did nothing.
pub fn of_event(conn: &mut Conn, event_id: &str) -> StoreResult<Vec<RunView>> {
    let mut runs: Vec<RunView> = on!(conn, c => {
        automation_runs::table
            .filter(automation_runs::event_id.eq(event_id))
            .order(automation_runs::id.asc())
            .limit(RUNS_PER_EVENT_MAX)
            .select(RunView::as_select())
            .load(c)
    })?;
    runs.extend(skips::list_of_event(conn, event_id)?.into_iter().map(of_run));
    Ok(runs)
}
