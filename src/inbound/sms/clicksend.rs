//! ClickSend: inbound texts and receipts, as form or JSON with the same keys.

use crate::domain::event::{MessageInput, ReceiptInput};
use crate::domain::sms::SmsStatus;
use crate::inbound::Moment;
use crate::inbound::fields::{self, NAME_CHARS_MAX};
use crate::inbound::json::Json;
use crate::inbound::parsed::Parsed;

const PROVIDER: &str = "clicksend";

/// `sms` is our number in one of ClickSend's descriptions and the patient's in another, so it is not read.
pub fn inbound(doc: &Json<'_>, moment: Moment) -> Result<Parsed, String> {
    let from = fields::short(doc.get("from")).ok_or("the text has no sender")?;
    let id = fields::id(doc.get("message_id"));
    let message = MessageInput {
        from,
        to: fields::short(doc.get("originalsenderid")).or_else(|| fields::short(doc.get("to"))),
        body: fields::body(doc.get("body")).or_else(|| fields::body(doc.get("message"))).unwrap_or_default(),
        provider_message_id: id.clone(),
        in_reply_to: fields::id(doc.get("original_message_id")).or_else(|| fields::id(doc.get("originalmessageid"))),
        reply_to_sms_id: custom_string(doc),
        ..MessageInput::default()
    };
    Ok(super::received(PROVIDER, id, time(doc, moment), message))
}

pub fn receipt(doc: &Json<'_>, moment: Moment) -> Result<Parsed, String> {
    let message_id = fields::id(doc.get("message_id")).or_else(|| fields::id(doc.get("messageid")));
    let message_id = message_id.ok_or("the receipt names no message")?;
    let code = fields::id(doc.get("status_code")).unwrap_or_default();
    let receipt = ReceiptInput {
        provider: PROVIDER.to_owned(),
        provider_message_id: Some(message_id.clone()),
        sms_id: custom_string(doc),
        status: status(&code),
        detail: fields::short(doc.get("error_text")).or_else(|| fields::short(doc.get("status_text"))),
        at: time(doc, moment),
        status_code: fields::tidy(&code, NAME_CHARS_MAX),
    };
    Ok(super::receipt(PROVIDER, Some(format!("{message_id}:{code}")), receipt))
}

/// 200 and 300 are progress; so is what we do not know.
fn status(code: &str) -> Option<SmsStatus> {
    match code {
        "201" => Some(SmsStatus::Delivered),
        "301" => Some(SmsStatus::Failed),
        _ => None,
    }
}

fn custom_string(doc: &Json<'_>) -> Option<String> {
    fields::id(doc.get("custom_string")).or_else(|| fields::id(doc.get("customstring")))
}

fn time(doc: &Json<'_>, moment: Moment) -> Option<crate::domain::time::Timestamp> {
    fields::time(doc.get("timestamp"), moment.zone).or_else(|| fields::time(doc.get("timestamp_send"), moment.zone))
}
