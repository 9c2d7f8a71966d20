//! SQLite: one file, WAL, every commit on stable storage.

use crate::store::db::{Conn, Db};
use crate::store::error::{StoreError, StoreResult};
use crate::store::sql::{Number, sql};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Integer, Text};
use diesel::{Connection, QueryableByName, SqliteConnection};
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Older versions can corrupt a WAL database when a checkpoint and a writer meet.
const VERSION_MIN: (u32, u32, u32) = (3, 51, 3);

/// No memory mapping: with it an I/O error is a signal that kills the process, without it an error that is answered.
const PRAGMAS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA mmap_size = 0;
";
const WRITER_PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -49152;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA wal_autocheckpoint = 65536;
";
/// A thread of its own copies the log: see `writer::checkpoint`. The writer's own copying, inside of a commit, is for the case that it cannot.
const CHECKPOINTER_PRAGMAS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -512;
    PRAGMA wal_autocheckpoint = 0;
";
const READER_PRAGMAS: &str = "
    PRAGMA cache_size = -8192;
    PRAGMA query_only = ON;
";

pub(in crate::store) fn open_writer(path: &Path) -> StoreResult<Conn> {
    create_private(path)?;
    connect(path, WRITER_PRAGMAS)
}

pub(in crate::store) fn open_reader(path: &Path) -> StoreResult<Conn> {
    connect(path, READER_PRAGMAS)
}

pub(in crate::store) fn open_checkpointer(path: &Path) -> StoreResult<Conn> {
    connect(path, CHECKPOINTER_PRAGMAS)
}

/// Reads while others write, and writes nothing but a copy elsewhere.
pub(in crate::store) fn open_copier(path: &Path) -> StoreResult<Conn> {
    connect(path, "")
}

/// A copy that nobody uses. The file is not changed.
pub(in crate::store) fn open_copy(path: &Path) -> StoreResult<Conn> {
    connect(path, READER_PRAGMAS)
}

/// `ok`, or what is wrong.
pub(in crate::store) fn integrity(conn: &mut Conn) -> StoreResult<String> {
    text(conn, "SELECT integrity_check AS v FROM pragma_integrity_check LIMIT 1")
}

/// The write-ahead log, in pages.
#[derive(QueryableByName)]
pub(in crate::store) struct LogState {
    #[diesel(sql_type = Integer, column_name = "log")]
    pub pages: i32,
    /// How many of them are in the database file already.
    #[diesel(sql_type = Integer, column_name = "checkpointed")]
    pub copied: i32,
}

/// How long the log is.
pub(in crate::store) fn log_state(conn: &mut Conn) -> StoreResult<LogState> {
    let row: Option<LogState> = sql("PRAGMA wal_checkpoint(NOOP)").first(conn)?;
    row.ok_or(StoreError::NotFound { what: "write-ahead log" })
}

/// Copies what is in the log into the file, beside whoever writes and reads.
pub(in crate::store) fn copy_log(conn: &mut Conn) -> StoreResult<()> {
    sql("PRAGMA wal_checkpoint(PASSIVE)").first::<LogState>(conn)?;
    Ok(())
}

/// How long a log that is to begin anew may wait for readers of the old one. They can do without; it is tried again.
const BEGIN_ANEW: &str = "PRAGMA busy_timeout = 20; PRAGMA wal_checkpoint(RESTART); PRAGMA busy_timeout = 5000;";

/// Copies the rest of the log, so that the next write begins it anew. For the writer, outside of a transaction.
pub(in crate::store) fn begin_log_anew(conn: &mut Conn) -> StoreResult<()> {
    if let Db::Lite(lite) = &mut conn.db {
        lite.batch_execute(BEGIN_ANEW)?;
    }
    Ok(())
}

/// The size of the file.
pub(in crate::store) fn file_bytes(conn: &mut Conn) -> StoreResult<i64> {
    let text = "SELECT p.page_count * s.page_size AS n FROM pragma_page_count() p, pragma_page_size() s";
    Ok(sql(text).first::<Number>(conn)?.map_or(0, |row| row.n))
}

/// Writes the file anew, without the traces of what was deleted, and empties the log. False when somebody still reads the old one.
pub(in crate::store) fn vacuum(conn: &mut Conn) -> StoreResult<bool> {
    if let Db::Lite(lite) = &mut conn.db {
        lite.batch_execute("VACUUM")?;
    }
    let row: Option<Busy> = sql("PRAGMA wal_checkpoint(TRUNCATE)").first(conn)?;
    Ok(row.is_some_and(|row| row.busy == 0))
}

#[derive(QueryableByName)]
struct Busy {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

pub(in crate::store) fn check_fitness(conn: &mut Conn) -> StoreResult<()> {
    let version = text(conn, "SELECT sqlite_version() AS v")?;
    if parse_version(&version).is_none_or(|v| v < VERSION_MIN) {
        return Err(StoreError::Unfit(format!("SQLite {version} is too old; {VERSION_MIN:?} is needed")));
    }
    let mode = text(conn, "SELECT journal_mode AS v FROM pragma_journal_mode")?;
    if mode != "wal" {
        return Err(StoreError::Unfit(format!("journal mode is {mode}; the file system must support WAL")));
    }
    let synchronous: Option<Synchronous> = sql("SELECT synchronous AS v FROM pragma_synchronous").first(conn)?;
    if synchronous.is_none_or(|s| s.v < SYNCHRONOUS_FULL) {
        return Err(StoreError::Unfit("synchronous is not FULL".into()));
    }
    Ok(())
}

const SYNCHRONOUS_FULL: i32 = 2;

#[derive(QueryableByName)]
struct Synchronous {
    #[diesel(sql_type = Integer)]
    v: i32,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    v: String,
}

fn text(conn: &mut Conn, query: &'static str) -> StoreResult<String> {
    let row: Option<Word> = sql(query).first(conn)?;
    Ok(row.map(|r| r.v).unwrap_or_default())
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

/// The folder for its owner only, and the file before SQLite makes it: `-wal` and `-shm` take over its permissions.
fn create_private(path: &Path) -> StoreResult<()> {
    if path.exists() {
        return Ok(());
    }
    create_folder(path).map_err(unavailable)?;
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(unavailable)?;
    Ok(())
}

/// The folder of a file, for its owner only.
pub(in crate::store) fn create_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|f| !f.as_os_str().is_empty()) {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

fn connect(path: &Path, pragmas: &str) -> StoreResult<Conn> {
    let path = path.to_str().ok_or_else(|| StoreError::Unfit("the database path is not UTF-8".into()))?;
    let mut lite = SqliteConnection::establish(path).map_err(|e| StoreError::Unavailable { reason: e.to_string() })?;
    lite.batch_execute(PRAGMAS)?;
    lite.batch_execute(pragmas)?;
    Ok(Conn { db: Db::Lite(lite) })
}

fn unavailable(error: std::io::Error) -> StoreError {
    StoreError::Unavailable { reason: error.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(parse_version("3.9.0") < Some(VERSION_MIN));
        assert!(parse_version("3.53.2") >= Some(VERSION_MIN));
        assert_eq!(parse_version("x"), None);
    }
}
