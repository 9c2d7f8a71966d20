//! `GET /v3/sms/history`: what ClickSend has sent. It can be filtered by receiver but not by our id, so that is compared here.

use super::super::answers::Price;
use super::super::lookup::{Asked, Found};
use super::super::reading::{micros, number, text, word};
use super::{currency, own_id};
use crate::domain::sms::SmsStatus;
use crate::domain::time::Millis;
use serde_json::Value;

/// Clocks differ.
const LOOKS_BACK: Millis = Millis::minutes(10);
const PAGE_ITEMS: u32 = 100;

pub(super) fn question(asked: &Asked) -> String {
    let filter = match &asked.provider_message_id {
        Some(id) => format!("message_id:{id}"),
        None => format!("to:{}", asked.to),
    };
    let from = (asked.handed_at - LOOKS_BACK).0 / 1_000;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("q", &filter).append_pair("date_from", &from.to_string());
    query.append_pair("order_by", "date:asc").append_pair("limit", &PAGE_ITEMS.to_string());
    format!("/v3/sms/history?{}", query.finish())
}

pub(super) fn find(asked: &Asked, body: &[u8]) -> Result<Option<Found>, String> {
    let doc: Value = serde_json::from_slice(body).map_err(|_| "the history is not JSON".to_owned())?;
    if let Some(code) = number(&doc["http_code"]).filter(|code| *code >= 400) {
        return Err(format!("the history answers {code}"));
    }
    let items = doc["data"]["data"].as_array().or(doc["data"].as_array()).ok_or("the history names no messages")?;
    Ok(items.iter().find(|item| own_id(item).as_ref() == Some(&asked.sms_id)).map(|item| found(item, &doc["data"])))
}

fn found(item: &Value, data: &Value) -> Found {
    Found {
        provider_message_id: text(&item["message_id"]),
        status: status(word(&item["status_code"]).as_deref(), word(&item["status"]).as_deref()),
        word: word(&item["status"]),
        price: micros(&item["message_price"]).map(|micros| Price { micros, currency: currency(data) }),
    }
}

/// The code is the receipt's. `Completed` only says that ClickSend has done its part.
fn status(code: Option<&str>, word: Option<&str>) -> Option<SmsStatus> {
    match (code, word.map(str::to_ascii_uppercase).as_deref()) {
        (Some("201"), _) => Some(SmsStatus::Delivered),
        (Some("301"), _) | (_, Some("FAILED" | "CANCELLED" | "CANCELLED_AFTER_REVIEW")) => Some(SmsStatus::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use serde_json::json;

    fn asked() -> Asked {
        Asked {
            sms_id: "our-id".into(),
            to: "+61491570006".into(),
            handed_at: Timestamp(1_796_338_801_000),
            provider_message_id: None,
        }
    }

    #[test]
    fn the_question_names_the_receiver_and_the_time() {
        assert_eq!(
            question(&asked()),
            "/v3/sms/history?q=to%3A%2B61491570006&date_from=1796338201&order_by=date%3Aasc&limit=100"
        );
        let known = Asked { provider_message_id: Some("M-1".into()), ..asked() };
        assert!(question(&known).starts_with("/v3/sms/history?q=message_id%3AM-1&"));
    }

    #[test]
    fn only_our_own_id_counts() {
        let page =
            |items: Value| json!({"http_code": 200, "response_code": "SUCCESS", "data": {"total": 1, "data": items}}).to_string();
        let look = |items: Value| find(&asked(), page(items).as_bytes());
        assert_eq!(look(json!([])), Ok(None));
        assert_eq!(look(json!([{"custom_string": "other", "to": "+61491570006", "message_id": "M"}])), Ok(None));
        for (item, status) in [
            (json!({"status": "Completed", "status_code": null}), None),
            (json!({"status": "Sent", "status_code": 201}), Some(SmsStatus::Delivered)),
            (json!({"status": "Sent", "status_code": "301"}), Some(SmsStatus::Failed)),
            (json!({"status": "Cancelled"}), Some(SmsStatus::Failed)),
        ] {
            let mut item = item;
            item["custom_string"] = json!("our-id");
            item["message_id"] = json!("M-1");
            item["message_price"] = json!("0.0792");
            let found = look(json!([item])).expect("it reads").expect("it is there");
            assert_eq!((found.status, found.provider_message_id.as_deref()), (status, Some("M-1")));
            assert_eq!(found.price, Some(Price { micros: 79_200, currency: "AUD".into() }));
        }
        assert!(find(&asked(), b"<html>").is_err());
        assert!(find(&asked(), br#"{"http_code":429,"data":null}"#).is_err());
        assert!(find(&asked(), br#"{"http_code":200,"data":null}"#).is_err());
    }
}
