//! Words that are forgotten after a time, while their rows stay. Ids begin with their time, so a mark says how far it went.

use super::db::on;
use super::rulesets::set_value;
use super::schema::{automation_runs, event_payloads, sms_handovers};
use super::sql::sql;
use super::{Conn, StoreResult, Tx, system_values};
use crate::domain::ids::{id_prefix, time_of};
use crate::domain::time::Timestamp;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

const TRACES_MARK: &str = "traces_forgotten_until";
const HANDOVERS_MARK: &str = "raw_answers_forgotten_until";
const PAYLOADS_MARK: &str = "raw_payloads_forgotten_until";

/// Empties the traces of up to `limit` runs of events from before `before`; how many. Outcomes stay.
pub fn forget_traces(tx: &mut Tx<'_>, before: Timestamp, limit: i64, now: Timestamp) -> StoreResult<usize> {
    let (mark, until) = (find_mark(tx, TRACES_MARK)?, id_prefix(before));
    let ids: Vec<String> = on!(tx, c => automation_runs::table
        .filter(automation_runs::id.gt(&mark))
        .filter(automation_runs::id.lt(&until))
        .order(automation_runs::id)
        .limit(limit)
        .select(automation_runs::id)
        .load(c))?;
    let Some(last) = ids.last() else { return Ok(0) };
    on!(tx, c => diesel::update(automation_runs::table.filter(automation_runs::id.eq_any(&ids)))
        .set(automation_runs::trace.eq(""))
        .execute(c))?;
    set_value(tx, TRACES_MARK, last, now)?;
    Ok(ids.len())
}

/// Empties the raw payloads of up to `limit` events from before `before`; how many. Their hashes stay.
pub fn forget_raw_payloads(tx: &mut Tx<'_>, before: Timestamp, limit: i64, now: Timestamp) -> StoreResult<usize> {
    let (mark, until) = (find_mark(tx, PAYLOADS_MARK)?, id_prefix(before));
    let ids: Vec<String> = on!(tx, c => event_payloads::table
        .filter(event_payloads::event_id.gt(&mark))
        .filter(event_payloads::event_id.lt(&until))
        .order(event_payloads::event_id)
        .limit(limit)
        .select(event_payloads::event_id)
        .load(c))?;
    let Some(last) = ids.last() else { return Ok(0) };
    on!(tx, c => diesel::update(event_payloads::table.filter(event_payloads::event_id.eq_any(&ids)))
        .set(event_payloads::raw_payload.eq(""))
        .execute(c))?;
    set_value(tx, PAYLOADS_MARK, last, now)?;
    Ok(ids.len())
}

/// Empties what providers said of up to `limit` texts from before `before`; how many. States and prices stay.
pub fn forget_raw_answers(tx: &mut Tx<'_>, before: Timestamp, limit: i64, now: Timestamp) -> StoreResult<usize> {
    let (mark, until) = (find_mark(tx, HANDOVERS_MARK)?, id_prefix(before));
    let ids: Vec<String> = on!(tx, c => sms_handovers::table
        .filter(sms_handovers::sms_id.gt(&mark))
        .filter(sms_handovers::sms_id.lt(&until))
        .order(sms_handovers::sms_id)
        .limit(limit)
        .select(sms_handovers::sms_id)
        .load(c))?;
    let Some(last) = ids.last() else { return Ok(0) };
    on!(tx, c => diesel::update(sms_handovers::table.filter(sms_handovers::sms_id.eq_any(&ids)))
        .set(sms_handovers::raw.eq(""))
        .execute(c))?;
    set_value(tx, HANDOVERS_MARK, last, now)?;
    Ok(ids.len())
}

/// People who never came nearer than a lead and of whom nothing was heard since `before`; longest silent first.
pub fn list_old_leads(conn: &mut Conn, before: Timestamp, limit: i64) -> StoreResult<Vec<String>> {
    let rows: Vec<Lead> = sql(OLD_LEADS).bind(before).bind(before).bind(limit).load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Since when the longest silent of them is silent.
pub fn find_oldest_lead(conn: &mut Conn, before: Timestamp) -> StoreResult<Option<Timestamp>> {
    let row: Option<Lead> = sql(OLD_LEADS).bind(before).bind(before).bind(1_i64).first(conn)?;
    Ok(row.map(|row| Timestamp(row.updated_at)))
}

const OLD_LEADS: &str = "SELECT c.id AS id, c.updated_at AS updated_at FROM contacts c WHERE c.updated_at < ? AND COALESCE(c.last_inbound_at, 0) < ? \
     AND NOT c.is_existing_patient AND c.last_visit_at IS NULL AND c.merged_into_id IS NULL AND c.phone_status <> 'erased' \
     AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.contact_id = c.id) ORDER BY c.updated_at, c.id LIMIT ?";

#[derive(QueryableByName)]
struct Lead {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
}

/// What is thrown away after a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    RawPayloads,
    RawAnswers,
    Traces,
    Skips,
}

/// From when the oldest is that is still kept.
pub fn find_oldest(conn: &mut Conn, kept: Kept) -> StoreResult<Option<Timestamp>> {
    let (text, mark) = match kept {
        Kept::RawPayloads => ("SELECT MIN(event_id) AS id FROM event_payloads WHERE event_id > ?", PAYLOADS_MARK),
        Kept::RawAnswers => ("SELECT MIN(sms_id) AS id FROM sms_handovers WHERE sms_id > ?", HANDOVERS_MARK),
        Kept::Traces => ("SELECT MIN(id) AS id FROM automation_runs WHERE id > ?", TRACES_MARK),
        Kept::Skips => ("SELECT MIN(event_id) AS id FROM automation_skips WHERE event_id > ?", ""),
    };
    let after = find_mark(conn, mark)?;
    let row: Option<Oldest> = sql(text).bind(after).first(conn)?;
    Ok(row.and_then(|row| row.id).and_then(|id| time_of(&id)))
}

#[derive(QueryableByName)]
struct Oldest {
    #[diesel(sql_type = Nullable<Text>)]
    id: Option<String>,
}

fn find_mark(conn: &mut Conn, key: &str) -> StoreResult<String> {
    Ok(system_values::find(conn, key)?.unwrap_or_default())
}
