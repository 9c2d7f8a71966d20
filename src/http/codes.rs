//! The codes of problems: what programs decide by. They never change their meaning.

use warp::http::StatusCode;

/// A problem's `type` is this and its code: an identifier, not an address.
pub(super) const TYPE_PREFIX: &str = "urn:avatar:problem:";

pub(super) const INVALID_PARAMETERS: &str = "invalid_parameters";
pub(super) const UNVERIFIED: &str = "unverified";
pub(super) const STILL_RUNNING: &str = "still_running";
pub(super) const ANSWER_NOT_KEPT: &str = "answer_not_kept";
pub(super) const NOT_CLEAN: &str = "not_clean";
pub(super) const KEY_REUSED: &str = "idempotency_key_reused";

/// One kind of refusal.
pub struct Code {
    pub status: u16,
    pub code: &'static str,
    pub meaning: &'static str,
}

const fn code(status: u16, code: &'static str, meaning: &'static str) -> Code {
    Code { status, code, meaning }
}

/// All of them, as docs/API.md lists them. The first of a status stands for refusals without a code of their own.
pub const CODES: &[Code] = &[
    code(400, "bad_request", "The request cannot be read: broken JSON, a wrong header."),
    code(400, INVALID_PARAMETERS, "Parameters of the query are unknown or wrong; `errors` names each (`/query/limit`)."),
    code(401, "unauthorized", "No valid API key or session."),
    code(401, UNVERIFIED, "A webhook whose signature or token is missing or wrong."),
    code(403, "forbidden", "The caller's role does not allow this."),
    code(404, "not_found", "There is no such path or record."),
    code(405, "method_not_allowed", "The path has other methods; `Allow` names them."),
    code(406, "not_acceptable", "The answer does not exist in the form that `Accept` asks for."),
    code(408, "request_timeout", "The body did not arrive in time."),
    code(409, "conflict", "It cannot be done as things are; `detail` says why."),
    code(409, STILL_RUNNING, "The same request under the same `Idempotency-Key` is being carried out; try again."),
    code(
        409,
        ANSWER_NOT_KEPT,
        "The request under this `Idempotency-Key` was carried out, at least in part, and its answer was not kept.",
    ),
    code(412, "changed_meanwhile", "Somebody else changed the record; `current` is what it is now."),
    code(413, "body_too_large", "The body is larger than the route takes."),
    code(415, "unsupported_media_type", "The body is not of a type that the route takes."),
    code(422, "invalid_fields", "Fields of the body cannot be taken; `errors` names each (`/body/email`)."),
    code(422, NOT_CLEAN, "The rule files would have problems; `diagnostics` lists them, and nothing was changed."),
    code(422, KEY_REUSED, "The `Idempotency-Key` was sent with another request."),
    code(428, "if_match_required", "An edit must name the version that it edits in `If-Match`."),
    code(429, "too_many_requests", "Too much at once; `Retry-After` says when to try again."),
    code(431, "headers_too_large", "Too many header fields."),
    code(500, "internal", "Our fault; the `x-request-id` of the answer finds it in the log."),
    code(503, "unavailable", "Not now; `Retry-After` says when to try again."),
];

/// The code of refusals that have none of their own.
pub(super) fn of_status(status: StatusCode) -> &'static str {
    CODES.iter().find(|known| known.status == status.as_u16()).map_or("refused", |known| known.code)
}
