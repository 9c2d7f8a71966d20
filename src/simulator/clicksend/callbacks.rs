//! Receipts and inbound texts as ClickSend's rules push them: receipts as forms, inbound texts as JSON, unless asked otherwise.

use super::{SUBACCOUNT_ID, USER_ID};
use crate::domain::time::Timestamp;
use crate::simulator::courier::{Parcel, Reply};
use crate::simulator::ledger::Text;
use crate::simulator::reports::{Encoding, Failure, Report};
use serde_json::{Map, Value, json};

pub(in crate::simulator) fn receipt(text: &Text, report: Report, now: Timestamp, encoding: Option<Encoding>) -> Parcel {
    let id = text.id.clone().unwrap_or_default();
    let (code, status, words) = status(report);
    let (error, error_words) = error(report);
    // Numbers are strings in a receipt, whatever it is written as.
    let fields = json!({
        "custom_string": id, "customstring": id, "error_code": error, "error_text": error_words, "message_id": text.message_id,
        "message_type": "sms", "messageid": text.message_id, "status": status, "status_code": code, "status_text": words,
        "subaccount_id": SUBACCOUNT_ID.to_string(), "timestamp": seconds(now).to_string(),
        "timestamp_send": seconds(text.at).to_string(), "user_id": USER_ID.to_string(),
    });
    written(&fields, encoding.unwrap_or(Encoding::Form))
}

pub(in crate::simulator) fn reply(reply: &Reply, now: Timestamp, encoding: Option<Encoding>) -> Parcel {
    let about = reply.about.as_ref();
    let original = about.map(|text| text.message_id.clone()).unwrap_or_default();
    let id = about.and_then(|text| text.id.clone()).unwrap_or_default();
    let words = about.map(|text| text.body.clone()).unwrap_or_default();
    let mut fields = json!({
        "originalsenderid": reply.to, "body": reply.body, "message": reply.body, "from": reply.from, "timestamp": seconds(now),
        "message_id": reply.id, "original_message_id": original, "user_id": USER_ID, "subaccount_id": SUBACCOUNT_ID,
        "custom_string": id,
    });
    let encoding = encoding.unwrap_or(Encoding::Json);
    // The two descriptions that ClickSend gives do not agree on `sms`.
    let further = match encoding {
        Encoding::Json => json!({ "sms": reply.from, "to": reply.to, "original_body": words }),
        Encoding::Form => json!({ "sms": reply.to, "customstring": id, "originalmessage": words, "originalmessageid": original }),
    };
    if let (Some(fields), Value::Object(further)) = (fields.as_object_mut(), further) {
        fields.extend(further);
    }
    written(&fields, encoding)
}

fn written(fields: &Value, encoding: Encoding) -> Parcel {
    match encoding {
        Encoding::Json => Parcel { content_type: "application/json", body: fields.to_string() },
        Encoding::Form => Parcel { content_type: "application/x-www-form-urlencoded", body: form(fields.as_object()) },
    }
}

fn form(fields: Option<&Map<String, Value>>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.into_iter().flatten() {
        form.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
    }
    form.finish()
}

const fn status(report: Report) -> (&'static str, &'static str, &'static str) {
    match report {
        Report::OnItsWay => ("200", "Sent", "Success: Message sent."),
        Report::Trouble => ("300", "Sent", "Temporary network error: will be tried again."),
        Report::Delivered => ("201", "Delivered", "Success: Message received on handset."),
        Report::Failed(Failure::UnknownSubscriber) => ("301", "Failed", "Failed: Unknown subscriber"),
        Report::Failed(_) => ("301", "Failed", "Failed"),
        Report::Expired => ("301", "Failed", "Failed: Expired"),
    }
}

const fn error(report: Report) -> (&'static str, &'static str) {
    match report {
        Report::Failed(Failure::UnknownSubscriber) => ("8", "Unknown subscriber. Number is inactive or invalid"),
        Report::Failed(Failure::Blocked) => ("19", "Rejected as spam"),
        Report::Trouble => ("12", "Absent subscriber"),
        Report::Expired => ("20", "The receipt has expired"),
        _ => ("", ""),
    }
}

const fn seconds(at: Timestamp) -> i64 {
    at.0 / 1_000
}
