//! Replies and receipts of both SMS providers.

use super::{SMS_TOKEN, Sent, at, inbound, sample, with_sources};
use avatar::domain::event::{Actor, Delivery, MessageInput, ReceiptInput, SignatureState};
use avatar::domain::sms::SmsStatus;
use avatar::inbound::{Refusal, Secrets};
use serde_json::json;

const OUR_SMS: &str = "0192f2c0-0000-7000-8000-000000000001";
const CLICKSEND_ID: &str = "1F12D717-947A-6FBC-BBFE-D14C2927CEEF";

fn reply(content_type: &'static str, body: impl Into<Vec<u8>>) -> Delivery {
    Sent::to(&format!("sms/inbound/{SMS_TOKEN}"), body).content_type(content_type).delivered(&inbound())
}

fn receipt(content_type: &'static str, body: impl Into<Vec<u8>>) -> (Delivery, ReceiptInput) {
    let event = Sent::to(&format!("sms/receipts/{SMS_TOKEN}"), body).content_type(content_type).delivered(&inbound());
    assert_eq!(event.event_type, "sms_receipt", "{:?}", event.quarantine_reason);
    let receipt = event.payload.receipt.clone().expect("a receipt");
    (event, receipt)
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[test]
fn a_clicksend_reply_is_one_event_as_form_and_as_json() {
    let form = reply(FORM, sample("clicksend_inbound.form").trim_end());
    let json = reply(JSON, sample("clicksend_inbound.json"));
    assert_eq!((form.source.as_str(), form.event_type.as_str(), form.actor), ("clicksend", "sms_received", Actor::Patient));
    let raw = |event: &Delivery| Delivery { raw_payload: String::new(), raw_sha256: String::new(), ..event.clone() };
    assert_eq!(raw(&form), raw(&json));
    assert_eq!(form.dedupe_key, "1F12D781-99C1-6D94-96FE-F5A311C8997D");
    assert_eq!(form.occurred_at, Some(at("2026-12-04T10:03:21+11:00")));
    assert_eq!(form.lane_key.as_deref(), Some("p:+61491570006"));
    let expected = MessageInput {
        from: "+61491570006".to_owned(),
        to: Some("+61491570156".to_owned()),
        body: "yes".to_owned(),
        provider: "clicksend".to_owned(),
        provider_message_id: Some(form.dedupe_key.clone()),
        in_reply_to: Some(CLICKSEND_ID.to_owned()),
        reply_to_sms_id: Some(OUR_SMS.to_owned()),
        channel: "sms".to_owned(),
    };
    assert_eq!(form.payload.message, Some(expected));
}

#[test]
fn clicksend_receipts_say_delivered_or_failed() {
    let (event, delivered) = receipt(FORM, sample("clicksend_receipt_201.form").trim_end());
    assert_eq!(event.dedupe_key, format!("{CLICKSEND_ID}:201"));
    assert_eq!((delivered.status, delivered.sms_id.as_deref()), (Some(SmsStatus::Delivered), Some(OUR_SMS)));
    assert_eq!(event.lane_key, Some(format!("t:clicksend:{CLICKSEND_ID}")), "receipts of one text keep their order");
    assert_eq!(delivered.at, Some(at("2026-12-04T10:00:20+11:00")));
    let (event, failed) = receipt(FORM, sample("clicksend_receipt_301.form").trim_end());
    assert_eq!(event.dedupe_key, format!("{CLICKSEND_ID}:301"));
    assert_eq!(failed.status, Some(SmsStatus::Failed));
    assert!(failed.detail.expect("a detail").starts_with("Unknown subscriber"));
    for code in ["200", "300", "777"] {
        assert_eq!(receipt(FORM, format!("message_id=m&status_code={code}")).1.status, None, "{code}");
    }
}

#[test]
fn messagemedia_replies_and_reports_are_told_apart() {
    let event = reply(JSON, sample("messagemedia_reply_callback.json"));
    assert_eq!((event.source.as_str(), event.event_type.as_str()), ("messagemedia", "sms_received"));
    assert_eq!(event.dedupe_key, "a175e797-2b54-468b-9850-41a3eab32f74");
    let message = event.payload.message.expect("a message");
    assert_eq!((message.body.as_str(), message.from.as_str()), ("YES", "+61491570006"));
    assert_eq!(message.in_reply_to.as_deref(), Some("877c19ef-fa2e-4cec-827a-e1df9b5509f7"));
    assert_eq!(message.reply_to_sms_id.as_deref(), Some(OUR_SMS));

    let (event, report) = receipt(JSON, sample("messagemedia_dr_callback.json"));
    assert_eq!(event.dedupe_key, "01e1fa0a-6e27-4945-9cdb-18644b4de043");
    assert_eq!((event.actor, report.status), (Actor::Provider, Some(SmsStatus::Delivered)));
    assert_eq!((report.sms_id.as_deref(), report.status_code.as_deref()), (Some(OUR_SMS), Some("221")));
}

/// Account webhooks of MessageMedia can be told to send forms; those have no objects in them.
#[test]
fn messagemedia_may_send_forms_with_the_same_names() {
    let body = format!("reply_id=r-1&message_id=m-1&source_number=%2B61491570006&content=YES&metadata.sms_id={OUR_SMS}");
    let message = reply(FORM, body).payload.message.expect("a message");
    assert_eq!((message.provider.as_str(), message.body.as_str()), ("messagemedia", "YES"));
    assert_eq!((message.in_reply_to.as_deref(), message.reply_to_sms_id.as_deref()), (Some("m-1"), Some(OUR_SMS)));
    let body = format!("delivery_report_id=d-1&message_id=m-1&status=delivered&error_code=220&metadata.sms_id={OUR_SMS}");
    let (event, report) = receipt(FORM, body);
    assert_eq!((event.source.as_str(), event.dedupe_key.as_str()), ("messagemedia", "d-1"));
    assert_eq!((report.status, report.sms_id.as_deref()), (Some(SmsStatus::Delivered), Some(OUR_SMS)));
}

#[test]
fn xml_is_refused_before_anything_is_read_of_it() {
    for path in ["sms/inbound", "sms/receipts"] {
        for content_type in ["application/xml", "text/xml; charset=utf-8"] {
            let sent = Sent::to(&format!("{path}/{SMS_TOKEN}"), "<reply><content>YES</content></reply>");
            assert_eq!(sent.content_type(content_type).refused(&inbound()), Refusal::UnsupportedMediaType);
        }
    }
}

#[test]
fn messagemedias_signature_takes_the_place_of_the_token() {
    let vectors: serde_json::Value = serde_json::from_str(&sample("messagemedia_signature_vectors.json")).expect("vectors");
    let text = |name: &str| vectors[name].as_str().expect("text").to_owned();
    let yaml =
        "sources: { sms: { verify: [{ scheme: messagemedia_rsa, secret_env: MM, public_path: /webhooks/sms/messagemedia }] } }";
    let inbound = with_sources(yaml, &Secrets::new().with("MM", &text("public_key_base64_der_spki")));
    let sent = Sent::to("sms/inbound", text("body")).at(at("2026-12-02T00:43:03Z")).header("Date", text("Date"));
    let signature = vectors["X-Messagemedia-Signature"]["SHA224"].as_str().expect("a signature");
    let event = sent.clone().header("X-Messagemedia-Signature", signature).delivered(&inbound);
    assert_eq!((event.source.as_str(), event.event_type.as_str()), ("messagemedia", "sms_received"));
    assert_eq!(event.dedupe_key, "a175e797-2b54-468b-9850-41a3eab32f74");
    assert_eq!(event.signature_state, SignatureState::Valid);
    assert_eq!(sent.refused(&inbound), Refusal::MissingSignature);
}

#[test]
fn messagemedia_codes_are_states() {
    let status = |code: &str, word: &str| {
        let body = json!({ "delivery_report_id": "d", "message_id": "m", "error_code": code, "status": word }).to_string();
        receipt(JSON, body).1.status
    };
    for code in ["220", "221"] {
        assert_eq!(status(code, "enroute"), Some(SmsStatus::Delivered), "{code}");
    }
    for code in ["301", "302", "305", "330", "333", "400", "403", "410", "412", "414"] {
        assert_eq!(status(code, ""), Some(SmsStatus::Failed), "{code}");
    }
    for code in ["320", "401"] {
        assert_eq!(status(code, ""), Some(SmsStatus::Expired), "{code}");
    }
    for code in ["101", "151", "200", "213"] {
        assert_eq!(status(code, "delivered"), None, "{code}: the code outranks the word");
    }
    assert_eq!(status("", "delivered"), Some(SmsStatus::Delivered));
    assert_eq!(status("", "undeliverable"), Some(SmsStatus::Failed));
    assert_eq!(status("", "queued"), None);
}

#[test]
fn a_sender_that_is_no_number_is_still_heard() {
    let event = reply(FORM, "from=TELSTRA&body=Your+bill&message_id=m-1");
    let message = event.payload.message.expect("a message");
    assert_eq!((message.from.as_str(), event.lane_key), ("TELSTRA", None));
    let contact = event.payload.contact.expect("a contact");
    assert_eq!((contact.phone, contact.phone_raw.as_deref()), (None, Some("TELSTRA")));
}

#[test]
fn a_list_is_as_many_events_and_one_bad_item_spoils_only_itself() {
    let body = json!([
        { "from": "0491570006", "body": "yes", "message_id": "m-1" },
        { "unknown": true },
        { "message_id": "m-2", "status_code": "201" },
    ]);
    let sent = Sent::to(&format!("sms/inbound/{SMS_TOKEN}"), body.to_string());
    let events = sent.arrive(&inbound()).expect("events");
    let types: Vec<&str> = events.iter().map(|e| e.event_type.as_str()).collect();
    assert_eq!(types, ["sms_received", "quarantined", "sms_receipt"]);
    let keys: std::collections::BTreeSet<&str> = events.iter().map(|e| e.dedupe_key.as_str()).collect();
    assert_eq!(keys.len(), 3);
}

#[test]
fn texts_without_an_id_in_one_list_are_told_apart() {
    let arrive = |body: serde_json::Value| {
        Sent::to(&format!("sms/inbound/{SMS_TOKEN}"), body.to_string()).arrive(&inbound()).expect("events")
    };
    let keys = |events: &[Delivery]| events.iter().map(|e| e.dedupe_key.clone()).collect::<Vec<_>>();
    let body = json!([
        { "from": "0491570006", "body": "yes" },
        { "from": "0491570156", "body": "no" },
        { "from": "0491570157", "body": "yes", "message_id": "m-1" },
    ]);
    let events = arrive(body.clone());
    let sha256 = &events[0].raw_sha256;
    assert_eq!(keys(&events), [sha256.clone(), format!("{sha256}:1"), "m-1".to_owned()]);
    assert_eq!(keys(&arrive(body)), keys(&events), "sent once more, they are duplicates");
}

#[test]
fn forms_that_make_no_sense_are_quarantined() {
    for body in ["hello=world", "from=a&from=b&body=x", "%", "[]", "{\"from\":1}"] {
        let event = reply(FORM, body);
        assert_eq!(event.event_type, "quarantined", "{body}");
        assert_eq!((event.source.as_str(), event.raw_payload.as_str()), ("sms", body));
    }
    let nul = reply(FORM, "from=0491570006&body=a%00b&message_id=m%001");
    assert_eq!(nul.payload.message.expect("a message").body, "ab", "a NUL must never reach the database");
    assert_eq!(nul.dedupe_key, "m1");
    let binary = reply(FORM, vec![0xff, 0x00, 0xfe]);
    assert_eq!(binary.raw_payload, "base64:/wD+");
}
