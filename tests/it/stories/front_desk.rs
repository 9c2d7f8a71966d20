//! A day at the front desk: what waits for an answer, what is settled, and what is told of it afterwards.

use super::waits::only;
use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};
use serde_json::{Value, json};

on_both_engines!(
    a_yes_to_a_question_of_staff_waits_for_staff,
    who_is_checked_in_too_early_or_by_mistake_is_put_right,
    a_text_is_not_put_into_the_past_and_takes_its_draft_along,
    nobody_is_told_any_more_of_a_late_task_that_is_done,
    the_timeline_tells_what_staff_did_and_who,
    a_number_that_is_taken_says_by_whom,
    a_call_that_was_answered_after_all_is_not_tried_again,
    what_speaks_against_an_appointment_is_told,
    reminders_that_cannot_leave_say_so,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

fn contact(clinic: &Clinic) -> String {
    clinic.words("SELECT id AS value FROM contacts ORDER BY created_at, id").remove(0)
}

fn unanswered(clinic: &Clinic) -> Option<i64> {
    clinic.get("/api/inbox?filter=unanswered").json()["total"].as_i64()
}

fn send(clinic: &Clinic, contact: &str, body: &str) {
    let sent = clinic.post_api("/api/sms/send", &json!({ "contact_id": contact, "body": body }));
    assert_eq!(sent.status, 201, "{sent:?}");
}

fn a_yes_to_a_question_of_staff_waits_for_staff(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    let jane = Patient::jane();
    clinic.reply(&jane, "I would like an MRI on Friday");
    assert_eq!(unanswered(clinic), Some(1));
    let id = contact(clinic);
    send(clinic, &id, "Shall I book you in on Friday at 9 am?");
    assert_eq!(unanswered(clinic), Some(0));
    clinic.advance("2026-11-23T09:35:00+11:00");
    clinic.reply(&jane, "Yes");
    assert_eq!(unanswered(clinic), Some(1), "nobody but staff knows to what");
    let task = json!({ "type": "sms_reply_review", "title": "Answer Jane", "due_datetime": NEXT_MONDAY, "contact_id": id });
    clinic.advance("2026-11-23T09:36:00+11:00");
    for (outcome, left) in [("no_answer", 1), ("spoke", 0)] {
        let task = clinic.post_api("/api/tasks", &task).json();
        let path = format!("/api/tasks/{}/complete", task["id"].as_str().unwrap());
        assert_eq!(clinic.post_api(&path, &json!({ "outcome": outcome })).status, 200);
        assert_eq!(unanswered(clinic), Some(left), "they were called instead: {outcome}");
    }
}

fn who_is_checked_in_too_early_or_by_mistake_is_put_right(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let shown = || clinic.get("/api/bookings?from=2026-11-30&to=2026-11-30").json()["items"][0].clone();
    let path = format!("/api/bookings/{}", shown()["id"].as_str().unwrap());
    let mark = |what: &str| clinic.post_api(&format!("{path}/{what}"), &json!({}));
    let early = mark("check-in");
    assert_eq!(early.json()["detail"], "Not possible: the appointment is still to come.", "{early:?}");
    clinic.advance("2026-11-30T10:20:00+11:00");
    for steps in [&["check-in"][..], &["check-in", "complete"]] {
        for step in steps {
            assert_eq!(mark(step).status, 200, "{step}");
        }
        let version = shown()["version"].as_i64();
        let back = clinic.call("PATCH", &path, version, &json!({ "appointment_datetime": NEXT_MONDAY })).json();
        assert_eq!((&back["status"], &back["reschedule_count"]), (&json!("scheduled"), &json!(0)), "{back}");
    }
    let left = "SELECT COUNT(b.checked_in_at) + COUNT(b.completed_at) + COUNT(c.last_visit_at) AS value FROM bookings b \
                JOIN contacts c ON c.id = b.contact_id";
    assert_eq!(clinic.number(left), 0);
    assert_eq!([mark("check-in").status, mark("complete").status], [200, 200]);
    let both = json!({ "appointment_datetime": NEXT_MONDAY, "location": "Richmond" });
    let kept = clinic.call("PATCH", &path, shown()["version"].as_i64(), &both).json();
    assert_eq!((&kept["status"], &kept["location"]), (&json!("completed"), &json!("Richmond")), "not undone by the way");
}

fn a_text_is_not_put_into_the_past_and_takes_its_draft_along(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    clinic.reply(&Patient::jane(), "Where can I park?");
    let id = contact(clinic);
    let late = json!({ "contact_id": id, "body": "Behind the building", "send_at": "2025-11-30T10:00:00+11:00" });
    let late = clinic.post_api("/api/sms/send", &late);
    assert_eq!((late.status, &late.json()["errors"][0]["pointer"]), (422, &json!("/body/send_at")), "{late:?}");
    let draft = format!("/api/inbox/{id}/draft");
    assert_eq!(clinic.call("PUT", &draft, Some(0), &json!({ "body": "Behind the buil" })).status, 200);
    send(clinic, &id, "Behind the building");
    assert_eq!(clinic.get(&draft).status, 404, "it was sent");
}

const LATE: &str = r#"rules:
  - id: lead
    when: { event: lead_created }
    do: [ { task: { type: lead_call, title: "Call {{contact.first_name}}", due: =now + 15.minutes } } ]
  - id: late
    when: { event: task_overdue }
    if: task.type != "alert"
    do: [ { alert: "Late: {{task.title}}" } ]
"#;

fn nobody_is_told_any_more_of_a_late_task_that_is_done(clinic: &Clinic) {
    only(clinic, LATE);
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    clinic.advance("2026-11-23T10:00:00+11:00");
    let tasks = || clinic.words("SELECT type || ' ' || status AS value FROM tasks ORDER BY created_at, type");
    assert_eq!(tasks(), ["lead_call todo", "alert todo"]);
    let call = clinic.words("SELECT id AS value FROM tasks WHERE type = 'lead_call'").remove(0);
    let off = clinic.post_api(&format!("/api/tasks/{call}/snooze"), &json!({ "until": "2_hours" }));
    assert_eq!((off.status, tasks().pop().as_deref()), (200, Some("alert cancelled")), "it has time again");
    clinic.advance("2026-11-23T13:00:00+11:00");
    assert_eq!(tasks(), ["lead_call todo", "alert cancelled", "alert todo"], "late again");
    assert_eq!(clinic.complete(&call).status, 200);
    assert_eq!(tasks(), ["lead_call done", "alert cancelled", "alert cancelled"]);
    let loose = json!({ "title": "Order paper", "due_datetime": "2026-11-23T13:30:00+11:00" });
    let loose = clinic.post_api("/api/tasks", &loose).json()["id"].as_str().unwrap().to_owned();
    clinic.advance("2026-11-23T14:00:00+11:00");
    let alerts =
        || clinic.words("SELECT title || ' ' || status AS value FROM tasks WHERE contact_id IS NULL ORDER BY created_at");
    assert_eq!(alerts(), ["Order paper todo", "Late: Order paper todo"]);
    assert_eq!(clinic.complete(&loose).status, 200);
    assert_eq!(alerts(), ["Order paper done", "Late: Order paper cancelled"], "also of what is about nobody");
}

fn the_timeline_tells_what_staff_did_and_who(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let id = contact(clinic);
    let task = json!({ "title": "Call Jane", "due_datetime": "2026-11-24T09:00:00+11:00", "contact_id": id });
    let task = clinic.post_api("/api/tasks", &task).json()["id"].as_str().unwrap().to_owned();
    let at = |what: &str, body: Value| assert_eq!(clinic.post_api(&format!("/api/tasks/{task}/{what}"), &body).status, 200);
    at("snooze", json!({ "until": "2026-11-25T09:00:00+11:00" }));
    at("assign", json!({ "assigned_to": "manager" }));
    at("complete", json!({ "outcome": "voicemail", "note": "left a message" }));
    let out = json!({ "reason": "told us on the phone" });
    assert_eq!(clinic.post_api(&format!("/api/contacts/{id}/opt-out"), &out).status, 200);
    let told = |kind: &str| {
        let page = clinic.get(&format!("/api/contacts/{id}/timeline?kind={kind}")).json();
        let entry =
            |e: &Value| ["what", "text", "when", "by"].map(|field| e[field].as_str().unwrap_or("-").to_owned()).join(" | ");
        let mut told: Vec<String> = page["items"].as_array().unwrap().iter().map(entry).collect();
        told.sort();
        told
    };
    let by = "key:stories";
    let expected = [
        format!("sms_opted_out | told us on the phone | - | {by}"),
        format!("task_completed | voicemail: left a message | - | {by}"),
        format!("task_snoozed | - | 2026-11-25T09:00:00+11:00 | {by}"),
        format!("task_updated | assigned_to manager | - | {by}"),
    ];
    assert_eq!(told("action"), expected);
    assert!(told("booking")[0].starts_with("booking_confirmed | MRI"), "{:?}", told("booking"));
    assert!(told("booking")[0].contains(NEXT_MONDAY), "{:?}", told("booking"));
    let back = json!({ "reason": "asked for it" });
    assert_eq!(clinic.post_api(&format!("/api/contacts/{id}/opt-in"), &back).status, 200);
    send(clinic, &id, "See you on Monday");
    assert!(told("sms").iter().any(|text| text.contains("See you on Monday") && text.ends_with(by)), "{:?}", told("sms"));
    assert_eq!(clinic.get(&format!("/api/sms?contact_id={id}")).json()["items"][0]["sent_by"], by);
}

fn a_number_that_is_taken_says_by_whom(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    let jane = contact(clinic);
    let other = clinic.post_api("/api/contacts", &json!({ "first_name": "Omar", "email": "omar@example.com" })).json();
    let path = format!("/api/contacts/{}", other["id"].as_str().unwrap());
    let taken = clinic.call("PATCH", &path, other["version"].as_i64(), &json!({ "phone": "0491 570 006" }));
    assert_eq!((taken.status, &taken.json()["current"]["contact_id"]), (409, &json!(jane)), "{taken:?}");
}

/// By the rules that ship.
fn a_call_that_was_answered_after_all_is_not_tried_again(clinic: &Clinic) {
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    let calls =
        || clinic.words("SELECT title || ': ' || status AS value FROM tasks WHERE type = 'lead_call' ORDER BY created_at, id");
    let first = clinic.words("SELECT id AS value FROM tasks WHERE type = 'lead_call'").remove(0);
    clinic.advance("2026-11-23T09:35:00+11:00");
    let done = |outcome: &str| clinic.post_api(&format!("/api/tasks/{first}/complete"), &json!({ "outcome": outcome }));
    assert_eq!(done("no_answer").status, 200);
    let (missed, again) = (calls(), "Call Jane again (2nd try)");
    assert_eq!(missed[1], format!("{again}: todo"), "{missed:?}");
    let back = clinic.post_api(&format!("/api/tasks/{first}/reopen"), &json!({}));
    assert_eq!((back.status, calls()[1].as_str()), (200, "Call Jane again (2nd try): cancelled"), "{back:?}");
    clinic.advance("2026-11-23T09:36:00+11:00");
    assert_eq!((done("no_answer").status, calls()[2].as_str()), (200, "Call Jane again (2nd try): todo"), "no try is lost");
    clinic.advance("2026-11-23T09:37:00+11:00");
    assert_eq!(clinic.post_api(&format!("/api/tasks/{first}/reopen"), &json!({})).status, 200);
    assert_eq!(done("spoke").status, 200);
    let stage = clinic.words("SELECT current_stage AS value FROM contacts");
    assert_eq!((stage, calls().iter().filter(|call| call.ends_with("todo")).count()), (vec!["contacted".to_owned()], 0));
}

fn what_speaks_against_an_appointment_is_told(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    clinic.manychat(&Patient::new("m-omar", "Omar", "Haddad", "0491570156"), "new_lead", "MRI please", None);
    let people = clinic.words("SELECT id AS value FROM contacts ORDER BY first_name");
    let book = |who: &str, at: &str| {
        let new = json!({ "contact_id": who, "appointment_datetime": at, "resource_name": "MRI 1", "location": "Richmond" });
        let made = clinic.post_api("/api/bookings", &new);
        assert_eq!(made.status, 201, "{made:?}");
        made.json()
    };
    let codes = |made: &Value| {
        let warnings = made["warnings"].as_array().unwrap().iter();
        warnings.map(|warning| warning["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = book(&people[0], NEXT_MONDAY);
    assert_eq!(codes(&first), [""; 0]);
    let taken = book(&people[1], "2026-11-30T10:45:00+11:00");
    assert_eq!((codes(&taken), &taken["warnings"][0]["booking_id"]), (vec!["resource_taken".to_owned()], &first["id"]));
    assert_eq!(codes(&book(&people[0], NEXT_MONDAY)), ["same_person", "resource_taken"]);
    assert_eq!(codes(&book(&people[0], "2026-11-29T03:00:00+11:00")), ["closed"], "a Sunday night");
    assert_eq!(codes(&book(&people[0], "2026-11-20T10:00:00+11:00")), ["past"]);
    let path = format!("/api/bookings/{}", first["id"].as_str().unwrap());
    let moved = json!({ "appointment_datetime": "2026-12-03T10:00:00+11:00" });
    assert_eq!(codes(&clinic.call("PATCH", &path, first["version"].as_i64(), &moved).json()), [""; 0]);
}

/// By the rules that ship.
fn reminders_that_cannot_leave_say_so(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let id = contact(clinic);
    let due = || {
        let sheet = clinic.get("/api/bookings?from=2026-11-30&to=2026-11-30").json();
        let reminders = sheet["items"][0]["reminders"].as_array().unwrap().clone();
        reminders.into_iter().filter(|r| r["status"] == "due").map(|r| r["held"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(due(), [Value::Null, Value::Null, Value::Null]);
    assert_eq!(clinic.post_api(&format!("/api/contacts/{id}/opt-out"), &json!({ "reason": "asked for it" })).status, 200);
    assert_eq!(due(), ["opted_out", "opted_out", "opted_out"]);
    let next = clinic.get(&format!("/api/contacts/{id}/next")).json();
    let held =
        |what: &str| next["items"].as_array().unwrap().iter().find(|item| item["what"] == what).map(|item| item["held"].clone());
    assert_eq!(held("text reminder_2hr"), Some(json!("no text leaves: the person does not want any (STOP)")), "{next}");
    let booking = clinic.words("SELECT id AS value FROM bookings").remove(0);
    assert_eq!(clinic.post_api(&format!("/api/bookings/{booking}/cancel"), &json!({})).status, 200);
    assert_eq!(clinic.get(&format!("/api/bookings/{booking}")).json()["missing"], json!([]), "it is off");
}
