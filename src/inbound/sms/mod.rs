//! Texts from patients and delivery receipts, of both providers, as form or JSON. What it is, its fields tell.

mod clicksend;
mod messagemedia;

use super::Moment;
use super::json::Json;
use super::parsed::{Envelope, Parsed};
use crate::domain::event::{Actor, ContactInput, EventPayload};
use crate::domain::event::{Delivery, MessageInput, ReceiptInput, SMS_RECEIPT};
use crate::domain::time::Timestamp;
use std::borrow::Cow;

/// Events in one request, when a provider sends several as a list.
pub const EVENTS_PER_REQUEST_MAX: usize = 100;
/// Fields of a form.
pub const FORM_FIELDS_MAX: usize = 200;

pub fn parse(body: &[u8], content_type: Option<&str>, moment: Moment, envelope: &Envelope<'_>) -> Vec<Delivery> {
    let doc = match read(body, content_type) {
        Ok(doc) => doc,
        Err(reason) => return vec![envelope.quarantine(reason, None)],
    };
    match &doc {
        Json::List(items) if (1..=EVENTS_PER_REQUEST_MAX).contains(&items.len()) => {
            items.iter().enumerate().map(|(index, item)| deliver(item, moment, envelope, Some(index))).collect()
        }
        one => vec![deliver(one, moment, envelope, None)],
    }
}

fn deliver(doc: &Json<'_>, moment: Moment, envelope: &Envelope<'_>, part: Option<usize>) -> Delivery {
    match event(doc, moment) {
        Ok(parsed) => envelope.deliver(parsed, part),
        Err(reason) => envelope.quarantine(reason, part),
    }
}

/// Each provider has fields that the other has not.
fn event(doc: &Json<'_>, moment: Moment) -> Result<Parsed, String> {
    let has = |name: &str| doc.get(name).is_some();
    if has("delivery_report_id") {
        messagemedia::receipt(doc, moment)
    } else if has("content") && has("source_number") {
        messagemedia::reply(doc, moment)
    } else if has("status_code") {
        clicksend::receipt(doc, moment)
    } else if has("from") && (has("body") || has("message")) {
        clicksend::inbound(doc, moment)
    } else {
        Err("this is neither a text nor a delivery receipt of a known provider".to_owned())
    }
}

fn read<'b>(body: &'b [u8], content_type: Option<&str>) -> Result<Json<'b>, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    let says_form = content_type.is_some_and(|t| t.to_ascii_lowercase().contains("form-urlencoded"));
    // Some tools send JSON under a form's name; no form begins with a bracket.
    if text.trim_start().starts_with(['{', '[']) || !says_form && !text.contains('=') { Json::parse(text) } else { form(text) }
}

fn form(text: &str) -> Result<Json<'_>, String> {
    let mut fields: Vec<(Cow<'_, str>, Json<'_>)> = Vec::new();
    for (key, value) in form_urlencoded::parse(text.as_bytes()) {
        if fields.len() == FORM_FIELDS_MAX {
            return Err(format!("the form has more than {FORM_FIELDS_MAX} fields"));
        }
        if fields.iter().any(|(other, _)| *other == key) {
            return Err("a field of the form is there twice".to_owned());
        }
        fields.push((key, Json::Text(value)));
    }
    Ok(Json::Object(fields))
}

/// A text from a person.
fn received(provider: &'static str, id: Option<String>, at: Option<Timestamp>, message: MessageInput) -> Parsed {
    let mut contact = ContactInput::default();
    super::fields::set_phone(&mut contact, Some(&Json::Text(message.from.as_str().into())));
    let from = contact.phone.clone().unwrap_or_else(|| message.from.clone());
    let message = MessageInput { from, provider: provider.to_owned(), channel: "sms".to_owned(), ..message };
    let payload = EventPayload { contact: Some(contact), message: Some(message), ..EventPayload::default() };
    Parsed {
        source: Some(provider),
        id,
        event_type: "sms_received".to_owned(),
        occurred_at: at,
        actor: Actor::Patient,
        payload,
        raw: None,
    }
}

/// What became of one of our texts.
fn receipt(provider: &'static str, id: Option<String>, receipt: ReceiptInput) -> Parsed {
    let occurred_at = receipt.at;
    let payload = EventPayload { receipt: Some(receipt), ..EventPayload::default() };
    Parsed {
        source: Some(provider),
        id,
        event_type: SMS_RECEIPT.to_owned(),
        occurred_at,
        actor: Actor::Provider,
        payload,
        raw: None,
    }
}
