//! What a period's records are like, in a few numbers: any change of them changes the numbers.
//!
//! Records raise their version with every change, and what only grows beside a contact raises the contact's. Versions are summed
//! up twice, each time mixed with when the record was made: two records that change places do not make up for each other.

use super::Span;
use super::attendance::JOINED;
use super::texts::NOTED;
use crate::store::sql::sql;
use crate::store::{Conn, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::BigInt;

#[derive(QueryableByName)]
struct Sums {
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = BigInt)]
    a: i64,
    #[diesel(sql_type = BigInt)]
    b: i64,
}

/// The mark of a period. Runs of rules are not in it: nobody changes them later.
pub fn mark(conn: &mut Conn, span: Span) -> StoreResult<String> {
    let mut marks = Vec::new();
    for part in parts() {
        let mut query = sql(sums(&part.rows));
        if part.takes_ids {
            query = query.bind_ids(span);
        }
        for _ in 0..part.spans {
            query = query.bind_span(span);
        }
        let found: Option<Sums> = query.first(conn)?;
        marks.push(found.map_or_else(String::new, |s| format!("{}.{}.{}", s.n, s.a, s.b)));
    }
    Ok(marks.join(":"))
}

fn sums(rows: &str) -> String {
    format!(
        "SELECT COUNT(*) AS n, CAST(COALESCE(SUM((made % 1000003 + 1) * (state % 1000003 + 1)), 0) AS BIGINT) AS a, \
           CAST(COALESCE(SUM((made % 998244353 + 7) * (state % 999983 + 11) % 1000000007), 0) AS BIGINT) AS b \
         FROM ({rows}) AS each_one"
    )
}

/// Rows with `made` and `state`, and which values their statement takes: a range of ids, then so many spans.
struct Part {
    rows: String,
    takes_ids: bool,
    spans: u8,
}

impl Part {
    fn over_ids(rows: impl Into<String>, spans: u8) -> Self {
        Self { rows: rows.into(), takes_ids: true, spans }
    }

    fn over_times(rows: impl Into<String>, spans: u8) -> Self {
        Self { rows: rows.into(), takes_ids: false, spans }
    }
}

const DUE: &str = "due_datetime >= ? AND due_datetime < ?";

fn parts() -> [Part; 8] {
    // With whoever a booking is of: a text about it raises the contact's version.
    let bookings =
        "SELECT b.created_at AS made, b.version + c.version AS state FROM bookings b JOIN contacts c ON c.id = b.contact_id";
    let tasks = "SELECT created_at AS made, version AS state FROM tasks";
    [
        Part::over_times(format!("{bookings} WHERE b.appointment_datetime >= ? AND b.appointment_datetime < ?"), 1),
        Part::over_ids(format!("{bookings} WHERE b.id >= ? AND b.id < ? AND b.created_at >= ? AND b.created_at < ?"), 1),
        Part::over_times(
            format!(
                "SELECT created_at AS made, version AS state FROM bookings WHERE id IN (SELECT e.booking_id FROM event_log e WHERE {JOINED})"
            ),
            1,
        ),
        Part::over_ids(
            "SELECT created_at AS made, version AS state FROM contacts WHERE id >= ? AND id < ? AND created_at >= ? AND created_at < ?",
            1,
        ),
        Part::over_times(
            format!(
                "{tasks} WHERE status IN ('todo', 'in_progress') AND {DUE} \
                 UNION ALL {tasks} WHERE status IN ('done', 'cancelled') AND {DUE}"
            ),
            2,
        ),
        // What became of texts, what they cost, and whom they were for.
        Part::over_ids(
            format!(
                "SELECT s.created_at AS made, s.updated_at + COALESCE(c.version, 0) + COALESCE(h.price_micros, 0) AS state \
                 FROM sms_messages s LEFT JOIN contacts c ON c.id = s.contact_id LEFT JOIN sms_handovers h ON h.sms_id = s.id \
                 WHERE {NOTED}"
            ),
            0,
        ),
        Part::over_ids(
            "SELECT s.created_at AS made, c.version AS state FROM sms_messages s JOIN contacts c ON c.id = s.contact_id \
             WHERE s.id >= ? AND s.id < ? AND s.direction = 'in' AND s.created_at >= ? AND s.created_at < ?",
            1,
        ),
        Part::over_times("SELECT at AS made, 1 AS state FROM suppressions WHERE at >= ? AND at < ?", 1),
    ]
}
