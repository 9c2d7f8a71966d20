//! `--set path=value`: changes one field of an event's payload.

use crate::cli::failure::Failure;
use crate::config::nearest;
use crate::domain::booking::BookingStatus;
use crate::domain::event::EventPayload;
use crate::domain::phone;
use crate::domain::time::Timestamp;
use chrono::DateTime;
use serde_json::{Map, Value};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    LowerCase,
    Phone,
    Bool,
    Int,
    Time,
    Status,
}

const FIELDS: &[(&str, Kind)] = &[
    ("contact.id", Kind::Text),
    ("contact.wix_contact", Kind::Text),
    ("contact.manychat", Kind::Text),
    ("contact.first_name", Kind::Text),
    ("contact.last_name", Kind::Text),
    ("contact.phone", Kind::Phone),
    ("contact.email", Kind::LowerCase),
    ("contact.interest", Kind::Text),
    ("contact.is_existing_patient", Kind::Bool),
    ("booking.id", Kind::Text),
    ("booking.wix_booking_id", Kind::Text),
    ("booking.status", Kind::Status),
    ("booking.appointment_datetime", Kind::Time),
    ("booking.end_datetime", Kind::Time),
    ("booking.timezone", Kind::Text),
    ("booking.service_id", Kind::Text),
    ("booking.service_name", Kind::Text),
    ("booking.location", Kind::Text),
    ("booking.resource_name", Kind::Text),
    ("booking.payment_status", Kind::Text),
    ("booking.urgency_level", Kind::LowerCase),
    ("booking.previous_appointment_datetime", Kind::Time),
    ("booking.sequence", Kind::Int),
    ("booking.revision", Kind::Int),
    ("booking.provider_sends_reminder", Kind::Bool),
    ("message.from", Kind::Phone),
    ("message.to", Kind::Phone),
    ("message.body", Kind::Text),
    ("message.provider", Kind::Text),
    ("message.provider_message_id", Kind::Text),
    ("message.in_reply_to", Kind::Text),
    ("message.reply_to_sms_id", Kind::Text),
    ("message.channel", Kind::Text),
    ("campaign.source", Kind::Text),
    ("campaign.medium", Kind::Text),
    ("campaign.campaign", Kind::Text),
];

/// The payload with every assignment applied, in their order. An empty value takes the field away.
pub fn apply(payload: &EventPayload, assignments: &[String]) -> Result<EventPayload, Failure> {
    let unusable = |error: serde_json::Error| Failure::new(format!("the event cannot be made: {error}"));
    let mut value = serde_json::to_value(payload).map_err(unusable)?;
    for assignment in assignments {
        let (path, text) = assignment.split_once('=').ok_or_else(|| {
            Failure::new(format!("`{assignment}` sets nothing")).with_help("write it like --set booking.urgency_level=urgent")
        })?;
        let (record, field, new) = parse(path.trim(), text)?;
        let record = value.as_object_mut().map(|all| all.entry(record).or_insert_with(|| Value::Object(Map::new())));
        if let Some(Value::Object(record)) = record {
            match new {
                Some(new) => drop(record.insert(field.to_owned(), new)),
                None => drop(record.remove(field)),
            }
        }
    }
    serde_json::from_value(value).map_err(unusable)
}

fn parse<'a>(path: &'a str, text: &str) -> Result<(&'a str, &'a str, Option<Value>), Failure> {
    if let Some(name) = path.strip_prefix("data.").filter(|name| !name.is_empty()) {
        return Ok(("data", name, Some(Value::from(text))));
    }
    let kind = FIELDS.iter().find(|(known, _)| *known == path).map(|(_, kind)| *kind);
    let (Some(kind), Some((record, field))) = (kind, path.split_once('.')) else { return Err(unknown(path)) };
    if text.is_empty() {
        return Ok((record, field, None));
    }
    let value = convert(kind, text).map_err(|help| Failure::new(format!("{path} cannot be `{text}`")).with_help(help))?;
    Ok((record, field, Some(value)))
}

fn unknown(path: &str) -> Failure {
    let help = match nearest(path, FIELDS.iter().map(|(known, _)| *known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "fields begin with contact., booking., message., campaign. or data.".to_owned(),
    };
    Failure::new(format!("an event has no field `{path}`")).with_help(help)
}

/// The value, or what to write instead.
fn convert(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Text => Ok(text.into()),
        Kind::LowerCase => Ok(text.to_lowercase().into()),
        Kind::Phone => phone::normalise(text).map(|phone| phone.e164.into()).map_err(|error| error.to_string()),
        Kind::Bool => text.parse::<bool>().map(Value::from).map_err(|_| "it can be: true, false".to_owned()),
        Kind::Int => text.parse::<i64>().map(Value::from).map_err(|_| "it is a whole number".to_owned()),
        Kind::Time => time(text).map(|at| at.0.into()).ok_or_else(|| "write it like 2026-12-04T10:30+11:00".to_owned()),
        Kind::Status => match BookingStatus::parse(text) {
            Some(status) => Ok(status.as_str().into()),
            None => Err(format!("it can be: {}", BookingStatus::ALL.map(BookingStatus::as_str).join(", "))),
        },
    }
}

/// RFC 3339; seconds may be left out.
fn time(text: &str) -> Option<Timestamp> {
    let minutes = || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z").ok().map(|at| Timestamp(at.timestamp_millis()));
    Timestamp::parse_rfc3339(text).or_else(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::events::fixture;

    #[test]
    fn every_field_that_can_be_set_exists_in_the_payload() {
        for (path, kind) in FIELDS {
            let text = match kind {
                Kind::Text | Kind::LowerCase => "abc",
                Kind::Phone => "0491 570 156",
                Kind::Bool => "true",
                Kind::Int => "7",
                Kind::Time => "2026-12-04T10:30+11:00",
                Kind::Status => "pending",
            };
            let empty = EventPayload::default();
            let set = apply(&empty, &[format!("{path}={text}")]).unwrap_or_else(|e| panic!("{path}: {e:?}"));
            let kept = serde_json::to_value(&set).expect("JSON");
            let (record, field) = path.split_once('.').expect("a dotted path");
            assert!(!kept[record][field].is_null(), "{path} was lost: {kept}");
        }
    }

    #[test]
    fn an_empty_value_takes_a_field_away() {
        let before = fixture::payload("lead_created", "id", "Australia/Sydney", Timestamp(0));
        let after = apply(&before, &["contact.phone=".to_owned()]).expect("no phone");
        assert_eq!(after.contact.expect("a contact").phone, None);
    }
}
