//! Whose reply it is, what it is about, and what STOP, CANCEL and everything unclear lead to.

use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, SMS_TOKEN};
use crate::support::wix::{Patient, Visit};
use serde_json::json;
use std::sync::Arc;

on_both_engines!(
    yes_to_a_text_confirms_the_booking_that_the_text_was_about,
    yes_with_two_bookings_and_no_reference_goes_to_a_person,
    yes_after_one_reminder_confirms_that_booking,
    yes_to_a_text_about_no_booking_confirms_none,
    yes_to_a_text_about_a_cancelled_booking_confirms_no_other,
    a_mother_answers_for_her_son,
    a_reference_to_somebody_elses_text_is_not_believed,
    cancel_opens_a_task_and_leaves_the_texts,
    cancel_my_messages_is_stop,
    stop_holds_for_the_whole_family_and_start_too,
    stop_reaches_texts_that_wait_for_others_at_the_number,
    an_unknown_sender_goes_to_a_person_the_same_day,
    a_sender_that_is_no_number_goes_to_a_person,
    the_conversation_is_kept_with_what_answers_what,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";
const NEXT_TUESDAY: &str = "2026-12-01T10:30:00+11:00";

/// A reply for which the provider names the answered text.
fn answer(clinic: &Clinic, from: &Patient, to_text: &str, words: &str) {
    let body = json!({
        "from": from.mobile(), "body": words, "message_id": format!("answer-{}", clinic.count("event_log")),
        "timestamp": clinic.now().0 / 1_000, "custom_string": to_text,
    });
    let answer = clinic.post(
        &format!("/webhooks/sms/inbound/{SMS_TOKEN}"),
        &[("Content-Type", "application/json")],
        body.to_string().as_bytes(),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    clinic.settle();
}

/// The text of a template about a booking.
fn text_about(clinic: &Clinic, template: &str, wix_id: &str) -> String {
    let sql = format!(
        "SELECT s.id AS value FROM sms_messages s JOIN bookings b ON b.id = s.booking_id WHERE s.template = '{template}' AND b.wix_booking_id = '{wix_id}'"
    );
    clinic.words(&sql).remove(0)
}

fn status(clinic: &Clinic, wix_id: &str) -> String {
    clinic.booking(wix_id).split(' ').next().unwrap_or_default().to_owned()
}

/// Jane is to come twice.
fn booked_twice(clinic: &Clinic) -> Patient {
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.wix(&Visit::new(&jane, "ct", NEXT_TUESDAY).created());
    jane
}

fn family() -> (Patient, Patient) {
    let jane = Patient::jane();
    let oliver = Patient { email: jane.email.clone(), ..Patient::new("wix-oliver", "Oliver", "Nguyen", &jane.phone) };
    (jane, oliver)
}

fn yes_to_a_text_confirms_the_booking_that_the_text_was_about(clinic: &Clinic) {
    let jane = booked_twice(clinic);
    answer(clinic, &jane, &text_about(clinic, "booking_confirmation", "ct"), "Yes");
    assert_eq!((status(clinic, "mri").as_str(), status(clinic, "ct").as_str()), ("scheduled", "confirmed"));
}

fn yes_with_two_bookings_and_no_reference_goes_to_a_person(clinic: &Clinic) {
    let jane = booked_twice(clinic);
    clinic.reply(&jane, "Yes");
    assert_eq!((status(clinic, "mri").as_str(), status(clinic, "ct").as_str()), ("scheduled", "scheduled"));
    assert!(clinic.tasks().contains(&"sms_reply_review todo Mon 11-23 18:00".to_owned()), "{:?}", clinic.tasks());
}

/// The confirmations are more than a week old; only the reminder can be meant.
fn yes_after_one_reminder_confirms_that_booking(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", "2026-12-07T10:30:00+11:00").created());
    clinic.wix(&Visit::new(&jane, "ct", "2026-12-14T10:30:00+11:00").created());
    clinic.advance("2026-12-05T12:00:00+11:00");
    clinic.reply(&jane, "YES");
    assert_eq!((status(clinic, "mri").as_str(), status(clinic, "ct").as_str()), ("confirmed", "scheduled"));
}

fn yes_to_a_text_about_no_booking_confirms_none(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.manychat(&jane, "lead_created", "How much is an MRI?", None);
    let ack = clinic.words("SELECT id AS value FROM sms_messages WHERE template = 'lead_ack'").remove(0);
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    answer(clinic, &jane, &ack, "yes");
    assert_eq!(status(clinic, "mri"), "scheduled");
}

fn yes_to_a_text_about_a_cancelled_booking_confirms_no_other(clinic: &Clinic) {
    let jane = Patient::jane();
    let mut mri = Visit::new(&jane, "mri", NEXT_MONDAY);
    clinic.wix(&mri.created());
    clinic.wix(&Visit::new(&jane, "ct", NEXT_TUESDAY).created());
    let about_mri = text_about(clinic, "booking_confirmation", "mri");
    clinic.wix(&mri.cancelled());
    answer(clinic, &jane, &about_mri, "yes");
    assert_eq!((status(clinic, "mri").as_str(), status(clinic, "ct").as_str()), ("cancelled", "scheduled"));
}

/// The phone is hers, the appointment is his: the reply is about him, as the text was.
fn a_mother_answers_for_her_son(clinic: &Clinic) {
    let (jane, oliver) = family();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.wix(&Visit::new(&oliver, "xray", NEXT_TUESDAY).created());
    answer(clinic, &jane, &text_about(clinic, "booking_confirmation", "xray"), "Yes, he will be there");
    assert_eq!(
        (status(clinic, "mri").as_str(), status(clinic, "xray").as_str()),
        ("scheduled", "scheduled"),
        "that is for a person"
    );
    answer(clinic, &jane, &text_about(clinic, "booking_confirmation", "xray"), "Yes");
    assert_eq!((status(clinic, "mri").as_str(), status(clinic, "xray").as_str()), ("scheduled", "confirmed"));
    let whose = "SELECT c.first_name AS value FROM sms_messages s JOIN contacts c ON c.id = s.contact_id WHERE s.direction = 'in' ORDER BY s.created_at";
    assert_eq!(clinic.words(whose), ["Oliver", "Oliver"]);
    clinic.reply(&jane, "yes");
    assert_eq!(status(clinic, "mri"), "scheduled", "without a reference nobody knows which one of them is meant");
}

/// A provider, or somebody who knows an id, names a text that went to another number.
fn a_reference_to_somebody_elses_text_is_not_believed(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let stranger = Patient::new("wix-x", "Kim", "Lee", "0491570157");
    answer(clinic, &stranger, &text_about(clinic, "booking_confirmation", "mri"), "Yes");
    assert_eq!(status(clinic, "mri"), "scheduled");
}

fn cancel_opens_a_task_and_leaves_the_texts(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.reply(&jane, "Please cancel");
    assert_eq!(status(clinic, "mri"), "scheduled");
    assert!(clinic.tasks().contains(&"cancel_review todo Mon 11-23 10:00".to_owned()), "{:?}", clinic.tasks());
    clinic.advance("2026-11-30T09:00:00+11:00");
    assert_eq!(clinic.sent_to(&jane.mobile()), 4, "reminders go on: {:?}", clinic.texts());
    assert_eq!(clinic.count("suppressions"), 0);
}

fn cancel_my_messages_is_stop(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.reply(&jane, "Can you cancel my messages, please?");
    assert_eq!(clinic.words("SELECT reason AS value FROM suppressions"), ["stop"]);
    clinic.advance("2026-11-30T11:00:00+11:00");
    assert_eq!(clinic.sent_to(&jane.mobile()), 1, "{:?}", clinic.texts());
}

fn opted_out(clinic: &Clinic) -> Vec<String> {
    clinic.words("SELECT first_name AS value FROM contacts WHERE opted_out_at IS NOT NULL ORDER BY first_name")
}

fn stop_holds_for_the_whole_family_and_start_too(clinic: &Clinic) {
    let (jane, oliver) = family();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.wix(&Visit::new(&oliver, "xray", NEXT_TUESDAY).created());
    answer(clinic, &jane, &text_about(clinic, "booking_confirmation", "xray"), "STOP");
    assert_eq!(opted_out(clinic), ["Jane", "Oliver"], "the number has said it, not one of them");
    clinic.advance("2026-11-24T10:00:00+11:00");
    clinic.reply(&jane, "Start");
    assert_eq!(opted_out(clinic), Vec::<String>::new());
    clinic.advance("2026-12-01T11:00:00+11:00");
    let texts = clinic.texts();
    assert_eq!(texts.iter().filter(|t| t.starts_with("reminder_24hr accepted")).count(), 2, "{texts:?}");
}

/// Their texts wait for the morning when STOP comes.
fn stop_reaches_texts_that_wait_for_others_at_the_number(clinic: &Clinic) {
    let (jane, oliver) = family();
    clinic.wix(&Visit::new(&jane, "mri", "2026-11-30T10:30:00+11:00").created());
    clinic.wix(&Visit::new(&oliver, "xray", "2026-11-30T21:30:00+11:00").created());
    clinic.advance("2026-11-28T22:00:00+11:00");
    let waiting = "SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'scheduled'";
    assert_eq!(clinic.number(waiting), 1, "{:?}", clinic.texts());
    clinic.reply(&jane, "stop");
    assert_eq!(clinic.number(waiting), 0, "{:?}", clinic.texts());
}

fn an_unknown_sender_goes_to_a_person_the_same_day(clinic: &Clinic) {
    clinic.reply(&Patient::new("nobody", "No", "Body", "0491570158"), "Do you take walk-ins?");
    assert_eq!(clinic.tasks(), ["sms_reply_review todo Mon 11-23 18:00"]);
    assert_eq!(clinic.words("SELECT phone AS value FROM contacts"), ["+61491570158"]);
}

fn a_sender_that_is_no_number_goes_to_a_person(clinic: &Clinic) {
    let body = json!({ "from": "AusPost", "body": "Your parcel is here", "message_id": "p1" });
    for _ in 0..2 {
        clinic.deliver(&format!("sms/inbound/{SMS_TOKEN}"), &body.to_string());
        clinic.settle();
    }
    assert_eq!(clinic.tasks(), ["sms_reply_review todo Mon 11-23 18:00"]);
    assert_eq!((clinic.count("contacts"), clinic.count("sms_messages")), (0, 1), "kept, and no contact is made up");
}

fn the_conversation_is_kept_with_what_answers_what(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    let asked = text_about(clinic, "booking_confirmation", "mri");
    answer(clinic, &jane, &asked, "yes");
    let contact = clinic.words("SELECT id AS value FROM contacts").remove(0);
    let thread = clinic.get(&format!("/api/sms?contact_id={contact}")).json();
    let items = thread["items"].as_array().unwrap().clone();
    let told: Vec<String> =
        items.iter().map(|t| format!("{} {}", t["direction"].as_str().unwrap(), t["status"].as_str().unwrap())).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    let reply = items.iter().find(|t| t["direction"] == "in").unwrap();
    assert_eq!(reply["in_reply_to"], asked.as_str());
    let thanks = items.iter().find(|t| t["template"] == "thanks_confirmed").unwrap();
    assert_eq!(thanks["in_reply_to"], reply["id"]);
    let kinds = clinic.words("SELECT kind AS value FROM touchpoints WHERE kind LIKE 'sms%' ORDER BY timestamp, kind");
    assert_eq!(kinds, ["sms_in", "sms_out", "sms_out"]);
}

/// STOP is acknowledged once, where the clinic wants that, and nothing else leaves after it.
#[test]
fn stop_is_acknowledged_once_where_the_clinic_wants_it() {
    for installation in [Some(Installation::sqlite()), Installation::postgres()].into_iter().flatten() {
        let clinic = acknowledging(installation);
        let jane = Patient::jane();
        clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
        clinic.advance("2026-11-23T22:00:00+11:00");
        clinic.reply(&jane, "STOP");
        clinic.reply(&jane, "stop it");
        clinic.advance("2026-12-01T00:00:00+11:00");
        let left: Vec<String> = clinic.texts().into_iter().filter(|t| t.contains("accepted")).collect();
        assert_eq!(left, ["booking_confirmation accepted Mon 11-23 09:00", "opt_out_ack accepted Mon 11-23 22:00"]);
        clinic.reply(&jane, "START");
        clinic.reply(&jane, "STOP");
        assert_eq!(clinic.sent_to(&jane.mobile()), 4, "START is welcomed, and a STOP after START is a new one");
        clinic.check();
    }
}

/// The text is on its way to the outbox when START comes: it would be wrong.
#[test]
fn an_acknowledgement_that_start_overtakes_is_not_sent() {
    let clinic = acknowledging(Installation::sqlite());
    let jane = Patient::jane();
    for (id, words) in [("m1", "STOP"), ("m2", "START")] {
        assert_eq!(clinic.post_sms_reply(&jane, id, words).status, 200);
        clinic.work_only_automation();
    }
    clinic.settle();
    assert_eq!(clinic.texts(), ["opt_out_ack suppressed: opted_in -", "welcome_back accepted Mon 11-23 09:00"]);
}

fn acknowledging(installation: Arc<Installation>) -> Clinic {
    let file = "config/clinic.yaml";
    let text = installation.read(file);
    installation.write(file, &text.replace("opt_out_ack: false", "opt_out_ack: true"));
    Clinic::open(installation, MONDAY_9AM)
}
