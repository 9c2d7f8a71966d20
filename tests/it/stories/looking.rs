//! Looking back (why not), looking ahead (what next), calling back, and forgetting.

use super::guard::{lead, put_in_force};
use crate::support::clinic::{Clinic, at};
use crate::support::wix::{Patient, Visit};
use avatar::automation::{recall, retention};
use avatar::config::Retention;
use avatar::domain::time::Millis;

on_both_engines!(
    what_did_not_happen_takes_one_row_for_each_event,
    a_daily_look_at_everybody_is_counted_once,
    what_comes_next_is_told_in_order,
    a_recall_withdraws_what_nobody_has_received,
    what_is_old_is_forgotten_kind_by_kind,
    a_score_tells_what_it_was_and_who_changed_it,
    a_score_adds_up_from_what_the_contact_did,
    only_what_needs_an_answer_waits_in_the_inbox,
    a_check_tells_what_becomes_of_pending_timers,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

fn contact_of(clinic: &Clinic, name: &str) -> String {
    clinic.words(&format!("SELECT id AS value FROM contacts WHERE first_name = '{name}'")).remove(0)
}

fn what_did_not_happen_takes_one_row_for_each_event(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    clinic.reply(&Patient::jane(), "Yes");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM automation_runs WHERE outcome = 'skipped'"), 0);
    let event = clinic.words("SELECT id AS value FROM event_log WHERE event_type = 'sms_received'").remove(0);
    let told = clinic.get(&format!("/api/events/{event}")).json();
    let runs: Vec<String> = told["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| {
            format!("{} {} {}", run["rule_id"].as_str().unwrap(), run["outcome"].as_str().unwrap(), run["stopped_at"]["reason"])
        })
        .collect();
    let expected = [
        "reply-stop skipped \"if\"",
        "reply-yes fired null",
        "reply-yes-again skipped \"if\"",
        "reply-cancel skipped \"if\"",
        "reply-no skipped \"if\"",
        "reply-for-a-person skipped \"unhandled\"",
        "texts-again skipped \"if\"",
    ];
    assert_eq!(runs, expected, "in the order of the file");
    let stop = &told["runs"][0]["stopped_at"];
    assert_eq!((stop["path"].as_str(), stop["values"][0]["value"].as_str()), (Some("if/0"), Some("yes")));
    let id = told["runs"][4]["id"].as_str().unwrap();
    assert_eq!(clinic.get(&format!("/api/runs/{id}")).json()["rule_id"], "reply-no", "a skip is found by its id");
    let listed = clinic.get("/api/runs?outcome=skipped&rule=reply-no").json();
    assert_eq!((listed["total"].as_i64(), listed["items"][0]["id"].as_str()), (Some(1), Some(id)));
    let bytes = clinic.number("SELECT CAST(MAX(LENGTH(skips)) AS BIGINT) AS value FROM automation_skips");
    assert!(bytes < 1_500, "five skips take {bytes} bytes");
}

fn a_daily_look_at_everybody_is_counted_once(clinic: &Clinic) {
    put_in_force(
        clinic,
        "rules:\n  - id: look-daily\n    when: { every: day, at: \"10:00\", each: contact }\n    if: contact.no_shows > 0\n    do: [ { note: Look } ]\n",
    );
    for number in 1..=3 {
        lead(clinic, number);
    }
    clinic.advance("2026-11-23T10:01:00+11:00");
    let slots = clinic.words("SELECT skips AS value FROM automation_skips WHERE contact_id IS NULL");
    assert!(slots.len() == 1 && slots[0].contains("\"n\":3"), "{slots:?}");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM event_log WHERE source = 'schedule'"), 0);
}

