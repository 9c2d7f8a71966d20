//! Sources declared in `config/webhooks.yaml` alone.

use super::Moment;
use super::json::Json;
use super::mapping::Mapping;
use super::parsed::Parsed;
use crate::domain::event::{Actor, EventPayload};

pub fn parse(doc: &Json<'_>, mapping: &Mapping, source: &str, moment: Moment) -> Result<Parsed, String> {
    let docs = [doc];
    let event_type = mapping.event_name(&docs).ok_or("no name of an event was found where `event_path` says")?;
    if !mapping.declares(&event_type) {
        return Err("the event's name is neither known nor listed under `events`".to_owned());
    }
    let payload = mapping.payload(&docs, source, moment);
    check_complete(&event_type, &payload)?;
    Ok(Parsed {
        source: None,
        id: mapping.id(&docs),
        event_type,
        occurred_at: mapping.occurred_at(&docs, moment),
        actor: mapping.actor.unwrap_or(Actor::Patient),
        payload,
        raw: None,
    })
}

/// Events about a person, a booking or a message need one.
fn check_complete(event_type: &str, payload: &EventPayload) -> Result<(), String> {
    let is_booking = event_type.starts_with("booking_") || event_type == "waitlist_joined";
    let is_message = matches!(event_type, "sms_received" | "manychat_message");
    if (is_booking || is_message || event_type == "lead_created") && payload.contact.is_none() && payload.booking.is_none() {
        return Err("none of the fields that say who this is about was found".to_owned());
    }
    if is_booking && payload.booking.is_none() {
        return Err("none of the booking's fields was found".to_owned());
    }
    if is_message && payload.message.is_none() {
        return Err("the message's text was not found".to_owned());
    }
    Ok(())
}
