//! API keys.

use crate::domain::staff::{Role, Scopes};
use crate::domain::time::{Millis, Timestamp};
use crate::store::db::{Conn, Tx, on};
use crate::store::error::{StoreError, StoreResult};
use crate::store::schema::api_keys;
use diesel::prelude::*;

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
    pub scopes: Scopes,
    /// Who made it; `None` for keys made at the machine itself.
    pub created_by: Option<String>,
}

impl ApiKey {
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
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
        k::scopes.eq(key.scopes.to_text()),
        k::created_by.eq(&key.created_by),
    );
    on!(tx, c => diesel::insert_into(api_keys::table).values(values).execute(c))?;
    Ok(())
}

type ApiKeyRow = (String, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>, String, Option<String>);

pub fn find_api_key(conn: &mut Conn, id: &str) -> StoreResult<Option<ApiKey>> {
    let row = on!(conn, c => api_keys::table.find(id).first::<ApiKeyRow>(c).optional())?;
    row.map(api_key).transpose()
}

/// Newest first, also those that ended; at most `limit`.
pub fn list_api_keys(conn: &mut Conn, limit: i64) -> StoreResult<Vec<ApiKey>> {
    let query = api_keys::table.order(api_keys::id.desc()).limit(limit);
    on!(conn, c => query.load::<ApiKeyRow>(c))?.into_iter().map(api_key).collect()
}

fn api_key(row: ApiKeyRow) -> StoreResult<ApiKey> {
    let (id, name, role, secret_sha256, created_at, last_used_at, expires_at, revoked_at, scopes, created_by) = row;
    Ok(ApiKey {
        id,
        name,
        role: Role::parse(&role).ok_or(StoreError::Corrupt { table: "api_keys", column: "role" })?,
        secret_sha256,
        created_at: Timestamp(created_at),
        last_used_at: last_used_at.map(Timestamp),
        expires_at: expires_at.map(Timestamp),
        revoked_at: revoked_at.map(Timestamp),
        scopes: Scopes::from_text(&scopes).ok_or(StoreError::Corrupt { table: "api_keys", column: "scopes" })?,
        created_by,
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
