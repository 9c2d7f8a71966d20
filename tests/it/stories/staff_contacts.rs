//! What staff does to people's records.

use super::waits::only;
use crate::support::clinic::Clinic;
use crate::support::wix::Patient;
use serde_json::{Value, json};

on_both_engines!(
    a_person_is_added_once_however_they_are_written,
    a_new_number_is_taken_from_nobody_and_the_old_one_is_given_up,
    consent_is_kept_with_how_and_when_it_was_given,
    a_contact_moves_only_where_the_pipeline_leads,
    staff_can_stop_texts_and_let_them_go_on,
    a_list_is_looked_through_and_then_taken_in,
    two_lists_with_the_same_people_are_taken_in_at_once,
    a_list_to_take_away_runs_nothing,
);

fn add(clinic: &Clinic, body: &Value) -> crate::support::client::Answer {
    clinic.call("POST", "/api/contacts", None, body)
}

fn path(contact: &Value, rest: &str) -> String {
    format!("/api/contacts/{}{rest}", contact["id"].as_str().unwrap())
}

fn jane(clinic: &Clinic) -> Value {
    let added = add(clinic, &json!({ "first_name": "Jane", "last_name": "Nguyen", "phone": "0491 570 006" }));
    assert_eq!(added.status, 201, "{added:?}");
    added.json()
}

fn a_person_is_added_once_however_they_are_written(clinic: &Clinic) {
    only(
        clinic,
        "rules:\n  - id: hello\n    when: { event: contact_created }\n    do: [ { note: \"{{contact.first_name}} by {{event.actor}}\" } ]\n",
    );
    let added = jane(clinic);
    assert_eq!((&added["phone"], &added["phone_status"]), (&json!("+61491570006"), &json!("valid")));
    assert_eq!((&added["name"], &added["source"]), (&json!("Jane Nguyen"), &json!("staff")));
    let again = add(clinic, &json!({ "first_name": "Janet", "phone": "+61 491-570-006" }));
    assert_eq!((again.status, &again.json()["current"]["contact_id"]), (409, &added["id"]));
    // Two clicks at one moment: one person.
    let body = json!({ "first_name": "Omar", "email": "Omar@Example.com" });
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| add(clinic, &body).status));
        both.map(|one| one.join().unwrap()).into()
    });
    assert!(codes.contains(&201) && codes.contains(&409), "{codes:?}");
    // The webhook that comes later means the same person.
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    assert_eq!(clinic.count("contacts"), 2);
    assert_eq!(clinic.words("SELECT body AS value FROM notes ORDER BY body"), ["Jane by staff", "Omar by staff"]);
    let wrong = add(clinic, &json!({ "phone": "12", "email": "x", "consents": [{ "to": "all", "state": "yes", "source": "" }] }));
    assert_eq!(wrong.json()["errors"].as_array().unwrap().len(), 6, "{wrong:?}");
}

fn a_new_number_is_taken_from_nobody_and_the_old_one_is_given_up(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    let shown = jane(clinic);
    let omar = add(clinic, &json!({ "first_name": "Omar", "phone": "0491 570 156" })).json();
    let edit = |version: &Value, body: Value| clinic.call("PATCH", &path(&shown, ""), version.as_i64(), &body);
    let taken = edit(&shown["version"], json!({ "phone": "0491570156" }));
    assert_eq!((taken.status, &taken.json()["current"]["contact_id"]), (409, &omar["id"]), "{taken:?}");
    let moved = edit(&shown["version"], json!({ "phone": "0491 570 157", "last_name": "Tran", "email": null }));
    assert_eq!((&moved.json()["phone"], &moved.json()["name"]), (&json!("+61491570157"), &json!("Jane Tran")));
    assert_eq!(edit(&shown["version"], json!({ "last_name": "Ng" })).status, 412);
    let owned = clinic.words("SELECT value || ' ' || contact_id AS value FROM contact_identities ORDER BY value");
    let of = |number: &str, contact: &Value| format!("{number} {}", contact["id"].as_str().unwrap());
    assert_eq!(owned, [of("+61491570156", &omar), of("+61491570157", &shown)]);
    // Whoever has the old number now is somebody else.
    clinic.reply(&Patient::jane(), "Who is this?");
    assert_eq!(clinic.count("contacts"), 3);
    let changed = clinic.words("SELECT field AS value FROM field_changes WHERE \"by\" = 'key:stories' ORDER BY field");
    assert_eq!(changed, ["contact.name", "contact.phone"]);
}

