//! `database`: which database, and how long rows are kept.

use super::parse::{self, Parsed, Refusal};
use super::reader::Reader;
use crate::domain::time::Millis;
use std::fmt;
use std::path::PathBuf;

#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: DatabaseUrl,
    /// Connections for reading.
    pub readers: u32,
    pub retention: Retention,
}

/// Shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The embedded database's file.
    Sqlite(PathBuf),
    /// The whole `postgres://…` URL.
    Postgres(String),
}

/// How long is kept what may be thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Providers' own words; afterwards their hash and ids stay.
    pub raw_payload: Millis,
    /// Finished jobs.
    pub job_history: Millis,
    /// Full traces of runs that did something or failed; outcomes stay.
    pub traces: Millis,
    /// Why rules did nothing.
    pub skips: Millis,
    /// Leads that never became patients are de-identified after this.
    pub leads: Millis,
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "postgres://{}", host.split('?').next().unwrap_or(""))
            }
        }
    }
}

impl DatabaseSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let default = DatabaseUrl::Sqlite(PathBuf::from("data/avatar.db"));
        let url = match reader.shown_value("database.url", Some("DATABASE_URL"), default, parse_url) {
            DatabaseUrl::Sqlite(path) => DatabaseUrl::Sqlite(reader.working_dir().join(path)),
            postgres @ DatabaseUrl::Postgres(_) => postgres,
        };
        let readers = reader.number("database.readers", 8, 1, 64) as u32;
        Self { url, readers, retention: Retention::read(reader) }
    }
}

impl Retention {
    fn read(reader: &mut Reader) -> Self {
        Self {
            raw_payload: parse::days(reader.number("database.raw_payload_days", 90, 3, 3_650)),
            job_history: parse::days(reader.number("database.job_history_days", 30, 1, 3_650)),
            traces: parse::days(reader.number("database.trace_days", 90, 1, 3_650)),
            skips: parse::days(reader.number("database.skip_days", 14, 1, 3_650)),
            leads: parse::days(reader.number("database.lead_days", 730, 30, 3_650)),
        }
    }
}

fn parse_url(text: &str) -> Parsed<DatabaseUrl> {
    if let Some(path) = text.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
        return Ok(DatabaseUrl::Sqlite(PathBuf::from(path)));
    }
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(DatabaseUrl::Postgres(text.to_owned()));
    }
    let help = Some("write sqlite://data/avatar.db or postgres://user@host/name".to_owned());
    Err(Refusal { message: "names no database that is known".to_owned(), help })
}
