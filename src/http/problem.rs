//! Errors as `application/problem+json` (RFC 9457): one shape for every refusal.

use super::codes;
use super::reply::{self, Response};
use crate::domain::time::Millis;
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
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    hint: Option<Hint>,
    /// The record as it is now, for a caller who changed an older one.
    current: Option<Box<serde_json::Value>>,
    /// What is wrong with rule files.
    diagnostics: Option<Box<serde_json::Value>>,
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
    /// The same, in so many seconds.
    TryAgainIn(i64),
}

impl Hint {
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Challenge(scheme) => Some((WWW_AUTHENTICATE, HeaderValue::from_static(scheme))),
            Self::Allow(methods) => HeaderValue::from_str(methods).ok().map(|value| (ALLOW, value)),
            Self::TryAgainIn(seconds) => Some((RETRY_AFTER, HeaderValue::from(*seconds))),
            Self::TryAgain => Some((RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S))),
        }
    }
}

/// A name of the caller's, as a pointer repeats it (RFC 6901). What does not look like a name of ours may be somebody's name or
/// number that got into the wrong place: it is not repeated.
pub(super) fn pointer_step(name: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    const DIGITS_MAX: usize = 3;
    let is_ours = |c: char| c.is_ascii_alphanumeric() || "_-./~[]".contains(c);
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let looks_like_ours = name.len() <= CHARACTERS_MAX && digits <= DIGITS_MAX && name.chars().all(is_ours);
    if looks_like_ours { name.replace('~', "~0").replace('/', "~1") } else { "?".to_owned() }
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
    kind: String,
    /// What programs decide by; the list is in docs/API.md.
    code: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics: Option<&'a serde_json::Value>,
}

impl ApiError {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let code = codes::of_status(status);
        Self { status, code, detail: detail.into(), errors: Vec::new(), hint: None, current: None, diagnostics: None }
    }

    fn coded(self, code: &'static str) -> Self {
        Self { code, ..self }
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
        Self { errors, ..Self::bad_request("Some parameters are wrong.").coded(codes::INVALID_PARAMETERS) }
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
        Self { current: Some(Box::new(current)), ..error }
    }

    /// Rule files that do not check clean, so that nothing was changed.
    pub fn not_clean(diagnostics: serde_json::Value) -> Self {
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "The rule files have problems: `diagnostics` lists them.");
        Self { diagnostics: Some(Box::new(diagnostics)), ..error.coded(codes::NOT_CLEAN) }
    }

    /// Shows the record that the refusal is about, as it is.
    pub fn with_current(self, current: serde_json::Value) -> Self {
        Self { current: (!current.is_null()).then(|| Box::new(current)), ..self }
    }

    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// All that is wrong, in one line.
    pub fn told(&self) -> String {
        let errors: Vec<String> = self.errors.iter().map(|e| format!("{}: {}", e.pointer, e.detail)).collect();
        if errors.is_empty() { self.detail.clone() } else { errors.join("; ") }
    }

    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Sign in, or send a valid API key as `Authorization: Bearer avatar_…`.")
            .with_hint(Hint::Challenge("Bearer realm=\"avatar\""))
    }

    /// A webhook whose signature or token is missing or wrong.
    pub fn unverified() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The signature is missing or wrong.")
            .coded(codes::UNVERIFIED)
            .with_hint(Hint::Challenge("Signature realm=\"webhooks\""))
    }

    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Your role does not allow this.")
    }

    /// The key's role would allow it, its scopes do not.
    pub fn out_of_scope() -> Self {
        Self::new(StatusCode::FORBIDDEN, "The scopes of this API key do not cover this.")
    }

    /// A session that is not good for this yet.
    pub fn unfinished(detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// A browser was made to send this by somebody else's page.
    pub fn cross_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "With the cookie, changes are taken from our own pages only. Programs send a bearer token.",
        )
    }

    /// Somebody who could not be signed in; `detail` says no more than they may know.
    pub fn not_signed_in(detail: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail).with_hint(Hint::Challenge("Bearer realm=\"avatar\""))
    }

    /// More than one caller may; `wait` until there is room again.
    pub fn too_many_for(wait: Millis) -> Self {
        let seconds = (wait.0 + 999) / 1_000;
        Self::new(StatusCode::TOO_MANY_REQUESTS, format!("Too many requests; try again in {seconds} s."))
            .with_hint(Hint::TryAgainIn(seconds))
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here.")
    }

    /// What is asked for cannot be done as things are.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// The same request under the same `Idempotency-Key` has not ended yet.
    pub fn still_running() -> Self {
        Self::conflict("This request is being carried out; send it again to read its answer.")
            .coded(codes::STILL_RUNNING)
            .with_hint(Hint::TryAgain)
    }

    /// The same request changed something, and its answer is not known any more.
    pub fn answer_not_kept() -> Self {
        Self::conflict("This request was carried out, at least in part; its answer was not kept. Read what it changed.")
            .coded(codes::ANSWER_NOT_KEPT)
    }

    pub fn key_of_other_request() -> Self {
        let detail = "This `Idempotency-Key` was sent with another request; each request needs a key of its own.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail).coded(codes::KEY_REUSED)
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

    /// Nothing is wrong with what was asked: it cannot be answered just now.
    pub fn is_for_now(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    pub fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("{}{}", codes::TYPE_PREFIX, self.code),
            code: self.code,
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
            current: self.current.as_deref(),
            diagnostics: self.diagnostics.as_deref(),
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
        if matches!(error, StoreError::Conflict { .. }) {
            tracing::warn!(%error, "others change the same record all the time");
            return Self::unavailable("Others are changing the same record at this moment; try again.");
        }
        if error.is_transient() {
            tracing::warn!(%error, "the store cannot answer now");
            return Self::unavailable("The database cannot answer now; try again.");
        }
        tracing::error!(%error, "the store failed");
        Self::internal()
    }
}
