//! Plain JSON about Wix bookings: Wix Automations, Velo code or a relay that signs with our secret.

use super::{BOOKING_TYPE_PREFIX, Kind, document, other, parse_event};
use crate::domain::booking::BookingStatus;
use crate::domain::event::Actor;
use crate::inbound::Moment;
use crate::inbound::json::Json;
use crate::inbound::mapping::Mapping;
use crate::inbound::parsed::Parsed;

/// Fields are where the source's paths say, in the document or in the one under `data`. A relay may also pass on Wix's own
/// event, which is then read as such.
pub fn parse_plain(doc: &Json<'_>, mapping: &Mapping, moment: Moment) -> Result<Parsed, String> {
    let data = doc.get("data").and_then(|data| document(data).ok());
    if doc.get("entityFqdn").is_some() {
        return parse_event(doc, doc, doc, moment);
    }
    if let Some(inner) = data.as_deref().filter(|d| d.get("entityFqdn").is_some()) {
        return parse_event(inner, doc, doc.get("data").unwrap_or(inner), moment);
    }
    let docs: Vec<&Json<'_>> = std::iter::once(doc).chain(data.as_deref()).collect();
    let name = mapping.event_name(&docs).ok_or("the document does not say which event it is")?;
    let occurred_at = mapping.occurred_at(&docs, moment);
    let id = mapping.id(&docs);
    let Some(kind) = kind_of(&name) else {
        return Ok(other(&name, id, occurred_at, None));
    };
    let mut payload = mapping.payload(&docs, "wix", moment);
    let Some(booking) = payload.booking.as_mut() else { return Err("none of the booking's fields was found".to_owned()) };
    booking.status = booking.status.or_else(|| default_status(kind));
    let status = booking.status;
    if booking.wix_booking_id.is_none() && payload.contact.is_none() {
        return Err("neither the booking's id nor its contact was found".to_owned());
    }
    Ok(Parsed {
        source: None,
        id,
        event_type: kind.event(status).to_owned(),
        occurred_at,
        actor: mapping.actor.unwrap_or(Actor::Patient),
        payload,
        raw: None,
    })
}

/// `booking_created`, `wix.bookings.v2.booking_created`, `created`, `booking_canceled` …
fn kind_of(name: &str) -> Option<Kind> {
    let slug = name.strip_prefix(BOOKING_TYPE_PREFIX).or_else(|| name.strip_prefix("booking_")).unwrap_or(name);
    Kind::of_slug(slug)
}

/// Such senders speak of a booking once it is made, and no confirmation follows.
fn default_status(kind: Kind) -> Option<BookingStatus> {
    if kind == Kind::Created { Some(BookingStatus::Scheduled) } else { kind.status() }
}
