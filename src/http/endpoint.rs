//! From a route and a handler to a warp filter: matching, permission, errors, label.

use super::auth::{Caller, Keys};
use super::body::{self, BodyLimits};
use super::context::HttpContext;
use super::doc::Doc;
use super::problem::ApiError;
use super::reply::Response;
use super::route::{Route, RouteLabel};
use super::server::ServerLimits;
use super::webhooks::Gates;
use bytes::{Buf, Bytes};
use futures_util::Stream;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::http::header::IF_MATCH;

/// What all routes share.
pub(super) struct Shared {
    pub context: Arc<HttpContext>,
    pub keys: Keys,
    pub gates: Gates,
    pub limits: ServerLimits,
    /// Places for event streams.
    pub streams: Arc<Semaphore>,
    /// No new requests, and streams end.
    pub stop: CancellationToken,
}

/// A route and what answers it. Its filter rejects only what is not its own.
pub(super) struct Endpoint {
    pub route: Route,
    pub filter: BoxedFilter<(Response,)>,
    /// What it is for, takes and answers.
    pub doc: Doc,
}

impl Endpoint {
    fn new(route: Route, filter: BoxedFilter<(Response,)>) -> Self {
        Self { route, filter, doc: Doc::default() }
    }

    /// Says what the endpoint is for, takes and answers.
    pub(super) fn doc(self, doc: Doc) -> Self {
        Self { doc, ..self }
    }
}

/// One request for a handler. Whoever made it may make it.
pub(super) struct Call {
    pub context: Arc<HttpContext>,
    /// The segment in braces; empty when the route has none.
    pub parameter: String,
    /// The raw query string.
    pub query: String,
    pub headers: HeaderMap,
    /// `None` on public routes only.
    pub caller: Option<Caller>,
    /// Who calls, as it is recorded: `key:NAME`, `staff:ID`.
    pub by: String,
    /// Empty where the route takes none.
    pub body: Bytes,
}

impl Call {
    /// The body as JSON; one that is empty counts as an object without fields. 400 when it is not what the route takes.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        // The message would repeat what the caller sent.
        serde_json::from_slice(body).map_err(|_| ApiError::bad_request("The body is not the JSON that this route takes."))
    }

    /// The version that the caller changes, from `If-Match: "7"`. 428 when it does not say; 400 when it is no version.
    pub(super) fn if_match(&self) -> Result<i64, ApiError> {
        let given = self.headers.get(IF_MATCH).ok_or_else(ApiError::precondition_required)?;
        let tag = given.to_str().ok().map(str::trim).and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
        tag.and_then(|version| version.parse().ok())
            .ok_or_else(|| ApiError::bad_request("`If-Match` is the ETag of the record as you read it: \"7\"."))
    }
}

/// Largest body of a call that changes something.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// An endpoint that changes something: with a body, and the name of who asks.
pub(super) fn writing<F, R>(route: Route, shared: &Arc<Shared>, handler: F) -> Endpoint
where
    F: Fn(Call) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Response, ApiError>> + Send,
{
    let shared = Arc::clone(shared);
    let filter = route
        .filter()
        .and(raw_query())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |parameter: String, query: String, headers: HeaderMap, stream| {
            let (shared, handler) = (Arc::clone(&shared), handler.clone());
            async move {
                let asked = Asked { parameter, query, headers };
                labelled(route, answer_writing(route, &shared, asked, stream, handler).await)
            }
        })
        .boxed();
    Endpoint::new(route, filter)
}

/// The request line and the headers.
struct Asked {
    parameter: String,
    query: String,
    headers: HeaderMap,
}

async fn answer_writing<S, B, F, R>(
    route: Route,
    shared: &Shared,
    asked: Asked,
    stream: S,
    handler: F,
) -> Result<Response, ApiError>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
    F: Fn(Call) -> R,
    R: Future<Output = Result<Response, ApiError>>,
{
    let Asked { parameter, query, headers } = asked;
    let context = Arc::clone(&shared.context);
    let caller = shared.keys.authorise(&context, &headers, route.permission).await?;
    let limits = BodyLimits { bytes_max: BODY_BYTES_MAX, timeout: shared.limits.body_timeout };
    let body = body::read(stream, &headers, limits).await?;
    let by = caller.as_ref().map_or_else(String::new, Caller::recorded);
    handler(Call { context, parameter, query, headers, caller, by, body }).await
}

/// An endpoint without a body.
pub(super) fn reading<F, R>(route: Route, shared: &Arc<Shared>, handler: F) -> Endpoint
where
    F: Fn(Call) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Response, ApiError>> + Send,
{
    let shared = Arc::clone(shared);
    let filter = route
        .filter()
        .and(raw_query())
        .and(warp::header::headers_cloned())
        .then(move |parameter: String, query: String, headers: HeaderMap| {
            let (shared, handler) = (Arc::clone(&shared), handler.clone());
            async move {
                let context = Arc::clone(&shared.context);
                let authorised = shared.keys.authorise(&context, &headers, route.permission).await;
                let result = match authorised {
                    Ok(caller) => {
                        let by = caller.as_ref().map_or_else(String::new, Caller::recorded);
                        handler(Call { context, parameter, query, headers, caller, by, body: Bytes::new() }).await
                    }
                    Err(error) => Err(error),
                };
                labelled(route, result)
            }
        })
        .boxed();
    Endpoint::new(route, filter)
}

/// The response of a route, with the route's template for the metrics.
pub(super) fn labelled(route: Route, result: Result<Response, ApiError>) -> Response {
    let mut response = result.unwrap_or_else(ApiError::into_response);
    response.extensions_mut().insert(RouteLabel(route.template));
    response
}

/// The query string, empty when there is none. Never rejects.
pub(super) fn raw_query() -> impl Filter<Extract = (String,), Error = Infallible> + Clone {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}
