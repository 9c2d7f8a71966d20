//! The report of sent messages: what was sent in a span of time, by metadata, in pages.

use super::callbacks::metadata;
use crate::domain::time::Timestamp;
use crate::simulator::Shared;
use crate::simulator::ledger::Text;
use crate::simulator::wire::{Answer, Request};
use serde_json::{Value, json};

pub(super) const SENT_MESSAGES: &str = "/v1/reporting/sent_messages/detail";
const PAGE_SIZE_DEFAULT: usize = 20;
const PAGE_SIZE_MAX: usize = 100;
/// Texts that are looked through for one answer.
const FOUND_MAX: usize = 10_000;

/// The span must be given, in local time of the zone that is asked for; here only UTC is known.
pub(super) fn sent_messages(shared: &Shared, request: &Request) -> Answer {
    let (Some(from), Some(to)) = (time(request, "start_date"), time(request, "end_date")) else {
        return super::invalid(&["start_date and end_date must be given as 2026-12-02T00:00:00".to_owned()]);
    };
    if request.asked("timezone").is_some_and(|zone| zone != "UTC") {
        return super::invalid(&["the simulator knows no time zone but UTC".to_owned()]);
    }
    let (key, value) = (request.asked("metadata_key"), request.asked("metadata_value"));
    let wanted = |text: &Text| match (key.as_deref(), value.as_deref()) {
        (Some("sms_id"), Some(value)) => text.id.as_deref() == Some(value),
        (Some("sms_id"), None) => text.id.is_some(),
        (Some(_), _) => false,
        (None, _) => true,
    };
    let found = shared.ledger.newest(FOUND_MAX, |text| text.is_sent && (from..=to).contains(&text.at) && wanted(text));
    page(&found, request)
}

/// The page of `found` that is asked for.
pub(super) fn page(found: &[Text], request: &Request) -> Answer {
    let number = |name: &str| request.asked(name).and_then(|text| text.parse::<usize>().ok());
    let size = number("page_size").unwrap_or(PAGE_SIZE_DEFAULT).clamp(1, PAGE_SIZE_MAX);
    let page = number("page").unwrap_or(1).max(1);
    let shown: Vec<Value> = found.iter().skip((page - 1).saturating_mul(size)).take(size).map(entry).collect();
    Answer::json(
        200,
        &json!({
            "properties": { "start_date": request.asked("start_date"), "end_date": request.asked("end_date"), "timezone": "UTC" },
            "pagination": { "page": page, "page_size": size, "total_count": found.len(), "page_count": found.len().div_ceil(size) },
            "data": shown,
        }),
    )
}

fn time(request: &Request, name: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(&format!("{}Z", request.asked(name)?))
}

/// It says that a message was sent, not what became of it: that is in the report of delivery reports.
fn entry(text: &Text) -> Value {
    json!({
        "id": text.message_id, "account": "AvatarImaging", "content": text.body, "format": "SMS", "metadata": metadata(text),
        "source_address": text.from, "destination_address": text.to, "destination_address_country": "AU",
        "timestamp": text.at.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), "units": text.parts,
    })
}
