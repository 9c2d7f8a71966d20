//! Guessing passwords: slow for whoever guesses, nothing for whoever is in.

use super::site::Site;
use super::staff::Person;
use avatar::automation::staff::add_user;
use avatar::domain::staff::Role;
use avatar::domain::time::Millis;
use serde_json::json;

const PASSWORD: &str = "harbour ferry at seven";

/// One try in each 600 ms, a thousand in all: how many of them were looked at.
async fn guess(site: &Site, email: impl Fn(usize) -> String, from: impl Fn(usize) -> String) -> usize {
    let mut looked_at = 0;
    for number in 0..1_000 {
        let body = json!({ "email": email(number), "password": format!("guess number {number}") }).to_string();
        let address = from(number);
        let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", address.as_str())];
        let answer = site.send("POST", "/api/session", &headers, &body).await;
        match answer.status {
            401 => looked_at += 1,
            429 => assert!(answer.header("retry-after").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| s >= 1)), "{answer:?}"),
            other => panic!("{other}"),
        }
        site.test.clock.advance(Millis(600));
    }
    looked_at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_guesses_at_one_account_come_to_a_handful() {
    let site = Site::open().await;
    let (store, clock) = (&site.context.store, &site.context.clock);
    let id = add_user(store, clock, "kim@clinic.example", "Kim", Role::FrontDesk, Some(PASSWORD)).await.unwrap();
    let session = Person { id }.session(&site).await;
    let everywhere = |n: usize| format!("198.51.{}.{}", n / 250, n % 250);
    let looked_at = guess(&site, |_| "kim@clinic.example".into(), everywhere).await;
    assert!((5..=25).contains(&looked_at), "{looked_at}");
    assert_eq!(site.get(&session, "/api/tasks").await.status, 200, "whoever is in stays in");

    let right = json!({ "email": "kim@clinic.example", "password": PASSWORD });
    assert_eq!(site.post("", "/api/session", &right).await.status, 429, "the right one waits, too");
    site.test.clock.advance(Millis::minutes(15));
    assert_eq!(site.post("", "/api/session", &right).await.status, 201, "and is never locked out");
    site.test.clock.advance(Millis::SECOND);
    let wrong = json!({ "email": "kim@clinic.example", "password": "wrong" });
    assert_eq!(site.post("", "/api/session", &wrong).await.status, 401, "the count began anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_not_there_behaves_like_one_that_is() {
    let site = Site::open().await;
    let everywhere = |n: usize| format!("198.51.{}.{}", n / 250, n % 250);
    let looked_at = guess(&site, |_| "nobody@clinic.example".into(), everywhere).await;
    assert!((5..=25).contains(&looked_at), "{looked_at}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_that_tries_many_accounts_is_slowed_down_alone() {
    let site = Site::open().await;
    let looked_at = guess(&site, |n| format!("user{n}@clinic.example"), |_| "203.0.113.9".into()).await;
    assert!((10..=25).contains(&looked_at), "{looked_at}");
    let (store, clock) = (&site.context.store, &site.context.clock);
    add_user(store, clock, "kim@clinic.example", "Kim", Role::FrontDesk, Some(PASSWORD)).await.unwrap();
    let body = json!({ "email": "kim@clinic.example", "password": PASSWORD }).to_string();
    let from = |address: &'static str| [("Content-Type", "application/json"), ("X-Forwarded-For", address)];
    assert_eq!(site.send("POST", "/api/session", &from("203.0.113.10"), &body).await.status, 201);
    assert_eq!(site.send("POST", "/api/session", &from("203.0.113.9"), &body).await.status, 429);
    let spoofed = from("198.51.100.1, 203.0.113.9");
    assert_eq!(site.send("POST", "/api/session", &spoofed, &body).await.status, 429, "what a client writes there counts nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_once_do_not_slip_through_together() {
    for site in Site::of_each_database().await {
        let (store, clock) = (&site.context.store, &site.context.clock);
        add_user(store, clock, "kim@clinic.example", "Kim", Role::FrontDesk, Some(PASSWORD)).await.unwrap();
        let body = json!({ "email": "kim@clinic.example", "password": "a guess" });
        let tries = (0..60).map(|_| site.post("", "/api/session", &body));
        let answers = futures_util::future::join_all(tries).await;
        let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
        assert!(looked_at <= 5, "{looked_at}");
        assert!(answers.iter().all(|answer| matches!(answer.status, 401 | 429)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_asks_without_end_is_slowed_down() {
    let site = Site::open().await;
    let (greedy, other) = (site.key(Role::Ops).await, site.key(Role::Ops).await);
    let burst = site.context.access.settings.per_caller.burst;
    let mut refused = None;
    for _ in 0..=burst {
        let answer = site.get(&greedy, "/api/session").await;
        if answer.status == 429 {
            refused = answer.header("retry-after").map(str::to_owned);
        }
    }
    assert_eq!(refused.as_deref(), Some("1"));
    assert_eq!(site.get(&other, "/api/session").await.status, 200);
    site.test.clock.advance(Millis::SECOND);
    assert_eq!(site.get(&greedy, "/api/session").await.status, 200);
}
