//! How a store is opened.

use super::error::{StoreError, StoreResult};
use std::path::PathBuf;

/// What [`super::Store::open`] needs to know.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite://path` or `postgres://user@host/name`.
    pub url: String,
    /// Connections for reads.
    pub readers: u32,
    /// Connections for writes on PostgreSQL; SQLite always has one.
    pub writers_pg: u32,
}

impl StoreOptions {
    /// The usual numbers of connections.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), readers: 4, writers_pg: 4 }
    }
}

/// A connection that cannot be made in this time counts as refused.
const CONNECT_SECONDS_MAX: u32 = 5;
/// Unanswered data on a connection to PostgreSQL breaks it after this time, so that a dead network is noticed.
const TCP_USER_TIMEOUT_MS: u32 = 15_000;

/// A parsed database URL.
#[derive(Clone)]
pub(in crate::store) enum Target {
    Lite { path: PathBuf },
    Pg { url: String },
}

impl Target {
    pub(in crate::store) fn parse(url: &str) -> StoreResult<Self> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return Self::file(path);
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Pg { url: with_timeouts(url) });
        }
        Err(StoreError::Unfit("the database URL must begin with sqlite:// or postgres://".into()))
    }

    fn file(path: &str) -> StoreResult<Self> {
        if path.is_empty() || path.contains(":memory:") || path.contains('?') {
            return Err(StoreError::Unfit("a SQLite database is a file: sqlite://path/to/avatar.db".into()));
        }
        Ok(Self::Lite { path: PathBuf::from(path) })
    }
}

fn with_timeouts(url: &str) -> String {
    let mut out = url.to_owned();
    for (name, value) in [
        ("connect_timeout", CONNECT_SECONDS_MAX.to_string()),
        ("tcp_user_timeout", TCP_USER_TIMEOUT_MS.to_string()),
        ("application_name", "avatar".to_owned()),
    ] {
        if !out.contains(&format!("{name}=")) {
            out.push(if out.contains('?') { '&' } else { '?' });
            out.extend([name, "=", &value]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_and_servers_are_databases() {
        for url in ["", "avatar.db", "sqlite://", "sqlite://:memory:", "sqlite://a.db?mode=memory", "mysql://x/y"] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
        let Ok(Target::Pg { url }) = Target::parse("postgres://u@h/db?connect_timeout=1") else { panic!("a server") };
        assert_eq!(url, "postgres://u@h/db?connect_timeout=1&tcp_user_timeout=15000&application_name=avatar");
    }
}
