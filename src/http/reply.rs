//! Answers: JSON bodies and the headers that every answer has.

use serde::Serialize;
use warp::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use warp::http::{HeaderValue, StatusCode};

pub use warp::reply::Response;

const JSON: &str = "application/json";
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// An API answers data, never a page: nothing in it may be loaded or run.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// 200 with a JSON body.
pub(super) fn json<T: Serialize>(body: &T) -> Response {
    json_as(StatusCode::OK, JSON, body)
}

/// 201 with the new record.
pub(super) fn created<T: Serialize>(body: &T) -> Response {
    json_as(StatusCode::CREATED, JSON, body)
}

/// Names the version of the record in the answer, for a later `If-Match`.
pub(super) fn with_etag(mut response: Response, version: i64) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

pub(super) fn json_as<T: Serialize>(status: StatusCode, content_type: &'static str, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_type(status, content_type, bytes),
        Err(error) => {
            tracing::error!(%error, "cannot write an answer as JSON");
            with_type(StatusCode::INTERNAL_SERVER_ERROR, PROBLEM_JSON, Vec::new())
        }
    }
}

pub(super) fn with_type(status: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Adds what a browser must know. A policy that the route set itself stays.
pub(super) fn add_security_headers(response: &mut Response, in_api: bool) {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(API_POLICY));
    }
    if in_api {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
