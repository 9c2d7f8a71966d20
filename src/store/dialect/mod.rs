//! What truly differs between the two databases, under the same names.

pub(in crate::store) mod postgres;
pub(in crate::store) mod sqlite;

use super::db::{Conn, Db};
use super::error::StoreResult;
use super::options::Target;
use std::collections::BTreeSet;

/// A connection that may write.
pub(in crate::store) fn open_writer(target: &Target) -> StoreResult<Conn> {
    match target {
        Target::Lite { path } => sqlite::open_writer(path),
        Target::Pg { url } => postgres::open_writer(url),
    }
}

/// A connection that the database itself keeps from writing.
pub(in crate::store) fn open_reader(target: &Target) -> StoreResult<Conn> {
    match target {
        Target::Lite { path } => sqlite::open_reader(path),
        Target::Pg { url } => postgres::open_reader(url),
    }
}

/// Refuses a database that could lose what it has acknowledged.
pub(in crate::store) fn check_fitness(conn: &mut Conn) -> StoreResult<()> {
    match conn.db {
        Db::Lite(_) => sqlite::check_fitness(conn),
        Db::Pg(_) => postgres::check_fitness(conn),
    }
}

/// Keeps every other transaction out of these lanes until this one ends, so that a job cannot be put to sleep behind one that
/// is just leaving. SQLite has only one writer.
pub(in crate::store) fn lock_lanes(conn: &mut Conn, lanes: &BTreeSet<&str>) -> StoreResult<()> {
    match conn.db {
        Db::Lite(_) => Ok(()),
        Db::Pg(_) => postgres::lock_lanes(conn, lanes),
    }
}
