//! What the providers send, in their own words.

use super::people::{CLINIC_MOBILE, Person};
use super::random::Random;
use super::services::Slot;
use crate::domain::time::Timestamp;
use chrono_tz::Tz;
use serde_json::{Value, json};

/// A booking as Wix sees it at one moment.
#[derive(Clone)]
pub struct WixBooking<'a> {
    pub id: &'a str,
    pub person: &'a Person,
    pub slot: &'a Slot,
    /// `CREATED`, `CONFIRMED`, `CANCELED` or `DECLINED`.
    pub status: &'static str,
    pub paid: bool,
    pub revision: i64,
    pub created: Timestamp,
}

/// What happened to it.
pub enum WixAction<'a> {
    Created,
    Updated,
    Confirmed,
    Rescheduled { from: &'a Slot },
    Canceled,
    Declined,
}

impl WixAction<'_> {
    const fn slug(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Confirmed => "confirmed",
            Self::Rescheduled { .. } => "rescheduled",
            Self::Canceled => "canceled",
            Self::Declined => "declined",
        }
    }

    /// Such as `wix.bookings.v2.booking_created`.
    pub fn event_type(&self) -> String {
        format!("wix.bookings.v2.booking_{}", self.slug())
    }
}

/// The innermost document of a Wix webhook. `event_id` tells deliveries apart, `sequence` orders them.
pub fn wix_event(
    event_id: &str,
    sequence: i64,
    action: &WixAction<'_>,
    booking: &WixBooking<'_>,
    at: Timestamp,
    tz: Tz,
) -> String {
    let entity = wix_booking(booking, at, tz);
    let mut event = json!({
        "id": event_id,
        "entityFqdn": "wix.bookings.v2.booking",
        "slug": action.slug(),
        "entityId": booking.id,
        "eventTime": at.to_rfc3339(),
        "triggeredByAnonymizeRequest": false,
        "entityEventSequence": sequence.to_string(),
    });
    let (name, body) = match action {
        WixAction::Created => ("createdEvent", json!({ "entity": entity })),
        WixAction::Updated => ("updatedEvent", json!({ "currentEntity": entity, "modifiedFields": {} })),
        _ => ("actionEvent", json!({ "body": wix_action(action, entity, tz) })),
    };
    event[name] = body;
    event.to_string()
}

fn wix_action(action: &WixAction<'_>, entity: Value, tz: Tz) -> Value {
    let mut body = json!({ "booking": entity, "participantNotification": { "notifyParticipants": false } });
    match action {
        WixAction::Confirmed => {
            body["previousStatus"] = "CREATED".into();
            body["sendSmsReminder"] = false.into();
            body["doubleBooked"] = false.into();
        }
        WixAction::Rescheduled { from } => {
            body["previousStatus"] = "CONFIRMED".into();
            body["previousStartDate"] = from.start.to_rfc3339().into();
            body["previousEndDate"] = from.end.to_rfc3339().into();
            body["previousBookedEntity"] = wix_place(from, tz);
        }
        WixAction::Canceled => {
            body["previousStatus"] = "CONFIRMED".into();
            body["flowControlSettings"] = json!({ "ignoreCancellationPolicy": true, "withRefund": false });
        }
        _ => body["previousStatus"] = "CREATED".into(),
    }
    body
}

fn wix_booking(booking: &WixBooking<'_>, at: Timestamp, tz: Tz) -> Value {
    let person = booking.person;
    json!({
        "id": booking.id,
        "bookedEntity": wix_place(booking.slot, tz),
        "contactDetails": {
            "contactId": person.wix_contact,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "email": person.email,
            "phone": person.phone,
            "countryCode": "AU",
        },
        "additionalFields": [],
        "status": booking.status,
        "paymentStatus": if booking.paid { "PAID" } else { "NOT_PAID" },
        "selectedPaymentOption": "OFFLINE",
        "createdDate": booking.created.to_rfc3339(),
        "updatedDate": at.to_rfc3339(),
        "startDate": booking.slot.start.to_rfc3339(),
        "endDate": booking.slot.end.to_rfc3339(),
        "revision": booking.revision.to_string(),
        "totalParticipants": 1,
    })
}

