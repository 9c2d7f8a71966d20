//! What staff does to tasks: each click is an event, done once, seen at once.

use super::waits::{notes, only};
use crate::support::clinic::Clinic;
use crate::support::wix::Patient;
use avatar::automation::replay::{load, replay};
use avatar::automation::simulate::Rules;
use avatar::domain::time::Millis;
use serde_json::{Value, json};
use std::sync::atomic::AtomicUsize;

on_both_engines!(
    a_task_is_done_once_and_rules_hear_what_came_of_it,
    two_people_cannot_overwrite_each_other,
    a_task_is_put_off_given_away_and_opened_again,
    many_tasks_at_once_each_on_its_own,
    a_wrong_number_is_texted_no_more,
    replaying_what_staff_did_makes_no_difference,
    work_is_given_only_to_those_there_are,
    a_task_about_nobody_is_kept_apart_by_its_own_version,
);

const LEAD_RULES: &str = r#"rules:
  - id: lead
    when: { event: lead_created }
    do: [ { task: { type: lead_call, title: "Call {{contact.first_name}}", due: =now + 15.minutes } } ]
  - id: outcome
    when: { event: task_completed }
    if: contact != () and task.outcome != ()
    do: [ { note: "{{task.type}}: {{task.outcome}} by {{event.actor}}, {{contact.open_tasks_of(\"lead_call\")}} open" } ]
  - id: changes
    when: [ { event: task_snoozed }, { event: task_reopened }, { event: task_updated } ]
    do: [ { note: "{{event.event_type}}" } ]
"#;

fn lead_call(clinic: &Clinic) -> Value {
    only(clinic, LEAD_RULES);
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    first(clinic, "")
}

fn first(clinic: &Clinic, query: &str) -> Value {
    clinic.get(&format!("/api/tasks{query}")).json()["items"][0].clone()
}

fn path(task: &Value, rest: &str) -> String {
    format!("/api/tasks/{}{rest}", task["id"].as_str().unwrap())
}

fn events(clinic: &Clinic, event: &str) -> i64 {
    clinic.number(&format!("SELECT COUNT(*) AS value FROM event_log WHERE event_type = '{event}' AND source = 'staff'"))
}

fn a_task_is_done_once_and_rules_hear_what_came_of_it(clinic: &Clinic) {
    let task = lead_call(clinic);
    assert_eq!((&task["timeframe"], &task["because"]), (&json!("today"), &json!("lead")));
    assert!(task["run_id"].is_string());
    let seen = task["version"].as_i64();
    let body = json!({ "outcome": "voicemail", "note": "Will try again" });
    let done = clinic.call("POST", &path(&task, "/complete"), seen, &body);
    assert_eq!(done.status, 200, "{done:?}");
    let shown = done.json();
    assert_eq!((&shown["status"], &shown["outcome"]), (&json!("done"), &json!("voicemail")), "at once");
    assert_eq!((&shown["completed_by"], &shown["note"]), (&json!("key:stories"), &json!("Will try again")));
    assert_eq!(done.header("etag"), Some(format!("\"{}\"", shown["version"]).as_str()));
    // The second click of a double click.
    let again = clinic.call("POST", &path(&task, "/complete"), seen, &body);
    assert_eq!((again.status, &again.json()["current"]["status"]), (412, &json!("done")));
    let without = clinic.call("POST", &path(&task, "/complete"), None, &body);
    assert_eq!(without.status, 409, "{without:?}");
    assert_eq!(without.json()["detail"], "Not possible: the task is done already.");
    assert_eq!(events(clinic, "task_completed"), 1);
    assert_eq!(clinic.count("jobs WHERE state = 'ready'"), 0, "there is nothing left to work on");
    clinic.settle();
    assert_eq!(clinic.words("SELECT body AS value FROM notes"), ["lead_call: voicemail by staff, 0 open"]);
    assert_eq!(
        clinic.words("SELECT kind || ' ' || direction AS value FROM touchpoints WHERE kind = 'call_out'"),
        ["call_out out"]
    );
    let logged = clinic.words("SELECT payload AS value FROM event_log WHERE event_type = 'task_completed'");
    assert!(logged[0].contains("\"by\":\"key:stories\""), "{logged:?}");
}

