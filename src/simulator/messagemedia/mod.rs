//! MessageMedia (Sinch Engage): `POST /v1/messages`, `GET` and `PUT /v1/messages/{id}`, `GET /v1/reporting/sent_messages/detail`.

mod callbacks;
mod report;
mod send;

pub(super) use callbacks::{receipt, reply};

use super::Shared;
use super::ledger::Text;
use super::reports::Report;
use super::wire::{Answer, Request};
use serde_json::{Value, json};
use std::sync::Arc;

const MESSAGES: &str = "/v1/messages";

pub(super) fn sends(request: &Request) -> bool {
    request.method == "POST" && request.path == MESSAGES
}

pub(super) fn answer(shared: &Arc<Shared>, request: &Request) -> Answer {
    let account = &shared.options.account;
    if request.basic() != Some((account.username.clone(), account.key.clone())) {
        shared.ledger.count(|totals| totals.unauthorised += 1);
        return error(403);
    }
    if request.path == MESSAGES {
        return if request.method == "POST" { send::send(shared, request) } else { error(405) };
    }
    if request.path == report::SENT_MESSAGES {
        return if request.method == "GET" { report::sent_messages(shared, request) } else { error(405) };
    }
    let id = request.path.strip_prefix(MESSAGES).and_then(|rest| rest.strip_prefix('/'));
    match (request.method.as_str(), id.and_then(|id| shared.ledger.find(id))) {
        ("GET", Some(text)) => Answer::json(200, &shown(&text, word(text.report))),
        // Only what is scheduled can be cancelled, and nothing is ever scheduled here.
        ("PUT", Some(_)) => invalid(&["Only messages with status scheduled can be cancelled".to_owned()]),
        _ => error(404),
    }
}

/// The answer that speaks of no text.
pub(super) fn nothing(request: &Request) -> Answer {
    match request.path.as_str() {
        MESSAGES => Answer::json(202, &json!({ "messages": [] })),
        report::SENT_MESSAGES => report::page(&[], request),
        _ => error(404),
    }
}

pub(super) fn error(status: u16) -> Answer {
    let message = match status {
        400 => return invalid(&["Failed to parse message body.".to_owned()]),
        402 => "Insufficient credit",
        403 | 401 => "Invalid authentication credentials",
        404 => "Resource not found",
        405 => "Method not allowed",
        408 => "Request timed out",
        429 => "Too many requests. Please retry later.",
        503 => "Service temporarily unavailable",
        _ => "Something went wrong. Please try again later.",
    };
    Answer::json(status, &json!({ "message": message }))
}

fn invalid(details: &[String]) -> Answer {
    let message = "Request failed to parse correctly. Please ensure input is valid and try again.";
    Answer::json(400, &json!({ "message": message, "details": details }))
}

/// A message as it is echoed and looked up.
fn shown(text: &Text, status: &str) -> Value {
    json!({
        "callback_url": text.callback, "content": text.body, "delivery_report": true, "destination_number": text.to, "format": "SMS",
        "message_expiry_timestamp": null, "message_id": text.message_id, "metadata": callbacks::metadata(text),
        "scheduled": null, "source_number": Some(&text.from).filter(|from| !from.is_empty()),
        "source_number_type": if text.from.starts_with('+') { "INTERNATIONAL" } else { "ALPHANUMERIC" }, "status": status,
    })
}

/// The state in one word.
const fn word(report: Option<Report>) -> &'static str {
    match report {
        None => "queued",
        Some(Report::OnItsWay) => "enroute",
        Some(Report::Trouble) => "submitted",
        Some(Report::Delivered) => "delivered",
        Some(Report::Failed(_)) => "failed",
        Some(Report::Expired) => "expired",
    }
}
