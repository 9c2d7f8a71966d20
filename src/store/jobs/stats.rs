//! How much is waiting.

use crate::domain::time::{Millis, Timestamp};
use crate::store::db::Conn;
use crate::store::error::StoreResult;
use crate::store::sql::{Number, sql};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
use std::collections::BTreeMap;

/// One queue's jobs by state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    pub queue: String,
    /// Including those that wait for their time.
    pub ready: i64,
    pub lane_blocked: i64,
    pub running: i64,
    pub dead: i64,
    /// How long the oldest job that could run now has been waiting.
    pub oldest_ready_age: Millis,
    pub paused: bool,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    oldest: Option<i64>,
}

/// Every queue that has jobs or is paused, by name.
pub fn stats(conn: &mut Conn, now: Timestamp) -> StoreResult<Vec<QueueStats>> {
    let counts: Vec<Count> =
        sql("SELECT queue, state, count(*) AS n, min(run_at) AS oldest FROM jobs GROUP BY queue, state").load(conn)?;
    let mut queues: BTreeMap<String, QueueStats> = BTreeMap::new();
    for count in counts {
        let entry = queues.entry(count.queue.clone()).or_default();
        match count.state.as_str() {
            "ready" => {
                entry.ready = count.n;
                let age = count.oldest.map_or(0, |oldest| now.0.saturating_sub(oldest));
                entry.oldest_ready_age = Millis(age.max(0));
            }
            "lane_blocked" => entry.lane_blocked = count.n,
            "running" => entry.running = count.n,
            _ => entry.dead = count.n,
        }
    }
    for name in super::queues::paused(conn)? {
        queues.entry(name).or_default().paused = true;
    }
    Ok(queues.into_iter().map(|(queue, stats)| QueueStats { queue, ..stats }).collect())
}

/// When the next job of a queue may run; `None` when none is waiting.
pub fn next_due(conn: &mut Conn, queue: &str) -> StoreResult<Option<Timestamp>> {
    let text = "SELECT min(run_at) AS n FROM jobs WHERE queue = ? AND state = 'ready' HAVING count(*) > 0";
    let rows: Vec<Number> = sql(text).bind(queue).load(conn)?;
    Ok(rows.first().map(|row| Timestamp(row.n)))
}
