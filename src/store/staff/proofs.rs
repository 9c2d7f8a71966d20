//! What members of staff prove themselves with besides the password, and the tries that failed.

use crate::domain::time::Timestamp;
use crate::store::db::{Conn, Tx, on};
use crate::store::error::StoreResult;
use crate::store::row::row;
use crate::store::schema::staff_proofs;
use crate::store::sql::sql;
use diesel::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    pub user_id: String,
    /// Tries in a row that failed.
    pub failures: i64,
    pub failed_at: Option<Timestamp>,
    /// No try is looked at before.
    pub blocked_until: Option<Timestamp>,
    /// Hex.
    pub totp_secret: Option<String>,
    /// Since when codes are asked for; `None` while the secret is not confirmed.
    pub totp_since: Option<Timestamp>,
    /// The newest step whose code was used.
    pub totp_step: i64,
}

row!(staff_proofs, ProofsRow, Proofs, user_id, upsert {
    user_id => user_id: String, failures => failures: i64, failed_at => failed_at: Option<Timestamp>,
    blocked_until => blocked_until: Option<Timestamp>, totp_secret => totp_secret: Option<String>,
    totp_since => totp_since: Option<Timestamp>, totp_step => totp_step: i64,
});

impl Proofs {
    /// The secret whose codes are asked for.
    #[must_use]
    pub fn active_totp(&self) -> Option<&str> {
        self.totp_since.and(self.totp_secret.as_deref())
    }
}

/// Those of a member of staff; as new when nothing is known.
pub fn find_proofs(conn: &mut Conn, user_id: &str) -> StoreResult<Proofs> {
    let row: Option<ProofsRow> =
        on!(conn, c => staff_proofs::table.find(user_id).select(ProofsRow::as_select()).first(c).optional())?;
    let known = row.map(ProofsRow::into_domain).transpose()?;
    Ok(known.unwrap_or_else(|| Proofs { user_id: user_id.to_owned(), ..Proofs::default() }))
}

/// Like [`find_proofs`]; nobody else changes them until the end of the transaction.
pub fn lock_proofs(tx: &mut Tx<'_>, user_id: &str) -> StoreResult<Proofs> {
    let text = "INSERT INTO staff_proofs (user_id, failures, totp_step) VALUES (?, 0, 0) \
                ON CONFLICT (user_id) DO UPDATE SET failures = staff_proofs.failures";
    sql(text).bind(user_id).execute(tx)?;
    find_proofs(tx, user_id)
}

pub fn put_proofs(tx: &mut Tx<'_>, proofs: &Proofs) -> StoreResult<()> {
    ProofsRow::upsert_all(tx, &[proofs])
}

/// Uses up a step's code. False when it, or a later one, was used already.
pub fn use_totp_step(tx: &mut Tx<'_>, user_id: &str, step: i64) -> StoreResult<bool> {
    let text = "UPDATE staff_proofs SET totp_step = ? WHERE user_id = ? AND totp_step < ?";
    Ok(sql(text).bind(step).bind(user_id).bind(step).execute(tx)? == 1)
}
