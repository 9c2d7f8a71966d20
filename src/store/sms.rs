//! The outbox and the messages that came in.

use super::changes::Topic;
use super::db::on;
use super::one_of::one_of;
use super::row::{domain_rows, row};
use super::schema::{sms_messages, sms_status_events, suppressions};
use super::sql::sql;
use super::{Conn, StoreResult, Tx};
use crate::domain::event::phone_lane;
use crate::domain::sms::{SmsCategory, SmsMessage, SmsStatus};
use crate::domain::time::Timestamp;
use diesel::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

row!(sms_messages, SmsRow, SmsMessage, id, insert {
    id => id: String, direction => direction: String, contact_id => contact_id: Option<String>,
    booking_id => booking_id: Option<String>, template => template: Option<String>, category => category: SmsCategory,
    to_number => to: String, from_number => from: Option<String>, body => body: String, encoding => encoding: String,
    parts => parts: i32, scheduled_at => scheduled_at: Option<Timestamp>, not_after => not_after: Option<Timestamp>,
    status => status: SmsStatus, status_reason => status_reason: Option<String>, provider => provider: Option<String>,
    provider_message_id => provider_message_id: Option<String>, attempts => attempts: i32,
    in_reply_to => in_reply_to: Option<String>, dedupe_key => dedupe_key: Option<String>, run_id => run_id: Option<String>,
    revision => revision: Option<i64>, sent_by => sent_by: Option<String>, appointment_datetime => appointment_datetime: Option<Timestamp>,
    immediate => immediate: bool, is_demo => is_demo: bool, accepted_at => accepted_at: Option<Timestamp>,
    delivered_at => delivered_at: Option<Timestamp>, created_at => created_at: Timestamp, updated_at => updated_at: Timestamp,
});

/// One change of a text's state.
#[derive(Clone, Debug)]
pub struct StatusEvent {
    pub id: String,
    pub sms_id: String,
    pub status: SmsStatus,
    pub code: Option<String>,
    pub detail: Option<String>,
    pub at: Timestamp,
    pub event_id: Option<String>,
}

/// What becomes of a text, beside its state.
#[derive(Clone, Debug, Default)]
pub struct StatusChange {
    pub reason: Option<String>,
    pub provider: Option<String>,
    pub provider_message_id: Option<String>,
    pub scheduled_at: Option<Timestamp>,
    pub add_attempts: i32,
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<SmsMessage>> {
    let row: Option<SmsRow> = on!(conn, c => sms_messages::table.find(id).select(SmsRow::as_select()).first(c).optional())?;
    row.map(SmsRow::into_domain).transpose()
}

pub fn list_by_ids(conn: &mut Conn, ids: &[String]) -> StoreResult<Vec<SmsMessage>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<SmsRow> =
        on!(conn, c => sms_messages::table.filter(one_of(sms_messages::id, ids)).select(SmsRow::as_select()).load(c))?;
    domain_rows!(rows)
}

pub fn find_by_provider_id(conn: &mut Conn, provider: &str, message_id: &str) -> StoreResult<Option<SmsMessage>> {
    let row: Option<SmsRow> = on!(conn, c => sms_messages::table
        .filter(sms_messages::provider.eq(provider))
        .filter(sms_messages::provider_message_id.eq(message_id))
        .select(SmsRow::as_select())
        .first(c)
        .optional())?;
    row.map(SmsRow::into_domain).transpose()
}

