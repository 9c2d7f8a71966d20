//! Rules that are tried out, switched off, kept from doing harm, or missed when they fall silent.

use crate::support::clinic::{Clinic, at};
use crate::support::wix::{Patient, Visit};
use avatar::automation::guard;
use avatar::automation::rulesets::derive_job;
use avatar::domain::job::NewJob;
use avatar::domain::rule_override::{OverrideState, RuleOverride};
use avatar::domain::time::Millis;
use avatar::engine::guard::Rollout;
use avatar::store::jobs;

on_both_engines!(
    a_rule_in_the_shadow_plans_and_does_nothing,
    a_limit_counts_in_the_shadow_too,
    a_rule_is_on_for_test_contacts_only,
    a_disabled_rule_skips_on_every_node_until_it_is_enabled,
    a_rule_that_keeps_failing_is_paused_and_the_others_go_on,
    a_rule_that_may_fail_only_asks_for_a_look,
    a_job_that_failed_for_good_is_told_of_once,
    a_silent_rule_is_missed_once_until_it_fires_again,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

pub fn put_in_force(clinic: &Clinic, rules: &str) {
    clinic.installation.write("rules/extra.yaml", rules);
    clinic.runtime.block_on(clinic.rules().publish("stories", None)).unwrap();
    clinic.settle();
}

pub fn lead(clinic: &Clinic, number: usize) -> Patient {
    let patient = Patient::new(&format!("m{number}"), &format!("Lead{number}"), "Test", &format!("0491{number:06}"));
    clinic.manychat(&patient, "lead_created", "hello", None);
    patient
}

fn outcomes(clinic: &Clinic, rule: &str) -> Vec<String> {
    clinic.words(&format!("SELECT outcome AS value FROM automation_runs WHERE rule_id = '{rule}' ORDER BY at, id"))
}

/// How many events a rule was skipped on, for this reason.
fn skips(clinic: &Clinic, rule: &str, reason: &str) -> i64 {
    clinic.number(&format!(
        "SELECT COUNT(*) AS value FROM automation_skips WHERE skips LIKE '%\"r\":\"{rule}\"%' AND skips LIKE '%\"w\":\"{reason}\"%'"
    ))
}

fn alerts(clinic: &Clinic) -> Vec<String> {
    clinic.words("SELECT title || ' ' || status AS value FROM tasks WHERE type = 'rule_alert' ORDER BY created_at, title")
}

fn watch(clinic: &Clinic) {
    clinic.runtime.block_on(clinic.rules().follow()).unwrap();
    clinic.runtime.block_on(guard::watch(&clinic.automation)).unwrap();
}

fn switch(clinic: &Clinic, rule: &str, state: OverrideState) -> bool {
    let wanted = RuleOverride { rule_id: rule.into(), state, by: "stories".into(), reason: "a try".into(), at: clinic.now() };
    clinic.runtime.block_on(clinic.rules().switch(wanted, None)).unwrap()
}

fn a_rule_in_the_shadow_plans_and_does_nothing(clinic: &Clinic) {
    put_in_force(
        clinic,
        "rules:\n  - id: try-out\n    when: { event: lead_created }\n    rollout: shadow\n    do:\n      - sms: lead_ack\n      \
         - note: Tried out\n      - set: { contact.warmness: 99 }\n",
    );
    lead(clinic, 1);
    assert_eq!(outcomes(clinic, "try-out"), ["skipped"], "kept whole, with its plan");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM notes"), 0);
    assert_eq!(clinic.number("SELECT MAX(warmness) AS value FROM contacts WHERE warmness = 99"), 0);
    let event = clinic.words("SELECT id AS value FROM event_log WHERE event_type = 'lead_created'").remove(0);
    let told = clinic.get(&format!("/api/events/{event}")).json();
    let run = told["runs"].as_array().unwrap().iter().find(|run| run["rule_id"] == "try-out").unwrap();
    assert_eq!((run["outcome"].as_str(), run["stopped_at"]["reason"].as_str()), (Some("skipped"), Some("shadow")));
    assert_eq!(run["trace"]["steps"][1]["action"]["body"], "Tried out", "{run}");
    let rules = clinic.get("/api/rules").json();
    let rule = rules["items"].as_array().unwrap().iter().find(|rule| rule["id"] == "try-out").unwrap().clone();
    assert_eq!((&rule["rollout"], &rule["today"]["shadow"], &rule["today"]["fired"]), (&"shadow".into(), &1.into(), &0.into()));
}

fn a_limit_counts_in_the_shadow_too(clinic: &Clinic) {
    put_in_force(
        clinic,
        "rules:\n  - id: once\n    when: { event: sms_received }\n    rollout: shadow\n    limit: { max: 1, in: 7d }\n    do: [ { note: Once } ]\n",
    );
    for text in ["hello", "hello again"] {
        clinic.reply(&Patient::jane(), text);
    }
    assert_eq!((outcomes(clinic, "once").len(), skips(clinic, "once", "limited")), (1, 1));
}

fn a_rule_is_on_for_test_contacts_only(clinic: &Clinic) {
    put_in_force(
        clinic,
        "rules:\n  - id: for-some\n    when: { event: lead_created }\n    rollout: test_contacts\n    do: [ { note: For some } ]\n",
    );
    lead(clinic, 1);
    assert_eq!((outcomes(clinic, "for-some").len(), skips(clinic, "for-some", "rollout")), (0, 1));
    let mut some = (*clinic.automation.clinic).clone();
    some.test_contacts = vec!["+61491000002".into()];
    let contact = |phone: &str| avatar::domain::contact::Contact { phone: Some(phone.into()), ..Default::default() };
    let is_in = |phone: &str| Rollout::TestContacts.includes("for-some", Some(&contact(phone)), &some);
    assert!(is_in("+61491000002") && !is_in("+61491000001"));
}

fn a_disabled_rule_skips_on_every_node_until_it_is_enabled(clinic: &Clinic) {
    assert!(switch(clinic, "lead-created", OverrideState::Disabled));
    assert!(!switch(clinic, "lead-created", OverrideState::Disabled), "it is off already");
    let other = Clinic::node(clinic.installation.clone(), &clinic.clock, &[]);
    lead(&other, 1);
    assert_eq!((outcomes(clinic, "lead-created").len(), skips(clinic, "lead-created", "disabled")), (0, 1));
    let told = other.get("/api/rules").json();
    let rule = told["items"].as_array().unwrap().iter().find(|rule| rule["id"] == "lead-created").unwrap().clone();
    assert_eq!((rule["state"].as_str(), rule["switched_because"].as_str()), (Some("disabled"), Some("a try")));
    other.clock.advance(avatar::domain::time::Millis::MINUTE);
    let answer = other.post_api("/api/rules/lead-created/enable", &serde_json::json!({ "reason": "seen" }));
    assert_eq!((answer.status, answer.json()["changed"].as_bool()), (200, Some(true)), "{answer:?}");
    clinic.runtime.block_on(clinic.rules().follow()).unwrap();
    lead(clinic, 2);
    assert_eq!(outcomes(clinic, "lead-created"), ["fired"]);
    let history = clinic.get("/api/rules/history?rule=lead-created").json();
    let lines: Vec<String> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| format!("{} by {}: {}", c["action"].as_str().unwrap(), c["by"].as_str().unwrap(), c["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(lines, ["enabled by key:stories: seen", "disabled by stories: a try"]);
}

fn a_job_that_failed_for_good_is_told_of_once(clinic: &Clinic) {
    let job = NewJob { kind: "unheard_of", max_attempts: 1, unique_key: None, ..derive_job("") };
    let now = clinic.now();
    clinic.automation.store.write_now(move |tx| jobs::enqueue(tx, &job, now)).unwrap();
    clinic.settle();
    for _ in 0..2 {
        clinic.clock.advance(Millis::MINUTE);
        watch(clinic);
    }
    let told = alerts(clinic);
    assert!(told.len() == 1 && told[0].contains("(unheard_of) failed for good todo"), "{told:?}");
    let because = clinic.words("SELECT because AS value FROM tasks WHERE type = 'rule_alert'").remove(0);
    assert!(because.starts_with("no handler for this kind of job. When the cause is gone: avatar jobs retry "), "{because}");
}

const FAILS: &str = "rules:\n  - id: fails\n    owner: reception\n    when: { event: lead_created }\n    if: 10 / (contact.last_name.len() - 4) > 1\n";

fn a_rule_that_keeps_failing_is_paused_and_the_others_go_on(clinic: &Clinic) {
    put_in_force(clinic, &format!("{FAILS}    on_error: {{ retry: 2 }}\n    do: [ {{ note: Never }} ]\n"));
    for number in 1..=2 {
        lead(clinic, number);
    }
    assert_eq!(alerts(clinic), ["Rule fails failed todo"], "one look suffices");
    lead(clinic, 3);
    clinic.runtime.block_on(clinic.rules().follow()).unwrap();
    lead(clinic, 4);
    assert_eq!(outcomes(clinic, "fails"), ["failed", "failed", "failed"]);
    assert_eq!((skips(clinic, "fails", "paused"), outcomes(clinic, "lead-created").len()), (1, 4));
    assert_eq!(alerts(clinic), ["Rule fails failed todo", "Rule fails is paused todo"]);
    let paused = "SELECT by || ': ' || reason AS value FROM rule_history WHERE action = 'paused'";
    assert_eq!(clinic.words(paused), ["program: failed 3 times in a row"]);
    let owner = "SELECT COALESCE(assigned_to, '-') AS value FROM tasks WHERE title = 'Rule fails is paused'";
    assert_eq!(clinic.words(owner), ["reception"]);
    // Who switches it on again starts the count anew.
    clinic.advance("2026-11-23T09:05:00+11:00");
    switch(clinic, "fails", OverrideState::Enabled);
    assert_eq!(alerts(clinic), ["Rule fails failed cancelled", "Rule fails is paused cancelled"]);
    lead(clinic, 5);
    clinic.runtime.block_on(clinic.rules().follow()).unwrap();
    assert!(clinic.rules().current().unwrap().overrides.find_off("fails").is_none());
}

fn a_rule_that_may_fail_only_asks_for_a_look(clinic: &Clinic) {
    put_in_force(clinic, &format!("{FAILS}    on_error: {{ retry: 0, then: task }}\n    do: [ {{ note: Never }} ]\n"));
    for number in 1..=3 {
        lead(clinic, number);
    }
    assert_eq!(outcomes(clinic, "fails").len(), 3);
    assert_eq!(alerts(clinic), ["Rule fails failed todo"]);
    assert_eq!(clinic.count("rule_overrides"), 0);
}

fn a_silent_rule_is_missed_once_until_it_fires_again(clinic: &Clinic) {
    put_in_force(
        clinic,
        "rules:\n  - id: hears-leads\n    when: { event: lead_created }\n    expect: { at_least: 1, in: 1d }\n    do: [ { note: Heard } ]\n",
    );
    watch(clinic);
    clinic.advance("2026-11-24T08:59:00+11:00");
    watch(clinic);
    assert_eq!(alerts(clinic).len(), 0, "it has had no whole day yet");
    for minute in ["09:00", "09:05", "09:10"] {
        clinic.advance(&format!("2026-11-24T{minute}:00+11:00"));
        watch(clinic);
    }
    assert_eq!(alerts(clinic), ["Rule hears-leads has fallen silent todo"]);
    lead(clinic, 1);
    clinic.advance("2026-11-24T09:15:00+11:00");
    watch(clinic);
    assert_eq!(alerts(clinic), ["Rule hears-leads has fallen silent cancelled"]);
}

#[test]
fn a_rule_that_runs_wild_is_paused_by_its_own_history() {
    let clinic = Clinic::sqlite();
    put_in_force(&clinic, "rules:\n  - id: wild\n    when: { event: lead_created }\n    do: [ { note: Heard } ]\n");
    lead(&clinic, 1);
    clinic.advance("2026-11-23T15:00:00+11:00");
    for number in 2..=102 {
        let patient = Patient::new(&format!("m{number}"), "Many", "Test", &format!("0491{number:06}"));
        assert_eq!(clinic.post_manychat(&patient, "lead_created", "hello", None).status, 200);
    }
    clinic.settle();
    watch(&clinic);
    let paused =
        clinic.words("SELECT rule_id || ' ' || reason AS value FROM rule_history WHERE action = 'paused' ORDER BY rule_id");
    let reason = "fired 101 times within an hour; its busiest hour in 14 days had 1";
    assert!(paused.contains(&format!("wild {reason}")), "{paused:?}");
    // Somebody has looked: what was before does not count again.
    clinic.advance("2026-11-23T15:02:00+11:00");
    switch(&clinic, "wild", OverrideState::Enabled);
    watch(&clinic);
    assert!(clinic.rules().current().unwrap().overrides.find_off("wild").is_none());
    clinic.check();
}

#[test]
fn a_tenth_of_the_contacts_is_a_tenth() {
    let clinic = Clinic::sqlite();
    put_in_force(
        &clinic,
        "rules:\n  - id: tenth\n    when: { event: lead_created }\n    rollout: 10%\n    do: [ { note: In } ]\n",
    );
    for number in 1..=60 {
        lead(&clinic, number);
    }
    let (inside, outside) = (outcomes(&clinic, "tenth").len() as i64, skips(&clinic, "tenth", "rollout"));
    assert!(inside + outside == 60 && (1..=18).contains(&inside), "{inside} in, {outside} out");
    let visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    assert!(clinic.now() >= at("2026-11-23T09:00:00+11:00"));
}
