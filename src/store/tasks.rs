//! Staff tasks.

use super::changes::Topic;
use super::db::on;
use super::one_of::one_of;
use super::row::{domain_rows, row};
use super::schema::{overdue_tasks, tasks};
use super::{Conn, StoreResult, Tx};
use crate::domain::task::{ALERT_ABOUT, ALERT_SETTLED, Task, TaskOutcome, TaskStatus};
use crate::domain::time::Timestamp;
use diesel::prelude::*;

row!(tasks, TaskRow, Task, id, upsert {
    id => id: String, task_type => task_type: String, title => title: String, contact_id => contact_id: Option<String>,
    booking_id => booking_id: Option<String>, status => status: TaskStatus, due_datetime => due_datetime: Timestamp,
    priority_score => priority_score: i32, assigned_to => assigned_to: Option<String>, because => because: String,
    run_id => run_id: Option<String>, dedupe_key => dedupe_key: Option<String>, note => note: Option<String>,
    completed_at => completed_at: Option<Timestamp>, outcome => outcome: Option<TaskOutcome>,
    completed_by => completed_by: Option<String>, is_demo => is_demo: bool, version => version: i64,
    created_at => created_at: Timestamp, updated_at => updated_at: Timestamp,
});

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<Task>> {
    let row: Option<TaskRow> = on!(conn, c => tasks::table.find(id).select(TaskRow::as_select()).first(c).optional())?;
    row.map(TaskRow::into_domain).transpose()
}

/// The version of a task as it is now, locked until the transaction ends.
pub fn lock_version(tx: &mut Tx<'_>, id: &str) -> StoreResult<Option<i64>> {
    let query = tasks::table.find(id).select(tasks::version);
    Ok(match &mut tx.db {
        super::db::Db::Lite(c) => query.first(c).optional()?,
        super::db::Db::Pg(c) => query.for_update().first(c).optional()?,
    })
}

pub fn list_by_ids(conn: &mut Conn, ids: &[String]) -> StoreResult<Vec<Task>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<TaskRow> =
        on!(conn, c => tasks::table.filter(one_of(tasks::id, ids)).order(tasks::id).select(TaskRow::as_select()).load(c))?;
    domain_rows!(rows)
}

