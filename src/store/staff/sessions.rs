//! Sessions of members of staff. One that ended has no row.

use crate::domain::time::{Millis, Timestamp};
use crate::store::db::{Conn, Tx, on};
use crate::store::error::{StoreError, StoreResult};
use crate::store::row::row;
use crate::store::schema::staff_sessions;
use crate::store::sql::sql;
use diesel::prelude::*;

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeganWith {
    Password,
    /// A one-time code that only lets them choose a password.
    Invitation,
    /// A one-time code of a demo.
    Link,
}

impl BeganWith {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Invitation => "invitation",
            Self::Link => "link",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Password, Self::Invitation, Self::Link].into_iter().find(|way| way.as_str() == text)
    }
}

/// One session. The token itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub user_id: String,
    /// SHA-256 of the token, lower-case hex.
    pub token_sha256: String,
    pub began_with: BeganWith,
    /// They proved themselves with a second factor, too.
    pub second_factor: bool,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// It ends then, however busy they are.
    pub expires_at: Timestamp,
    pub ip: Option<String>,
    /// What their browser calls itself.
    pub agent: Option<String>,
}

row!(staff_sessions, SessionRow, Stored, id, insert {
    id => id: String, user_id => user_id: String, token_sha256 => token_sha256: String, began_with => began_with: String,
    second_factor => second_factor: bool, created_at => created_at: Timestamp, last_seen_at => last_seen_at: Timestamp,
    expires_at => expires_at: Timestamp, ip => ip: Option<String>, agent => agent: Option<String>,
});

/// A session with its columns' types.
pub(in crate::store) struct Stored {
    id: String,
    user_id: String,
    token_sha256: String,
    began_with: String,
    second_factor: bool,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    ip: Option<String>,
    agent: Option<String>,
}

fn session(row: SessionRow) -> StoreResult<Session> {
    let Stored { id, user_id, token_sha256, began_with, second_factor, created_at, last_seen_at, expires_at, ip, agent } =
        row.into_domain()?;
    let began_with =
        BeganWith::parse(&began_with).ok_or(StoreError::Corrupt { table: "staff_sessions", column: "began_with" })?;
    Ok(Session { id, user_id, token_sha256, began_with, second_factor, created_at, last_seen_at, expires_at, ip, agent })
}

pub fn insert_session(tx: &mut Tx<'_>, session: &Session) -> StoreResult<()> {
    let Session { id, user_id, token_sha256, began_with, second_factor, created_at, last_seen_at, expires_at, ip, agent } =
        session.clone();
    let began_with = began_with.as_str().to_owned();
    let row = Stored { id, user_id, token_sha256, began_with, second_factor, created_at, last_seen_at, expires_at, ip, agent };
    SessionRow::insert_all(tx, &[&row])
}

/// By its token's hash.
pub fn find_session(conn: &mut Conn, token_sha256: &str) -> StoreResult<Option<Session>> {
    let query = staff_sessions::table.filter(staff_sessions::token_sha256.eq(token_sha256));
    on!(conn, c => query.select(SessionRow::as_select()).first(c).optional())?.map(session).transpose()
}

/// Newest first.
pub fn list_sessions(conn: &mut Conn, user_id: &str, limit: i64) -> StoreResult<Vec<Session>> {
    let query = staff_sessions::table.filter(staff_sessions::user_id.eq(user_id)).order(staff_sessions::id.desc()).limit(limit);
    on!(conn, c => query.select(SessionRow::as_select()).load(c))?.into_iter().map(session).collect()
}

/// Records that a session is in use, unless that is recorded that is no older than `resolution`.
pub fn touch_session(tx: &mut Tx<'_>, id: &str, now: Timestamp, resolution: Millis) -> StoreResult<()> {
    let text = "UPDATE staff_sessions SET last_seen_at = ? WHERE id = ? AND last_seen_at <= ?";
    sql(text).bind(now).bind(id).bind(now - resolution).execute(tx)?;
    Ok(())
}

/// Ends one session of a member of staff. False when they have none of this id.
pub fn delete_session(tx: &mut Tx<'_>, user_id: &str, id: &str) -> StoreResult<bool> {
    Ok(sql("DELETE FROM staff_sessions WHERE id = ? AND user_id = ?").bind(id).bind(user_id).execute(tx)? == 1)
}

/// Ends all sessions of a member of staff but `except`; answers with how many.
pub fn delete_sessions_of(tx: &mut Tx<'_>, user_id: &str, except: Option<&str>) -> StoreResult<i64> {
    let text = "DELETE FROM staff_sessions WHERE user_id = ? AND id <> ?";
    Ok(sql(text).bind(user_id).bind(except.unwrap_or_default()).execute(tx)? as i64)
}

/// Forgets sessions that are over.
pub fn prune_sessions(tx: &mut Tx<'_>, now: Timestamp, idle: Millis) -> StoreResult<()> {
    sql("DELETE FROM staff_sessions WHERE expires_at <= ?").bind(now).execute(tx)?;
    sql("DELETE FROM staff_sessions WHERE last_seen_at <= ?").bind(now - idle).execute(tx)?;
    Ok(())
}
