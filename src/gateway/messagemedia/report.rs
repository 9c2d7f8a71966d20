//! Asking MessageMedia about a text: by its id when it is known, else in the report of sent messages, by our own.

use super::super::lookup::{Asked, Found};
use super::super::reading::{text, word};
use super::status::status_of;
use super::{OUR_ID, own_id};
use crate::domain::time::{Millis, Timestamp};
use serde_json::Value;

/// Clocks differ.
const LOOKS_BACK: Millis = Millis::minutes(10);
/// The report is about a span of time.
const LOOKS_AHEAD: Millis = Millis::days(1);

pub(super) fn question(asked: &Asked) -> String {
    if let Some(id) = &asked.provider_message_id {
        let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        return format!("/v1/messages/{id}");
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("metadata_key", OUR_ID).append_pair("metadata_value", &asked.sms_id);
    query.append_pair("start_date", &local(asked.handed_at - LOOKS_BACK));
    query.append_pair("end_date", &local(asked.handed_at + LOOKS_AHEAD)).append_pair("timezone", "UTC");
    format!("/v1/reporting/sent_messages/detail?{}", query.finish())
}

fn local(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%dT%H:%M:%S").to_string()
}

pub(super) fn find(asked: &Asked, body: &[u8]) -> Result<Option<Found>, String> {
    let doc: Value = serde_json::from_slice(body).map_err(|_| "the answer is not JSON".to_owned())?;
    if asked.provider_message_id.is_some() {
        let id = text(&doc["message_id"]).ok_or("the answer names no message")?;
        return Ok((Some(&id) == asked.provider_message_id.as_ref()).then(|| found(&doc, Some(id))));
    }
    let items = doc["data"].as_array().ok_or("the report names no messages")?;
    let item = items.iter().find(|item| own_id(item).as_ref() == Some(&asked.sms_id));
    Ok(item.map(|item| found(item, text(&item["id"]).or_else(|| text(&item["message_id"])))))
}

fn found(item: &Value, provider_message_id: Option<String>) -> Found {
    let word = word(&item["status"]);
    Found { provider_message_id, status: word.as_deref().and_then(status_of), word, price: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sms::SmsStatus;
    use serde_json::json;

    fn asked(provider_message_id: Option<&str>) -> Asked {
        Asked {
            sms_id: "our-id".into(),
            to: "+61491570006".into(),
            handed_at: Timestamp(1_796_338_801_000),
            provider_message_id: provider_message_id.map(str::to_owned),
        }
    }

    #[test]
    fn a_text_is_asked_for_by_the_best_id_there_is() {
        assert_eq!(question(&asked(Some("877c19ef/x"))), "/v1/messages/877c19ef%2Fx");
        assert_eq!(
            question(&asked(None)),
            "/v1/reporting/sent_messages/detail?metadata_key=sms_id&metadata_value=our-id\
             &start_date=2026-12-03T22%3A50%3A01&end_date=2026-12-04T23%3A00%3A01&timezone=UTC"
        );
    }

    #[test]
    fn both_answers_are_read() {
        let one = json!({"message_id": "m-1", "status": "enroute"}).to_string();
        let found = find(&asked(Some("m-1")), one.as_bytes()).expect("it reads").expect("it is there");
        assert_eq!((found.status, found.word.as_deref()), (None, Some("enroute")));
        assert_eq!(find(&asked(Some("m-2")), one.as_bytes()), Ok(None), "another message");
        let item = |id: &str| json!({"id": "m-1", "metadata": {"sms_id": id}, "status": "DELIVERED"});
        let report = |id| json!({"pagination": {}, "data": [item("other"), item(id)]}).to_string();
        let found = find(&asked(None), report("our-id").as_bytes()).expect("it reads").expect("it is there");
        assert_eq!((found.status, found.provider_message_id.as_deref()), (Some(SmsStatus::Delivered), Some("m-1")));
        assert_eq!(find(&asked(None), report("another").as_bytes()), Ok(None));
        assert!(find(&asked(None), b"{}").is_err());
        assert!(find(&asked(None), b"<html>").is_err());
    }
}
