//! Rules are read, tried and written through the API.

use crate::support::client::Answer;
use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};
use serde_json::{Value, json};

on_both_engines!(
    a_file_is_written_as_it_is_typed_when_it_is_clean,
    two_people_who_write_one_file_do_not_lose_each_others_words,
    nothing_outside_of_the_folders_is_read_or_written,
    a_dry_run_tells_what_would_happen_and_changes_nothing,
    a_dry_run_tries_texts_that_nobody_has_saved,
);

const LEADS: &str = "/api/rules/files/content?path=rules/leads.yaml";

fn put(clinic: &Clinic, path: &str, tag: Option<&str>, text: &str) -> Answer {
    let tag: Vec<_> = tag.map(|tag| ("If-Match", tag)).into_iter().collect();
    clinic.call_with("PUT", path, &tag, text)
}

fn tag_of(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("no ETag in {answer:?}")).to_owned()
}

fn a_file_is_written_as_it_is_typed_when_it_is_clean(clinic: &Clinic) {
    let listed = clinic.get("/api/rules/files").json();
    let paths: Vec<&str> = listed["items"].as_array().unwrap().iter().filter_map(|f| f["path"].as_str()).collect();
    for known in ["rules/leads.yaml", "rules/leads.test.yaml", "sms_templates/lead_ack.hbs"] {
        assert!(paths.contains(&known), "{known} in {paths:?}");
    }
    let found = clinic.get(LEADS);
    let text = found.json()["text"].as_str().unwrap().to_owned();
    assert_eq!(text, clinic.installation.read("rules/leads.yaml"));

    let broken = text.replace("when: { event: lead_created }", "when: { event: lead_creatd }");
    let refused = put(clinic, LEADS, Some(&tag_of(&found)), &broken);
    assert_eq!((refused.status, refused.json()["code"].as_str()), (422, Some("not_clean")), "{refused:?}");
    let first = &refused.json()["diagnostics"][0];
    assert_eq!((first["file"].as_str(), first["severity"].as_str()), (Some("rules/leads.yaml"), Some("error")), "{first}");
    assert_eq!(clinic.installation.read("rules/leads.yaml"), text, "nothing was changed");

    let commented = format!("# Ask Ana before changing this.\r\n{text}   # end\n");
    let saved = put(clinic, LEADS, Some(&tag_of(&found)), &commented);
    assert_eq!((saved.status, &saved.json()["draft"]["clean"]), (200, &json!(true)), "{saved:?}");
    assert_eq!(clinic.installation.read("rules/leads.yaml"), commented, "every character as it was typed");

    let draft = put(clinic, &format!("{LEADS}&draft=true"), Some(&tag_of(&saved)), &broken);
    assert_eq!((draft.status, &draft.json()["draft"]["clean"]), (200, &json!(false)));
    assert_eq!(clinic.installation.read("rules/leads.yaml"), broken);
    let mut beside = std::fs::read_dir(clinic.installation.file("rules")).unwrap().flatten();
    assert!(beside.all(|entry| !entry.file_name().to_string_lossy().starts_with('.')), "nothing is left beside it");
}

fn two_people_who_write_one_file_do_not_lose_each_others_words(clinic: &Clinic) {
    let found = clinic.get(LEADS);
    let text = found.json()["text"].as_str().unwrap().to_owned();
    assert_eq!(put(clinic, LEADS, None, &text).status, 428);
    let (ana, ben) = (format!("{text}# Ana\n"), format!("{text}# Ben\n"));
    assert_eq!(put(clinic, LEADS, Some(&tag_of(&found)), &ana).status, 200);
    let late = put(clinic, LEADS, Some(&tag_of(&found)), &ben);
    assert_eq!((late.status, late.json()["current"]["text"].as_str()), (412, Some(ana.as_str())));
    assert_eq!(clinic.installation.read("rules/leads.yaml"), ana);
    let fresh = "/api/rules/files/content?path=rules/fresh.yaml";
    let rules = "rules:\n  - id: fresh\n    when: { event: lead_created }\n    do: [ { note: Fresh } ]\n";
    assert_eq!(put(clinic, fresh, Some("\"0\""), rules).status, 412, "there is none to take the place of");
    assert_eq!(put(clinic, fresh, None, rules).status, 200);
    assert_eq!(clinic.get(fresh).json()["text"], rules);
}

