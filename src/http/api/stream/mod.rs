//! `/api/stream`: what changes, as it changes, as server-sent events. Ids only: whoever hears one reads the record by its route.

mod feed;

use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::metrics;
use crate::http::problem::{ApiError, FieldError};
use crate::http::query::Query;
use crate::http::reply::Response;
use crate::http::route::{Permission, Route};
use crate::store::changes::Topic;
use feed::{Feed, Rhythm};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use warp::Reply;
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

const STREAM: Route = Route::get("/api/stream", Permission::SignedIn);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Some proxies gather what they pass on; nginx can be told not to.
const NO_BUFFERING: (HeaderName, HeaderValue) = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

const PARAMETERS: &[(&str, &str)] = &[
    (
        "topics",
        "some of contacts, bookings, tasks, sms, inbox, events, runs, jobs, rules, with commas; all that you may read unless given",
    ),
    ("last_event_id", "where to go on, for a reader that cannot send the header Last-Event-ID"),
];

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let of_all = Arc::clone(shared);
    let doc = Doc::new("Stream", "Tells what changes, as server-sent events.")
        .query(PARAMETERS)
        .answers_text(StatusCode::OK, "text/event-stream");
    vec![reading(STREAM, shared, move |call| std::future::ready(open(&of_all, &call))).doc(doc)]
}

fn open(shared: &Arc<Shared>, call: &Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let wanted = query.text("topics");
    let position = query.text("last_event_id").or_else(|| header(&call.headers, &LAST_EVENT_ID));
    query.finish()?;
    let topics = topics(wanted.as_deref(), call)?;
    let place = Place::take(shared).ok_or_else(|| ApiError::unavailable("Too many streams are open."))?;
    let rhythm = Rhythm { heartbeat: shared.limits.heartbeat, authorise_again: shared.limits.authorise_again };
    let listener = call.context.store.changes().listen(position.as_deref());
    let gate = {
        let (shared, headers) = (Arc::clone(shared), call.headers.clone());
        move || {
            let (shared, headers) = (Arc::clone(&shared), headers.clone());
            async move { shared.gate.is_still_allowed(&shared.context, &headers, STREAM).await }
        }
    };
    let feed = Feed::new(listener, topics, rhythm, gate, shared.stop.clone());
    let mut response = warp::sse::reply(feed.into_stream(place)).into_response();
    response.headers_mut().insert(NO_BUFFERING.0, NO_BUFFERING.1);
    Ok(response)
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// What the caller wants to hear of, and may.
fn topics(wanted: Option<&str>, call: &Call) -> Result<Vec<Topic>, ApiError> {
    let role = call.caller.as_ref().map(|caller| caller.role).ok_or_else(ApiError::unauthorized)?;
    let allowed = |topic: &Topic| permission(*topic).allows(role);
    let Some(wanted) = wanted else { return Ok(Topic::ALL.into_iter().filter(allowed).collect()) };
    let topics: Option<Vec<Topic>> = wanted.split(',').map(|name| Topic::parse(name.trim())).collect();
    let topics = topics.ok_or_else(|| {
        let names: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
        let detail = format!("some of {}, with commas between them", names.join(", "));
        ApiError::bad_parameters(vec![FieldError { pointer: "/query/topics".into(), detail }])
    })?;
    if topics.iter().all(allowed) { Ok(topics) } else { Err(ApiError::forbidden()) }
}

/// Who may read what a topic is about.
const fn permission(topic: Topic) -> Permission {
    match topic {
        Topic::Contacts | Topic::Bookings | Topic::Tasks | Topic::Sms | Topic::Inbox => Permission::Clinic,
        Topic::Events | Topic::Runs | Topic::Jobs | Topic::Rules => Permission::Automation,
    }
}

/// A place for one stream; free again when dropped.
struct Place {
    permit: Option<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
}

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let permit = Arc::clone(&shared.streams).try_acquire_owned().ok()?;
        let place = Self { permit: Some(permit), shared: Arc::clone(shared) };
        place.measure();
        Some(place)
    }

    fn measure(&self) {
        metrics::stream_subscribers(self.shared.limits.streams_max - self.shared.streams.available_permits());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.measure();
    }
}
