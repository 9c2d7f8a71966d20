//! One person's data, all of it: to hand over, and to destroy.

mod erase;
mod export;
mod who;

pub use erase::{Counts, Erasure, erase, forget_events};
pub use export::{SECTION_ROWS_MAX, export};
pub use who::{Person, find_loose_events, find_person, is_leaving};

use super::sql::{Number, sql};
use super::{Conn, StoreResult};

/// In the place of what was destroyed.
pub const ERASED: &str = "erased";

/// True when this database has the table: those of features that came later are left out of a database that does not have them.
fn has_table(conn: &mut Conn, table: &str) -> StoreResult<bool> {
    let text = if conn.is_postgres() {
        "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?"
    } else {
        "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = ?"
    };
    Ok(sql(text).bind(table).first::<Number>(conn)?.is_some_and(|row| row.n > 0))
}
