//! Schedules: a job for each slot, once over any number of nodes. A slot's job, its fire row and the schedule's next time are
//! written in one transaction, behind a compare-and-set.

mod slots;

use super::db::{Conn, Tx};
use super::error::{StoreError, StoreResult};
use super::jobs::enqueue_named;
use super::sql::sql;
use crate::domain::time::{Millis, Timestamp};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
pub use slots::Plan;
use slots::Slots;
pub use slots::{Misfire, SLOTS_PER_FIRE_MAX};

/// What shall happen when, as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSpec {
    pub name: String,
    /// Five cron fields (`0 8 * * mon-fri`), or `@every 15m` (s, m, h, d), which counts from the epoch.
    pub expr: String,
    /// IANA name; the cron fields are read on that wall clock.
    pub tz: String,
    /// What becomes of slots that nobody was there for.
    pub misfire: Misfire,
    pub queue: String,
    pub kind: String,
    /// JSON. The job gets it as `data`, with `schedule` (the name) and `slot` (epoch milliseconds).
    pub payload: String,
}

/// A schedule as it stands. Times are epoch milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Schedule {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub expr: String,
    #[diesel(sql_type = Text)]
    pub tz: String,
    #[diesel(sql_type = Text)]
    pub misfire: String,
    #[diesel(sql_type = Text)]
    pub queue: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub payload: String,
    #[diesel(sql_type = BigInt)]
    pub next_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub last_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub paused_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

/// One slot that got its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    pub name: String,
    pub slot: Timestamp,
    pub job_id: i64,
}

const COLUMNS: &str = "name, expr, tz, misfire, queue, kind, payload, next_at, last_at, paused_at, version";
/// More schedules than this are not fired in one transaction.
const SCHEDULES_PER_CALL_MAX: i64 = 100;
const JOB_PRIORITY: i32 = 1;
const JOB_ATTEMPTS_MAX: i32 = 5;
const JOB_TIMEOUT: Millis = Millis::minutes(5);

/// Adds or changes a schedule. Its next slot is counted anew only when its times changed.
pub fn upsert(tx: &mut Tx<'_>, spec: &ScheduleSpec, now: Timestamp) -> StoreResult<()> {
    let first = Plan::parse(&spec.expr, &spec.tz)?.next_after(now)?;
    sql("INSERT INTO schedules (name, expr, tz, misfire, queue, kind, payload, next_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) \
         ON CONFLICT (name) DO UPDATE SET misfire = excluded.misfire, queue = excluded.queue, kind = excluded.kind, \
         payload = excluded.payload, version = schedules.version + 1, next_at = CASE WHEN schedules.expr = excluded.expr \
         AND schedules.tz = excluded.tz THEN schedules.next_at ELSE excluded.next_at END, expr = excluded.expr, tz = excluded.tz")
    .bind(spec.name.as_str())
    .bind(spec.expr.as_str())
    .bind(spec.tz.as_str())
    .bind(spec.misfire.as_str())
    .bind(spec.queue.as_str())
    .bind(spec.kind.as_str())
    .bind(spec.payload.as_str())
    .bind(first)
    .execute(tx)?;
    Ok(())
}

/// `false` when there was none of that name.
pub fn remove(tx: &mut Tx<'_>, name: &str) -> StoreResult<bool> {
    Ok(sql("DELETE FROM schedules WHERE name = ?").bind(name).execute(tx)? == 1)
}

/// While paused no slot fires; afterwards the missed ones follow the misfire policy.
pub fn set_paused(tx: &mut Tx<'_>, name: &str, paused: bool, now: Timestamp) -> StoreResult<()> {
    let at = paused.then_some(now);
    sql("UPDATE schedules SET paused_at = ?, version = version + 1 WHERE name = ?").bind(at).bind(name).execute(tx)?;
    Ok(())
}

/// All schedules by name.
pub fn list(conn: &mut Conn) -> StoreResult<Vec<Schedule>> {
    sql(format!("SELECT {COLUMNS} FROM schedules ORDER BY name")).load(conn)
}

/// Fires what is due. Two nodes may call it at once: each slot fires for one of them.
/// A schedule that cannot be followed any more (its zone is gone) is paused.
pub fn fire_due(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<Vec<Fired>> {
    let due: Vec<Schedule> = sql(due_text()).bind(now).bind(SCHEDULES_PER_CALL_MAX).load(tx)?;
    let mut fired = Vec::new();
    for schedule in due {
        match slots_of(&schedule, now) {
            Ok(slots) => fired.extend(fire(tx, &schedule, &slots, now)?),
            Err(_) => set_paused(tx, &schedule.name, true, now)?,
        }
    }
    Ok(fired)
}

pub(in crate::store) fn due_text() -> String {
    format!("SELECT {COLUMNS} FROM schedules WHERE paused_at IS NULL AND next_at <= ? ORDER BY next_at LIMIT ?")
}

fn slots_of(schedule: &Schedule, now: Timestamp) -> StoreResult<Slots> {
    let misfire = Misfire::parse(&schedule.misfire).ok_or(StoreError::Corrupt { table: "schedules", column: "misfire" })?;
    Plan::parse(&schedule.expr, &schedule.tz)?.due(Timestamp(schedule.next_at), now, misfire)
}

fn fire(tx: &mut Tx<'_>, schedule: &Schedule, slots: &Slots, now: Timestamp) -> StoreResult<Vec<Fired>> {
    let last = slots.fire.last().map_or(schedule.last_at, |slot| Some(slot.0));
    let moved = sql(
        "UPDATE schedules SET next_at = ?, last_at = ?, version = version + 1 WHERE name = ? AND next_at = ? AND version = ? \
         AND paused_at IS NULL",
    )
    .bind(slots.next)
    .bind(last)
    .bind(schedule.name.as_str())
    .bind(schedule.next_at)
    .bind(schedule.version)
    .execute(tx)?;
    if moved == 0 {
        return Ok(Vec::new());
    }
    slots.fire.iter().map(|slot| fire_slot(tx, schedule, *slot, now)).collect()
}

fn fire_slot(tx: &mut Tx<'_>, schedule: &Schedule, slot: Timestamp, now: Timestamp) -> StoreResult<Fired> {
    let data: serde_json::Value =
        serde_json::from_str(&schedule.payload).map_err(|_| StoreError::Corrupt { table: "schedules", column: "payload" })?;
    let payload = serde_json::json!({ "schedule": schedule.name, "slot": slot.0, "data": data }).to_string();
    let limits = (JOB_PRIORITY, JOB_ATTEMPTS_MAX, JOB_TIMEOUT);
    let job_id = enqueue_named(tx, (&schedule.queue, &schedule.kind), limits, payload, now)?;
    sql("INSERT INTO schedule_fires (name, slot, job_id, fired_at) VALUES (?, ?, ?, ?)")
        .bind(schedule.name.as_str())
        .bind(slot)
        .bind(job_id)
        .bind(now)
        .execute(tx)?;
    Ok(Fired { name: schedule.name.clone(), slot, job_id })
}
