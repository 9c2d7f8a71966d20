//! Who may read what.

use super::raw::within;
use super::site::Site;
use avatar::automation::staff::{self, StaffError, split_api_key};
use avatar::domain::ids::new_id;
use avatar::domain::staff::Role;
use avatar::domain::time::Millis;
use avatar::http::{Permission, Verb, list_routes};
use avatar::store::staff::find_api_key;

/// Every route and the roles that may use it, written out by hand: the program's own table is not believed.
const MATRIX: &[(&str, &str)] = &[
    ("/api/tasks", "front_desk ops manager admin"),
    ("/api/tasks/{id}", "front_desk ops manager admin"),
    ("/api/contacts", "front_desk ops manager admin"),
    ("/api/contacts/{id}", "front_desk ops manager admin"),
    ("/api/contacts/{id}/timeline", "front_desk ops manager admin"),
    ("/api/contacts/{id}/next", "front_desk ops manager admin"),
    ("/api/contacts/duplicates", "front_desk ops manager admin"),
    ("/api/search", "front_desk ops manager admin"),
    ("/api/inbox", "front_desk ops manager admin"),
    ("/api/inbox/{id}", "front_desk ops manager admin"),
    ("/api/inbox/{id}/draft", "front_desk ops manager admin"),
    ("/api/pipelines/{id}/board", "front_desk ops manager admin"),
    ("/api/contacts/{id}/export", "ops manager admin"),
    ("/api/contacts/{id}/consents", "front_desk ops manager admin"),
    ("/api/bookings", "front_desk ops manager admin"),
    ("/api/bookings/{id}", "front_desk ops manager admin"),
    ("/api/sms", "front_desk ops manager admin"),
    ("/api/assignees", "front_desk ops manager admin"),
    ("/api/pipelines", "front_desk ops manager admin"),
    ("/api/reports/weekly", "ops manager admin"),
    ("/api/reports/monthly", "ops manager admin"),
    ("/api/reports", "ops manager admin"),
    ("/api/reports/{id}", "ops manager admin"),
    ("/api/events", "ops manager admin"),
    ("/api/events/{id}", "ops manager admin"),
    ("/api/runs", "ops manager admin"),
    ("/api/runs/{id}", "ops manager admin"),
    ("/api/jobs", "ops manager admin"),
    ("/api/queues", "ops manager admin"),
    ("/api/rules", "ops manager admin"),
    ("/api/rules/status", "ops manager admin"),
    ("/api/rules/history", "ops manager admin"),
    ("/api/session", "front_desk ops manager admin"),
    ("/api/users", "admin"),
    ("/api/users/{id}", "admin"),
    ("/api/keys", "admin"),
    ("/api/audit", "admin"),
    ("/api/rules/files", "ops manager admin"),
    ("/api/rules/files/content?path=rules/a.yaml", "ops manager admin"),
    ("/api/openapi.json", "anybody"),
    ("/health", "anybody"),
    ("/ready", "anybody"),
    ("/metrics", "anybody"),
];

/// Routes whose answers have no end: their own tests say who may use them.
const STREAMS: &[&str] = &["/api/stream"];

/// Routes that change something for good, for those who decide what is kept.
const ADMIN_WRITES: &[&str] = &["/api/contacts/{id}/erase"];

