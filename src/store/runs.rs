//! What each rule did with each event.

use super::changes::Topic;
use super::db::on;
use super::one_of::one_of;
use super::row::{domain_rows, row};
use super::schema::automation_runs;
use super::sql::{Number, sql};
use super::{Conn, StoreResult, Tx};
use crate::domain::event::Run;
use crate::domain::event::RunOutcome;
use crate::domain::time::Timestamp;
use diesel::prelude::*;
use std::collections::HashMap;

row!(automation_runs, RunRow, Run, id, insert {
    id => id: String, event_id => event_id: String, rule_id => rule_id: String, revision => revision: i64,
    outcome => outcome: RunOutcome, contact_id => contact_id: Option<String>, booking_id => booking_id: Option<String>,
    at => at: Timestamp, trace => trace: String, resumes => resumes: Option<String>,
});

pub fn insert_many(tx: &mut Tx<'_>, runs: &[&Run]) -> StoreResult<()> {
    RunRow::insert_all(tx, runs)?;
    for run in runs {
        tx.changed(Topic::Runs, &run.id);
    }
    Ok(())
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<Run>> {
    let row: Option<RunRow> = on!(conn, c => automation_runs::table.find(id).select(RunRow::as_select()).first(c).optional())?;
    row.map(RunRow::into_domain).transpose()
}

/// The rule of each of these runs.
pub fn list_rules(conn: &mut Conn, ids: &[String]) -> StoreResult<HashMap<String, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> = on!(conn, c => automation_runs::table
        .filter(one_of(automation_runs::id, ids))
        .select((automation_runs::id, automation_runs::rule_id))
        .load(c))?;
    Ok(rows.into_iter().collect())
}

pub fn list_of_event(conn: &mut Conn, event_id: &str) -> StoreResult<Vec<Run>> {
    let rows: Vec<RunRow> = on!(conn, c => automation_runs::table
        .filter(automation_runs::event_id.eq(event_id))
        .order(automation_runs::id)
        .select(RunRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Like [`list_fired`], for what rules have planned in the shadow.
#[expect(clippy::type_complexity, reason = "as of list_fired")]
pub fn list_planned(
    conn: &mut Conn,
    rule_ids: &[String],
    contact_ids: &[String],
    since: Timestamp,
) -> StoreResult<Vec<(String, Option<String>, Option<String>, i64)>> {
    if rule_ids.is_empty() || contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on!(conn, c => automation_runs::table
        .filter(one_of(automation_runs::rule_id, rule_ids))
        .filter(automation_runs::at.ge(since.0))
        .filter(automation_runs::outcome.eq(RunOutcome::Skipped.as_str()))
        .filter(one_of(automation_runs::contact_id, contact_ids))
        .select((automation_runs::rule_id, automation_runs::contact_id, automation_runs::booking_id, automation_runs::at))
        .load(c))?)
}

/// The newest runs of one rule for one contact that did something, failed, or planned in the shadow.
pub fn list_of_contact(conn: &mut Conn, contact_id: &str, rule_id: &str, limit: i64) -> StoreResult<Vec<Run>> {
    let mut rows = Vec::new();
    // Each outcome by an index that knows it.
    for outcome in ["outcome = 'fired'", "outcome IN ('failed', 'skipped')"] {
        let found: Vec<RunRow> = on!(conn, c => automation_runs::table
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(outcome))
            .filter(automation_runs::contact_id.eq(contact_id))
            .filter(automation_runs::rule_id.eq(rule_id))
            .order(automation_runs::at.desc())
            .limit(limit)
            .select(RunRow::as_select())
            .load(c))?;
        rows.extend(found);
    }
    domain_rows!(rows)
}

/// The newest runs of a rule since then, newest first: outcome and trace. Skipped ones are plans in the shadow.
pub fn list_of_rule(conn: &mut Conn, rule_id: &str, since: Timestamp, limit: i64) -> StoreResult<Vec<(RunOutcome, String)>> {
    let rows: Vec<(String, String)> = on!(conn, c => automation_runs::table
        .filter(automation_runs::rule_id.eq(rule_id))
        .filter(automation_runs::at.ge(since.0))
        .order(automation_runs::at.desc())
        .limit(limit)
        .select((automation_runs::outcome, automation_runs::trace))
        .load(c))?;
    let read = |(outcome, trace)| Ok((super::row::read::<RunOutcome>(outcome, "automation_runs", "outcome")?, trace));
    rows.into_iter().map(read).collect()
}

/// What the last runs of a rule under one revision came to, newest first; plans in the shadow are left out.
pub fn list_last_outcomes(
    conn: &mut Conn,
    rule_id: &str,
    revision: i64,
    since: Timestamp,
    limit: i64,
) -> StoreResult<Vec<String>> {
    Ok(on!(conn, c => automation_runs::table
        .filter(automation_runs::rule_id.eq(rule_id))
        .filter(automation_runs::at.ge(since.0))
        .filter(automation_runs::revision.eq(revision))
        .filter(automation_runs::outcome.ne(RunOutcome::Skipped.as_str()))
        .order((automation_runs::at.desc(), automation_runs::id.desc()))
        .limit(limit)
        .select(automation_runs::outcome)
        .load(c))?)
}

/// How often a rule has fired since then.
pub fn count_fired(conn: &mut Conn, rule_id: &str, since: Timestamp) -> StoreResult<i64> {
    Ok(on!(conn, c => automation_runs::table
        .filter(automation_runs::rule_id.eq(rule_id))
        .filter(automation_runs::at.ge(since.0))
        .filter(automation_runs::outcome.eq(RunOutcome::Fired.as_str()))
        .count()
        .get_result(c))?)
}

/// How often a rule fired in its busiest hour between two times; 0 when it never did.
pub fn find_busiest_hour(conn: &mut Conn, rule_id: &str, from: Timestamp, until: Timestamp) -> StoreResult<i64> {
    let text = "SELECT COALESCE(MAX(count), 0) AS n FROM (SELECT COUNT(*) AS count FROM automation_runs \
                WHERE rule_id = ? AND at >= ? AND at < ? AND outcome = 'fired' GROUP BY at / 3600000) AS hours";
    let found = sql(text).bind(rule_id).bind(from).bind(until).first::<Number>(conn)?;
    Ok(found.map_or(0, |row| row.n))
}

/// How many runs of a rule since then came to each outcome; `skipped` are plans in the shadow.
pub fn count_outcomes(conn: &mut Conn, rule_id: &str, since: Timestamp) -> StoreResult<Vec<(String, i64)>> {
    use diesel::dsl::count_star;
    Ok(on!(conn, c => automation_runs::table
        .filter(automation_runs::rule_id.eq(rule_id))
        .filter(automation_runs::at.ge(since.0))
        .group_by(automation_runs::outcome)
        .select((automation_runs::outcome, count_star()))
        .load(c))?)
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
        .filter(one_of(automation_runs::contact_id, contact_ids))
        .filter(one_of(automation_runs::rule_id, rule_ids))
        .filter(automation_runs::at.ge(since.0))
        .order(automation_runs::at.desc())
        .select((automation_runs::rule_id, automation_runs::contact_id, automation_runs::booking_id, automation_runs::at))
        .load(c))?)
}
