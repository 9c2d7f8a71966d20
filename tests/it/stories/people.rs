//! Leads, families, and deliveries that come twice, late, or about nobody.

use crate::support::client;
use crate::support::clinic::{Clinic, signed};
use crate::support::wix::{Patient, Visit, WixEvent};

on_both_engines!(
    a_lead_is_called_within_fifteen_minutes,
    a_lead_that_nobody_reached_goes_to_the_manager,
    a_lead_that_books_is_no_lead_any_more,
    fifty_copies_at_once_are_one_event,
    a_family_shares_a_phone,
    the_same_person_over_two_ways_is_one_contact,
    an_event_of_each_kind_for_an_unknown_booking,
    a_delivery_that_nobody_can_read_goes_to_staff,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

fn a_lead_is_called_within_fifteen_minutes(clinic: &Clinic) {
    clinic.manychat(&Patient::jane(), "lead_created", "How much is an MRI?", Some("facebook"));
    assert_eq!(clinic.tasks(), ["lead_call todo Mon 11-23 09:15"]);
    assert_eq!(clinic.stage("Jane"), "lead/new_lead");
    assert_eq!(clinic.texts(), ["lead_ack accepted Mon 11-23 09:00"]);
    assert_eq!(clinic.words("SELECT source AS value FROM contacts"), ["facebook"]);
}

fn a_lead_that_nobody_reached_goes_to_the_manager(clinic: &Clinic) {
    clinic.manychat(&Patient::jane(), "lead_created", "How much is an MRI?", None);
    clinic.advance("2026-11-23T12:59:59+11:00");
    assert_eq!(clinic.stage("Jane"), "lead/new_lead");
    clinic.advance("2026-11-23T13:00:00+11:00");
    assert_eq!(clinic.stage("Jane"), "lead/no_response");
    assert_eq!(clinic.tasks(), ["lead_call todo Mon 11-23 09:15", "no_response_followup todo Mon 11-23 13:30"]);
    clinic.advance("2026-11-25T09:00:00+11:00");
    assert_eq!(clinic.tasks().len(), 2, "once");
}

fn a_lead_that_books_is_no_lead_any_more(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.manychat(&jane, "lead_created", "How much is an MRI?", None);
    clinic.advance("2026-11-23T10:00:00+11:00");
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.advance("2026-11-24T09:00:00+11:00");
    assert_eq!(clinic.stage("Jane"), "pre_appointment/booking_confirmed");
    assert_eq!(clinic.tasks(), ["lead_call cancelled Mon 11-23 09:15", "welcome_call todo Mon 11-23 18:00"]);
}

fn fifty_copies_at_once_are_one_event(clinic: &Clinic) {
    let body = signed(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created(), clinic.now());
    let send = || client::send(clinic.address, "POST", "/webhooks/wix/bookings", &[], body.as_bytes()).unwrap();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..50).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.json()["duplicate"] == false).count(), 1);
    clinic.settle();
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM event_log WHERE source = 'wix'"), 1);
    assert_eq!(clinic.number("SELECT CAST(SUM(duplicates) AS BIGINT) AS value FROM event_log"), 49);
    assert_eq!(clinic.texts(), ["booking_confirmation accepted Mon 11-23 09:00"]);
    assert_eq!(clinic.installation.ledger().len(), 1);
}

/// A mother books for herself, then for her son: two patients, one phone, and STOP holds for both.
fn a_family_shares_a_phone(clinic: &Clinic) {
    let jane = Patient::jane();
    let oliver = Patient { email: jane.email.clone(), ..Patient::new("wix-oliver", "Oliver", "Nguyen", &jane.phone) };
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.wix(&Visit::new(&oliver, "xray", "2026-11-30T11:30:00+11:00").created());
    assert_eq!(clinic.words("SELECT first_name AS value FROM contacts ORDER BY first_name"), ["Jane", "Oliver"]);
    assert_eq!((clinic.booking("mri").as_str(), clinic.count("bookings")), ("scheduled Mon 11-30 10:30", 2));
    assert_eq!(clinic.sent_to(&jane.mobile()), 2, "a confirmation for each");
    let names = clinic.words("SELECT body AS value FROM sms_messages ORDER BY body");
    assert!(names[0].starts_with("Hi Jane") && names[1].starts_with("Hi Oliver"), "{names:?}");
    clinic.reply(&jane, "STOP");
    clinic.advance("2026-12-01T00:00:00+11:00");
    assert_eq!(clinic.sent_to(&jane.mobile()), 2, "nothing after STOP, for neither");
}

fn the_same_person_over_two_ways_is_one_contact(clinic: &Clinic) {
    let jane = Patient::jane();
    let on_manychat = Patient { wix_id: "1234567890".into(), ..jane.clone() };
    clinic.manychat(&on_manychat, "lead_created", "How much is an MRI?", None);
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    assert_eq!(clinic.count("contacts"), 1);
    assert_eq!(clinic.count("contact_identities"), 4, "Wix, ManyChat, phone and email");
}

/// Whatever comes first, the booking is known afterwards, in the state that Wix says.
fn an_event_of_each_kind_for_an_unknown_booking(clinic: &Clinic) {
    type Tell = fn(&mut Visit) -> WixEvent;
    let kinds: [(&str, Tell, &str); 6] = [
        ("c", |v| v.created(), "scheduled"),
        ("f", Visit::confirmed, "scheduled"),
        ("r", |v| v.rescheduled(NEXT_MONDAY), "scheduled"),
        ("u", |v| v.updated(), "scheduled"),
        ("x", Visit::cancelled, "cancelled"),
        ("d", Visit::declined, "declined"),
    ];
    for (index, (id, tell, status)) in kinds.into_iter().enumerate() {
        let patient = Patient::new(&format!("wix-{id}"), &format!("Kim{id}"), "Lee", &format!("04915701{}", 56 + index));
        let mut visit = Visit::new(&patient, id, NEXT_MONDAY);
        clinic.wix(&tell(&mut visit));
        assert_eq!(clinic.booking(id), format!("{status} Mon 11-30 10:30"), "{id}");
    }
    let confirmations = clinic.texts().iter().filter(|t| t.starts_with("booking_confirmation accepted")).count();
    assert_eq!(confirmations, 4, "{:?}", clinic.texts());
    assert_eq!(clinic.timers().len(), 4 * 5);
}

fn a_delivery_that_nobody_can_read_goes_to_staff(clinic: &Clinic) {
    let mut event = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created();
    event.inner["createdEvent"] = serde_json::json!({ "entity": { "no": "booking" } });
    clinic.wix(&event);
    assert_eq!(clinic.tasks(), ["quarantine_review todo Mon 11-23 18:00"]);
    assert_eq!(clinic.words("SELECT status AS value FROM event_log"), ["quarantined"]);
    assert_eq!((clinic.count("contacts"), clinic.count("bookings")), (0, 0));
}
