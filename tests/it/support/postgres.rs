//! A PostgreSQL for tests: `fresh_database()` is the URL of a new, empty database.
//!
//! The server is the one of `AVATAR_TEST_POSTGRES_URL`, or a throw-away cluster that the first test starts and that all
//! test processes of one run share: it belongs to the parent of the test process (`cargo test`, `cargo nextest`). A
//! watchdog stops and removes it as soon as that parent is gone, however it went. `fsync` is on.

use avatar::config::Environment;
use avatar::domain::ids::fill_random;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

const CONNECTIONS_MAX: u32 = 200;
/// Another process may take the free port before PostgreSQL does.
const START_ATTEMPTS_MAX: u32 = 5;

/// The URL of a fresh database; `None`, with a note, when this machine has no PostgreSQL server.
///
/// With `AVATAR_REQUIRE_POSTGRES=1` a missing server is a failure.
pub fn fresh_database() -> Option<String> {
    static SERVER: OnceLock<Option<String>> = OnceLock::new();
    let server = SERVER.get_or_init(find_server).as_deref()?;
    Some(create_database(server))
}

fn find_server() -> Option<String> {
    let environment = Environment::of_process();
    if let Some(url) = environment.get("AVATAR_TEST_POSTGRES_URL") {
        return Some(url.to_owned());
    }
    let Some(programs) = server_programs() else {
        let required = environment.get("AVATAR_REQUIRE_POSTGRES") == Some("1");
        assert!(!required, "AVATAR_REQUIRE_POSTGRES=1, but there are no PostgreSQL server programs: apt-get install postgresql");
        note("SKIPPED: no PostgreSQL server programs on this machine (apt-get install postgresql)");
        return None;
    };
    Some(Cluster::of_run(parent_id(), programs).url)
}

/// Written past the test harness, so that it is seen although the test passes.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The newest installed server's programs.
fn server_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let found = versions.filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let bin = entry.path().join("bin");
        bin.join("initdb").exists().then_some((version, bin))
    });
    found.max().map(|(_, bin)| bin)
}

fn create_database(server: &str) -> String {
    let mut random = [0u8; 8];
    fill_random(&mut random);
    let name = format!("avatar_test_{}", hex::encode(random));
    let mut connection = PgConnection::establish(server).expect("the test server answers");
    connection.batch_execute(&format!("CREATE DATABASE {name}")).expect("a fresh database");
    let (base, query) = server.split_once('?').map_or((server, String::new()), |(base, query)| (base, format!("?{query}")));
    let (host, _) = base.rsplit_once('/').expect("postgres://user@host/database");
    format!("{host}/{name}{query}")
}

/// A running throw-away cluster.
struct Cluster {
    url: String,
    /// `None` when another process started it.
    watchdog: Option<Child>,
    dir: PathBuf,
}

impl Cluster {
    /// The cluster of the run with this owner: started if this is the first to ask.
    fn of_run(owner: u32, programs: PathBuf) -> Self {
        let dir = std::env::temp_dir().join(format!("avatar-test-postgres-{owner}"));
        let lock = File::create(dir.with_extension("lock")).expect("a lock file in the temporary folder");
        lock.lock().expect("the lock of the test cluster");
        let ready = dir.join("url");
        if let Ok(url) = std::fs::read_to_string(&ready)
            && PgConnection::establish(&url).is_ok()
        {
            return Self { url, watchdog: None, dir };
        }
        let _ = std::fs::remove_dir_all(&dir);
        let programs = Programs { bin: programs, is_root: is_root() };
        let port = programs.init_and_start(&dir);
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let watchdog = programs.watch(&dir, owner);
        std::fs::write(ready, &url).expect("the cluster's URL");
        Self { url, watchdog: Some(watchdog), dir }
    }
}

/// PostgreSQL refuses to run as root, so root lends it the user that the package made.
struct Programs {
    bin: PathBuf,
    is_root: bool,
}

impl Programs {
    fn init_and_start(&self, dir: &Path) -> u16 {
        std::fs::create_dir(dir).expect("the cluster's folder");
        if self.is_root {
            run(Command::new("chown").arg("postgres").arg(dir));
        }
        let data = dir.join("data");
        run(self.command("initdb").arg("-D").arg(&data).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
        ]));
        for _ in 0..START_ATTEMPTS_MAX {
            let port = free_port();
            let options = format!(
                "-p {port} -k {} -c listen_addresses=127.0.0.1 -c max_connections={CONNECTIONS_MAX} -c fsync=on",
                dir.display()
            );
            let mut start = self.command("pg_ctl");
            start.args(["start", "--wait", "--silent", "-D"]).arg(&data).arg("-l").arg(dir.join("log")).args(["-o", &options]);
            if quiet(&mut start).status().is_ok_and(|status| status.success()) {
                return port;
            }
        }
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start:\n{log}");
    }

    /// A shell that waits for the owner's end, stops the cluster and removes it.
    fn watch(&self, dir: &Path, owner: u32) -> Child {
        let script = "owner=$1; dir=$2; shift 2
            while kill -0 \"$owner\" 2>/dev/null; do sleep 0.5; done
            cd /; \"$@\" stop -m immediate -D \"$dir/data\"; rm -rf \"$dir\" \"$dir.lock\"";
        let stop = self.command("pg_ctl");
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh", &owner.to_string()]).arg(dir);
        shell.arg(stop.get_program()).args(stop.get_args()).process_group(0).current_dir("/");
        quiet(&mut shell).spawn().expect("the watchdog of the test cluster")
    }

    fn command(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("a program that is installed");
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

fn text_of(url: &str, sql: &str) -> Result<String, diesel::result::Error> {
    use diesel::RunQueryDsl;
    let mut connection = PgConnection::establish(url).expect("the fresh database answers");
    diesel::sql_query(sql).get_result::<Setting>(&mut connection).map(|row| row.value)
}

#[test]
fn each_fresh_database_is_empty_and_durable() {
    let Some(first) = fresh_database() else { return };
    let Some(second) = fresh_database() else { return };
    let mut connection = PgConnection::establish(&first).expect("the fresh database answers");
    connection.batch_execute("CREATE TABLE mine (id BIGINT)").expect("a table");
    assert!(text_of(&second, "SELECT 'seen' AS value FROM mine").is_err(), "one test saw the table of another");
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value = text_of(&first, &format!("SELECT current_setting('{setting}') AS value"));
        assert_eq!(value.expect("a setting"), "on", "{setting}");
    }
}

#[test]
fn the_cluster_goes_when_its_owner_is_killed() {
    let Some(programs) = server_programs() else { return };
    let mut owner = Command::new("sleep").arg("600").spawn().expect("a process that will be killed");
    let cluster = Cluster::of_run(owner.id(), programs.clone());
    let again = Cluster::of_run(owner.id(), programs);
    assert_eq!(cluster.url, again.url, "the second process of a run uses the first one's cluster");
    assert!(again.watchdog.is_none());

    owner.kill().expect("the owner is killed");
    owner.wait().expect("the owner is gone");
    let mut watchdog = cluster.watchdog.expect("the first process started the cluster");
    assert!(watchdog.wait().expect("the watchdog ends").success());
    assert!(!cluster.dir.exists(), "the cluster's files are gone");
    assert!(PgConnection::establish(&cluster.url).is_err(), "the server is gone");
}
