//! What browsers are told and believed: the cookie, other sites, other origins.

use super::site::Site;
use super::staff::Person;
use avatar::automation::staff::add_user;
use avatar::domain::staff::Role;
use serde_json::json;

const PASSWORD: &str = "harbour ferry at seven";
const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_is_of_this_host_and_of_no_script() {
    let site = Site::open().await;
    let (store, clock) = (&site.context.store, &site.context.clock);
    add_user(store, clock, "kim@clinic.example", "Kim", Role::FrontDesk, Some(PASSWORD)).await.unwrap();
    let body = json!({ "email": "kim@clinic.example", "password": PASSWORD }).to_string();
    let elsewhere = [JSON, ("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")];
    assert_eq!(site.send("POST", "/api/session", &elsewhere, &body).await.status, 403, "nobody is signed in by another site");
    let answer = site.send("POST", "/api/session", &[JSON, ("Sec-Fetch-Site", "same-origin")], &body).await;
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    assert!(!answer.body.contains("avs_"), "the token is in the cookie alone");
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict");
    assert!(pair.starts_with("__Host-sid=avs_") && pair.len() == "__Host-sid=avs_".len() + 64, "{pair}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let session = site.send("GET", "/api/session", &[("Cookie", pair)], "").await;
    assert_eq!((session.status, &session.json()["clinic"]["timezone"]), (200, &json!("Australia/Sydney")));
    let out = site.send("DELETE", "/api/session", &[("Cookie", pair), ("Sec-Fetch-Site", "same-origin")], "").await;
    assert!(
        out.status == 204 && out.header("set-cookie").is_some_and(|c| c.starts_with("__Host-sid=;") && c.ends_with("Max-Age=0"))
    );
    assert_eq!(site.send("GET", "/api/session", &[("Cookie", pair)], "").await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_of_other_sites_change_nothing() {
    let site = Site::open().await;
    let token = Person::add(&site, Role::Admin).await.session(&site).await;
    let cookie = format!("__Host-sid={token}");
    let body = json!({ "name": "reports", "role": "ops" }).to_string();
    let send = async |headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().copied().chain([("Cookie", cookie.as_str())]).collect();
        site.send("POST", "/api/keys", &headers, &body).await.status
    };
    assert_eq!(send(&[JSON]).await, 403, "who does not say where they come from uses a token");
    assert_eq!(send(&[JSON, ("Origin", "https://evil.example")]).await, 403);
    assert_eq!(send(&[JSON, ("Origin", "http://clinic"), ("Sec-Fetch-Site", "same-site")]).await, 403);
    assert_eq!(send(&[("Content-Type", "text/plain"), ("Sec-Fetch-Site", "same-origin")]).await, 415);
    assert_eq!(send(&[("Content-Type", "application/x-www-form-urlencoded"), ("Origin", "http://clinic")]).await, 415);
    assert_eq!(send(&[JSON, ("Origin", "http://clinic")]).await, 201, "an old browser on our own page");
    assert_eq!(send(&[JSON, ("Sec-Fetch-Site", "same-origin")]).await, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_the_one_other_origin_may_ask_and_read() {
    let site = Site::open().await;
    let front = ("Origin", "http://127.0.0.1:8787");
    let asks = ("Access-Control-Request-Method", "PATCH");
    let allowed = site.send("OPTIONS", "/api/tasks/7", &[front, asks], "").await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (204, Some(front.1)));
    assert!(allowed.header("access-control-allow-methods").is_some_and(|m| m.contains("PATCH")));
    assert_eq!(allowed.header("access-control-allow-credentials"), None, "cookies stay at home");
    let key = site.key(Role::Ops).await;
    let bearer = format!("Bearer {key}");
    let read = site.send("GET", "/api/tasks", &[front, ("Authorization", &bearer)], "").await;
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, Some(front.1)));
    for other in ["http://127.0.0.1:8788", "https://127.0.0.1:8787", "null", "http://127.0.0.1:8787.evil.example"] {
        let answer = site.send("GET", "/api/tasks", &[("Origin", other), ("Authorization", &bearer)], "").await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{other}");
        assert_eq!(answer.header("vary"), Some("origin"));
        assert_eq!(site.send("OPTIONS", "/api/tasks", &[("Origin", other), asks], "").await.status, 405, "{other}");
    }
    assert_eq!(read.header("strict-transport-security"), None, "this site is not https");
}