fn two_people_cannot_overwrite_each_other(clinic: &Clinic) {
    let task = lead_call(clinic);
    let seen = task["version"].as_i64();
    let edit = |body: Value| clinic.call("PATCH", &path(&task, ""), seen, &body);
    // Both at the same moment, over and over: exactly one of each pair wins.
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let both = ["reception", "manager"].map(|who| scope.spawn(move || edit(json!({ "assigned_to": who })).status));
        both.map(|one| one.join().unwrap()).into()
    });
    assert_eq!(codes.iter().filter(|code| **code == 200).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 412).count(), 1, "{codes:?}");
    let kept = first(clinic, "");
    let lost = edit(json!({ "title": "Mine" }));
    assert_eq!((lost.status, &lost.json()["current"]), (412, &kept), "the other's change is shown");
    assert_eq!(clinic.call("PATCH", &path(&task, ""), None, &json!({})).status, 428);
    let wrong =
        clinic.call("PATCH", &path(&task, ""), kept["version"].as_i64(), &json!({ "title": " ", "due_datetime": "soon" }));
    let pointers: Vec<Value> = wrong.json()["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!((wrong.status, pointers), (422, vec![json!("/body/title"), json!("/body/due_datetime")]));
    assert_eq!(events(clinic, "task_updated"), 1);
}

fn a_task_is_put_off_given_away_and_opened_again(clinic: &Clinic) {
    let task = lead_call(clinic);
    let off = clinic.call("POST", &path(&task, "/snooze"), None, &json!({ "until": "tomorrow_9am" })).json();
    assert_eq!((&off["due_datetime"], &off["timeframe"]), (&json!("2026-11-24T09:00:00+11:00"), &json!("upcoming")));
    for (until, status) in [("after_booking", 422), ("next year", 422), ("2026-11-23T08:00:00+11:00", 422)] {
        assert_eq!(clinic.call("POST", &path(&task, "/snooze"), None, &json!({ "until": until })).status, status, "{until}");
    }
    let given = clinic.call("POST", &path(&task, "/assign"), None, &json!({ "assigned_to": "manager" })).json();
    assert_eq!(given["assigned_to"], "manager");
    assert_eq!(clinic.call("POST", &path(&task, "/reopen"), None, &json!({})).status, 409, "it is open");
    clinic.call("POST", &path(&task, "/complete"), None, &json!({}));
    let open = clinic.call("POST", &path(&task, "/reopen"), None, &json!({})).json();
    assert_eq!((&open["status"], &open["outcome"]), (&json!("todo"), &Value::Null));
    assert_eq!((&open["completed_at"], &open["completed_by"]), (&Value::Null, &Value::Null));
    let told: Vec<String> = clinic.words("SELECT body AS value FROM notes ORDER BY body");
    assert_eq!(told, ["lead_call: done by staff, 0 open", "task_reopened", "task_snoozed", "task_updated"]);
    assert_eq!(clinic.call("POST", "/api/tasks/018f4e9a-0000-7000-8000-0000000000aa/complete", None, &json!({})).status, 404);
    assert_eq!(clinic.call("POST", "/api/tasks/nothing/complete", None, &json!({})).status, 404);
}

