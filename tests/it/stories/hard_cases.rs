//! What goes wrong only when two things meet.

use crate::support::clinic::{Clinic, Installation, MONDAY_9AM};
use crate::support::wix::{Patient, Visit};

on_both_engines!(a_cancellation_that_was_taken_back_is_not_sent, a_text_waits_while_a_message_of_its_receiver_is_unheard,);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

fn a_cancellation_that_was_taken_back_is_not_sent(clinic: &Clinic) {
    let jane = Patient::jane();
    let mut visit = Visit::new(&jane, "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.advance("2026-11-23T21:00:00+11:00");
    clinic.wix(&visit.cancelled());
    clinic.advance("2026-11-23T22:00:00+11:00");
    clinic.wix(&visit.confirmed());
    clinic.advance("2026-11-24T09:00:00+11:00");
    assert_eq!(clinic.booking("mri"), "scheduled Mon 11-30 10:30");
    let left = clinic.words("SELECT template AS value FROM sms_messages WHERE accepted_at IS NOT NULL ORDER BY accepted_at");
    assert_eq!(left, ["booking_confirmation", "booking_confirmation"], "{:?}", clinic.texts());
}

fn a_text_waits_while_a_message_of_its_receiver_is_unheard(clinic: &Clinic) {
    let jane = Patient::jane();
    assert_eq!(clinic.post_wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created()).status, 200);
    clinic.work_only_automation();
    assert_eq!(clinic.post_sms_reply(&jane, "stop-1", "STOP").status, 200);
    clinic.work_only_sms();
    assert_eq!(clinic.installation.ledger().len(), 0, "the confirmation waits: the message may say STOP");
    clinic.advance("2026-11-23T09:10:00+11:00");
    assert_eq!(clinic.installation.ledger().len(), 0, "and it did: {:?}", clinic.texts());
}

fn with_rules(rules: &str) -> Clinic {
    let installation = Installation::sqlite();
    installation.write("rules/extra.yaml", rules);
    Clinic::open(installation, MONDAY_9AM)
}

#[test]
fn a_daily_task_about_nobody_stays_one_and_holds_nothing_up() {
    let clinic = with_rules(
        "rules:\n  - id: daily-stock\n    name: Count the contrast agent\n    when: { every: day, at: \"10:00\" }\n    do:\n      \
         - task: { type: welcome_call, title: Count the stock, due: =now + 8.hours, priority: 10 }\n",
    );
    clinic.advance("2026-11-26T12:00:00+11:00");
    assert_eq!(clinic.tasks(), ["welcome_call todo Mon 11-23 18:00"]);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM jobs"), 0, "nothing spins");
    let fired = "SELECT COUNT(*) AS value FROM automation_runs WHERE rule_id = 'daily-stock' AND outcome = 'fired'";
    assert_eq!(clinic.number(fired), 4);
    clinic.check();
}

#[test]
fn every_booking_of_one_contact_gets_its_turn() {
    let clinic = with_rules(
        "rules:\n  - id: look-again\n    name: Look again\n    when: { every: day, at: \"10:00\", each: booking }\n    do:\n      \
         - note: Looked at {{booking.date}}\n      - task: { type: referral_check, title: Check, due: =now + 8.hours, priority: 10 }\n",
    );
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.wix(&Visit::new(&jane, "ct", "2026-12-01T10:30:00+11:00").created());
    clinic.wix(&Visit::new(&Patient::new("w-2", "Ada", "Lin", "0491 570 156"), "xray", NEXT_MONDAY).created());
    clinic.advance("2026-11-24T12:00:00+11:00");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM notes WHERE author = 'rule:look-again'"), 6);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM tasks WHERE type = 'referral_check'"), 3);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM jobs WHERE queue = 'maintenance'"), 0);
    clinic.check();
}
