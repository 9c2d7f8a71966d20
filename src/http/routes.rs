//! All routes of the program, as one warp filter that always answers.

use super::api;
use super::auth::Gate;
use super::context::HttpContext;
use super::endpoint::{Endpoint, Shared};
use super::openapi;
use super::problem::ApiError;
use super::reply::Response;
use super::route::{Route, allowed_methods};
use super::server::ServerLimits;
use super::system;
use super::webhooks::{self, Gates};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::http::Method;
use warp::path::FullPath;
use warp::{Filter, Rejection};

/// Every route, and a fallback that tells an unknown path from a wrong method.
pub(super) fn all(context: &Arc<HttpContext>, limits: &ServerLimits, stop: CancellationToken) -> BoxedFilter<(Response,)> {
    let shared = shared(context, limits, stop);
    drop(shared.document.set(described(&shared).to_string().into()));
    let routes = routes_of(&shared);
    let api = under("/api/").and(wrong_method(&routes).or(any_of(api::endpoints(&shared))).unify()).boxed();
    let fallback = no_route(routes);
    let system = any_of(system::endpoints(&shared));
    // Providers first: they come in bursts.
    webhooks::filter(&shared).or(api).unify().or(system).unify().or(fallback).unify().boxed()
}

/// The list of all routes: for tests and documents.
#[must_use]
pub fn list(context: &Arc<HttpContext>) -> Vec<Route> {
    routes_of(&shared(context, &ServerLimits::default(), CancellationToken::new()))
}

/// The OpenAPI document of this program.
#[must_use]
pub fn document(context: &Arc<HttpContext>) -> serde_json::Value {
    described(&shared(context, &ServerLimits::default(), CancellationToken::new()))
}

fn described(shared: &Arc<Shared>) -> serde_json::Value {
    let endpoints = api::endpoints(shared).into_iter().chain(system::endpoints(shared)).map(|e| (e.route, e.doc));
    let providers = webhooks::ROUTES.into_iter().map(|route| (route, webhooks::doc()));
    openapi::document(&endpoints.chain(providers).collect::<Vec<_>>())
}

fn shared(context: &Arc<HttpContext>, limits: &ServerLimits, stop: CancellationToken) -> Arc<Shared> {
    Arc::new(Shared {
        context: Arc::clone(context),
        gate: Gate::default(),
        gates: Gates::new(limits),
        limits: limits.clone(),
        document: OnceLock::new(),
        streams: Arc::new(Semaphore::new(limits.streams_max)),
        stop,
    })
}

fn routes_of(shared: &Arc<Shared>) -> Vec<Route> {
    let endpoints = api::endpoints(shared).into_iter().chain(system::endpoints(shared));
    webhooks::ROUTES.into_iter().chain(endpoints.map(|e| e.route)).collect()
}

/// Rejects other paths before their list is walked. Unlike `warp::path`, it does not write what was asked for into the log.
fn under(prefix: &'static str) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::path::full()
        .and_then(move |path: FullPath| {
            let is_ours = path.as_str().starts_with(prefix);
            std::future::ready(if is_ours { Ok(()) } else { Err(warp::reject::not_found()) })
        })
        .untuple_one()
}

/// The first endpoint that does not reject.
fn any_of(mut endpoints: Vec<Endpoint>) -> BoxedFilter<(Response,)> {
    // `/api/contacts/duplicates` is not the contact whose id is `duplicates`.
    endpoints.sort_by_key(|endpoint| !endpoint.route.is_literal());
    let none = warp::any().and_then(|| std::future::ready(Err::<Response, _>(warp::reject::not_found()))).boxed();
    endpoints.into_iter().rev().fold(none, |rest, endpoint| endpoint.filter.or(rest).unify().boxed())
}

/// PATCH of `/api/tasks/bulk` is not the change of a task whose id is `bulk`.
fn wrong_method(routes: &[Route]) -> BoxedFilter<(Response,)> {
    let mut literals: HashMap<&'static str, Vec<Route>> = HashMap::new();
    for route in routes.iter().filter(|route| route.is_literal()) {
        literals.entry(route.template).or_default().push(*route);
    }
    let literals = Arc::new(literals);
    warp::method()
        .and(warp::path::full())
        .and_then(move |method: Method, path: FullPath| {
            let of_path = literals.get(path.as_str()).filter(|routes| routes.iter().all(|route| route.refuses(&method)));
            let refused = of_path.and_then(|routes| allowed_methods(routes, path.as_str()));
            let answer = refused.map(|allow| ApiError::method_not_allowed(&allow).into_response());
            std::future::ready(answer.ok_or_else(warp::reject::not_found))
        })
        .boxed()
}

fn no_route(routes: Vec<Route>) -> BoxedFilter<(Response,)> {
    let routes: Arc<[Route]> = routes.into();
    warp::path::full()
        .map(move |path: FullPath| match allowed_methods(&routes, path.as_str()) {
            Some(allow) => ApiError::method_not_allowed(&allow).into_response(),
            None => ApiError::not_found().into_response(),
        })
        .boxed()
}
