//! Sending: all or nothing. One message that is not valid, and none is sent.

use super::{error, invalid, shown};
use crate::simulator::Shared;
use crate::simulator::desk::{self, Order, Verdict};
use crate::simulator::numbers::Fate;
use crate::simulator::wire::{Answer, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Messages in one call.
const MESSAGES_MAX: usize = 100;
const CONTENT_CHARS_MAX: usize = 5_000;
const METADATA_PAIRS_MAX: usize = 10;
const METADATA_KEY_CHARS_MAX: usize = 100;
const METADATA_VALUE_CHARS_MAX: usize = 256;

#[derive(Deserialize)]
struct Body {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: String,
    #[serde(default)]
    destination_number: String,
    #[serde(default)]
    source_number: Option<String>,
    #[serde(default)]
    callback_url: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

impl Message {
    fn problem(&self) -> Option<&'static str> {
        let is_long = |(key, value): (&String, &String)| {
            key.chars().count() > METADATA_KEY_CHARS_MAX || value.chars().count() > METADATA_VALUE_CHARS_MAX
        };
        match crate::simulator::numbers::fate_of(&self.destination_number) {
            Fate::Invalid => Some("destination_number is not valid"),
            _ if self.content.is_empty() => Some("content must not be empty"),
            _ if self.content.chars().count() > CONTENT_CHARS_MAX => Some("content is longer than 5000 characters"),
            _ if self.metadata.len() > METADATA_PAIRS_MAX => Some("metadata has more than 10 pairs"),
            _ if self.metadata.iter().any(is_long) => Some("metadata has a key or a value that is too long"),
            _ => None,
        }
    }

    fn order(self) -> Order {
        Order {
            id: self.metadata.get("sms_id").cloned(),
            to: self.destination_number,
            from: self.source_number.unwrap_or_default(),
            body: self.content,
            callback: self.callback_url,
        }
    }
}

pub(super) fn send(shared: &Arc<Shared>, request: &Request) -> Answer {
    let Ok(body) = serde_json::from_slice::<Body>(&request.body) else {
        return invalid(&["Failed to parse message body.".to_owned()]);
    };
    if !(1..=MESSAGES_MAX).contains(&body.messages.len()) {
        return invalid(&[format!("messages must hold 1 to {MESSAGES_MAX} messages")]);
    }
    let problem = |(index, message): (usize, &Message)| message.problem().map(|words| format!("messages[{index}]: {words}"));
    let problems: Vec<String> = body.messages.iter().enumerate().filter_map(problem).collect();
    if !problems.is_empty() {
        return invalid(&problems);
    }
    if shared.ledger.is_full() {
        return error(503);
    }
    let taken = body.messages.into_iter().map(|message| {
        let order = message.order();
        let verdict = Verdict::told(shared, &order.to).unwrap_or_else(|| queued(&order));
        let text = desk::take(shared, order, verdict);
        shown(&text, &text.status)
    });
    Answer::json(202, &json!({ "messages": taken.collect::<Vec<Value>>() }))
}

/// A text that will be rejected is queued like any other; only its report says so.
fn queued(order: &Order) -> Verdict {
    let is_sent = !matches!(order.fate(), Fate::Duplicate | Fate::NoRoute);
    Verdict { status: "queued".into(), is_sent, is_followed: true }
}
