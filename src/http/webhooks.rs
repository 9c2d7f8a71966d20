//! Providers' deliveries: read (bounded), verified, on stable storage, then answered.

use super::body::{self, BodyLimits};
use super::doc::Doc;
use super::endpoint::{Shared, labelled, raw_query};
use super::metrics;
use super::problem::ApiError;
use super::reply::{self, Response};
use super::route::{Permission, Route, Verb};
use super::server::ServerLimits;
use crate::automation::receive::{ReceiveError, Received, receive};
use crate::inbound::{RawRequest, Refusal, Source};
use bytes::{Buf, Bytes};
use futures_util::Stream;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::http::header::CONTENT_TYPE;
use warp::http::{HeaderMap, Method};
use warp::path::FullPath;
use warp::{Filter, Rejection};

/// One answer for all; the templates tell metrics and documents what there is.
pub(super) const ROUTES: [Route; 9] = [
    provider("/webhooks/wix"),
    provider("/webhooks/wix/bookings"),
    provider("/webhooks/manychat"),
    provider("/webhooks/sms/inbound"),
    provider("/webhooks/sms/inbound/{token}"),
    provider("/webhooks/sms/receipts"),
    provider("/webhooks/sms/receipts/{token}"),
    provider("/webhooks/{source}"),
    provider("/webhooks/{source}/{token}"),
];

const PREFIX: &str = "/webhooks/";

const fn provider(template: &'static str) -> Route {
    Route::post(template, Permission::Provider)
}

#[derive(Serialize, ToSchema)]
struct Accepted<'a> {
    success: bool,
    event_id: &'a str,
    duplicate: bool,
}

pub(super) fn doc() -> Doc {
    Doc::new("Webhooks", "Takes a provider's delivery; it is on stable storage before the answer.").answers::<Accepted>()
}

/// All webhook routes in one filter: a burst should not walk through a list.
pub(super) fn filter(shared: &Arc<Shared>) -> BoxedFilter<(Response,)> {
    let shared = Arc::clone(shared);
    matched()
        .and(raw_query())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |(route, path): (Route, FullPath), query: String, headers: HeaderMap, stream| {
            let shared = Arc::clone(&shared);
            async move {
                let asked = Asked { path: path.as_str(), query: &query, headers: &headers };
                labelled(route, take(&shared, asked, stream).await)
            }
        })
        .boxed()
}

fn matched() -> impl Filter<Extract = ((Route, FullPath),), Error = Rejection> + Clone {
    warp::method().and(warp::path::full()).and_then(|method: Method, path: FullPath| {
        let is_post = method == Method::POST;
        let route = ROUTES.into_iter().find(|r| is_post && r.method == Verb::Post && r.match_path(path.as_str()).is_some());
        std::future::ready(route.map(|route| (route, path)).ok_or_else(warp::reject::not_found))
    })
}

/// The request line and the headers.
#[derive(Clone, Copy)]
struct Asked<'r> {
    path: &'r str,
    query: &'r str,
    headers: &'r HeaderMap,
}

async fn take<S, B>(shared: &Shared, asked: Asked<'_>, stream: S) -> Result<Response, ApiError>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let inbound = &shared.context.inbound;
    let place = asked.path.strip_prefix(PREFIX).and_then(|place| inbound.route(place));
    let (source, token) = place.ok_or_else(ApiError::not_found)?;
    let limits = BodyLimits { bytes_max: source.body_bytes_max(), timeout: shared.limits.body_timeout };
    let body = {
        let _place = shared.gates.read_body().ok_or_else(|| ApiError::unavailable("Too many bodies at once; try again."))?;
        body::read(stream, asked.headers, limits).await?
    };
    // Only now: whoever sends slowly, and has proved nothing yet, must not take places from the source itself.
    let _place = shared.gates.enter(source.name()).ok_or_else(|| {
        metrics::delivery(source.name(), "throttled");
        ApiError::too_many_requests()
    })?;
    match record(shared, source, token, asked, &body).await {
        Ok(received) => Ok(accepted(source, &received)),
        Err(error) => Err(refused(source, error)),
    }
}