fn wix_place(slot: &Slot, tz: Tz) -> Value {
    json!({
        "slot": {
            "serviceId": slot.service.id,
            "startDate": slot.start.to_rfc3339_in(tz),
            "endDate": slot.end.to_rfc3339_in(tz),
            "timezone": tz.name(),
            "resource": { "name": slot.room },
            "location": { "name": slot.site, "locationType": "OWNER_BUSINESS" },
        },
        "title": slot.service.name,
        "tags": ["INDIVIDUAL"],
    })
}

/// Where a lead comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Campaign {
    pub source: &'static str,
    pub medium: &'static str,
    pub name: &'static str,
}

/// ManyChat's External Request with a body of the clinic's own making.
pub fn manychat_custom(event: &str, event_id: &str, person: &Person, text: &str, campaign: Campaign) -> String {
    json!({
        "event": event,
        "event_id": event_id,
        "subscriber": {
            "id": person.manychat,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "phone": person.phone,
            "email": person.email,
        },
        "message": { "text": text },
        "utm": { "source": campaign.source, "medium": campaign.medium, "campaign": campaign.name },
    })
    .to_string()
}

/// ManyChat's "Add Full Contact Data": a snapshot with the last message.
pub fn manychat_full(person: &Person, text: &str, interest: &str, campaign: Campaign, at: Timestamp, tz: Tz) -> String {
    json!({
        "key": format!("user:{}", person.manychat),
        "id": person.manychat,
        "page_id": "987654321",
        "status": "active",
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": format!("{} {}", person.first_name, person.last_name),
        "language": "English",
        "last_input_text": text,
        "phone": person.phone,
        "email": person.email,
        "last_interaction": at.to_rfc3339_in(tz),
        "last_growth_tool": campaign.name,
        "custom_fields": { "service_interest": interest, "utm_source": campaign.source, "utm_medium": campaign.medium },
    })
    .to_string()
}

/// A text that we sent, as far as its answers speak of it.
pub struct Answered<'a> {
    pub sms_id: &'a str,
    pub provider_message_id: &'a str,
    /// E.164 of the patient.
    pub to: &'a str,
}

/// ClickSend's form for a text from a patient.
pub fn clicksend_inbound(random: &mut Random, answered: &Answered<'_>, text: &str, at: Timestamp) -> String {
    form(&[
        ("body", text),
        ("custom_string", answered.sms_id),
        ("customstring", answered.sms_id),
        ("from", answered.to),
        ("message", text),
        ("message_id", &random.uuid().to_uppercase()),
        ("original_message_id", answered.provider_message_id),
        ("originalmessageid", answered.provider_message_id),
        ("originalsenderid", CLINIC_MOBILE),
        ("sms", CLINIC_MOBILE),
        ("timestamp", &(at.0 / 1_000).to_string()),
        ("user_id", "100001"),
    ])
}

/// ClickSend's form for a delivery receipt.
pub fn clicksend_receipt(answered: &Answered<'_>, delivered: bool, at: Timestamp) -> String {
    let seconds = (at.0 / 1_000).to_string();
    let (code, status, status_text, error_code, error_text) = if delivered {
        ("201", "Delivered", "Success: Message received on handset.", "", "")
    } else {
        ("301", "Failed", "Failed: Unknown subscriber", "8", "Unknown subscriber. Number is inactive or invalid")
    };
    form(&[
        ("custom_string", answered.sms_id),
        ("customstring", answered.sms_id),
        ("error_code", error_code),
        ("error_text", error_text),
        ("message_id", answered.provider_message_id),
        ("message_type", "sms"),
        ("messageid", answered.provider_message_id),
        ("status", status),
        ("status_code", code),
        ("status_text", status_text),
        ("timestamp", &seconds),
        ("timestamp_send", &seconds),
        ("user_id", "100001"),
    ])
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
