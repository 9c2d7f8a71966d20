//! Walking through lists page by page.

use super::site::Site;
use avatar::domain::ids::new_id;
use avatar::domain::staff::Role;
use std::collections::BTreeSet;

/// Follows `next_cursor` to the end and answers with all ids, in order.
async fn walk(site: &Site, key: &str, list: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = site.get(key, &format!("{list}limit={limit}{cursor}")).await;
        assert_eq!(page.status, 200, "{list}: {}", page.body);
        let page = page.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        ids.extend(items.iter().map(|item| item["id"].to_string()));
        assert!(ids.len() <= 100, "{list} never ends");
        let Some(next) = page["next_cursor"].as_str() else {
            assert_eq!(page["total"], ids.len(), "{list}");
            return ids;
        };
        cursor = format!("&cursor={next}");
    }
}

/// 23 rows of each list; sort keys are equal in all of them, or in most.
fn fill(site: &Site) -> String {
    let now = site.test.now();
    let at = now.0;
    let contact = new_id(now);
    let mut sql = String::new();
    for n in 0..23 {
        let id = new_id(now);
        let person = if n == 0 { contact.clone() } else { id.clone() };
        let (priority, due) = (50 + (n % 2), at + i64::from(n % 3));
        sql.push_str(&format!(
            "INSERT INTO tasks (id, type, title, contact_id, status, due_datetime, priority_score, because, is_demo, version, created_at, updated_at)
             VALUES ('{id}', 'lead_call', 'Call', '{contact}', 'todo', {due}, {priority}, 'new lead', FALSE, 1, {at}, {at});
             INSERT INTO contacts (id, name, first_name, last_name, phone_status, is_existing_patient, marketing_consent, source, warmness, no_shows, is_demo, version, created_at, updated_at)
             VALUES ('{person}', 'Jane N', 'Jane', 'N', 'unknown', FALSE, 'unknown', 'wix', 10, 0, FALSE, 1, {at}, {at});
             INSERT INTO bookings (id, contact_id, source, appointment_datetime, timezone, status, urgency_level, referral_status, reschedule_count, provider_sequence, provider_revision, is_demo, version, created_at, updated_at)
             VALUES ('{id}', '{contact}', 'wix', {at}, 'Australia/Sydney', 'scheduled', 'routine', 'missing', 0, 0, 0, FALSE, 1, {at}, {at});
             INSERT INTO sms_messages (id, direction, contact_id, category, to_number, body, encoding, parts, status, attempts, immediate, is_demo, created_at, updated_at)
             VALUES ('{id}-s', 'out', '{contact}', 'transactional', '+61491570006', 'Hi', 'gsm7', 1, 'queued', 0, FALSE, FALSE, {at}, {at});
             INSERT INTO event_log (id, event_type, source, dedupe_key, timestamp, actor, signature_state, payload, depth, status, duplicates)
             VALUES ('{id}', 'lead_created', 'wix', 'key-{n}', {at}, 'patient', 'valid', '{{}}', 0, 'accepted', 0);
             INSERT INTO automation_runs (id, event_id, rule_id, revision, outcome, at, trace)
             VALUES ('{id}', '{id}', 'welcome', 3, 'fired', {at}, '{{}}');
             INSERT INTO jobs (queue, kind, state, priority, run_at, attempt, max_attempts, rescues, lease_token, timeout_ms, payload, created_at, updated_at)
             VALUES ('automation', 'run_event', 'dead', 1, {at}, 1, 3, 0, 0, 1000, '{{}}', {at}, {at});
             INSERT INTO notes (id, contact_id, body, author, created_at) VALUES ('{id}-n', '{contact}', 'noted', 'staff:1', {at});
             INSERT INTO touchpoints (id, contact_id, timestamp, kind, direction) VALUES ('{id}-t', '{contact}', {at}, 'form', 'in');"
        ));
    }
    let gone = new_id(now);
    sql.push_str(&format!(
        "INSERT INTO contacts (id, name, first_name, last_name, phone_status, is_existing_patient, marketing_consent, source, warmness, no_shows, is_demo, version, created_at, updated_at, merged_into_id)
         VALUES ('{gone}', 'Gone', 'Gone', 'G', 'unknown', FALSE, 'unknown', 'wix', 10, 0, FALSE, 1, {at}, {at}, 'other');"
    ));
    site.sql(&format!("BEGIN; {sql} COMMIT;"));
    avatar::store::search::catch_up(&site.context.store).unwrap();
    contact
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_met_once_whatever_the_size_of_the_pages() {
    for site in Site::of_each_database().await {
        every_row_is_met_once(&site).await;
    }
}

async fn every_row_is_met_once(site: &Site) {
    let contact = fill(site);
    let key = site.key(Role::Ops).await;
    let lists = ["tasks", "contacts", "bookings", "sms", "events", "runs", "jobs"].map(|name| format!("/api/{name}?"));
    let timeline = format!("/api/contacts/{contact}/timeline?");
    for list in lists.iter().chain([&timeline]) {
        let rows = if *list == timeline { 92 } else { 23 };
        let all = walk(site, &key, list, 200).await;
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), rows, "{list}");
        for limit in [1, 4, 23] {
            assert_eq!(walk(site, &key, list, limit).await, all, "{list} by {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_list_and_unknown_parameters_are_named_in_the_answer() {
    let site = Site::open().await;
    fill(&site);
    let key = site.key(Role::Ops).await;
    let next = site.get(&key, "/api/events?limit=1").await.json()["next_cursor"].as_str().unwrap().to_owned();
    for (query, pointer) in [
        (format!("/api/tasks?cursor={next}"), "/query/cursor"),
        ("/api/tasks?limit=201".into(), "/query/limit"),
        ("/api/tasks?limit=all".into(), "/query/limit"),
        ("/api/tasks?status=open".into(), "/query/status"),
        ("/api/tasks?timeframe=soon".into(), "/query/timeframe"),
        ("/api/tasks?colour=red".into(), "/query/colour"),
        ("/api/bookings?from=soon".into(), "/query/from"),
        ("/api/pipelines?x=1".into(), "/query/x"),
    ] {
        let answer = site.get(&key, &query).await;
        assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/problem+json")), "{query}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{query}");
    }
}
