//! STOP, replies, and what providers say became of our texts.

use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};

on_both_engines!(
    after_stop_no_text_leaves_whatever_comes,
    start_lifts_stop,
    stop_reaches_a_text_that_waits_for_the_morning,
    cancel_asks_reception_to_call_and_cancels_nothing,
    a_text_that_no_rule_understands_goes_to_a_person,
    the_same_reply_twice_is_one_reply,
    receipts_come_late_and_twice,
    a_receipt_may_overtake_the_answer_of_the_provider,
    a_receipt_for_a_text_that_is_not_ours_is_recorded,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

fn booked(clinic: &Clinic) -> (Patient, Visit) {
    let jane = Patient::jane();
    let visit = Visit::new(&jane, "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    (jane, visit)
}

fn after_stop_no_text_leaves_whatever_comes(clinic: &Clinic) {
    let (jane, mut visit) = booked(clinic);
    clinic.advance("2026-11-23T09:30:00+11:00");
    clinic.reply(&jane, "Stop");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM contacts WHERE opted_out_at IS NOT NULL"), 1);
    clinic.wix(&visit.rescheduled("2026-12-01T10:30:00+11:00"));
    clinic.manychat(&jane, "lead_created", "How much is an MRI?", Some("facebook"));
    clinic.reply(&jane, "yes");
    clinic.wix(&Visit::new(&jane, "ct", "2026-12-02T10:30:00+11:00").created());
    clinic.advance("2026-12-03T00:00:00+11:00");
    assert_eq!(clinic.installation.ledger().len(), 1, "{:?}", clinic.texts());
    assert!(clinic.texts()[1..].iter().all(|t| t.contains("suppressed: opted_out")), "{:?}", clinic.texts());
}

fn start_lifts_stop(clinic: &Clinic) {
    let (jane, _) = booked(clinic);
    clinic.advance("2026-11-23T10:00:00+11:00");
    clinic.reply(&jane, "STOP");
    clinic.advance("2026-11-24T10:00:00+11:00");
    clinic.reply(&jane, "START");
    clinic.advance("2026-11-28T12:00:00+11:00");
    assert_eq!(clinic.texts().last().unwrap(), "reminder_48hr accepted Sat 11-28 10:30");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM contacts WHERE opted_out_at IS NOT NULL"), 0);
}

fn stop_reaches_a_text_that_waits_for_the_morning(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", "2026-11-30T21:00:00+11:00").created());
    clinic.advance("2026-11-28T22:00:00+11:00");
    clinic.reply(&jane, "unsubscribe");
    clinic.advance("2026-11-29T09:00:00+11:00");
    let waited = clinic.texts().into_iter().find(|t| t.starts_with("reminder_48hr")).unwrap();
    assert!(waited.starts_with("reminder_48hr cancelled: opted_out") || waited.contains("suppressed: opted_out"), "{waited}");
    assert_eq!(clinic.installation.ledger().len(), 1);
}

fn cancel_asks_reception_to_call_and_cancels_nothing(clinic: &Clinic) {
    let (jane, _) = booked(clinic);
    clinic.reply(&jane, "Cancel");
    assert_eq!(clinic.booking("mri"), "scheduled Mon 11-30 10:30");
    assert_eq!(clinic.stage("Jane"), "pre_appointment/reschedule_requested");
    assert_eq!(clinic.tasks(), ["cancel_review todo Mon 11-23 10:00", "welcome_call todo Mon 11-23 18:00"]);
}

fn a_text_that_no_rule_understands_goes_to_a_person(clinic: &Clinic) {
    let (jane, _) = booked(clinic);
    clinic.reply(&jane, "Can I bring my mother, and is there parking near the entrance?");
    assert!(clinic.tasks().contains(&"sms_reply_review todo Mon 11-23 18:00".to_owned()), "{:?}", clinic.tasks());
}

fn the_same_reply_twice_is_one_reply(clinic: &Clinic) {
    let (jane, _) = booked(clinic);
    for _ in 0..3 {
        assert_eq!(clinic.post_sms_reply(&jane, "their-id", "yes").status, 200);
    }
    clinic.settle();
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM sms_messages WHERE direction = 'in'"), 1);
    assert_eq!(clinic.sent_to(&jane.mobile()), 2, "the confirmation and one thank-you");
}

fn sms_id(clinic: &Clinic) -> String {
    clinic.words("SELECT id AS value FROM sms_messages WHERE direction = 'out'").remove(0)
}

fn status(clinic: &Clinic) -> String {
    clinic.words("SELECT status AS value FROM sms_messages WHERE direction = 'out'").remove(0)
}

/// Delivered is the last word: a failure that comes later, or again, changes nothing.
fn receipts_come_late_and_twice(clinic: &Clinic) {
    booked(clinic);
    let id = sms_id(clinic);
    clinic.advance("2026-11-24T09:00:00+11:00");
    for code in ["200", "201", "201", "301", "201"] {
        assert_eq!(clinic.post_receipt("m1", &id, code).status, 200);
        clinic.settle();
    }
    assert_eq!(status(clinic), "delivered");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM event_log WHERE event_type = 'sms_delivered'"), 1);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM event_log WHERE event_type = 'sms_failed'"), 0);
}

/// The receipt is worked on while the text is still queued; afterwards the text is not sent again.
fn a_receipt_may_overtake_the_answer_of_the_provider(clinic: &Clinic) {
    let visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    assert_eq!(clinic.post_wix(&visit.created()).status, 200);
    clinic.work_only_automation();
    let id = sms_id(clinic);
    assert_eq!(status(clinic), "queued");
    assert_eq!(clinic.post_receipt("m1", &id, "201").status, 200);
    clinic.work_only_automation();
    assert_eq!(status(clinic), "delivered");
    clinic.settle();
    assert_eq!((status(clinic).as_str(), clinic.installation.ledger().len()), ("delivered", 0));
}

fn a_receipt_for_a_text_that_is_not_ours_is_recorded(clinic: &Clinic) {
    assert_eq!(clinic.post_receipt("m1", "019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d", "201").status, 200);
    clinic.settle();
    assert_eq!(clinic.words("SELECT status AS value FROM event_log"), ["ignored"]);
}