/// Texts that a provider took after `after` and until `until`, in that order.
pub fn list_accepted_between(conn: &mut Conn, after: Timestamp, until: Timestamp) -> StoreResult<Vec<SmsMessage>> {
    let rows: Vec<SmsRow> = on!(conn, c => sms_messages::table
        .filter(sms_messages::accepted_at.gt(after.0))
        .filter(sms_messages::accepted_at.le(until.0))
        .order((sms_messages::accepted_at, sms_messages::id))
        .select(SmsRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Texts that went to a number since then, newest first, at most [`SENT_TO_MAX`].
pub fn list_sent_to(conn: &mut Conn, phone: &str, since: Timestamp) -> StoreResult<Vec<SmsMessage>> {
    let rows: Vec<SmsRow> = on!(conn, c => sms_messages::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("direction = 'out'"))
        .filter(sms_messages::to_number.eq(phone))
        .filter(sms_messages::created_at.ge(since.0))
        .filter(sms_messages::accepted_at.is_not_null())
        .order((sms_messages::accepted_at.desc(), sms_messages::id.desc()))
        .limit(SENT_TO_MAX)
        .select(SmsRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// More texts than that to one number within a week say nothing about which one is answered.
const SENT_TO_MAX: i64 = 50;

/// Texts to these contacts that have not left yet.
pub fn list_unsent_of_contacts(conn: &mut Conn, contact_ids: &[String]) -> StoreResult<Vec<SmsMessage>> {
    if contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<SmsRow> = on!(conn, c => sms_messages::table
        .filter(one_of(sms_messages::contact_id, contact_ids))
        .filter(one_of(sms_messages::status, &[SmsStatus::Scheduled.as_str(), SmsStatus::Queued.as_str()]))
        .order(sms_messages::id)
        .select(SmsRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Texts to this contact that have left since then, or are leaving.
pub fn list_left_of_contact(conn: &mut Conn, contact_id: &str, since: Timestamp) -> StoreResult<Vec<SmsMessage>> {
    let left = [SmsStatus::Sending, SmsStatus::Accepted, SmsStatus::Delivered, SmsStatus::Unknown].map(SmsStatus::as_str);
    let rows: Vec<SmsRow> = on!(conn, c => sms_messages::table
        .filter(sms_messages::contact_id.eq(contact_id))
        .filter(sms_messages::created_at.ge(since.0))
        .filter(sms_messages::direction.eq("out"))
        .filter(one_of(sms_messages::status, &left))
        .select(SmsRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// Why the number must not be texted; `None` when it may.
pub fn find_suppression_reason(conn: &mut Conn, phone: &str) -> StoreResult<Option<String>> {
    Ok(on!(conn, c => suppressions::table
        .find(phone)
        .filter(suppressions::lifted_at.is_null())
        .select(suppressions::reason)
        .first(c)
        .optional())?)
}

/// Texts to these contacts that were made since then and have left, are leaving or will leave: contact, booking, when.
pub fn list_recent(
    conn: &mut Conn,
    contact_ids: &[String],
    since: Timestamp,
) -> StoreResult<Vec<(String, Option<String>, Timestamp)>> {
    type Columns = (Option<String>, Option<String>, Option<i64>, Option<i64>, i64);
    if contact_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Columns> = on!(conn, c => sms_messages::table
        .filter(one_of(sms_messages::contact_id, contact_ids))
        .filter(sms_messages::created_at.ge(since.0))
        .filter(sms_messages::direction.eq("out"))
        .filter(sms_messages::status.ne(SmsStatus::Suppressed.as_str()))
        .filter(sms_messages::status.ne(SmsStatus::Cancelled.as_str()))
        .select((
            sms_messages::contact_id,
            sms_messages::booking_id,
            sms_messages::accepted_at,
            sms_messages::scheduled_at,
            sms_messages::created_at,
        ))
        .load(c))?;
    let when = |(contact, booking, accepted, scheduled, created): Columns| {
        Some((contact?, booking, Timestamp(accepted.or(scheduled).unwrap_or(created))))
    };
    Ok(rows.into_iter().filter_map(when).collect())
}

/// The dedupe keys that texts about these bookings have: (booking, key).
pub fn list_known_dedupe_keys(conn: &mut Conn, booking_ids: &[String]) -> StoreResult<Vec<(String, String)>> {
    if booking_ids.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<(Option<String>, Option<String>)> = on!(conn, c => sms_messages::table
        .filter(one_of(sms_messages::booking_id, booking_ids))
        .filter(sms_messages::dedupe_key.is_not_null())
        .select((sms_messages::booking_id, sms_messages::dedupe_key))
        .load(c))?;
    Ok(keys.into_iter().filter_map(|(booking, key)| booking.zip(key)).collect())
}

/// Whether a text with this dedupe key was ever planned.
pub fn has_key(conn: &mut Conn, key: &str) -> StoreResult<bool> {
    let found: i64 = on!(conn, c => sms_messages::table.filter(sms_messages::dedupe_key.eq(key)).count().get_result(c))?;
    Ok(found > 0)
}

pub fn insert_many(tx: &mut Tx<'_>, messages: &[&SmsMessage]) -> StoreResult<()> {
    SmsRow::insert_all(tx, messages)?;
    for message in messages {
        tx.changed(Topic::Sms, &message.id);
        if message.direction == "in" {
            tx.changed(Topic::Inbox, message.contact_id.as_ref().unwrap_or(&message.id));
        }
    }
    Ok(())
}

/// Moves a text to `to` if it is in one of `from`; false when it is not.
pub fn change_status(
    tx: &mut Tx<'_>,
    id: &str,
    from: &[SmsStatus],
    to: SmsStatus,
    change: &StatusChange,
    now: Timestamp,
) -> StoreResult<bool> {
    let allowed: Vec<&str> = from.iter().map(|s| s.as_str()).collect();
    let accepted = (to == SmsStatus::Accepted).then_some(now.0);
    let delivered = (to == SmsStatus::Delivered).then_some(now.0);
    let count = on!(tx, c => diesel::update(sms_messages::table.find(id))
        .filter(one_of(sms_messages::status, &allowed))
        .set((
            sms_messages::status.eq(to.as_str()),
            sms_messages::updated_at.eq(now.0),
            sms_messages::attempts.eq(sms_messages::attempts + change.add_attempts),
            change.reason.as_deref().map(|v| sms_messages::status_reason.eq(Some(v))),
            change.provider.as_deref().map(|v| sms_messages::provider.eq(Some(v))),
            change.provider_message_id.as_deref().map(|v| sms_messages::provider_message_id.eq(Some(v))),
            change.scheduled_at.map(|v| sms_messages::scheduled_at.eq(Some(v.0))),
            accepted.map(|v| sms_messages::accepted_at.eq(Some(v))),
            delivered.map(|v| sms_messages::delivered_at.eq(Some(v))),
        ))
        .execute(c))?;
    if count == 1 {
        tx.changed(Topic::Sms, id);
    }
    Ok(count == 1)
}

/// Says why a text is in this state; false when it is in another.
pub fn note_reason(tx: &mut Tx<'_>, id: &str, status: SmsStatus, reason: &str, now: Timestamp) -> StoreResult<bool> {
    let text = "UPDATE sms_messages SET status_reason = ?, updated_at = ? WHERE id = ? AND status = ?";
    Ok(sql(text).bind(reason).bind(now).bind(id).bind(status.as_str()).execute(tx)? == 1)
}

pub fn insert_status_events(tx: &mut Tx<'_>, events: &[StatusEvent]) -> StoreResult<()> {
    use sms_status_events::dsl;
    for event in events {
        on!(tx, c => diesel::insert_into(dsl::sms_status_events)
            .values((
                dsl::id.eq(&event.id),
                dsl::sms_id.eq(&event.sms_id),
                dsl::status.eq(event.status.as_str()),
                dsl::code.eq(event.code.as_deref()),
                dsl::detail.eq(event.detail.as_deref()),
                dsl::at.eq(event.at.0),
                dsl::event_id.eq(event.event_id.as_deref()),
            ))
            .execute(c))?;
    }
    Ok(())
}

/// Which of the numbers must not be texted.
pub fn list_suppressed(conn: &mut Conn, phones: &[String]) -> StoreResult<HashSet<String>> {
    if phones.is_empty() {
        return Ok(HashSet::new());
    }
    let of_key: HashMap<String, &String> = phones.iter().map(|phone| (suppression_key(phone), phone)).collect();
    let wanted: Vec<&str> = phones.iter().chain(of_key.keys()).map(String::as_str).collect();
    let rows: Vec<String> = on!(conn, c => suppressions::table
        .filter(one_of(suppressions::phone, &wanted))
        .filter(suppressions::lifted_at.is_null())
        .select(suppressions::phone)
        .load(c))?;
    Ok(rows.into_iter().map(|row| of_key.get(&row).map_or(row, |phone| (*phone).clone())).collect())
}

/// How the number of somebody who said STOP and was erased is remembered: enough to know it when somebody wants to text it.
#[must_use]
pub fn suppression_key(phone: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(format!("avatar suppression {phone}"))))
}

/// From now on the number is not texted.
pub fn suppress(tx: &mut Tx<'_>, phone: &str, reason: &str, event_id: &str, now: Timestamp) -> StoreResult<()> {
    use suppressions::dsl;
    let values = (dsl::reason.eq(reason), dsl::event_id.eq(Some(event_id)), dsl::at.eq(now.0), dsl::lifted_at.eq(None::<i64>));
    on!(tx, c => diesel::insert_into(dsl::suppressions)
        .values((dsl::phone.eq(phone), values))
        .on_conflict(dsl::phone)
        .do_update()
        .set(values)
        .execute(c))?;
    Ok(())
}

/// The person asked to be texted again.
pub fn lift_suppression(tx: &mut Tx<'_>, phone: &str, now: Timestamp) -> StoreResult<()> {
    let either = [phone.to_owned(), suppression_key(phone)];
    on!(tx, c => diesel::update(suppressions::table.filter(one_of(suppressions::phone, &either)))
        .set(suppressions::lifted_at.eq(Some(now.0)))
        .execute(c))?;
    Ok(())
}

/// Which of the numbers have sent a message that waits to be worked on.
pub fn list_unheard(conn: &mut Conn, phones: &[String]) -> StoreResult<HashSet<String>> {
    use super::schema::{event_log, jobs};
    if phones.is_empty() {
        return Ok(HashSet::new());
    }
    let lanes: Vec<String> = phones.iter().map(|phone| phone_lane(phone)).collect();
    let mut found = HashSet::new();
    // Literal states: each is what one partial index holds.
    for state in ["jobs.state IN ('ready', 'running')", "jobs.state = 'lane_blocked'", "jobs.state = 'dead'"] {
        let event_of_job = event_log::table.on(event_log::id.nullable().eq(jobs::event_id));
        let rows: Vec<Option<String>> = on!(conn, c => jobs::table
            .inner_join(event_of_job)
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(state))
            .filter(one_of(jobs::lane_key, &lanes))
            .filter(event_log::event_type.eq("sms_received"))
            .select(jobs::lane_key)
            .load(c))?;
        found.extend(rows.into_iter().flatten().filter_map(|lane| lane.strip_prefix("p:").map(str::to_owned)));
    }
    Ok(found)
}
