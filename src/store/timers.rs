//! Pending timers of `date` triggers.

use super::db::on;
use super::one_of::one_of;
use super::row::{Text, domain_rows, row, write_all};
use super::schema::timers;
use super::{Conn, StoreResult, Tx};
use crate::domain::event::{SubjectKind, Timer};
use crate::domain::time::Timestamp;
use diesel::prelude::*;
use std::sync::OnceLock;

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
        .filter(one_of(timers::contact_id, contact_ids))
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

/// Contacts after `after` that have a pending timer, or a live booking to come.
pub fn list_contacts_after(conn: &mut Conn, now: Timestamp, after: &str, limit: i64) -> StoreResult<Vec<String>> {
    use super::schema::{bookings, contacts};
    use diesel::dsl::{exists, sql};
    use diesel::sql_types::Bool;
    let has_timer =
        exists(timers::table.filter(timers::contact_id.eq(contacts::id)).filter(sql::<Bool>("timers.state = 'pending'")));
    let has_booking = exists(
        bookings::table
            .filter(bookings::contact_id.eq(contacts::id))
            .filter(bookings::appointment_datetime.gt(now.0))
            .filter(sql::<Bool>("bookings.status IN ('pending', 'scheduled', 'confirmed', 'waitlisted')")),
    );
    Ok(on!(conn, c => contacts::table
        .filter(contacts::id.gt(after))
        .filter(has_timer.or(has_booking))
        .order(contacts::id)
        .limit(limit)
        .select(contacts::id)
        .load(c))?)
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

/// Sets timers. One that has fired comes back only for another time: who sets it may not have seen yet that it fired.
pub fn upsert_many(tx: &mut Tx<'_>, values: &[&Timer]) -> StoreResult<()> {
    static TEXT: OnceLock<Text> = OnceLock::new();
    write_all::<TimerRow>(tx, values, TEXT.get_or_init(|| Text::insert_or::<TimerRow>(SET_ANEW)))
}

const SET_ANEW: &str = "ON CONFLICT (contact_id, subject_id, rule_id, trigger_index, occurrence) DO UPDATE SET due_at = \
                        excluded.due_at, late_ms = excluded.late_ms, state = excluded.state, updated_at = excluded.updated_at \
                        WHERE timers.state <> 'fired' OR timers.due_at <> excluded.due_at";

/// Removes a timer that is still as it was read: pending, or fired and to begin anew.
pub fn delete(tx: &mut Tx<'_>, timer: &Timer) -> StoreResult<()> {
    on!(tx, c => diesel::delete(timers::table.find(key(timer)))
        .filter(timers::state.eq(&timer.state))
        .execute(c))?;
    Ok(())
}

/// Pending → fired, if it still is due as it was read; false when it is not.
pub fn mark_fired(tx: &mut Tx<'_>, timer: &Timer, now: Timestamp) -> StoreResult<bool> {
    let count = on!(tx, c => diesel::update(timers::table.find(key(timer)))
        .filter(timers::state.eq("pending"))
        .filter(timers::due_at.eq(timer.due_at.0))
        .filter(timers::updated_at.eq(timer.updated_at.0))
        .set((timers::state.eq("fired"), timers::updated_at.eq(now.0)))
        .execute(c))?;
    Ok(count == 1)
}

/// The primary key.
fn key(timer: &Timer) -> (&str, &str, &str, i32, &str) {
    (&timer.contact_id, &timer.subject_id, &timer.rule_id, timer.trigger, &timer.occurrence)
}
