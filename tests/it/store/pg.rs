//! A PostgreSQL for the test run: the one that `AVATAR_TEST_POSTGRES_URL` names (a server's URL without a database, user may
//! create some), or a server of our own in a temporary folder, shared by all test processes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const BIN: &str = "/usr/lib/postgresql/15/bin";

/// The URL of an empty database; `None` when there is no PostgreSQL on this machine.
pub fn fresh_database() -> Option<String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = server()?;
    let name = format!("avatar_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    run(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    assert!(run(server, &format!("CREATE DATABASE {name}")), "no database could be made");
    Some(url(server, &name))
}

/// Removes what [`fresh_database`] made.
pub fn drop_database(database: &str) {
    let name = database.split('?').next().and_then(|u| u.rsplit('/').next()).unwrap_or_default();
    if let Some(server) = server() {
        run(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    }
}

fn server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<String>> = OnceLock::new();
    SERVER.get_or_init(|| given().or_else(own)).as_deref()
}

#[expect(clippy::disallowed_methods, reason = "the test run's own setting")]
fn given() -> Option<String> {
    std::env::var("AVATAR_TEST_POSTGRES_URL").ok()
}

fn url(server: &str, name: &str) -> String {
    match server.split_once('?') {
        Some((head, tail)) => format!("{}/{name}?{tail}", head.trim_end_matches('/')),
        None => format!("{}/{name}", server.trim_end_matches('/')),
    }
}

fn run(server: &str, statement: &str) -> bool {
    let psql = Command::new(format!("{BIN}/psql")).args(["-qAt", "-d", &url(server, "postgres"), "-c", statement]).output();
    psql.is_ok_and(|out| out.status.success())
}

/// Starts the shared server unless it runs; one process at a time.
fn own() -> Option<String> {
    if !Path::new(BIN).join("initdb").exists() {
        return None;
    }
    let folder = PathBuf::from("/tmp/avatar-test-postgres");
    std::fs::create_dir_all(&folder).ok()?;
    let lock = File::create(folder.join("lock")).ok()?;
    lock.lock().ok()?;
    let server = format!("postgres://postgres@?host={}", folder.display());
    if run(&server, "SELECT 1") {
        return Some(server);
    }
    let data = folder.join("data");
    let script = format!(
        "chown postgres {folder} 2>/dev/null; rm -rf {data}; \
         {as_postgres} {BIN}/initdb -D {data} -U postgres -A trust -E UTF8 --no-sync >/dev/null && \
         {as_postgres} {BIN}/pg_ctl -D {data} -w -o \"-k {folder} -h '' -c max_connections=200\" -l {folder}/data/log start >/dev/null",
        folder = folder.display(),
        data = data.display(),
        as_postgres = if is_root() { "runuser -u postgres --" } else { "" },
    );
    let started = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).status();
    (started.is_ok_and(|s| s.success()) && run(&server, "SELECT 1")).then_some(server)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"))
}
