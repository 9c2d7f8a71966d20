//! How many texts left on which day, for each cap.

use super::dialect;
use super::sql::{Value, sql};
use super::{Conn, StoreResult, Tx};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use std::collections::HashMap;

/// The scope of all texts.
pub const ALL: &str = "all";
/// The scope of one number's texts begins so.
pub const NUMBER: &str = "to:";
/// Taken after the locks of numbers, by whoever lets texts go.
const LOCK: &str = "sms_departures";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    scope: String,
    #[diesel(sql_type = BigInt)]
    departed: i64,
}

/// Nobody else counts until the transaction ends.
pub fn lock(tx: &mut Tx<'_>) -> StoreResult<()> {
    dialect::lock_lanes(tx, &[LOCK].into())
}

/// The counts of a day, of these numbers and of everything else that is counted.
pub fn list(conn: &mut Conn, day: &str, phones: &[String]) -> StoreResult<HashMap<String, u32>> {
    let marks = if phones.is_empty() { "''".to_owned() } else { vec!["?"; phones.len()].join(", ") };
    // `;` follows `:`, so this is everything that is no number.
    let text = format!(
        "SELECT scope, CAST(departed AS BIGINT) AS departed FROM sms_departures WHERE day = ? AND (scope < 'to:' OR scope IN ({marks}))"
    );
    let numbers = phones.iter().map(|phone| Value::from(format!("{NUMBER}{phone}")));
    let rows: Vec<Row> = sql(text).bind(day).bind_all(numbers).load(conn)?;
    Ok(rows.into_iter().map(|row| (row.scope, u32::try_from(row.departed).unwrap_or(u32::MAX))).collect())
}

pub fn add(tx: &mut Tx<'_>, day: &str, scope: &str) -> StoreResult<()> {
    sql(ADD).bind(day).bind(scope).execute(tx)?;
    Ok(())
}

const ADD: &str = "INSERT INTO sms_departures (day, scope, departed) VALUES (?, ?, 1) \
     ON CONFLICT (day, scope) DO UPDATE SET departed = sms_departures.departed + 1";

/// Forgets days before `day`; how many rows.
pub fn forget(tx: &mut Tx<'_>, day: &str) -> StoreResult<usize> {
    sql("DELETE FROM sms_departures WHERE day < ?").bind(day).execute(tx)
}
