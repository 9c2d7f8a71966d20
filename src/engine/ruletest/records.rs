//! From facts to records, and to what a provider says.

use super::facts::{FactValue, Facts};
use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::contact::{Contact, Identity, IdentityKind};
use crate::domain::event::{BookingInput, CampaignInput, ContactInput};
use crate::domain::phone::{self, PhoneKind};
use crate::domain::sample;
use crate::domain::time::Timestamp;
use crate::domain::touchpoint::Touchpoint;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Fields that a provider can say of a person. The others are ours.
const SAID_OF_CONTACT: &[&str] =
    &["id", "wix_contact", "manychat", "first_name", "last_name", "phone", "email", "interest", "is_existing_patient"];
/// Fields of ours that no provider says of a booking.
const OURS_OF_BOOKING: &[&str] =
    &["contact_id", "source", "referral_status", "patient_confirmed_at", "confirmed_via", "reschedule_count", "created_at"];

/// A contact with what hangs on it.
pub(crate) struct Person {
    pub contact: Contact,
    pub identities: Vec<Identity>,
    /// Newest first.
    pub touchpoints: Vec<Arc<Touchpoint>>,
}

/// What the event says of the person; `true` when there is more in the facts, which no provider says.
pub(crate) fn contact_input(facts: &Facts) -> (ContactInput, bool) {
    let mut said = said(facts, |name| SAID_OF_CONTACT.contains(&name));
    let ours = facts.list.iter().any(|f| !SAID_OF_CONTACT.contains(&f.name.as_str()) && f.name != "name");
    if let Some((first, last)) = facts.text("name").map(split_name) {
        said.entry("first_name").or_insert(first.into());
        said.entry("last_name").or_insert(last.into());
    }
    (serde_json::from_value(Value::Object(said)).unwrap_or_default(), ours)
}

/// What the event says of the booking, and the first field that no provider says.
pub(crate) fn booking_input(facts: &Facts) -> (BookingInput, Option<&super::Fact>) {
    let said = said(facts, |name| !OURS_OF_BOOKING.contains(&name));
    let ours = facts.list.iter().find(|f| OURS_OF_BOOKING.contains(&f.name.as_str()));
    (serde_json::from_value(Value::Object(said)).unwrap_or_default(), ours)
}

pub(crate) fn campaign_input(facts: &Facts) -> CampaignInput {
    serde_json::from_value(Value::Object(said(facts, |_| true))).unwrap_or_default()
}

fn said(facts: &Facts, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    let json = |value: &FactValue| match value {
        FactValue::Nothing | FactValue::Records(_) | FactValue::Texts(_) => None,
        FactValue::Bool(yes) => Some(Value::Bool(*yes)),
        FactValue::Int(number) => Some((*number).into()),
        FactValue::Text(text) => Some(text.as_str().into()),
        FactValue::Time(at) => Some(at.0.into()),
    };
    facts.list.iter().filter(|f| wanted(&f.name)).filter_map(|f| Some((f.name.clone(), json(&f.value)?))).collect()
}

fn split_name(name: &str) -> (&str, &str) {
    name.split_once(' ').unwrap_or((name, ""))
}

/// A contact that exists already: known since `since`.
pub(crate) fn new_person(id: &str, facts: &Facts, since: Timestamp) -> Person {
    let contact = Contact {
        id: id.to_owned(),
        phone_status: "unknown".into(),
        marketing_consent: "unknown".into(),
        sms_consent: "unknown".into(),
        recall_consent: "unknown".into(),
        source: "staff".into(),
        version: 1,
        created_at: since,
        updated_at: since,
        ..Contact::default()
    };
    let mut person = Person { contact, identities: Vec::new(), touchpoints: Vec::new() };
    change_contact(&mut person, facts, since);
    person
}

/// Writes the facts over a contact.
pub(crate) fn change_contact(person: &mut Person, facts: &Facts, now: Timestamp) {
    for fact in &facts.list {
        set_contact(person, &fact.name, &fact.value, now);
    }
    let contact = &mut person.contact;
    if contact.name.is_empty() {
        format!("{} {}", contact.first_name, contact.last_name).trim().clone_into(&mut contact.name);
    }
    let identity = |kind, value: Option<&str>| value.map(|v| Identity { kind, value: v.to_owned() });
    let named = [
        identity(IdentityKind::WixContact, facts.text("wix_contact")),
        identity(IdentityKind::Manychat, facts.text("manychat")),
        identity(IdentityKind::Phone, facts.text("phone")),
        identity(IdentityKind::Email, facts.text("email")),
    ];
    for identity in named.into_iter().flatten() {
        if !person.identities.contains(&identity) {
            person.identities.push(identity);
        }
    }
}

