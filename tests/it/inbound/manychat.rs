//! ManyChat: contacts that ask something, and the ways flows are built.

use super::{MANYCHAT_SECRET, Sent, at, inbound, now, sample};
use avatar::domain::event::{Actor, Delivery, SignatureState};
use avatar::domain::time::Millis;
use serde_json::{Value, json};

fn sent(body: &str) -> Sent {
    Sent::to("manychat", body).header("X-Webhook-Token", MANYCHAT_SECRET).content_type("application/json; charset=utf-8")
}

fn delivered(body: &Value) -> Delivery {
    sent(&body.to_string()).delivered(&inbound())
}

#[test]
fn full_contact_data_is_a_message() {
    let event = sent(&sample("manychat_full_contact.json")).delivered(&inbound());
    assert_eq!((event.source.as_str(), event.event_type.as_str()), ("manychat", "manychat_message"));
    assert_eq!((event.actor, event.signature_state), (Actor::Patient, SignatureState::Token));
    assert_eq!(event.occurred_at, Some(at("2026-11-22T13:02:44+11:00")));
    assert_eq!(event.lane_key.as_deref(), Some("p:+61491570006"));
    insta::assert_json_snapshot!(event.payload, @r#"
    {
      "contact": {
        "manychat": "1234567890",
        "first_name": "Jane",
        "last_name": "Nguyen",
        "phone": "+61491570006",
        "phone_raw": "+61491570006",
        "email": "jane.nguyen@example.com",
        "interest": "MRI"
      },
      "message": {
        "from": "+61491570006",
        "to": null,
        "body": "How much is an MRI?",
        "provider": "manychat",
        "provider_message_id": null,
        "in_reply_to": null,
        "reply_to_sms_id": null,
        "channel": "manychat"
      },
      "campaign": {
        "source": null,
        "medium": null,
        "campaign": "FB Ad - MRI"
      },
      "data": {
        "service_interest": "MRI",
        "suburb": "Parramatta"
      }
    }
    "#);
}

#[test]
fn a_hand_written_body_says_what_happened() {
    let event = sent(&sample("manychat_custom_body.json")).delivered(&inbound());
    assert_eq!(event.event_type, "lead_created");
    let contact = event.payload.contact.expect("a contact");
    assert_eq!((contact.manychat.as_deref(), contact.phone.as_deref()), (Some("1234567890"), Some("+61491570006")));
    assert_eq!(event.payload.message.expect("a message").body, "How much is an MRI?");
    let campaign = event.payload.campaign.expect("a campaign");
    assert_eq!((campaign.source.as_deref(), campaign.campaign.as_deref()), (Some("facebook"), Some("mri-nov")));
}

#[test]
fn variables_that_were_not_filled_are_nothing() {
    let event = delivered(&json!({
        "event_id": "{{event_id}}", "subscriber": { "id": "7", "first_name": "{{first_name}}", "phone": "{{phone}}", "email": "" },
        "message": { "text": "{{last_input_text}}" }
    }));
    let contact = event.payload.contact.expect("a contact");
    assert_eq!((contact.first_name, contact.phone_raw, contact.email), (None, None, None));
    assert_eq!(event.payload.message.expect("a message").body, "");
    assert!(!event.dedupe_key.contains("{{"));
    assert_eq!(event.lane_key.as_deref(), Some("m:7"));
}

#[test]
fn the_same_delivery_has_the_same_key_and_another_message_has_not() {
    let body = |at: &str, text: &str| json!({ "id": "7", "last_interaction": at, "last_input_text": text });
    let key = |body: &Value| delivered(body).dedupe_key;
    let first = body("2026-11-22T13:02:44+11:00", "hello");
    assert_eq!(key(&first), key(&first));
    assert_ne!(key(&first), key(&body("2026-11-22T13:02:44+11:00", "hello?")));
    assert_ne!(key(&first), key(&body("2026-11-22T13:03:00+11:00", "hello")));
    let mut lead = first.clone();
    lead["event"] = json!("lead_created");
    assert_ne!(key(&first), key(&lead));
    assert_eq!(key(&json!({ "id": "7", "event_id": "e-1", "text": "a" })), "e-1");

    let without_time = sent(r#"{"id":"7","text":"ok"}"#);
    let other = sent(r#"{"id":"7","text":"and now"}"#);
    assert_ne!(without_time.delivered(&inbound()).dedupe_key, other.delivered(&inbound()).dedupe_key);
    let tomorrow = without_time.clone().at(now() + Millis::DAY);
    assert_eq!(without_time.delivered(&inbound()).dedupe_key, without_time.delivered(&inbound()).dedupe_key);
    assert_ne!(
        without_time.delivered(&inbound()).dedupe_key,
        tomorrow.delivered(&inbound()).dedupe_key,
        "ok on another day is another ok"
    );
}

#[test]
fn the_contact_may_be_in_any_of_four_places_and_its_id_a_number() {
    let person = json!({ "id": 7, "name": "Zoë van der Berg", "phone": "0491 570 006" });
    for body in
        [person.clone(), json!({ "subscriber": person }), json!({ "contact": person }), json!({ "subscriber_data": person })]
    {
        let contact = delivered(&body).payload.contact.expect("a contact");
        assert_eq!(contact.manychat.as_deref(), Some("7"));
        assert_eq!((contact.first_name.as_deref(), contact.last_name.as_deref()), (Some("Zoë"), Some("van der Berg")));
    }
}

#[test]
fn a_name_we_do_not_know_is_kept_for_the_rules() {
    let event =
        delivered(&json!({ "event_type": "quiz_done", "id": "7", "custom_fields": [{ "name": "Body Part", "value": "knee" }] }));
    assert_eq!(event.event_type, "manychat_message");
    assert_eq!(event.payload.data["manychat_event"], "quiz_done");
    assert_eq!(event.payload.data["body_part"], "knee");
}

#[test]
fn a_line_break_pasted_into_the_json_is_kept_for_staff() {
    let broken = "{\"id\":\"7\",\"last_input_text\":\"two\nlines\"}";
    let event = sent(broken).delivered(&inbound());
    assert_eq!((event.event_type.as_str(), event.raw_payload.as_str()), ("quarantined", broken));
    let reason = event.quarantine_reason.expect("a reason");
    assert!(reason.contains("not JSON") && !reason.contains("two"), "{reason}");
    assert_eq!(
        delivered(&json!({ "event": "lead_created" })).quarantine_reason.as_deref(),
        Some("there is no contact id, phone or email")
    );
}

#[test]
fn long_texts_are_cut_between_characters() {
    let event = delivered(&json!({ "id": "7", "first_name": "ẽ".repeat(5_000), "text": "👍".repeat(5_000) }));
    assert_eq!(event.payload.contact.expect("a contact").first_name.expect("a name").chars().count(), 200);
    assert_eq!(event.payload.message.expect("a message").body.chars().count(), 2_000);
}
