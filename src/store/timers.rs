//! Pending timers of `date` triggers.

use super::db::on;
use super::row::{domain_rows, row};
use super::schema::timers;
use super::{Conn, StoreResult, Tx};
use crate::domain::event::{SubjectKind, Timer};
use crate::domain::time::Timestamp;
use diesel::prelude::*;

row!(timers, TimerRow, Timer, rule_id, by_hand {
    rule_id => rule_id: String, trigger_index => trigger: i32, subject_id => subject_id: String,
    occurrence => occurrence: String, subject_kind => subject_kind: SubjectKind, contact_id => contact_id: String,
    due_at => due_at: Timestamp, late_ms => late_ms: i64, state => state: String, updated_at => updated_at: Timestamp,
});

/// All timers of these contacts, fired ones included.
pub fn list_of_contacts(conn: &mut Conn, contact_ids: &[String]) -> StoreResult<Vec<Timer>> {
    if contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<TimerRow> = on!(conn, c => timers::table
        .filter(timers::contact_id.eq_any(contact_ids))
        .select(TimerRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Pending timers that are due, soonest first.
pub fn list_due(conn: &mut Conn, now: Timestamp, limit: i64) -> StoreResult<Vec<Timer>> {
    use diesel::dsl::sql;
    use diesel::sql_types::Bool;
    // The literal predicate is what lets the partial index be used.
    let rows: Vec<TimerRow> = on!(conn, c => timers::table
        .filter(sql::<Bool>("state = 'pending'"))
        .filter(timers::due_at.le(now.0))
        .order(timers::due_at)
        .select(TimerRow::as_select())
        .limit(limit)
        .load(c))?;
    domain_rows!(rows)
}

/// When the next pending timer is due.
pub fn find_next_due(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    use diesel::dsl::sql;
    use diesel::sql_types::Bool;
    let due: Option<i64> = on!(conn, c => timers::table
        .filter(sql::<Bool>("state = 'pending'"))
        .order(timers::due_at)
        .select(timers::due_at)
        .first(c)
        .optional())?;
    Ok(due.map(Timestamp))
}

pub fn upsert_many(tx: &mut Tx<'_>, values: &[&Timer]) -> StoreResult<()> {
    use diesel::upsert::excluded;
    let rows: Vec<TimerRow> = values.iter().map(|t| TimerRow::of(t)).collect();
    for chunk in rows.chunks(super::row::ROWS_PER_STATEMENT_MAX) {
        on!(tx, c => diesel::insert_into(timers::table)
            .values(chunk)
            .on_conflict((timers::rule_id, timers::trigger_index, timers::subject_id, timers::occurrence))
            .do_update()
            .set((
                timers::due_at.eq(excluded(timers::due_at)),
                timers::late_ms.eq(excluded(timers::late_ms)),
                timers::state.eq(excluded(timers::state)),
                timers::updated_at.eq(excluded(timers::updated_at)),
            ))
            .execute(c))?;
    }
    Ok(())
}

/// Removes a timer that is still pending.
pub fn delete_pending(tx: &mut Tx<'_>, timer: &Timer) -> StoreResult<()> {
    on!(tx, c => diesel::delete(timers::table.find((&timer.rule_id, timer.trigger, &timer.subject_id, &timer.occurrence)))
        .filter(timers::state.eq("pending"))
        .execute(c))?;
    Ok(())
}

/// Pending → fired, if it still is due as it was read; false when it is not.
pub fn mark_fired(tx: &mut Tx<'_>, timer: &Timer, now: Timestamp) -> StoreResult<bool> {
    let count = on!(tx, c => diesel::update(timers::table.find((&timer.rule_id, timer.trigger, &timer.subject_id, &timer.occurrence)))
        .filter(timers::state.eq("pending"))
        .filter(timers::due_at.eq(timer.due_at.0))
        .set((timers::state.eq("fired"), timers::updated_at.eq(now.0)))
        .execute(c))?;
    Ok(count == 1)
}

/// Pending timers of rules that are in no ruleset any more.
pub fn delete_pending_except(tx: &mut Tx<'_>, rule_ids: &[String]) -> StoreResult<usize> {
    Ok(on!(tx, c => diesel::delete(timers::table)
        .filter(timers::state.eq("pending"))
        .filter(timers::rule_id.ne_all(rule_ids))
        .execute(c))?)
}
