//! Bookings that were made in a period, and appointments that lie in one.

use super::Span;
use crate::store::sql::sql;
use crate::store::{Conn, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Text};

/// Bookings of one status.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Made {
    #[diesel(sql_type = Text)]
    pub status: String,
    #[diesel(sql_type = BigInt)]
    pub n: i64,
}

/// Bookings that we first heard of in the period, by what they are now.
pub fn count_made(conn: &mut Conn, span: Span) -> StoreResult<Vec<Made>> {
    sql("SELECT status, COUNT(*) AS n FROM bookings WHERE id >= ? AND id < ? AND created_at >= ? AND created_at < ? \
         GROUP BY status ORDER BY status")
    .bind_ids(span)
    .bind_span(span)
    .load(conn)
}

/// Bookings that came on the waiting list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Waited {
    #[diesel(sql_type = BigInt)]
    pub joined: i64,
    /// Of these: those that got an appointment, also if nobody came.
    #[diesel(sql_type = BigInt)]
    pub filled: i64,
}

/// Bookings that came on the waiting list in the period, by what they are now.
pub fn count_waited(conn: &mut Conn, span: Span) -> StoreResult<Waited> {
    let found = sql(format!(
        "SELECT COUNT(*) AS joined, COUNT(CASE WHEN status IN ('scheduled', 'confirmed', 'checked_in', 'completed', 'no_show') \
           THEN 1 END) AS filled \
         FROM bookings WHERE id IN (SELECT e.booking_id FROM event_log e WHERE {JOINED})"
    ))
    .bind_span(span)
    .first(conn)?;
    Ok(found.unwrap_or(Waited { joined: 0, filled: 0 }))
}

/// As in the index.
pub(super) const JOINED: &str = "e.event_type = 'waitlist_joined' AND e.timestamp >= ? AND e.timestamp < ?";

/// Appointments that are alike in all of this. 1 means yes.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Attendance {
    #[diesel(sql_type = Text)]
    pub status: String,
    /// The patient has said that they will come.
    #[diesel(sql_type = Integer)]
    pub confirmed: i32,
    /// By answering a message.
    #[diesel(sql_type = Integer)]
    pub by_reply: i32,
    /// Cancelled less than a day before, or after.
    #[diesel(sql_type = Integer)]
    pub late: i32,
    /// A text about it left before it began.
    #[diesel(sql_type = Integer)]
    pub texted: i32,
    /// One of them was a reminder of the time that it has now.
    #[diesel(sql_type = Integer)]
    pub reminded: i32,
    #[diesel(sql_type = BigInt)]
    pub n: i64,
}

/// One day before the appointment, in milliseconds.
const LATE: &str = "86400000";

/// Appointments of the period.
pub fn count_appointments(conn: &mut Conn, span: Span) -> StoreResult<Vec<Attendance>> {
    sql(format!(
        "SELECT status, confirmed, by_reply, late, texted, reminded, COUNT(*) AS n FROM ( \
           SELECT b.status AS status, \
             CASE WHEN b.patient_confirmed_at IS NOT NULL THEN 1 ELSE 0 END AS confirmed, \
             CASE WHEN b.patient_confirmed_at IS NOT NULL AND b.confirmed_via IN ('sms', 'manychat') THEN 1 ELSE 0 END AS by_reply, \
             CASE WHEN b.cancelled_at > b.appointment_datetime - {LATE} THEN 1 ELSE 0 END AS late, \
             CASE WHEN EXISTS (SELECT 1 FROM sms_messages s WHERE {ABOUT_IT}) THEN 1 ELSE 0 END AS texted, \
             CASE WHEN EXISTS (SELECT 1 FROM sms_messages s WHERE {ABOUT_IT} AND s.template LIKE 'reminder%' \
               AND COALESCE(s.appointment_datetime, b.appointment_datetime) = b.appointment_datetime) THEN 1 ELSE 0 END AS reminded \
           FROM bookings b WHERE b.appointment_datetime >= ? AND b.appointment_datetime < ? \
         ) AS each_one GROUP BY status, confirmed, by_reply, late, texted, reminded"
    ))
    .bind_span(span)
    .load(conn)
}

const ABOUT_IT: &str = "s.booking_id = b.id AND s.booking_id IS NOT NULL AND s.direction = 'out' \
     AND COALESCE(s.accepted_at, s.delivered_at) < b.appointment_datetime";