async fn record(
    shared: &Shared,
    source: &Source,
    token: Option<&str>,
    asked: Asked<'_>,
    body: &Bytes,
) -> Result<Received, ReceiveError> {
    let recorded = {
        let line = if asked.query.is_empty() { asked.path.to_owned() } else { format!("{}?{}", asked.path, asked.query) };
        let header = |name: &str| asked.headers.get(name).and_then(|value| value.to_str().ok());
        let request = RawRequest {
            method: "POST",
            path: &line,
            content_type: header(CONTENT_TYPE.as_str()),
            token_from_path: token,
            headers: &header,
            body,
        };
        receive(&shared.context.store, source, &request, shared.context.clock.now())
    };
    match tokio::time::timeout(shared.limits.append_timeout, recorded).await {
        Ok(result) => result,
        // It may become durable yet; then the sender's next try is a duplicate.
        Err(_elapsed) => Err(crate::store::StoreError::Unavailable { reason: "not durable in time".into() }.into()),
    }
}

fn accepted(source: &Source, received: &Received) -> Response {
    let result = if received.duplicate { "duplicate" } else { "accepted" };
    metrics::delivery(source.name(), result);
    tracing::info!(source = source.name(), event_id = received.event_id, duplicate = received.duplicate, "delivery");
    reply::json(&Accepted { success: true, event_id: &received.event_id, duplicate: received.duplicate })
}

/// The sender learns the status alone; the reason is for our log.
fn refused(source: &Source, error: ReceiveError) -> ApiError {
    match error {
        ReceiveError::Refused(refusal) => {
            metrics::delivery(source.name(), refusal.code());
            tracing::warn!(source = source.name(), reason = refusal.code(), "delivery refused");
            match refusal.status() {
                401 => ApiError::unverified(),
                413 => ApiError::body_too_large(source.body_bytes_max()),
                415 => ApiError::unsupported_media_type(format!("Send {}, not compressed.", source.content_types())),
                _ => ApiError::bad_request(bad_request_text(&refusal)),
            }
        }
        ReceiveError::Store(error) => {
            metrics::delivery(source.name(), "unavailable");
            tracing::error!(source = source.name(), %error, "delivery could not be made durable");
            // Whatever the store's trouble is, the same delivery may be taken later: a sender must not give up.
            ApiError::unavailable("The delivery could not be made durable; send it again.")
        }
    }
}

const fn bad_request_text(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Stale => "The signed time is too far from now.",
        _ => "The request cannot be read.",
    }
}

/// So many bodies are read at once, which bounds their memory; and so many requests of each source are worked on at once, so
/// that one source's storm leaves room for the others.
pub(super) struct Gates {
    bodies: Semaphore,
    concurrency_max: usize,
    /// Only names of configured sources get in here.
    by_source: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Gates {
    pub(super) fn new(limits: &ServerLimits) -> Self {
        Self {
            bodies: Semaphore::new(limits.bodies_max),
            concurrency_max: limits.source_concurrency_max,
            by_source: Mutex::default(),
        }
    }

    /// Leave to read one body, until dropped; `None` when all are taken.
    fn read_body(&self) -> Option<SemaphorePermit<'_>> {
        self.bodies.try_acquire().ok()
    }

    /// A place for one request, until dropped; `None` when all are taken.
    fn enter(&self, source: &str) -> Option<OwnedSemaphorePermit> {
        let mut gates = self.by_source.lock().unwrap_or_else(PoisonError::into_inner);
        if !gates.contains_key(source) {
            gates.insert(source.to_owned(), Arc::new(Semaphore::new(self.concurrency_max)));
        }
        gates.get(source).and_then(|gate| Arc::clone(gate).try_acquire_owned().ok())
    }
}
