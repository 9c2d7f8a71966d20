//! Sending and pricing. 200 also when every single text is refused: each has a status of its own.

use super::account::is_without_credit;
use super::{SUBACCOUNT_ID, USER_ID, currency, error, success};
use crate::domain::time::Timestamp;
use crate::engine::template::segments;
use crate::simulator::Shared;
use crate::simulator::desk::{self, Order, Verdict};
use crate::simulator::ledger::Text;
use crate::simulator::numbers::Fate;
use crate::simulator::wire::{Answer, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Texts in one call.
const TEXTS_MAX: usize = 1_000;
/// A$ for each part, Australia.
pub(super) const PRICE_PER_PART: f64 = 0.0792;
/// Characters of a name that is a sender.
const SENDER_CHARS_MAX: usize = 11;

#[derive(Deserialize)]
struct Body {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    to: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    custom_string: Option<String>,
}

impl Message {
    /// What the provider says of it, and whether it leaves.
    fn verdict(&self, has_credit: bool) -> (&'static str, bool) {
        let sender = self.from.as_deref().unwrap_or_default();
        match crate::simulator::numbers::fate_of(&self.to) {
            _ if self.to.is_empty() => ("MISSING_REQUIRED_FIELDS", false),
            _ if self.body.is_empty() => ("EMPTY_MESSAGE", false),
            Fate::Invalid => ("INVALID_RECIPIENT", false),
            _ if !is_sender(sender) => ("INVALID_SENDER_ID", false),
            _ if !has_credit => ("INSUFFICIENT_CREDIT", false),
            Fate::NoRoute => ("COUNTRY_NOT_ENABLED", false),
            _ if !self.to.starts_with("+61") => ("COUNTRY_NOT_ENABLED", false),
            Fate::Duplicate => ("THROTTLED", false),
            Fate::Muddled => ("INTERNAL_ERROR", true),
            _ => ("SUCCESS", true),
        }
    }

    fn order(self) -> Order {
        Order {
            id: self.custom_string.filter(|id| !id.is_empty()),
            to: self.to,
            from: self.from.unwrap_or_default(),
            body: self.body,
            callback: None,
        }
    }
}

/// A number, a short name, or nothing for one of ClickSend's own numbers.
fn is_sender(sender: &str) -> bool {
    let is_name = sender.chars().count() <= SENDER_CHARS_MAX && !sender.contains(char::is_whitespace);
    is_name || sender.starts_with('+') && sender[1..].bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn send(shared: &Arc<Shared>, request: &Request) -> Answer {
    let Some(messages) = messages(request) else { return error(400) };
    if shared.ledger.is_full() {
        return error(503);
    }
    let has_credit = !is_without_credit(request);
    let taken = messages.into_iter().map(|message| {
        let verdict = Verdict::told(shared, &message.to).unwrap_or_else(|| {
            let (status, is_sent) = message.verdict(has_credit);
            Verdict { status: status.into(), is_sent, is_followed: is_sent }
        });
        desk::take(shared, message.order(), verdict)
    });
    let texts: Vec<Text> = taken.collect();
    sent(&texts)
}

/// The answer of an account that has run dry: every text is refused, and none is in the book.
pub(in crate::simulator) fn without_credit(request: &Request) -> Answer {
    let Some(messages) = messages(request) else { return error(400) };
    let refused = messages.into_iter().map(|message| Text {
        id: message.custom_string,
        message_id: String::new(),
        to: message.to,
        from: message.from.unwrap_or_default(),
        parts: 0,
        body: message.body,
        status: "INSUFFICIENT_CREDIT".into(),
        is_sent: false,
        at: Timestamp(0),
        report: None,
        callback: None,
    });
    sent(&refused.collect::<Vec<_>>())
}

pub(super) fn sent(texts: &[Text]) -> Answer {
    let queued = texts.iter().filter(|text| text.is_sent).count();
    let parts: usize = texts.iter().filter(|text| text.is_sent).map(|text| text.parts).sum();
    success(
        "Messages queued for delivery.",
        &json!({
            "total_price": price_of(parts),
            "total_count": texts.len(),
            "queued_count": queued,
            "messages": texts.iter().map(shown).collect::<Vec<Value>>(),
            "_currency": currency(),
            "blocked_count": texts.len() - queued,
        }),
    )
}

/// Refused texts lack some fields, and have others in other types: as it really is.
fn shown(text: &Text) -> Value {
    if !text.is_sent {
        return json!({
            "to": text.to, "body": text.body, "from": text.from, "schedule": "", "message_id": text.message_id, "message_parts": 0,
            "message_price": "0.0000", "custom_string": text.id.clone().unwrap_or_default(), "is_shared_system_number": true,
            "country": "", "carrier": "", "status": text.status,
        });
    }
    let seconds = text.at.0 / 1_000;
    json!({
        "direction": "out", "date": seconds, "to": text.to, "body": text.body, "from": text.from, "schedule": seconds,
        "message_id": text.message_id, "message_parts": text.parts, "message_price": format!("{:.4}", price_of(text.parts)),
        "from_email": null, "list_id": null, "custom_string": text.id.clone().unwrap_or_default(), "contact_id": null,
        "user_id": USER_ID, "subaccount_id": SUBACCOUNT_ID, "is_shared_system_number": text.from.is_empty(), "country": "AU",
        "carrier": "Telstra", "status": text.status,
    })
}

/// What sending would cost. Nothing is sent, and nothing is in the book.
pub(super) fn price(request: &Request) -> Answer {
    let Some(messages) = messages(request) else { return error(400) };
    let (mut total, mut queued, mut shown) = (0, 0, Vec::new());
    for message in &messages {
        let (status, is_sent) = message.verdict(true);
        let parts = if is_sent { segments::count(&message.body).parts } else { 0 };
        total += parts;
        queued += usize::from(is_sent);
        shown.push(json!({
            "to": message.to, "body": message.body, "from": message.from, "message_parts": parts, "message_price": price_of(parts),
            "custom_string": message.custom_string.clone().unwrap_or_default(), "country": "AU", "status": status,
        }));
    }
    let data = json!({
        "total_price": price_of(total), "total_count": messages.len(), "queued_count": queued, "messages": shown,
        "_currency": currency(), "blocked_count": messages.len() - queued,
    });
    success("Here are your data.", &data)
}

pub(super) fn price_of(parts: usize) -> f64 {
    // To a hundredth of a cent, as bills have it.
    (parts as f64 * PRICE_PER_PART * 10_000.0).round() / 10_000.0
}

fn messages(request: &Request) -> Option<Vec<Message>> {
    let body: Body = serde_json::from_slice(&request.body).ok()?;
    (1..=TEXTS_MAX).contains(&body.messages.len()).then_some(body.messages)
}
