//! From a route and a handler to a warp filter: matching, permission, errors, label.

use super::auth::Keys;
use super::context::HttpContext;
use super::problem::ApiError;
use super::reply::Response;
use super::route::{Route, RouteLabel};
use super::server::ServerLimits;
use super::webhooks::Gates;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;

/// What all routes share.
pub(super) struct Shared {
    pub context: Arc<HttpContext>,
    pub keys: Keys,
    pub gates: Gates,
    pub limits: ServerLimits,
}

/// A route and what answers it. Its filter rejects only what is not its own.
pub(super) struct Endpoint {
    pub route: Route,
    pub filter: BoxedFilter<(Response,)>,
}

/// One request for a handler. Whoever made it may make it.
pub(super) struct Call {
    pub context: Arc<HttpContext>,
    /// The segment in braces; empty when the route has none.
    pub parameter: String,
    /// The raw query string.
    pub query: String,
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
                    Ok(_caller) => handler(Call { context, parameter, query }).await,
                    Err(error) => Err(error),
                };
                labelled(route, result)
            }
        })
        .boxed();
    Endpoint { route, filter }
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
