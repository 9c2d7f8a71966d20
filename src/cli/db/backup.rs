//! `avatar db backup`, `restore` and `vacuum`.

use super::SCHEMA;
use crate::automation::backups;
use crate::cli::failure::{Done, Failure, wait_for};
use crate::cli::parts::Parts;
use crate::cli::{Context, Exit};
use crate::config::{DatabaseUrl, Settings};
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::time::Timestamp;
use crate::store::backup::{Copy, CopyError, restore as put_in_place};
use crate::store::{jobs, workers};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::path::{Path, PathBuf};

/// After a restore texts wait until somebody has looked: some of them may have left after the copy was made.
const TEXTS_QUEUE: &str = crate::jobs::kinds::SMS;

pub(super) fn make(context: &Context, path: Option<&Path>) -> Exit {
    context.on_database(async |parts| {
        let to = match (path, &parts.settings.backup.folder) {
            (Some(path), _) => path.to_owned(),
            (None, Some(folder)) => backups::file_in(folder, parts.clock.now()),
            (None, None) => return Err(CopyError::Postgres.into()),
        };
        let copy = backups::make(&parts.store, &parts.clock, to).await?;
        tell(context, &copy, None);
        Ok(Exit::Done)
    })
}

pub(super) fn vacuum(context: &Context) -> Exit {
    context.on_database(async |parts| {
        if parts.store.is_postgres() {
            return Err(Failure::new("PostgreSQL does this by itself").with_help("or by hand: `VACUUM FULL` in psql"));
        }
        let store = parts.store.clone();
        let done = tokio::task::spawn_blocking(move || store.vacuum()).await.map_err(|e| Failure::new(e.to_string()))??;
        if !done {
            context.output.hint("the file is written anew, but somebody still reads the old log: run it again in a minute");
            return Ok(Exit::Found);
        }
        context.output.hint("the file is written anew");
        Ok(Exit::Done)
    })
}

/// Nothing is opened before the copy is in its place: opening would make files.
pub(super) fn restore(context: &Context, file: &Path, replace: bool) -> Done {
    let settings = context.settings()?;
    let DatabaseUrl::Sqlite(database) = settings.database.url.clone() else {
        return Err(Failure::new("PostgreSQL restores its own backups")
            .with_help("`pg_restore --clean --if-exists --dbname=\"$DATABASE_URL\" avatar.dump`"));
    };
    if database.exists() {
        if !replace {
            let message = format!("there is a database {} already", settings.database.url);
            return Err(Failure::new(message).with_help("with --replace it is kept beside the new one"));
        }
        refuse_running(context, settings.clone())?;
    }
    let (copy, kept) = put_in_place(file, &database, &format!("before-{}", stamp(SystemClock.now())))?;
    let parts = Parts::open(settings, context.environment)?;
    parts.store.migrate()?;
    let at = parts.clock.now();
    wait_for(async {
        parts.store.write(move |tx| jobs::pause(tx, TEXTS_QUEUE, at)).await?;
        Ok(Exit::Done)
    })?;
    tell(context, &copy, kept.as_deref());
    context.output.hint("texts wait: some may have left after the copy was made. Look at them, then `avatar jobs resume sms`");
    Ok(Exit::Done)
}

/// As the names of backups have it, UTC.
fn stamp(now: Timestamp) -> String {
    DateTime::<Utc>::from_timestamp_millis(now.0).unwrap_or_default().format("%Y%m%d-%H%M%S").to_string()
}

/// A server that has the old file open would go on writing into it.
fn refuse_running(context: &Context, settings: Settings) -> Result<(), Failure> {
    let Ok(parts) = Parts::open(settings, context.environment) else { return Ok(()) };
    let now = parts.clock.now();
    let running = parts.store.read_now(workers::alive).unwrap_or_default();
    if running.iter().any(|worker| worker.expires_at > now.0) {
        return Err(Failure::new("a server or worker is running on this database")
            .with_help("stop it first; after a crash it counts as running for a few seconds"));
    }
    Ok(())
}

fn tell(context: &Context, copy: &Copy, kept: Option<&Path>) {
    let kept: Option<PathBuf> = kept.map(Path::to_owned);
    if context.output.json {
        let object = json!({ "schema": SCHEMA, "path": copy.path, "bytes": copy.bytes, "rows": copy.rows, "kept": kept });
        return context.output.object(&object);
    }
    context.output.line(&copy.path.display().to_string());
    let rows: Vec<String> = copy.rows.iter().map(|(table, rows)| format!("{rows} {table}")).collect();
    context.output.hint(&format!("sound: {} bytes, {}", copy.bytes, rows.join(", ")));
    if let Some(kept) = kept {
        context.output.hint(&format!("the database that was there is {}", kept.display()));
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Store(error) => error.into(),
            CopyError::Postgres => Self::new("PostgreSQL makes its own backups")
                .with_help("`pg_dump --format=custom --file=avatar.dump \"$DATABASE_URL\"`: docs/OPERATIONS.md"),
            other => Self::new(other.to_string()),
        }
    }
}
