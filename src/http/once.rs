//! `Idempotency-Key`: a call that is sent again under the same key is answered again, and not carried out again.

use super::auth::{Caller, CallerKind};
use super::context::HttpContext;
use super::problem::ApiError;
use super::reply::Response;
use super::route::{Permission, Route};
use crate::domain::ids::new_id;
use crate::store::once::{self, ANSWER_BYTES_MAX, Attempt, Kept, Reserved};
use bytes::Bytes;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use std::future::Future;
use std::sync::Arc;
use warp::http::header::{HeaderName, IF_MATCH, SET_COOKIE};
use warp::http::{HeaderMap, HeaderValue, StatusCode};

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Characters of a key.
pub(super) const KEY_CHARS_MAX: usize = 255;

/// A request, as far as it tells one from another.
pub(super) struct Asked<'r> {
    pub route: Route,
    pub parameter: &'r str,
    pub query: &'r str,
    pub headers: &'r HeaderMap,
    pub body: &'r Bytes,
    /// Its answer holds a secret, which is not stored.
    pub is_secret: bool,
}

/// Answers with `work`, at most once for each key of a caller. Without a key, or without a caller, it is only carried out.
pub(super) async fn answer<F>(
    context: &Arc<HttpContext>,
    caller: Option<&Caller>,
    asked: &Asked<'_>,
    work: F,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<Response, ApiError>> + Send + 'static,
{
    let (Some(key), Some(caller)) = (asked.headers.get(IDEMPOTENCY_KEY), caller) else { return work.await };
    let attempt = Attempt { caller: id_of(caller), name: checked(key)?, token: new_id(context.clock.now()) };
    let (fingerprint, now, reserving) = (asked.fingerprint(), context.clock.now(), attempt.clone());
    let reserved = context.store.write(move |tx| once::reserve(tx, &reserving, &fingerprint, now)).await?;
    if reserved != Reserved::New {
        return again(reserved);
    }
    let (context, is_secret) = (Arc::clone(context), asked.is_secret);
    // A task of its own: a caller whose connection breaks off is the one who will send the call again.
    let done = tokio::spawn(async move {
        let result = once::scope(attempt.clone(), work).await;
        settle(&context, attempt, is_secret, result).await
    });
    done.await.unwrap_or_else(|_| Err(ApiError::internal()))
}

/// The answer to a call that is not carried out now.
fn again(reserved: Reserved) -> Result<Response, ApiError> {
    match reserved {
        Reserved::Answered(kept) => Ok(replayed(kept)),
        Reserved::Running | Reserved::New => Err(ApiError::still_running()),
        Reserved::Unfinished | Reserved::NotKept => Err(ApiError::answer_not_kept()),
        Reserved::OtherRequest => Err(ApiError::key_of_other_request()),
        Reserved::TooMany => Err(ApiError::too_many_requests()),
    }
}

/// Keeps what the answer was, where it may be kept and the same request would get it again.
async fn settle(
    context: &HttpContext,
    attempt: Attempt,
    is_secret: bool,
    result: Result<Response, ApiError>,
) -> Result<Response, ApiError> {
    let response = result.unwrap_or_else(ApiError::into_response);
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).map_err(|_| ApiError::internal())?;
    let kept = kept(parts.status, &parts.headers, &body).filter(|_| !is_secret);
    let settled = context
        .store
        .write(move |tx| match kept {
            Some(kept) => once::answer(tx, &attempt, Some(&kept)),
            // What changed nothing may be tried again.
            None => {
                if once::release(tx, &attempt)? {
                    Ok(())
                } else {
                    once::answer(tx, &attempt, None)
                }
            }
        })
        .await;
    if let Err(error) = settled {
        tracing::warn!(%error, "the answer under an idempotency key cannot be kept");
    }
    Ok(Response::from_parts(parts, body.into()))
}

/// `None` for answers that are of their moment, and for those too large to keep.
fn kept(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Option<Kept> {
    let of_its_moment = matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
    );
    if of_its_moment || status.is_server_error() || headers.contains_key(SET_COOKIE) {
        return None;
    }
    let named: serde_json::Map<_, _> =
        headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into()))).collect();
    let headers = serde_json::Value::Object(named).to_string();
    let body = std::str::from_utf8(body).ok().filter(|body| body.len() + headers.len() <= ANSWER_BYTES_MAX)?;
    // PostgreSQL has no NUL in texts.
    (!body.contains('\0')).then(|| Kept { status: status.as_u16().into(), headers, body: body.to_owned() })
}

fn replayed(kept: Kept) -> Response {
    let mut response = Response::new(Bytes::from(kept.body).into());
    if let Some(status) = u16::try_from(kept.status).ok().and_then(|status| StatusCode::from_u16(status).ok()) {
        *response.status_mut() = status;
    }
    let named: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&kept.headers).unwrap_or_default();
    for (name, value) in named {
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        if let (Ok(name), Some(value)) = (name.parse::<HeaderName>(), value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Keys by their id: names are given again.
fn id_of(caller: &Caller) -> String {
    match caller.kind {
        CallerKind::Key => format!("key:{}", caller.id),
        CallerKind::User => format!("staff:{}", caller.id),
    }
}

fn checked(key: &HeaderValue) -> Result<String, ApiError> {
    let is_key = |text: &&str| (1..=KEY_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let text = key.to_str().ok().filter(is_key).map(str::to_owned);
    text.ok_or_else(|| ApiError::bad_request("`Idempotency-Key` is 1 to 255 ASCII characters without spaces."))
}

impl Asked<'_> {
    fn fingerprint(&self) -> String {
        let version = self.headers.get(IF_MATCH).map_or(&b""[..], HeaderValue::as_bytes);
        let mut hash = Sha256::new();
        for part in [
            self.route.method.as_str().as_bytes(),
            self.route.template.as_bytes(),
            self.parameter.as_bytes(),
            self.query.as_bytes(),
            version,
            // A hash of a password would be a password that can be guessed: of oneself one tells passwords and codes.
            if self.route.permission == Permission::SignedIn { &b""[..] } else { self.body },
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}
