//! What surrounds every answer: request id, peer, security headers, metrics and the log line.

use super::Peer;
use super::limits::{HEADERS_MAX, ServerLimits};
use super::stream::InFlight;
use crate::domain::clock::SharedClock;
use crate::domain::ids::new_id;
use crate::http::auth::{Cors, mark_client};
use crate::http::context::HttpContext;
use crate::http::metrics;
use crate::http::problem::ApiError;
use crate::http::reply::{self, Response};
use crate::http::route::{self, RouteLabel};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;
use warp::filters::BoxedFilter;
use warp::http::header::HeaderName;
use warp::http::{HeaderValue, Request};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes and what surrounds them, for all connections.
#[derive(Clone)]
pub(super) struct Shell {
    routes: BoxedFilter<(Response,)>,
    clock: SharedClock,
    cors: Cors,
    limits: Arc<ServerLimits>,
}

/// The service of one connection.
#[derive(Clone)]
pub(super) struct OfConnection {
    shell: Shell,
    peer: Peer,
    in_flight: Arc<InFlight>,
}

impl Shell {
    pub(super) fn new(routes: BoxedFilter<(Response,)>, context: &HttpContext, limits: ServerLimits) -> Self {
        let cors = Cors::new(&context.access.settings.frontend_url);
        Self { routes, clock: Arc::clone(&context.clock), cors, limits: Arc::new(limits) }
    }

    pub(super) fn of_connection(&self, peer: Peer, in_flight: Arc<InFlight>) -> OfConnection {
        OfConnection { shell: self.clone(), peer, in_flight }
    }
}

impl Service<Request<Incoming>> for OfConnection {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let guard = self.in_flight.enter();
        let started = Instant::now();
        let request_id = new_id(self.shell.clock.now());
        let method = request.method().clone();
        let in_api = request.uri().path().starts_with("/api/");
        request.extensions_mut().insert(self.peer);
        let too_many_headers = request.headers().len() > HEADERS_MAX;
        mark_client(request.headers_mut(), self.peer.0.ip(), &self.shell.limits);
        let (routes, cors) = (self.shell.routes.clone(), self.shell.cors.clone());
        let is_allowed = in_api && cors.is_allowed(request.headers());
        let preflight = if in_api { cors.preflight(&method, request.headers()) } else { None };
        // Everything logged on behalf of this request carries its id.
        let span = tracing::info_span!("request", id = request_id);
        let answered = async move {
            let mut response = match preflight {
                _ if too_many_headers => ApiError::headers_too_large().into_response(),
                Some(response) => response,
                None => answer(routes, request).await,
            };
            let label = response.extensions().get::<RouteLabel>().map_or(route::NO_ROUTE, |label| label.0);
            reply::add_security_headers(&mut response, in_api);
            cors.finish(&mut response, is_allowed, in_api);
            if let Ok(value) = HeaderValue::from_str(&request_id) {
                response.headers_mut().insert(REQUEST_ID, value);
            }
            let status = response.status();
            let elapsed = started.elapsed();
            metrics::request_answered(label, &method, status, elapsed);
            // The template, never the path: path segments can be secrets.
            tracing::debug!(%method, route = label, status = status.as_u16(), ?elapsed, "answered");
            drop(guard);
            Ok(response)
        };
        Box::pin(answered.instrument(span))
    }
}

async fn answer(routes: BoxedFilter<(Response,)>, request: Request<Incoming>) -> Response {
    match TowerToHyperService::new(warp::service(routes)).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