/// Routes that change the clinic's own records, for every member of staff.
const CLINIC_WRITES: &[(&str, &str)] = &[
    ("POST", "/api/tasks"),
    ("PATCH", "/api/tasks/{id}"),
    ("POST", "/api/tasks/{id}/complete"),
    ("POST", "/api/tasks/{id}/snooze"),
    ("POST", "/api/tasks/{id}/reopen"),
    ("POST", "/api/tasks/{id}/assign"),
    ("POST", "/api/tasks/bulk"),
    ("POST", "/api/contacts"),
    ("PATCH", "/api/contacts/{id}"),
    ("POST", "/api/contacts/{id}/move"),
    ("POST", "/api/contacts/{id}/notes"),
    ("POST", "/api/contacts/{id}/opt-out"),
    ("POST", "/api/contacts/{id}/opt-in"),
    ("POST", "/api/bookings"),
    ("PATCH", "/api/bookings/{id}"),
    ("POST", "/api/bookings/{id}/confirm"),
    ("POST", "/api/bookings/{id}/check-in"),
    ("POST", "/api/bookings/{id}/complete"),
    ("POST", "/api/bookings/{id}/no-show"),
    ("POST", "/api/bookings/{id}/cancel"),
    ("POST", "/api/sms/send"),
    ("POST", "/api/sms/preview"),
    ("POST", "/api/sms/{id}/cancel"),
    ("POST", "/api/sms/{id}/retry"),
    ("PUT", "/api/inbox/{id}/draft"),
    ("DELETE", "/api/inbox/{id}/draft"),
    ("POST", "/api/inbox/{id}/done"),
    ("POST", "/api/inbox/{id}/assign"),
];

/// Routes that change something, all for those who look after the automations.
const WRITES: &[&str] = &[
    "/api/jobs/retry",
    "/api/jobs/discard",
    "/api/queues/{name}/pause",
    "/api/queues/{name}/resume",
    "/api/rules/check",
    "/api/rules/dry-run",
    "/api/rules/replay",
    "/api/rules/publish",
    "/api/rules/rollback",
    "/api/rules/{id}/enable",
    "/api/rules/{id}/disable",
    "/api/contacts/{id}/merge",
    "/api/contacts/{id}/unmerge",
    "/api/contacts/import",
];

/// Method and path of the others, and who may.
const OTHERS: &[(&str, &str)] = &[
    ("PUT /api/rules/files/content", "ops manager admin"),
    ("POST /api/session", "anybody"),
    ("DELETE /api/session", "front_desk ops manager admin"),
    ("GET /api/session/all", "front_desk ops manager admin"),
    ("DELETE /api/session/all", "front_desk ops manager admin"),
    ("DELETE /api/session/{id}", "front_desk ops manager admin"),
    ("POST /api/session/password", "front_desk ops manager admin"),
    ("POST /api/session/mfa", "front_desk ops manager admin"),
    ("POST /api/session/mfa/confirm", "front_desk ops manager admin"),
    ("POST /api/session/mfa/recovery-codes", "front_desk ops manager admin"),
    ("POST /api/session/mfa/off", "front_desk ops manager admin"),
    ("POST /api/users", "admin"),
    ("PATCH /api/users/{id}", "admin"),
    ("POST /api/users/{id}/invite", "admin"),
    ("POST /api/keys", "admin"),
    ("DELETE /api/keys/{id}", "admin"),
];

