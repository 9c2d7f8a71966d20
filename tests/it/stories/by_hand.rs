//! Events of rules, of staff and of webhooks; alerts, tags, overdue tasks.

use super::waits::{notes, only};
use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, at};
use crate::support::wix::{Patient, Visit};
use avatar::automation::by_hand::{Subject, run_rule};
use avatar::automation::send::{Sending, Terms};
use avatar::domain::clock::ManualClock;
use avatar::gateway::{self, Gateway, Outgoing, SendResult};
use avatar::jobs::{kinds, work_available};
use std::sync::Arc;

on_both_engines!(
    an_event_of_a_rule_reaches_the_rules_that_listen_and_no_circle_goes_on_for_ever,
    every_move_is_an_event,
    staff_are_told_once_until_they_have_looked,
    a_rule_is_set_off_by_hand,
    an_overdue_task_is_told_once_and_a_done_one_closed,
    a_text_that_the_gateway_refuses_is_an_event,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

fn events(clinic: &Clinic) -> Vec<String> {
    clinic.words(
        "SELECT event_type || ' ' || depth || ' ' || status AS value FROM event_log ORDER BY depth, event_type, dedupe_key",
    )
}

fn an_event_of_a_rule_reaches_the_rules_that_listen_and_no_circle_goes_on_for_ever(clinic: &Clinic) {
    only(
        clinic,
        r#"rules:
  - id: a
    when: { event: lead_created }
    do:
      - emit: { event: lead_scored, data: { score: "{{contact.warmness}}", name: "{{contact.first_name}}" } }
      - emit: nobody_listens
  - id: b
    when: { event: lead_scored }
    do:
      - tag: scored
      - note: "{{event.data.name}} has {{event.data.score}}"
      - emit: lead_scored
        if: event.data.name != ()
  - id: c
    when: { event: lead_scored }
    do: [ { emit: lead_scored } ]
"#,
    );
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    assert!(notes(clinic)[0].starts_with("Jane has 0 "), "{:?}", notes(clinic));
    assert_eq!(clinic.words("SELECT tags AS value FROM contacts"), ["[\"scored\"]"]);
    let told = events(clinic);
    let begins =
        ["manychat_message 0 processed", "lead_created 1 processed", "lead_scored 2 processed", "nobody_listens 2 processed"];
    assert_eq!(told[..4], begins);
    assert!(told.contains(&"lead_scored 6 failed".to_owned()), "{told:?}");
    assert!(told.len() <= 50, "{}", told.len());
    let why = clinic.words("SELECT DISTINCT status_reason AS value FROM event_log WHERE status = 'failed'");
    assert_eq!(why, ["events led to one another more than 5 times"]);
}

fn every_move_is_an_event(clinic: &Clinic) {
    only(
        clinic,
        r#"rules:
  - id: a
    when: { event: lead_created }
    do: [ { move: { pipeline: lead, stage: new_lead } } ]
  - id: b
    when: { event: stage_changed }
    if: event.data.to_stage == "new_lead"
    do: [ { move: { pipeline: lead, stage: contacted } } ]
  - id: c
    when: { event: stage_changed }
    do: [ { note: "{{event.data.from_stage}}-{{event.data.to_stage}}" } ]
"#,
    );
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    assert_eq!(clinic.stage("Jane"), "lead/contacted");
    assert_eq!(clinic.words("SELECT body AS value FROM notes ORDER BY body"), ["-new_lead", "new_lead-contacted"]);
}

fn staff_are_told_once_until_they_have_looked(clinic: &Clinic) {
    only(
        clinic,
        r#"rules:
  - id: angry
    owner: nobody_we_know
    when: { event: sms_received }
    do: [ { alert: "{{contact.first_name}} wrote: {{message.body}}" } ]
  - id: chain
    when: { event: task_created }
    do: [ { note: "{{task.type}} for {{task.assigned_to}}" } ]
"#,
    );
    let jane = Patient::jane();
    clinic.reply(&jane, "This is awful");
    clinic.reply(&jane, "Really awful");
    assert_eq!(clinic.alerts(), ["alert todo Mon 11-23 09:30"]);
    assert!(notes(clinic)[0].starts_with("alert for manager"), "{:?}", notes(clinic));
    let task = clinic.words("SELECT id AS value FROM tasks").remove(0);
    assert_eq!(clinic.complete(&task).status, 200);
    clinic.reply(&jane, "And still so");
    assert_eq!(clinic.alerts(), ["alert done Mon 11-23 09:30", "alert todo Mon 11-23 09:30"]);
    assert_eq!(clinic.count("sms_messages WHERE direction = 'out'"), 0, "patients hear nothing of it");
}

fn a_rule_is_set_off_by_hand(clinic: &Clinic) {
    only(
        clinic,
        r#"rules:
  - id: welcome
    when: [ { manual: booking, as: hand }, { event: booking_cancelled } ]
    do: [ { note: "{{trigger}} {{booking.date}} by {{event.actor}}" } ]
  - id: other
    when: { event: booking_confirmed }
    do: [ { note: other } ]
"#,
    );
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let contact = clinic.words("SELECT id AS value FROM contacts").remove(0);
    let booking = clinic.words("SELECT id AS value FROM bookings").remove(0);
    let ask = |rule: &str, subject: Subject| {
        let in_force = clinic.rules().current().expect("rules in force");
        let asked = run_rule(&clinic.automation.store, &in_force, rule, subject, clinic.now());
        let asked = clinic.runtime.block_on(asked).map_err(|refused| refused.to_string());
        clinic.settle();
        asked
    };
    for (rule, subject, said) in [
        ("welcom", Subject::Booking(booking.clone()), "there is no rule `welcom` in force"),
        ("other", Subject::Booking(booking.clone()), "rule `other` cannot be set off by hand: it has no `manual` trigger"),
        ("welcome", Subject::Contact(contact), "rule `welcome` is set off for a booking"),
        ("welcome", Subject::Booking("nobody".into()), "there is no booking with this id"),
    ] {
        assert_eq!(ask(rule, subject), Err(said.to_owned()));
    }
    assert!(ask("welcome", Subject::Booking(booking)).is_ok());
    assert_eq!(notes(clinic), ["hand Mon 30 Nov by staff Mon 11-23 09:00", "other Mon 11-23 09:00"]);
}

fn an_overdue_task_is_told_once_and_a_done_one_closed(clinic: &Clinic) {
    only(
        clinic,
        r#"rules:
  - id: call
    when: { event: lead_created }
    do: [ { task: { type: lead_call, title: "Call {{contact.first_name}}", due: =now + 1.hours, assign: reception } } ]
  - id: late
    when: { event: task_overdue }
    if: task.type == "lead_call" and contact != ()
    do: [ { note: "overdue: {{task.title}}, {{contact.open_tasks_of(\"lead_call\")}} open" } ]
  - id: done
    when: { event: task_completed }
    do: [ { note: "done: {{task.title}} ({{task.status}})" } ]
"#,
    );
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    clinic.advance("2026-11-23T10:00:00+11:00");
    clinic.advance("2026-11-23T10:01:00+11:00");
    clinic.advance("2026-11-24T10:00:00+11:00");
    let told = notes(clinic);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("overdue: Call Jane, 1 open Mon 11-23 10:0"), "{told:?}");
    let task = clinic.words("SELECT id AS value FROM tasks").remove(0);
    assert_eq!([clinic.complete(&task).status, clinic.complete(&task).status], [200, 409]);
    assert_eq!(notes(clinic)[1..], ["done: Call Jane (done) Tue 11-24 10:00"], "it is done once");
    assert_eq!(clinic.tasks()[0].split(' ').nth(1), Some("done"));
}