/// Tasks of these contacts that were made before `at` and not closed then, as they are now.
pub fn list_open_at(conn: &mut Conn, contact_ids: &[String], at: Timestamp) -> StoreResult<Vec<Task>> {
    let rows: Vec<TaskRow> = on!(conn, c => tasks::table
        .filter(one_of(tasks::contact_id, contact_ids))
        .filter(tasks::created_at.lt(at.0))
        .filter(tasks::completed_at.is_null().or(tasks::completed_at.ge(at.0)))
        .order(tasks::id)
        .select(TaskRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Open tasks that are due from `from` on and before `until`, in that order.
pub fn list_open_due(conn: &mut Conn, from: Timestamp, until: Timestamp, limit: i64) -> StoreResult<Vec<Task>> {
    let rows: Vec<TaskRow> = on!(conn, c => tasks::table
        .filter(one_of(tasks::status, &[TaskStatus::Todo.as_str(), TaskStatus::InProgress.as_str()]))
        .filter(tasks::due_datetime.ge(from.0))
        .filter(tasks::due_datetime.lt(until.0))
        .order((tasks::due_datetime, tasks::id))
        .limit(limit)
        .select(TaskRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Open tasks that are due at `now` or before, whose passing due time nobody was told of yet; soonest first.
pub fn list_overdue_untold(conn: &mut Conn, now: Timestamp, limit: i64) -> StoreResult<Vec<Task>> {
    let told = overdue_tasks::table
        .filter(overdue_tasks::task_id.eq(tasks::id))
        .filter(overdue_tasks::due_datetime.eq(tasks::due_datetime))
        .select(overdue_tasks::task_id);
    // The literal predicate is what lets the partial index be used.
    let rows: Vec<TaskRow> = on!(conn, c => tasks::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("status IN ('todo', 'in_progress')"))
        .filter(tasks::due_datetime.le(now.0))
        .filter(diesel::dsl::not(diesel::dsl::exists(told)))
        .order((tasks::due_datetime, tasks::id))
        .limit(limit)
        .select(TaskRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Remembers that somebody was told.
pub fn note_overdue_told(tx: &mut Tx<'_>, task: &Task, now: Timestamp) -> StoreResult<()> {
    let row = (
        overdue_tasks::task_id.eq(&task.id),
        overdue_tasks::due_datetime.eq(task.due_datetime.0),
        overdue_tasks::told_at.eq(now.0),
    );
    on!(tx, c => diesel::insert_into(overdue_tasks::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// Forgets of closed tasks that somebody was told before `before`; answers how many, at most `limit`.
pub fn prune_overdue_told(tx: &mut Tx<'_>, before: Timestamp, limit: usize) -> StoreResult<usize> {
    let text = "DELETE FROM overdue_tasks WHERE told_at < ? AND task_id IN (SELECT o.task_id FROM overdue_tasks o \
                JOIN tasks t ON t.id = o.task_id WHERE o.told_at < ? AND t.status IN ('done', 'cancelled') \
                ORDER BY o.told_at LIMIT ?)";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    super::sql::sql(text).bind(before).bind(before).bind(limit).execute(tx)
}

/// All tasks, open or not.
pub fn count(conn: &mut Conn) -> StoreResult<usize> {
    let count: i64 = on!(conn, c => tasks::table.count().get_result(c))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Open tasks of these contacts.
pub fn list_open_of_contacts(conn: &mut Conn, contact_ids: &[String]) -> StoreResult<Vec<Task>> {
    if contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<TaskRow> = on!(conn, c => tasks::table
        .filter(one_of(tasks::contact_id, contact_ids))
        .filter(one_of(tasks::status, &[TaskStatus::Todo.as_str(), TaskStatus::InProgress.as_str()]))
        .order(tasks::id)
        .select(TaskRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Open tasks that hang on no contact, oldest first.
pub fn list_open_loose(conn: &mut Conn, limit: i64) -> StoreResult<Vec<Task>> {
    let rows: Vec<TaskRow> = on!(conn, c => tasks::table
        .filter(tasks::contact_id.is_null())
        .filter(one_of(tasks::status, &[TaskStatus::Todo.as_str(), TaskStatus::InProgress.as_str()]))
        .order(tasks::id)
        .limit(limit)
        .select(TaskRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Tasks that rules have made for these contacts since then: contact, booking, when.
pub fn list_recent(
    conn: &mut Conn,
    contact_ids: &[String],
    since: Timestamp,
) -> StoreResult<Vec<(String, Option<String>, Timestamp)>> {
    if contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(Option<String>, Option<String>, i64)> = on!(conn, c => tasks::table
        .filter(one_of(tasks::contact_id, contact_ids))
        .filter(tasks::created_at.ge(since.0))
        .filter(tasks::run_id.is_not_null())
        .select((tasks::contact_id, tasks::booking_id, tasks::created_at))
        .load(c))?;
    Ok(rows.into_iter().filter_map(|(contact, booking, at)| Some((contact?, booking, Timestamp(at)))).collect())
}

/// Open tasks with these dedupe keys.
pub fn list_open_by_keys(conn: &mut Conn, keys: &[String]) -> StoreResult<Vec<Task>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<TaskRow> = on!(conn, c => tasks::table
        .filter(one_of(tasks::dedupe_key, keys))
        .filter(one_of(tasks::status, &[TaskStatus::Todo.as_str(), TaskStatus::InProgress.as_str()]))
        .select(TaskRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Opens a task, unless one with its key is open; whether it is new.
pub fn open_once(tx: &mut Tx<'_>, task: &Task) -> StoreResult<bool> {
    let keys: Vec<String> = task.dedupe_key.iter().cloned().collect();
    let is_new = list_open_by_keys(tx, &keys)?.is_empty();
    if is_new {
        upsert_many(tx, &[task])?;
    }
    Ok(is_new)
}

pub fn upsert_many(tx: &mut Tx<'_>, tasks: &[&Task]) -> StoreResult<()> {
    TaskRow::upsert_all(tx, tasks)?;
    for task in tasks {
        tx.changed(Topic::Tasks, &task.id);
    }
    Ok(())
}

/// Closes the open task with this key, if there is one.
pub fn close_by_key(tx: &mut Tx<'_>, key: &str, reason: &str, now: Timestamp) -> StoreResult<()> {
    let keys = [key.to_owned()];
    let tasks = list_open_by_keys(tx, &keys)?;
    cancel_all(tx, tasks, reason, now)
}

fn cancel_all(tx: &mut Tx<'_>, tasks: Vec<Task>, reason: &str, now: Timestamp) -> StoreResult<()> {
    for mut task in tasks {
        task.cancel(reason, now);
        task.updated_at = now;
        task.version += 1;
        upsert_many(tx, &[&task])?;
    }
    Ok(())
}

/// Nobody needs to be told any more of a task about nobody that is done, or that has time again.
pub fn close_loose_alerts_about(tx: &mut Tx<'_>, task_id: &str, now: Timestamp) -> StoreResult<()> {
    if !find(tx, task_id)?.is_some_and(|task| task.is_settled(now)) {
        return Ok(());
    }
    let rows: Vec<TaskRow> = on!(tx, c => tasks::table
        .filter(tasks::contact_id.is_null())
        .filter(one_of(tasks::status, &[TaskStatus::Todo.as_str(), TaskStatus::InProgress.as_str()]))
        .filter(tasks::dedupe_key.like(format!("%{ALERT_ABOUT}{task_id}")))
        .select(TaskRow::as_select())
        .load(c))?;
    let alerts: StoreResult<Vec<Task>> = domain_rows!(rows);
    cancel_all(tx, alerts?, ALERT_SETTLED, now)
}
