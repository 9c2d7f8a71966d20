//! Bookings that were made in a period, with what led to them.

use super::leads::TAKEN;
use super::{PAGE_ROWS, Span};
use crate::domain::time::Millis;
use crate::store::sql::sql;
use crate::store::{Conn, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

/// A booking and one touch before it; a booking without any comes once, without a touch. Oldest touch first.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Touched {
    #[diesel(sql_type = Text)]
    pub booking_id: String,
    #[diesel(sql_type = BigInt)]
    pub booked_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub at: Option<i64>,
    /// The campaign's source, else the channel, else the kind of touch.
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    /// What the campaign's link said of its source.
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
}

/// Touches that can have led to a booking. Answers to our own texts are none.
const KINDS: &str = "'ad_click', 'form', 'manychat_message', 'call_in', 'email'";
/// A click that comes in the booking's own delivery may seem a moment later than the booking.
const SLACK_MS: i64 = 10 * 60 * 1_000;

/// The next page of bookings after `after` (empty: from the first), in the order of their ids, with the touches of `window`.
pub fn list(conn: &mut Conn, span: Span, window: Millis, after: &str) -> StoreResult<Vec<Touched>> {
    let (from, to) = span.ids();
    sql(format!(
        "SELECT b.id AS booking_id, b.created_at AS booked_at, t.timestamp AS at, COALESCE(t.source, t.channel, t.kind) AS name, \
           t.source AS source \
         FROM (SELECT id, contact_id, created_at FROM bookings WHERE id > ? AND id >= ? AND id < ? AND created_at >= ? \
           AND created_at < ? AND {TAKEN} ORDER BY id LIMIT ?) AS b \
         LEFT JOIN touchpoints t ON t.contact_id = b.contact_id AND t.direction = 'in' AND t.kind IN ({KINDS}) \
           AND t.timestamp > b.created_at - {} AND t.timestamp <= b.created_at + {SLACK_MS} \
         ORDER BY b.id, t.timestamp, t.id",
        window.0
    ))
    .bind(after.to_owned())
    .bind(from)
    .bind(to)
    .bind_span(span)
    .bind(PAGE_ROWS)
    .load(conn)
}
