//! Texts in and out: the newest first.

use super::{Cursor, Page, PageRequest};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::sms_messages;
use diesel::prelude::*;

/// Which texts; all conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct SmsFilter {
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub template: Option<String>,
    pub status: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sms_messages)]
pub struct SmsView {
    pub id: String,
    pub direction: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub template: Option<String>,
    pub category: String,
    pub to_number: String,
    pub from_number: Option<String>,
    pub body: String,
    pub encoding: String,
    pub parts: i32,
    pub status: String,
    pub status_reason: Option<String>,
    pub provider: Option<String>,
    pub provider_message_id: Option<String>,
    pub in_reply_to: Option<String>,
    pub run_id: Option<String>,
    pub sent_by: Option<String>,
    pub scheduled_at: Option<i64>,
    pub accepted_at: Option<i64>,
    pub delivered_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if let Some(contact) = &filter.contact_id {
            query = query.filter(sms_messages::contact_id.eq(contact));
        }
        if let Some(booking) = &filter.booking_id {
            query = query.filter(sms_messages::booking_id.eq(booking));
        }
        if let Some(template) = &filter.template {
            query = query.filter(sms_messages::template.eq(template));
        }
        if let Some(status) = &filter.status {
            query = query.filter(sms_messages::status.eq(status));
        }
        query
    }};
}

/// Ids begin with their time, so their order is that of creation.
pub fn list(conn: &mut Conn, filter: &SmsFilter, page: &PageRequest<0>) -> StoreResult<Page<SmsView, 0>> {
    let (rows, total) = on!(conn, c => {
        let total = matching!(sms_messages::table.count().into_boxed(), filter).get_result::<i64>(c)?;
        let mut query = matching!(sms_messages::table.select(SmsView::as_select()).into_boxed(), filter);
        if let Some(after) = &page.after {
            query = query.filter(sms_messages::id.lt(&after.id));
        }
        (query.order(sms_messages::id.desc()).limit(page.rows_wanted()).load::<SmsView>(c)?, total)
    });
    Ok(page.page_of(rows, total, |s| Cursor { keys: [], id: s.id.clone() }))
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<SmsView>> {
    Ok(on!(conn, c => sms_messages::table.find(id).select(SmsView::as_select()).first(c).optional())?)
}
