//! Rulesets that were in force, and which one is.

use super::db::on;
use super::overrides::{Action, Change, note_change};
use super::schema::{rulesets, system_values};
use super::{Conn, StoreError, StoreResult, Tx};
use crate::domain::time::Timestamp;
use diesel::prelude::*;
use std::collections::BTreeMap;

/// A published ruleset; shown to people as `r<number>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRuleset {
    pub number: i64,
    pub hash: String,
    pub files: BTreeMap<String, String>,
    pub published_by: String,
    pub note: Option<String>,
    pub published_at: Timestamp,
}

type Columns = (i64, String, String, String, Option<String>, i64);

const IN_FORCE_KEY: &str = "ruleset_in_force";
/// Who published last; its row is the lock that publishers take.
const PUBLISHING_KEY: &str = "ruleset_publisher";

/// The number of the ruleset in force; `None` before the first was published.
pub fn find_in_force(conn: &mut Conn) -> StoreResult<Option<i64>> {
    let value: Option<String> =
        on!(conn, c => system_values::table.find(IN_FORCE_KEY).select(system_values::value).first(c).optional())?;
    value.map(|v| v.parse().map_err(|_| StoreError::Corrupt { table: "system_values", column: "value" })).transpose()
}

pub fn find(conn: &mut Conn, number: i64) -> StoreResult<Option<StoredRuleset>> {
    let row: Option<Columns> = on!(conn, c => rulesets::table.find(number).select(rulesets::all_columns).first(c).optional())?;
    row.map(stored).transpose()
}

fn find_hash(conn: &mut Conn, number: i64) -> StoreResult<Option<String>> {
    Ok(on!(conn, c => rulesets::table.find(number).select(rulesets::hash).first(c).optional())?)
}

/// All rulesets, newest first, without their files.
pub fn list(conn: &mut Conn, limit: i64) -> StoreResult<Vec<StoredRuleset>> {
    let rows: Vec<(i64, String, String, Option<String>, i64)> = on!(conn, c => rulesets::table
        .order(rulesets::number.desc())
        .select((rulesets::number, rulesets::hash, rulesets::published_by, rulesets::note, rulesets::published_at))
        .limit(limit)
        .load(c))?;
    Ok(rows
        .into_iter()
        .map(|(number, hash, published_by, note, at)| StoredRuleset {
            number,
            hash,
            files: BTreeMap::new(),
            published_by,
            note,
            published_at: Timestamp(at),
        })
        .collect())
}

/// Records a ruleset and puts it in force, in one transaction. Returns its number: that of the one in force when it has the
/// same hash, for several nodes may have seen the same edit.
pub fn publish(
    tx: &mut Tx<'_>,
    hash: &str,
    files: &BTreeMap<String, String>,
    by: &str,
    note_text: Option<&str>,
    now: Timestamp,
) -> StoreResult<i64> {
    // Locks out other nodes until the end of the transaction, before anything was ever in force too.
    set_value(tx, PUBLISHING_KEY, by, now)?;
    if let Some(number) = find_in_force(tx)?
        && find_hash(tx, number)?.as_deref() == Some(hash)
    {
        return Ok(number);
    }
    let text = serde_json::to_string(files).map_err(|e| StoreError::Statement(e.to_string()))?;
    let number: i64 = on!(tx, c => diesel::insert_into(rulesets::table)
        .values((
            rulesets::hash.eq(hash),
            rulesets::files.eq(&text),
            rulesets::published_by.eq(by),
            rulesets::note.eq(note_text),
            rulesets::published_at.eq(now.0),
        ))
        .returning(rulesets::number)
        .get_result(c))?;
    put_in_force(tx, number, now)?;
    note(tx, Action::Published, number, by, note_text, now)?;
    Ok(number)
}

/// Makes an earlier ruleset the one in force again, and notes who did.
pub fn roll_back(tx: &mut Tx<'_>, number: i64, by: &str, why: Option<&str>, now: Timestamp) -> StoreResult<()> {
    put_in_force(tx, number, now)?;
    note(tx, Action::RolledBack, number, by, why, now)
}

fn note(tx: &mut Tx<'_>, action: Action, number: i64, by: &str, why: Option<&str>, now: Timestamp) -> StoreResult<()> {
    let reason = why.map(str::to_owned);
    note_change(tx, &Change { action, rule_id: None, revision: Some(number), by: by.to_owned(), reason, at: now })
}

/// Makes an earlier ruleset the one in force.
pub fn put_in_force(tx: &mut Tx<'_>, number: i64, now: Timestamp) -> StoreResult<()> {
    set_value(tx, IN_FORCE_KEY, &number.to_string(), now)
}

pub fn set_value(tx: &mut Tx<'_>, key: &str, value: &str, now: Timestamp) -> StoreResult<()> {
    let values = (system_values::value.eq(value), system_values::updated_at.eq(now.0));
    on!(tx, c => diesel::insert_into(system_values::table)
        .values((system_values::key.eq(key), values))
        .on_conflict(system_values::key)
        .do_update()
        .set(values)
        .execute(c))?;
    Ok(())
}

fn stored((number, hash, files, published_by, note, at): Columns) -> StoreResult<StoredRuleset> {
    let files = serde_json::from_str(&files).map_err(|_| StoreError::Corrupt { table: "rulesets", column: "files" })?;
    Ok(StoredRuleset { number, hash, files, published_by, note, published_at: Timestamp(at) })
}