/// All of the above as `METHOD path` and who may.
pub fn matrix() -> Vec<(String, &'static str)> {
    let path = |template: &'static str| template.split('?').next().unwrap_or_default();
    let reads = MATRIX.iter().map(|(template, roles)| (format!("GET {}", path(template)), *roles));
    let writes = WRITES.iter().map(|template| (format!("POST {template}"), "ops manager admin"));
    let clinic = CLINIC_WRITES.iter().map(|(method, template)| (format!("{method} {template}"), "front_desk ops manager admin"));
    let others = OTHERS.iter().map(|(route, roles)| ((*route).to_owned(), *roles));
    let streams = STREAMS.iter().map(|template| (format!("GET {template}"), "front_desk ops manager admin"));
    let for_good = ADMIN_WRITES.iter().map(|template| (format!("POST {template}"), "admin"));
    reads.chain(writes).chain(clinic).chain(others).chain(streams).chain(for_good).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_member_of_staff_changes_the_clinics_records() {
    let site = Site::open().await;
    for (method, template) in CLINIC_WRITES {
        let path = template.replace("{id}", &new_id(site.test.now()));
        assert_eq!(site.send(method, &path, &[], "{}").await.status, 401, "{method} {template}");
        for role in Role::ALL {
            let key = format!("Bearer {}", site.key(role).await);
            let status = site.send(method, &path, &[("Authorization", &key)], "{}").await.status;
            assert!(![401, 403, 405, 500].contains(&status), "{method} {template} as {}: {status}", role.as_str());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_for_those_who_look_after_the_automations() {
    let site = Site::open().await;
    for template in WRITES {
        let path = template.replace("{id}", "welcome").replace("{name}", "automation");
        let post = async |key: &str| site.send("POST", &path, &[("Authorization", &format!("Bearer {key}"))], "{}").await.status;
        assert_eq!(site.send("POST", &path, &[], "{}").await.status, 401, "{template}");
        for role in Role::ALL {
            let status = post(&site.key(role).await).await;
            assert_eq!(status == 403, role == Role::FrontDesk, "{template} as {}: {status}", role.as_str());
            assert_ne!(status, 401);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_for_good_is_for_admins() {
    let site = Site::open().await;
    for template in ADMIN_WRITES {
        let path = template.replace("{id}", &new_id(site.test.now()));
        let post = async |headers: &[(&str, &str)]| site.send("POST", &path, headers, "{\"reason\":\"test\"}").await.status;
        assert_eq!(post(&[]).await, 401, "{template}");
        for role in Role::ALL {
            let authorization = format!("Bearer {}", site.key(role).await);
            let status = post(&[("Authorization", &authorization)]).await;
            assert_eq!(status, if role == Role::Admin { 404 } else { 403 }, "{template} as {}", role.as_str());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_exactly_the_roles_that_may_use_it() {
    let site = Site::open().await;
    let mut keys = Vec::new();
    for role in Role::ALL {
        keys.push((role, site.key(role).await));
    }
    let revoked = site.key(Role::Admin).await;
    let (revoked_id, _) = split_api_key(&revoked).unwrap();
    staff::revoke_api_key(&site.context.store, &site.context.clock, revoked_id).await.unwrap();
    let (id, secret) = split_api_key(&keys[3].1).unwrap();
    let swapped = format!("avatar_{}_{secret}", split_api_key(&keys[0].1).unwrap().0);
    let unknown = format!("avatar_{}_{secret}", new_id(site.test.now()));
    let guessed = format!("avatar_{id}_{}", "0".repeat(64));
    for (template, roles) in MATRIX {
        let path = template.replace("{id}", &new_id(site.test.now()));
        let open = *roles == "anybody";
        let without = if open { 200 } else { 401 };
        let none = site.send("GET", &path, &[], "").await;
        assert_eq!(none.status, without, "{template} without a key");
        assert_eq!(none.header("www-authenticate").is_some(), !open, "{template}");
        for wrong in ["", "garbage", "avatar__", &revoked, &swapped, &unknown, &guessed] {
            assert_eq!(site.get(wrong, &path).await.status, without, "{template} with {wrong}");
        }
        for (role, key) in &keys {
            let allowed = open || roles.split(' ').any(|r| r == role.as_str());
            let status = match (allowed, template.contains("{id}")) {
                // The rules of this site cannot be changed, and their files are nowhere.
                (true, false) if template.starts_with("/api/rules/files") => 503,
                (true, false) => 200,
                (true, true) => 404,
                (false, _) => 403,
            };
            assert_eq!(site.get(key, &path).await.status, status, "{template} as {}", role.as_str());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_matrix_knows_every_route() {
    let site = Site::open().await;
    let mut known: Vec<_> = matrix().into_iter().map(|(route, _)| route).collect();
    let mut found = Vec::new();
    for route in list_routes(&site.context) {
        match (route.method, route.permission) {
            (Verb::Post, Permission::Provider) => assert!(route.template.starts_with("/webhooks/"), "{route:?}"),
            (method, _) => found.push(format!("{} {}", method.as_str(), route.template)),
        }
    }
    known.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, known);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_paths_are_404_and_other_methods_405_with_what_is_allowed() {
    let site = Site::open().await;
    for path in ["/", "/api", "/api/", "/api/nothing", "/api/tasks/", "/health/", "/webhooks", "/webhooks/", "/favicon.ico"] {
        let answer = site.send("GET", path, &[], "").await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let answer = site.send(method, "/api/pipelines", &[], "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    assert_eq!(site.send("PUT", "/webhooks/wix", &[], "").await.header("allow"), Some("POST"));
    // No record's id, although a record may be read and changed.
    for (method, path) in [("PATCH", "/api/tasks/bulk"), ("GET", "/api/tasks/bulk"), ("GET", "/api/contacts/import")] {
        let answer = site.send(method, path, &[], "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method} {path}");
    }
    let head = site.send("HEAD", "/health", &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_ends_within_seconds_and_an_expired_one_at_once() {
    let site = Site::open().await;
    let key = site.key(Role::Ops).await;
    let (id, _) = split_api_key(&key).unwrap();
    assert_eq!(site.get(&key, "/api/tasks").await.status, 200);
    assert!(staff::revoke_api_key(&site.context.store, &site.context.clock, id).await.unwrap());
    site.test.clock.advance(Millis::seconds(10));
    assert_eq!(site.get(&key, "/api/tasks").await.status, 401);

    let key = site.key(Role::Ops).await;
    let (id, _) = split_api_key(&key).unwrap();
    site.sql(&format!("UPDATE api_keys SET expires_at = {} WHERE id = '{id}'", site.test.now().0 + 1_000));
    assert_eq!(site.get(&key, "/api/tasks").await.status, 200);
    site.test.clock.advance(Millis::seconds(1));
    assert_eq!(site.get(&key, "/api/tasks").await.status, 401, "although it was valid a second ago");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_made_up_key_is_not_looked_up_again_for_seconds() {
    let site = Site::open().await;
    let (real, other) = (site.key(Role::Ops).await, site.key(Role::Ops).await);
    let (id, _) = split_api_key(&real).unwrap();
    // The same id, first without and then with a row: only who asks the database can tell.
    let made_up = format!("{}f", &id[..id.len() - 1]);
    let made_up = if made_up == id { format!("{}e", &id[..id.len() - 1]) } else { made_up };
    let key = real.replace(id, &made_up);
    assert_eq!(site.get(&key, "/api/tasks").await.status, 401);
    site.sql(&format!("UPDATE api_keys SET id = '{made_up}' WHERE id = '{id}'"));
    site.test.clock.advance(Millis::seconds(4));
    assert_eq!(site.get(&key, "/api/tasks").await.status, 401);
    assert_eq!(site.get(&other, "/api/tasks").await.status, 200, "real keys go on");
    site.test.clock.advance(Millis::seconds(1));
    assert_eq!(site.get(&key, "/api/tasks").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_staff_have_one_address_each_and_a_long_password() {
    let site = Site::open().await;
    let (store, clock) = (&site.context.store, &site.context.clock);
    let add = |email, password| staff::add_user(store, clock, email, "Kim", Role::Manager, password);
    add("kim@clinic.example", Some("a long enough password")).await.unwrap();
    assert!(matches!(add("KIM@clinic.example ", None).await, Err(StaffError::DuplicateEmail)));
    assert!(matches!(add("lee@clinic.example", Some("short")).await, Err(StaffError::PasswordTooShort(_))));
    assert!(matches!(add("lee", None).await, Err(StaffError::InvalidEmail)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_use_of_a_key_is_kept_to_the_minute() {
    let site = Site::open().await;
    let key = site.key(Role::Ops).await;
    let (id, _) = split_api_key(&key).unwrap();
    let used_at = async || {
        let id = id.to_owned();
        site.context.store.read(move |conn| find_api_key(conn, &id)).await.unwrap().unwrap().last_used_at
    };
    let first = site.test.now();
    assert_eq!(site.get(&key, "/api/tasks").await.status, 200);
    // It is written beside the answer, so it may come a moment later.
    within(async { while used_at().await != Some(first) {} }).await;
    site.test.clock.advance(Millis::seconds(59));
    assert_eq!(site.get(&key, "/api/tasks").await.status, 200);
    site.test.clock.advance(Millis::seconds(10));
    let later = site.test.now();
    assert_eq!(used_at().await, Some(first));
    assert_eq!(site.get(&key, "/api/tasks").await.status, 200);
    within(async { while used_at().await != Some(later) {} }).await;
}
