//! The refusals: which there are, and which an endpoint may answer with.

use crate::http::codes::{CODES, Code, TYPE_PREFIX};
use crate::http::doc::{Doc, IfMatch};
use crate::http::route::{Permission, Route, Verb};
use serde_json::{Map, Value, json};
use warp::http::StatusCode;

pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "description": "A refusal (RFC 9457).",
        "required": ["type", "code", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "description": "The code as a URI: an identifier, not an address." },
            "code": { "type": "string", "description": "What programs decide by; never changes its meaning." },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "For people. Never repeats values that were sent." },
            "errors": {
                "type": "array",
                "description": "What is wrong with which part of the request.",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": { "type": "string", "description": "JSON pointer: `/query/limit`, `/body/email`." },
                        "detail": { "type": "string" },
                    },
                },
            },
            "diagnostics": { "type": "array", "description": "With `not_clean`: as in `GET /api/rules/status`.", "items": { "type": "object" } },
            "current": { "description": "With `changed_meanwhile`: the record as it is now." },
        },
    })
}

/// One response for each status, with an example for each code.
pub(super) fn responses() -> Value {
    let mut responses = Map::new();
    for code in CODES {
        let entry = responses.entry(name_of(code.status)).or_insert_with(|| {
            json!({
                "description": reason(code.status),
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" }, "examples": {} } },
            })
        });
        entry["content"]["application/problem+json"]["examples"][code.code] = json!({ "value": example(code) });
        if matches!(code.status, 429 | 503) {
            entry["headers"]["Retry-After"] = json!({ "description": "Seconds.", "schema": { "type": "integer" } });
        }
    }
    Value::Object(responses)
}

fn example(code: &Code) -> Value {
    let mut problem = json!({
        "type": format!("{TYPE_PREFIX}{}", code.code),
        "code": code.code,
        "title": reason(code.status),
        "status": code.status,
        "detail": code.meaning,
    });
    match code.code {
        "invalid_parameters" => {
            problem["errors"] = json!([{ "pointer": "/query/limit", "detail": "must be a number from 1 to 200" }]);
        }
        "invalid_fields" => {
            problem["errors"] = json!([{ "pointer": "/body/email", "detail": "must be an address such as ana@example.com" }]);
        }
        "changed_meanwhile" => problem["current"] = json!({ "id": "019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d", "version": 8 }),
        _ => {}
    }
    problem
}

/// The statuses an endpoint may refuse with, and the names of their responses.
pub(super) fn of(route: Route, doc: &Doc) -> Vec<(String, String)> {
    let is_staff = route.permission.is_staff();
    let writes = route.method != Verb::Get;
    let mut statuses = vec![400, 431, 503];
    if is_staff {
        statuses.extend([401, 403, 429]);
    }
    if route.permission == Permission::Provider {
        statuses.extend([401, 429]);
    }
    if writes && route.permission == Permission::Public {
        // Whoever signs in has nothing to show yet.
        statuses.extend([401, 403, 429]);
    }
    if writes || !route.is_literal() {
        statuses.push(404);
    }
    if writes {
        statuses.extend([408, 409, 413, 415, 422]);
    }
    match doc.if_match(route) {
        IfMatch::Required => statuses.extend([412, 428]),
        IfMatch::Optional => statuses.push(412),
        _ => {}
    }
    statuses.extend(doc.refuses.iter().map(StatusCode::as_u16));
    statuses.sort_unstable();
    statuses.dedup();
    statuses.into_iter().map(|status| (status.to_string(), name_of(status))).collect()
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused")
}

/// `NotFound`.
fn name_of(status: u16) -> String {
    reason(status).replace(' ', "")
}
