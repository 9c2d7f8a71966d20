//! Whether the database takes writes: by writing.

use crate::domain::time::Timestamp;
use crate::store::db::{Tx, on};
use crate::store::error::StoreResult;
use crate::store::schema::system_values;
use diesel::prelude::*;

const KEY: &str = "ready_probe";

/// Writes one small row, the same each time.
pub fn write(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<()> {
    use system_values::dsl as s;
    let row = (s::key.eq(KEY), s::value.eq("ok"), s::updated_at.eq(now.0));
    on!(tx, c => {
        diesel::insert_into(system_values::table)
            .values(row)
            .on_conflict(s::key)
            .do_update()
            .set(s::updated_at.eq(now.0))
            .execute(c)
    })?;
    Ok(())
}
