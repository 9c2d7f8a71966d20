//! Every route, every role, every state of a credential: generated from the program's routes, expected by the list of `access`.

use super::access::matrix;
use super::site::Site;
use super::staff::Person;
use avatar::automation::staff::{self, NewKey, split_api_key};
use avatar::domain::audit::Who;
use avatar::domain::ids::new_id;
use avatar::domain::staff::{Role, Scopes};
use avatar::domain::time::Millis;
use avatar::http::{Permission, Route, Verb, list_routes};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SAME: (&str, &str) = ("Sec-Fetch-Site", "same-origin");

/// What an answer says of the caller.
#[derive(Debug, PartialEq, Eq)]
enum Door {
    Unknown,
    Refused,
    In,
}

fn door(status: u16) -> Door {
    match status {
        401 => Door::Unknown,
        403 => Door::Refused,
        429 | 500.. if status != 503 => panic!("{status} is no answer to expect"),
        _ => Door::In,
    }
}

struct Asked<'a> {
    site: &'a Site,
    route: Route,
    path: String,
}

impl Asked<'_> {
    async fn with(&self, headers: &[(&str, &str)]) -> Door {
        let body = if self.route.method == Verb::Get { "" } else { "{}" };
        let mut headers = headers.to_vec();
        headers.push(("Content-Type", "application/json"));
        door(self.site.send(self.route.method.as_str(), &self.path, &headers, body).await.status)
    }

    async fn bearer(&self, token: &str) -> Door {
        self.with(&[("Authorization", &format!("Bearer {token}"))]).await
    }

    async fn cookie(&self, token: &str, from: &str) -> Door {
        self.with(&[("Cookie", &format!("__Host-sid={token}")), ("Sec-Fetch-Site", from)]).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_lets_in_exactly_whom_it_should() {
    let site = Site::open().await;
    let expected: BTreeMap<String, &str> = matrix().into_iter().collect();
    let mut people = Vec::new();
    for role in Role::ALL {
        people.push((role, Person::add(&site, role).await));
    }
    let admin = Person::add(&site, Role::Admin).await;
    let disabled = Person::add(&site, Role::Admin).await;
    let token_of_disabled = disabled.session(&site).await;
    site.sql(&format!("UPDATE staff_users SET active = FALSE WHERE id = '{}'", disabled.id));
    let revoked = admin.session(&site).await;
    site.sql(&format!("DELETE FROM staff_sessions WHERE user_id = '{}'", admin.id));
    let expired = admin.session(&site).await;
    site.sql(&format!("UPDATE staff_sessions SET expires_at = {} WHERE user_id = '{}'", site.test.now().0, admin.id));
    let (first, second) = (site.key(Role::Admin).await, site.key(Role::FrontDesk).await);
    let (id_of_first, secret_of_second) = (split_api_key(&first).unwrap().0, split_api_key(&second).unwrap().1);
    let of_another = format!("avatar_{id_of_first}_{secret_of_second}");
    let ended = site.key(Role::Admin).await;
    staff::revoke_api_key(&site.context.store, &site.context.clock, split_api_key(&ended).unwrap().0).await.unwrap();
    let narrow = scoped(&site, "nothing:read").await;
    let unfinished = admin.unfinished(&site).await;

    for route in list_routes(&site.context).into_iter().filter(|route| route.permission != Permission::Provider) {
        let name = format!("{} {}", route.method.as_str(), route.template);
        let roles = expected.get(&name).unwrap_or_else(|| panic!("{name} is not in the list of routes"));
        let id = new_id(site.test.now());
        let path = route.template.split('/').map(|part| if part.starts_with('{') { id.as_str() } else { part });
        let mut path = path.collect::<Vec<_>>().join("/");
        if path == "/api/stream" {
            // Who is let in hears that there is no such topic, instead of a stream without an end.
            path.push_str("?topics=nothing");
        }
        let asked = Asked { site: &site, route, path };
        if *roles == "anybody" {
            assert_ne!(asked.with(&[]).await, Door::Refused, "{name}");
            continue;
        }
        assert_eq!(asked.with(&[]).await, Door::Unknown, "{name} without anything");
        for (what, token) in [
            ("a revoked session", &revoked),
            ("an expired session", &expired),
            ("a disabled user's session", &token_of_disabled),
            ("the secret of another key", &of_another),
            ("a revoked key", &ended),
            ("garbage", &"garbage".to_owned()),
        ] {
            assert_eq!(asked.bearer(token).await, Door::Unknown, "{name} with {what}");
            assert_eq!(asked.cookie(token, "same-origin").await, Door::Unknown, "{name} with {what} in the cookie");
        }
        assert_eq!(asked.bearer(&narrow).await, Door::Refused, "{name} out of the key's scope");
        let is_own = route.template.starts_with("/api/session");
        if !is_own {
            assert_eq!(asked.bearer(&unfinished).await, Door::Refused, "{name} without the second factor");
        }
        for (role, person) in &people {
            let allowed = roles.split(' ').any(|r| r == role.as_str());
            let door = if allowed { Door::In } else { Door::Refused };
            let whom = format!("{name} as {}", role.as_str());
            // Signing out is one of the routes: each request has a session of its own.
            assert_eq!(asked.bearer(&person.session(&site).await).await, door, "{whom}");
            let token = person.session(&site).await;
            let crossed = if route.method == Verb::Get { &door } else { &Door::Refused };
            assert_eq!(asked.cookie(&token, "cross-site").await, *crossed, "{whom}, from another site");
            assert_eq!(asked.cookie(&token, "same-site").await, *crossed, "{whom}, from a sister site");
            assert_eq!(asked.cookie(&token, "same-origin").await, door, "{whom}, with the cookie");
            let both = [("Authorization", "Bearer garbage"), ("Cookie", &*format!("__Host-sid={token}")), SAME];
            assert_eq!(asked.with(&both).await, Door::Unknown, "{whom}: a bearer request never reads the cookie");
        }
    }
}

async fn scoped(site: &Site, scope: &str) -> String {
    let scopes = Scopes::parse(vec![scope.to_owned()]).unwrap();
    let expires_at = Some(site.test.now() + Millis::HOUR);
    let wanted = NewKey { name: "narrow".into(), role: Role::Admin, scopes, expires_at };
    staff::make_api_key(&site.context.store, &site.context.clock, Who::from("test"), wanted).await.unwrap().1
}

/// Nobody gets more by a key than the key has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_hands_on_no_more_than_it_has() {
    let site = Site::open().await;
    let (keys, users) = (scoped(&site, "keys:*").await, scoped(&site, "users:write").await);
    let make = |scopes: Value| json!({ "name": "next", "role": "admin", "scopes": scopes });
    for wide in [json!(["*"]), json!(["keys:*", "tasks:read"]), Value::Null] {
        let refused = site.post(&keys, "/api/keys", &make(wide.clone())).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!("/body/scopes")), "{wide}");
    }
    assert_eq!(site.post(&keys, "/api/keys", &make(json!(["keys:read"]))).await.status, 201);
    let new = json!({ "email": "eve@clinic.example", "name": "Eve", "role": "admin" });
    assert_eq!(site.post(&users, "/api/users", &new).await.status, 403);
    let whole = site.key(Role::Admin).await;
    let eve = site.post(&whole, "/api/users", &new).await.json()["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.post(&users, &format!("/api/users/{eve}/invite"), &json!({})).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_good_for_its_scopes_until_it_ends() {
    let site = Site::open().await;
    let key = scoped(&site, "tasks:read").await;
    assert_eq!(site.get(&key, "/api/tasks").await.status, 200);
    assert_eq!(site.get(&key, "/api/contacts").await.status, 403);
    site.test.clock.advance(Millis::HOUR);
    assert_eq!(site.get(&key, "/api/tasks").await.status, 401);
}
