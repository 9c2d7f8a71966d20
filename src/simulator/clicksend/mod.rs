//! ClickSend, REST v3: `POST /v3/sms/send`, `POST /v3/sms/price`, `GET /v3/sms/history`, `GET /v3/account`.

mod account;
mod callbacks;
mod history;
mod send;

pub(super) use callbacks::{receipt, reply};
pub(super) use send::without_credit;

use super::Shared;
use super::wire::{Answer, Request};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const USER_ID: u32 = 100_001;
pub(super) const SUBACCOUNT_ID: u32 = 100_002;

pub(super) fn sends(request: &Request) -> bool {
    request.method == "POST" && request.path == "/v3/sms/send"
}

pub(super) fn answer(shared: &Arc<Shared>, request: &Request) -> Answer {
    if let Some(refusal) = account::refusal(shared, request) {
        shared.ledger.count(|totals| totals.unauthorised += 1);
        return refusal;
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/v3/sms/send") => send::send(shared, request),
        ("POST", "/v3/sms/price") => send::price(request),
        ("GET", "/v3/sms/history") => history::history(shared, request),
        ("GET", "/v3/account") => account::show(shared),
        (_, "/v3/sms/send" | "/v3/sms/price" | "/v3/sms/history" | "/v3/account") => error(405),
        _ => error(404),
    }
}

/// The answer that speaks of no text.
pub(super) fn nothing(request: &Request) -> Answer {
    if sends(request) { send::sent(&[]) } else { history::page(&[], request) }
}

/// Everything that ClickSend answers lies in this envelope.
fn success(message: &str, data: &Value) -> Answer {
    Answer::json(200, &json!({ "http_code": 200, "response_code": "SUCCESS", "response_msg": message, "data": data }))
}

pub(super) fn error(status: u16) -> Answer {
    let (code, message) = match status {
        400 => ("BAD_REQUEST", "The request was invalid."),
        401 => ("UNAUTHORIZED", "Authorization failed."),
        402 => ("PAYMENT_REQUIRED", "Your account has insufficient credit."),
        403 => ("FORBIDDEN", "Resource not found or you don't have the permissions to access this resource."),
        404 => ("NOT_FOUND", "Not found."),
        405 => ("METHOD_NOT_FOUND", "Method not found."),
        408 => ("REQUEST_TIMEOUT", "The request took too long."),
        429 => ("TOO_MANY_REQUESTS", "Too many attempts."),
        _ => ("INTERNAL_SERVER_ERROR", "Something is broken"),
    };
    Answer::json(status, &json!({ "http_code": status, "response_code": code, "response_msg": message, "data": null }))
}

fn currency() -> Value {
    json!({
        "currency_name_short": "AUD", "currency_prefix_d": "$", "currency_prefix_c": "c", "currency_name_long": "Australian Dollars",
    })
}
