//! Queues can be paused: nothing of them is claimed until they are resumed.

use crate::domain::time::Timestamp;
use crate::store::changes::Topic;
use crate::store::db::{Conn, Tx};
use crate::store::error::StoreResult;
use crate::store::sql::sql;
use diesel::QueryableByName;
use diesel::sql_types::Text;

/// From now on no job of `queue` is claimed; running ones end as they may.
pub fn pause(tx: &mut Tx<'_>, queue: &str, now: Timestamp) -> StoreResult<()> {
    sql("INSERT INTO queues (name, paused_at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET paused_at = excluded.paused_at")
        .bind(queue)
        .bind(now)
        .execute(tx)?;
    tx.changed(Topic::Jobs, "");
    Ok(())
}

pub fn resume(tx: &mut Tx<'_>, queue: &str) -> StoreResult<()> {
    sql("UPDATE queues SET paused_at = NULL WHERE name = ?").bind(queue).execute(tx)?;
    tx.wake(queue);
    tx.changed(Topic::Jobs, "");
    Ok(())
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The names of the paused queues, in order.
pub fn paused(conn: &mut Conn) -> StoreResult<Vec<String>> {
    let rows: Vec<Name> = sql("SELECT name FROM queues WHERE paused_at IS NOT NULL ORDER BY name").load(conn)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}
