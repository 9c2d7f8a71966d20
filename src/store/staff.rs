//! Members of staff and API keys.

use super::db::{Conn, Tx, on};
use super::error::{StoreError, StoreResult};
use super::schema::{api_keys, staff_users};
use crate::domain::staff::Role;
use crate::domain::time::{Millis, Timestamp};
use diesel::prelude::*;

/// A member of staff, as a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    pub id: String,
    /// Lower case; unique.
    pub email: String,
    pub name: String,
    pub role: Role,
    /// PHC string; `None` for somebody who cannot sign in with a password.
    pub password_hash: Option<String>,
}

/// An API key, as a row. The secret itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    pub role: Role,
    /// SHA-256 of the secret, lower-case hex.
    pub secret_sha256: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// # Errors
/// [`StoreError::Duplicate`] when somebody has this email address already.
pub fn insert_user(tx: &mut Tx<'_>, user: &NewUser, now: Timestamp) -> StoreResult<()> {
    use staff_users::dsl as u;
    let values = (
        u::id.eq(&user.id),
        u::email.eq(&user.email),
        u::name.eq(&user.name),
        u::role.eq(user.role.as_str()),
        u::password_hash.eq(&user.password_hash),
        u::active.eq(true),
        u::created_at.eq(now.0),
        u::updated_at.eq(now.0),
    );
    on!(tx, c => diesel::insert_into(staff_users::table).values(values).execute(c))?;
    Ok(())
}

pub fn insert_api_key(tx: &mut Tx<'_>, key: &ApiKey) -> StoreResult<()> {
    use api_keys::dsl as k;
    let values = (
        k::id.eq(&key.id),
        k::name.eq(&key.name),
        k::role.eq(key.role.as_str()),
        k::secret_sha256.eq(&key.secret_sha256),
        k::created_at.eq(key.created_at.0),
        k::last_used_at.eq(key.last_used_at.map(|t| t.0)),
        k::expires_at.eq(key.expires_at.map(|t| t.0)),
        k::revoked_at.eq(key.revoked_at.map(|t| t.0)),
    );
    on!(tx, c => diesel::insert_into(api_keys::table).values(values).execute(c))?;
    Ok(())
}

type ApiKeyRow = (String, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>);

pub fn find_api_key(conn: &mut Conn, id: &str) -> StoreResult<Option<ApiKey>> {
    let row = on!(conn, c => api_keys::table.find(id).first::<ApiKeyRow>(c).optional())?;
    row.map(api_key).transpose()
}

fn api_key(row: ApiKeyRow) -> StoreResult<ApiKey> {
    let (id, name, role, secret_sha256, created_at, last_used_at, expires_at, revoked_at) = row;
    Ok(ApiKey {
        id,
        name,
        role: Role::parse(&role).ok_or(StoreError::Corrupt { table: "api_keys", column: "role" })?,
        secret_sha256,
        created_at: Timestamp(created_at),
        last_used_at: last_used_at.map(Timestamp),
        expires_at: expires_at.map(Timestamp),
        revoked_at: revoked_at.map(Timestamp),
    })
}

/// Records a use, unless one is recorded that is no older than `resolution`.
pub fn touch_api_key(tx: &mut Tx<'_>, id: &str, now: Timestamp, resolution: Millis) -> StoreResult<()> {
    use api_keys::dsl as k;
    let is_old = k::last_used_at.is_null().or(k::last_used_at.le((now - resolution).0));
    let update = diesel::update(api_keys::table.find(id)).set(k::last_used_at.eq(now.0));
    on!(tx, c => update.filter(is_old.assume_not_null()).execute(c))?;
    Ok(())
}

/// Ends a key at once; one that is ended already keeps its time. False when there is none of this id.
pub fn revoke_api_key(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> StoreResult<bool> {
    use api_keys::dsl as k;
    let live = api_keys::table.find(id).filter(k::revoked_at.is_null());
    on!(tx, c => diesel::update(live).set(k::revoked_at.eq(now.0)).execute(c))?;
    Ok(find_api_key(tx, id)?.is_some())
}
