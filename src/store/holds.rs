//! Providers that take no texts at the moment.

use super::db::on;
use super::row::row;
use super::schema::sms_holds;
use super::sql::{Number, sql};
use super::{Conn, StoreResult, Tx};
use crate::domain::sms_provider::{Hold, HoldReason};
use crate::domain::time::Timestamp;
use diesel::prelude::*;

/// A hold with the provider that it is about.
pub(in crate::store) struct Named {
    provider: String,
    reason: HoldReason,
    detail: String,
    since: Timestamp,
    retry_at: Timestamp,
    failures: i64,
    probing: bool,
    told: bool,
}

row!(sms_holds, HoldRow, Named, provider, upsert {
    provider => provider: String, reason => reason: HoldReason, detail => detail: String, since => since: Timestamp,
    retry_at => retry_at: Timestamp, failures => failures: i64, probing => probing: bool, told => told: bool,
});

/// `None`: it takes texts.
pub fn find(conn: &mut Conn, provider: &str) -> StoreResult<Option<Hold>> {
    let row: Option<HoldRow> = on!(conn, c => sms_holds::table.find(provider).select(HoldRow::as_select()).first(c).optional())?;
    let named = row.map(HoldRow::into_domain).transpose()?;
    Ok(named.map(|Named { reason, detail, since, retry_at, failures, probing, told, .. }| Hold {
        reason,
        detail,
        since,
        retry_at,
        failures,
        probing,
        told,
    }))
}

/// Like [`find`]; nobody else changes it until the end of the transaction.
pub fn lock(tx: &mut Tx<'_>, provider: &str) -> StoreResult<Option<Hold>> {
    if tx.is_postgres() {
        sql("SELECT failures AS n FROM sms_holds WHERE provider = ? FOR UPDATE").bind(provider).first::<Number>(tx)?;
    }
    find(tx, provider)
}

pub fn put(tx: &mut Tx<'_>, provider: &str, hold: &Hold) -> StoreResult<()> {
    let Hold { reason, detail, since, retry_at, failures, probing, told } = hold.clone();
    let named = Named { provider: provider.to_owned(), reason, detail, since, retry_at, failures, probing, told };
    HoldRow::upsert_all(tx, &[&named])
}

/// It takes texts again. False when it did already.
pub fn clear(tx: &mut Tx<'_>, provider: &str) -> StoreResult<bool> {
    Ok(sql("DELETE FROM sms_holds WHERE provider = ?").bind(provider).execute(tx)? == 1)
}
