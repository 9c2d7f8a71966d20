//! What providers said of the texts that were handed to them.

use super::db::on;
use super::one_of::one_of;
use super::row::{Text, domain_rows, row, write_all};
use super::schema::sms_handovers;
use super::sql::{Number, sql};
use super::{Conn, StoreResult, Tx};
use crate::domain::handover::Handover;
use crate::domain::time::Timestamp;
use diesel::prelude::*;
use std::sync::OnceLock;

row!(sms_handovers, HandoverRow, Handover, sms_id, by_hand {
    sms_id => sms_id: String, provider => provider: String, handed_at => handed_at: Timestamp,
    answered_at => answered_at: Option<Timestamp>, provider_status => provider_status: Option<String>,
    provider_message_id => provider_message_id: Option<String>, price_micros => price_micros: Option<i64>,
    currency => currency: Option<String>, billed_parts => billed_parts: Option<i32>, raw => raw: String,
    unknown_at => unknown_at: Option<Timestamp>, checks => checks: i64, checked_at => checked_at: Option<Timestamp>,
    asked_at => asked_at: Option<Timestamp>, receipt_asked_at => receipt_asked_at: Option<Timestamp>,
    price_is_estimate => price_is_estimate: bool,
});

pub fn list_by_ids(conn: &mut Conn, sms_ids: &[String]) -> StoreResult<Vec<Handover>> {
    if sms_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<HandoverRow> = on!(conn, c => sms_handovers::table
        .filter(one_of(sms_handovers::sms_id, sms_ids))
        .select(HandoverRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}

/// What a part cost lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub micros_per_part: i64,
    pub currency: Option<String>,
}

/// Newest texts that are looked through for one with a price.
const PRICED_AMONG: i64 = 50;

/// By the newest text that the provider has priced, if it prices any.
pub fn find_newest_price(conn: &mut Conn) -> StoreResult<Option<Price>> {
    let rows: Vec<(Option<i64>, Option<i32>, Option<String>)> = on!(conn, c => sms_handovers::table
        .order(sms_handovers::sms_id.desc())
        .select((sms_handovers::price_micros, sms_handovers::billed_parts, sms_handovers::currency))
        .limit(PRICED_AMONG)
        .load(c))?;
    Ok(rows.into_iter().find_map(|(micros, parts, currency)| {
        let parts = i64::from(parts.unwrap_or(1).max(1));
        micros.map(|micros| Price { micros_per_part: micros / parts, currency })
    }))
}

/// Keeps the newest answers. What is known of a text of unknown fate stays.
pub fn put_answers(tx: &mut Tx<'_>, answers: &[Handover]) -> StoreResult<()> {
    static TEXT: OnceLock<Text> = OnceLock::new();
    let answers: Vec<&Handover> = answers.iter().collect();
    write_all::<HandoverRow>(tx, &answers, TEXT.get_or_init(|| Text::insert_or::<HandoverRow>(NEWEST)))
}

const NEWEST: &str = "ON CONFLICT (sms_id) DO UPDATE SET provider = excluded.provider, handed_at = excluded.handed_at, \
                      answered_at = excluded.answered_at, provider_status = excluded.provider_status, raw = excluded.raw, \
                      provider_message_id = COALESCE(excluded.provider_message_id, sms_handovers.provider_message_id), \
                      price_is_estimate = CASE WHEN excluded.price_micros IS NULL THEN sms_handovers.price_is_estimate \
                      ELSE excluded.price_is_estimate END, \
                      price_micros = COALESCE(excluded.price_micros, sms_handovers.price_micros), \
                      currency = COALESCE(excluded.currency, sms_handovers.currency), \
                      billed_parts = COALESCE(excluded.billed_parts, sms_handovers.billed_parts)";

/// From now on nobody knows whether the text was sent. False when that is so already.
pub fn mark_unknown(tx: &mut Tx<'_>, sms_id: &str, provider: &str, handed_at: Timestamp, now: Timestamp) -> StoreResult<bool> {
    let text = "INSERT INTO sms_handovers (sms_id, provider, handed_at, raw, unknown_at, checks) VALUES (?, ?, ?, '', ?, 0) \
                ON CONFLICT (sms_id) DO UPDATE SET unknown_at = excluded.unknown_at WHERE sms_handovers.unknown_at IS NULL";
    Ok(sql(text).bind(sms_id).bind(provider).bind(handed_at).bind(now).execute(tx)? == 1)
}

/// The provider was asked about the text.
pub fn note_check(tx: &mut Tx<'_>, sms_id: &str, now: Timestamp) -> StoreResult<()> {
    sql("UPDATE sms_handovers SET checks = checks + 1, checked_at = ? WHERE sms_id = ?").bind(now).bind(sms_id).execute(tx)?;
    Ok(())
}

/// True for the first who asks a person about the text.
pub fn note_asked(tx: &mut Tx<'_>, sms_id: &str, now: Timestamp) -> StoreResult<bool> {
    let text = "UPDATE sms_handovers SET asked_at = ? WHERE sms_id = ? AND asked_at IS NULL";
    Ok(sql(text).bind(now).bind(sms_id).execute(tx)? == 1)
}

/// What the provider's history says of a text's price.
pub fn note_price(tx: &mut Tx<'_>, sms_id: &str, micros: i64, currency: &str) -> StoreResult<()> {
    let text = "UPDATE sms_handovers SET price_micros = ?, currency = ?, price_is_estimate = FALSE \
                WHERE sms_id = ? AND (price_micros IS NULL OR price_is_estimate)";
    sql(text).bind(micros).bind(currency).bind(sms_id).execute(tx)?;
    Ok(())
}

/// Texts that this provider took between the two times, of which it has not spoken since, and about which it was not asked yet.
pub fn list_without_receipt(
    conn: &mut Conn,
    provider: &str,
    (after, until): (Timestamp, Timestamp),
    limit: i64,
) -> StoreResult<Vec<String>> {
    let rows: Vec<Id> = sql(WITHOUT_RECEIPT).bind(after).bind(until).bind(provider).bind(limit).load(conn)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

pub(super) const WITHOUT_RECEIPT: &str = "SELECT m.id AS id FROM sms_messages m JOIN sms_handovers h ON h.sms_id = m.id \
     WHERE m.status = 'accepted' AND m.accepted_at > ? AND m.accepted_at <= ? AND h.provider = ? AND h.receipt_asked_at IS NULL \
     ORDER BY m.accepted_at LIMIT ?";

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = diesel::sql_types::Text)]
    id: String,
}

/// From now on the provider is asked for the text's receipt.
pub fn note_receipt_asked(tx: &mut Tx<'_>, sms_id: &str, now: Timestamp) -> StoreResult<()> {
    sql("UPDATE sms_handovers SET receipt_asked_at = ? WHERE sms_id = ?").bind(now).bind(sms_id).execute(tx)?;
    Ok(())
}

/// Texts of which nobody knows whether they were sent.
pub fn count_unknown(conn: &mut Conn) -> StoreResult<i64> {
    let count = sql("SELECT COUNT(*) AS n FROM sms_messages WHERE status = 'unknown'").first::<Number>(conn)?;
    Ok(count.map_or(0, |row| row.n))
}
