//! Shared secrets in headers and paths, and everything that is refused before a secret is looked at.

use super::{HMAC_SECRET, MANYCHAT_SECRET, SMS_TOKEN, Sent, inbound, sample, with_sources};
use avatar::domain::event::SignatureState;
use avatar::inbound::sign::hmac_hex;
use avatar::inbound::{Refusal, Secrets};

const BODY: &str = r#"{"id":"7","text":"hello"}"#;

#[test]
fn a_header_token_has_two_places() {
    let inbound = inbound();
    for (name, value) in [
        ("X-Webhook-Token", MANYCHAT_SECRET.to_owned()),
        ("x-webhook-token", format!(" {MANYCHAT_SECRET} ")),
        ("Authorization", format!("Bearer {MANYCHAT_SECRET}")),
        ("authorization", format!("bearer {MANYCHAT_SECRET}")),
    ] {
        let event = Sent::to("manychat", BODY).header(name, value).delivered(&inbound);
        assert_eq!(event.signature_state, SignatureState::Token);
    }
    for (name, value, refusal) in [
        ("X-Webhook-Token", "manychat-secre".to_owned(), Refusal::BadSignature),
        ("X-Webhook-Token", format!("{MANYCHAT_SECRET}x"), Refusal::BadSignature),
        ("X-Webhook-Token", String::new(), Refusal::MissingSignature),
        ("Authorization", format!("Basic {MANYCHAT_SECRET}"), Refusal::MissingSignature),
        ("Authorization", "Bearer ".to_owned(), Refusal::MissingSignature),
        ("X-Other", MANYCHAT_SECRET.to_owned(), Refusal::MissingSignature),
        ("X-Webhook-Token", "x".repeat(9_000), Refusal::Unreadable),
    ] {
        assert_eq!(Sent::to("manychat", BODY).header(name, value).refused(&inbound), refusal);
    }
}

#[test]
fn the_sms_token_is_in_the_path_or_in_the_header() {
    let inbound = inbound();
    let body = sample("clicksend_inbound.json");
    for path in ["sms", "sms/inbound", "sms/receipts"] {
        let in_path = Sent::to(&format!("{path}/{SMS_TOKEN}"), body.as_str());
        assert_eq!(in_path.delivered(&inbound).event_type, "sms_received");
        let in_header = Sent::to(path, body.as_str()).header("X-Webhook-Token", SMS_TOKEN);
        assert_eq!(in_header.delivered(&inbound).event_type, "sms_received");
        assert_eq!(Sent::to(path, body.as_str()).refused(&inbound), Refusal::MissingSignature);
        assert_eq!(Sent::to(&format!("{path}/wrong"), body.as_str()).refused(&inbound), Refusal::BadSignature);
    }
    assert!(inbound.route("sms/other/x").is_none());
    assert!(inbound.route("nobody").is_none() && inbound.route("").is_none());
}

#[test]
fn a_source_without_a_secret_accepts_nothing() {
    let bare = with_sources("", &Secrets::new().with("MANYCHAT_WEBHOOK_SECRET", "  "));
    assert_eq!(bare.unconfigured().len(), 3);
    for path in ["wix", "manychat", "sms/inbound/", "sms/inbound/x"] {
        for token in ["", "  ", "x"] {
            let refusal = Sent::to(path, BODY).header("X-Webhook-Token", token).header("Authorization", "Bearer ").refused(&bare);
            assert!(matches!(refusal, Refusal::Unconfigured { .. }), "{path}: {refusal}");
            assert_eq!(refusal.status(), 401);
        }
    }
    let empty = hmac_hex("", BODY.as_bytes());
    let refusal = Sent::to("wix", BODY).header("X-Wix-Webhook-Signature", empty).refused(&bare);
    assert_eq!(
        refusal.to_string(),
        "no secret is configured, so nothing can be accepted: set WIX_WEBHOOK_PUBLIC_KEY or WIX_WEBHOOK_SECRET"
    );
}

#[test]
fn a_wix_source_with_one_of_its_two_secrets_takes_only_that_one() {
    let relay_only = with_sources("", &Secrets::new().with("WIX_WEBHOOK_SECRET", HMAC_SECRET));
    let body = sample("wix_plain_seed.json");
    let signed = Sent::to("wix", body.as_str()).header("X-Wix-Webhook-Signature", hmac_hex(HMAC_SECRET, body.as_bytes()));
    assert_eq!(signed.delivered(&relay_only).event_type, "booking_created");
    assert_eq!(Sent::to("wix", sample("wix_created.jwt")).refused(&relay_only), Refusal::MissingSignature);
}

#[test]
fn content_type_and_size_come_before_the_signature() {
    let yaml = "sources: { manychat: { body_bytes_max: 100 } }";
    let inbound = with_sources(yaml, &Secrets::new().with("MANYCHAT_WEBHOOK_SECRET", MANYCHAT_SECRET));
    let unsigned = Sent::to("manychat", BODY);
    for (sent, refusal, status) in [
        (unsigned.clone().content_type("text/xml"), Refusal::UnsupportedMediaType, 415),
        (unsigned.clone().content_type("application/x-www-form-urlencoded"), Refusal::UnsupportedMediaType, 415),
        (unsigned.clone().header("Content-Encoding", "gzip"), Refusal::UnsupportedMediaType, 415),
        (unsigned.clone().body("x".repeat(101)), Refusal::TooLarge { bytes_max: 100 }, 413),
        (unsigned.clone().body(""), Refusal::EmptyBody, 401),
        (unsigned.clone().body("x".repeat(100)), Refusal::MissingSignature, 401),
    ] {
        let refused = sent.refused(&inbound);
        assert_eq!((refused.status(), refused), (status, refusal));
    }
    let signed = unsigned.header("X-Webhook-Token", MANYCHAT_SECRET);
    for content_type in ["application/json", "Application/JSON; charset=UTF-8"] {
        assert_eq!(signed.clone().content_type(content_type).delivered(&inbound).event_type, "manychat_message");
    }
}