fn set_contact(person: &mut Person, name: &str, value: &FactValue, now: Timestamp) {
    let c = &mut person.contact;
    match (name, value) {
        ("name", FactValue::Text(text)) => {
            let (first, last) = split_name(text);
            (c.name, c.first_name, c.last_name) = (text.clone(), first.to_owned(), last.to_owned());
        }
        ("first_name", value) => c.first_name = text_of(value).unwrap_or_default(),
        ("last_name", value) => c.last_name = text_of(value).unwrap_or_default(),
        ("phone", value) => {
            c.phone = text_of(value);
            c.phone_status = c.phone.as_deref().map_or("unknown", phone_status).to_owned();
        }
        ("phone_status", FactValue::Text(text)) => c.phone_status.clone_from(text),
        ("email", value) => c.email = text_of(value),
        ("is_existing_patient", FactValue::Bool(yes)) => c.is_existing_patient = *yes,
        ("opted_out", FactValue::Bool(yes)) => c.opted_out_at = yes.then_some(now),
        ("opted_out_at", value) => c.opted_out_at = time_of(value),
        ("marketing_consent", FactValue::Text(text)) => c.marketing_consent.clone_from(text),
        ("sms_consent", FactValue::Text(text)) => c.sms_consent.clone_from(text),
        ("recall_consent", FactValue::Text(text)) => c.recall_consent.clone_from(text),
        ("source", FactValue::Text(text)) => c.source.clone_from(text),
        ("first_source", value) => c.first_source = text_of(value),
        ("interest", value) => c.interest = text_of(value),
        ("current_pipeline", value) => c.current_pipeline = text_of(value),
        ("current_stage", value) => {
            c.current_stage = text_of(value);
            c.stage_entered_at = Some(now);
        }
        ("stage_entered_at", value) => c.stage_entered_at = time_of(value),
        ("warmness", FactValue::Int(score)) => c.warmness = i32::try_from(*score).unwrap_or(0),
        ("assigned_to", value) => c.assigned_to = text_of(value),
        ("last_inbound_at", value) => c.last_inbound_at = time_of(value),
        ("last_outbound_at", value) => c.last_outbound_at = time_of(value),
        ("last_visit_at", value) => c.last_visit_at = time_of(value),
        ("recall_due_on", value) => c.recall_due_on = time_of(value),
        ("tags", FactValue::Texts(tags)) => c.tags.clone_from(tags),
        ("no_shows", FactValue::Int(count)) => c.no_shows = i32::try_from(*count).unwrap_or(0),
        ("created_at", FactValue::Time(at)) => c.created_at = *at,
        ("touchpoints", FactValue::Records(list)) => {
            person.touchpoints = list.iter().enumerate().map(|(i, facts)| Arc::new(touchpoint(&c.id, i, facts, now))).collect();
            person.touchpoints.sort_by_key(|t| std::cmp::Reverse(t.timestamp));
        }
        _ => {}
    }
}

fn touchpoint(contact_id: &str, index: usize, facts: &[(String, FactValue)], now: Timestamp) -> Touchpoint {
    let get = |name: &str| facts.iter().find(|(n, _)| n == name).map(|(_, value)| value);
    let text = |name: &str| get(name).and_then(text_of);
    Touchpoint {
        id: format!("{contact_id}-touch-{index}"),
        contact_id: contact_id.to_owned(),
        timestamp: get("at").and_then(time_of).unwrap_or(now),
        kind: text("kind").unwrap_or_default(),
        channel: text("channel"),
        direction: text("direction").unwrap_or_else(|| "in".into()),
        source: text("source"),
        medium: text("medium"),
        campaign: text("campaign"),
        event_id: None,
    }
}

/// A booking that exists already; `None` without an appointment time.
pub(crate) fn new_booking(id: &str, contact_id: &str, facts: &Facts, timezone: &str, since: Timestamp) -> Option<Booking> {
    let Some(FactValue::Time(appointment)) = facts.get("appointment_datetime") else { return None };
    let timezone = timezone.to_owned();
    let mut booking = Booking { timezone, ..sample::booking(id, contact_id, *appointment, since) };
    change_booking(&mut booking, facts);
    Some(booking)
}

/// Writes the facts over a booking.
pub(crate) fn change_booking(booking: &mut Booking, facts: &Facts) {
    for fact in &facts.list {
        set_booking(booking, &fact.name, &fact.value);
    }
}

fn set_booking(b: &mut Booking, name: &str, value: &FactValue) {
    match (name, value) {
        ("wix_booking_id", value) => b.wix_booking_id = text_of(value),
        ("source", FactValue::Text(text)) => b.source.clone_from(text),
        ("service_id", value) => b.service_id = text_of(value),
        ("service_name", value) => b.service_name = text_of(value),
        ("location", value) => b.location = text_of(value),
        ("resource_name", value) => b.resource_name = text_of(value),
        ("appointment_datetime", FactValue::Time(at)) => b.appointment_datetime = *at,
        ("end_datetime", value) => b.end_datetime = time_of(value),
        ("timezone", FactValue::Text(zone)) => b.timezone.clone_from(zone),
        ("status", FactValue::Text(text)) => b.status = BookingStatus::parse(text).unwrap_or(b.status),
        ("urgency_level", FactValue::Text(text)) => b.urgency_level.clone_from(text),
        ("referral_status", FactValue::Text(text)) => b.referral_status.clone_from(text),
        ("payment_status", value) => b.payment_status = text_of(value),
        ("patient_confirmed_at", value) => b.patient_confirmed_at = time_of(value),
        ("confirmed_via", value) => b.confirmed_via = text_of(value),
        ("reschedule_count", FactValue::Int(count)) => b.reschedule_count = i32::try_from(*count).unwrap_or(0),
        ("created_at", FactValue::Time(at)) => b.created_at = *at,
        _ => {}
    }
}

fn phone_status(phone: &str) -> &'static str {
    match phone::normalise(phone) {
        Ok(number) if number.kind == PhoneKind::Landline => "landline",
        Ok(_) => "valid",
        Err(_) => "invalid",
    }
}

fn text_of(value: &FactValue) -> Option<String> {
    match value {
        FactValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

const fn time_of(value: &FactValue) -> Option<Timestamp> {
    match value {
        FactValue::Time(at) => Some(*at),
        _ => None,
    }
}
