//! Wix Bookings: events out of a signed JWT, and plain JSON from Automations or a relay.

mod booking;
mod plain;

pub use booking::booking_status;
pub use plain::parse_plain;

use super::Moment;
use super::fields;
use super::json::Json;
use super::parsed::{Parsed, sha256_of};
use crate::domain::booking::BookingStatus;
use crate::domain::event::{Actor, EventPayload};
use crate::domain::time::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An event of Wix about something other than bookings: recorded, and no shipped rule listens.
pub const WIX_OTHER: &str = "wix_other";

const BOOKING_FQDN: &str = "wix.bookings.v2.booking";
const BOOKING_TYPE_PREFIX: &str = "wix.bookings.v2.booking_";

/// claims.data → {data, eventType, identity, instanceId} → the event; each may be an object or JSON in a text.
pub fn parse_claims(claims: &Json<'_>, moment: Moment) -> Result<Parsed, String> {
    let data = claims.get("data").ok_or("the claims have no `data`")?;
    let outer = document(data)?;
    let Some(inner) = outer.get("data") else {
        return parse_event(&outer, &outer, data, moment);
    };
    let event = document(inner)?;
    parse_event(&event, &outer, inner, moment)
}

/// One event. `written` is where it stood, to be kept as it was.
fn parse_event(event: &Json<'_>, envelope: &Json<'_>, written: &Json<'_>, moment: Moment) -> Result<Parsed, String> {
    let raw = raw_text(written);
    let event_type = envelope.get("eventType").and_then(Json::text).unwrap_or_default();
    let id = fields::id(event.get("id"));
    let occurred_at = fields::time(event.get("eventTime"), moment.zone);
    let is_booking = match event.get("entityFqdn").and_then(Json::text) {
        Some(fqdn) => fqdn == BOOKING_FQDN,
        None => event_type.starts_with(BOOKING_TYPE_PREFIX),
    };
    let slug =
        event.get("slug").and_then(Json::text).or_else(|| event_type.strip_prefix(BOOKING_TYPE_PREFIX)).unwrap_or_default();
    let kind = if is_booking { Kind::of_slug(slug) } else { None };
    let Some(kind) = kind else {
        let name =
            if event_type.is_empty() { event.get("entityFqdn").and_then(Json::text).unwrap_or("unknown") } else { event_type };
        return Ok(other(name, id, occurred_at, Some(raw)));
    };
    let payload = booking::payload(kind, event, moment)?;
    let status = payload.booking.as_ref().and_then(|b| b.status);
    Ok(Parsed {
        source: None,
        id: id.or_else(|| fallback_id(event, slug)),
        event_type: kind.event(status).to_owned(),
        occurred_at,
        actor: booking::actor(event, envelope),
        payload,
        raw: Some(raw),
    })
}

fn other(name: &str, id: Option<String>, occurred_at: Option<Timestamp>, raw: Option<String>) -> Parsed {
    let name = fields::tidy(name, fields::DATA_CHARS_MAX).unwrap_or_default();
    let payload = EventPayload { data: BTreeMap::from([("wix_event_type".to_owned(), name)]), ..EventPayload::default() };
    Parsed { source: None, id, event_type: WIX_OTHER.to_owned(), occurred_at, actor: Actor::Provider, payload, raw }
}

/// A resent event may be signed anew, so the hash of the body would not do.
fn fallback_id(event: &Json<'_>, slug: &str) -> Option<String> {
    let entity = event.get("entityId").and_then(Json::text)?;
    let sequence = event.get("entityEventSequence").and_then(Json::scalar)?;
    Some(sha256_of(&[entity, slug, &sequence]))
}

/// What happened to a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Created,
    Confirmed,
    Rescheduled,
    Updated,
    Canceled,
    Declined,
}

impl Kind {
    /// By Wix's name, in any of its spellings: `markedAsPending`, `marked_as_pending`, `canceled`, `cancelled`.
    pub fn of_slug(slug: &str) -> Option<Self> {
        let plain: String = slug.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        Some(match plain.as_str() {
            "created" => Self::Created,
            "confirmed" => Self::Confirmed,
            "rescheduled" => Self::Rescheduled,
            "updated" | "numberofparticipantsupdated" | "numberofparticipants" | "markedaspending" => Self::Updated,
            "canceled" | "cancelled" => Self::Canceled,
            "declined" => Self::Declined,
            _ => return None,
        })
    }

    /// Our name for it.
    pub fn event(self, status: Option<BookingStatus>) -> &'static str {
        match self {
            Self::Created | Self::Updated if status == Some(BookingStatus::Waitlisted) => "waitlist_joined",
            Self::Created => "booking_created",
            Self::Confirmed => "booking_confirmed",
            Self::Rescheduled => "booking_rescheduled",
            Self::Updated => "booking_updated",
            Self::Canceled => "booking_cancelled",
            Self::Declined => "booking_declined",
        }
    }

    /// The status that the event's name alone says, when the document says nothing.
    pub const fn status(self) -> Option<BookingStatus> {
        match self {
            Self::Created => Some(BookingStatus::Pending),
            Self::Confirmed => Some(BookingStatus::Scheduled),
            Self::Canceled => Some(BookingStatus::Cancelled),
            Self::Declined => Some(BookingStatus::Declined),
            Self::Rescheduled | Self::Updated => None,
        }
    }
}

/// The document itself, or the one written as text in it.
pub(super) fn document<'d>(value: &'d Json<'d>) -> Result<Cow<'d, Json<'d>>, String> {
    let document = match value {
        Json::Text(text) => Cow::Owned(Json::parse(text)?),
        _ => Cow::Borrowed(value),
    };
    if document.is_object() { Ok(document) } else { Err("the event is no JSON object".to_owned()) }
}

fn raw_text(written: &Json<'_>) -> String {
    match written {
        Json::Text(text) => text.clone().into_owned(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}
