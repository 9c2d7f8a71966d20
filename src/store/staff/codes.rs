//! Codes that count once: to sign in for the first time, and in place of a lost second factor.

use crate::domain::time::Timestamp;
use crate::store::db::{Conn, Tx};
use crate::store::error::StoreResult;
use crate::store::sql::{Number, sql};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePurpose {
    /// To choose a password.
    Invitation,
    /// To look around in a demo.
    Link,
}

impl CodePurpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Link => "link",
        }
    }
}

#[derive(QueryableByName)]
struct CodeRow {
    #[diesel(sql_type = Text)]
    user_id: String,
    #[diesel(sql_type = Text)]
    purpose: String,
    #[diesel(sql_type = BigInt)]
    expires_at: i64,
}

pub fn insert_one_time_code(
    tx: &mut Tx<'_>,
    code_sha256: &str,
    user_id: &str,
    purpose: CodePurpose,
    expires_at: Timestamp,
) -> StoreResult<()> {
    let text = "INSERT INTO staff_one_time_codes (code_sha256, user_id, purpose, expires_at) VALUES (?, ?, ?, ?)";
    sql(text).bind(code_sha256).bind(user_id).bind(purpose.as_str()).bind(expires_at).execute(tx)?;
    Ok(())
}

/// Uses a code up: whose it was and what for. `None` when there is none, or its time is over.
pub fn take_one_time_code(tx: &mut Tx<'_>, code_sha256: &str, now: Timestamp) -> StoreResult<Option<(String, CodePurpose)>> {
    let text = "SELECT user_id, purpose, expires_at FROM staff_one_time_codes WHERE code_sha256 = ?";
    let Some(row) = sql(text).bind(code_sha256).first::<CodeRow>(tx)? else { return Ok(None) };
    let gone = sql("DELETE FROM staff_one_time_codes WHERE code_sha256 = ?").bind(code_sha256).execute(tx)?;
    let purpose = if row.purpose == CodePurpose::Link.as_str() { CodePurpose::Link } else { CodePurpose::Invitation };
    // Two who use it at once: only one of them deletes it.
    Ok((gone == 1 && now.0 < row.expires_at).then_some((row.user_id, purpose)))
}

/// No code that somebody was given before counts any more.
pub fn delete_codes_of(tx: &mut Tx<'_>, user_id: &str) -> StoreResult<()> {
    sql("DELETE FROM staff_one_time_codes WHERE user_id = ?").bind(user_id).execute(tx)?;
    Ok(())
}

/// The new codes in place of all earlier ones.
pub fn replace_recovery_codes(tx: &mut Tx<'_>, user_id: &str, codes_sha256: &[String]) -> StoreResult<()> {
    sql("DELETE FROM staff_recovery_codes WHERE user_id = ?").bind(user_id).execute(tx)?;
    for code in codes_sha256 {
        let text = "INSERT INTO staff_recovery_codes (code_sha256, user_id) VALUES (?, ?)";
        sql(text).bind(code.as_str()).bind(user_id).execute(tx)?;
    }
    Ok(())
}

/// Uses a recovery code up. False when it is none of theirs.
pub fn take_recovery_code(tx: &mut Tx<'_>, user_id: &str, code_sha256: &str) -> StoreResult<bool> {
    let text = "DELETE FROM staff_recovery_codes WHERE code_sha256 = ? AND user_id = ?";
    Ok(sql(text).bind(code_sha256).bind(user_id).execute(tx)? == 1)
}

/// Recovery codes that are left.
pub fn count_recovery_codes(conn: &mut Conn, user_id: &str) -> StoreResult<i64> {
    let count = sql("SELECT count(*) AS n FROM staff_recovery_codes WHERE user_id = ?").bind(user_id).first::<Number>(conn)?;
    Ok(count.map_or(0, |n| n.n))
}
