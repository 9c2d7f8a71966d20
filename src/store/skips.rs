//! Rules that did nothing, folded: one row for each event.

use super::db::on;
use super::row::log_row;
use super::schema::automation_skips;
use super::sql::sql;
use super::{Conn, StoreError, StoreResult, Tx};
use crate::domain::event::Run;
use crate::domain::ids::{id_prefix, time_of};
use crate::domain::skip::{SkippedEvent, SkippedRule};
use crate::domain::time::{Millis, Timestamp};
use diesel::prelude::*;
use std::collections::HashMap;

type Columns = (String, i64, Option<String>, Option<String>, i64, String);

pub fn insert_many(tx: &mut Tx<'_>, events: &[&SkippedEvent]) -> StoreResult<()> {
    let rows = events.iter().map(|event| row(event)).collect::<StoreResult<Vec<_>>>()?;
    SkipRow::insert_these(tx, &rows)
}

log_row!(automation_skips, SkipRow {
    event_id: String, revision: i64, contact_id: Option<String>, booking_id: Option<String>, at: Timestamp, skips: String,
});

fn row(event: &SkippedEvent) -> StoreResult<SkipRow> {
    Ok(SkipRow {
        event_id: event.event_id.clone(),
        revision: event.revision,
        contact_id: event.contact_id.clone(),
        booking_id: event.booking_id.clone(),
        at: event.at,
        skips: serde_json::to_string(&event.rules).map_err(|e| StoreError::Statement(e.to_string()))?,
    })
}

/// The skips of one event, as runs.
pub fn list_of_event(conn: &mut Conn, event_id: &str) -> StoreResult<Vec<Run>> {
    let row: Option<Columns> = on!(conn, c => automation_skips::table
        .find(event_id)
        .select(automation_skips::all_columns)
        .first(c)
        .optional())?;
    Ok(row.map(read).transpose()?.map_or_else(Vec::new, |event| event.runs()))
}

/// The newest skips of one rule for one contact.
pub fn list_of_contact(conn: &mut Conn, contact_id: &str, rule_id: &str, limit: i64) -> StoreResult<Vec<Run>> {
    let rows: Vec<Columns> = on!(conn, c => automation_skips::table
        .filter(automation_skips::contact_id.eq(contact_id))
        .filter(automation_skips::skips.like(naming(rule_id)).escape('\\'))
        .order(automation_skips::event_id.desc())
        .limit(limit)
        .select(automation_skips::all_columns)
        .load(c))?;
    let mut runs = Vec::new();
    for event in rows.into_iter().map(read) {
        runs.extend(event?.runs().into_iter().filter(|run| run.rule_id == rule_id));
    }
    Ok(runs)
}

/// What the newest slots of a rule's schedule came to, for all contacts together.
pub fn list_slots(conn: &mut Conn, rule_id: &str, limit: i64) -> StoreResult<Vec<(Timestamp, SkippedRule)>> {
    let rows: Vec<Columns> = on!(conn, c => automation_skips::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("contact_id IS NULL"))
        .filter(automation_skips::skips.like(naming(rule_id)).escape('\\'))
        .order(automation_skips::event_id.desc())
        .limit(limit)
        .select(automation_skips::all_columns)
        .load(c))?;
    let mut slots = Vec::new();
    for event in rows.into_iter().map(read) {
        let event = event?;
        slots.extend(event.rules.into_iter().filter(|rule| rule.rule_id == rule_id).map(|rule| (event.at, rule)));
    }
    Ok(slots)
}

/// Finds a skipped run by its id, which holds the time of its event.
pub fn find_run(conn: &mut Conn, run_id: &str) -> StoreResult<Option<Run>> {
    let Some(at) = time_of(run_id) else { return Ok(None) };
    let rows: Vec<Columns> = on!(conn, c => automation_skips::table
        .filter(automation_skips::event_id.ge(id_prefix(at)))
        .filter(automation_skips::event_id.lt(id_prefix(at + Millis(1))))
        .select(automation_skips::all_columns)
        .load(c))?;
    for event in rows.into_iter().map(read) {
        if let Some(run) = event?.runs().into_iter().find(|run| run.id == run_id) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if let Some(event) = &filter.event_id {
            query = query.filter(automation_skips::event_id.eq(event));
        }
        if let Some(contact) = &filter.contact_id {
            query = query.filter(automation_skips::contact_id.eq(contact));
        }
        if let Some(rule) = &filter.rule_id {
            query = query.filter(automation_skips::skips.like(naming(rule)).escape('\\'));
        }
        query
    }};
}

/// Which skips.
#[derive(Clone, Debug, Default)]
pub struct SkipFilter {
    pub event_id: Option<String>,
    pub contact_id: Option<String>,
    pub rule_id: Option<String>,
}

/// How many events have such skips.
pub fn count(conn: &mut Conn, filter: &SkipFilter) -> StoreResult<i64> {
    Ok(on!(conn, c => {
        let query = matching!(automation_skips::table.count().into_boxed(), filter);
        query.get_result(c)
    })?)
}

/// Events with skips, newest first, those before `before` only.
pub fn list(conn: &mut Conn, filter: &SkipFilter, before: Option<&str>, limit: i64) -> StoreResult<Vec<SkippedEvent>> {
    let rows: Vec<Columns> = on!(conn, c => {
        let mut query = matching!(automation_skips::table.select(automation_skips::all_columns).into_boxed(), filter);
        if let Some(before) = before {
            query = query.filter(automation_skips::event_id.lt(before));
        }
        query.order(automation_skips::event_id.desc()).limit(limit).load(c)
    })?;
    rows.into_iter().map(read).collect()
}

/// How many skips each rule has had in events since a time, as far as `limit` events tell.
pub fn count_by_rule(conn: &mut Conn, since: Timestamp, limit: i64) -> StoreResult<HashMap<String, i64>> {
    let rows: Vec<String> = on!(conn, c => automation_skips::table
        .filter(automation_skips::event_id.ge(id_prefix(since)))
        .order(automation_skips::event_id.desc())
        .limit(limit)
        .select(automation_skips::skips)
        .load(c))?;
    let mut counts = HashMap::new();
    for text in rows {
        for rule in rules(&text)? {
            *counts.entry(rule.rule_id).or_insert(0) += i64::from(rule.count);
        }
    }
    Ok(counts)
}

/// Deletes up to `limit` rows of events from before `before`; how many went.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> StoreResult<usize> {
    let text = "DELETE FROM automation_skips WHERE event_id IN \
                (SELECT event_id FROM automation_skips WHERE event_id < ? ORDER BY event_id LIMIT ?)";
    sql(text).bind(id_prefix(before)).bind(limit).execute(tx)
}

/// Rows that may name the rule.
fn naming(rule_id: &str) -> String {
    let escaped = rule_id.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%\"r\":\"{escaped}\"%")
}

fn read((event_id, revision, contact_id, booking_id, at, skips): Columns) -> StoreResult<SkippedEvent> {
    Ok(SkippedEvent { event_id, revision, contact_id, booking_id, at: Timestamp(at), rules: rules(&skips)? })
}

fn rules(text: &str) -> StoreResult<Vec<SkippedRule>> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt { table: "automation_skips", column: "skips" })
}