/// Takes nothing.
struct Refusing;

impl Gateway for Refusing {
    fn name(&self) -> &'static str {
        "refusing"
    }
    fn is_live(&self) -> bool {
        false
    }
    fn send<'a>(&'a self, texts: &'a [Outgoing]) -> gateway::Sending<'a> {
        let refused = SendResult::Refused { reason: "no such number".into() };
        let answers = texts.iter().map(|text| (text.sms_id.clone(), refused.clone())).collect();
        Box::pin(std::future::ready(answers))
    }
}

fn a_text_that_the_gateway_refuses_is_an_event(clinic: &Clinic) {
    only(
        clinic,
        r#"rules:
  - id: ack
    when: { event: lead_created }
    do: [ { sms: lead_ack } ]
  - id: failed
    when: { event: sms_failed }
    do: [ { note: "{{event.data.template}} for {{contact.first_name}}: {{event.data.reason}}" } ]
"#,
    );
    assert_eq!(clinic.post_manychat(&Patient::jane(), "new_lead", "MRI please", None).status, 200);
    clinic.work_only_automation();
    let sending = Sending {
        automation: clinic.automation.clone(),
        gateway: Arc::new(Refusing),
        per_second: 10,
        burst: 10,
        terms: Terms::default(),
    };
    let registry = kinds::registry(sending);
    clinic.runtime.block_on(work_available(&clinic.automation.store, &registry, kinds::SMS)).unwrap();
    clinic.settle();
    assert_eq!(clinic.words("SELECT status AS value FROM sms_messages"), ["failed"]);
    assert_eq!(notes(clinic), ["lead_ack for Jane: no such number Mon 11-23 09:00"]);
}

#[test]
fn every_event_of_a_source_sets_off_the_rules_that_listen_to_it() {
    let installation = Installation::sqlite();
    let clock = ManualClock::at(at(MONDAY_9AM));
    let clinic = Clinic::node(installation, &clock, &[("WEBSITE_FORM_TOKEN", "form-token-of-the-test-clinic")]);
    only(
        &clinic,
        r#"rules:
  - id: form
    when: { webhook: website_form, as: form }
    if: contact != ()
    do: [ { note: "{{trigger}} {{event.data.page}} {{contact.first_name}}" } ]
  - id: rest
    when: { event: lead_created, unhandled: true }
    do: [ { note: unhandled } ]
"#,
    );
    let body = r#"{"id": "f1", "name": "Jane Nguyen", "phone": "0491570006", "page": "/mri"}"#;
    let headers = [("X-Webhook-Token", "form-token-of-the-test-clinic"), ("Content-Type", "application/json")];
    let answer = clinic.post("/webhooks/website_form", &headers, body.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    clinic.settle();
    assert_eq!(notes(&clinic), ["form /mri Jane Mon 11-23 09:00"]);
    clinic.manychat(&Patient::new("m", "Kim", "Lee", "0491570156"), "new_lead", "Hi", None);
    assert_eq!(clinic.words("SELECT body AS value FROM notes ORDER BY body")[1..], ["unhandled"]);
    clinic.check();
}
