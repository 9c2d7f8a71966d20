//! ManyChat's External Request: full contact data, or a body that somebody wrote with `{{variables}}`.
//!
//! ManyChat has no event ids and no event types of its own. Whether a contact is new is not for this place to know: without
//! a name that we know, the event is a `manychat_message`.

use super::Moment;
use super::fields::{self, BODY_CHARS_MAX, DATA_CHARS_MAX, DATA_FIELDS_MAX};
use super::json::Json;
use super::parsed::{Parsed, sha256_of};
use crate::domain::event::{Actor, CampaignInput, ContactInput, EventPayload, MessageInput};
use std::collections::BTreeMap;

const EVENTS: [&str; 2] = ["lead_created", "manychat_message"];
const CONTACT_PLACES: [&str; 3] = ["subscriber", "contact", "subscriber_data"];

pub fn parse(doc: &Json<'_>, body_sha256: &str, moment: Moment) -> Result<Parsed, String> {
    let person = CONTACT_PLACES.iter().find_map(|name| doc.get(name).filter(|v| v.is_object())).unwrap_or(doc);
    let places = Places { doc, person };
    let contact = places.contact();
    if contact.manychat.is_none() && contact.phone_raw.is_none() && contact.email.is_none() {
        return Err("there is no contact id, phone or email".to_owned());
    }
    let given_event = places.text(&["event", "event_type"], fields::NAME_CHARS_MAX);
    let event = given_event.as_deref().and_then(|name| EVENTS.iter().find(|known| **known == name)).unwrap_or(&EVENTS[1]);
    let text = places.message_text();
    let id = places.id(&contact, given_event.as_deref().unwrap_or(event), text.as_deref(), body_sha256, moment);
    let message = (text.is_some() || *event == EVENTS[1]).then(|| message(&contact, text));
    let mut data = places.custom_fields();
    if let Some(name) = given_event.filter(|name| name != event) {
        data.insert("manychat_event".to_owned(), name);
    }
    let occurred_at = places.find("last_interaction").and_then(|at| fields::time(Some(at), moment.zone));
    let payload = EventPayload { contact: Some(contact), message, campaign: places.campaign(), data, ..EventPayload::default() };
    Ok(Parsed {
        source: None,
        id: Some(id),
        event_type: (*event).to_owned(),
        occurred_at,
        actor: Actor::Patient,
        payload,
        raw: None,
    })
}

fn message(contact: &ContactInput, text: Option<String>) -> MessageInput {
    let from = contact.phone.clone().or_else(|| contact.manychat.clone()).or_else(|| contact.phone_raw.clone());
    MessageInput {
        from: from.unwrap_or_default(),
        body: text.unwrap_or_default(),
        provider: "manychat".to_owned(),
        channel: "manychat".to_owned(),
        ..MessageInput::default()
    }
}

/// Where things may be: the document, and the contact inside it.
struct Places<'d> {
    doc: &'d Json<'d>,
    person: &'d Json<'d>,
}