fn opened(clinic: &Clinic, title: &str, due: &str, priority: i64) -> Value {
    let body = json!({ "title": title, "due_datetime": due, "priority_score": priority });
    let answer = clinic.call("POST", "/api/tasks", None, &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn work_is_given_only_to_those_there_are(clinic: &Clinic) {
    let task = lead_call(clinic);
    let contact = task["contact_id"].as_str().unwrap();
    let member = json!({ "email": "kim@clinic.example", "name": "Kim Park", "role": "front_desk" });
    let kim = clinic.call("POST", "/api/users", None, &member).json()["user"].clone();
    let listed = clinic.get("/api/assignees").json();
    let names: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["reception", "manager", "radiographers", "Kim Park"]);
    let post = |path: &str, who: &str| clinic.call("POST", path, None, &json!({ "assigned_to": who }));
    let edit = |path: &str, who: &str| clinic.call("PATCH", path, Some(1), &json!({ "assigned_to": who }));
    let new = json!({ "title": "Call", "due_datetime": "2026-12-01T09:00:00+11:00", "assigned_to": "zzz" });
    let person = json!({ "first_name": "Ann", "phone": "0491 570 006", "assigned_to": "zzz" });
    let many = json!({ "ids": [task["id"]], "action": "assign", "assigned_to": "zzz" });
    let refused = [
        post(&path(&task, "/assign"), "zzz"),
        post(&format!("/api/inbox/{contact}/assign"), "zzz"),
        edit(&path(&task, ""), "zzz"),
        edit(&format!("/api/contacts/{contact}"), "zzz"),
        clinic.call("POST", "/api/tasks", None, &new),
        clinic.call("POST", "/api/contacts", None, &person),
        clinic.call("POST", "/api/tasks/bulk", None, &many),
    ];
    for answer in refused {
        assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (422, &json!("/body/assigned_to")), "{answer:?}");
    }
    for who in ["kim@clinic.example", kim["id"].as_str().unwrap()] {
        assert_eq!(post(&path(&task, "/assign"), who).json()["assigned_to"], kim["id"], "{who}");
    }
    assert_eq!(post(&format!("/api/inbox/{contact}/assign"), "manager").json()["assigned_to"], "manager");
    let off = clinic.call("PATCH", &format!("/api/users/{}", kim["id"].as_str().unwrap()), Some(1), &json!({ "active": false }));
    assert_eq!((off.status, post(&path(&task, "/assign"), "kim@clinic.example").status), (200, 422), "{off:?}");
    assert_eq!(first(clinic, "")["assigned_to"], kim["id"], "what she has is still hers");
}

