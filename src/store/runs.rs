//! What each rule did with each event.

use super::db::on;
use super::row::{Stored, domain_rows, row};
use super::schema::automation_runs;
use super::{Conn, StoreResult, Tx};
use crate::domain::event::Run;
use crate::domain::event::RunOutcome;
use crate::domain::time::Timestamp;
use diesel::prelude::*;

impl Stored for RunOutcome {
    type Raw = String;
    fn to_raw(&self) -> String {
        self.as_str().to_owned()
    }
    fn from_raw(raw: String) -> Option<Self> {
        Self::parse(&raw)
    }
}

row!(automation_runs, RunRow, Run, id, insert {
    id => id: String, event_id => event_id: String, rule_id => rule_id: String, revision => revision: i64,
    outcome => outcome: RunOutcome, contact_id => contact_id: Option<String>, booking_id => booking_id: Option<String>,
    at => at: Timestamp, trace => trace: String, resumes => resumes: Option<String>,
});

pub fn insert_many(tx: &mut Tx<'_>, runs: &[&Run]) -> StoreResult<()> {
    RunRow::insert_all(tx, &runs.iter().map(|r| RunRow::of(r)).collect::<Vec<_>>())
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<Run>> {
    let row: Option<RunRow> = on!(conn, c => automation_runs::table.find(id).select(RunRow::as_select()).first(c).optional())?;
    row.map(RunRow::into_domain).transpose()
}

pub fn list_of_event(conn: &mut Conn, event_id: &str) -> StoreResult<Vec<Run>> {
    let rows: Vec<RunRow> = on!(conn, c => automation_runs::table
        .filter(automation_runs::event_id.eq(event_id))
        .order(automation_runs::id)
        .select(RunRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// When these rules fired for these contacts since a time, later parts of runs that waited aside: (rule, contact, booking, at), newest first.
#[expect(clippy::type_complexity, reason = "four columns, named in the line above")]
pub fn list_fired(
    conn: &mut Conn,
    rule_ids: &[String],
    contact_ids: &[String],
    since: Timestamp,
) -> StoreResult<Vec<(String, Option<String>, Option<String>, i64)>> {
    if rule_ids.is_empty() || contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on!(conn, c => automation_runs::table
        .filter(automation_runs::outcome.eq(RunOutcome::Fired.as_str()))
        .filter(automation_runs::resumes.is_null())
        .filter(automation_runs::contact_id.eq_any(contact_ids))
        .filter(automation_runs::rule_id.eq_any(rule_ids))
        .filter(automation_runs::at.ge(since.0))
        .order(automation_runs::at.desc())
        .select((automation_runs::rule_id, automation_runs::contact_id, automation_runs::booking_id, automation_runs::at))
        .load(c))?)
}
