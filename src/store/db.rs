//! One connection to either database, and the macro that writes a query once for both.

use super::changes::{Gathered, Topic};
use super::error::StoreResult;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{PgConnection, SqliteConnection};
use std::collections::BTreeMap;
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

    /// Opens a transaction that may write. On SQLite it takes the write lock at once: a later upgrade could only fail.
    pub(in crate::store) fn begin(&mut self) -> StoreResult<()> {
        match &mut self.db {
            Db::Lite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
            Db::Pg(c) => AnsiTransactionManager::begin_transaction(c)?,
        }
        Ok(())
    }

    /// Everything that `work` reads is of one moment, whatever is written meanwhile.
    pub fn snapshot<T, E: From<super::StoreError>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.begin_snapshot()?;
        let result = work(self);
        let ended = self.rollback();
        let value = result?;
        ended?;
        Ok(value)
    }

    fn begin_snapshot(&mut self) -> StoreResult<()> {
        match &mut self.db {
            Db::Lite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN")?,
            Db::Pg(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?,
        }
        Ok(())
    }

    /// PostgreSQL answers COMMIT with success even when an earlier error, overlooked by the work, has made it a rollback. So a
    /// statement goes first, which then fails; both travel together.
    pub(in crate::store) fn commit(&mut self) -> StoreResult<()> {
        match &mut self.db {
            Db::Lite(c) => AnsiTransactionManager::commit_transaction(c)?,
            Db::Pg(c) => c.batch_execute("SELECT 1; COMMIT")?,
        }
        Ok(())
    }

    pub(in crate::store) fn rollback(&mut self) -> StoreResult<()> {
        on!(self, c => AnsiTransactionManager::rollback_transaction(c))?;
        Ok(())
    }

    /// The connection cannot be used any more.
    pub(in crate::store) fn is_broken(&mut self) -> bool {
        on!(self, c => AnsiTransactionManager::is_broken_transaction_manager(c))
    }
}

/// An open write transaction. Writes take `&mut Tx`, so none can happen outside of one. It reads like a [`Conn`].
pub struct Tx<'a> {
    conn: &'a mut Conn,
    /// How many jobs each queue got in this transaction: so many workers are woken after the commit.
    wakes: BTreeMap<String, u32>,
    /// What listeners are told after the commit.
    changes: Gathered,
}

impl<'a> Tx<'a> {
    pub(in crate::store) fn over(conn: &'a mut Conn) -> Self {
        Self { conn, wakes: BTreeMap::new(), changes: Gathered::default() }
    }

    /// A worker of `queue` is to be woken after the commit.
    pub(in crate::store) fn wake(&mut self, queue: &str) {
        match self.wakes.get_mut(queue) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                self.wakes.insert(queue.to_owned(), 1);
            }
        }
    }

    /// Listeners are told of this record after the commit. That of a piece whose savepoint was undone is told, too: whoever reads it anew
    /// finds nothing new.
    pub(in crate::store) fn changed(&mut self, topic: Topic, id: &str) {
        self.changes.add(topic, id);
    }

    /// The workers to wake, and what to tell.
    pub(in crate::store) fn into_news(self) -> (BTreeMap<String, u32>, Gathered) {
        (self.wakes, self.changes)
    }

    /// Runs `work` in a savepoint: its failure undoes only itself.
    pub fn savepoint<T, E: From<super::StoreError>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.open_savepoint()?;
        match work(self) {
            Ok(value) => {
                self.release_savepoint()?;
                Ok(value)
            }
            Err(error) => {
                self.undo_savepoint()?;
                Err(error)
            }
        }
    }

    pub(in crate::store) fn open_savepoint(&mut self) -> StoreResult<()> {
        self.batch("SAVEPOINT unit")
    }

    pub(in crate::store) fn release_savepoint(&mut self) -> StoreResult<()> {
        self.batch("RELEASE SAVEPOINT unit")
    }

    pub(in crate::store) fn undo_savepoint(&mut self) -> StoreResult<()> {
        self.batch("ROLLBACK TO SAVEPOINT unit; RELEASE SAVEPOINT unit")
    }

    pub(in crate::store) fn batch(&mut self, sql: &str) -> StoreResult<()> {
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