fn many_tasks_at_once_each_on_its_own(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    let made = [
        opened(clinic, "late and small", "2026-11-23T08:00:00+11:00", 10),
        opened(clinic, "today", "2026-11-23T17:00:00+11:00", 90),
        opened(clinic, "late and big", "2026-11-23T08:30:00+11:00", 80),
        opened(clinic, "tomorrow", "2026-11-24T08:30:00+11:00", 99),
    ];
    let titles = |query: &str| {
        let list = clinic.get(&format!("/api/tasks{query}")).json();
        let items = list["items"].as_array().unwrap();
        items.iter().map(|t| t["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(titles(""), "late and big, late and small, today, tomorrow");
    let page = clinic.get("/api/tasks?limit=3").json();
    let counts = json!({ "overdue": 2, "today": 1, "upcoming": 1 });
    assert_eq!((&page["counts"], &page["total"]), (&counts, &json!(4)));
    assert_eq!(clinic.get("/api/tasks?timeframe=today").json()["counts"], counts, "of all, whatever is listed");
    assert_eq!(titles(&format!("?limit=3&cursor={}", page["next_cursor"].as_str().unwrap())), "tomorrow");
    let missing = "018f4e9a-0000-7000-8000-0000000000aa";
    let ids = json!([made[0]["id"], missing, made[1]["id"], made[0]["id"]]);
    let answer = clinic.call("POST", "/api/tasks/bulk", None, &json!({ "ids": ids, "action": "complete", "outcome": "done" }));
    let codes: Vec<u64> = answer.json()["results"].as_array().unwrap().iter().map(|r| r["status"].as_u64().unwrap()).collect();
    assert_eq!((codes, &answer.json()["done"]), (vec![200, 404, 200, 409], &json!(2)));
    assert_eq!(titles("?status=done"), "today, late and small");
    assert_eq!(titles(""), "late and big, tomorrow, today, late and small", "what is done comes last");
    let never = json!({ "ids": [made[3]["id"]], "action": "snooze", "until": "after_booking" });
    let told = clinic.call("POST", "/api/tasks/bulk", None, &never).json()["results"][0]["detail"].clone();
    assert_eq!(told, "/body/until: means no time that is still to come");
    let mine = json!({ "ids": [made[3]["id"]], "action": "assign", "assigned_to": "me" });
    assert_eq!(clinic.call("POST", "/api/tasks/bulk", None, &mine).json()["done"], 1);
    assert_eq!(titles("?assigned_to=me"), "tomorrow");
    assert_eq!(titles("?assigned_to=nobody"), "");
    let wrong = json!({ "ids": [made[2]["id"]], "action": "complete", "outcome": "slept" });
    assert_eq!(clinic.call("POST", "/api/tasks/bulk", None, &wrong).status, 422);
}

fn a_wrong_number_is_texted_no_more(clinic: &Clinic) {
    // The rules that ship.
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    let call = first(clinic, "?type=lead_call");
    let body = json!({ "contact_id": call["contact_id"], "body": "Hello" });
    let held = clinic.call("POST", "/api/sms/send", None, &body);
    assert_eq!(held.status, 201, "{held:?}");
    clinic.call("POST", &path(&call, "/complete"), None, &json!({ "outcome": "wrong_number" }));
    assert_eq!(clinic.words("SELECT phone_status AS value FROM contacts"), ["invalid"]);
    let withdrawn = clinic.words("SELECT status || ' ' || status_reason AS value FROM sms_messages WHERE body LIKE 'Hello%'");
    assert_eq!(withdrawn, ["cancelled wrong_number"]);
    let fix = first(clinic, "?type=sms_failed_fix");
    assert_eq!(fix["assigned_to"], "reception", "{fix}");
    let refused = clinic.call("POST", "/api/sms/send", None, &body);
    assert_eq!(
        (refused.status, &refused.json()["detail"]),
        (409, &json!("Not possible: the contact's number cannot be texted."))
    );
    // It was a slip of the finger.
    assert_eq!(clinic.call("POST", &path(&call, "/reopen"), None, &json!({})).status, 200);
    assert_eq!(clinic.words("SELECT phone_status AS value FROM contacts"), ["valid"]);
    clinic.call("POST", &path(&call, "/complete"), None, &json!({ "outcome": "wrong_number" }));
    let who = clinic.get(&format!("/api/contacts/{}", call["contact_id"].as_str().unwrap())).json();
    let same = json!({ "phone": who["phone"] });
    let typed = clinic.call("PATCH", &format!("/api/contacts/{}", who["id"].as_str().unwrap()), who["version"].as_i64(), &same);
    assert_eq!((typed.status, &typed.json()["phone_status"]), (200, &json!("valid")), "{typed:?}");
}

fn replaying_what_staff_did_makes_no_difference(clinic: &Clinic) {
    let task = lead_call(clinic);
    // Events of one millisecond have no order in the log.
    let tick = || clinic.clock.set(clinic.now() + Millis::seconds(1));
    tick();
    clinic.call("POST", &path(&task, "/snooze"), None, &json!({ "until": "2_hours" }));
    tick();
    clinic.call("POST", &path(&task, "/complete"), None, &json!({ "outcome": "no_answer" }));
    tick();
    clinic.call("POST", &path(&task, "/reopen"), None, &json!({}));
    tick();
    clinic.call("POST", &path(&task, "/complete"), None, &json!({ "outcome": "spoke" }));
    tick();
    let own = json!({ "title": "Ring back", "due_datetime": "2026-11-23T11:00:00+11:00", "contact_id": task["contact_id"] });
    let own = clinic.call("POST", "/api/tasks", None, &own).json();
    tick();
    clinic.call("POST", &path(&own, "/complete"), None, &json!({ "outcome": "voicemail" }));
    tick();
    clinic.advance("2026-11-23T12:00:00+11:00");
    // In memory the same clicks open, close and reopen the same tasks, and the rules hear the same.
    let in_force = clinic.rules().current().unwrap();
    let (since, until) = (clinic.now() - Millis::DAY, clinic.now());
    let history = clinic.automation.store.read_now(|conn| load(conn, since, until)).unwrap();
    let automation = &clinic.automation;
    let rules = Rules { ruleset: &in_force.ruleset, revision: 2, clinic: &automation.clinic, pipelines: &automation.pipelines };
    let replayed = replay(&history, rules, rules, &AtomicUsize::new(0)).unwrap();
    let written = replayed.after.iter().filter(|happened| happened.kind == "note").count();
    assert_eq!((written, notes(clinic).len()), (5, 5), "{:?}", notes(clinic));
}

fn a_task_about_nobody_is_kept_apart_by_its_own_version(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    let task = opened(clinic, "Order paper", "2026-11-23T17:00:00+11:00", 20);
    assert!(task["contact_id"].is_null());
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> =
            (0..6).map(|_| scope.spawn(|| clinic.call("POST", &path(&task, "/complete"), None, &json!({})).status)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == 200).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 409).count(), 5, "{codes:?}");
    assert_eq!(events(clinic, "task_completed"), 1);
}
