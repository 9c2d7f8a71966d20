//! The log of what happened: the newest first.

use super::{Cursor, Page, PageRequest};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::event_log;
use diesel::prelude::*;

/// Which events; all conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub event_type: Option<String>,
    pub source: Option<String>,
    pub contact_id: Option<String>,
    pub status: Option<String>,
}

/// An event without its payload, which holds personal data.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = event_log)]
pub struct EventView {
    pub id: String,
    pub event_type: String,
    pub source: String,
    pub timestamp: i64,
    pub occurred_at: Option<i64>,
    pub actor: String,
    pub signature_state: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub causation_id: Option<String>,
    pub depth: i32,
    pub status: String,
    pub status_reason: Option<String>,
    pub duplicates: i32,
    pub revision: Option<i64>,
    pub processed_at: Option<i64>,
}

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if let Some(event_type) = &filter.event_type {
            query = query.filter(event_log::event_type.eq(event_type));
        }
        if let Some(source) = &filter.source {
            query = query.filter(event_log::source.eq(source));
        }
        if let Some(contact) = &filter.contact_id {
            query = query.filter(event_log::contact_id.eq(contact));
        }
        if let Some(status) = &filter.status {
            query = query.filter(event_log::status.eq(status));
        }
        query
    }};
}

/// Ids begin with their time, so their order is that of arrival.
pub fn list(conn: &mut Conn, filter: &EventFilter, page: &PageRequest<0>) -> StoreResult<Page<EventView, 0>> {
    let (rows, total) = on!(conn, c => {
        let total = matching!(event_log::table.count().into_boxed(), filter).get_result::<i64>(c)?;
        let mut query = matching!(event_log::table.select(EventView::as_select()).into_boxed(), filter);
        if let Some(after) = &page.after {
            query = query.filter(event_log::id.lt(&after.id));
        }
        (query.order(event_log::id.desc()).limit(page.rows_wanted()).load::<EventView>(c)?, total)
    });
    Ok(page.page_of(rows, total, |e| Cursor { keys: [], id: e.id.clone() }))
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<EventView>> {
    Ok(on!(conn, c => event_log::table.find(id).select(EventView::as_select()).first(c).optional())?)
}
