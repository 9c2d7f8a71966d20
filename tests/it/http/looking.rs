//! What staff sees: lists in their order, the board, the day sheet, the inbox.

use super::site::Site;
use avatar::domain::ids::derived_id;
use avatar::domain::staff::Role;
use avatar::domain::time::{Millis, Timestamp};
use serde_json::Value;

fn id(n: u32) -> String {
    derived_id(Timestamp(1_772_000_000_000 + i64::from(n)), &[&n.to_string()])
}

/// A person in `leads/STAGE`.
fn person(n: u32, name: &str, stage: &str, warmness: i32, more: &str) -> String {
    format!(
        "INSERT INTO contacts (id, name, first_name, last_name, phone, phone_status, is_existing_patient, marketing_consent, source, current_pipeline, current_stage, warmness, no_shows, is_demo, version, created_at, updated_at)
         VALUES ('{}', '{name}', '{name}', '', '+6149157000{n}', 'valid', FALSE, 'unknown', 'wix', 'leads', '{stage}', {warmness}, 0, FALSE, 1, 0, {n}); {more}",
        id(n)
    )
}

fn task(n: u32, of: u32, due: Timestamp) -> String {
    format!(
        "INSERT INTO tasks (id, type, title, contact_id, status, due_datetime, priority_score, because, is_demo, version, created_at, updated_at)
         VALUES ('{}', 'lead_call', 'Call back', '{}', 'todo', {}, 10, 'new lead', FALSE, 1, 0, 0);",
        id(n), id(of), due.0
    )
}

fn text(n: u32, of: u32, direction: &str, at: Timestamp, body: &str) -> String {
    let status = if direction == "in" { "received" } else { "delivered" };
    format!(
        "INSERT INTO sms_messages (id, direction, contact_id, category, to_number, body, encoding, parts, status, attempts, immediate, is_demo, created_at, updated_at)
         VALUES ('{}', '{direction}', '{}', 'transactional', '+61', '{body}', 'gsm7', 1, '{status}', 0, FALSE, FALSE, {}, 0);",
        id(n), id(of), at.0
    )
}

async fn opened(rows: &[String]) -> Vec<Site> {
    let sites = Site::of_each_database().await;
    for site in &sites {
        site.sql(&rows.concat());
        avatar::store::search::catch_up(&site.context.store).unwrap();
    }
    sites
}

fn names<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_listed_in_the_order_and_by_the_filters_asked_for() {
    let opted = format!("UPDATE contacts SET opted_out_at = 5, assigned_to = 'kim' WHERE id = '{}';", id(2));
    let rows = [
        person(1, "Zoé", "new", 10, ""),
        person(2, "Adam", "new", 90, &opted),
        person(3, "Mia", "won", 50, ""),
        "UPDATE contacts SET current_pipeline = NULL, current_stage = NULL WHERE name = 'Mia';".to_owned(),
    ];
    for site in opened(&rows).await {
        let key = site.key(Role::FrontDesk).await;
        for (query, wanted) in [
            ("", "Mia Adam Zoé"),
            ("?sort=name", "Adam Mia Zoé"),
            ("?sort=warmness", "Adam Mia Zoé"),
            ("?pipeline=leads&stage=new&sort=warmness", "Adam Zoé"),
            ("?opted_out=true", "Adam"),
            ("?opted_out=false&sort=name", "Mia Zoé"),
            ("?assigned_to=kim", "Adam"),
            ("?q=0491570&sort=name", "Adam Mia Zoé"),
            ("?q=zoe", "Zoé"),
        ] {
            let list = site.get(&key, &format!("/api/contacts{query}")).await.json();
            assert_eq!(names(&list["items"], "name").join(" "), wanted, "{query}: {list}");
            assert_eq!(
                (list["total"].as_u64(), list["total_is_exact"].as_bool()),
                (Some(wanted.split(' ').count() as u64), Some(true))
            );
        }
        for sort in ["updated", "name", "warmness"] {
            for q in ["", "&q=0491"] {
                pages_add_up(&site, &key, &format!("/api/contacts?sort={sort}{q}")).await;
            }
        }
        assert_eq!(site.get(&key, "/api/contacts?sort=age").await.status, 400);
    }
}

