//! Members of staff.

use crate::domain::staff::Role;
use crate::domain::time::Timestamp;
use crate::store::db::{Conn, Tx, on};
use crate::store::error::{StoreError, StoreResult};
use crate::store::schema::staff_users;
use crate::store::sql::{Number, sql};
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

/// A member of staff as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub password_hash: Option<String>,
    /// Somebody who is not cannot sign in.
    pub active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Goes up with every change.
    pub version: i64,
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
        u::version.eq(1),
    );
    on!(tx, c => diesel::insert_into(staff_users::table).values(values).execute(c))?;
    Ok(())
}

type UserRow = (String, String, String, String, Option<String>, bool, i64, i64, i64);

fn user(row: UserRow) -> StoreResult<User> {
    let (id, email, name, role, password_hash, active, created_at, updated_at, version) = row;
    let role = Role::parse(&role).ok_or(StoreError::Corrupt { table: "staff_users", column: "role" })?;
    let (created_at, updated_at) = (Timestamp(created_at), Timestamp(updated_at));
    Ok(User { id, email, name, role, password_hash, active, created_at, updated_at, version })
}

pub fn find_user(conn: &mut Conn, id: &str) -> StoreResult<Option<User>> {
    on!(conn, c => staff_users::table.find(id).first::<UserRow>(c).optional())?.map(user).transpose()
}

/// Like [`find_user`]; nobody else changes them until the end of the transaction.
pub fn lock_user(tx: &mut Tx<'_>, id: &str) -> StoreResult<Option<User>> {
    if tx.is_postgres() {
        sql("SELECT 1::BIGINT AS n FROM staff_users WHERE id = ? FOR UPDATE").bind(id).load::<Number>(tx)?;
    }
    find_user(tx, id)
}

/// `email` in lower case.
pub fn find_user_by_email(conn: &mut Conn, email: &str) -> StoreResult<Option<User>> {
    let query = staff_users::table.filter(staff_users::email.eq(email));
    on!(conn, c => query.first::<UserRow>(c).optional())?.map(user).transpose()
}

/// By name; at most `limit`.
pub fn list_users(conn: &mut Conn, limit: i64) -> StoreResult<Vec<User>> {
    let query = staff_users::table.order((staff_users::name.asc(), staff_users::id.asc())).limit(limit);
    on!(conn, c => query.load::<UserRow>(c))?.into_iter().map(user).collect()
}

/// Writes what can change: name, role, password and whether they may come in. The version goes up.
/// False when it is not `user.version` any more.
pub fn update_user(tx: &mut Tx<'_>, user: &User, now: Timestamp) -> StoreResult<bool> {
    use staff_users::dsl as u;
    let row = staff_users::table.find(&user.id).filter(u::version.eq(user.version));
    let values = (
        u::name.eq(&user.name),
        u::role.eq(user.role.as_str()),
        u::password_hash.eq(&user.password_hash),
        u::active.eq(user.active),
        u::updated_at.eq(now.0),
        u::version.eq(user.version + 1),
    );
    Ok(on!(tx, c => diesel::update(row).set(values).execute(c))? == 1)
}

/// Admins who may come in. Until the end of the transaction nobody else counts them, so that no two remove the last two.
pub fn count_active_admins(tx: &mut Tx<'_>) -> StoreResult<i64> {
    if tx.is_postgres() {
        sql("SELECT 1::BIGINT AS n FROM staff_users WHERE role = 'admin' FOR UPDATE").load::<Number>(tx)?;
    }
    let count = sql("SELECT count(*) AS n FROM staff_users WHERE role = 'admin' AND active").first::<Number>(tx)?;
    Ok(count.map_or(0, |n| n.n))
}
