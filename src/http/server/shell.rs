//! What surrounds every answer: request id, peer, security headers, metrics and the log line.

use super::Peer;
use super::limits::HEADERS_MAX;
use super::stream::InFlight;
use crate::domain::clock::SharedClock;
use crate::domain::ids::new_id;
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
}

/// The service of one connection.
#[derive(Clone)]
pub(super) struct OfConnection {
    shell: Shell,
    peer: Peer,
    in_flight: Arc<InFlight>,
}

impl Shell {
    pub(super) fn new(routes: BoxedFilter<(Response,)>, clock: SharedClock) -> Self {
        Self { routes, clock }
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
        let routes = self.shell.routes.clone();
        // Everything logged on behalf of this request carries its id.
        let span = tracing::info_span!("request", id = request_id);
        let answered = async move {
            let mut response =
                if too_many_headers { ApiError::headers_too_large().into_response() } else { answer(routes, request).await };
            let label = response.extensions().get::<RouteLabel>().map_or(route::NO_ROUTE, |label| label.0);
            reply::add_security_headers(&mut response, in_api);
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
