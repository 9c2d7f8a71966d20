//! How long staff waits for its screens in a clinic of 100,000 people and 1,000,000 touchpoints: `cargo bench --bench api`, or a
//! smaller one: `cargo bench --bench api -- 10000`.
//!
//! The records are put straight into an SQLite file; the questions go over HTTP to the real server in this same process, one
//! after the other. SQLite's own cache is small, so most pages come from the file system's.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a program for people who measure")]

mod client;
mod data;
mod screens;

use avatar::automation::staff;
use avatar::cli::parts::Parts;
use avatar::cli::{http_context, prepare};
use avatar::config::{Environment, Settings};
use avatar::domain::clock::{Clock, SystemClock};
use avatar::domain::staff::Role;
use avatar::http::{Access, ServerLimits, serve};
use avatar::store::search;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const PEOPLE: u32 = 100_000;

fn main() {
    let people = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(PEOPLE);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("avatar.db");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let parts = open(&file);
    runtime.block_on(async { prepare(&parts).await.expect("rules that check clean") });
    let now = SystemClock.now();
    let began = Instant::now();
    data::fill(&file, people, now.0);
    println!("{people} people, {} touchpoints, in {:.1} s", people * data::TOUCHPOINTS_EACH, began.elapsed().as_secs_f64());
    let began = Instant::now();
    let found = search::catch_up(&parts.store).expect("words to find people by");
    println!("words of {found} people in {:.1} s", began.elapsed().as_secs_f64());
    let stop = CancellationToken::new();
    let (address, key) = runtime.block_on(start(&parts, &stop));
    screens::run(address, &key, people, now);
    stop.cancel();
}

fn open(file: &Path) -> Parts {
    let variables = [("DATABASE_URL", format!("sqlite://{}", file.display()))];
    let environment: Environment = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let settings = Settings::load(&environment, Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the settings of the repository");
    Parts::open_with(settings, &environment, Arc::new(SystemClock), false, None).expect("the parts of a program")
}

async fn start(parts: &Parts, stop: &CancellationToken) -> (SocketAddr, String) {
    let context = http_context(parts, Access::default(), Arc::new(String::new));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, Arc::new(context), ServerLimits::default(), stop.clone()));
    let key = staff::create_api_key(&parts.store, &parts.clock, "bench", Role::Admin).await.expect("a key");
    (address, key)
}
