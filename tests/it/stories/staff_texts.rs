//! Texts that staff writes.

use super::waits::only;
use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};
use serde_json::{Value, json};

on_both_engines!(
    a_text_is_held_for_a_moment_and_can_be_taken_back,
    a_preview_is_what_would_leave,
    a_text_at_night_waits_and_an_answer_does_not,
    a_text_that_was_refused_is_tried_once_more_and_no_other,
);

fn jane(clinic: &Clinic) -> Value {
    only(clinic, "rules: []\n");
    clinic.wix(&Visit::new(&Patient::jane(), "mri", "2026-11-30T10:30:00+11:00").created());
    clinic.get("/api/bookings").json()["items"][0].clone()
}

fn send(clinic: &Clinic, body: &Value) -> crate::support::client::Answer {
    clinic.call("POST", "/api/sms/send", None, body)
}

fn cancel(clinic: &Clinic, text: &Value) -> crate::support::client::Answer {
    clinic.call("POST", &format!("/api/sms/{}/cancel", text["id"].as_str().unwrap()), None, &json!({}))
}

fn a_text_is_held_for_a_moment_and_can_be_taken_back(clinic: &Clinic) {
    let booking = jane(clinic);
    let body = json!({ "contact_id": booking["contact_id"], "booking_id": booking["id"], "template": "reminder_24hr" });
    let held = send(clinic, &body);
    assert_eq!((held.status, &held.json()["status_reason"]), (201, &json!("undo")), "{held:?}");
    clinic.settle();
    assert_eq!(clinic.sent_to("+61491570006"), 0, "not before the moment is over");
    let back = cancel(clinic, &held.json());
    assert_eq!((back.status, &back.json()["status"]), (200, &json!("cancelled")), "{back:?}");
    assert_eq!(cancel(clinic, &held.json()).status, 409);
    clinic.advance("2026-11-23T09:05:00+11:00");
    assert_eq!(clinic.sent_to("+61491570006"), 0);
    let again = send(clinic, &body).json();
    clinic.advance("2026-11-23T09:06:00+11:00");
    assert_eq!(clinic.sent_to("+61491570006"), 1);
    let late = cancel(clinic, &again);
    assert_eq!(late.json()["detail"], "Not possible: the text has left already, or will never leave.");
    for wrong in [json!({}), json!({ "contact_id": booking["contact_id"], "body": "a", "template": "b" })] {
        assert_eq!(send(clinic, &wrong).status, 422, "{wrong}");
    }
    // Texts about an appointment that is over by then are not sent.
    clinic.call("POST", &format!("/api/bookings/{}/cancel", booking["id"].as_str().unwrap()), None, &json!({}));
    let events = clinic.words("SELECT event_type AS value FROM event_log WHERE source = 'staff' ORDER BY event_type");
    assert_eq!(events, ["booking_cancelled", "sms_cancelled", "sms_requested", "sms_requested"]);
}

fn a_preview_is_what_would_leave(clinic: &Clinic) {
    let booking = jane(clinic);
    let preview = |body: Value| {
        let mut body = body;
        body["contact_id"] = booking["contact_id"].clone();
        clinic.call("POST", "/api/sms/preview", None, &body).json()
    };
    let plain = preview(json!({ "body": "Hi Jane, we\u{2019}ll call you." }));
    assert_eq!((&plain["body"], &plain["encoding"]), (&json!("Hi Jane, we'll call you."), &json!("gsm7")));
    assert_eq!((&plain["parts"], &plain["characters"], &plain["characters_left"]), (&json!(1), &json!(24), &json!(136)));
    assert_eq!((&plain["held"], &plain["obstacle"], &plain["to"]), (&json!("undo"), &Value::Null, &json!("+61491570006")));
    let costly = preview(json!({ "body": "Hi 王, see you \u{1f642}" }));
    assert_eq!((&costly["encoding"], &costly["costly"][0]["character"]), (&json!("ucs2"), &json!("王")));
    let about = preview(json!({ "template": "reminder_24hr", "booking_id": booking["id"] }));
    assert!(about["body"].as_str().unwrap().contains("10:30"), "{about}");
    let lacking = preview(json!({ "template": "reminder_24hr" }));
    assert!(lacking["body"].is_null() && lacking["missing"].is_string(), "{lacking}");
    let unwanted = preview(json!({ "body": "Sale!", "category": "marketing" }));
    assert_eq!(unwanted["obstacle"], "no_consent");
    assert_eq!(clinic.count("event_log WHERE source = 'staff'"), 0, "nothing was done");
    // What leaves is what was shown.
    send(clinic, &json!({ "contact_id": booking["contact_id"], "body": "Hi Jane, we\u{2019}ll call you." }));
    assert_eq!(clinic.words("SELECT body AS value FROM sms_messages"), ["Hi Jane, we'll call you."]);
}

fn a_text_at_night_waits_and_an_answer_does_not(clinic: &Clinic) {
    let booking = jane(clinic);
    clinic.advance("2026-11-23T22:00:00+11:00");
    let body = json!({ "contact_id": booking["contact_id"], "body": "Good night" });
    let held = send(clinic, &body).json();
    assert_eq!((&held["scheduled_at"], &held["status_reason"]), (&json!("2026-11-24T08:00:00+11:00"), &json!("quiet_hours")));
    clinic.reply(&Patient::jane(), "Are you there?");
    let answer = send(clinic, &json!({ "contact_id": booking["contact_id"], "body": "We are" })).json();
    assert_eq!(answer["status_reason"], "undo");
    clinic.advance("2026-11-23T22:01:00+11:00");
    assert_eq!(clinic.words("SELECT body AS value FROM sms_messages WHERE status = 'accepted'"), ["We are"]);
    let later = json!({ "contact_id": booking["contact_id"], "body": "Later", "send_at": "2026-11-25T12:00:00+11:00" });
    assert_eq!(send(clinic, &later).json()["scheduled_at"], "2026-11-25T12:00:00+11:00");
    clinic.advance("2026-11-25T12:00:01+11:00");
    assert_eq!(clinic.sent_to("+61491570006"), 3);
}

fn a_text_that_was_refused_is_tried_once_more_and_no_other(clinic: &Clinic) {
    let booking = jane(clinic);
    let text = send(clinic, &json!({ "contact_id": booking["contact_id"], "body": "Hello" })).json();
    let id = text["id"].as_str().unwrap();
    let retry = || clinic.call("POST", &format!("/api/sms/{id}/retry"), None, &json!({}));
    assert_eq!(retry().status, 409, "it has not failed");
    // As the gateway's refusal leaves it.
    clinic.execute(&format!("UPDATE sms_messages SET status = 'failed', status_reason = 'INVALID_SENDER' WHERE id = '{id}'"));
    let again = retry();
    assert_eq!((again.status, &again.json()["body"]), (201, &json!("Hello")), "{again:?}");
    assert_eq!(retry().status, 409, "once is enough");
    clinic.advance("2026-11-23T09:01:00+11:00");
    assert_eq!(clinic.sent_to("+61491570006"), 1);
    let other = again.json()["id"].as_str().unwrap().to_owned();
    clinic.execute(&format!("UPDATE sms_messages SET status = 'failed' WHERE id = '{other}'"));
    let left = clinic.call("POST", &format!("/api/sms/{other}/retry"), None, &json!({}));
    assert_eq!(left.json()["detail"], "Not possible: the text is failed: it may have left.");
}
