//! Calls that are not carried out twice: each has a key of its caller's choice, and its change says so in its own transaction.

use super::sql::{Number, sql};
use super::{Conn, StoreError, StoreResult, Tx};
use crate::domain::time::{Millis, Timestamp};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use std::future::Future;

/// Keys and answers are kept for so long.
pub const KEEP: Millis = Millis::days(1);
/// A call that has changed nothing for so long may be begun anew: its change, if it comes yet, is refused.
pub const LEASE: Millis = Millis::MINUTE;
/// Keys of one caller that are kept at once.
pub const KEYS_PER_CALLER_MAX: i64 = 10_000;
/// Bytes of an answer that is kept.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Whose call it is, under which key, and this attempt at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub caller: String,
    pub name: String,
    /// Tells this attempt from those before it.
    pub token: String,
}

/// An answer, as it is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub status: i32,
    /// A JSON object.
    pub headers: String,
    pub body: String,
}

/// What is to happen with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// Carry it out.
    New,
    /// It was carried out and answered like this.
    Answered(Kept),
    /// It was carried out; its answer was too large or too secret to keep.
    NotKept,
    /// It is being carried out.
    Running,
    /// It changed something, and then its answer was lost.
    Unfinished,
    /// The key belongs to another request.
    OtherRequest,
    /// The caller has too many keys.
    TooMany,
}

tokio::task_local! {
    static ATTEMPT: Attempt;
}

/// Whatever `work` writes itself (not in tasks that it starts) is written as this attempt's, or not at all.
pub async fn scope<F: Future>(attempt: Attempt, work: F) -> F::Output {
    ATTEMPT.scope(attempt, work).await
}

/// The attempt that the calling task writes for.
pub(in crate::store) fn current() -> Option<Attempt> {
    ATTEMPT.try_with(Clone::clone).ok()
}

/// Says, in the transaction of a change, that there is one. [`StoreError::Conflict`] when the attempt was given up meanwhile.
pub(in crate::store) fn note_change(tx: &mut Tx<'_>, attempt: &Attempt) -> StoreResult<()> {
    let text = "UPDATE idempotency_keys SET state = 'changed' \
         WHERE caller = ? AND name = ? AND token = ? AND (state = 'reserved' OR state = 'changed')";
    match of_attempt(text, attempt).execute(tx)? {
        0 => Err(StoreError::Conflict { what: "the attempt under this key" }),
        _ => Ok(()),
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    fingerprint: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    reserved_at: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    status: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    headers: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    body: Option<String>,
}

impl Row {
    /// `None`: it may be begun anew.
    fn verdict(self, fingerprint: &str, now: Timestamp) -> Option<Reserved> {
        let age = now - Timestamp(self.reserved_at);
        if age >= KEEP {
            return None;
        }
        if self.fingerprint != fingerprint {
            return Some(Reserved::OtherRequest);
        }
        match (self.state.as_str(), self.status, self.headers, self.body) {
            ("done", Some(status), Some(headers), Some(body)) => Some(Reserved::Answered(Kept { status, headers, body })),
            ("done", ..) => Some(Reserved::NotKept),
            _ if age < LEASE => Some(Reserved::Running),
            ("changed", ..) => Some(Reserved::Unfinished),
            _ => None,
        }
    }
}

/// Takes the key for this attempt, or says why not. `fingerprint` stands for the request.
pub fn reserve(tx: &mut Tx<'_>, attempt: &Attempt, fingerprint: &str, now: Timestamp) -> StoreResult<Reserved> {
    if let Some(row) = lock(tx, attempt)? {
        if let Some(verdict) = row.verdict(fingerprint, now) {
            return Ok(verdict);
        }
        forget(tx, attempt)?;
    } else if count(tx, &attempt.caller)? >= KEYS_PER_CALLER_MAX {
        return Ok(Reserved::TooMany);
    }
    let text = "INSERT INTO idempotency_keys (caller, name, token, fingerprint, state, reserved_at) \
         VALUES (?, ?, ?, ?, 'reserved', ?) ON CONFLICT (caller, name) DO NOTHING";
    // Somebody else on another node may be quicker: theirs is running.
    let inserted = of_attempt(text, attempt).bind(fingerprint).bind(now).execute(tx)?;
    Ok(if inserted == 1 { Reserved::New } else { Reserved::Running })
}

fn lock(tx: &mut Tx<'_>, attempt: &Attempt) -> StoreResult<Option<Row>> {
    let lock = if tx.is_postgres() { " FOR UPDATE" } else { "" };
    let text = format!(
        "SELECT fingerprint, state, reserved_at, status, headers, body FROM idempotency_keys WHERE caller = ? AND name = ?{lock}"
    );
    sql(text).bind(attempt.caller.as_str()).bind(attempt.name.as_str()).first(tx)
}

fn count(conn: &mut Conn, caller: &str) -> StoreResult<i64> {
    let text = "SELECT COUNT(*) AS n FROM idempotency_keys WHERE caller = ?";
    Ok(sql(text).bind(caller).first::<Number>(conn)?.map_or(0, |found| found.n))
}

fn forget(tx: &mut Tx<'_>, attempt: &Attempt) -> StoreResult<()> {
    let text = "DELETE FROM idempotency_keys WHERE caller = ? AND name = ?";
    sql(text).bind(attempt.caller.as_str()).bind(attempt.name.as_str()).execute(tx)?;
    Ok(())
}

/// Keeps the answer of an attempt that is over. `None`: it is carried out, and its answer is not kept.
pub fn answer(tx: &mut Tx<'_>, attempt: &Attempt, kept: Option<&Kept>) -> StoreResult<()> {
    let text = "UPDATE idempotency_keys SET state = 'done', status = ?, headers = ?, body = ? \
         WHERE caller = ? AND name = ? AND token = ?";
    sql(text)
        .bind(kept.map(|k| k.status))
        .bind(kept.map(|k| k.headers.as_str()))
        .bind(kept.map(|k| k.body.as_str()))
        .bind(attempt.caller.as_str())
        .bind(attempt.name.as_str())
        .bind(attempt.token.as_str())
        .execute(tx)?;
    Ok(())
}

/// Gives the key back if the attempt changed nothing; false when it did.
pub fn release(tx: &mut Tx<'_>, attempt: &Attempt) -> StoreResult<bool> {
    let text = "DELETE FROM idempotency_keys WHERE caller = ? AND name = ? AND token = ? AND state = 'reserved'";
    Ok(of_attempt(text, attempt).execute(tx)? == 1)
}

/// Takes all answers away, keys stay: what was said of a person must not outlive the person's erasure. How many.
pub fn forget_answers(tx: &mut Tx<'_>) -> StoreResult<usize> {
    sql("UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL WHERE body IS NOT NULL").execute(tx)
}

/// Forgets up to `limit` keys from before `before`; how many.
pub fn prune(tx: &mut Tx<'_>, before: Timestamp, limit: usize) -> StoreResult<usize> {
    let text = "DELETE FROM idempotency_keys WHERE (caller, name) IN \
         (SELECT caller, name FROM idempotency_keys WHERE reserved_at < ? ORDER BY reserved_at LIMIT ?)";
    sql(text).bind(before).bind(limit as i64).execute(tx)
}

fn of_attempt<'a>(text: &'static str, attempt: &'a Attempt) -> super::sql::Sql<'a> {
    sql(text).bind(attempt.caller.as_str()).bind(attempt.name.as_str()).bind(attempt.token.as_str())
}
