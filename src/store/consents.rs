//! What people have said to each kind of text: who wrote it down, how we know, and when.

use super::db::on;
use super::row::{domain_rows, row};
use super::schema::consents;
use super::{Conn, StoreResult, Tx};
use crate::domain::contact::ConsentSaid;
use crate::domain::time::Timestamp;
use diesel::prelude::*;

row!(consents, ConsentRow, ConsentSaid, id, insert {
    id => id: String, contact_id => contact_id: String, kind => kind: String, state => state: String, source => source: String,
    said_at => said_at: Timestamp, recorded_by => recorded_by: String, recorded_at => recorded_at: Timestamp,
});

/// Consents of one contact that are listed.
const LIST_MAX: i64 = 200;

pub fn insert_many(tx: &mut Tx<'_>, consents: &[&ConsentSaid]) -> StoreResult<()> {
    ConsentRow::insert_all(tx, consents)
}

/// The newest first.
pub fn list(conn: &mut Conn, contact_id: &str) -> StoreResult<Vec<ConsentSaid>> {
    let rows: Vec<ConsentRow> = on!(conn, c => consents::table
        .filter(consents::contact_id.eq(contact_id))
        .order(consents::id.desc())
        .limit(LIST_MAX)
        .select(ConsentRow::as_select())
        .load(c))?;
    domain_rows!(rows)
}
