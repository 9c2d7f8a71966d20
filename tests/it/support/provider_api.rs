//! The documented shapes of both providers.

use super::provider::{State, Taken};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    ClickSend,
    MessageMedia,
}

impl Api {
    pub fn name(self) -> &'static str {
        match self {
            Self::ClickSend => "clicksend",
            Self::MessageMedia => "messagemedia",
        }
    }

    pub fn send_path(self) -> &'static str {
        match self {
            Self::ClickSend => "/v3/sms/send",
            Self::MessageMedia => "/v1/messages",
        }
    }

    pub fn good_status(self) -> u16 {
        match self {
            Self::ClickSend => 200,
            Self::MessageMedia => 202,
        }
    }

    pub fn refusal_of_strangers(self) -> u16 {
        match self {
            Self::ClickSend => 401,
            Self::MessageMedia => 403,
        }
    }

    pub fn error(self, status: u16) -> String {
        let body = match self {
            Self::ClickSend => json!({ "http_code": status, "response_code": "SOME_WORD", "response_msg": "No.", "data": null }),
            Self::MessageMedia => json!({ "message": "No.", "details": ["No."] }),
        };
        body.to_string()
    }

    /// The answer to a question about texts.
    pub fn lookup(self, path: &str, state: &State) -> (u16, String) {
        let shown: &[Taken] = if state.is_blind { &[] } else { &state.ledger };
        let (address, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query.replace("%3A", ":").replace("%2B", "+");
        let holds = |key: &str, value: &str| query.split('&').any(|pair| pair == format!("{key}={value}"));
        match (self, address) {
            (Self::ClickSend, "/v3/sms/history") => {
                let wanted =
                    |t: &&Taken| holds("q", &format!("to:{}", t.to)) || holds("q", &format!("message_id:{}", t.message_id));
                let items: Vec<Value> = shown.iter().filter(wanted).map(clicksend_record).collect();
                let data = json!({ "total": items.len(), "per_page": 100, "current_page": 1, "last_page": 1, "data": items });
                (200, json!({ "http_code": 200, "response_code": "SUCCESS", "response_msg": "Here are your messages.", "data": data }).to_string())
            }
            (Self::MessageMedia, "/v1/reporting/sent_messages/detail") => {
                let wanted = |t: &&Taken| holds("metadata_value", &t.sms_id) && holds("metadata_key", "sms_id");
                let items: Vec<Value> = shown.iter().filter(wanted).map(messagemedia_record).collect();
                (200, json!({ "properties": {}, "pagination": { "page": 1 }, "data": items }).to_string())
            }
            (Self::MessageMedia, one) => match shown.iter().find(|t| one == format!("/v1/messages/{}", t.message_id)) {
                Some(t) => (
                    200,
                    json!({ "message_id": t.message_id, "status": "enroute", "metadata": { "sms_id": t.sms_id } }).to_string(),
                ),
                None => (404, self.error(404)),
            },
            _ => (404, self.error(404)),
        }
    }
}

fn clicksend_record(taken: &Taken) -> Value {
    json!({
        "direction": "out", "date": 1_796_338_801, "to": taken.to, "body": taken.body, "status": "Completed", "status_code": null,
        "message_id": taken.message_id, "message_price": "0.0792", "message_parts": "1.00", "custom_string": taken.sms_id,
    })
}

fn messagemedia_record(taken: &Taken) -> Value {
    json!({ "id": taken.message_id, "destination_address": taken.to, "content": taken.body, "metadata": { "sms_id": taken.sms_id } })
}

/// Takes the texts of a request, as far as their words allow.
pub fn answer_of(api: Api, request: &Value, state: &mut State) -> Value {
    let messages = request["messages"].as_array().cloned().unwrap_or_default();
    let items: Vec<Value> = messages.iter().map(|message| take(api, message, state)).collect();
    match api {
        Api::ClickSend => json!({
            "http_code": 200, "response_code": "SUCCESS", "response_msg": "Messages queued for delivery.",
            "data": { "total_price": 0.0792, "total_count": items.len(), "messages": items, "_currency": { "currency_name_short": "AUD" } },
        }),
        Api::MessageMedia => json!({ "messages": items }),
    }
}

fn take(api: Api, message: &Value, state: &mut State) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message_id = format!("M-{}", state.ledger.len() + 1);
    let taken = match api {
        Api::ClickSend => {
            Taken { sms_id: text(&message["custom_string"]), to: text(&message["to"]), body: text(&message["body"]), message_id }
        }
        Api::MessageMedia => Taken {
            sms_id: text(&message["metadata"]["sms_id"]),
            to: text(&message["destination_number"]),
            body: text(&message["content"]),
            message_id,
        },
    };
    let good = if api == Api::ClickSend { "SUCCESS" } else { "queued" };
    let word = state.words.get(&taken.to).cloned().unwrap_or_else(|| good.to_owned());
    let mut item = message.clone();
    item["message_id"] = json!(taken.message_id);
    item["status"] = json!(word);
    if api == Api::ClickSend {
        item["message_price"] = json!("0.0792");
        item["message_parts"] = json!(1);
    }
    if word == good {
        state.ledger.push(taken);
    }
    item
}
