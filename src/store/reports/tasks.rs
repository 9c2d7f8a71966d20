//! Tasks that were due in a period.

use super::Span;
use crate::domain::time::Timestamp;
use crate::store::sql::sql;
use crate::store::{Conn, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

/// Tasks for one person or team that one person did, or nobody yet. What was cancelled does not count.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Due {
    #[diesel(sql_type = Nullable<Text>)]
    pub assigned_to: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub completed_by: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub due: i64,
    #[diesel(sql_type = BigInt)]
    pub done: i64,
    /// Of those that are done.
    #[diesel(sql_type = BigInt)]
    pub in_time: i64,
    /// Done too late, or still open after their time.
    #[diesel(sql_type = BigInt)]
    pub overdue: i64,
}

/// The statuses stand as in the two partial indexes.
pub fn count_due(conn: &mut Conn, span: Span, now: Timestamp) -> StoreResult<Vec<Due>> {
    sql("SELECT assigned_to, completed_by, COUNT(*) AS due, COUNT(completed_at) AS done, \
           COUNT(CASE WHEN completed_at <= due_datetime THEN 1 END) AS in_time, \
           COUNT(CASE WHEN COALESCE(completed_at, ?) > due_datetime THEN 1 END) AS overdue \
         FROM ( \
           SELECT assigned_to, CAST(NULL AS TEXT) AS completed_by, due_datetime, CAST(NULL AS BIGINT) AS completed_at FROM tasks \
             WHERE status IN ('todo', 'in_progress') AND due_datetime >= ? AND due_datetime < ? \
           UNION ALL \
           SELECT assigned_to, completed_by, due_datetime, COALESCE(completed_at, updated_at) AS completed_at FROM tasks \
             WHERE status IN ('done', 'cancelled') AND status = 'done' AND due_datetime >= ? AND due_datetime < ? \
         ) AS counted GROUP BY assigned_to, completed_by ORDER BY assigned_to, completed_by")
    .bind(now)
    .bind_span(span)
    .bind_span(span)
    .load(conn)
}
