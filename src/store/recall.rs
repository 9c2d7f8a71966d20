//! What one rule has made and nobody has received yet.

use super::changes::Topic;
use super::db::on;
use super::row::domain_rows;
use super::schema::{automation_runs, contacts, sms_messages, tasks, timers};
use super::sms::SmsRow;
use super::tasks::TaskRow;
use super::timers::TimerRow;
use super::{Conn, StoreResult, Tx};
use crate::domain::event::Timer;
use crate::domain::sms::SmsMessage;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

/// Which rule's work, and from when on.
#[derive(Clone, Debug)]
pub struct Made {
    pub rule_id: String,
    pub since: Timestamp,
    /// Rows of each kind.
    pub limit: i64,
}

macro_rules! runs_of {
    ($made:expr) => {
        automation_runs::table
            .filter(automation_runs::rule_id.eq(&$made.rule_id))
            .filter(automation_runs::at.ge($made.since.0))
            .select(automation_runs::id.nullable())
    };
}

/// Texts that have not left, and those that are leaving just now.
pub fn list_texts(conn: &mut Conn, made: &Made) -> StoreResult<Vec<SmsMessage>> {
    let rows: Vec<SmsRow> = on!(conn, c => sms_messages::table
        .filter(sql::<Bool>("sms_messages.status IN ('scheduled', 'queued', 'sending')"))
        .filter(sms_messages::run_id.eq_any(runs_of!(made)))
        .order(sms_messages::id)
        .limit(made.limit)
        .select(SmsRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// How many texts have left, or have been handed over.
pub fn count_left(conn: &mut Conn, made: &Made) -> StoreResult<i64> {
    Ok(on!(conn, c => sms_messages::table
        .filter(sms_messages::accepted_at.is_not_null())
        .filter(sms_messages::run_id.eq_any(runs_of!(made)))
        .count()
        .get_result(c))?)
}

/// Tasks that are still open.
pub fn list_tasks(conn: &mut Conn, made: &Made) -> StoreResult<Vec<Task>> {
    let rows: Vec<TaskRow> = on!(conn, c => tasks::table
        .filter(sql::<Bool>("tasks.status IN ('todo', 'in_progress')"))
        .filter(tasks::run_id.eq_any(runs_of!(made)))
        .order(tasks::id)
        .limit(made.limit)
        .select(TaskRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Timers of the rule that were set since then, and are still to come.
pub fn list_timers(conn: &mut Conn, made: &Made) -> StoreResult<Vec<Timer>> {
    let rows: Vec<TimerRow> = on!(conn, c => timers::table
        .filter(timers::rule_id.eq(&made.rule_id))
        .filter(timers::state.eq("pending"))
        .filter(timers::updated_at.ge(made.since.0))
        .order((timers::due_at, timers::subject_id))
        .limit(made.limit)
        .select(TimerRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Whoever decides about these contacts just now has to decide anew.
pub fn raise_versions(tx: &mut Tx<'_>, contact_ids: &[String], now: Timestamp) -> StoreResult<()> {
    on!(tx, c => diesel::update(contacts::table.filter(contacts::id.eq_any(contact_ids)))
        .set((contacts::version.eq(contacts::version + 1), contacts::updated_at.eq(now.0)))
        .execute(c))?;
    for id in contact_ids {
        tx.changed(Topic::Contacts, id);
    }
    Ok(())
}
