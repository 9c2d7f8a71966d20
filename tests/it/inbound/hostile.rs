//! Whatever arrives, it is answered: a refusal, an event or a quarantined one, never a crash.

use super::{HMAC_SECRET, MANYCHAT_SECRET, SMS_TOKEN, Sent, inbound, sample};
use avatar::domain::event::Delivery;
use avatar::inbound::Inbound;
use avatar::inbound::sign::{WixSigner, hmac_hex};
use proptest::prelude::*;
use std::sync::LazyLock;

static INBOUND: LazyLock<Inbound> = LazyLock::new(inbound);
static SIGNER: LazyLock<WixSigner> =
    LazyLock::new(|| WixSigner::from_pem(&sample("wix_test_private.pem")).expect("the test key"));

/// The body, verified, at every door.
fn at_every_door(body: &[u8]) -> Vec<Delivery> {
    let mut requests = vec![
        Sent::to("wix", body).header("X-Wix-Webhook-Signature", hmac_hex(HMAC_SECRET, body)),
        Sent::to("manychat", body).header("X-Webhook-Token", MANYCHAT_SECRET),
    ];
    for content_type in ["application/json", "application/x-www-form-urlencoded"] {
        requests.push(Sent::to(&format!("sms/inbound/{SMS_TOKEN}"), body).content_type(content_type));
    }
    requests.iter().flat_map(|sent| sent.arrive(&INBOUND).unwrap_or_else(|r| panic!("{}: {r}", sent.to))).collect()
}

/// What the database and the engine rely on, of every delivery.
fn check(event: &Delivery) {
    let json = serde_json::to_string(&event.payload).expect("JSON");
    assert!(!json.contains("\\u0000") && !event.raw_payload.contains('\0') && !event.dedupe_key.contains('\0'));
    assert!(!event.dedupe_key.is_empty() && event.dedupe_key.chars().count() <= 300);
    assert_eq!(event.quarantine_reason.is_some(), event.event_type == "quarantined");
    assert_eq!(serde_json::from_str::<avatar::domain::event::EventPayload>(&json).expect("a payload"), event.payload);
}

/// JSON of any shape, with the keys that the parsers look for.
fn any_json() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "id",
        "data",
        "event",
        "entityFqdn",
        "slug",
        "actionEvent",
        "createdEvent",
        "entity",
        "body",
        "booking",
        "contactDetails",
        "phone",
        "from",
        "message",
        "text",
        "message_id",
        "status_code",
        "content",
        "source_number",
        "delivery_report_id",
        "custom_fields",
        "utm",
        "subscriber",
        "customerInfo",
        "appointment_datetime",
        "startDate",
        "bookedEntity",
        "slot",
        "timezone",
        "status",
        "event_id",
        "x",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| format!("{f:e}")),
        any::<String>().prop_map(|s| serde_json::to_string(&s).expect("JSON")),
        prop::sample::select(vec![
            "\"created\"",
            "\"wix.bookings.v2.booking\"",
            "\"CONFIRMED\"",
            "\"0491570006\"",
            "\"booking_created\"",
            "\"\\u0000a\\u0000\"",
            "\"{}\""
        ])
        .prop_map(ToOwned::to_owned),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|fields| {
                let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 1..400)) {
        at_every_door(&body).iter().for_each(check);
    }

    #[test]
    fn any_document_is_answered(body in any_json()) {
        at_every_door(body.as_bytes()).iter().for_each(check);
        let claims = format!("{{\"data\":{body}}}");
        let signed = SIGNER.sign_claims(&claims).expect("a signature");
        check(&Sent::to("wix", signed).delivered(&INBOUND));
    }

    #[test]
    fn a_damaged_sample_is_answered(name in prop::sample::select(vec!["wix_created.inner.json", "manychat_full_contact.json", "clicksend_inbound.form", "messagemedia_dr_callback.json"]), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = sample(name).into_bytes();
        let index = at.index(body.len());
        body[index] = byte;
        if cut {
            body.truncate(index + 1);
        }
        at_every_door(&body).iter().for_each(check);
    }

    #[test]
    fn any_headers_are_answered(value in "\\PC{0,200}", body in "[a-zA-Z0-9._-]{1,300}") {
        for name in ["X-Wix-Webhook-Signature", "X-Webhook-Token", "Authorization"] {
            for (path, body) in [("wix", body.clone()), ("wix", format!("eyJ{body}.a.b")), ("manychat", body.clone()), ("sms/inbound", body.clone())] {
                let refused = Sent::to(path, body).header(name, value.as_str()).refused(&INBOUND);
                prop_assert!((400..=415).contains(&refused.status()));
            }
        }
    }
}

#[test]
fn bombs_are_cheap() {
    let deep = "[".repeat(200_000);
    let wide = format!("{{{}}}", (0..20_000).map(|n| format!("\"k{n}\":0")).collect::<Vec<_>>().join(","));
    let form = (0..50_000).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join("&");
    for body in [deep, wide, form[..250_000].to_owned()] {
        for event in at_every_door(body.as_bytes()) {
            assert_eq!(event.event_type, "quarantined");
        }
    }
}

#[test]
fn every_limit_holds_at_its_edge() {
    let sms = |body: String| Sent::to(&format!("sms/inbound/{SMS_TOKEN}"), body).arrive(&INBOUND).expect("events");
    let form = |fields: usize| (2..fields).fold("from=0491570006&body=x".to_owned(), |form, n| format!("{form}&k{n}="));
    assert_eq!(sms(form(200))[0].event_type, "sms_received");
    assert_eq!(sms(form(201))[0].event_type, "quarantined");
    let list = |items: usize| format!("[{}]", vec![r#"{"from":"0491570006","body":"x"}"#; items].join(","));
    assert_eq!(sms(list(100)).len(), 100);
    let too_many = sms(list(101));
    assert_eq!((too_many.len(), too_many[0].event_type.as_str()), (1, "quarantined"));
    let identity =
        Sent::to("manychat", r#"{"id":"7"}"#).header("X-Webhook-Token", MANYCHAT_SECRET).header("Content-Encoding", "identity");
    assert_eq!(identity.delivered(&INBOUND).event_type, "manychat_message");
}
