//! MessageMedia: replies and delivery reports, JSON; or a form with the same names, whose metadata is `metadata.sms_id`.

use crate::domain::event::{MessageInput, ReceiptInput};
use crate::domain::sms::SmsStatus;
use crate::inbound::Moment;
use crate::inbound::fields;
use crate::inbound::json::Json;
use crate::inbound::parsed::Parsed;

const PROVIDER: &str = "messagemedia";

pub fn reply(doc: &Json<'_>, moment: Moment) -> Result<Parsed, String> {
    let from = fields::short(doc.get("source_number")).ok_or("the text has no sender")?;
    let id = fields::id(doc.get("reply_id")).or_else(|| fields::id(doc.get("id")));
    let message = MessageInput {
        from,
        to: fields::short(doc.get("destination_number")),
        body: fields::body(doc.get("content")).unwrap_or_default(),
        provider_message_id: id.clone(),
        in_reply_to: fields::id(doc.get("message_id")),
        reply_to_sms_id: our_id(doc),
        ..MessageInput::default()
    };
    Ok(super::received(PROVIDER, id, fields::time(doc.get("date_received"), moment.zone), message))
}

/// Its `source_number` is the patient: a report comes from where the text went.
pub fn receipt(doc: &Json<'_>, moment: Moment) -> Result<Parsed, String> {
    let id = fields::id(doc.get("delivery_report_id"));
    let code = fields::id(doc.get("error_code"));
    let word = fields::short(doc.get("status"));
    let receipt = ReceiptInput {
        provider: PROVIDER.to_owned(),
        provider_message_id: fields::id(doc.get("message_id")),
        sms_id: our_id(doc),
        status: status(code.as_deref(), word.as_deref()),
        status_code: code,
        detail: word,
        at: fields::time(doc.get("date_received"), moment.zone),
    };
    if receipt.provider_message_id.is_none() && receipt.sms_id.is_none() {
        return Err("the receipt names no message".to_owned());
    }
    Ok(super::receipt(PROVIDER, id, receipt))
}

fn our_id(doc: &Json<'_>) -> Option<String> {
    fields::id(doc.at(&["metadata", "sms_id"])).or_else(|| fields::id(doc.get("metadata.sms_id")))
}

/// The code says it more exactly than the word. `None`: the text is on its way, or it cannot be said.
fn status(code: Option<&str>, word: Option<&str>) -> Option<SmsStatus> {
    match code.and_then(|code| code.parse::<u16>().ok()) {
        Some(101 | 102 | 151 | 200..=213) => None,
        Some(220 | 221) => Some(SmsStatus::Delivered),
        Some(320 | 401) => Some(SmsStatus::Expired),
        Some(301..=305 | 330..=333 | 400 | 402 | 403 | 405 | 410..=414) => Some(SmsStatus::Failed),
        _ => word.and_then(of_word),
    }
}

fn of_word(status: &str) -> Option<SmsStatus> {
    match status.to_ascii_lowercase().as_str() {
        "delivered" | "read" => Some(SmsStatus::Delivered),
        "expired" => Some(SmsStatus::Expired),
        "failed" | "rejected" | "undeliverable" | "cancelled" => Some(SmsStatus::Failed),
        _ => None,
    }
}
