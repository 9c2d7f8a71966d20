//! Two records of one person become one, and two again.

use crate::store::TestStore;
use crate::support::clinic::Clinic;
use crate::support::records::Records;
use crate::support::wix::{Patient, Visit};
use avatar::automation::merge::{Wanted, merge, unmerge};
use avatar::domain::ids::derived_id;
use avatar::domain::time::{Millis, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

on_both_engines!(
    two_records_become_one_and_two_again,
    stop_from_one_number_holds_for_both,
    the_same_text_does_not_go_to_one_person_twice,
    what_cannot_be_merged_says_why,
    later_messages_of_either_find_the_one_person,
    an_old_page_is_about_the_one_that_is_left,
    what_was_missed_since_is_whose_booking_it_was,
    a_miss_that_was_put_right_meanwhile_is_nobodys,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";
const NEXT_TUESDAY: &str = "2026-12-01T10:30:00+11:00";

fn janie() -> Patient {
    Patient::new("wix-janie", "Janie", "Nguyen", "0491570156")
}

fn id(clinic: &Clinic, first_name: &str) -> String {
    clinic.words(&format!("SELECT id AS value FROM contacts WHERE first_name = '{first_name}'")).remove(0)
}

/// Jane, and Janie who is Jane: each with a booking.
fn twice_the_same(clinic: &Clinic) -> (String, String) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    clinic.wix(&Visit::new(&janie(), "ct", NEXT_TUESDAY).created());
    (id(clinic, "Jane"), id(clinic, "Janie"))
}

fn merge_over_http(clinic: &Clinic, winner: &str, loser: &str, query: &str) -> Value {
    let answer = clinic.post_api(&format!("/api/contacts/{winner}/merge{query}"), &json!({ "other_id": loser }));
    assert_eq!(answer.status, 200, "{answer:?}");
    clinic.settle();
    answer.json()
}

fn count(clinic: &Clinic, table: &str, contact: &str) -> i64 {
    clinic.number(&format!("SELECT COUNT(*) AS value FROM {table} WHERE contact_id = '{contact}'"))
}

fn booking_timers(clinic: &Clinic, contact: &str) -> Vec<String> {
    clinic.lines(&format!(
        "SELECT rule_id AS value, due_at AS at FROM timers WHERE contact_id = '{contact}' AND subject_kind = 'booking' ORDER BY due_at, rule_id"
    ))
}

fn two_records_become_one_and_two_again(clinic: &Clinic) {
    let (jane, janie_id) = twice_the_same(clinic);
    let (of_jane, of_janie) = (booking_timers(clinic, &jane), booking_timers(clinic, &janie_id));
    let preview = merge_over_http(clinic, &jane, &janie_id, "?dry_run=true");
    assert_eq!((preview["dry_run"].as_bool(), preview["moved"]["bookings"].as_i64()), (Some(true), Some(1)));
    assert_eq!(count(clinic, "bookings", &janie_id), 1, "a preview changes nothing");

    let merged = merge_over_http(clinic, &jane, &janie_id, "");
    assert_eq!(merged["moved"], preview["moved"]);
    assert_eq!((count(clinic, "bookings", &jane), count(clinic, "bookings", &janie_id)), (2, 0));
    assert_eq!(booking_timers(clinic, &jane).len(), of_jane.len() + of_janie.len());
    clinic.check();
    let read = clinic.get(&format!("/api/contacts/{janie_id}")).json();
    assert_eq!((read["id"].as_str(), read["merged_from"].as_str()), (Some(jane.as_str()), Some(janie_id.as_str())));
    assert_eq!(clinic.get("/api/contacts?q=nguyen").json()["total"], 1);
    assert_eq!(clinic.get("/api/contacts?q=0491570156").json()["total"], 1, "by her other number, too");
    let events =
        clinic.number("SELECT COUNT(*) AS value FROM event_log WHERE event_type = 'contacts_merged' AND actor = 'staff'");
    assert_eq!(events, 1);

    let undone = clinic.post_api(&format!("/api/contacts/{janie_id}/unmerge"), &json!({}));
    assert_eq!(undone.status, 200, "{undone:?}");
    clinic.settle();
    clinic.check();
    assert_eq!((booking_timers(clinic, &jane), booking_timers(clinic, &janie_id)), (of_jane, of_janie));
    assert_eq!((count(clinic, "bookings", &jane), count(clinic, "bookings", &janie_id)), (1, 1));
    assert_eq!(clinic.get("/api/contacts?q=0491570156").json()["total"], 1);
    assert_eq!(clinic.get(&format!("/api/contacts/{janie_id}")).json()["phone"], "+61491570156");
    let again = clinic.post_api(&format!("/api/contacts/{janie_id}/unmerge"), &json!({}));
    assert_eq!(again.status, 409, "{again:?}");
}

fn stop_from_one_number_holds_for_both(clinic: &Clinic) {
    let (jane, janie_id) = twice_the_same(clinic);
    clinic.reply(&janie(), "STOP");
    let merged = merge_over_http(clinic, &jane, &janie_id, "");
    assert_eq!(merged["opted_out"], true);
    let before = clinic.sent_to(&Patient::jane().mobile());
    clinic.advance("2026-12-02T12:00:00+11:00");
    assert_eq!(clinic.sent_to(&Patient::jane().mobile()), before, "no reminder after STOP from her other number");
    clinic.check();
    let undone = clinic.post_api(&format!("/api/contacts/{janie_id}/unmerge"), &json!({}));
    assert_eq!(undone.status, 200, "{undone:?}");
    let suppressed = clinic.words("SELECT phone AS value FROM suppressions WHERE lifted_at IS NULL");
    assert_eq!(suppressed, [janie().mobile()], "only the number that said it");
    assert!(clinic.get(&format!("/api/contacts/{jane}")).json()["opted_out_at"].is_null());
}

fn the_same_text_does_not_go_to_one_person_twice(clinic: &Clinic) {
    // The texts wait while somebody has stopped the outbox.
    assert_eq!(clinic.post_api("/api/queues/sms/pause", &json!({})).status, 200);
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    clinic.wix(&Visit::new(&janie(), "ct", NEXT_MONDAY).created());
    let (jane, janie_id) = (id(clinic, "Jane"), id(clinic, "Janie"));
    let waiting = "SELECT COUNT(*) AS value FROM sms_messages WHERE status IN ('scheduled', 'queued') AND template = 'booking_confirmation'";
    assert_eq!(clinic.number(waiting), 2, "{:?}", clinic.texts());
    let merged = merge_over_http(clinic, &jane, &janie_id, "");
    assert_eq!(merged["texts_withdrawn"], 1, "{:?}", clinic.texts());
    assert_eq!(clinic.number(waiting), 1);
    let undone = clinic.post_api(&format!("/api/contacts/{janie_id}/unmerge"), &json!({}));
    assert_eq!(undone.status, 200, "{undone:?}");
    clinic.settle();
    assert_eq!(clinic.number(waiting), 2, "what was due meanwhile is of use until the appointment");
    assert_eq!(clinic.post_api("/api/queues/sms/resume", &json!({})).status, 200);
    clinic.settle();
    assert_eq!((clinic.sent_to(&Patient::jane().mobile()), clinic.sent_to(&janie().mobile())), (1, 1));
}

fn what_cannot_be_merged_says_why(clinic: &Clinic) {
    let (jane, janie_id) = twice_the_same(clinic);
    let post =
        |winner: &str, other: &str| clinic.post_api(&format!("/api/contacts/{winner}/merge"), &json!({ "other_id": other }));
    assert_eq!(post(&jane, &jane).status, 422);
    assert_eq!(post(&jane, "nobody").status, 422);
    assert_eq!(post(&jane, "018f4e9a-0000-7000-8000-0000000000aa").status, 404);
    merge_over_http(clinic, &jane, &janie_id, "");
    let twice = post(&jane, &janie_id);
    assert_eq!(twice.status, 409);
    assert!(twice.json()["detail"].as_str().unwrap().contains("already"), "{twice:?}");
    clinic.clock.advance(Millis::days(31));
    let late = clinic.post_api(&format!("/api/contacts/{janie_id}/unmerge"), &json!({}));
    assert_eq!((late.status, late.json()["detail"].as_str()), (409, Some("A merge can be undone for 30 days.")));
}

fn later_messages_of_either_find_the_one_person(clinic: &Clinic) {
    let (jane, janie_id) = twice_the_same(clinic);
    // Recorded before the merge, worked on after it.
    assert_eq!(clinic.post_sms_reply(&janie(), "early", "is there parking?").status, 200);
    let answer = clinic.post_api(&format!("/api/contacts/{jane}/merge"), &json!({ "other_id": janie_id }));
    assert_eq!(answer.status, 200, "{answer:?}");
    clinic.settle();
    clinic.reply(&janie(), "hello again");
    clinic.wix(&Visit::new(&janie(), "xray", "2026-12-03T10:30:00+11:00").created());
    assert_eq!(count(clinic, "bookings", &jane), 3);
    assert_eq!(
        clinic.number(&format!("SELECT COUNT(*) AS value FROM sms_messages WHERE direction = 'in' AND contact_id = '{jane}'")),
        2
    );
    assert_eq!(clinic.count("contacts"), 2, "nobody new");
    let inbox = clinic.get("/api/inbox?filter=unanswered").json();
    assert_eq!((inbox["total"].as_i64(), inbox["items"][0]["contact_id"].as_str()), (Some(1), Some(jane.as_str())));
}

/// Somebody still has the page of the contact that was merged.
fn an_old_page_is_about_the_one_that_is_left(clinic: &Clinic) {
    let (jane, janie_id) = twice_the_same(clinic);
    merge_over_http(clinic, &jane, &janie_id, "");
    let old = format!("/api/contacts/{janie_id}");
    let seen = clinic.get(&old).json()["version"].as_i64();
    let rename = |version: Option<i64>, name: &str| clinic.call("PATCH", &old, version, &json!({ "last_name": name }));
    let changed = rename(seen, "Tran").json();
    assert_eq!((&changed["id"], &changed["last_name"]), (&json!(jane), &json!("Tran")));
    let stale = rename(seen, "Stale");
    assert_eq!((stale.status, &stale.json()["current"]["last_name"]), (412, &json!("Tran")), "{stale:?}");
    for list in ["bookings", "tasks", "sms"] {
        let total = |id: &str| clinic.get(&format!("/api/{list}?contact_id={id}")).json()["total"].as_i64();
        assert_eq!(total(&janie_id), total(&jane), "{list}");
        assert_ne!(total(&jane), Some(0), "{list}");
    }
    for number in ["0491 570 156", "+61491570156"] {
        let found = clinic.get(&format!("/api/search?q={}", number.replace(' ', "%20").replace('+', "%2B"))).json();
        assert_eq!(found["people"][0]["id"], jane.as_str(), "{number}: {found}");
    }
    let draft = json!({ "body": "Yes, behind the building." });
    assert_eq!(clinic.call("PUT", &format!("/api/inbox/{janie_id}/draft"), Some(0), &draft).status, 200);
    assert_eq!(clinic.get(&format!("/api/inbox/{jane}/draft")).json()["body"], draft["body"]);
}

fn mark_booking(clinic: &Clinic, wix: &str, what: &str) {
    let id = clinic.words(&format!("SELECT id AS value FROM bookings WHERE wix_booking_id = '{wix}'")).remove(0);
    let marked = clinic.post_api(&format!("/api/bookings/{id}/{what}"), &json!({}));
    assert_eq!(marked.status, 200, "{marked:?}");
}

fn missed(clinic: &Clinic, contact: &str) -> i64 {
    clinic.get(&format!("/api/contacts/{contact}")).json()["no_shows"].as_i64().unwrap()
}

fn a_miss_that_was_put_right_meanwhile_is_nobodys(clinic: &Clinic) {
    let (jane, janie_id) = twice_the_same(clinic);
    clinic.advance("2026-12-01T11:00:00+11:00");
    mark_booking(clinic, "mri", "no-show");
    mark_booking(clinic, "ct", "no-show");
    merge_over_http(clinic, &jane, &janie_id, "");
    mark_booking(clinic, "ct", "complete");
    assert_eq!(missed(clinic, &jane), 1);
    assert_eq!(clinic.post_api(&format!("/api/contacts/{janie_id}/unmerge"), &json!({})).status, 200);
    assert_eq!((missed(clinic, &jane), missed(clinic, &janie_id)), (1, 0));
}

fn what_was_missed_since_is_whose_booking_it_was(clinic: &Clinic) {
    let (jane, janie_id) = twice_the_same(clinic);
    let missed = |contact: &str| missed(clinic, contact);
    let miss = |wix: &str| mark_booking(clinic, wix, "no-show");
    clinic.advance("2026-11-30T11:00:00+11:00");
    miss("mri");
    merge_over_http(clinic, &jane, &janie_id, "");
    clinic.advance("2026-12-01T11:00:00+11:00");
    miss("ct");
    assert_eq!(missed(&jane), 2, "one person has missed both");
    let undone = clinic.post_api(&format!("/api/contacts/{janie_id}/unmerge"), &json!({}));
    assert_eq!((undone.status, missed(&jane), missed(&janie_id)), (200, 1, 1), "{undone:?}");
}

const TABLES: [&str; 15] = [
    "contacts",
    "contact_identities",
    "bookings",
    "tasks",
    "touchpoints",
    "notes",
    "pipeline_transitions",
    "field_changes",
    "sms_messages",
    "automation_skips",
    "timers",
    "contact_terms",
    "contact_search",
    "inbox_states",
    "inbox_drafts",
];

/// Every row of the tables, but for versions and times of change.
fn dump(records: &Records) -> Vec<String> {
    let mut all = Vec::new();
    for table in TABLES {
        let columns = records.words(&format!("SELECT name AS value FROM pragma_table_info('{table}')"));
        let shown = columns.iter().filter(|c| !["version", "updated_at"].contains(&c.as_str()));
        let row: Vec<String> = shown.map(|c| format!("'{c}=' || quote(\"{c}\")")).collect();
        let rows = records.words(&format!("SELECT {} AS value FROM {table} ORDER BY 1", row.join(" || ' ' || ")));
        all.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
    }
    all
}

/// One row that hangs on a contact.
#[derive(Clone, Debug)]
struct Thing {
    kind: u8,
    of_loser: bool,
    variant: u8,
}

fn insert(records: &Records, position: usize, thing: &Thing, owner: &str) {
    let at = 1_772_402_400_000_i64 + position as i64;
    let id = derived_id(Timestamp(at), &[&position.to_string()]);
    let v = thing.variant;
    let state = ["pending", "fired"][usize::from(v % 2)];
    let sql = match thing.kind {
        0 => format!(
            "INSERT INTO bookings (id, contact_id, source, appointment_datetime, timezone, status, urgency_level, referral_status, reschedule_count, provider_sequence, provider_revision, is_demo, version, created_at, updated_at) VALUES ('{id}', '{owner}', 'wix', {at}, 'Australia/Sydney', 'scheduled', 'routine', 'missing', 0, 0, 0, 0, 1, 0, 0)"
        ),
        1 => format!(
            "INSERT INTO tasks (id, type, title, contact_id, status, due_datetime, priority_score, because, is_demo, version, created_at, updated_at) VALUES ('{id}', 'lead_call', 't{v}', '{owner}', 'todo', {at}, 5, 'b', 0, 1, 0, 0)"
        ),
        2 => format!(
            "INSERT INTO touchpoints (id, contact_id, timestamp, kind, direction) VALUES ('{id}', '{owner}', {at}, 'form', 'in')"
        ),
        3 => format!(
            "INSERT INTO notes (id, contact_id, body, author, created_at) VALUES ('{id}', '{owner}', 'n{v}', 'system', {at})"
        ),
        4 => format!(
            "INSERT INTO timers (rule_id, trigger_index, subject_id, occurrence, subject_kind, contact_id, due_at, late_ms, state, updated_at) VALUES ('r{v}', 0, '{owner}', 'o{position}', 'contact', '{owner}', {at}, 0, '{state}', 7)"
        ),
        5 => format!(
            "INSERT INTO timers (rule_id, trigger_index, subject_id, occurrence, subject_kind, contact_id, due_at, late_ms, state, updated_at) VALUES ('r{v}', 0, '{id}', 'o', 'booking', '{owner}', {at}, 0, '{state}', 7)"
        ),
        6 => format!(
            "INSERT INTO sms_messages (id, direction, contact_id, template, category, to_number, body, encoding, parts, status, attempts, immediate, is_demo, scheduled_at, created_at, updated_at) VALUES ('{id}', 'out', '{owner}', 't{}', 'transactional', (SELECT phone FROM contacts WHERE id = '{owner}'), 'b', 'gsm7', 1, '{}', 0, 0, 0, {at} + 864000000, {at}, 0)",
            v % 3,
            ["queued", "delivered"][usize::from(v % 2)]
        ),
        7 => format!(
            "INSERT INTO contact_identities (kind, value, contact_id, created_at) VALUES ('wix_contact', 'w{position}', '{owner}', 0)"
        ),
        8 => format!(
            "INSERT OR IGNORE INTO inbox_states (contact_id, assigned_to, version, updated_at) VALUES ('{owner}', 'kim{v}', 1, 0)"
        ),
        9 => format!(
            "INSERT OR IGNORE INTO inbox_drafts (contact_id, body, author, version, updated_at) VALUES ('{owner}', 'd{v}', 'staff:kim', 1, 0)"
        ),
        10 => format!(
            "INSERT INTO field_changes (id, contact_id, field, at, by) VALUES ('{id}', '{owner}', 'contact.warmness', {at}, 'rule:x')"
        ),
        _ => format!(
            "INSERT INTO pipeline_transitions (id, contact_id, pipeline, to_stage, at, by) VALUES ('{id}', '{owner}', 'lead', 'new_lead', {at}, 'rule:x')"
        ),
    };
    records.execute(&sql);
}

fn person(records: &Records, id: &str, n: u8, facts: u8) {
    let bit = |at: u8, yes: &str| if facts >> at & 1 == 1 { format!("'{yes}'") } else { "NULL".to_owned() };
    let opted_out = if facts >> 3 & 1 == 1 { "5" } else { "NULL" };
    let phone = bit(0, &format!("+6149157000{n}"));
    records.execute(&format!(
        "INSERT INTO contacts (id, name, first_name, last_name, phone, phone_status, email, is_existing_patient, marketing_consent, sms_consent, opted_out_at, source, interest, current_pipeline, current_stage, warmness, no_shows, tags, is_demo, version, created_at, updated_at)
         VALUES ('{id}', 'Jane {n}', 'Jane', '{n}', {phone}, 'valid', {}, 0, 'unknown', 'granted', {opted_out}, 'wix', {}, {}, {}, {}, {n}, '[\"t{n}\"]', 0, 1, 0, 0)",
        bit(1, &format!("jane{n}@example.com")), bit(2, "mri"), bit(4, "lead"), bit(4, "new_lead"), u32::from(facts) % 101,
    ));
    records.execute(&format!(
        "INSERT INTO contact_identities (kind, value, contact_id, created_at) SELECT 'phone', phone, id, 0 FROM contacts WHERE id = '{id}' AND phone IS NOT NULL"
    ));
}

fn thing() -> impl Strategy<Value = Thing> {
    (0..12u8, any::<bool>(), 0..4u8).prop_map(|(kind, of_loser, variant)| Thing { kind, of_loser, variant })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_that_is_undone_leaves_everything_as_it_was(
        (winner_facts, loser_facts) in (any::<u8>(), any::<u8>()),
        things in prop::collection::vec(thing(), 0..40),
    ) {
        let t = TestStore::sqlite();
        let records = Records { url: t.url.clone() };
        let (winner, loser) = ("018f4e9a-0000-7000-8000-0000000000aa", "018f4e9a-0000-7000-8000-0000000000bb");
        person(&records, winner, 1, winner_facts);
        person(&records, loser, 2, loser_facts);
        for (position, thing) in things.iter().enumerate() {
            // A text needs a number.
            let owner = if thing.of_loser { loser } else { winner };
            let facts = if thing.of_loser { loser_facts } else { winner_facts };
            if thing.kind != 6 || facts & 1 == 1 {
                insert(&records, position, thing, owner);
            }
        }
        avatar::store::search::catch_up(&t.store).unwrap();
        let before = dump(&records);
        let wanted = Wanted { winner_id: winner.into(), loser_id: loser.into(), who: "staff:kim".into(), dry_run: true, version: None };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(merge(&t.store, wanted.clone(), t.now())).unwrap();
        prop_assert_eq!(dump(&records), before.clone(), "a preview changes nothing");
        runtime.block_on(merge(&t.store, Wanted { dry_run: false, ..wanted }, t.now())).unwrap();
        for table in ["contact_identities", "bookings", "tasks", "touchpoints", "notes", "timers", "sms_messages", "field_changes", "contact_terms"] {
            let left = records.number(&format!("SELECT COUNT(*) AS value FROM {table} WHERE contact_id = '{loser}'"));
            prop_assert_eq!(left, 0, "{} are left behind", table);
        }
        t.clock.advance(Millis::days(1));
        runtime.block_on(unmerge(&t.store, loser, "staff:kim".into(), None, t.now())).unwrap();
        prop_assert_eq!(dump(&records), before);
    }
}