fn consent_is_kept_with_how_and_when_it_was_given(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    let shown = jane(clinic);
    let send = |category: &str| {
        let body = json!({ "contact_id": shown["id"], "body": "Time for your check", "category": category });
        clinic.call("POST", "/api/sms/send", None, &body)
    };
    assert_eq!(send("marketing").json()["detail"], "Not possible: the person has not agreed to texts of this kind.");
    let said = json!({ "consents": [
        { "to": "marketing", "state": "granted", "source": "paper form", "said_at": "2026-11-20T10:00:00+11:00" },
        { "to": "recall", "state": "denied", "source": "phone call" },
    ] });
    let version = clinic.get(&path(&shown, "")).json()["version"].as_i64();
    let edited = clinic.call("PATCH", &path(&shown, ""), version, &said).json();
    assert_eq!((&edited["marketing_consent"], &edited["recall_consent"]), (&json!("granted"), &json!("denied")));
    assert_eq!((send("marketing").status, send("recall").status, send("transactional").status), (201, 409, 201));
    let kept = clinic.get(&path(&shown, "/consents")).json();
    let marketing = kept["items"].as_array().unwrap().iter().find(|c| c["to"] == "marketing").unwrap().clone();
    assert_eq!((&marketing["source"], &marketing["recorded_by"]), (&json!("paper form"), &json!("key:stories")));
    assert_eq!(marketing["said_at"], "2026-11-20T10:00:00+11:00");
}

fn a_contact_moves_only_where_the_pipeline_leads(clinic: &Clinic) {
    let shown = jane(clinic);
    let go = |pipeline: &str, stage: &str| {
        clinic.call("POST", &path(&shown, "/move"), None, &json!({ "pipeline": pipeline, "stage": stage }))
    };
    assert_eq!(go("lead", "nowhere").status, 422);
    assert_eq!(go("nothing", "new_lead").status, 422);
    let first = go("lead", "new_lead");
    assert_eq!((first.status, &first.json()["current_stage"]), (200, &json!("new_lead")), "{first:?}");
    assert_eq!(go("lead", "new_lead").status, 409);
    let pipelines = clinic.get("/api/pipelines").json();
    let lead = pipelines["items"].as_array().unwrap().iter().find(|p| p["name"] == "lead").unwrap().clone();
    let next = lead["stages"][0]["next"].as_array().unwrap().clone();
    let stages = lead["stages"].as_array().unwrap();
    if let Some(other) = stages[1..].iter().find(|s| !next.is_empty() && !next.contains(&s["name"])) {
        let refused = go("lead", other["name"].as_str().unwrap());
        let allowed = refused.json()["current"]["allowed"].clone();
        let sorted = |list: &[Value]| {
            let mut names: Vec<String> = list.iter().map(Value::to_string).collect();
            names.sort();
            names
        };
        assert_eq!((refused.status, sorted(allowed.as_array().unwrap())), (409, sorted(&next)));
    }
    let moves = clinic.words("SELECT to_stage || ' ' || \"by\" AS value FROM pipeline_transitions");
    assert_eq!(moves, ["new_lead key:stories"]);
}

fn staff_can_stop_texts_and_let_them_go_on(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    let shown = jane(clinic);
    let send = || clinic.call("POST", "/api/sms/send", None, &json!({ "contact_id": shown["id"], "body": "Hello" }));
    let waiting = send().json();
    assert_eq!(waiting["status"], "scheduled");
    assert_eq!(clinic.call("POST", &path(&shown, "/opt-out"), None, &json!({})).status, 422, "say why");
    let out = clinic.call("POST", &path(&shown, "/opt-out"), None, &json!({ "reason": "Asked at the desk" })).json();
    assert!(out["opted_out_at"].is_string(), "{out}");
    assert_eq!(clinic.words("SELECT status AS value FROM sms_messages"), ["cancelled"]);
    assert_eq!(send().json()["detail"], "Not possible: the person does not want texts (STOP).");
    assert_eq!(clinic.call("POST", &path(&shown, "/opt-out"), None, &json!({ "reason": "again" })).status, 409);
    let back = clinic.call("POST", &path(&shown, "/opt-in"), None, &json!({ "reason": "Asked by phone" })).json();
    assert!(back["opted_out_at"].is_null());
    assert_eq!(send().status, 201);
    clinic.advance("2026-11-23T09:01:00+11:00");
    assert_eq!(clinic.sent_to("+61491570006"), 1);
}

const LIST: &str = "first_name,Last name,phone,email,marketing_consent,consent_source\r\n\
Jane,Nguyen,0491 570 006,,,\r\n\
Omar,\"O'Neil, Jr\",'+61491570156,omar@example.com,yes,paper form\r\n\
Om,O,+61 491 570 156,,,\r\n\
Nobody,,12,,,\r\n\
Ann,,,,,\r\n";

fn long_list(people: usize) -> String {
    let lines = (0..people).map(|n| format!("Kim,Lee,+61480{n:06}\n"));
    std::iter::once("first_name,last_name,phone\n".to_owned()).chain(lines).collect()
}

