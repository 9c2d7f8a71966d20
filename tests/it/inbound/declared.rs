//! Sources that ops declare in `config/webhooks.yaml`.

use super::{Sent, at, now, secrets, with_sources};
use avatar::domain::booking::BookingStatus;
use avatar::domain::event::{Actor, Delivery};
use avatar::inbound::sign::{hmac_hex, standard_signature};
use avatar::inbound::{Inbound, Secrets, Sources};
use serde_json::{Value, json};

const SHIPPED: &str = include_str!("../../../config/webhooks.yaml");
const FORM_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn shipped() -> Inbound {
    with_sources(SHIPPED, &secrets().with("WEBSITE_FORM_SECRET", FORM_SECRET).with("REFERRALS_SECRET", "r"))
}

#[test]
fn the_shipped_file_is_right_and_its_web_form_makes_leads() {
    let body = json!({
        "submission_id": "s-1", "name": " Zoë Nguyễn ", "phone": "(02) 5550 1234", "email": "Zoe@Example.com", "service": "MRI",
        "message": "When are you open?", "utm_source": "google", "page": "/mri", "submitted_at": "2026-11-22T13:59:00+11:00"
    })
    .to_string();
    let seconds = now().0 / 1_000;
    let signature = standard_signature(FORM_SECRET, "msg_1", seconds, body.as_bytes()).expect("a secret");
    let sent = Sent::to("website_form", body)
        .content_type("application/json")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature);
    let event = sent.delivered(&shipped());
    assert_eq!(
        (event.source.as_str(), event.event_type.as_str(), event.dedupe_key.as_str()),
        ("website_form", "lead_created", "s-1")
    );
    assert_eq!(event.occurred_at, Some(at("2026-11-22T13:59:00+11:00")));
    assert_eq!(event.lane_key.as_deref(), Some("p:+61255501234"));
    insta::assert_json_snapshot!(event.payload, @r#"
    {
      "contact": {
        "first_name": "Zoë",
        "last_name": "Nguyễn",
        "phone": "+61255501234",
        "phone_raw": "(02) 5550 1234",
        "email": "zoe@example.com",
        "interest": "MRI"
      },
      "campaign": {
        "source": "google",
        "medium": null,
        "campaign": null
      },
      "data": {
        "message": "When are you open?",
        "page": "/mri"
      }
    }
    "#);
}

fn referral(body: &Value) -> Delivery {
    let (body, seconds) = (body.to_string(), now().0 / 1_000);
    let signature = format!("sha256={}", hmac_hex("r", format!("{seconds}.{body}").as_bytes()));
    let sent = Sent::to("referrals", body).header("X-Referral-Signature", signature);
    sent.header("X-Referral-Timestamp", seconds.to_string()).delivered(&shipped())
}

#[test]
fn the_senders_names_become_events_that_rules_can_listen_to() {
    let added = Sources::parse(SHIPPED).expect("the shipped file").added_events();
    assert_eq!(added.iter().map(String::as_str).collect::<Vec<_>>(), ["referral_received", "referral_withdrawn", "wix_other"]);
    let event = referral(
        &json!({ "type": "referral.received", "patient": { "given_name": "Jane", "mobile": null, "phone": 491_570_006 } }),
    );
    assert_eq!((event.event_type.as_str(), event.actor), ("referral_received", Actor::Provider));
    assert_eq!(event.lane_key.as_deref(), Some("p:+61491570006"));
    assert_eq!(event.dedupe_key, event.raw_sha256, "without an id the body's hash stands for it");
    for (body, reason) in [
        (json!({ "type": "referral.lost" }), "neither known nor listed"),
        (json!({ "patient": {} }), "no name of an event"),
        (json!([1]), "no JSON object"),
    ] {
        let event = referral(&body);
        assert_eq!(event.event_type, "quarantined");
        assert!(event.quarantine_reason.as_ref().is_some_and(|r| r.contains(reason)), "{:?}", event.quarantine_reason);
    }
}

#[test]
fn a_declared_source_can_book_in_its_own_zone() {
    let yaml = r"
sources:
  partner:
    paths: [partner/v2]
    verify: [{ scheme: url_token, secret_env: PARTNER_TOKEN }]
    event_path: [/0, /kind]
    fields:
      contact.name: [/who]
      contact.phone: [/tel]
      booking.wix_booking_id: [/ref]
      booking.appointment_datetime: [/slots/0/begin]
      booking.timezone: [/zone]
      booking.status: [/state]
";
    let inbound = with_sources(yaml, &Secrets::new().with("PARTNER_TOKEN", "secret"));
    let sent = |body: &Value| Sent::to("partner/v2/secret", body.to_string()).delivered(&inbound);
    let body = json!({ "kind": "booking_created", "who": "Ann", "ref": 12, "zone": "Australia/Perth", "state": "Scheduled",
        "slots": [{ "begin": "2026-12-04 10:30" }] });
    let booking = sent(&body).payload.booking.expect("a booking");
    assert_eq!(booking.appointment_datetime, Some(at("2026-12-04T10:30:00+08:00")));
    assert_eq!((booking.wix_booking_id.as_deref(), booking.status), (Some("12"), Some(BookingStatus::Scheduled)));
    let nobody = sent(&json!({ "kind": "booking_created", "who": "Ann" }));
    assert_eq!(nobody.quarantine_reason.as_deref(), Some("none of the booking's fields was found"));
}

