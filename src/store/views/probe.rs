//! Whether the database takes writes, by writing; and what database it is.

use crate::domain::time::Timestamp;
use crate::store::db::{Conn, Tx, on};
use crate::store::error::{StoreError, StoreResult};
use crate::store::schema::system_values;
use crate::store::sql::sql;
use diesel::prelude::*;

const KEY: &str = "ready_probe";

/// Writes one small row, the same each time.
pub fn write(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<()> {
    use system_values::dsl as s;
    let row = (s::key.eq(KEY), s::value.eq("ok"), s::updated_at.eq(now.0));
    on!(tx, c => {
        diesel::insert_into(system_values::table)
            .values(row)
            .on_conflict(s::key)
            .do_update()
            .set(s::updated_at.eq(now.0))
            .execute(c)
    })?;
    Ok(())
}

/// What kind of database this is, and how large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Such as `SQLite 3.53.2, WAL`.
    pub name: String,
    pub bytes: i64,
}

#[derive(diesel::QueryableByName)]
struct Described {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    bytes: i64,
}

/// Reads only.
pub fn engine(conn: &mut Conn) -> StoreResult<Engine> {
    let text = if conn.is_postgres() {
        "SELECT 'PostgreSQL ' || current_setting('server_version') AS name, pg_database_size(current_database()) AS bytes"
    } else {
        "SELECT 'SQLite ' || sqlite_version() || ', ' || upper(j.journal_mode) AS name, c.page_count * s.page_size AS bytes \
         FROM pragma_journal_mode j, pragma_page_count c, pragma_page_size s"
    };
    let row: Option<Described> = sql(text).first(conn)?;
    let row = row.ok_or(StoreError::NotFound { what: "description" })?;
    Ok(Engine { name: row.name, bytes: row.bytes })
}
