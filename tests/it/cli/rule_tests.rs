//! `avatar rules test`, `rules diff` and `events save` as somebody at a terminal sees them.

use super::clinic::Clinic;

const REMINDER: &str = "\
start: 2026-03-02 09:00
given:
  contact: { id: ana, first_name: Ana, phone: \"0491 570 006\", is_existing_patient: true }
  booking: { id: b1, appointment_datetime: 2026-03-06 10:00, status: scheduled }
tests:
  - name: reminded the day before      # whatever else happens
    steps:
      - to: 2026-03-04 12:00
        expect: any
      - to: 2026-03-05 10:00
        expect:                        # exactly this
          # and nothing more
          - sms: reminder_48hr
      - to: end
        expect: { never: [reminder_24hr] }
";

fn with_reminder(clinic: &Clinic) {
    std::fs::write(clinic.dir.path().join("rules/mine.test.yaml"), REMINDER).expect("a test file");
}

#[test]
fn the_shipped_rules_pass_their_tests_and_no_condition_is_unseen() {
    let clinic = Clinic::new();
    let said = clinic.run(&["rules", "test", "--coverage"]);
    assert_eq!((said.exit, said.err.as_str()), (Some(0), ""), "{}", said.out);
    assert!(said.out.contains("coverage: 45 of 45 rules fired, 85 of 85 conditions seen true and false\n"), "{}", said.out);
    assert!(!clinic.dir.path().join("data").exists(), "tests need no database");
    for file in ["attendance", "bookings", "cancellations", "leads", "recalls", "reminders", "sms_replies", "texting", "upkeep"] {
        let alone = format!("rules/{file}.test.yaml");
        assert_eq!(clinic.run(&["rules", "test", &alone]).exit, Some(0), "{file} runs alone");
    }
}

#[test]
fn a_failure_shows_what_was_expected_what_came_and_why_a_rule_did_not_fire() {
    let clinic = Clinic::new();
    with_reminder(&clinic);
    clinic.edit(
        "rules/reminders.yaml",
        "before: 24h, late: 4h }\n    if: booking.status == \"scheduled\"",
        "before: 24h, late: 4h }\n    if: booking.status == \"confirmed\"",
    );
    clinic.edit("rules/mine.test.yaml", "sms: reminder_48hr", "sms: reminder_24hr");
    let said = clinic.run(&["rules", "test", "rules/mine.test.yaml"]);
    assert_eq!(said.exit, Some(1));
    let (report, _) = said.out.split_once(" in 1 file").expect("a summary");
    insta::assert_snapshot!(report, @r#"
    ✗ rules/mine.test.yaml  1 of 1 test failed
      ✗ reminded the day before
          rules/mine.test.yaml:11:9  what happened is not what was expected
          at 2026-03-05 10:00 in the test
            - expected  sms: reminder_24hr  (rules/mine.test.yaml:13)
                reminder-24h did not fire at 2026-03-05 10:00: booking.status was scheduled; needs booking.status == "confirmed" (rules/reminders.yaml:23:9)
    1 test
    "#);
}

#[test]
fn an_update_rewrites_what_failed_and_leaves_every_other_byte() {
    let clinic = Clinic::new();
    with_reminder(&clinic);
    let said = clinic.run(&["rules", "test", "rules/mine.test.yaml", "--update"]);
    assert_eq!(said.exit, Some(0), "nothing that failed is left: {}", said.out);
    let after = std::fs::read_to_string(clinic.dir.path().join("rules/mine.test.yaml")).expect("the file");
    assert_eq!(after, REMINDER.replace("- sms: reminder_48hr", "- sms: reminder_24hr"));
    clinic.edit("rules/mine.test.yaml", "{ never: [reminder_24hr] }", "[ { sms: reminder_48hr } ] # at the end");
    assert_eq!(clinic.run(&["rules", "test", "rules/mine.test.yaml", "--update"]).exit, Some(0));
    let after = std::fs::read_to_string(clinic.dir.path().join("rules/mine.test.yaml")).expect("the file");
    assert!(after.contains("expect: # at the end\n          - { move: "), "{after}");
    assert_eq!(clinic.run(&["rules", "test", "rules/mine.test.yaml"]).exit, Some(0), "what was written is what happens: {after}");
}

#[test]
fn mistakes_in_a_test_file_are_shown_like_mistakes_in_rules() {
    let clinic = Clinic::new();
    with_reminder(&clinic);
    clinic.edit("rules/mine.test.yaml", "first_name: Ana", "frist_name: Ana");
    clinic.edit("rules/mine.test.yaml", "status: scheduled", "status: shceduled");
    let said = clinic.run(&["rules", "test", "rules/mine.test.yaml"]);
    assert_eq!(said.exit, Some(1));
    insta::assert_snapshot!(said.out.split("\n✗").next().expect("problems"), @r#"
    error[R0106]: a contact has no field `frist_name`
     --> rules/mine.test.yaml:3:23
      |
    3 |   contact: { id: ana, frist_name: Ana, phone: "0491 570 006", is_existing_patient: true }
      |                       ^^^^^^^^^^
      |
      = help: did you mean `first_name`?

    error[R0110]: `booking.status` cannot be `shceduled`
     --> rules/mine.test.yaml:4:70
      |
    4 |   booking: { id: b1, appointment_datetime: 2026-03-06 10:00, status: shceduled }
      |                                                                      ^^^^^^^^^
      |
      = help: did you mean `scheduled`?
    "#);
    assert!(clinic.refusal(&["rules", "test", "--run", "("]).contains("--run: "));
    assert!(clinic.refusal(&["rules", "test", "rules/nowhere.test.yaml"]).contains("rules/nowhere.test.yaml"));
}

#[test]
fn reports_are_for_people_build_servers_and_programs() {
    let clinic = Clinic::new();
    let junit = clinic.done(&["rules", "test", "--format", "junit", "--run", "^YES"]);
    assert!(
        junit.starts_with("<?xml") && junit.contains("<testcase name=\"YES confirms the booking, thanks, and closes the call\""),
        "{junit}"
    );
    let object = clinic.object(&["rules", "test", "--json", "--run", "^YES"]);
    assert_eq!((&object["schema"], &object["tests"], &object["failed"]), (&"avatar.rules-test/1".into(), &1.into(), &0.into()));
}

#[test]
fn a_broken_rule_fails_the_tests_of_its_file() {
    let clinic = Clinic::new();
    clinic.edit("rules/leads.yaml", "event: lead_created", "event: lead_creatd");
    let said = clinic.run(&["rules", "test", "rules/reminders.test.yaml", "rules/leads.test.yaml"]);
    assert_eq!(said.exit, Some(1));
    assert!(said.out.contains("error[R0201]") && said.out.contains("✗ rules/leads.test.yaml  not run"), "{}", said.out);
    assert!(said.out.contains("✓ rules/reminders.test.yaml"), "its own rules are fine: {}", said.out);
}

#[test]
fn saving_a_test_puts_no_new_ruleset_in_force() {
    let clinic = Clinic::open();
    with_reminder(&clinic);
    let again = clinic.run(&["rules", "publish"]);
    assert_eq!((again.exit, again.err.as_str()), (Some(0), "nothing differs from r1\n"));
}

#[test]
fn a_diff_without_a_change_ends_with_0_and_with_one_tells_it() {
    let clinic = Clinic::open();
    let log = clinic.dir.path().join("log.jsonl");
    let line = serde_json::json!({
        "schema": "avatar.events/1", "id": "019ac000-0000-7000-8000-000000000001", "event_type": "booking_created", "source": "wix",
        "actor": "patient", "timestamp": "2026-03-02T09:00:00+11:00",
        "payload": {
            "contact": { "first_name": "Ana", "phone": "+61491570006" },
            "booking": { "id": "b1", "status": "scheduled", "appointment_datetime": 1_772_751_600_000_i64 },
        },
    });
    std::fs::write(&log, format!("{line}\n")).expect("a log");
    let log = log.to_str().expect("a path");
    let same = clinic.run(&["rules", "diff", "--events", log]);
    assert_eq!(
        (same.exit, same.out.as_str()),
        (Some(0), "nothing differs from r1 in 1 events. Nothing was sent.\n"),
        "{}",
        same.err
    );
    clinic.edit("rules/reminders.yaml", "      - sms: reminder_2hr\n", "      - note: \"no text\"\n");
    let said = clinic.run(&["rules", "diff", "--events", log]);
    assert_eq!(said.exit, Some(1), "{}", said.err);
    insta::assert_snapshot!(said.out.trim_end(), @r"
      reminder-2h  changed  rules/reminders.yaml:42
        + 1 note
        − 1 text       reminder_2hr   about A$0.08

         6 Mar 08:00:00  somebody              + note   timer_due
         6 Mar 08:00:00  somebody              − text reminder_2hr   timer_due

    1 rule differs from r1: −1 texts (−A$0.08), +1 other steps. Nothing was sent.
    ");
    let json = clinic.run(&["rules", "diff", "--events", log, "--json"]);
    let object: serde_json::Value = serde_json::from_str(&json.out).expect("one object");
    assert_eq!((&object["schema"], &object["cost_aud"]), (&"avatar.rules-diff/1".into(), &serde_json::json!(-0.08)));
    assert_eq!(clinic.run(&["rules", "diff", "--events", log, "--rule", "reminder-24h"]).exit, Some(0));
    assert!(clinic.refusal(&["rules", "diff", "--rule", "reminder-24"]).contains("did you mean `reminder-24h`?"));
    assert!(clinic.refusal(&["rules", "diff", "--since", "yesterday"]).contains("write it as 7d"));
    assert!(clinic.refusal(&["rules", "diff", "--against", "r9"]).contains("there is no ruleset r9"));
}

#[test]
fn a_saved_event_is_a_test_that_passes_and_names_nobody() {
    let clinic = Clinic::open();
    let id = clinic.done(&[
        "events",
        "send",
        "booking_created",
        "--set",
        "contact.first_name=Margaret",
        "--set",
        "contact.last_name=Quillfeather",
        "--set",
        "contact.email=margaret@quillfeather.example",
        "--set",
        "contact.phone=0412 345 678",
    ]);
    let printed = clinic.done(&["events", "save", &id]);
    for secret in ["Margaret", "Quillfeather", "quillfeather", "412345678", &id] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert!(printed.contains("- sms: booking_confirmation") && printed.contains("@example.com"), "{printed}");
    clinic.done(&["events", "save", &id, "--into", "rules/saved.test.yaml"]);
    clinic.done(&["events", "save", &id, "--into", "rules/bookings.test.yaml"]);
    let said = clinic.run(&["rules", "test", "rules/saved.test.yaml", "rules/bookings.test.yaml"]);
    assert_eq!(said.exit, Some(0), "{}{}", said.out, said.err);
    assert!(
        said.out.contains("rules/bookings.test.yaml  19 tests") && said.out.contains("rules/saved.test.yaml  1 test"),
        "{}",
        said.out
    );
}

#[test]
fn schedules_and_limits_are_tested_with_days_that_pass_at_once() {
    let clinic = Clinic::new();
    let rules = "rules:\n  - id: daily\n    name: Daily\n    when: { every: day, at: \"09:30\", each: contact }\n    if: contact.warmness > 50\n    limit: { max: 1, per: contact, in: 3d }\n    do:\n      - note: still warm\n";
    let tests = "rules: [mine.yaml]\nstart: 2026-03-02 09:00\ntests:\n  - name: once in three days, for the warm\n    given:\n      contacts: [ { id: a, warmness: 60 }, { id: b, warmness: 10 } ]\n    steps:\n      - to: 2026-03-02 09:30\n        expect: [ { note: still warm, contact: a } ]\n      - to: 2026-03-05 09:29\n        expect: nothing\n      - { to: +1m, expect: [ { rule: daily } ] }\n      - { to: +1h, expect: [ { note: still warm } ] }\n";
    std::fs::write(clinic.dir.path().join("rules/mine.yaml"), rules).expect("rules");
    std::fs::write(clinic.dir.path().join("rules/mine.test.yaml"), tests).expect("tests");
    let said = clinic.run(&["rules", "test", "rules/mine.test.yaml"]);
    assert_eq!(said.exit, Some(1), "the last step is wrong on purpose: {}{}", said.out, said.err);
    assert_eq!(said.out.matches("what happened is not what was expected").count(), 1, "{}", said.out);
    assert!(said.out.contains("rules/mine.test.yaml:13:") && said.out.contains("daily was not asked"), "{}", said.out);
}

#[test]
fn a_given_contact_may_have_tags_and_tasks_come_from_rules() {
    let clinic = Clinic::new();
    let rule = "rules:\n  - id: vip\n    name: Vip\n    about: Tags.\n    owner: manager\n    when: { event: lead_created }\n    if: '\"vip\" in contact.tags'\n    do: [ { note: A regular. } ]\n";
    std::fs::write(clinic.dir.path().join("rules/vip.yaml"), rule).expect("a file");
    let test = |facts: &str| {
        let text = format!(
            "rules: [vip.yaml]\ngiven:\n  contact: &ana {{ id: ana, phone: \"0491 570 006\", {facts} }}\ntests:\n  - name: known\n    steps:\n      - event: lead_created\n        with: {{ contact: *ana }}\n        expect: [ {{ note: any }} ]\n"
        );
        std::fs::write(clinic.dir.path().join("rules/vip.test.yaml"), text).expect("a file");
        clinic.run(&["rules", "test", "rules/vip.test.yaml"])
    };
    let said = test("tags: [vip, regular]");
    assert_eq!(said.exit, Some(0), "{}", said.out);
    for (facts, problem) in [
        ("tags: vip", "`contact.tags` is a list, not text"),
        ("open_tasks: []", "`contact.open_tasks` follows from other fields"),
        ("bookings: []", "`contact.bookings` follows from other fields"),
        ("touchpoints: form", "`contact.touchpoints` is a list, not text"),
    ] {
        let said = test(facts);
        assert!(said.exit == Some(1) && said.out.contains(problem), "{facts}: {}", said.out);
    }
}

#[test]
fn a_lead_may_have_said_something() {
    let clinic = Clinic::new();
    let test = |event: &str| {
        let text = format!(
            "tests:\n  - name: a question\n    start: 2026-03-02 09:00\n    steps:\n      - event: {event}\n        with:\n          contact: {{ id: leo, manychat: m1, phone: \"0491 570 156\" }}\n          message: {{ intent: other }}\n          campaign: {{ source: facebook }}\n        expect: {{ tasks: [lead_call], rules: [lead-created] }}\n"
        );
        std::fs::write(clinic.dir.path().join("rules/said.test.yaml"), text).expect("a file");
        clinic.run(&["rules", "test", "rules/said.test.yaml"])
    };
    assert_eq!(test("lead_created").exit, Some(0), "as ManyChat's first message is saved");
    assert!(test("booking_no_show").out.contains("`message` goes with sms_received, manychat_message and lead_created"));
}
