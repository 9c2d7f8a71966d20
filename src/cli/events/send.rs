//! `avatar events send`: an event made by hand, worked on like any other.

use super::{SCHEMA, fixture, set};
use crate::cli::failure::Failure;
use crate::cli::parts::Parts;
use crate::cli::{Context, Exit};
use crate::config::nearest;
use crate::domain::event::{Actor, Delivery, EventPayload, KNOWN_EVENTS, SignatureState, lane_key};
use crate::domain::ids::new_id;
use crate::domain::time::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

const SOURCE: &str = "cli";

pub(super) fn run(context: &Context, event_type: &str, assignments: &[String]) -> Exit {
    context.on_database(async |parts| {
        refuse_unknown(parts, event_type)?;
        let now = parts.clock.now();
        let id = new_id(now);
        let payload = fixture::payload(event_type, &id, parts.settings.clinic.calendar.tz.name(), now);
        let payload = with_sender(set::apply(&payload, assignments)?);
        let appended = parts.store.append(delivery(event_type, &id, payload, now), now).await?;
        if context.output.json {
            context.output.object(&json!({ "schema": SCHEMA, "id": appended.event_id }));
        } else {
            context.output.line(&appended.event_id);
        }
        context.output.hint(&format!("accepted; avatar why {}", appended.event_id));
        Ok(Exit::Done)
    })
}

fn refuse_unknown(parts: &Parts, event_type: &str) -> Result<(), Failure> {
    let declared = parts.inbound.added_events();
    if fixture::SENDABLE.contains(&event_type) || declared.contains(event_type) {
        return Ok(());
    }
    if KNOWN_EVENTS.contains(&event_type) {
        let help = "send the event that leads to it, such as booking_created or sms_received";
        return Err(Failure::new(format!("`{event_type}` follows from other events and cannot be sent")).with_help(help));
    }
    let names = fixture::SENDABLE.iter().copied().chain(declared.iter().map(String::as_str));
    let help = match nearest(event_type, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it can be: {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(Failure::new(format!("there is no event `{event_type}`")).with_help(help))
}

/// A message comes from the contact's number unless another was set.
fn with_sender(mut payload: EventPayload) -> EventPayload {
    let phone = payload.contact.as_ref().and_then(|contact| contact.phone.clone());
    if let (Some(message), Some(phone)) = (&mut payload.message, phone)
        && message.from.is_empty()
    {
        message.from = phone;
    }
    payload
}

fn delivery(event_type: &str, id: &str, payload: EventPayload, now: Timestamp) -> Delivery {
    let raw_payload = serde_json::to_string(&payload).unwrap_or_default();
    let wix_booking_id = payload.booking.as_ref().and_then(|booking| booking.wix_booking_id.as_deref());
    Delivery {
        source: SOURCE.to_owned(),
        dedupe_key: id.to_owned(),
        event_type: event_type.to_owned(),
        occurred_at: Some(now),
        actor: Actor::Staff,
        signature_state: SignatureState::Internal,
        lane_key: lane_key(payload.contact.as_ref(), wix_booking_id),
        raw_sha256: hex::encode(Sha256::digest(raw_payload.as_bytes())),
        raw_payload,
        payload,
        quarantine_reason: None,
    }
}
