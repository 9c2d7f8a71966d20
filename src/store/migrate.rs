//! The migrations are part of the program; each database has its own texts under the same names.

use super::db::{Conn, Db};
use super::error::{StoreError, StoreResult};
use super::sql::{Number, sql};
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel::{Connection, PgConnection, QueryableByName};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::error::Error;

const LITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const PG: EmbeddedMigrations = embed_migrations!("migrations/postgres");

type Failure = Box<dyn Error + Send + Sync>;

/// Held while migrating, so that nodes that start together do so one after the other.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7305808869231650932)";

/// Applies what is missing, all in one transaction.
pub(in crate::store) fn run_pending(conn: &mut Conn) -> StoreResult<Vec<String>> {
    refuse_unknown(conn)?;
    match &mut conn.db {
        Db::Lite(c) => c.immediate_transaction(|c| names(c.run_pending_migrations(LITE))),
        Db::Pg(c) => locked(c, |c| names(c.run_pending_migrations(PG))),
    }
}

/// Undoes everything, newest first.
pub(in crate::store) fn revert_all(conn: &mut Conn) -> StoreResult<Vec<String>> {
    match &mut conn.db {
        Db::Lite(c) => c.immediate_transaction(|c| names(c.revert_all_migrations(LITE))),
        Db::Pg(c) => locked(c, |c| names(c.revert_all_migrations(PG))),
    }
}

/// A database that a newer program has migrated is not ours to touch.
pub(in crate::store) fn refuse_unknown(conn: &mut Conn) -> StoreResult<()> {
    let known = known(conn)?;
    match applied(conn)?.into_iter().find(|version| !known.iter().any(|(v, _)| v == version)) {
        Some(version) => Err(StoreError::Unfit(format!(
            "the database has migration {version}, which this version of the program does not know; use a newer one"
        ))),
        None => Ok(()),
    }
}

/// Names in order, with whether they are applied.
pub(in crate::store) fn status(conn: &mut Conn) -> StoreResult<Vec<(String, bool)>> {
    let applied = applied(conn)?;
    Ok(known(conn)?.into_iter().map(|(version, name)| (name, applied.contains(&version))).collect())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every table, column and index, one line each, sorted: to compare two databases of one kind.
pub fn describe_schema(conn: &mut Conn) -> StoreResult<Vec<String>> {
    let text = if conn.is_postgres() {
        "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) AS line \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%' \
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%' ORDER BY 1"
    } else {
        "SELECT sql AS line FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '\\_\\_%' ESCAPE '\\' \
         AND name NOT LIKE 'sqlite%' ORDER BY 1"
    };
    Ok(sql(text).load::<Line>(conn)?.into_iter().map(|row| row.line).collect())
}

fn locked<T>(c: &mut PgConnection, work: impl FnOnce(&mut PgConnection) -> StoreResult<T>) -> StoreResult<T> {
    c.transaction(|c| {
        c.batch_execute(LOCK)?;
        work(c)
    })
}

fn names(done: Result<Vec<MigrationVersion<'_>>, Failure>) -> StoreResult<Vec<String>> {
    Ok(done.map_err(failed)?.iter().map(ToString::to_string).collect())
}

/// Versions in the database; none when it has never been migrated.
fn applied(conn: &mut Conn) -> StoreResult<Vec<String>> {
    let exists = if conn.is_postgres() {
        "SELECT CASE WHEN to_regclass('__diesel_schema_migrations') IS NULL THEN 0 ELSE 1 END::BIGINT AS n"
    } else {
        "SELECT count(*) AS n FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
    };
    if sql(exists).first::<Number>(conn)?.is_none_or(|found| found.n == 0) {
        return Ok(Vec::new());
    }
    let rows: Vec<Applied> = sql("SELECT version FROM __diesel_schema_migrations ORDER BY version").load(conn)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

/// (version, name) of each migration in the program.
fn known(conn: &Conn) -> StoreResult<Vec<(String, String)>> {
    fn list<DB: diesel::backend::Backend>(
        found: Result<Vec<Box<dyn Migration<DB>>>, Failure>,
    ) -> StoreResult<Vec<(String, String)>> {
        let mut all: Vec<_> =
            found.map_err(failed)?.iter().map(|m| (m.name().version().to_string(), m.name().to_string())).collect();
        all.sort();
        Ok(all)
    }
    match conn.db {
        Db::Lite(_) => list(MigrationSource::<Sqlite>::migrations(&LITE)),
        Db::Pg(_) => list(MigrationSource::<Pg>::migrations(&PG)),
    }
}

fn failed(error: Failure) -> StoreError {
    StoreError::Statement(format!("migration: {error}"))
}