#[test]
fn a_declared_source_can_bring_messages() {
    let yaml = r"
sources:
  chat:
    verify: [{ scheme: header_token, secret_env: CHAT_TOKEN, header: X-Chat }]
    event: sms_received
    id: [/n]
    fields: { message.body: [/text], message.from: [/who], message.id: [/n] }
";
    let inbound = with_sources(yaml, &Secrets::new().with("CHAT_TOKEN", "secret"));
    let sent = |body: &Value| Sent::to("chat", body.to_string()).header("X-Chat", "secret").delivered(&inbound);
    let event = sent(&json!({ "n": 5, "text": " yes ", "who": "0491 570 006" }));
    assert_eq!((event.dedupe_key.as_str(), event.lane_key.as_deref()), ("5", Some("p:+61491570006")));
    let message = event.payload.message.expect("a message");
    assert_eq!((message.body.as_str(), message.from.as_str(), message.provider.as_str()), ("yes", "+61491570006", "chat"));
    let empty = sent(&json!({ "n": 6, "who": "0491 570 006" }));
    assert_eq!(empty.quarantine_reason.as_deref(), Some("the message's text was not found"));
}

#[test]
fn a_built_in_source_changes_only_in_what_the_file_says() {
    let yaml = "sources:\n  wix:\n    fields: { contact.phone: [/handy] }\n    body_bytes_max: 5000\n";
    let inbound = with_sources(yaml, &secrets());
    assert_eq!(inbound.source_for("wix/bookings").map(avatar::inbound::Source::body_bytes_max), Some(5_000));
    let body = json!({ "event": "booking_created", "booking_id": "b", "handy": "0491570006", "name": "Jane" }).to_string();
    let signature = hmac_hex(super::HMAC_SECRET, body.as_bytes());
    let event = Sent::to("wix", body).header("X-Wix-Webhook-Signature", signature).delivered(&inbound);
    let contact = event.payload.contact.expect("a contact");
    assert_eq!((contact.phone.as_deref(), contact.first_name.as_deref()), (Some("+61491570006"), Some("Jane")));
}

#[test]
fn every_mistake_in_the_file_is_reported_at_once() {
    let yaml = r"sources:
  Partner:
    verify: []
    event: made_up
  timer:
    paths: [/x/, sms/inbound]
    verify:
      - { scheme: hmac, secret_env: my-secret, header: 'X Sig', signed_content: '{timestamp}' }
      - { scheme: hmac, secret_env: S, header: X, signed_content: '{timestamp}.{body}' }
    content_types: [json]
    body_bytes_max: 0
    tolerance_s: 9999
    id: [id]
    events: [timer_due]
    actor: robot
    fields: { contact.fone: [/a] }
";
    let problems = Sources::parse(yaml).expect_err("problems");
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_file_that_cannot_be_read_says_where() {
    let broken = "sources:\n  a:\n    verify: [{ scheme: rot13, secret_env: S }]\n  b:\n    colour: red\n";
    let text: Vec<String> = Sources::parse(broken).expect_err("problems").iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 2, "{text:#?}");
    assert!(text[0].starts_with("config/webhooks.yaml:2: sources.a: ") && text[0].contains("rot13"), "{text:#?}");
    assert!(text[1].starts_with("config/webhooks.yaml:4: sources.b: ") && text[1].contains("colour"), "{text:#?}");
    let syntax = Sources::parse("sources: [").expect_err("a problem");
    assert_eq!(syntax[0].line, Some(1));
    assert!(Sources::parse(&"#".repeat(300_000)).is_err());
    assert_eq!(Sources::parse("# nothing\n").expect("no sources"), Sources::builtin());
    let names = Sources::builtin().secret_names();
    assert_eq!(
        names.iter().map(String::as_str).collect::<Vec<_>>(),
        ["MANYCHAT_WEBHOOK_SECRET", "SMS_WEBHOOK_TOKEN", "WIX_WEBHOOK_PUBLIC_KEY", "WIX_WEBHOOK_SECRET"]
    );
}
