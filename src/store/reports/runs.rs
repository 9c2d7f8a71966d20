//! What rules did in a period.

use super::Span;
use crate::store::sql::sql;
use crate::store::{Conn, StoreResult};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};

/// Runs of one rule.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Ran {
    #[diesel(sql_type = Text)]
    pub rule_id: String,
    #[diesel(sql_type = BigInt)]
    pub fired: i64,
    #[diesel(sql_type = BigInt)]
    pub failed: i64,
}

/// From rule to rule by their index, and in each only over the period: no run's row is read.
pub fn count(conn: &mut Conn, span: Span) -> StoreResult<Vec<Ran>> {
    sql("WITH RECURSIVE rules(rule_id) AS (SELECT MIN(rule_id) FROM automation_runs UNION ALL \
           SELECT (SELECT MIN(a.rule_id) FROM automation_runs a WHERE a.rule_id > rules.rule_id) FROM rules \
           WHERE rules.rule_id IS NOT NULL) \
         SELECT a.rule_id AS rule_id, COUNT(CASE WHEN a.outcome = 'fired' THEN 1 END) AS fired, \
           COUNT(CASE WHEN a.outcome = 'failed' THEN 1 END) AS failed \
         FROM rules JOIN automation_runs a ON a.rule_id = rules.rule_id AND a.at >= ? AND a.at < ? \
         WHERE a.outcome <> 'skipped' GROUP BY a.rule_id ORDER BY a.rule_id")
    .bind_span(span)
    .load(conn)
}
