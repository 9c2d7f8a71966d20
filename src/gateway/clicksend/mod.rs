//! ClickSend, REST API version 3. It has no idempotency key: our id goes along as `custom_string`, and comes back with everything.

mod history;
mod status;

use super::answers::{Answers, Price, Said, Stop, raw};
use super::live::{Dialect, Reading};
use super::lookup::{Asked, Found};
use super::reading::{assign, micros, number, text, whole_items, word};
use super::{Account, Outgoing, SendResult};
use serde_json::{Value, json};
use status::{Action, action_of};
use std::collections::HashMap;

/// How our own program is named in ClickSend's statistics.
const SOURCE: &str = "avatar-cms";
/// Prices are in the account's currency; when the answer does not name it, this is what Australian accounts have.
const CURRENCY: &str = "AUD";

pub struct ClickSend;

impl Dialect for ClickSend {
    const NAME: &'static str = "clicksend";
    const BASE_URL: &'static str = "https://rest.clicksend.com";
    const SEND_PATH: &'static str = "/v3/sms/send";
    // It takes 1,000; fewer are of unknown fate when the answer is lost.
    const BATCH_MAX: usize = 100;

    fn request(account: &Account, texts: &[Outgoing]) -> Value {
        let message = |text: &Outgoing| {
            json!({
                "source": SOURCE, "from": account.from, "to": text.to, "body": text.body, "custom_string": text.sms_id,
                "country": "AU",
            })
        };
        json!({ "messages": texts.iter().map(message).collect::<Vec<_>>() })
    }

    fn read(texts: &[Outgoing], body: &[u8]) -> Reading {
        let Ok(doc) = serde_json::from_slice::<Value>(body) else { return Reading::Unreadable("it is not JSON") };
        let code_word = word(&doc["response_code"]).unwrap_or_default();
        // The envelope has a status of its own, and it counts more than that of HTTP.
        if let Some(code) = number(&doc["http_code"]).filter(|code| *code >= 400) {
            return Reading::Status(u16::try_from(code).unwrap_or(0), code_word);
        }
        if let Some(Action::Stop(reason)) = status::known(&code_word) {
            return Reading::Stop(reason, code_word);
        }
        let Some(items) = doc["data"]["messages"].as_array() else { return Reading::Unreadable("it names no messages") };
        Reading::Texts(read_items(texts, items, &currency(&doc["data"])))
    }

    fn salvage(texts: &[Outgoing], body: &[u8]) -> HashMap<String, String> {
        let items = whole_items(body, "messages");
        let taken = |item: &&Value| word(&item["status"]).is_some_and(|w| action_of(&w) == Action::Accept);
        let ids = assign(texts, &items, own_id, receiver).into_iter();
        ids.filter_map(|(id, items)| Some((id, text(&items.into_iter().find(taken)?["message_id"])?))).collect()
    }

    fn question(asked: &Asked) -> String {
        history::question(asked)
    }

    fn find(asked: &Asked, body: &[u8]) -> Result<Option<Found>, String> {
        history::find(asked, body)
    }
}

fn own_id(item: &Value) -> Option<String> {
    text(&item["custom_string"])
}

fn receiver(item: &Value) -> Option<String> {
    text(&item["to"])
}

fn currency(data: &Value) -> String {
    word(&data["_currency"]["currency_name_short"]).unwrap_or_else(|| CURRENCY.to_owned())
}

fn read_items(texts: &[Outgoing], items: &[Value], currency: &str) -> Answers {
    let mut answers = Answers::default();
    for (sms_id, items) in assign(texts, items, own_id, receiver) {
        // Should one text be spoken of twice, then it counts as sent when it was sent at all.
        let is_taken = |item: &&&Value| word(&item["status"]).is_some_and(|w| action_of(&w) == Action::Accept);
        let Some(item) = items.iter().find(is_taken).or(items.first()) else { continue };
        let status = word(&item["status"]).unwrap_or_default();
        let action = action_of(&status);
        if let Action::Stop(reason) = action {
            answers.stop = Some(Stop { reason, detail: status.clone(), retry_after: None });
        }
        let result = result(action, &status, text(&item["message_id"]));
        answers.put(&sms_id, result, said(item, status, currency));
    }
    answers
}

fn result(action: Action, status: &str, message_id: Option<String>) -> SendResult {
    match (action, message_id) {
        (Action::Accept, Some(provider_message_id)) => SendResult::Accepted { provider_message_id },
        (Action::Accept, None) => SendResult::Unknown { detail: format!("{status} without a message id") },
        (Action::Refuse(reason), _) => SendResult::Refused { reason: reason.to_owned() },
        (Action::Stop(reason), _) => SendResult::NotProcessed { reason: reason.as_str().to_owned(), retry_after: None },
        (Action::Unknown, _) => SendResult::Unknown { detail: status.to_owned() },
    }
}

fn said(item: &Value, status: String, currency: &str) -> Said {
    Said {
        status: Some(status),
        provider_message_id: text(&item["message_id"]),
        price: micros(&item["message_price"]).map(|micros| Price { micros, currency: currency.to_owned() }),
        parts: number(&item["message_parts"]).and_then(|n| i32::try_from(n).ok()),
        raw: raw(item.to_string().as_bytes()),
    }
}