fn nothing_outside_of_the_folders_is_read_or_written(clinic: &Clinic) {
    let folder = clinic.installation.path();
    std::fs::write(folder.join("secret.yaml"), "secret").unwrap();
    std::os::unix::fs::symlink(folder.join("secret.yaml"), folder.join("rules/link.yaml")).unwrap();
    std::os::unix::fs::symlink(folder, folder.join("rules/way")).unwrap();
    for path in [
        "../secret.yaml",
        "rules/../secret.yaml",
        "rules/link.yaml",
        "rules/way/secret.yaml",
        "/etc/passwd",
        "rules/%00.yaml",
        "",
    ] {
        let url = format!("/api/rules/files/content?path={path}");
        assert_eq!(clinic.get(&url).status, 400, "{path}");
        assert_eq!(put(clinic, &url, None, "rules: []\n").status, 400, "{path}");
    }
    assert_eq!(std::fs::read_to_string(folder.join("secret.yaml")).unwrap(), "secret");
    assert_eq!(clinic.get("/api/rules/files/content?path=rules/nothing.yaml").status, 404);
    for link in ["link.yaml", "way"] {
        std::fs::remove_file(folder.join("rules").join(link)).unwrap();
    }
}

fn counts(clinic: &Clinic) -> Vec<i64> {
    let tables = ["event_log", "jobs", "tasks", "sms_messages", "automation_runs", "automation_skips", "timers", "touchpoints"];
    tables.iter().map(|table| clinic.count(table)).collect()
}

fn names<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().filter_map(|item| item[field].as_str()).collect()
}

fn a_dry_run_tells_what_would_happen_and_changes_nothing(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", "2026-11-30T10:30:00+11:00").created());
    let contact = clinic.words("SELECT id AS value FROM contacts").remove(0);
    let before = counts(clinic);
    let told = clinic.post_api("/api/rules/dry-run", &json!({ "event": "lead_created", "contact_id": contact })).json();
    assert!(names(&told["runs"], "rule_id").contains(&"lead-created"), "{told:#}");
    assert_eq!(names(&told["tasks"], "type"), ["lead_call"], "{told:#}");
    assert_eq!(names(&told["moves"], "to_stage"), ["new_lead"]);
    assert!(told["runs"][0]["trace"]["steps"].is_array() || told["runs"][0]["stopped_at"].is_object(), "{told:#}");
    let event = clinic.words("SELECT id AS value FROM event_log WHERE event_type = 'booking_created'").remove(0);
    let again = clinic.post_api("/api/rules/dry-run", &json!({ "event_id": event }));
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(counts(clinic), before);

    for (body, pointer) in [
        (json!({}), "/body/event"),
        (json!({ "event": "lead_created", "contact_id": "jane" }), "/body/contact_id"),
        (json!({ "event": "lead_created", "files": { "rules/a.yaml": "" } }), "/body/files"),
        (json!({ "event": "lead_created", "rule": "nothing" }), "/body/rule"),
        (json!({ "event_id": contact }), "/body"),
    ] {
        let refused = clinic.post_api("/api/rules/dry-run", &body);
        assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{body}");
    }
}

fn a_dry_run_tries_texts_that_nobody_has_saved(clinic: &Clinic) {
    clinic.manychat(&Patient::jane(), "lead_created", "hello", Some("google"));
    let contact = clinic.words("SELECT id AS value FROM contacts").remove(0);
    let rules = "rules:\n  - id: fresh\n    when: { event: lead_created }\n    if: contact.first_name == \"Jane\"\n    do: [ { note: Fresh } ]\n";
    let ask = |rules: &str| {
        let files = json!({ "rules/fresh.yaml": rules });
        let body = json!({ "event": "lead_created", "contact_id": contact, "draft": true, "files": files, "rule": "fresh" });
        clinic.post_api("/api/rules/dry-run", &body)
    };
    let told = ask(rules).json();
    assert_eq!((told["runs"].as_array().unwrap().len(), told["runs"][0]["outcome"].as_str()), (1, Some("fired")), "{told:#}");
    let other = ask(&rules.replace("Jane", "Ana")).json();
    let stop = &other["runs"][0]["stopped_at"];
    assert_eq!(
        (stop["values"][0]["path"].as_str(), stop["values"][0]["value"].as_str()),
        (Some("contact.first_name"), Some("Jane"))
    );
    let broken = ask(&rules.replace("first_name", "frist_name"));
    assert_eq!((broken.status, broken.json()["code"].as_str()), (422, Some("not_clean")));
    assert!(!clinic.installation.file("rules/fresh.yaml").exists());
}
