//! What readers get: fields, order, filters, times.

use super::site::Site;
use avatar::domain::staff::Role;
use avatar::domain::time::{Millis, Timestamp};

const JANE: &str = "018f4e9a-0000-7000-8000-0000000000aa";
const EVENT: &str = "018f4e9a-0000-7000-8000-0000000000ee";

fn task(title: &str, priority: i32, due: Timestamp, status: &str) -> String {
    let id = avatar::domain::ids::new_id(due);
    format!(
        "INSERT INTO tasks (id, type, title, status, due_datetime, priority_score, because, is_demo, version, created_at, updated_at)
         VALUES ('{id}', 'lead_call', '{title}', '{status}', {}, {priority}, 'new lead', FALSE, 1, 0, 0);",
        due.0
    )
}

async fn titles(site: &Site, key: &str, query: &str) -> String {
    let list = site.get(key, &format!("/api/tasks{query}")).await.json();
    let titles: Vec<_> = list["items"].as_array().unwrap().iter().map(|t| t["title"].as_str().unwrap()).collect();
    titles.join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_tasks_is_overdue_today_and_upcoming_by_the_clinics_clock() {
    for site in Site::of_each_database().await {
        a_day_of_tasks(&site).await;
    }
}

async fn a_day_of_tasks(site: &Site) {
    let key = site.key(Role::FrontDesk).await;
    // 22:30 in Sydney, where it is still Monday for ninety minutes; in UTC it is Monday noon.
    let now = Timestamp::parse_rfc3339("2026-03-02T22:30:00+11:00").unwrap();
    site.test.clock.set(now);
    site.sql(
        &[
            task("late", 10, now - Millis::MINUTE, "todo"),
            task("later", 90, now - Millis::DAY, "in_progress"),
            task("done", 99, now - Millis::DAY, "done"),
            task("tonight", 50, now + Millis::hours(1), "todo"),
            task("tomorrow", 50, now + Millis::hours(2), "todo"),
        ]
        .concat(),
    );
    assert_eq!(titles(site, &key, "?timeframe=overdue").await, "later late");
    assert_eq!(titles(site, &key, "?timeframe=today").await, "tonight");
    assert_eq!(titles(site, &key, "?timeframe=upcoming").await, "tomorrow");
    assert_eq!(titles(site, &key, "").await, "later late tonight tomorrow done");
    assert_eq!(titles(site, &key, "?status=done&type=lead_call").await, "done");
    let late = site.get(&key, "/api/tasks?timeframe=overdue").await.json()["items"][1].clone();
    assert_eq!(late["due_datetime"], "2026-03-02T22:29:00+11:00");
    assert!(late["contact_id"].is_null() && late.as_object().unwrap().contains_key("contact_id"), "null, not absent");
    let id = late["id"].as_str().unwrap();
    assert_eq!(site.get(&key, &format!("/api/tasks/{id}")).await.json(), late);
}

fn jane() -> String {
    format!(
        "INSERT INTO contacts (id, name, first_name, last_name, phone, phone_status, email, is_existing_patient, marketing_consent, source, current_pipeline, current_stage, warmness, no_shows, is_demo, version, created_at, updated_at)
         VALUES ('{JANE}', 'Jane O_Neil', 'Jane', 'O_Neil', '+61491570006', 'valid', 'jane@example.com', FALSE, 'unknown', 'wix', 'leads', 'new', 40, 0, FALSE, 1, 0, 0);
         INSERT INTO contacts (id, name, first_name, last_name, phone_status, is_existing_patient, marketing_consent, source, warmness, no_shows, is_demo, version, created_at, updated_at)
         VALUES ('018f4e9a-0000-7000-8000-0000000000ab', 'Élodie OXNeil', 'Élodie', 'OXNeil', 'unknown', FALSE, 'unknown', 'wix', 10, 0, FALSE, 1, 0, 0);"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_is_found_by_name_phone_or_email() {
    for site in Site::of_each_database().await {
        a_contact_is_found(&site).await;
    }
}

async fn a_contact_is_found(site: &Site) {
    let key = site.key(Role::FrontDesk).await;
    site.sql(&jane());
    avatar::store::search::catch_up(&site.context.store).unwrap();
    for q in ["jane", "JANE%20O", "o_neil", "0491%20570%20006", "%2B61491570", "jane@EXAMPLE", "&pipeline=leads&stage=new"] {
        let found = site.get(&key, &format!("/api/contacts?q={q}")).await.json();
        assert_eq!((found["total"].as_i64(), found["items"][0]["id"].as_str()), (Some(1), Some(JANE)), "{q}: {found}");
    }
    assert_eq!(site.get(&key, "/api/contacts?q=%25").await.json()["total"], 0, "a wildcard is a letter");
    assert_eq!(site.get(&key, "/api/contacts?q=%C3%89lod").await.json()["total"], 1);
    assert_eq!(site.get(&key, "/api/contacts?q=neil").await.json()["total"], 1, "words, not parts of them");
    assert_eq!(site.get(&key, "/api/contacts?q=oxneil%20elo").await.json()["total"], 1);
    let contact = site.get(&key, &format!("/api/contacts/{JANE}")).await.json();
    for field in [
        "id",
        "name",
        "first_name",
        "last_name",
        "phone",
        "email",
        "is_existing_patient",
        "current_pipeline",
        "current_stage",
        "warmness",
        "opted_out_at",
        "source",
    ] {
        assert!(contact.as_object().unwrap().contains_key(field), "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_shows_why_a_rule_did_not_fire() {
    let site = Site::open().await;
    let key = site.key(Role::Ops).await;
    let at = site.test.now().0;
    let stop = r#"{"reason":"if","path":"if/0","file":"rules/leads.yaml","line":7,"column":9,"text":"contact.warmness > 50","values":[{"path":"contact.warmness","value":"40"}]}"#;
    let trace =
        format!(r#"{{"rule_id":"welcome","file":"rules/leads.yaml","line":3,"outcome":"skipped","stopped_at":{stop},"ops":12}}"#);
    site.sql(&format!(
        "INSERT INTO event_log (id, event_type, source, dedupe_key, timestamp, actor, signature_state, payload, depth, status, duplicates, revision)
         VALUES ('{EVENT}', 'lead_created', 'manychat', 'k', {at}, 'patient', 'token', '{{\"contact\":{{\"first_name\":\"Jane\"}}}}', 0, 'processed', 2, 3);
         INSERT INTO automation_runs (id, event_id, rule_id, revision, outcome, at, trace) VALUES ('{EVENT}', '{EVENT}', 'welcome', 3, 'skipped', {at}, '{trace}');"
    ));
    let answer = site.get(&key, &format!("/api/events/{EVENT}")).await;
    let event = answer.json();
    assert_eq!((event["status"].as_str(), event["revision"].as_str()), (Some("processed"), Some("r3")));
    assert_eq!(event["runs"][0]["outcome"], "skipped");
    assert_eq!(event["runs"][0]["stopped_at"]["text"], "contact.warmness > 50");
    assert_eq!(event["runs"][0]["trace"]["line"], 3);
    assert!(!answer.body.contains("Jane"), "what the provider said of a person is not repeated here");
    let run = site.get(&key, &format!("/api/runs/{EVENT}")).await.json();
    assert_eq!(run["trace"]["ops"], 12);
    assert_eq!(site.get(&key, "/api/runs?rule=welcome&outcome=fired").await.json()["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_and_pipelines_are_told_as_they_are() {
    let site = Site::open().await;
    let key = site.key(Role::Ops).await;
    let status = site.get(&key, "/api/rules/status").await;
    assert_eq!(status.header("cache-control"), Some("no-store"));
    insta::assert_json_snapshot!(status.json(), @r#"
    {
      "draft": {
        "clean": true,
        "diagnostics": [],
        "timers": null
      },
      "hash": "ab12",
      "published_at": "2026-03-02T09:00:00+11:00",
      "revision": "r3"
    }
    "#);
    assert_eq!(site.get(&key, "/api/rules").await.json()["items"][0]["id"], "welcome");
    let pipelines = site.get(&key, "/api/pipelines").await.json();
    assert_eq!(pipelines["items"][0]["stages"][1]["terminal"], true);
    assert!(pipelines["items"][0]["stages"][1]["sla_hours"].is_null());
}
