//! The sources that are there without a file: Wix Bookings, ManyChat and the SMS providers.

use super::{Encoding, Provider, SchemeSpec, SourceSpec};
use std::collections::BTreeMap;

/// Where plain JSON from Wix (Automations, a relay) has its fields. A document inside `data` is looked through too.
const WIX_PLAIN_FIELDS: &[(&str, &[&str])] = &[
    ("contact.name", &["/customerInfo/name", "/contact/name", "/customer/name", "/name"]),
    (
        "contact.first_name",
        &["/customerInfo/firstName", "/contactDetails/firstName", "/contact/first_name", "/first_name", "/firstName"],
    ),
    (
        "contact.last_name",
        &["/customerInfo/lastName", "/contactDetails/lastName", "/contact/last_name", "/last_name", "/lastName"],
    ),
    ("contact.phone", &["/customerInfo/phone", "/contactDetails/phone", "/contact/phone", "/customer/phone", "/phone"]),
    ("contact.email", &["/customerInfo/email", "/contactDetails/email", "/contact/email", "/customer/email", "/email"]),
    ("contact.wix_contact", &["/customerInfo/contactId", "/contactDetails/contactId", "/contact_id", "/contactId"]),
    ("booking.wix_booking_id", &["/booking_id", "/bookingId", "/booking/id"]),
    ("booking.status", &["/status", "/booking_status", "/booking/status"]),
    (
        "booking.appointment_datetime",
        &["/appointment_datetime", "/booking/appointment_datetime", "/start_date", "/startDate", "/booking/startDate"],
    ),
    ("booking.end_datetime", &["/end_datetime", "/end_date", "/endDate", "/booking/endDate"]),
    ("booking.previous_appointment_datetime", &["/previous_appointment_datetime", "/previousStartDate"]),
    ("booking.timezone", &["/timezone", "/booking/timezone"]),
    ("booking.service_id", &["/service_id", "/serviceId"]),
    ("booking.service_name", &["/service_name", "/serviceName", "/booking/title", "/service/name"]),
    ("booking.location", &["/location/name", "/location", "/location_name"]),
    ("booking.resource_name", &["/resource_name", "/staff_name", "/resource/name"]),
    ("booking.payment_status", &["/payment_status", "/paymentStatus"]),
    ("booking.urgency_level", &["/urgency_level"]),
    ("booking.sequence", &["/entityEventSequence", "/sequence"]),
    ("booking.revision", &["/revision", "/booking/revision"]),
];

pub(super) fn specs() -> BTreeMap<String, SourceSpec> {
    BTreeMap::from([("wix".to_owned(), wix()), ("manychat".to_owned(), manychat()), ("sms".to_owned(), sms())])
}

fn wix() -> SourceSpec {
    let fields = WIX_PLAIN_FIELDS.iter().map(|(field, paths)| ((*field).to_owned(), texts(paths))).collect();
    SourceSpec {
        paths: Some(texts(&["wix/bookings"])),
        provider: Some(Provider::Wix),
        verify: Some(vec![
            SchemeSpec::WixJwt { secret_env: "WIX_WEBHOOK_PUBLIC_KEY".to_owned() },
            SchemeSpec::Hmac {
                secret_env: "WIX_WEBHOOK_SECRET".to_owned(),
                header: "X-Wix-Webhook-Signature".to_owned(),
                encoding: Encoding::Hex,
                prefix: String::new(),
                signed_content: super::body_only(),
                timestamp_header: None,
            },
        ]),
        // Wix documents no content type for its JWT, so any is taken and the body decides.
        content_types: Some(Vec::new()),
        id: Some(texts(&["/event_id", "/eventId"])),
        event_path: Some(texts(&["/event", "/event_type", "/eventType"])),
        occurred_at: Some(texts(&["/event_time", "/eventTime", "/occurred_at"])),
        fields: Some(fields),
        events: Some(texts(&[crate::inbound::wix::WIX_OTHER])),
        ..SourceSpec::default()
    }
}

fn manychat() -> SourceSpec {
    SourceSpec {
        provider: Some(Provider::Manychat),
        verify: Some(vec![header_token("MANYCHAT_WEBHOOK_SECRET")]),
        content_types: Some(texts(&["application/json"])),
        ..SourceSpec::default()
    }
}

fn sms() -> SourceSpec {
    SourceSpec {
        paths: Some(texts(&["sms/inbound", "sms/receipts"])),
        provider: Some(Provider::Sms),
        verify: Some(vec![
            SchemeSpec::UrlToken { secret_env: "SMS_WEBHOOK_TOKEN".to_owned() },
            header_token("SMS_WEBHOOK_TOKEN"),
        ]),
        content_types: Some(texts(&["application/json", "application/x-www-form-urlencoded"])),
        ..SourceSpec::default()
    }
}

fn header_token(secret_env: &str) -> SchemeSpec {
    SchemeSpec::HeaderToken { secret_env: secret_env.to_owned(), header: super::webhook_token_header() }
}

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}