fn what_comes_next_is_told_in_order(clinic: &Clinic) {
    clinic.advance("2026-11-23T21:00:00+11:00");
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.wix(&visit.rescheduled("2026-12-01T10:30:00+11:00"));
    let id = contact_of(clinic, "Jane");
    let told = clinic.get(&format!("/api/contacts/{id}/next")).json();
    let items: Vec<String> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            format!(
                "{} {} {} {}",
                &i["at"].as_str().unwrap()[..16],
                i["kind"].as_str().unwrap(),
                i["rule_id"].as_str().unwrap(),
                i["what"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        "2026-11-24T08:00 text booking-rescheduled booking_rescheduled",
        "2026-11-24T18:00 task booking-confirmed welcome_call: Welcome call: Jane",
        "2026-11-29T10:30 timer reminder-48h text reminder_48hr, move to pre_appointment/reminded",
        "2026-11-30T10:30 timer reminder-24h text reminder_24hr, move to pre_appointment/reminded",
        "2026-11-30T14:30 timer unconfirmed-call move to pre_appointment/at_risk, task confirm_call",
        "2026-12-01T08:30 timer reminder-2h text reminder_2hr",
        "2026-12-01T11:00 timer attendance-check task attendance_check",
    ];
    assert_eq!(items, expected);
}

fn a_recall_withdraws_what_nobody_has_received(clinic: &Clinic) {
    clinic.advance("2026-11-23T21:00:00+11:00");
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.wix(&visit.rescheduled("2026-12-01T10:30:00+11:00"));
    let since = at("2026-11-23T20:00:00+11:00");
    let store = &clinic.automation.store;
    let withdraw = |rule: &str| clinic.runtime.block_on(recall::withdraw(store, rule, since, "ana", clinic.now())).unwrap();
    let listed = clinic.runtime.block_on(recall::list(store, "booking-confirmed", since)).unwrap();
    assert_eq!((listed.summary().as_str(), listed.left), ("0 texts, 1 task, 0 timers", 1), "its text has left");
    assert_eq!(withdraw("booking-rescheduled").summary(), "1 text, 0 tasks, 0 timers");
    assert_eq!(withdraw("booking-confirmed").summary(), "0 texts, 1 task, 0 timers");
    assert_eq!(withdraw("reminder-2h").summary(), "0 texts, 0 tasks, 1 timer");
    assert!(withdraw("reminder-2h").is_empty(), "once is enough");
    assert!(
        clinic.texts().contains(&"booking_rescheduled cancelled: recalled Tue 11-24 08:00".to_owned()),
        "{:?}",
        clinic.texts()
    );
    assert_eq!(clinic.tasks(), ["welcome_call cancelled Tue 11-24 18:00"]);
    // Whatever happens to the booking, the timer was spent.
    clinic.wix(&visit.updated());
    clinic.advance("2026-12-01T10:00:00+11:00");
    assert!(!clinic.texts().iter().any(|t| t.starts_with("reminder_2hr")), "{:?}", clinic.texts());
    let notes =
        clinic.words("SELECT author || ': ' || body AS value FROM notes WHERE body LIKE 'Recalled%' ORDER BY created_at, body");
    assert_eq!(notes.len(), 3);
    assert!(notes[0].starts_with("ana: Recalled what rule "), "{notes:?}");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM rule_history WHERE action = 'recalled'"), 3);
}

fn what_is_old_is_forgotten_kind_by_kind(clinic: &Clinic) {
    let keep = Retention {
        raw_payload: Millis::days(20),
        job_history: Millis::days(30),
        traces: Millis::days(10),
        skips: Millis::days(5),
        leads: Millis::days(700),
    };
    clinic.reply(&Patient::jane(), "hello");
    let prune = || clinic.runtime.block_on(retention::prune(&clinic.automation, keep)).unwrap();
    let left = || {
        [
            clinic.number("SELECT COUNT(*) AS value FROM automation_skips WHERE skips LIKE '%reply-%'"),
            clinic.number("SELECT COUNT(*) AS value FROM automation_runs WHERE trace <> '' AND rule_id LIKE 'reply%'"),
            clinic.number("SELECT COUNT(*) AS value FROM event_payloads WHERE raw_payload <> ''"),
        ]
    };
    assert_eq!(prune(), 0);
    let all = left();
    assert!(all.iter().all(|n| *n > 0), "{all:?}");
    clinic.advance("2026-11-28T09:01:00+11:00");
    assert_eq!((prune() > 0, left()), (true, [0, all[1], all[2]]));
    assert_eq!(prune(), 0, "not twice within the hour");
    clinic.advance("2026-12-03T09:01:00+11:00");
    prune();
    assert_eq!(left(), [0, 0, all[2]]);
    clinic.advance("2026-12-13T09:01:00+11:00");
    prune();
    assert_eq!(left(), [0, 0, 0]);
    assert!(clinic.number("SELECT COUNT(*) AS value FROM automation_runs WHERE outcome = 'fired'") > 0, "outcomes stay");
    assert_eq!(clinic.number("SELECT CAST(MAX(LENGTH(raw_sha256)) AS BIGINT) AS value FROM event_payloads"), 64, "hashes stay");
    let run = clinic.words("SELECT id AS value FROM automation_runs WHERE outcome = 'fired'").remove(0);
    assert_eq!(clinic.get(&format!("/api/runs/{run}")).json()["trace"], serde_json::Value::Null);
}

fn a_score_tells_what_it_was_and_who_changed_it(clinic: &Clinic) {
    clinic.manychat(&Patient::jane(), "lead_created", "hello", Some("google"));
    let id = contact_of(clinic, "Jane");
    let told = clinic.get(&format!("/api/contacts/{id}/timeline")).json();
    let entries = told["items"].as_array().unwrap();
    let score = entries.iter().find(|e| e["kind"] == "field_change" && e["what"] == "contact.warmness").unwrap();
    assert!(score["text"].as_str().unwrap().starts_with("0 → "), "{score}");
    let run = clinic.get(&format!("/api/runs/{}", score["run_id"].as_str().unwrap())).json();
    assert_eq!((run["rule_id"].as_str(), score["by"].as_str()), (Some("lead-created"), Some("rule:lead-created")));
}

fn a_check_tells_what_becomes_of_pending_timers(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let reminders = clinic.installation.read("rules/reminders.yaml");
    let changed = reminders.replace("before: 48h", "before: 72h").replace("id: reminder-2h", "id: reminder-3h");
    clinic.installation.write("rules/reminders.yaml", &changed);
    let told = clinic.post_api("/api/rules/check", &serde_json::json!({})).json();
    let timers = &told["draft"]["timers"];
    assert_eq!([&timers["moves"], &timers["appears"], &timers["vanishes"]], [1, 1, 1], "{told}");
    assert_eq!(clinic.get("/api/rules/status").json()["draft"]["timers"]["rules"][0]["id"], "reminder-2h");
    assert_eq!(clinic.timers().len(), 5, "nothing was changed");
    let published = clinic.post_api("/api/rules/publish", &serde_json::json!({ "message": "earlier" })).json();
    assert_eq!((published["revision"].as_str(), published["published"].as_bool()), (Some("r2"), Some(true)));
    clinic.settle();
    assert!(clinic.timers().contains(&"reminder-48h Fri 11-27 10:30".to_owned()), "{:?}", clinic.timers());
    let back = clinic.post_api("/api/rules/rollback", &serde_json::json!({ "revision": "r1" }));
    assert_eq!(back.status, 200);
    let who = clinic.words("SELECT action || ' ' || by AS value FROM rule_history ORDER BY action, by");
    assert_eq!(who, ["published key:stories", "published start", "rolled_back key:stories"]);
    assert_eq!(clinic.post_api("/api/rules/rollback", &serde_json::json!({ "revision": "r9" })).status, 404);
    assert_eq!(clinic.post_api("/api/rules/publish", &serde_json::json!({ "colour": 1 })).status, 422);
}

fn a_score_adds_up_from_what_the_contact_did(clinic: &Clinic) {
    clinic.manychat(&Patient::jane(), "lead_created", "What does an MRI cost?", None);
    clinic.advance("2026-11-25T09:00:00+11:00");
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let jane = contact_of(clinic, "Jane");
    let path = format!("/api/contacts/{jane}/timeline?kind=field_change");
    let told = || -> Vec<String> {
        let items = clinic.get(&path).json()["items"].as_array().unwrap().clone();
        let scores = items.iter().filter(|item| item["what"] == "contact.warmness");
        scores.map(|item| format!("{} = {}", item["text"].as_str().unwrap(), item["sum"])).collect()
    };
    insta::allow_duplicates! { insta::assert_debug_snapshot!(told(), @r#"
    [
        "39 → 76: time -5, booking +42 = [{\"points\":-5,\"what\":\"time\"},{\"points\":42,\"what\":\"booking\"}]",
        "0 → 39: manychat_message +39 = [{\"points\":39,\"what\":\"manychat_message\"}]",
    ]
    "#); }
    // Another script: what it would have said is not what was said.
    let script = clinic.installation.read("rules/scripts/warmness.rhai");
    clinic.installation.write("rules/scripts/warmness.rhai", &script.replace("{ return 60; }", "{ return 50; }"));
    clinic.runtime.block_on(clinic.rules().publish("stories", None)).unwrap();
    assert!(told()[0].ends_with("= null"), "{:?}", told());
}

fn only_what_needs_an_answer_waits_in_the_inbox(clinic: &Clinic) {
    let omar = Patient::new("w-2", "Omar", "Haddad", "0491570156");
    for patient in [&Patient::jane(), &omar] {
        clinic.wix(&Visit::new(patient, &patient.wix_id, NEXT_MONDAY).created());
    }
    let waiting = || -> Vec<String> {
        let items = clinic.get("/api/inbox?filter=unanswered").json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    clinic.reply(&Patient::jane(), "YES");
    clinic.reply(&omar, "Stop");
    assert_eq!(waiting(), Vec::<String>::new());
    clinic.reply(&Patient::jane(), "Yes, is there parking?");
    assert_eq!(waiting(), ["Jane Nguyen"]);
    clinic.reply(&Patient::jane(), "yes");
    assert_eq!(waiting(), ["Jane Nguyen"], "the question still waits");
}
