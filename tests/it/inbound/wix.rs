//! Wix Bookings: one booking's life, as Wix tells it.

use super::{HMAC_SECRET, Sent, at, inbound, now, sample};
use avatar::domain::booking::BookingStatus;
use avatar::domain::event::{Actor, Delivery, SignatureState};
use avatar::inbound::sign::{Identity, WixSigner, hmac_hex};
use serde_json::{Value, json};

const BOOKING: &str = "4d5088e6-7cd4-40cf-8009-92ad4532965e";

fn of_jwt(name: &str) -> Delivery {
    Sent::to("wix/bookings", sample(name)).delivered(&inbound())
}

fn signer() -> WixSigner {
    WixSigner::from_pem(&sample("wix_test_private.pem")).expect("the test key")
}

/// The sample event after a change, signed anew.
fn signed(name: &str, event_type: &str, identity: Identity, change: impl FnOnce(&mut Value)) -> Delivery {
    let mut inner: Value = serde_json::from_str(&sample(name)).expect("a sample");
    change(&mut inner);
    let body = signer().sign_event(event_type, &inner.to_string(), identity, now()).expect("a signature");
    Sent::to("wix/bookings", body).delivered(&inbound())
}

fn plain(body: &Value) -> Delivery {
    let body = body.to_string();
    let signature = hmac_hex(HMAC_SECRET, body.as_bytes());
    Sent::to("wix", body).header("X-Wix-Webhook-Signature", signature).delivered(&inbound())
}

