//! What people may ask of a clinic: everything that is known of them, and that it is forgotten.

use crate::support::clinic::{Clinic, at};
use crate::support::wix::{Patient, Visit};
use avatar::automation::retention;
use avatar::config::Retention;
use avatar::domain::time::Millis;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::json;

on_both_engines!(
    everything_about_a_person_is_handed_over,
    nothing_in_the_database_says_who_an_erased_person_was,
    a_preview_counts_and_changes_nothing,
    no_text_leaves_to_an_erased_person_and_nothing_starts_anew,
    what_comes_late_about_an_erased_person_is_destroyed_too,
    stop_outlives_the_person_and_a_new_message_begins_anew,
    whoever_was_erased_is_left_alone,
    a_family_keeps_its_number,
    why_and_replay_survive,
    leads_that_never_came_are_erased,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

/// Nobody else has words like these.
fn marked() -> Patient {
    let mut patient = Patient::new("wix-zephyrine", "Zephyrine", "Quillfeather", "0491570110");
    patient.email = "zephyrine.q@canary.example".into();
    patient
}

/// Every form in which the person could be found.
fn words(patient: &Patient) -> Vec<String> {
    let national = patient.phone[1..].to_owned();
    [&patient.first_name, &patient.last_name, &patient.email, &patient.wix_id, &national, "Kookaburra lane"]
        .map(ToString::to_string)
        .into()
}

/// A life at the clinic: a lead, a booking, texts both ways, notes, tasks.
fn live(clinic: &Clinic) -> (Patient, Visit, String) {
    let jane = marked();
    clinic.manychat(&jane, "lead_created", "Zephyrine here, how much is an MRI?", Some("facebook"));
    let mut visit = Visit::new(&jane, "visit-z", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.wix(&Visit::new(&Patient::jane(), "another", NEXT_MONDAY).created());
    clinic.advance("2026-11-23T11:00:00+11:00");
    clinic.reply(&jane, "I live at Kookaburra lane, can I park there? Zephyrine Quillfeather");
    clinic.wix(&visit.rescheduled("2026-12-01T10:30:00+11:00"));
    let id = clinic.words("SELECT id AS value FROM contacts WHERE first_name = 'Zephyrine'").remove(0);
    // Words of staff, about her and about somebody else.
    clinic.execute(&format!(
        "INSERT INTO notes (id, contact_id, body, author, created_at) VALUES ('n1', '{id}', 'Zephyrine called', 'staff:1', 1)"
    ));
    clinic.execute("UPDATE tasks SET note = 'friend of Zephyrine Quillfeather' WHERE contact_id IN (SELECT id FROM contacts WHERE first_name = 'Jane')");
    (jane, visit, id)
}

fn erase(clinic: &Clinic, id: &str) -> serde_json::Value {
    let answer = clinic.post_api(&format!("/api/contacts/{id}/erase"), &json!({ "reason": "request 17" }));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Everything that the database holds: SQLite's files byte by byte, PostgreSQL's tables row by row.
fn whole_database(clinic: &Clinic) -> String {
    let url = &clinic.installation.url;
    if let Some(path) = url.strip_prefix("sqlite://") {
        let bytes = ["", "-wal"].map(|end| std::fs::read(format!("{path}{end}")).unwrap_or_default()).concat();
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut connection = PgConnection::establish(url).unwrap();
    let tables = "SELECT table_name::TEXT AS value FROM information_schema.tables WHERE table_schema = current_schema()";
    let tables: Vec<Name> = sql_query(tables).load(&mut connection).unwrap();
    assert!(tables.len() > 30, "all of them");
    let rows = |table: &Name| sql_query(format!("SELECT t::TEXT AS value FROM \"{}\" t", table.value));
    let mut all = String::new();
    for table in &tables {
        let rows: Vec<Name> = rows(table).load(&mut connection).unwrap();
        for row in rows {
            all.push_str(&format!("{}: {}\n", table.value, row.value));
        }
    }
    all
}

/// Where one of the words stands, with what is around it.
fn traces(clinic: &Clinic, patient: &Patient) -> Vec<String> {
    let all = whole_database(clinic);
    let around = |at: usize| {
        let (mut from, mut to) = (at.saturating_sub(60), (at + 60).min(all.len()));
        while !all.is_char_boundary(from) {
            from -= 1;
        }
        while !all.is_char_boundary(to) {
            to += 1;
        }
        all[from..to].to_owned()
    };
    words(patient).iter().filter_map(|word| all.find(word.as_str()).map(|at| format!("{word}: …{}…", around(at)))).collect()
}

fn everything_about_a_person_is_handed_over(clinic: &Clinic) {
    let (jane, _, id) = live(clinic);
    let answer = clinic.get(&format!("/api/contacts/{id}/export"));
    assert_eq!(answer.status, 200);
    let all = answer.json();
    for section in [
        "contacts",
        "identities",
        "bookings",
        "tasks",
        "texts",
        "notes",
        "touchpoints",
        "stages",
        "events",
        "event_payloads",
        "runs",
    ] {
        assert!(all[section].as_array().is_some_and(|rows| !rows.is_empty()), "{section}: {}", all[section]);
    }
    for word in words(&jane) {
        assert!(answer.body.contains(&word), "{word} is not handed over");
    }
    assert!(!answer.body.contains("wix-jane"), "nothing of others");
    assert_eq!(all["contacts"][0]["is_demo"], false, "both databases say truths alike");
    let made = all["contacts"][0]["created_at"].as_str().unwrap();
    assert!(made.starts_with("2026-11-23T09:00:00") && made.ends_with("+11:00"), "{made}");
    assert_eq!(clinic.get("/api/contacts/0199aaaa-0000-7000-8000-000000000000/export").status, 404);
}

fn nothing_in_the_database_says_who_an_erased_person_was(clinic: &Clinic) {
    let (jane, _, id) = live(clinic);
    assert_eq!(traces(clinic, &jane).len(), words(&jane).len(), "all of them are there before");
    let erased = erase(clinic, &id);
    assert!(erased["counts"]["texts"].as_u64() > Some(1), "{erased}");
    assert_eq!(traces(clinic, &jane), Vec::<String>::new());
    assert_eq!(clinic.get(&format!("/api/contacts/{id}")).json()["name"], "Erased");
    assert!(whole_database(clinic).contains("wix-jane"), "others are as they were");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM tasks WHERE note = 'friend of erased'"), 1);
    // Again is no harm.
    erase(clinic, &id);
    clinic.check();
}

fn a_preview_counts_and_changes_nothing(clinic: &Clinic) {
    let (jane, _, id) = live(clinic);
    let path = format!("/api/contacts/{id}/erase");
    let preview = clinic.post_api(&format!("{path}?dry_run=true"), &json!({})).json();
    assert_eq!((&preview["dry_run"], &preview["contact_ids"][0]), (&true.into(), &id.clone().into()));
    assert_eq!(traces(clinic, &jane).len(), words(&jane).len());
    assert_eq!(clinic.post_api(&path, &json!({})).status, 422, "a reason is needed");
    assert_eq!(erase(clinic, &id)["counts"], preview["counts"]);
}

fn no_text_leaves_to_an_erased_person_and_nothing_starts_anew(clinic: &Clinic) {
    let (_, _, id) = live(clinic);
    let sent = clinic.installation.ledger().len();
    erase(clinic, &id);
    clinic.advance("2026-12-02T09:00:00+11:00");
    let later: Vec<String> =
        clinic.words(&format!("SELECT id AS value FROM sms_messages WHERE contact_id = '{id}' AND direction = 'out'"));
    let ledger = clinic.installation.ledger();
    assert!(ledger[sent..].iter().all(|text| !later.contains(text)), "{:?}", &ledger[sent..]);
    assert_eq!(clinic.number(&format!("SELECT COUNT(*) AS value FROM tasks WHERE contact_id = '{id}' AND status = 'todo'")), 0);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM jobs WHERE state = 'dead'"), 0);
}

fn what_comes_late_about_an_erased_person_is_destroyed_too(clinic: &Clinic) {
    let (jane, mut visit, id) = live(clinic);
    // One event is recorded and not yet worked on when she is erased, another arrives afterwards.
    assert_eq!(clinic.post_manychat(&jane, "message_received", "Zephyrine again", None).status, 200);
    erase(clinic, &id);
    assert_eq!(traces(clinic, &jane), Vec::<String>::new(), "neither does what waited");
    clinic.settle();
    let people = clinic.count("contacts");
    clinic.wix(&visit.cancelled());
    assert_eq!(clinic.count("contacts"), people, "her booking is still hers, whoever she was");
    let events = clinic.words(
        "SELECT status || ' ' || COALESCE(status_reason, '-') || ' ' || payload AS value FROM event_log WHERE source = 'wix'",
    );
    assert!(events.contains(&"ignored erased {}".to_owned()), "{events:?}");
    clinic.runtime.block_on(async {
        let store = clinic.automation.store.clone();
        tokio::task::spawn_blocking(move || store.scrub()).await.unwrap().unwrap();
    });
    assert_eq!(traces(clinic, &jane), Vec::<String>::new());
}

fn stop_outlives_the_person_and_a_new_message_begins_anew(clinic: &Clinic) {
    let (jane, _, id) = live(clinic);
    clinic.reply(&jane, "STOP");
    erase(clinic, &id);
    assert_eq!(traces(clinic, &jane), Vec::<String>::new());
    let sent = clinic.installation.ledger().len();
    clinic.manychat(&jane, "lead_created", "I am back", None);
    clinic.wix(&Visit::new(&jane, "visit-2", NEXT_MONDAY).created());
    clinic.advance("2026-11-29T12:00:00+11:00");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM contacts WHERE first_name = 'Zephyrine'"), 1, "somebody new");
    let to_her = |clinic: &Clinic| {
        let hers = clinic.words("SELECT id AS value FROM sms_messages WHERE direction = 'out' AND to_number = '+61491570110'");
        clinic.installation.ledger()[sent..].iter().filter(|text| hers.contains(text)).count()
    };
    assert_eq!(to_her(clinic), 0, "STOP still holds");
    clinic.reply(&jane, "START");
    clinic.wix(&Visit::new(&jane, "visit-3", "2026-12-02T10:30:00+11:00").created());
    clinic.advance("2026-12-01T12:00:00+11:00");
    assert!(to_her(clinic) > 0, "and is lifted");
}

/// Nothing is said of them any more, and nobody becomes a part of them.
fn whoever_was_erased_is_left_alone(clinic: &Clinic) {
    let (_, _, gone) = live(clinic);
    let omar = Patient::new("m-omar", "Omar", "Haddad", "0491570156");
    clinic.manychat(&omar, "new_lead", "MRI please", None);
    let here = clinic.words("SELECT id AS value FROM contacts WHERE first_name = 'Omar'").remove(0);
    let seen = clinic.get(&format!("/api/contacts/{gone}")).json()["version"].as_i64().unwrap();
    let erase_as = |version: i64| {
        clinic.call("POST", &format!("/api/contacts/{gone}/erase"), Some(version), &json!({ "reason": "asked for it" }))
    };
    let stale = erase_as(seen + 1);
    assert_eq!((stale.status, stale.json()["current"]["version"].as_i64()), (412, Some(seen)), "{stale:?}");
    let looked = clinic.call("POST", &format!("/api/contacts/{gone}/erase?dry_run=true"), Some(seen + 1), &json!({}));
    assert_eq!(looked.status, 412, "{looked:?}");
    assert_eq!(erase_as(seen).status, 200);
    let draft = clinic.call("PUT", &format!("/api/inbox/{gone}/draft"), Some(0), &json!({ "body": "Dear Jane" }));
    let assigned = clinic.post_api(&format!("/api/inbox/{gone}/assign"), &json!({ "assigned_to": "me" }));
    let into_gone = clinic.post_api(&format!("/api/contacts/{gone}/merge"), &json!({ "other_id": here }));
    let into_here = clinic.post_api(&format!("/api/contacts/{here}/merge"), &json!({ "other_id": gone }));
    for refused in [draft, assigned, into_gone, into_here] {
        assert_eq!(refused.status, 409, "{refused:?}");
    }
    assert_eq!(clinic.get(&format!("/api/contacts/{here}")).json()["first_name"], "Omar");
}

fn a_family_keeps_its_number(clinic: &Clinic) {
    let mother = marked();
    let mut child = Patient::new("wix-oliver", "Oliver", "Quillfeather", &mother.phone);
    child.email = "oliver@canary.example".into();
    clinic.wix(&Visit::new(&mother, "hers", NEXT_MONDAY).created());
    clinic.wix(&Visit::new(&child, "his", NEXT_MONDAY).created());
    let id = clinic.words("SELECT id AS value FROM contacts WHERE first_name = 'Oliver'").remove(0);
    erase(clinic, &id);
    assert_eq!(clinic.words("SELECT phone AS value FROM contacts WHERE first_name = 'Zephyrine'"), [mother.mobile()]);
    let all = whole_database(clinic);
    assert!(!all.contains("Oliver") && all.contains("Zephyrine"));
    clinic.advance("2026-11-29T12:00:00+11:00");
    let reminded =
        clinic.words("SELECT to_number AS value FROM sms_messages WHERE template = 'reminder_48hr' AND accepted_at IS NOT NULL");
    assert_eq!(reminded, [mother.mobile()], "she is reminded of hers only");
}

fn why_and_replay_survive(clinic: &Clinic) {
    let (_, _, id) = live(clinic);
    let event = clinic
        .words(&format!("SELECT id AS value FROM event_log WHERE contact_id = '{id}' AND event_type = 'booking_created'"))
        .remove(0);
    erase(clinic, &id);
    let why = clinic.get(&format!("/api/events/{event}"));
    assert_eq!(why.status, 200, "{why:?}");
    assert_eq!(clinic.get(&format!("/api/contacts/{id}/timeline")).status, 200);
    assert_eq!(clinic.get(&format!("/api/contacts/{id}/next")).status, 200);
    let replay = clinic.post_api("/api/rules/replay", &json!({ "since": "7d" }));
    assert_eq!(replay.status, 200, "{replay:?}");
}

fn leads_that_never_came_are_erased(clinic: &Clinic) {
    let lead = marked();
    clinic.manychat(&lead, "lead_created", "How much is an MRI?", Some("facebook"));
    let patient = Patient::jane();
    clinic.wix(&Visit::new(&patient, "mri", NEXT_MONDAY).created());
    let day = |days: i64| Millis::hours(24 * days);
    let keep =
        Retention { raw_payload: day(9_000), job_history: day(9_000), traces: day(9_000), skips: day(9_000), leads: day(365) };
    clinic.clock.set(at("2028-01-23T09:00:00+11:00"));
    let overdue = clinic.runtime.block_on(retention::overdue(&clinic.automation.store, keep, clinic.now())).unwrap();
    assert_eq!(overdue.iter().map(|kind| kind.name).collect::<Vec<_>>(), ["old leads"]);
    assert!(clinic.runtime.block_on(retention::prune(&clinic.automation, keep)).unwrap() > 0);
    assert_eq!(clinic.words("SELECT name AS value FROM contacts ORDER BY name"), ["Erased", "Jane Nguyen"]);
    assert!(clinic.runtime.block_on(retention::overdue(&clinic.automation.store, keep, clinic.now())).unwrap().is_empty());
}