/// Common words are compared with each other, rare ones looked for in the lines of whom they are: both find the same people.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_words_find_who_has_both_however_common_each_is() {
    const FIRST: [&str; 3] = ["Ann", "Annabel", "Bo"];
    const LAST: [&str; 4] = ["Lee", "Leeds", "Ng", "Annan"];
    let everybody: Vec<(&str, &str)> =
        (0..2_400).map(|n| if n == 0 { ("Rare", "Leeds") } else { (FIRST[n % 3], LAST[n / 3 % 4]) }).collect();
    let rows: Vec<String> = (0..).zip(&everybody).map(|(n, (a, b))| person(n, &format!("{a} {b}"), "new", 1, "")).collect();
    for site in opened(&rows).await {
        let key = site.key(Role::FrontDesk).await;
        for text in ["ann lee", "lee ann", "annabel ng", "bo annan", "ann annan", "rare lee", "ann rare", "lee bo 4915", "ng zz"]
        {
            let has = |words: [&str; 2], wanted: &str| words.iter().any(|w| w.to_lowercase().starts_with(wanted));
            let all = |(a, b): &&(&str, &str)| text.split(' ').all(|w| w == "4915" || has([a, b], w));
            let expected = everybody.iter().filter(all).count() as i64;
            let found = site.get(&key, &format!("/api/contacts?q={}", text.replace(' ', "%20"))).await.json();
            assert_eq!(
                (found["total"].as_i64(), &found["total_is_exact"]),
                (Some(expected.min(500)), &(expected <= 500).into()),
                "{text}"
            );
        }
    }
}

