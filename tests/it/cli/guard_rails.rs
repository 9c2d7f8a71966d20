//! `avatar rules enable|disable|history|recall`, `avatar next`, `avatar why CONTACT RULE`.

use super::clinic::Clinic;

/// A clinic that has heard of one lead, and worked on it.
fn with_a_lead() -> Clinic {
    let clinic = Clinic::open();
    clinic.done(&["events", "send", "lead_created", "--set", "contact.first_name=Ana", "--set", "contact.phone=0491570006"]);
    clinic
}

#[test]
fn a_rule_is_switched_off_and_on_with_who_and_why() {
    let clinic = Clinic::open();
    assert_eq!(clinic.done(&["rules", "disable", "reminder-2h", "-m", "too many"]), "reminder-2h disabled");
    assert_eq!(clinic.done(&["rules", "disable", "reminder-2h", "-m", "again"]), "reminder-2h already disabled");
    let listed = clinic.done(&["rules", "list"]);
    assert!(listed.lines().any(|l| l.starts_with("reminder-2h ") && l.ends_with("disabled by cli: too many")), "{listed}");
    let shown = clinic.object(&["rules", "show", "reminder-2h", "--json"]);
    assert_eq!((&shown["state"], &shown["switched_because"]), (&"disabled".into(), &"too many".into()));
    clinic.edit("rules/leads.yaml", "New lead", "A new lead");
    let published = clinic.run(&["rules", "publish"]);
    assert!(published.err.contains("reminder-2h stays disabled by cli: too many; avatar rules enable"), "{}", published.err);
    assert_eq!(clinic.done(&["rules", "enable", "reminder-2h"]), "reminder-2h enabled");
    assert_eq!(clinic.done(&["rules", "enable", "reminder-2h"]), "reminder-2h already enabled");
    let history = clinic.done(&["rules", "history"]);
    let told: Vec<&str> = history.lines().map(|l| l.split("  ").last().unwrap_or("")).collect();
    let expected = ["reminder-2h  by cli: no reason given", "r2  by cli", "reminder-2h  by cli: too many", "r1  by cli: first"];
    let told_whole: Vec<String> = history.lines().map(|l| l.split_whitespace().skip(4).collect::<Vec<_>>().join(" ")).collect();
    let expected_words: Vec<String> = expected.iter().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(told_whole, expected_words, "{history} {told:?}");
    assert!(clinic.refusal(&["rules", "disable", "reminder-2"]).contains("required"), "why is needed");
    assert!(clinic.refusal(&["rules", "enable", "reminder-3h"]).contains("did you mean `reminder-2h`?"));
}

#[test]
fn a_rule_that_its_file_switches_off_is_not_switched_on_beside_it() {
    let clinic = Clinic::open();
    clinic.edit("rules/reminders.yaml", "  - id: reminder-2h\n", "  - id: reminder-2h\n    enabled: false\n");
    clinic.done(&["rules", "publish"]);
    let said = clinic.refusal(&["rules", "enable", "reminder-2h"]);
    assert!(said.contains("says `enabled: false`") && said.contains("change the file"), "{said}");
}

#[test]
fn nothing_is_recalled_without_a_word() {
    let clinic = Clinic::open();
    let said = clinic.run(&["rules", "recall", "--rule", "reminder-2h", "--since", "1h"]);
    assert!(
        clinic.refusal(&["rules", "recall", "--rule", "reminder-3h", "--since", "1h"]).contains("did you mean `reminder-2h`?")
    );
    assert_eq!(
        (said.exit, said.out.as_str()),
        (Some(0), "0 texts, 0 tasks, 0 timers can be withdrawn; texts that had left already: 0\n")
    );
    assert!(
        clinic.refusal(&["rules", "recall", "--rule", "reminder-2h", "--since", "yesterday"]).contains("write a span such as")
    );
}

#[test]
fn a_contact_that_nobody_is_has_no_future() {
    let clinic = with_a_lead();
    insta::assert_snapshot!(clinic.refusal(&["next", "Zebedee"]), @r"
    error: there is no contact `Zebedee`
      = name one by its id, its phone number, or a part of its name
    ");
    let said = clinic.refusal(&["why", "Zebedee", "lead-created"]);
    assert!(said.contains("there is no contact `Zebedee`"), "{said}");
    let help = clinic.refusal(&["why", "Zebedee"]);
    assert!(help.contains("avatar why CONTACT RULE"), "{help}");
}
