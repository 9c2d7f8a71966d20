//! Errors as `application/problem+json` (RFC 9457): one shape for every refusal.

use super::reply::{self, Response};
use crate::store::StoreError;
use serde::Serialize;
use warp::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderName, HeaderValue, StatusCode};

/// Seconds after which a caller may try again what could not be done now.
pub const RETRY_AFTER_S: u32 = 2;

/// A refusal. Its text never repeats what the caller sent, so nothing personal can be in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    hint: Option<Hint>,
    /// The record as it is now, for a caller who changed an older one.
    current: Option<serde_json::Value>,
}

/// The header that belongs to a refusal.
#[derive(Debug, Clone, PartialEq)]
enum Hint {
    /// How to prove who is calling.
    Challenge(&'static str),
    /// The methods that the path has.
    Allow(String),
    /// The same request may succeed soon.
    TryAgain,
}

impl Hint {
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Challenge(scheme) => Some((WWW_AUTHENTICATE, HeaderValue::from_static(scheme))),
            Self::Allow(methods) => HeaderValue::from_str(methods).ok().map(|value| (ALLOW, value)),
            Self::TryAgain => Some((RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S))),
        }
    }
}

/// What is wrong with one field or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer into the request: `/query/limit`, `/body/email`.
    pub pointer: String,
    pub detail: String,
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a serde_json::Value>,
}

impl ApiError {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), hint: None, current: None }
    }

    fn with_hint(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Parameters that this route does not know or whose values it cannot read.
    pub fn bad_parameters(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::bad_request("Some parameters are wrong.") }
    }

    /// Fields of the body that cannot be taken.
    pub fn bad_fields(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Some fields are wrong.") }
    }

    /// One field of the body that cannot be taken; `pointer` as `/body/email`.
    pub fn refused(pointer: &str, detail: impl Into<String>) -> Self {
        Self::bad_fields(vec![FieldError { pointer: pointer.to_owned(), detail: detail.into() }])
    }

    /// An edit that does not say which version it edits.
    pub fn precondition_required() -> Self {
        Self::new(StatusCode::PRECONDITION_REQUIRED, "Send the record's ETag as `If-Match`, so that nobody's change is lost.")
    }

    /// Somebody else changed the record; `current` is what it is now.
    pub fn changed_meanwhile(current: serde_json::Value) -> Self {
        let error =
            Self::new(StatusCode::PRECONDITION_FAILED, "Somebody else changed this meanwhile: `current` shows it as it is.");
        Self { current: Some(current), ..error }
    }

    /// Shows the record that the refusal is about, as it is.
    pub fn with_current(self, current: serde_json::Value) -> Self {
        Self { current: (!current.is_null()).then_some(current), ..self }
    }

    pub const fn status(&self) -> StatusCode {
        self.status
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Send a valid API key as `Authorization: Bearer avatar_…`.")
            .with_hint(Hint::Challenge("Bearer realm=\"avatar\""))
    }

    /// A webhook whose signature or token is missing or wrong.
    pub fn unverified() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The signature is missing or wrong.")
            .with_hint(Hint::Challenge("Signature realm=\"webhooks\""))
    }

    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Your role does not allow this.")
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here.")
    }

    /// What is asked for cannot be done as things are.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// `allow` as it stands in the header: `GET, HEAD`.
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "This method is not allowed here.").with_hint(Hint::Allow(allow.to_owned()))
    }

    pub fn request_timeout() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.")
    }

    pub fn body_too_large(bytes_max: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body may have {bytes_max} bytes."))
    }

    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    pub fn headers_too_large() -> Self {
        Self::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The request has too many headers.")
    }

    pub fn too_many_requests() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests at once; try again.").with_hint(Hint::TryAgain)
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_hint(Hint::TryAgain)
    }

    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "This is our fault. Give us the x-request-id of this answer.")
    }

    pub fn into_response(self) -> Response {
        let problem = Problem {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
            current: self.current.as_ref(),
        };
        let mut response = reply::json_as(self.status, reply::PROBLEM_JSON, &problem);
        if let Some((name, value)) = self.hint.as_ref().and_then(Hint::header) {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(%error, "the store cannot answer now");
            return Self::unavailable("The database cannot answer now; try again.");
        }
        tracing::error!(%error, "the store failed");
        Self::internal()
    }
}
