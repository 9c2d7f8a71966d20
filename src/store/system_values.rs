//! Single values of the installation.

use super::db::on;
use super::rulesets::set_value;
use super::schema::system_values;
use super::{Conn, StoreResult, Tx};
use crate::domain::time::Timestamp;
use diesel::prelude::*;

pub fn find(conn: &mut Conn, key: &str) -> StoreResult<Option<String>> {
    Ok(on!(conn, c => system_values::table.find(key).select(system_values::value).first(c).optional())?)
}

pub fn put(tx: &mut Tx<'_>, key: &str, value: &str, now: Timestamp) -> StoreResult<()> {
    set_value(tx, key, value, now)
}
