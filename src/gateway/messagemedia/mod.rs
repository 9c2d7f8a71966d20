//! MessageMedia (Sinch Engage), messages API version 1. Our id goes along as metadata, and comes back with every report.

mod report;
mod status;

use super::answers::{Answers, Said, raw};
use super::live::{Dialect, Reading};
use super::lookup::{Asked, Found};
use super::reading::{assign, text, whole_items, word};
use super::{Account, Outgoing, SendResult};
use serde_json::{Value, json};
use status::{Action, action_of};
use std::collections::HashMap;

/// The name under which our id travels.
const OUR_ID: &str = "sms_id";
/// No short code has more digits, no phone number fewer.
const SHORT_CODE_DIGITS_MAX: usize = 8;

pub struct MessageMedia;

impl Dialect for MessageMedia {
    const NAME: &'static str = "messagemedia";
    const BASE_URL: &'static str = "https://api.messagemedia.com";
    const SEND_PATH: &'static str = "/v1/messages";
    const BATCH_MAX: usize = 100;

    fn request(account: &Account, texts: &[Outgoing]) -> Value {
        json!({ "messages": texts.iter().map(|text| message(account, text)).collect::<Vec<_>>() })
    }

    fn read(texts: &[Outgoing], body: &[u8]) -> Reading {
        let Ok(doc) = serde_json::from_slice::<Value>(body) else { return Reading::Unreadable("it is not JSON") };
        let Some(items) = doc["messages"].as_array() else { return Reading::Unreadable("it names no messages") };
        Reading::Texts(read_items(texts, items))
    }

    fn salvage(texts: &[Outgoing], body: &[u8]) -> HashMap<String, String> {
        let items = whole_items(body, "messages");
        let ids = assign(texts, &items, own_id, receiver).into_iter();
        ids.filter_map(|(id, items)| Some((id, text(&items.first()?["message_id"])?))).collect()
    }

    fn question(asked: &Asked) -> String {
        report::question(asked)
    }

    fn find(asked: &Asked, body: &[u8]) -> Result<Option<Found>, String> {
        report::find(asked, body)
    }
}

fn message(account: &Account, text: &Outgoing) -> Value {
    let mut message = json!({
        "content": text.body, "destination_number": text.to, "format": "SMS", "delivery_report": true,
        "source_number": account.from, "source_number_type": source_type(&account.from),
        "metadata": { OUR_ID: text.sms_id },
    });
    if let Some(url) = account.callback_url() {
        message["callback_url"] = json!(url);
    }
    message
}

fn source_type(from: &str) -> &'static str {
    let digits = from.strip_prefix('+').unwrap_or(from);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        "ALPHANUMERIC"
    } else if digits.len() <= SHORT_CODE_DIGITS_MAX {
        "SHORTCODE"
    } else {
        "INTERNATIONAL"
    }
}

fn own_id(item: &Value) -> Option<String> {
    text(&item["metadata"][OUR_ID])
}

fn receiver(item: &Value) -> Option<String> {
    text(&item["destination_number"])
}

fn read_items(texts: &[Outgoing], items: &[Value]) -> Answers {
    let mut answers = Answers::default();
    for (sms_id, items) in assign(texts, items, own_id, receiver) {
        let Some(item) = items.first() else { continue };
        let status = word(&item["status"]).unwrap_or_default();
        let result = match (action_of(&status), text(&item["message_id"])) {
            (Action::Accept, Some(provider_message_id)) => SendResult::Accepted { provider_message_id },
            (Action::Accept, None) => SendResult::Unknown { detail: format!("{status} without a message id") },
            (Action::Refuse(reason), _) => SendResult::Refused { reason: reason.to_owned() },
        };
        answers.put(&sms_id, result, said(item, status));
    }
    answers
}

fn said(item: &Value, status: String) -> Said {
    let mut kept = item.clone();
    // It holds the token of our own webhooks.
    if let Some(fields) = kept.as_object_mut() {
        fields.remove("callback_url");
    }
    Said {
        status: Some(status),
        provider_message_id: text(&item["message_id"]),
        price: None,
        parts: None,
        raw: raw(kept.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_decides_its_type() {
        for (from, kind) in [
            ("+61491570156", "INTERNATIONAL"),
            ("61491570156", "INTERNATIONAL"),
            ("19901234", "SHORTCODE"),
            ("Avatar", "ALPHANUMERIC"),
            ("24HR-MRI", "ALPHANUMERIC"),
        ] {
            assert_eq!(source_type(from), kind, "{from}");
        }
    }

    #[test]
    fn what_is_kept_does_not_hold_the_token() {
        let item = json!({"message_id": "m", "callback_url": "https://clinic.example/webhooks/sms/receipts/token"});
        assert_eq!(said(&item, "queued".into()).raw, r#"{"message_id":"m"}"#);
    }
}
