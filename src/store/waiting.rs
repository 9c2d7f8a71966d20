//! Runs that wait.

use super::db::on;
use super::one_of::one_of;
use super::row::{domain_rows, row};
use super::schema::waiting_runs;
use super::{Conn, StoreError, StoreResult, Tx};
use crate::domain::event::{WaitState, WaitingRun};
use crate::domain::time::Timestamp;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

row!(waiting_runs, WaitingRow, WaitingRun, id, insert {
    id => id: String, run_id => run_id: String, first_run_id => first_run_id: String, rule_id => rule_id: String,
    revision => revision: i64, contact_id => contact_id: String, booking_id => booking_id: Option<String>,
    event_id => event_id: String, position => position: String, memory => memory: String, due_at => due_at: Timestamp,
    event_name => event_name: Option<String>, state => state: WaitState, reason => reason: Option<String>,
    resumed_by => resumed_by: Option<String>, created_at => created_at: Timestamp, updated_at => updated_at: Timestamp,
});

/// What the partial index of living runs is made for.
const ALIVE: &str = "state IN ('waiting', 'due', 'queued')";

/// The runs of these contacts that have not ended, oldest first.
pub fn list_alive_of_contacts(conn: &mut Conn, contact_ids: &[String]) -> StoreResult<Vec<WaitingRun>> {
    if contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<WaitingRow> = on!(conn, c => waiting_runs::table
        .filter(sql::<Bool>(ALIVE))
        .filter(one_of(waiting_runs::contact_id, contact_ids))
        .order((waiting_runs::created_at, waiting_runs::id))
        .select(WaitingRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Runs whose time is up, soonest first.
pub fn list_due(conn: &mut Conn, now: Timestamp, limit: i64) -> StoreResult<Vec<WaitingRun>> {
    let rows: Vec<WaitingRow> = on!(conn, c => waiting_runs::table
        .filter(sql::<Bool>("state = 'waiting'"))
        .filter(waiting_runs::due_at.le(now.0))
        .order(waiting_runs::due_at)
        .select(WaitingRow::as_select())
        .limit(limit)
        .load(c))?;
    domain_rows!(rows)
}

/// When the next run's time is up.
pub fn find_next_due(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    let due: Option<i64> = on!(conn, c => waiting_runs::table
        .filter(sql::<Bool>("state = 'waiting'"))
        .order(waiting_runs::due_at)
        .select(waiting_runs::due_at)
        .first(c)
        .optional())?;
    Ok(due.map(Timestamp))
}

/// What became of the waits of these runs.
pub fn list_of_runs(conn: &mut Conn, run_ids: &[String]) -> StoreResult<Vec<WaitingRun>> {
    if run_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<WaitingRow> = on!(conn, c => waiting_runs::table
        .filter(one_of(waiting_runs::run_id, run_ids))
        .order((waiting_runs::created_at, waiting_runs::id))
        .select(WaitingRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

pub fn insert_many(tx: &mut Tx<'_>, runs: &[&WaitingRun]) -> StoreResult<()> {
    WaitingRow::insert_all(tx, runs)
}

/// Waiting → due, if it still waits for the same time and of the same contact; false when it does not.
pub fn mark_due(tx: &mut Tx<'_>, run: &WaitingRun, now: Timestamp) -> StoreResult<bool> {
    let count = on!(tx, c => diesel::update(waiting_runs::table.find(&run.id))
        .filter(sql::<Bool>("state = 'waiting'"))
        .filter(waiting_runs::due_at.eq(run.due_at.0))
        .filter(waiting_runs::contact_id.eq(&run.contact_id))
        .set((waiting_runs::state.eq("due"), waiting_runs::updated_at.eq(now.0)))
        .execute(c))?;
    Ok(count == 1)
}

/// Writes what became of a run that has not ended yet.
///
/// # Errors
/// `Conflict` when it has ended meanwhile: what was decided is no longer true.
pub fn update(tx: &mut Tx<'_>, run: &WaitingRun) -> StoreResult<()> {
    let count = on!(tx, c => diesel::update(waiting_runs::table.find(&run.id))
        .filter(sql::<Bool>(ALIVE))
        .set((
            waiting_runs::state.eq(run.state.as_str()),
            waiting_runs::reason.eq(run.reason.as_deref()),
            waiting_runs::resumed_by.eq(run.resumed_by.as_deref()),
            waiting_runs::memory.eq(&run.memory),
            waiting_runs::due_at.eq(run.due_at.0),
            waiting_runs::updated_at.eq(run.updated_at.0),
        ))
        .execute(c))?;
    if count == 1 { Ok(()) } else { Err(StoreError::Conflict { what: "waiting run" }) }
}

/// Forgets runs that ended before `before`; answers how many, at most `limit`.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp, limit: usize) -> StoreResult<usize> {
    let text = "DELETE FROM waiting_runs WHERE id IN (SELECT id FROM waiting_runs WHERE state IN ('resumed', 'ended') \
                AND updated_at < ? ORDER BY updated_at LIMIT ?)";
    super::sql::sql(text).bind(before).bind(i64::try_from(limit).unwrap_or(i64::MAX)).execute(tx)
}
