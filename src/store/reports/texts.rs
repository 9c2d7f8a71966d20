//! Texts that left or came in in a period.

use super::leads::{BY_A_PERSON, TAKEN};
use super::{PAGE_ROWS, Span};
use crate::domain::time::Millis;
use crate::store::sql::{Number, sql};
use crate::store::{Conn, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// Texts of one fate and currency.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Sent {
    #[diesel(sql_type = Text)]
    pub status: String,
    /// 1: a provider took it in the period. 0: no provider took it, and it was given up in the period.
    #[diesel(sql_type = Integer)]
    pub was_taken: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub n: i64,
    #[diesel(sql_type = BigInt)]
    pub parts: i64,
    /// Millionths of the currency, as far as the provider has said.
    #[diesel(sql_type = BigInt)]
    pub micros: i64,
    #[diesel(sql_type = BigInt)]
    pub priced: i64,
}

/// When a provider took the text.
const LEFT_AT: &str = "COALESCE(s.accepted_at, s.delivered_at)";
/// Texts of which something was noted about the time of the period: two marks for ids.
pub(super) const NOTED: &str =
    "s.direction = 'out' AND s.id IN (SELECT e.sms_id FROM sms_status_events e WHERE e.id >= ? AND e.id < ?)";

pub fn count_sent(conn: &mut Conn, span: Span) -> StoreResult<Vec<Sent>> {
    sql(format!(
        "SELECT status, was_taken, currency, COUNT(*) AS n, CAST(COALESCE(SUM(parts), 0) AS BIGINT) AS parts, \
           CAST(COALESCE(SUM(price_micros), 0) AS BIGINT) AS micros, COUNT(price_micros) AS priced \
         FROM (SELECT s.status AS status, CASE WHEN {LEFT_AT} IS NULL THEN 0 ELSE 1 END AS was_taken, h.currency AS currency, \
             COALESCE(h.billed_parts, s.parts) AS parts, h.price_micros AS price_micros, \
             COALESCE(s.accepted_at, s.delivered_at, s.updated_at) AS at \
           FROM sms_messages s LEFT JOIN sms_handovers h ON h.sms_id = s.id \
           WHERE {NOTED} AND ({LEFT_AT} IS NOT NULL OR s.status IN ('failed', 'expired'))) AS each_one \
         WHERE at >= ? AND at < ? GROUP BY status, was_taken, currency"
    ))
    .bind_ids(span)
    .bind_span(span)
    .load(conn)
}

/// Different numbers that texts left for.
pub fn count_numbers(conn: &mut Conn, span: Span) -> StoreResult<i64> {
    let text =
        format!("SELECT COUNT(DISTINCT s.to_number) AS n FROM sms_messages s WHERE {NOTED} AND {LEFT_AT} >= ? AND {LEFT_AT} < ?");
    Ok(sql(text).bind_ids(span).bind_span(span).first::<Number>(conn)?.map_or(0, |row| row.n))
}

/// Numbers that said STOP in the period.
pub fn count_opt_outs(conn: &mut Conn, span: Span) -> StoreResult<i64> {
    let count = sql("SELECT COUNT(*) AS n FROM suppressions WHERE at >= ? AND at < ?").bind_span(span);
    Ok(count.first::<Number>(conn)?.map_or(0, |row| row.n))
}

/// People who were texted about a recall, and how many of them booked after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Recalled {
    #[diesel(sql_type = BigInt)]
    pub texted: i64,
    #[diesel(sql_type = BigInt)]
    pub booked: i64,
}

pub fn count_recalled(conn: &mut Conn, span: Span, follow: Millis) -> StoreResult<Recalled> {
    let counted: Option<Recalled> = sql(format!(
        "SELECT COUNT(*) AS texted, COUNT(CASE WHEN EXISTS (SELECT 1 FROM bookings b WHERE b.contact_id = r.contact_id \
             AND b.created_at > r.at AND b.created_at < r.at + {} AND b.{TAKEN}) THEN 1 END) AS booked \
         FROM (SELECT s.contact_id AS contact_id, MIN({LEFT_AT}) AS at FROM sms_messages s \
           WHERE {NOTED} AND s.category = 'recall' AND s.contact_id IS NOT NULL AND {LEFT_AT} >= ? AND {LEFT_AT} < ? \
           GROUP BY s.contact_id) AS r",
        follow.0
    ))
    .bind_ids(span)
    .bind_span(span)
    .first(conn)?;
    Ok(counted.unwrap_or_default())
}

/// A text that came in, and when it was first answered: by a person's text, a call, or a reply task that was done.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Received {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub contact_id: String,
    #[diesel(sql_type = BigInt)]
    pub at: i64,
    #[diesel(sql_type = Text)]
    pub body: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub texted_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub called_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub done_at: Option<i64>,
}

/// The next page of texts from people we know after `after` (empty: from the first), in the order of their ids.
pub fn list_received(conn: &mut Conn, span: Span, follow: Millis, after: &str) -> StoreResult<Vec<Received>> {
    let (from, to) = span.ids();
    let within = |column: &str| format!("{column} >= s.created_at AND {column} < s.created_at + {}", follow.0);
    sql(format!(
        "SELECT s.id AS id, s.contact_id AS contact_id, s.created_at AS at, s.body AS body, \
           (SELECT MIN(o.accepted_at) FROM sms_messages o WHERE o.contact_id = s.contact_id AND o.direction = 'out' AND o.{} \
             AND {}) AS texted_at, \
           (SELECT MIN(t.timestamp) FROM touchpoints t WHERE t.contact_id = s.contact_id AND t.kind IN ('call_out', 'no_answer') \
             AND {}) AS called_at, \
           (SELECT MIN(k.completed_at) FROM tasks k WHERE k.contact_id = s.contact_id AND k.status = 'done' \
             AND k.type = 'sms_reply_review' AND {}) AS done_at \
         FROM sms_messages s WHERE s.id > ? AND s.id >= ? AND s.id < ? AND s.direction = 'in' AND s.created_at >= ? \
           AND s.created_at < ? AND s.contact_id IS NOT NULL ORDER BY s.id LIMIT ?",
        BY_A_PERSON.replace("revision", "o.revision"),
        within("o.accepted_at"),
        within("t.timestamp"),
        within("k.completed_at"),
    ))
    .bind(after.to_owned())
    .bind(from)
    .bind(to)
    .bind_span(span)
    .bind(PAGE_ROWS)
    .load(conn)
}
