//! What no rule may do, whatever it plans.

use super::guard::{lead, put_in_force};
use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};

on_both_engines!(
    a_fourth_text_in_a_day_leaves_and_is_looked_at,
    a_cancelled_booking_is_told_of_once,
    a_text_that_would_disturb_moves_to_the_morning,
    what_is_blocked_is_not_done_and_says_why,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

fn texting_rule(id: &str, extra: &str) -> String {
    format!("  - id: {id}\n    when: {{ event: lead_created }}\n{extra}    do:\n      - sms: lead_ack\n")
}

fn steps_of(clinic: &Clinic, rule: &str) -> serde_json::Value {
    let trace = clinic.words(&format!("SELECT trace AS value FROM automation_runs WHERE rule_id = '{rule}'")).remove(0);
    serde_json::from_str::<serde_json::Value>(&trace).unwrap()["applied"].clone()
}

fn a_fourth_text_in_a_day_leaves_and_is_looked_at(clinic: &Clinic) {
    let rules: Vec<String> = (1..=4).map(|n| texting_rule(&format!("extra-{n}"), "")).collect();
    put_in_force(clinic, &format!("rules:\n{}", rules.concat()));
    lead(clinic, 1);
    assert_eq!(clinic.sent_to("+61491000001"), 5, "an alert holds nothing back: {:?}", clinic.texts());
    let alerts = clinic.words("SELECT title AS value FROM tasks WHERE type = 'rule_alert'");
    assert_eq!(alerts, ["Promise not-too-many was broken"], "two texts too many, one task");
    let applied = steps_of(clinic, "extra-4");
    assert_eq!(applied[0]["promises"][0]["id"], "not-too-many", "{applied}");
    assert_eq!(applied[0]["promises"][0]["values"][0]["value"], "3");
}

fn a_cancelled_booking_is_told_of_once(clinic: &Clinic) {
    put_in_force(
        clinic,
        "rules:\n  - id: careless\n    when: { event: booking_cancelled }\n    do:\n      - sms: reminder_48hr\n",
    );
    let jane = Patient::jane();
    let mut visit = Visit::new(&jane, "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.wix(&visit.cancelled());
    let texts = clinic.texts();
    assert!(texts.iter().any(|t| t.starts_with("booking_cancelled accepted")), "{texts:?}");
    assert!(
        texts.iter().any(|t| t.starts_with("reminder_48hr suppressed: promise:nothing-about-what-is-cancelled")),
        "{texts:?}"
    );
    let applied = steps_of(clinic, "careless");
    assert_eq!(
        (applied[0]["result"].as_str(), applied[0]["promises"][0]["values"].as_array().map(Vec::len)),
        (Some("blocked"), Some(3))
    );
}

fn a_text_that_would_disturb_moves_to_the_morning(clinic: &Clinic) {
    clinic.installation.write(
        "rules/policies.yaml",
        "promises:\n  - id: late-risers\n    never: action == \"sms\" and (at.hour < 8 or at.hour >= 20)\n    then: move_to_window\n",
    );
    put_in_force(clinic, "rules: []\n");
    clinic.advance("2026-11-23T22:00:00+11:00");
    // Its template is immediate: the program alone would send it at once.
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    assert_eq!(clinic.texts(), ["booking_confirmation scheduled: quiet_hours Tue 11-24 08:00"]);
    clinic.advance("2026-11-24T08:01:00+11:00");
    assert_eq!(clinic.sent_to(&Patient::jane().mobile()), 1);
}

fn what_is_blocked_is_not_done_and_says_why(clinic: &Clinic) {
    clinic.installation.write(
        "rules/policies.yaml",
        "promises:\n  - id: hands-off\n    never: [ 'action == \"task\"', contact.warmness < 50 ]\n    then: block\n  \
         - id: nonsense\n    never: action == \"note\" and 10 / contact.warmness > 1\n    then: block\n",
    );
    put_in_force(
        clinic,
        "rules:\n  - id: notes\n    when: { event: lead_created }\n    do:\n      - note: Heard\n      - task: { type: welcome_call, title: Call, due: =now }\n",
    );
    lead(clinic, 1);
    let applied = steps_of(clinic, "notes");
    let results: Vec<&str> = applied.as_array().unwrap().iter().map(|a| a["detail"].as_str().unwrap()).collect();
    assert_eq!(results, ["promise nonsense", "promise hands-off"], "a condition that fails counts as broken: {applied}");
    assert_eq!((clinic.count("notes"), clinic.number("SELECT COUNT(*) AS value FROM tasks WHERE type = 'welcome_call'")), (0, 0));
    let told = clinic.get("/api/runs?rule=notes").json();
    assert_eq!(told["items"][0]["trace"]["applied"][1]["promises"][0]["line"], 2, "{told}");
}
