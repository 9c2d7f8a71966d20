//! A job's row, read under the lock that lets it be changed.

use super::lanes::lock_lanes_of;
use crate::domain::job::ClaimedJob;
use crate::store::db::Tx;
use crate::store::error::{StoreError, StoreResult};
use crate::store::sql::sql;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

#[derive(QueryableByName)]
pub(super) struct Held {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub queue: String,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = BigInt)]
    pub run_at: i64,
    #[diesel(sql_type = Integer)]
    pub attempt: i32,
    #[diesel(sql_type = Integer)]
    pub max_attempts: i32,
    #[diesel(sql_type = BigInt)]
    pub lease_token: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub worker_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cancel_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub lane_key: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub updated_at: i64,
}

const COLUMNS: &str = "id, queue, state, run_at, attempt, max_attempts, lease_token, worker_id, cancel_at, lane_key, updated_at";

/// The fence: the row of a job that this worker still holds. Nothing has been written when it is lost.
pub(super) fn hold(tx: &mut Tx<'_>, job: &ClaimedJob) -> StoreResult<Held> {
    lock_lanes_of(tx, &[job])?;
    let text = format!("SELECT {COLUMNS} FROM jobs WHERE id = ? AND lease_token = ? AND state = 'running'{}", for_update(tx));
    let held: Option<Held> = sql(text).bind(job.id).bind(job.lease_token).first(tx)?;
    held.ok_or(StoreError::LeaseLost)
}

/// Which of the jobs their worker still holds; those stay so until the transaction ends.
pub fn hold_many(tx: &mut Tx<'_>, jobs: &[ClaimedJob]) -> StoreResult<Vec<bool>> {
    jobs.iter()
        .map(|job| match hold(tx, job) {
            Ok(_) => Ok(true),
            Err(StoreError::LeaseLost) => Ok(false),
            Err(error) => Err(error),
        })
        .collect()
}

/// Any job's row; its lane is locked first, so it is read twice.
pub(super) fn hold_any(tx: &mut Tx<'_>, id: i64) -> StoreResult<Option<Held>> {
    let peek: Option<Held> = sql(format!("SELECT {COLUMNS} FROM jobs WHERE id = ?")).bind(id).first(tx)?;
    let Some(peek) = peek else { return Ok(None) };
    crate::store::dialect::lock_lanes(tx, &peek.lane())?;
    sql(format!("SELECT {COLUMNS} FROM jobs WHERE id = ?{}", for_update(tx))).bind(id).first(tx)
}

/// SQLite has one writer and no row locks.
fn for_update(tx: &Tx<'_>) -> &'static str {
    if tx.is_postgres() { " FOR UPDATE" } else { "" }
}
