//! Workers: one row for each process that works on jobs. Heartbeats touch this row, never the jobs.

use super::db::{Conn, Tx};
use super::error::{StoreError, StoreResult};
use super::sql::{Number, sql};
use crate::domain::time::{Millis, Timestamp};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

/// Registers a process; the id is never used again. It must be heard of again before `lease` has passed.
pub fn register(tx: &mut Tx<'_>, node: &str, pid: u32, lease: Millis, now: Timestamp) -> StoreResult<i64> {
    let text = "INSERT INTO workers (node, pid, started_at, heartbeat_at, expires_at) VALUES (?, ?, ?, ?, ?) RETURNING id AS n";
    let row: Option<Number> = sql(text).bind(node).bind(i64::from(pid)).bind(now).bind(now).bind(now + lease).first(tx)?;
    Ok(row.ok_or(StoreError::NotFound { what: "worker" })?.n)
}

/// `false` when this worker has been declared dead: it must drop its jobs and register anew.
pub fn heartbeat(tx: &mut Tx<'_>, worker_id: i64, lease: Millis, now: Timestamp) -> StoreResult<bool> {
    let text = "UPDATE workers SET heartbeat_at = ?, expires_at = ? WHERE id = ? AND dead_at IS NULL";
    Ok(sql(text).bind(now).bind(now + lease).bind(worker_id).execute(tx)? == 1)
}

/// A worker that stopped in order, or is known to be gone.
pub fn retire(tx: &mut Tx<'_>, worker_id: i64, now: Timestamp) -> StoreResult<()> {
    sql("UPDATE workers SET dead_at = ? WHERE id = ? AND dead_at IS NULL").bind(now).bind(worker_id).execute(tx)?;
    Ok(())
}

/// The workers of a node's former life. A node's name belongs to one process, so when it starts they are gone.
pub fn retire_node(tx: &mut Tx<'_>, node: &str, now: Timestamp) -> StoreResult<usize> {
    sql("UPDATE workers SET dead_at = ? WHERE node = ? AND dead_at IS NULL").bind(now).bind(node).execute(tx)
}

/// Declares dead who was not heard of in time.
pub(in crate::store) fn bury_expired(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<usize> {
    sql("UPDATE workers SET dead_at = ? WHERE dead_at IS NULL AND expires_at <= ?").bind(now).bind(now).execute(tx)
}

/// One process that works, or worked, on jobs. Times are epoch milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Worker {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub node: String,
    #[diesel(sql_type = BigInt)]
    pub pid: i64,
    #[diesel(sql_type = BigInt)]
    pub started_at: i64,
    #[diesel(sql_type = BigInt)]
    pub heartbeat_at: i64,
    #[diesel(sql_type = BigInt)]
    pub expires_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub dead_at: Option<i64>,
}

/// Those not declared dead, by id.
pub fn alive(conn: &mut Conn) -> StoreResult<Vec<Worker>> {
    let text =
        "SELECT id, node, pid, started_at, heartbeat_at, expires_at, dead_at FROM workers WHERE dead_at IS NULL ORDER BY id";
    sql(text).load(conn)
}