fn a_list_is_looked_through_and_then_taken_in(clinic: &Clinic) {
    only(
        clinic,
        "rules:\n  - id: hello\n    when: { event: contact_created }\n    do: [ { note: \"{{contact.first_name}}\" } ]\n",
    );
    let known = jane(clinic);
    let import = |query: &str, text: &str| {
        clinic.call_with("POST", &format!("/api/contacts/import{query}"), &[("Content-Type", "text/csv; charset=utf-8")], text)
    };
    let looked = import("?dry_run=true", LIST).json();
    let results = |report: &Value| {
        let lines = report["lines"].as_array().unwrap().clone();
        lines.iter().map(|l| format!("{} {}", l["line"], l["result"].as_str().unwrap())).collect::<Vec<_>>()
    };
    let expected = ["2 known", "3 added", "4 repeated", "5 refused", "6 refused"];
    assert_eq!((results(&looked), clinic.count("contacts")), (expected.map(str::to_owned).to_vec(), 1), "{looked}");
    assert_eq!(looked["lines"][0]["contact_id"], known["id"]);
    let done = import("", LIST).json();
    assert_eq!(results(&done), expected);
    assert_eq!(done["lines"][1]["contact_id"], done["lines"][2]["contact_id"]);
    let omar =
        clinic.words("SELECT name || ' ' || phone || ' ' || marketing_consent AS value FROM contacts WHERE first_name = 'Omar'");
    assert_eq!(omar, ["Omar O'Neil, Jr +61491570156 granted"]);
    assert_eq!(clinic.words("SELECT source AS value FROM consents"), ["paper form"]);
    assert_eq!(clinic.words("SELECT body AS value FROM notes ORDER BY body"), ["Jane", "Omar"], "each person is an event");
    let again = import("", LIST).json();
    assert_eq!((&again["added"], &again["known"]), (&json!(0), &json!(3)));
    let (long, too_long) = (long_list(5_000), long_list(5_001));
    assert!(long.len() > 64 * 1024);
    assert_eq!(import("?dry_run=true", &long).json()["added"], json!(5_000));
    assert_eq!(import("?dry_run=true", &too_long).status, 400);
    assert_eq!(import("", &"x".repeat(1024 * 1024 + 1)).status, 413);
    assert_eq!(import("", "name,phone\nx,y\n").status, 400);
    assert_eq!(import("", "first_name\n\"x\n").status, 400);
    assert_eq!(clinic.call("POST", "/api/contacts/import", None, &json!({})).status, 415);
}

fn two_lists_with_the_same_people_are_taken_in_at_once(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    let list = |whose: &str| {
        let own = (0..10).map(|n| format!("{whose}{n},own{whose}{n}@example.com\n"));
        let same = (0..40).map(|n| format!("Same{n},same{n}@example.com\n"));
        format!("first_name,email\n{}{}", own.collect::<String>(), same.collect::<String>())
    };
    let import = |text: String| clinic.call_with("POST", "/api/contacts/import", &[("Content-Type", "text/csv")], &text);
    let answers = std::thread::scope(|scope| {
        ["a", "b", "c"].map(|whose| scope.spawn(move || import(list(whose)))).map(|one| one.join().unwrap())
    });
    let sum = |what: &str| answers.iter().map(|answer| answer.json()[what].as_i64().unwrap_or(-1_000)).sum::<i64>();
    assert_eq!((sum("added"), sum("known"), sum("refused")), (70, 80, 0), "{answers:?}");
    assert_eq!(clinic.count("contacts"), 70);
    let twice = clinic.call_with("POST", "/api/contacts/import", &[("Content-Type", "text/csv")], "email,first_name,email\n");
    assert_eq!(twice.status, 400, "{twice:?}");
}

fn a_list_to_take_away_runs_nothing(clinic: &Clinic) {
    only(clinic, "rules: []\n");
    jane(clinic);
    add(clinic, &json!({ "first_name": "=HYPERLINK(\"x\")", "phone": "0491570156" }));
    let list = clinic.call_with("GET", "/api/contacts?q=nguyen", &[("Accept", "text/csv")], "");
    assert_eq!((list.status, list.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    let lines: Vec<&str> = list.body.lines().collect();
    assert!(lines[0].starts_with("\u{feff}id,first_name,last_name,phone,"), "{}", lines[0]);
    assert!(lines.len() == 2 && lines[1].contains(",Jane,Nguyen,\"'+61491570006\",valid,"), "{lines:?}");
    let all = clinic.call_with("GET", "/api/contacts", &[("Accept", "text/csv")], "").body;
    assert!(all.contains("\"'=HYPERLINK(\"\"x\"\")\""), "{all}");
}
