//! Fields by JSON pointer, as `config/webhooks.yaml` describes them.

use super::Moment;
use super::fields::{self, DATA_CHARS_MAX, DATA_FIELDS_MAX, Pointer, first};
use super::json::Json;
use super::sources::{FIELDS, SourceSpec};
use super::wix;
use crate::domain::booking::BookingStatus;
use crate::domain::event::{Actor, BookingInput, CampaignInput, ContactInput, EventPayload, KNOWN_EVENTS, MessageInput};
use crate::domain::time::Timestamp;
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// A source's paths, split once.
#[derive(Default)]
pub struct Mapping {
    id: Vec<Pointer>,
    event: Option<String>,
    event_path: Vec<Pointer>,
    event_map: BTreeMap<String, String>,
    events: Vec<String>,
    occurred_at: Vec<Pointer>,
    fields: Vec<(&'static str, Vec<Pointer>)>,
    data: Vec<(String, Vec<Pointer>)>,
    pub(super) actor: Option<Actor>,
}

impl Mapping {
    pub fn build(spec: &SourceSpec) -> Self {
        let field = |name: &str| FIELDS.iter().copied().find(|f| *f == name);
        let fields = spec.fields.iter().flatten().filter_map(|(name, paths)| Some((field(name)?, pointers(Some(paths)))));
        let data = spec.data.iter().flatten().map(|(name, paths)| (name.clone(), pointers(Some(paths))));
        Self {
            id: pointers(spec.id.as_ref()),
            event: spec.event.clone(),
            event_path: pointers(spec.event_path.as_ref()),
            event_map: spec.event_map.clone().unwrap_or_default(),
            events: spec.events.clone().unwrap_or_default(),
            occurred_at: pointers(spec.occurred_at.as_ref()),
            fields: fields.collect(),
            data: data.collect(),
            actor: spec.actor.as_deref().and_then(Actor::parse),
        }
    }

