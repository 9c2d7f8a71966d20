//! A token bucket over all nodes.

use super::db::Tx;
use super::error::{StoreError, StoreResult};
use super::sql::sql;
use crate::domain::time::Timestamp;
use diesel::QueryableByName;
use diesel::sql_types::BigInt;

const MILLI: i64 = 1_000;

#[derive(QueryableByName)]
struct Bucket {
    #[diesel(sql_type = BigInt)]
    tokens_milli: i64,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
}

/// Takes up to `want` tokens from a bucket that gains `per_second` and holds at most `burst`; how many were there.
/// A bucket begins full. A clock that goes backwards adds nothing.
pub fn take(tx: &mut Tx<'_>, bucket: &str, per_second: u32, burst: u32, want: u32, now: Timestamp) -> StoreResult<u32> {
    let full = i64::from(burst) * MILLI;
    sql("INSERT INTO rate_buckets (name, tokens_milli, updated_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING")
        .bind(bucket)
        .bind(full)
        .bind(now)
        .execute(tx)?;
    let lock = if tx.is_postgres() { " FOR UPDATE" } else { "" };
    let text = format!("SELECT tokens_milli, updated_at FROM rate_buckets WHERE name = ?{lock}");
    let state: Option<Bucket> = sql(text).bind(bucket).first(tx)?;
    let state = state.ok_or(StoreError::NotFound { what: "rate bucket" })?;
    let elapsed = now.0.saturating_sub(state.updated_at).max(0);
    let there = state.tokens_milli.saturating_add(elapsed.saturating_mul(i64::from(per_second))).min(full);
    let granted = i64::from(want).min(there / MILLI);
    sql("UPDATE rate_buckets SET tokens_milli = ?, updated_at = ? WHERE name = ?")
        .bind(there - granted * MILLI)
        .bind(now.0.max(state.updated_at))
        .bind(bucket)
        .execute(tx)?;
    Ok(u32::try_from(granted).unwrap_or(0))
}