/// Page by page, one by one, the list is the same as at once.
async fn pages_add_up(site: &Site, key: &str, path: &str) {
    let whole = site.get(key, path).await.json();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = site.get(key, &format!("{path}&limit=1{cursor}")).await.json();
        found.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
        assert!(found.len() < 10, "{path} has no end");
    }
    assert_eq!(Value::from(found), whole["items"], "{path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_shows_late_ones_first_then_the_warmest_and_true_totals() {
    let now = Timestamp(1_772_402_400_000);
    let moved = |n: u32, hours: i64| {
        format!(
            "INSERT INTO pipeline_transitions (id, contact_id, pipeline, from_pipeline, from_stage, to_stage, at, by, duration_ms) VALUES ('{}', '{}', 'leads', 'leads', 'new', 'won', {}, 'rule:x', {});",
            id(n),
            id(4),
            now.0 - 1_000,
            hours * 3_600_000
        )
    };
    let rows = [
        person(1, "Cool", "new", 30, ""),
        person(2, "Hot", "new", 90, &task(21, 2, now + Millis::hours(1))),
        person(3, "Late", "new", 10, &task(22, 3, now - Millis::MINUTE)),
        person(4, "Won", "won", 70, ""),
        moved(31, 2),
        moved(32, 6),
    ];
    for site in opened(&rows).await {
        let key = site.key(Role::FrontDesk).await;
        let board = site.get(&key, "/api/pipelines/leads/board").await.json();
        let new = &board["columns"][0];
        assert_eq!(names(&new["cards"], "name"), ["Late", "Hot", "Cool"], "{board}");
        assert_eq!((new["total"].as_i64(), new["hot"].as_i64(), new["sla_hours"].as_i64()), (Some(3), Some(1), Some(4)));
        assert_eq!(
            (new["median_seconds"].as_i64(), new["left"].as_i64(), board["median_window_days"].as_i64()),
            (Some(4 * 3_600), Some(2), Some(30))
        );
        assert_eq!((new["cards"][0]["late"].as_bool(), new["cards"][0]["next"]["late"].as_bool()), (Some(true), Some(true)));
        assert_eq!(
            (new["cards"][1]["next"]["what"].as_str(), new["cards"][1]["late"].as_bool()),
            (Some("Call back"), Some(false))
        );
        assert!(new["cards"][2]["next"].is_null());
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for total in 1..=3 {
            let page = site.get(&key, &format!("/api/pipelines/leads/board?column=new&limit=1{cursor}")).await.json();
            let column = page["columns"][0].clone();
            assert_eq!((column["total"].as_i64(), column["cards"].as_array().unwrap().len()), (Some(3), 1));
            found.push(column["cards"][0]["name"].as_str().unwrap().to_owned());
            assert_eq!(column["next_cursor"].is_null(), total == 3);
            cursor = format!("&cursor={}", column["next_cursor"].as_str().unwrap_or_default());
        }
        assert_eq!(found, ["Late", "Hot", "Cool"]);
        assert_eq!(site.get(&key, "/api/pipelines/nothing/board").await.status, 404);
        assert_eq!(site.get(&key, "/api/pipelines/leads/board?column=lost").await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_day_sheet_says_whose_it_is_and_what_is_missing() {
    let at = Timestamp(1_772_402_400_000);
    let booking = format!(
        "INSERT INTO bookings (id, contact_id, source, service_name, appointment_datetime, timezone, status, urgency_level, referral_status, reschedule_count, provider_sequence, provider_revision, is_demo, version, created_at, updated_at)
         VALUES ('{}', '{}', 'wix', 'MRI knee', {}, 'Australia/Sydney', 'scheduled', 'routine', 'missing', 0, 0, 0, FALSE, 1, 0, 0);",
        id(51), id(1), at.0
    );
    for site in opened(&[person(1, "Jane", "new", 10, &booking)]).await {
        let key = site.key(Role::FrontDesk).await;
        let sheet = site.get(&key, "/api/bookings?from=2026-03-02T00:00:00%2B11:00&to=2026-03-03T00:00:00%2B11:00").await.json();
        let row = &sheet["items"][0];
        assert_eq!(
            (row["contact_name"].as_str(), row["missing"].to_string().as_str()),
            (Some("Jane"), r#"["referral","confirmation"]"#)
        );
        assert_eq!((sheet["counts"]["scheduled"].as_i64(), sheet["total"].as_i64()), (Some(1), Some(1)));
        let other_state = site.get(&key, "/api/bookings?from=2026-03-02T00:00:00%2B11:00&status=cancelled").await.json();
        assert_eq!((other_state["total"].as_i64(), other_state["counts"]["scheduled"].as_i64()), (Some(0), Some(1)));
        assert_eq!(&site.get(&key, &format!("/api/bookings/{}", id(51))).await.json(), row);
        let found = site.get(&key, "/api/search?q=2026-03-02").await.json();
        assert_eq!((found["bookings_total"].as_i64(), found["bookings"][0]["contact_name"].as_str()), (Some(1), Some("Jane")));
        let found = site.get(&key, "/api/search?q=welcome").await.json();
        assert_eq!((found["rules"][0]["id"].as_str(), found["people_total"].as_i64()), (Some("welcome"), Some(0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inbox_knows_who_waits_for_an_answer() {
    let at = |minutes: i64| Timestamp(1_772_402_400_000 - minutes * 60_000);
    let rows = [
        person(1, "Hannah", "new", 10, &text(61, 1, "in", at(30), "is there parking?")),
        person(2, "Yasmin", "new", 10, &text(62, 2, "in", at(50), "can I eat before?")),
        person(3, "Done", "new", 10, &(text(63, 3, "in", at(40), "hello?") + text(64, 3, "out", at(20), "Hi!").as_str())),
    ];
    for site in opened(&rows).await {
        let key = site.key(Role::FrontDesk).await;
        let waiting = site.get(&key, "/api/inbox?filter=unanswered").await.json();
        assert_eq!(names(&waiting["items"], "name"), ["Yasmin", "Hannah"], "who waits longest is first: {waiting}");
        assert_eq!((waiting["unanswered"].as_i64(), waiting["total"].as_i64()), (Some(2), Some(2)));
        let all = site.get(&key, "/api/inbox").await.json();
        assert_eq!(names(&all["items"], "name"), ["Hannah", "Done", "Yasmin"]);
        assert_eq!(all["items"][1]["last_text"]["body"], "Hi!");
        pages_add_up(&site, &key, "/api/inbox?filter=all").await;
        pages_add_up(&site, &key, "/api/inbox?filter=unanswered").await;
        let send = async |method: &str, path: &str, version: &str, body: &str| {
            let authorization = format!("Bearer {key}");
            let headers =
                [("Authorization", authorization.as_str()), ("Content-Type", "application/json"), ("If-Match", version)];
            site.send(method, &format!("/api/inbox/{}{path}", id(1)), &headers, body).await
        };
        assert_eq!(send("POST", "/assign", "\"0\"", r#"{"assigned_to":"me"}"#).await.status, 200);
        assert_eq!(names(&site.get(&key, "/api/inbox?filter=mine").await.json()["items"], "name"), ["Hannah"]);
        assert_eq!(send("PUT", "/draft", "\"0\"", r#"{"body":"Parking is free"}"#).await.status, 200);
        let late = send("PUT", "/draft", "\"0\"", r#"{"body":"No"}"#).await;
        assert_eq!((late.status, late.json()["current"]["body"].as_str()), (412, Some("Parking is free")));
        assert_eq!(send("PUT", "/draft", "\"1\"", r#"{"body":"Parking is free."}"#).await.status, 200);
        let other = site.key(Role::Manager).await;
        let thread = site.get(&other, &format!("/api/inbox/{}", id(1))).await.json();
        assert_eq!(
            (thread["writing"].as_str(), thread["draft"]["version"].as_i64()),
            (Some("key:front_desk"), Some(2)),
            "{thread}"
        );
        site.test.clock.advance(Millis::minutes(2));
        assert!(site.get(&other, &format!("/api/inbox/{}", id(1))).await.json()["writing"].is_null(), "not any more");
        let replied = format!("/api/inbox/{}?since=2026-03-02T08:35:00%2B11:00", id(3));
        assert_eq!(site.get(&key, &replied).await.json()["replied_since"], serde_json::json!([id(64)]));
        assert_eq!(send("POST", "/done", "\"0\"", "").await.status, 200);
        assert_eq!(send("DELETE", "/draft", "\"0\"", "").await.json()["deleted"], true);
        let waiting = site.get(&key, "/api/inbox?filter=unanswered").await.json();
        assert_eq!(names(&waiting["items"], "name"), ["Yasmin"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_says_which_event_led_to_what_and_can_be_filtered() {
    let (event, run) = (id(71), id(72));
    let at = 1_772_402_400_000_i64;
    let rows = format!(
        "INSERT INTO event_log (id, event_type, source, dedupe_key, timestamp, actor, signature_state, payload, depth, status, duplicates, contact_id) VALUES ('{event}', 'booking_created', 'wix', 'k', {at}, 'patient', 'valid', '{{}}', 0, 'processed', 0, '{who}');
         INSERT INTO automation_runs (id, event_id, rule_id, revision, outcome, contact_id, at, trace) VALUES ('{run}', '{event}', 'welcome', 1, 'fired', '{who}', {at}, '{{}}');
         INSERT INTO touchpoints (id, contact_id, timestamp, kind, direction, event_id) VALUES ('{}', '{who}', {at}, 'booking', 'in', '{event}');
         INSERT INTO field_changes (id, contact_id, field, from_value, to_value, at, by, run_id) VALUES ('{}', '{who}', 'contact.warmness', '61', '79', {at}, 'rule:welcome', '{run}');
         INSERT INTO notes (id, contact_id, body, author, created_at) VALUES ('{}', '{who}', 'fasting', 'staff:kim', {});",
        id(73), id(74), id(75), at - 5, who = id(1)
    );
    for site in opened(&[person(1, "Jane", "new", 10, &rows)]).await {
        let key = site.key(Role::FrontDesk).await;
        let path = format!("/api/contacts/{}/timeline", id(1));
        let all = site.get(&key, &path).await.json();
        assert_eq!(all["total"], 5);
        let automatic = all["items"].as_array().unwrap().iter().filter(|e| e["event_id"] == event.as_str()).count();
        assert_eq!(automatic, 4, "all but the note fold into one: {all}");
        let warmer = site.get(&key, &format!("{path}?kind=field_change,note")).await.json();
        assert_eq!(names(&warmer["items"], "text"), ["61 → 79: +18 after booking", "fasting"]);
        pages_add_up(&site, &key, &format!("{path}?kind=note,run,booking,touchpoint,field_change")).await;
        assert_eq!(site.get(&key, &format!("{path}?kind=gossip")).await.status, 400);
    }
}
