//! Words that are forgotten after a time, while their rows stay. Ids begin with their time, so a mark says how far it went.

use super::db::on;
use super::rulesets::set_value;
use super::schema::{automation_runs, event_payloads, sms_handovers, system_values};
use super::{Conn, StoreResult, Tx};
use crate::domain::ids::id_prefix;
use crate::domain::time::Timestamp;
use diesel::prelude::*;

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

fn find_mark(conn: &mut Conn, key: &str) -> StoreResult<String> {
    let value: Option<String> = on!(conn, c => system_values::table.find(key).select(system_values::value).first(c).optional())?;
    Ok(value.unwrap_or_default())
}
