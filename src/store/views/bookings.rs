//! Appointments in the order they take place.

use super::{Cursor, Page, PageRequest};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::bookings;
use diesel::prelude::*;

/// Which bookings; all conditions hold together. Times are epoch ms.
#[derive(Clone, Debug, Default)]
pub struct BookingFilter {
    pub from: Option<i64>,
    /// Exclusive.
    pub to: Option<i64>,
    pub contact_id: Option<String>,
    pub status: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = bookings)]
pub struct BookingView {
    pub id: String,
    pub contact_id: String,
    pub wix_booking_id: Option<String>,
    pub source: String,
    pub appointment_datetime: i64,
    pub end_datetime: Option<i64>,
    pub timezone: String,
    pub service_name: Option<String>,
    pub location: Option<String>,
    pub resource_name: Option<String>,
    pub status: String,
    pub urgency_level: String,
    pub referral_status: String,
    pub payment_status: Option<String>,
    pub patient_confirmed_at: Option<i64>,
    pub confirmed_via: Option<String>,
    pub reschedule_count: i32,
    pub version: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

/// A page of them.
pub type Bookings = Page<BookingView, 1>;

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if let Some(from) = filter.from {
            query = query.filter(bookings::appointment_datetime.ge(from));
        }
        if let Some(to) = filter.to {
            query = query.filter(bookings::appointment_datetime.lt(to));
        }
        if let Some(contact) = &filter.contact_id {
            query = query.filter(bookings::contact_id.eq(contact));
        }
        if let Some(status) = &filter.status {
            query = query.filter(bookings::status.eq(status));
        }
        query
    }};
}

/// The earliest appointment first.
pub fn list(conn: &mut Conn, filter: &BookingFilter, page: &PageRequest<1>) -> StoreResult<Page<BookingView, 1>> {
    let (rows, total) = on!(conn, c => {
        let total = matching!(bookings::table.count().into_boxed(), filter).get_result::<i64>(c)?;
        let mut query = matching!(bookings::table.select(BookingView::as_select()).into_boxed(), filter);
        if let Some(Cursor { keys: [at], id }) = &page.after {
            let later = bookings::appointment_datetime.gt(*at);
            query = query.filter(later.or(bookings::appointment_datetime.eq(*at).and(bookings::id.gt(id))));
        }
        let order = (bookings::appointment_datetime.asc(), bookings::id.asc());
        (query.order(order).limit(page.rows_wanted()).load::<BookingView>(c)?, total)
    });
    Ok(page.page_of(rows, total, |b| Cursor { keys: [b.appointment_datetime], id: b.id.clone() }))
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<BookingView>> {
    Ok(on!(conn, c => bookings::table.find(id).select(BookingView::as_select()).first(c).optional())?)
}
