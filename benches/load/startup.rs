//! The real binary: how long until it is ready, and how much memory it holds then.

use super::client::Connection;
use super::line;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const BINARY: &str = "target/release/avatar";
const WAIT_MAX: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(2);

pub async fn run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let binary = root.join(BINARY);
    if !binary.exists() {
        return line(&format!("{BINARY} is not there: build it first"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let began = Instant::now();
    let mut child = Command::new(&binary)
        .arg("serve")
        .current_dir(root)
        .env("LISTEN_ADDR", port.to_string())
        .env("DATABASE_URL", format!("sqlite://{}/avatar.db", folder.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary");
    let ready = wait_ready(port, began).await;
    tokio::time::sleep(IDLE).await;
    match ready {
        Some(time) => line(&format!("ready after {} ms, idle RSS {}", time.as_millis(), rss(child.id()))),
        None => line(&format!("not ready within {} s", WAIT_MAX.as_secs())),
    }
    drop(child.kill());
    drop(child.wait());
}

async fn wait_ready(address: std::net::SocketAddr, began: Instant) -> Option<Duration> {
    while began.elapsed() < WAIT_MAX {
        if let Ok(mut connection) = Connection::open(address).await
            && let Ok(200) = connection.ask(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n").await
        {
            return Some(began.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    None
}

fn rss(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).map(str::trim);
    kib.unwrap_or("unknown (no /proc)").to_owned()
}
