//! Wix's booking, as the event holds it.

use super::{Kind, document};
use crate::domain::booking::BookingStatus;
use crate::domain::event::{Actor, BookingInput, ContactInput, EventPayload};
use crate::inbound::Moment;
use crate::inbound::fields;
use crate::inbound::json::Json;
use chrono_tz::Tz;
use std::borrow::Cow;

/// The booking, its contact, and what the event says beside them.
pub fn payload(kind: Kind, event: &Json<'_>, moment: Moment) -> Result<EventPayload, String> {
    let action = event.at(&["actionEvent", "body"]).map(document).transpose()?;
    let entity = entity(event, action.as_deref())?;
    let mut booking = booking(&entity, moment);
    booking.wix_booking_id = booking.wix_booking_id.or_else(|| fields::id(event.get("entityId")));
    booking.sequence = event.get("entityEventSequence").and_then(Json::int);
    // Wix's word for the event outranks the status it snapshot, which may lag behind.
    booking.status = match kind {
        Kind::Canceled | Kind::Declined => kind.status(),
        Kind::Confirmed if booking.status == Some(BookingStatus::Pending) => kind.status(),
        _ => booking.status.or(kind.status()),
    };
    if let Some(action) = action.as_deref() {
        let zone = zone(&entity, moment);
        booking.previous_appointment_datetime = fields::time(action.get("previousStartDate"), zone)
            .or_else(|| fields::time(action.at(&["previousBookedEntity", "slot", "startDate"]), zone));
        booking.provider_sends_reminder = action.get("sendSmsReminder").and_then(Json::truth);
    }
    check(kind, &booking)?;
    let contact = entity.get("contactDetails").map(contact).filter(|c| *c != ContactInput::default());
    Ok(EventPayload { contact, booking: Some(booking), ..EventPayload::default() })
}

fn check(kind: Kind, booking: &BookingInput) -> Result<(), String> {
    if booking.wix_booking_id.is_none() {
        return Err("the booking has no id".to_owned());
    }
    let needs_time = matches!(kind, Kind::Created | Kind::Rescheduled);
    if needs_time && booking.appointment_datetime.is_none() {
        return Err("the booking has no start time".to_owned());
    }
    Ok(())
}

fn entity<'d>(event: &'d Json<'d>, action: Option<&'d Json<'d>>) -> Result<Cow<'d, Json<'d>>, String> {
    let places = [&["createdEvent", "entity"][..], &["updatedEvent", "currentEntity"]];
    let found = places.iter().find_map(|path| event.at(path)).or_else(|| action.and_then(|body| body.get("booking")));
    document(found.ok_or("the event holds no booking")?)
}

fn booking(entity: &Json<'_>, moment: Moment) -> BookingInput {
    let zone = zone(entity, moment);
    let slot = |name: &str| entity.at(&["bookedEntity", "slot", name]);
    let time = |name: &str| fields::time(entity.get(name), zone).or_else(|| fields::time(slot(name), zone));
    BookingInput {
        wix_booking_id: fields::id(entity.get("id")),
        status: entity.get("status").and_then(Json::text).and_then(booking_status),
        appointment_datetime: time("startDate"),
        end_datetime: time("endDate"),
        timezone: fields::short(slot("timezone")).filter(|name| name.parse::<Tz>().is_ok()),
        service_id: fields::id(slot("serviceId")),
        service_name: fields::short(entity.at(&["bookedEntity", "title"])),
        location: fields::short(entity.at(&["bookedEntity", "slot", "location", "name"])),
        resource_name: fields::short(entity.at(&["bookedEntity", "slot", "resource", "name"])),
        payment_status: fields::short(entity.get("paymentStatus")).map(|text| text.to_ascii_lowercase()),
        revision: entity.get("revision").and_then(Json::int),
        ..BookingInput::default()
    }
}

/// The zone of the slot; a local time without an offset is on that wall clock.
fn zone(entity: &Json<'_>, moment: Moment) -> Tz {
    let name = entity.at(&["bookedEntity", "slot", "timezone"]).and_then(Json::text);
    name.and_then(|name| name.parse().ok()).unwrap_or(moment.zone)
}

fn contact(details: &Json<'_>) -> ContactInput {
    let mut contact = ContactInput {
        wix_contact: fields::id(details.get("contactId")),
        first_name: fields::short(details.get("firstName")),
        last_name: fields::short(details.get("lastName")),
        email: fields::email(details.get("email")),
        ..ContactInput::default()
    };
    fields::set_phone(&mut contact, details.get("phone"));
    contact
}

/// Wix's `CONFIRMED` is the clinic's acceptance, not the patient's word.
#[must_use]
pub fn booking_status(text: &str) -> Option<BookingStatus> {
    Some(match text {
        "CREATED" | "PENDING" => BookingStatus::Pending,
        "CONFIRMED" => BookingStatus::Scheduled,
        "DECLINED" => BookingStatus::Declined,
        "CANCELED" | "CANCELLED" => BookingStatus::Cancelled,
        "WAITING_LIST" => BookingStatus::Waitlisted,
        _ => return None,
    })
}

/// Who did it: the envelope's identity, else the event's `initiatedBy`.
pub fn actor(event: &Json<'_>, envelope: &Json<'_>) -> Actor {
    let identity = envelope.get("identity").and_then(|value| document(value).ok());
    let by_type = identity.as_deref().and_then(|i| i.get("identityType")).and_then(Json::text).and_then(actor_of_type);
    let initiator = || event.at(&["actionEvent", "body", "initiatedBy"]).and_then(actor_of_ids);
    by_type.or_else(initiator).unwrap_or(Actor::Provider)
}

fn actor_of_type(identity_type: &str) -> Option<Actor> {
    Some(match identity_type {
        "ANONYMOUS_VISITOR" | "MEMBER" => Actor::Patient,
        "WIX_USER" => Actor::Staff,
        "APP" => Actor::Provider,
        _ => return None,
    })
}

fn actor_of_ids(initiator: &Json<'_>) -> Option<Actor> {
    let has = |name: &str| initiator.get(name).is_some_and(|id| *id != Json::Null);
    if has("anonymousVisitorId") || has("memberId") {
        Some(Actor::Patient)
    } else if has("wixUserId") {
        Some(Actor::Staff)
    } else {
        has("appId").then_some(Actor::Provider)
    }
}
