//! When the database cannot: nobody is told 200, and nothing has to be restarted afterwards.

use super::raw::{self, within};
use super::site::{MANYCHAT_HEADERS, Site, lead_body};
use avatar::domain::staff::Role;
use avatar::domain::time::Millis;
use avatar::http::ServerLimits;
use diesel::connection::SimpleConnection;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_is_503_until_it_is_free() {
    let limits = ServerLimits { append_timeout: Duration::from_millis(300), ..ServerLimits::default() };
    let site = Site::with(limits).await;
    assert_eq!(site.lead("before").await.status, 200);
    let mut other = site.database();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let refused = site.lead("during").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("2")), "{}", refused.body);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    other.batch_execute("ROLLBACK").unwrap();
    within(async { while site.lead("after").await.status != 200 {} }).await;
    // The refused one may or may not have become durable meanwhile; sent again it is there once.
    within(async { while site.lead("during").await.status != 200 {} }).await;
    let key = site.key(Role::Ops).await;
    assert_eq!(site.get(&key, "/api/events").await.json()["total"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_says_what_is_missing() {
    let site = Site::open().await;
    assert_eq!(site.send("GET", "/ready", &[], "").await.status, 200);
    site.rules.none.store(true, Ordering::SeqCst);
    let answer = site.send("GET", "/ready", &[], "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.json()["detail"].as_str().unwrap().contains("no ruleset is in force"), "{}", answer.body);
    site.rules.none.store(false, Ordering::SeqCst);
    let mut other = site.database();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    site.test.clock.advance(Millis::seconds(2));
    let answer = site.send("GET", "/ready", &[], "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.json()["detail"].as_str().unwrap().contains("takes no writes"), "{}", answer.body);
    assert_eq!(site.send("GET", "/health", &[], "").await.status, 200, "it is alive all the same");
    assert_eq!(site.send("GET", "/metrics", &[], "").await.body, "avatar_up 1\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_storms_is_429_and_leaves_room_for_others() {
    let limits = ServerLimits { source_concurrency_max: 1, append_timeout: raw::PATIENCE, ..ServerLimits::default() };
    let site = Site::with(limits).await;
    let mut other = site.database();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let mut held = raw::connect(site.address).await;
    held.write_all(&raw::request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &lead_body("held"))).await.unwrap();
    // Each lead that comes before the held one takes its place for as long as it cares to wait.
    let throttled = within(async {
        loop {
            let attempt = tokio::time::timeout(Duration::from_millis(100), site.lead("more"));
            match attempt.await {
                Ok(answer) if answer.status == 429 => break answer,
                _ => {}
            }
        }
    })
    .await;
    assert!(throttled.header("retry-after").is_some());
    assert_eq!(site.send("POST", "/webhooks/wix", &[], "{}").await.status, 401, "another source is not held up");
    other.batch_execute("ROLLBACK").unwrap();
    within(async { while site.lead("afterwards").await.status != 200 {} }).await;
}
