//! From a route and a handler to a warp filter: matching, permission, errors, label.

use super::auth::{self, Caller, Gate};
use super::body::{self, BodyLimits};
use super::context::HttpContext;
use super::doc::Doc;
use super::json_body;
use super::once;
use super::problem::ApiError;
use super::query::RawQuery;
use super::reply::Response;
use super::route::{Route, RouteLabel};
use super::server::ServerLimits;
use super::webhooks::Gates;
use crate::domain::audit::Who;
use bytes::{Buf, Bytes};
use futures_util::Stream;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::http::header::IF_MATCH;

/// What all routes share.
pub(super) struct Shared {
    pub context: Arc<HttpContext>,
    pub gate: Gate,
    pub gates: Gates,
    pub limits: ServerLimits,
    /// The OpenAPI document; written once all endpoints are there.
    pub document: OnceLock<Bytes>,
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
    /// The part of it that matters while a request is answered.
    said: Said,
}

/// Written once, when the endpoint is made.
type Said = Arc<OnceLock<Told>>;

#[derive(Clone, Copy, Default)]
struct Told {
    query: &'static [(&'static str, &'static str)],
    is_secret: bool,
    /// A file, not an order.
    takes_text: bool,
}

fn told(said: &Said) -> Told {
    said.get().copied().unwrap_or_default()
}

impl Endpoint {
    fn new(route: Route, filter: BoxedFilter<(Response,)>, said: Said) -> Self {
        Self { route, filter, doc: Doc::default(), said }
    }

    /// Says what the endpoint is for, takes and answers.
    pub(super) fn doc(self, doc: Doc) -> Self {
        self.said.set(Told { query: doc.query, is_secret: doc.is_secret, takes_text: doc.takes_text.is_some() }).ok();
        Self { doc, ..self }
    }
}

/// One request for a handler. Whoever made it may make it.
pub(super) struct Call {
    pub context: Arc<HttpContext>,
    /// The segment in braces; empty when the route has none.
    pub parameter: String,
    /// The raw query string, and the parameters that the endpoint's [`Doc`] names.
    pub query: RawQuery,
    pub headers: HeaderMap,
    /// `None` on public routes only.
    pub caller: Option<Caller>,
    /// Who calls, as it is recorded: `key:NAME`, `staff:ID`.
    pub by: String,
    /// Empty where the route takes none.
    pub body: Bytes,
}

impl Call {
    /// The body as JSON; one that is empty counts as an object without fields. 400 when it is no JSON, 422 when its fields are not
    /// those that the route takes.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        json_body::read(&self.body)
    }

    /// Who calls and from where, for the audit log.
    pub(super) fn who(&self) -> Who {
        auth::who(&self.by, &self.headers)
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
/// Largest file: a list of people, a file of rules.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// An endpoint that changes something: with a body, and the name of who asks.
pub(super) fn writing<F, R>(route: Route, shared: &Arc<Shared>, handler: F) -> Endpoint
where
    F: Fn(Call) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Response, ApiError>> + Send + 'static,
{
    let (shared, said) = (Arc::clone(shared), Said::default());
    let told_later = Arc::clone(&said);
    let filter = route
        .filter()
        .and(raw_query())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |parameter: String, query: String, headers: HeaderMap, stream| {
            let (shared, handler) = (Arc::clone(&shared), handler.clone());
            let asked = Asked { parameter, query, headers, told: told(&told_later) };
            async move { labelled(route, answer_writing(route, &shared, asked, stream, handler).await) }
        })
        .boxed();
    Endpoint::new(route, filter, said)
}

/// The request line and the headers.
struct Asked {
    parameter: String,
    query: String,
    headers: HeaderMap,
    told: Told,
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
    R: Future<Output = Result<Response, ApiError>> + Send + 'static,
{
    let Asked { parameter, query, headers, told } = asked;
    let context = Arc::clone(&shared.context);
    let caller = shared.gate.authorise(&context, &headers, route).await?;
    let bytes_max = if told.takes_text { TEXT_BYTES_MAX } else { BODY_BYTES_MAX };
    let limits = BodyLimits { bytes_max, timeout: shared.limits.body_timeout };
    let body = body::read(stream, &headers, limits).await?;
    let by = caller.as_ref().map_or_else(String::new, Caller::recorded);
    let named = RawQuery::new(query.clone(), told.query);
    let (asked_headers, asked_body, asked_parameter) = (headers.clone(), body.clone(), parameter.clone());
    let work = handler(Call { context, parameter, query: named, headers, caller: caller.clone(), by, body });
    let asked = once::Asked {
        route,
        parameter: &asked_parameter,
        query: &query,
        headers: &asked_headers,
        body: &asked_body,
        is_secret: told.is_secret,
    };
    once::answer(&shared.context, caller.as_ref(), &asked, work).await
}

/// An endpoint without a body.
pub(super) fn reading<F, R>(route: Route, shared: &Arc<Shared>, handler: F) -> Endpoint
where
    F: Fn(Call) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Response, ApiError>> + Send,
{
    let (shared, said) = (Arc::clone(shared), Said::default());
    let told_later = Arc::clone(&said);
    let filter = route
        .filter()
        .and(raw_query())
        .and(warp::header::headers_cloned())
        .then(move |parameter: String, query: String, headers: HeaderMap| {
            let (shared, handler) = (Arc::clone(&shared), handler.clone());
            let query = RawQuery::new(query, told(&told_later).query);
            async move {
                let context = Arc::clone(&shared.context);
                let authorised = shared.gate.authorise(&context, &headers, route).await;
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
    Endpoint::new(route, filter, said)
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
