//! Delivery reports and replies, JSON. A report comes from where the text went: its `source_number` is the patient.

use super::word;
use crate::domain::time::Timestamp;
use crate::simulator::courier::{Parcel, Reply};
use crate::simulator::ledger::Text;
use crate::simulator::reports::{Failure, Report};
use serde_json::{Value, json};

pub(in crate::simulator) fn receipt(text: &Text, report: Report, id: &str, now: Timestamp) -> Parcel {
    let body = json!({
        "callback_url": text.callback, "delivery_report_id": id, "source_number": text.to, "date_received": written(now),
        "status": word(Some(report)), "delay": 0, "billing_units": text.parts, "submitted_date": written(text.at),
        "original_text": text.body, "message_id": text.message_id, "vendor_account_id": vendor(), "error_code": code(report),
        "metadata": metadata(text),
    });
    parcel(&body)
}

/// `callback` is the address of the text that is answered.
pub(in crate::simulator) fn reply(reply: &Reply, now: Timestamp, callback: Option<&str>) -> Parcel {
    let about = reply.about.as_ref();
    let body = json!({
        "callback_url": callback, "reply_id": reply.id, "message_id": about.map(|text| text.message_id.clone()),
        "date_received": written(now), "destination_number": Some(&reply.to).filter(|to| !to.is_empty()),
        "source_number": reply.from, "vendor_account_id": vendor(), "content": reply.body,
        "metadata": about.map_or_else(|| json!({}), metadata),
    });
    parcel(&body)
}

pub(super) fn metadata(text: &Text) -> Value {
    text.id.as_ref().map_or_else(|| json!({}), |id| json!({ "sms_id": id }))
}

fn parcel(body: &Value) -> Parcel {
    Parcel { content_type: "application/json", body: body.to_string() }
}

fn vendor() -> Value {
    json!({ "vendor_id": "MessageMedia", "account_id": "AvatarImaging" })
}

const fn code(report: Report) -> &'static str {
    match report {
        Report::OnItsWay => "200",
        Report::Trouble => "212",
        Report::Delivered => "221",
        Report::Failed(Failure::UnknownSubscriber) => "411",
        Report::Failed(Failure::Blocked) => "302",
        Report::Failed(Failure::Duplicate) => "305",
        Report::Failed(Failure::NoRoute) => "332",
        Report::Failed(Failure::Unexplained) => "400",
        Report::Expired => "401",
    }
}

fn written(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
