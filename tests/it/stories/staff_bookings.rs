//! What staff does to bookings, and what webhooks may still say of them.

use super::waits::{notes, only};
use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};
use serde_json::{Value, json};

on_both_engines!(
    a_booking_goes_through_its_day_and_cannot_go_astray,
    what_staff_has_said_outlives_what_the_provider_had_said_before,
    a_booking_made_by_hand_is_worked_by_the_rules_that_ship,
    a_webhook_and_staff_race_and_nothing_is_lost,
    the_patients_word_by_phone_is_no_new_confirmation,
    what_is_marked_by_mistake_can_be_put_right,
    a_rule_that_takes_a_miss_back_takes_it_off_the_count,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";
const NEXT_TUESDAY: &str = "2026-12-01T09:00:00+11:00";

fn booked(clinic: &Clinic) -> (Visit, Value) {
    let visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    let booking = booking(clinic);
    (visit, booking)
}

fn booking(clinic: &Clinic) -> Value {
    clinic.get("/api/bookings").json()["items"][0].clone()
}

fn mark(clinic: &Clinic, what: &str) -> crate::support::client::Answer {
    let id = booking(clinic)["id"].as_str().unwrap().to_owned();
    clinic.call("POST", &format!("/api/bookings/{id}/{what}"), None, &json!({}))
}

const LISTEN: &str = r#"rules:
  - id: told
    when:
      - { event: booking_created }
      - { event: booking_confirmed }
      - { event: booking_patient_confirmed }
      - { event: booking_rescheduled }
      - { event: booking_updated }
      - { event: booking_cancelled }
      - { event: booking_checked_in }
      - { event: booking_completed }
      - { event: booking_no_show }
    do: [ { note: "{{event.event_type}} by {{event.actor}}" } ]
"#;

fn a_booking_goes_through_its_day_and_cannot_go_astray(clinic: &Clinic) {
    only(clinic, LISTEN);
    booked(clinic);
    assert_eq!(mark(clinic, "confirm").status, 200);
    clinic.advance("2026-11-30T10:20:00+11:00");
    for what in ["check-in", "complete"] {
        assert_eq!(mark(clinic, what).status, 200, "{what}");
    }
    let shown = booking(clinic);
    assert_eq!((&shown["status"], &shown["confirmed_via"]), (&json!("completed"), &json!("staff")));
    let late = mark(clinic, "no-show");
    assert_eq!(late.status, 409);
    assert_eq!(late.json()["detail"], "Not possible: a completed booking cannot become no_show.");
    assert_eq!(late.json()["current"]["possible"], json!([]));
    let id = shown["id"].as_str().unwrap();
    let moved = json!({ "appointment_datetime": NEXT_TUESDAY });
    let refused = clinic.call("PATCH", &format!("/api/bookings/{id}"), shown["version"].as_i64(), &moved);
    assert_eq!(refused.json()["detail"], "Not possible: a completed booking cannot be moved.");
    let told: Vec<String> = clinic.words("SELECT body AS value FROM notes ORDER BY id");
    let by = [
        "booking_created by patient",
        "booking_confirmed by patient",
        "booking_patient_confirmed by staff",
        "booking_checked_in by staff",
        "booking_completed by staff",
    ];
    let mut sorted = told.clone();
    sorted.sort();
    let mut expected = by.map(str::to_owned);
    expected.sort();
    assert_eq!(sorted, expected, "{told:?}");
    let visited = clinic.words("SELECT CASE WHEN last_visit_at IS NULL THEN 'never' ELSE 'visited' END AS value FROM contacts");
    assert_eq!(visited, ["visited"]);
}

fn what_staff_has_said_outlives_what_the_provider_had_said_before(clinic: &Clinic) {
    only(clinic, LISTEN);
    let (mut visit, shown) = booked(clinic);
    let older = visit.updated();
    let id = shown["id"].as_str().unwrap();
    let body = json!({ "appointment_datetime": NEXT_TUESDAY, "referral_status": "received" });
    let moved = clinic.call("PATCH", &format!("/api/bookings/{id}"), shown["version"].as_i64(), &body).json();
    assert_eq!(moved["appointment_datetime"], NEXT_TUESDAY, "{moved}");
    assert_eq!(mark(clinic, "cancel").status, 200);
    // Newer by its sequence, and still the old time and state: Wix has not heard of it.
    clinic.wix(&older);
    clinic.wix(&visit.updated());
    let kept = booking(clinic);
    assert_eq!((&kept["status"], &kept["appointment_datetime"]), (&json!("cancelled"), &json!(NEXT_TUESDAY)));
    // A new time at the provider is news.
    let again = visit.rescheduled("2026-12-02T11:00:00+11:00");
    clinic.wix(&again);
    let now = booking(clinic);
    assert_eq!((&now["status"], &now["referral_status"]), (&json!("cancelled"), &json!("received")), "cancelled stays cancelled");
    assert_eq!(now["appointment_datetime"], "2026-12-02T11:00:00+11:00");
}

fn a_booking_made_by_hand_is_worked_by_the_rules_that_ship(clinic: &Clinic) {
    let person = json!({ "first_name": "Jane", "last_name": "Nguyen", "phone": "0491 570 006" });
    let contact = clinic.call("POST", "/api/contacts", None, &person).json();
    let wrong = json!({ "contact_id": contact["id"], "appointment_datetime": "Monday", "urgency_level": "very" });
    assert_eq!(clinic.call("POST", "/api/bookings", None, &wrong).json()["errors"].as_array().unwrap().len(), 2);
    let body = json!({ "contact_id": contact["id"], "appointment_datetime": NEXT_MONDAY, "service_name": "MRI" });
    let made = clinic.call("POST", "/api/bookings", None, &body);
    assert_eq!((made.status, &made.json()["status"], &made.json()["source"]), (201, &json!("scheduled"), &json!("staff")));
    clinic.settle();
    assert_eq!(clinic.texts()[0], "booking_confirmation accepted Mon 11-23 09:00");
    clinic.advance("2026-11-28T12:00:00+11:00");
    assert!(clinic.texts().iter().any(|text| text.starts_with("reminder_48hr accepted")), "{:?}", clinic.texts());
    assert_eq!(mark(clinic, "cancel").status, 200);
    clinic.advance("2026-11-30T12:00:00+11:00");
    assert!(!clinic.texts().iter().any(|text| text.starts_with("reminder_24hr accepted")), "{:?}", clinic.texts());
}

fn a_webhook_and_staff_race_and_nothing_is_lost(clinic: &Clinic) {
    only(clinic, LISTEN);
    let (mut visit, shown) = booked(clinic);
    let id = shown["id"].as_str().unwrap();
    // The webhook is on stable storage and not worked on; staff is faster.
    clinic.post_wix(&visit.cancelled());
    let confirmed = clinic.call("POST", &format!("/api/bookings/{id}/confirm"), None, &json!({}));
    assert_eq!(confirmed.json()["status"], "confirmed");
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| clinic.settle());
        for note in ["one", "two", "three"] {
            let contact = shown["contact_id"].as_str().unwrap();
            let written = clinic.call("POST", &format!("/api/contacts/{contact}/notes"), None, &json!({ "body": note }));
            assert_eq!(written.status, 200, "{written:?}");
        }
        worker.join().unwrap();
    });
    assert_eq!(booking(clinic)["status"], "cancelled", "the provider's newer word holds");
    let lost = clinic.call("POST", &format!("/api/bookings/{id}/check-in"), confirmed.json()["version"].as_i64(), &json!({}));
    assert_eq!((lost.status, &lost.json()["current"]["status"]), (412, &json!("cancelled")));
    let written = clinic.words("SELECT body AS value FROM notes WHERE author = 'key:stories' ORDER BY body");
    assert_eq!(written, ["one", "three", "two"]);
}

