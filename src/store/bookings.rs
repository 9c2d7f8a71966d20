//! Bookings.

use super::changes::Topic;
use super::db::on;
use super::one_of::one_of;
use super::row::{domain_rows, row};
use super::schema::bookings;
use super::{Conn, StoreResult, Tx};
use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::time::Timestamp;
use diesel::prelude::*;

row!(bookings, BookingRow, Booking, id, upsert {
    id => id: String, contact_id => contact_id: String, wix_booking_id => wix_booking_id: Option<String>,
    source => source: String, service_id => service_id: Option<String>, service_name => service_name: Option<String>,
    location => location: Option<String>, resource_name => resource_name: Option<String>,
    appointment_datetime => appointment_datetime: Timestamp, end_datetime => end_datetime: Option<Timestamp>,
    timezone => timezone: String, status => status: BookingStatus, urgency_level => urgency_level: String,
    referral_status => referral_status: String, payment_status => payment_status: Option<String>,
    patient_confirmed_at => patient_confirmed_at: Option<Timestamp>, confirmed_via => confirmed_via: Option<String>,
    reschedule_count => reschedule_count: i32, cancelled_at => cancelled_at: Option<Timestamp>,
    no_show_at => no_show_at: Option<Timestamp>, checked_in_at => checked_in_at: Option<Timestamp>,
    completed_at => completed_at: Option<Timestamp>, provider_sequence => provider_sequence: i64,
    provider_revision => provider_revision: i64, said_status => said_status: Option<BookingStatus>,
    said_datetime => said_datetime: Option<Timestamp>, is_demo => is_demo: bool, version => version: i64,
    created_at => created_at: Timestamp, updated_at => updated_at: Timestamp,
});

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<Booking>> {
    let row: Option<BookingRow> = on!(conn, c => bookings::table.find(id).select(BookingRow::as_select()).first(c).optional())?;
    row.map(BookingRow::into_domain).transpose()
}

pub fn list_by_ids(conn: &mut Conn, ids: &[String]) -> StoreResult<Vec<Booking>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<BookingRow> =
        on!(conn, c => bookings::table.filter(one_of(bookings::id, ids)).select(BookingRow::as_select()).load(c))?;
    domain_rows!(rows)
}

pub fn list_by_wix_ids(conn: &mut Conn, ids: &[String]) -> StoreResult<Vec<Booking>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<BookingRow> =
        on!(conn, c => bookings::table.filter(one_of(bookings::wix_booking_id, ids)).select(BookingRow::as_select()).load(c))?;
    domain_rows!(rows)
}

/// Bookings of these contacts that begin at `since` or later, soonest first.
pub fn list_of_contacts(conn: &mut Conn, contact_ids: &[String], since: Timestamp) -> StoreResult<Vec<Booking>> {
    if contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<BookingRow> = on!(conn, c => bookings::table
        .filter(one_of(bookings::contact_id, contact_ids))
        .filter(bookings::appointment_datetime.ge(since.0))
        .order((bookings::appointment_datetime, bookings::id))
        .select(BookingRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// The next page of bookings after `after` (by id) that begin at `since` or later.
pub fn list_ids_after(conn: &mut Conn, since: Timestamp, after: &str, limit: i64) -> StoreResult<Vec<(String, String)>> {
    Ok(on!(conn, c => bookings::table
        .filter(bookings::id.gt(after))
        .filter(bookings::appointment_datetime.ge(since.0))
        .order(bookings::id)
        .select((bookings::id, bookings::contact_id))
        .limit(limit)
        .load(c))?)
}

/// Bookings whose patients were expected before this time and about whom nobody has said anything yet.
pub fn list_expected_before(conn: &mut Conn, before: Timestamp, limit: i64) -> StoreResult<Vec<Booking>> {
    let expected = [BookingStatus::Scheduled.as_str(), BookingStatus::Confirmed.as_str()];
    let rows: Vec<BookingRow> = on!(conn, c => bookings::table
        .filter(one_of(bookings::status, &expected))
        .filter(bookings::appointment_datetime.lt(before.0))
        .order((bookings::appointment_datetime, bookings::id))
        .limit(limit)
        .select(BookingRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

pub fn upsert_many(tx: &mut Tx<'_>, bookings: &[&Booking]) -> StoreResult<()> {
    BookingRow::upsert_all(tx, bookings)?;
    bookings.iter().for_each(|booking| tx.changed(Topic::Bookings, &booking.id));
    Ok(())
}