impl Places<'_> {
    fn find(&self, name: &str) -> Option<&Json<'_>> {
        let there = |place: &'_ Json<'_>| place.get(name).is_some_and(|value| *value != Json::Null);
        if there(self.person) { self.person.get(name) } else { self.doc.get(name) }
    }

    /// The first of these that holds text. A variable that ManyChat did not fill is no text.
    fn text(&self, names: &[&str], chars_max: usize) -> Option<String> {
        names.iter().find_map(|name| resolved(self.find(name), chars_max))
    }

    fn contact(&self) -> ContactInput {
        let short = |names: &[&str]| self.text(names, fields::NAME_CHARS_MAX);
        let email = short(&["email"]).map(|text| Json::Text(text.into()));
        let mut contact = ContactInput {
            manychat: fields::id(self.find("id").or_else(|| self.find("contact_id"))).filter(|id| !id.contains("{{")),
            first_name: short(&["first_name"]),
            last_name: short(&["last_name"]),
            email: fields::email(email.as_ref()),
            interest: short(&["interest", "service_interest"]).or_else(|| self.custom("service_interest")),
            ..ContactInput::default()
        };
        if let Some(phone) = short(&["phone", "whatsapp_phone"]) {
            fields::set_phone(&mut contact, Some(&Json::Text(phone.into())));
        }
        if let Some(full) = short(&["name", "full_name"]) {
            fields::set_full_name(&mut contact, &full);
        }
        contact
    }

    fn message_text(&self) -> Option<String> {
        let message = self.doc.get("message");
        resolved(message.and_then(|m| m.get("text")), BODY_CHARS_MAX)
            .or_else(|| resolved(message, BODY_CHARS_MAX))
            .or_else(|| self.text(&["last_input_text", "text"], BODY_CHARS_MAX))
    }

    /// The sender's id if it is one; else what makes this message different from the contact's others.
    fn id(&self, contact: &ContactInput, event: &str, text: Option<&str>, body_sha256: &str, moment: Moment) -> String {
        let given = fields::id(self.doc.get("event_id")).filter(|id| !id.contains("{{"));
        given.unwrap_or_else(|| {
            let who = contact.manychat.as_deref().or(contact.phone_raw.as_deref()).or(contact.email.as_deref());
            let who = who.unwrap_or_default();
            match self.text(&["last_interaction"], fields::NAME_CHARS_MAX) {
                Some(at) => sha256_of(&[who, event, &at, text.unwrap_or_default()]),
                // Nothing in it tells a repetition from the same words on another day.
                None => sha256_of(&[who, event, body_sha256, &moment.now.local(moment.zone).date_naive().to_string()]),
            }
        })
    }

    fn campaign(&self) -> Option<CampaignInput> {
        let utm = self.doc.get("utm").or_else(|| self.person.get("utm"));
        let of = |name: &str, flat: &str| {
            resolved(utm.and_then(|u| u.get(name)), fields::NAME_CHARS_MAX)
                .or_else(|| self.text(&[flat], fields::NAME_CHARS_MAX))
                .or_else(|| self.custom(flat))
        };
        let campaign = CampaignInput {
            source: of("source", "utm_source"),
            medium: of("medium", "utm_medium"),
            campaign: of("campaign", "utm_campaign").or_else(|| self.text(&["last_growth_tool"], fields::NAME_CHARS_MAX)),
        };
        (campaign != CampaignInput::default()).then_some(campaign)
    }

    fn custom(&self, name: &str) -> Option<String> {
        self.custom_fields().remove(name)
    }

    /// `custom_fields` as an object, or as a list of `{name, value}`; names as `event.data` wants them.
    fn custom_fields(&self) -> BTreeMap<String, String> {
        let pairs: Vec<(&str, &Json<'_>)> = match self.find("custom_fields") {
            Some(Json::Object(fields)) => fields.iter().map(|(name, value)| (name.as_ref(), value)).collect(),
            Some(Json::List(items)) => items.iter().filter_map(|i| Some((i.get("name")?.text()?, i.get("value")?))).collect(),
            _ => Vec::new(),
        };
        let named = pairs.into_iter().take(DATA_FIELDS_MAX);
        named.filter_map(|(name, value)| Some((field_name(name)?, resolved(Some(value), DATA_CHARS_MAX)?))).collect()
    }
}

fn resolved(value: Option<&Json<'_>>, chars_max: usize) -> Option<String> {
    fields::tidy(&value?.scalar()?, chars_max).filter(|text| !text.contains("{{"))
}

const FIELD_NAME_CHARS_MAX: usize = 64;

/// `Service Interest` → `service_interest`; `None` when nothing of it is left.
fn field_name(name: &str) -> Option<String> {
    let letters = name.trim().chars().take(FIELD_NAME_CHARS_MAX);
    let name: String = letters.map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    name.starts_with(|c: char| c.is_ascii_lowercase()).then_some(name)
}
