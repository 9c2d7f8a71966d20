//! What the whole program can carry on this machine: `cargo bench --bench load`, or some sections of it by name:
//! `cargo bench --bench load -- intake claims`.
//!
//! Everything runs in this one process, clients and server on the same cores, so the numbers are lower bounds. The ceilings are
//! measured in the same run: a shared machine is not the same from one hour to the next.

#![expect(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a program for people who measure")]

mod ceilings;
mod client;
#[path = "../../tests/it/stories/house.rs"]
mod house;
mod intake;
mod sms;
mod startup;
mod work;

use std::time::Duration;

/// How long each row is measured.
const SECONDS: Duration = Duration::from_secs(3);

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        if wants("ceilings") {
            section("ceilings: this machine, without us");
            ceilings::run().await;
        }
        if wants("intake") {
            section("intake: signed webhooks, SQLite FULL, durable before the answer");
            intake::run().await;
        }
        if wants("rules") {
            section("rules: booking events through the shipped rules, with runs and traces, one worker");
            work::rules().await;
        }
        if wants("claims") {
            section("claims: empty jobs, completion and next claim in one transaction");
            work::claims().await;
        }
        if wants("sms") {
            section("sms: texts through the outbox to a provider on loopback, SQLite FULL");
            sms::run().await;
        }
        if wants("demo") {
            section("demo: a month of the demo clinic through HTTP");
            work::demo().await;
        }
        if wants("startup") {
            section("startup: the release binary");
            startup::run().await;
        }
    });
}

fn section(title: &str) {
    println!("\n{title}");
}

fn line(text: &str) {
    println!("  {text}");
}