#[test]
fn a_created_booking_says_who_when_and_where() {
    let event = of_jwt("wix_created.jwt");
    assert_eq!((event.source.as_str(), event.event_type.as_str()), ("wix", "booking_created"));
    assert_eq!(event.dedupe_key, "11111111-0000-4000-8000-000000000001");
    assert_eq!((event.actor, event.signature_state), (Actor::Patient, SignatureState::Valid));
    assert_eq!(event.occurred_at, Some(at("2026-11-22T02:14:09.185Z")));
    assert_eq!(event.lane_key.as_deref(), Some("p:+61491570006"));
    assert_eq!(event.quarantine_reason, None);
    insta::assert_json_snapshot!(event.payload, @r#"
    {
      "contact": {
        "wix_contact": "df01ceda-d98b-4b0c-9d29-d9f6e9eaf601",
        "first_name": "Jane",
        "last_name": "Nguyen",
        "phone": "+61491570006",
        "phone_raw": "0491 570 006",
        "email": "jane.nguyen@example.com"
      },
      "booking": {
        "wix_booking_id": "4d5088e6-7cd4-40cf-8009-92ad4532965e",
        "status": "pending",
        "appointment_datetime": 1796340600000,
        "end_datetime": 1796342400000,
        "timezone": "Australia/Sydney",
        "service_id": "9bf5cd2d-32fa-4ee7-952c-5e4b6de14714",
        "service_name": "MRI consultation",
        "location": "Parramatta",
        "resource_name": "Room 1",
        "payment_status": "not_paid",
        "sequence": 1,
        "revision": 1
      }
    }
    "#);
}

#[test]
fn the_providers_words_are_kept_as_they_were_inside_the_token() {
    let event = of_jwt("wix_created.jwt");
    let kept: Value = serde_json::from_str(&event.raw_payload).expect("the inner event");
    let sample: Value = serde_json::from_str(&sample("wix_created.inner.json")).expect("a sample");
    assert_eq!(kept, sample);
    assert_eq!(event.raw_sha256.len(), 64);
}

#[test]
fn a_confirmed_booking_is_scheduled_because_only_the_patient_confirms() {
    let event = of_jwt("wix_confirmed.jwt");
    let booking = event.payload.booking.expect("a booking");
    assert_eq!(event.event_type, "booking_confirmed");
    assert_eq!(booking.status, Some(BookingStatus::Scheduled));
    assert_eq!((booking.sequence, booking.revision), (Some(2), Some(2)));
    assert_eq!(booking.provider_sends_reminder, Some(false));
}

#[test]
fn a_rescheduled_booking_carries_both_times() {
    let event = of_jwt("wix_rescheduled.jwt");
    let booking = event.payload.booking.expect("a booking");
    assert_eq!(event.event_type, "booking_rescheduled");
    assert_eq!(booking.appointment_datetime, Some(at("2026-12-07T14:00:00+11:00")));
    assert_eq!(booking.previous_appointment_datetime, Some(at("2026-12-04T10:30:00+11:00")));
}

#[test]
fn a_canceled_booking_is_cancelled() {
    let event = of_jwt("wix_canceled.jwt");
    assert_eq!(event.event_type, "booking_cancelled");
    assert_eq!(event.payload.booking.expect("a booking").status, Some(BookingStatus::Cancelled));
}

#[test]
fn every_slug_and_status_has_its_event() {
    let action = |slug: &'static str, status: &'static str| {
        signed("wix_confirmed.inner.json", &format!("wix.bookings.v2.booking_{slug}"), Identity::App, move |event| {
            event["slug"] = json!(slug);
            event["actionEvent"]["body"]["booking"]["status"] = json!(status);
        })
    };
    for (slug, status, event_type, ours) in [
        ("confirmed", "CONFIRMED", "booking_confirmed", BookingStatus::Scheduled),
        ("confirmed", "PENDING", "booking_confirmed", BookingStatus::Scheduled),
        ("declined", "DECLINED", "booking_declined", BookingStatus::Declined),
        ("canceled", "CONFIRMED", "booking_cancelled", BookingStatus::Cancelled),
        ("markedAsPending", "PENDING", "booking_updated", BookingStatus::Pending),
        ("number_of_participants_updated", "CONFIRMED", "booking_updated", BookingStatus::Scheduled),
    ] {
        let event = action(slug, status);
        assert_eq!(event.event_type, event_type, "{slug} {status}");
        assert_eq!(event.payload.booking.expect("a booking").status, Some(ours), "{slug} {status}");
        assert_eq!(event.actor, Actor::Provider);
    }
    for (status, event_type, ours) in [
        ("PENDING", "booking_created", BookingStatus::Pending),
        ("CONFIRMED", "booking_created", BookingStatus::Scheduled),
        ("WAITING_LIST", "waitlist_joined", BookingStatus::Waitlisted),
    ] {
        let event = signed("wix_created.inner.json", "wix.bookings.v2.booking_created", Identity::Member, |event| {
            event["createdEvent"]["entity"]["status"] = json!(status);
        });
        assert_eq!(event.event_type, event_type, "{status}");
        assert_eq!(event.payload.booking.expect("a booking").status, Some(ours), "{status}");
    }
    let updated = signed("wix_created.inner.json", "wix.bookings.v2.booking_updated", Identity::WixUser, |event| {
        event["slug"] = json!("updated");
        event["updatedEvent"] = json!({ "currentEntity": event["createdEvent"]["entity"].take(), "modifiedFields": {} });
        event.as_object_mut().expect("an object").remove("createdEvent");
    });
    assert_eq!((updated.event_type.as_str(), updated.actor), ("booking_updated", Actor::Staff));
}

#[test]
fn a_slot_without_an_offset_is_on_the_wall_clock_of_its_own_zone() {
    let event = signed("wix_created.inner.json", "wix.bookings.v2.booking_created", Identity::Visitor, |event| {
        let entity = &mut event["createdEvent"]["entity"];
        entity.as_object_mut().expect("an object").remove("startDate");
        entity["bookedEntity"]["slot"]["startDate"] = json!("2026-12-04T10:30:00:000");
        entity["bookedEntity"]["slot"]["timezone"] = json!("Australia/Adelaide");
    });
    let booking = event.payload.booking.expect("a booking");
    assert_eq!(booking.appointment_datetime, Some(at("2026-12-04T10:30:00+10:30")));
    assert_eq!(booking.timezone.as_deref(), Some("Australia/Adelaide"));
}

#[test]
fn objects_are_read_like_the_texts_that_hold_them() {
    let inner: Value = serde_json::from_str(&sample("wix_created.inner.json")).expect("a sample");
    let claims = json!({ "data": { "data": inner, "eventType": "wix.bookings.v2.booking_created", "identity": { "identityType": "MEMBER" } } });
    let body = signer().sign_claims(&claims.to_string()).expect("a signature");
    let event = Sent::to("wix", body).delivered(&inbound());
    let as_text = of_jwt("wix_created.jwt");
    assert_eq!(event.payload, as_text.payload);
    let kept: Value = serde_json::from_str(&event.raw_payload).expect("the inner event");
    assert_eq!(kept, inner);

    let texts = signed("wix_confirmed.inner.json", "wix.bookings.v2.booking_confirmed", Identity::Visitor, |event| {
        let body = event["actionEvent"]["body"].to_string();
        event["actionEvent"]["body"] = json!(body);
    });
    assert_eq!(texts.payload, of_jwt("wix_confirmed.jwt").payload);
}

#[test]
fn an_event_about_something_else_is_recorded_by_its_name() {
    let event = signed("wix_created.inner.json", "wix.contacts.v4.contact_created", Identity::App, |event| {
        event["entityFqdn"] = json!("wix.contacts.v4.contact");
    });
    assert_eq!(event.event_type, "wix_other");
    assert_eq!(event.payload.data["wix_event_type"], "wix.contacts.v4.contact_created");
    assert_eq!((event.lane_key, event.payload.contact), (None, None));
}

#[test]
fn without_a_phone_the_lane_is_the_contact_and_then_the_booking() {
    let change = |phone: Value, contact: Value| {
        signed("wix_created.inner.json", "wix.bookings.v2.booking_created", Identity::Visitor, |event| {
            event["createdEvent"]["entity"]["contactDetails"]["phone"] = phone;
            event["createdEvent"]["entity"]["contactDetails"]["contactId"] = contact;
        })
    };
    let unreadable = change(json!("call my mum"), json!("c-1"));
    assert_eq!(unreadable.lane_key.as_deref(), Some("w:c-1"));
    let contact = unreadable.payload.contact.expect("a contact");
    assert_eq!((contact.phone, contact.phone_raw.as_deref()), (None, Some("call my mum")));
    let nobody = change(json!(""), Value::Null);
    assert_eq!(nobody.lane_key, Some(format!("b:{BOOKING}")));
    assert_eq!(nobody.payload.contact.expect("a contact").phone_raw, None);
}

#[test]
fn an_event_without_an_id_is_known_by_its_place_in_the_bookings_life() {
    let nameless = |sequence: &str| {
        signed("wix_canceled.inner.json", "wix.bookings.v2.booking_canceled", Identity::Visitor, |event| {
            event.as_object_mut().expect("an object").remove("id");
            event["entityEventSequence"] = json!(sequence);
        })
    };
    assert_eq!(nameless("4").dedupe_key, nameless("4").dedupe_key);
    assert_ne!(nameless("4").dedupe_key, nameless("5").dedupe_key);
    assert_ne!(nameless("4").dedupe_key, nameless("4").raw_sha256, "a resent token may be signed anew");
}

#[test]
fn without_an_identity_the_initiator_is_who_did_it() {
    for (initiator, actor) in [
        (json!({ "memberId": "m" }), Actor::Patient),
        (json!({ "anonymousVisitorId": "v" }), Actor::Patient),
        (json!({ "wixUserId": "u" }), Actor::Staff),
        (json!({ "appId": "a", "memberId": null }), Actor::Provider),
        (json!({}), Actor::Provider),
    ] {
        let mut event: Value = serde_json::from_str(&sample("wix_confirmed.inner.json")).expect("a sample");
        event["actionEvent"]["body"]["initiatedBy"] = initiator.clone();
        assert_eq!(plain(&event).actor, actor, "{initiator}");
    }
}

#[test]
fn the_time_before_a_move_may_be_in_the_slot_alone() {
    let event = signed("wix_rescheduled.inner.json", "wix.bookings.v2.booking_rescheduled", Identity::Visitor, |event| {
        event["actionEvent"]["body"].as_object_mut().expect("an object").remove("previousStartDate");
    });
    let booking = event.payload.booking.expect("a booking");
    assert_eq!(booking.previous_appointment_datetime, Some(at("2026-12-04T10:30:00+11:00")));
}

#[test]
fn a_resent_event_keeps_its_identity_though_it_is_signed_anew() {
    let first = signed("wix_created.inner.json", "wix.bookings.v2.booking_created", Identity::Visitor, |_| {});
    let inner = sample("wix_created.inner.json");
    let later = now() + avatar::domain::time::Millis::hours(8);
    let body = signer().sign_event("wix.bookings.v2.booking_created", &inner, Identity::Visitor, later).expect("a signature");
    let second = Sent::to("wix/bookings", body).at(later).delivered(&inbound());
    assert_ne!(first.raw_sha256, second.raw_sha256);
    assert_eq!(first.dedupe_key, second.dedupe_key);
}

#[test]
fn a_relays_plain_booking_has_its_time_in_seconds() {
    let body = sample("wix_plain_seed.json");
    let signature = sample("wix_plain_seed.sig.txt");
    let signature = signature.lines().find_map(|line| line.strip_prefix("X-Wix-Webhook-Signature: ")).expect("a signature");
    let event = Sent::to("wix/bookings", body).header("x-wix-webhook-signature", signature).delivered(&inbound());
    assert_eq!(event.event_type, "booking_created");
    assert_eq!(event.dedupe_key, event.raw_sha256);
    assert_eq!(event.lane_key.as_deref(), Some("p:+61491570006"));
    let booking = event.payload.booking.expect("a booking");
    assert_eq!(booking.appointment_datetime, Some(at("2026-12-04T10:30:00+11:00")));
    assert_eq!((booking.wix_booking_id.as_deref(), booking.status), (Some(BOOKING), Some(BookingStatus::Scheduled)));
    let contact = event.payload.contact.expect("a contact");
    assert_eq!((contact.first_name.as_deref(), contact.last_name.as_deref()), (Some("Jane"), Some("Nguyen")));
}

#[test]
fn a_relays_document_may_be_wrapped_or_be_wixs_own() {
    let inner = json!({ "booking_id": "b-1", "appointment_datetime": "2026-12-04T10:30:00", "phone": "0491570006" });
    for body in
        [json!({ "event": "booking_created", "data": inner }), json!({ "event": "booking_created", "data": inner.to_string() })]
    {
        let event = plain(&body);
        let booking = event.payload.booking.expect("a booking");
        assert_eq!(booking.wix_booking_id.as_deref(), Some("b-1"));
        assert_eq!(booking.appointment_datetime, Some(at("2026-12-04T10:30:00+11:00")));
    }
    let own: Value = serde_json::from_str(&sample("wix_canceled.inner.json")).expect("a sample");
    assert_eq!(plain(&own).payload, of_jwt("wix_canceled.jwt").payload);
    let wrapped = json!({ "eventType": "wix.bookings.v2.booking_canceled", "data": own.to_string() });
    assert_eq!(plain(&wrapped).dedupe_key, "11111111-0000-4000-8000-000000000004");
}

#[test]
fn relays_name_events_in_many_ways() {
    for (name, event_type) in [
        ("booking_canceled", "booking_cancelled"),
        ("booking_cancelled", "booking_cancelled"),
        ("wix.bookings.v2.booking_rescheduled", "booking_rescheduled"),
        ("order_paid", "wix_other"),
    ] {
        assert_eq!(plain(&json!({ "event": name, "booking_id": "b-1" })).event_type, event_type, "{name}");
    }
}

#[test]
fn what_wix_signed_and_nobody_understands_is_kept() {
    let quarantined = |claims: Value| {
        let body = signer().sign_claims(&claims.to_string()).expect("a signature");
        let event = Sent::to("wix", body.clone()).delivered(&inbound());
        assert_eq!(event.event_type, "quarantined");
        assert_eq!(event.raw_payload, body);
        assert_eq!(event.signature_state, SignatureState::Valid);
        event.quarantine_reason.expect("a reason")
    };
    assert!(quarantined(json!({ "iat": 1 })).contains("`data`"));
    assert!(quarantined(json!({ "data": "{" })).contains("too early"));
    assert!(quarantined(json!({ "data": "{\"a\":1,\"a\":2}" })).contains("twice"));
    let event = json!({ "id": "e", "entityFqdn": "wix.bookings.v2.booking", "slug": "created", "entityId": "b", "createdEvent": { "entity": {} } });
    assert!(quarantined(json!({ "data": { "data": event } })).contains("start time"));
    let event = json!({ "id": "e", "entityFqdn": "wix.bookings.v2.booking", "slug": "canceled" });
    assert!(quarantined(json!({ "data": { "data": event } })).contains("no booking"));
}