fn the_patients_word_by_phone_is_no_new_confirmation(clinic: &Clinic) {
    booked(clinic);
    let before = clinic.texts().len();
    assert_eq!(mark(clinic, "confirm").status, 200);
    assert_eq!(mark(clinic, "confirm").status, 409);
    clinic.settle();
    assert_eq!(clinic.texts().len(), before, "nobody is told twice: {:?}", clinic.texts());
    assert!(notes(clinic).is_empty());
}

fn what_is_marked_by_mistake_can_be_put_right(clinic: &Clinic) {
    only(clinic, LISTEN);
    booked(clinic);
    for what in ["no-show", "complete"] {
        let early = mark(clinic, what);
        assert_eq!((early.status, &early.json()["detail"]), (409, &json!("Not possible: the appointment is still to come.")));
    }
    let change = |body: Value| {
        let shown = booking(clinic);
        let path = format!("/api/bookings/{}", shown["id"].as_str().unwrap());
        clinic.call("PATCH", &path, shown["version"].as_i64(), &body)
    };
    let before_it_begins = change(json!({ "end_datetime": "2026-11-30T10:30:00+11:00" }));
    assert_eq!(before_it_begins.status, 409, "{before_it_begins:?}");
    assert_eq!(change(json!({ "appointment_datetime": "9999-12-31T23:59:59Z" })).status, 422);
    assert_eq!(mark(clinic, "cancel").status, 200);
    let again = change(json!({ "appointment_datetime": NEXT_MONDAY })).json();
    assert_eq!((&again["status"], &again["reschedule_count"]), (&json!("scheduled"), &json!(0)));
    let missed = || clinic.number("SELECT CAST(no_shows AS BIGINT) AS value FROM contacts");
    clinic.advance("2026-11-30T12:00:00+11:00");
    assert_eq!((mark(clinic, "no-show").status, missed()), (200, 1));
    assert_eq!(change(json!({ "appointment_datetime": NEXT_MONDAY })).json()["status"], "scheduled");
    assert_eq!(missed(), 0, "it was a slip");
    assert_eq!((mark(clinic, "no-show").status, missed()), (200, 1));
    assert_eq!((mark(clinic, "complete").status, missed()), (200, 0), "who came has missed nothing");
}

fn a_rule_that_takes_a_miss_back_takes_it_off_the_count(clinic: &Clinic) {
    only(
        clinic,
        "rules:\n  - id: forgive\n    when: { event: booking_no_show }\n    do: [ { set: { booking.status: scheduled } } ]\n",
    );
    booked(clinic);
    clinic.advance("2026-11-30T12:00:00+11:00");
    assert_eq!(mark(clinic, "no-show").status, 200);
    let left = "SELECT b.status || ' ' || COUNT(b.no_show_at) || ' ' || c.no_shows AS value FROM bookings b JOIN contacts c \
                ON c.id = b.contact_id GROUP BY b.status, c.no_shows";
    assert_eq!(clinic.words(left), ["scheduled 0 0"]);
}
