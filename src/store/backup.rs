//! Copies of the embedded database, made while it is in use, and looked at before anybody relies on them.

use super::dialect::sqlite;
use super::invariants::{self, Broken};
use super::options::Target;
use super::sql::{Number, sql};
use super::{Conn, Store, StoreError, StoreResult, migrate};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Tables whose rows are counted: what a clinic would miss first.
const COUNTED: &[&str] = &["contacts", "bookings", "tasks", "sms_messages", "event_log", "automation_runs", "rulesets", "jobs"];
/// Tables that rows are only added to: a copy has no fewer than there were before it was made.
const GROWING: &[&str] = &["event_log", "rulesets"];

/// A copy that can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    pub path: PathBuf,
    pub bytes: u64,
    /// Rows of the tables that matter most.
    pub rows: BTreeMap<&'static str, i64>,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("PostgreSQL makes its own backups: `pg_dump --format=custom --file=avatar.dump \"$DATABASE_URL\"`")]
    Postgres,
    #[error("there is a file {0} already")]
    Exists(PathBuf),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    /// What was wrong with it, in words.
    #[error("{path} is no sound copy: {what}")]
    Unsound { path: PathBuf, what: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Copies the database to `to`, which only its owner can read. Whoever writes meanwhile goes on; the copy is as the database was at
    /// one moment. It is looked at before it gets its name. Blocks.
    ///
    /// # Errors
    /// When there is such a file, it cannot be written, or the copy is not sound; `to` is then as it was.
    pub fn copy_to(&self, to: &Path) -> Result<Copy, CopyError> {
        let Target::Lite { path } = &self.inner.target else { return Err(CopyError::Postgres) };
        if to.exists() {
            return Err(CopyError::Exists(to.to_owned()));
        }
        let unfinished = beside(to, "unfinished");
        let made = make(path, &unfinished, to);
        if made.is_err() {
            discard(&unfinished);
        }
        made
    }
}

fn make(from: &Path, unfinished: &Path, to: &Path) -> Result<Copy, CopyError> {
    let file = |error| CopyError::File { path: to.to_owned(), error };
    discard(unfinished);
    let private = OpenOptions::new().write(true).create_new(true).mode(0o600).open(unfinished).map_err(file)?;
    let mut conn = sqlite::open_copier(from)?;
    let before = count_rows(&mut conn, GROWING)?;
    sql("VACUUM INTO ?").bind(unfinished.to_string_lossy().into_owned()).execute(&mut conn)?;
    drop(conn);
    let copy = examine(unfinished)?;
    if let Some((table, _)) = before.iter().find(|(table, rows)| copy.rows.get(*table) < Some(*rows)) {
        let what = format!("{table} has fewer rows than before");
        return Err(CopyError::Unsound { path: to.to_owned(), what });
    }
    private.sync_all().map_err(file)?;
    std::fs::rename(unfinished, to).map_err(file)?;
    sync_folder(to).map_err(file)?;
    Ok(Copy { path: to.to_owned(), ..copy })
}

/// Opens a copy and looks at all of it: every page, every invariant, and whether this program understands it.
///
/// # Errors
/// When it cannot be read, or is not sound.
pub fn examine(path: &Path) -> Result<Copy, CopyError> {
    let result = examine_open(path);
    discard_log(path);
    result
}

fn examine_open(path: &Path) -> Result<Copy, CopyError> {
    let unsound = |what: String| CopyError::Unsound { path: path.to_owned(), what };
    let bytes = std::fs::metadata(path).map_err(|error| CopyError::File { path: path.to_owned(), error })?.len();
    let mut conn = sqlite::open_copy(path).map_err(|error| unsound(error.to_string()))?;
    let found = sqlite::integrity(&mut conn).map_err(|error| unsound(error.to_string()))?;
    if found != "ok" {
        return Err(unsound(found));
    }
    migrate::refuse_unknown(&mut conn)?;
    let rows = count_rows(&mut conn, COUNTED).map_err(|_| unsound("it has not the tables of this program".to_owned()))?;
    let broken: Vec<Broken> = invariants::check(&mut conn)?;
    if let Some(first) = broken.first() {
        return Err(unsound(format!("{} broken invariants; the first: {}", broken.len(), first.means)));
    }
    Ok(Copy { path: path.to_owned(), bytes, rows })
}

/// Puts a sound copy in the place of a database that nobody has open. What was there is kept beside it, under the name that is answered.
///
/// # Errors
/// When the copy is not sound or a file cannot be written; what was there stays.
pub fn restore(copy: &Path, database: &Path, kept_as: &str) -> Result<(Copy, Option<PathBuf>), CopyError> {
    let file = |error| CopyError::File { path: database.to_owned(), error };
    let unfinished = beside(database, "restoring");
    discard(&unfinished);
    let examined = examine(copy)?;
    copy_private(copy, &unfinished).map_err(file)?;
    let sound = examine(&unfinished);
    if sound.is_err() {
        discard(&unfinished);
    }
    sound?;
    let kept = if database.exists() { Some(put_aside(database, kept_as).map_err(file)?) } else { None };
    std::fs::rename(&unfinished, database).map_err(file)?;
    sync_folder(database).map_err(file)?;
    Ok((examined, kept))
}

fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    sqlite::create_folder(to)?;
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()
}

/// The log goes with its file: without it what was committed last would be missing.
fn put_aside(database: &Path, name: &str) -> io::Result<PathBuf> {
    let kept = beside(database, name);
    for end in ["-wal", "-shm"] {
        let log = with_end(database, end);
        if log.exists() {
            std::fs::rename(&log, with_end(&kept, end))?;
        }
    }
    std::fs::rename(database, &kept)?;
    Ok(kept)
}

fn count_rows(conn: &mut Conn, tables: &[&'static str]) -> StoreResult<BTreeMap<&'static str, i64>> {
    let mut rows = BTreeMap::new();
    for table in tables {
        let count = sql(format!("SELECT COUNT(*) AS n FROM {table}")).first::<Number>(conn)?;
        rows.insert(*table, count.map_or(0, |row| row.n));
    }
    Ok(rows)
}

/// `avatar.db.NAME`
fn beside(path: &Path, name: &str) -> PathBuf {
    with_end(path, &format!(".{name}"))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(end);
    text.into()
}

fn discard(path: &Path) {
    drop(std::fs::remove_file(path));
    discard_log(path);
}

fn discard_log(path: &Path) {
    for end in ["-wal", "-shm", "-journal"] {
        drop(std::fs::remove_file(with_end(path, end)));
    }
}

/// A new name is on stable storage when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
