//! The log of what people did: rows are only ever added, each with a hash over itself and the row before.

use super::db::on;
use super::row::row;
use super::schema::audit_log;
use super::sql::sql;
use super::views::{Cursor, Page, PageRequest};
use super::{Conn, StoreError, StoreResult, Tx};
use crate::domain::audit::{AuditRow, Entry};
use crate::domain::time::Timestamp;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde::Serialize;

row!(audit_log, LogRow, AuditRow, seq, insert {
    seq => seq: i64, at => at: Timestamp, actor => actor: String, ip => ip: Option<String>, action => action: String,
    object_kind => object_kind: Option<String>, object_id => object_id: Option<String>, details => details: String,
    prev_hash => prev_hash: String, hash => hash: String,
});

/// The end of the chain.
#[derive(QueryableByName)]
struct Head {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    hash: String,
}

/// Adds a row at the end of the chain. Until the end of the transaction nobody else adds one, so the chain cannot fork.
pub fn append(tx: &mut Tx<'_>, entry: &Entry, now: Timestamp) -> StoreResult<AuditRow> {
    let row = next_row(tx, entry, now)?;
    LogRow::insert_all(tx, &[&row])?;
    sql("UPDATE audit_head SET seq = ?, hash = ? WHERE id = 1").bind(row.seq).bind(row.hash.as_str()).execute(tx)?;
    Ok(row)
}

fn next_row(tx: &mut Tx<'_>, entry: &Entry, now: Timestamp) -> StoreResult<AuditRow> {
    let lock = if tx.is_postgres() { " FOR UPDATE" } else { "" };
    let head: Option<Head> = sql(format!("SELECT seq, hash FROM audit_head WHERE id = 1{lock}")).first(tx)?;
    let head = head.ok_or(StoreError::NotFound { what: "end of the audit log" })?;
    Ok(AuditRow::after(head.seq, &head.hash, entry, now))
}

/// The end of the chain as it was written down: number and hash.
pub fn find_head(conn: &mut Conn) -> StoreResult<(i64, String)> {
    let head: Option<Head> = sql("SELECT seq, hash FROM audit_head WHERE id = 1").first(conn)?;
    head.map(|h| (h.seq, h.hash)).ok_or(StoreError::NotFound { what: "end of the audit log" })
}

/// Rows after number `after`, oldest first, at most `limit`.
pub fn list_after(conn: &mut Conn, after: i64, limit: i64) -> StoreResult<Vec<AuditRow>> {
    let query = audit_log::table.filter(audit_log::seq.gt(after)).order(audit_log::seq.asc()).limit(limit);
    let rows: Vec<LogRow> = on!(conn, c => query.select(LogRow::as_select()).load(c))?;
    super::row::domain_rows!(rows)
}

/// Which rows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub object_id: Option<String>,
    pub from: Option<Timestamp>,
    pub before: Option<Timestamp>,
}

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        if let Some(actor) = &$filter.actor {
            query = query.filter(audit_log::actor.eq(actor));
        }
        if let Some(action) = &$filter.action {
            query = query.filter(audit_log::action.eq(action));
        }
        if let Some(id) = &$filter.object_id {
            query = query.filter(audit_log::object_id.eq(id));
        }
        if let Some(from) = $filter.from {
            query = query.filter(audit_log::at.ge(from.0));
        }
        if let Some(before) = $filter.before {
            query = query.filter(audit_log::at.lt(before.0));
        }
        query
    }};
}

/// Newest first.
pub fn list(conn: &mut Conn, filter: &AuditFilter, page: &PageRequest<1>) -> StoreResult<Page<AuditRow, 1>> {
    let (rows, total) = on!(conn, c => {
        let total = matching!(audit_log::table.count().into_boxed(), filter).get_result::<i64>(c)?;
        let mut query = matching!(audit_log::table.select(LogRow::as_select()).into_boxed(), filter);
        if let Some(after) = &page.after {
            query = query.filter(audit_log::seq.lt(after.keys[0]));
        }
        (query.order(audit_log::seq.desc()).limit(page.rows_wanted()).load::<LogRow>(c)?, total)
    });
    let rows: Vec<AuditRow> = super::row::domain_rows!(rows)?;
    Ok(page.page_of(rows, total, |row| Cursor { keys: [row.seq], id: String::new() }))
}

/// Rows that are checked at a time.
const ROWS_AT_ONCE: i64 = 1_000;

/// What a check of the whole log finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Rows that are in order.
    pub rows: i64,
    /// The hash that the log ends with: keep it elsewhere, and a later check can be held against it.
    pub head: String,
    /// The first row that is not as it was written.
    pub broken: Option<BrokenLink>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenLink {
    pub seq: i64,
    pub reason: &'static str,
}

/// Walks the chain from its beginning. Run it in one reading: rows that come meanwhile are not seen.
pub fn verify(conn: &mut Conn) -> StoreResult<Verified> {
    let (end, head) = find_head(conn)?;
    let (mut seq, mut hash) = (0, String::new());
    loop {
        let rows = list_after(conn, seq, ROWS_AT_ONCE)?;
        let is_last = (rows.len() as i64) < ROWS_AT_ONCE;
        for row in rows.into_iter().filter(|row| row.seq <= end) {
            if let Some(reason) = fault(&row, seq, &hash) {
                return Ok(Verified { rows: seq, head, broken: Some(BrokenLink { seq: row.seq, reason }) });
            }
            (seq, hash) = (row.seq, row.hash);
        }
        if is_last || seq >= end {
            break;
        }
    }
    let broken = (seq != end || hash != head).then_some(BrokenLink { seq: end, reason: "rows at the end are missing" });
    Ok(Verified { rows: seq, head, broken })
}

fn fault(row: &AuditRow, seq: i64, hash: &str) -> Option<&'static str> {
    if row.seq != seq + 1 {
        Some("a row before it is missing")
    } else if row.prev_hash != hash {
        Some("it does not follow the row before it")
    } else if row.hash != row.true_hash() {
        Some("it was changed")
    } else {
        None
    }
}
