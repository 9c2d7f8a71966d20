//! What was sent, newest first, in pages. One filter at a time: `q=to:+61…`, `from:`, `status:`, `message_id:`; and by day.

use super::send::price_of;
use super::{SUBACCOUNT_ID, USER_ID, currency, success};
use crate::simulator::Shared;
use crate::simulator::ledger::Text;
use crate::simulator::reports::Report;
use crate::simulator::wire::{Answer, Request};
use serde_json::{Value, json};

const PER_PAGE_DEFAULT: usize = 15;
const PER_PAGE_MAX: usize = 100;
/// Texts that are looked through for one answer.
const FOUND_MAX: usize = 10_000;

pub(super) fn history(shared: &Shared, request: &Request) -> Answer {
    let (from_s, to_s) = (number(request, "date_from").unwrap_or(0), number(request, "date_to").unwrap_or(usize::MAX));
    let filter = request.asked("q");
    let found = shared.ledger.newest(FOUND_MAX, |text| {
        let seconds = usize::try_from(text.at.0 / 1_000).unwrap_or(0);
        text.is_sent && (from_s..=to_s).contains(&seconds) && filter.as_deref().is_none_or(|filter| matches(text, filter))
    });
    page(&found, request)
}

fn number(request: &Request, name: &str) -> Option<usize> {
    request.asked(name)?.parse().ok()
}

/// The page of `found` that is asked for.
pub(super) fn page(found: &[Text], request: &Request) -> Answer {
    let per_page = number(request, "limit").unwrap_or(PER_PAGE_DEFAULT).clamp(1, PER_PAGE_MAX);
    let page = number(request, "page").unwrap_or(1).max(1);
    let last_page = found.len().div_ceil(per_page).max(1);
    let first = (page - 1).saturating_mul(per_page);
    let shown: Vec<Value> = found.iter().skip(first).take(per_page).map(entry).collect();
    let link = |there: bool, page: usize| there.then(|| format!("/v3/sms/history?page={page}"));
    let data = json!({
        "total": found.len(), "per_page": per_page, "current_page": page, "last_page": last_page,
        "next_page_url": link(page < last_page, page + 1), "prev_page_url": link(page > 1, page - 1),
        "from": first + 1, "to": first + shown.len(), "data": shown, "_currency": currency(),
    });
    success("Here are your history.", &data)
}

fn matches(text: &Text, filter: &str) -> bool {
    let Some((field, value)) = filter.split_once(':') else { return false };
    match field {
        "to" => text.to == value,
        "from" => text.from == value,
        "message_id" => text.message_id == value,
        "status" => status(text).0.eq_ignore_ascii_case(value),
        _ => false,
    }
}

/// Numbers are strings here, and numbers in the answer to sending: as it really is.
fn entry(text: &Text) -> Value {
    let seconds = (text.at.0 / 1_000).to_string();
    let (status, code, words) = status(text);
    json!({
        "direction": "out", "date": seconds, "to": text.to, "body": text.body, "from": text.from, "schedule": seconds,
        "message_id": text.message_id, "message_parts": text.parts.to_string(), "message_price": format!("{:.4}", price_of(text.parts)),
        "from_email": null, "list_id": null, "custom_string": text.id.clone().unwrap_or_default(), "contact_id": null,
        "user_id": USER_ID.to_string(), "subaccount_id": SUBACCOUNT_ID.to_string(), "country": "AU", "carrier": "Telstra",
        "status": status, "status_code": code, "status_text": words, "error_code": null, "error_text": null,
    })
}

fn status(text: &Text) -> (&'static str, &'static str, &'static str) {
    match text.report {
        Some(Report::Delivered) => ("Delivered", "201", "Success: Message received on handset."),
        Some(Report::Failed(_) | Report::Expired) => ("Failed", "301", "Failed"),
        Some(Report::Trouble) => ("Sent", "300", "Temporary network error"),
        Some(Report::OnItsWay) | None => ("Sent", "200", "Sent"),
    }
}
