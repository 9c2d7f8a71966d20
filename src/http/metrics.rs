//! What the server counts. Names are constants, labels have few values: route templates, never paths.

use std::time::Duration;
use warp::http::{Method, StatusCode};

/// Counter: requests answered, by route, method and status class.
pub const REQUESTS: &str = "avatar_http_requests_total";
/// Histogram: seconds from the end of the headers to the answer, by route and status class.
pub const REQUEST_SECONDS: &str = "avatar_http_request_seconds";
/// Counter: connections turned away because there was no place.
pub const CONNECTIONS_REFUSED: &str = "avatar_http_connections_refused_total";
/// Counter: deliveries by source and what became of them.
pub const DELIVERIES: &str = "avatar_webhook_deliveries_total";

pub(super) fn request_answered(route: &'static str, method: &Method, status: StatusCode, elapsed: Duration) {
    let class = status_class(status);
    metrics::counter!(REQUESTS, "route" => route, "method" => method_label(method), "status" => class).increment(1);
    metrics::histogram!(REQUEST_SECONDS, "route" => route, "status" => class).record(elapsed.as_secs_f64());
}

pub(super) fn connection_refused() {
    metrics::counter!(CONNECTIONS_REFUSED).increment(1);
}

/// `source` is a name from the configuration; `result` is `accepted`, `duplicate`, `refused` or `unavailable`.
pub(super) fn delivery(source: &str, result: &'static str) {
    metrics::counter!(DELIVERIES, "source" => source.to_owned(), "result" => result).increment(1);
}

const fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// A method is text of the caller's choice: only the known ones become labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