    pub fn id(&self, docs: &[&Json<'_>]) -> Option<String> {
        fields::id(find(&self.id, docs))
    }

    pub fn occurred_at(&self, docs: &[&Json<'_>], moment: Moment) -> Option<Timestamp> {
        fields::time(find(&self.occurred_at, docs), moment.zone)
    }

    /// The sender's name for the event, translated by `event_map` when it is in it.
    pub fn event_name(&self, docs: &[&Json<'_>]) -> Option<String> {
        if let Some(fixed) = &self.event {
            return Some(fixed.clone());
        }
        let given = fields::short(find(&self.event_path, docs))?;
        Some(self.event_map.get(&given).cloned().unwrap_or(given))
    }

    /// True for events that this source may make.
    pub fn declares(&self, event: &str) -> bool {
        KNOWN_EVENTS.contains(&event) || self.events.iter().any(|e| e == event)
    }

    /// Everything the paths lead to. Each path is tried on each document in turn.
    pub fn payload(&self, docs: &[&Json<'_>], source: &str, moment: Moment) -> EventPayload {
        let mut read = Read { zone: self.zone(docs).unwrap_or(moment.zone), ..Read::default() };
        for (field, paths) in &self.fields {
            if let Some(value) = find(paths, docs) {
                read.set(field, value);
            }
        }
        let mut payload = read.finish(source);
        for (name, paths) in self.data.iter().take(DATA_FIELDS_MAX) {
            if let Some(text) = find(paths, docs).and_then(Json::scalar).and_then(|t| fields::tidy(&t, DATA_CHARS_MAX)) {
                payload.data.insert(name.clone(), text);
            }
        }
        payload
    }

    /// Times of the same document without an offset are in its own zone.
    fn zone(&self, docs: &[&Json<'_>]) -> Option<Tz> {
        let (_, paths) = self.fields.iter().find(|(field, _)| *field == "booking.timezone")?;
        find(paths, docs)?.text()?.parse().ok()
    }
}

fn pointers(paths: Option<&Vec<String>>) -> Vec<Pointer> {
    paths.into_iter().flatten().filter_map(|path| Pointer::parse(path)).collect()
}

fn find<'d, 'a>(paths: &[Pointer], docs: &[&'d Json<'a>]) -> Option<&'d Json<'a>> {
    docs.iter().find_map(|doc| first(paths, doc))
}

#[derive(Default)]
struct Read {
    zone: Tz,
    full_name: Option<String>,
    contact: ContactInput,
    booking: BookingInput,
    message: MessageInput,
    campaign: CampaignInput,
}

impl Read {
    fn set(&mut self, field: &str, value: &Json<'_>) {
        let value = Some(value);
        match field.split_once('.') {
            Some(("contact", name)) => self.set_contact(name, value),
            Some(("booking", name)) => self.set_booking(name, value),
            Some(("message", name)) => self.set_message(name, value),
            Some(("campaign", "source")) => self.campaign.source = fields::short(value),
            Some(("campaign", "medium")) => self.campaign.medium = fields::short(value),
            Some(("campaign", "campaign")) => self.campaign.campaign = fields::short(value),
            _ => {}
        }
    }

    fn set_contact(&mut self, name: &str, value: Option<&Json<'_>>) {
        let contact = &mut self.contact;
        match name {
            "name" => self.full_name = fields::short(value),
            "first_name" => contact.first_name = fields::short(value),
            "last_name" => contact.last_name = fields::short(value),
            "phone" => fields::set_phone(contact, value),
            "email" => contact.email = fields::email(value),
            "wix_contact" => contact.wix_contact = fields::id(value),
            "manychat" => contact.manychat = fields::id(value),
            "interest" => contact.interest = fields::short(value),
            "is_existing_patient" => contact.is_existing_patient = value.and_then(Json::truth),
            "marketing_consent" => contact.marketing_consent = value.and_then(Json::truth),
            "sms_consent" => contact.sms_consent = value.and_then(Json::truth),
            _ => {}
        }
    }

    fn set_booking(&mut self, name: &str, value: Option<&Json<'_>>) {
        let zone = self.zone;
        let booking = &mut self.booking;
        match name {
            "wix_booking_id" => booking.wix_booking_id = fields::id(value),
            "status" => booking.status = value.and_then(Json::text).and_then(status),
            "appointment_datetime" => booking.appointment_datetime = fields::time(value, zone),
            "end_datetime" => booking.end_datetime = fields::time(value, zone),
            "previous_appointment_datetime" => booking.previous_appointment_datetime = fields::time(value, zone),
            "timezone" => booking.timezone = fields::short(value).filter(|name| name.parse::<Tz>().is_ok()),
            "service_id" => booking.service_id = fields::id(value),
            "service_name" => booking.service_name = fields::short(value),
            "location" => booking.location = fields::short(value),
            "resource_name" => booking.resource_name = fields::short(value),
            "payment_status" => booking.payment_status = fields::short(value),
            "urgency_level" => booking.urgency_level = fields::short(value).and_then(|text| urgency(&text)),
            "sequence" => booking.sequence = value.and_then(Json::int),
            "revision" => booking.revision = value.and_then(Json::int),
            _ => {}
        }
    }

    fn set_message(&mut self, name: &str, value: Option<&Json<'_>>) {
        match name {
            "body" => {
                self.message.body = fields::body(value).unwrap_or_default();
            }
            "from" => self.message.from = fields::short(value).unwrap_or_default(),
            "to" => self.message.to = fields::short(value),
            "id" => self.message.provider_message_id = fields::id(value),
            _ => {}
        }
    }

    fn finish(mut self, source: &str) -> EventPayload {
        if let Some(full) = &self.full_name {
            fields::set_full_name(&mut self.contact, full);
        }
        if self.contact.phone_raw.is_none() && !self.message.from.is_empty() {
            fields::set_phone(&mut self.contact, Some(&Json::Text(self.message.from.as_str().into())));
        }
        let has_message = !self.message.body.is_empty();
        if has_message {
            let known = self.contact.phone.clone().or_else(|| self.contact.phone_raw.clone());
            self.message.from = known.unwrap_or(self.message.from);
            source.clone_into(&mut self.message.provider);
            "sms".clone_into(&mut self.message.channel);
        }
        EventPayload {
            contact: (self.contact != ContactInput::default()).then_some(self.contact),
            booking: (self.booking != BookingInput::default()).then_some(self.booking),
            message: has_message.then_some(self.message),
            campaign: (self.campaign != CampaignInput::default()).then_some(self.campaign),
            ..EventPayload::default()
        }
    }
}

fn status(text: &str) -> Option<BookingStatus> {
    let text = text.trim();
    BookingStatus::parse(&text.to_ascii_lowercase()).or_else(|| wix::booking_status(text))
}

/// `routine`, `soon` or `urgent`.
fn urgency(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    matches!(text.as_str(), "routine" | "soon" | "urgent").then_some(text)
}
