//! What this machine can do at best, in the same minutes: nothing of ours in it.

use super::client::{closed_loop, post};
use super::{SECONDS, line};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use warp::Filter;

const BODY: &str = r#"{"hello":"there"}"#;

pub async fn run() {
    warp_echo().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let done = tokio::task::spawn_blocking(move || {
        fsync(&path);
        for rows in [1, 64, 256] {
            sqlite(&path, rows);
        }
    });
    done.await.expect("the ceilings");
}

async fn warp_echo() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let echo = warp::post().and(warp::body::content_length_limit(4_096)).and(warp::body::stream()).map(|_| BODY);
    let server = tokio::spawn(warp::serve(echo).incoming(listener).run());
    for connections in [1, 64] {
        let request = post("/", &[], BODY);
        let measured = closed_loop(address, connections, SECONDS, move |_, _| Some(request.clone())).await;
        line(&measured.row(&format!("warp echo, {connections} connections")));
    }
    server.abort();
}

fn fsync(folder: &Path) {
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("synced")).expect("a file");
    let page = [7u8; 4_096];
    report("append 4 KiB and fdatasync", 1, || {
        file.write_all(&page).and_then(|()| file.sync_data()).expect("a sync");
    });
}

fn sqlite(folder: &Path, rows: i64) {
    let path = folder.join(format!("raw{rows}.db"));
    let mut db = SqliteConnection::establish(&path.to_string_lossy()).expect("a database");
    db.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT UNIQUE, b TEXT)",
    )
    .expect("a table");
    let body = "x".repeat(600);
    let mut n = 0_i64;
    report(&format!("SQLite FULL, insert, {rows} in a transaction"), rows, || {
        let inserted = db.transaction(|db| {
            for _ in 0..rows {
                n += 1;
                let row = sql_query("INSERT INTO t (id, k, b) VALUES (?, ?, ?)").bind::<BigInt, _>(n);
                row.bind::<Text, _>(format!("key-{n}")).bind::<Text, _>(&body).execute(db)?;
            }
            diesel::result::QueryResult::Ok(())
        });
        inserted.expect("rows");
    });
}

/// Repeats `work` for the usual time; `count` things are done by each.
fn report(name: &str, count: i64, mut work: impl FnMut()) {
    let began = Instant::now();
    let mut done = 0_i64;
    let mut slowest = Duration::ZERO;
    while began.elapsed() < SECONDS {
        let one = Instant::now();
        work();
        slowest = slowest.max(one.elapsed());
        done += count;
    }
    let rate = done as f64 / began.elapsed().as_secs_f64();
    line(&format!("{name:<44} {rate:>9.0}/s  slowest {:.1} ms", slowest.as_secs_f64() * 1_000.0));
}
