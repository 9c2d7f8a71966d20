//! PostgreSQL: several nodes on one database.

use crate::store::db::{Conn, Db};
use crate::store::error::{StoreError, StoreResult};
use crate::store::sql::{Number, sql};
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName};
use std::collections::BTreeSet;

/// A transaction that waits or stands open for longer holds up everybody; the server ends it.
const SESSION: &str = "
    SET TIME ZONE 'UTC';
    SET lock_timeout = '10s';
    SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s';
";
const READER: &str = "SET default_transaction_read_only = on;";

pub(in crate::store) fn open_writer(url: &str) -> StoreResult<Conn> {
    connect(url, "")
}

pub(in crate::store) fn open_reader(url: &str) -> StoreResult<Conn> {
    connect(url, READER)
}

/// Without these two an acknowledged webhook could be lost in a crash.
pub(in crate::store) fn check_fitness(conn: &mut Conn) -> StoreResult<()> {
    for name in ["fsync", "synchronous_commit"] {
        let setting: Option<Setting> = sql("SELECT current_setting(?) AS v").bind(name).first(conn)?;
        if setting.is_none_or(|s| s.v == "off") {
            return Err(StoreError::Unfit(format!("PostgreSQL runs with {name} = off")));
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    v: String,
}

pub(in crate::store) fn connect(url: &str, more: &str) -> StoreResult<Conn> {
    let mut pg = PgConnection::establish(url).map_err(|_| StoreError::Unavailable { reason: "could not connect".into() })?;
    pg.batch_execute(SESSION)?;
    if !more.is_empty() {
        pg.batch_execute(more)?;
    }
    Ok(Conn { db: Db::Pg(pg) })
}

/// In the order of their keys: two transactions with the same lanes wait one after the other. The keys travel as one JSON text.
const LOCK_LANES: &str = "SELECT 1::BIGINT AS n, pg_advisory_xact_lock(lane.key) FROM (SELECT DISTINCT hashtextextended(value, 0) AS key \
     FROM json_array_elements_text(?::json) ORDER BY key) AS lane";

pub(in crate::store) fn lock_lanes(conn: &mut Conn, lanes: &BTreeSet<&str>) -> StoreResult<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    let keys = serde_json::to_string(lanes).map_err(|e| StoreError::Statement(e.to_string()))?;
    sql(LOCK_LANES).bind(keys).load::<Number>(conn)?;
    Ok(())
}
