//! One connection to either database, and the macro that writes a query once for both.

use super::error::StoreResult;
use diesel::{PgConnection, SqliteConnection};
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

/// The two databases. Nothing outside of `store` sees which one it is.
pub(in crate::store) enum Db {
    Lite(SqliteConnection),
    Pg(PgConnection),
}

/// Runs one body on whichever connection `$conn.db` is; the body is type-checked once for each backend.
macro_rules! on {
    ($conn:expr, $c:ident => $body:expr) => {
        match &mut $conn.db {
            $crate::store::db::Db::Lite($c) => $body,
            $crate::store::db::Db::Pg($c) => $body,
        }
    };
}
pub(in crate::store) use on;

/// A connection on which queries run. Reads take `&mut Conn`.
pub struct Conn {
    pub(in crate::store) db: Db,
}

impl Conn {
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.db, Db::Pg(_))
    }
}

/// An open write transaction. Writes take `&mut Tx`, so none can happen outside of one. It reads like a [`Conn`].
pub struct Tx<'a> {
    conn: &'a mut Conn,
    /// Queues that got work in this transaction: woken after the commit.
    pub(in crate::store) wakes: BTreeSet<String>,
}

impl<'a> Tx<'a> {
    pub(in crate::store) fn over(conn: &'a mut Conn) -> Self {
        Self { conn, wakes: BTreeSet::new() }
    }

    /// Runs `work` in a savepoint: its failure undoes only itself.
    pub fn savepoint<T, E: From<super::StoreError>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.batch("SAVEPOINT unit")?;
        match work(self) {
            Ok(value) => {
                self.batch("RELEASE SAVEPOINT unit")?;
                Ok(value)
            }
            Err(error) => {
                self.batch("ROLLBACK TO SAVEPOINT unit")?;
                self.batch("RELEASE SAVEPOINT unit")?;
                Err(error)
            }
        }
    }

    pub(in crate::store) fn batch(&mut self, sql: &str) -> StoreResult<()> {
        use diesel::connection::SimpleConnection;
        on!(self.conn, c => c.batch_execute(sql))?;
        Ok(())
    }
}

impl Deref for Tx<'_> {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        self.conn
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn
    }
}
