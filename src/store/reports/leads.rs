//! People whom we first heard of in a period by anything but a booking, and what became of them.

use super::{PAGE_ROWS, Span};
use crate::domain::time::Millis;
use crate::store::sql::sql;
use crate::store::{Conn, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

/// One lead. Times are epoch milliseconds; `None`: it has not happened within the time that leads are followed.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Lead {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
    /// The first call of staff that the timeline has.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub called_at: Option<i64>,
    /// The first call task that was done.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub call_done_at: Option<i64>,
    /// The first text that a person sent.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub texted_at: Option<i64>,
    /// When the first booking was made that was not refused.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub booked_at: Option<i64>,
    /// How many of these bookings the patient came to.
    #[diesel(sql_type = BigInt)]
    pub visits: i64,
}

/// Task types that mean: call this person.
pub const CALL_TASKS: &str = "'lead_call', 'no_response_followup', 'welcome_call', 'recall_call'";
/// A text that no rule and not the program itself wrote.
pub(super) const BY_A_PERSON: &str = "run_id IS NULL AND revision IS NULL";
/// A booking that counts as one.
pub(super) const TAKEN: &str = "status NOT IN ('declined', 'waitlisted')";

/// The next page of leads after `after` (empty: from the first), in the order of their ids. Each is followed for `follow`.
pub fn list(conn: &mut Conn, span: Span, follow: Millis, after: &str) -> StoreResult<Vec<Lead>> {
    let (from, to) = span.ids();
    let within = |column: &str| format!("{column} >= c.created_at AND {column} < c.created_at + {}", follow.0);
    sql(format!(
        "SELECT c.id AS id, c.source AS source, c.created_at AS created_at, \
           (SELECT MIN(t.timestamp) FROM touchpoints t WHERE t.contact_id = c.id AND t.kind IN ('call_out', 'no_answer') \
             AND {}) AS called_at, \
           (SELECT MIN(k.completed_at) FROM tasks k WHERE k.contact_id = c.id AND k.status = 'done' AND k.type IN ({CALL_TASKS}) \
             AND {}) AS call_done_at, \
           (SELECT MIN(s.accepted_at) FROM sms_messages s WHERE s.contact_id = c.id AND s.direction = 'out' AND s.{} \
             AND {}) AS texted_at, \
           (SELECT MIN(b.created_at) FROM bookings b WHERE b.contact_id = c.id AND b.{TAKEN} AND {}) AS booked_at, \
           (SELECT COUNT(*) FROM bookings b WHERE b.contact_id = c.id AND b.status IN ('checked_in', 'completed') AND {}) AS visits \
         FROM contacts c WHERE c.id > ? AND c.id >= ? AND c.id < ? AND c.created_at >= ? AND c.created_at < ? \
           AND c.merged_into_id IS NULL AND {IS_LEAD} ORDER BY c.id LIMIT ?",
        within("t.timestamp"),
        within("k.completed_at"),
        BY_A_PERSON.replace("revision", "s.revision"),
        within("s.accepted_at"),
        within("b.created_at"),
        within("b.created_at"),
    ))
    .bind(after.to_owned())
    .bind(from)
    .bind(to)
    .bind_span(span)
    .bind(PAGE_ROWS)
    .load(conn)
}

/// The first event about the person is no booking, and nobody typed them in or imported them, unless as a lead.
const IS_LEAD: &str = "COALESCE((SELECT CASE WHEN e.event_type = 'lead_created' THEN 1 \
       WHEN e.event_type LIKE 'booking_%' OR e.event_type = 'waitlist_joined' OR e.source IN ('staff', 'import') THEN 0 ELSE 1 END \
     FROM event_log e WHERE e.contact_id = c.id AND e.contact_id IS NOT NULL ORDER BY e.timestamp, e.id LIMIT 1), 0) = 1";
